//! A platform scale that nobody here has: `01 LEN grams CHECK`, five times a second, unasked. LEN
//! counts the digits, CHECK is the XOR of everything before it.
//!
//! The example of `docs/adding-a-device.md`, which shows this file as it is.

use std::time::Duration;

use rust_decimal::Decimal;
use serde_json::{Value, json};
use tidewaiter_codec::stream::rescan::{Found, Framed, Rescan};
use tidewaiter_codec::stream::{Codec, Fault, Item, ToJson};
use tidewaiter_proto::body::{Body, WeightMeasured};

use super::session::{Decoder, Outcome};

/// A frame whose check agrees.
struct Grams(u32);

impl ToJson for Grams {
    fn to_json(&self) -> Value {
        json!({ "grams": self.0 })
    }
}

/// The protocol: what stands at the beginning of some bytes.
struct Platform;

impl Framed for Platform {
    type Frame = Grams;

    const SILENCE: Duration = Duration::from_millis(50);

    fn look(&self, bytes: &[u8]) -> Found<Grams> {
        let length = match bytes {
            [0x01] => return Found::More,
            [0x01, digits @ 1..=9, ..] => usize::from(*digits) + 3,
            _ => return Found::Nothing,
        };
        let Some(frame) = bytes.get(..length) else { return Found::More };
        if frame.iter().fold(0, |check, byte| check ^ byte) != 0 {
            return Found::Bad(Fault::BadChecksum { frame: frame.to_vec() });
        }
        let digits = frame.get(2..length - 1).unwrap_or_default();
        match std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()) {
            Some(grams) => Found::Frame(length, Grams(grams)),
            None => Found::Nothing,
        }
    }
}

/// The driver: frames in, bodies of records out. It has no port and no clock.
pub(super) struct PlatformScale {
    codec: Rescan<Platform>,
    /// The load that was read, so that it is read once.
    load: u32,
}

impl PlatformScale {
    pub(super) fn new() -> Self {
        Self { codec: Rescan::over(Platform), load: 0 }
    }

    fn outcomes(&mut self, items: Vec<Item<Grams>>) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for item in items {
            match item {
                Item::Frame(Grams(grams)) => {
                    let before = std::mem::replace(&mut self.load, grams);
                    if grams > 0 && grams != before {
                        outcomes.push(Outcome::Reading(Body::WeightMeasured(WeightMeasured {
                            value: Decimal::from(grams),
                            unit: "g".to_owned(),
                            stable: true,
                        })));
                    }
                }
                // Never a reading: named, counted, its bytes kept for the engineer.
                Item::Fault(fault) => outcomes.push(Outcome::fault(&fault)),
            }
        }
        outcomes
    }
}

impl Decoder for PlatformScale {
    fn feed(&mut self, bytes: &[u8]) -> Vec<Outcome> {
        let items = self.codec.feed(bytes);
        self.outcomes(items)
    }

    fn idle(&mut self) -> Vec<Outcome> {
        let items = self.codec.idle();
        self.outcomes(items)
    }

    fn silence(&self) -> Option<Duration> {
        self.codec.silence()
    }
}

#[test]
fn a_weight_is_read_once_however_its_bytes_are_split_and_a_damaged_one_never() {
    let frame = |grams: &str| {
        let mut frame = vec![0x01, u8::try_from(grams.len()).unwrap()];
        frame.extend(grams.bytes());
        frame.push(frame.iter().fold(0, |check, byte| check ^ byte));
        frame
    };
    let bytes = [frame("1923"), frame("1923"), frame("0")].concat();
    for split in 1..bytes.len() {
        let mut scale = PlatformScale::new();
        let outcomes: Vec<_> = bytes.chunks(split).flat_map(|part| scale.feed(part)).collect();
        assert!(matches!(outcomes.as_slice(), [Outcome::Reading(_)]), "{split}: {outcomes:?}");
    }
    let mut damaged = frame("1923");
    damaged[3] ^= 1;
    let mut scale = PlatformScale::new();
    let mut outcomes = scale.feed(&damaged);
    outcomes.extend(scale.idle());
    assert!(outcomes.iter().all(|outcome| outcome.refusal().is_some()), "{outcomes:?}");
}

#[test]
fn the_page_about_adding_a_device_shows_this_file_as_it_is() {
    let page = include_str!("../../../docs/adding-a-device.md");
    let shown = page.split("```rust\n").nth(1).and_then(|code| code.split("```").next());
    let own = include_str!("example.rs").split("#[test]").next();
    assert_eq!(shown.map(str::trim_end), own.map(str::trim_end));
}
