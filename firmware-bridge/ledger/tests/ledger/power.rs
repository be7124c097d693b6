//! Power cuts on the tests' own file layer: the ledger on it must hold everything it answered for;
//! and builds that are broken on purpose must not.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tidewaiter_ledger::{Ledger, LedgerOptions};
use tidewaiter_proto::sync::jitter::Jitter;

use crate::cache_disk::{CacheDisk, Plug};
use crate::support::{note, options};

pub(crate) fn on(disk: &CacheDisk, folder: &Path) -> LedgerOptions {
    let mut options = options(folder.join("ledger"));
    options.disk = Arc::new(disk.clone());
    options
}

/// Appends, cuts the power, opens again; gives what was wrong, if anything.
async fn cut_once(seed: u64, broken: impl Fn(&mut CacheDisk)) -> Result<(), String> {
    let mut chance = Jitter::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let mut disk = CacheDisk::default();
    broken(&mut disk);
    // sled's directory is a real one: it is not trusted to have kept anything, and goes at a cut.
    std::fs::create_dir_all(folder.path().join("ledger")).unwrap();
    let mut promised = 0;
    for _life in 0..3 {
        let ledger = Ledger::open(on(&disk, folder.path())).map_err(|error| error.to_string())?;
        if let Some(refusal) = ledger.health().refusal {
            return Err(format!("{promised} were promised, then: {refusal}"));
        }
        let there: Vec<String> = ledger
            .recent(u64::MAX)
            .map_err(|error| error.to_string())?
            .iter()
            .map(|record| serde_json::to_string(&record.body).unwrap())
            .collect();
        if (there.len() as u64) < promised {
            return Err(format!("{promised} were promised, {} are there", there.len()));
        }
        for (body, number) in there.iter().zip(1..) {
            if !body.contains(&format!("note {number}\"")) {
                return Err(format!("record {number} is another one: {body}"));
            }
        }
        promised = there.len() as u64;
        for _ in 0..chance.below(400) {
            let number = promised + 1;
            let appended = ledger.append(note(Some("a"), number), None).await;
            promised = appended.map_err(|error| error.to_string())?.seq;
        }
        let after = disk.cut(&mut chance);
        drop(ledger);
        disk = after;
        if chance.below(2) == 0 {
            let _ = std::fs::remove_dir_all(folder.path().join("ledger/index"));
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_at_any_moment_loses_nothing_that_was_answered() {
    for seed in 0..60 {
        let result = cut_once(seed, |_| {}).await;
        assert_eq!(result, Ok(()), "seed {seed}");
    }
}

/// Several write at once and the power goes in the middle; gives what was wrong, if anything.
async fn cut_amid(seed: u64, broken: impl Fn(&mut CacheDisk)) -> Result<(), String> {
    let mut chance = Jitter::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let mut disk = CacheDisk::default();
    broken(&mut disk);
    std::fs::create_dir_all(folder.path().join("ledger")).unwrap();
    let mut promised: BTreeMap<u64, u64> = BTreeMap::new();
    let mut next_note = 0;
    for _life in 0..3 {
        let ledger = Ledger::open(on(&disk, folder.path())).map_err(|error| error.to_string())?;
        let there = ledger.recent(u64::MAX).map_err(|error| error.to_string())?;
        for (seq, number) in &promised {
            let record = there.iter().find(|record| record.seq == *seq);
            let body = record.map(|record| serde_json::to_string(&record.body).unwrap());
            if !body.as_deref().is_some_and(|body| body.contains(&format!("note {number}\""))) {
                return Err(format!("record {seq} was note {number}, is {body:?}"));
            }
        }
        let answered = Arc::new(Mutex::new(promised.clone()));
        disk.plug_in(Plug::new(
            1 + chance.below(120),
            Jitter::new(chance.below(u64::MAX)),
            answered.clone(),
        ));
        let mut writers = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let (ledger, answered) = (ledger.clone(), answered.clone());
            let first = next_note;
            next_note += 40;
            writers.spawn(async move {
                for number in first..first + 40 {
                    // After the cut the old disk goes on: nobody looks at it any more.
                    let Ok(appended) = ledger.append(note(Some("a"), number), None).await else {
                        return;
                    };
                    answered.lock().unwrap().insert(appended.seq, number);
                }
            });
        }
        while writers.join_next().await.is_some() {}
        let cut = disk.unplug();
        drop(ledger);
        (disk, promised) = match cut {
            Some(cut) => cut,
            None => (disk.cut(&mut chance), answered.lock().unwrap().clone()),
        };
        if chance.below(2) == 0 {
            let _ = std::fs::remove_dir_all(folder.path().join("ledger/index"));
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_amid_the_writing_of_several_loses_nothing_that_was_answered() {
    for seed in 0..60 {
        let result = cut_amid(seed, |_| {}).await;
        assert_eq!(result, Ok(()), "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_does_not_sync_is_caught_amid_the_writing_too() {
    let mut caught = 0;
    for seed in 0..10 {
        let result = cut_amid(seed, |disk| disk.forgets_sync = true).await;
        caught += usize::from(result.is_err());
    }
    assert!(caught >= 5, "only {caught} of 10 runs without sync were caught");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_does_not_sync_is_caught() {
    let mut caught = 0;
    for seed in 0..10 {
        let result = cut_once(seed, |disk| disk.forgets_sync = true).await;
        caught += usize::from(result.is_err());
    }
    assert!(caught >= 8, "only {caught} of 10 runs without sync were caught");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_does_not_sync_directories_is_caught() {
    let mut caught = 0;
    for seed in 0..10 {
        let result = cut_once(seed, |disk| disk.forgets_names = true).await;
        caught += usize::from(result.is_err());
    }
    assert!(caught >= 3, "only {caught} of 10 runs without directory syncs were caught");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_answers_before_the_sync_is_caught() {
    let (mut idle, mut amid) = (0, 0);
    for seed in 0..10 {
        idle += usize::from(cut_once(seed, |disk| disk.syncs_late = true).await.is_err());
        amid += usize::from(cut_amid(seed, |disk| disk.syncs_late = true).await.is_err());
    }
    assert!(idle >= 5 && amid >= 3, "of 10 runs each {idle} and {amid} were caught");
}
