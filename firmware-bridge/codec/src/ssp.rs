//! SSP, the note validators of Innovative Technology: `7F SEQ/ID LEN DATA CRC`, the host polls.
//!
//! Source: ITL SSP Protocol Manual GA138 2.2. CRC-16 (8005h, start FFFFh) over everything between
//! STX and itself, low byte first; after it 7Fh is doubled. A 7Fh alone inside a packet begins
//! another: what was gathered is dropped. The encrypted layer (eSSP) is for payout, which this
//! product never does.

use crate::crc::cms;
use crate::stream::{Codec, Fault, Item, ToJson, spaced_hex};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// A packet whose CRC agrees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// The flag that turns with each new command: an answer with the flag of the one before is
    /// that answer again, and no second credit.
    pub sequence: bool,
    /// Address of the device, 0 to 127.
    pub address: u8,
    /// Command, or answer and events.
    pub data: Vec<u8>,
}

/// What a device answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Response {
    /// Done.
    Ok,
    /// It does not know the command.
    UnknownCommand,
    /// The command has too many or too few parameters.
    WrongParameters,
    /// A parameter is out of range.
    OutOfRange,
    /// It cannot do that now.
    CannotProcess,
    /// Its program failed.
    SoftwareError,
    /// It failed.
    Fail,
    /// It wants keys exchanged first.
    KeyNotSet,
}

impl Response {
    const CODES: [(u8, Self, &'static str); 8] = [
        (0xF0, Self::Ok, "ok"),
        (0xF2, Self::UnknownCommand, "unknown_command"),
        (0xF3, Self::WrongParameters, "wrong_parameters"),
        (0xF4, Self::OutOfRange, "parameter_out_of_range"),
        (0xF5, Self::CannotProcess, "cannot_process"),
        (0xF6, Self::SoftwareError, "software_error"),
        (0xF8, Self::Fail, "fail"),
        (0xFA, Self::KeyNotSet, "key_not_set"),
    ];

    /// The name used by the vectors.
    pub fn name(self) -> &'static str {
        Self::CODES.iter().find(|(_, own, _)| *own == self).map_or("", |(.., name)| name)
    }
}

/// What happened at the device since the last poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// It was reset.
    SlaveReset,
    /// A note is being read; once its channel is known, it is in escrow.
    Read(u8),
    /// A note of this channel was taken: money.
    Credit(u8),
    /// A note is on its way back.
    Rejecting,
    /// A note is back.
    Rejected,
    /// A note is on its way in.
    Stacking,
    /// A note is in.
    Stacked,
    /// A note is jammed where nobody reaches it.
    SafeJam,
    /// A note is jammed where somebody may reach it.
    UnsafeJam,
    /// Notes are not accepted.
    Disabled,
    /// No more notes go in.
    StackerFull,
    /// Somebody tried to fish a note of this channel.
    Fraud(u8),
    /// At the reset a note of this channel went back to the front.
    ClearedFront(u8),
    /// At the reset a note of this channel went into the box.
    ClearedCashbox(u8),
    /// The box was taken out.
    CashboxRemoved,
    /// The box was put back.
    CashboxReplaced,
    /// All channels are inhibited.
    ChannelsDisabled,
    /// A code that this version does not know; what follows it cannot be read.
    Unknown(u8),
}

impl Event {
    /// The event at the beginning of the bytes, and how many it takes.
    fn first(bytes: &[u8]) -> Option<(Self, usize)> {
        let (code, rest) = bytes.split_first()?;
        let channel = rest.first().copied();
        let plain = |event| Some((event, 1));
        let with = |event: fn(u8) -> Self| {
            // Cut off in the answer itself: said by its code.
            Some(channel.map_or((Self::Unknown(*code), 1), |channel| (event(channel), 2)))
        };
        match code {
            0xF1 => plain(Self::SlaveReset),
            0xEF => with(Self::Read),
            0xEE => with(Self::Credit),
            0xED => plain(Self::Rejecting),
            0xEC => plain(Self::Rejected),
            0xCC => plain(Self::Stacking),
            0xEB => plain(Self::Stacked),
            0xEA => plain(Self::SafeJam),
            0xE9 => plain(Self::UnsafeJam),
            0xE8 => plain(Self::Disabled),
            0xE7 => plain(Self::StackerFull),
            0xE6 => with(Self::Fraud),
            0xE1 => with(Self::ClearedFront),
            0xE2 => with(Self::ClearedCashbox),
            0xE3 => plain(Self::CashboxRemoved),
            0xE4 => plain(Self::CashboxReplaced),
            0xB5 => plain(Self::ChannelsDisabled),
            other => plain(Self::Unknown(*other)),
        }
    }
}

