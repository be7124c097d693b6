# صفحة الموظف في المحطة.
station-now = الآن
station-inspections = التفتيشات
station-page = المحطة
station-needs-officer = أدخل رقمك الوظيفي: حروف لاتينية وأرقام و«-» و«_» و«.»
station-you-are = أنت { $officer }
station-somebody-else = شخص آخر
officer-title = من هنا
officer-hint = رقمك يبقى في كل ما تسجله. يُحفظ في هذا المتصفح.
record = سجّل
recorded-as = سُجل على قرص هذه المحطة برقم { $seq }.
to-do = ما العمل

now-waiting = المسافر التالي
now-waiting-text = ضع الجواز على القارئ أو امسح بطاقة الصعود. تملأ الصفحة نفسها.
place-unknown = غير معروف بعد
traveller-unknown = لم يُقرأ أحد بعد
latest-title = الأخيرة
latest-none = لا تفتيش بعد.
row-open = هنا الآن
row-undecided = بلا قرار
decided = القرار:
timeline-count = { $count ->
    [one] سجل واحد ({ $count })
    [two] سجلان ({ $count })
    [few] { $count } سجلات
   *[other] { $count } سجلا
}
loose-title = قراءات بلا مسافر
loose-text = قرأها جهاز ولم يكن أحد قيد التفتيش. وهي مسجلة.

do-declare = التصريح
do-count = العد
do-count-again = أعد العد
do-document = الوثيقة يدويا
do-correct = صحح
do-observe = لاحظ شيئا
do-decide = قرر
do-release = أفرج
do-next = المسافر التالي
do-open = افتح يدويا

next-sure-title = لم يُقرر شيء بشأن هذا المسافر
next-sure-text = يوجد تحذير خطير. قرر أولا، أو تابع دون قرار: يبقى التفتيش بلا قرار ويراه المشرف.
next-sure-yes = تابع دون قرار

read-born = تاريخ الميلاد
read-nationality = الجنسية
read-sex = الجنس
read-expires = ينتهي
read-corrected = مصحح
read-checks-bad = أرقام التحقق لا تتفق:
read-checks-good = أرقام التحقق متفقة. هذا لا يجعل الوثيقة أصلية.
read-pass = بطاقة الصعود
read-name-differs = الاسم في بطاقة الصعود ليس الاسم في الوثيقة.
read-seat = المقعد { $seat }
scan-where = حيث رآه الماسح، داخل إطار الصورة
scan-image = الصورة

document-title = الوثيقة يدويا
document-correct = صحح الوثيقة
document-correct-hint = تبقى القراءة كما هي. تُحفظ القيمتان.
document-kind = الوثيقة
document-state = دولة الإصدار
document-number = الرقم
document-reason = سبب التصحيح
document-same = لم يتغير شيء
document-need-kind = اختر الوثيقة
document-need-number = أدخل رقم الوثيقة
document-need-reason = اذكر سبب التصحيح
document-bad-state = أدخل الدولة بثلاثة حروف على الأكثر

open-title = افتح يدويا
open-hint = لمسافر بلا وثيقة مقروءة، أو طاقم سفينة، أو شحنة.
open-direction = الاتجاه
open-role = من
open-mode = الوسيلة
open-from = من
open-to = إلى
open-place-hint = رمز IATA أو UN/LOCODE
open-carrier = الناقل
open-number = رقم الرحلة أو القطار
open-tail = تسجيل الطائرة
open-vessel = السفينة
open-imo = رقم IMO
open-flag = العلم
open-channel = الممر
open-record = افتح
channel-red = أحمر
channel-green = أخضر
open-need-mode = اختر الوسيلة
open-need-direction = اختر الاتجاه
open-need-role = اختر من هو
open-need-from = أدخل مكان القدوم
open-need-to = أدخل الوجهة
open-need-vessel = أدخل اسم السفينة
open-bad-imo = أدخل رقم IMO من سبعة أرقام آخرها صحيح
country-hint = حرفان
date-hint = 1975-03-31 أو 31.03.1975
bad-country = أدخل البلد بحرفين
bad-date = أدخل اليوم هكذا 1975-03-31 أو 31.03.1975
bad-currency = أدخل العملة بثلاثة حروف
bad-amount = أدخل مبلغا
bad-grams = أدخل الوزن بالغرام
bad-fineness = أدخل العيار كنسبة مثل 0.9999
bad-pieces = أدخل عددا صحيحا

