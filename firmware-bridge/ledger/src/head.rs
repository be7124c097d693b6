//! What the ledger knows of its own head outside the journal: the head file, the mark, and the
//! checkpoint's file. They tell a journal that lost its end from one that never had more.
//!
//! The head file is replaced as a whole (write, sync, rename, sync the directory) at most a
//! moment after an append. The mark is overwritten in place after every group, unsynced: it is
//! lost in a power cut and kept when only the process dies. The checkpoint says how far sled is.
//!
//! ```text
//! head, 256 bytes                               mark, two slots of 64 bytes at 0 and 512
//! offset  size  field                           offset  size  field
//!      0     4  magic "TWH1"                         0     4  magic "TWM1"
//!      4     4  CRC32C of the 248 that follow        4     4  CRC32C of the 56 that follow
//!      8     8  epoch                                8     8  epoch
//!     16     8  seq of the last record              16     8  seq
//!     24    32  its chain hash                      24    32  chain hash
//!     56     8  epoch of the floor                 (continued below)
//!     64     8  seq of the last record that
//!               was let go after its time
//!     72    32  its chain hash
//!    104     1  1 when a head beyond ours was seen
//!    105     8  epoch of that head
//!    113     8  its seq
//!    121    32  its chain hash
//!    153     1  length of the station name
//!    154    63  station name, then zeros              56     4  ordinal of the newest segment
//!    217     8  ordinal of the newest segment         60     4  where its frames end
//!    225     4  where its frames end
//!    229     8  ordinal of the oldest segment kept
//! ```
//!
//! The checkpoint is 384 bytes: magic "TWC1", checksum, the head file's bytes 8 to 216, then from
//! offset 217 generation (8), ordinal and offset of the first frame not in sled (8, 4), epoch, seq
//! and hash of the last record in sled (8, 8, 32), number of entries (8), their sum (8), key slots
//! seen (8), ordinal of the oldest segment kept (8).

use tidewaiter_proto::chain::Head;
use tidewaiter_proto::station::StationId;

use crate::segment::{
    Place, push_station, sealed, take, take_head, take_station, take_u64, unsealed,
};

/// What the head file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadFile {
    /// Which life of the ledger.
    pub epoch: u64,
    /// Its last record on disk.
    pub head: Head,
    /// The last record that was let go after its time, and its epoch: the oldest kept follows it.
    pub floor: (u64, Head),
    /// A head beyond ours, or other than ours, that the server has seen.
    pub contradicted: Option<(u64, Head)>,
    /// Whose ledger.
    pub station: StationId,
    /// Where the frames end that are on disk: what is missing before it was lost.
    pub end: Place,
    /// Ordinal of the oldest segment kept; 0 when there is none yet.
    pub oldest: u64,
}

/// One slot of the mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Which life of the ledger.
    pub epoch: u64,
    /// Its last record on disk.
    pub head: Head,
    /// Where the frames end that are on disk.
    pub end: Place,
}

/// What the checkpoint file says: how far sled is, and what it held then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// As in the head file, at the checkpoint.
    pub head: HeadFile,
    /// How far sled is.
    pub position: Position,
}

/// How far sled is, and what it holds; kept in sled too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Counts checkpoints.
    pub generation: u64,
    /// The first frame that is not in sled.
    pub next: Place,
    /// The last record in sled, and its epoch.
    pub applied: (u64, Head),
    /// Number of entries.
    pub entries: u64,
    /// Sum of the entries' checksums.
    pub sum: u64,
    /// Key slots below this number are in sled.
    pub slots: u64,
}

impl HeadFile {
    /// The file's bytes.
    pub fn to_bytes(&self) -> [u8; HEAD_BYTES] {
        let mut bytes = [MAGIC_HEAD.as_slice(), &[0; 4]].concat();
        self.push(&mut bytes);
        bytes.extend_from_slice(&self.end.segment.to_be_bytes());
        bytes.extend_from_slice(&self.end.offset.to_be_bytes());
        bytes.extend_from_slice(&self.oldest.to_be_bytes());
        sealed(bytes)
    }

