# Страница сотрудника на посту.
station-now = Сейчас
station-inspections = Проверки
station-page = Пост
station-needs-officer = Введите номер сотрудника: латинские буквы, цифры, «-», «_» или «.»
station-you-are = Вы { $officer }
station-somebody-else = Другой сотрудник
officer-title = Кто здесь
officer-hint = Ваш номер стоит во всём, что вы записываете. Он хранится в этом браузере.
record = Записать
recorded-as = Записано на диск этого поста под номером { $seq }.
to-do = Что делать

now-waiting = Следующий
now-waiting-text = Положите паспорт на считыватель или отсканируйте посадочный талон. Страница заполнится сама.
place-unknown = ещё неизвестно
traveller-unknown = Ещё никто не считан
latest-title = Последние
latest-none = Проверок ещё не было.
row-open = сейчас здесь
row-undecided = без решения
decided = Решено:
timeline-count = { $count ->
    [one] { $count } запись
    [few] { $count } записи
   *[other] { $count } записей
}
loose-title = Показания без путника
loose-text = Прибор считал это, когда никого не проверяли. Это записано.

do-declare = Декларация
do-count = Пересчёт
do-count-again = Пересчитать снова
do-document = Документ вручную
do-correct = Исправить
do-observe = Заметить
do-decide = Решить
do-release = Отпустить
do-next = Следующий
do-open = Открыть вручную

next-sure-title = Об этом человеке ничего не решено
next-sure-text = Есть серьёзное предупреждение. Сначала решите или идите дальше без решения: проверка останется без решения, и старший это увидит.
next-sure-yes = Дальше без решения

read-born = Дата рождения
read-nationality = Гражданство
read-sex = Пол
read-expires = Действителен до
read-corrected = исправлено
read-checks-bad = Контрольные цифры не сходятся:
read-checks-good = Контрольные цифры сходятся. Это не доказывает подлинности документа.
read-pass = Посадочный талон
read-name-differs = Имя в посадочном талоне не совпадает с именем в документе.
read-seat = место { $seat }
scan-where = Где это увидел сканер, в контуре снимка
scan-image = Снимок

document-title = Документ вручную
document-correct = Исправить документ
document-correct-hint = Считанное остаётся как есть. Хранятся оба значения.
document-kind = Документ
document-state = Выдавшее государство
document-number = Номер
document-reason = Почему исправлено
document-same = Ничего не изменено
document-need-kind = Выберите документ
document-need-number = Введите номер документа
document-need-reason = Скажите, почему исправлено
document-bad-state = Введите государство, не более трёх букв

open-title = Открыть вручную
open-hint = Для путника без читаемого документа, экипажа судна, отправления.
open-direction = Куда
open-role = Кто
open-mode = Чем
open-from = Откуда
open-to = Куда
open-place-hint = Код IATA или UN/LOCODE
open-carrier = Перевозчик
open-number = Номер рейса, плавания или поезда
open-tail = Бортовой номер
open-vessel = Судно
open-imo = Номер ИМО
open-flag = Флаг
open-channel = Коридор
open-record = Открыть
channel-red = Красный
channel-green = Зелёный
open-need-mode = Выберите, чем едут
open-need-direction = Выберите направление
open-need-role = Выберите, кто это
open-need-from = Введите, откуда едут
open-need-to = Введите, куда едут
open-need-vessel = Введите название судна
open-bad-imo = Введите номер ИМО из семи цифр с верной последней
country-hint = Две буквы
date-hint = 1975-03-31 или 31.03.1975
bad-country = Введите страну двумя буквами
bad-date = Введите день как 1975-03-31 или 31.03.1975
bad-currency = Введите валюту тремя буквами
bad-amount = Введите сумму
bad-grams = Введите вес в граммах
bad-fineness = Введите пробу долей, например 0,9999
bad-pieces = Введите целое число штук

money-row = Строка { $number }
money-add-currency = Добавить наличные
money-add-instrument = Добавить чек или другой документ
money-add-gold = Добавить золото
money-instrument = Документ
money-payee = Выписан
money-gold-form = Вид
money-grams = Вес в граммах
money-fineness = Проба

declare-step = Декларация, страница { $number } из { $of }
declare-cash = Что вы везёте?
declare-cash-hint = Все наличные во всех валютах, чеки и другие документы на предъявителя, золото.
declare-owner = Чьё это?
declare-recipient = Для кого это?
declare-origin = Откуда это?
declare-origin-note = Словами
declare-use = На что это пойдёт?
declare-check = Проверьте ответы
declare-cash-short = Наличные
declare-owner-short = Владелец
declare-recipient-short = Получатель
declare-origin-short = Происхождение
declare-use-short = Назначение
declare-several = Выберите всё, что верно.
declare-document-kind = Подтверждающий документ
declare-document-reference = Его номер
declare-form = Форма
declare-reference = Номер на бумажном бланке
declare-reference-hint = Оставьте пустым, чтобы номер дал пост.
declare-record = Записать декларацию
declare-leave = Уйти, сохранив введённое
declare-need-cash = Введите, что везут
declare-need-owner = Выберите, чьё это
declare-need-recipient = Выберите, для кого это
declare-need-surname = Введите фамилию
declare-need-name = Введите название организации
declare-need-provenance = Выберите, откуда это
declare-need-provenance-note = Скажите словами, откуда это
declare-need-use = Выберите, на что это пойдёт
declare-need-form = Выберите форму

