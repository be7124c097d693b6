//! Text frames of readers and scanners: start and end characters, AIM identifiers.
//!
//! Owns the framing only; what the text means is another module's. A new start character inside
//! a frame restarts it; a frame that grew beyond the limit is dropped to its end.

use crate::stream::{Codec, Fault, Item, ToJson};
use serde_json::{Value, json};
use std::time::Duration;

/// STX.
pub const STX: u8 = 0x02;
/// ETX.
pub const ETX: u8 = 0x03;
/// Carriage return.
pub const CR: u8 = 0x0D;
/// Line feed.
pub const LF: u8 = 0x0A;

/// How a reader frames its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framing {
    /// The character that opens a frame; without one, every character belongs to a frame.
    pub start: Option<u8>,
    /// Characters that each close a frame (so CR and LF together close one frame: the empty one
    /// between them is ignored).
    pub end: Vec<u8>,
    /// Most characters of a frame.
    pub limit: usize,
}

impl Framing {
    /// Most characters of a frame unless said otherwise.
    pub const LIMIT: usize = 1024;

    /// Lines closed by CR, LF or both.
    pub fn lines() -> Self {
        Self { start: None, end: vec![CR, LF], limit: Self::LIMIT }
    }

    /// Frames between STX and ETX.
    pub fn stx_etx() -> Self {
        Self { start: Some(STX), end: vec![ETX], limit: Self::LIMIT }
    }
}

/// One frame of text, without its start and end characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text, ASCII.
    pub text: String,
}

impl ToJson for Text {
    fn to_json(&self) -> Value {
        json!({ "text": self.text })
    }
}

/// The framing codec.
#[derive(Debug)]
pub struct Delimited {
    framing: Framing,
    text: Vec<u8>,
    noise: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the start character.
    Outside,
    Inside,
    /// Beyond the limit; the characters dropped since.
    Dropping(usize),
}

impl Delimited {
    /// A codec for this framing.
    pub fn new(framing: Framing) -> Self {
        let state = if framing.start.is_none() { State::Inside } else { State::Outside };
        Self { framing, text: Vec::new(), noise: 0, state }
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<Item<Text>>) {
        if self.framing.start == Some(byte) {
            self.start(out);
            return;
        }
        let ends = self.framing.end.contains(&byte);
        match self.state {
            // Many readers send a line end after their end character.
            State::Outside if matches!(byte, CR | LF) => {}
            State::Outside => self.noise = self.noise.saturating_add(1),
            State::Inside if ends => {
                self.close(out);
                self.state = self.resting();
            }
            State::Inside => self.grow(byte, out),
            State::Dropping(bytes) if ends => {
                if bytes > 0 {
                    out.push(Item::Fault(Fault::Partial { bytes }));
                }
                self.state = self.resting();
            }
            State::Dropping(bytes) => self.state = State::Dropping(bytes.saturating_add(1)),
        }
    }

    fn start(&mut self, out: &mut Vec<Item<Text>>) {
        self.settle_noise(out);
        let dropped = match self.state {
            State::Outside => 0,
            State::Inside => self.text.len(),
            State::Dropping(bytes) => bytes,
        };
        if dropped > 0 {
            out.push(Item::Fault(Fault::Restart { bytes: dropped }));
        }
        self.text.clear();
        self.state = State::Inside;
    }

    fn grow(&mut self, byte: u8, out: &mut Vec<Item<Text>>) {
        self.text.push(byte);
        if self.text.len() > self.framing.limit {
            out.push(Item::Fault(Fault::Oversize { bytes: self.text.len() }));
            self.text.clear();
            self.state = State::Dropping(0);
        }
    }

    fn close(&mut self, out: &mut Vec<Item<Text>>) {
        let bytes = std::mem::take(&mut self.text);
        if bytes.is_empty() {
            return;
        }
        match String::from_utf8(bytes) {
            Ok(text) if text.is_ascii() => out.push(Item::Frame(Text { text })),
            Ok(text) => out.push(Item::Fault(Fault::NotAscii { text: text.into_bytes() })),
            Err(error) => out.push(Item::Fault(Fault::NotAscii { text: error.into_bytes() })),
        }
    }

    fn settle_noise(&mut self, out: &mut Vec<Item<Text>>) {
        if self.noise > 0 {
            out.push(Item::Fault(Fault::Noise { bytes: self.noise }));
            self.noise = 0;
        }
    }

    fn resting(&self) -> State {
        if self.framing.start.is_none() { State::Inside } else { State::Outside }
    }
}

impl Codec for Delimited {
    type Frame = Text;

    fn feed(&mut self, bytes: &[u8]) -> Vec<Item<Text>> {
        let mut out = Vec::new();
        for byte in bytes {
            self.byte(*byte, &mut out);
        }
        out
    }

    fn idle(&mut self) -> Vec<Item<Text>> {
        let mut out = Vec::new();
        self.settle_noise(&mut out);
        let pending = match self.state {
            State::Outside => 0,
            State::Inside => self.text.len(),
            State::Dropping(bytes) => bytes,
        };
        if pending > 0 {
            out.push(Item::Fault(Fault::Partial { bytes: pending }));
        }
        self.text.clear();
        self.state = self.resting();
        out
    }

    fn silence(&self) -> Option<Duration> {
        Some(Duration::from_millis(200))
    }
}

