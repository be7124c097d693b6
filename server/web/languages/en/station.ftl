# The officer's page at a station.
station-now = Now
station-inspections = Inspections
station-page = Station
station-needs-officer = Enter your officer id: letters, digits, “-”, “_” or “.”
station-you-are = You are { $officer }
station-somebody-else = Somebody else
officer-title = Who is here
officer-hint = Your id stands in everything you record. It is kept in this browser.
record = Record
recorded-as = Recorded on this station’s disk as number { $seq }.
to-do = What to do

now-waiting = Next traveller
now-waiting-text = Put the passport on the reader, or scan the boarding pass. The page fills itself.
place-unknown = not known yet
traveller-unknown = Nobody read yet
latest-title = Latest
latest-none = No inspection yet.
row-open = here now
row-undecided = undecided
decided = Decided:
timeline-count = { $count ->
    [one] { $count } record
   *[other] { $count } records
}
loose-title = Readings without a traveller
loose-text = A device read this while nobody was being inspected. It is recorded.

do-declare = Declaration
do-count = Count
do-count-again = Count again
do-document = Document by hand
do-correct = Correct
do-observe = Notice something
do-decide = Decide
do-release = Release
do-next = Next traveller
do-open = Open by hand

next-sure-title = Nothing was decided about this traveller
next-sure-text = A grave warning stands. Decide first, or go on without a decision: the inspection stays undecided, and the supervisor sees it.
next-sure-yes = Go on without a decision

read-born = Born
read-nationality = Nationality
read-sex = Sex
read-expires = Expires
read-corrected = corrected
read-checks-bad = Check digits do not agree:
read-checks-good = Check digits agree. That does not make a document genuine.
read-pass = Boarding pass
read-name-differs = The name on the boarding pass is not the name in the document.
read-seat = seat { $seat }
scan-where = Where the scanner saw it, in the image’s outline
scan-image = Image

document-title = Document by hand
document-correct = Correct the document
document-correct-hint = The reading stays as it is. Both values are kept.
document-kind = Document
document-state = Issuing state
document-number = Number
document-reason = Why it is corrected
document-same = Nothing is changed
document-need-kind = Choose the document
document-need-number = Enter the document’s number
document-need-reason = Say why it is corrected
document-bad-state = Enter a state as three letters at most

open-title = Open by hand
open-hint = For a traveller without a readable document, a ship’s crew, a consignment.
open-direction = Which way
open-role = Who
open-mode = By
open-from = From
open-to = To
open-place-hint = IATA code or UN/LOCODE
open-carrier = Carrier
open-number = Flight, voyage or train number
open-tail = Aircraft registration
open-vessel = Vessel
open-imo = IMO number
open-flag = Flag
open-channel = Channel
open-record = Open
channel-red = Red
channel-green = Green
open-need-mode = Choose how they travel
open-need-direction = Choose which way
open-need-role = Choose who it is
open-need-from = Enter where they come from
open-need-to = Enter where they go
open-need-vessel = Enter the vessel’s name
open-bad-imo = Enter an IMO number of seven digits whose last digit agrees
country-hint = Two letters
date-hint = 1975-03-31 or 31.03.1975
bad-country = Enter a country as two letters
bad-date = Enter a day as 1975-03-31 or 31.03.1975
bad-currency = Enter a currency as three letters
bad-amount = Enter an amount
bad-grams = Enter the weight in grams
bad-fineness = Enter the fineness as a share, such as 0.9999
bad-pieces = Enter a whole number of pieces

money-row = Line { $number }
money-add-currency = Add cash
money-add-instrument = Add a cheque or other instrument
money-add-gold = Add gold
money-instrument = Instrument
money-payee = Made out
money-gold-form = Form
money-grams = Weight in grams
money-fineness = Fineness

declare-step = Declaration, page { $number } of { $of }
declare-cash = What do you carry?
declare-cash-hint = All cash in every currency, cheques and other bearer instruments, gold.
declare-owner = Whose is it?
declare-recipient = For whom is it meant?
declare-origin = Where does it come from?
declare-origin-note = In words
declare-use = What will it be used for?
declare-check = Check the answers
declare-cash-short = Cash
declare-owner-short = Owner
declare-recipient-short = Recipient
declare-origin-short = Origin
declare-use-short = Use
declare-several = Choose all that are true.
declare-document-kind = Document that proves it
declare-document-reference = Its number
declare-form = Form
declare-reference = Number on the paper form
declare-reference-hint = Leave empty for a number of this station.
declare-record = Record the declaration
declare-leave = Leave, and keep what was entered
declare-need-cash = Enter what is carried
declare-need-owner = Choose whose it is
declare-need-recipient = Choose for whom it is meant
declare-need-surname = Enter the surname
declare-need-name = Enter the organisation’s name
declare-need-provenance = Choose where it comes from
declare-need-provenance-note = Say in words where it comes from
declare-need-use = Choose what it will be used for
declare-need-form = Choose the form

