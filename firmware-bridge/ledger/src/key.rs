//! The keys of inspections, in files of fixed slots outside the journal, so that a key can be
//! overwritten while every chained byte stays.
//!
//! A slot is on disk before the first record that needs it. Each is kept twice in its file; one
//! damaged copy is repaired from the other. Erasing overwrites both; a file goes when all its
//! keys are gone. Slots are numbered over all files and never used again.
//!
//! ```text
//! file NNNNNNNN.keys: 1024 slots of 256 bytes, then the same 1024 slots again
//! offset  size  field
//!      0     4  magic "TWK1"
//!      4     4  CRC32C of the 248 bytes that follow
//!      8     8  number of the slot over all files
//!     16     1  state: 1 in use, 2 erased by order, 3 expired with its records
//!     17    16  key id
//!     33    16  tag of the inspection
//!     49    72  the key wrapped for the station; zeros when gone
//!    121    80  the key wrapped for the server; zeros when gone
//!    201    55  zeros
//! ```

use std::io;
use std::path::{Path, PathBuf};

use tidewaiter_proto::seal::{KeyId, WrappedForServer, WrappedForStation};

use crate::segment::{sealed, take, take_u64, unsealed};

/// One key of one inspection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its number over all files.
    pub number: u64,
    /// Whether the key is still there.
    pub state: SlotState,
    /// The key's id, as in the records.
    pub key: KeyId,
    /// Keyed name of the inspection.
    pub tag: [u8; 16],
    /// The key, wrapped for the station.
    pub for_station: WrappedForStation,
    /// The key, wrapped for the server.
    pub for_server: WrappedForServer,
}

/// What became of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotState {
    /// It is there.
    InUse,
    /// It was erased by order.
    Erased,
    /// It went with its records after their time.
    Expired,
}

/// A slot as found on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundSlot {
    /// Never used.
    Blank,
    /// Valid; `damaged` names the copies that are not.
    Valid {
        /// What the good copy says.
        slot: Box<Slot>,
        /// Whether each of the two copies is damaged, or older than the other.
        damaged: [bool; 2],
    },
    /// Neither copy is valid.
    Lost,
}

impl Slot {
    /// The slot's bytes.
    pub fn to_bytes(&self) -> [u8; SLOT_BYTES] {
        let mut bytes = [MAGIC.as_slice(), &[0; 4]].concat();
        bytes.extend_from_slice(&self.number.to_be_bytes());
        bytes.push(match self.state {
            SlotState::InUse => 1,
            SlotState::Erased => 2,
            SlotState::Expired => 3,
        });
        bytes.extend_from_slice(&self.key.0);
        bytes.extend_from_slice(&self.tag);
        bytes.extend_from_slice(&self.for_station);
        bytes.extend_from_slice(&self.for_server);
        sealed(bytes)
    }

    /// Reads one copy; none when it is not valid for that number.
    pub fn read(bytes: &[u8], number: u64) -> Option<Self> {
        let block = bytes.first_chunk::<SLOT_BYTES>()?;
        let mut rest = unsealed(block, MAGIC)?;
        let found = take_u64(&mut rest)?;
        let state = match take::<1>(&mut rest)? {
            [1] => SlotState::InUse,
            [2] => SlotState::Erased,
            [3] => SlotState::Expired,
            _ => return None,
        };
        let key = KeyId(take(&mut rest)?);
        let tag = take(&mut rest)?;
        let for_station = take(&mut rest)?;
        let for_server = take(&mut rest)?;
        (found == number).then_some(Self { number, state, key, tag, for_station, for_server })
    }

    /// The same slot without its key.
    #[must_use]
    pub fn without_key(&self, state: SlotState) -> Self {
        Self { state, for_station: [0; 72], for_server: [0; 80], ..self.clone() }
    }
}

/// The path of the file that holds a slot.
pub fn key_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{:08}.{KEY_SUFFIX}", number / SLOTS_PER_FILE))
}

