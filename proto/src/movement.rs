//! A movement across a border: a flight, a voyage, a train, a lorry, a parcel.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One movement. Places are IATA codes or UN/LOCODEs, as the source gives them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// How.
    pub mode: Mode,
    /// IATA or ICAO designator, or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// Number as printed: `JS272`, `272` and `0272` are one flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Aircraft registration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<String>,
    /// Vessel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vessel: Option<Vessel>,
    /// Where it comes from.
    pub from: String,
    /// Where it goes to.
    pub to: String,
    /// Places between.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<String>,
    /// Scheduled departure (exit) or arrival (entry).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<Timestamp>,
}

/// What a station writes for an end of a movement that it does not know yet: a document was read,
/// the boarding pass was not. No country has this code.
pub const PLACE_UNKNOWN: &str = "ZZZZZ";

/// A vessel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vessel {
    /// Name as given.
    pub name: String,
    /// IMO number, seven digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imo: Option<String>,
    /// Flag state, ISO 3166 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<String>,
}

/// Modes of transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By air.
    Air,
    /// By sea or inland water.
    Sea,
    /// By rail.
    Rail,
    /// By road.
    Road,
    /// By post, courier or freight, unaccompanied.
    Post,
}

impl Movement {
    /// The flight designator with the carrier once and no leading zeros: `JS272`.
    ///
    /// `None` without a number.
    pub fn designator(&self) -> Option<String> {
        let number = self.number.as_deref()?.trim();
        let carrier = self.carrier.as_deref().unwrap_or_default().trim();
        let rest = match number.get(..carrier.len()) {
            Some(prefix) if !carrier.is_empty() && prefix.eq_ignore_ascii_case(carrier) => {
                number.get(carrier.len()..).unwrap_or_default().trim()
            }
            _ => number,
        };
        let bare = rest.trim_start_matches('0');
        let bare = if bare.starts_with(|c: char| c.is_ascii_digit()) { bare } else { rest };
        // A number that still carries another designator keeps it: the carrier's is not its own.
        let printed_with_letters = rest.starts_with(|c: char| c.is_ascii_alphabetic());
        let prefix = if printed_with_letters { "" } else { carrier };
        Some(format!("{prefix}{bare}").to_ascii_uppercase())
    }
}

#[cfg(test)]
mod tests {
    use super::{Mode, Movement};

    fn flight(carrier: Option<&str>, number: &str) -> String {
        Movement {
            mode: Mode::Air,
            carrier: carrier.map(str::to_owned),
            number: Some(number.to_owned()),
            tail: None,
            vessel: None,
            from: "VVO".to_owned(),
            to: "FNJ".to_owned(),
            via: Vec::new(),
            scheduled: None,
        }
        .designator()
        .unwrap()
    }

    #[test]
    fn a_flight_is_one_however_its_number_is_printed() {
        for number in ["JS272", "272", "0272", "JS0272", "js 272"] {
            assert_eq!(flight(Some("JS"), number), "JS272", "{number}");
        }
        assert_eq!(flight(None, "JS272"), "JS272");
    }
}
