//! Journal segments: files of a fixed length that begin with a header and are filled with frames.
//!
//! A segment belongs to one epoch. Its name is its ordinal, its header repeats it, so that a
//! misplaced file is noticed. Zeros follow the last frame.
//!
//! ```text
//! offset  size  field
//!      0     4  magic "TWS1"
//!      4     4  CRC32C of the 120 bytes that follow
//!      8     8  ordinal: 1, 2, … over all epochs
//!     16     8  epoch
//!     24     8  seq of the last record before this segment
//!     32    32  chain hash of that record; the genesis hash when there is none
//!     64     1  length of the station name, s
//!     65    63  station name, then zeros
//! ```

use std::path::{Path, PathBuf};

use tidewaiter_proto::chain::{ChainHash, Head};
use tidewaiter_proto::station::StationId;

use crate::frame::{Frame, FrameFault, next_valid};

/// The beginning of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The segment's number over all epochs.
    pub ordinal: u64,
    /// Which life of the ledger.
    pub epoch: u64,
    /// The last record before this segment.
    pub previous: Head,
    /// Whose ledger.
    pub station: StationId,
}

/// Where a frame begins: which segment, and how many bytes into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Ordinal of the segment.
    pub segment: u64,
    /// Offset in the file.
    pub offset: u32,
}

impl SegmentHeader {
    /// The header's bytes.
    pub fn to_bytes(&self) -> [u8; SEGMENT_HEADER] {
        let mut bytes = Vec::with_capacity(SEGMENT_HEADER);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&self.ordinal.to_be_bytes());
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        bytes.extend_from_slice(&self.previous.seq.to_be_bytes());
        bytes.extend_from_slice(&self.previous.hash.0);
        push_station(&mut bytes, &self.station);
        sealed(bytes)
    }

    /// Reads a header; none when it is not one.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.first_chunk::<SEGMENT_HEADER>()?;
        let mut rest = unsealed(bytes, MAGIC)?;
        let ordinal = take_u64(&mut rest)?;
        let epoch = take_u64(&mut rest)?;
        let previous = take_head(&mut rest)?;
        let station = take_station(&mut rest)?;
        Some(Self { ordinal, epoch, previous, station })
    }
}

/// The path of a segment.
pub fn segment_path(dir: &Path, ordinal: u64) -> PathBuf {
    dir.join(format!("{ordinal:010}.{SEGMENT_SUFFIX}"))
}

/// The ordinal in a segment's file name.
pub fn segment_ordinal(name: &str) -> Option<u64> {
    let (number, suffix) = name.split_once('.')?;
    let is_ours = suffix == SEGMENT_SUFFIX
        && number.len() >= 10
        && number.bytes().all(|byte| byte.is_ascii_digit());
    is_ours.then(|| number.parse().ok()).flatten()
}

/// What stands at a place in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A valid frame.
    Frame(Frame<'a>),
    /// Nothing but zeros from here on.
    End,
    /// Something else: broken bytes.
    Broken {
        /// What is wrong with the first of them.
        fault: FrameFault,
        /// Where the next valid frame begins, and the frame.
        next: Option<(usize, Frame<'a>)>,
    },
}

/// Looks at a place of a segment's bytes.
pub fn look(bytes: &[u8], at: usize) -> Found<'_> {
    let rest = bytes.get(at..).unwrap_or_default();
    match Frame::read(rest) {
        Ok(frame) => Found::Frame(frame),
        Err(_) if rest.iter().all(|byte| *byte == 0) => Found::End,
        Err(fault) => Found::Broken { fault, next: next_valid(bytes, at + 1) },
    }
}

/// Completes a fixed-size block whose second four bytes are its checksum: zeros to its length,
/// then the CRC32C of all that follows the checksum.
pub(crate) fn sealed<const N: usize>(bytes: Vec<u8>) -> [u8; N] {
    let mut block = [0; N];
    for (to, from) in block.iter_mut().zip(bytes) {
        *to = from;
    }
    let checksum = crc32c::crc32c(block.get(8..).unwrap_or_default());
    if let Some(field) = block.get_mut(4..8) {
        field.copy_from_slice(&checksum.to_be_bytes());
    }
    block
}

/// What follows the checksum of a fixed-size block, if magic and checksum agree.
pub(crate) fn unsealed<'a, const N: usize>(
    block: &'a [u8; N],
    magic: &[u8; 4],
) -> Option<&'a [u8]> {
    let (found, rest) = block.split_first_chunk::<4>()?;
    let (checksum, rest) = rest.split_first_chunk::<4>()?;
    (found == magic && crc32c::crc32c(rest).to_be_bytes() == *checksum).then_some(rest)
}

pub(crate) fn push_station(bytes: &mut Vec<u8>, station: &StationId) {
    let name = station.as_str().as_bytes();
    bytes.push(u8::try_from(name.len()).unwrap_or(0));
    let end = bytes.len() + STATION_FIELD;
    bytes.extend_from_slice(name);
    bytes.resize(end, 0);
}

pub(crate) fn take_station(rest: &mut &[u8]) -> Option<StationId> {
    let (length, after) = rest.split_first()?;
    let name = after.get(..usize::from(*length))?;
    let station = std::str::from_utf8(name).ok()?.parse().ok()?;
    *rest = after.get(STATION_FIELD..)?;
    Some(station)
}

pub(crate) fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*taken)
}

pub(crate) fn take_u64(rest: &mut &[u8]) -> Option<u64> {
    take(rest).map(u64::from_be_bytes)
}

pub(crate) fn take_head(rest: &mut &[u8]) -> Option<Head> {
    let seq = take_u64(rest)?;
    Some(Head { seq, hash: ChainHash(take(rest)?) })
}

/// Offset of the first frame.
pub const FIRST_FRAME: u32 = 128;
/// Bytes of the header.
pub const SEGMENT_HEADER: usize = FIRST_FRAME as usize;
const SEGMENT_SUFFIX: &str = "segment";
const STATION_FIELD: usize = 63;
const MAGIC: &[u8; 4] = b"TWS1";

#[cfg(test)]
mod tests {
    use tidewaiter_proto::chain::Head;

    use super::{SegmentHeader, segment_ordinal, segment_path};

    #[test]
    fn a_header_reads_back_and_any_flipped_bit_is_noticed() {
        let station: tidewaiter_proto::station::StationId = "ruvvo/dep-07".parse().unwrap();
        let previous = Head::genesis(&station, 3);
        let header = SegmentHeader { ordinal: 12, epoch: 3, previous, station };
        let bytes = header.to_bytes();
        assert_eq!(SegmentHeader::read(&bytes).unwrap(), header);
        for index in 0..bytes.len() {
            let mut altered = bytes;
            altered[index] ^= 4;
            assert!(SegmentHeader::read(&altered).is_none(), "byte {index}");
        }
    }

    #[test]
    fn a_segments_name_says_its_ordinal_and_other_files_have_none() {
        let path = segment_path(std::path::Path::new("j"), 7);
        let name = path.file_name().unwrap().to_str().unwrap();
        assert_eq!(segment_ordinal(name), Some(7));
        for other in ["spare", "7.segment", "0000000007.segment.new", "00000000x7.segment"] {
            assert_eq!(segment_ordinal(other), None, "{other}");
        }
    }
}
