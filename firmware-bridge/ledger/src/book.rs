//! What the ledger's threads share: the book of what is on disk, and the way to it.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tidewaiter_proto::chain::Head;
use tidewaiter_proto::seal::{BodyKey, KeyId};
use tokio::sync::watch;

use crate::disk::DiskFile;
use crate::fault::{Damage, ReadError, Refusal};
use crate::head::{HeadFile, Position};
use crate::index::{Index, IndexError};
use crate::key::{FoundSlot, Slot, SlotState, key_path, read_slot};
use crate::options::{JOURNAL, KEYS, LedgerOptions};
use crate::queue::{Queue, lock};
use crate::ready::ReadyKey;
use crate::receipts::Receipts;
use crate::segment::{Place, SegmentHeader, segment_path};
use crate::sequencer::Sequencer;
use crate::tail::Tail;

/// All that the ledger's threads and handles share.
pub(crate) struct Shared {
    pub(crate) options: LedgerOptions,
    pub(crate) queue: Queue,
    pub(crate) sequencer: Mutex<Sequencer>,
    pub(crate) journal: Mutex<crate::writer::JournalFile>,
    pub(crate) book: RwLock<Book>,
    pub(crate) index: RwLock<Option<Index>>,
    pub(crate) spare: Mutex<Option<Spare>>,
    /// Keys of inspections to come.
    pub(crate) ready_keys: Mutex<Vec<ReadyKey>>,
    /// Counts spares, for their names.
    pub(crate) spares: AtomicU64,
    pub(crate) chores: Mutex<Chores>,
    pub(crate) chore_due: Condvar,
    pub(crate) chore_done: Condvar,
    pub(crate) head: watch::Sender<(u64, Head)>,
    pub(crate) files: Mutex<HashMap<PathBuf, Arc<dyn DiskFile>>>,
    /// The head file is replaced by one at a time.
    pub(crate) heading: Mutex<()>,
}

/// What is on disk, as readers see it.
#[derive(Debug)]
pub(crate) struct Book {
    pub(crate) epoch: u64,
    pub(crate) head: Head,
    pub(crate) segments: Vec<SegmentHeader>,
    /// Where the next frame goes.
    pub(crate) end: Place,
    pub(crate) tail: Tail,
    /// On its way into sled.
    pub(crate) frozen: Option<Arc<Tail>>,
    pub(crate) position: Position,
    /// Named values, and the segment that holds the newest frame of each.
    pub(crate) states: BTreeMap<String, (Vec<u8>, u64)>,
    pub(crate) receipts: Receipts,
    pub(crate) next_slot: u64,
    pub(crate) floor: (u64, Head),
    pub(crate) contradicted: Option<(u64, Head)>,
    pub(crate) refusal: Option<Refusal>,
    /// Why the last new file could not be made; passes when one can.
    pub(crate) full: Option<Refusal>,
    pub(crate) damage: Vec<Damage>,
    pub(crate) notices: Vec<String>,
}

/// A segment's file made ahead of time.
#[derive(Debug)]
pub(crate) struct Spare {
    pub(crate) path: PathBuf,
    pub(crate) file: Box<dyn DiskFile>,
}

/// What the keeper has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chores {
    /// Something was written since the head file was.
    pub(crate) head_old: bool,
    /// The spare was taken.
    pub(crate) spare_taken: bool,
    /// Keys were taken from those made ahead.
    pub(crate) keys_taken: bool,
    /// A checkpoint is wanted now.
    pub(crate) checkpoint: bool,
    /// sled is to be rebuilt.
    pub(crate) rebuild: bool,
    /// sled holds much that was let go: it is to be written anew.
    pub(crate) compact: bool,
    pub(crate) stop: bool,
    /// Counts checkpoints tried, for those who wait for one.
    pub(crate) checkpoints: u64,
}

impl Book {
    /// Ordinal of the oldest segment that is kept.
    pub(crate) fn oldest(&self) -> u64 {
        self.segments.first().map_or(0, |segment| segment.ordinal)
    }
}

