//! Scales: replies of MT-SICS, and the frames of Toledo's continuous output.
//!
//! Sources: MT-SICS reference manual, levels 0 and 1; Toledo continuous as in KERN FTC, Rockwell
//! 57C428 and Liden LUW2001. The check character of a Toledo frame may itself be CR or STX, so
//! frames go by length. A weight is what the scale says, in its own decimals; whether it may be
//! recorded (stable, in range) is said with it.

use crate::stream::rescan::{Found, Framed, Rescan};
use crate::stream::{Fault, ToJson};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::time::Duration;

/// A weight as MT-SICS gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weight {
    /// At rest.
    pub stable: bool,
    /// The value, in the decimals that the scale shows.
    pub value: Decimal,
    /// The unit as the scale writes it.
    pub unit: String,
}

/// Why a reply is no weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SicsError {
    /// `S +`.
    #[error("the scale is overloaded")]
    Overload,
    /// `S -`.
    #[error("the scale is underloaded")]
    Underload,
    /// `S I`: busy, or no stable weight in time.
    #[error("the scale cannot weigh now")]
    NotExecutable,
    /// `ES`: it does not know the command.
    #[error("the scale does not know the command")]
    Syntax,
    /// `ET`: the command arrived damaged.
    #[error("the command arrived damaged")]
    Transmission,
    /// `EL`: a parameter is wrong.
    #[error("the scale cannot do that")]
    Logical,
    /// Anything else.
    #[error("not a reply of the scale to a weighing")]
    BadReply,
}

impl SicsError {
    /// The name used by the vectors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overload => "overload",
            Self::Underload => "underload",
            Self::NotExecutable => "not_executable",
            Self::Syntax => "syntax",
            Self::Transmission => "transmission",
            Self::Logical => "logical",
            Self::BadReply => "bad_reply",
        }
    }
}

/// Reads one line of MT-SICS.
///
/// # Errors
/// [`SicsError`].
pub fn parse_sics(line: &str) -> Result<Weight, SicsError> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    match words.as_slice() {
        ["ES"] => Err(SicsError::Syntax),
        ["ET"] => Err(SicsError::Transmission),
        ["EL"] => Err(SicsError::Logical),
        ["S" | "SI", "I"] => Err(SicsError::NotExecutable),
        ["S" | "SI", "+"] => Err(SicsError::Overload),
        ["S" | "SI", "-"] => Err(SicsError::Underload),
        ["S" | "SI", status @ ("S" | "D"), value, unit] => Ok(Weight {
            stable: *status == "S",
            value: decimal(value).ok_or(SicsError::BadReply)?,
            unit: (*unit).to_owned(),
        }),
        _ => Err(SicsError::BadReply),
    }
}

fn decimal(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    Decimal::from_str_exact(text).ok().filter(|_| plain && digits.len() <= 12)
}

impl ToJson for Weight {
    fn to_json(&self) -> Value {
        let value = self.value.to_string();
        json!({"stable": self.stable, "value": value, "unit": self.unit})
    }
}

impl ToJson for SicsError {
    fn to_json(&self) -> Value {
        json!({ "error": self.name() })
    }
}

/// A frame of continuous output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continuous {
    /// Gross or net weight; `None` where the places of its digits hold something else (dashes
    /// out of range) or the display is expanded tenfold.
    pub weight: Option<Decimal>,
    /// What is taken off; `None` as for the weight.
    pub tare: Option<Decimal>,
    /// The weight is net.
    pub net: bool,
    /// The weight is no weight: overload or underload.
    pub out_of_range: bool,
    /// Not at rest.
    pub motion: bool,
    /// `kg`, `lb`, `g`, `t`, `oz`, `ozt`, `dwt`, `ton` or `custom`.
    pub unit: &'static str,
}

impl ToJson for Continuous {
    fn to_json(&self) -> Value {
        json!({
            "weight": number(self.weight),
            "tare": number(self.tare),
            "net": self.net,
            "out_of_range": self.out_of_range,
            "motion": self.motion,
            "unit": self.unit,
        })
    }
}

