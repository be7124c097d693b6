//! A boarding-pass scanner: AIM identifier of PDF417, the pass, CR on a serial line.

use std::io;

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;
use tidewaiter_codec::bcbp::{BoardingPass, Leg, compose};
use tidewaiter_codec::delimited::{CR, Symbology, encode};

use super::cable::{Cable, End, silent};
use super::knobs::Line;
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
#[serde(deny_unknown_fields)]
struct Pass {
    passenger: String,
    #[serde(default)]
    pnr: String,
    from: String,
    to: String,
    carrier: String,
    number: String,
    date: Date,
    #[serde(default)]
    seat: String,
    #[serde(default)]
    sequence: String,
}

impl Simulated for Scanner {
    fn address(&self) -> String {
        self.cable.address()
    }

    fn play(&mut self, command: &Value) -> Result<(), PlayError> {
        let bytes = match Raw::of(command) {
            Some(bytes) => bytes?,
            None => scan(Pass::deserialize(command)?)?,
        };
        self.cable.send(&bytes)
    }

    fn line(&self) -> Option<&dyn Line> {
        Some(&self.cable)
    }
}

/// What the scanner sends for a pass.
fn scan(pass: Pass) -> Result<Vec<u8>, PlayError> {
    let leg = Leg {
        pnr: pass.pnr,
        origin: pass.from,
        destination: pass.to,
        carrier: pass.carrier,
        // Four digits, as airlines print it; a suffix stands after them.
        flight: format!("{:0>4}", pass.number),
        day: u16::try_from(pass.date.day_of_year()).unwrap_or_default(),
        cabin: "Y".to_owned(),
        seat: format!("{:0>4}", pass.seat),
        sequence: pass.sequence,
        status: "1".to_owned(),
        ..Leg::default()
    };
    let pass = BoardingPass {
        passenger: pass.passenger,
        eticket: "E".to_owned(),
        legs: vec![leg],
        ..BoardingPass::default()
    };
    let text = compose(&pass).map_err(|error| PlayError::Content(error.to_string()))?;
    Ok(encode(None, Some(Symbology::Pdf417), &text, &[CR]))
}
