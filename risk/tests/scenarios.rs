//! The scenarios of the project, run on the engine with the built-in pack.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a scenario that cannot be read fails the test"
)]
use std::path::PathBuf;

use tidewaiter_risk::engine::Engine;
use tidewaiter_risk::policy::PolicyPack;
use tidewaiter_risk::scenario::{Scenario, check};
use tidewaiter_risk::screening::Index;

fn engine() -> Engine {
    let pack = PolicyPack::built_in().unwrap();
    let rates = pack.rates.clone();
    Engine::new(pack, Index::built_in().unwrap(), rates)
}

fn scenarios() -> Vec<(PathBuf, Scenario)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let read = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).unwrap();
        let scenario = Scenario::parse(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        (file, scenario)
    };
    files.into_iter().map(read).collect()
}

#[test]
fn every_scenario_is_as_expected() {
    let engine = engine();
    let mut failed = Vec::new();
    for (file, scenario) in scenarios() {
        let differences = check(&scenario, &engine);
        if !differences.is_empty() {
            failed.push(format!("{}: {}", file.display(), differences.join("; ")));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
