# 记录与警报代码的用语。
severity-info = 供参考
severity-low = 低
severity-medium = 中
severity-high = 高
severity-critical = 严重

alert-undeclared_cash = 未申报的现金
alert-false_declaration = 清点多于申报
alert-over_declaration = 申报多于清点
alert-incomplete_declaration = 申报不完整
alert-recount_required = 需重新清点
alert-route_high_risk = 高风险路线
alert-port_high_risk = 高风险港口或船舶
alert-inspect_mandatory = 法律要求检查
alert-list_match = 在名单上
alert-list_match_possible = 可能在名单上
alert-shared_address = 相同地址
alert-name_family = 已知网络的名字
alert-structuring_temporal = 多次略低于限额
alert-structuring_group = 一笔钱分给多人
alert-group_threshold = 同行者合计超过限额
alert-repeat_courier = 惯常携带人
alert-declaration_reused = 同一申报用了两次
alert-exit_exceeds_entry = 带出多于带入
alert-origin_documents_missing = 缺少来源证明
alert-export_prohibited = 禁止带出
alert-instrument_undeclared = 未申报的无记名票据
alert-gold_undeclared = 未申报的黄金
alert-diplomat_vigilance = 外交人员：加强警惕
alert-crew_cash = 船员机组携带现金
alert-worker_wages = 工人工资集中的迹象
alert-destination_inconsistent = 目的地不符
alert-sub_threshold_suspicion = 限额以下的嫌疑
alert-disclosure_required = 需要披露
alert-disclosure_overdue = 披露逾期
alert-device_discrepancy = 设备互相矛盾
alert-exemption_recorded = 出示豁免
alert-coverage_gap = 班次检查过少
alert-release_conflict = 清点与放行为同一人
alert-collusion_pattern = 同一官员，同一路线
alert-retro_match = 新名单命中旧记录
alert-stale_lists = 名单过旧
alert-ledger_fork = 一号两记录
alert-ledger_gap = 缺少记录
alert-ledger_rollback = 账本倒退
alert-ledger_broken = 账本验证不通过
alert-device_fault = 设备故障
alert-clock_fault = 时钟故障
alert-station_silent = 检查站无声
alert-rate_missing = 没有汇率：请人工合计

outcome-inspect_mandatory = 检查本人及行李：法律要求
outcome-vigilance = 加强警惕；并非开包指令
outcome-detain_duty_unmet = 考虑暂扣：未履行申报义务
outcome-freeze = 冻结：当事方在此地有效的名单上
outcome-deny_port = 考虑拒绝入港
outcome-report_1718 = 报告 1718 委员会
outcome-refer_fiu = 移交金融情报机构
outcome-supervisor_protocol = 叫主管；按受保护人员程序办理

state-new = 新
state-claimed = 已接手
state-waiting = 等待
state-escalated = 已上报
state-closed = 已结案

record-inspection_opened = 开始检查
record-document_read = 读取证件
record-boarding_pass_read = 读取登机牌
record-movement_seen = 看到行程
record-scan_result = 扫描结果
record-cash_counted = 清点现金
record-weight_measured = 称重
record-declaration_made = 作出申报
record-officer_observed = 官员注意到
record-exemption_presented = 出示豁免
record-outcome_recorded = 决定
record-custody_moved = 封袋移交
record-inspection_linked = 关联另一检查
record-amendment = 更正
record-device_state = 设备状态
record-officer_session = 官员值班
record-clock_stepped = 时钟校正
record-policy_applied = 采用规则与名单
record-note_added = 备注

source-device = 设备
source-officer = 官员
source-agent = 程序

direction-entry = 入境
direction-exit = 出境
direction-transit = 过境

role-passenger = 旅客
role-crew = 船员机组
role-master = 船长机长
role-consignment = 货物

mode-air = 航空
mode-sea = 海运
mode-rail = 铁路
mode-road = 公路
mode-post = 邮寄或货运

document-passport = 护照
document-diplomatic_passport = 外交护照
document-service_passport = 公务护照
document-id_card = 身份证
document-seaman_book = 海员证
document-visa = 签证
document-other = 其他证件

check-number = 号码
check-document_number = 号码
check-date_of_birth = 出生日期
check-birth = 出生日期
check-expires_on = 有效期
check-expiry = 有效期
check-personal_number = 个人号码
check-optional = 个人号码
check-composite = 整行
check-overall = 整行

modality-xray = X 光
modality-ct = CT 扫描
modality-trace = 痕量探测
modality-dog = 警犬
modality-search = 人工搜查
decision-scan-alarm = 请查看
decision-scan-clear = 未见异常
decision-scan-undecided = 未判定，未放行
decision-scan-test = 测试图像
scan-currency_like = 像钞票
scan-dense_organic = 致密有机物
scan-precious_metal = 像贵金属

form-eu = 欧盟申报表 (2021/776)
form-fincen105 = FinCEN 105 表
form-eaeu = 欧亚经济联盟现金申报单
form-generic = 一般申报

cash-currency = 纸币和硬币
cash-bearer_instrument = 无记名票据
cash-gold = 黄金
cash-prepaid_card = 预付卡
instrument-cheque = 支票
instrument-travellers_cheque = 旅行支票
instrument-promissory_note = 本票
instrument-money_order = 汇票
payee-bearer = 付持票人
payee-omitted = 未写收款人
payee-fictitious = 虚构收款人
payee-named = 指明收款人
gold-coin = 金币
gold-bar = 金条
gold-nugget = 金块

provenance-labour = 工作、养老金、自营
provenance-capital = 股息、利息、保险
provenance-sale_immovable = 出售土地或房屋
provenance-sale_movable = 出售物品
provenance-loan_person = 向个人借款
provenance-loan_organisation = 向银行或公司借款
provenance-gambling = 彩票或博彩
provenance-inheritance = 继承
provenance-gift = 赠与
provenance-business = 经营收入
provenance-other = 其他

use-personal = 个人花费
use-wages = 工资
use-charity = 慈善
use-immovable = 购买土地或房屋
use-movable = 购买贵重物品
use-loan_repayment = 偿还借款
use-gambling = 彩票或博彩
use-ship_cash = 船舶或车辆用款
use-professional = 职业活动
use-goods_services = 支付货物或服务
use-other = 其他

indication-refused_scan = 拒绝扫描
indication-concealment = 藏匿现金
indication-contradictory = 自相矛盾
indication-nervous = 紧张
indication-no_knowledge = 不知金额或用途
indication-third_party = 代他人携带
indication-unusual_packaging = 包装异常
indication-other = 其他

exemption-un1718 = 1718 委员会豁免
exemption-diplomatic_bag = 外交邮袋
exemption-cash_in_transit = 押运公司

decision-released = 放行
decision-detained = 暂扣现金
decision-seized = 没收现金
decision-refused = 拒绝通行
decision-referred = 移交

device-state-online = 正常
device-state-offline = 未连接
device-state-fault = 故障
clock-synced = 准确
clock-holdover = 自行走时
clock-unset = 从未设定
