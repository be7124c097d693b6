//! A device that sends lines of text on a pseudo-terminal: a scanner of bag tags or a baggage
//! feed, an AIS receiver, a note counter that prints.

use std::io;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::knobs::Knobs;
use super::terminal::Terminal;
use super::{PlayError, Raw, Simulated};

/// The device.
#[derive(Debug)]
pub struct Lines {
    line: Terminal,
}

impl Lines {
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
struct Say {
    lines: Vec<String>,
}

impl Simulated for Lines {
    fn address(&self) -> String {
        self.line.link().display().to_string()
    }

    fn play(&mut self, command: &Value) -> Result<(), PlayError> {
        let bytes = if let Some(bytes) = Raw::of(command) {
            bytes?
        } else {
            let said = Say::deserialize(command)?.lines;
            said.iter().flat_map(|line| format!("{line}\r\n").into_bytes()).collect()
        };
        self.line.send(&bytes)
    }

    fn knobs(&mut self) -> Option<&mut Knobs> {
        Some(&mut self.line.knobs)
    }
}
