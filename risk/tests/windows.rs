//! The windows and counts of patterns over history, at their very edge: a second or an owner more.

#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

use std::collections::BTreeMap;

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tidewaiter_proto::alert::Alert;
use tidewaiter_proto::record::Record;
use tidewaiter_risk::crossing::assemble;
use tidewaiter_risk::engine::listed::{Asked, Listed, Verdict};
use tidewaiter_risk::engine::{Case, Engine, NoLists, Screener};
use tidewaiter_risk::history::{Digest, Key, MemoryHistory};
use tidewaiter_risk::lists::EntryKind;
use tidewaiter_risk::policy::PolicyPack;
use tidewaiter_risk::rule::field::Value as Field;
use tidewaiter_risk::rule::{Compare, Op};

/// One crossing.
#[derive(Clone, Copy)]
struct Trip {
    direction: &'static str,
    from: &'static str,
    to: &'static str,
    carrier: &'static str,
    /// Number of the passport.
    person: &'static str,
    /// A group by kind and id.
    group: Option<(&'static str, &'static str)>,
    currency: &'static str,
    counted: &'static str,
    declared: Option<&'static str>,
    /// The company whose cash it is; the carrier's own without.
    owner: Option<&'static str>,
    /// Whether one officer, always the same, let it pass.
    released: bool,
}

const PLAIN: Trip = Trip {
    direction: "exit",
    from: "PRG",
    to: "PEK",
    carrier: "ZZ",
    person: "D1",
    group: None,
    currency: "EUR",
    counted: "9000",
    declared: None,
    owner: None,
    released: false,
};

impl Trip {
    fn records(self, inspection: &str, at: Timestamp) -> Vec<Record> {
        let mut opened = json!({"type": "inspection_opened", "direction": self.direction,
            "role": "passenger", "channel": "red", "movement": {"mode": "air", "from": self.from,
            "to": self.to, "carrier": self.carrier, "number": "700"}});
        if let Some((kind, id)) = self.group {
            opened["group"] = json!({"kind": kind, "id": id});
        }
        let mut bodies = vec![
            opened,
            json!({"type": "document_read", "checks": {}, "document": {"type": "passport",
                "number": self.person, "issuing_state": "POL", "given_names": "JAN",
                "surname": format!("NOWAK{}", self.person)}}),
        ];
        let owner = self.owner.map_or(json!("self"), |name| {
            json!({"kind": "organisation", "name": name, "registration_country": "DE",
                "phone": "+49 40 123456"})
        });
        bodies.extend(self.declared.map(|amount| {
            json!({"type": "declaration_made", "reference": format!("CZ-{inspection}"),
                "form": "generic", "items": [{"kind": "currency", "currency": self.currency,
                "amount": amount}], "owner": owner, "recipient": "self", "provenance": ["labour"],
                "intended_use": ["personal"], "signed_at": at})
        }));
        bodies.push(json!({"type": "cash_counted", "count": 1, "blind": true, "officer": "o",
            "certainty": "exact", "items": [{"currency": self.currency,
            "denomination": self.counted, "pieces": 1}]}));
        if self.released {
            bodies.push(json!({"type": "outcome_recorded", "decision": "released",
                "reasons": ["nothing"], "officer": "o-9"}));
        }
        let base = inspection.bytes().map(u64::from).sum::<u64>() * 100;
        let record = |(seq, body): (u64, Value)| -> Record {
            let record = json!({"station": "czprg/dep-01", "seq": seq, "at": at,
                "inspection": inspection, "source": {"agent": "test"}, "body": body});
            serde_json::from_value(record).unwrap()
        };
        (base..).zip(bodies).map(record).collect()
    }
}

fn now() -> Timestamp {
    "2026-06-01T06:00:00Z".parse().unwrap()
}

fn alerts(
    law: &str,
    lists: impl Screener + Send + Sync + 'static,
    records: &[Record],
    history: &MemoryHistory,
) -> Vec<Alert> {
    let pack = PolicyPack::built_in().unwrap();
    let rates = pack.rates.clone();
    let engine = Engine::new(pack, lists, rates);
    let case = Case::new(law, now(), records).with_history(history);
    engine.assess(&case)
}

fn codes(law: &str, records: &[Record], history: &MemoryHistory) -> Vec<&'static str> {
    alerts(law, NoLists, records, history).iter().map(|alert| alert.code.as_str()).collect()
}