money-row = السطر { $number }
money-add-currency = أضف نقدا
money-add-instrument = أضف شيكا أو سندا آخر
money-add-gold = أضف ذهبا
money-instrument = السند
money-payee = المستفيد
money-gold-form = الشكل
money-grams = الوزن بالغرام
money-fineness = العيار

declare-step = التصريح، صفحة { $number } من { $of }
declare-cash = ماذا تحمل؟
declare-cash-hint = كل النقد بكل عملة، والشيكات وغيرها من السندات لحاملها، والذهب.
declare-owner = لمن هو؟
declare-recipient = إلى من يذهب؟
declare-origin = من أين جاء؟
declare-origin-note = بالكلمات
declare-use = فيم يُستعمل؟
declare-check = راجع الإجابات
declare-cash-short = النقد
declare-owner-short = المالك
declare-recipient-short = المستلم
declare-origin-short = المصدر
declare-use-short = الاستعمال
declare-several = اختر كل ما هو صحيح.
declare-document-kind = وثيقة تثبت ذلك
declare-document-reference = رقمها
declare-form = النموذج
declare-reference = رقم النموذج الورقي
declare-reference-hint = اتركه فارغا لتعطيه المحطة رقما.
declare-record = سجّل التصريح
declare-leave = غادر واحفظ ما أُدخل
declare-need-cash = أدخل ما يُحمل
declare-need-owner = اختر لمن هو
declare-need-recipient = اختر إلى من يذهب
declare-need-surname = أدخل اسم العائلة
declare-need-name = أدخل اسم المنظمة
declare-need-provenance = اختر من أين جاء
declare-need-provenance-note = اذكر بالكلمات من أين جاء
declare-need-use = اختر فيم يُستعمل
declare-need-form = اختر النموذج

party-self = المسافر نفسه
party-person = شخص آخر
party-organisation = منظمة
party-surname = اسم العائلة
party-given = الأسماء
party-country = بلد الإقامة
party-address = العنوان
party-phone = الهاتف
party-name = اسم المنظمة
party-registered = بلد التسجيل
party-number = رقم التسجيل
party-email = البريد الإلكتروني

count-title = العد { $number }
count-blind = عدّ ما على الطاولة. الحقل الفارغ يعني لا ورقة من هذه الفئة.
count-blind-again = أعد العد دون رؤية النتيجة السابقة. الأفضل أن يعدّ موظف آخر.
count-other = ورقة أو قطعة أخرى
count-suspect = قطع مشبوهة وُضعت جانبا
count-uncertain-tick = لست متأكدا من هذا العد
count-record = سجّل العد
count-need-pieces = أدخل العدد

observe-title = لاحظ شيئا
observe-what = ماذا لاحظت؟
observe-words = بالكلمات
observe-need-one = اختر ما لاحظت أو اذكره بالكلمات

outcome-title = قرر
outcome-decision = ماذا يحدث؟
outcome-decision-released = أفرج
outcome-decision-detained = احتجز النقد
outcome-decision-seized = صادر النقد
outcome-decision-referred = أحل إلى جهة أخرى
outcome-decision-refused = ارفض العبور
outcome-amount = ما يؤخذ
outcome-reason = السبب
outcome-reason-undeclared = لم يُصرح بنقد فوق الحد
outcome-reason-false = التصريح غير صحيح
outcome-reason-documents = وثائق المصدر ناقصة
outcome-reason-concealed = كان النقد مخفيا
outcome-reason-listed = الطرف في قائمة نافذة
outcome-reason-suspicion = علامات جريمة
outcome-reason-text = بالكلمات
outcome-seal = رقم ختم الكيس
outcome-need-decision = اختر ماذا يحدث
outcome-need-amount = أدخل ما يؤخذ
outcome-need-reason = اختر سببا أو اذكره بالكلمات
outcome-need-release-reason = يوجد تحذير خطير. اذكر لماذا يُفرج عن المسافر
outcome-need-law = أدخل المادة التي يستند إليها
outcome-need-seal = أدخل رقم الختم

