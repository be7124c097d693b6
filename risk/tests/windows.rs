//! The windows and counts of patterns over history, at their very edge: a second or an owner more.

#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tidewaiter_proto::record::Record;
use tidewaiter_risk::engine::{Case, Engine, NoLists};
use tidewaiter_risk::history::MemoryHistory;
use tidewaiter_risk::policy::PolicyPack;

/// One crossing of the one traveller of these tests.
#[derive(Clone, Copy)]
struct Trip {
    direction: &'static str,
    currency: &'static str,
    counted: &'static str,
    declared: Option<&'static str>,
    /// The company whose cash it is; the carrier's own without.
    owner: Option<&'static str>,
}

impl Trip {
    fn records(self, inspection: &str, at: Timestamp) -> Vec<Record> {
        let mut bodies = vec![
            json!({"type": "inspection_opened", "direction": self.direction, "role": "passenger",
                "channel": "red", "movement": {"mode": "air", "from": "PRG", "to": "PEK"}}),
            json!({"type": "document_read", "checks": {}, "document": {"type": "passport",
                "number": "D1", "issuing_state": "POL", "surname": "NOWAK", "given_names": "JAN"}}),
        ];
        let owner = self.owner.map_or(
            json!("self"),
            |name| json!({"kind": "organisation", "name": name, "registration_country": "DE"}),
        );
        bodies.extend(self.declared.map(|amount| {
            json!({"type": "declaration_made", "reference": format!("CZ-{inspection}"),
                "form": "generic", "items": [{"kind": "currency", "currency": self.currency,
                "amount": amount}], "owner": owner, "recipient": "self", "provenance": ["labour"],
                "intended_use": ["personal"], "signed_at": at})
        }));
        bodies.push(json!({"type": "cash_counted", "count": 1, "blind": true, "officer": "o",
            "certainty": "exact", "items": [{"currency": self.currency,
            "denomination": self.counted, "pieces": 1}]}));
        let base = inspection.bytes().map(u64::from).sum::<u64>() * 100;
        let record = |(seq, body): (u64, Value)| -> Record {
            let record = json!({"station": "czprg/dep-01", "seq": seq, "at": at,
                "inspection": inspection, "source": {"agent": "test"}, "body": body});
            serde_json::from_value(record).unwrap()
        };
        (base..).zip(bodies).map(record).collect()
    }
}

/// Whether a code is raised about a trip now, after others: each with its hours before.
fn raised(law: &str, code: &str, own: Trip, before: &[(Trip, SignedDuration)]) -> bool {
    let pack = PolicyPack::built_in().unwrap();
    let rates = pack.rates.clone();
    let engine = Engine::new(pack, NoLists, rates);
    let now: Timestamp = "2026-06-01T06:00:00Z".parse().unwrap();
    let mut history = MemoryHistory::default();
    for (place, (trip, ago)) in before.iter().enumerate() {
        let records = trip.records(&format!("h{place}"), now - *ago);
        let earlier = tidewaiter_risk::crossing::assemble(&records);
        history
            .extend(earlier.crossings.iter().flat_map(tidewaiter_risk::history::Digest::of_each));
    }
    let records = own.records("a", now);
    let case = Case::new(law, now, &records).with_history(&history);
    engine.assess(&case).iter().any(|alert| alert.code.as_str() == code)
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

const SECOND: SignedDuration = SignedDuration::from_secs(1);

#[test]
fn the_third_trip_under_the_limit_is_within_thirty_days_to_the_second() {
    let under =
        Trip { direction: "exit", currency: "EUR", counted: "9000", declared: None, owner: None };
    let trips = |first| [(under, first), (under, days(10))];
    assert!(raised("EU", "structuring_temporal", under, &trips(days(30))));
    assert!(!raised("EU", "structuring_temporal", under, &trips(days(30) + SECOND)));
}

#[test]
fn a_courier_is_one_of_two_owners_within_sixty_days_to_the_second() {
    let of = |owner| Trip {
        direction: "exit",
        currency: "EUR",
        counted: "12000",
        declared: Some("12000"),
        owner: Some(owner),
    };
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
        owner: None,
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
