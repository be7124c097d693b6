//! What people complained of in other screening, and what must hold for any text.

use proptest::prelude::*;
use tidewaiter_risk::lists::{BirthDate, EntryKind, Identifier, ListBundle, ListEntry, builtin};
use tidewaiter_risk::screening::{Asked, AskedKind, Index, Matcher, Verdict};

fn index(entries: Vec<ListEntry>) -> Index {
    let day = jiff::civil::date(2026, 1, 1);
    Index::new(vec![ListBundle::new("own", day, "test", entries)])
}

fn firm(name: &str) -> Index {
    index(vec![ListEntry::new("1", EntryKind::Organisation, name)])
}

fn anyone(name: &str) -> Asked {
    Asked { names: vec![name.to_owned()], ..Asked::default() }
}

/// Names that must not be taken for one.
fn apart(schema: &str, a: &str, b: &str) {
    let score = Matcher::score(schema, a, b);
    assert!(score < 0.7, "{a} | {b}: {score}");
}

/// Names that must be.
fn together(schema: &str, a: &str, b: &str) {
    let score = Matcher::score(schema, a, b);
    assert!(score >= 0.7, "{a} | {b}: {score}");
}

// watchman#483: "CORP" was every corporation.
#[test]
fn a_legal_form_or_a_stump_matches_nothing() {
    let index = firm("11420 CORP.");
    for name in ["CORP", "Corp.", "LLC", "Limited Liability Company", "公司", "총회사"] {
        assert!(index.screen(&anyone(name)).is_empty(), "{name}");
    }
    assert!(!index.screen(&anyone("11420 Corporation")).is_empty());
}

// watchman#338, #115: one word of a name, or half of one.
#[test]
fn one_word_in_common_is_not_a_name_in_common() {
    assert!(firm("EMMA LLC").screen(&anyone("emma daniels")).is_empty());
    apart("Person", "George Bush", "George HABBASH");
    apart("Person", "Vladimir Vladimir", "Vladimir Putin");
    apart("Person", "KIM Jong Nam", "KIM Jong Un");
    apart("Person", "김정남", "KIM, Jong Un");
    apart("Person", "KIM, Yo Jong", "KIM Chong Un");
    apart(
        "Company",
        "Korea General Trading Corporation",
        "KOREA RUNGRADO GENERAL TRADING CORPORATION",
    );
    apart(
        "Company",
        "Korea Daesong General Trading Corporation",
        "KOREA RUNGRADO GENERAL TRADING CORPORATION",
    );
    apart("Company", "대한항공", "AIR KORYO");
    apart("Company", "고려대학교", "KORYO BANK");
}

// openedx/ecommerce#3628: a name of which nothing was left matched everything.
#[test]
fn a_name_with_no_normal_form_matches_nothing() {
    let index = Index::built_in().unwrap();
    for name in ["", " ", "—", "...", "\u{0301}", "\u{200b}", "()", "''"] {
        assert!(index.screen(&anyone(name)).is_empty(), "{name:?}");
    }
}

#[test]
fn spellings_of_one_name_are_one() {
    for (schema, a, b) in [
        ("Company", "Rungrado General Trading Co", "KOREA RUNGRADO GENERAL TRADING CORPORATION"),
        ("Company", "조선릉라도무역총회사", "KOREA RUNGRADO GENERAL TRADING CORPORATION"),
        ("Company", "Рунградо", "RUNGRADO TRADE COMPANY"),
        ("Company", "고려항공", "AIR KORYO"),
        ("Company", "高麗航空", "AIR KORYO"),
        ("Company", "Эйр Корё", "AIR KORYO"),
        ("Company", "Мехянсан", "Mekhyansan"),
        ("Company", "Arrowcrest Ltd", "Arrowcrest"),
        ("Person", "LEE Yong Moo", "RI, Yong Mu"),
        ("Person", "Ким Чен Ын", "KIM, Jong Un"),
        ("Person", "김정은", "KIM, Jong Un"),
        ("Person", "金正恩", "KIM, Jong Un"),
        ("Person", "Jong-un Kim", "KIM, Jong Un"),
        ("Person", "Сергей Викторович Лавров", "LAVROV, Sergei"),
        ("Person", "Nguyễn Văn Đức", "NGUYEN Van Duc"),
    ] {
        together(schema, a, b);
    }
}

