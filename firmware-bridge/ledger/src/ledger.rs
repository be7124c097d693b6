//! The handle to a ledger: opening, appending, named values, receipts, new epochs, closing.

use std::io;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock};
use std::thread::JoinHandle;

use tidewaiter_proto::chain::Head;
use tidewaiter_proto::record::Draft;
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::sync::ranges::Ranges;
use tidewaiter_proto::sync::station::Stand;
use tokio::sync::{Semaphore, oneshot, watch};

use crate::book::{Chores, Shared};
use crate::disk::{Disk, DiskFile};
use crate::fault::{AppendError, Damage, EpochError, OpenError, Refusal};
use crate::frame::FRAME_HEADER;
use crate::head::{MARK_FILE_BYTES, MARK_NAME};
use crate::options::{BALLAST, JOURNAL, KEYS, LOCK, LedgerOptions};
use crate::queue::{Appended, Queue, Request, lock};
use crate::receipts::Receipted;
use crate::recover::{at, exists, recover};
use crate::segment::SEGMENT_HEADER;
use crate::sequencer::Sequencer;
use crate::writer::JournalFile;

/// A ledger, open; clones share it. It closes with the last of them.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    permits: Arc<Semaphore>,
    /// Receipts are read, changed and written by one at a time.
    receipts: tokio::sync::Mutex<()>,
    writers: Mutex<Vec<JoinHandle<()>>>,
    keeper: Mutex<Option<JoinHandle<()>>>,
    /// Held while the ledger is open, so that no other process writes to it.
    _lock: Box<dyn Send + Sync>,
}

/// How a ledger is.
#[derive(Clone, Debug)]
pub struct Health {
    /// Why nothing is recorded, if so.
    pub refusal: Option<Refusal>,
    /// Why the last new file could not be made, if so.
    pub full: Option<Refusal>,
    /// What is not as it was.
    pub damage: Vec<Damage>,
    /// What opening and later repairs had to do.
    pub notices: Vec<String>,
    /// Appends that are waiting.
    pub waiting: usize,
    /// Bytes free on its disk.
    pub free_bytes: u64,
    /// Whether a warning about the disk is due.
    pub low: bool,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ledger({})", self.inner.shared.options.dir.display())
    }
}

