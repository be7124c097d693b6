//! Fills a new sled from the journal and the key files.

use std::path::Path;

use tidewaiter_proto::chain::Head;

use crate::book::Shared;
use crate::disk::read_from;
use crate::head::Position;
use crate::index::{Index, IndexError};
use crate::key::SlotState;
use crate::scan::{Cursor, Item, Scanned, scan};
use crate::segment::{FIRST_FRAME, Place, SEGMENT_HEADER, SegmentHeader, segment_path};
use crate::slots::scan_slots;
use crate::tail::{Entry, Tail};

/// Opens a new sled and brings everything into it that is not in the newest tail.
pub(crate) fn build(shared: &Shared, dir: &Path) -> Result<(Index, Position), IndexError> {
    let (segments, stop, first_new_slot, states) = {
        let book = shared.book();
        let frozen = book.frozen.as_ref().and_then(|tail| tail.end());
        let stop = frozen.map_or(book.position.next, |(place, _, _)| place);
        let new = book.tail.slots().iter().map(|(number, _, _)| *number).min();
        let states: Vec<(String, Vec<u8>)> = book
            .states
            .iter()
            .filter(|(name, _)| !book.tail.states().contains_key(*name))
            .map(|(name, (value, _))| (name.clone(), value.clone()))
            .collect();
        (book.segments.clone(), stop, new.unwrap_or(book.next_slot), states)
    };
    let index = Index::open(dir)?;
    let mut filling =
        Filling { shared, index, position: start(shared, &segments), tail: Tail::default() };
    let slots = scan_slots(&*shared.options.disk, &shared.key_dir(), 0)?;
    for slot in slots
        .found
        .iter()
        .filter(|slot| slot.number < first_new_slot && slot.state != SlotState::Expired)
    {
        filling.tail.add_slot(slot);
    }
    filling.apply()?;
    for segment in segments.iter().filter(|segment| segment.ordinal <= stop.segment) {
        filling.segment(segment, stop)?;
    }
    for (name, value) in &states {
        filling.tail.set_state(name, value);
    }
    filling.apply()?;
    filling.position.slots = first_new_slot;
    filling.position.next = stop;
    filling.apply()?;
    Ok((filling.index, filling.position))
}

struct Filling<'a> {
    shared: &'a Shared,
    index: Index,
    position: Position,
    tail: Tail,
}

impl Filling<'_> {
    fn segment(&mut self, header: &SegmentHeader, stop: Place) -> Result<(), IndexError> {
        let path = segment_path(&self.shared.journal_dir(), header.ordinal);
        let file = self.shared.options.disk.open(&path)?;
        let most = if header.ordinal == stop.segment {
            (stop.offset as usize).saturating_sub(SEGMENT_HEADER)
        } else {
            usize::MAX
        };
        let bytes = read_from(&*file, SEGMENT_HEADER as u64, most)?;
        let mut cursor = Cursor { epoch: header.epoch, head: header.previous, certain: true };
        let scanned = Scanned {
            segment: header.ordinal,
            base: FIRST_FRAME,
            bytes: &bytes,
            station: &self.shared.options.station,
            checks: self.shared.options.checks,
            newest: false,
            known: 0,
            written: 0,
        };
        let tail = &mut self.tail;
        scan(&scanned, &mut cursor, |item| match item {
            Item::Record { place, frame, header } => tail.add(Entry {
                epoch: frame.epoch,
                seq: frame.seq,
                place,
                key: header.key,
                subject: header.subject,
                at: header.at.as_microsecond(),
                event: frame.event,
            }),
            Item::State { .. } => {}
            Item::Damage(damage) => tracing::error!(%damage, "the journal is damaged"),
        });
        let end = u32::try_from(SEGMENT_HEADER + bytes.len()).unwrap_or(u32::MAX);
        let next = Place { segment: header.ordinal, offset: end };
        self.tail.reach(next, cursor.epoch, cursor.head);
        if self.tail.len() >= self.shared.options.checkpoint_records {
            self.apply()?;
        }
        Ok(())
    }

    fn apply(&mut self) -> Result<(), IndexError> {
        self.position = self.index.apply(&self.tail, self.position)?;
        self.tail = Tail::default();
        Ok(())
    }
}

/// The position of an empty sled. Its generation goes on from the checkpoint's.
fn start(shared: &Shared, segments: &[SegmentHeader]) -> Position {
    let first = segments.first();
    let epoch = first.map_or(shared.options.first_epoch, |segment| segment.epoch);
    let genesis = Head::genesis(&shared.options.station, epoch);
    Position {
        generation: shared.book().position.generation,
        next: Place { segment: first.map_or(0, |segment| segment.ordinal), offset: 0 },
        applied: (epoch, first.map_or(genesis, |segment| segment.previous)),
        entries: 0,
        sum: 0,
        slots: 0,
    }
}
