//! The bytes of a record, version 1. Documented with a worked example in `docs/record-format.md`.
//!
//! All integers are big-endian. What is stored is what is hashed, sent and kept; it is never
//! encoded again.
//!
//! ```text
//! offset  size  field
//!      0     1  version, 1
//!      1     1  clock: 0 synced, 1 holdover, 2 unset
//!      2     8  epoch
//!     10     8  seq
//!     18     8  at, microseconds since 1970-01-01T00:00:00Z, signed
//!     26    16  subject token, zeros when there is none
//!     42    16  key id
//!     58     1  length of the station name, s
//!     59     s  station name
//!   59+s     1  length of the type, t
//!   60+s     t  type, as in the body
//!          24  nonce
//!           4  length of the sealed part, n
//!           n  sealed part: XChaCha20-Poly1305 of the plain part, everything before the nonce as
//!              associated data
//! ```
//!
//! The plain part is JSON: `{"inspection":…,"source":…,"body":…}`, the body's text as it came.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::body::{Body, BodyError};
use crate::record::{ClockQuality, Draft, Record, Source};
use crate::seal::{BodyKey, KeyId, SubjectToken};
use crate::station::StationId;

/// The clear header of a stored record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// How far the station's clock could be trusted.
    pub clock: ClockQuality,
    /// Which life of the ledger.
    pub epoch: u64,
    /// Number within the epoch.
    pub seq: u64,
    /// The station's clock, to the microsecond.
    pub at: Timestamp,
    /// Token of the travel document.
    pub subject: Option<SubjectToken>,
    /// Which key opens the body.
    pub key: KeyId,
    /// Which station.
    pub station: StationId,
    /// The value of `type` in the body.
    pub type_name: String,
}

/// A stored record taken apart, borrowing its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored<'a> {
    /// The clear header.
    pub header: Header,
    /// The bytes that are bound to the sealed part.
    header_bytes: &'a [u8],
    nonce: [u8; 24],
    sealed: &'a [u8],
}

/// What a sealed body opens to: the body's own text, and whose it is.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The inspection it belongs to.
    pub inspection: Option<String>,
    /// Who says so.
    pub source: Source,
    /// The body's JSON text as it came.
    pub body_json: String,
}

/// Why bytes are not a stored record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoredError {
    /// A version this program does not read.
    #[error("record format version {0} is not known to this program")]
    Version(u8),
    /// The bytes end too early.
    #[error("the record ends within its {0}")]
    Short(&'static str),
    /// Bytes follow the record.
    #[error("{0} bytes follow the record")]
    Trailing(usize),
    /// A field holds what it cannot.
    #[error("the record's {0} is not valid")]
    Field(&'static str),
    /// A field is too long to be stored.
    #[error("the record's {field} has {length} bytes, {max} at most")]
    TooLong {
        /// Which field.
        field: &'static str,
        /// How long it is.
        length: usize,
        /// How long it may be.
        max: usize,
    },
}

/// Why a sealed record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The key does not fit, or the bytes were altered.
    #[error(transparent)]
    Key(#[from] crate::seal::CannotOpen),
    /// The plain part is not what it must be.
    #[error("the plain part of the record is not valid: {0}")]
    Plain(#[from] serde_json::Error),
    /// The body does not fit its type.
    #[error(transparent)]
    Body(#[from] BodyError),
}

#[derive(Serialize, Deserialize)]
struct Plain<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inspection: Option<String>,
    source: Source,
    #[serde(borrow)]
    body: &'a RawValue,
}

impl Header {
    /// The header's bytes, everything before the nonce.
    ///
    /// # Errors
    /// [`StoredError::TooLong`] for a type name over 255 bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StoredError> {
        let mut bytes = Vec::with_capacity(128);
        bytes.push(VERSION);
        bytes.push(match self.clock {
            ClockQuality::Synced => 0,
            ClockQuality::Holdover => 1,
            ClockQuality::Unset => 2,
        });
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.at.as_microsecond().to_be_bytes());
        bytes.extend_from_slice(&self.subject.map_or([0; 16], |token| token.0));
        bytes.extend_from_slice(&self.key.0);
        push_short(&mut bytes, "station", self.station.as_str())?;
        push_short(&mut bytes, "type", &self.type_name)?;
        Ok(bytes)
    }
}

