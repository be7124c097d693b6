//! Bag tags: licence plate numbers (IATA Resolution 740) and baggage messages (RP1745, Type B).
//!
//! Owns the plates and the elements of a message that a checkpoint needs. Elements it does not
//! know are passed over, as the practice allows; a message without its end is refused whole.

use serde_json::{Map, Value, json};

use crate::stream::ToJson;

/// A licence plate: ten digits on the tag, as the ITF bar code gives them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lpn(String);

/// Why a text is no tag and no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BagError {
    /// Not ten digits.
    #[error("{} characters are no licence plate: ten digits", text.chars().count())]
    BadLpn {
        /// What was read.
        text: String,
    },
    /// The reader answered, and read nothing: ten zeros.
    #[error("the reader saw no tag")]
    NotRead,
    /// Not one of the message types.
    #[error("a line of {} characters begins no baggage message", text.chars().count())]
    BadType {
        /// The first line.
        text: String,
    },
    /// No `END…` line of its own type.
    #[error("the message does not end")]
    MissingEnd,
    /// A `.N` element that is no run of plates.
    #[error("an element of {} characters is no run of licence plates", element.chars().count())]
    BadTag {
        /// The element as it came.
        element: String,
    },
}

impl BagError {
    /// The name used by the vectors.
    pub fn name(&self) -> &'static str {
        match self {
            Self::BadLpn { .. } => "bad_lpn",
            Self::NotRead => "not_read",
            Self::BadType { .. } => "bad_type",
            Self::MissingEnd => "missing_end",
            Self::BadTag { .. } => "bad_tag",
        }
    }
}

impl ToJson for BagError {
    fn to_json(&self) -> Value {
        match self {
            Self::BadTag { element } => json!({"error": self.name(), "element": element}),
            _ => json!({"error": self.name()}),
        }
    }
}

impl Lpn {
    /// Reads ten digits.
    ///
    /// # Errors
    /// [`BagError::BadLpn`], or [`BagError::NotRead`] for ten zeros.
    pub fn parse(text: &str) -> Result<Self, BagError> {
        if text.len() != LPN_DIGITS || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(BagError::BadLpn { text: text.to_owned() });
        }
        if text.bytes().all(|byte| byte == b'0') {
            return Err(BagError::NotRead);
        }
        Ok(Self(text.to_owned()))
    }

    /// The ten digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the leading digit says.
    pub fn kind(&self) -> &'static str {
        match self.0.as_bytes().first() {
            Some(b'0') => "interline_or_online",
            Some(b'1') => "fallback",
            Some(b'2') => "rush",
            _ => "carrier",
        }
    }
}

impl std::fmt::Display for Lpn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl ToJson for Lpn {
    fn to_json(&self) -> Value {
        json!({
            "type": self.kind(),
            "airline_numeric": self.0.get(1..4),
            "serial": self.0.get(4..),
        })
    }
}

/// The plates of a run: ten digits of the first, three of how many follow each other; `None` for
/// anything else.
pub fn consecutive(run: &str) -> Option<Vec<Lpn>> {
    let (first, count) = run.split_at_checked(LPN_DIGITS)?;
    if count.len() != 3 || !run.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (head, serial) = first.split_at_checked(4)?;
    let (serial, count): (u32, u32) = (serial.parse().ok()?, count.parse().ok()?);
    (0..count)
        .map(|step| {
            let serial = serial.checked_add(step).filter(|serial| *serial <= 999_999)?;
            Lpn::parse(&format!("{head}{serial:06}")).ok()
        })
        .collect()
}

/// A baggage message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BagMessage {
    /// `BSM` (source), `BPM` (processed), `BTM` (transfer), `BUM` (unload).
    pub kind: String,
    /// `ADD`, or `CHG` or `DEL` from the line after the type.
    pub action: String,
    /// The plates.
    pub tags: Vec<Lpn>,
    elements: Vec<(&'static str, String)>,
}

/// Reads a message, its lines closed by CR, LF or both.
///
/// # Errors
/// [`BagError`]; nothing of a message without end, or with a plate that is none, is used.
pub fn parse_message(text: &str) -> Result<BagMessage, BagError> {
    let mut lines = text.split(['\r', '\n']).map(str::trim_end).filter(|line| !line.is_empty());
    let kind = lines.next().unwrap_or_default();
    if !TYPES.contains(&kind) {
        return Err(BagError::BadType { text: kind.chars().take(16).collect() });
    }
    let mut message =
        BagMessage { kind: kind.to_owned(), action: "ADD".to_owned(), ..BagMessage::default() };
    for line in lines {
        if line.strip_prefix("END") == Some(kind) {
            return Ok(message);
        }
        match line {
            "CHG" | "DEL" => line.clone_into(&mut message.action),
            _ => message.element(line)?,
        }
    }
    Err(BagError::MissingEnd)
}

impl BagMessage {
    /// An element by its name in the vectors: `station`, `flight`, `passenger`, ….
    pub fn get(&self, name: &str) -> Option<&str> {
        self.elements.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str())
    }

    fn element(&mut self, line: &str) -> Result<(), BagError> {
        let Some((name, value)) = line.split_once('/') else { return Ok(()) };
        match name {
            ".V" => {
                let split = value.split_at_checked(1).and_then(|(version, rest)| {
                    rest.split_at_checked(1).map(|(source, station)| (version, source, station))
                });
                if let Some((version, source, station)) = split {
                    self.put("version", version);
                    self.put("source", source);
                    self.put("station", station);
                }
            }
            ".F" => {
                for (name, part) in ["flight", "date", "dest"].into_iter().zip(value.split('/')) {
                    self.put(name, part);
                }
            }
            ".N" => {
                let bad = || BagError::BadTag { element: line.to_owned() };
                self.tags.extend(consecutive(value).ok_or_else(bad)?);
            }
            ".P" => self.put("passenger", value),
            ".X" => self.put("screening", value),
            ".J" => self.put("processing", value),
            _ => {}
        }
        Ok(())
    }

    fn put(&mut self, name: &'static str, value: &str) {
        self.elements.push((name, value.to_owned()));
    }
}

impl ToJson for BagMessage {
    fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("type".into(), json!(self.kind));
        out.insert("action".into(), json!(self.action));
        let tags: Vec<&str> = self.tags.iter().map(Lpn::as_str).collect();
        out.insert("tags".into(), json!(tags));
        for (name, value) in &self.elements {
            out.entry(*name).or_insert_with(|| json!(value));
        }
        Value::Object(out)
    }
}

const LPN_DIGITS: usize = 10;
const TYPES: [&str; 4] = ["BSM", "BPM", "BTM", "BUM"];

#[cfg(test)]
mod tests {
    use super::{BagError, Lpn, consecutive, parse_message};
    use proptest::prelude::*;

    #[test]
    fn a_reader_that_saw_no_tag_gives_no_bag() {
        assert_eq!(Lpn::parse("0000000000"), Err(BagError::NotRead));
    }

    #[test]
    fn a_run_beyond_the_last_serial_is_refused() {
        assert_eq!(consecutive("0220999999001").map(|run| run.len()), Some(1));
        assert_eq!(consecutive("0220999999002"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_a_message_panic(text in "(BSM|BPM)?[ -~\r\nÀ-ÿ]{0,120}") {
            let _read = parse_message(&text);
        }
    }
}
