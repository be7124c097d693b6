//! What a pass must give back, and what is refused.

use super::{BcbpError, BoardingPass, Leg, Security, compose, nearest_date, parse};
use jiff::civil::date;
use proptest::prelude::*;

fn leg() -> impl Strategy<Value = Leg> {
    (
        ("[A-Z0-9]{6}", "[A-Z]{3}", "[A-Z]{3}", "[A-Z]{2}", "[0-9]{4}[A-Z]?", 1_u16..=366),
        ("[FJY]", "[0-9]{3}[A-K]", "[0-9]{4}", "[0-9]", "[0-9]{3}", "[0-9]{10}"),
        ("[A-Z]{2}", "[A-Z0-9]{0,16}", "([0-9]PC)?", "[NY]?", "([A-Z0-9][A-Z0-9 ]{0,20}[A-Z])?"),
    )
        .prop_map(|(a, b, c)| Leg {
            pnr: a.0,
            origin: a.1,
            destination: a.2,
            carrier: a.3,
            flight: a.4,
            day: a.5,
            cabin: b.0,
            seat: b.1,
            sequence: b.2,
            status: b.3,
            airline_numeric: b.4,
            serial: b.5,
            marketing_carrier: c.0,
            frequent_flyer_number: c.1,
            free_baggage: c.2,
            fast_track: c.3,
            airline_use: c.4,
            ..Leg::default()
        })
}

fn pass() -> impl Strategy<Value = BoardingPass> {
    (
        "[A-Z]{1,10}/[A-Z]{1,8}",
        "[5-8]",
        prop::collection::vec("[0-9]{13}", 0..4),
        prop::collection::vec(leg(), 1..5),
        prop::option::of("[A-Z0-9]{1,100}"),
    )
        .prop_map(|(passenger, version, bag_tags, legs, security)| BoardingPass {
            passenger,
            eticket: "E".into(),
            version,
            issued: "6365".into(),
            document_type: "B".into(),
            issuer: "ZZ".into(),
            bag_tags,
            legs,
            security: security.map(|data| Security { kind: "1".into(), data }),
            ..BoardingPass::default()
        })
}

proptest! {
    #[test]
    fn a_composed_pass_reads_back(pass in pass()) {
        let text = compose(&pass).unwrap();
        prop_assert_eq!(parse(&text).unwrap(), pass);
    }

    #[test]
    fn a_torn_pass_is_never_read_as_whole(pass in pass(), keep in 0_usize..400) {
        let text = compose(&pass).unwrap();
        prop_assume!(keep < text.len());
        // A pass torn exactly between its last leg and its security field is whole.
        let whole = BoardingPass { security: None, ..pass };
        match parse(&text[..keep]) {
            Err(_) => {}
            Ok(read) => prop_assert_eq!(read, whole),
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,120}|M[0-9].{58,300}") {
        let _ = parse(&text);
    }

    #[test]
    fn the_nearest_date_is_within_half_a_year(day in 1_u16..=365, year in 2001_i16..2090, shift in 0_i64..365) {
        let reference = date(year, 1, 1) + jiff::Span::new().days(shift);
        let found = nearest_date(day, reference).unwrap();
        prop_assert_eq!(u16::try_from(found.day_of_year()).unwrap(), day);
        prop_assert!((found - reference).get_days().abs() <= 183);
    }
}

#[test]
fn day_366_exists_only_near_a_leap_year() {
    assert_eq!(nearest_date(366, date(2028, 12, 30)), Some(date(2028, 12, 31)));
    assert_eq!(nearest_date(366, date(2029, 1, 2)), Some(date(2028, 12, 31)));
    assert_eq!(nearest_date(366, date(2026, 6, 1)), None);
}

#[test]
fn the_year_digit_of_issuance_picks_the_nearest_decade() {
    let pass = BoardingPass { issued: "6365".into(), ..BoardingPass::default() };
    assert_eq!(pass.issued_near(date(2026, 12, 30)), Some(date(2026, 12, 31)));
    assert_eq!(pass.issued_near(date(2017, 1, 3)), Some(date(2016, 12, 30)));
    assert_eq!(BoardingPass::default().issued_near(date(2017, 1, 3)), None);
}

#[test]
fn bag_tags_give_the_licence_plates_of_all_bags() {
    let pass = BoardingPass { bag_tags: vec!["0016111111002".into()], ..BoardingPass::default() };
    let bags: Vec<String> = pass.bags().iter().map(ToString::to_string).collect();
    assert_eq!(bags, ["0016111111", "0016111112"]);
}

#[test]
fn five_legs_and_a_torn_second_leg_are_refused() {
    let one = "M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 100";
    assert_eq!(parse(&one.replacen("M1", "M5", 1)), Err(BcbpError::BadLegCount { found: '5' }));
    assert_eq!(parse(&one.replacen("M1", "M2", 1)), Err(BcbpError::TruncatedLeg { leg: 2 }));
    assert_eq!(parse(&format!("{one}^164ABC")), Err(BcbpError::TruncatedSecurity));
}
