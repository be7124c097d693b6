//! Opens what a ledger left on disk: finds the journal's end, cuts a torn tail, names damage,
//! makes sled agree, and says whether recording may go on.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use tidewaiter_proto::chain::Head;

use crate::book::Book;
use crate::disk::{Disk, DiskFile, read_from, read_small};
use crate::fault::{Damage, OpenError, Refusal};
use crate::frame::Frame;
use crate::head::{
    CHECKPOINT_NAME, Checkpoint, HEAD_NAME, HeadFile, MARK_NAME, Position, read_mark,
};
use crate::index::{Index, IndexError};
use crate::keeper::SPARE;
use crate::options::{INDEX, JOURNAL, KEYS, LedgerOptions};
use crate::receipts::Receipts;
use crate::scan::{Cursor, End, Item, Scanned, scan};
use crate::segment::{
    FIRST_FRAME, Place, SEGMENT_HEADER, SegmentHeader, segment_ordinal, segment_path,
};
use crate::slots::scan_slots;
use crate::tail::{Entry, Tail};

/// What opening found.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) book: Book,
    pub(crate) index: Option<Index>,
    pub(crate) newest: Option<(u64, Box<dyn DiskFile>)>,
}

/// Heads that are known beside the journal.
#[derive(Debug, Default)]
struct Known {
    head: Option<HeadFile>,
    mark: Option<(u64, Head)>,
    checkpoint: Option<Checkpoint>,
}

impl Known {
    fn heads(&self) -> impl Iterator<Item = (u64, Head, &'static str)> {
        let head = self.head.as_ref().map(|file| (file.epoch, file.head, "the head file"));
        let mark = self.mark.map(|(epoch, head)| (epoch, head, "the mark of the head"));
        let checkpoint = self
            .checkpoint
            .as_ref()
            .map(|file| (file.head.epoch, file.head.head, "the last checkpoint"));
        [head, mark, checkpoint].into_iter().flatten()
    }

    /// The last record of an epoch that is known.
    fn last(&self, epoch: u64) -> u64 {
        self.heads().filter(|known| known.0 == epoch).map(|known| known.1.seq).max().unwrap_or(0)
    }
}

/// Opens the ledger's files.
pub(crate) fn recover(options: &LedgerOptions) -> Result<Recovered, OpenError> {
    let disk = &*options.disk;
    let mut notices = Vec::new();
    let known = read_known(options, &mut notices)?;
    let journal = options.dir.join(JOURNAL);
    let names = disk.list(&journal).map_err(at(&journal))?;
    for name in names.iter().filter(|name| name.starts_with(SPARE)) {
        let path = journal.join(name);
        disk.remove(&path).map_err(at(&path))?;
    }
    let floor = known
        .head
        .as_ref()
        .or(known.checkpoint.as_ref().map(|file| &file.head))
        .map_or((0, Head::genesis(&options.station, 0)), |file| file.floor);
    let mut damage = Vec::new();
    let segments = read_segments(options, &journal, &names, &mut damage)?;
    let (index, position) = open_index(options, &known, &segments, &mut notices);
    let mut recovery = Recovery {
        options,
        known: &known,
        journal,
        index,
        position,
        tail: Tail::default(),
        states: BTreeMap::new(),
        damage,
        notices,
        last_epoch: 0,
    };
    let ends = recovery.read_journal(&segments)?;
    recovery.finish(segments, ends, floor)
}

struct Recovery<'a> {
    options: &'a LedgerOptions,
    known: &'a Known,
    journal: PathBuf,
    index: Option<Index>,
    position: Position,
    tail: Tail,
    states: BTreeMap<String, (Vec<u8>, u64)>,
    damage: Vec<Damage>,
    notices: Vec<String>,
    last_epoch: u64,
}

/// Where the journal ends.
struct Ends {
    cursor: Option<Cursor>,
    end: Place,
    lost: bool,
    newest: Option<(u64, Box<dyn DiskFile>)>,
}

