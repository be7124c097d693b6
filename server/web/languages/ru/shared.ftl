# Что говорят все страницы.
product = Tidewaiter
skip-to-content = Перейти к содержанию
main-navigation = Страницы
place-station = Пост
place-desk = Старший смены
place-headquarters = Центр
demonstration-banner = Демонстрация: вымышленные данные. Часы установлены на { $day }.
languages = Язык
change-language = Сменить язык
stale-banner = Нет живой связи. То, что вы видите, могло устареть.
stale-retry = Загрузить снова
utc = UTC

month-1 = января
month-2 = февраля
month-3 = марта
month-4 = апреля
month-5 = мая
month-6 = июня
month-7 = июля
month-8 = августа
month-9 = сентября
month-10 = октября
month-11 = ноября
month-12 = декабря
date-long = { $day } { $month } { $year }

ago-now = только что
ago-minutes = { $count } мин назад
ago-hours = { $count ->
    [one] { $count } час назад
    [few] { $count } часа назад
   *[other] { $count } часов назад
}
ago-days = { $count ->
    [one] { $count } день назад
    [few] { $count } дня назад
   *[other] { $count } дней назад
}

error-summary-title = Есть ошибка
optional = необязательно
yes = Да
no = Нет
none = Нет
back = Назад
continue = Дальше
save = Сохранить
change = Изменить
remove = Убрать
cancel = Отмена
not-found-title = Здесь ничего нет
not-found-text = По этому адресу ничего нет. Возможно, он набран с ошибкой.
failed-title = Не получилось
failed-text = Ничего не потеряно. Причина указана ниже; попробуйте ещё раз или позовите старшего.

finding-why = Почему
finding-seen = Увиденные значения
finding-value = Значение
finding-field = Поле
finding-test = Проверка
finding-law = Закон
finding-records = Основано на записях
finding-rule = Правило
finding-recommended = Рекомендуется
finding-recommends-note = Система рекомендует; решаете вы.
finding-list-hits = Совпадения со списками
finding-list = Список
finding-entry = Запись списка
finding-programme = Программа
finding-listed-name = Имя в списке
finding-names-why = Почему имена совпадают
finding-likeness = Сходство
finding-amount = Сумма

timeline-title = Что произошло
timeline-missing = { $from ->
   *[other] Нет записей с { $from } по { $to }
}
timeline-clock = время не подтверждено
timeline-empty = Записей ещё нет.

tally-title = Наличные
tally-count = Пересчёт { $number }
tally-by = считал { $officer }
tally-blind = вслепую
tally-denomination = Купюра или монета
tally-pieces = Штук
tally-sum = Сумма
tally-total = Итого
tally-suspect = { $count ->
    [one] { $count } сомнительная отложена
    [few] { $count } сомнительные отложены
   *[other] { $count } сомнительных отложено
}
tally-differ = Пересчёты расходятся. Пересчитайте ещё раз.
tally-declared = Задекларировано
tally-counted = Насчитано
tally-difference = Разница
tally-not-declared = не декларировано
tally-not-counted = не считано
tally-currency = Валюта
tally-compare-title = Декларация и пересчёт
tally-none = Ничего не декларировано и не считано.
count-uncertain = неуверенно: события могли потеряться, пересчитайте