/// Whether a code is raised about a trip now, after others: each with how long ago it was.
fn raised(law: &str, code: &str, own: Trip, before: &[(Trip, SignedDuration)]) -> bool {
    let mut history = MemoryHistory::default();
    for (place, (trip, ago)) in before.iter().enumerate() {
        let records = trip.records(&format!("h{place}"), now() - *ago);
        history.extend(assemble(&records).crossings.iter().flat_map(Digest::of_each));
    }
    codes(law, &own.records("a", now()), &history).contains(&code)
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

const SECOND: SignedDuration = SignedDuration::from_secs(1);

#[test]
fn the_third_trip_under_the_limit_is_within_thirty_days_to_the_second() {
    let trips = |first| [(PLAIN, first), (PLAIN, days(10))];
    assert!(raised("EU", "structuring_temporal", PLAIN, &trips(days(30))));
    assert!(!raised("EU", "structuring_temporal", PLAIN, &trips(days(30) + SECOND)));
}

#[test]
fn a_courier_is_one_of_two_owners_within_sixty_days_to_the_second() {
    let of =
        |owner| Trip { counted: "12000", declared: Some("12000"), owner: Some(owner), ..PLAIN };
    let trips = |first, owner| {
        [(of("Nordwind Handel"), first), (of("Nordwind Handel"), days(20)), (of(owner), days(10))]
    };
    let raised =
        |first, owner| raised("EU", "repeat_courier", of("Nordwind Handel"), &trips(first, owner));
    assert!(raised(days(60), "Levant Traders"), "two owners are enough");
    assert!(!raised(days(60), "Nordwind Handel"), "one is not");
    assert!(!raised(days(60) + SECOND, "Levant Traders"), "only three are within");
}

#[test]
fn an_exit_is_held_against_the_entries_of_a_year_to_the_second_and_of_its_own_instant() {
    let trip = |direction, sum| Trip {
        direction,
        currency: "USD",
        counted: sum,
        declared: Some(sum),
        ..PLAIN
    };
    let raised = |ago| {
        let before = [(trip("entry", "15000"), ago)];
        raised("KH", "exit_exceeds_entry", trip("exit", "16000"), &before)
    };
    assert!(raised(days(365)));
    assert!(!raised(days(365) + SECOND));
    assert!(raised(SignedDuration::ZERO));
    assert!(!raised(-SECOND), "an entry that comes after says nothing");
}

#[test]
fn a_second_exit_in_one_case_is_within_fifteen_days_to_the_second() {
    let trip = Trip { currency: "USD", counted: "2000", ..PLAIN };
    for (ago, expected) in [(days(15), true), (days(15) + SECOND, false)] {
        let mut records = trip.records("h", now() - ago);
        records.extend(trip.records("a", now()));
        let found = codes("CN", &records, &MemoryHistory::default());
        assert_eq!(found.contains(&"undeclared_cash"), expected, "{ago}: {found:?}");
    }
}

#[test]
fn a_rule_holds_or_not_at_the_very_value_it_names() {
    let ten = Field::Number(Decimal::TEN);
    for (how, expected) in [
        (Compare::Over, false),
        (Compare::AtLeast, true),
        (Compare::Under, false),
        (Compare::AtMost, true),
    ] {
        assert_eq!(Op::Compare(how, Decimal::TEN).holds(&ten), Some(expected), "{how:?}");
    }
    let day = date(2016, 11, 30);
    assert_eq!(Op::Since(day).holds(&Field::Day(day)), Some(true));
    assert_eq!(Op::Before(day).holds(&Field::Day(day)), Some(false));
}

#[test]
fn six_digits_are_a_telephone_and_five_are_not() {
    assert!(Key::of_phone("12-34-56").is_some());
    assert!(Key::of_phone("12-345").is_none());
}

#[test]
fn pyongyang_thirty_days_before_a_hub_is_remembered_to_the_second() {
    let by = |to| Trip { from: "VVO", to, counted: "1", ..PLAIN };
    let raised = |ago| raised("RU", "destination_inconsistent", by("PEK"), &[(by("FNJ"), ago)]);
    assert!(raised(days(30)));
    assert!(!raised(days(30) + SECOND));
    assert!(raised(SignedDuration::ZERO));
    assert!(!raised(-SECOND), "what comes after is not remembered");
}

#[test]
fn a_booking_is_together_for_seventy_two_hours_to_the_second() {
    let of = |person| Trip { person, group: Some(("booking", "BK-K")), ..PLAIN };
    for (ago, expected) in [(days(3), true), (days(3) + SECOND, false)] {
        let mut records = of("D1").records("k", now() - ago);
        records.extend(of("D2").records("l", now() - days(1)));
        records.extend(of("D3").records("m", now()));
        let found = codes("EU", &records, &MemoryHistory::default());
        assert_eq!(found.contains(&"structuring_group"), expected, "{ago}: {found:?}");
    }
}

#[test]
fn one_form_that_covers_a_family_to_the_penny_is_enough() {
    let of = |person, declared| Trip {
        person,
        group: Some(("family", "F")),
        currency: "GBP",
        counted: "6000",
        declared,
        ..PLAIN
    };
    for (declared, expected) in [("12000", false), ("11999.99", true)] {
        let mut records = of("D1", Some(declared)).records("k", now());
        records.extend(of("D2", None).records("l", now()));
        let found = codes("GB", &records, &MemoryHistory::default());
        assert_eq!(found.contains(&"group_threshold"), expected, "{declared}: {found:?}");
    }
}

#[test]
fn lists_applied_in_the_instant_of_the_decision_are_those_decided_by() {
    for (after, expected) in [(SignedDuration::ZERO, true), (SECOND, false)] {
        let mut records = PLAIN.records("a", now());
        let applied = json!({"station": "czprg/dep-01", "seq": 1, "at": now() + after,
            "source": {"agent": "test"}, "body": {"type": "policy_applied", "policy": "p1",
            "lists": {"un": "2026-05-01 abc"}}});
        records.push(serde_json::from_value(applied).unwrap());
        let found = codes("EU", &records, &MemoryHistory::default());
        assert_eq!(found.contains(&"stale_lists"), expected, "{after}: {found:?}");
    }
}

/// Lists in which an organisation may be that many others, asked for by this name.
struct Namesakes(&'static str, usize);

impl Screener for Namesakes {
    fn versions(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("own".to_owned(), "2026-06-01 given".to_owned())])
    }

    fn screen(&self, asked: &Asked) -> Vec<Listed> {
        let known = asked.names.iter().any(|name| name == self.0);
        let one = |number: usize| Listed {
            list: "own".to_owned(),
            entry: number.to_string(),
            kind: EntryKind::Organisation,
            name: self.0.to_owned(),
            programme: String::new(),
            listed_on: None,
            score: 0.8,
            evidence: 0.5,
            verdict: Verdict::Possible,
            explanation: Vec::new(),
        };
        if known { (0..self.1).map(one).collect() } else { Vec::new() }
    }
}