impl Recovery<'_> {
    /// Reads every frame that sled does not have.
    fn read_journal(&mut self, segments: &[SegmentHeader]) -> Result<Ends, OpenError> {
        let empty = Place { segment: 0, offset: 0 };
        let mut ends = Ends { cursor: None, end: empty, lost: false, newest: None };
        let start = self.position.next;
        self.load_states();
        for (index, header) in segments.iter().enumerate() {
            ends.end.segment = header.ordinal;
            let from = match header.ordinal.cmp(&start.segment) {
                std::cmp::Ordering::Less => continue,
                std::cmp::Ordering::Equal => start.offset,
                std::cmp::Ordering::Greater => FIRST_FRAME,
            };
            let newest = index + 1 == segments.len();
            let mut cursor = Cursor { epoch: header.epoch, head: header.previous, certain: true };
            if header.ordinal == start.segment && self.position.applied.0 == header.epoch {
                cursor.head = self.position.applied.1;
            }
            let path = segment_path(&self.journal, header.ordinal);
            let file = self.options.disk.open(&path).map_err(at(&path))?;
            let end = self.read_segment(header, from, newest, &*file, &mut cursor)?;
            let after = segments.get(index + 1).filter(|next| next.epoch == header.epoch);
            if let Some(next) = after
                && cursor.head != next.previous
            {
                self.damage.push(missing(&cursor, next));
            }
            ends.cursor = Some(cursor);
            ends.lost = matches!(end, End::Lost(_));
            let (End::Clean(offset) | End::Torn(offset) | End::Lost(offset)) = end;
            ends.end.offset = offset;
            if newest {
                ends.newest = Some((header.ordinal, file));
            }
        }
        Ok(ends)
    }

    fn read_segment(
        &mut self,
        header: &SegmentHeader,
        from: u32,
        newest: bool,
        file: &dyn DiskFile,
        cursor: &mut Cursor,
    ) -> Result<End, OpenError> {
        let path = segment_path(&self.journal, header.ordinal);
        let bytes = read_from(file, from.into(), usize::MAX).map_err(at(&path))?;
        let scanned = Scanned {
            segment: header.ordinal,
            base: from,
            bytes: &bytes,
            station: &self.options.station,
            checks: self.options.checks,
            newest,
            known: self.known.last(header.epoch),
        };
        let known: Vec<_> = self.known.heads().filter(|known| known.0 == header.epoch).collect();
        let end = scan(&scanned, cursor, |item| {
            if let Item::Record { frame, place, .. } = &item {
                for (_, head, name) in &known {
                    if head.seq == frame.seq && head.hash != frame.hash {
                        self.damage.push(Damage {
                            epoch: frame.epoch,
                            seq: frame.seq,
                            what: format!("{name} has another hash for it"),
                            file: crate::scan::segment_name(place.segment),
                            offset: place.offset.into(),
                        });
                    }
                }
            }
            self.take(item);
        });
        let (End::Clean(offset) | End::Torn(offset) | End::Lost(offset)) = end;
        self.tail.reach(Place { segment: header.ordinal, offset }, cursor.epoch, cursor.head);
        if let End::Torn(offset) = end {
            self.cut(&bytes, from, offset, file, &path)?;
        }
        Ok(end)
    }

    fn take(&mut self, item: Item<'_>) {
        match item {
            Item::Record { place, frame, header } => {
                self.tail.add(Entry {
                    epoch: frame.epoch,
                    seq: frame.seq,
                    place,
                    key: header.key,
                    subject: header.subject,
                    at: header.at.as_microsecond(),
                    event: frame.event,
                });
                let end = u32::try_from(frame.length()).unwrap_or(u32::MAX);
                let next = Place { offset: place.offset.saturating_add(end), ..place };
                let head = Head { seq: frame.seq, hash: frame.hash };
                self.tail.reach(next, frame.epoch, head);
                if self.tail.len() >= self.options.checkpoint_records {
                    self.apply();
                }
            }
            Item::State { place, name, value } => {
                self.tail.set_state(name, value);
                self.states.insert(name.to_owned(), (value.to_vec(), place.segment));
            }
            Item::Damage(damage) => {
                tracing::error!(%damage, "the journal is damaged");
                self.damage.push(damage);
            }
        }
    }

    /// Brings what was read so far into sled, so that opening needs little memory.
    fn apply(&mut self) {
        let Some(index) = &self.index else { return };
        match index.apply(&self.tail, self.position) {
            Ok(position) => {
                self.position = position;
                self.tail = Tail::default();
            }
            Err(error) => {
                self.notices.push(format!("the index takes no checkpoint: {error}"));
                self.index = None;
            }
        }
    }

    /// Overwrites a torn tail with zeros, so that no later reader takes it for more.
    fn cut(
        &mut self,
        bytes: &[u8],
        from: u32,
        offset: u32,
        file: &dyn DiskFile,
        path: &Path,
    ) -> Result<(), OpenError> {
        let torn = bytes.get((offset - from) as usize..).unwrap_or_default();
        let length = torn.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        self.notices.push(format!("a torn tail of {length} bytes was cut"));
        file.write_at(offset.into(), &vec![0; length]).map_err(at(path))?;
        file.sync().map_err(at(path))
    }

    fn load_states(&mut self) {
        let Some(index) = &self.index else { return };
        match index.states() {
            Ok(states) => {
                // Which segment holds each is not known any more: the oldest is the safe answer.
                self.states.extend(states.into_iter().map(|(name, value)| (name, (value, 0))));
            }
            Err(error) => {
                self.notices.push(format!("the index gives no answer: {error}"));
                self.index = None;
            }
        }
    }

    fn finish(
        mut self,
        segments: Vec<SegmentHeader>,
        ends: Ends,
        floor: (u64, Head),
    ) -> Result<Recovered, OpenError> {
        let options = self.options;
        let last = segments.last();
        let (epoch, head) = match (ends.cursor, last) {
            (Some(cursor), _) => (cursor.epoch, cursor.head),
            (None, Some(segment)) if self.position.applied.0 == segment.epoch => {
                self.position.applied
            }
            (None, Some(segment)) => (segment.epoch, segment.previous),
            (None, None) => {
                let epoch = options.first_epoch.max(1);
                (epoch, Head::genesis(&options.station, epoch))
            }
        };
        self.last_epoch = epoch;
        let keys = options.dir.join(KEYS);
        let slots = scan_slots(&*options.disk, &keys, self.position.slots).map_err(at(&keys))?;
        for slot in &slots.found {
            self.tail.add_slot(slot);
        }
        self.notices.extend(slots.notices);
        let refusal = self.refusal(epoch, head, ends.lost);
        let mut receipts = Receipts::default();
        for (name, (value, _)) in &self.states {
            receipts.read(name, value);
        }
        let contradicted = self.known.head.as_ref().and_then(|file| file.contradicted);
        let book = Book {
            epoch,
            head,
            end: if ends.newest.is_some() { ends.end } else { Place { offset: 0, ..ends.end } },
            segments,
            tail: self.tail,
            frozen: None,
            position: self.position,
            states: self.states,
            receipts,
            next_slot: slots.next,
            floor,
            contradicted,
            refusal,
            full: None,
            damage: self.damage,
            notices: self.notices,
        };
        Ok(Recovered { book, index: self.index, newest: ends.newest })
    }

    /// Why recording may not go on, if so.
    fn refusal(&self, epoch: u64, head: Head, lost: bool) -> Option<Refusal> {
        let beyond = self
            .known
            .heads()
            .filter(|known| (known.0, known.1.seq) > (epoch, head.seq))
            .max_by_key(|known| (known.0, known.1.seq));
        if let Some((epoch, known, source_name)) = beyond {
            let have = if epoch == self.last_epoch { head.seq } else { 0 };
            return Some(Refusal::Behind { epoch, have, known: known.seq, source_name });
        }
        let forked = |(known, seen): (u64, Head)| {
            (known == epoch).then_some(if seen.seq > head.seq {
                let (have, known) = (head.seq, seen.seq);
                Refusal::Behind { epoch, have, known, source_name: "the server" }
            } else {
                Refusal::Forked { epoch, seq: seen.seq }
            })
        };
        let contradicted = self.known.head.as_ref().and_then(|file| file.contradicted);
        contradicted.and_then(forked).or_else(|| {
            let name = "a damaged end of the journal";
            let (have, known) = (head.seq, head.seq.saturating_add(1));
            lost.then_some(Refusal::Behind { epoch, have, known, source_name: name })
        })
    }
}

