//! A whole ledger checked offline, without any key: every frame, every link of the chain, and the
//! heads that are kept apart from the journal.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tidewaiter_proto::chain::Head;
use tidewaiter_proto::seal::KeyId;
use tidewaiter_proto::station::StationId;

use crate::disk::{Disk, RealDisk, read_from};
use crate::fault::{Damage, OpenError};
use crate::frame::Frame;
use crate::head::HEAD_NAME;
use crate::key::{FoundSlot, SLOTS_PER_FILE, SlotState, first_slot, key_path, read_slot};
use crate::known::Known;
use crate::options::{Checks, JOURNAL, KEYS};
use crate::recover::{at, lack, missing};
use crate::scan::{Cursor, Item, Scanned, scan, segment_name};
use crate::segment::{FIRST_FRAME, SEGMENT_HEADER, SegmentHeader, segment_ordinal, segment_path};

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whose ledger; none when it is empty.
    pub station: Option<StationId>,
    /// The last record that was let go after its time, and its epoch; none when none was.
    pub floor: Option<(u64, Head)>,
    /// The last record of each epoch.
    pub heads: Vec<(u64, Head)>,
    /// Records that are as they were.
    pub records: u64,
    /// Bytes of the journal.
    pub bytes: u64,
    /// Segments of the journal.
    pub segments: u64,
    /// The keys of inspections.
    pub keys: Keys,
    /// What is not as it was, the first record first.
    pub damage: Vec<Damage>,
}

/// How many keys of inspections there are, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Still there.
    pub in_use: u64,
    /// Erased by order.
    pub erased: u64,
    /// Gone with their records after their time.
    pub expired: u64,
    /// Damaged in both copies.
    pub damaged: u64,
    /// Named by records, and in no key file.
    pub missing: u64,
}

/// Checks the ledger in a directory. `progress` is told bytes done, of all.
///
/// # Errors
/// [`OpenError`] when the files cannot be read.
pub fn verify(dir: &Path, progress: impl FnMut(u64, u64)) -> Result<Verified, OpenError> {
    verify_on(&RealDisk, dir, Checks::default(), progress)
}

/// [`verify`] on another file layer, and without some of the checks: for the tests that show that
/// each check is needed.
///
/// # Errors
/// [`OpenError`] when the files cannot be read.
pub fn verify_on(
    disk: &dyn Disk,
    dir: &Path,
    checks: Checks,
    progress: impl FnMut(u64, u64),
) -> Result<Verified, OpenError> {
    each_record(disk, dir, checks, |_| Ok(()), progress)
}

/// Writes where the ledger begins, when older records were let go; every record as a line of JSON:
/// epoch, number, chain hash, stored bytes (base64); then a line with the head of each epoch. Gives
/// what [`verify`] would.
///
/// # Errors
/// [`OpenError`].
pub fn export(
    dir: &Path,
    out: &mut dyn Write,
    progress: impl FnMut(u64, u64),
) -> Result<Verified, OpenError> {
    let (known, _) = Known::read(&RealDisk, dir)?;
    if let Some(file) = known.file().filter(|file| file.floor.0 > 0) {
        let line = head_line(Some(&file.station), "floor", file.floor);
        writeln!(out, "{line}").map_err(at(dir))?;
    }
    let verified = each_record(
        &RealDisk,
        dir,
        Checks::default(),
        |frame| {
            let line = serde_json::json!({
                "epoch": frame.epoch, "seq": frame.seq, "hash": hex::encode(frame.hash.0),
                "stored": STANDARD.encode(frame.payload),
            });
            writeln!(out, "{line}")
        },
        progress,
    )?;
    for head in &verified.heads {
        let line = head_line(verified.station.as_ref(), "head", *head);
        writeln!(out, "{line}").map_err(at(dir))?;
    }
    Ok(verified)
}

fn head_line(
    station: Option<&StationId>,
    what: &str,
    (epoch, head): (u64, Head),
) -> serde_json::Value {
    let station = station.map(ToString::to_string);
    serde_json::json!({
        "station": station, "epoch": epoch,
        what: {"seq": head.seq, "hash": hex::encode(head.hash.0)},
    })
}

