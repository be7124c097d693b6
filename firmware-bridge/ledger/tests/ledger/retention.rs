//! Retention: what the server has and whose time is over goes, never before; keys that are erased;
//! all the rest stays provable.

use jiff::{SignedDuration, Timestamp};
use tidewaiter_ledger::verify::{export, verify};
use tidewaiter_ledger::{Expired, Ledger, ledger_dir};
use tidewaiter_proto::chain::{ChainHash, Head};
use tidewaiter_proto::record::ClockQuality;
use tidewaiter_proto::sync::ranges::Ranges;

use crate::support::{Station, by_another_program, note};

/// So long after 1970 each record of [`fill`] is made: one an hour.
pub(crate) fn hour(number: u64) -> Timestamp {
    let hours = i64::try_from(number).unwrap();
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(400_000 + hours)
}

const AGE: SignedDuration = SignedDuration::from_hours(24);

/// Records one an hour, ten to an inspection.
async fn fill(ledger: &Ledger, from: u64, to: u64) {
    for number in from..=to {
        let mut draft = note(Some(&format!("i-{}", number / 10)), number);
        draft.at = hour(number);
        ledger.append(draft, Some(("d", &number.to_string()))).await.unwrap();
    }
}

async fn deliver(ledger: &Ledger, from: u64, to: u64) {
    let verified = Head { seq: to, hash: ChainHash([0; 32]) };
    ledger.delivered(1, &Ranges::from(vec![(from, to)]), verified).await.unwrap();
}

