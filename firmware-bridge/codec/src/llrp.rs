//! LLRP, readers of radio tags: messages over TCP, and the tags of a report.
//!
//! Source: GS1 EPCglobal LLRP 1.0.1 and 1.1. Header: 3 bits reserved, 3 version, 10 type; length of
//! the whole message and its number, 32 bits each. A connection has no mark to find again after a
//! header that cannot be: then the only cure is a new one. Codes of bags (RP1740c) are opaque
//! here; they are joined to a bag by its message.

use crate::stream::{Codec, Fault, Item, ToJson};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// 1 for LLRP 1.0.1, 2 for 1.1.
    pub version: u8,
    /// Its type.
    pub kind: u16,
    /// Its number; an answer has the question's.
    pub id: u32,
    /// Its parameters.
    pub body: Vec<u8>,
}

/// `RO_ACCESS_REPORT`: tags were seen.
pub const REPORT: u16 = 61;
/// `KEEPALIVE`, to be answered with [`KEEPALIVE_ACK`].
pub const KEEPALIVE: u16 = 62;
/// `KEEPALIVE_ACK`.
pub const KEEPALIVE_ACK: u16 = 72;

impl Message {
    /// The standard's name of its type; `None` for a type that it has not.
    pub fn name(&self) -> Option<&'static str> {
        NAMES.iter().find(|(kind, _)| *kind == self.kind).map(|(_, name)| *name)
    }

    /// Codes of the tags of a report, in upper-case hex; what is malformed ends the list.
    pub fn tags(&self) -> Vec<String> {
        let mut tags = Vec::new();
        if self.kind != REPORT {
            return tags;
        }
        let mut rest = self.body.as_slice();
        while let Some((parameter, after)) = long(rest) {
            if parameter.kind == TAG_REPORT_DATA {
                tag_data(parameter.value, &mut tags);
            }
            rest = after;
        }
        tags
    }

    /// The bytes of the message; `None` where the body is too long for one.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let length = u32::try_from(self.body.len().checked_add(HEADER)?).ok()?;
        let head = (u16::from(self.version & 7) << 10) | (self.kind & 0x3FF);
        let mut out = head.to_be_bytes().to_vec();
        out.extend(length.to_be_bytes());
        out.extend(self.id.to_be_bytes());
        out.extend_from_slice(&self.body);
        Some(out)
    }
}

impl ToJson for Message {
    fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("ver".into(), json!(self.version));
        out.insert("type".into(), json!(self.kind));
        out.insert("name".into(), json!(self.name()));
        out.insert("id".into(), json!(self.id));
        if self.kind == REPORT {
            out.insert("epcs".into(), json!(self.tags()));
        }
        Value::Object(out)
    }
}

struct Parameter<'a> {
    kind: u16,
    value: &'a [u8],
}

/// A parameter with a length: 6 bits reserved, 10 type, 16 length of the whole.
fn long(bytes: &[u8]) -> Option<(Parameter<'_>, &[u8])> {
    let (head, _) = bytes.split_first_chunk::<4>()?;
    let [k1, k0, l1, l0] = *head;
    let length = usize::from(u16::from_be_bytes([l1, l0]));
    let (whole, after) = bytes.split_at_checked(length.max(4))?;
    let kind = u16::from_be_bytes([k1, k0]) & 0x3FF;
    Some((Parameter { kind, value: whole.get(4..)? }, after))
}

/// A tag's parameters: short ones of fixed lengths (bit 7 set), and long ones.
fn tag_data(mut rest: &[u8], tags: &mut Vec<String>) {
    while let Some(first) = rest.first() {
        if first & 0x80 == 0 {
            let Some((parameter, after)) = long(rest) else { return };
            if parameter.kind == EPC_DATA {
                tags.extend(variable_code(parameter.value));
            }
            rest = after;
            continue;
        }
        let kind = usize::from(first & 0x7F);
        let Some(length) = SHORT.get(kind).copied().filter(|length| *length > 0) else { return };
        let Some(value) = rest.get(1..=length) else { return };
        if kind == EPC_96 {
            tags.push(hex(value));
        }
        rest = rest.get(length.saturating_add(1)..).unwrap_or_default();
    }
}

