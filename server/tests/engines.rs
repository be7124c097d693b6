//! The station's engine and the server's, on the same records: whoever judges, the same is found.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails where it panics")]

use std::path::PathBuf;

use tidewaiter_bridge::assess::Assessor;
use tidewaiter_proto::alert::{Alert, AlertCode};
use tidewaiter_risk::crossing::assemble;
use tidewaiter_risk::history::Digest;
use tidewaiter_risk::scenario::Scenario;
use tidewaiter_server::assess::judge::Judge;
use tidewaiter_server::authority::Authority;
use tidewaiter_server::configuration::Policy;

fn scenarios() -> Vec<Scenario> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .iter()
        .map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            Scenario::parse(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
        })
        .collect()
}

/// What two engines must agree on: everything but the token, which only the server's key makes, and
/// the age of the station's own lists, which a server knows from its `policy_applied` alone.
fn told(alerts: &[Alert]) -> Vec<Alert> {
    let told = alerts.iter().filter(|alert| alert.code != AlertCode::StaleLists);
    told.map(|alert| Alert { subject: None, ..alert.clone() }).collect()
}

#[test]
fn station_and_server_find_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::open(directory.path()).unwrap();
    let mut found = 0;
    for scenario in scenarios() {
        let policy =
            Policy { jurisdiction: Some(scenario.jurisdiction.clone()), ..Policy::default() };
        let mut judge = Judge::open(&policy, &authority).unwrap();
        for crossing in &assemble(&scenario.history).crossings {
            let digest = Digest::of(crossing).unwrap();
            judge.remember(&serde_json::to_string(&digest).unwrap());
        }
        let mut station =
            Assessor::built_in(scenario.jurisdiction.clone(), &scenario.history).unwrap();
        let here = station.assess(scenario.now, &scenario.records);
        let place = &scenario.records.first().unwrap().station;
        let there = judge.judge(place, scenario.now, &scenario.records).alerts;
        assert_eq!(told(&here), told(&there), "{}", scenario.name);
        found += here.len();
    }
    assert!(found > 100, "{found} alerts are too few to compare");
}
