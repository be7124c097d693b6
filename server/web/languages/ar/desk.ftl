# مكتب المشرف.
desk-queue = الإنذارات
desk-inspections = التفتيشات
desk-stations = المحطات
desk-bundles = الحزم
desk-filters = تصفية
desk-filter-text = بحث
desk-filter-severity = الخطورة
desk-filter-state = الحالة
desk-filter-code = النوع
desk-filter-station = المحطة
desk-filter-apply = عرض
desk-filter-clear = عرض كل المفتوح
desk-any = أي
desk-inspection = التفتيش
desk-pick = اختر: { $title }
desk-new-show = جديد: { $count }، اعرض
desk-not-standing = لم يعد قائما
desk-empty = لا إنذارات مفتوحة. تظهر الجديدة هنا تلقائيا.
desk-empty-filtered = لا إنذار يناسب هذه التصفية.
desk-first-page = الصفحة الأولى
desk-next-page = الصفحة التالية
desk-you-are = أنت { $officer }
officer-id = رقمك الوظيفي
desk-needs-officer = أدخل رقمك الوظيفي: حروف لاتينية وأرقام و«-» و«_» و«.»
desk-nothing-picked = اختر إنذارا واحدا على الأقل
desk-unknown-action = هذا الإجراء غير موجود
desk-done = { $count ->
    [one] أُنجز إنذار ({ $count })
    [two] أُنجز إنذاران ({ $count })
    [few] أُنجزت { $count } إنذارات
   *[other] أُنجز { $count } إنذارا
}
desk-changed = سبقك غيرك: تغيّر الإنذار منذ فتحته. انظر سجله ثم قرر من جديد.
desk-needs-reason = اختر سبب الإغلاق
desk-needs-text = اكتب ما تريد قوله
desk-decide = قرر
desk-comment-text = بالكلمات
desk-close-reason = أُغلق لأن
desk-close-hint = التفاصيل في «بالكلمات».
desk-history = السجل
desk-no-history = لم يتصرف أحد بعد.
desk-others = إنذارات أخرى لهذا التفتيش
desk-group = مع
desk-sealed = { $count ->
    [one] سجل لا يُفتح: مُحي أو لم يصل مفتاحه ({ $count })
    [two] سجلان لا يُفتحان: مُحيا أو لم يصل مفتاحهما ({ $count })
    [few] { $count } سجلات لا تُفتح: مُحيت أو لم تصل مفاتيحها
   *[other] { $count } سجلا لا تُفتح: مُحيت أو لم تصل مفاتيحها
}
desk-inspections-search = محطة أو رحلة أو سفينة أو مكان
desk-search = بحث
desk-no-inspections = لا تفتيشات.
desk-column-last = آخر سجل
desk-column-way = الحركة
desk-column-who = من
desk-column-outcome = القرار
desk-column-records = السجلات
desk-no-outcome = مفتوح
desk-no-stations = لا محطة مسجلة.

action-claim = خذه
action-release = أعده
action-wait = إلى الانتظار
action-escalate = ارفعه
action-close = أغلقه
action-comment = تعليق
done-claim = أُخذ
done-release = أُعيد
done-wait = في الانتظار
done-escalate = رُفع
done-close = أُغلق
done-comment = تعليق
done-raised = صدر
done-altered = تغيرت الوقائع
done-escalated = رفعه النظام
done-not_found_again = لم يعد قائما
closing-cleared = تم التحقق: قانوني
closing-declared = صُرح به بعد ذلك
closing-detained = احتُجز النقد
closing-seized = صودر النقد
closing-referred = أُحيل إلى جهة أخرى
closing-false_positive = إنذار خاطئ
closing-duplicate = تكرار لإنذار آخر

keys-title = المفاتيح
keys-move = الإنذار التالي، السابق
keys-open = افتح الإنذار
keys-pick = اختر أو ألغ الاختيار
keys-claim = خذه
keys-escalate = ارفعه
keys-comment = تعليق
keys-search = بحث
keys-help = هذه القائمة
keys-close = إغلاق
keys-turn-off = أوقف المفاتيح
keys-turn-on = شغّل المفاتيح

station-state = الحالة
station-heard = آخر اتصال
station-held = السجلات هنا
station-missing = ناقص
station-backlog = تنتظر هناك
station-clock = الساعة
station-lists = القواعد والقوائم
station-online = متصلة
station-behind = متصلة، سجلات ناقصة
station-offline = غير متصلة
station-never = لم تُسمع قط
station-revoked = ملغاة

bundle-night = حزمة الليل الآن
bundle-explained = مرة كل ليلة تذهب كل السجلات والقرارات الجديدة إلى المقر في حزمة واحدة موقعة. ويجيب المقر بإيصال موقع.
bundle-nothing = لم يصل شيء منذ آخر حزمة، فلم تُصنع حزمة.
bundle-none = لا حزمة بعد.
bundle-name = الحزمة
bundle-entries = البنود
bundle-built-at = صُنعت
bundle-receipted-at = الإيصال
bundle-no-receipt = ليس بعد
bundle-manifest = البيان، SHA-256
bundle-built = تنتظر الإيصال
bundle-accepted = قبلها المقر
bundle-refused = رفضها المقر
desk-network = الروابط
network-hint = ما يشترك فيه الطرف مع المدرجين: الاسم والمكان والهاتف والمالك وعائلة الأسماء.
network-name = الاسم
network-kind = ما هو
network-address = العنوان، والبلد في آخره
network-phone = الهاتف
network-caution = الرابط سبب للسؤال لا نتيجة. يقول ما يشترك فيه طرفان على الورق، لا أن أحدهما فعل شيئًا.
network-nobody = لا شيء يربط هذا الطرف بمدرج.
network-graph = رسم للروابط؛ والجدول أدناه يقول الشيء نفسه بالكلمات.
network-cut = هناك روابط أكثر مما يظهر.
network-links = الروابط وأسسها
network-from = من
network-link = الرابط
network-to = إلى
network-evidence = ما يستند إليه
