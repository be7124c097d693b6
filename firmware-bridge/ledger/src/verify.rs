//! A whole ledger checked offline, without any key: every frame, every link of the chain, and the
//! heads that are kept apart from the journal.

use std::io::{self, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tidewaiter_proto::chain::Head;
use tidewaiter_proto::station::StationId;

use crate::disk::{Disk, RealDisk, read_from, read_small};
use crate::fault::{Damage, OpenError};
use crate::frame::Frame;
use crate::head::{HEAD_NAME, HeadFile};
use crate::options::{Checks, JOURNAL};
use crate::recover::at;
use crate::scan::{Cursor, Item, Scanned, scan, segment_name};
use crate::segment::{FIRST_FRAME, SEGMENT_HEADER, SegmentHeader, segment_ordinal, segment_path};

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whose ledger; none when it is empty.
    pub station: Option<StationId>,
    /// The last record of each epoch.
    pub heads: Vec<(u64, Head)>,
    /// Records that are as they were.
    pub records: u64,
    /// Bytes of the journal.
    pub bytes: u64,
    /// Segments of the journal.
    pub segments: u64,
    /// What is not as it was, the first record first.
    pub damage: Vec<Damage>,
}

/// Checks the ledger in a directory. `progress` is told bytes done, of all.
///
/// # Errors
/// [`OpenError`] when the files cannot be read.
pub fn verify(dir: &Path, progress: impl FnMut(u64, u64)) -> Result<Verified, OpenError> {
    each_record(dir, |_| Ok(()), progress)
}

/// Writes every record as a line of JSON: epoch, number, chain hash, stored bytes (base64); then a
/// line with the head of each epoch. Gives what [`verify`] would.
///
/// # Errors
/// [`OpenError`].
pub fn export(
    dir: &Path,
    out: &mut dyn Write,
    progress: impl FnMut(u64, u64),
) -> Result<Verified, OpenError> {
    let verified = each_record(
        dir,
        |frame| {
            let line = serde_json::json!({
                "epoch": frame.epoch, "seq": frame.seq, "hash": hex::encode(frame.hash.0),
                "stored": STANDARD.encode(frame.payload),
            });
            writeln!(out, "{line}")
        },
        progress,
    )?;
    for (epoch, head) in &verified.heads {
        let station = verified.station.as_ref().map(ToString::to_string);
        let line = serde_json::json!({
            "station": station, "epoch": epoch, "head": {"seq": head.seq, "hash": hex::encode(head.hash.0)},
        });
        writeln!(out, "{line}").map_err(at(dir))?;
    }
    Ok(verified)
}

fn each_record(
    dir: &Path,
    mut each: impl FnMut(&Frame<'_>) -> io::Result<()>,
    mut progress: impl FnMut(u64, u64),
) -> Result<Verified, OpenError> {
    let disk = RealDisk;
    let journal = dir.join(JOURNAL);
    let mut ordinals: Vec<u64> = disk
        .list(&journal)
        .map_err(at(&journal))?
        .iter()
        .filter_map(|name| segment_ordinal(name))
        .collect();
    ordinals.sort_unstable();
    let head_path = dir.join(HEAD_NAME);
    let known = read_small(&disk, &head_path)
        .map_err(at(&head_path))?
        .and_then(|bytes| HeadFile::read(&bytes));
    let mut found = Verified {
        station: known.as_ref().map(|file| file.station.clone()),
        heads: Vec::new(),
        records: 0,
        bytes: 0,
        segments: ordinals.len() as u64,
        damage: Vec::new(),
    };
    let mut before: Option<Cursor> = None;
    let mut total = None;
    for (index, ordinal) in ordinals.iter().enumerate() {
        let path = segment_path(&journal, *ordinal);
        let file = disk.open(&path).map_err(at(&path))?;
        let bytes = read_from(&*file, 0, usize::MAX).map_err(at(&path))?;
        let all = *total.get_or_insert(bytes.len() as u64 * ordinals.len() as u64);
        found.bytes += bytes.len() as u64;
        let Some(header) = SegmentHeader::read(&bytes).filter(|header| header.ordinal == *ordinal)
        else {
            let (epoch, seq) = before.map_or((1, 1), |cursor| (cursor.epoch, cursor.head.seq + 1));
            let what = "the segment's header is damaged".to_owned();
            found.damage.push(Damage { epoch, seq, what, file: segment_name(*ordinal), offset: 0 });
            continue;
        };
        let station = found.station.get_or_insert_with(|| header.station.clone()).clone();
        if let Some(cursor) = before.filter(|cursor| cursor.epoch == header.epoch)
            && cursor.head != header.previous
        {
            found.damage.push(Damage {
                epoch: cursor.epoch,
                seq: cursor.head.seq + 1,
                what: format!("records up to {} are missing", header.previous.seq),
                file: segment_name(*ordinal),
                offset: 0,
            });
        }
        let mut cursor = Cursor { epoch: header.epoch, head: header.previous, certain: true };
        let last_known = known.as_ref().filter(|file| file.epoch == header.epoch);
        let scanned = Scanned {
            segment: *ordinal,
            base: FIRST_FRAME,
            bytes: bytes.get(SEGMENT_HEADER..).unwrap_or_default(),
            station: &station,
            checks: Checks::default(),
            newest: index + 1 == ordinals.len(),
            known: last_known.map_or(0, |file| file.head.seq),
        };
        let mut written = Ok(());
        scan(&scanned, &mut cursor, |item| match item {
            Item::Record { frame, .. } => {
                found.records += 1;
                if written.is_ok() {
                    written = each(&frame);
                }
            }
            Item::State { .. } => {}
            Item::Damage(damage) => found.damage.push(damage),
        });
        written.map_err(at(dir))?;
        found.heads.retain(|(epoch, _)| *epoch != cursor.epoch);
        found.heads.push((cursor.epoch, cursor.head));
        before = Some(cursor);
        progress(found.bytes, all);
    }
    found.against_head(known.as_ref());
    found.damage.sort_by_key(|damage| (damage.epoch, damage.seq, damage.offset));
    Ok(found)
}

impl Verified {
    /// The head that is kept apart must not lie beyond the journal, nor be another.
    fn against_head(&mut self, known: Option<&HeadFile>) {
        let Some(file) = known.filter(|file| file.head.seq > 0) else { return };
        let end = self.heads.iter().find(|(epoch, _)| *epoch == file.epoch).map(|(_, head)| *head);
        let have = end.map_or(0, |head| head.seq);
        let what = if have < file.head.seq {
            format!("the journal ends with record {have}, and {} was recorded", file.head.seq)
        } else if have == file.head.seq && end.is_some_and(|head| head.hash != file.head.hash) {
            "the last record is another one than was recorded".to_owned()
        } else {
            return;
        };
        let seq = (have + 1).min(file.head.seq);
        let file_name = HEAD_NAME.to_owned();
        self.damage.push(Damage { epoch: file.epoch, seq, what, file: file_name, offset: 0 });
    }
}
