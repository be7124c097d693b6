//! An X-ray station: sends each result as a line over TCP, as a message to a broker, or as a file.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tidewaiter_codec::xray;

use super::cable::{Cable, End, silent};
use super::knobs::{Knobs, Line};
use super::{PlayError, Raw, Simulated};

mod publisher;

use publisher::Publisher;

/// The station.
#[derive(Debug)]
pub struct Station {
    way: Way,
}

/// How its results leave it.
#[derive(Debug)]
enum Way {
    Cable(Cable),
    Directory(Directory),
    Broker(Publisher),
}

impl Station {
    /// Listens at `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be listened at.
    pub fn listen(address: SocketAddr) -> io::Result<Self> {
        let cable = Cable::lay(&End::Listen(address), silent())?;
        Ok(Self { way: Way::Cable(cable) })
    }

    /// Writes into a directory, which is made where it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn into_directory(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let way = Way::Directory(Directory {
            path: directory.to_owned(),
            knobs: Mutex::default(),
            written: Mutex::default(),
        });
        Ok(Self { way })
    }

    /// Publishes at a broker, `HOST:PORT`, connecting for ever.
    ///
    /// # Errors
    /// When the address is none, or there are no threads.
    pub fn publish(broker: &str, topic: &str) -> io::Result<Self> {
        Ok(Self { way: Way::Broker(Publisher::open(broker, topic)?) })
    }

    /// Breaks all connections, as a restart would.
    pub fn unplug(&mut self) {
        if let Some(line) = self.line() {
            // Nothing to put back that could fail.
            let _ = line.unplug(Duration::ZERO);
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scan {
    result: Value,
}

impl Simulated for Station {
    fn address(&self) -> String {
        match &self.way {
            Way::Cable(cable) => cable.address(),
            Way::Directory(directory) => directory.path.display().to_string(),
            Way::Broker(publisher) => publisher.address(),
        }
    }

    fn play(&mut self, command: &Value) -> Result<(), PlayError> {
        let bytes = if let Some(bytes) = Raw::of(command) {
            bytes?
        } else {
            let line = Scan::deserialize(command)?.result.to_string();
            xray::parse(&line).map_err(|error| PlayError::Content(error.to_string()))?;
            format!("{line}\n").into_bytes()
        };
        match &self.way {
            Way::Cable(cable) => cable.send(&bytes),
            Way::Directory(directory) => directory.write(&bytes),
            Way::Broker(publisher) => publisher.send(&bytes),
        }
    }

    fn line(&self) -> Option<&dyn Line> {
        Some(match &self.way {
            Way::Cable(cable) => cable,
            Way::Directory(directory) => directory,
            Way::Broker(publisher) => publisher,
        })
    }
}

/// A directory that results are written into.
#[derive(Debug)]
struct Directory {
    path: PathBuf,
    knobs: Mutex<Knobs>,
    written: Mutex<u64>,
}

impl Directory {
    fn write(&self, bytes: &[u8]) -> Result<(), PlayError> {
        let delay = locked(&self.knobs).delay();
        sleep(delay);
        let bytes = locked(&self.knobs).through(bytes);
        if bytes.is_empty() {
            return Ok(());
        }
        let number = {
            let mut written = locked(&self.written);
            *written += 1;
            *written
        };
        // Written aside and moved, as a station does that knows its reader.
        let aside = self.path.join(format!("{number:06}.part"));
        fs::write(&aside, bytes)?;
        Ok(fs::rename(&aside, self.path.join(format!("{number:06}.json")))?)
    }
}

impl Line for Directory {
    fn turn(&self, command: &Value) -> Result<bool, PlayError> {
        locked(&self.knobs).turn(command)
    }

    /// As a share that goes away: the directory has another name for a while.
    fn unplug(&self, pause: Duration) -> Result<(), PlayError> {
        let mut away = self.path.clone().into_os_string();
        away.push(".away");
        fs::rename(&self.path, &away)?;
        sleep(pause);
        Ok(fs::rename(&away, &self.path)?)
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
