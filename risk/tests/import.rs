//! Publishers' files become bundles whole, and what is broken, doubled or shrunken is refused.

#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

mod published;

use jiff::civil::{Date, date};
use published::published;
use tidewaiter_risk::lists::{
    AliasQuality, EntryKind, ListBundle, ListDifference, ListEntry, ListError, Script, SourceFile,
    check_not_shrunken, ofac, read_bundle, un, write_bundle,
};

const DAY: Date = date(2026, 11, 24);

// Made up, in the shape of OFAC's files: -0- is empty, a lone control-Z ends a file.
const SDN: &str = r#"101,"EXAMPLE TRADING CORPORATION",-0- ,"DPRK3",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"a.k.a. 'ETC'; Linked To: EXAMPLE HOLDING."
102,"EXAMPLE, Jon","individual","DPRK",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"DOB 02 Mar 1975; nationality Korea, North; Passport 836110034 (Korea, North)."
103,"SILVER TERN","vessel","DPRK4",-0- ,"HMYC","Bulk Cargo","1000","900","North Korea","Example Ship Co","Vessel Registration Identification IMO 9999993."
104,"P-999","aircraft","DPRK3",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0-
"#;
const ADD: &str = "101,1,\"11 Example Street\",\"Pyongyang\",\"Korea, North\",-0- \n\u{1a}\n";
const ALT: &str = "101,1,\"aka\",\"조선보기무역회사\",-0- \n";

fn ofac_of(sdn: &str, add: &str, alt: &str) -> Result<ListBundle, ListError> {
    let files = [("sdn.csv", sdn), ("add.csv", add), ("alt.csv", alt)];
    let files = files.map(|(name, text)| SourceFile { name, bytes: text.as_bytes() });
    // In whatever order they come.
    ofac::import(&[files[2], files[0], files[1]], "ofac", DAY)
}

#[test]
fn ofacs_files_are_joined_and_the_remarks_are_read() {
    let bundle = ofac_of(SDN, ADD, ALT).unwrap();
    let entry = |id: &str| bundle.entry(id).unwrap();
    let firm = entry("101");
    assert_eq!((firm.kind, firm.programme.as_str()), (EntryKind::Organisation, "DPRK3"));
    let names: Vec<(&str, AliasQuality)> = firm.names().collect();
    assert!(names.contains(&("조선보기무역회사", AliasQuality::Strong)), "{names:?}");
    assert!(names.contains(&("ETC", AliasQuality::Weak)), "{names:?}");
    assert!(firm.aliases.iter().any(|alias| alias.script == Script::Hangul));
    assert_eq!(firm.addresses[0].country.as_deref(), Some("KP"));
    assert_eq!(firm.linked_to, ["EXAMPLE HOLDING"]);
    let person = entry("102");
    assert_eq!((person.kind, person.nationalities[0].as_str()), (EntryKind::Person, "KP"));
    assert_eq!(person.birth_dates[0].from, date(1975, 3, 2));
    let passport = person.identifiers.iter().find(|number| number.kind == "passport").unwrap();
    assert_eq!(passport.value, "836110034");
    let ship = entry("103");
    assert!(ship.identifiers.iter().any(|n| n.kind == "imo" && n.value.contains("9999993")));
    assert_eq!(ship.vessel.owner.as_deref(), Some("Example Ship Co"));
    assert_eq!(entry("104").kind, EntryKind::Aircraft);
}

#[test]
fn broken_files_of_ofac_are_refused_with_file_and_line() {
    let (lines, _) = SDN.split_at(SDN.rfind("104").unwrap());
    for (sdn, add, alt, told) in [
        (format!("{lines}105,\"CUT OF"), ADD, ALT, "sdn.csv, line 4"),
        (format!("{SDN}101,\"TWICE\",{}-0-\n", "-0- ,".repeat(9)), ADD, ALT, "comes twice"),
        (SDN.to_owned(), "999,1,\"x\",\"y\",\"Cuba\",-0-\n", ALT, "add.csv, line 1"),
        (SDN.to_owned(), ADD, "101,1,\"aka\"\n", "alt.csv, line 1"),
        (String::new(), ADD, ALT, "the file is empty"),
        (ADD.to_owned(), ADD, ALT, "twelve columns"),
    ] {
        let error = ofac_of(&sdn, add, alt).unwrap_err().to_string();
        assert!(error.contains(told), "{told}: {error}");
    }
}

