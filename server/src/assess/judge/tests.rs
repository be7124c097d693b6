//! The judge on the project's own scenarios, an inspection at a time, as a server sees them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tidewaiter_proto::alert::AlertCode;
use tidewaiter_proto::record::Record;
use tidewaiter_risk::scenario::Scenario;

use super::Judge;
use crate::authority::Authority;
use crate::configuration::Policy;

fn judge() -> Judge {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::open(directory.path()).unwrap();
    Judge::open(&Policy::default(), &authority).unwrap()
}

fn scenario(name: &str) -> Scenario {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios");
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    Scenario::parse(&text).unwrap()
}

/// All records by inspection, the one that began first first.
fn inspections(scenario: &Scenario) -> Vec<Vec<Record>> {
    let mut by_name: BTreeMap<String, Vec<Record>> = BTreeMap::new();
    for record in scenario.history.iter().chain(&scenario.records) {
        let name = format!("{} {}", record.station, record.inspection.clone().unwrap_or_default());
        by_name.entry(name).or_default().push(record.clone());
    }
    let mut all: Vec<Vec<Record>> = by_name.into_values().collect();
    all.sort_by_key(|records| records.iter().map(|record| record.at).min());
    all
}

#[test]
fn a_case_is_judged_by_the_built_in_law_and_carries_a_subject() {
    let judge = judge();
    let scenario = scenario("vladivostok-2018-shoe-box");
    let judged = judge.judge(&scenario.records[0].station, scenario.now, &scenario.records);
    let undeclared =
        judged.alerts.iter().find(|alert| alert.code == AlertCode::UndeclaredCash).unwrap();
    assert_eq!(undeclared.subject.as_ref().map(String::len), Some(32));
    assert!(judged.digest_of(&scenario.records[0].station, "a").is_some());
    assert!(judge.versions().contains_key("policy") && judge.versions().contains_key("ofac"));
}

#[test]
fn what_is_remembered_of_earlier_crossings_shows_the_pattern() {
    let mut judge = judge();
    let scenario = scenario("structuring-three-trips");
    let mut last = Vec::new();
    for records in inspections(&scenario) {
        let station = records[0].station.clone();
        let judged = judge.judge(&station, scenario.now, &records);
        let name = records[0].inspection.clone().unwrap();
        judge.remember(&judged.digest_of(&station, &name).unwrap());
        last = judged.alerts;
    }
    assert!(last.iter().any(|alert| alert.code == AlertCode::StructuringTemporal), "{last:?}");
    // What cannot be read is left out.
    judge.remember("{}");
}

#[test]
fn the_law_is_that_of_the_site_unless_one_is_configured() {
    let now: Timestamp = "2024-05-01T00:00:00Z".parse().unwrap();
    let mut judge = judge();
    let law = |judge: &Judge, station: &str| judge.jurisdiction_of(&station.parse().unwrap(), now);
    assert_eq!(law(&judge, "ruvvo/dep-07"), "RU");
    assert_eq!(law(&judge, "frcdg/a"), "EU");
    assert_eq!(law(&judge, "jpnrt/a"), "JP");
    judge.jurisdiction = Some("KZ".to_owned());
    assert_eq!(law(&judge, "ruvvo/dep-07"), "KZ");
}

const SHADOW: &str = r#"
[[rule]]
id = "crew-any"
version = "2"
title = "Any crew"
status = "shadow"
code = "crew_cash"
severity = "low"
text = "A {role} crosses."
legal_basis = "none"
when = { field = "role", one_of = ["crew", "master"] }

[[rule]]
id = "written-only"
version = "1"
title = "Being written"
status = "draft"
code = "crew_cash"
severity = "low"
text = "x"
legal_basis = "none"
when = { field = "role", known = true }
"#;

#[test]
fn a_rule_in_shadow_is_compared_and_never_raised() {
    let directory = tempfile::tempdir().unwrap();
    let rules = directory.path().join("rules");
    std::fs::create_dir(&rules).unwrap();
    std::fs::write(rules.join("shadow.toml"), SHADOW).unwrap();
    let policy = Policy { directory: Some(directory.path().into()), ..Policy::default() };
    let authority = Authority::open(&directory.path().join("keys")).unwrap();
    let judge = Judge::open(&policy, &authority).unwrap();
    assert!(judge.has_shadow());
    let scenario = scenario("vladivostok-2018-ship-master");
    let station = &scenario.records[0].station;
    let judged = judge.judge(station, scenario.now, &scenario.records);
    assert!(judged.alerts.iter().all(|alert| alert.code != AlertCode::CrewCash));
    let inspection = scenario.records[0].inspection.clone().unwrap();
    let hits = judged.shadow_of(&inspection);
    assert_eq!(hits.len(), 1, "{hits:?}");
    assert_eq!((hits[0].rule.as_str(), hits[0].version.as_str()), ("crew-any", "2"));
    assert!(!hits[0].also);
    assert!(judged.shadow_of("another").is_empty());
}