party-self = The traveller
party-person = Another person
party-organisation = An organisation
party-surname = Surname
party-given = Given names
party-country = Country of residence
party-address = Address
party-phone = Telephone
party-name = Name of the organisation
party-registered = Country of registration
party-number = Registration number
party-email = E-mail

count-title = Count { $number }
count-blind = Count what lies on the table. An empty field is no note of that kind.
count-blind-again = Count again, without sight of the earlier result. Best by another officer.
count-other = Another note or coin
count-suspect = Pieces set aside as suspect
count-uncertain-tick = I am not certain of this count
count-record = Record the count
count-need-pieces = Enter how many pieces there are

observe-title = Notice something
observe-what = What did you notice?
observe-words = In words
observe-need-one = Choose what you noticed, or say it in words

outcome-title = Decide
outcome-decision = What happens?
outcome-decision-released = Release
outcome-decision-detained = Detain cash
outcome-decision-seized = Seize cash
outcome-decision-referred = Refer to another authority
outcome-decision-refused = Refuse the crossing
outcome-amount = What is taken
outcome-reason = Reason
outcome-reason-undeclared = Cash over the limit was not declared
outcome-reason-false = The declaration was not true
outcome-reason-documents = Documents of origin are missing
outcome-reason-concealed = Cash was hidden
outcome-reason-listed = A party is on a list in force
outcome-reason-suspicion = Signs of crime
outcome-reason-text = In words
outcome-seal = Seal number of the bag
outcome-need-decision = Choose what happens
outcome-need-amount = Enter what is taken
outcome-need-reason = Choose a reason, or say it in words
outcome-need-release-reason = A grave warning stands. Say why the traveller is released
outcome-need-law = Enter the article this rests on
outcome-need-seal = Enter the seal number

health-good = All is well.
health-refusal = Nothing can be recorded. { $cause }
health-damage = Stored records are damaged: { $what }
health-contradicted = The server knows other records of this station than this disk. Call the administrator.
health-full = The disk is nearly full. { $cause }
health-low = The disk is filling up: { $free } free.
health-clock-holdover = The clock has no time source and runs free.
health-clock-unset = The clock was never set. Times in the records are wrong.
health-bus = The station’s own bus is gone: devices cannot be heard.
health-device = { $device }: { $state }
health-records = Records
health-last-record = Epoch / last record
health-hash = Its hash
health-free = Free on the disk
health-clock = Clock
health-devices = Devices
health-no-devices = No device has been heard.
health-last-reading = last read { $at }
health-applied = Rules and lists
health-policy = Rules
health-list = List { $name }
health-short-good = All well
health-short-waiting = { $count } on the way
health-short-offline = Offline, { $count } waiting
sync-all = Recorded here, and all of it is with the server.
sync-sending = { $count ->
    [one] Recorded here; 1 record is on its way to the server.
   *[other] Recorded here; { $count } records are on their way to the server.
}
sync-offline-all = No connection to the server. All records so far are with it.
sync-offline = { $count ->
    [one] No connection to the server. Recorded here; 1 record not yet with the server.
   *[other] No connection to the server. Recorded here; { $count } records not yet with the server.
}

receipt-traveller = Traveller
receipt-officer = Officer
receipt-record = Record, inspection
receipt-print = Print
do-receipt = Receipt
sign-in-account = Account or badge
sign-in-badge-hint = Type your account, or hold your badge to the reader.
sign-in-pin = PIN
sign-in-wrong = Account or badge and PIN are not right. Check them and try again.
sign-in-no-accounts = No accounts have come from the server yet. Devices go on recording; connect the station.
sign-in-over = The accounts here are of { $day } and are over. The station must reach the server first.
outcome-second = Second person: who releases detained cash is not alone
outcome-second-hint = A senior officer or supervisor who neither asked nor counted here signs with their own PIN.
outcome-second-not = This person may not agree: they asked, counted or decided here, or have no right to release.
