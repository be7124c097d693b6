//! Numbers, seals and chains what arrives, and builds the groups that are written with one sync.
//!
//! The sequencer runs ahead of the disk by at most two groups. What it has numbered is promised to
//! nobody before the group is on disk; when writing fails, the ledger stops, so nothing is ever
//! numbered twice.

use std::collections::{HashMap, VecDeque};

use tidewaiter_proto::chain::{Head, link};
use tidewaiter_proto::record::Draft;
use tidewaiter_proto::seal::{BodyKey, KeyId, random};
use tidewaiter_proto::stored;

use crate::book::{Shared, Spare};
use crate::fault::{AppendError, ReadError, Refusal};
use crate::frame::{FRAME_HEADER, Frame, Kind, state_payload};
use crate::key::{SLOTS_PER_FILE, Slot, SlotState};
use crate::queue::{Appended, Reply, Request, Turn};
use crate::ready::ReadyKey;
use crate::segment::{FIRST_FRAME, Place, SEGMENT_HEADER, SegmentHeader};
use crate::tail::Entry;

/// Who numbers the records; one at a time.
pub(crate) struct Sequencer {
    epoch: u64,
    head: Head,
    /// The segment that takes the next frame; none in a new ledger or epoch.
    segment: Option<u64>,
    next_ordinal: u64,
    offset: u32,
    next_slot: u64,
    /// Keys in use, by the tag of the inspection, and the group that last used each.
    keys: HashMap<[u8; 16], (KeyId, BodyKey, u64)>,
    /// Events numbered in groups that may not be on disk yet, and their groups.
    events: HashMap<[u8; 16], (Appended, u64)>,
    /// What did not fit the last group's segment.
    carried: VecDeque<Request>,
    group: u64,
}

/// What is written and synced together.
#[derive(Default)]
pub(crate) struct Group {
    /// The file to go on in, when the last one is full.
    pub(crate) rotation: Option<(Spare, SegmentHeader)>,
    /// Where the bytes go.
    pub(crate) place: Option<Place>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) states: Vec<(String, Vec<u8>)>,
    pub(crate) epoch: u64,
    pub(crate) head: Option<Head>,
    pub(crate) appended: Vec<(Reply<Appended>, Appended)>,
    pub(crate) set: Vec<Reply<()>>,
}

impl Group {
    fn records(&self) -> usize {
        self.appended.len() + self.set.len()
    }
}

impl Sequencer {
    pub(crate) fn new(epoch: u64, head: Head, end: Place, next_slot: u64) -> Self {
        Self {
            epoch,
            head,
            segment: (end.offset > 0).then_some(end.segment),
            next_ordinal: end.segment.saturating_add(1),
            offset: end.offset,
            next_slot,
            keys: HashMap::new(),
            events: HashMap::new(),
            carried: VecDeque::new(),
            group: 0,
        }
    }

    /// Begins an epoch: the next frame goes to a new segment.
    pub(crate) fn begin(&mut self, epoch: u64, head: Head) {
        self.epoch = epoch;
        self.head = head;
        self.segment = None;
    }

    /// The next frame goes to a new segment.
    pub(crate) fn turn(&mut self) {
        self.segment = None;
    }

    /// Takes these before anything else that waits.
    pub(crate) fn first(&mut self, requests: impl IntoIterator<Item = Request>) {
        self.carried.extend(requests);
    }

    /// Uses these keys no more: they are about to go.
    pub(crate) fn forget(&mut self, gone: impl Fn(&[u8; 16], KeyId) -> bool) {
        self.keys.retain(|tag, (key, _, _)| !gone(tag, *key));
    }

    /// Waits for work and builds the next group; none when the ledger closes. The turn to write is
    /// taken when it returns a group.
    pub(crate) fn collect(&mut self, shared: &Shared) -> Option<Group> {
        self.group += 1;
        let group = self.group;
        // The group before this one may be on its way to the disk; all earlier ones are on it.
        self.events.retain(|_, (_, used)| *used + 1 >= group);
        if self.keys.len() > KEYS_KEPT {
            self.keys.retain(|_, (_, _, used)| *used + 1 >= group);
        }
        let mut building = Group { epoch: self.epoch, ..Group::default() };
        for request in std::mem::take(&mut self.carried) {
            self.take(shared, &mut building, request);
        }
        loop {
            let records = building.records();
            let full = !self.carried.is_empty() || building.bytes.len() > GROUP_BYTES;
            let room = if full { 0 } else { shared.options.group_records.saturating_sub(records) };
            match shared.queue.turn(records > 0, room) {
                Turn::Take(requests) => {
                    wait_for_room(shared);
                    for request in requests {
                        self.take(shared, &mut building, request);
                    }
                }
                Turn::Alone(work) => {
                    work(self);
                    building.epoch = self.epoch;
                    for request in std::mem::take(&mut self.carried) {
                        self.take(shared, &mut building, request);
                    }
                }
                Turn::Write => return Some(building),
                Turn::Stop => return None,
            }
        }
    }

