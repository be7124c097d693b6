//! What a ledger said was recorded is there, once, unaltered: reopened, killed, cut off from its
//! power, damaged.

#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

#[path = "ledger/cache_disk.rs"]
mod cache_disk;
#[path = "ledger/epochs.rs"]
mod epochs;
#[path = "ledger/forged.rs"]
mod forged;
#[path = "ledger/model.rs"]
mod model;
#[path = "ledger/power.rs"]
mod power;
#[path = "ledger/retention.rs"]
mod retention;
#[path = "ledger/support.rs"]
mod support;

use std::collections::BTreeSet;

use tidewaiter_ledger::ledger_dir;
use tidewaiter_ledger::verify::verify;
use tidewaiter_proto::seal::{SubjectKey, SubjectToken};

use support::{Station, note};

#[tokio::test(flavor = "multi_thread")]
async fn records_are_numbered_chained_and_there_after_reopening() {
    let station = Station::new();
    let ledger = station.open();
    for number in 1..=300_u64 {
        let appended = ledger.append(note(Some("a"), number), None).await.unwrap();
        assert_eq!((appended.epoch, appended.seq), (1, number));
    }
    let (before, head) = (ledger.records_of("a").unwrap(), ledger.head());
    assert_eq!(before.len(), 300);
    drop(ledger);
    let ledger = station.open();
    assert_eq!(ledger.head(), head);
    assert_eq!(ledger.records_of("a").unwrap(), before);
    assert_eq!(ledger.recent(3).unwrap(), before[297..]);
    assert!(ledger.health().damage.is_empty(), "{:?}", ledger.health());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_said_twice_is_recorded_once() {
    let station = Station::new();
    let ledger = station.open();
    let first = ledger.append(note(Some("a"), 1), Some(("mrz-1", "e-1"))).await.unwrap();
    let again = ledger.append(note(Some("a"), 1), Some(("mrz-1", "e-1"))).await.unwrap();
    assert_eq!(first, again);
    let other = ledger.append(note(Some("a"), 1), Some(("mrz-2", "e-1"))).await.unwrap();
    assert_eq!(other.seq, 2);
    drop(ledger);
    let ledger = station.open();
    let later = ledger.append(note(Some("a"), 1), Some(("mrz-1", "e-1"))).await.unwrap();
    assert_eq!(later, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_get_each_a_number_of_their_own() {
    let station = Station::new();
    let ledger = station.open();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..500 {
        let ledger = ledger.clone();
        tasks.spawn(async move { ledger.append(note(None, number), None).await.unwrap().seq });
    }
    let numbers: BTreeSet<u64> = tasks.join_all().await.into_iter().collect();
    assert_eq!(numbers, (1..=500).collect());
    drop(ledger);
    let verified = verify(&ledger_dir(station.store()), |_, _| {}).unwrap();
    assert_eq!((verified.records, verified.damage.len()), (500, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subject_is_found_without_its_name() {
    let station = Station::new();
    let ledger = station.open();
    let token: SubjectToken = SubjectKey::from_bytes([5; 32]).token("PRK", "000000001");
    let mut draft = note(Some("a"), 1);
    draft.subject = Some(token);
    ledger.append(draft, None).await.unwrap();
    ledger.append(note(Some("b"), 2), None).await.unwrap();
    assert_eq!(ledger.records_of_subject(token, 0).unwrap().len(), 1);
    drop(ledger);
    assert_eq!(station.open().records_of_subject(token, 0).unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_for_a_batch_chains_to_what_is_before_it() {
    let station = Station::new();
    let ledger = station.open();
    for number in 1..=100 {
        ledger.append(note(Some("a"), number), None).await.unwrap();
    }
    let run = ledger.run(1, 41, 60, usize::MAX).unwrap();
    assert_eq!(run.records.len(), 20);
    assert_eq!(run.keys.len(), 1);
    let chained = run
        .records
        .iter()
        .fold(run.previous, |hash, stored| tidewaiter_proto::chain::link(hash, stored));
    assert_eq!(chained, ledger.hash(1, 60).unwrap());
    assert!(ledger.run(1, 101, 101, usize::MAX).is_err());
    let small = ledger.run(1, 1, 100, 1).unwrap();
    assert_eq!(small.records.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_lost_or_damaged_is_filled_again_from_the_journal() {
    for damage in ["removed", "overwritten", "cut"] {
        let station = Station::new();
        let ledger = station.open();
        for number in 1..=200 {
            ledger.append(note(Some("a"), number), Some(("d", &number.to_string()))).await.unwrap();
        }
        drop(ledger);
        let index = ledger_dir(station.store()).join("index");
        let file = index.join("db");
        let bytes = std::fs::read(&file).unwrap();
        match damage {
            "removed" => std::fs::remove_dir_all(&index).unwrap(),
            "overwritten" => std::fs::write(&file, vec![0xA5; bytes.len()]).unwrap(),
            _ => std::fs::write(&file, &bytes[..bytes.len() / 3]).unwrap(),
        }
        let ledger = station.open();
        assert_eq!(ledger.records_of("a").unwrap().len(), 200, "{damage}");
        let again = ledger.append(note(Some("a"), 7), Some(("d", "7"))).await.unwrap();
        assert_eq!(again.seq, 7, "{damage}");
        let next = ledger.append(note(Some("a"), 201), None).await.unwrap();
        assert_eq!(next.seq, 201, "{damage}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_is_found_and_the_first_broken_record_named() {
    let station = Station::new();
    let ledger = station.open();
    for number in 1..=50 {
        ledger.append(note(Some("a"), number), None).await.unwrap();
    }
    drop(ledger);
    let dir = ledger_dir(station.store());
    let file = dir.join("journal/0000000001.segment");
    let whole = std::fs::read(&file).unwrap();
    let end = whole.iter().rposition(|byte| *byte != 0).unwrap();
    for at in (128..end).step_by(97) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&file, &bytes).unwrap();
        let verified = verify(&dir, |_, _| {}).unwrap();
        assert!(!verified.damage.is_empty(), "byte {at} of {end}");
        let length = (end - 128) as u64 / 50;
        let near = (at as u64 - 128) / length;
        let named = verified.damage[0].seq;
        assert!(named.abs_diff(near) <= 2, "byte {at}: record {named} is named, about {near}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_cut_short_is_not_written_on() {
    let station = Station::new();
    let ledger = station.open();
    for number in 1..=50 {
        ledger.append(note(Some("a"), number), None).await.unwrap();
    }
    drop(ledger);
    let file = ledger_dir(station.store()).join("journal/0000000001.segment");
    let mut bytes = std::fs::read(&file).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[end / 2..].fill(0);
    std::fs::write(&file, &bytes).unwrap();
    let ledger = station.open();
    let refused = ledger.append(note(Some("a"), 51), None).await.unwrap_err();
    assert!(refused.to_string().contains("record 50 was recorded"), "{refused}");
    // What is left can be read; with the server's word a new epoch begins.
    assert!(!ledger.records_of("a").unwrap().is_empty());
    ledger.begin_epoch(2).await.unwrap();
    let next = ledger.append(note(Some("b"), 1), None).await.unwrap();
    assert_eq!((next.epoch, next.seq), (2, 1));
    drop(ledger);
    let ledger = station.open();
    assert_eq!(ledger.head().0, 2);
    let epochs: Vec<u64> = ledger.stands().unwrap().iter().map(|stand| stand.epoch).collect();
    assert_eq!(epochs, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_does_not_open_the_same_ledger() {
    let station = Station::new();
    let _first = station.open();
    let refused = tidewaiter_ledger::Ledger::open(station.options()).unwrap_err();
    assert!(refused.to_string().contains("in use"), "{refused}");
}