party-self = Сам путник
party-person = Другой человек
party-organisation = Организация
party-surname = Фамилия
party-given = Имена
party-country = Страна проживания
party-address = Адрес
party-phone = Телефон
party-name = Название организации
party-registered = Страна регистрации
party-number = Регистрационный номер
party-email = Электронная почта

count-title = Пересчёт { $number }
count-blind = Считайте то, что лежит на столе. Пустое поле — таких купюр нет.
count-blind-again = Считайте снова, не глядя на прежний результат. Лучше другим сотрудником.
count-other = Другая купюра или монета
count-suspect = Отложено как сомнительные, штук
count-uncertain-tick = Я не уверен в этом пересчёте
count-record = Записать пересчёт
count-need-pieces = Введите, сколько штук

observe-title = Заметить
observe-what = Что вы заметили?
observe-words = Словами
observe-need-one = Выберите, что заметили, или скажите словами

outcome-title = Решить
outcome-decision = Что происходит?
outcome-decision-released = Отпустить
outcome-decision-detained = Задержать наличные
outcome-decision-seized = Изъять наличные
outcome-decision-referred = Передать другому органу
outcome-decision-refused = Отказать в проезде
outcome-amount = Что берётся
outcome-reason = Причина
outcome-reason-undeclared = Наличные сверх порога не задекларированы
outcome-reason-false = Декларация неверна
outcome-reason-documents = Нет документов о происхождении
outcome-reason-concealed = Наличные были спрятаны
outcome-reason-listed = Лицо в действующем списке
outcome-reason-suspicion = Признаки преступления
outcome-reason-text = Словами
outcome-seal = Номер пломбы пакета
outcome-need-decision = Выберите, что происходит
outcome-need-amount = Введите, что берётся
outcome-need-reason = Выберите причину или скажите словами
outcome-need-release-reason = Есть серьёзное предупреждение. Скажите, почему отпускаете
outcome-need-law = Введите статью, на которой это основано
outcome-need-seal = Введите номер пломбы

health-good = Всё в порядке.
health-refusal = Записывать нельзя. { $cause }
health-damage = Сохранённые записи повреждены: { $what }
health-contradicted = Сервер знает другие записи этого поста, чем этот диск. Позовите администратора.
health-full = Диск почти полон. { $cause }
health-low = Диск заполняется: свободно { $free }.
health-clock-holdover = У часов нет источника времени, они идут сами по себе.
health-clock-unset = Часы не были установлены. Время в записях неверно.
health-bus = Шина поста пропала: приборов не слышно.
health-device = { $device }: { $state }
health-records = Записи
health-last-record = Жизнь журнала / последняя запись
health-hash = Её хеш
health-free = Свободно на диске
health-clock = Часы
health-devices = Приборы
health-no-devices = Приборов не слышно.
health-last-reading = последнее показание { $at }
health-applied = Правила и списки
health-policy = Правила
health-list = Список { $name }
health-short-good = Всё в порядке
health-short-waiting = { $count } в пути
health-short-offline = Нет связи, ждут { $count }
sync-all = Записано здесь, и всё есть на сервере.
sync-sending = { $count ->
    [one] Записано здесь; { $count } запись идёт на сервер.
    [few] Записано здесь; { $count } записи идут на сервер.
   *[other] Записано здесь; { $count } записей идут на сервер.
}
sync-offline-all = Нет связи с сервером. Все записи до сих пор у него.
sync-offline = { $count ->
    [one] Нет связи с сервером. Записано здесь; { $count } записи на сервере ещё нет.
    [few] Нет связи с сервером. Записано здесь; { $count } записей на сервере ещё нет.
   *[other] Нет связи с сервером. Записано здесь; { $count } записей на сервере ещё нет.
}

receipt-traveller = Путник
receipt-officer = Сотрудник
receipt-record = Запись, проверка
receipt-print = Печать
do-receipt = Квитанция
sign-in-account = Учётная запись или пропуск
sign-in-badge-hint = Введите учётную запись или приложите пропуск.
sign-in-pin = PIN
sign-in-wrong = Учётная запись или пропуск и PIN неверны. Проверьте и повторите.
sign-in-no-accounts = С сервера ещё не пришли учётные записи. Устройства продолжают запись; подключите пост.
sign-in-over = Учётные записи здесь от { $day } и истекли. Пост должен сначала связаться с сервером.
outcome-second = Второй: задержанные деньги выдаёт не один человек
outcome-second-hint = Старший или руководитель, который здесь не просил и не считал, подтверждает своим PIN.
outcome-second-not = Этот человек не может согласиться: просил, считал или решал здесь, либо не имеет права.
