//! Bounds that no story of the built-in pack reaches: a tolerance, days of history, one's own digest.

#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

use serde_json::{Value, json};
use tidewaiter_proto::record::Record;
use tidewaiter_risk::engine::{Case, Engine, NoLists};
use tidewaiter_risk::history::MemoryHistory;
use tidewaiter_risk::policy::{PolicyFile, PolicyPack};

fn engine(file: PolicyFile<'_>) -> Engine {
    let pack = PolicyPack::from_files(&[file]).unwrap();
    let rates = pack.rates.clone();
    Engine::new(pack, NoLists, rates)
}

fn record(seq: u64, at: &str, inspection: &str, body: Value) -> Record {
    let mut record = json!({"station": "cnpek/dep-01", "seq": seq, "at": at,
        "inspection": inspection, "source": {"agent": "test"}});
    record["body"] = body;
    serde_json::from_value(record).unwrap()
}

/// A traveller who leaves with this much, perhaps declared.
fn traveller(inspection: &str, at: &str, counted: &str, declared: Option<&str>) -> Vec<Record> {
    let opened = json!({"type": "inspection_opened", "direction": "exit", "role": "passenger",
        "channel": "red", "movement": {"mode": "air", "from": "PEK", "to": "PRG"}});
    let document = json!({"type": "document_read", "checks": {}, "document": {"type": "passport",
        "number": "D1", "issuing_state": "POL", "surname": "NOWAK", "given_names": "JAN"}});
    let count = json!({"type": "cash_counted", "count": 1, "blind": true, "officer": "o",
        "certainty": "exact", "items": [{"currency": "USD", "denomination": counted, "pieces": 1}]});
    let mut bodies = vec![opened, document];
    bodies.extend(declared.map(|amount| {
        json!({"type": "declaration_made", "reference": inspection, "form": "generic",
            "items": [{"kind": "currency", "currency": "USD", "amount": amount}], "owner": "self",
            "recipient": "self", "provenance": ["labour"], "intended_use": ["personal"],
            "signed_at": at})
    }));
    bodies.push(count);
    let base = inspection.bytes().map(u64::from).sum::<u64>() * 100;
    (base..).zip(bodies).map(|(seq, body)| record(seq, at, inspection, body)).collect()
}

fn codes(engine: &Engine, records: &[Record], history: &MemoryHistory) -> Vec<&'static str> {
    let now = "2026-06-02T00:00:00Z".parse().unwrap();
    let case = Case::new("CN", now, records).with_history(history);
    engine.assess(&case).iter().map(|alert| alert.code.as_str()).collect()
}

const AT: &str = "2026-06-01T06:00:00Z";

#[test]
fn a_difference_within_the_tolerance_is_borne_and_a_cent_more_is_not() {
    let patterns = PolicyPack::built_in_files();
    let patterns = patterns.iter().find(|file| file.name == "patterns.toml").unwrap().text;
    let borne = patterns.replace("tolerance = \"0\"", "tolerance = \"0.01\"");
    assert_ne!(borne, patterns);
    let engine = engine(PolicyFile { name: "patterns.toml", text: &borne });
    let none = MemoryHistory::default();
    for (counted, expected) in [("20200", false), ("20200.01", true)] {
        let found = codes(&engine, &traveller("a", AT, counted, Some("20000")), &none);
        assert_eq!(found.contains(&"false_declaration"), expected, "{counted}: {found:?}");
    }
}

#[test]
fn crossings_of_thirty_days_are_counted_to_the_second_and_never_this_one() {
    let rule = r#"
[[rule]]
id = "often"
version = "1"
title = "Crossed before"
status = "active"
code = "sub_threshold_suspicion"
severity = "low"
owner = "test"
text = "{history.crossings_30d} crossings."
legal_basis = "test"
when = { field = "history.crossings_30d", at_least = "1" }
"#;
    let engine = engine(PolicyFile { name: "rules/own.toml", text: rule });
    let own = traveller("a", AT, "1", None);
    for (before, expected) in
        [(AT, false), ("2026-05-02T06:00:00Z", true), ("2026-05-02T05:59:59Z", false)]
    {
        let history = MemoryHistory::of(&traveller("h", before, "1", None));
        let found = codes(&engine, &own, &history);
        assert_eq!(found.contains(&"sub_threshold_suspicion"), expected, "{before}: {found:?}");
    }
}

#[test]
fn an_inspection_that_is_assessed_again_is_no_second_exit() {
    let engine = engine(PolicyPack::built_in_files()[0]);
    let own = traveller("a", AT, "2000", None);
    assert_eq!(codes(&engine, &own, &MemoryHistory::of(&own)), [""; 0]);
    let earlier = traveller("h", "2026-05-31T06:00:00Z", "1", None);
    let found = codes(&engine, &own, &MemoryHistory::of(&earlier));
    assert_eq!(found, ["undeclared_cash"]);
}
