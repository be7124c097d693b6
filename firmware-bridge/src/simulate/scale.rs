//! A scale: one that answers MT-SICS (`S`, `SI`), or one that sends Toledo's continuous output.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, sleep};
use std::time::Duration;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;
use tidewaiter_codec::delimited::{Delimited, Framing};
use tidewaiter_codec::scale::toledo_kilograms;
use tidewaiter_codec::stream::{Codec, Item};

use super::cable::{Cable, End, silent};
use super::knobs::Line;
use super::{PlayError, Raw, Simulated};

/// The scale.
#[derive(Debug)]
pub struct Scale {
    cable: Arc<Cable>,
    shown: Arc<Mutex<Shown>>,
    continuous: bool,
}

/// What its display shows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    value: Decimal,
    unit: String,
    #[serde(default = "at_rest")]
    stable: bool,
}

fn at_rest() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Load {
    weight: Shown,
}

impl Scale {
    /// Opens the line of a scale that is asked; nothing is on it.
    ///
    /// # Errors
    /// When there is no such line, or something else is in its place.
    pub fn open(end: impl Into<End>) -> io::Result<Self> {
        let shown = empty();
        let answering = Arc::clone(&shown);
        let mut commands = Delimited::new(Framing::lines());
        let answer = move |bytes: &[u8]| {
            let commands = commands.feed(bytes).into_iter().filter_map(Item::frame);
            let answers = commands.map(|command| locked(&answering).answer(&command.text));
            answers.collect::<String>().into_bytes()
        };
        let cable = Arc::new(Cable::lay(&end.into(), Box::new(answer))?);
        Ok(Self { cable, shown, continuous: false })
    }

    /// Opens the line of a scale that shows its weight five times a second, unasked.
    ///
    /// # Errors
    /// When there is no such line, or something else is in its place.
    pub fn toledo(end: impl Into<End>) -> io::Result<Self> {
        let shown = empty();
        let cable = Arc::new(Cable::lay(&end.into(), silent())?);
        let (shows, line) = (Arc::clone(&shown), Arc::downgrade(&cable));
        thread::Builder::new().name("continuous scale".to_owned()).spawn(move || {
            // Ends with the scale.
            while let Some(line) = line.upgrade() {
                if let Some(frame) = locked(&shows).frame() {
                    // Nobody listens: the next frame is as good.
                    let _ = line.send(&frame);
                }
                drop(line);
                sleep(PERIOD);
            }
        })?;
        Ok(Self { cable, shown, continuous: true })
    }
}

fn empty() -> Arc<Mutex<Shown>> {
    let empty = Shown { value: Decimal::new(0, 2), unit: "kg".to_owned(), stable: true };
    Arc::new(Mutex::new(empty))
}

impl Shown {
    fn answer(&self, command: &str) -> String {
        let status = if self.stable { 'S' } else { 'D' };
        match command {
            "S" if !self.stable => "S I\r\n".to_owned(),
            "S" | "SI" => format!("S {status} {:>10} {}\r\n", self.value.to_string(), self.unit),
            _ => "ES\r\n".to_owned(),
        }
    }

    fn frame(&self) -> Option<[u8; 18]> {
        toledo_kilograms(self.value, !self.stable)
    }
}

impl Simulated for Scale {
    fn address(&self) -> String {
        self.cable.address()
    }

    fn play(&mut self, command: &Value) -> Result<(), PlayError> {
        if let Some(bytes) = Raw::of(command) {
            return self.cable.send(&bytes?);
        }
        let shown = Load::deserialize(command)?.weight;
        if self.continuous && (shown.unit != "kg" || shown.frame().is_none()) {
            let told = "the display has six places, in kilograms".to_owned();
            return Err(PlayError::Content(told));
        }
        *locked(&self.shown) = shown;
        Ok(())
    }

    fn line(&self) -> Option<&dyn Line> {
        Some(&*self.cable)
    }
}

fn locked(shown: &Mutex<Shown>) -> MutexGuard<'_, Shown> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}

const PERIOD: Duration = Duration::from_millis(200);
