//! Journal frames: what stands around a stored record in a segment. Byte by byte in
//! `docs/record-format.md`.
//!
//! Integers are big-endian. A frame is valid when magic, length and checksum agree; a torn write
//! leaves one that is not. `synced` says how much of the file was on disk before this frame was
//! written: it tells a torn tail, which nobody was promised, from damage to what was promised.
//!
//! ```text
//! offset  size  field
//!      0     4  magic "TWJ1"
//!      4     4  CRC32C of everything that follows, to the end of the payload
//!      8     1  kind: 1 record, 2 state
//!      9     3  zeros
//!     12     4  length of the payload, n
//!     16     8  epoch
//!     24     8  seq of the record; of the last record before, for a state
//!     32     8  synced: bytes of this file that were on disk before this frame was written
//!     40    32  chain hash of that record
//!     72    16  tag of the device's event, zeros when there is none
//!     88     n  payload: the stored record, or length of the key (1), key, value
//! ```

use tidewaiter_proto::chain::ChainHash;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A stored record; part of the chain.
    Record,
    /// A named value of the station's own; not part of the chain.
    State,
}

/// A frame taken apart, borrowing its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it carries.
    pub kind: Kind,
    /// Which life of the ledger.
    pub epoch: u64,
    /// Number of the record, or of the last one before.
    pub seq: u64,
    /// Bytes of the file that were on disk before this frame was written.
    pub synced: u64,
    /// Chain hash of that record.
    pub hash: ChainHash,
    /// Tag of the device's event.
    pub event: Option<[u8; 16]>,
    /// The payload.
    pub payload: &'a [u8],
}

/// Why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// The frame does not begin with its magic.
    #[error("no frame begins there")]
    Magic,
    /// The length leads beyond the end.
    #[error("the frame's length leads beyond the file")]
    Length,
    /// The checksum does not fit the bytes.
    #[error("the frame's checksum does not fit its bytes")]
    Checksum,
    /// A kind this program does not know.
    #[error("frame kind {0} is not known to this program")]
    Kind(u8),
}

impl<'a> Frame<'a> {
    /// Appends the frame's bytes.
    pub fn write(&self, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&[self.kind.code(), 0, 0, 0]);
        let length = u32::try_from(self.payload.len())
            .expect("payloads are bounded by FRAME_PAYLOAD_MAX before they get here");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.synced.to_be_bytes());
        bytes.extend_from_slice(&self.hash.0);
        bytes.extend_from_slice(&self.event.unwrap_or_default());
        bytes.extend_from_slice(self.payload);
        let checksum = crc32c::crc32c(bytes.get(start + 8..).unwrap_or_default());
        if let Some(field) = bytes.get_mut(start + 4..start + 8) {
            field.copy_from_slice(&checksum.to_be_bytes());
        }
    }

    /// Reads the frame that begins with the first byte; what follows it is left alone.
    ///
    /// # Errors
    /// [`FrameFault`].
    pub fn read(bytes: &'a [u8]) -> Result<Self, FrameFault> {
        let mut rest = bytes;
        let magic: [u8; 4] = take(&mut rest)?;
        if magic != *MAGIC {
            return Err(FrameFault::Magic);
        }
        let checksum = u32::from_be_bytes(take(&mut rest)?);
        let checked = rest;
        let [kind, ..] = take::<4>(&mut rest)?;
        let length = u32::from_be_bytes(take(&mut rest)?) as usize;
        let epoch = u64::from_be_bytes(take(&mut rest)?);
        let seq = u64::from_be_bytes(take(&mut rest)?);
        let synced = u64::from_be_bytes(take(&mut rest)?);
        let hash = ChainHash(take(&mut rest)?);
        let event: [u8; 16] = take(&mut rest)?;
        if length > FRAME_PAYLOAD_MAX {
            return Err(FrameFault::Length);
        }
        let payload = rest.get(..length).ok_or(FrameFault::Length)?;
        let checked = checked.get(..FRAME_HEADER - 8 + length).ok_or(FrameFault::Length)?;
        if crc32c::crc32c(checked) != checksum {
            return Err(FrameFault::Checksum);
        }
        let kind = Kind::from_code(kind).ok_or(FrameFault::Kind(kind))?;
        let event = (event != [0; 16]).then_some(event);
        Ok(Self { kind, epoch, seq, synced, hash, event, payload })
    }

    /// Bytes of the whole frame.
    pub fn length(&self) -> usize {
        FRAME_HEADER + self.payload.len()
    }
}

