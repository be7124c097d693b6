//! Damage that checksums alone do not show, and damage to what is no record: each is named, and a
//! build that does not check the chain is caught.

use std::path::Path;

use tidewaiter_ledger::disk::RealDisk;
use tidewaiter_ledger::frame::Frame;
use tidewaiter_ledger::ledger_dir;
use tidewaiter_ledger::options::Checks;
use tidewaiter_ledger::verify::{verify, verify_on};

use crate::support::{Station, note};

/// Where each frame of the first segment begins.
fn frames(bytes: &[u8]) -> Vec<usize> {
    let mut at = 128;
    let mut found = Vec::new();
    while let Ok(frame) = Frame::read(&bytes[at..]) {
        found.push(at);
        at += frame.length();
    }
    found
}

/// Somebody with a hex editor and a checksum program alters a sealed byte of one record.
fn forge(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    let at = frames(&bytes)[6];
    let length = Frame::read(&bytes[at..]).unwrap().length();
    bytes[at + length - 1] ^= 1;
    let checksum = crc32c::crc32c(&bytes[at + 8..at + length]);
    bytes[at + 4..at + 8].copy_from_slice(&checksum.to_be_bytes());
    std::fs::write(file, bytes).unwrap();
}

async fn forged() -> (Station, std::path::PathBuf) {
    let station = Station::new();
    let ledger = station.open();
    for number in 1..=20 {
        ledger.append(note(Some("a"), number), None).await.unwrap();
    }
    drop(ledger);
    let dir = ledger_dir(station.store());
    forge(&dir.join("journal/0000000001.segment"));
    (station, dir)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_altered_with_its_checksum_is_named() {
    let (station, dir) = forged().await;
    let verified = verify(&dir, |_, _| {}).unwrap();
    assert_eq!(verified.damage.first().map(|damage| damage.seq), Some(7), "{verified:?}");
    // Opening reads what sled does not have: here everything.
    std::fs::remove_dir_all(dir.join("index")).unwrap();
    let health = station.open().health();
    assert_eq!(health.damage.first().map(|damage| damage.seq), Some(7), "{health:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_does_not_check_the_chain_is_caught() {
    let (_station, dir) = forged().await;
    let blind = Checks { chain: false };
    let verified = verify_on(&RealDisk, &dir, blind, |_, _| {}).unwrap();
    // Nothing else notices, so the test above turns red without the check.
    assert_eq!(verified.damage, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_value_at_the_end_of_the_journal_is_no_torn_tail() {
    for (what, zeros) in [("a byte", false), ("all of it", true)] {
        let station = Station::new();
        let ledger = station.open();
        for number in 1..=10 {
            ledger.append(note(Some("a"), number), None).await.unwrap();
        }
        ledger.set_state("first", b"1".to_vec()).await.unwrap();
        ledger.set_state("last", b"2".to_vec()).await.unwrap();
        drop(ledger);
        let dir = ledger_dir(station.store());
        let file = dir.join("journal/0000000001.segment");
        let mut bytes = std::fs::read(&file).unwrap();
        let at = *frames(&bytes).last().unwrap();
        let length = Frame::read(&bytes[at..]).unwrap().length();
        if zeros {
            bytes[at..at + length].fill(0);
        } else {
            bytes[at + length - 1] ^= 1;
        }
        std::fs::write(&file, &bytes).unwrap();
        let verified = verify(&dir, |_, _| {}).unwrap();
        let [damage] = verified.damage.as_slice() else { panic!("{what}: {verified:?}") };
        assert_eq!((damage.seq, damage.offset), (11, at as u64), "{what}");
        std::fs::remove_dir_all(dir.join("index")).unwrap();
        // Every record is there: recording goes on, behind the damage, which stays to be seen.
        let ledger = station.open();
        assert_eq!(ledger.health().damage.len(), 1, "{what}: {:?}", ledger.health());
        assert_eq!(ledger.append(note(Some("a"), 11), None).await.unwrap().seq, 11);
        assert_eq!(ledger.state("first").as_deref(), Some(b"1".as_slice()));
        drop(ledger);
        let verified = verify(&dir, |_, _| {}).unwrap();
        assert_eq!((verified.records, verified.damage.len()), (11, 1), "{what}");
        assert_eq!(station.open().records_of("a").unwrap().len(), 11, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_that_is_missing_is_named_wherever_it_was() {
    for gone in 1..=3 {
        let station = Station::new();
        let ledger = station.open();
        for number in 1..=700 {
            ledger.append(note(Some("a"), number), None).await.unwrap();
        }
        drop(ledger);
        let dir = ledger_dir(station.store());
        std::fs::remove_file(dir.join(format!("journal/000000000{gone}.segment"))).unwrap();
        let verified = verify(&dir, |_, _| {}).unwrap();
        assert!(!verified.damage.is_empty(), "segment {gone}");
        assert!(!station.open().health().damage.is_empty(), "segment {gone}");
    }
}