health-good = كل شيء بخير.
health-refusal = لا يمكن تسجيل شيء. { $cause }
health-damage = سجلات محفوظة تالفة: { $what }
health-contradicted = يعرف الخادم سجلات لهذه المحطة غير التي على هذا القرص. استدع المسؤول.
health-full = القرص ممتلئ تقريبا. { $cause }
health-low = القرص يمتلئ: بقي { $free }.
health-clock-holdover = ليس للساعة مصدر وقت وهي تسير وحدها.
health-clock-unset = لم تُضبط الساعة قط. الأوقات في السجلات خاطئة.
health-bus = ناقل المحطة مفقود: لا تُسمع الأجهزة.
health-device = { $device }: { $state }
health-records = السجلات
health-last-record = العمر / آخر سجل
health-hash = بصمته
health-free = الفارغ على القرص
health-clock = الساعة
health-devices = الأجهزة
health-no-devices = لم يُسمع جهاز.
health-last-reading = آخر قراءة { $at }
health-applied = القواعد والقوائم
health-policy = القواعد
health-list = القائمة { $name }
health-short-good = كل شيء بخير
health-short-waiting = { $count } في الطريق
health-short-offline = لا اتصال، { $count } تنتظر
sync-all = سُجل هنا، وكله عند الخادم.
sync-sending = { $count ->
    [one] سُجل هنا؛ سجل في طريقه إلى الخادم ({ $count }).
    [two] سُجل هنا؛ سجلان في طريقهما إلى الخادم ({ $count }).
    [few] سُجل هنا؛ { $count } سجلات في طريقها إلى الخادم.
   *[other] سُجل هنا؛ { $count } سجلا في طريقها إلى الخادم.
}
sync-offline-all = لا اتصال بالخادم. كل السجلات حتى الآن عنده.
sync-offline = { $count ->
    [one] لا اتصال بالخادم. سُجل هنا؛ سجل ليس عند الخادم بعد ({ $count }).
    [two] لا اتصال بالخادم. سُجل هنا؛ سجلان ليسا عند الخادم بعد ({ $count }).
    [few] لا اتصال بالخادم. سُجل هنا؛ { $count } سجلات ليست عند الخادم بعد.
   *[other] لا اتصال بالخادم. سُجل هنا؛ { $count } سجلا ليست عند الخادم بعد.
}

receipt-traveller = المسافر
receipt-officer = الموظف
receipt-record = السجل، التفتيش
receipt-print = اطبع
do-receipt = إيصال
sign-in-account = الحساب أو البطاقة
sign-in-badge-hint = اكتب حسابك أو قرّب بطاقتك من القارئ.
sign-in-pin = الرمز السري
sign-in-wrong = الحساب أو البطاقة والرمز غير صحيحة. تحقق وحاول ثانية.
sign-in-no-accounts = لم تصل حسابات من الخادم بعد. الأجهزة تواصل التسجيل؛ صِل المحطة.
sign-in-over = الحسابات هنا بتاريخ { $day } وقد انتهت. يجب أن تتصل المحطة بالخادم أولًا.
outcome-second = شخص ثانٍ: لا يُفرج عن النقد المحتجز شخصٌ وحده
outcome-second-hint = ضابط أقدم أو مشرف لم يطلب ولم يعد هنا يؤكد برمزه.
outcome-second-not = لا يجوز لهذا الشخص الموافقة: طلب أو عدّ أو قرر هنا، أو لا حق له.
