//! What a zone must give back, whatever it was composed from.

use super::{Fields, Format, MrzDate, MrzError, RowGroup, Sex, compose, parse};
use jiff::civil::date;
use proptest::prelude::*;

fn formats() -> impl Strategy<Value = Format> {
    prop_oneof![
        Just(Format::Td1),
        Just(Format::Td2),
        Just(Format::Td3),
        Just(Format::MrvA),
        Just(Format::MrvB)
    ]
}

fn fields() -> impl Strategy<Value = Fields> {
    (
        formats(),
        "[A-Z]{1,3}",
        "[A-Z]{1,12}( [A-Z]{1,6})?",
        "([A-Z]{1,10})?",
        "[A-Z0-9]{1,12}",
        "[A-Z]{3}",
        ((0_i16..3000), (0_i16..3000)),
        prop_oneof![Just(Sex::Female), Just(Sex::Male), Just(Sex::Unspecified)],
    )
        .prop_map(
            |(format, issuer, surname, given_names, mut number, nationality, days, sex)| {
                if !matches!(format, Format::Td1 | Format::Td2) {
                    number.truncate(9);
                }
                let day = |shift: i16| {
                    let start = date(2000, 1, 1);
                    MrzDate::from_day(start + jiff::Span::new().days(shift))
                };
                let visa = matches!(format, Format::MrvA | Format::MrvB);
                Fields {
                    format,
                    document_code: if visa { "V" } else { "P" }.into(),
                    issuer,
                    surname,
                    given_names,
                    document_number: number,
                    nationality,
                    date_of_birth: day(days.0),
                    sex,
                    date_of_expiry: day(days.1),
                    optional_data: String::new(),
                }
            },
        )
}

proptest! {
    #[test]
    fn a_composed_zone_reads_back_with_all_checks_agreeing(fields in fields()) {
        let rows = compose(&fields).unwrap();
        prop_assert!(rows.iter().all(|row| row.len() == fields.format.columns()));
        let zone = parse(&rows).unwrap();
        prop_assert!(zone.checks.all_agree(), "{rows:?} {:?}", zone.checks);
        prop_assert_eq!(zone.format, fields.format);
        prop_assert_eq!(zone.document_number, fields.document_number);
        prop_assert_eq!(zone.surname, fields.surname);
        prop_assert_eq!(zone.given_names, fields.given_names);
        prop_assert_eq!(zone.date_of_birth, fields.date_of_birth);
        prop_assert_eq!(zone.sex, fields.sex);
    }

    #[test]
    fn any_rows_are_read_or_refused(rows in prop::collection::vec("\\PC{0,50}|[A-Z0-9<]{30}|[A-Z0-9<]{36}|[A-Z0-9<]{44}", 0..5)) {
        let _ = parse(&rows);
        let mut group = RowGroup::new();
        for row in &rows { group.row(row); }
        group.idle();
    }

    #[test]
    fn a_changed_digit_of_the_number_is_seen(fields in fields(), place in 0_usize..9, digit in 1_u8..10) {
        let mut rows = compose(&fields).unwrap();
        let row = usize::from(fields.format != Format::Td1);
        let column = if fields.format == Format::Td1 { place + 5 } else { place };
        let mut bytes = rows[row].clone().into_bytes();
        prop_assume!(bytes[column].is_ascii_digit());
        bytes[column] = b'0' + (bytes[column] - b'0' + digit) % 10;
        rows[row] = String::from_utf8(bytes).unwrap();
        prop_assert!(!parse(&rows).unwrap().checks.document_number);
    }
}

#[test]
fn rows_sent_one_by_one_gather_and_a_lone_row_is_incomplete() {
    let first = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
    let second = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";
    let mut group = RowGroup::new();
    assert!(group.text(first).is_empty());
    let items = group.text(second);
    assert_eq!(items[0].zone.as_ref().unwrap().document_number, "L898902C3");
    assert!(group.text(first).is_empty());
    let error = group.idle().unwrap().zone.unwrap_err();
    assert_eq!(error, MrzError::Incomplete { rows: 1, needed: 2 });
    assert!(group.idle().is_none());
}

#[test]
fn long_number_of_td2_continues_in_the_optional_field() {
    let zone =
        parse(&["I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<", "D23145890<UTO3407127M95071227349<<<8"])
            .unwrap();
    assert_eq!(zone.document_number, "D23145890734");
    assert!(zone.checks.document_number);
    assert_eq!(zone.optional_data, "");
}

#[test]
fn dates_take_the_century_of_the_day_they_are_read() {
    let today = date(2026, 11, 24);
    assert_eq!(MrzDate::of(b"740812").on_or_before(today), Some(date(1974, 8, 12)));
    assert_eq!(MrzDate::of(b"261125").on_or_before(today), Some(date(1926, 11, 25)));
    assert_eq!(MrzDate::of(b"300101").nearest(today), Some(date(2030, 1, 1)));
    assert_eq!(MrzDate::of(b"990101").nearest(today), Some(date(1999, 1, 1)));
    assert_eq!(MrzDate::of(b"850229").on_or_before(today), None);
    assert_eq!(MrzDate::of(b"74<<<<").on_or_before(today), None);
}

#[test]
fn names_in_other_scripts_are_transliterated_and_long_ones_cut() {
    let fields = Fields {
        format: Format::Td3,
        document_code: "P".into(),
        issuer: "D".into(),
        surname: "Müller-Lüdenscheidt O'Neill Papandropoulous".into(),
        given_names: "Zoë".into(),
        document_number: "C01X00T47".into(),
        nationality: "D".into(),
        date_of_birth: MrzDate::of(b"640812"),
        sex: Sex::Female,
        date_of_expiry: MrzDate::of(b"270228"),
        optional_data: String::new(),
    };
    let rows = compose(&fields).unwrap();
    let zone = parse(&rows).unwrap();
    assert_eq!(zone.surname, "MUELLER LUEDENSCHEIDT ONEILL PAPANDR");
    assert_eq!(zone.given_names, "Z");
    assert!(zone.name_may_be_cut);
    assert!(compose(&Fields { surname: "김정은".into(), ..fields }).is_err());
}
