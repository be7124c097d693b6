//! Lets go of what the server has and whose time is over: whole segments from the oldest on, and
//! the keys that only they needed.
//!
//! The order is the promise: keys first, because a record without its key is still proven and a key
//! without its record is a person's name kept too long; then the floor, the last record that was
//! let go, into the synced head file; then the files. Cut anywhere, the next run does the rest.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tidewaiter_proto::chain::Head;
use tidewaiter_proto::record::ClockQuality;
use tidewaiter_proto::seal::KeyId;
use tokio::sync::oneshot;

use crate::book::Shared;
use crate::disk::read_from;
use crate::fault::{AppendError, ExpireError, ReadError};
use crate::frame::{Frame, Kind};
use crate::key::{KEY_FILE_BYTES, SLOTS_PER_FILE, SlotState, key_path};
use crate::ledger::Ledger;
use crate::queue::Request;
use crate::scan::{Cursor, End, Item, Scanned, scan};
use crate::segment::{FIRST_FRAME, SEGMENT_HEADER, SegmentHeader, segment_path};
use crate::sequencer::Sequencer;

/// What was let go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Records.
    pub records: u64,
    /// Journal segments.
    pub segments: u64,
    /// Keys of inspections that were destroyed.
    pub keys: u64,
    /// Bytes of the journal and of key files that were given back.
    pub bytes: u64,
}

/// What may go, oldest first.
#[derive(Debug, Default)]
struct Plan {
    gone: Vec<SegmentHeader>,
    /// Where the ledger will begin.
    floor: Option<(u64, Head)>,
    records: u64,
    keys: BTreeSet<KeyId>,
    /// The newest segment is so old that the next record goes to a new one.
    turn: bool,
}

/// What one segment holds.
struct Looked {
    head: Head,
    records: u64,
    keys: BTreeSet<KeyId>,
    /// All of it may go.
    may_go: bool,
    /// Its last record's time is one of a clock that was set.
    dated: bool,
}

impl Ledger {
    /// Lets go of the oldest records of an epoch that the server's receipts cover and that are
    /// older than `age` at `now`. To be called only when a fresh answer of the server covers them,
    /// and with a clock that is set. Whole segments go; so that they get old enough, the ledger
    /// goes on in a new one when an eighth of `age` is over.
    ///
    /// # Errors
    /// [`ExpireError`]; what was not let go then goes the next time.
    pub async fn expire(
        &self,
        epoch: u64,
        now: Timestamp,
        age: SignedDuration,
    ) -> Result<Expired, ExpireError> {
        // What the server has does not change meanwhile.
        let _receipts = self.hold_receipts().await;
        let before = now.checked_sub(age).unwrap_or(Timestamp::MIN);
        let turn = now.checked_sub(age / TURNS).unwrap_or(Timestamp::MIN);
        let plan = self.on_thread(move |shared| shared.plan(epoch, before, turn)).await??;
        if plan.turn {
            self.alone(|_, sequencer| sequencer.turn()).await?;
        }
        let Some((last, floor)) = plan.gone.last().map(|s| s.ordinal).zip(plan.floor) else {
            return Ok(Expired::default());
        };
        let mut expired = Expired {
            records: plan.records,
            segments: plan.gone.len() as u64,
            ..Expired::default()
        };
        let keys: Vec<KeyId> = plan.keys.into_iter().collect();
        let mut files = BTreeSet::new();
        for part in keys.chunks(KEYS_AT_ONCE) {
            let part = part.to_vec();
            let slots = self.alone(move |shared, it| shared.destroy(it, &part, last)).await??;
            expired.keys += slots.len() as u64;
            files.extend(slots.iter().map(|number| number / SLOTS_PER_FILE));
        }
        for file in files {
            let first = file * SLOTS_PER_FILE;
            let gone = self.alone(move |shared, _| shared.let_key_file_go(first, last)).await??;
            expired.bytes += if gone { KEY_FILE_BYTES } else { 0 };
        }
        self.say_again(last).await?;
        expired.bytes += self.on_thread(move |shared| shared.let_go(floor, last)).await??;
        Ok(expired)
    }