fn number(value: Option<Decimal>) -> Value {
    value
        .and_then(|value| serde_json::from_str::<Value>(&value.normalize().to_string()).ok())
        .into()
}

/// Toledo's continuous output, with its check character.
#[derive(Debug, Default)]
pub struct Toledo;

impl Toledo {
    /// A codec.
    pub fn codec() -> Rescan<Self> {
        Rescan::over(Self)
    }
}

impl Framed for Toledo {
    type Frame = Continuous;

    const SILENCE: Duration = Duration::from_millis(200);

    fn look(&self, bytes: &[u8]) -> Found<Continuous> {
        // The status words are text (bit 5), so a check character that is STX opens nothing.
        let status = bytes.iter().skip(1).take(3);
        let begins = bytes.first() == Some(&STX) && status.into_iter().all(|word| word & 0x20 != 0);
        if !begins {
            return Found::Nothing;
        }
        let Some(frame) = bytes.first_chunk::<LENGTH>() else { return Found::More };
        let [_, a, b, c, w0, w1, w2, w3, w4, w5, t0, t1, t2, t3, t4, t5, CR, _] = *frame else {
            return Found::Nothing;
        };
        // Seven bits: the sum with the check character is a multiple of 128.
        let sum = frame.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        if sum & 0x7F != 0 {
            return Found::Bad(Fault::BadChecksum { frame: frame.to_vec() });
        }
        let expanded = c & 0x10 != 0;
        let digits = |field: [u8; 6]| places(field, a & 7).filter(|_| !expanded);
        let sign = if b & 0x02 == 0 { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
        let weight = digits([w0, w1, w2, w3, w4, w5]);
        let continuous = Continuous {
            weight: weight.and_then(|weight| weight.checked_mul(sign)),
            tare: digits([t0, t1, t2, t3, t4, t5]),
            net: b & 0x01 != 0,
            out_of_range: b & 0x04 != 0,
            motion: b & 0x08 != 0,
            unit: match (c & 7, b & 0x10 != 0) {
                (0, true) => "kg",
                (0, false) => "lb",
                (1, _) => "g",
                (2, _) => "t",
                (3, _) => "oz",
                (4, _) => "ozt",
                (5, _) => "dwt",
                (6, _) => "ton",
                _ => "custom",
            },
        };
        Found::Frame(LENGTH, continuous)
    }
}

/// The frame in which a scale shows a weight in kilograms, gross, without tare; `None` for one
/// that six places do not hold.
pub fn toledo_kilograms(weight: Decimal, motion: bool) -> Option<[u8; 18]> {
    let weight = weight.normalize();
    let decimals = u8::try_from(weight.scale()).ok().filter(|decimals| *decimals <= 5)?;
    let digits = format!("{:>6}", weight.abs().mantissa());
    let digits: [u8; 6] = digits.as_bytes().try_into().ok()?;
    let sign = if weight.is_sign_negative() { 0x02 } else { 0 };
    let [w0, w1, w2, w3, w4, w5] = digits;
    // Bit 5 makes each status word text; bit 4 of the second says kilograms.
    let status =
        [0x28 | decimals.saturating_add(2), 0x30 | sign | if motion { 0x08 } else { 0 }, 0x20];
    let [a, b, c] = status;
    let mut frame =
        [STX, a, b, c, w0, w1, w2, w3, w4, w5, b' ', b' ', b' ', b' ', b' ', b'0', CR, 0];
    let sum = frame.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    if let Some(check) = frame.last_mut() {
        *check = sum.wrapping_neg() & 0x7F;
    }
    Some(frame)
}

/// Six places of digits with leading blanks; the code says where the point is.
fn places(field: [u8; 6], point: u8) -> Option<Decimal> {
    let text = std::str::from_utf8(&field).ok()?.trim_start();
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let digits: i64 = text.parse().ok().filter(|_| plain)?;
    match point {
        0 => Some(Decimal::from(digits.checked_mul(100)?)),
        1 => Some(Decimal::from(digits.checked_mul(10)?)),
        decimals => Some(Decimal::new(digits, u32::from(decimals).checked_sub(2)?)),
    }
}

const STX: u8 = 0x02;
const CR: u8 = 0x0D;
const LENGTH: usize = 18;

#[cfg(test)]
mod tests {
    use super::{SicsError, Toledo, parse_sics, toledo_kilograms};
    use crate::stream::{Codec, Item};
    use proptest::prelude::*;