/// Number of the first slot of the key file with this name.
pub fn first_slot(name: &str) -> Option<u64> {
    let (number, suffix) = name.split_once('.')?;
    let is_ours = suffix == KEY_SUFFIX
        && number.len() >= 8
        && number.bytes().all(|byte| byte.is_ascii_digit());
    is_ours.then(|| number.parse::<u64>().ok()?.checked_mul(SLOTS_PER_FILE)).flatten()
}

/// Offsets of a slot's two copies in its file.
pub fn copies(number: u64) -> [u64; 2] {
    let first = (number % SLOTS_PER_FILE) * SLOT_BYTES as u64;
    [first, first + KEY_FILE_BYTES / 2]
}

/// Reads a slot from the bytes of its two copies. A key that is gone in one copy is gone: an
/// erasure that was cut short is finished, never undone.
pub fn judge(first: &[u8], second: &[u8], number: u64) -> FoundSlot {
    let blank = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    match (Slot::read(first, number), Slot::read(second, number)) {
        (Some(a), Some(b)) => {
            let (slot, damaged) = if a.state == SlotState::InUse && b.state != SlotState::InUse {
                (b.clone(), [true, false])
            } else {
                let differs = b != a;
                (a, [false, differs])
            };
            FoundSlot::Valid { slot: Box::new(slot), damaged }
        }
        (Some(a), None) => FoundSlot::Valid { slot: Box::new(a), damaged: [false, true] },
        (None, Some(b)) => FoundSlot::Valid { slot: Box::new(b), damaged: [true, false] },
        (None, None) if blank(first) && blank(second) => FoundSlot::Blank,
        (None, None) => FoundSlot::Lost,
    }
}

/// Reads a slot from its open file.
///
/// # Errors
/// What the file layer says.
pub fn read_slot(file: &dyn crate::disk::DiskFile, number: u64) -> io::Result<FoundSlot> {
    let mut found = [[0; SLOT_BYTES]; 2];
    for (buffer, offset) in found.iter_mut().zip(copies(number)) {
        file.read_at(offset, buffer)?;
    }
    let [first, second] = found;
    Ok(judge(&first, &second, number))
}

/// Slots in one file.
pub const SLOTS_PER_FILE: u64 = 1024;
/// Bytes of a slot.
pub const SLOT_BYTES: usize = 256;
/// Bytes of a key file.
pub const KEY_FILE_BYTES: u64 = SLOTS_PER_FILE * SLOT_BYTES as u64 * 2;
const KEY_SUFFIX: &str = "keys";
const MAGIC: &[u8; 4] = b"TWK1";

#[cfg(test)]
mod tests {
    use tidewaiter_proto::seal::KeyId;

    use super::{FoundSlot, SLOT_BYTES, Slot, SlotState, judge};

    fn slot() -> Slot {
        Slot {
            number: 1030,
            state: SlotState::InUse,
            key: KeyId([1; 16]),
            tag: [2; 16],
            for_station: [3; 72],
            for_server: [4; 80],
        }
    }

    #[test]
    fn one_damaged_copy_of_a_key_is_made_good_by_the_other() {
        let good = slot().to_bytes();
        for index in 0..good.len() {
            let mut bad = good;
            bad[index] ^= 1;
            let expected = FoundSlot::Valid { slot: Box::new(slot()), damaged: [true, false] };
            assert_eq!(judge(&bad, &good, 1030), expected, "byte {index}");
        }
        assert_eq!(judge(&[0; SLOT_BYTES], &[0; SLOT_BYTES], 1030), FoundSlot::Blank);
        assert_eq!(judge(&[9; SLOT_BYTES], &[0; SLOT_BYTES], 1030), FoundSlot::Lost);
    }

    #[test]
    fn an_erasure_cut_short_is_finished() {
        let gone = slot().without_key(SlotState::Erased);
        for (first, second) in [(slot(), gone.clone()), (gone.clone(), slot())] {
            let FoundSlot::Valid { slot: found, .. } =
                judge(&first.to_bytes(), &second.to_bytes(), 1030)
            else {
                panic!("a valid slot");
            };
            assert_eq!(*found, gone);
        }
    }

    #[test]
    fn a_slot_at_the_wrong_place_is_not_taken() {
        assert_eq!(Slot::read(&slot().to_bytes(), 1031), None);
    }
}