#[test]
fn three_letters_are_no_carriers_name_and_twelve_namesakes_are_all_said() {
    for (carrier, there, said) in
        [("KOZ", 1, 0), ("KOZA", 1, 1), ("KOZA", 12, 12), ("KOZA", 13, 12)]
    {
        let records = Trip { carrier, ..PLAIN }.records("a", now());
        let lists = Namesakes(carrier, there);
        let found = alerts("EU", lists, &records, &MemoryHistory::default());
        let hits: usize = found.iter().map(|alert| alert.hits.len()).sum();
        assert_eq!(hits, said, "{carrier}, {there}: {found:?}");
    }
}

/// The codes raised about crossings of one case: the first so long ago, the others now.
fn of_a_case(trips: &[Trip], first: SignedDuration) -> Vec<&'static str> {
    let mut records = Vec::new();
    for (place, trip) in trips.iter().enumerate() {
        let ago = if place == 0 { first } else { SignedDuration::ZERO };
        let inspection = ["k", "l", "m", "n", "o"][place];
        records.extend(trip.records(inspection, now() - ago));
    }
    codes("EU", &records, &MemoryHistory::default())
}

#[test]
fn the_fourth_courier_with_one_telephone_is_within_a_year_to_the_second() {
    let of = |person| Trip { person, declared: Some("9000"), owner: Some("Nordwind"), ..PLAIN };
    let couriers = ["D1", "D2", "D3", "D4"].map(of);
    assert!(of_a_case(&couriers, days(365)).contains(&"shared_address"));
    assert!(!of_a_case(&couriers, days(365) + SECOND).contains(&"shared_address"));
}

#[test]
fn the_fifth_release_by_one_officer_is_within_ninety_days_to_the_second() {
    let of = |person| Trip { person, released: true, ..PLAIN };
    let released = ["D1", "D2", "D3", "D4", "D5"].map(of);
    assert!(of_a_case(&released, days(90)).contains(&"collusion_pattern"));
    assert!(!of_a_case(&released, days(90) + SECOND).contains(&"collusion_pattern"));
}
