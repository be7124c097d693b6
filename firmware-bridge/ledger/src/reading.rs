//! Reading records back: by number for the sync, by inspection and subject for the officer.

use std::collections::HashMap;
use std::io;

use tidewaiter_proto::batch::BatchKey;
use tidewaiter_proto::chain::{ChainHash, Head};
use tidewaiter_proto::record::Record;
use tidewaiter_proto::seal::{BodyKey, KeyId, SubjectToken};
use tidewaiter_proto::stored::Stored;

use crate::book::Shared;
use crate::disk::read_from;
use crate::fault::ReadError;
use crate::frame::{FRAME_HEADER, FRAME_PAYLOAD_MAX, Frame, FrameFault, Kind};
use crate::index::Posting;
use crate::key::SlotState;
use crate::ledger::Ledger;
use crate::queue::Appended;
use crate::segment::{FIRST_FRAME, Place};
use crate::sequencer::inspection_tag;

/// Consecutive records as stored, with what a batch needs beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Chain hash before the first.
    pub previous: ChainHash,
    /// Their keys, wrapped for the server.
    pub keys: Vec<BatchKey>,
    /// The stored bytes.
    pub records: Vec<Vec<u8>>,
}

/// One record found by number.
struct Numbered {
    hash: ChainHash,
    payload: Vec<u8>,
}

impl Ledger {
    /// Up to `bytes_max` bytes of consecutive records, at least one.
    ///
    /// # Errors
    /// [`ReadError::Missing`] names the first that is not there.
    pub fn run(&self, epoch: u64, from: u64, to: u64, bytes_max: usize) -> Result<Run, ReadError> {
        let shared = self.shared();
        let mut run = Run {
            previous: self.hash(epoch, from.saturating_sub(1))?,
            keys: Vec::new(),
            records: Vec::new(),
        };
        let mut size = 0usize;
        shared.numbered(epoch, from, to, |record| {
            size = size.saturating_add(record.payload.len());
            if size > bytes_max && !run.records.is_empty() {
                return false;
            }
            run.records.push(record.payload);
            true
        })?;
        if run.records.is_empty() {
            return Err(ReadError::Missing { epoch, seq: from });
        }
        let mut known: Vec<KeyId> = run.records.iter().filter_map(|bytes| key_of(bytes)).collect();
        known.sort_unstable();
        known.dedup();
        for key in known {
            let Some(number) = shared.slot_of(key)? else { continue };
            if let Some(slot) = shared.slot(number)?.filter(|slot| slot.state == SlotState::InUse) {
                run.keys.push((key, slot.for_server));
            }
        }
        Ok(run)
    }

    /// The record of what a device said under this id, if it was recorded before.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn recorded(&self, device: &str, id: &str) -> Result<Option<Appended>, ReadError> {
        let shared = self.shared();
        shared.event(shared.options.secrets.station.tag("event", &[device, id]))
    }

    /// The chain hash of a record; that of the genesis for 0.
    ///
    /// # Errors
    /// [`ReadError::Missing`].
    pub fn hash(&self, epoch: u64, seq: u64) -> Result<ChainHash, ReadError> {
        if seq == 0 {
            return Ok(Head::genesis(self.station(), epoch).hash);
        }
        // The oldest kept record follows one that was let go.
        let floor = self.shared().book().floor;
        if floor.0 == epoch && floor.1.seq == seq {
            return Ok(floor.1.hash);
        }
        let mut hash = None;
        self.shared().numbered(epoch, seq, seq, |record| {
            hash = Some(record.hash);
            false
        })?;
        hash.ok_or(ReadError::Missing { epoch, seq })
    }

    /// The last record of an epoch that has ended.
    pub(crate) fn last_of(&self, epoch: u64) -> Result<Head, ReadError> {
        let shared = self.shared();
        let last = shared.book().segments.iter().rfind(|s| s.epoch == epoch).cloned();
        let Some(segment) = last else { return Ok(Head::genesis(self.station(), epoch)) };
        let mut head = segment.previous;
        let place = Place { segment: segment.ordinal, offset: FIRST_FRAME };
        shared.walk(epoch, place, |_, frame| {
            if frame.kind == Kind::Record {
                head = Head { seq: frame.seq, hash: frame.hash };
            }
            true
        })?;
        Ok(head)
    }

    /// The records of an inspection, oldest first. Those whose key was erased are left out.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn records_of(&self, inspection: &str) -> Result<Vec<Record>, ReadError> {
        let shared = self.shared();
        let tag = inspection_tag(shared, Some(inspection));
        let mut postings = Vec::new();
        for number in shared.slots_of(tag)? {
            if let Some(slot) = shared.slot(number)? {
                postings.extend(shared.of_key(slot.key)?);
            }
        }
        shared.open_all(postings)
    }

    /// The records about a subject from an instant on (microseconds since 1970), oldest first.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn records_of_subject(
        &self,
        subject: SubjectToken,
        since: i64,
    ) -> Result<Vec<Record>, ReadError> {
        let shared = self.shared();
        let mut postings = {
            let book = shared.book();
            let frozen = book.frozen.as_deref().into_iter().flat_map(|t| t.of_subject(subject));
            frozen
                .chain(book.tail.of_subject(subject))
                .filter(|entry| entry.at >= since)
                .map(|e| Posting { epoch: e.epoch, seq: e.seq, place: e.place })
                .collect::<Vec<_>>()
        };
        postings.extend(shared.ask_index(|index| index.of_subject(subject, since))?);
        shared.open_all(postings)
    }

    /// The last records of the present epoch, oldest first.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn recent(&self, count: u64) -> Result<Vec<Record>, ReadError> {
        let (epoch, head) = self.head();
        let before = {
            let book = self.shared().book();
            let oldest = book.segments.iter().find(|segment| segment.epoch == epoch);
            oldest.map_or(0, |segment| segment.previous.seq)
        };
        let first = head.seq.saturating_sub(count).max(before).saturating_add(1);
        let mut stored = Vec::new();
        if head.seq >= first {
            self.shared().numbered(epoch, first, head.seq, |record| {
                stored.push(record.payload);
                true
            })?;
        }
        self.shared().open(stored)
    }
}

