//! AIS: sentences of a receiver (`!AIVDM`), joined and unpacked.
//!
//! Read are positions (types 1, 2, 3, 18, 19), voyage data (5) and names (24 A). A name and number
//! that a ship sends are its own claim.

use crate::stream::ToJson;
use serde_json::{Map, Number, Value, json};

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its type, 1 to 27.
    pub kind: u8,
    /// Who sends it.
    pub mmsi: u32,
    /// What it says.
    pub content: Content,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Where it is.
    Position {
        /// Degrees north; `None` where it does not know.
        latitude: Option<f64>,
        /// Degrees east; `None` where it does not know.
        longitude: Option<f64>,
        /// Navigational status, on larger ships.
        status: Option<u8>,
    },
    /// What it is, and where it goes.
    Voyage {
        /// IMO number; `None` where it has none.
        imo: Option<u32>,
        /// Its name.
        name: String,
        /// Its call sign.
        call_sign: String,
        /// Its destination, as its officer typed it.
        destination: String,
    },
    /// Its name.
    Name(String),
    /// A type that is not read.
    Other,
}

/// Why sentences are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AisError {
    /// Not `!AIVDM` or `!AIVDO` with seven fields.
    #[error("not an AIS sentence")]
    BadSentence,
    /// A check that disagrees.
    #[error("an AIS sentence fails its checksum")]
    BadChecksum,
    /// Sentences of one message are missing.
    #[error("parts of an AIS message are missing")]
    Incomplete,
    /// Too few bits for its type, or characters that are none.
    #[error("the bits of an AIS message are cut off")]
    BadPayload,
}

struct Sentence<'a> {
    parts: u8,
    part: u8,
    sequence: &'a str,
    payload: &'a str,
    fill: usize,
}

fn sentence(line: &str) -> Result<Sentence<'_>, AisError> {
    // A tag block may stand before, between backslashes.
    let line = line.trim();
    let line = line
        .strip_prefix('\\')
        .and_then(|rest| rest.split_once('\\'))
        .map_or(line, |(_, rest)| rest);
    let body = line.strip_prefix('!').ok_or(AisError::BadSentence)?;
    let (body, check) = body.rsplit_once('*').ok_or(AisError::BadSentence)?;
    let check = u8::from_str_radix(check.trim(), 16).map_err(|_| AisError::BadSentence)?;
    if body.bytes().fold(0, |sum, byte| sum ^ byte) != check {
        return Err(AisError::BadChecksum);
    }
    let fields: Vec<&str> = body.split(',').collect();
    let [kind, parts, part, sequence, _, payload, fill] = fields.as_slice() else {
        return Err(AisError::BadSentence);
    };
    if !kind.ends_with("VDM") && !kind.ends_with("VDO") {
        return Err(AisError::BadSentence);
    }
    let number = |text: &str| text.parse::<u8>().map_err(|_| AisError::BadSentence);
    Ok(Sentence {
        parts: number(parts)?,
        part: number(part)?,
        sequence,
        payload,
        fill: usize::from(number(fill)?.min(5)),
    })
}

/// Reads the sentences of one message, a line each.
///
/// # Errors
/// [`AisError`].
pub fn parse(text: &str) -> Result<Message, AisError> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let mut sentences: Vec<Sentence<'_>> = lines.map(sentence).collect::<Result<_, _>>()?;
    sentences.sort_by_key(|sentence| sentence.part);
    let parts = sentences.first().map_or(0, |first| first.parts);
    let sequence = sentences.first().map(|first| first.sequence);
    let whole = sentences.len() == usize::from(parts)
        && sentences.iter().zip(1_u8..).all(|(sentence, part)| {
            sentence.part == part && sentence.parts == parts && Some(sentence.sequence) == sequence
        });
    if !whole || sentences.is_empty() {
        return Err(AisError::Incomplete);
    }
    let mut bits = Bits(Vec::new());
    for sentence in &sentences {
        bits.take(sentence.payload, sentence.fill)?;
    }
    message(&bits).ok_or(AisError::BadPayload)
}

fn message(bits: &Bits) -> Option<Message> {
    let kind = u8::try_from(bits.unsigned(0, 6)?).ok()?;
    let mmsi = bits.unsigned(8, 30)?;
    let content = match kind {
        1..=3 => bits.position(61, 89, Some(u8::try_from(bits.unsigned(38, 4)?).ok()?))?,
        18 | 19 => bits.position(57, 85, None)?,
        5 => Content::Voyage {
            imo: Some(bits.unsigned(40, 30)?).filter(|imo| *imo != 0),
            call_sign: bits.text(70, 7)?,
            name: bits.text(112, 20)?,
            // Some transmitters cut the end off.
            destination: bits.text(302, 20).unwrap_or_default(),
        },
        24 if bits.unsigned(38, 2)? == 0 => Content::Name(bits.text(40, 20)?),
        _ => Content::Other,
    };
    Some(Message { kind, mmsi, content })
}

