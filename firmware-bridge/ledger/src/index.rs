//! sled behind the journal: where each record stands, by number, inspection, subject and event,
//! and the station's named values.
//!
//! sled is never trusted: it is opened on a thread that may panic, every call is caught, and what
//! it holds is counted and summed, so that what it loses is noticed. Nothing is only here; it is
//! set aside and rebuilt from the journal when it does not agree. A checkpoint is one batch,
//! `flush`, and `sync_all` on sled's own file, because its `flush` alone does not survive a power
//! cut.
//!
//! | key | value |
//! |---|---|
//! | `m` | the position ([`crate::head::Position`]) |
//! | `i` key id (16) epoch (8) seq (8) | records of an inspection: n × seq (8), place (12) |
//! | `s` subject (16) epoch (8) seq (8) | records of a subject: n × seq (8), place (12), at (8) |
//! | `e` event tag (16) | epoch (8), seq (8), place (12) |
//! | `p` epoch (8) seq (8) | place (12) of every 64th record |
//! | `k` key id (16) | slot (8) |
//! | `t` inspection's tag (16) slot (8) | nothing |
//! | `x` name | a named value |

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use tidewaiter_proto::seal::{KeyId, SubjectToken};

use crate::head::Position;
use crate::segment::{Place, take, take_u64};
use crate::tail::{Entry, Tail};

/// sled, open.
#[derive(Debug)]
pub struct Index {
    /// Taken when dropped.
    db: Option<sled::Db>,
    /// sled panicked: its destructor may not return, so it is never run.
    broken: AtomicBool,
    dir: PathBuf,
}

