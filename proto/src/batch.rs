//! A signed batch: consecutive records of one station on their way to the server.
//!
//! ```text
//! size  field                                          signed
//!    4  magic "TWB1"                                   yes
//!    1  length of the station name, s                  yes
//!    s  station name                                   yes
//!    8  epoch                                          yes
//!    8  seq of the first record                        yes
//!    2  number of records, 1 to 256                    yes
//!   32  chain hash before the first record             yes
//!   32  chain hash of the last record                  yes
//!    2  number of keys, k                              by their SHA-256
//! k×96  key id (16), key wrapped for the server (80)   by their SHA-256
//!       records: length (4) and stored bytes each      by the chain
//!   64  Ed25519 signature of the signed part ‖ SHA-256 of the keys
//! ```
//!
//! The signed part with the signature is a [`SignedHead`]: a proof that needs no record.

use sha2::{Digest, Sha256};

use crate::chain::{ChainHash, Head, link};
use crate::seal::{KeyId, WrappedForServer};
use crate::signing::{Domain, SignatureError, Signing, Verifying};
use crate::station::StationId;
use crate::stored::{Stored, StoredError};

/// One wrapped key in a batch.
pub type BatchKey = (KeyId, WrappedForServer);

/// A batch taken apart and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Which station.
    pub station: StationId,
    /// Which life of its ledger.
    pub epoch: u64,
    /// Number of the first record.
    pub from: u64,
    /// Chain hash before the first record.
    pub previous: ChainHash,
    /// Keys of the inspections that the records belong to.
    pub keys: Vec<BatchKey>,
    /// Stored bytes, consecutive.
    pub records: Vec<Vec<u8>>,
    /// What the station signed.
    pub signed: SignedHead,
}

/// What a station signed: its name, epoch, range and head. Kept as proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHead {
    /// The bytes that were signed.
    pub statement: Vec<u8>,
    /// The signature.
    pub signature: [u8; 64],
    /// The head it commits to.
    pub head: Head,
}

/// Where a batch begins.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Which station.
    pub station: &'a StationId,
    /// Which life of its ledger.
    pub epoch: u64,
    /// Number of the first record.
    pub from: u64,
    /// Chain hash before it.
    pub previous: ChainHash,
}

/// What a [`SignedHead`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Which station.
    pub station: StationId,
    /// Which life of its ledger.
    pub epoch: u64,
    /// Number of the first record of the batch.
    pub from: u64,
    /// Chain hash before it.
    pub previous: ChainHash,
    /// The last record of the batch, and its hash.
    pub head: Head,
}

