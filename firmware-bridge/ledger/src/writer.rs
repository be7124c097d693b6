//! The writer threads: one group at a time to the disk, then the book, then the answers.
//!
//! The order is the promise: keys synced, frames written and synced (and the new segment's name,
//! when there is one), only then answered. A write or sync that fails stops the ledger; the
//! descriptor is not used again, because after a failed sync the kernel may have dropped the data
//! and would report success the next time.

use std::io;
use std::sync::Arc;

use crate::book::{Shared, Spare};
use crate::disk::DiskFile;
use crate::fault::AppendError;
use crate::head::{MARK_SECOND, Mark, mark_bytes};
use crate::key::{Slot, copies, key_path};
use crate::queue::lock;
use crate::segment::{Place, SegmentHeader, segment_path};
use crate::sequencer::Group;

/// The files that the one who has the turn writes to.
#[derive(Debug)]
pub(crate) struct JournalFile {
    /// The last segment; none in a new ledger.
    pub(crate) segment: Option<(u64, Box<dyn DiskFile>)>,
    pub(crate) mark: Option<Box<dyn DiskFile>>,
    pub(crate) mark_second: bool,
}

/// What one of the two writer threads does until the ledger closes.
pub(crate) fn work(shared: &Shared) {
    let guard = StopOnPanic(shared);
    loop {
        let collected = {
            let mut sequencer = lock(&shared.sequencer);
            sequencer.collect(shared)
        };
        let Some(group) = collected else { break };
        settle(shared, group);
    }
    std::mem::forget(guard);
}

fn settle(shared: &Shared, mut group: Group) {
    let stopped = shared.book().refusal.clone();
    let result = match stopped {
        Some(refusal) => Err(refusal),
        None => write(shared, &mut group).map_err(|error| shared.fail(&error.to_string())),
    };
    if result.is_ok() {
        publish(shared, &mut group);
    }
    shared.queue.written();
    for (reply, appended) in group.appended {
        let _ = reply.send(result.clone().map(|()| appended).map_err(AppendError::Unconfirmed));
    }
    for reply in group.set {
        let _ = reply.send(result.clone().map_err(AppendError::Unconfirmed));
    }
}

/// Brings a group to the disk.
fn write(shared: &Shared, group: &mut Group) -> io::Result<()> {
    let mut journal = lock(&shared.journal);
    write_slots(shared, &group.slots)?;
    let Some(place) = group.place else { return Ok(()) };
    if let Some((spare, header)) = group.rotation.take() {
        rotate(shared, &mut journal, spare, &header, place, &group.bytes)?;
        shared.book_mut().segments.push(header);
    } else {
        let (ordinal, file) = journal.segment.as_ref().ok_or(io::ErrorKind::NotFound)?;
        if *ordinal != place.segment {
            return Err(io::Error::other("the group is for another segment"));
        }
        file.write_at(place.offset.into(), &group.bytes)?;
        file.sync()?;
    }
    if let Some(head) = group.head {
        let length = u32::try_from(group.bytes.len()).unwrap_or(u32::MAX);
        let end = Place { offset: place.offset + length, ..place };
        mark(&mut journal, Mark { epoch: group.epoch, head, end });
    }
    Ok(())
}

/// Writes keys and returns when they are on disk: before the first record that needs one.
pub(crate) fn write_slots(shared: &Shared, slots: &[Slot]) -> io::Result<()> {
    let mut files: Vec<Arc<dyn DiskFile>> = Vec::new();
    let mut last = None;
    for slot in slots {
        let path = key_path(&shared.key_dir(), slot.number);
        let file = shared.file(path.clone())?;
        for offset in copies(slot.number) {
            file.write_at(offset, &slot.to_bytes())?;
        }
        if last.as_ref() != Some(&path) {
            files.push(file);
            last = Some(path);
        }
    }
    files.iter().try_for_each(|file| file.sync())
}

/// Goes on in a new segment: content and sync first, then the name.
fn rotate(
    shared: &Shared,
    journal: &mut JournalFile,
    spare: Spare,
    header: &SegmentHeader,
    place: Place,
    bytes: &[u8],
) -> io::Result<()> {
    let dir = shared.journal_dir();
    spare.file.write_at(0, &header.to_bytes())?;
    spare.file.write_at(place.offset.into(), bytes)?;
    spare.file.sync()?;
    let disk = &shared.options.disk;
    disk.rename(&spare.path, &segment_path(&dir, header.ordinal))?;
    disk.sync_dir(&dir)?;
    journal.segment = Some((header.ordinal, spare.file));
    shared.ask(|chores| chores.spare_taken = true);
    Ok(())
}

/// Notes the head in place, unsynced: kept when only the process dies. Not being able to is no
/// reason to stop: the journal is on disk.
fn mark(journal: &mut JournalFile, mark: Mark) {
    let offset = if journal.mark_second { MARK_SECOND as u64 } else { 0 };
    journal.mark_second = !journal.mark_second;
    if let Some(file) = &journal.mark
        && let Err(error) = file.write_at(offset, &mark_bytes(mark))
    {
        tracing::warn!(%error, "the mark of the head cannot be written");
        journal.mark = None;
    }
}

/// Enters a group that is on disk into the book.
fn publish(shared: &Shared, group: &mut Group) {
    let mut book = shared.book_mut();
    for slot in &group.slots {
        book.tail.add_slot(slot);
        book.next_slot = book.next_slot.max(slot.number + 1);
    }
    for entry in group.entries.drain(..) {
        book.tail.add(entry);
    }
    if let (Some(place), Some(head)) = (group.place, group.head) {
        let length = u32::try_from(group.bytes.len()).unwrap_or(u32::MAX);
        let end = Place { offset: place.offset + length, ..place };
        for (name, value) in group.states.drain(..) {
            book.receipts.read(&name, &value);
            book.tail.set_state(&name, &value);
            book.states.insert(name, (value, place.segment));
        }
        book.end = end;
        book.epoch = group.epoch;
        book.head = head;
        book.tail.reach(end, group.epoch, head);
    }
    let (epoch, head) = (book.epoch, book.head);
    let full = book.tail.len() >= shared.options.checkpoint_records;
    drop(book);
    shared.head.send_if_modified(|known| {
        let changed = *known != (epoch, head);
        *known = (epoch, head);
        changed
    });
    shared.ask(|chores| {
        chores.head_old = true;
        chores.checkpoint |= full;
    });
}

/// Stops the ledger when a writer thread panics: what it had numbered is promised to nobody.
struct StopOnPanic<'a>(&'a Shared);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        self.0.fail("a writer thread ended");
        self.0.queue.written();
    }
}
