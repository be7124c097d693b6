//! Listed North Koreans in every script, and ordinary people who must be left alone.
//!
//! Runs on OFAC's whole list where the folder of shared data is there.

#![expect(clippy::unwrap_used, reason = "a file that cannot be read fails the test")]

mod published;

use published::published;
use tidewaiter_risk::screening::{Asked, AskedKind, Index};

/// Asks in each script; gives how many of how many were found, with those that were not.
fn found(index: &Index, kind: AskedKind, table: &str) -> [(usize, usize, Vec<String>); 3] {
    let mut counts = [(0, 0, Vec::new()), (0, 0, Vec::new()), (0, 0, Vec::new())];
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let mut columns = line.split('\t');
        let entry = columns.next().unwrap();
        for (name, (hit, all, missed)) in columns.zip(&mut counts).filter(|(name, _)| *name != "-")
        {
            *all += 1;
            let hits = index.screen(&Asked::named(kind, name));
            if hits.iter().any(|hit| hit.list == "ofac" && hit.entry == entry) {
                *hit += 1;
            } else {
                missed.push(format!("{entry} {name}"));
            }
        }
    }
    counts
}

#[test]
fn listed_koreans_are_found_in_every_script() {
    let Some(index) = published().map(Index::new) else { return };
    let persons = found(&index, AskedKind::Person, include_str!("data/korean-persons.tsv"));
    let firms =
        found(&index, AskedKind::Organisation, include_str!("data/korean-organisations.tsv"));
    // What is asked is 95 of 100 persons and 90 of 100 organisations.
    let floors = [("persons", &persons, [95, 95, 95]), ("organisations", &firms, [90, 90, 90])];
    for (what, counts, least) in floors {
        let scripts = ["Hangul", "Han", "Cyrillic"].iter().zip(least);
        for ((script, least), (hit, all, missed)) in scripts.zip(counts) {
            println!("{what} in {script}: {hit} of {all}, not {missed:?}");
            assert!(hit * 100 >= all * least, "{what} in {script}: {missed:?}");
        }
    }
}

const SURNAMES: [(&str, &str); 20] = [
    ("김", "金"),
    ("이", "李"),
    ("박", "朴"),
    ("최", "崔"),
    ("정", "鄭"),
    ("강", "姜"),
    ("조", "趙"),
    ("윤", "尹"),
    ("장", "張"),
    ("임", "任"),
    ("한", "韓"),
    ("오", "吳"),
    ("서", "徐"),
    ("신", "申"),
    ("권", "權"),
    ("황", "黃"),
    ("안", "安"),
    ("송", "宋"),
    ("전", "全"),
    ("홍", "洪"),
];
const FIRSTS: [&str; 20] = [
    "민", "서", "지", "현", "수", "하", "준", "도", "재", "동", "상", "예", "태", "은", "혜", "미",
    "유", "승", "소", "나",
];
const SECONDS: [&str; 20] = [
    "준", "우", "윤", "진", "현", "희", "영", "수", "빈", "민", "아", "연", "석", "원", "환", "숙",
    "자", "경", "미", "란",
];

const CHARACTERS: [&str; 20] = [
    "民", "瑞", "智", "賢", "秀", "夏", "俊", "道", "在", "東", "相", "藝", "泰", "銀", "惠", "美",
    "裕", "承", "素", "娜",
];
const MORE: [&str; 20] = [
    "宇", "潤", "珍", "鉉", "姬", "榮", "洙", "彬", "旼", "雅", "姸", "碩", "源", "煥", "淑", "子",
    "京", "媚", "蘭", "鎬",
];
const RUSSIAN_SURNAMES: [&str; 20] = [
    "Смирнов",
    "Соколов",
    "Лебедев",
    "Козлов",
    "Новиков",
    "Морозов",
    "Волков",
    "Зайцев",
    "Соловьёв",
    "Воробьёв",
    "Голубев",
    "Виноградов",
    "Беляев",
    "Тарасов",
    "Жуков",
    "Комаров",
    "Щербаков",
    "Медведкин",
    "Ершов",
    "Рябов",
];
const RUSSIAN_NAMES: [&str; 20] = [
    "Артём",
    "Максим",
    "Кирилл",
    "Егор",
    "Матвей",
    "Тимофей",
    "Глеб",
    "Никита",
    "Степан",
    "Фёдор",
    "Ярослав",
    "Захар",
    "Арсений",
    "Лев",
    "Мирон",
    "Савелий",
    "Платон",
    "Елисей",
    "Макар",
    "Демид",
];
const PATRONYMICS: [&str; 5] = ["Ильич", "Егорович", "Львович", "Фёдорович", "Маратович"];

/// Two thousand names of people who are on no list, in each script.
fn ordinary() -> [(&'static str, Vec<String>); 3] {
    let mut names = [("Hangul", Vec::new()), ("Han", Vec::new()), ("Cyrillic", Vec::new())];
    for at in 0..2000 {
        let (hangul, han) = SURNAMES[at % 20];
        // Every name once: the five blocks of 400 differ in the second syllable.
        let first = at / 20 % 20;
        let second = (at / 400 * 4 + first + at) % 20;
        names[0].1.push(format!("{hangul}{}{}", FIRSTS[first], SECONDS[second]));
        names[1].1.push(format!("{han}{}{}", CHARACTERS[first], MORE[second]));
        let (surname, name) = (RUSSIAN_SURNAMES[at % 20], RUSSIAN_NAMES[first]);
        names[2].1.push(format!("{surname} {name} {}", PATRONYMICS[at / 400]));
    }
    names
}

#[test]
fn ordinary_people_are_left_alone() {
    let Some(index) = published().map(Index::new) else { return };
    for (script, names) in ordinary() {
        let mut alerts = Vec::new();
        for name in &names {
            if let Some(hit) = index.screen(&Asked::person(name)).first() {
                alerts.push(format!("{name}: {} {:.2}", hit.name, hit.score));
            }
        }
        println!("{script}: {} alerts on {} names: {alerts:?}", alerts.len(), names.len());
        // Of 1,000 names five at most: somebody has the very name of a listed person.
        assert!(alerts.len() * 1000 <= names.len() * 5, "{script}: {alerts:?}");
    }
}
