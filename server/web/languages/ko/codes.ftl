# 기록과 경보의 코드에 쓰는 말.
severity-info = 참고
severity-low = 낮음
severity-medium = 중간
severity-high = 높음
severity-critical = 매우 높음

alert-undeclared_cash = 신고하지 않은 현금
alert-false_declaration = 신고보다 많이 셈
alert-over_declaration = 센 것보다 많이 신고함
alert-incomplete_declaration = 신고가 불완전함
alert-recount_required = 다시 세야 함
alert-route_high_risk = 고위험 노선
alert-port_high_risk = 고위험 항구 또는 선박
alert-inspect_mandatory = 법에 따라 반드시 검사
alert-list_match = 명단에 있음
alert-list_match_possible = 명단에 있을 수 있음
alert-shared_address = 같은 주소
alert-name_family = 알려진 조직의 이름
alert-structuring_temporal = 한도 아래 금액 반복
alert-structuring_group = 한 금액을 여럿이 나눔
alert-group_threshold = 일행 합계가 한도 초과
alert-repeat_courier = 반복 운반자
alert-declaration_reused = 신고서를 두 번 씀
alert-exit_exceeds_entry = 들여온 것보다 많이 나감
alert-origin_documents_missing = 출처 서류 없음
alert-export_prohibited = 반출 금지
alert-instrument_undeclared = 신고하지 않은 무기명 증권
alert-gold_undeclared = 신고하지 않은 금
alert-diplomat_vigilance = 외교관: 경계 강화
alert-crew_cash = 승무원이 가진 현금
alert-worker_wages = 노동자 임금을 모은 흔적
alert-destination_inconsistent = 목적지가 맞지 않음
alert-sub_threshold_suspicion = 한도 아래의 의심
alert-disclosure_required = 내역 공개 필요
alert-disclosure_overdue = 내역 공개 기한 지남
alert-device_discrepancy = 장치끼리 어긋남
alert-exemption_recorded = 면제 제시
alert-coverage_gap = 편의 검사가 너무 적음
alert-release_conflict = 한 사람이 세고 풀어 줌
alert-collusion_pattern = 한 직원, 한 노선
alert-retro_match = 새 명단이 옛 기록과 일치
alert-stale_lists = 명단이 너무 오래됨
alert-ledger_fork = 한 번호에 기록 둘
alert-ledger_gap = 기록이 없음
alert-ledger_rollback = 장부가 뒤로 감
alert-ledger_broken = 장부가 검증되지 않음
alert-device_fault = 장치 고장
alert-clock_fault = 시계 고장
alert-station_silent = 검사대 연락 없음
alert-rate_missing = 환율 없음: 손으로 합산

outcome-inspect_mandatory = 사람과 짐을 검사하십시오: 법의 요구입니다
outcome-vigilance = 경계 강화; 가방을 열라는 지시는 아님
outcome-detain_duty_unmet = 임시 유치를 검토: 신고 의무를 지키지 않음
outcome-freeze = 동결: 여기서 효력 있는 명단에 있음
outcome-deny_port = 입항 거부 검토
outcome-report_1718 = 1718 위원회에 보고
outcome-refer_fiu = 금융정보분석기구에 넘김
outcome-supervisor_protocol = 감독자를 부르고 보호 대상자 절차를 따르십시오

state-new = 새것
state-claimed = 맡음
state-waiting = 대기
state-escalated = 올림
state-closed = 닫힘

record-inspection_opened = 검사 시작
record-document_read = 신분증 읽음
record-boarding_pass_read = 탑승권 읽음
record-movement_seen = 이동 확인
record-scan_result = 투시 결과
record-cash_counted = 현금 계수
record-weight_measured = 무게 잼
record-declaration_made = 신고함
record-officer_observed = 직원이 알아챔
record-exemption_presented = 면제 제시
record-outcome_recorded = 결정
record-custody_moved = 봉인 봉투 이동
record-inspection_linked = 다른 검사와 연결
record-amendment = 정정
record-device_state = 장치 상태
record-officer_session = 직원 근무
record-clock_stepped = 시계 고침
record-policy_applied = 규칙과 명단 적용
record-note_added = 메모

