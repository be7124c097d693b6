//! Ships: the voyage data that an AIS receiver hears (`!AIVDM`, NMEA 0183), into `movement_seen`.
//!
//! What a ship says of itself is its claim. An IMO number whose check digit disagrees is left out
//! and said; a ship is told again when what it says has changed.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tidewaiter_codec::delimited::Text;
use tidewaiter_codec::stream::Item;
use tidewaiter_codec::transport::ais::{self, AisError, Content};
use tidewaiter_codec::transport::is_imo_number;
use tidewaiter_proto::body::{Body, MovementSeen};
use tidewaiter_proto::movement::{Mode, Movement, PLACE_UNKNOWN, Vessel};

use super::session::{Decoder, Outcome};
use super::text::Frames;

/// Reads a receiver.
pub(super) struct Receiver {
    frames: Frames,
    /// Sentences of messages that are not whole, by count, number and channel.
    parts: BTreeMap<String, Vec<String>>,
    /// What each ship said last, by its MMSI.
    said: BTreeMap<u32, Movement>,
    order: VecDeque<u32>,
}

impl Receiver {
    pub(super) fn new() -> Self {
        Self {
            frames: Frames::new(),
            parts: BTreeMap::new(),
            said: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    fn outcomes(&mut self, items: &[Item<Text>]) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for item in items {
            match item {
                Item::Frame(text) => outcomes.extend(self.sentence(text.text.trim())),
                Item::Fault(fault) => outcomes.push(Outcome::fault(fault)),
            }
        }
        outcomes
    }

    fn sentence(&mut self, line: &str) -> Vec<Outcome> {
        // Receivers say where they are too; that is no ship.
        let Some(start) = line.find('!') else { return Vec::new() };
        let mut fields = line.get(start..).unwrap_or_default().split(',').skip(1);
        let mut field = || fields.next().unwrap_or_default();
        let (count, part, sequence, channel) = (field(), field(), field(), field());
        if count == "1" {
            return self.message(line);
        }
        let key = format!("{count},{sequence},{channel}");
        if self.parts.len() >= UNFINISHED && !self.parts.contains_key(&key) {
            self.parts.clear();
        }
        let parts = self.parts.entry(key.clone()).or_default();
        if part == "1" {
            parts.clear();
        }
        parts.push(line.to_owned());
        if part != count {
            return Vec::new();
        }
        let whole = self.parts.remove(&key).unwrap_or_default().join("\n");
        self.message(&whole)
    }

    fn message(&mut self, sentences: &str) -> Vec<Outcome> {
        let (imo, name, destination, mmsi) = match ais::parse(sentences) {
            Ok(ais::Message { mmsi, content, .. }) => match content {
                Content::Voyage { imo, name, destination, .. } => (imo, name, destination, mmsi),
                _ => return Vec::new(),
            },
            // Weak reception is the sea's way; only what fails its check is worth a word.
            Err(AisError::Incomplete) => return Vec::new(),
            Err(error) => return vec![Outcome::Refused("ais", error.to_string())],
        };
        if name.is_empty() {
            return Vec::new();
        }
        let mut outcomes = Vec::new();
        let number = imo.map(|imo| format!("{imo:07}"));
        let sound = number.clone().filter(|number| is_imo_number(number));
        let movement = Movement {
            mode: Mode::Sea,
            carrier: None,
            number: None,
            tail: None,
            vessel: Some(Vessel { name: name.clone(), imo: sound.clone(), flag: None }),
            from: PLACE_UNKNOWN.to_owned(),
            to: place(&destination).unwrap_or_else(|| PLACE_UNKNOWN.to_owned()),
            via: Vec::new(),
            scheduled: None,
        };
        if self.said.get(&mmsi) == Some(&movement) {
            return outcomes;
        }
        if let Some(number) = number.filter(|_| sound.is_none()) {
            let told = format!("{name} gives {number}, which is no IMO number: look at the ship");
            outcomes.push(Outcome::Refused("imo_number", told));
        }
        if self.said.insert(mmsi, movement.clone()).is_none() {
            self.order.push_back(mmsi);
        }
        while self.order.len() > REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.said.remove(&oldest);
            }
        }
        outcomes.push(Outcome::Reading(Body::MovementSeen(MovementSeen { movement })));
        outcomes
    }
}