fn un_of(entries: &str) -> Result<ListBundle, ListError> {
    let text = format!(
        "<?xml version=\"1.0\"?>\n<CONSOLIDATED_LIST dateGenerated=\"2026-02-27T00:00:09.554Z\">\
         <INDIVIDUALS>{entries}</INDIVIDUALS></CONSOLIDATED_LIST>"
    );
    un::import(SourceFile { name: "un.xml", bytes: text.as_bytes() }, "un", None)
}

// Made up, in the shape of the Security Council's file.
const PERSON: &str = "<INDIVIDUAL><DATAID>1</DATAID><FIRST_NAME>JON</FIRST_NAME>\
    <SECOND_NAME>EXAMPLE</SECOND_NAME><UN_LIST_TYPE>DPRK</UN_LIST_TYPE>\
    <REFERENCE_NUMBER>KPi.999</REFERENCE_NUMBER><LISTED_ON>2017-06-02</LISTED_ON>\
    <NAME_ORIGINAL_SCRIPT>보기 존</NAME_ORIGINAL_SCRIPT>\
    <NATIONALITY><VALUE>Democratic People's Republic of Korea</VALUE></NATIONALITY>\
    <INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME>Jon B; Jon C</ALIAS_NAME></INDIVIDUAL_ALIAS>\
    <INDIVIDUAL_ALIAS><QUALITY>Low</QUALITY><ALIAS_NAME>The Example</ALIAS_NAME></INDIVIDUAL_ALIAS>\
    <INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>BETWEEN</TYPE_OF_DATE><FROM_YEAR>1975</FROM_YEAR>\
    <TO_YEAR>1977</TO_YEAR></INDIVIDUAL_DATE_OF_BIRTH>\
    <INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NUMBER>563410081</NUMBER>\
    <ISSUING_COUNTRY>Democratic People's Republic of Korea</ISSUING_COUNTRY></INDIVIDUAL_DOCUMENT>\
    </INDIVIDUAL>";

#[test]
fn the_councils_file_is_read_whole() {
    let bundle = un_of(PERSON).unwrap();
    assert_eq!(bundle.as_of, date(2026, 2, 27), "the file's own day");
    let entry = bundle.entry("KPi.999").unwrap();
    let names: Vec<(&str, AliasQuality)> = entry.names().collect();
    let (strong, weak) = (AliasQuality::Strong, AliasQuality::Weak);
    let expected =
        [("JON EXAMPLE", strong), ("보기 존", strong), ("Jon B", strong), ("Jon C", strong)];
    assert_eq!(names, [&expected[..], &[("The Example", weak)]].concat());
    assert_eq!((entry.listed_on, entry.nationalities[0].as_str()), (Some(date(2017, 6, 2)), "KP"));
    assert_eq!((entry.birth_dates[0].from.year(), entry.birth_dates[0].to.year()), (1975, 1977));
    assert_eq!(entry.identifiers[0].country.as_deref(), Some("KP"));
}

#[test]
fn broken_files_of_the_council_are_refused() {
    for (entries, told) in [
        (String::new(), "no entry"),
        (PERSON.repeat(2), "comes twice"),
        (PERSON.replace("</INDIVIDUAL>", ""), "un.xml"),
        (PERSON.replace("KPi.999", "").replace("<DATAID>1</DATAID>", ""), "reference number"),
    ] {
        let error = un_of(&entries).unwrap_err().to_string();
        assert!(error.contains(told), "{told}: {error}");
    }
}

fn list(names: &[String]) -> ListBundle {
    let entries = names.iter().enumerate();
    let entries = entries
        .map(|(at, name)| ListEntry::new(at.to_string(), EntryKind::Person, name.clone()))
        .collect();
    ListBundle::new("ofac", DAY, "made up", entries)
}

#[test]
fn a_list_that_lost_more_than_a_fifth_is_taken_for_a_broken_download() {
    let names: Vec<String> = (0..100).map(|at| format!("Person {at}")).collect();
    let old = list(&names);
    assert!(check_not_shrunken(Some(&old), &list(&names[..80])).is_ok());
    let told = check_not_shrunken(Some(&old), &list(&names[..79])).unwrap_err().to_string();
    assert!(told.contains("79") && told.contains("100"), "{told}");
    assert!(check_not_shrunken(None, &list(&[])).is_err());
    // A short list is an authority's own, and may shrink as its author likes.
    assert!(check_not_shrunken(Some(&list(&names[..10])), &list(&names[..1])).is_ok());
}