    fn take(&mut self, shared: &Shared, building: &mut Group, request: Request) {
        if !self.carried.is_empty() {
            self.carried.push_back(request);
            return;
        }
        let refusal = shared.book().refusal.clone();
        match request {
            Request::Append { draft, event, reply, permit } => {
                let done = match refusal {
                    Some(refusal) => Err(AppendError::Refused(refusal)),
                    None => self.append(shared, building, &draft, event),
                };
                match done {
                    Ok(Some(appended)) => building.appended.push((reply, appended)),
                    Ok(None) => {
                        self.carried.push_back(Request::Append { draft, event, reply, permit });
                    }
                    Err(error) => {
                        let _ = reply.send(Err(error));
                    }
                }
            }
            Request::State { key, value, reply } => {
                let done = match refusal {
                    Some(refusal) => Err(AppendError::Refused(refusal)),
                    None => self.state(shared, building, &key, &value),
                };
                match done {
                    Ok(true) => {
                        building.states.push((key, value));
                        building.set.push(reply);
                    }
                    Ok(false) => self.carried.push_back(Request::State { key, value, reply }),
                    Err(error) => {
                        let _ = reply.send(Err(error));
                    }
                }
            }
            // The queue hands this out by itself, never among others.
            Request::Alone(work) => work(self),
        }
    }

    /// Numbers and seals a record; none when it belongs into the next group.
    fn append(
        &mut self,
        shared: &Shared,
        building: &mut Group,
        draft: &Draft,
        event: Option<[u8; 16]>,
    ) -> Result<Option<Appended>, AppendError> {
        if let Some(event) = event
            && let Some(earlier) = self.seen(shared, event)?
        {
            return Ok(Some(earlier));
        }
        let (key_id, key) = self.key(shared, building, draft.inspection.as_deref())?;
        let seq = self.head.seq + 1;
        let station = &shared.options.station;
        let bytes = stored::seal(station, self.epoch, seq, draft, key_id, &key, &random()?)?;
        let Some(place) = self.room(shared, building, bytes.len())? else { return Ok(None) };
        let hash = link(self.head.hash, &bytes);
        let synced = building.place.map_or(place.offset, |first| first.offset).into();
        let frame = Frame {
            kind: Kind::Record,
            epoch: self.epoch,
            seq,
            synced,
            hash,
            event,
            payload: &bytes,
        };
        self.put(building, place, &frame);
        self.head = Head { seq, hash };
        building.head = Some(self.head);
        let appended = Appended { epoch: self.epoch, seq, hash };
        building.entries.push(Entry {
            epoch: self.epoch,
            seq,
            place,
            key: key_id,
            subject: draft.subject,
            at: draft.at.as_microsecond(),
            event,
        });
        if let Some(event) = event {
            self.events.insert(event, (appended, self.group));
        }
        Ok(Some(appended))
    }

    fn state(
        &mut self,
        shared: &Shared,
        building: &mut Group,
        key: &str,
        value: &[u8],
    ) -> Result<bool, AppendError> {
        let payload = state_payload(key, value).ok_or(AppendError::TooLarge(value.len()))?;
        let Some(place) = self.room(shared, building, payload.len())? else { return Ok(false) };
        let synced = building.place.map_or(place.offset, |first| first.offset).into();
        let frame = Frame {
            kind: Kind::State,
            epoch: self.epoch,
            seq: self.head.seq,
            synced,
            hash: self.head.hash,
            event: None,
            payload: &payload,
        };
        self.put(building, place, &frame);
        building.head = Some(self.head);
        Ok(true)
    }

    fn put(&mut self, building: &mut Group, place: Place, frame: &Frame<'_>) {
        building.place.get_or_insert(place);
        frame.write(&mut building.bytes);
        self.offset = place.offset + u32::try_from(frame.length()).unwrap_or(u32::MAX);
    }