impl Ledger {
    /// Opens a ledger or makes a new one. Reads what was written last, so it may take a moment:
    /// not to be called on an async thread.
    ///
    /// # Errors
    /// [`OpenError`]. A ledger that may not record opens all the same, and says why in
    /// [`Ledger::health`]: what it holds can be read and sent.
    pub fn open(options: LedgerOptions) -> Result<Self, OpenError> {
        check(&options)?;
        let disk = Arc::clone(&options.disk);
        for dir in [options.dir.clone(), options.dir.join(JOURNAL), options.dir.join(KEYS)] {
            disk.make_dir(&dir).map_err(at(&dir))?;
        }
        let path = options.dir.join(LOCK);
        let held = disk.lock(&path).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => OpenError::InUse(options.dir.clone()),
            _ => at(&path)(error),
        })?;
        give_up_ballast(&*disk, &options);
        let recovered = recover(&options)?;
        keep_ballast(&*disk, &options);
        let mark = mark_file(&*disk, &options.dir);
        let book = recovered.book;
        let sequencer = Sequencer::new(book.epoch, book.head, book.end, book.next_slot);
        let (head, _) = watch::channel((book.epoch, book.head));
        let permits = Arc::new(Semaphore::new(options.queue_length));
        let shared = Arc::new(Shared {
            queue: Queue::default(),
            sequencer: Mutex::new(sequencer),
            journal: Mutex::new(JournalFile {
                segment: recovered.newest,
                mark,
                mark_second: false,
            }),
            book: RwLock::new(book),
            index: RwLock::new(recovered.index),
            spare: Mutex::new(None),
            spares: AtomicU64::new(0),
            ready_keys: Mutex::default(),
            chores: Mutex::new(Chores { spare_taken: true, keys_taken: true, ..Chores::default() }),
            chore_due: std::sync::Condvar::new(),
            chore_done: std::sync::Condvar::new(),
            head,
            files: Mutex::default(),
            heading: Mutex::default(),
            options,
        });
        let mut writers = Vec::new();
        for number in 1..=WRITERS {
            let shared = Arc::clone(&shared);
            let work = move || crate::writer::work(&shared);
            writers.push(spawn(&format!("ledger-writer-{number}"), work)?);
        }
        let of_keeper = Arc::clone(&shared);
        let keeper = spawn("ledger-keeper", move || crate::keeper::work(&of_keeper))?;
        Ok(Self {
            inner: Arc::new(Inner {
                shared,
                permits,
                receipts: tokio::sync::Mutex::default(),
                writers: Mutex::new(writers),
                keeper: Mutex::new(Some(keeper)),
                _lock: held,
            }),
        })
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.inner.shared
    }

    pub(crate) fn shared_handle(&self) -> Arc<Shared> {
        Arc::clone(&self.inner.shared)
    }

    /// While this is held, what the server has does not change.
    pub(crate) async fn hold_receipts(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.receipts.lock().await
    }

    /// Whose ledger it is.
    pub fn station(&self) -> &StationId {
        &self.shared().options.station
    }

    /// Records a fact and gives its place once it is on disk. `event` names what a device said, by
    /// the device and its own id: said again, the first record answers.
    ///
    /// # Errors
    /// [`AppendError`]; unless it is [`AppendError::Unconfirmed`], nothing was recorded.
    pub async fn append(
        &self,
        draft: Draft,
        event: Option<(&str, &str)>,
    ) -> Result<Appended, AppendError> {
        let shared = self.shared();
        let event =
            event.map(|(device, id)| shared.options.secrets.station.tag("event", &[device, id]));
        let permits = Arc::clone(&self.inner.permits).acquire_owned();
        let permit = tokio::time::timeout(shared.options.queue_wait, permits)
            .await
            .map_err(|_| AppendError::Busy(shared.queue.length()))?
            .map_err(|_| AppendError::Closed)?;
        let (reply, answer) = oneshot::channel();
        shared.queue.push(Request::Append { draft: Box::new(draft), event, reply, permit })?;
        answer.await.map_err(|_| AppendError::Closed)?
    }

    /// Keeps a named value of the station's own; returns when it is on disk.
    ///
    /// # Errors
    /// [`AppendError`].
    pub async fn set_state(&self, name: &str, value: Vec<u8>) -> Result<(), AppendError> {
        let (reply, answer) = oneshot::channel();
        self.shared().queue.push(Request::State { key: name.to_owned(), value, reply })?;
        answer.await.map_err(|_| AppendError::Closed)?
    }

    /// A named value.
    pub fn state(&self, name: &str) -> Option<Vec<u8>> {
        self.shared().book().states.get(name).map(|(value, _)| value.clone())
    }

    /// The last record on disk, and its epoch.
    pub fn head(&self) -> (u64, Head) {
        let book = self.shared().book();
        (book.epoch, book.head)
    }

    /// Tells of every new head.
    pub fn heads(&self) -> watch::Receiver<(u64, Head)> {
        self.shared().head.subscribe()
    }

    /// What the server's receipts cover of an epoch.
    pub fn receipted(&self, epoch: u64) -> Receipted {
        self.shared().book().receipts.of(epoch)
    }

    /// How far each epoch reaches, and what of it is delivered: where the sync begins.
    ///
    /// # Errors
    /// When an earlier epoch cannot be read.
    pub fn stands(&self) -> Result<Vec<Stand>, crate::fault::ReadError> {
        let (epoch, head) = self.head();
        let mut epochs: Vec<u64> =
            self.shared().book().segments.iter().map(|segment| segment.epoch).collect();
        epochs.push(epoch);
        epochs.sort_unstable();
        epochs.dedup();
        // A life that ended before its known end, or that the server knows otherwise, is over: only
        // the server's word begins another.
        let over = self.shared().book().refusal.as_ref().is_some_and(Refusal::ends_with_epoch);
        epochs
            .into_iter()
            .map(|of| {
                let head = if of == epoch { head } else { self.last_of(of)? };
                let delivered = self.receipted(of).ranges;
                Ok(Stand { epoch: of, head, delivered, contradicted: over && of == epoch })
            })
            .collect()
    }

    /// Notes that the server has these records.
    ///
    /// # Errors
    /// [`AppendError`].
    pub async fn delivered(
        &self,
        epoch: u64,
        ranges: &Ranges,
        verified: Head,
    ) -> Result<(), AppendError> {
        let _one_at_a_time = self.inner.receipts.lock().await;
        let mut receipted = self.receipted(epoch);
        receipted.ranges.extend(ranges);
        receipted.verified = Some(verified);
        self.put_receipted(epoch, &receipted).await
    }

    /// Notes that the server has lost these records: they must be kept and sent again.
    ///
    /// # Errors
    /// [`AppendError`].
    pub async fn returned(&self, epoch: u64, ranges: &Ranges) -> Result<(), AppendError> {
        let _one_at_a_time = self.inner.receipts.lock().await;
        let mut receipted = self.receipted(epoch);
        receipted.ranges.subtract(ranges);
        receipted.verified = None;
        self.put_receipted(epoch, &receipted).await
    }

    async fn put_receipted(&self, epoch: u64, receipted: &Receipted) -> Result<(), AppendError> {
        let (name, value) = receipted.to_state(epoch);
        self.set_state(&name, value).await
    }

    /// Begins a new life of the ledger, on the server's word: the caller has verified it. The old
    /// records stay readable.
    ///
    /// # Errors
    /// [`EpochError`].
    pub async fn begin_epoch(&self, epoch: u64) -> Result<(), EpochError> {
        let known = self.head().0;
        if epoch <= known {
            return Err(EpochError::NotLater { new: epoch, known });
        }
        let genesis = Head::genesis(self.station(), epoch);
        let shared = Arc::clone(&self.inner.shared);
        let (done, answer) = oneshot::channel();
        let begin = move |sequencer: &mut Sequencer| {
            let mut book = shared.book_mut();
            let known = book.epoch;
            if epoch <= known {
                // Another word came first.
                let _ = done.send(Err(EpochError::NotLater { new: epoch, known }));
                return;
            }
            sequencer.begin(epoch, genesis);
            book.epoch = epoch;
            book.head = genesis;
            // A disk that failed is not mended by a new life of the ledger.
            book.refusal.take_if(|refusal| refusal.ends_with_epoch());
            book.contradicted = None;
            drop(book);
            shared.write_head();
            shared.head.send_replace((epoch, genesis));
            // Who asked is gone: the epoch has begun all the same.
            let _ = done.send(Ok(()));
        };
        self.shared().queue.push(Request::Alone(Box::new(begin)))?;
        answer.await.map_err(|_| AppendError::Closed)??;
        // The first frame of the epoch: from here on the journal itself says that it began.
        self.set_state(EPOCH_STATE, epoch.to_string().into_bytes()).await?;
        Ok(())
    }

    /// Notes that the server has seen another head than ours: nothing more is recorded until a
    /// new epoch begins.
    pub fn contradicted(&self, epoch: u64, seen: Head) {
        let shared = self.shared();
        let mut book = shared.book_mut();
        book.contradicted = Some((epoch, seen));
        book.refusal.get_or_insert(Refusal::Forked { epoch, seq: seen.seq });
        drop(book);
        shared.write_head();
    }

    /// How the ledger is.
    pub fn health(&self) -> Health {
        let shared = self.shared();
        let options = &shared.options;
        let free_bytes = options.disk.free_bytes(&options.dir).unwrap_or(0);
        let book = shared.book();
        Health {
            refusal: book.refusal.clone(),
            full: book.full.clone(),
            damage: book.damage.clone(),
            notices: book.notices.clone(),
            waiting: shared.queue.length(),
            free_bytes,
            low: free_bytes < options.low_bytes,
        }
    }

    /// Takes nothing more, writes what waits, and returns when all is on disk. Blocks.
    pub fn close(&self) {
        self.inner.close();
    }
}