/// Seals a draft into the bytes that are stored, chained and sent.
///
/// # Errors
/// [`StoredError::TooLong`] for a type name over 255 bytes or a body over [`BODY_BYTES_MAX`];
/// [`StoredError::Field`] when the body's text is not JSON.
pub fn seal(
    station: &StationId,
    epoch: u64,
    seq: u64,
    draft: &Draft,
    key_id: KeyId,
    key: &BodyKey,
    nonce: &[u8; 24],
) -> Result<Vec<u8>, StoredError> {
    let body: &RawValue =
        serde_json::from_str(&draft.body_json).map_err(|_| StoredError::Field("body"))?;
    let plain = serde_json::to_vec(&Plain {
        inspection: draft.inspection.clone(),
        source: draft.source.clone(),
        body,
    })
    .map_err(|_| StoredError::Field("body"))?;
    if plain.len() > BODY_BYTES_MAX {
        return Err(StoredError::TooLong {
            field: "body",
            length: plain.len(),
            max: BODY_BYTES_MAX,
        });
    }
    let header = Header {
        clock: draft.clock,
        epoch,
        seq,
        at: draft.at,
        subject: draft.subject,
        key: key_id,
        station: station.clone(),
        type_name: draft.type_name.clone(),
    };
    let mut bytes = header.to_bytes()?;
    let sealed = key.seal(nonce, &bytes, &plain);
    bytes.extend_from_slice(nonce);
    let length = u32::try_from(sealed.len()).map_err(|_| StoredError::Field("body"))?;
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&sealed);
    Ok(bytes)
}

impl<'a> Stored<'a> {
    /// Takes stored bytes apart. Nothing is decrypted, no hash is checked.
    ///
    /// # Errors
    /// [`StoredError`] says which field is short, long or not valid.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, StoredError> {
        let mut rest = bytes;
        let [version, clock] = take::<2>(&mut rest, "version")?;
        if version != VERSION {
            return Err(StoredError::Version(version));
        }
        let clock = match clock {
            0 => ClockQuality::Synced,
            1 => ClockQuality::Holdover,
            2 => ClockQuality::Unset,
            _ => return Err(StoredError::Field("clock")),
        };
        let epoch = u64::from_be_bytes(take(&mut rest, "epoch")?);
        let seq = u64::from_be_bytes(take(&mut rest, "seq")?);
        let at = Timestamp::from_microsecond(i64::from_be_bytes(take(&mut rest, "time")?))
            .map_err(|_| StoredError::Field("time"))?;
        let subject: [u8; 16] = take(&mut rest, "subject")?;
        let key = KeyId(take(&mut rest, "key id")?);
        let station =
            take_short(&mut rest, "station")?.parse().map_err(|_| StoredError::Field("station"))?;
        let type_name = take_short(&mut rest, "type")?.to_owned();
        let header_bytes = bytes.get(..bytes.len() - rest.len()).unwrap_or_default();
        let nonce = take(&mut rest, "nonce")?;
        let length = u32::from_be_bytes(take(&mut rest, "length")?) as usize;
        let sealed = rest.get(..length).ok_or(StoredError::Short("sealed part"))?;
        if rest.len() > length {
            return Err(StoredError::Trailing(rest.len() - length));
        }
        let subject = (subject != [0; 16]).then_some(SubjectToken(subject));
        let header = Header { clock, epoch, seq, at, subject, key, station, type_name };
        Ok(Self { header, header_bytes, nonce, sealed })
    }

    /// Decrypts the sealed part.
    ///
    /// # Errors
    /// [`OpenError::Key`] when the key does not fit, [`OpenError::Plain`] when what it opens is
    /// not a plain part.
    pub fn open(&self, key: &BodyKey) -> Result<Opened, OpenError> {
        let plain = key.open(&self.nonce, self.header_bytes, self.sealed)?;
        let plain: Plain<'_> = serde_json::from_slice(&plain)?;
        Ok(Opened {
            inspection: plain.inspection,
            source: plain.source,
            body_json: plain.body.get().to_owned(),
        })
    }

    /// Decrypts and reads the whole record.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn record(&self, key: &BodyKey) -> Result<Record, OpenError> {
        let opened = self.open(key)?;
        Ok(self.with(opened)?)
    }

    /// The record that header and opened body make together.
    ///
    /// # Errors
    /// [`BodyError`] when the body does not fit its type.
    pub fn with(&self, opened: Opened) -> Result<Record, BodyError> {
        let value = serde_json::from_str(&opened.body_json).map_err(|source| {
            BodyError::Fields { type_name: self.header.type_name.clone(), source }
        })?;
        Ok(Record {
            station: self.header.station.clone(),
            epoch: self.header.epoch,
            seq: self.header.seq,
            at: self.header.at,
            clock: self.header.clock,
            inspection: opened.inspection,
            source: opened.source,
            body: Body::from_value(value)?,
        })
    }
}