    /// Named values whose newest frame is about to go are written again.
    async fn say_again(&self, last: u64) -> Result<(), AppendError> {
        let answers = self
            .alone(move |shared, sequencer| {
                // A full disk gets its room back by this: what is written now may use the reserve.
                let _ = shared.fill_shelf_down_to(0);
                let book = shared.book();
                let old = book.states.iter().filter(|(_, (_, segment))| *segment <= last);
                let (requests, answers): (Vec<_>, Vec<_>) = old
                    .map(|(key, (value, _))| {
                        let (reply, answer) = oneshot::channel();
                        let (key, value) = (key.clone(), value.clone());
                        (Request::State { key, value, reply }, answer)
                    })
                    .unzip();
                drop(book);
                sequencer.first(requests);
                answers
            })
            .await?;
        for answer in answers {
            answer.await.map_err(|_| AppendError::Closed)??;
        }
        Ok(())
    }

    /// Does something while nothing is being numbered or written.
    pub(crate) async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared, &mut Sequencer) -> T + Send + 'static,
    ) -> Result<T, AppendError> {
        let shared = self.shared_handle();
        let (done, answer) = oneshot::channel();
        let request = Request::Alone(Box::new(move |sequencer: &mut Sequencer| {
            // Who asked may be gone: it is done all the same.
            let _ = done.send(work(&shared, sequencer));
        }));
        self.shared().queue.push(request)?;
        answer.await.map_err(|_| AppendError::Closed)
    }

    async fn on_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> T + Send + 'static,
    ) -> Result<T, AppendError> {
        let shared: Arc<Shared> = self.shared_handle();
        tokio::task::spawn_blocking(move || work(&shared)).await.map_err(|_| AppendError::Closed)
    }
}

impl Shared {
    /// Looks at the oldest segments until one has to stay.
    fn plan(&self, epoch: u64, before: Timestamp, turn: Timestamp) -> Result<Plan, ReadError> {
        let (segments, indexed) = {
            let book = self.book();
            (book.segments.clone(), book.position.next.segment)
        };
        let mut plan = Plan::default();
        let mut seen = Plan::default();
        for header in &segments {
            // The newest is being written to; what is not in sled yet must stay for it.
            if header.epoch != epoch || header.ordinal >= indexed {
                break;
            }
            let looked = self.look(header, before)?;
            if !looked.may_go {
                break;
            }
            seen.gone.push(header.clone());
            seen.records += looked.records;
            seen.keys.extend(looked.keys);
            // The time of a clock that was not set says nothing; that of a later record does.
            if looked.dated {
                plan.floor = Some((epoch, looked.head));
                plan.gone.append(&mut seen.gone);
                plan.keys.append(&mut seen.keys);
                plan.records += std::mem::take(&mut seen.records);
            }
        }
        if let Some(newest) = segments.last().filter(|newest| newest.epoch == epoch) {
            plan.turn = self.begins(newest)?.is_some_and(|at| at <= turn);
        }
        Ok(plan)
    }

    fn look(&self, header: &SegmentHeader, before: Timestamp) -> Result<Looked, ReadError> {
        let file = self.segment_file(header.ordinal)?;
        let bytes = read_from(&*file, SEGMENT_HEADER as u64, usize::MAX)?;
        let delivered = self.book().receipts.of(header.epoch).ranges;
        let mut cursor = Cursor { epoch: header.epoch, head: header.previous, certain: true };
        let (mut records, mut keys, mut may_go, mut dated) = (0, BTreeSet::new(), true, true);
        let scanned = Scanned {
            segment: header.ordinal,
            base: FIRST_FRAME,
            bytes: &bytes,
            station: &self.options.station,
            checks: self.options.checks,
            newest: false,
            known: 0,
            written: 0,
        };
        let end = scan(&scanned, &mut cursor, |item| match item {
            Item::Record { frame, header, .. } => {
                records += 1;
                keys.insert(header.key);
                may_go &= header.at < before && delivered.contains(frame.seq);
                dated = header.clock != ClockQuality::Unset;
            }
            Item::State { .. } => {}
            // Damage stays until somebody has looked at it.
            Item::Damage(_) => may_go = false,
        });
        may_go &= matches!(end, End::Clean(_));
        Ok(Looked { head: cursor.head, records, keys, may_go, dated })
    }

    /// When the first record of a segment was made, if it has one.
    fn begins(&self, header: &SegmentHeader) -> Result<Option<Timestamp>, ReadError> {
        let file = self.segment_file(header.ordinal)?;
        let bytes = read_from(&*file, SEGMENT_HEADER as u64, FIRST_LOOK)?;
        let mut rest = bytes.as_slice();
        while let Ok(frame) = Frame::read(rest) {
            if frame.kind == Kind::Record {
                let stored = tidewaiter_proto::stored::Stored::parse(frame.payload);
                return Ok(stored.ok().map(|stored| stored.header.at));
            }
            rest = rest.get(frame.length()..).unwrap_or_default();
        }
        Ok(None)
    }

