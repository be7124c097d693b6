//! What people asked of other rule engines and did not get, each as a test; what they complained of in
//! screening is in `screening.rs`, by the number of the complaint.

#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

use tidewaiter_proto::alert::AlertCode;
use tidewaiter_risk::engine::{Case, Engine, NoLists};
use tidewaiter_risk::history::MemoryHistory;
use tidewaiter_risk::policy::{PolicyFile, PolicyPack};
use tidewaiter_risk::rule::Status;
use tidewaiter_risk::scenario::Scenario;

/// A courier with three earlier trips.
const COURIER: &str = include_str!("../../tests/scenarios/courier-three-trips.json");

const RULE: &str = r#"
[[rule]]
id = "often-here"
version = "1"
title = "Often here of late"
status = "STATUS"
code = "sub_threshold_suspicion"
severity = "low"
weight = 1
owner = "policy"
text = "The traveller crossed {history.crossings_30d} times in the last thirty days."
legal_basis = "none: a test"
when = { field = "history.crossings_365d", at_least = 2 }
"#;

fn engine(status: &str) -> Engine {
    let text = RULE.replace("STATUS", status);
    let pack =
        PolicyPack::from_files(&[PolicyFile { name: "rules/own.toml", text: &text }]).unwrap();
    let rates = pack.rates.clone();
    Engine::new(pack, NoLists, rates)
}

/// What an engine raises about the courier, and what its rules in draft would raise.
fn raised(status: &str) -> (bool, bool) {
    let scenario = Scenario::parse(COURIER).unwrap();
    let history = MemoryHistory::of(&scenario.history);
    let engine = engine(status);
    let case = Case::new(&scenario.jurisdiction, scenario.now, &scenario.records);
    let case = case.with_history(&history);
    let is_it = |alerts: Vec<tidewaiter_proto::alert::Alert>| {
        alerts.iter().any(|alert| {
            alert.code == AlertCode::SubThresholdSuspicion
                && alert.reasons.iter().any(|reason| reason.rule == "often-here")
        })
    };
    (is_it(engine.assess(&case)), is_it(engine.others(&[Status::Draft], &case)))
}

// GTAS#938: a rule that hits on travel history: what came before is a field like any other.
#[test]
fn a_rule_hits_on_travel_history() {
    assert_eq!(raised("active"), (true, false));
}

// GTAS#1720: see what a rule would hit before it is in force.
#[test]
fn hits_of_a_draft_are_seen_and_not_raised() {
    assert_eq!(raised("draft"), (false, true));
}