    /// Where a frame goes; none when it needs a new segment and the group has begun in another.
    fn room(
        &mut self,
        shared: &Shared,
        building: &mut Group,
        payload: usize,
    ) -> Result<Option<Place>, AppendError> {
        let segment_bytes = shared.options.segment_bytes as usize;
        let length = FRAME_HEADER + payload;
        if SEGMENT_HEADER + length > segment_bytes {
            return Err(AppendError::TooLarge(payload));
        }
        if let Some(segment) = self.segment
            && self.offset as usize + length <= segment_bytes
        {
            return Ok(Some(Place { segment, offset: self.offset }));
        }
        if building.records() > 0 {
            return Ok(None);
        }
        let spare = shared.take_spare().map_err(AppendError::Refused)?;
        let ordinal = self.next_ordinal;
        let station = shared.options.station.clone();
        let header = SegmentHeader { ordinal, epoch: self.epoch, previous: self.head, station };
        building.rotation = Some((spare, header));
        self.next_ordinal += 1;
        self.segment = Some(ordinal);
        self.offset = FIRST_FRAME;
        Ok(Some(Place { segment: ordinal, offset: FIRST_FRAME }))
    }

    /// The key of an inspection; a new one is made when it has none.
    fn key(
        &mut self,
        shared: &Shared,
        building: &mut Group,
        inspection: Option<&str>,
    ) -> Result<(KeyId, BodyKey), AppendError> {
        let tag = inspection_tag(shared, inspection);
        if let Some((id, key, used)) = self.keys.get_mut(&tag) {
            *used = self.group;
            return Ok((*id, key.clone()));
        }
        let slots = patiently(shared, || shared.slots_of(tag))?;
        let known = slots.iter().rev().find_map(|number| {
            let slot = shared.slot(*number).ok()??;
            Some((slot.key, shared.open_key(&slot)?))
        });
        let (id, key) = if let Some(known) = known {
            known
        } else {
            let ReadyKey { id, key, for_station, for_server } = shared.take_key()?;
            let number = self.next_slot;
            if number.is_multiple_of(SLOTS_PER_FILE) {
                shared.make_key_file(number).map_err(AppendError::Refused)?;
            }
            self.next_slot += 1;
            building.slots.push(Slot {
                number,
                state: SlotState::InUse,
                key: id,
                tag,
                for_station,
                for_server,
            });
            (id, key)
        };
        self.keys.insert(tag, (id, key.clone(), self.group));
        Ok((id, key))
    }

    /// The record of an event that was numbered before.
    fn seen(&self, shared: &Shared, event: [u8; 16]) -> Result<Option<Appended>, AppendError> {
        if let Some((appended, _)) = self.events.get(&event) {
            return Ok(Some(*appended));
        }
        patiently(shared, || shared.event(event))
    }
}

/// The keyed name of an inspection; records without one share a key.
pub(crate) fn inspection_tag(shared: &Shared, inspection: Option<&str>) -> [u8; 16] {
    let parts = inspection.map(|name| vec![name]).unwrap_or_default();
    shared.options.secrets.station.tag("inspection", &parts)
}

/// Asks a question that needs sled, again while sled is being rebuilt.
fn patiently<T>(
    shared: &Shared,
    question: impl Fn() -> Result<T, ReadError>,
) -> Result<T, AppendError> {
    let mut tries = 0;
    loop {
        match question() {
            Ok(answer) => return Ok(answer),
            Err(error) if tries < INDEX_TRIES => {
                tracing::warn!(%error, "waiting for the index");
                tries += 1;
                shared.wait_for_keeper();
            }
            Err(error) => return Err(AppendError::Refused(Refusal::Index(error.to_string()))),
        }
    }
}

/// Waits while too much is in memory and not in sled.
fn wait_for_room(shared: &Shared) {
    loop {
        let book = shared.book();
        let waiting = book.tail.len() + book.frozen.as_ref().map_or(0, |tail| tail.len());
        let stopped = book.refusal.is_some();
        drop(book);
        if stopped || waiting < shared.options.checkpoint_records.saturating_mul(TAILS) {
            return;
        }
        shared.ask(|chores| chores.checkpoint = true);
        shared.wait_for_keeper();
    }
}

/// Bytes after which a group takes no more.
const GROUP_BYTES: usize = 1 << 20;
/// Keys kept open; more are read again when needed.
const KEYS_KEPT: usize = 1024;
/// How often sled is waited for before an append is refused.
const INDEX_TRIES: usize = 100;
/// How many checkpoints' worth of records may be in memory before appends wait.
const TAILS: usize = 4;
