//! Scenarios that need lists, judged with the publishers' own files as bundles.
//!
//! The files are not part of the project: `TIDEWAITER_SHARED_DATA` or `../shared/data` beside the
//! project names their folder, and `scenarios` lies beside it; without them the test says so and ends.

#![expect(clippy::unwrap_used, reason = "a file that cannot be read fails the test")]

mod published;

use tidewaiter_risk::engine::Engine;
use tidewaiter_risk::lists::{ListBundle, SourceFile, plain, read_bundle, write_bundle};
use tidewaiter_risk::policy::PolicyPack;
use tidewaiter_risk::scenario::{Scenario, check};
use tidewaiter_risk::screening::Index;

/// OFAC, the UN, and the EU's list in the plain format, each through its file on disk.
fn bundles() -> Option<Vec<ListBundle>> {
    let mut bundles = published::published()?;
    let bytes = std::fs::read(published::folder()?.join("eu/eu-sample.csv")).unwrap();
    let file = SourceFile { name: "eu-sample.csv", bytes: &bytes };
    bundles.push(plain::import(&[file], "eu", bundles[0].as_of, "a sample").unwrap());
    let through_a_file = |bundle: &ListBundle| {
        let bytes = write_bundle(bundle);
        read_bundle(SourceFile { name: "bundle", bytes: &bytes }).unwrap()
    };
    Some(bundles.iter().map(through_a_file).collect())
}

#[test]
fn scenarios_that_need_lists_pass_with_the_published_ones() {
    let Some(bundles) = bundles() else { return };
    let folder = published::folder().unwrap().join("../scenarios");
    let pack = PolicyPack::built_in().unwrap();
    let rates = pack.rates.clone();
    let mut failed = Vec::new();
    for name in ["recipient-rungrado", "vladivostok-2018-shoe-box"] {
        let Ok(text) = std::fs::read_to_string(folder.join(format!("{name}.json"))) else {
            println!("skipped: no scenario {name}");
            continue;
        };
        let scenario = Scenario::parse(&text).unwrap();
        let wanted: Vec<ListBundle> =
            bundles.iter().filter(|list| scenario.lists.contains(&list.name)).cloned().collect();
        assert_eq!(wanted.len(), scenario.lists.len(), "{name} needs {:?}", scenario.lists);
        let engine = Engine::new(pack.clone(), Index::new(wanted), rates.clone());
        let differences = check(&scenario, &engine);
        if !differences.is_empty() {
            failed.push(format!("{name}: {}", differences.join("; ")));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