#[test]
fn what_differs_between_two_bundles_is_named() {
    let names = |names: &[&str]| list(&names.iter().map(|&n| n.to_owned()).collect::<Vec<_>>());
    let (old, new) = (names(&["A", "B"]), names(&["A", "C", "D"]));
    let difference = ListDifference::between(&old, &new);
    assert_eq!((difference.changed, difference.added), (vec!["1".into()], vec!["2".into()]));
    let back = ListDifference::between(&new, &old);
    assert_eq!(back.to_string(), "0 added, 1 removed, 1 changed");
    assert!(ListDifference::between(&old, &old).is_empty());
    let mut other = new.clone();
    other.name = "un".to_owned();
    let all = ListDifference::of_lists(std::slice::from_ref(&old), &[new, other]);
    let told: Vec<String> = all.iter().map(|(list, d)| format!("{list}: {d}")).collect();
    assert_eq!(told, ["ofac: 1 added, 0 removed, 1 changed", "un: 3 added, 0 removed, 0 changed"]);
    let gone = ListDifference::of_lists(&[old], &[]);
    assert_eq!(gone[0].1.removed.len(), 2);
}

#[test]
fn a_bundle_is_known_by_its_content_and_a_changed_byte_is_seen() {
    let bundle = ofac_of(SDN, ADD, ALT).unwrap();
    let bytes = write_bundle(&bundle);
    let read = |bytes: &[u8]| read_bundle(SourceFile { name: "b", bytes });
    assert_eq!(read(&bytes).unwrap(), bundle);
    let changed = String::from_utf8(bytes).unwrap().replace("836110034", "836110035");
    assert!(read(changed.as_bytes()).is_err());
    assert!(read(b"{").is_err());
}

#[test]
fn the_published_lists_are_read_whole() {
    let Some(bundles) = published() else { return };
    let [ofac, un] = &bundles[..] else { panic!("two lists") };
    let aliases = |list: &ListBundle, quality: AliasQuality| {
        let all = list.entries.iter().flat_map(|entry| &entry.aliases);
        all.filter(|alias| alias.quality == quality).count()
    };
    let addresses: usize = ofac.entries.iter().map(|entry| entry.addresses.len()).sum();
    assert_eq!((ofac.entries.len(), un.entries.len()), (8976, 1003));
    // 11,910 rows of aliases, some of which repeat a name, and 13,837 of addresses, of which 2,397 say
    // nothing.
    let strong = aliases(ofac, AliasQuality::Strong);
    assert!((11_500..=11_910).contains(&strong), "{strong} aliases");
    assert_eq!(addresses, 13_837 - 2_397);
    let koryo = ofac.entry("20520").unwrap();
    assert_eq!((koryo.name.as_str(), koryo.aliases[0].name.as_str()), ("AIR KORYO", "AIRKORYO"));
    let rungrado = ofac.entry("19613").unwrap();
    assert!(rungrado.names().any(|(name, _)| name == "RYNRADO"), "{rungrado:?}");
    assert!(un.entries.iter().filter(|entry| entry.programme == "DPRK").count() >= 155);
}

#[test]
fn the_number_of_a_shipping_firm_is_taken_from_the_councils_comments() {
    for (comments, numbers) in [
        ("Owner of a tanker. IMO number: 1234567.", &["1234567"][..]),
        (
            "Known to the Organization (IMO) Number: 1234567. Its manager: Company Number IMO 7654321",
            &["1234567", "7654321"],
        ),
        ("MAXIMOV signed 1234567 papers; IMO number 12345678; IMO member since 1234567", &[]),
    ] {
        let firm = format!(
            "<ENTITY><DATAID>2</DATAID><FIRST_NAME>EXAMPLE SHIPPING</FIRST_NAME>\
             <REFERENCE_NUMBER>KPe.999</REFERENCE_NUMBER><COMMENTS1>{comments}</COMMENTS1></ENTITY>"
        );
        let bundle = un_of(&firm).unwrap();
        let entry = bundle.entry("KPe.999").unwrap();
        let found: Vec<(&str, &str)> =
            entry.identifiers.iter().map(|one| (one.kind.as_str(), one.value.as_str())).collect();
        let expected: Vec<(&str, &str)> = numbers.iter().map(|one| ("company_imo", *one)).collect();
        assert_eq!(found, expected, "{comments}");
    }
}