/// What stands beside the journal about its head. A damaged file is noticed and not used.
fn read_known(options: &LedgerOptions, notices: &mut Vec<String>) -> Result<Known, OpenError> {
    let read = |name: &str| -> Result<Option<Vec<u8>>, OpenError> {
        let path = options.dir.join(name);
        read_small(&*options.disk, &path).map_err(at(&path))
    };
    let (head, mark, checkpoint) = (read(HEAD_NAME)?, read(MARK_NAME)?, read(CHECKPOINT_NAME)?);
    let known = Known {
        head: head.as_deref().and_then(HeadFile::read),
        mark: mark.as_deref().and_then(read_mark),
        checkpoint: checkpoint.as_deref().and_then(Checkpoint::read),
    };
    for (name, there, good) in [
        (HEAD_NAME, head.is_some(), known.head.is_some()),
        (CHECKPOINT_NAME, checkpoint.is_some(), known.checkpoint.is_some()),
    ] {
        if there && !good {
            notices.push(format!("the file {name} is damaged and is written anew"));
        }
    }
    let files = known.checkpoint.iter().map(|file| &file.head).chain(&known.head);
    for file in files {
        if file.station != options.station {
            return Err(OpenError::OtherStation {
                dir: options.dir.clone(),
                found: file.station.to_string(),
                expected: options.station.to_string(),
            });
        }
    }
    Ok(known)
}