/// Bits, the most significant first.
struct Bits(Vec<bool>);

impl Bits {
    /// Six bits a character; the last `fill` bits are none.
    fn take(&mut self, payload: &str, fill: usize) -> Result<(), AisError> {
        for byte in payload.bytes() {
            let value = match byte {
                48..=87 => byte.saturating_sub(48),
                96..=119 => byte.saturating_sub(56),
                _ => return Err(AisError::BadPayload),
            };
            self.0.extend((0..6).rev().map(|bit| (value >> bit) & 1 == 1));
        }
        self.0.truncate(self.0.len().saturating_sub(fill));
        Ok(())
    }

    fn unsigned(&self, from: usize, width: usize) -> Option<u32> {
        let bits = self.0.get(from..from.checked_add(width)?)?;
        Some(bits.iter().fold(0, |value: u32, bit| (value << 1) | u32::from(*bit)))
    }

    fn signed(&self, from: usize, width: usize) -> Option<i32> {
        let shift = 32_usize.checked_sub(width)?;
        let value = self.unsigned(from, width)?.checked_shl(u32::try_from(shift).ok()?)?;
        value.cast_signed().checked_shr(u32::try_from(shift).ok()?)
    }

    /// Six-bit text, without what pads it.
    fn text(&self, from: usize, characters: usize) -> Option<String> {
        let mut text = String::new();
        for number in 0..characters {
            let value = self.unsigned(from.checked_add(number.checked_mul(6)?)?, 6)?;
            let value = u8::try_from(value).ok()?;
            // 0 is '@', which ends the text.
            let character = if value < 32 { value.saturating_add(64) } else { value };
            if character == b'@' {
                break;
            }
            text.push(char::from(character));
        }
        Some(text.trim_end().to_owned())
    }

    /// In ten-thousandths of a minute; 181 and 91 degrees mean that it does not know.
    fn position(&self, east: usize, north: usize, status: Option<u8>) -> Option<Content> {
        let degrees = |value: i32, most: f64| {
            Some(f64::from(value) / 600_000.0).filter(|degrees| degrees.abs() <= most)
        };
        Some(Content::Position {
            longitude: degrees(self.signed(east, 28)?, 180.0),
            latitude: degrees(self.signed(north, 27)?, 90.0),
            status,
        })
    }
}

impl ToJson for Message {
    fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("checksum_ok".into(), json!(true));
        out.insert("msg_type".into(), json!(self.kind));
        out.insert("mmsi".into(), json!(self.mmsi));
        // A metre or so: what a ship sends is not better.
        let rounded = |degrees: Option<f64>| {
            degrees.and_then(|degrees| Number::from_f64((degrees * 1e6).round() / 1e6))
        };
        match &self.content {
            Content::Position { latitude, longitude, status } => {
                out.insert("lat".into(), json!(rounded(*latitude)));
                out.insert("lon".into(), json!(rounded(*longitude)));
                out.extend(status.map(|status| ("status".to_owned(), json!(status))));
            }
            Content::Voyage { imo, name, .. } => {
                out.insert("imo".into(), json!(imo));
                out.insert("shipname".into(), json!(name));
            }
            Content::Name(name) => {
                out.insert("shipname".into(), json!(name));
            }
            Content::Other => {}
        }
        Value::Object(out)
    }
}

impl ToJson for AisError {
    fn to_json(&self) -> Value {
        match self {
            Self::BadChecksum => json!({"checksum_ok": false}),
            Self::BadSentence => json!({"error": "bad_sentence"}),
            Self::Incomplete => json!({"error": "incomplete"}),
            Self::BadPayload => json!({"error": "bad_payload"}),
        }
    }
}

mod compose;

pub use compose::{Voyage, compose};

#[cfg(test)]
mod tests {
    use super::{AisError, Content, parse};
    use proptest::prelude::*;

    const FIRST: &str =
        "!AIVDM,2,1,3,B,55P5TL01VIaAL@7WKO@mBplU@<PDhh000000001S;AJ::4A80?4i@E53,0*3E";
    const SECOND: &str = "!AIVDM,2,2,3,B,1@0000000000000,2*55";

    #[test]
    fn parts_are_joined_in_their_order() {
        let message = parse(&format!("{SECOND}\r\n{FIRST}\r\n")).unwrap();
        let Content::Voyage { imo, name, call_sign, .. } = message.content else { panic!() };
        assert_eq!(
            (imo, name.as_str(), call_sign.as_str()),
            (Some(6_710_932), "MT.MITCHELL", "WDA9674")
        );
        assert_eq!(parse(FIRST), Err(AisError::Incomplete));
        assert_eq!(parse(""), Err(AisError::Incomplete));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(payload in "[0-~]{0,80}", fill in 0_u8..9) {
            let body = format!("AIVDM,1,1,,A,{payload},{fill}");
            let check = body.bytes().fold(0_u8, |sum, byte| sum ^ byte);
            let _read = (parse(&payload), parse(&format!("!{body}*{check:02X}")));
        }
    }
}