impl ToJson for Event {
    fn to_json(&self) -> Value {
        let (name, argument) = match *self {
            Self::SlaveReset => ("slave_reset", None),
            Self::Read(channel) => ("read", Some(channel)),
            Self::Credit(channel) => ("credit", Some(channel)),
            Self::Rejecting => ("rejecting", None),
            Self::Rejected => ("rejected", None),
            Self::Stacking => ("stacking", None),
            Self::Stacked => ("stacked", None),
            Self::SafeJam => ("safe_jam", None),
            Self::UnsafeJam => ("unsafe_jam", None),
            Self::Disabled => ("disabled", None),
            Self::StackerFull => ("stacker_full", None),
            Self::Fraud(channel) => ("fraud", Some(channel)),
            Self::ClearedFront(channel) => ("cleared_front", Some(channel)),
            Self::ClearedCashbox(channel) => ("cleared_cashbox", Some(channel)),
            Self::CashboxRemoved => ("cashbox_removed", None),
            Self::CashboxReplaced => ("cashbox_replaced", None),
            Self::ChannelsDisabled => ("channels_disabled", None),
            Self::Unknown(code) => ("unknown", Some(code)),
        };
        argument.map_or_else(|| json!([name]), |argument| json!([name, argument]))
    }
}

impl Packet {
    /// What the device answers; `None` for a command of the host.
    pub fn response(&self) -> Option<Response> {
        let code = self.data.first()?;
        Response::CODES.iter().find(|(own, ..)| own == code).map(|(_, response, _)| *response)
    }

    /// The events of an answer to a poll, in order, up to one that is not known.
    pub fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        let mut rest = match self.response() {
            Some(Response::Ok) => self.data.get(1..).unwrap_or_default(),
            _ => &[],
        };
        while let Some((event, length)) = Event::first(rest) {
            events.push(event);
            if matches!(event, Event::Unknown(_)) {
                break;
            }
            rest = rest.get(length..).unwrap_or_default();
        }
        events
    }

    /// The bytes of the packet, stuffed; `None` where the data is too long for one.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let length = u8::try_from(self.data.len()).ok()?;
        let mut body = vec![(u8::from(self.sequence) << 7) | (self.address & 0x7F), length];
        body.extend_from_slice(&self.data);
        body.extend(cms(&body).to_le_bytes());
        let mut out = vec![STX];
        for byte in body {
            out.push(byte);
            if byte == STX {
                out.push(STX);
            }
        }
        Some(out)
    }
}

impl ToJson for Packet {
    fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("seq".into(), json!(u8::from(self.sequence)));
        out.insert("id".into(), json!(self.address));
        out.insert("data".into(), json!(spaced_hex(&self.data)));
        if let Some(response) = self.response() {
            out.insert("response".into(), json!(response.name()));
            let events: Vec<Value> = self.events().iter().map(ToJson::to_json).collect();
            out.insert("events".into(), json!(events));
        }
        Value::Object(out)
    }
}

/// The codec.
#[derive(Debug, Default)]
pub struct Ssp {
    /// What came after STX, without stuffing; `None` between packets.
    packet: Option<Vec<u8>>,
    /// The last byte was a 7Fh, of which two are one.
    half: bool,
    noise: usize,
}