impl Inner {
    fn close(&self) {
        self.shared.queue.stop();
        for writer in lock(&self.writers).drain(..) {
            if writer.join().is_err() {
                tracing::error!("a writer of the ledger ended by itself");
            }
        }
        self.shared.ask(|chores| {
            chores.checkpoint = true;
            chores.head_old = true;
            chores.stop = true;
        });
        let keeper = lock(&self.keeper).take();
        if keeper.is_some_and(|keeper| keeper.join().is_err()) {
            tracing::error!("the keeper of the ledger ended by itself");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

fn check(options: &LedgerOptions) -> Result<(), OpenError> {
    let least = SEGMENT_HEADER + FRAME_HEADER + tidewaiter_proto::stored::BODY_BYTES_MAX + 1024;
    if (options.segment_bytes as usize) < least {
        return Err(OpenError::Option("segment_bytes: a segment must hold the largest record"));
    }
    if options.queue_length == 0 || options.group_records == 0 || options.checkpoint_records == 0 {
        return Err(OpenError::Option("queue, group and checkpoint must hold one record at least"));
    }
    Ok(())
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|source| OpenError::Io { path: name.into(), source })
}

/// The mark's file; none when it cannot be had, which is no reason not to open.
fn mark_file(disk: &dyn Disk, dir: &Path) -> Option<Box<dyn DiskFile>> {
    let path = dir.join(MARK_NAME);
    match disk.open(&path).or_else(|_| disk.create(&path, MARK_FILE_BYTES as u64)) {
        Ok(file) => Some(file),
        Err(error) => {
            tracing::warn!(%error, "the mark of the head cannot be kept");
            None
        }
    }
}

/// A full disk has room to open again when the ballast goes.
fn give_up_ballast(disk: &dyn Disk, options: &LedgerOptions) {
    let path = options.dir.join(BALLAST);
    let free = disk.free_bytes(&options.dir).unwrap_or(u64::MAX);
    if free < options.reserve_bytes && exists(disk, &path) {
        match disk.remove(&path) {
            Ok(()) => tracing::warn!("the disk is full: the ballast was given up"),
            Err(error) => tracing::warn!(%error, "the ballast cannot be given up"),
        }
    }
}

fn keep_ballast(disk: &dyn Disk, options: &LedgerOptions) {
    let path = options.dir.join(BALLAST);
    let free = disk.free_bytes(&options.dir).unwrap_or(0);
    let wanted = options.ballast_bytes.saturating_add(options.low_bytes);
    if options.ballast_bytes == 0 || free < wanted || exists(disk, &path) {
        return;
    }
    if let Err(error) = disk.create(&path, options.ballast_bytes) {
        tracing::warn!(%error, "there is no room for the ballast");
    }
}

const WRITERS: usize = 2;
const EPOCH_STATE: &str = "epoch";
