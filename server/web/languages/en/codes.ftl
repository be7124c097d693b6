# Words for the codes of records and alerts.
severity-info = For information
severity-low = Low
severity-medium = Medium
severity-high = High
severity-critical = Critical

alert-undeclared_cash = Undeclared cash
alert-false_declaration = More counted than declared
alert-over_declaration = More declared than counted
alert-incomplete_declaration = Declaration incomplete
alert-recount_required = Count again
alert-route_high_risk = High-risk route
alert-port_high_risk = High-risk port or vessel
alert-inspect_mandatory = Inspection required by law
alert-list_match = On a list
alert-list_match_possible = Possibly on a list
alert-shared_address = Shared address
alert-name_family = Name of a known network
alert-structuring_temporal = Repeated sums below the threshold
alert-structuring_group = One sum split among several
alert-group_threshold = Group over the threshold together
alert-repeat_courier = Repeat courier
alert-declaration_reused = Declaration used twice
alert-exit_exceeds_entry = More leaves than entered
alert-origin_documents_missing = Documents of origin missing
alert-export_prohibited = Export prohibited
alert-instrument_undeclared = Undeclared bearer instrument
alert-gold_undeclared = Undeclared gold
alert-diplomat_vigilance = Diplomat: enhanced vigilance
alert-crew_cash = Cash carried by crew
alert-worker_wages = Signs of pooled wages
alert-destination_inconsistent = Destination does not fit
alert-sub_threshold_suspicion = Suspicion below the threshold
alert-disclosure_required = Disclosure required
alert-disclosure_overdue = Disclosure overdue
alert-device_discrepancy = Devices contradict each other
alert-exemption_recorded = Exemption presented
alert-coverage_gap = Too few inspections of a movement
alert-release_conflict = Counted and released by one person
alert-collusion_pattern = One officer, one route
alert-retro_match = A new list hits an old record
alert-stale_lists = Lists too old
alert-ledger_fork = Two records with one number
alert-ledger_gap = Records missing
alert-ledger_rollback = Ledger went back
alert-ledger_broken = Ledger does not verify
alert-device_fault = Device fault
alert-clock_fault = Clock fault
alert-station_silent = Station silent
alert-rate_missing = No exchange rate: total by hand

outcome-inspect_mandatory = Inspect the person and luggage: the law requires it
outcome-vigilance = Enhanced vigilance; no instruction to open a bag
outcome-detain_duty_unmet = Consider temporary detention: the duty to declare is not met
outcome-freeze = Freeze: the party is on a list in force here
outcome-deny_port = Consider refusing entry to the port
outcome-report_1718 = Report to the 1718 Committee
outcome-refer_fiu = Refer to the financial intelligence unit
outcome-supervisor_protocol = Call the supervisor; follow the protocol for protected persons

state-new = New
state-claimed = Claimed
state-waiting = Waiting
state-escalated = Escalated
state-closed = Closed

record-inspection_opened = Inspection opened
record-document_read = Document read
record-boarding_pass_read = Boarding pass read
record-movement_seen = Movement seen
record-scan_result = Scan result
record-cash_counted = Cash counted
record-weight_measured = Weighed
record-declaration_made = Declaration made
record-officer_observed = Officer noticed
record-exemption_presented = Exemption presented
record-outcome_recorded = Outcome
record-custody_moved = Sealed bag moved
record-inspection_linked = Linked to another inspection
record-amendment = Correction
record-device_state = Device state
record-officer_session = Officer session
record-clock_stepped = Clock corrected
record-policy_applied = Rules and lists applied
record-note_added = Note

source-device = device
source-officer = officer
source-agent = agent

direction-entry = Entering
direction-exit = Leaving
direction-transit = In transit

role-passenger = Passenger
role-crew = Crew
role-master = Master
role-consignment = Consignment

mode-air = Air
mode-sea = Sea
mode-rail = Rail
mode-road = Road
mode-post = Post or freight

document-passport = Passport
document-diplomatic_passport = Diplomatic passport
document-service_passport = Service passport
document-id_card = Identity card
document-seaman_book = Seaman’s book
document-visa = Visa
document-other = Other document

check-number = number
check-document_number = number
check-date_of_birth = date of birth
check-birth = date of birth
check-expires_on = expiry
check-expiry = expiry
check-personal_number = personal number
check-optional = personal number
check-composite = whole line
check-overall = whole line

modality-xray = X-ray
modality-ct = CT scan
modality-trace = Trace detector
modality-dog = Dog
modality-search = Search by hand
decision-scan-alarm = look
decision-scan-clear = nothing seen
decision-scan-undecided = no decision, not cleared
decision-scan-test = test image
scan-currency_like = like banknotes
scan-dense_organic = dense organic matter
scan-precious_metal = like precious metal

form-eu = EU declaration (2021/776)
form-fincen105 = FinCEN Form 105
form-eaeu = EAEU cash declaration
form-generic = General declaration

cash-currency = Banknotes and coins
cash-bearer_instrument = Bearer instrument
cash-gold = Gold
cash-prepaid_card = Prepaid card
instrument-cheque = Cheque
instrument-travellers_cheque = Traveller’s cheque
instrument-promissory_note = Promissory note
instrument-money_order = Money order
payee-bearer = To bearer
payee-omitted = Payee left out
payee-fictitious = Fictitious payee
payee-named = Named payee
gold-coin = Coins
gold-bar = Bars
gold-nugget = Nuggets

provenance-labour = Work, pension, own business
provenance-capital = Dividends, interest, insurance
provenance-sale_immovable = Sale of land or a building
provenance-sale_movable = Sale of goods
provenance-loan_person = Loan from a person
provenance-loan_organisation = Loan from a bank or company
provenance-gambling = Lottery or gambling
provenance-inheritance = Inheritance
provenance-gift = Gift
provenance-business = Business income
provenance-other = Other

use-personal = Personal spending
use-wages = Wages
use-charity = Charity
use-immovable = Buying land or a building
use-movable = Buying goods of value
use-loan_repayment = Repaying a loan
use-gambling = Lottery or gambling
use-ship_cash = Cash for a ship or vehicle
use-professional = Professional activity
use-goods_services = Paying for goods or services
use-other = Other

indication-refused_scan = Refused the scan
indication-concealment = Cash was hidden
indication-contradictory = Contradicts himself or herself
indication-nervous = Nervous
indication-no_knowledge = Does not know the sum or its purpose
indication-third_party = Carries it for somebody else
indication-unusual_packaging = Unusual packaging
indication-other = Other

exemption-un1718 = Exemption of the 1718 Committee
exemption-diplomatic_bag = Diplomatic bag
exemption-cash_in_transit = Cash-in-transit company

decision-released = Released
decision-detained = Cash detained
decision-seized = Cash seized
decision-refused = Crossing refused
decision-referred = Referred

device-state-online = working
device-state-offline = not connected
device-state-fault = fault
clock-synced = right
clock-holdover = runs free
clock-unset = never set
