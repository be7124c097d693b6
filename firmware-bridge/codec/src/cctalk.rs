//! ccTalk, note and coin validators on a shared line: `DST LEN SRC HDR DATA CHK`.
//!
//! Source: ccTalk Generic Specification 4.7, parts 1 to 4. All bytes of a message sum to 0 modulo
//! 256; in CRC mode, CRC-16/XMODEM over destination, length, header and data stands instead, its
//! low byte in the source's place. There is no mark to find a message by: after a failed check
//! everything is dropped until the line is silent. The host hears what it sends.

use crate::crc::xmodem;
use crate::stream::{Codec, Fault, Item, ToJson, spaced_hex};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// How messages are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Check {
    /// The sum.
    #[default]
    Simple,
    /// The CRC; messages have no source.
    Crc,
}

/// A message whose check agrees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// For whom: 1 is the host, 40 a note validator.
    pub destination: u8,
    /// From whom; none in CRC mode.
    pub source: Option<u8>,
    /// What it is.
    pub header: u8,
    /// What belongs to it.
    pub data: Vec<u8>,
}

impl Message {
    /// The bytes of the message, with a sum where it has a source, else with a CRC; `None` where
    /// the data is too long for one.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let length = u8::try_from(self.data.len()).ok()?;
        let mut out = vec![self.destination, length, self.source.unwrap_or_default(), self.header];
        out.extend_from_slice(&self.data);
        if self.source.is_some() {
            out.push(sum(&out).wrapping_neg());
        } else {
            let [low, high] = crc(&out).to_le_bytes();
            if let Some(place) = out.get_mut(SOURCE) {
                *place = low;
            }
            out.push(high);
        }
        Some(out)
    }
}

impl ToJson for Message {
    fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("dst".into(), json!(self.destination));
        out.insert("hdr".into(), json!(self.header));
        out.insert("data".into(), json!(spaced_hex(&self.data)));
        if let Some(source) = self.source {
            out.insert("src".into(), json!(source));
        }
        Value::Object(out)
    }
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// Over destination, length, header and data; the source's place is the CRC's own.
fn crc(message: &[u8]) -> u16 {
    let covered = message.iter().enumerate().filter(|(place, _)| *place != SOURCE);
    xmodem(&covered.map(|(_, byte)| *byte).collect::<Vec<_>>())
}

/// The codec.
#[derive(Debug, Default)]
pub struct Cctalk {
    check: Check,
    /// What the host sent and has not heard yet.
    echo: Vec<u8>,
    heard: Vec<u8>,
    pending: Vec<u8>,
    /// A check failed; silence is awaited.
    lost: bool,
}

impl Cctalk {
    /// A codec of this check.
    pub fn new(check: Check) -> Self {
        Self { check, ..Self::default() }
    }

    /// The host has sent this, and will hear it first.
    pub fn sent(&mut self, bytes: &[u8]) {
        self.echo = bytes.to_vec();
        self.heard.clear();
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<Item<Message>>) {
        if self.lost {
            return;
        }
        if let Some(expected) = self.echo.get(self.heard.len()) {
            let agrees = *expected == byte;
            self.heard.push(byte);
            if agrees {
                if self.heard.len() == self.echo.len() {
                    self.echo.clear();
                    self.heard.clear();
                }
                return;
            }
            // Somebody else spoke too: what was heard is all there is to read.
            out.push(Item::Fault(Fault::EchoMismatch));
            self.echo.clear();
            for byte in std::mem::take(&mut self.heard) {
                self.take(byte, out);
            }
            return;
        }
        self.take(byte, out);
    }

    fn take(&mut self, byte: u8, out: &mut Vec<Item<Message>>) {
        if self.lost {
            return;
        }
        self.pending.push(byte);
        let [_, length, ..] = self.pending.as_slice() else { return };
        if self.pending.len() < usize::from(*length).saturating_add(5) {
            return;
        }
        let message = std::mem::take(&mut self.pending);
        let (body, last) = message.split_at(message.len().saturating_sub(1));
        let agrees = match self.check {
            Check::Simple => sum(&message) == 0,
            Check::Crc => {
                let [low, high] = crc(body).to_le_bytes();
                body.get(SOURCE) == Some(&low) && last == [high]
            }
        };
        match body {
            [destination, _, source, header, data @ ..] if agrees => {
                out.push(Item::Frame(Message {
                    destination: *destination,
                    source: (self.check == Check::Simple).then_some(*source),
                    header: *header,
                    data: data.to_vec(),
                }));
            }
            _ => {
                self.lost = true;
                let fault = match self.check {
                    Check::Simple => Fault::BadChecksum { frame: message },
                    Check::Crc => Fault::BadCrc { frame: message },
                };
                out.push(Item::Fault(fault));
            }
        }
    }
}

impl Codec for Cctalk {
    type Frame = Message;

    fn feed(&mut self, bytes: &[u8]) -> Vec<Item<Message>> {
        let mut out = Vec::new();
        for byte in bytes {
            self.byte(*byte, &mut out);
        }
        out
    }

    fn idle(&mut self) -> Vec<Item<Message>> {
        self.lost = false;
        self.echo.clear();
        let heard = std::mem::take(&mut self.heard).len();
        let bytes = std::mem::take(&mut self.pending).len().saturating_add(heard);
        if bytes == 0 { Vec::new() } else { vec![Item::Fault(Fault::Partial { bytes })] }
    }

    fn silence(&self) -> Option<Duration> {
        Some(Duration::from_millis(50))
    }
}

