//! Each side of a limit, and that the order of records does not matter.

#![expect(clippy::unwrap_used, reason = "a record that cannot be read fails the test")]

use proptest::prelude::*;
use serde_json::{Value, json};
use tidewaiter_proto::alert::{Alert, AlertCode, Severity};
use tidewaiter_proto::record::Record;
use tidewaiter_risk::engine::{Case, Engine, NoLists};
use tidewaiter_risk::policy::PolicyPack;
use tidewaiter_risk::scenario::Scenario;

fn engine() -> Engine {
    let pack = PolicyPack::built_in().unwrap();
    let rates = pack.rates.clone();
    Engine::new(pack, NoLists, rates)
}

/// One traveller: a movement, a passport, and what was counted.
fn traveller(day: &str, direction: &str, from: &str, to: &str, items: Value) -> Vec<Record> {
    let record = |seq: u64, minute: u64, body: Value| {
        let at = format!("{day}T09:{minute:02}:00Z");
        let value = json!({"station": "xxabc/lane-01", "seq": seq, "at": at, "inspection": "a",
            "source": {"agent": "test"}, "body": body});
        serde_json::from_value::<Record>(value).unwrap()
    };
    vec![
        record(
            1,
            0,
            json!({"type": "inspection_opened", "direction": direction,
            "role": "passenger", "channel": "green",
            "movement": {"mode": "air", "carrier": "ZZ", "number": "1", "from": from, "to": to}}),
        ),
        record(
            2,
            1,
            json!({"type": "document_read", "checks": {}, "document": {
            "type": "passport", "number": "X1", "issuing_state": "POL", "surname": "NOWAK",
            "given_names": "JAN", "date_of_birth": "1980-01-01", "nationality": "POL"}}),
        ),
        record(
            3,
            2,
            json!({"type": "cash_counted", "count": 1, "blind": true, "officer": "o-1",
            "certainty": "exact", "items": items}),
        ),
    ]
}

fn sum(currency: &str, amount: &str) -> Value {
    json!([{"currency": currency, "denomination": amount, "pieces": 1}])
}

fn alerts(jurisdiction: &str, records: &[Record]) -> Vec<Alert> {
    let now = records.iter().map(|record| record.at).max().unwrap();
    engine().assess(&Case::new(jurisdiction, now, records))
}

fn undeclared(jurisdiction: &str, records: &[Record]) -> Option<Severity> {
    let alerts = alerts(jurisdiction, records);
    alerts.iter().find(|a| a.code == AlertCode::UndeclaredCash).map(|a| a.severity)
}

#[test]
fn some_laws_count_the_limit_itself_and_others_only_more() {
    let cases = [
        ("EU", "entry", "PEK", "WAW", "EUR", "9999.99", "10000"),
        ("US", "entry", "PEK", "LAX", "USD", "10000", "10000.01"),
        ("RU", "exit", "VVO", "ICN", "USD", "10000", "10000.01"),
        ("QA", "entry", "PEK", "DOH", "QAR", "49999.99", "50000"),
        ("JP", "exit", "NRT", "PEK", "JPY", "1000000", "1000001"),
    ];
    for (law, direction, from, to, currency, below, over) in cases {
        let at = |amount| traveller("2025-05-04", direction, from, to, sum(currency, amount));
        assert_eq!(undeclared(law, &at(below)), None, "{law} {below}");
        assert!(undeclared(law, &at(over)).is_some(), "{law} {over}");
    }
}

#[test]
fn the_limit_for_north_korea_holds_for_north_korea_only() {
    let to = |to| traveller("2025-05-04", "exit", "NRT", to, sum("JPY", "150000"));
    assert_eq!(undeclared("JP", &to("PEK")), None);
    assert!(undeclared("JP", &to("FNJ")).is_some());
}

#[test]
fn the_excess_decides_the_severity() {
    let at = |amount| {
        undeclared("EU", &traveller("2026-05-04", "entry", "PEK", "WAW", sum("EUR", amount)))
    };
    assert_eq!(at("10000"), Some(Severity::Medium));
    assert_eq!(at("29999.99"), Some(Severity::Medium));
    assert_eq!(at("30000"), Some(Severity::High));
    assert_eq!(at("59999.99"), Some(Severity::High));
    assert_eq!(at("60000"), Some(Severity::Critical));
}

#[test]
fn the_law_is_that_of_the_day() {
    let has_ban = |day| {
        let records = traveller(day, "exit", "VVO", "ICN", sum("USD", "20000"));
        alerts("RU", &records).iter().any(|a| a.code == AlertCode::ExportProhibited)
    };
    assert!(!has_ban("2018-11-16"));
    assert!(has_ban("2026-01-16"));
}

#[test]
fn a_currency_without_a_rate_is_never_nothing() {
    let items = json!([{"currency": "EUR", "denomination": "9000", "pieces": 1},
        {"currency": "XTS", "denomination": "1", "pieces": 5}]);
    let found = alerts("EU", &traveller("2026-05-04", "entry", "PEK", "WAW", items));
    let missing = found.iter().find(|a| a.code == AlertCode::RateMissing).unwrap();
    assert!(missing.severity >= Severity::Medium);
    assert!(found.iter().all(|a| a.code != AlertCode::UndeclaredCash));
}

#[test]
fn counts_that_disagree_say_nothing_about_amounts() {
    let mut records = traveller("2026-05-04", "entry", "PEK", "WAW", sum("EUR", "61200"));
    let mut second = records.last().unwrap().clone();
    second.seq = 4;
    let body = json!({"type": "cash_counted", "count": 2, "blind": true, "officer": "o-2",
        "certainty": "exact", "items": sum("EUR", "61000")});
    second.body = serde_json::from_value(body).unwrap();
    records.push(second);
    let codes: Vec<AlertCode> = alerts("EU", &records).iter().map(|a| a.code).collect();
    assert_eq!(codes, [AlertCode::RecountRequired]);
}

const STORIES: [&str; 3] = [
    include_str!("../../tests/scenarios/vladivostok-2018-shoe-box.json"),
    include_str!("../../tests/scenarios/tourists-to-beijing.json"),
    include_str!("../../tests/scenarios/structuring-three-trips.json"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Records may come twice and in any order.
    #[test]
    fn order_and_repeats_change_nothing(
        story in 0..STORIES.len(),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        seed in prop::collection::vec(any::<u32>(), 64),
    ) {
        let mut scenario = Scenario::parse(STORIES[story]).unwrap();
        // All in the case, so that patterns over several crossings are looked at too.
        scenario.records.append(&mut scenario.history);
        let engine = engine();
        let expected = scenario.run(&engine);
        let repeats: Vec<Record> =
            picks.iter().map(|pick| pick.get(&scenario.records).clone()).collect();
        scenario.records.extend(repeats);
        let mut order: Vec<(u32, Record)> = scenario
            .records
            .drain(..)
            .enumerate()
            .map(|(at, record)| (seed[at % seed.len()], record))
            .collect();
        order.sort_by_key(|(key, _)| *key);
        scenario.records = order.into_iter().map(|(_, record)| record).collect();
        prop_assert_eq!(scenario.run(&engine), expected);
    }
}