#[test]
fn a_qualifier_lowers_severity_and_never_drops_an_exact_name() {
    let mut entry = ListEntry::new("1", EntryKind::Person, "RI, Yong Mu");
    entry.birth_dates = vec![BirthDate::day(jiff::civil::date(1925, 1, 25))];
    entry.nationalities = vec!["KP".to_owned()];
    let index = index(vec![entry]);
    let mut asked = Asked::person("RI Yong Mu");
    assert_eq!(index.screen(&asked)[0].verdict, Verdict::Agrees);
    asked.birth = Some(BirthDate::day(jiff::civil::date(1980, 5, 5)));
    asked.nationalities = vec!["FR".to_owned()];
    let hits = index.screen(&asked);
    assert_eq!((hits.len(), hits[0].verdict), (1, Verdict::Contradicted));
    assert!((hits[0].score - 1.0).abs() < 1e-6, "{hits:?}");
}

// watchman#469, PR#524: one word of a name stands for one word of the other.
#[test]
fn a_word_is_used_once() {
    apart("Person", "Vladimir Vladimir Vladimir", "Vladimir Putin");
    apart("Company", "Daesong Daesong", "Daesong Ryonbong");
}

// The son of a man is not his father, a branch abroad not the branch at home.
#[test]
fn who_is_whose_son_and_where_a_branch_is_counts() {
    apart("Person", "Khalid bin Yusuf al-Harbi", "Yusuf bin Khalid al-Harbi");
    together("Person", "Khalid bin Yusuf al-Harbi", "Khaled ibn Yousuf AL HARBI");
    apart("Company", "Example Bank (Sweden) AB", "Example Bank (Finland) AB");
    together("Company", "Example Bank (Sweden) AB", "Example Bank AB");
}

// watchman PR#153: what only sounds alike is another name.
#[test]
fn sounding_alike_alone_is_not_enough() {
    apart("Person", "Catherine Smith", "Kathrine Schmitz");
    apart("Person", "Robert Brown", "Rupert Braun");
}

// yente#245: a short true name is found in full.
#[test]
fn a_short_name_that_is_listed_is_found() {
    for name in ["RI, Pyong", "O, Il", "Li Na"] {
        let index = index(vec![ListEntry::new("1", EntryKind::Person, name)]);
        let hits = index.screen(&Asked::person(name));
        assert_eq!(hits.first().map(|hit| hit.verdict), Some(Verdict::Agrees), "{name}");
    }
}

// yente#245: what was spelt by ear is found, where the rest agrees.
#[test]
fn a_name_spelt_by_ear_is_found() {
    together("Person", "Filip Jonson", "Philip Johnson");
    together("Person", "Ali Hamenei", "Ali Khamenei");
    together("Person", "Stiven Shultz", "Steven Schultz");
}

// yente#245: a birth date that agrees makes no name of another one.
#[test]
fn a_birth_date_alone_is_no_hit() {
    let mut entry = ListEntry::new("1", EntryKind::Person, "RI, Yong Mu");
    entry.birth_dates = vec![BirthDate::day(jiff::civil::date(1925, 1, 25))];
    let mut asked = Asked::person("Jane Doe");
    asked.birth = Some(BirthDate::day(jiff::civil::date(1925, 1, 25)));
    assert!(index(vec![entry]).screen(&asked).is_empty());
}

// What a machine-readable zone makes of a name: no marks, letters in place of others, and an end
// where the line ends (ICAO Doc 9303).
#[test]
fn names_out_of_a_machine_readable_zone_are_found() {
    for (zone, listed) in [
        ("MUELLER JOERG", "Jörg Müller"),
        ("NGUYEN VAN DUC", "Nguyễn Văn Đức"),
        ("ABDULRAHMAN MOHAMMED HUSSE", "Mohammed Abdulrahman HUSSEINI"),
        ("KIM<<CHOL<SU", "KIM, Chol Su"),
        ("SCHWARZENBERGER MAXIMILIA", "Maximilian Schwarzenberger"),
    ] {
        together("Person", zone, listed);
    }
}

