//! The scenarios of the project, run on the engine with the built-in pack.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a scenario that cannot be read fails the test"
)]
use std::path::PathBuf;

use tidewaiter_risk::engine::{Engine, NoLists};
use tidewaiter_risk::policy::PolicyPack;
use tidewaiter_risk::scenario::{Scenario, check};

fn engine() -> Engine {
    let pack = PolicyPack::built_in().unwrap();
    let rates = pack.rates.clone();
    Engine::new(pack, NoLists, rates)
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

/// Scenarios that ask for a hit on a list, and what they lack as long as the engine screens no lists.
/// Held to exactly that, so that this table shrinks when screening comes.
const WITHOUT_SCREENING: &[(&str, &[&str])] = &[
    (
        "recipient-rungrado",
        &["missing list_match inspection a entry 19613", "nothing recommends freeze"],
    ),
    ("vladivostok-2018-shoe-box", &["missing list_match inspection a entry 20520"]),
];

#[test]
fn every_scenario_is_as_expected() {
    let engine = engine();
    let mut failed = Vec::new();
    for (file, scenario) in scenarios() {
        let known = WITHOUT_SCREENING.iter().find(|(name, _)| *name == scenario.name);
        let lacking: &[&str] = known.map_or(&[], |(_, lacking)| lacking);
        let differences = check(&scenario, &engine);
        if differences != lacking {
            failed.push(format!("{}: {}", file.display(), differences.join("; ")));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
