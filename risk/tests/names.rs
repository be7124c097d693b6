//! The name matcher on labelled pairs, where a folder of them is there.
//!
//! The pairs are data of others and not part of the project: `TIDEWAITER_SHARED_DATA` or
//! `../shared/data` beside the project names their folder; without it the test says so and ends.

use std::path::PathBuf;

use tidewaiter_risk::screening::Matcher;

/// The folder of shared data, if it is there.
fn shared() -> Option<PathBuf> {
    let named = std::env::var_os("TIDEWAITER_SHARED_DATA").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    named.into_iter().chain([beside]).find(|folder| folder.is_dir())
}

#[derive(Default, Debug)]
struct Measured {
    right: u32,
    wrong: u32,
    missed: u32,
}

impl Measured {
    fn add(&mut self, score: f64, is_match: bool) {
        match (score >= 0.7, is_match) {
            (true, true) => self.right += 1,
            (true, false) => self.wrong += 1,
            (false, true) => self.missed += 1,
            (false, false) => {}
        }
    }

    fn precision(&self) -> f64 {
        f64::from(self.right) / f64::from((self.right + self.wrong).max(1))
    }

    fn recall(&self) -> f64 {
        f64::from(self.right) / f64::from((self.right + self.missed).max(1))
    }

    fn f1(&self) -> f64 {
        let (p, r) = (self.precision(), self.recall());
        2.0 * p * r / (p + r).max(f64::MIN_POSITIVE)
    }
}

#[test]
fn labelled_pairs_are_told_apart() {
    let Some(folder) = shared() else {
        println!("skipped: no shared data");
        return;
    };
    let mut reader = csv::Reader::from_path(folder.join("names/name-pairs.csv")).unwrap();
    let (mut tuned, mut kept) = (Measured::default(), Measured::default());
    for (at, row) in reader.records().enumerate() {
        let row = row.unwrap();
        let (schema, a, b) = (&row[1], &row[2], &row[3]);
        let is_match = &row[4] == "true";
        let score = Matcher::score(schema, a, b);
        // Every third pair was kept aside while the weights were chosen.
        if at % 3 == 2 {
            kept.add(score, is_match);
        } else {
            tuned.add(score, is_match);
        }
        if (score >= 0.7) != is_match && std::env::var_os("TIDEWAITER_SHOW_MISSES").is_some() {
            println!("{} {score:.3} {is_match} {schema}: {a} | {b}", at % 3);
        }
    }
    for (name, measured) in [("tuned on", &tuned), ("kept aside", &kept)] {
        println!(
            "{name}: precision {:.3} recall {:.3} F1 {:.3} {measured:?}",
            measured.precision(),
            measured.recall(),
            measured.f1()
        );
    }
}
