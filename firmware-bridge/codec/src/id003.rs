//! ID-003, the note validators of JCM: `FC LNG CMD DATA CRC`, the host polls.
//!
//! Source: the protocol as lamassu's public driver uses it. LNG counts the whole frame;
//! CRC-16/KERMIT over everything before it, low byte first. The codes of host and device overlap
//! (11h is the host's question and the device's IDLING): they are read as the device's.

use crate::crc::kermit;
use crate::stream::rescan::{Found, Framed, Rescan};
use crate::stream::{Fault, ToJson, spaced_hex};
use serde_json::{Value, json};
use std::time::Duration;

/// A frame whose CRC agrees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Command, or state.
    pub command: u8,
    /// What belongs to it.
    pub data: Vec<u8>,
}

impl Frame {
    /// The name of the device's state; `None` for a code that is none.
    pub fn state(&self) -> Option<&'static str> {
        STATES.iter().find(|(code, _)| *code == self.command).map(|(_, name)| *name)
    }

    /// The bytes of the frame; `None` where the data is too long for one.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let length = u8::try_from(self.data.len().checked_add(5)?).ok()?;
        let mut out = vec![SYNC, length, self.command];
        out.extend_from_slice(&self.data);
        out.extend(kermit(&out).to_le_bytes());
        Some(out)
    }
}

impl ToJson for Frame {
    fn to_json(&self) -> Value {
        json!({
            "cmd": format!("0x{:02X}", self.command),
            "data": spaced_hex(&self.data),
            "state": self.state(),
        })
    }
}

/// The protocol's frames.
#[derive(Debug, Default)]
pub struct Id003;

impl Id003 {
    /// A codec.
    pub fn codec() -> Rescan<Self> {
        Rescan::over(Self)
    }
}

impl Framed for Id003 {
    type Frame = Frame;

    const SILENCE: Duration = Duration::from_millis(50);

    fn look(&self, bytes: &[u8]) -> Found<Frame> {
        let length = match bytes {
            [SYNC] => return Found::More,
            [SYNC, length @ 5..=255, ..] => usize::from(*length),
            _ => return Found::Nothing,
        };
        let Some(frame) = bytes.get(..length) else { return Found::More };
        match frame {
            [_, _, command, data @ .., low, high] => {
                let checked = frame.get(..length.saturating_sub(2)).unwrap_or_default();
                if kermit(checked).to_le_bytes() == [*low, *high] {
                    Found::Frame(length, Frame { command: *command, data: data.to_vec() })
                } else {
                    Found::Bad(Fault::BadCrc { frame: frame.to_vec() })
                }
            }
            _ => Found::Nothing,
        }
    }
}

const SYNC: u8 = 0xFC;

const STATES: [(u8, &str); 24] = [
    (0x11, "idling"),
    (0x12, "accepting"),
    (0x13, "escrow"),
    (0x14, "stacking"),
    (0x15, "vend_valid"),
    (0x16, "stacked"),
    (0x17, "rejecting"),
    (0x18, "returning"),
    (0x19, "holding"),
    (0x1A, "disabled"),
    (0x1B, "initialize"),
    (0x40, "power_up"),
    (0x41, "power_up_bill_in_acceptor"),
    (0x42, "power_up_bill_in_stacker"),
    (0x43, "stacker_full"),
    (0x44, "stacker_open"),
    (0x45, "jam_in_acceptor"),
    (0x46, "jam_in_stacker"),
    (0x47, "pause"),
    (0x48, "cheated"),
    (0x49, "failure"),
    (0x4A, "communication_error"),
    (0x4B, "invalid_command"),
    (0x50, "ack"),
];

#[cfg(test)]
mod tests {
    use super::{Frame, Id003};
    use crate::stream::{Codec, Item};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn frames_read_back_behind_any_garbage(
            garbage in prop::collection::vec(any::<u8>(), 0..40),
            command in any::<u8>(),
            data in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let frame = Frame { command, data };
            let mut codec = Id003::codec();
            let mut items = codec.feed(&garbage);
            items.extend(codec.feed(&frame.encode().unwrap()));
            items.extend(codec.idle());
            prop_assert!(items.contains(&Item::Frame(frame)), "{:?}", items);
        }
    }
}
