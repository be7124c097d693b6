//! An X-ray station: listens on TCP and sends each result as a line to whoever is connected.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tidewaiter_codec::xray;

use super::{PlayError, Raw, Simulated};

/// The station.
#[derive(Debug)]
pub struct Station {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    connected: Vec<(u64, TcpStream)>,
    /// Results that nobody has taken yet.
    waiting: VecDeque<Vec<u8>>,
    connections: u64,
}

impl Station {
    /// Listens at `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be listened at.
    pub fn listen(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Mutex::new(Shared::default()));
        let accepting = Arc::clone(&shared);
        thread::Builder::new().name("xray".to_owned()).spawn(move || {
            for stream in listener.incoming().flatten() {
                // One that breaks at once is as good as one that never came.
                let _ = welcome(&accepting, stream);
            }
        })?;
        Ok(Self { address, shared })
    }

    /// Breaks all connections, as a restart would.
    pub fn unplug(&mut self) {
        for (_, stream) in lock(&self.shared).connected.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
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
        self.address.to_string()
    }

    fn play(&mut self, command: &Value) -> Result<(), PlayError> {
        let bytes = if let Some(bytes) = Raw::of(command) {
            bytes?
        } else {
            let line = Scan::deserialize(command)?.result.to_string();
            xray::parse(&line).map_err(|error| PlayError::Content(error.to_string()))?;
            format!("{line}\n").into_bytes()
        };
        lock(&self.shared).send(bytes)
    }
}

impl Shared {
    fn send(&mut self, bytes: Vec<u8>) -> Result<(), PlayError> {
        self.connected.retain_mut(|(_, stream)| stream.write_all(&bytes).is_ok());
        if !self.connected.is_empty() {
            return Ok(());
        }
        if self.waiting.len() >= MEMORY {
            return Err(PlayError::Full);
        }
        self.waiting.push_back(bytes);
        Ok(())
    }
}

/// Gives a new connection what has waited, and watches for its end.
fn welcome(shared: &Arc<Mutex<Shared>>, mut stream: TcpStream) -> io::Result<()> {
    stream.set_write_timeout(Some(Duration::from_secs(2)))?;
    stream.set_nodelay(true)?;
    let mut watched = stream.try_clone()?;
    let mut held = lock(shared);
    while let Some(bytes) = held.waiting.front() {
        stream.write_all(bytes)?;
        held.waiting.pop_front();
    }
    held.connections = held.connections.wrapping_add(1);
    let number = held.connections;
    held.connected.push((number, stream));
    drop(held);
    let shared = Arc::clone(shared);
    thread::Builder::new().name("xray connection".to_owned()).spawn(move || {
        // The bridge says nothing; what it may say is not for a station.
        let mut ignored = [0; 256];
        while watched.read(&mut ignored).is_ok_and(|length| length > 0) {}
        lock(&shared).connected.retain(|(other, _)| *other != number);
    })?;
    Ok(())
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Results that the station keeps while nobody is connected.
const MEMORY: usize = 1000;