/// Only what is in sled may go.
async fn checkpointed(station: &Station, ledger: Ledger) -> Ledger {
    tokio::task::spawn_blocking(move || ledger.close()).await.unwrap();
    station.open()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_before_it_is_receipted_and_its_time_is_over() {
    let station = Station::new();
    let ledger = station.open();
    fill(&ledger, 1, 600).await;
    let ledger = checkpointed(&station, ledger).await;
    let late = hour(100_000);
    // Old, and the server has none of it.
    assert_eq!(ledger.expire(1, late, AGE).await.unwrap(), Expired::default());
    // The server has it, and it is not old.
    deliver(&ledger, 1, 600).await;
    assert_eq!(ledger.expire(1, hour(24), AGE).await.unwrap(), Expired::default());
    // One record of the first segment is missing at the server.
    ledger.returned(1, &Ranges::from(vec![(5, 5)])).await.unwrap();
    assert_eq!(ledger.expire(1, late, AGE).await.unwrap(), Expired::default());
    // Another epoch was confirmed.
    deliver(&ledger, 5, 5).await;
    assert_eq!(ledger.expire(2, late, AGE).await.unwrap(), Expired::default());
    assert_eq!(ledger.recent(u64::MAX).unwrap().len(), 600);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_takes_its_keys_along_and_the_rest_is_proven() {
    let station = Station::new();
    let dir = ledger_dir(station.store());
    let ledger = station.open();
    fill(&ledger, 1, 900).await;
    ledger.set_state("kept", b"value".to_vec()).await.unwrap();
    let ledger = checkpointed(&station, ledger).await;
    deliver(&ledger, 1, 500).await;
    let expired = ledger.expire(1, hour(100_000), AGE).await.unwrap();
    assert!(expired.segments >= 2 && expired.records > 300, "{expired:?}");
    assert!(expired.keys >= expired.records / 10 - 1, "{expired:?}");
    let gone = expired.records;
    assert!(gone <= 500);
    let check = |ledger: &Ledger| {
        let kept = ledger.recent(u64::MAX).unwrap();
        assert_eq!(kept.first().map(|record| record.seq), Some(gone + 1));
        assert_eq!(kept.len() as u64, 900 - gone);
        assert!(ledger.records_of("i-3").unwrap().is_empty());
        assert_eq!(ledger.records_of("i-80").unwrap().len(), 10);
        // A run that begins with the oldest kept follows what went.
        let run = ledger.run(1, gone + 1, gone + 10, usize::MAX).unwrap();
        assert_eq!(run.previous, ledger.hash(1, gone).unwrap());
        assert!(ledger.run(1, gone, gone, usize::MAX).is_err());
        assert_eq!(ledger.state("kept").as_deref(), Some(b"value".as_slice()));
        assert_eq!(ledger.receipted(1).ranges.as_slice(), [(1, 500)]);
        assert!(ledger.recorded("d", "3").unwrap().is_none());
        assert!(ledger.recorded("d", "800").unwrap().is_some());
    };
    check(&ledger);
    let verified = verify(&dir, |_, _| {}).unwrap();
    assert_eq!(verified.damage, []);
    assert_eq!(verified.floor.map(|(epoch, head)| (epoch, head.seq)), Some((1, gone)));
    assert_eq!(verified.records, 900 - gone);
    assert_eq!(verified.keys.in_use + expired.keys, 91);
    drop(ledger);
    independently(&dir, &format!("{} records", 900 - gone));
    let ledger = station.open();
    check(&ledger);
    assert!(ledger.health().damage.is_empty(), "{:?}", ledger.health());
    drop(ledger);
    // The same, when sled was lost: the values were written again.
    std::fs::remove_dir_all(dir.join("index")).unwrap();
    check(&station.open());
}

/// Ledger and export hold before a program that was written from the documentation alone.
fn independently(dir: &std::path::Path, records: &str) {
    let file = dir.join("export.ndjson");
    let mut lines = Vec::new();
    export(dir, &mut lines, |_, _| {}).unwrap();
    std::fs::write(&file, lines).unwrap();
    let journal = by_another_program(&[dir.as_os_str()]);
    let exported = by_another_program(&["--export".as_ref(), file.as_os_str()]);
    for (well, said) in [journal, exported].into_iter().flatten() {
        assert!(well && said.contains(records), "{said}");
    }
    // Without the line that says where it begins, nothing follows from nothing.
    let cut = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, cut.split_once('\n').unwrap().1).unwrap();
    if let Some((well, said)) = by_another_program(&["--export".as_ref(), file.as_os_str()]) {
        assert!(!well, "{said}");
    }
    std::fs::remove_file(file).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_a_clock_that_was_not_set_lets_nothing_go() {
    let station = Station::new();
    let ledger = station.open();
    for number in 1..=400 {
        let mut draft = note(Some("a"), number);
        draft.at = Timestamp::UNIX_EPOCH;
        draft.clock = ClockQuality::Unset;
        ledger.append(draft, None).await.unwrap();
    }
    let ledger = checkpointed(&station, ledger).await;
    deliver(&ledger, 1, 400).await;
    let none = ledger.expire(1, hour(0), AGE).await.unwrap();
    assert_eq!(none, Expired::default());
    // A later record of a clock that is set bounds their time.
    fill(&ledger, 401, 700).await;
    let ledger = checkpointed(&station, ledger).await;
    deliver(&ledger, 1, 700).await;
    assert_eq!(ledger.expire(1, hour(400), AGE).await.unwrap(), Expired::default());
    assert!(ledger.expire(1, hour(100_000), AGE).await.unwrap().records > 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_station_goes_on_in_a_new_segment_so_that_the_old_one_gets_old() {
    let station = Station::new();
    let ledger = station.open();
    fill(&ledger, 1, 5).await;
    // Three hours and a bit are an eighth of a day.
    ledger.expire(1, hour(3), AGE).await.unwrap();
    fill(&ledger, 6, 6).await;
    ledger.expire(1, hour(7), AGE).await.unwrap();
    fill(&ledger, 7, 7).await;
    let ledger = checkpointed(&station, ledger).await;
    deliver(&ledger, 1, 7).await;
    let expired = ledger.expire(1, hour(31), AGE).await.unwrap();
    assert_eq!((expired.segments, expired.records), (1, 6), "{expired:?}");
    let verified = verify(&ledger_dir(station.store()), |_, _| {}).unwrap();
    assert_eq!(verified.damage, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn space_comes_back_from_sled_and_from_key_files_too() {
    let station = Station::new();
    let ledger = station.open();
    // More than one key file, an inspection for each record.
    let mut tasks = tokio::task::JoinSet::new();
    for number in 1..=3000 {
        let ledger = ledger.clone();
        tasks.spawn(async move {
            let mut draft = note(Some(&format!("i-{number}")), number);
            draft.at = hour(1);
            ledger.append(draft, None).await.unwrap();
        });
    }
    tasks.join_all().await;
    let ledger = checkpointed(&station, ledger).await;
    deliver(&ledger, 1, 3000).await;
    let dir = ledger_dir(station.store());
    let before = std::fs::metadata(dir.join("index/db")).unwrap().len();
    let files = |name: &str| std::fs::read_dir(dir.join(name)).unwrap().count();
    assert_eq!(files("keys"), 3);
    let expired = ledger.expire(1, hour(100_000), AGE).await.unwrap();
    assert!(expired.keys > 2500, "{expired:?}");
    assert_eq!(files("keys"), 1, "{expired:?}");
    assert!(files("journal") <= 3);
    for _ in 0..600 {
        let length = |name: &str| std::fs::metadata(dir.join(name)).map_or(0, |data| data.len());
        let written_anew = !dir.join("index.old").exists() && !dir.join("index.new").exists();
        let now = length("index/db");
        if written_anew && now > 0 && now < before {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("sled still takes {before} bytes and more");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_inspection_is_read_by_nobody_and_everything_verifies() {
    let station = Station::new();
    let dir = ledger_dir(station.store());
    let ledger = station.open();
    fill(&ledger, 1, 100).await;
    let before = verify(&dir, |_, _| {}).unwrap();
    assert_eq!(ledger.erase("i-3").await.unwrap(), 1);
    assert_eq!(ledger.erase("i-3").await.unwrap(), 0);
    assert_eq!(ledger.erase("no such inspection").await.unwrap(), 0);
    let check = |ledger: &Ledger| {
        assert!(ledger.records_of("i-3").unwrap().is_empty());
        assert_eq!(ledger.records_of("i-4").unwrap().len(), 10);
        let run = ledger.run(1, 30, 39, usize::MAX).unwrap();
        assert_eq!((run.records.len(), run.keys.len()), (10, 0), "no key goes to the server");
    };
    check(&ledger);
    // What is recorded later for it has a new key.
    ledger.append(note(Some("i-3"), 101), None).await.unwrap();
    assert_eq!(ledger.records_of("i-3").unwrap().len(), 1);
    assert_eq!(ledger.erase("i-3").await.unwrap(), 1);
    drop(ledger);
    check(&station.open());
    let after = verify(&dir, |_, _| {}).unwrap();
    assert_eq!((after.damage.len(), after.records), (0, 101));
    assert_eq!((before.keys.in_use, after.keys.in_use, after.keys.erased), (11, 10, 2));
}