/// Why sled gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// It says so itself.
    #[error("sled: {0}")]
    Sled(#[from] sled::Error),
    /// It panicked.
    #[error("sled panicked: {0}")]
    Panicked(String),
    /// It did not answer in time.
    #[error("sled did not open within {0} seconds")]
    Stuck(u64),
    /// What it holds cannot be.
    #[error("sled holds an entry that cannot be: {0}")]
    Entry(&'static str),
    /// Its file cannot be synced.
    #[error("sled's file: {0}")]
    File(#[from] std::io::Error),
}

/// Where a record stands, as found in sled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Posting {
    /// Which life of the ledger.
    pub epoch: u64,
    /// Number within the epoch.
    pub seq: u64,
    /// Where its frame begins.
    pub place: Place,
}

impl Index {
    /// Opens or makes sled's directory, on a thread of its own.
    ///
    /// # Errors
    /// [`IndexError`]; the directory should be set aside then, unless the disk is full.
    pub fn open(dir: &Path) -> Result<Self, IndexError> {
        let (answer, answered) = mpsc::sync_channel(1);
        let path = dir.to_owned();
        std::thread::Builder::new().name("ledger-sled-open".to_owned()).spawn(move || {
            let opened = caught(|| {
                let config = sled::Config::new()
                    .path(&path)
                    .cache_capacity(CACHE_BYTES)
                    .flush_every_ms(None)
                    .mode(sled::Mode::LowSpace);
                Ok(config.open()?)
            });
            let _ = answer.send(opened);
        })?;
        let db = answered.recv_timeout(OPEN_WITHIN).map_err(|error| match error {
            mpsc::RecvTimeoutError::Timeout => IndexError::Stuck(OPEN_WITHIN.as_secs()),
            mpsc::RecvTimeoutError::Disconnected => {
                IndexError::Panicked("its opening thread ended".to_owned())
            }
        })??;
        Ok(Self { db: Some(db), broken: AtomicBool::new(false), dir: dir.to_owned() })
    }

    /// How far sled is; none when it is empty.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn position(&self) -> Result<Option<Position>, IndexError> {
        let Some(bytes) = self.get(META)? else { return Ok(None) };
        Position::read(&bytes).map(Some).ok_or(IndexError::Entry("position"))
    }

    /// Writes what is new as one batch, with the position it leads to, and returns when it is on
    /// disk.
    ///
    /// # Errors
    /// [`IndexError`]; sled must not be used further then.
    pub fn apply(&self, tail: &Tail, before: Position) -> Result<Position, IndexError> {
        let mut writing = Writing { batch: sled::Batch::default(), position: before };
        for (key, value) in rows(tail) {
            writing.add(&key, &value);
        }
        for (name, value) in tail.states() {
            let key = [b"x", name.as_bytes()].concat();
            if let Some(old) = self.get(&key)? {
                writing.forget(&key, &old);
            }
            writing.add(&key, value);
        }
        if let Some((next, epoch, head)) = tail.end() {
            writing.position.next = next;
            writing.position.applied = (epoch, head);
        }
        if let Some((last, _, _)) = tail.slots().iter().max_by_key(|(number, _, _)| *number) {
            writing.position.slots = writing.position.slots.max(last + 1);
        }
        writing.position.generation = before.generation.saturating_add(1);
        let position = writing.position;
        writing.batch.insert(META, position.to_bytes());
        self.call(|db| {
            db.apply_batch(writing.batch)?;
            db.flush()?;
            Ok(())
        })?;
        self.sync()?;
        Ok(position)
    }

    /// The record of an event.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn event(&self, tag: [u8; 16]) -> Result<Option<Posting>, IndexError> {
        let Some(value) = self.get(&[b"e".as_slice(), &tag].concat())? else { return Ok(None) };
        let mut rest = value.as_ref();
        let epoch = take_u64(&mut rest).ok_or(IndexError::Entry("event"))?;
        read_posting(&mut rest, epoch).map(Some).ok_or(IndexError::Entry("event"))
    }

    /// The records under a key, in order.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn of_key(&self, key: KeyId) -> Result<Vec<Posting>, IndexError> {
        let mut found = Vec::new();
        for (row, value) in self.scan(&[b"i".as_slice(), &key.0].concat())? {
            let epoch = epoch_of(&row).ok_or(IndexError::Entry("inspection"))?;
            let mut rest = value.as_ref();
            while !rest.is_empty() {
                found.push(read_posting(&mut rest, epoch).ok_or(IndexError::Entry("inspection"))?);
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// The records about a subject from an instant on (microseconds since 1970), in order.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn of_subject(
        &self,
        subject: SubjectToken,
        since: i64,
    ) -> Result<Vec<Posting>, IndexError> {
        let mut found = Vec::new();
        for (row, value) in self.scan(&[b"s".as_slice(), &subject.0].concat())? {
            let epoch = epoch_of(&row).ok_or(IndexError::Entry("subject"))?;
            let mut rest = value.as_ref();
            while !rest.is_empty() {
                let posting = read_posting(&mut rest, epoch).ok_or(IndexError::Entry("subject"))?;
                let at = take(&mut rest).ok_or(IndexError::Entry("subject"))?;
                if i64::from_be_bytes(at) >= since {
                    found.push(posting);
                }
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// The nearest noted record at or before a number of an epoch.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn near(&self, epoch: u64, seq: u64) -> Result<Option<(u64, Place)>, IndexError> {
        let first = [b"p".as_slice(), &epoch.to_be_bytes()].concat();
        let last = [first.as_slice(), &seq.to_be_bytes()].concat();
        let found =
            self.call(|db| Ok(db.range(first.clone()..=last).next_back().transpose()?))?;
        let Some((row, value)) = found else { return Ok(None) };
        let seq = row.get(9..).and_then(|mut rest| take_u64(&mut rest));
        let place = read_place(&mut value.as_ref());
        seq.zip(place).map(Some).ok_or(IndexError::Entry("place"))
    }

    /// Where the oldest noted record stands; what was let go is known here until it is written
    /// anew.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn oldest(&self) -> Result<Option<Place>, IndexError> {
        let first = self.call(|db| Ok(db.scan_prefix(b"p").next().transpose()?))?;
        let place = first.map(|(_, value)| read_place(&mut value.as_ref()));
        place.map(|place| place.ok_or(IndexError::Entry("place"))).transpose()
    }

    /// The slot of a key.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn slot_of(&self, key: KeyId) -> Result<Option<u64>, IndexError> {
        let Some(value) = self.get(&[b"k".as_slice(), &key.0].concat())? else { return Ok(None) };
        take_u64(&mut value.as_ref()).map(Some).ok_or(IndexError::Entry("slot"))
    }

    /// The slots of an inspection.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn slots_of(&self, tag: [u8; 16]) -> Result<Vec<u64>, IndexError> {
        let rows = self.scan(&[b"t".as_slice(), &tag].concat())?;
        rows.iter()
            .map(|(row, _)| row.get(17..).and_then(|mut rest| take_u64(&mut rest)))
            .collect::<Option<Vec<u64>>>()
            .ok_or(IndexError::Entry("tag"))
    }

    /// All named values.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn states(&self) -> Result<Vec<(String, Vec<u8>)>, IndexError> {
        let rows = self.scan(b"x")?;
        rows.iter()
            .map(|(row, value)| {
                let name = std::str::from_utf8(row.get(1..)?).ok()?;
                Some((name.to_owned(), value.to_vec()))
            })
            .collect::<Option<Vec<_>>>()
            .ok_or(IndexError::Entry("named value"))
    }

    /// Counts and sums every entry, to be compared with the position.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn walk(&self) -> Result<(u64, u64), IndexError> {
        self.call(|db| {
            let (mut entries, mut sum) = (0u64, 0u64);
            for row in db.iter() {
                let (key, value) = row?;
                if key.as_ref() != META {
                    entries += 1;
                    sum = sum.wrapping_add(checksum(&key, &value));
                }
            }
            Ok((entries, sum))
        })
    }

    /// Bytes of sled's directory on disk.
    pub fn disk_bytes(&self) -> u64 {
        directory_bytes(&self.dir)
    }

    fn get(&self, key: &[u8]) -> Result<Option<sled::IVec>, IndexError> {
        self.call(|db| Ok(db.get(key)?))
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<(sled::IVec, sled::IVec)>, IndexError> {
        self.call(|db| Ok(db.scan_prefix(prefix).collect::<Result<Vec<_>, _>>()?))
    }

    fn sync(&self) -> Result<(), IndexError> {
        for name in ["db", "conf"] {
            match File::open(self.dir.join(name)) {
                Ok(file) => file.sync_all()?,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        File::open(&self.dir)?.sync_all()?;
        Ok(())
    }

    fn call<T>(
        &self,
        work: impl FnOnce(&sled::Db) -> Result<T, IndexError>,
    ) -> Result<T, IndexError> {
        let db = self.db.as_ref().ok_or(IndexError::Entry("closed"))?;
        let done = caught(|| work(db));
        if matches!(done, Err(IndexError::Panicked(_))) {
            self.broken.store(true, Ordering::Relaxed);
        }
        done
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        let db = self.db.take();
        if self.broken.load(Ordering::Relaxed) {
            std::mem::forget(db);
        } else {
            // sled flushes in its destructor, which may panic as well.
            let _ = caught(move || {
                drop(db);
                Ok(())
            });
        }
    }
}

/// A batch being written, and what it makes of the position.
struct Writing {
    batch: sled::Batch,
    position: Position,
}

impl Writing {
    fn add(&mut self, key: &[u8], value: &[u8]) {
        self.position.entries = self.position.entries.saturating_add(1);
        self.position.sum = self.position.sum.wrapping_add(checksum(key, value));
        self.batch.insert(key, value);
    }

    /// An entry that is about to be replaced.
    fn forget(&mut self, key: &[u8], value: &[u8]) {
        self.position.entries = self.position.entries.saturating_sub(1);
        self.position.sum = self.position.sum.wrapping_sub(checksum(key, value));
    }
}

/// What the tail's records and keys look like in sled.
fn rows(tail: &Tail) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::with_capacity(tail.len() * 2);
    for (key, entries) in tail.keys() {
        let entries: Vec<&Entry> = entries.collect();
        push_lists(&mut rows, &[b"i".as_slice(), &key.0].concat(), &entries, false);
    }
    for (subject, entries) in tail.subjects() {
        let entries: Vec<&Entry> = entries.collect();
        push_lists(&mut rows, &[b"s".as_slice(), &subject.0].concat(), &entries, true);
    }
    for entry in tail.entries() {
        if let Some(event) = entry.event
            && tail.of_event(event) == Some(entry)
        {
            let value = [entry.epoch.to_be_bytes().as_slice(), &posting_bytes(entry)].concat();
            rows.push(([b"e".as_slice(), &event].concat(), value));
        }
        if entry.seq % NOTED == 0 {
            rows.push((numbered(b"p", entry), place_bytes(entry.place).to_vec()));
        }
    }
    for (number, key, tag) in tail.slots() {
        let number = number.to_be_bytes();
        rows.push(([b"k".as_slice(), &key.0].concat(), number.to_vec()));
        rows.push(([b"t".as_slice(), tag, &number].concat(), Vec::new()));
    }
    rows
}

fn push_lists(
    rows: &mut Vec<(Vec<u8>, Vec<u8>)>,
    prefix: &[u8],
    entries: &[&Entry],
    with_time: bool,
) {
    for part in entries.chunks(LIST) {
        let Some(first) = part.first() else { continue };
        let mut value = Vec::with_capacity(part.len() * 28);
        for entry in part {
            value.extend_from_slice(&posting_bytes(entry));
            if with_time {
                value.extend_from_slice(&entry.at.to_be_bytes());
            }
        }
        rows.push((numbered(prefix, first), value));
    }
}

fn numbered(prefix: &[u8], entry: &Entry) -> Vec<u8> {
    [prefix, &entry.epoch.to_be_bytes(), &entry.seq.to_be_bytes()].concat()
}

fn posting_bytes(entry: &Entry) -> Vec<u8> {
    [entry.seq.to_be_bytes().as_slice(), &place_bytes(entry.place)].concat()
}

fn place_bytes(place: Place) -> [u8; 12] {
    let mut bytes = [0; 12];
    let (segment, offset) = bytes.split_at_mut(8);
    segment.copy_from_slice(&place.segment.to_be_bytes());
    offset.copy_from_slice(&place.offset.to_be_bytes());
    bytes
}

fn read_place(rest: &mut &[u8]) -> Option<Place> {
    let segment = take_u64(rest)?;
    Some(Place { segment, offset: u32::from_be_bytes(take(rest)?) })
}

fn read_posting(rest: &mut &[u8], epoch: u64) -> Option<Posting> {
    let seq = take_u64(rest)?;
    Some(Posting { epoch, seq, place: read_place(rest)? })
}

/// The epoch in a key of prefix, 16 bytes of name, epoch and seq.
fn epoch_of(row: &[u8]) -> Option<u64> {
    row.get(17..).and_then(|mut rest| take_u64(&mut rest))
}

fn checksum(key: &[u8], value: &[u8]) -> u64 {
    u64::from(crc32c::crc32c_append(crc32c::crc32c(key), value))
}

fn caught<T>(work: impl FnOnce() -> Result<T, IndexError>) -> Result<T, IndexError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "no message".to_owned());
        Err(IndexError::Panicked(text))
    })
}

/// Bytes that a directory's files take on disk.
pub(crate) fn directory_bytes(dir: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(data) if data.is_dir() => directory_bytes(&entry.path()),
            Ok(data) => data.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}

const META: &[u8] = b"m";
/// sled's page cache; its default of 1 GiB is more than a station has.
const CACHE_BYTES: u64 = 4 * 1024 * 1024;
const OPEN_WITHIN: Duration = Duration::from_mins(1);
/// Every record whose number this divides is noted with its place.
const NOTED: u64 = 64;
/// Records in one list: values stay far below the size that sled keeps in files of their own.
const LIST: usize = 64;
