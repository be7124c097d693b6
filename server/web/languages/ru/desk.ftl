# Стол старшего смены.
desk-queue = Тревоги
desk-inspections = Проверки
desk-stations = Посты
desk-bundles = Пакеты
desk-filters = Отбор
desk-filter-text = Искать
desk-filter-severity = Важность
desk-filter-state = Состояние
desk-filter-code = Вид
desk-filter-station = Пост
desk-filter-apply = Показать
desk-filter-clear = Показать все открытые
desk-any = Любой
desk-inspection = Проверка
desk-pick = Выбрать: { $title }
desk-new-show = Новых: { $count }, показать
desk-not-standing = больше не находится
desk-empty = Открытых тревог нет. Новые появятся здесь сами.
desk-empty-filtered = Под этот отбор не подходит ни одна тревога.
desk-first-page = Первая страница
desk-next-page = Следующая страница
desk-you-are = Вы { $officer }
officer-id = Ваш номер сотрудника
desk-needs-officer = Введите номер сотрудника: латинские буквы, цифры, «-», «_» или «.»
desk-nothing-picked = Выберите хотя бы одну тревогу
desk-unknown-action = Такого действия нет
desk-done = { $count ->
    [one] Сделано: { $count } тревога
    [few] Сделано: { $count } тревоги
   *[other] Сделано: { $count } тревог
}
desk-changed = Кто-то успел раньше: тревога изменилась с тех пор, как вы её открыли. Посмотрите историю и решите снова.
desk-needs-reason = Выберите причину закрытия
desk-needs-text = Напишите, что вы хотите сказать
desk-decide = Решить
desk-comment-text = Словами
desk-close-reason = Закрыть, потому что
desk-close-hint = Подробнее напишите в поле «Словами».
desk-history = История
desk-no-history = Ещё никто не действовал.
desk-others = Другие тревоги этой проверки
desk-group = Вместе с
desk-sealed = { $count ->
    [one] { $count } запись нельзя открыть: стёрта или ключ не пришёл
    [few] { $count } записи нельзя открыть: стёрты или ключ не пришёл
   *[other] { $count } записей нельзя открыть: стёрты или ключ не пришёл
}
desk-inspections-search = Пост, рейс, судно или место
desk-search = Искать
desk-no-inspections = Проверок нет.
desk-column-last = Последняя запись
desk-column-way = Перемещение
desk-column-who = Кто
desk-column-outcome = Решение
desk-column-records = Записей
desk-no-outcome = открыта
desk-no-stations = Ни один пост не зарегистрирован.

action-claim = Взять
action-release = Вернуть
action-wait = В ожидание
action-escalate = Передать выше
action-close = Закрыть
action-comment = Заметка
done-claim = Взята
done-release = Возвращена
done-wait = Поставлена в ожидание
done-escalate = Передана выше
done-close = Закрыта
done-comment = Заметка
done-raised = Поднята
done-altered = Факты изменились
done-escalated = Передана выше системой
done-not_found_again = Больше не находится
closing-cleared = Проверено: законно
closing-declared = С тех пор задекларировано
closing-detained = Наличные задержаны
closing-seized = Наличные изъяты
closing-referred = Передано другому органу
closing-false_positive = Ложная тревога
closing-duplicate = Повтор другой тревоги

keys-title = Клавиши
keys-move = Следующая, предыдущая тревога
keys-open = Открыть тревогу
keys-pick = Выбрать или снять выбор
keys-claim = Взять
keys-escalate = Передать выше
keys-comment = Заметка
keys-search = Искать
keys-help = Этот список
keys-close = Закрыть
keys-turn-off = Отключить клавиши
keys-turn-on = Включить клавиши

station-state = Состояние
station-heard = Последняя связь
station-held = Записей здесь
station-missing = Недостаёт
station-backlog = Ждут там
station-clock = Часы
station-lists = Правила и списки
station-online = На связи
station-behind = На связи, записей недостаёт
station-offline = Нет связи
station-never = Не было связи
station-revoked = Отозван

bundle-night = Ночной пакет сейчас
bundle-explained = Раз в ночь все новые записи и решения уходят в центр одним подписанным пакетом. Центр отвечает подписанной квитанцией.
bundle-nothing = С прошлого пакета ничего не пришло, поэтому новый не сделан.
bundle-none = Пакетов ещё нет.
bundle-name = Пакет
bundle-entries = Записей
bundle-built-at = Собран
bundle-receipted-at = Квитанция
bundle-no-receipt = ещё нет
bundle-manifest = Опись, SHA-256
bundle-built = Ждёт квитанции
bundle-accepted = Принят центром
bundle-refused = Отклонён центром
desk-network = Связи
network-hint = Что у стороны общего с теми, кто в списках: имя, помещение, телефон, владелец, семейство названий.
network-name = Имя или название
network-kind = Кто это
network-address = Адрес, в конце страна
network-phone = Телефон
network-caution = Связь — повод спросить, а не вывод. Она говорит, что общего у двух сторон на бумаге, а не что кто-то из них что-то сделал.
network-nobody = Ничто не связывает эту сторону с теми, кто в списках.
network-graph = Рисунок связей; таблица ниже говорит то же словами.
network-cut = Связей больше, чем показано.
network-links = Связи и на чём они основаны
network-from = От
network-link = Связь
network-to = К
network-evidence = На чём основана
