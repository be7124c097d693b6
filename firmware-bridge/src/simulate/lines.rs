//! A device that sends lines of text: whatever nobody has a simulator of its own for.

use std::io;

use serde::Deserialize;
use serde_json::Value;

use super::cable::{Cable, End, silent};
use super::knobs::Line;
use super::{PlayError, Raw, Simulated};

/// The device.
#[derive(Debug)]
pub struct Lines {
    cable: Cable,
}

impl Lines {
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
struct Say {
    lines: Vec<String>,
}

impl Simulated for Lines {
    fn address(&self) -> String {
        self.cable.address()
    }

    fn play(&mut self, command: &Value) -> Result<(), PlayError> {
        let bytes = if let Some(bytes) = Raw::of(command) {
            bytes?
        } else {
            closed(&Say::deserialize(command)?.lines)
        };
        self.cable.send(&bytes)
    }

    fn line(&self) -> Option<&dyn Line> {
        Some(&self.cable)
    }
}

/// Lines as a device sends them.
pub(super) fn closed<S: AsRef<str>>(lines: &[S]) -> Vec<u8> {
    lines.iter().flat_map(|line| format!("{}\r\n", line.as_ref()).into_bytes()).collect()
}
