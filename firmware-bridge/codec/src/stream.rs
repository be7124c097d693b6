//! What every stream codec shares: items, faults, the trait.
//!
//! Owns the vocabulary of faults. It must not know any protocol.

use serde_json::{Map, Value, json};
use std::time::Duration;

pub mod rescan;

/// One thing a codec found in the bytes: a whole frame, or the reason bytes were refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item<F> {
    /// A frame whose checks all agree.
    Frame(F),
    /// Bytes that did not become a frame, and why.
    Fault(Fault),
}

impl<F> Item<F> {
    /// The frame, if this is one.
    pub fn frame(self) -> Option<F> {
        match self {
            Self::Frame(frame) => Some(frame),
            Self::Fault(_) => None,
        }
    }
}

/// Why bytes of a device were refused; nothing refused ever becomes a reading.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Bytes between frames that belong to none.
    #[error("{bytes} bytes of noise between frames")]
    Noise {
        /// How many bytes.
        bytes: usize,
    },
    /// A whole frame whose cyclic redundancy check disagrees.
    #[error("frame of {} bytes fails its CRC", frame.len())]
    BadCrc {
        /// The frame as received, without byte stuffing.
        frame: Vec<u8>,
    },
    /// A whole frame whose sum or XOR check disagrees.
    #[error("frame of {} bytes fails its checksum", frame.len())]
    BadChecksum {
        /// The frame as received.
        frame: Vec<u8>,
    },
    /// A frame that stopped before its end (silence, unplugged, closed).
    #[error("frame stopped after {bytes} bytes")]
    Partial {
        /// How many bytes had arrived.
        bytes: usize,
    },
    /// A new frame began inside an unfinished one.
    #[error("a new frame began after {bytes} bytes of an unfinished one")]
    Restart {
        /// How many bytes of the unfinished frame are dropped.
        bytes: usize,
    },
    /// Text without an end within the limit.
    #[error("no end of text within {bytes} bytes")]
    Oversize {
        /// How many bytes had gathered when the limit was passed.
        bytes: usize,
    },
    /// Text with bytes above 7Fh.
    #[error("text of {} bytes is not ASCII", text.len())]
    NotAscii {
        /// The text as received.
        text: Vec<u8>,
    },
    /// On a shared line, the host did not hear what it sent.
    #[error("the line echoed other bytes than were sent")]
    EchoMismatch,
    /// A header that cannot be; on a connection without resync the only cure is a new connection.
    #[error("the stream lost its message boundaries at a header of {} bytes", head.len())]
    ProtocolDesync {
        /// The header as received.
        head: Vec<u8>,
    },
}

impl Fault {
    /// The name used by the vectors and in `device.fault`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Noise { .. } => "noise",
            Self::BadCrc { .. } => "bad_crc",
            Self::BadChecksum { .. } => "bad_checksum",
            Self::Partial { .. } => "partial",
            Self::Restart { .. } => "restart",
            Self::Oversize { .. } => "oversize",
            Self::NotAscii { .. } => "not_ascii",
            Self::EchoMismatch => "echo_mismatch",
            Self::ProtocolDesync { .. } => "protocol_desync",
        }
    }
}

/// A stream protocol: bytes as they come, items out; the same items however the bytes are split.
pub trait Codec {
    /// What a whole frame is.
    type Frame: ToJson;

    /// Takes the next bytes of the stream and gives what they complete.
    fn feed(&mut self, bytes: &[u8]) -> Vec<Item<Self::Frame>>;

    /// The line was silent for [`Codec::silence`], or closed: gives what was pending as faults.
    fn idle(&mut self) -> Vec<Item<Self::Frame>>;

    /// The silence inside a frame after which a driver calls [`Codec::idle`]; `None` for streams
    /// that end a frame only by closing.
    fn silence(&self) -> Option<Duration>;
}

/// The shape a frame, fault or message has in the vectors' `expect` and in `decode`.
pub trait ToJson {
    /// The value as JSON.
    fn to_json(&self) -> Value;
}

impl ToJson for Fault {
    fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("error".into(), json!(self.name()));
        match self {
            Self::Noise { bytes }
            | Self::Partial { bytes }
            | Self::Restart { bytes }
            | Self::Oversize { bytes } => {
                out.insert("bytes".into(), json!(bytes));
            }
            Self::BadCrc { frame: hex }
            | Self::BadChecksum { frame: hex }
            | Self::NotAscii { text: hex }
            | Self::ProtocolDesync { head: hex } => {
                out.insert("hex".into(), json!(spaced_hex(hex)));
            }
            Self::EchoMismatch => {}
        }
        Value::Object(out)
    }
}

impl<F: ToJson> ToJson for Item<F> {
    fn to_json(&self) -> Value {
        match self {
            Self::Frame(frame) => json!({ "frame": frame.to_json() }),
            Self::Fault(fault) => fault.to_json(),
        }
    }
}

/// Bytes as upper-case hex pairs with a space between, as the vectors write them.
pub fn spaced_hex(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(" ")
}

/// Reads hex pairs with optional white space between; `None` if a digit is missing or wrong.
pub fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|character| !character.is_ascii_whitespace())
        .map(|character| character.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some((high << 4) | low),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{parse_hex, spaced_hex};

    #[test]
    fn hex_reads_back_and_odd_digits_are_refused() {
        assert_eq!(parse_hex(&spaced_hex(&[0, 127, 255])), Some(vec![0, 127, 255]));
        assert_eq!(parse_hex("7F8"), None);
        assert_eq!(parse_hex("7G"), None);
    }
}