impl Shared {
    /// The record of an event that a device said before.
    pub(crate) fn event(&self, event: [u8; 16]) -> Result<Option<Appended>, ReadError> {
        let newest = {
            let book = self.book();
            let frozen = || book.frozen.as_deref().and_then(|tail| tail.of_event(event));
            book.tail.of_event(event).or_else(frozen).map(|entry| Posting {
                epoch: entry.epoch,
                seq: entry.seq,
                place: entry.place,
            })
        };
        let found = match newest {
            Some(found) => Some(found),
            None => self.ask_index(|index| index.event(event))?,
        };
        let oldest = self.book().oldest();
        let Some(Posting { epoch, seq, place }) = found.filter(|p| p.place.segment >= oldest)
        else {
            return Ok(None);
        };
        let hash = self.frame_at(place, |frame| frame.hash)?;
        Ok(hash.map(|hash| Appended { epoch, seq, hash }))
    }

    /// Where the records under a key stand, those that were let go among them.
    pub(crate) fn of_key(&self, key: KeyId) -> Result<Vec<Posting>, ReadError> {
        let newest: Vec<Posting> = {
            let book = self.book();
            let frozen = book.frozen.as_deref().into_iter().flat_map(|tail| tail.of_key(key));
            frozen
                .chain(book.tail.of_key(key))
                .map(|e| Posting { epoch: e.epoch, seq: e.seq, place: e.place })
                .collect()
        };
        let mut postings = self.ask_index(|index| index.of_key(key))?;
        postings.extend(newest);
        Ok(postings)
    }

    fn open_all(&self, mut postings: Vec<Posting>) -> Result<Vec<Record>, ReadError> {
        postings.sort_unstable();
        // A checkpoint between the two questions shows a record in both answers.
        postings.dedup();
        let mut stored = Vec::with_capacity(postings.len());
        for Posting { epoch, seq, place } in postings {
            let payload = self.frame_at(place, |frame| frame.payload.to_vec())?;
            match payload {
                Some(payload) => stored.push(payload),
                // It was let go after its time; sled may know it a while longer.
                None if place.segment < self.book().oldest() => {}
                None => return Err(ReadError::Missing { epoch, seq }),
            }
        }
        self.open(stored)
    }

    /// Opens stored records; those whose key is gone are left out.
    fn open(&self, stored: Vec<Vec<u8>>) -> Result<Vec<Record>, ReadError> {
        let mut keys: HashMap<KeyId, Option<BodyKey>> = HashMap::new();
        let mut records = Vec::with_capacity(stored.len());
        for bytes in stored {
            let Ok(stored) = Stored::parse(&bytes) else { continue };
            let id = stored.header.key;
            let key = if let Some(key) = keys.get(&id) {
                key.clone()
            } else {
                let slot = match self.slot_of(id)? {
                    Some(number) => self.slot(number)?,
                    None => None,
                };
                let key = slot.and_then(|slot| self.open_key(&slot));
                keys.insert(id, key.clone());
                key
            };
            match key.map(|key| stored.record(&key)) {
                Some(Ok(record)) => records.push(record),
                Some(Err(error)) => {
                    tracing::warn!(seq = stored.header.seq, %error, "a record cannot be opened");
                }
                None => {}
            }
        }
        Ok(records)
    }

