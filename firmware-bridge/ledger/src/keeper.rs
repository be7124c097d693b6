//! The keeper thread: everything that need not wait for an append. Spare segments, the head file,
//! checkpoints into sled, and its rebuilding.

use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::book::{Chores, Shared, Spare};
use crate::disk::{is_full, replace};
use crate::fault::Refusal;
use crate::head::{CHECKPOINT_NAME, Checkpoint, HEAD_NAME, Position};
use crate::index::IndexError;
use crate::key::{KEY_FILE_BYTES, key_path};
use crate::options::{INDEX, INDEX_NEW, INDEX_OLD, SET_ASIDE};
use crate::queue::lock;

/// What the keeper thread does until the ledger closes.
pub(crate) fn work(shared: &Shared) {
    let mut checkpointed = Instant::now();
    let mut headed: Option<Instant> = None;
    loop {
        let (chores, stop) = wait(shared, checkpointed, headed);
        if chores.spare_taken {
            let _ = shared.fill_shelf();
        }
        if chores.keys_taken {
            shared.make_keys_ready();
        }
        if chores.rebuild {
            rebuild(shared);
        }
        if chores.compact && !stop {
            compact(shared);
        }
        let lagged = headed.is_none_or(|at| at.elapsed() >= shared.options.head_lag);
        if chores.head_old && (lagged || stop) {
            shared.write_head();
            headed = Some(Instant::now());
        } else if chores.head_old {
            lock(&shared.chores).head_old = true;
        }
        let due = checkpointed.elapsed() >= shared.options.checkpoint_lag;
        if chores.checkpoint || (due && !shared.book().tail.is_empty()) {
            checkpoint(shared);
            checkpointed = Instant::now();
        }
        lock(&shared.chores).checkpoints += 1;
        shared.chore_done.notify_all();
        if stop {
            return;
        }
    }
}

fn wait(shared: &Shared, checkpointed: Instant, headed: Option<Instant>) -> (Chores, bool) {
    let mut chores = lock(&shared.chores);
    loop {
        let lag = shared.options.head_lag;
        let head_wait = headed.map_or(Duration::ZERO, |at| lag.saturating_sub(at.elapsed()));
        let due = chores.spare_taken
            || chores.keys_taken
            || chores.checkpoint
            || chores.rebuild
            || chores.compact
            || chores.stop;
        if due || (chores.head_old && head_wait.is_zero()) {
            let stop = chores.stop;
            let taken = std::mem::take(&mut *chores);
            chores.checkpoints = taken.checkpoints;
            chores.stop = stop;
            return (taken, stop);
        }
        let open = chores.head_old;
        let tail = !shared.book().tail.is_empty();
        let rest = shared.options.checkpoint_lag.saturating_sub(checkpointed.elapsed());
        if tail && rest.is_zero() {
            chores.checkpoint = true;
            continue;
        }
        let pause = match (open, tail) {
            (true, _) => head_wait,
            (false, true) => rest,
            (false, false) => FOREVER,
        };
        chores = self_wait(shared, chores, pause);
    }
}

fn self_wait<'a>(
    shared: &'a Shared,
    chores: std::sync::MutexGuard<'a, Chores>,
    pause: Duration,
) -> std::sync::MutexGuard<'a, Chores> {
    let pause = pause.max(Duration::from_millis(1));
    match shared.chore_due.wait_timeout(chores, pause) {
        Ok((chores, _)) => chores,
        Err(poisoned) => poisoned.into_inner().0,
    }
}

