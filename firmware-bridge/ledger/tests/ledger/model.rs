//! Any history of a ledger against a small model: appends alone and in groups, named values,
//! receipts, retention, erasure, clean reopening, the power cut at any write, sled lost or not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tidewaiter_ledger::options::Checks;
use tidewaiter_ledger::verify::verify_on;
use tidewaiter_ledger::{Ledger, LedgerOptions};
use tidewaiter_proto::chain::{ChainHash, Head};
use tidewaiter_proto::record::{Draft, Record};
use tidewaiter_proto::stored::Stored;
use tidewaiter_proto::sync::jitter::Jitter;
use tidewaiter_proto::sync::ranges::Ranges;

use crate::cache_disk::{CacheDisk, Plug};
use crate::power::on;
use crate::retention::hour;
use crate::support::note;

/// What happens to a ledger.
#[derive(Clone, Debug)]
enum Step {
    Append { inspection: u8, count: u64 },
    Group { count: u64 },
    Set { name: u8 },
    Deliver { percent: u64 },
    Expire,
    Erase { inspection: u8 },
    Reopen { lose_index: bool },
    Cut { amid: Box<Self>, operations: u64, seed: u64, lose_index: bool },
}

fn work() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4u8, 1..30u64).prop_map(|(inspection, count)| Step::Append { inspection, count }),
        4 => (2..60u64).prop_map(|count| Step::Group { count }),
        2 => (0..3u8).prop_map(|name| Step::Set { name }),
        3 => (0..=100u64).prop_map(|percent| Step::Deliver { percent }),
        3 => Just(Step::Expire),
        1 => (0..4u8).prop_map(|inspection| Step::Erase { inspection }),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let cut = (work(), 1..160u64, any::<u64>(), any::<bool>()).prop_map(
        |(amid, operations, seed, lose_index)| Step::Cut {
            amid: Box::new(amid),
            operations,
            seed,
            lose_index,
        },
    );
    let reopen = any::<bool>().prop_map(|lose_index| Step::Reopen { lose_index });
    let step = prop_oneof![6 => work(), 1 => reopen, 2 => cut];
    proptest::collection::vec(step, 4..24)
}

/// What must be true of the ledger, whatever it does inside.
#[derive(Clone, Debug, Default)]
struct Model {
    /// What was answered: number of the record, number of its note.
    answered: BTreeMap<u64, u64>,
    /// Of every note that was ever made: its inspection.
    inspections: BTreeMap<u64, u8>,
    notes: u64,
    /// The records of an inspection up to this one were ordered to be erased; and answered so.
    erasing: BTreeMap<u8, u64>,
    erased: BTreeMap<u8, u64>,
    delivered: Ranges,
    /// The records up to here were allowed to go, ever; and were answered to be gone.
    may_be_gone: u64,
    gone: u64,
    /// Every value a name was given, and which of them was answered last.
    values: BTreeMap<u8, (u64, u64)>,
}

struct World {
    folder: tempfile::TempDir,
    disk: CacheDisk,
    ledger: Option<Ledger>,
    model: Model,
}