/// The headers of all segments, oldest first. One that is damaged is pieced together again.
fn read_segments(
    options: &LedgerOptions,
    journal: &Path,
    names: &[String],
    damage: &mut Vec<Damage>,
) -> Result<Vec<SegmentHeader>, OpenError> {
    let mut ordinals: Vec<u64> = names.iter().filter_map(|name| segment_ordinal(name)).collect();
    ordinals.sort_unstable();
    let mut segments: Vec<SegmentHeader> = Vec::with_capacity(ordinals.len());
    for ordinal in ordinals {
        let path = segment_path(journal, ordinal);
        let file = options.disk.open(&path).map_err(at(&path))?;
        let mut bytes = [0; SEGMENT_HEADER];
        file.read_at(0, &mut bytes).map_err(at(&path))?;
        let header = SegmentHeader::read(&bytes).filter(|header| header.ordinal == ordinal);
        let header = if let Some(header) = header {
            if header.station != options.station {
                return Err(OpenError::OtherStation {
                    dir: options.dir.clone(),
                    found: header.station.to_string(),
                    expected: options.station.to_string(),
                });
            }
            header
        } else {
            let pieced = crate::piece::header(options, journal, ordinal, segments.last())
                .map_err(at(&path))?;
            damage.push(Damage {
                epoch: pieced.epoch,
                seq: pieced.previous.seq.saturating_add(1),
                what: "the segment's header is damaged".to_owned(),
                file: crate::scan::segment_name(ordinal),
                offset: 0,
            });
            pieced
        };
        segments.push(header);
    }
    Ok(segments)
}

/// Opens sled when it agrees with the checkpoint and the journal; else sets it aside.
fn open_index(
    options: &LedgerOptions,
    known: &Known,
    segments: &[SegmentHeader],
    notices: &mut Vec<String>,
) -> (Option<Index>, Position) {
    let dir = options.dir.join(INDEX);
    let nothing = nothing_yet(options, segments);
    let fresh = segments.is_empty() && known.checkpoint.is_none();
    let opened = Index::open(&dir).and_then(|index| {
        let position = agreed(&index, known.checkpoint.as_ref(), segments)?;
        if let Some(position) = position.filter(|position| position.applied.1.seq > 0)
            && !reaches(options, &index, &position)?
        {
            return Err(IndexError::Entry("the journal does not hold the last record it has"));
        }
        Ok((index, position))
    });
    match opened {
        Ok((index, Some(position))) => return (Some(index), position),
        Ok((index, None)) if fresh || known.checkpoint.is_none() => {
            return (Some(index), nothing);
        }
        Ok((index, None)) => {
            drop(index);
            notices.push("the index is empty and is rebuilt".to_owned());
        }
        Err(error) => {
            tracing::error!(%error, "sled does not agree with the journal");
            notices.push(format!("the index was set aside and rebuilt: {error}"));
        }
    }
    let again = crate::keeper::set_aside(&options.dir, &dir)
        .map_err(IndexError::File)
        .and_then(|()| Index::open(&dir));
    match again {
        Ok(index) => (Some(index), nothing),
        Err(error) => {
            notices.push(format!("the index cannot be made: {error}"));
            (None, nothing)
        }
    }
}