fn push_short(bytes: &mut Vec<u8>, field: &'static str, text: &str) -> Result<(), StoredError> {
    let length = u8::try_from(text.len()).map_err(|_| StoredError::TooLong {
        field,
        length: text.len(),
        max: usize::from(u8::MAX),
    })?;
    bytes.push(length);
    bytes.extend_from_slice(text.as_bytes());
    Ok(())
}

fn take<const N: usize>(rest: &mut &[u8], field: &'static str) -> Result<[u8; N], StoredError> {
    let (taken, after) = rest.split_first_chunk::<N>().ok_or(StoredError::Short(field))?;
    *rest = after;
    Ok(*taken)
}

fn take_short<'a>(rest: &mut &'a [u8], field: &'static str) -> Result<&'a str, StoredError> {
    let [length] = take::<1>(rest, field)?;
    let taken = rest.get(..usize::from(length)).ok_or(StoredError::Short(field))?;
    *rest = rest.get(usize::from(length)..).unwrap_or_default();
    std::str::from_utf8(taken).map_err(|_| StoredError::Field(field))
}

/// The largest plain part: an event is at most 16 KiB on the bus, and a record must fit a batch.
pub const BODY_BYTES_MAX: usize = 32 * 1024;
const VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Stored, seal};
    use crate::record::{ClockQuality, Draft, Source};
    use crate::seal::{BodyKey, KeyId};

    fn draft(body: &str) -> Draft {
        Draft {
            at: "2018-11-16T03:12:45.12Z".parse().unwrap(),
            clock: ClockQuality::Synced,
            inspection: Some("a".to_owned()),
            source: Source::Device("mrz-1".to_owned()),
            subject: None,
            type_name: "note_added".to_owned(),
            body_json: body.to_owned(),
        }
    }

    #[test]
    fn a_sealed_record_opens_to_the_text_that_came_in() {
        let body = r#"{"type":"note_added","text":"ünïcode","later_field":[1, 2]}"#;
        let key = BodyKey::from_bytes([1; 32]);
        let station = "ruvvo/dep-07".parse().unwrap();
        let bytes = seal(&station, 1, 7, &draft(body), KeyId([2; 16]), &key, &[3; 24]).unwrap();
        let stored = Stored::parse(&bytes).unwrap();
        assert_eq!((stored.header.epoch, stored.header.seq), (1, 7));
        assert_eq!(stored.open(&key).unwrap().body_json, body);
        assert!(!bytes.windows(7).any(|window| window == b"sealed!" || window == b"unicode"));
    }

    #[test]
    fn a_changed_header_or_body_does_not_open() {
        let key = BodyKey::from_bytes([1; 32]);
        let station = "ruvvo/dep-07".parse().unwrap();
        let body = r#"{"type":"note_added","text":"x"}"#;
        let bytes = seal(&station, 1, 7, &draft(body), KeyId([2; 16]), &key, &[3; 24]).unwrap();
        for index in 2..bytes.len() {
            let mut altered = bytes.clone();
            altered[index] ^= 1;
            let opens = Stored::parse(&altered).is_ok_and(|stored| stored.open(&key).is_ok());
            assert!(!opens, "byte {index}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Stored::parse(&bytes);
        }

        #[test]
        fn any_prefix_is_refused(cut in 0usize..150) {
            let key = BodyKey::from_bytes([1; 32]);
            let station = "ruvvo/dep-07".parse().unwrap();
            let body = r#"{"type":"note_added","text":"x"}"#;
            let bytes = seal(&station, 1, 7, &draft(body), KeyId([2; 16]), &key, &[3; 24]).unwrap();
            if cut < bytes.len() {
                prop_assert!(Stored::parse(&bytes[..cut]).is_err());
            }
        }
    }
}
