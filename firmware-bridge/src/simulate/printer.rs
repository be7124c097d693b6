//! A note counter that prints a report after each count, in the layout of the delivered example
//! profile `text-report-example`. It is no maker's.

use std::io;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

use super::cable::{Cable, End, silent};
use super::knobs::Line;
use super::lines::closed;
use super::{PlayError, Raw, Simulated};

/// The counter's printer.
#[derive(Debug)]
pub struct Printer {
    cable: Cable,
}

impl Printer {
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
struct Count {
    count: Vec<Notes>,
    #[serde(default)]
    suspect: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Notes {
    currency: String,
    denomination: Decimal,
    pieces: u64,
}

/// The lines of a report.
fn report(count: &Count) -> Vec<String> {
    let mut lines = vec!["** COUNT REPORT **".to_owned(), "-".repeat(24)];
    for notes in &count.count {
        let value = notes.denomination.normalize();
        lines.push(format!("{} {value} x {}", notes.currency, notes.pieces));
    }
    if count.suspect > 0 {
        lines.push(format!("SUSPECT {}", count.suspect));
    }
    let pieces: u64 = count.count.iter().map(|notes| notes.pieces).sum();
    let worth = |notes: &Notes| notes.denomination.checked_mul(Decimal::from(notes.pieces));
    let amount: Option<Decimal> = count.count.iter().map(worth).sum();
    let amount = amount.unwrap_or_default().normalize();
    lines.push(format!("TOTAL PCS {pieces} AMOUNT {amount}"));
    lines
}

impl Simulated for Printer {
    fn address(&self) -> String {
        self.cable.address()
    }

    fn play(&mut self, command: &Value) -> Result<(), PlayError> {
        let bytes = match Raw::of(command) {
            Some(bytes) => bytes?,
            None => closed(&report(&Count::deserialize(command)?)),
        };
        self.cable.send(&bytes)
    }

    fn line(&self) -> Option<&dyn Line> {
        Some(&self.cable)
    }
}
