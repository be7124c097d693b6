//! An AIS receiver that hears ships say who they are and where they go.

use std::io;

use serde::Deserialize;
use serde_json::Value;
use tidewaiter_codec::transport::ais::{Voyage, compose};

use super::cable::{Cable, End, silent};
use super::knobs::Line;
use super::lines::closed;
use super::{PlayError, Raw, Simulated};

/// The receiver.
#[derive(Debug)]
pub struct Receiver {
    cable: Cable,
    heard: u8,
}

impl Receiver {
    /// Opens its line.
    ///
    /// # Errors
    /// When there is no such line, or something else is in its place.
    pub fn open(end: impl Into<End>) -> io::Result<Self> {
        Ok(Self { cable: Cable::lay(&end.into(), silent())?, heard: 0 })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hear {
    vessel: Vessel,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vessel {
    mmsi: u32,
    imo: u32,
    name: String,
    #[serde(default)]
    call_sign: String,
    #[serde(default)]
    destination: String,
}

impl Simulated for Receiver {
    fn address(&self) -> String {
        self.cable.address()
    }

    fn play(&mut self, command: &Value) -> Result<(), PlayError> {
        if let Some(bytes) = Raw::of(command) {
            return self.cable.send(&bytes?);
        }
        let Vessel { mmsi, imo, name, call_sign, destination } = Hear::deserialize(command)?.vessel;
        let voyage = Voyage { mmsi, imo, call_sign, name, destination };
        self.heard = (self.heard + 1) % 10;
        let sentences = compose(&voyage, self.heard).ok_or_else(|| {
            let told = "a name or destination has 20 capital letters, digits and signs at most, a \
                        call sign 7, an MMSI 9 digits, an IMO number 7";
            PlayError::Content(told.to_owned())
        })?;
        self.cable.send(&closed(&sentences))
    }

    fn line(&self) -> Option<&dyn Line> {
        Some(&self.cable)
    }
}
