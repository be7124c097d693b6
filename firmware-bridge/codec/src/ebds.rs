//! EBDS, the note acceptors of MEI and CPI: `02 LEN CTRL DATA 03 CHK`, the host polls.
//!
//! Source: decapod-atm/ebds (MIT). LEN counts the whole frame, CHK is the XOR of everything
//! between STX and ETX.

use crate::stream::rescan::{Found, Framed, Rescan};
use crate::stream::{Fault, ToJson, spaced_hex};
use serde_json::{Value, json};
use std::time::Duration;

/// A frame whose check agrees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Message type, bits 4 to 6 of the control byte: 1 from the host, 2 from the device.
    pub kind: u8,
    /// Device type, bits 1 to 3.
    pub device: u8,
    /// The acknowledge bit, which turns with each message.
    pub ack: u8,
    /// The data.
    pub data: Vec<u8>,
}

impl Frame {
    /// The bytes of the frame; `None` where the data is too long for one.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let length = u8::try_from(self.data.len().checked_add(5)?).ok()?;
        let control = ((self.kind & 7) << 4) | ((self.device & 7) << 1) | (self.ack & 1);
        let mut out = vec![STX, length, control];
        out.extend_from_slice(&self.data);
        let check = check(out.get(1..).unwrap_or_default());
        out.extend([ETX, check]);
        Some(out)
    }
}

impl ToJson for Frame {
    fn to_json(&self) -> Value {
        json!({
            "type": self.kind,
            "device": self.device,
            "ack": self.ack,
            "data": spaced_hex(&self.data),
        })
    }
}

/// The protocol's frames.
#[derive(Debug, Default)]
pub struct Ebds;

impl Ebds {
    /// A codec.
    pub fn codec() -> Rescan<Self> {
        Rescan::over(Self)
    }
}

impl Framed for Ebds {
    type Frame = Frame;

    const SILENCE: Duration = Duration::from_millis(50);

    fn look(&self, bytes: &[u8]) -> Found<Frame> {
        let length = match bytes {
            [STX] => return Found::More,
            [STX, length @ 5..=255, ..] => usize::from(*length),
            _ => return Found::Nothing,
        };
        let Some(frame) = bytes.get(..length) else { return Found::More };
        match frame {
            [_, body @ .., ETX, sum] => match body {
                [_, control, data @ ..] if check(body) == *sum => {
                    let frame = Frame {
                        kind: (control >> 4) & 7,
                        device: (control >> 1) & 7,
                        ack: control & 1,
                        data: data.to_vec(),
                    };
                    Found::Frame(length, frame)
                }
                _ => Found::Bad(Fault::BadChecksum { frame: frame.to_vec() }),
            },
            // Without ETX where the length says so, it was no frame.
            _ => Found::Nothing,
        }
    }
}

fn check(body: &[u8]) -> u8 {
    body.iter().fold(0, |sum, byte| sum ^ byte)
}

const STX: u8 = 0x02;
const ETX: u8 = 0x03;

#[cfg(test)]
mod tests {
    use super::{Ebds, Frame};
    use crate::stream::{Codec, Item};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn frames_read_back_and_a_flipped_bit_is_none(
            kind in 0_u8..8, device in 0_u8..8, ack in 0_u8..2,
            data in prop::collection::vec(any::<u8>(), 0..40),
            flip in any::<prop::sample::Index>(),
        ) {
            let frame = Frame { kind, device, ack, data };
            let mut bytes = frame.encode().unwrap();
            prop_assert_eq!(Ebds::codec().feed(&bytes), vec![Item::Frame(frame.clone())]);
            // The check does not cover STX, ETX and itself by a second digit; any flip inside is seen.
            let at = flip.index(bytes.len() - 3) + 1;
            bytes[at] ^= 0x10;
            let mut codec = Ebds::codec();
            let mut items = codec.feed(&bytes);
            items.extend(codec.idle());
            prop_assert!(!items.contains(&Item::Frame(frame)));
        }
    }
}
