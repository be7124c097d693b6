//! Which flight or voyage: flight designators, IMO numbers, AIS messages, passenger lists.
//!
//! Sources: IATA SSIM (designator), IMO resolution A.1117(30) (ship numbers), ITU-R M.1371 and
//! IEC 61162-1 as gpsd's AIVDM text describes them, the WCO/IATA/ICAO guide to PAXLST (D:05B).

pub mod ais;
pub mod paxlst;

use crate::stream::ToJson;
use serde_json::{Value, json};

/// A flight designator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flight {
    /// IATA (two characters) or ICAO (three letters).
    pub carrier: String,
    /// 1 to 9999.
    pub number: u16,
    /// A letter, or nothing.
    pub suffix: String,
}

/// A text that is no flight designator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a flight designator: two characters with a letter or three letters, 1 to 4 digits")]
pub struct BadFlight;

impl Flight {
    /// Reads `ZZ0042`, `9Z101`, `UTO 4416`, `ZZ42A`.
    ///
    /// # Errors
    /// [`BadFlight`].
    pub fn parse(text: &str) -> Result<Self, BadFlight> {
        let compact: String = text.chars().filter(|letter| *letter != ' ').collect();
        let three = compact.bytes().take(3).filter(u8::is_ascii_uppercase).count() == 3;
        let (carrier, rest) =
            compact.split_at_checked(if three { 3 } else { 2 }).ok_or(BadFlight)?;
        let sound = carrier.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        let lettered = carrier.bytes().any(|byte| byte.is_ascii_uppercase());
        let digits = rest.trim_end_matches(|letter: char| letter.is_ascii_uppercase());
        let suffix = rest.strip_prefix(digits).unwrap_or_default();
        let plain = (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        let number = digits.parse().ok().filter(|number| *number > 0 && plain);
        match number {
            Some(number) if sound && lettered && suffix.len() <= 1 => {
                Ok(Self { carrier: carrier.to_owned(), number, suffix: suffix.to_owned() })
            }
            _ => Err(BadFlight),
        }
    }
}

impl ToJson for Flight {
    fn to_json(&self) -> Value {
        json!({"carrier": self.carrier, "number": self.number, "suffix": self.suffix})
    }
}

impl ToJson for BadFlight {
    fn to_json(&self) -> Value {
        json!({"error": "bad_flight"})
    }
}

/// Whether seven digits are an IMO ship number: weighted 7 to 2, the sum ends in the last digit.
pub fn is_imo_number(text: &str) -> bool {
    let text = text.strip_prefix("IMO").map_or(text, str::trim_start);
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(10)).collect();
    let [first @ .., check] = digits.as_slice() else { return false };
    let weighted =
        first.iter().zip((2..=7).rev()).map(|(digit, weight)| digit.saturating_mul(weight));
    let sum = weighted.fold(0_u32, u32::saturating_add);
    text.len() == 7 && digits.len() == 7 && sum % 10 == *check
}

#[cfg(test)]
mod tests {
    use super::{BadFlight, Flight, is_imo_number};
    use proptest::prelude::*;

    #[test]
    fn designators_and_what_is_none() {
        let read = |text: &str| {
            Flight::parse(text).map(|flight| (flight.carrier, flight.number, flight.suffix))
        };
        assert_eq!(read("JS272"), Ok(("JS".into(), 272, String::new())));
        assert_eq!(read("AAL100B"), Ok(("AAL".into(), 100, "B".into())));
        assert_eq!(read("U21"), Ok(("U2".into(), 1, String::new())));
        for none in ["", "J", "JS", "JS12345", "JS0", "js272", "JS27BB", "ÄÖ12"] {
            assert_eq!(read(none), Err(BadFlight), "{none}");
        }
    }

    #[test]
    fn ship_numbers_have_seven_digits() {
        assert!(is_imo_number("9074729") && is_imo_number("IMO 9074729"));
        assert!(!is_imo_number("90747290") && !is_imo_number("907472X"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,20}") {
            let _read = (Flight::parse(&text), is_imo_number(&text));
        }

        #[test]
        fn designators_read_back(carrier in "[A-Z]{2,3}", number in 1_u16..10_000, suffix in "[A-Z]?") {
            let flight = Flight { carrier, number, suffix };
            let text = format!("{}{:04}{}", flight.carrier, flight.number, flight.suffix);
            prop_assert_eq!(Flight::parse(&text), Ok(flight));
        }
    }
}