impl Ssp {
    /// A codec.
    pub fn new() -> Self {
        Self::default()
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<Item<Packet>>) {
        if self.packet.is_none() {
            if byte == STX {
                self.settle(out);
                self.packet = Some(Vec::new());
            } else {
                self.noise = self.noise.saturating_add(1);
            }
            return;
        }
        match (byte == STX, std::mem::take(&mut self.half)) {
            (true, false) => self.half = true,
            (true, true) => self.take(STX, out),
            (false, false) => self.take(byte, out),
            (false, true) => {
                // It was alone: a packet begins, and this is its address.
                let gathered = self.packet.take().unwrap_or_default().len();
                out.push(Item::Fault(Fault::Restart { bytes: gathered.saturating_add(1) }));
                self.packet = Some(Vec::new());
                self.take(byte, out);
            }
        }
    }

    fn take(&mut self, byte: u8, out: &mut Vec<Item<Packet>>) {
        let Some(packet) = &mut self.packet else { return };
        packet.push(byte);
        let [_, length, ..] = packet.as_slice() else { return };
        if packet.len() < usize::from(*length).saturating_add(4) {
            return;
        }
        let packet = std::mem::take(packet);
        self.packet = None;
        let (body, crc) = packet.split_at(packet.len().saturating_sub(2));
        match body {
            [first, _, data @ ..] if cms(body).to_le_bytes() == crc => {
                out.push(Item::Frame(Packet {
                    sequence: first & 0x80 != 0,
                    address: first & 0x7F,
                    data: data.to_vec(),
                }));
            }
            _ => out.push(Item::Fault(Fault::BadCrc { frame: packet })),
        }
    }

    fn settle(&mut self, out: &mut Vec<Item<Packet>>) {
        let bytes = std::mem::take(&mut self.noise);
        if bytes > 0 {
            out.push(Item::Fault(Fault::Noise { bytes }));
        }
    }
}

impl Codec for Ssp {
    type Frame = Packet;

    fn feed(&mut self, bytes: &[u8]) -> Vec<Item<Packet>> {
        let mut out = Vec::new();
        for byte in bytes {
            self.byte(*byte, &mut out);
        }
        out
    }

    fn idle(&mut self) -> Vec<Item<Packet>> {
        let mut out = Vec::new();
        self.settle(&mut out);
        let half = usize::from(std::mem::take(&mut self.half));
        if let Some(packet) = self.packet.take() {
            let bytes = packet.len().saturating_add(1).saturating_add(half);
            out.push(Item::Fault(Fault::Partial { bytes }));
        }
        out
    }

    fn silence(&self) -> Option<Duration> {
        Some(Duration::from_millis(500))
    }
}

const STX: u8 = 0x7F;

#[cfg(test)]
mod tests {
    use super::{Event, Packet, Ssp};
    use crate::stream::{Codec, Item};
    use proptest::prelude::*;

    #[test]
    fn an_unknown_event_ends_the_list_and_is_said() {
        let packet =
            Packet { sequence: true, address: 0, data: vec![0xF0, 0xF1, 0xF8, 0xEE, 0x01] };
        assert_eq!(packet.events(), [Event::SlaveReset, Event::Unknown(0xF8)]);
        let cut = Packet { data: vec![0xF0, 0xEE], ..packet };
        assert_eq!(cut.events(), [Event::Unknown(0xEE)]);
    }

    proptest! {
        #[test]
        fn packets_read_back_one_after_the_other(
            packets in prop::collection::vec(
                (any::<bool>(), 0_u8..0x7E, prop::collection::vec(any::<u8>(), 0..60)), 1..5,
            ),
        ) {
            let packets: Vec<Packet> = packets
                .into_iter()
                .map(|(sequence, address, data)| Packet { sequence, address, data })
                .collect();
            let bytes: Vec<u8> = packets.iter().flat_map(|packet| packet.encode().unwrap()).collect();
            let items = Ssp::new().feed(&bytes);
            prop_assert_eq!(items, packets.into_iter().map(Item::Frame).collect::<Vec<_>>());
        }

        #[test]
        fn a_flipped_bit_is_never_a_credit(bit in 0_usize..72) {
            let packet = Packet { sequence: true, address: 0, data: vec![0xF0, 0xEE, 0x01, 0xEB] };
            let mut bytes = packet.encode().unwrap();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let mut codec = Ssp::new();
            let mut items = codec.feed(&bytes);
            items.extend(codec.idle());
            prop_assert!(items.into_iter().all(|item| item.frame().is_none()));
        }
    }
}