    fn frame(a: u8, b: u8, c: u8, weight: &str, tare: &str) -> Vec<u8> {
        let mut out = vec![0x02, a, b, c];
        out.extend(weight.bytes().chain(tare.bytes()).chain([0x0D]));
        let sum = out.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        out.push(sum.wrapping_neg() & 0x7F);
        out
    }

    #[test]
    fn a_weight_keeps_the_decimals_of_the_display() {
        let weight = parse_sics("S S     100.00 g\r").unwrap();
        assert_eq!((weight.value.to_string().as_str(), weight.stable), ("100.00", true));
        assert_eq!(parse_sics("S S 1e3 g"), Err(SicsError::BadReply));
        assert_eq!(parse_sics("S +"), Err(SicsError::Overload));
    }

    #[test]
    fn units_points_and_signs() {
        for (a, b, c, weight, unit) in [
            (0x2A, 0x30, 0x20, "1250", "kg"),
            (0x2A, 0x20, 0x20, "1250", "lb"),
            (0x29, 0x30, 0x21, "12500", "g"),
            (0x2B, 0x32, 0x20, "-125", "kg"),
        ] {
            let items = Toledo::codec().feed(&frame(a, b, c, "  1250", "     0"));
            let [Item::Frame(read)] = items.as_slice() else { panic!("{items:?}") };
            assert_eq!(
                (read.weight.unwrap().normalize().to_string().as_str(), read.unit),
                (weight, unit)
            );
        }
    }

    #[test]
    fn dashes_out_of_range_are_no_weight() {
        let items = Toledo::codec().feed(&frame(0x2A, 0x34, 0x20, "------", "     0"));
        let [Item::Frame(read)] = items.as_slice() else { panic!("{items:?}") };
        assert_eq!((read.weight, read.out_of_range), (None, true));
    }

    proptest! {
        #[test]
        fn a_weight_that_is_composed_reads_back(
            digits in -999_999_i64..1_000_000, decimals in 0_u32..6, motion in any::<bool>(),
        ) {
            let weight = rust_decimal::Decimal::new(digits, decimals);
            let frame = toledo_kilograms(weight, motion).unwrap();
            let items = Toledo::codec().feed(&frame);
            let [Item::Frame(read)] = items.as_slice() else { panic!("{items:?}") };
            prop_assert_eq!((read.weight.unwrap(), read.motion, read.unit), (weight, motion, "kg"));
        }

        #[test]
        fn every_frame_of_a_stream_joined_anywhere_is_read(
            weights in prop::collection::vec(0_u32..1_000_000, 2..6), cut in 0_usize..18,
        ) {
            let bytes: Vec<u8> = weights
                .iter()
                .flat_map(|weight| frame(0x2A, 0x30, 0x20, &format!("{weight:>6}"), "     0"))
                .collect();
            let mut codec = Toledo::codec();
            let mut items = codec.feed(&bytes[cut..]);
            items.extend(codec.idle());
            let read: Vec<String> = items
                .into_iter()
                .filter_map(|item| Some(item.frame()?.weight?.normalize().to_string()))
                .collect();
            let whole = weights.iter().skip(usize::from(cut > 0));
            prop_assert_eq!(read, whole.map(ToString::to_string).collect::<Vec<_>>());
        }

        #[test]
        fn no_text_makes_it_panic(text in "[ -~]{0,60}") {
            let _read = parse_sics(&text);
        }
    }
}
