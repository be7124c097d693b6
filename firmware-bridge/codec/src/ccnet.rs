//! CCNET, the note validators of CashCode and CPI: `02 ADR LNG DATA CRC`, the master polls.
//!
//! Source: CashCode NET Interface, revisions 2.3.1 and 2.4.3 (public mirrors). LNG counts the whole
//! frame; CRC-16/KERMIT over everything before it, low byte first. Frames of length 0 (a length
//! in the data) are refused. What a code means depends on who speaks: state codes are read as the
//! device's.

use crate::crc::kermit;
use crate::stream::rescan::{Found, Framed, Rescan};
use crate::stream::{Fault, ToJson, spaced_hex};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The address of a note validator.
pub const VALIDATOR: u8 = 0x03;

/// A frame whose CRC agrees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Whose: 3 is the note validator.
    pub address: u8,
    /// Command and parameters, or answer.
    pub data: Vec<u8>,
}

/// A device's state, by its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the interface description")]
pub enum State {
    PowerUp,
    PowerUpBillInValidator,
    PowerUpBillInStacker,
    Initialize,
    Idling,
    Accepting,
    Stacking,
    Returning,
    UnitDisabled,
    Holding,
    DeviceBusy,
    Rejecting,
    DropCassetteFull,
    DropCassetteOutOfPosition,
    ValidatorJammed,
    DropCassetteJammed,
    Cheated,
    Pause,
    Failure,
    Escrow,
    Stacked,
    Returned,
}

impl State {
    const CODES: [(u8, Self, &'static str); 22] = [
        (0x10, Self::PowerUp, "power_up"),
        (0x11, Self::PowerUpBillInValidator, "power_up_bill_in_validator"),
        (0x12, Self::PowerUpBillInStacker, "power_up_bill_in_stacker"),
        (0x13, Self::Initialize, "initialize"),
        (0x14, Self::Idling, "idling"),
        (0x15, Self::Accepting, "accepting"),
        (0x17, Self::Stacking, "stacking"),
        (0x18, Self::Returning, "returning"),
        (0x19, Self::UnitDisabled, "unit_disabled"),
        (0x1A, Self::Holding, "holding"),
        (0x1B, Self::DeviceBusy, "device_busy"),
        (0x1C, Self::Rejecting, "rejecting"),
        (0x41, Self::DropCassetteFull, "drop_cassette_full"),
        (0x42, Self::DropCassetteOutOfPosition, "drop_cassette_out_of_position"),
        (0x43, Self::ValidatorJammed, "validator_jammed"),
        (0x44, Self::DropCassetteJammed, "drop_cassette_jammed"),
        (0x45, Self::Cheated, "cheated"),
        (0x46, Self::Pause, "pause"),
        (0x47, Self::Failure, "failure"),
        (0x80, Self::Escrow, "escrow"),
        (0x81, Self::Stacked, "stacked"),
        (0x82, Self::Returned, "returned"),
    ];

    /// The state of this code.
    pub fn of(code: u8) -> Option<Self> {
        Self::CODES.iter().find(|(own, ..)| *own == code).map(|(_, state, _)| *state)
    }

    /// The name used by the vectors.
    pub fn name(self) -> &'static str {
        Self::CODES.iter().find(|(_, own, _)| *own == self).map_or("", |(.., name)| name)
    }
}

/// What the data of a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The frame before was taken.
    Ack,
    /// The frame before was not understood.
    Nak,
    /// A state, and the bill type, reason or failure that belongs to it.
    State(State, Option<u8>),
    /// A command, or an answer to one.
    Data,
}

impl Frame {
    /// What its data is.
    pub fn kind(&self) -> Kind {
        match self.data.as_slice() {
            [0x00] => Kind::Ack,
            [0xFF] => Kind::Nak,
            [code] => State::of(*code).map_or(Kind::Data, |state| Kind::State(state, None)),
            [code, argument] => {
                State::of(*code).map_or(Kind::Data, |state| Kind::State(state, Some(*argument)))
            }
            _ => Kind::Data,
        }
    }

    /// The bytes of the frame; `None` where the data is too long for one.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let length = u8::try_from(self.data.len().checked_add(5)?).ok()?;
        let mut out = vec![SYNC, self.address, length];
        out.extend_from_slice(&self.data);
        out.extend(kermit(&out).to_le_bytes());
        Some(out)
    }
}

