//! What must hold for any records: order and repeats mean nothing, strangers take nothing away, and
//! a sum is a sum in any currency.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a scenario that cannot be read fails the test"
)]
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index as Pick;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tidewaiter_proto::alert::{Alert, AlertCode, Severity};
use tidewaiter_proto::record::Record;
use tidewaiter_risk::engine::{Case, Engine};
use tidewaiter_risk::policy::PolicyPack;
use tidewaiter_risk::scenario::{Scenario, ScenarioRates};
use tidewaiter_risk::screening::Index;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let pack = PolicyPack::built_in().unwrap();
    let rates = pack.rates.clone();
    Engine::new(pack, Index::built_in().unwrap(), rates)
});

/// Every scenario of the project, its history put among the records that are judged.
static STORIES: LazyLock<Vec<Scenario>> = LazyLock::new(|| {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |file: &PathBuf| {
        let text = std::fs::read_to_string(file).unwrap();
        let mut story =
            Scenario::parse(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        story.records.append(&mut story.history);
        story
    };
    files.iter().map(read).collect()
});

fn shuffled(records: Vec<Record>, seed: u64) -> Vec<Record> {
    let mut keyed: Vec<(u64, Record)> = records
        .into_iter()
        .enumerate()
        .map(|(at, record)| {
            let mixed = (at as u64 + 1).wrapping_mul(seed | 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (mixed.rotate_left(17) ^ seed, record)
        })
        .collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, record)| record).collect()
}

/// Somebody of another name, flight and country at the same desk, with an ordinary purse.
fn stranger(story: &Scenario, number: u32, amount: u32) -> Vec<Record> {
    let first = story.records.first().unwrap();
    let record = |seq: u64, body: Value| -> Record {
        let value = json!({"station": first.station, "epoch": 77, "seq": seq, "at": first.at,
            "inspection": "a-stranger", "source": {"agent": "test"}, "body": body});
        serde_json::from_value(value).unwrap()
    };
    vec![
        record(
            1,
            json!({"type": "inspection_opened", "direction": "entry", "role": "passenger",
            "channel": "green", "movement": {"mode": "air", "carrier": "QQ",
            "number": number.to_string(), "from": "LIS", "to": "GRU"}}),
        ),
        record(
            2,
            json!({"type": "document_read", "checks": {}, "document": {"type": "passport",
            "number": format!("STR{number}"), "issuing_state": "PRT", "surname": "DESCONHECIDO",
            "given_names": "ANTONIO", "date_of_birth": "1971-07-17", "nationality": "PRT"}}),
        ),
        record(
            3,
            json!({"type": "cash_counted", "count": 1, "blind": true, "officer": "o-str",
            "certainty": "exact", "items": [{"currency": "EUR", "denomination": "1",
            "pieces": amount}]}),
        ),
    ]
}

fn ids(alerts: &[Alert]) -> BTreeSet<&str> {
    alerts.iter().map(|alert| alert.id.as_str()).collect()
}

/// What an undeclared sum amounts to, where one XTS is worth `rate` units of EUR's opposite.
fn undeclared(currency: &str, amount: Decimal, rate: Decimal) -> Option<(Severity, String)> {
    let record = |seq: u64, body: Value| -> Record {
        let value = json!({"station": "czprg/arr-01", "seq": seq, "at": "2026-05-04T09:00:00Z",
            "inspection": "a", "source": {"agent": "test"}, "body": body});
        serde_json::from_value(value).unwrap()
    };
    let records = [
        record(
            1,
            json!({"type": "inspection_opened", "direction": "entry", "role": "passenger",
            "channel": "green", "movement": {"mode": "air", "from": "PEK", "to": "PRG"}}),
        ),
        record(
            2,
            json!({"type": "cash_counted", "count": 1, "blind": true, "officer": "o-1",
            "certainty": "exact", "items": [{"currency": currency,
            "denomination": amount.to_string(), "pieces": 1}]}),
        ),
    ];
    let rates: ScenarioRates = serde_json::from_value(
        json!({"date": "2026-05-04", "base": "EUR", "XTS": rate.to_string()}),
    )
    .unwrap();
    let engine = ENGINE.clone().with_rates(rates.fixed());
    let alerts = engine.assess(&Case::new("EU", records[1].at, &records));
    let found = alerts.iter().find(|alert| alert.code == AlertCode::UndeclaredCash)?;
    Some((found.severity, found.amount.unwrap().to_string()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn order_and_repeats_change_nothing_in_any_story(
        story in any::<Pick>(),
        repeats in prop::collection::vec(any::<Pick>(), 0..12),
        seed in any::<u64>(),
    ) {
        let mut story = story.get(&STORIES).clone();
        let expected = story.run(&ENGINE);
        let twice: Vec<Record> =
            repeats.iter().map(|pick| pick.get(&story.records).clone()).collect();
        story.records.extend(twice);
        story.records = shuffled(story.records, seed);
        prop_assert_eq!(story.run(&ENGINE), expected, "{}", story.name);
    }

    #[test]
    fn a_stranger_takes_no_alert_away(
        story in any::<Pick>(),
        number in 1u32..9999,
        amount in 0u32..5000,
        seed in any::<u64>(),
    ) {
        let mut story = story.get(&STORIES).clone();
        let before = story.run(&ENGINE);
        let more = stranger(&story, number, amount);
        story.records.extend(more);
        story.records = shuffled(story.records, seed);
        let after = story.run(&ENGINE);
        let gone: Vec<&str> = ids(&before).difference(&ids(&after)).copied().collect();
        prop_assert!(gone.is_empty(), "{}: {gone:?}", story.name);
    }

    /// Twice the units at half the worth: the same alert, to the cent.
    #[test]
    fn a_sum_weighs_the_same_in_any_currency(
        cents in 0i64..8_000_000,
        rate in prop::sample::select(vec!["0.5", "2", "4", "8", "10", "125", "1000", "0.01"]),
    ) {
        let amount = Decimal::new(cents, 2);
        let rate: Decimal = rate.parse().unwrap();
        let plain = undeclared("EUR", amount, rate);
        let scaled = undeclared("XTS", amount * rate, rate);
        prop_assert_eq!(&plain, &scaled);
        prop_assert_eq!(plain.is_some(), amount >= Decimal::from(10_000));
    }
}