fn each_record(
    disk: &dyn Disk,
    dir: &Path,
    checks: Checks,
    mut each: impl FnMut(&Frame<'_>) -> io::Result<()>,
    mut progress: impl FnMut(u64, u64),
) -> Result<Verified, OpenError> {
    let journal = dir.join(JOURNAL);
    let (known, _) = Known::read(disk, dir)?;
    let mut ordinals: Vec<u64> = disk
        .list(&journal)
        .map_err(at(&journal))?
        .iter()
        .filter_map(|name| segment_ordinal(name))
        .collect();
    ordinals.sort_unstable();
    // What was let go may still be there after a power cut.
    let newest = ordinals.last().copied();
    ordinals.retain(|ordinal| *ordinal >= known.oldest() || Some(*ordinal) == newest);
    let mut found = Verified {
        station: known.file().map(|file| file.station.clone()),
        floor: known.file().map(|file| file.floor).filter(|(epoch, _)| *epoch > 0),
        heads: Vec::new(),
        records: 0,
        bytes: 0,
        segments: ordinals.len() as u64,
        keys: Keys::default(),
        damage: Vec::new(),
    };
    let mut needed = BTreeSet::new();
    let (mut before, mut header_before): (Option<Cursor>, Option<SegmentHeader>) = (None, None);
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
        if let Some(what) = known.gap(header_before.as_ref(), &header) {
            found.damage.push(lack(&header, what));
        }
        if let Some(cursor) = before.filter(|cursor| cursor.epoch == header.epoch)
            && cursor.head != header.previous
        {
            found.damage.push(missing(&cursor, &header));
        }
        let mut cursor = Cursor { epoch: header.epoch, head: header.previous, certain: true };
        let scanned = Scanned {
            segment: *ordinal,
            base: FIRST_FRAME,
            bytes: bytes.get(SEGMENT_HEADER..).unwrap_or_default(),
            station: &station,
            checks,
            newest: index + 1 == ordinals.len(),
            known: known.last(header.epoch),
            written: known.written(*ordinal, header.epoch),
        };
        let mut written = Ok(());
        scan(&scanned, &mut cursor, |item| match item {
            Item::Record { frame, header, .. } => {
                found.records += 1;
                needed.insert(header.key);
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
        header_before = Some(header);
        progress(found.bytes, all);
    }
    found.keys = count_keys(disk, dir, needed)?;
    for (epoch, head, source) in known.heads() {
        found.against_head(epoch, head, source);
    }
    found.damage.sort_by_key(|damage| (damage.epoch, damage.seq, damage.offset));
    Ok(found)
}

fn count_keys(disk: &dyn Disk, dir: &Path, mut needed: BTreeSet<KeyId>) -> Result<Keys, OpenError> {
    let dir = dir.join(KEYS);
    let mut keys = Keys::default();
    let names = match disk.list(&dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        names => names.map_err(at(&dir))?,
    };
    for first in names.iter().filter_map(|name| first_slot(name)) {
        let path = key_path(&dir, first);
        let file = disk.open(&path).map_err(at(&path))?;
        for number in first..first + SLOTS_PER_FILE {
            match read_slot(&*file, number).map_err(at(&path))? {
                FoundSlot::Blank => {}
                FoundSlot::Lost => keys.damaged += 1,
                FoundSlot::Valid { slot, .. } => {
                    needed.remove(&slot.key);
                    match slot.state {
                        SlotState::InUse => keys.in_use += 1,
                        SlotState::Erased => keys.erased += 1,
                        SlotState::Expired => keys.expired += 1,
                    }
                }
            }
        }
    }
    keys.missing = needed.len() as u64;
    Ok(keys)
}

impl Verified {
    /// A head that is kept apart must not lie beyond the journal, nor be another.
    fn against_head(&mut self, epoch: u64, known: Head, source: &str) {
        if known.seq == 0 {
            return;
        }
        let end = self.heads.iter().find(|(of, _)| *of == epoch).map(|(_, head)| *head);
        let have = end.map_or(0, |head| head.seq);
        let what = if have < known.seq {
            format!("the journal ends with record {have}, and {} was recorded", known.seq)
        } else if have == known.seq && end.is_some_and(|head| head.hash != known.hash) {
            "the last record is another one than was recorded".to_owned()
        } else {
            return;
        };
        let seq = (have + 1).min(known.seq);
        let what = format!("{what} ({source} says so)");
        // The three seldom tell of different records.
        if !self.damage.iter().any(|damage| damage.file == HEAD_NAME && damage.seq == seq) {
            self.damage.push(Damage { epoch, seq, what, file: HEAD_NAME.to_owned(), offset: 0 });
        }
    }
}
