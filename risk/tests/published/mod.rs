//! OFAC's and the UN's whole lists, for the tests that ask them.
//!
//! The lists are not part of the project: `TIDEWAITER_SHARED_DATA` or `../shared/data` beside the
//! project names their folder; without it a test says so and ends.

use std::path::PathBuf;

use tidewaiter_risk::lists::{ListBundle, SourceFile, ofac, un};

/// The folder of shared data, if it is there; says so where it is not.
pub(crate) fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("TIDEWAITER_SHARED_DATA").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let found = named.into_iter().chain([beside]).find(|folder| folder.is_dir());
    if found.is_none() {
        println!("skipped: no shared data");
    }
    found
}

/// The published lists, if their folder is there.
pub(crate) fn published() -> Option<Vec<ListBundle>> {
    let folder = folder()?;
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let as_of = jiff::civil::date(2026, 11, 24);
    let ofac_files = ["ofac/sdn.csv", "ofac/add.csv", "ofac/alt.csv"].map(|n| (n, read(n)));
    let sources: Vec<SourceFile<'_>> =
        ofac_files.iter().map(|(name, bytes)| SourceFile { name, bytes }).collect();
    let ofac = ofac::import(&sources, "ofac", as_of).unwrap();
    let bytes = read("un/UN_consolidated.xml");
    let un = un::import(SourceFile { name: "un", bytes: &bytes }, "un", None).unwrap();
    Some(vec![ofac, un])
}