    /// Reads a head file; none when it is not one.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let block = bytes.first_chunk::<HEAD_BYTES>()?;
        let mut rest = unsealed(block, MAGIC_HEAD)?;
        let file = Self::take(&mut rest)?;
        let segment = take_u64(&mut rest)?;
        let end = Place { segment, offset: u32::from_be_bytes(take(&mut rest)?) };
        Some(Self { end, oldest: take_u64(&mut rest)?, ..file })
    }

    fn push(&self, bytes: &mut Vec<u8>) {
        push_head(bytes, self.epoch, self.head);
        push_head(bytes, self.floor.0, self.floor.1);
        bytes.push(u8::from(self.contradicted.is_some()));
        let (epoch, head) = self.contradicted.unwrap_or((0, ZERO_HEAD));
        push_head(bytes, epoch, head);
        push_station(bytes, &self.station);
    }

    fn take(rest: &mut &[u8]) -> Option<Self> {
        let (epoch, head) = (take_u64(rest)?, take_head(rest)?);
        let floor = (take_u64(rest)?, take_head(rest)?);
        let [seen] = take::<1>(rest)?;
        let contradicted = (take_u64(rest)?, take_head(rest)?);
        let station = take_station(rest)?;
        let contradicted = (seen == 1).then_some(contradicted);
        let (end, oldest) = (Place { segment: 0, offset: 0 }, 0);
        Some(Self { epoch, head, floor, contradicted, station, end, oldest })
    }
}

impl Checkpoint {
    /// The file's bytes.
    pub fn to_bytes(&self) -> [u8; CHECKPOINT_BYTES] {
        let mut bytes = [MAGIC_CHECKPOINT.as_slice(), &[0; 4]].concat();
        self.head.push(&mut bytes);
        self.position.push(&mut bytes);
        bytes.extend_from_slice(&self.head.oldest.to_be_bytes());
        sealed(bytes)
    }

    /// Reads a checkpoint file; none when it is not one.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let block = bytes.first_chunk::<CHECKPOINT_BYTES>()?;
        let mut rest = unsealed(block, MAGIC_CHECKPOINT)?;
        let head = HeadFile::take(&mut rest)?;
        let position = Position::take(&mut rest)?;
        let oldest = take_u64(&mut rest)?;
        Some(Self { head: HeadFile { end: position.next, oldest, ..head }, position })
    }
}

impl Position {
    /// The bytes that are kept in sled.
    pub fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(96);
        self.push(&mut bytes);
        bytes
    }

    /// Reads what is kept in sled.
    pub fn read(mut bytes: &[u8]) -> Option<Self> {
        Self::take(&mut bytes)
    }

    fn push(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        bytes.extend_from_slice(&self.next.segment.to_be_bytes());
        bytes.extend_from_slice(&self.next.offset.to_be_bytes());
        push_head(bytes, self.applied.0, self.applied.1);
        bytes.extend_from_slice(&self.entries.to_be_bytes());
        bytes.extend_from_slice(&self.sum.to_be_bytes());
        bytes.extend_from_slice(&self.slots.to_be_bytes());
    }

    fn take(rest: &mut &[u8]) -> Option<Self> {
        let generation = take_u64(rest)?;
        let segment = take_u64(rest)?;
        let offset = u32::from_be_bytes(take(rest)?);
        let applied = (take_u64(rest)?, take_head(rest)?);
        let (entries, sum, slots) = (take_u64(rest)?, take_u64(rest)?, take_u64(rest)?);
        Some(Self { generation, next: Place { segment, offset }, applied, entries, sum, slots })
    }
}

/// The bytes of one slot of the mark.
pub fn mark_bytes(mark: Mark) -> [u8; MARK_BYTES] {
    let mut bytes = [MAGIC_MARK.as_slice(), &[0; 4]].concat();
    push_head(&mut bytes, mark.epoch, mark.head);
    // A ledger of 32 petabytes would need more.
    let segment = u32::try_from(mark.end.segment).unwrap_or(0);
    bytes.extend_from_slice(&segment.to_be_bytes());
    bytes.extend_from_slice(&mark.end.offset.to_be_bytes());
    sealed(bytes)
}

