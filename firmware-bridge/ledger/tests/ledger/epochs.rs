//! A store that was put back or copied: nothing in it says so, the server's word does. Nothing more
//! is recorded in that life, also after a restart, until the next is granted; the old stays readable.

use tidewaiter_ledger::{Ledger, ledger_dir};
use tidewaiter_proto::chain::Head;

use crate::support::{Station, note};

async fn record(ledger: &Ledger, from: u64, to: u64) {
    for number in from..=to {
        ledger.append(note(Some("a"), number), None).await.unwrap();
    }
}

/// A copy of a closed store, byte for byte.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    let status = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(status.success());
}

async fn refuses_until_the_next_epoch(station: &Station, seen: Head, why: &str) {
    let ledger = station.open();
    let kept = ledger.head().1.seq;
    ledger.contradicted(1, seen);
    let refused = ledger.append(note(Some("a"), 99), None).await.unwrap_err().to_string();
    assert!(refused.contains(why), "{refused}");
    assert!(ledger.stands().unwrap().iter().all(|stand| stand.contradicted), "{why}");
    drop(ledger);
    let ledger = station.open();
    let refused = ledger.append(note(Some("a"), 99), None).await.unwrap_err().to_string();
    assert!(refused.contains(why), "after a restart: {refused}");
    assert!(ledger.begin_epoch(1).await.is_err(), "a life is begun once");
    ledger.begin_epoch(2).await.unwrap();
    let first = ledger.append(note(Some("b"), 1), None).await.unwrap();
    assert_eq!((first.epoch, first.seq), (2, 1));
    assert_eq!(ledger.run(1, 1, kept, usize::MAX).unwrap().records.len() as u64, kept);
    assert_eq!(ledger.records_of("a").unwrap().len() as u64, kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_put_back_records_nothing_until_a_new_epoch() {
    let station = Station::new();
    let ledger = station.open();
    record(&ledger, 1, 20).await;
    drop(ledger);
    let dir = ledger_dir(station.store());
    let old = station.store().join("old");
    copy(&dir, &old);
    let ledger = station.open();
    record(&ledger, 21, 40).await;
    let seen = ledger.head().1;
    drop(ledger);
    std::fs::remove_dir_all(&dir).unwrap();
    std::fs::rename(&old, &dir).unwrap();
    refuses_until_the_next_epoch(&station, seen, "record 40").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_copies_the_one_that_the_server_does_not_know_records_nothing_more() {
    let (station, other) = (Station::new(), Station::new());
    let ledger = station.open();
    record(&ledger, 1, 20).await;
    drop(ledger);
    copy(&ledger_dir(station.store()), &ledger_dir(other.store()));
    let (ours, theirs) = (station.open(), other.open());
    record(&ours, 21, 30).await;
    record(&theirs, 121, 130).await;
    let seen = theirs.head().1;
    assert!(seen.seq == ours.head().1.seq && seen.hash != ours.head().1.hash);
    drop(ours);
    refuses_until_the_next_epoch(&station, seen, "record 30").await;
}