/// The next valid frame at or after a place in the bytes.
pub fn next_valid(bytes: &[u8], from: usize) -> Option<(usize, Frame<'_>)> {
    let mut at = from;
    while let Some(rest) = bytes.get(at..) {
        let step = rest.windows(MAGIC.len()).position(|window| window == MAGIC)?;
        let place = at + step;
        if let Ok(frame) = Frame::read(bytes.get(place..)?) {
            return Some((place, frame));
        }
        at = place + 1;
    }
    None
}

/// The payload of a state frame.
///
/// # Errors
/// The key again, when it is longer than 255 bytes or the whole longer than [`FRAME_PAYLOAD_MAX`].
pub fn state_payload(key: &str, value: &[u8]) -> Option<Vec<u8>> {
    let mut payload = vec![u8::try_from(key.len()).ok()?];
    payload.extend_from_slice(key.as_bytes());
    payload.extend_from_slice(value);
    (payload.len() <= FRAME_PAYLOAD_MAX).then_some(payload)
}

/// Key and value of a state frame's payload.
pub fn parse_state(payload: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = payload.split_first()?;
    let key = std::str::from_utf8(rest.get(..usize::from(*length))?).ok()?;
    Some((key, rest.get(usize::from(*length)..)?))
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Record => 1,
            Self::State => 2,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Record),
            2 => Some(Self::State),
            _ => None,
        }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], FrameFault> {
    let (taken, after) = rest.split_first_chunk::<N>().ok_or(FrameFault::Length)?;
    *rest = after;
    Ok(*taken)
}

/// Bytes before the payload.
pub const FRAME_HEADER: usize = 88;
/// The largest payload: a record is at most 33 KiB, a state may hold more.
pub const FRAME_PAYLOAD_MAX: usize = 256 * 1024;
const MAGIC: &[u8; 4] = b"TWJ1";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tidewaiter_proto::chain::ChainHash;

    use super::{Frame, Kind, next_valid};

    fn frame(payload: &[u8]) -> Frame<'_> {
        Frame {
            kind: Kind::Record,
            epoch: 1,
            seq: 9,
            synced: 128,
            hash: ChainHash([7; 32]),
            event: Some([3; 16]),
            payload,
        }
    }

    #[test]
    fn any_flipped_bit_of_a_frame_is_noticed() {
        let mut bytes = Vec::new();
        frame(b"payload").write(&mut bytes);
        for index in 0..bytes.len() {
            for bit in 0..8 {
                let mut altered = bytes.clone();
                altered[index] ^= 1 << bit;
                assert!(Frame::read(&altered).is_err(), "byte {index} bit {bit}");
            }
        }
    }

    #[test]
    fn a_valid_frame_is_found_behind_a_broken_one() {
        let mut bytes = Vec::new();
        frame(b"first TWJ1 with the magic inside").write(&mut bytes);
        let second = bytes.len();
        frame(b"second").write(&mut bytes);
        bytes[20] ^= 1;
        let (place, found) = next_valid(&bytes, 0).unwrap();
        assert_eq!((place, found.payload), (second, b"second".as_slice()));
    }

    proptest! {
        #[test]
        fn a_frame_reads_back_whatever_follows(payload: Vec<u8>, after: Vec<u8>) {
            let mut bytes = Vec::new();
            frame(&payload).write(&mut bytes);
            let length = bytes.len();
            bytes.extend_from_slice(&after);
            let read = Frame::read(&bytes).unwrap();
            prop_assert_eq!(read, frame(&payload));
            prop_assert_eq!(read.length(), length);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = Frame::read(&bytes);
            let _ = next_valid(&bytes, 0);
        }
    }
}
