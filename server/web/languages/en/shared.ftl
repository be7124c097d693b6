# What all pages say.
product = Tidewaiter
skip-to-content = Skip to content
main-navigation = Pages
place-station = Station
place-desk = Supervisor
place-headquarters = Headquarters
demonstration-banner = Demonstration: invented data. Clock set to { $day }.
languages = Language
change-language = Change language
stale-banner = No live connection. What you see may be old.
stale-retry = Load again
utc = UTC

month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December
date-long = { $day } { $month } { $year }

ago-now = just now
ago-minutes = { $count } min ago
ago-hours = { $count ->
    [one] { $count } hour ago
   *[other] { $count } hours ago
}
ago-days = { $count ->
    [one] { $count } day ago
   *[other] { $count } days ago
}

error-summary-title = There is a problem
optional = optional
yes = Yes
no = No
none = None
back = Back
continue = Continue
save = Save
change = Change
remove = Remove
cancel = Cancel
not-found-title = Not here
not-found-text = There is nothing at this address. It may have been typed wrongly.
failed-title = This did not work
failed-text = Nothing was lost. The reason is below; try again, or call your supervisor.

finding-why = Why
finding-seen = Values seen
finding-value = Value
finding-field = Field
finding-test = Test
finding-law = Law
finding-records = Rests on records
finding-rule = Rule
finding-recommended = Recommended
finding-recommends-note = The system recommends; you decide.
finding-list-hits = Matches on lists
finding-list = List
finding-entry = Entry
finding-programme = Programme
finding-listed-name = Listed name
finding-names-why = Why the names agree
finding-likeness = Likeness
finding-amount = Amount

timeline-title = What happened
timeline-missing = { $from ->
   *[other] Records { $from } to { $to } are missing
}
timeline-clock = clock not confirmed
timeline-empty = No records yet.

tally-title = Cash
tally-count = Count { $number }
tally-by = by { $officer }
tally-blind = blind
tally-denomination = Note or coin
tally-pieces = Pieces
tally-sum = Sum
tally-total = Total
tally-suspect = { $count ->
    [one] { $count } piece set aside as suspect
   *[other] { $count } pieces set aside as suspect
}
tally-differ = The counts differ. Count again.
tally-declared = Declared
tally-counted = Counted
tally-difference = Difference
tally-not-declared = not declared
tally-not-counted = not counted
tally-currency = Currency
tally-compare-title = Declared against counted
tally-none = Nothing declared, nothing counted.
count-uncertain = uncertain: events may have been lost, count again