    /// Visits the records of an epoch from one number to another, in order, while `each` says so.
    fn numbered(
        &self,
        epoch: u64,
        from: u64,
        to: u64,
        mut each: impl FnMut(Numbered) -> bool,
    ) -> Result<(), ReadError> {
        let Some(start) = self.at_or_before(epoch, from) else {
            return Err(ReadError::Missing { epoch, seq: from });
        };
        let (promised, head) = {
            let book = self.book();
            (book.epoch, book.head.seq)
        };
        self.walk(epoch, start, |_, frame| {
            // What the journal holds beyond the head was promised to nobody yet.
            if frame.seq > to || (epoch == promised && frame.seq > head) {
                return false;
            }
            if frame.kind != Kind::Record || frame.seq < from {
                return true;
            }
            let more = each(Numbered { hash: frame.hash, payload: frame.payload.to_vec() });
            more && frame.seq < to
        })
    }

    /// A place in the journal at or before a record.
    fn at_or_before(&self, epoch: u64, seq: u64) -> Option<Place> {
        {
            let book = self.book();
            let newest = book
                .tail
                .of_number(epoch, seq)
                .or_else(|| book.frozen.as_deref().and_then(|tail| tail.of_number(epoch, seq)));
            if let Some(entry) = newest {
                return Some(entry.place);
            }
        }
        // sled may be away; the segments' own headers lead there too, more slowly.
        let near = self.ask_index(|index| index.near(epoch, seq)).ok().flatten();
        let book = self.book();
        let segment = book
            .segments
            .iter()
            .rfind(|segment| segment.epoch == epoch && segment.previous.seq < seq)
            .map(|segment| Place { segment: segment.ordinal, offset: FIRST_FRAME });
        near.map(|(_, place)| place).max(segment)
    }

    /// Visits the frames of an epoch from a place on, while `each` says so.
    fn walk(
        &self,
        epoch: u64,
        start: Place,
        mut each: impl FnMut(Place, Frame<'_>) -> bool,
    ) -> Result<(), ReadError> {
        let ordinals: Vec<u64> = {
            let book = self.book();
            let after = book
                .segments
                .iter()
                .filter(|segment| segment.ordinal >= start.segment && segment.epoch == epoch);
            after.map(|segment| segment.ordinal).collect()
        };
        for ordinal in ordinals {
            let mut offset = if ordinal == start.segment { start.offset } else { FIRST_FRAME };
            let file = self.segment_file(ordinal)?;
            let mut most = CHUNK;
            'chunks: loop {
                let bytes = read_from(&*file, offset.into(), most)?;
                let mut at = 0usize;
                loop {
                    let rest = bytes.get(at..).unwrap_or_default();
                    let frame = match Frame::read(rest) {
                        Ok(frame) => frame,
                        // The frame goes on behind this chunk: it begins the next.
                        Err(FrameFault::Length) if bytes.len() == most && at > 0 => break,
                        Err(FrameFault::Length) if bytes.len() == most && most < CHUNK_MOST => {
                            most = CHUNK_MOST;
                            break;
                        }
                        Err(_) => break 'chunks,
                    };
                    let step = u32::try_from(at).unwrap_or(u32::MAX);
                    let place = Place { segment: ordinal, offset: offset.saturating_add(step) };
                    if !each(place, frame) {
                        return Ok(());
                    }
                    at += frame.length();
                }
                offset = offset.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
            }
        }
        Ok(())
    }

    /// Reads the frame that begins at a place; none when there is no valid one.
    fn frame_at<T>(
        &self,
        place: Place,
        take: impl Fn(Frame<'_>) -> T,
    ) -> Result<Option<T>, ReadError> {
        let file = match self.segment_file(place.segment) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        for most in [FRAME_FIRST, FRAME_HEADER + FRAME_PAYLOAD_MAX] {
            let bytes = read_from(&*file, place.offset.into(), most)?;
            match Frame::read(&bytes) {
                Ok(frame) => return Ok(Some(take(frame))),
                Err(FrameFault::Length) => {}
                Err(_) => return Ok(None),
            }
        }
        Ok(None)
    }
}

fn key_of(stored: &[u8]) -> Option<KeyId> {
    Stored::parse(stored).ok().map(|stored| stored.header.key)
}

/// Bytes read first for one frame; most records are smaller.
const FRAME_FIRST: usize = 2048;
/// Bytes of a segment read at once.
const CHUNK: usize = 128 * 1024;
/// And for a frame that does not fit.
const CHUNK_MOST: usize = FRAME_HEADER + FRAME_PAYLOAD_MAX;