/// Large enough that a few records fill a segment.
fn draft(inspection: u8, number: u64) -> Draft {
    let mut draft = note(Some(&format!("i-{inspection}")), number);
    draft.body_json =
        format!(r#"{{"type":"note_added","text":"note {number} {}"}}"#, "x".repeat(2000));
    draft.at = hour(number);
    draft
}

/// The number in a note's text.
fn number(record: &Record) -> u64 {
    let text = serde_json::to_string(&record.body).unwrap();
    let (_, rest) = text.split_once("note ").unwrap();
    rest.split(' ').next().unwrap().parse().unwrap()
}

fn options(disk: &CacheDisk, folder: &std::path::Path) -> LedgerOptions {
    let mut options = on(disk, folder);
    options.checkpoint_records = 16;
    options
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("ledger")).unwrap();
        let (disk, model) = (CacheDisk::default(), Model::default());
        let mut world = Self { folder, disk, ledger: None, model };
        world.open();
        world
    }

    fn open(&mut self) {
        self.ledger = Some(Ledger::open(options(&self.disk, self.folder.path())).unwrap());
    }

    fn ledger(&self) -> &Ledger {
        self.ledger.as_ref().unwrap()
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Reopen { lose_index } => {
                self.close().await;
                self.lose_index(*lose_index);
                self.open();
            }
            Step::Cut { amid, operations, seed, lose_index } => {
                let mut chance = Jitter::new(*seed);
                let answered = Arc::new(Mutex::new(self.model.answered.clone()));
                self.disk.plug_in(Plug::new(*operations, Jitter::new(*seed), answered.clone()));
                // What the step was answered counts only if the power was still there.
                let before = self.model.clone();
                self.work(amid, Some(&answered)).await;
                let (after, answered) = match self.disk.unplug() {
                    Some(cut) => {
                        let tried = std::mem::replace(&mut self.model, before);
                        self.model.tried(&tried);
                        cut
                    }
                    None => (self.disk.cut(&mut chance), self.model.answered.clone()),
                };
                self.model.answered = answered;
                self.close().await;
                self.disk = after;
                self.lose_index(*lose_index);
                self.open();
            }
            work => self.work(work, None).await,
        }
        self.check();
    }

    /// Does one thing; `seen` is told of each record as it is answered.
    async fn work(&mut self, step: &Step, seen: Option<&Mutex<BTreeMap<u64, u64>>>) {
        let ledger = self.ledger().clone();
        match *step {
            Step::Append { inspection, count } => {
                for _ in 0..count {
                    let number = self.model.note(inspection);
                    let appended = ledger.append(draft(inspection, number), None).await.unwrap();
                    self.model.answered.insert(appended.seq, number);
                    if let Some(seen) = seen {
                        seen.lock().unwrap().insert(appended.seq, number);
                    }
                }
            }
            Step::Group { count } => {
                let mut tasks = tokio::task::JoinSet::new();
                for index in 0..count {
                    let inspection = u8::try_from(index % 4).unwrap();
                    let (number, ledger) = (self.model.note(inspection), ledger.clone());
                    tasks.spawn(async move {
                        (ledger.append(draft(inspection, number), None).await.unwrap().seq, number)
                    });
                }
                while let Some(done) = tasks.join_next().await {
                    let (seq, number) = done.unwrap();
                    self.model.answered.insert(seq, number);
                    if let Some(seen) = seen {
                        seen.lock().unwrap().insert(seq, number);
                    }
                }
            }
            Step::Set { name } => {
                let values = self.model.values.entry(name).or_default();
                values.0 += 1;
                let value = values.0.to_string().into_bytes();
                ledger.set_state(&format!("value-{name}"), value).await.unwrap();
                values.1 = values.0;
            }
            Step::Deliver { percent } => {
                let to = self.model.answered.len() as u64 * percent / 100;
                if to > 0 {
                    let ranges = Ranges::from(vec![(1, to)]);
                    let verified = Head { seq: to, hash: ChainHash([0; 32]) };
                    ledger.delivered(1, &ranges, verified).await.unwrap();
                    self.model.delivered.extend(&ranges);
                }
            }
            Step::Expire => {
                // Half of what was ever noted is old.
                let old = self.model.notes / 2;
                let now = hour(old) + AGE;
                let allowed = self.model.allowed(hour(old));
                self.model.may_be_gone = self.model.may_be_gone.max(allowed);
                let expired = ledger.expire(1, now, AGE).await.unwrap();
                self.model.gone += expired.records;
                assert!(self.model.gone <= allowed.max(self.model.may_be_gone));
            }
            Step::Erase { inspection } => {
                let last = ledger.head().1.seq;
                self.model.erasing.insert(inspection, last);
                ledger.erase(&format!("i-{inspection}")).await.unwrap();
                self.model.erased.insert(inspection, last);
            }
            Step::Reopen { .. } | Step::Cut { .. } => unreachable!("not amid a cut"),
        }
    }

    async fn close(&mut self) {
        let ledger = self.ledger.take().unwrap();
        tokio::task::spawn_blocking(move || drop(ledger)).await.unwrap();
    }

    /// sled's directory is a real one; what a cut does to it is unknown, so at times it is gone.
    fn lose_index(&self, lose: bool) {
        if lose {
            let _ = std::fs::remove_dir_all(self.folder.path().join("ledger/index"));
        }
    }

    fn check(&mut self) {
        let (ledger, model) = (self.ledger.as_ref().unwrap(), &mut self.model);
        let health = ledger.health();
        assert!(health.refusal.is_none() && health.damage.is_empty(), "{health:?}");
        let dir = self.folder.path().join("ledger");
        let verified = verify_on(&self.disk, &dir, Checks::default(), |_, _| {}).unwrap();
        assert_eq!(verified.damage, []);
        // Never before, and not again there once it was said to be gone.
        let floor = verified.floor.map_or(0, |(_, head)| head.seq);
        assert!(model.gone <= floor && floor <= model.may_be_gone, "{floor}, {model:?}");
        model.gone = floor;
        // Every number once, from the floor to the head, and what was answered is not beyond it.
        let head = ledger.head().1.seq;
        let stored = stored(ledger, floor + 1, head);
        assert_eq!(stored, (floor + 1..=head).collect::<Vec<u64>>());
        assert!(model.answered.keys().all(|seq| *seq <= head), "{head}, {model:?}");
        let readable = ledger.recent(u64::MAX).unwrap();
        let by_seq: BTreeMap<u64, u64> = readable.iter().map(|r| (r.seq, number(r))).collect();
        for (seq, noted) in model.answered.range(floor + 1..) {
            let inspection = model.inspections[noted];
            let erasing = model.erasing.get(&inspection).is_some_and(|last| seq <= last);
            let erased = model.erased.get(&inspection).is_some_and(|last| seq <= last);
            match by_seq.get(seq) {
                Some(found) => assert!(found == noted && !erased, "{seq}: {found}, {noted}"),
                None => assert!(erasing || *seq <= model.may_be_gone, "record {seq} is not there"),
            }
        }
        // What nobody was told of may be there: from now on it stays.
        for (seq, number) in &by_seq {
            model.answered.insert(*seq, *number);
        }
        let numbers: BTreeSet<&u64> = by_seq.values().collect();
        assert_eq!(numbers.len(), by_seq.len(), "a note is there twice");
        for (name, (given, answered)) in &mut model.values {
            let value = ledger.state(&format!("value-{name}"));
            let value = value.map_or(0, |v| String::from_utf8(v).unwrap().parse::<u64>().unwrap());
            assert!((*answered..=*given).contains(&value), "{name}: {value} of {answered}");
            *answered = value;
        }
        let delivered = ledger.receipted(1).ranges;
        let known = model.delivered.as_slice().iter();
        assert!(known.clone().all(|(from, to)| delivered.covers(*from, *to)), "{delivered:?}");
        model.delivered = delivered;
    }
}