/// A UN/LOCODE that an officer typed: `RUVVO`, `RU VVO`, `KPNAM>RUVVO`.
fn place(typed: &str) -> Option<String> {
    let end = typed.rsplit('>').next().unwrap_or(typed);
    let code: String = end.chars().filter(|c| *c != ' ').collect();
    let is_code = code.len() == 5
        && code.bytes().take(2).all(|byte| byte.is_ascii_uppercase())
        && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    is_code.then_some(code)
}

impl Decoder for Receiver {
    fn feed(&mut self, bytes: &[u8]) -> Vec<Outcome> {
        let items = self.frames.feed(bytes);
        self.outcomes(&items)
    }

    fn idle(&mut self) -> Vec<Outcome> {
        self.parts.clear();
        let items = self.frames.idle();
        self.outcomes(&items)
    }

    fn silence(&self) -> Option<Duration> {
        Some(Duration::from_secs(2))
    }
}

/// Ships in reach of a busy port.
const REMEMBERED: usize = 5000;
const UNFINISHED: usize = 64;

#[cfg(test)]
mod tests {
    use super::{Decoder, Outcome, Receiver, place};
    use tidewaiter_codec::transport::ais::{Voyage, compose};
    use tidewaiter_proto::body::Body;

    /// What a receiver hears of a ship.
    fn voyage(imo: u32, name: &str, destination: &str) -> String {
        let (name, destination) = (name.to_owned(), destination.to_owned());
        let voyage = Voyage { mmsi: 445_123_456, imo, name, destination, ..Voyage::default() };
        compose(&voyage, 3).unwrap().join("\r\n") + "\r\n"
    }

    fn read(receiver: &mut Receiver, bytes: &str) -> Vec<Outcome> {
        bytes.as_bytes().chunks(9).flat_map(|part| receiver.feed(part)).collect()
    }

    #[test]
    fn a_ship_is_told_with_its_number_and_again_when_it_changes() {
        let mut receiver = Receiver::new();
        let sent = voyage(9_074_729, "MORNING STAR", "RU VVO");
        let outcomes = read(&mut receiver, &format!("$GPGGA,1*00\r\n{sent}{sent}"));
        let [Outcome::Reading(Body::MovementSeen(seen))] = outcomes.as_slice() else {
            panic!("{outcomes:?}")
        };
        let vessel = seen.movement.vessel.as_ref().unwrap();
        assert_eq!(
            (vessel.name.as_str(), vessel.imo.as_deref()),
            ("MORNING STAR", Some("9074729"))
        );
        assert_eq!((seen.movement.from.as_str(), seen.movement.to.as_str()), ("ZZZZZ", "RUVVO"));
        let renamed = read(&mut receiver, &voyage(9_074_729, "EVENING STAR", "RU VVO"));
        assert_eq!(renamed.len(), 1);
    }

    #[test]
    fn a_number_that_fails_its_check_is_said_and_left_out() {
        let outcomes = read(&mut Receiver::new(), &voyage(9_074_728, "MORNING STAR", ""));
        let [Outcome::Refused("imo_number", _), Outcome::Reading(Body::MovementSeen(seen))] =
            outcomes.as_slice()
        else {
            panic!("{outcomes:?}")
        };
        assert_eq!(seen.movement.vessel.as_ref().unwrap().imo, None);
    }

    #[test]
    fn a_damaged_or_half_message_is_no_ship() {
        let sent = voyage(9_074_729, "MORNING STAR", "RU VVO");
        let damaged = sent.replacen("AIVDM,2,2,3,B,", "AIVDM,2,2,3,B,0", 1);
        let refused = read(&mut Receiver::new(), &damaged);
        assert!(matches!(refused.as_slice(), [Outcome::Refused("ais", _)]), "{refused:?}");
        let half = sent.lines().last().unwrap();
        assert!(read(&mut Receiver::new(), &format!("{half}\r\n")).is_empty());
    }

    #[test]
    fn a_destination_is_a_code_or_unknown() {
        assert_eq!(place("KPNAM>RUVVO").as_deref(), Some("RUVVO"));
        assert_eq!(place("FISHING GROUNDS"), None);
    }
}
