//! Screening against whole published lists, where a folder of them is there.

#![expect(clippy::unwrap_used, reason = "a file that cannot be read fails the test")]

mod published;

use std::time::{Duration, Instant};

use published::published;
use tidewaiter_risk::lists::ListBundle;
use tidewaiter_risk::screening::{Asked, AskedKind, Index};

/// Names as a station might read them: the lists' own, bent by rule.
fn questions(bundles: &[ListBundle], step: usize) -> Vec<Asked> {
    let mut asked = Vec::new();
    let entries = bundles.iter().flat_map(|bundle| &bundle.entries);
    for (at, entry) in entries.enumerate().filter(|(at, _)| at % step == 0) {
        let name = entry.names().nth(at % 3).map_or(entry.name.as_str(), |(name, _)| name);
        let words: Vec<&str> = name.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        let bent = match at % 5 {
            0 => name.to_owned(),
            1 => words.iter().rev().copied().collect::<Vec<_>>().join(" "),
            2 => words.concat(),
            3 => words
                .iter()
                .skip(usize::from(words.len() > 2))
                .copied()
                .collect::<Vec<_>>()
                .join(" "),
            _ => {
                let mut letters: Vec<char> = name.chars().collect();
                let middle = letters.len() / 2;
                if letters.len() > 4 {
                    letters.remove(middle);
                }
                letters.into_iter().collect()
            }
        };
        asked.push(Asked::named(AskedKind::from(entry.kind), &bent));
    }
    asked
}

// yente#1132: an index in the program, and nothing lost to it.
#[test]
fn the_index_finds_what_a_look_at_every_name_finds() {
    let Some(bundles) = published() else { return };
    let index = Index::new(bundles.clone());
    let (mut all, mut lost) = (0, Vec::new());
    for asked in questions(&bundles, 97) {
        let (fast, slow) = (index.screen(&asked), index.screen_all(&asked));
        all += slow.len();
        for hit in slow.iter().filter(|hit| !fast.contains(hit)) {
            lost.push(format!("{:?}: {} {:.3}", asked.names, hit.name, hit.score));
        }
        assert!(fast.iter().all(|hit| slow.contains(hit)), "{asked:?}");
    }
    println!("{all} hits, {} lost: {lost:#?}", lost.len());
    assert!(lost.len() * 200 <= all, "{lost:#?}");
}

#[test]
fn a_question_takes_little_time() {
    let Some(bundles) = published() else { return };
    let begun = Instant::now();
    let index = Index::new(bundles.clone());
    println!("loaded in {:?}", begun.elapsed());
    let mut times: Vec<Duration> = Vec::new();
    let (mut found, mut own) = (0, 0);
    let all = questions(&bundles, 17);
    for asked in &all {
        let begun = Instant::now();
        let hits = index.screen(asked);
        times.push(begun.elapsed());
        found += usize::from(!hits.is_empty());
        own += hits.len();
    }
    times.sort();
    let at = |share: usize| times[times.len() * share / 1000];
    let total: Duration = times.iter().sum();
    println!(
        "{} questions, {found} with hits, {own} hits; p50 {:?} p95 {:?} p999 {:?}; {:.0} a second",
        all.len(),
        at(500),
        at(950),
        at(999),
        f64::from(u32::try_from(times.len()).unwrap()) / total.as_secs_f64()
    );
}
