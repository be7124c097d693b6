//! Bags: messages of the airline's baggage system and scanned tags, into `movement_seen`.
//!
//! A tag's ten digits say no flight; the airline's message about it does. Messages are
//! remembered, and a scanned tag is a movement where one was heard about it. What is not known is
//! said, not guessed.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tidewaiter_codec::bag::{BagError, BagMessage, Lpn, parse_message};
use tidewaiter_codec::delimited::{Text, split_aim};
use tidewaiter_codec::stream::Item;
use tidewaiter_codec::transport::Flight;
use tidewaiter_proto::body::{Body, MovementSeen};
use tidewaiter_proto::movement::{Mode, Movement, PLACE_UNKNOWN};

use super::session::{Decoder, Outcome};
use super::text::Frames;

/// Reads tags and messages of one line.
pub(super) struct Bags {
    frames: Frames,
    /// The message that is being read, line by line.
    message: String,
    known: BTreeMap<Lpn, Movement>,
    /// Plates in the order in which they were heard of.
    order: VecDeque<Lpn>,
}

impl Bags {
    pub(super) fn new() -> Self {
        Self {
            frames: Frames::new(),
            message: String::new(),
            known: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    fn outcomes(&mut self, items: Vec<Item<Text>>) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for item in items {
            match item {
                Item::Frame(text) => {
                    for line in text.text.split(['\r', '\n']) {
                        outcomes.extend(self.line(line.trim_end()));
                    }
                }
                Item::Fault(fault) => {
                    // The line that was lost may have been an element of it.
                    self.message.clear();
                    outcomes.push(Outcome::fault(&fault));
                }
            }
        }
        outcomes
    }

    fn line(&mut self, line: &str) -> Option<Outcome> {
        if line.is_empty() {
            return None;
        }
        let begins = matches!(line, "BSM" | "BPM" | "BTM" | "BUM");
        if begins && !self.message.is_empty() {
            line.clone_into(&mut self.message);
            self.message.push('\n');
            return Some(refused(&BagError::MissingEnd));
        }
        if !begins && self.message.is_empty() {
            return Some(self.tag(split_aim(line).1));
        }
        if self.message.len() + line.len() > LONGEST {
            self.message.clear();
            return Some(refused(&BagError::MissingEnd));
        }
        self.message.push_str(line);
        self.message.push('\n');
        if !line.starts_with("END") {
            return None;
        }
        match parse_message(&std::mem::take(&mut self.message)) {
            Ok(message) => self.heard(&message),
            Err(error) => Some(refused(&error)),
        }
    }

    /// A message is kept for the tags it names; it is no movement of the lane's by itself.
    fn heard(&mut self, message: &BagMessage) -> Option<Outcome> {
        if message.action == "DEL" {
            for tag in &message.tags {
                self.known.remove(tag);
            }
            return None;
        }
        let Some(movement) = movement(message) else {
            let told = "a baggage message names no flight".to_owned();
            return Some(Outcome::Refused("bad_flight", told));
        };
        for tag in &message.tags {
            if self.known.insert(tag.clone(), movement.clone()).is_none() {
                self.order.push_back(tag.clone());
            }
        }
        while self.order.len() > REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
        None
    }

    fn tag(&self, text: &str) -> Outcome {
        match Lpn::parse(text) {
            Ok(tag) => self.known.get(&tag).map_or_else(
                || {
                    let told =
                        format!("no message about bag {tag}: ask the carrier for its flight");
                    Outcome::Refused("unknown_bag", told)
                },
                |movement| {
                    let movement = movement.clone();
                    Outcome::Reading(Body::MovementSeen(MovementSeen { movement }))
                },
            ),
            Err(error) => refused(&error),
        }
    }
}

/// The flight of a message; the date has no year and is left to the movement's own record.
fn movement(message: &BagMessage) -> Option<Movement> {
    let flight = Flight::parse(message.get("flight")?).ok()?;
    let place = |name: &str| {
        let code = message.get(name).unwrap_or_default();
        let is_airport = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        (if is_airport { code } else { PLACE_UNKNOWN }).to_owned()
    };
    Some(Movement {
        mode: Mode::Air,
        number: Some(format!("{}{}{}", flight.carrier, flight.number, flight.suffix)),
        carrier: Some(flight.carrier),
        tail: None,
        vessel: None,
        from: place("station"),
        to: place("dest"),
        via: Vec::new(),
        scheduled: None,
    })
}

fn refused(error: &BagError) -> Outcome {
    Outcome::Refused(error.name(), format!("{error}: scan the tag again"))
}

impl Decoder for Bags {
    fn feed(&mut self, bytes: &[u8]) -> Vec<Outcome> {
        let items = self.frames.feed(bytes);
        self.outcomes(items)
    }

    fn idle(&mut self) -> Vec<Outcome> {
        let items = self.frames.idle();
        let mut outcomes = self.outcomes(items);
        if !std::mem::take(&mut self.message).is_empty() {
            outcomes.push(refused(&BagError::MissingEnd));
        }
        outcomes
    }

    fn silence(&self) -> Option<Duration> {
        Some(Duration::from_secs(2))
    }
}

/// Plates of a few busy days.
const REMEMBERED: usize = 10_000;
/// A message is a few hundred characters.
const LONGEST: usize = 4096;

#[cfg(test)]
mod tests {
    use super::{Bags, Decoder, Outcome};
    use tidewaiter_proto::body::Body;

    const MESSAGE: &str = "BSM\r\n.V/1LVVO\r\n.F/JS0272/16NOV/FNJ/Y\r\n.N/0272000001002\r\n\
        .P/1KIM/CHOLSU\r\nENDBSM\r\n";

    fn read(bytes: &str) -> Vec<Outcome> {
        let mut bags = Bags::new();
        let mut outcomes: Vec<_> =
            bytes.as_bytes().chunks(7).flat_map(|part| bags.feed(part)).collect();
        outcomes.extend(bags.idle());
        outcomes
    }

    #[test]
    fn a_tag_is_a_movement_where_its_message_was_heard() {
        let outcomes = read(&format!("{MESSAGE}]I00272000002\r"));
        let [Outcome::Reading(Body::MovementSeen(seen))] = outcomes.as_slice() else {
            panic!("{outcomes:?}")
        };
        let movement = &seen.movement;
        assert_eq!(movement.designator().as_deref(), Some("JS272"));
        assert_eq!((movement.from.as_str(), movement.to.as_str()), ("VVO", "FNJ"));
    }

    #[test]
    fn what_is_not_known_is_said_and_never_guessed() {
        let deleted = MESSAGE.replace("BSM\r\n.V", "BSM\r\nDEL\r\n.V");
        for (bytes, kind) in [
            (format!("{MESSAGE}0272000003\r"), "unknown_bag"),
            (format!("{MESSAGE}{deleted}0272000001\r"), "unknown_bag"),
            ("0000000000\r".to_owned(), "not_read"),
            ("027200000\r".to_owned(), "bad_lpn"),
            (MESSAGE.replace("ENDBSM\r\n", ""), "missing_end"),
            (MESSAGE.replace("002\r", "02\r"), "bad_tag"),
            (MESSAGE.replace("JS0272", "0272"), "bad_flight"),
        ] {
            let outcomes = read(&bytes);
            let [Outcome::Refused(found, _)] = outcomes.as_slice() else { panic!("{outcomes:?}") };
            assert_eq!(*found, kind);
        }
    }
}
