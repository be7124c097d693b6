# ما تقوله كل الصفحات.
product = Tidewaiter
skip-to-content = انتقل إلى المحتوى
main-navigation = الصفحات
place-station = المحطة
place-desk = المشرف
place-headquarters = المقر
demonstration-banner = عرض تجريبي: بيانات مختلقة. الساعة مضبوطة على { $day }.
languages = اللغة
change-language = تغيير اللغة
stale-banner = لا اتصال مباشر. قد يكون ما تراه قديما.
stale-retry = حمّل من جديد
utc = UTC

month-1 = يناير
month-2 = فبراير
month-3 = مارس
month-4 = أبريل
month-5 = مايو
month-6 = يونيو
month-7 = يوليو
month-8 = أغسطس
month-9 = سبتمبر
month-10 = أكتوبر
month-11 = نوفمبر
month-12 = ديسمبر
date-long = { $day } { $month } { $year }

ago-now = الآن
ago-minutes = قبل { $count } د
ago-hours = { $count ->
    [one] قبل ساعة ({ $count })
    [two] قبل ساعتين ({ $count })
    [few] قبل { $count } ساعات
   *[other] قبل { $count } ساعة
}
ago-days = { $count ->
    [one] قبل يوم ({ $count })
    [two] قبل يومين ({ $count })
    [few] قبل { $count } أيام
   *[other] قبل { $count } يوما
}

error-summary-title = توجد مشكلة
optional = اختياري
yes = نعم
no = لا
none = لا شيء
back = رجوع
continue = متابعة
save = حفظ
change = تغيير
remove = إزالة
cancel = إلغاء
not-found-title = ليس هنا
not-found-text = لا يوجد شيء في هذا العنوان. ربما كُتب خطأ.
failed-title = لم ينجح
failed-text = لم يضع شيء. السبب أدناه؛ حاول مرة أخرى أو استدع المشرف.

finding-why = لماذا
finding-seen = القيم المرئية
finding-value = القيمة
finding-field = الحقل
finding-test = الاختبار
finding-law = القانون
finding-records = يستند إلى السجلات
finding-rule = القاعدة
finding-recommended = موصى به
finding-recommends-note = النظام يوصي، وأنت تقرر.
finding-list-hits = مطابقات القوائم
finding-list = القائمة
finding-entry = البند
finding-programme = البرنامج
finding-listed-name = الاسم المدرج
finding-names-why = لماذا يتطابق الاسمان
finding-likeness = التشابه
finding-amount = المبلغ

timeline-title = ما حدث
timeline-missing = { $from ->
   *[other] السجلات من { $from } إلى { $to } ناقصة
}
timeline-clock = الوقت غير مؤكد
timeline-empty = لا سجلات بعد.

tally-title = النقد
tally-count = العد { $number }
tally-by = عدّه { $officer }
tally-blind = دون رؤية النتيجة السابقة
tally-denomination = ورقة أو قطعة
tally-pieces = العدد
tally-sum = المبلغ
tally-total = المجموع
tally-suspect = { $count ->
    [one] قطعة مشبوهة وُضعت جانبا ({ $count })
    [two] قطعتان مشبوهتان وُضعتا جانبا ({ $count })
    [few] { $count } قطع مشبوهة وُضعت جانبا
   *[other] { $count } قطعة مشبوهة وُضعت جانبا
}
tally-differ = العدّان مختلفان. أعد العد.
tally-declared = مصرح به
tally-counted = معدود
tally-difference = الفرق
tally-not-declared = غير مصرح به
tally-not-counted = غير معدود
tally-currency = العملة
tally-compare-title = المصرح به مقابل المعدود
tally-none = لم يُصرح بشيء ولم يُعدّ شيء.
count-uncertain = غير مؤكد: ربما ضاعت أحداث، أعد العد