/// Brings the tail into sled: one batch, synced, then the checkpoint's file.
pub(crate) fn checkpoint(shared: &Shared) {
    let (tail, before) = {
        let mut book = shared.book_mut();
        if book.frozen.is_none() {
            if book.tail.is_empty() {
                return;
            }
            book.frozen = Some(Arc::new(std::mem::take(&mut book.tail)));
        }
        let Some(frozen) = book.frozen.clone() else { return };
        (frozen, book.position)
    };
    let applied = {
        let index = shared.index.read().unwrap_or_else(PoisonError::into_inner);
        match index.as_ref() {
            Some(index) => index.apply(&tail, before),
            None => return,
        }
    };
    match applied {
        Ok(position) => {
            let mut book = shared.book_mut();
            book.position = position;
            book.frozen = None;
            drop(book);
            if let Err(error) = shared.write_checkpoint(position) {
                tracing::warn!(%error, "the checkpoint's file cannot be written");
            }
        }
        Err(error) => {
            tracing::error!(%error, "sled takes no checkpoint and will be rebuilt");
            shared.ask(|chores| chores.rebuild = true);
        }
    }
}

/// Sets sled aside and fills a new one from the journal.
pub(crate) fn rebuild(shared: &Shared) {
    let dir = shared.options.dir.join(INDEX);
    let mut index = shared.index.write().unwrap_or_else(PoisonError::into_inner);
    drop(index.take());
    let built = set_aside(&shared.options.dir, &dir)
        .map_err(IndexError::File)
        .and_then(|()| crate::rebuild::build(shared, &dir));
    match built {
        Ok((built, position)) => {
            *index = Some(built);
            drop(index);
            let mut book = shared.book_mut();
            book.position = position;
            book.frozen = None;
            book.notices.push("the index was rebuilt from the journal".to_owned());
            drop(book);
            let _ = shared.write_checkpoint(position);
        }
        Err(error) => {
            drop(index);
            let refusal = Refusal::Index(error.to_string());
            let mut book = shared.book_mut();
            book.refusal.get_or_insert(refusal);
        }
    }
}

/// Writes sled anew beside the old one, which never gives back the space of what is gone, and puts
/// it in its place. Nobody waits for the writing; a failure leaves the old one.
fn compact(shared: &Shared) {
    let [dir, beside, old] =
        [INDEX, INDEX_NEW, INDEX_OLD].map(|name| shared.options.dir.join(name));
    let cleared = remove_dir(&beside).and_then(|()| remove_dir(&old)).map_err(IndexError::File);
    let (built, position) = match cleared.and_then(|()| crate::rebuild::build(shared, &beside)) {
        Ok(built) => built,
        Err(error) => {
            tracing::warn!(%error, "sled cannot be written anew; the old one stays");
            let _ = remove_dir(&beside);
            return;
        }
    };
    drop(built);
    let mut index = shared.index.write().unwrap_or_else(PoisonError::into_inner);
    drop(index.take());
    let placed = std::fs::rename(&dir, &old)
        .and_then(|()| std::fs::rename(&beside, &dir))
        .and_then(|()| shared.options.disk.sync_dir(&shared.options.dir))
        .map_err(IndexError::File)
        .and_then(|()| crate::index::Index::open(&dir));
    match placed {
        Ok(placed) => {
            *index = Some(placed);
            drop(index);
            let mut book = shared.book_mut();
            book.position = position;
            book.frozen = None;
            drop(book);
            let _ = shared.write_checkpoint(position);
        }
        Err(error) => {
            drop(index);
            tracing::error!(%error, "sled written anew does not open and will be rebuilt");
            shared.ask(|chores| chores.rebuild = true);
        }
    }
    if let Err(error) = remove_dir(&old) {
        tracing::warn!(%error, "the old sled cannot be removed");
    }
}

