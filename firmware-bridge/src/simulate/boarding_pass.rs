//! A boarding-pass scanner: AIM identifier of PDF417, the pass, CR on a serial line.

use std::io;
use std::path::Path;

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;
use tidewaiter_codec::bcbp::{BoardingPass, Leg, compose};
use tidewaiter_codec::delimited::{CR, Symbology, encode};

use super::knobs::Knobs;
use super::terminal::Terminal;
use super::{PlayError, Raw, Simulated};

/// The scanner.
#[derive(Debug)]
pub struct Scanner {
    line: Terminal,
}

impl Scanner {
    /// Opens its line, linked at `link`.
    ///
    /// # Errors
    /// When there is no pseudo-terminal, or something else is at `link`.
    pub fn open(link: &Path) -> io::Result<Self> {
        Ok(Self { line: Terminal::open(link)? })
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
        self.line.link().display().to_string()
    }

    fn play(&mut self, command: &Value) -> Result<(), PlayError> {
        let bytes = match Raw::of(command) {
            Some(bytes) => bytes?,
            None => scan(Pass::deserialize(command)?)?,
        };
        self.line.send(&bytes)
    }

    fn knobs(&mut self) -> Option<&mut Knobs> {
        Some(&mut self.line.knobs)
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
