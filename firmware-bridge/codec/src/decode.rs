//! Bytes of a device in, one JSON value for each frame or fault out, as the vectors write them.

use serde_json::Value;

use crate::delimited::{Delimited, Framing, STX};
use crate::mrz::RowGroup;
use crate::stream::{Codec, ToJson};
use crate::xfs4iot::{Message, NoteTypes};
use crate::{bag, bcbp, translit, xfs4iot, xray};

/// A protocol that can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the modules")]
pub enum Protocol {
    Mrz,
    MrzTranslit,
    Bcbp,
    Delimited,
    Xfs4Iot,
    Xray,
    Bag,
}

impl Protocol {
    /// All of them, by name.
    pub const ALL: [(&str, Self); 7] = [
        ("mrz", Self::Mrz),
        ("mrz_translit", Self::MrzTranslit),
        ("bcbp", Self::Bcbp),
        ("delimited", Self::Delimited),
        ("xfs4iot", Self::Xfs4Iot),
        ("xray", Self::Xray),
        ("bag", Self::Bag),
    ];

    /// The protocol of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(own, _)| *own == name).map(|(_, protocol)| protocol)
    }

    /// Decodes a whole recording.
    pub fn decode(self, bytes: &[u8]) -> Vec<Value> {
        match self {
            Self::Delimited => {
                let stx = bytes.contains(&STX);
                let framing = if stx { Framing::stx_etx() } else { Framing::lines() };
                all(&mut Delimited::new(framing), bytes)
            }
            Self::Mrz => {
                let mut group = RowGroup::new();
                let mut items = group.text(&text_of(bytes));
                items.extend(group.idle());
                items.iter().map(ToJson::to_json).collect()
            }
            Self::Xfs4Iot => {
                let mut types = NoteTypes::new();
                lines(bytes, |line| message(line, &mut types))
            }
            Self::MrzTranslit => lines(bytes, |line| translit::transliterate(line).into()),
            Self::Bcbp => lines(bytes, pass),
            Self::Xray => lines(bytes, |line| either(xray::parse(line))),
            Self::Bag => bags(&text_of(bytes)),
        }
    }
}

/// Everything that a codec finds in a recording that ends in silence.
pub fn all<C: Codec>(codec: &mut C, bytes: &[u8]) -> Vec<Value> {
    let mut items = codec.feed(bytes);
    items.extend(codec.idle());
    items.iter().map(ToJson::to_json).collect()
}

/// A message of a note counter, with the table of note types that came before it.
pub fn message(text: &str, types: &mut NoteTypes) -> Value {
    match xfs4iot::parse(text) {
        Ok(message) => {
            if let Message::NoteTypes { types: told, .. } = &message {
                types.clone_from(told);
            }
            message.to_json(types)
        }
        Err(error) => error.to_json(),
    }
}

/// A boarding pass, with or without the scanner's AIM identifier.
pub fn pass(text: &str) -> Value {
    either(bcbp::parse(crate::delimited::split_aim(text).1))
}

fn bags(text: &str) -> Vec<Value> {
    let is_plates = |line: &str| line.bytes().all(|byte| byte.is_ascii_digit());
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.iter().all(|line| is_plates(line)) {
        return lines.into_iter().map(|line| either(bag::Lpn::parse(line))).collect();
    }
    let mut messages = Vec::new();
    let mut open = String::new();
    for line in lines {
        open.push_str(line);
        open.push('\n');
        if line.starts_with("END") {
            messages.push(either(bag::parse_message(&std::mem::take(&mut open))));
        }
    }
    if !open.is_empty() {
        messages.push(either(bag::parse_message(&open)));
    }
    messages
}

/// A value, or its error, as the vectors write it.
pub fn either<T: ToJson, E: ToJson>(read: Result<T, E>) -> Value {
    match read {
        Ok(value) => value.to_json(),
        Err(error) => error.to_json(),
    }
}

fn lines(bytes: &[u8], one: impl FnMut(&str) -> Value) -> Vec<Value> {
    let text = text_of(bytes);
    text.lines().filter(|line| !line.trim().is_empty()).map(one).collect()
}

/// Bytes that are no text become marks that every parser refuses.
fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::Protocol;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for (_, protocol) in Protocol::ALL {
                let _decoded = protocol.decode(&bytes);
            }
        }
    }
}
