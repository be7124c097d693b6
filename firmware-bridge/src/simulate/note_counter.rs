//! A bulk note counter: an XFS4IoT service over WebSocket.
//!
//! What the counter answers is [`counter`]'s. One hopper: notes told of while nobody counts stay
//! in it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use super::knobs::Line;
use super::web_socket::{Certificate, Served};
use super::{PlayError, Simulated};

mod counter;

pub(crate) use counter::Counter;

/// The counter.
#[derive(Debug)]
pub struct NoteCounter {
    served: Served<Counter>,
    url: String,
}

impl NoteCounter {
    /// Listens at `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be listened at.
    pub fn listen(address: SocketAddr) -> io::Result<Self> {
        Self::open(address, None)
    }

    /// The same through TLS.
    ///
    /// # Errors
    /// When the address cannot be listened at, or the certificate cannot be used.
    pub fn listen_secure(address: SocketAddr, certificate: &Certificate) -> io::Result<Self> {
        Self::open(address, Some(certificate))
    }

    fn open(address: SocketAddr, certificate: Option<&Certificate>) -> io::Result<Self> {
        let scheme = if certificate.is_some() { "wss" } else { "ws" };
        let url = |address| format!("{scheme}://{address}{SERVICE}");
        let served = Served::listen(address, certificate, |at| Counter::at(url(at)))?;
        Ok(Self { url: url(served.address()), served })
    }

    /// Breaks all connections; the counter itself stays as it is.
    pub fn unplug(&mut self) {
        // A pull as short as this cannot fail.
        let _ = self.served.unplug(Duration::ZERO);
    }
}

impl Simulated for NoteCounter {
    fn address(&self) -> String {
        self.url.clone()
    }

    fn play(&mut self, command: &Value) -> Result<(), PlayError> {
        self.served.happens(|counter| counter.play(command))
    }

    fn line(&self) -> Option<&dyn Line> {
        Some(&self.served)
    }
}

const SERVICE: &str = "/xfs4iot/v1.0/CashAcceptor";
