# 모든 쪽에서 쓰는 말.
product = Tidewaiter
skip-to-content = 본문으로 건너뛰기
main-navigation = 쪽
place-station = 검사대
place-desk = 감독자
place-headquarters = 본부
demonstration-banner = 시연: 꾸며낸 자료입니다. 시계는 { $day }에 맞추어져 있습니다.
languages = 언어
change-language = 언어 바꾸기
stale-banner = 실시간 연결이 없습니다. 보이는 내용이 오래되었을 수 있습니다.
stale-retry = 다시 불러오기
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
date-long = { $year }년 { $month }월 { $day }일

ago-now = 방금
ago-minutes = { $count }분 전
ago-hours = { $count }시간 전
ago-days = { $count }일 전

error-summary-title = 문제가 있습니다
optional = 선택
yes = 예
no = 아니요
none = 없음
back = 뒤로
continue = 계속
save = 저장
change = 바꾸기
remove = 빼기
cancel = 취소
not-found-title = 여기에 없음
not-found-text = 이 주소에는 아무것도 없습니다. 잘못 입력했을 수 있습니다.
failed-title = 되지 않았습니다
failed-text = 잃은 것은 없습니다. 까닭은 아래에 있습니다. 다시 해 보거나 감독자를 부르십시오.

finding-why = 까닭
finding-seen = 본 값
finding-value = 값
finding-field = 항목
finding-test = 기준
finding-law = 법
finding-records = 근거 기록
finding-rule = 규칙
finding-recommended = 권고
finding-recommends-note = 시스템은 권고하고, 결정은 당신이 합니다.
finding-list-hits = 명단 일치
finding-list = 명단
finding-entry = 명단 항목
finding-programme = 프로그램
finding-listed-name = 명단의 이름
finding-names-why = 이름이 일치하는 까닭
finding-likeness = 유사도
finding-amount = 금액

timeline-title = 경과
timeline-missing = { $from ->
   *[other] 기록 { $from }부터 { $to }까지 없음
}
timeline-clock = 시각 미확인
timeline-empty = 아직 기록이 없습니다.

tally-title = 현금
tally-count = 계수 { $number }
tally-by = { $officer } 계수
tally-blind = 앞 결과를 보지 않음
tally-denomination = 지폐 또는 동전
tally-pieces = 매수
tally-sum = 금액
tally-total = 합계
tally-suspect = { $count ->
   *[other] 의심스러운 { $count }매를 따로 둠
}
tally-differ = 계수가 서로 다릅니다. 다시 세십시오.
tally-declared = 신고
tally-counted = 계수
tally-difference = 차이
tally-not-declared = 신고 안 함
tally-not-counted = 세지 않음
tally-currency = 통화
tally-compare-title = 신고와 계수 비교
tally-none = 신고한 것도 센 것도 없습니다.
count-uncertain = 불확실: 빠진 것이 있을 수 있으니 다시 세십시오
