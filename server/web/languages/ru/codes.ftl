# Слова для кодов записей и тревог.
severity-info = К сведению
severity-low = Низкая
severity-medium = Средняя
severity-high = Высокая
severity-critical = Критическая

alert-undeclared_cash = Недекларированные наличные
alert-false_declaration = Насчитано больше, чем декларировано
alert-over_declaration = Декларировано больше, чем насчитано
alert-incomplete_declaration = Декларация неполна
alert-recount_required = Пересчитать
alert-route_high_risk = Маршрут высокого риска
alert-port_high_risk = Порт или судно высокого риска
alert-inspect_mandatory = Досмотр обязателен по закону
alert-list_match = В списке
alert-list_match_possible = Возможно, в списке
alert-shared_address = Общий адрес
alert-name_family = Имя известной сети
alert-structuring_temporal = Повторные суммы ниже порога
alert-structuring_group = Одна сумма разделена на нескольких
alert-group_threshold = Группа вместе превышает порог
alert-repeat_courier = Постоянный курьер
alert-declaration_reused = Декларация использована дважды
alert-exit_exceeds_entry = Вывозится больше, чем ввезено
alert-origin_documents_missing = Нет документов о происхождении
alert-export_prohibited = Вывоз запрещён
alert-instrument_undeclared = Недекларированный документ на предъявителя
alert-gold_undeclared = Недекларированное золото
alert-diplomat_vigilance = Дипломат: повышенное внимание
alert-crew_cash = Наличные у экипажа
alert-worker_wages = Признаки собранных заработков
alert-destination_inconsistent = Назначение не сходится
alert-sub_threshold_suspicion = Подозрение ниже порога
alert-disclosure_required = Требуется раскрытие сведений
alert-disclosure_overdue = Сведения не раскрыты в срок
alert-device_discrepancy = Приборы противоречат друг другу
alert-exemption_recorded = Предъявлено изъятие
alert-coverage_gap = Слишком мало проверок рейса
alert-release_conflict = Считал и отпустил один человек
alert-collusion_pattern = Один сотрудник, один маршрут
alert-retro_match = Новый список задевает старую запись
alert-stale_lists = Списки устарели
alert-ledger_fork = Две записи под одним номером
alert-ledger_gap = Записей недостаёт
alert-ledger_rollback = Журнал вернулся назад
alert-ledger_broken = Журнал не проходит проверку
alert-device_fault = Неисправность прибора
alert-clock_fault = Неисправность часов
alert-station_silent = Пост молчит
alert-rate_missing = Нет курса: итог вручную

outcome-inspect_mandatory = Досмотреть лицо и багаж: этого требует закон
outcome-vigilance = Повышенное внимание; вскрывать багаж не предписано
outcome-detain_duty_unmet = Рассмотреть временное задержание: обязанность декларировать не исполнена
outcome-freeze = Заморозить: лицо в списке, действующем здесь
outcome-deny_port = Рассмотреть отказ в заходе в порт
outcome-report_1718 = Сообщить Комитету 1718
outcome-refer_fiu = Передать подразделению финансовой разведки
outcome-supervisor_protocol = Позвать старшего; действовать по порядку для лиц с неприкосновенностью

state-new = Новая
state-claimed = Взята
state-waiting = В ожидании
state-escalated = Передана выше
state-closed = Закрыта

record-inspection_opened = Проверка открыта
record-document_read = Документ считан
record-boarding_pass_read = Посадочный талон считан
record-movement_seen = Перемещение замечено
record-scan_result = Результат просвечивания
record-cash_counted = Наличные пересчитаны
record-weight_measured = Взвешено
record-declaration_made = Декларация подана
record-officer_observed = Сотрудник заметил
record-exemption_presented = Предъявлено изъятие
record-outcome_recorded = Решение
record-custody_moved = Опечатанный пакет передан
record-inspection_linked = Связано с другой проверкой
record-amendment = Исправление
record-device_state = Состояние прибора
record-officer_session = Смена сотрудника
record-clock_stepped = Часы поправлены
record-policy_applied = Применены правила и списки
record-note_added = Заметка

