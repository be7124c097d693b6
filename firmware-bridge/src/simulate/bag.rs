//! A scanner of bag tags that has the airline's baggage messages on the same line.

use std::io;

use serde::Deserialize;
use serde_json::Value;
use tidewaiter_codec::bag::{Lpn, parse_message};
use tidewaiter_codec::delimited::{CR, Symbology, encode};

use super::cable::{Cable, End, silent};
use super::knobs::Line;
use super::lines::closed;
use super::{PlayError, Raw, Simulated};

/// The scanner.
#[derive(Debug)]
pub struct Scanner {
    cable: Cable,
}

impl Scanner {
    /// Opens its line.
    ///
    /// # Errors
    /// When there is no such line, or something else is in its place.
    pub fn open(end: impl Into<End>) -> io::Result<Self> {
        Ok(Self { cable: Cable::lay(&end.into(), silent())? })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Play {
    /// A tag is scanned: ten digits.
    Tag(String),
    /// The airline's system says that bags are on a flight.
    Message(Message),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    flight: String,
    /// `16NOV`.
    date: String,
    from: String,
    to: String,
    /// The first of consecutive tags.
    tag: String,
    #[serde(default = "one")]
    bags: u16,
    #[serde(default)]
    deleted: bool,
}

fn one() -> u16 {
    1
}

fn lines(message: &Message) -> Result<Vec<u8>, PlayError> {
    let mut lines = vec!["BSM".to_owned()];
    lines.extend(message.deleted.then(|| "DEL".to_owned()));
    lines.push(format!(".V/1L{}", message.from));
    lines.push(format!(".F/{}/{}/{}/Y", message.flight, message.date, message.to));
    lines.push(format!(".N/{}{:03}", message.tag, message.bags));
    lines.push("ENDBSM".to_owned());
    let bytes = closed(&lines);
    // What no reader would take is not sent.
    parse_message(&lines.join("\n")).map_err(|error| PlayError::Content(error.to_string()))?;
    Ok(bytes)
}

impl Simulated for Scanner {
    fn address(&self) -> String {
        self.cable.address()
    }

    fn play(&mut self, command: &Value) -> Result<(), PlayError> {
        if let Some(bytes) = Raw::of(command) {
            return self.cable.send(&bytes?);
        }
        let bytes = match Play::deserialize(command)? {
            Play::Tag(tag) => {
                let tag =
                    Lpn::parse(&tag).map_err(|error| PlayError::Content(error.to_string()))?;
                encode(None, Some(Symbology::Itf), tag.as_str(), &[CR])
            }
            Play::Message(message) => lines(&message)?,
        };
        self.cable.send(&bytes)
    }

    fn line(&self) -> Option<&dyn Line> {
        Some(&self.cable)
    }
}
