//! A scale that speaks MT-SICS on a serial line: `S`, `SI`.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;
use tidewaiter_codec::delimited::{Delimited, Framing};
use tidewaiter_codec::stream::{Codec, Item};

use super::knobs::Knobs;
use super::terminal::Terminal;
use super::{PlayError, Raw, Simulated};

/// The scale.
#[derive(Debug)]
pub struct Scale {
    line: Terminal,
    shown: Arc<Mutex<Shown>>,
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
    /// Opens its line, linked at `link`; nothing is on it.
    ///
    /// # Errors
    /// When there is no pseudo-terminal, or something else is at `link`.
    pub fn open(link: &Path) -> io::Result<Self> {
        let line = Terminal::open(link)?;
        let empty = Shown { value: Decimal::new(0, 2), unit: "kg".to_owned(), stable: true };
        let shown = Arc::new(Mutex::new(empty));
        let answering = Arc::clone(&shown);
        let mut commands = Delimited::new(Framing::lines());
        line.answer(move |bytes| {
            let commands = commands.feed(bytes).into_iter().filter_map(Item::frame);
            let answers = commands.map(|command| {
                let shown = answering.lock().unwrap_or_else(PoisonError::into_inner);
                shown.answer(&command.text)
            });
            answers.collect::<String>().into_bytes()
        })?;
        Ok(Self { line, shown })
    }
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
}

impl Simulated for Scale {
    fn address(&self) -> String {
        self.line.link().display().to_string()
    }

    fn play(&mut self, command: &Value) -> Result<(), PlayError> {
        if let Some(bytes) = Raw::of(command) {
            return self.line.send(&bytes?);
        }
        let load = Load::deserialize(command)?;
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = load.weight;
        Ok(())
    }

    fn knobs(&mut self) -> Option<&mut Knobs> {
        Some(&mut self.line.knobs)
    }
}