impl Shared {
    pub(crate) fn book(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn book_mut(&self) -> RwLockWriteGuard<'_, Book> {
        self.book.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn journal_dir(&self) -> PathBuf {
        self.options.dir.join(JOURNAL)
    }

    pub(crate) fn key_dir(&self) -> PathBuf {
        self.options.dir.join(KEYS)
    }

    /// Asks the keeper for something, and wakes it when that is news to it.
    pub(crate) fn ask(&self, change: impl FnOnce(&mut Chores)) {
        let mut chores = lock(&self.chores);
        let before = *chores;
        change(&mut chores);
        let news = *chores != before;
        drop(chores);
        if news {
            self.chore_due.notify_all();
        }
    }

    /// Stops recording until the ledger is opened again.
    pub(crate) fn fail(&self, what: &str) -> Refusal {
        let refusal = Refusal::Failed(what.to_owned());
        let mut book = self.book_mut();
        if book.refusal.is_none() {
            tracing::error!(reason = what, "the ledger stops recording");
            book.refusal = Some(refusal.clone());
        }
        refusal
    }

    /// Asks sled; an answer that cannot be has it rebuilt.
    pub(crate) fn ask_index<T>(
        &self,
        question: impl Fn(&Index) -> Result<T, IndexError>,
    ) -> Result<T, ReadError> {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = index.as_ref() else { return Err(ReadError::IndexAway) };
        let answer = question(open);
        drop(index);
        answer.map_err(|error| {
            tracing::error!(%error, "sled gives no answer and will be rebuilt");
            self.ask(|chores| chores.rebuild = true);
            ReadError::Index(error)
        })
    }

    /// An open file of the ledger, kept open for the next reader.
    pub(crate) fn file(&self, path: PathBuf) -> io::Result<Arc<dyn DiskFile>> {
        let mut files = lock(&self.files);
        if let Some(file) = files.get(&path) {
            return Ok(Arc::clone(file));
        }
        let file: Arc<dyn DiskFile> = self.options.disk.open(&path)?.into();
        if files.len() >= OPEN_FILES {
            files.clear();
        }
        files.insert(path, Arc::clone(&file));
        Ok(file)
    }

    pub(crate) fn segment_file(&self, ordinal: u64) -> io::Result<Arc<dyn DiskFile>> {
        self.file(segment_path(&self.journal_dir(), ordinal))
    }

    /// The slots of an inspection's tag, oldest first.
    pub(crate) fn slots_of(&self, tag: [u8; 16]) -> Result<Vec<u64>, ReadError> {
        let newest: Vec<u64> = {
            let book = self.book();
            let frozen = book.frozen.as_deref().into_iter().flat_map(|tail| tail.slots_of(tag));
            frozen.chain(book.tail.slots_of(tag)).collect()
        };
        let mut slots = self.ask_index(|index| index.slots_of(tag))?;
        slots.extend(newest);
        slots.sort_unstable();
        slots.dedup();
        Ok(slots)
    }

    /// The slot of a key.
    pub(crate) fn slot_of(&self, key: KeyId) -> Result<Option<u64>, ReadError> {
        let newest = {
            let book = self.book();
            book.tail
                .slot_of(key)
                .or_else(|| book.frozen.as_deref().and_then(|tail| tail.slot_of(key)))
        };
        match newest {
            Some(slot) => Ok(Some(slot)),
            None => self.ask_index(|index| index.slot_of(key)),
        }
    }

    /// Keeps no file open any more that is about to be removed.
    pub(crate) fn forget_files(&self, gone: &[PathBuf]) {
        lock(&self.files).retain(|path, _| !gone.contains(path));
    }

    /// Reads a slot; none when it is blank or lost, or its file went with all its keys.
    pub(crate) fn slot(&self, number: u64) -> io::Result<Option<Slot>> {
        let file = match self.file(key_path(&self.key_dir(), number)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        match read_slot(&*file, number)? {
            FoundSlot::Valid { slot, .. } => Ok(Some(*slot)),
            FoundSlot::Blank | FoundSlot::Lost => Ok(None),
        }
    }

    /// Opens the key of a slot for the station; none when it is gone.
    pub(crate) fn open_key(&self, slot: &Slot) -> Option<BodyKey> {
        if slot.state != SlotState::InUse {
            return None;
        }
        let secrets = &self.options.secrets;
        BodyKey::unwrap_for_station(slot.key, &secrets.station, &slot.for_station).ok()
    }

    /// What the head file would say now.
    pub(crate) fn head_file(&self) -> HeadFile {
        let book = self.book();
        HeadFile {
            epoch: book.epoch,
            head: book.head,
            floor: book.floor,
            contradicted: book.contradicted,
            station: self.options.station.clone(),
            end: book.end,
            oldest: book.oldest(),
        }
    }
}

const OPEN_FILES: usize = 16;
