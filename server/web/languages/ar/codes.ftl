# كلمات لرموز السجلات والإنذارات.
severity-info = للعلم
severity-low = منخفضة
severity-medium = متوسطة
severity-high = عالية
severity-critical = حرجة

alert-undeclared_cash = نقد غير مصرح به
alert-false_declaration = المعدود أكثر من المصرح به
alert-over_declaration = المصرح به أكثر من المعدود
alert-incomplete_declaration = التصريح ناقص
alert-recount_required = أعد العد
alert-route_high_risk = مسار عالي المخاطر
alert-port_high_risk = ميناء أو سفينة عالية المخاطر
alert-inspect_mandatory = التفتيش واجب قانونا
alert-list_match = في قائمة
alert-list_match_possible = ربما في قائمة
alert-shared_address = عنوان مشترك
alert-name_family = اسم شبكة معروفة
alert-structuring_temporal = مبالغ متكررة دون الحد
alert-structuring_group = مبلغ واحد موزع على عدة أشخاص
alert-group_threshold = المجموعة معا فوق الحد
alert-repeat_courier = ناقل متكرر
alert-declaration_reused = تصريح استُعمل مرتين
alert-exit_exceeds_entry = يخرج أكثر مما دخل
alert-origin_documents_missing = وثائق المصدر ناقصة
alert-export_prohibited = التصدير ممنوع
alert-instrument_undeclared = سند لحامله غير مصرح به
alert-gold_undeclared = ذهب غير مصرح به
alert-diplomat_vigilance = دبلوماسي: يقظة مشددة
alert-crew_cash = نقد يحمله الطاقم
alert-worker_wages = علامات أجور عمال مجمعة
alert-destination_inconsistent = الوجهة لا تتفق
alert-sub_threshold_suspicion = شبهة دون الحد
alert-disclosure_required = الإفصاح مطلوب
alert-disclosure_overdue = الإفصاح متأخر
alert-device_discrepancy = الأجهزة تتناقض
alert-exemption_recorded = قُدم إعفاء
alert-coverage_gap = تفتيشات قليلة جدا لرحلة
alert-release_conflict = شخص واحد عدّ وأفرج
alert-collusion_pattern = موظف واحد، مسار واحد
alert-retro_match = قائمة جديدة تصيب سجلا قديما
alert-stale_lists = القوائم قديمة جدا
alert-ledger_fork = سجلان برقم واحد
alert-ledger_gap = سجلات ناقصة
alert-ledger_rollback = رجع السجل إلى الوراء
alert-ledger_broken = السجل لا يتحقق
alert-device_fault = عطل جهاز
alert-clock_fault = عطل الساعة
alert-station_silent = المحطة صامتة
alert-rate_missing = لا سعر صرف: اجمع يدويا

outcome-inspect_mandatory = فتش الشخص والأمتعة: القانون يوجب ذلك
outcome-vigilance = يقظة مشددة؛ لا أمر بفتح حقيبة
outcome-detain_duty_unmet = انظر في الاحتجاز المؤقت: لم يُوف بواجب التصريح
outcome-freeze = جمّد: الطرف في قائمة نافذة هنا
outcome-deny_port = انظر في رفض دخول الميناء
outcome-report_1718 = أبلغ لجنة 1718
outcome-refer_fiu = أحل إلى وحدة الاستخبارات المالية
outcome-supervisor_protocol = استدع المشرف؛ اتبع إجراء الأشخاص المحميين

state-new = جديد
state-claimed = مأخوذ
state-waiting = في الانتظار
state-escalated = مرفوع
state-closed = مغلق

record-inspection_opened = فُتح التفتيش
record-document_read = قُرئت الوثيقة
record-boarding_pass_read = قُرئت بطاقة الصعود
record-movement_seen = شوهدت الحركة
record-scan_result = نتيجة المسح
record-cash_counted = عُدّ النقد
record-weight_measured = وُزن
record-declaration_made = صُرح
record-officer_observed = لاحظ الموظف
record-exemption_presented = قُدم إعفاء
record-outcome_recorded = القرار
record-custody_moved = انتقل الكيس المختوم
record-inspection_linked = رُبط بتفتيش آخر
record-amendment = تصحيح
record-device_state = حالة جهاز
record-officer_session = نوبة موظف
record-clock_stepped = صُححت الساعة
record-policy_applied = طُبقت القواعد والقوائم
record-note_added = ملاحظة

