//! A note validator on a serial line, speaking CCNET or SSP.
//!
//! This file owns the line; what the validator does with notes and commands is
//! [`ccnet`]'s and [`ssp`]'s.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

use super::cable::{Cable, End};
use super::knobs::Line;
use super::{PlayError, Raw, Simulated};

mod ccnet;
mod ssp;

/// The validator.
#[derive(Debug)]
pub struct Validator {
    cable: Cable,
    shared: Arc<Mutex<Shared>>,
}

/// The device behind the line, without the line.
#[derive(Debug)]
pub(crate) struct Shared {
    device: Device,
    notes: Notes,
}

#[derive(Debug)]
enum Device {
    Ccnet(ccnet::Peripheral),
    Ssp(ssp::Slave),
}

/// Notes in front of the mouth, and in the stacker.
#[derive(Debug, Default)]
struct Notes {
    waiting: VecDeque<usize>,
    stacked: Vec<usize>,
}

/// What to do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Play {
    /// Notes are put in, one after the other.
    Notes(Vec<Kind>),
    /// The power is cut, and back at once.
    PowerCut(bool),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    currency: String,
    denomination: Decimal,
    pieces: u32,
}

impl Validator {
    /// A CCNET validator at the end of this line.
    ///
    /// # Errors
    /// When there is no such line, or something else is in its place.
    pub fn ccnet(end: impl Into<End>) -> io::Result<Self> {
        Self::open(&end.into(), Shared::ccnet())
    }

    /// An SSP validator at the end of this line.
    ///
    /// # Errors
    /// When there is no such line, or something else is in its place.
    pub fn ssp(end: impl Into<End>) -> io::Result<Self> {
        Self::open(&end.into(), Shared::ssp())
    }

    fn open(end: &End, shared: Shared) -> io::Result<Self> {
        let shared = Arc::new(Mutex::new(shared));
        let answering = Arc::clone(&shared);
        let cable = Cable::lay(end, Box::new(move |bytes| lock(&answering).hear(bytes)))?;
        Ok(Self { cable, shared })
    }

    /// What is in the stacker: currency, denomination, pieces.
    pub fn stacked(&self) -> Vec<(&'static str, Decimal, usize)> {
        lock(&self.shared).stacked()
    }
}

impl Shared {
    pub(crate) fn ccnet() -> Self {
        Self::of(Device::Ccnet(ccnet::Peripheral::default()))
    }

    pub(crate) fn ssp() -> Self {
        Self::of(Device::Ssp(ssp::Slave::default()))
    }

    fn of(device: Device) -> Self {
        Self { device, notes: Notes::default() }
    }

    pub(crate) fn stacked(&self) -> Vec<(&'static str, Decimal, usize)> {
        let of = |(place, (currency, value)): (usize, &(&'static str, u32))| {
            let pieces = self.notes.stacked.iter().filter(|note| **note == place).count();
            (*currency, Decimal::from(*value), pieces)
        };
        TABLE.iter().enumerate().map(of).filter(|(.., pieces)| *pieces > 0).collect()
    }

    /// Answers what came.
    pub(crate) fn hear(&mut self, bytes: &[u8]) -> Vec<u8> {
        match &mut self.device {
            Device::Ccnet(peripheral) => peripheral.hear(bytes, &mut self.notes).concat(),
            Device::Ssp(slave) => slave.hear(bytes, &mut self.notes).concat(),
        }
    }

    /// Does what it is told.
    pub(crate) fn play(&mut self, command: &Value) -> Result<(), PlayError> {
        match Play::deserialize(command)? {
            Play::Notes(kinds) => {
                let mut notes = Vec::new();
                for kind in kinds {
                    let known = TABLE.iter().position(|(currency, value)| {
                        *currency == kind.currency && Decimal::from(*value) == kind.denomination
                    });
                    let Some(note) = known else {
                        let told = format!("no such note: {} {}", kind.denomination, kind.currency);
                        return Err(PlayError::Content(told));
                    };
                    notes.extend((0..kind.pieces).map(|_| note));
                }
                self.notes.waiting.extend(notes);
            }
            Play::PowerCut(false) => {}
            Play::PowerCut(true) => match &mut self.device {
                Device::Ccnet(peripheral) => peripheral.power_cut(&mut self.notes),
                Device::Ssp(slave) => slave.power_cut(&mut self.notes),
            },
        }
        Ok(())
    }
}

impl Simulated for Validator {
    fn address(&self) -> String {
        self.cable.address()
    }

    fn play(&mut self, command: &Value) -> Result<(), PlayError> {
        if let Some(bytes) = Raw::of(command) {
            return self.cable.send(&bytes?);
        }
        lock(&self.shared).play(command)
    }

    fn line(&self) -> Option<&dyn Line> {
        Some(&self.cable)
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The notes it takes; their places are bill types and channels.
const TABLE: [(&str, u32); 9] = [
    ("USD", 1),
    ("USD", 5),
    ("USD", 10),
    ("USD", 20),
    ("USD", 50),
    ("USD", 100),
    ("EUR", 50),
    ("EUR", 100),
    ("EUR", 500),
];
