//! The cable of a simulated device: a pseudo-terminal or a TCP connection.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::PlayError;
use super::knobs::Line;
use super::listener::Listener;
use super::terminal::Terminal;

/// Where a bridge finds a device.
#[derive(Clone, Debug)]
pub enum End {
    /// A link to a pseudo-terminal.
    Link(PathBuf),
    /// An address; port 0 takes a free one.
    Listen(SocketAddr),
}

impl From<&Path> for End {
    fn from(link: &Path) -> Self {
        Self::Link(link.to_owned())
    }
}

impl From<&PathBuf> for End {
    fn from(link: &PathBuf) -> Self {
        Self::Link(link.clone())
    }
}

impl From<SocketAddr> for End {
    fn from(address: SocketAddr) -> Self {
        Self::Listen(address)
    }
}

/// What a device answers to what it hears.
pub(super) type Answer = Box<dyn FnMut(&[u8]) -> Vec<u8> + Send>;

/// A device that only speaks.
pub(super) fn silent() -> Answer {
    Box::new(|_| Vec::new())
}

/// The cable.
#[derive(Debug)]
pub(super) enum Cable {
    Terminal(Terminal),
    Tcp(Listener),
}

impl Cable {
    /// Lays it; what the bridge says is answered by `answer`.
    pub(super) fn lay(end: &End, answer: Answer) -> io::Result<Self> {
        Ok(match end {
            End::Link(link) => Self::Terminal(Terminal::open(link, answer)?),
            End::Listen(address) => Self::Tcp(Listener::open(*address, answer)?),
        })
    }

    /// Where a bridge finds it.
    pub(super) fn address(&self) -> String {
        match self {
            Self::Terminal(terminal) => terminal.link().display().to_string(),
            Self::Tcp(listener) => listener.address().to_string(),
        }
    }

    /// Sends bytes; on a terminal waits a moment where nobody takes them.
    pub(super) fn send(&self, bytes: &[u8]) -> Result<(), PlayError> {
        match self {
            Self::Terminal(terminal) => terminal.send(bytes),
            Self::Tcp(listener) => listener.send(bytes),
        }
    }
}

impl Line for Cable {
    fn turn(&self, command: &Value) -> Result<bool, PlayError> {
        match self {
            Self::Terminal(terminal) => terminal.knobs().turn(command),
            Self::Tcp(listener) => listener.knobs().turn(command),
        }
    }

    fn unplug(&self, pause: Duration) -> Result<(), PlayError> {
        match self {
            Self::Terminal(terminal) => terminal.unplug(pause),
            Self::Tcp(listener) => {
                listener.unplug(pause);
                Ok(())
            }
        }
    }
}