source-device = جهاز
source-officer = موظف
source-agent = برنامج

direction-entry = داخل
direction-exit = مغادر
direction-transit = عابر

role-passenger = راكب
role-crew = طاقم
role-master = ربان
role-consignment = شحنة

mode-air = جو
mode-sea = بحر
mode-rail = سكة حديد
mode-road = طريق
mode-post = بريد أو شحن

document-passport = جواز سفر
document-diplomatic_passport = جواز دبلوماسي
document-service_passport = جواز خدمة
document-id_card = بطاقة هوية
document-seaman_book = دفتر بحار
document-visa = تأشيرة
document-other = وثيقة أخرى

check-number = الرقم
check-document_number = الرقم
check-date_of_birth = تاريخ الميلاد
check-birth = تاريخ الميلاد
check-expires_on = تاريخ الانتهاء
check-expiry = تاريخ الانتهاء
check-personal_number = الرقم الشخصي
check-optional = الرقم الشخصي
check-composite = السطر كله
check-overall = السطر كله

modality-xray = أشعة سينية
modality-ct = مسح مقطعي
modality-trace = كاشف آثار
modality-dog = كلب
modality-search = تفتيش باليد
decision-scan-alarm = انظر
decision-scan-clear = لم يُر شيء
decision-scan-undecided = بلا قرار، غير مجاز
decision-scan-test = صورة اختبار
scan-currency_like = يشبه أوراق نقد
scan-dense_organic = مادة عضوية كثيفة
scan-precious_metal = يشبه معدنا ثمينا

form-eu = تصريح الاتحاد الأوروبي (2021/776)
form-fincen105 = نموذج FinCEN 105
form-eaeu = تصريح نقد الاتحاد الأوراسي
form-generic = تصريح عام

cash-currency = أوراق وقطع نقد
cash-bearer_instrument = سند لحامله
cash-gold = ذهب
cash-prepaid_card = بطاقة مسبقة الدفع
instrument-cheque = شيك
instrument-travellers_cheque = شيك سياحي
instrument-promissory_note = سند إذني
instrument-money_order = حوالة
payee-bearer = لحامله
payee-omitted = المستفيد متروك
payee-fictitious = مستفيد وهمي
payee-named = مستفيد مسمى
gold-coin = قطع
gold-bar = سبائك
gold-nugget = كتل

provenance-labour = عمل أو معاش أو عمل حر
provenance-capital = أرباح أو فوائد أو تأمين
provenance-sale_immovable = بيع أرض أو بناء
provenance-sale_movable = بيع بضائع
provenance-loan_person = قرض من شخص
provenance-loan_organisation = قرض من مصرف أو شركة
provenance-gambling = يانصيب أو قمار
provenance-inheritance = إرث
provenance-gift = هدية
provenance-business = دخل تجارة
provenance-other = غير ذلك

use-personal = إنفاق شخصي
use-wages = أجور
use-charity = عمل خيري
use-immovable = شراء أرض أو بناء
use-movable = شراء أشياء ثمينة
use-loan_repayment = سداد قرض
use-gambling = يانصيب أو قمار
use-ship_cash = نقد لسفينة أو مركبة
use-professional = نشاط مهني
use-goods_services = دفع ثمن بضائع أو خدمات
use-other = غير ذلك

indication-refused_scan = رفض المسح
indication-concealment = كان النقد مخفيا
indication-contradictory = يناقض نفسه
indication-nervous = متوتر
indication-no_knowledge = لا يعرف المبلغ أو الغرض
indication-third_party = يحمله لغيره
indication-unusual_packaging = تغليف غير معتاد
indication-other = غير ذلك

exemption-un1718 = إعفاء لجنة 1718
exemption-diplomatic_bag = حقيبة دبلوماسية
exemption-cash_in_transit = شركة نقل أموال

decision-released = أُفرج عنه
decision-detained = احتُجز النقد
decision-seized = صودر النقد
decision-refused = رُفض العبور
decision-referred = أُحيل

device-state-online = يعمل
device-state-offline = غير متصل
device-state-fault = عطل
clock-synced = صحيحة
clock-holdover = تسير وحدها
clock-unset = لم تُضبط قط