/// Length in bits, then the code, filled up to whole bytes.
fn variable_code(value: &[u8]) -> Option<String> {
    let (bits, code) = value.split_first_chunk::<2>()?;
    let bytes = usize::from(u16::from_be_bytes(*bits)).div_ceil(8);
    code.get(..bytes).filter(|code| !code.is_empty()).map(hex)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The codec.
#[derive(Debug, Default)]
pub struct Llrp {
    pending: Vec<u8>,
    lost: bool,
}

impl Llrp {
    /// A codec for one connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// What begins at `at`, and where it ends.
    fn next(&mut self, at: &mut usize) -> Option<Item<Message>> {
        let rest = self.pending.get(*at..)?;
        let head = rest.first_chunk::<HEADER>()?;
        let [k1, k0, l3, l2, l1, l0, i3, i2, i1, i0] = *head;
        let first = u16::from_be_bytes([k1, k0]);
        let version = u8::try_from((first >> 10) & 7).unwrap_or_default();
        let length = usize::try_from(u32::from_be_bytes([l3, l2, l1, l0])).unwrap_or(usize::MAX);
        let sane = first >> 13 == 0 && (1..=2).contains(&version);
        if !sane || !(HEADER..=LONGEST).contains(&length) {
            let head = head.to_vec();
            self.lost = true;
            *at = self.pending.len();
            return Some(Item::Fault(Fault::ProtocolDesync { head }));
        }
        let body = rest.get(HEADER..length)?.to_vec();
        *at = at.saturating_add(length);
        let (kind, id) = (first & 0x3FF, u32::from_be_bytes([i3, i2, i1, i0]));
        Some(Item::Frame(Message { version, kind, id, body }))
    }
}

impl Codec for Llrp {
    type Frame = Message;

    fn feed(&mut self, bytes: &[u8]) -> Vec<Item<Message>> {
        let mut items = Vec::new();
        if !self.lost {
            self.pending.extend_from_slice(bytes);
            // Taken off once: a long recording of short messages is not moved for each of them.
            let mut at = 0;
            while let Some(item) = self.next(&mut at) {
                items.push(item);
                if self.lost {
                    break;
                }
            }
            self.pending.drain(..at);
        }
        items
    }

    fn idle(&mut self) -> Vec<Item<Message>> {
        let bytes = std::mem::take(&mut self.pending).len();
        if bytes == 0 { Vec::new() } else { vec![Item::Fault(Fault::Partial { bytes })] }
    }

    fn silence(&self) -> Option<Duration> {
        None
    }
}

const HEADER: usize = 10;
/// Reports are a few kilobytes; this bounds memory.
const LONGEST: usize = 1024 * 1024;
const TAG_REPORT_DATA: u16 = 240;
const EPC_DATA: u16 = 241;
const EPC_96: usize = 13;
/// Bytes after the type of each short parameter, by type (LLRP 1.1, section 17.2.3).
const SHORT: [usize; 21] = [0, 2, 8, 8, 8, 8, 1, 2, 2, 4, 2, 2, 2, 12, 2, 2, 4, 2, 4, 2, 2];

const NAMES: [(u16, &str); 41] = [
    (1, "GET_READER_CAPABILITIES"),
    (2, "GET_READER_CONFIG"),
    (3, "SET_READER_CONFIG"),
    (4, "CLOSE_CONNECTION_RESPONSE"),
    (11, "GET_READER_CAPABILITIES_RESPONSE"),
    (12, "GET_READER_CONFIG_RESPONSE"),
    (13, "SET_READER_CONFIG_RESPONSE"),
    (14, "CLOSE_CONNECTION"),
    (20, "ADD_ROSPEC"),
    (21, "DELETE_ROSPEC"),
    (22, "START_ROSPEC"),
    (23, "STOP_ROSPEC"),
    (24, "ENABLE_ROSPEC"),
    (25, "DISABLE_ROSPEC"),
    (26, "GET_ROSPECS"),
    (30, "ADD_ROSPEC_RESPONSE"),
    (31, "DELETE_ROSPEC_RESPONSE"),
    (32, "START_ROSPEC_RESPONSE"),
    (33, "STOP_ROSPEC_RESPONSE"),
    (34, "ENABLE_ROSPEC_RESPONSE"),
    (35, "DISABLE_ROSPEC_RESPONSE"),
    (36, "GET_ROSPECS_RESPONSE"),
    (40, "ADD_ACCESSSPEC"),
    (41, "DELETE_ACCESSSPEC"),
    (42, "ENABLE_ACCESSSPEC"),
    (43, "DISABLE_ACCESSSPEC"),
    (44, "GET_ACCESSSPECS"),
    (50, "ADD_ACCESSSPEC_RESPONSE"),
    (51, "DELETE_ACCESSSPEC_RESPONSE"),
    (52, "ENABLE_ACCESSSPEC_RESPONSE"),
    (53, "DISABLE_ACCESSSPEC_RESPONSE"),
    (54, "GET_ACCESSSPECS_RESPONSE"),
    (60, "GET_REPORT"),
    (REPORT, "RO_ACCESS_REPORT"),
    (KEEPALIVE, "KEEPALIVE"),
    (63, "READER_EVENT_NOTIFICATION"),
    (64, "ENABLE_EVENTS_AND_REPORTS"),
    (KEEPALIVE_ACK, "KEEPALIVE_ACK"),
    (100, "ERROR_MESSAGE"),
    (45, "CLIENT_REQUEST_OP"),
    (1023, "CUSTOM_MESSAGE"),
];

#[cfg(test)]
mod tests {
    use super::{Llrp, Message, REPORT};
    use crate::stream::{Codec, Fault, Item};
    use proptest::prelude::*;

    #[test]
    fn tags_are_found_among_other_parameters() {
        // Antenna, a 96-bit code, signal strength; then a code of 20 bits in a long parameter.
        let mut body = vec![0x00, 0xF0, 0x00, 22, 0x81, 0x00, 0x01, 0x8D];
        body.extend([0xAB; 12]);
        body.extend([0x86, 0xC4]);
        body.extend([0x00, 0xF0, 0x00, 13, 0x00, 0xF1, 0x00, 9, 0x00, 20, 0x12, 0x34, 0x50]);
        let message = Message { version: 1, kind: REPORT, id: 1, body };
        assert_eq!(message.tags(), ["AB".repeat(12), "123450".to_owned()]);
    }

    #[test]
    fn after_a_header_that_cannot_be_nothing_more_is_read() {
        let good = Message { version: 1, kind: 62, id: 1, body: vec![] }.encode().unwrap();
        let mut codec = Llrp::new();
        let items = codec.feed(&[&[0xFF; 10], good.as_slice()].concat());
        assert!(matches!(items.as_slice(), [Item::Fault(Fault::ProtocolDesync { .. })]));
        assert_eq!(codec.feed(&good), []);
    }

    proptest! {
        #[test]
        fn messages_read_back(
            kind in 0_u16..1024, id in any::<u32>(), body in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let message = Message { version: 1, kind, id, body };
            let items = Llrp::new().feed(&message.encode().unwrap());
            let _tags = message.tags();
            prop_assert_eq!(items, vec![Item::Frame(message)]);
        }

        #[test]
        fn no_report_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..80)) {
            let mut whole = vec![0x00, 0xF0, 0x00, 84];
            whole.extend(&body);
            whole.resize(84, 0x8D);
            let _tags = Message { version: 1, kind: REPORT, id: 0, body: whole }.tags();
            let _tags = Message { version: 1, kind: REPORT, id: 0, body }.tags();
        }
    }
}
