# 所有页面的用语。
product = Tidewaiter
skip-to-content = 跳到正文
main-navigation = 页面
place-station = 检查站
place-desk = 主管
place-headquarters = 总部
demonstration-banner = 演示：数据均为虚构。时钟设为{ $day }。
languages = 语言
change-language = 更换语言
stale-banner = 没有实时连接。所见内容可能已过时。
stale-retry = 重新载入
utc = UTC

month-1 = 1
month-2 = 2
month-3 = 3
month-4 = 4
month-5 = 5
month-6 = 6
month-7 = 7
month-8 = 8
month-9 = 9
month-10 = 10
month-11 = 11
month-12 = 12
date-long = { $year }年{ $month }月{ $day }日

ago-now = 刚刚
ago-minutes = { $count }分钟前
ago-hours = { $count }小时前
ago-days = { $count }天前

error-summary-title = 有问题
optional = 选填
yes = 是
no = 否
none = 无
back = 返回
continue = 继续
save = 保存
change = 更改
remove = 去掉
cancel = 取消
not-found-title = 这里没有
not-found-text = 此地址没有内容，可能输入有误。
failed-title = 没有成功
failed-text = 什么也没有丢失。原因见下；请重试，或叫主管。

finding-why = 原因
finding-seen = 看到的值
finding-value = 值
finding-field = 字段
finding-test = 标准
finding-law = 法律
finding-records = 依据的记录
finding-rule = 规则
finding-recommended = 建议
finding-recommends-note = 系统只建议，由您决定。
finding-list-hits = 名单匹配
finding-list = 名单
finding-entry = 名单条目
finding-programme = 项目
finding-listed-name = 名单上的名字
finding-names-why = 名字为何相符
finding-likeness = 相似度
finding-amount = 金额

timeline-title = 经过
timeline-missing = { $from ->
   *[other] 缺少第 { $from } 至 { $to } 号记录
}
timeline-clock = 时间未确认
timeline-empty = 还没有记录。

tally-title = 现金
tally-count = 第 { $number } 次清点
tally-by = { $officer } 清点
tally-blind = 未看前次结果
tally-denomination = 纸币或硬币
tally-pieces = 张数
tally-sum = 金额
tally-total = 合计
tally-suspect = { $count ->
   *[other] { $count } 张可疑，另放
}
tally-differ = 几次清点不一致。请重新清点。
tally-declared = 申报
tally-counted = 清点
tally-difference = 差额
tally-not-declared = 未申报
tally-not-counted = 未清点
tally-currency = 币种
tally-compare-title = 申报与清点对照
tally-none = 没有申报，也没有清点。
count-uncertain = 不确定：可能有遗漏，请重新清点