impl ToJson for Frame {
    fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("adr".into(), json!(self.address));
        out.insert("data".into(), json!(spaced_hex(&self.data)));
        let kind = match self.kind() {
            Kind::Ack => "ack",
            Kind::Nak => "nak",
            Kind::Data => "data",
            Kind::State(state, argument) => {
                out.insert("state".into(), json!(state.name()));
                if let Some(argument) = argument {
                    out.insert("arg".into(), json!(argument));
                }
                "state"
            }
        };
        out.insert("kind".into(), json!(kind));
        Value::Object(out)
    }
}

/// The protocol's frames.
#[derive(Debug, Default)]
pub struct Ccnet;

impl Ccnet {
    /// A codec.
    pub fn codec() -> Rescan<Self> {
        Rescan::over(Self)
    }
}

impl Framed for Ccnet {
    type Frame = Frame;

    /// Between bytes of a frame there are 5 ms at most; the rest is for slow adapters.
    const SILENCE: Duration = Duration::from_millis(20);

    fn look(&self, bytes: &[u8]) -> Found<Frame> {
        let length = match bytes {
            [SYNC] => return Found::More,
            [SYNC, 0x01..=0x0F] => return Found::More,
            [SYNC, 0x01..=0x0F, length @ 6..=255, ..] => usize::from(*length),
            _ => return Found::Nothing,
        };
        let Some(frame) = bytes.get(..length) else { return Found::More };
        match frame {
            [_, address, _, data @ .., low, high] => {
                let checked = frame.get(..length.saturating_sub(2)).unwrap_or_default();
                if kermit(checked).to_le_bytes() == [*low, *high] {
                    Found::Frame(length, Frame { address: *address, data: data.to_vec() })
                } else {
                    Found::Bad(Fault::BadCrc { frame: frame.to_vec() })
                }
            }
            _ => Found::Nothing,
        }
    }
}

const SYNC: u8 = 0x02;

#[cfg(test)]
mod tests {
    use super::{Ccnet, Frame, Kind, State, VALIDATOR};
    use crate::stream::{Codec, Fault, Item};
    use proptest::prelude::*;

    fn stacked() -> Vec<u8> {
        Frame { address: VALIDATOR, data: vec![0x81, 0x04] }.encode().unwrap()
    }

    #[test]
    fn a_good_frame_behind_a_torn_one_is_found() {
        let mut codec = Ccnet::codec();
        let torn = &stacked()[..5];
        let items = codec.feed(&[torn, stacked().as_slice()].concat());
        let [Item::Fault(Fault::BadCrc { .. }), Item::Fault(noise), Item::Frame(frame)] =
            items.as_slice()
        else {
            panic!("{items:?}")
        };
        assert_eq!(*noise, Fault::Noise { bytes: 5 });
        assert_eq!(frame.kind(), Kind::State(State::Stacked, Some(4)));
    }

    #[test]
    fn a_length_too_long_costs_no_frame_behind_it() {
        let mut codec = Ccnet::codec();
        let mut bytes = vec![0x02, 0x03, 0xF0];
        bytes.extend(stacked());
        assert_eq!(codec.feed(&bytes), []);
        let items = codec.idle();
        let [Item::Fault(Fault::Partial { bytes: 3 }), Item::Frame(_)] = items.as_slice() else {
            panic!("{items:?}")
        };
    }

    proptest! {
        #[test]
        fn frames_read_back_behind_any_garbage(
            garbage in prop::collection::vec(any::<u8>(), 0..40),
            data in prop::collection::vec(any::<u8>(), 1..60),
        ) {
            let frame = Frame { address: VALIDATOR, data };
            let mut codec = Ccnet::codec();
            let mut items = codec.feed(&garbage);
            items.extend(codec.feed(&frame.encode().unwrap()));
            items.extend(codec.idle());
            // Garbage that is itself a frame by chance would be one more; the last is ours, unless
            // garbage claimed its bytes with a CRC that agrees.
            prop_assert!(items.contains(&Item::Frame(frame)), "{:?}", items);
        }

        #[test]
        fn a_flipped_bit_is_never_a_frame(bit in 0_usize..56) {
            let mut bytes = stacked();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let mut codec = Ccnet::codec();
            let mut items = codec.feed(&bytes);
            items.extend(codec.idle());
            prop_assert!(items.into_iter().all(|item| item.frame().is_none()));
        }
    }
}