/// The numbers of the records as they are stored, each in the header that it was given.
fn stored(ledger: &Ledger, from: u64, to: u64) -> Vec<u64> {
    let mut numbers = Vec::new();
    while numbers.last().copied().unwrap_or(from - 1) < to {
        let next = numbers.last().map_or(from, |last| last + 1);
        let run = ledger.run(1, next, to, usize::MAX).unwrap();
        numbers.extend(run.records.iter().map(|r| Stored::parse(r).unwrap().header.seq));
    }
    numbers
}

impl Model {
    fn note(&mut self, inspection: u8) -> u64 {
        self.notes += 1;
        self.inspections.insert(self.notes, inspection);
        self.notes
    }

    /// The last record that may go: it and all before it are receipted and older.
    fn allowed(&self, before: Timestamp) -> u64 {
        let mut allowed = 0;
        for (seq, noted) in &self.answered {
            // What has gone before is not asked again.
            let old = *seq <= self.gone || hour(*noted) < before && self.delivered.contains(*seq);
            if !old {
                break;
            }
            allowed = *seq;
        }
        allowed
    }

    /// The power went during a step: what it tried may have happened or not.
    fn tried(&mut self, tried: &Self) {
        self.notes = tried.notes;
        self.inspections.clone_from(&tried.inspections);
        self.erasing.clone_from(&tried.erasing);
        self.may_be_gone = tried.may_be_gone;
        for (name, (given, _)) in &tried.values {
            self.values.entry(*name).or_default().0 = *given;
        }
    }
}

const AGE: SignedDuration = SignedDuration::from_hours(10_000);

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 100, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_history_keeps_what_was_answered_and_lets_go_of_nothing_else(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            for step in &steps {
                world.step(step).await;
            }
        });
    }
}

/// Histories in the suite; many more with `TIDEWAITER_SOAK=1`.
fn cases() -> u32 {
    if std::env::var("TIDEWAITER_SOAK").is_ok_and(|soak| soak == "1") { 2000 } else { 16 }
}