/// The symbol a scan came from, by its AIM identifier (ISO/IEC 15424).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Symbology {
    /// `]L`.
    Pdf417,
    /// `]z`.
    Aztec,
    /// `]Q`.
    Qr,
    /// `]d`.
    DataMatrix,
    /// `]I`, interleaved 2 of 5: bag tags.
    Itf,
    /// `]C`.
    Code128,
    /// `]A`.
    Code39,
    /// `]E`.
    Ean,
    /// Any other letter.
    Other(char),
}

impl Symbology {
    /// The name used by the vectors.
    pub fn name(self) -> String {
        match self {
            Self::Pdf417 => "pdf417".into(),
            Self::Aztec => "aztec".into(),
            Self::Qr => "qr".into(),
            Self::DataMatrix => "datamatrix".into(),
            Self::Itf => "itf".into(),
            Self::Code128 => "code128".into(),
            Self::Code39 => "code39".into(),
            Self::Ean => "ean".into(),
            Self::Other(letter) => letter.to_string(),
        }
    }

    /// The letter of the identifier.
    pub fn letter(self) -> char {
        match self {
            Self::Pdf417 => 'L',
            Self::Aztec => 'z',
            Self::Qr => 'Q',
            Self::DataMatrix => 'd',
            Self::Itf => 'I',
            Self::Code128 => 'C',
            Self::Code39 => 'A',
            Self::Ean => 'E',
            Self::Other(letter) => letter,
        }
    }

    fn of(letter: char) -> Self {
        match letter {
            'L' => Self::Pdf417,
            'z' => Self::Aztec,
            'Q' => Self::Qr,
            'd' => Self::DataMatrix,
            'I' => Self::Itf,
            'C' => Self::Code128,
            'A' => Self::Code39,
            'E' => Self::Ean,
            other => Self::Other(other),
        }
    }
}

/// Splits the AIM identifier (`]`, a letter, a modifier) from a scan.
pub fn split_aim(text: &str) -> (Option<Symbology>, &str) {
    let Some(rest) = text.strip_prefix(']') else { return (None, text) };
    let mut characters = rest.chars();
    match (characters.next(), characters.next()) {
        (Some(letter), Some(modifier))
            if letter.is_ascii_alphabetic() && modifier.is_ascii_alphanumeric() =>
        {
            (Some(Symbology::of(letter)), characters.as_str())
        }
        _ => (None, text),
    }
}

/// The bytes a reader sends for one text: the start character, the AIM identifier (modifier 0),
/// the text, the end characters.
pub fn encode(start: Option<u8>, aim: Option<Symbology>, text: &str, end: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = start.into_iter().collect();
    if let Some(symbology) = aim {
        out.extend(format!("]{}0", symbology.letter()).into_bytes());
    }
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(end);
    out
}

#[cfg(test)]
mod tests {
    use super::{CR, Delimited, ETX, Framing, LF, STX, Symbology, Text, encode, split_aim};
    use crate::stream::{Codec, Fault, Item};
    use proptest::prelude::*;

    fn frame(text: &str) -> Item<Text> {
        Item::Frame(Text { text: text.into() })
    }

    #[test]
    fn a_new_start_drops_the_unfinished_frame() {
        let mut codec = Delimited::new(Framing::stx_etx());
        let items = codec.feed(b"\x02ABC\x02DEF\x03");
        assert_eq!(items, [Item::Fault(Fault::Restart { bytes: 3 }), frame("DEF")]);
    }

    #[test]
    fn the_tail_of_an_oversized_text_is_never_a_frame() {
        let mut codec = Delimited::new(Framing { limit: 4, ..Framing::lines() });
        let items = codec.feed(b"AAAAAAAA\rGOOD\r");
        assert_eq!(
            items,
            [
                Item::Fault(Fault::Oversize { bytes: 5 }),
                Item::Fault(Fault::Partial { bytes: 3 }),
                frame("GOOD")
            ]
        );
    }

    #[test]
    fn bytes_before_the_start_are_noise() {
        let mut codec = Delimited::new(Framing::stx_etx());
        let items = codec.feed(b"xx\x02A\x03");
        assert_eq!(items, [Item::Fault(Fault::Noise { bytes: 2 }), frame("A")]);
    }

    #[test]
    fn text_that_merely_begins_with_a_bracket_keeps_it() {
        assert_eq!(split_aim("]L0X"), (Some(Symbology::Pdf417), "X"));
        assert_eq!(split_aim("]"), (None, "]"));
        assert_eq!(split_aim("]ß0"), (None, "]ß0"));
    }

    proptest! {
        #[test]
        fn encoded_scans_read_back(text in "[ -~&&[^\\]]]{1,60}") {
            for (start, end, framing) in [
                (Some(STX), vec![ETX], Framing::stx_etx()),
                (None, vec![CR], Framing::lines()),
                (None, vec![CR, LF], Framing::lines()),
            ] {
                let bytes = encode(start, Some(Symbology::Aztec), &text, &end);
                let items = Delimited::new(framing).feed(&bytes);
                let Item::Frame(frame) = &items[0] else { panic!("{items:?}") };
                prop_assert_eq!(split_aim(&frame.text), (Some(Symbology::Aztec), text.as_str()));
                prop_assert_eq!(items.len(), 1);
            }
        }
    }
}
