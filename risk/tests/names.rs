//! The name matcher on labelled pairs, where a folder of them is there.
//!
//! The pairs are data of others and not part of the project: `TIDEWAITER_SHARED_DATA` or
//! `../shared/data` beside the project names their folder; without it the test says so and ends.

#![expect(clippy::unwrap_used, reason = "a file that cannot be read fails the test")]

#[expect(dead_code, reason = "only the folder is asked for here")]
mod published;

use std::collections::BTreeMap;

use published::folder;
use tidewaiter_risk::screening::Matcher;

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

    fn tell(&self, name: &str) {
        println!(
            "{name}: precision {:.3} recall {:.3} F1 {:.3} {self:?}",
            self.precision(),
            self.recall(),
            self.f1()
        );
    }

    fn f1(&self) -> f64 {
        let (p, r) = (self.precision(), self.recall());
        2.0 * p * r / (p + r).max(f64::MIN_POSITIVE)
    }
}

#[test]
fn labelled_pairs_are_told_apart() {
    let Some(folder) = folder() else { return };
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
    // The floor that is asked of such pairs is 0.85.
    for (name, measured, least) in [("tuned on", &tuned, 0.88), ("kept aside", &kept, 0.85)] {
        measured.tell(name);
        assert!(measured.f1() >= least, "{name}: {measured:?}");
    }
}

/// The name fields of one side of a check.
type Fields = BTreeMap<String, String>;

/// The checks of a file: whether it is a match, of what, and the two names.
///
/// The file is YAML of one shape: a list, each with `match`, `schema` and two records of name fields.
fn checks(text: &str) -> Vec<(bool, String, [String; 2])> {
    let mut checks: Vec<(bool, String, [Fields; 2])> = Vec::new();
    let mut side = 0;
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let Some((key, value)) = line.trim_start_matches(['-', ' ']).split_once(':') else {
            continue;
        };
        let value = value.trim().trim_matches(['"', '\'']).to_owned();
        if key == "match" {
            checks.push((value == "true", String::new(), Default::default()));
            continue;
        }
        let Some((_, schema, sides)) = checks.last_mut() else { continue };
        match key {
            "schema" => *schema = value,
            "query" => side = 0,
            "candidate" => side = 1,
            field => {
                sides[side].insert(field.to_owned(), value);
            }
        }
    }
    let whole = |fields: &Fields| {
        let order = ["firstName", "middleName", "fatherName", "lastName"];
        let parts: Vec<&str> =
            order.iter().filter_map(|key| fields.get(*key)).map(String::as_str).collect();
        fields.get("name").cloned().unwrap_or_else(|| parts.join(" "))
    };
    checks
        .into_iter()
        .map(|(is_match, schema, sides)| (is_match, schema, [whole(&sides[0]), whole(&sides[1])]))
        .collect()
}

#[test]
fn checks_of_entities_are_told_apart() {
    let Some(folder) = folder() else { return };
    let text = std::fs::read_to_string(folder.join("names/entity-checks.yml")).unwrap();
    let checks = checks(&text);
    assert!(checks.len() > 200, "{} checks", checks.len());
    let (mut tuned, mut kept) = (Measured::default(), Measured::default());
    for (at, (is_match, schema, [a, b])) in checks.into_iter().enumerate() {
        let score = Matcher::score(&schema, &a, &b);
        // Every third was kept aside while rules and weights were chosen.
        if at % 3 == 2 {
            kept.add(score, is_match);
        } else {
            tuned.add(score, is_match);
        }
        if (score >= 0.7) != is_match && std::env::var_os("TIDEWAITER_SHOW_MISSES").is_some() {
            println!("{} {score:.3} {is_match} {schema}: {a} | {b}", at % 3);
        }
    }
    let all = Measured {
        right: tuned.right + kept.right,
        wrong: tuned.wrong + kept.wrong,
        missed: tuned.missed + kept.missed,
    };
    // What is asked is 0.93 of all; the best open matcher is at 0.915.
    for (name, measured, least) in
        [("checks tuned on", &tuned, 0.93), ("checks kept aside", &kept, 0.9), ("all", &all, 0.93)]
    {
        measured.tell(name);
        assert!(measured.f1() >= least, "{name}: {measured:?}");
    }
}

/// Pairs like the labelled ones, written by hand from public spellings before the names were looked at
/// with this matcher.
#[test]
fn pairs_of_our_own_are_told_apart() {
    let mut reader = csv::Reader::from_reader(include_str!("data/pairs.csv").as_bytes());
    let mut measured = Measured::default();
    for row in reader.records() {
        let row = row.unwrap();
        let score = Matcher::score(&row[0], &row[1], &row[2]);
        let is_match = &row[3] == "true";
        measured.add(score, is_match);
        if (score >= 0.7) != is_match {
            println!("{score:.3} {is_match} {}: {} | {}", &row[0], &row[1], &row[2]);
        }
    }
    measured.tell("pairs of our own");
    assert!(measured.f1() >= 0.85, "{measured:?}");
}