#[test]
fn an_entry_of_ones_own_stops_counting_when_it_expires() {
    let mut entry = ListEntry::new("1", EntryKind::Organisation, "Neva Consulting");
    entry.expires_on = Some(jiff::civil::date(2026, 6, 30));
    let index = index(vec![entry]);
    let mut asked = Asked::named(AskedKind::Organisation, "Neva Consulting");
    asked.on = Some(jiff::civil::date(2026, 6, 30));
    assert_eq!(index.screen(&asked).len(), 1);
    asked.on = Some(jiff::civil::date(2026, 7, 1));
    assert!(index.screen(&asked).is_empty());
}

#[test]
fn a_number_finds_what_a_name_hides() {
    let index = Index::built_in().unwrap();
    let mut asked = Asked::named(AskedKind::Vessel, "Sunny Star");
    asked.identifiers.push(Identifier {
        kind: "imo".to_owned(),
        value: "IMO 8989795".to_owned(),
        country: None,
    });
    let hits = index.screen(&asked);
    assert_eq!(hits[0].entry, "23166");
    let tail = Asked::named(AskedKind::Aircraft, "P532");
    assert_eq!(index.screen(&tail)[0].entry, "20540");
    assert!(index.screen(&Asked::named(AskedKind::Aircraft, "P-999")).is_empty());
}

// nomenklatura#334: no order among names that are all exactly alike.
#[test]
fn more_evidence_orders_equal_names() {
    let plain = ListEntry::new("1", EntryKind::Person, "KIM, Yong Chol");
    let mut known = ListEntry::new("2", EntryKind::Person, "KIM, Yong Chol");
    known.birth_dates = vec![BirthDate::day(jiff::civil::date(1962, 2, 18))];
    let mut asked = Asked::person("KIM Yong Chol");
    asked.birth = Some(BirthDate::day(jiff::civil::date(1962, 2, 18)));
    let hits = index(vec![plain, known]).screen(&asked);
    assert_eq!(hits[0].entry, "2");
    assert!(hits[0].evidence > hits[1].evidence);
}

proptest! {
    #[test]
    fn any_text_can_be_asked(text in "\\PC{0,40}", other in "\\PC{0,40}") {
        for schema in ["Person", "Company", "Vessel", "Thing"] {
            let score = Matcher::score(schema, &text, &other);
            prop_assert!((0.0..=1.0).contains(&score));
            let back = Matcher::score(schema, &other, &text);
            prop_assert!((score - back).abs() < 1e-4, "{} {}", score, back);
        }
    }

    #[test]
    fn a_name_is_itself(words in proptest::collection::vec("[A-Za-zА-яЁё가-힣]{2,8}", 1..5)) {
        // Titles alone are no name.
        let name = format!("{} Zimtberg", words.join(" "));
        for schema in ["Person", "Company", "Vessel"] {
            let score = Matcher::score(schema, &name, &name);
            prop_assert!((score - 1.0).abs() < 1e-4, "{} {} {}", schema, name, score);
        }
    }

    #[test]
    fn names_of_a_kind_are_compared_alike_from_either_side(
        a in "(KIM|RI|PAK|Ли|김|AL|BIN|Trading|Corp)( |-)[a-z]{1,6} (Jong|정은|Чен|Co|XII|4)",
        b in "(KIM|RI|PAK|Ли|김|AL|BIN|Trading|Corp)( |-)[a-z]{1,6} (Jong|정은|Чен|Co|XII|4)",
    ) {
        for schema in ["Person", "Company", "Vessel"] {
            let (there, back) = (Matcher::score(schema, &a, &b), Matcher::score(schema, &b, &a));
            prop_assert!((there - back).abs() < 1e-4, "{} {}", there, back);
        }
    }
}

#[test]
fn the_order_of_lists_does_not_matter() {
    let bundles = builtin::bundles().unwrap();
    let mut turned = bundles.clone();
    turned.reverse();
    let (one, other) = (Index::new(bundles), Index::new(turned));
    for name in ["Rungrado", "Air Koryo", "Kim Jong Un", "조선릉라도무역총회사", "Daesong Bank"]
    {
        assert_eq!(one.screen(&anyone(name)), other.screen(&anyone(name)), "{name}");
    }
}