/// The later of the mark's two slots; none when neither is valid.
pub fn read_mark(bytes: &[u8]) -> Option<Mark> {
    [0, MARK_SECOND]
        .iter()
        .filter_map(|at| {
            let block = bytes.get(*at..)?.first_chunk::<MARK_BYTES>()?;
            let mut rest = unsealed(block, MAGIC_MARK)?;
            let (epoch, head) = (take_u64(&mut rest)?, take_head(&mut rest)?);
            let segment = u64::from(u32::from_be_bytes(take(&mut rest)?));
            let end = Place { segment, offset: u32::from_be_bytes(take(&mut rest)?) };
            Some(Mark { epoch, head, end })
        })
        .max_by_key(|mark| (mark.epoch, mark.head.seq, mark.end))
}

fn push_head(bytes: &mut Vec<u8>, epoch: u64, head: Head) {
    bytes.extend_from_slice(&epoch.to_be_bytes());
    bytes.extend_from_slice(&head.seq.to_be_bytes());
    bytes.extend_from_slice(&head.hash.0);
}

/// Name of the head file.
pub const HEAD_NAME: &str = "head";
/// Name of the mark.
pub const MARK_NAME: &str = "mark";
/// Name of the checkpoint file.
pub const CHECKPOINT_NAME: &str = "checkpoint";
/// Bytes of the mark's file.
pub const MARK_FILE_BYTES: usize = 1024;
/// Offset of the mark's second slot, in another sector than the first.
pub const MARK_SECOND: usize = 512;
const HEAD_BYTES: usize = 256;
const CHECKPOINT_BYTES: usize = 384;
const MARK_BYTES: usize = 64;
const ZERO_HEAD: Head = Head { seq: 0, hash: tidewaiter_proto::chain::ChainHash([0; 32]) };
const MAGIC_HEAD: &[u8; 4] = b"TWH1";
const MAGIC_MARK: &[u8; 4] = b"TWM1";
const MAGIC_CHECKPOINT: &[u8; 4] = b"TWC1";

#[cfg(test)]
mod tests {
    use tidewaiter_proto::chain::{ChainHash, Head};

    use super::{
        Checkpoint, HeadFile, MARK_FILE_BYTES, MARK_SECOND, Mark, Position, mark_bytes, read_mark,
    };
    use crate::segment::Place;

    fn head(seq: u64) -> Head {
        Head { seq, hash: ChainHash([5; 32]) }
    }

    fn head_file() -> HeadFile {
        HeadFile {
            epoch: 2,
            head: head(40),
            floor: (1, head(7)),
            contradicted: Some((2, head(50))),
            station: "ruvvo/dep-07".parse().unwrap(),
            end: Place { segment: 9, offset: 128 },
            oldest: 4,
        }
    }

    fn mark(seq: u64, offset: u32) -> Mark {
        Mark { epoch: 1, head: head(seq), end: Place { segment: 2, offset } }
    }

    #[test]
    fn head_and_checkpoint_read_back_and_any_flipped_bit_is_noticed() {
        let position = Position {
            generation: 3,
            next: Place { segment: 9, offset: 128 },
            applied: (2, head(39)),
            entries: 10,
            sum: 11,
            slots: 12,
        };
        let checkpoint = Checkpoint { head: head_file(), position };
        assert_eq!(HeadFile::read(&head_file().to_bytes()), Some(head_file()));
        assert_eq!(Checkpoint::read(&checkpoint.to_bytes()), Some(checkpoint.clone()));
        assert_eq!(Position::read(&position.to_bytes()), Some(position));
        let bytes = checkpoint.to_bytes();
        for index in 0..bytes.len() {
            let mut altered = bytes;
            altered[index] ^= 2;
            assert_eq!(Checkpoint::read(&altered), None, "byte {index}");
        }
    }

    #[test]
    fn the_later_valid_slot_of_the_mark_counts() {
        let mut file = [0; MARK_FILE_BYTES];
        assert_eq!(read_mark(&file), None);
        file[..64].copy_from_slice(&mark_bytes(mark(5, 200)));
        file[MARK_SECOND..MARK_SECOND + 64].copy_from_slice(&mark_bytes(mark(6, 300)));
        assert_eq!(read_mark(&file), Some(mark(6, 300)));
        file[MARK_SECOND + 20] ^= 1;
        assert_eq!(read_mark(&file), Some(mark(5, 200)));
        // A named value moves the end on, and not the head.
        file[MARK_SECOND..MARK_SECOND + 64].copy_from_slice(&mark_bytes(mark(5, 300)));
        assert_eq!(read_mark(&file), Some(mark(5, 300)));
    }
}