source-device = прибор
source-officer = сотрудник
source-agent = программа

direction-entry = Въезд
direction-exit = Выезд
direction-transit = Транзит

role-passenger = Пассажир
role-crew = Экипаж
role-master = Капитан
role-consignment = Отправление

mode-air = Воздух
mode-sea = Море
mode-rail = Железная дорога
mode-road = Дорога
mode-post = Почта или груз

document-passport = Паспорт
document-diplomatic_passport = Дипломатический паспорт
document-service_passport = Служебный паспорт
document-id_card = Удостоверение личности
document-seaman_book = Паспорт моряка
document-visa = Виза
document-other = Другой документ

check-number = номер
check-document_number = номер
check-date_of_birth = дата рождения
check-birth = дата рождения
check-expires_on = срок действия
check-expiry = срок действия
check-personal_number = личный номер
check-optional = личный номер
check-composite = вся строка
check-overall = вся строка

modality-xray = Рентген
modality-ct = Томография
modality-trace = Следы веществ
modality-dog = Собака
modality-search = Ручной досмотр
decision-scan-alarm = посмотреть
decision-scan-clear = ничего не видно
decision-scan-undecided = без решения, не чисто
decision-scan-test = проверочное изображение
scan-currency_like = похоже на банкноты
scan-dense_organic = плотная органика
scan-precious_metal = похоже на драгоценный металл

form-eu = Декларация ЕС (2021/776)
form-fincen105 = Форма FinCEN 105
form-eaeu = Декларация наличных ЕАЭС
form-generic = Общая декларация

cash-currency = Банкноты и монеты
cash-bearer_instrument = Документ на предъявителя
cash-gold = Золото
cash-prepaid_card = Предоплаченная карта
instrument-cheque = Чек
instrument-travellers_cheque = Дорожный чек
instrument-promissory_note = Вексель
instrument-money_order = Денежный перевод
payee-bearer = На предъявителя
payee-omitted = Получатель не указан
payee-fictitious = Вымышленный получатель
payee-named = Назван получатель
gold-coin = Монеты
gold-bar = Слитки
gold-nugget = Самородки

provenance-labour = Работа, пенсия, своё дело
provenance-capital = Дивиденды, проценты, страховка
provenance-sale_immovable = Продажа земли или здания
provenance-sale_movable = Продажа вещей
provenance-loan_person = Заём у частного лица
provenance-loan_organisation = Заём у банка или компании
provenance-gambling = Лотерея или азартные игры
provenance-inheritance = Наследство
provenance-gift = Подарок
provenance-business = Доход предприятия
provenance-other = Другое

use-personal = Личные расходы
use-wages = Заработная плата
use-charity = Благотворительность
use-immovable = Покупка земли или здания
use-movable = Покупка ценных вещей
use-loan_repayment = Возврат займа
use-gambling = Лотерея или азартные игры
use-ship_cash = Касса судна или машины
use-professional = Профессиональная деятельность
use-goods_services = Оплата товаров или услуг
use-other = Другое

indication-refused_scan = Отказался от просвечивания
indication-concealment = Наличные были спрятаны
indication-contradictory = Противоречит себе
indication-nervous = Нервничает
indication-no_knowledge = Не знает суммы или её цели
indication-third_party = Везёт для другого
indication-unusual_packaging = Необычная упаковка
indication-other = Другое

exemption-un1718 = Изъятие Комитета 1718
exemption-diplomatic_bag = Дипломатическая почта
exemption-cash_in_transit = Инкассаторская компания

decision-released = Отпущен
decision-detained = Наличные задержаны
decision-seized = Наличные изъяты
decision-refused = В проезде отказано
decision-referred = Передано

device-state-online = работает
device-state-offline = не подключён
device-state-fault = неисправность
clock-synced = идут верно
clock-holdover = идут сами по себе
clock-unset = не были установлены