fn nothing_yet(options: &LedgerOptions, segments: &[SegmentHeader]) -> Position {
    let first = segments.first();
    let epoch = first.map_or(options.first_epoch, |segment| segment.epoch);
    let head = first.map_or(Head::genesis(&options.station, epoch), |segment| segment.previous);
    let segment = first.map_or(0, |segment| segment.ordinal);
    let offset = if first.is_some() { FIRST_FRAME } else { 0 };
    Position {
        generation: 0,
        next: Place { segment, offset },
        applied: (epoch, head),
        entries: 0,
        sum: 0,
        slots: 0,
    }
}

/// sled's position, when it is the checkpoint's or one later, leads to a place in the journal, and
/// sled holds what it says.
fn agreed(
    index: &Index,
    checkpoint: Option<&Checkpoint>,
    segments: &[SegmentHeader],
) -> Result<Option<Position>, IndexError> {
    let Some(position) = index.position()? else { return Ok(None) };
    let same = checkpoint.is_some_and(|file| file.position == position);
    let later = checkpoint
        .is_none_or(|file| file.position.generation.checked_add(1) == Some(position.generation));
    if !same && !later {
        return Err(IndexError::Entry("its position is not the checkpoint's"));
    }
    let there = position.next.segment == 0
        || segments.iter().any(|segment| segment.ordinal == position.next.segment);
    if !there {
        return Err(IndexError::Entry("its position is in no segment"));
    }
    if (!same || position.entries <= WALKED_AT_OPENING)
        && index.walk()? != (position.entries, position.sum)
    {
        return Err(IndexError::Entry("it does not hold what it held"));
    }
    Ok(Some(position))
}

/// Whether the journal still holds the last records that sled has, up to its position: a journal
/// that was cut there would otherwise seem to go on behind the cut.
fn reaches(
    options: &LedgerOptions,
    index: &Index,
    position: &Position,
) -> Result<bool, IndexError> {
    let (epoch, head) = position.applied;
    let near = index.near(epoch, head.seq)?.map(|(_, place)| place);
    let start = near
        .filter(|place| place.segment == position.next.segment)
        .map_or(FIRST_FRAME, |place| place.offset);
    let path = segment_path(&options.dir.join(JOURNAL), position.next.segment);
    let file = options.disk.open(&path)?;
    let length = position.next.offset.saturating_sub(start) as usize;
    let bytes = read_from(&*file, start.into(), length)?;
    let (mut at, mut last) = (0, None);
    while at < bytes.len() {
        let Ok(frame) = Frame::read(bytes.get(at..).unwrap_or_default()) else { return Ok(false) };
        last = Some(Head { seq: frame.seq, hash: frame.hash });
        at += frame.length();
    }
    Ok(at == length && last.is_none_or(|last| last == head))
}

fn missing(cursor: &Cursor, next: &SegmentHeader) -> Damage {
    Damage {
        epoch: cursor.epoch,
        seq: cursor.head.seq.saturating_add(1),
        what: format!(
            "the segment ends with record {}, and the next one follows record {}",
            cursor.head.seq, next.previous.seq
        ),
        file: crate::scan::segment_name(next.ordinal),
        offset: 0,
    }
}

/// Says which file an error is about.
pub(crate) fn at(path: &Path) -> impl Fn(io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::Io { path: path.clone(), source }
}

/// Whether a disk has a file.
pub(crate) fn exists(disk: &dyn Disk, path: &Path) -> bool {
    disk.open(path).is_ok()
}

/// Up to so many entries, everything in sled is counted and summed before it is used.
const WALKED_AT_OPENING: u64 = 50_000;