    /// Destroys those of the keys that no record behind a segment needs. Gives their slots.
    fn destroy(
        &self,
        sequencer: &mut Sequencer,
        keys: &[KeyId],
        last: u64,
    ) -> Result<Vec<u64>, ExpireError> {
        let mut slots = Vec::new();
        for key in keys {
            if let Some(number) = self.slot_of(*key)?
                && !self.needed(*key, last)?
                && let Some(slot) = self.slot(number)?
                && slot.state != SlotState::Expired
            {
                slots.push(slot.without_key(SlotState::Expired));
            }
        }
        slots.sort_unstable_by_key(|slot| slot.number);
        sequencer.forget(|_, key| slots.iter().any(|slot| slot.key == key));
        crate::writer::write_slots(self, &slots)?;
        Ok(slots.iter().map(|slot| slot.number).collect())
    }

    /// Whether a record behind a segment is sealed with a key.
    fn needed(&self, key: KeyId, last: u64) -> Result<bool, ReadError> {
        Ok(self.of_key(key)?.iter().any(|posting| posting.place.segment > last))
    }

    /// Removes a key file when no record needs any of its keys; says whether it did.
    fn let_key_file_go(&self, first: u64, last: u64) -> Result<bool, ExpireError> {
        // New keys go to the newest; its name also tells how far the numbers have come.
        if first + SLOTS_PER_FILE >= self.book().next_slot {
            return Ok(false);
        }
        for number in first..first + SLOTS_PER_FILE {
            let spent = match self.slot(number)? {
                Some(slot) => slot.state == SlotState::Expired || !self.needed(slot.key, last)?,
                // Damaged in both copies: it may be the key of anything.
                None => false,
            };
            if !spent {
                return Ok(false);
            }
        }
        self.remove(&[key_path(&self.key_dir(), first)])?;
        self.options.disk.sync_dir(&self.key_dir())?;
        Ok(true)
    }

    /// Moves the floor up and removes what is below it. Gives the bytes.
    fn let_go(&self, floor: (u64, Head), last: u64) -> Result<u64, ExpireError> {
        let (floor_before, segments_before) = {
            let mut book = self.book_mut();
            let kept = book.segments.iter().filter(|segment| segment.ordinal > last).cloned();
            let kept: Vec<SegmentHeader> = kept.collect();
            (std::mem::replace(&mut book.floor, floor), std::mem::replace(&mut book.segments, kept))
        };
        if let Err(error) = self.replace_head() {
            let mut book = self.book_mut();
            let newer = book.segments.iter().filter(|s| !segments_before.contains(s)).cloned();
            book.segments =
                segments_before.iter().cloned().chain(newer.collect::<Vec<_>>()).collect();
            book.floor = floor_before;
            return Err(error.into());
        }
        let gone = segments_before.iter().filter(|segment| segment.ordinal <= last);
        let dir = self.journal_dir();
        let paths: Vec<PathBuf> = gone.map(|segment| segment_path(&dir, segment.ordinal)).collect();
        self.remove(&paths)?;
        self.options.disk.sync_dir(&dir)?;
        let known = self.ask_index(crate::index::Index::oldest)?;
        let (oldest, kept) = {
            let book = self.book();
            (book.oldest(), book.segments.len() as u64)
        };
        let stale = known.map_or(0, |place| oldest.saturating_sub(place.segment));
        if stale.saturating_mul(STALE_PART) >= kept {
            self.ask(|chores| chores.compact = true);
        }
        Ok(paths.len() as u64 * u64::from(self.options.segment_bytes))
    }

    fn remove(&self, paths: &[PathBuf]) -> std::io::Result<()> {
        self.forget_files(paths);
        paths.iter().try_for_each(|path| self.options.disk.remove(path))
    }
}

/// A segment takes records for this part of their time at most.
const TURNS: i32 = 8;
/// Keys destroyed while nothing is recorded; between them records are.
const KEYS_AT_ONCE: usize = 128;
/// sled is written anew when this part of what it knows was let go.
const STALE_PART: u64 = 4;
/// Bytes of a segment in which its first record is looked for.
const FIRST_LOOK: usize = 512 * 1024;
