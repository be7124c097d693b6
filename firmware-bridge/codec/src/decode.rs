//! Bytes of a device in, one JSON value for each frame or fault out, as the vectors write them.

use serde_json::{Value, json};

use crate::ccnet::Ccnet;
use crate::cctalk::Cctalk;
use crate::delimited::{Delimited, Framing, STX};
use crate::ebds::Ebds;
use crate::id003::Id003;
use crate::llrp::Llrp;
use crate::mrz::RowGroup;
use crate::scale::Toledo;
use crate::ssp::Ssp;
use crate::stream::{Codec, ToJson};
use crate::transport::{Flight, ais, is_imo_number, paxlst};
use crate::xfs4iot::{Message, NoteTypes};
use crate::{bag, bcbp, cctalk, gpio, scale, translit, xfs4iot, xray};

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
    Ssp,
    Ccnet,
    Cctalk,
    Id003,
    Ebds,
    Scale,
    Llrp,
    Gpio,
    Transport,
}

impl Protocol {
    /// All of them, by name.
    pub const ALL: [(&str, Self); 16] = [
        ("mrz", Self::Mrz),
        ("mrz_translit", Self::MrzTranslit),
        ("bcbp", Self::Bcbp),
        ("delimited", Self::Delimited),
        ("xfs4iot", Self::Xfs4Iot),
        ("xray", Self::Xray),
        ("bag", Self::Bag),
        ("ssp", Self::Ssp),
        ("ccnet", Self::Ccnet),
        ("cctalk", Self::Cctalk),
        ("id003", Self::Id003),
        ("ebds", Self::Ebds),
        ("scale", Self::Scale),
        ("llrp", Self::Llrp),
        ("gpio", Self::Gpio),
        ("transport", Self::Transport),
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
            Self::Ssp => all(&mut Ssp::new(), bytes),
            Self::Ccnet => all(&mut Ccnet::codec(), bytes),
            Self::Cctalk => all(&mut Cctalk::new(cctalk::Check::Simple), bytes),
            Self::Id003 => all(&mut Id003::codec(), bytes),
            Self::Ebds => all(&mut Ebds::codec(), bytes),
            Self::Scale if bytes.contains(&STX) => all(&mut Toledo::codec(), bytes),
            Self::Scale => lines(bytes, |line| either(scale::parse_sics(line))),
            Self::Llrp => all(&mut Llrp::new(), bytes),
            Self::Gpio => edges(&text_of(bytes)),
            Self::Transport => transports(&text_of(bytes)),
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

/// Edges of a button, `[milliseconds, level]` a line.
fn edges(text: &str) -> Vec<Value> {
    let edges: Result<Vec<(u64, u8)>, _> =
        text.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str).collect();
    match edges {
        Ok(edges) => {
            let levels = edges.into_iter().map(|(at_ms, level)| (at_ms, level != 0));
            gpio::recording(levels).iter().map(ToJson::to_json).collect()
        }
        Err(error) => vec![json!({"error": "bad_edge", "problem": error.to_string()})],
    }
}

/// A passenger list, sentences of AIS, or a ship number or flight a line.
fn transports(text: &str) -> Vec<Value> {
    let start = text.trim_start();
    if ["UNA", "UNB", "UNH"].iter().any(|tag| start.starts_with(tag)) {
        return vec![either(paxlst::parse(start))];
    }
    let mut messages = Vec::new();
    let mut parts = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with(['!', '\\']) {
            parts.push_str(line);
            parts.push('\n');
            let message = ais::parse(&parts);
            // The rest of the message is to come, unless it is another that begins.
            if message == Err(ais::AisError::Incomplete) && ais::parse(line) == message {
                continue;
            }
            parts.clear();
            messages.push(either(message));
        } else if line.len() == 7 && line.bytes().all(|byte| byte.is_ascii_digit()) {
            messages.push(json!({"imo": line, "valid": is_imo_number(line)}));
        } else {
            messages.push(either(Flight::parse(line)));
        }
    }
    if !parts.is_empty() {
        messages.push(either(ais::parse(&parts)));
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