/// What a note validator has in its buffer of events (answer to header 159).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillEvents {
    /// Counts events, 1 to 255 and again; 0 only after power-up.
    pub counter: u8,
    /// The validator lost its power.
    pub reset: bool,
    /// What is new, oldest first.
    pub events: Vec<BillEvent>,
    /// Events that the buffer no longer holds: the count is uncertain.
    pub lost: u8,
}

/// What happened at a note validator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BillEvent {
    /// A note of this type was taken: money.
    Stacked(u8),
    /// A note of this type waits for a decision.
    Escrow(u8),
    /// A note of this type, and a code that is neither.
    Bill(u8, u8),
    /// Something else, by its code.
    Status(u8),
}

impl BillEvents {
    /// What is new since the counter stood at `last`; `None` for data that is no such answer.
    pub fn read(data: &[u8], last: u8) -> Option<Self> {
        let (counter, buffer) = data.split_first()?;
        if buffer.len() != 2 * HELD {
            return None;
        }
        let reset = *counter == 0;
        // Zero is passed over when the counter begins again.
        let new = match counter.checked_sub(last) {
            _ if reset => 0,
            Some(new) => new,
            None => counter.saturating_add(255_u8.saturating_sub(last)),
        };
        let events = buffer.chunks(2).take(usize::from(new)).filter_map(|pair| match pair {
            [0, code] => Some(BillEvent::Status(*code)),
            [bill, 0] => Some(BillEvent::Stacked(*bill)),
            [bill, 1] => Some(BillEvent::Escrow(*bill)),
            [bill, code] => Some(BillEvent::Bill(*bill, *code)),
            _ => None,
        });
        let mut events: Vec<BillEvent> = events.collect();
        events.reverse();
        let lost = new.saturating_sub(u8::try_from(HELD).unwrap_or_default());
        Some(Self { counter: *counter, reset, events, lost })
    }
}

impl ToJson for BillEvent {
    fn to_json(&self) -> Value {
        match *self {
            Self::Stacked(bill) => json!(["stacked", bill]),
            Self::Escrow(bill) => json!(["escrow", bill]),
            Self::Bill(bill, code) => json!(["bill", bill, code]),
            Self::Status(code) => match STATUSES.get(usize::from(code)) {
                Some(name) => json!([name]),
                None => json!(["unknown", code]),
            },
        }
    }
}

impl ToJson for BillEvents {
    fn to_json(&self) -> Value {
        let events: Vec<Value> = self.events.iter().map(ToJson::to_json).collect();
        json!({
            "counter": self.counter,
            "reset": self.reset,
            "events": events,
            "lost": self.lost,
        })
    }
}

const SOURCE: usize = 2;
/// Events that the buffer holds.
const HELD: usize = 5;

/// Status codes, part 3 table 7.
const STATUSES: [&str; 22] = [
    "master_inhibit",
    "returned_from_escrow",
    "invalid_bill_validation",
    "invalid_bill_transport",
    "inhibited_serial",
    "inhibited_switch",
    "jam_in_transport",
    "jam_in_stacker",
    "pulled_backwards",
    "tamper",
    "stacker_ok",
    "stacker_removed",
    "stacker_inserted",
    "stacker_faulty",
    "stacker_full",
    "stacker_jammed",
    "jam_in_transport_safe",
    "opto_fraud",
    "string_fraud",
    "anti_string_faulty",
    "barcode",
    "unknown_bill_stacked",
];

#[cfg(test)]
mod tests {
    use super::{BillEvent, BillEvents, Cctalk, Check, Message};
    use crate::stream::{Codec, Fault, Item};
    use proptest::prelude::*;

    fn buffer(counter: u8) -> Vec<u8> {
        vec![counter, 4, 0, 4, 1, 3, 0, 3, 1, 0, 10]
    }

    #[test]
    fn a_jump_beyond_the_buffer_loses_events() {
        let read = BillEvents::read(&buffer(9), 1).unwrap();
        assert_eq!((read.lost, read.events.len()), (3, 5));
        assert_eq!(read.events.last(), Some(&BillEvent::Stacked(4)));
        assert_eq!(BillEvents::read(&buffer(1), 254).unwrap().events.len(), 2);
        assert_eq!(BillEvents::read(&buffer(7), 7).unwrap().events, []);
        assert_eq!(BillEvents::read(&buffer(7)[..9], 7), None);
    }

    #[test]
    fn after_a_failed_check_only_silence_helps() {
        let good = Message { destination: 1, source: Some(40), header: 0, data: vec![] };
        let good = good.encode().unwrap();
        let mut codec = Cctalk::new(Check::Simple);
        let mut bad = good.clone();
        bad[0] ^= 1;
        let items = codec.feed(&[bad, good.clone()].concat());
        assert!(matches!(items.as_slice(), [Item::Fault(Fault::BadChecksum { .. })]), "{items:?}");
        assert_eq!(codec.idle(), []);
        assert_eq!(codec.feed(&good).len(), 1);
    }

    proptest! {
        #[test]
        fn messages_read_back_behind_their_echo(
            destination in any::<u8>(), source in prop::option::of(any::<u8>()), header in any::<u8>(),
            data in prop::collection::vec(any::<u8>(), 0..60),
            sent in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let message = Message { destination, source, header, data };
            let check = if source.is_some() { Check::Simple } else { Check::Crc };
            let mut codec = Cctalk::new(check);
            codec.sent(&sent);
            let mut items = codec.feed(&sent);
            items.extend(codec.feed(&message.encode().unwrap()));
            prop_assert_eq!(items, vec![Item::Frame(message)]);
        }
    }
}