/// Removes a directory and what is in it, if it is there.
pub(crate) fn remove_dir(dir: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Moves sled's directory out of the way; the one set aside before goes.
pub(crate) fn set_aside(ledger: &Path, dir: &Path) -> io::Result<()> {
    if !dir.exists() {
        return Ok(());
    }
    let aside = ledger.join(SET_ASIDE);
    std::fs::create_dir_all(&aside)?;
    let place = aside.join(INDEX);
    if place.exists() {
        std::fs::remove_dir_all(&place)?;
    }
    std::fs::rename(dir, &place)
}

impl Shared {
    /// Takes the spare segment, making one when there is none.
    pub(crate) fn take_spare(&self) -> Result<Spare, Refusal> {
        self.fill_shelf()?;
        lock(&self.spare).take().ok_or_else(|| Refusal::NoFile("no spare segment".to_owned()))
    }

    /// Makes a spare segment when there is none.
    pub(crate) fn fill_shelf(&self) -> Result<(), Refusal> {
        self.fill_shelf_down_to(self.options.reserve_bytes)
    }

    /// Makes a spare segment when there is none and so many bytes stay free.
    pub(crate) fn fill_shelf_down_to(&self, reserve: u64) -> Result<(), Refusal> {
        let mut shelf = lock(&self.spare);
        if shelf.is_some() {
            return Ok(());
        }
        let bytes = u64::from(self.options.segment_bytes);
        let made = self.room_for(bytes, reserve).and_then(|()| {
            let number = self.spares.fetch_add(1, Ordering::Relaxed);
            let path = self.journal_dir().join(format!("{SPARE}{number}"));
            let file = self.new_file(&path, bytes)?;
            Ok(Spare { path, file })
        });
        let mut book = self.book_mut();
        book.full = made.as_ref().err().cloned();
        drop(book);
        *shelf = Some(made?);
        Ok(())
    }

    /// Makes the file that holds a slot.
    pub(crate) fn make_key_file(&self, slot: u64) -> Result<(), Refusal> {
        let path = key_path(&self.key_dir(), slot);
        if self.options.disk.open(&path).is_ok() {
            return Ok(());
        }
        self.room_for(KEY_FILE_BYTES, self.options.reserve_bytes)?;
        self.new_file(&path, KEY_FILE_BYTES)?;
        self.options.disk.sync_dir(&self.key_dir()).map_err(|error| self.fail(&error.to_string()))
    }

    fn new_file(&self, path: &Path, bytes: u64) -> Result<Box<dyn crate::disk::DiskFile>, Refusal> {
        let file = self.options.disk.create(path, bytes).map_err(|error| {
            if is_full(&error) {
                let free = self.options.disk.free_bytes(&self.options.dir).unwrap_or(0);
                Refusal::DiskFull { free, needed: bytes }
            } else {
                Refusal::NoFile(error.to_string())
            }
        })?;
        file.sync().map_err(|error| self.fail(&error.to_string()))?;
        Ok(file)
    }

    /// Whether a file of so many bytes may be made.
    fn room_for(&self, bytes: u64, reserve: u64) -> Result<(), Refusal> {
        let disk = &self.options.disk;
        let free = disk
            .free_bytes(&self.options.dir)
            .map_err(|error| Refusal::NoFile(error.to_string()))?;
        let needed = bytes.saturating_add(reserve);
        if free < needed { Err(Refusal::DiskFull { free, needed }) } else { Ok(()) }
    }

    /// Replaces the head file. Failing is noted, not fatal: the journal is the truth.
    pub(crate) fn write_head(&self) {
        if let Err(error) = self.replace_head() {
            tracing::warn!(%error, "the head file cannot be written");
        }
    }

    /// Replaces the head file.
    pub(crate) fn replace_head(&self) -> io::Result<()> {
        let _one_at_a_time = lock(&self.heading);
        let bytes = self.head_file().to_bytes();
        replace(&*self.options.disk, &self.options.dir, HEAD_NAME, &bytes)
    }

    /// Replaces the checkpoint's file.
    pub(crate) fn write_checkpoint(&self, position: Position) -> io::Result<()> {
        let checkpoint = Checkpoint { head: self.head_file(), position };
        let bytes = checkpoint.to_bytes();
        replace(&*self.options.disk, &self.options.dir, CHECKPOINT_NAME, &bytes)
    }

    /// Waits until the keeper has been around once, or a moment.
    pub(crate) fn wait_for_keeper(&self) {
        let chores = lock(&self.chores);
        let _ = self.chore_done.wait_timeout(chores, Duration::from_millis(100));
    }
}

/// The keeper is woken for everything there is to do; this is only a bound.
const FOREVER: Duration = Duration::from_hours(1);
/// How the names of spare segments begin.
pub(crate) const SPARE: &str = "spare-";
