//! Whether sled agrees with the checkpoint and the journal; when it does not, it is set aside and
//! filled again.

use tidewaiter_proto::chain::Head;

use crate::disk::read_from;
use crate::frame::Frame;
use crate::head::{Checkpoint, Position};
use crate::index::{Index, IndexError};
use crate::known::Known;
use crate::options::{INDEX, INDEX_NEW, INDEX_OLD, JOURNAL, LedgerOptions};
use crate::segment::{FIRST_FRAME, Place, SegmentHeader, segment_path};

/// Opens sled when it agrees with the checkpoint and the journal; else sets it aside.
pub(crate) fn open_index(
    options: &LedgerOptions,
    known: &Known,
    segments: &[SegmentHeader],
    notices: &mut Vec<String>,
) -> (Option<Index>, Position) {
    let dir = options.dir.join(INDEX);
    for name in [INDEX_NEW, INDEX_OLD] {
        // What a cut while sled was written anew has left.
        if let Err(error) = crate::keeper::remove_dir(&options.dir.join(name)) {
            notices.push(format!("{name} cannot be removed: {error}"));
        }
    }
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

/// Up to so many entries, everything in sled is counted and summed before it is used.
const WALKED_AT_OPENING: u64 = 50_000;
