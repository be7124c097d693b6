//! Opens what a ledger left on disk: finds the journal's end, cuts a torn tail, names damage,
//! makes sled agree, and says whether recording may go on.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use tidewaiter_proto::chain::Head;
use tidewaiter_proto::station::StationId;

use crate::agree::open_index;
use crate::book::Book;
use crate::disk::{Disk, DiskFile, read_from};
use crate::fault::{Damage, OpenError, Refusal};
use crate::head::Position;
use crate::index::Index;
use crate::keeper::SPARE;
use crate::known::Known;
use crate::options::{JOURNAL, KEYS, LedgerOptions};
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

/// Opens the ledger's files.
pub(crate) fn recover(options: &LedgerOptions) -> Result<Recovered, OpenError> {
    let disk = &*options.disk;
    let mut notices = Vec::new();
    let (known, damaged) = Known::read(disk, &options.dir)?;
    for name in damaged {
        notices.push(format!("the file {name} is damaged and is written anew"));
    }
    for file in known.checkpoint.iter().map(|file| &file.head).chain(&known.head) {
        ours(options, &file.station)?;
    }
    let journal = options.dir.join(JOURNAL);
    let names = disk.list(&journal).map_err(at(&journal))?;
    for name in names.iter().filter(|name| name.starts_with(SPARE)) {
        let path = journal.join(name);
        disk.remove(&path).map_err(at(&path))?;
    }
    let floor = known.floor(&options.station);
    let names = finish_letting_go(disk, &journal, names, known.oldest())?;
    let mut damage = Vec::new();
    let segments = read_segments(options, &journal, &names, &mut damage)?;
    let mut before = None;
    for header in &segments {
        if let Some(what) = known.gap(before, header) {
            damage.push(lack(header, what));
        }
        before = Some(header);
    }
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

/// Removes segments that were let go and were still there when the power went. Gives the names of
/// the others. One stays in any case.
fn finish_letting_go(
    disk: &dyn Disk,
    journal: &Path,
    mut names: Vec<String>,
    oldest: u64,
) -> Result<Vec<String>, OpenError> {
    let newest = names.iter().filter_map(|name| segment_ordinal(name)).max().unwrap_or(0);
    let gone = |name: &String| {
        segment_ordinal(name).is_some_and(|ordinal| ordinal < oldest && ordinal != newest)
    };
    let (old, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut names).into_iter().partition(gone);
    for name in &old {
        let path = journal.join(name);
        disk.remove(&path).map_err(at(&path))?;
    }
    if !old.is_empty() {
        disk.sync_dir(journal).map_err(at(journal))?;
    }
    Ok(rest)
}

/// Refuses what is another station's.
fn ours(options: &LedgerOptions, found: &StationId) -> Result<(), OpenError> {
    if *found == options.station {
        return Ok(());
    }
    Err(OpenError::OtherStation {
        dir: options.dir.clone(),
        found: found.to_string(),
        expected: options.station.to_string(),
    })
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
            // Named values may be lost and every record be there: recording goes on behind them.
            let all = cursor.head.seq >= self.known.last(header.epoch);
            ends.lost = matches!(end, End::Lost(_)) && !all;
            let (End::Clean(offset) | End::Torn(offset) | End::Lost(offset)) = end;
            ends.end.offset = offset.max(self.known.written(header.ordinal, header.epoch));
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
            written: self.known.written(header.ordinal, header.epoch),
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
        let end_offset = offset.max(scanned.written);
        let next = Place { segment: header.ordinal, offset: end_offset };
        self.tail.reach(next, cursor.epoch, cursor.head);
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
            ours(options, &header.station)?;
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

/// The segment before does not end where a segment begins.
pub(crate) fn missing(cursor: &Cursor, next: &SegmentHeader) -> Damage {
    let what = format!(
        "the segment ends with record {}, and the next one follows record {}",
        cursor.head.seq, next.previous.seq
    );
    Damage { epoch: cursor.epoch, seq: cursor.head.seq.saturating_add(1), ..lack(next, what) }
}

/// Something is missing before a segment.
pub(crate) fn lack(header: &SegmentHeader, what: String) -> Damage {
    Damage {
        epoch: header.epoch,
        seq: header.previous.seq.max(1),
        what,
        file: crate::scan::segment_name(header.ordinal),
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