source-device = 장치
source-officer = 직원
source-agent = 프로그램

direction-entry = 들어옴
direction-exit = 나감
direction-transit = 지나감

role-passenger = 승객
role-crew = 승무원
role-master = 선장
role-consignment = 화물

mode-air = 항공
mode-sea = 바다
mode-rail = 철도
mode-road = 도로
mode-post = 우편 또는 화물

document-passport = 여권
document-diplomatic_passport = 외교관 여권
document-service_passport = 관용 여권
document-id_card = 신분증
document-seaman_book = 선원 수첩
document-visa = 사증
document-other = 다른 서류

check-number = 번호
check-document_number = 번호
check-date_of_birth = 생년월일
check-birth = 생년월일
check-expires_on = 만료일
check-expiry = 만료일
check-personal_number = 개인 번호
check-optional = 개인 번호
check-composite = 줄 전체
check-overall = 줄 전체

modality-xray = 엑스선
modality-ct = 단층 촬영
modality-trace = 흔적 탐지기
modality-dog = 탐지견
modality-search = 손으로 수색
decision-scan-alarm = 살펴보기
decision-scan-clear = 보이는 것 없음
decision-scan-undecided = 판정 없음, 통과 아님
decision-scan-test = 시험 영상
scan-currency_like = 지폐 비슷함
scan-dense_organic = 빽빽한 유기물
scan-precious_metal = 귀금속 비슷함

form-eu = EU 신고서 (2021/776)
form-fincen105 = FinCEN 서식 105
form-eaeu = EAEU 현금 신고서
form-generic = 일반 신고서

cash-currency = 지폐와 동전
cash-bearer_instrument = 무기명 증권
cash-gold = 금
cash-prepaid_card = 선불 카드
instrument-cheque = 수표
instrument-travellers_cheque = 여행자 수표
instrument-promissory_note = 약속 어음
instrument-money_order = 우편환
payee-bearer = 소지인에게
payee-omitted = 받는 사람 빠짐
payee-fictitious = 꾸며낸 받는 사람
payee-named = 지명된 받는 사람
gold-coin = 동전
gold-bar = 괴
gold-nugget = 덩어리

provenance-labour = 노동, 연금, 자기 사업
provenance-capital = 배당, 이자, 보험
provenance-sale_immovable = 땅이나 건물을 팖
provenance-sale_movable = 물건을 팖
provenance-loan_person = 사람에게 빌림
provenance-loan_organisation = 은행이나 회사에서 빌림
provenance-gambling = 복권이나 도박
provenance-inheritance = 상속
provenance-gift = 선물
provenance-business = 사업 소득
provenance-other = 기타

use-personal = 개인 지출
use-wages = 임금
use-charity = 자선
use-immovable = 땅이나 건물을 삼
use-movable = 값진 물건을 삼
use-loan_repayment = 빚을 갚음
use-gambling = 복권이나 도박
use-ship_cash = 선박이나 차량의 현금
use-professional = 직업 활동
use-goods_services = 물품이나 용역 값
use-other = 기타

indication-refused_scan = 투시를 거부함
indication-concealment = 현금을 숨김
indication-contradictory = 말이 엇갈림
indication-nervous = 불안해함
indication-no_knowledge = 금액이나 용도를 모름
indication-third_party = 다른 사람을 위해 나름
indication-unusual_packaging = 이상한 포장
indication-other = 기타

exemption-un1718 = 1718 위원회 면제
exemption-diplomatic_bag = 외교 행낭
exemption-cash_in_transit = 현금 수송 회사

decision-released = 풀어 줌
decision-detained = 현금 유치
decision-seized = 현금 압수
decision-refused = 통과 거부
decision-referred = 넘김

device-state-online = 작동함
device-state-offline = 연결 안 됨
device-state-fault = 고장
clock-synced = 맞음
clock-holdover = 저절로 감
clock-unset = 맞춘 적 없음
