//! An authority's own list: every kind of entry, found until it expires, with who put it there and why.

#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

use jiff::civil::{Date, date};
use tidewaiter_risk::lists::{
    EntryAddress, Identifier, ListBundle, ListError, SourceFile, plain, read_bundle, write_bundle,
};
use tidewaiter_risk::policy::PolicyPack;
use tidewaiter_risk::screening::{Asked, AskedKind, Hit, Index, Verdict};

// Made up.
const OWN: &str = "\
entry,kind,name,aliases,identifiers,addresses,expires_on,reason,author
p,person,\"ORLOVA, Vera\",Вера Орлова,passport=X1234567,,2026-06-30,carried for three owners,o-17
c,organisation,Neva Consulting,,registration=7701234567,,2026-06-30,gave a false address,o-17
a,address,The restaurant,,,\"Krasnaya street 11 bld. 9, Moscow, RU\",2026-06-30,recipient of twelve,o-18
t,address,A telephone,,phone=+7 495 123-45-67,,2026-06-30,given by four couriers,o-18
v,vessel,Silver Tern,,imo=9999993;flag=KP,,2026-06-30,master did not answer,o-19
";

/// The last day on which the entries count.
const LAST: Date = date(2026, 6, 30);

fn bundle(text: &str) -> Result<ListBundle, ListError> {
    let file = SourceFile { name: "own.csv", bytes: text.as_bytes() };
    plain::import(&[file], "own", date(2026, 1, 1), "an authority's own list")
}

/// The list as it comes back from its file on disk.
fn index() -> Index {
    let bytes = write_bundle(&bundle(OWN).unwrap());
    Index::new(vec![read_bundle(SourceFile { name: "own", bytes: &bytes }).unwrap()])
}

fn number(kind: &str, value: &str) -> Identifier {
    Identifier { kind: kind.to_owned(), value: value.to_owned(), country: None }
}

/// A question that finds each entry: by its name, and by a number or an address alone.
fn questions() -> Vec<(&'static str, Asked)> {
    let mut house = Asked { kind: Some(AskedKind::Address), ..Asked::default() };
    house.addresses.push(EntryAddress {
        lines: vec!["Москва, ул. Красная, д. 11, стр. 9".to_owned()],
        country: Some("RU".to_owned()),
    });
    let by = |kind, name: &str, identifier| {
        let mut asked = Asked::named(kind, name);
        asked.identifiers.push(identifier);
        asked
    };
    vec![
        ("p", Asked::person("Vera Orlova")),
        ("p", by(AskedKind::Person, "Anna Ivanova", number("passport", "X 1234567"))),
        ("c", Asked::named(AskedKind::Organisation, "NEVA CONSULTING LLC")),
        ("c", by(AskedKind::Organisation, "Quite Another", number("registration", "7701234567"))),
        ("a", house),
        ("t", by(AskedKind::Organisation, "Bakery", number("phone", "8 (495) 123 45 67"))),
        ("t", by(AskedKind::Person, "Jane Doe", number("phone", "+74951234567"))),
        ("v", Asked::named(AskedKind::Vessel, "SILVER TERN")),
        ("v", by(AskedKind::Vessel, "Golden Gull", number("imo", "IMO 9999993"))),
    ]
}

fn asked_on(index: &Index, asked: &Asked, day: Date) -> Vec<Hit> {
    index.screen(&Asked { on: Some(day), ..asked.clone() })
}

#[test]
fn every_kind_of_entry_is_found_and_says_who_put_it_there_and_why() {
    let index = index();
    for (entry, asked) in questions() {
        let hits = asked_on(&index, &asked, LAST);
        assert_eq!(hits.len(), 1, "{entry}: {asked:?} {hits:?}");
        let hit = &hits[0];
        assert_eq!((hit.list.as_str(), hit.entry.as_str()), ("own", entry));
        let why = hit.explanation.join(" ");
        assert!(why.contains("by o-1") && why.contains("because of"), "{entry}: {why}");
        assert!(why.contains("until 2026-06-30"), "{entry}: {why}");
    }
}

#[test]
fn an_entry_that_has_expired_is_found_by_nothing() {
    let index = index();
    for (entry, asked) in questions() {
        let hits = asked_on(&index, &asked, LAST.tomorrow().unwrap());
        assert!(hits.is_empty(), "{entry}: {hits:?}");
    }
}

#[test]
fn what_has_expired_links_nobody() {
    let (index, pack) = (index(), PolicyPack::built_in().unwrap());
    let mut asked = Asked::named(AskedKind::Organisation, "Bakery");
    asked.identifiers.push(number("phone", "8 (495) 123 45 67"));
    for (day, nodes) in [(LAST, 2), (LAST.tomorrow().unwrap(), 1)] {
        asked.on = Some(day);
        let network = index.network(&asked, &pack.families, &pack.premises);
        assert_eq!(network.nodes.len(), nodes, "{day}: {network:?}");
    }
}

#[test]
fn a_telephone_alone_is_a_reason_to_look_and_no_agreement() {
    let (_, asked) = questions().into_iter().find(|(entry, _)| *entry == "t").unwrap();
    assert_eq!(asked_on(&index(), &asked, LAST)[0].verdict, Verdict::Possible);
}

#[test]
fn a_row_that_is_not_valid_is_refused_with_its_line() {
    for (row, what) in [
        ("x,person,Somebody,,,,30.06.2026,,", "expires_on"),
        ("x,ghost,Somebody,,,,,,", "ghost"),
        ("x,person,,,,,,,", "no name"),
        ("p,person,Somebody,,,,,,", "twice"),
        ("x,person,Somebody,,X1234567,,,,", "key=value"),
        ("x,person,Somebody", "columns"),
    ] {
        let told = bundle(&format!("{OWN}{row}\n")).unwrap_err().to_string();
        assert!(told.contains("own.csv, line 7") && told.contains(what), "{row}: {told}");
    }
}
