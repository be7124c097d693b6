//! Pieces together the header of a segment whose own is damaged, from what stands around it.

use std::io;
use std::path::Path;

use tidewaiter_proto::chain::Head;

use crate::disk::read_from;
use crate::frame::{Kind, next_valid};
use crate::options::LedgerOptions;
use crate::scan::{Cursor, Scanned, scan};
use crate::segment::{FIRST_FRAME, SEGMENT_HEADER, SegmentHeader, segment_path};

/// The header a segment must have had: the epoch of its first frame, and the last record of the
/// segment before, if that is of the same epoch.
pub(crate) fn header(
    options: &LedgerOptions,
    journal: &Path,
    ordinal: u64,
    before: Option<&SegmentHeader>,
) -> io::Result<SegmentHeader> {
    let read = |ordinal| {
        let file = options.disk.open(&segment_path(journal, ordinal))?;
        read_from(&*file, SEGMENT_HEADER as u64, usize::MAX)
    };
    let bytes = read(ordinal)?;
    let station = options.station.clone();
    let first = next_valid(&bytes, 0).map(|(_, frame)| frame);
    let Some(first) = first else {
        let epoch = before.map_or(options.first_epoch, |before| before.epoch);
        let previous = before.map_or(Head::genesis(&station, epoch), |before| before.previous);
        return Ok(SegmentHeader { ordinal, epoch, previous, station });
    };
    let epoch = first.epoch;
    let previous = match before.filter(|before| before.epoch == epoch) {
        None if first.seq <= 1 => Head::genesis(&station, epoch),
        None => {
            let seq = first.seq.saturating_sub(u64::from(first.kind == Kind::Record));
            Head { seq, ..Head::genesis(&station, epoch) }
        }
        Some(before) => {
            let bytes = read(before.ordinal)?;
            let mut cursor = Cursor { epoch, head: before.previous, certain: true };
            let scanned = Scanned {
                segment: before.ordinal,
                base: FIRST_FRAME,
                bytes: &bytes,
                station: &options.station,
                checks: options.checks,
                newest: false,
                known: 0,
                written: 0,
            };
            scan(&scanned, &mut cursor, |_| {});
            cursor.head
        }
    };
    Ok(SegmentHeader { ordinal, epoch, previous, station })
}