/// Why a message is not a batch to be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Larger than [`BATCH_BYTES_MAX`].
    #[error("the batch has {0} bytes, {BATCH_BYTES_MAX} at most")]
    TooLarge(usize),
    /// Not the magic of this version.
    #[error("not a batch of a version known to this program")]
    Version,
    /// Bytes end too early, or follow.
    #[error("the batch ends within its {0}")]
    Short(&'static str),
    /// Bytes follow the signature.
    #[error("{0} bytes follow the batch")]
    Trailing(usize),
    /// A field holds what it cannot.
    #[error("the batch's {0} is not valid")]
    Field(&'static str),
    /// A record within is not a stored record.
    #[error("record {seq}: {error}")]
    Record {
        /// Its number by its place.
        seq: u64,
        /// What is wrong.
        error: StoredError,
    },
    /// A record is of another station, epoch or number than its place says.
    #[error("record {seq} is not the one its place in the batch says")]
    Misplaced {
        /// The number by place.
        seq: u64,
    },
    /// The records do not chain to the signed head.
    #[error("the records do not chain to the head that was signed")]
    Chain,
    /// The signature is not the station's.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// Builds and signs a batch of consecutive records.
///
/// # Errors
/// [`BatchError::TooLarge`] or [`BatchError::Field`] when the records do not make a batch.
pub fn build(
    station: &StationId,
    epoch: u64,
    from: u64,
    previous: ChainHash,
    keys: &[BatchKey],
    records: &[Vec<u8>],
    signing: &Signing,
) -> Result<Vec<u8>, BatchError> {
    if records.is_empty() || records.len() > BATCH_RECORDS_MAX {
        return Err(BatchError::Field("number of records"));
    }
    let head = records.iter().fold(previous, |hash, stored| link(hash, stored));
    let mut bytes = Vec::with_capacity(1024);
    bytes.extend_from_slice(MAGIC);
    let name = station.as_str().as_bytes();
    bytes.push(u8::try_from(name.len()).map_err(|_| BatchError::Field("station"))?);
    bytes.extend_from_slice(name);
    bytes.extend_from_slice(&epoch.to_be_bytes());
    bytes.extend_from_slice(&from.to_be_bytes());
    let count = u16::try_from(records.len()).map_err(|_| BatchError::Field("number of records"))?;
    bytes.extend_from_slice(&count.to_be_bytes());
    bytes.extend_from_slice(&previous.0);
    bytes.extend_from_slice(&head.0);
    let mut statement = bytes.clone();
    let key_count = u16::try_from(keys.len()).map_err(|_| BatchError::Field("number of keys"))?;
    let mut key_bytes = key_count.to_be_bytes().to_vec();
    for (id, wrapped) in keys {
        key_bytes.extend_from_slice(&id.0);
        key_bytes.extend_from_slice(wrapped);
    }
    statement.extend_from_slice(&Sha256::digest(&key_bytes));
    bytes.extend_from_slice(&key_bytes);
    for stored in records {
        let length = u32::try_from(stored.len()).map_err(|_| BatchError::Field("record"))?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(stored);
    }
    bytes.extend_from_slice(&signing.sign(Domain::Batch, &statement));
    if bytes.len() > BATCH_BYTES_MAX {
        return Err(BatchError::TooLarge(bytes.len()));
    }
    Ok(bytes)
}

/// Builds and signs a batch of as many of the records as fit one, from the first on, with the keys
/// they need; gives the number of the last.
///
/// # Errors
/// As [`build`]; [`BatchError::Record`] when one of them is not a stored record.
pub fn pack(
    place: &Place<'_>,
    keys: &[BatchKey],
    records: &[Vec<u8>],
    bytes_max: usize,
    signing: &Signing,
) -> Result<(Vec<u8>, u64), BatchError> {
    let Place { station, epoch, from, previous } = *place;
    let mut size = ENVELOPE_BYTES + station.as_str().len();
    let (mut used, mut taken) = (Vec::<BatchKey>::new(), 0usize);
    for (stored, seq) in records.iter().zip(from..).take(BATCH_RECORDS_MAX) {
        let id =
            Stored::parse(stored).map_err(|error| BatchError::Record { seq, error })?.header.key;
        let known = used.iter().any(|(key, _)| *key == id);
        let key = keys.iter().find(|(key, _)| *key == id).filter(|_| !known);
        let grown = size + 4 + stored.len() + key.map_or(0, |_| KEY_BYTES);
        if taken > 0 && grown > bytes_max.min(BATCH_BYTES_MAX) {
            break;
        }
        used.extend(key.copied());
        (size, taken) = (grown, taken + 1);
    }
    let bytes = build(
        station,
        epoch,
        from,
        previous,
        &used,
        records.get(..taken).unwrap_or_default(),
        signing,
    )?;
    let last = u64::try_from(taken).ok().and_then(|taken| from.checked_add(taken - 1));
    Ok((bytes, last.ok_or(BatchError::Field("range"))?))
}

impl SignedHead {
    /// Checks the signature and reads what was signed, without any record.
    ///
    /// # Errors
    /// [`BatchError`] when the key is not the signer's or the bytes are no statement.
    pub fn prove(&self, station_key: &Verifying) -> Result<Statement, BatchError> {
        station_key.verify(Domain::Batch, &self.statement, &self.signature)?;
        let mut reader = Reader { rest: &self.statement };
        reader.magic()?;
        let station = reader.station()?;
        let epoch = u64::from_be_bytes(reader.take("epoch")?);
        let from = u64::from_be_bytes(reader.take("seq")?);
        let count = u64::from(u16::from_be_bytes(reader.take("number of records")?));
        let previous = ChainHash(reader.take("previous hash")?);
        let hash = ChainHash(reader.take("head")?);
        let seq = count.checked_sub(1).and_then(|more| from.checked_add(more));
        let seq = seq.ok_or(BatchError::Field("range"))?;
        if self.head != (Head { seq, hash }) {
            return Err(BatchError::Field("head"));
        }
        Ok(Statement { station, epoch, from, previous, head: self.head })
    }
}

/// The station and epoch a message claims, before anything is verified: to find its key.
///
/// # Errors
/// [`BatchError`] when not even that can be read.
pub fn claimed_station(bytes: &[u8]) -> Result<StationId, BatchError> {
    let mut reader = Reader { rest: bytes };
    reader.magic()?;
    reader.station()
}

impl Batch {
    /// Takes a message apart, checks the chain within it and the station's signature.
    ///
    /// # Errors
    /// [`BatchError`] says which check failed; nothing of such a message may be used.
    pub fn verify(bytes: &[u8], station_key: &Verifying) -> Result<Self, BatchError> {
        if bytes.len() > BATCH_BYTES_MAX {
            return Err(BatchError::TooLarge(bytes.len()));
        }
        let mut reader = Reader { rest: bytes };
        reader.magic()?;
        let station = reader.station()?;
        let epoch = u64::from_be_bytes(reader.take("epoch")?);
        let from = u64::from_be_bytes(reader.take("seq")?);
        let count = usize::from(u16::from_be_bytes(reader.take("number of records")?));
        if count == 0 || count > BATCH_RECORDS_MAX || from == 0 {
            return Err(BatchError::Field("range"));
        }
        let last = from.checked_add(count as u64 - 1).ok_or(BatchError::Field("range"))?;
        let previous = ChainHash(reader.take("previous hash")?);
        let head = ChainHash(reader.take("head")?);
        let signed_length = bytes.len() - reader.rest.len();
        let keys_start = reader.rest;
        let keys = reader.keys()?;
        let key_bytes = keys_start.get(..keys_start.len() - reader.rest.len()).unwrap_or_default();
        let mut statement = bytes.get(..signed_length).unwrap_or_default().to_vec();
        statement.extend_from_slice(&Sha256::digest(key_bytes));
        let mut records = Vec::with_capacity(count);
        for _ in 0..count {
            records.push(reader.record()?.to_vec());
        }
        let signature = reader.take::<64>("signature")?;
        if !reader.rest.is_empty() {
            return Err(BatchError::Trailing(reader.rest.len()));
        }
        station_key.verify(Domain::Batch, &statement, &signature)?;
        if records.iter().fold(previous, |hash, stored| link(hash, stored)) != head {
            return Err(BatchError::Chain);
        }
        check_places(&station, epoch, from, &records)?;
        let signed = SignedHead { statement, signature, head: Head { seq: last, hash: head } };
        Ok(Self { station, epoch, from, previous, keys, records, signed })
    }

    /// Number of the last record.
    pub fn to(&self) -> u64 {
        self.signed.head.seq
    }

    /// Each record with its number and chain hash.
    pub fn numbered(&self) -> impl Iterator<Item = (u64, ChainHash, &[u8])> {
        let mut hash = self.previous;
        self.records.iter().zip(self.from..).map(move |(stored, seq)| {
            hash = link(hash, stored);
            (seq, hash, stored.as_slice())
        })
    }
}

fn check_places(
    station: &StationId,
    epoch: u64,
    from: u64,
    records: &[Vec<u8>],
) -> Result<(), BatchError> {
    for (stored, seq) in records.iter().zip(from..) {
        let header =
            Stored::parse(stored).map_err(|error| BatchError::Record { seq, error })?.header;
        if header.station != *station || header.epoch != epoch || header.seq != seq {
            return Err(BatchError::Misplaced { seq });
        }
    }
    Ok(())
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], BatchError> {
        let (taken, after) = self.rest.split_first_chunk::<N>().ok_or(BatchError::Short(field))?;
        self.rest = after;
        Ok(*taken)
    }

    fn slice(&mut self, length: usize, field: &'static str) -> Result<&'a [u8], BatchError> {
        let taken = self.rest.get(..length).ok_or(BatchError::Short(field))?;
        self.rest = self.rest.get(length..).unwrap_or_default();
        Ok(taken)
    }

    fn magic(&mut self) -> Result<(), BatchError> {
        if self.take::<4>("magic")? == *MAGIC { Ok(()) } else { Err(BatchError::Version) }
    }

    fn station(&mut self) -> Result<StationId, BatchError> {
        let [length] = self.take::<1>("station")?;
        let name = self.slice(usize::from(length), "station")?;
        std::str::from_utf8(name)
            .ok()
            .and_then(|name| name.parse().ok())
            .ok_or(BatchError::Field("station"))
    }

    fn keys(&mut self) -> Result<Vec<BatchKey>, BatchError> {
        let count = usize::from(u16::from_be_bytes(self.take("number of keys")?));
        if count > BATCH_RECORDS_MAX {
            return Err(BatchError::Field("number of keys"));
        }
        (0..count).map(|_| Ok((KeyId(self.take("key id")?), self.take("wrapped key")?))).collect()
    }

    fn record(&mut self) -> Result<&'a [u8], BatchError> {
        let length = u32::from_be_bytes(self.take("record length")?) as usize;
        self.slice(length, "record")
    }
}

/// The largest batch on the wire.
pub const BATCH_BYTES_MAX: usize = 64 * 1024;
/// The most records in a batch.
pub const BATCH_RECORDS_MAX: usize = 256;
const MAGIC: &[u8; 4] = b"TWB1";
/// A batch without its records, its keys and the station's name.
const ENVELOPE_BYTES: usize = 4 + 1 + 8 + 8 + 2 + 32 + 32 + 2 + 64;
const KEY_BYTES: usize = 16 + 80;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Batch, BatchError, build};
    use crate::chain::Head;
    use crate::record::{ClockQuality, Draft, Source};
    use crate::seal::{BodyKey, KeyId};
    use crate::signing::Signing;
    use crate::stored::seal;

    fn three_records() -> Vec<u8> {
        let station = "ruvvo/dep-07".parse().unwrap();
        let records: Vec<Vec<u8>> = (1..=3)
            .map(|seq| {
                let draft = Draft {
                    at: "2018-11-16T03:12:45Z".parse().unwrap(),
                    clock: ClockQuality::Synced,
                    inspection: None,
                    source: Source::Agent("test".to_owned()),
                    subject: None,
                    type_name: "note_added".to_owned(),
                    body_json: r#"{"type":"note_added","text":"x"}"#.to_owned(),
                };
                let key = BodyKey::from_bytes([1; 32]);
                seal(&station, 1, seq, &draft, KeyId([2; 16]), &key, &[3; 24]).unwrap()
            })
            .collect();
        let genesis = Head::genesis(&station, 1).hash;
        let keys = [(KeyId([2; 16]), [9; 80])];
        build(&station, 1, 1, genesis, &keys, &records, &Signing::from_seed(&[5; 32])).unwrap()
    }

    #[test]
    fn a_batch_verifies_under_its_stations_key_only() {
        let bytes = three_records();
        let batch = Batch::verify(&bytes, &Signing::from_seed(&[5; 32]).verifying()).unwrap();
        assert_eq!((batch.from, batch.to(), batch.records.len()), (1, 3, 3));
        assert_eq!(batch.numbered().last().unwrap().1, batch.signed.head.hash);
        let other = Signing::from_seed(&[6; 32]).verifying();
        assert!(matches!(Batch::verify(&bytes, &other), Err(BatchError::Signature(_))));
    }

    #[test]
    fn any_flipped_bit_is_refused() {
        let bytes = three_records();
        let key = Signing::from_seed(&[5; 32]).verifying();
        for index in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[index] ^= 0x10;
            assert!(Batch::verify(&altered, &key).is_err(), "byte {index}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let key = Signing::from_seed(&[5; 32]).verifying();
            prop_assert!(Batch::verify(&bytes, &key).is_err());
        }
    }
}
