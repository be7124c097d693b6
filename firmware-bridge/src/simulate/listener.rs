//! A TCP port: the cable of a simulated device that is connected to.
//!
//! What is sent while nobody is connected waits in the device, and goes to whoever comes first.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, sleep};
use std::time::Duration;

use super::PlayError;
use super::cable::Answer;
use super::knobs::Knobs;

/// The device's end of its connections.
#[derive(Debug)]
pub(super) struct Listener {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    lines: Mutex<Lines>,
    knobs: Mutex<Knobs>,
    answer: Mutex<Answer>,
}

#[derive(Debug, Default)]
struct Lines {
    connected: Vec<(u64, TcpStream)>,
    /// What nobody has taken yet.
    waiting: VecDeque<Vec<u8>>,
    connections: u64,
    /// The cable is pulled, or the device gone: who comes is sent away.
    pulled: bool,
    gone: bool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("lines", &self.lines).finish_non_exhaustive()
    }
}

impl Listener {
    /// Listens at `address`; port 0 takes a free one.
    pub(super) fn open(address: SocketAddr, answer: Answer) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            lines: Mutex::default(),
            knobs: Mutex::default(),
            answer: Mutex::new(answer),
        });
        let accepting = Arc::clone(&shared);
        thread::Builder::new().name("device".to_owned()).spawn(move || {
            for stream in listener.incoming().flatten() {
                if locked(&accepting.lines).gone {
                    return;
                }
                // One that breaks at once is as good as one that never came.
                let _ = welcome(&accepting, stream);
            }
        })?;
        Ok(Self { address, shared })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn knobs(&self) -> MutexGuard<'_, Knobs> {
        locked(&self.shared.knobs)
    }

    pub(super) fn send(&self, bytes: &[u8]) -> Result<(), PlayError> {
        let delay = self.knobs().delay();
        sleep(delay);
        let bytes = self.knobs().through(bytes);
        if bytes.is_empty() { Ok(()) } else { locked(&self.shared.lines).send(bytes) }
    }

    /// Breaks all connections, and takes none for a while.
    pub(super) fn unplug(&self, pause: Duration) {
        locked(&self.shared.lines).pull();
        sleep(pause);
        locked(&self.shared.lines).pulled = false;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        {
            let mut lines = locked(&self.shared.lines);
            lines.pull();
            lines.gone = true;
        }
        // Wakes who waits for connections, so that the port is free.
        let _ = TcpStream::connect(self.address);
    }
}

impl Lines {
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

    fn pull(&mut self) {
        self.pulled = true;
        for (_, stream) in self.connected.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Gives a new connection what has waited, answers what it says, and watches for its end.
fn welcome(shared: &Arc<Shared>, mut stream: TcpStream) -> io::Result<()> {
    stream.set_write_timeout(Some(Duration::from_secs(2)))?;
    stream.set_nodelay(true)?;
    let mut watched = stream.try_clone()?;
    let mut lines = locked(&shared.lines);
    if lines.pulled {
        return Ok(());
    }
    while let Some(bytes) = lines.waiting.front() {
        stream.write_all(bytes)?;
        lines.waiting.pop_front();
    }
    lines.connections = lines.connections.wrapping_add(1);
    let number = lines.connections;
    lines.connected.push((number, stream));
    drop(lines);
    let shared = Arc::clone(shared);
    thread::Builder::new().name("device connection".to_owned()).spawn(move || {
        let mut buffer = [0; 1024];
        while let Ok(length @ 1..) = watched.read(&mut buffer) {
            let heard = buffer.get(..length).unwrap_or_default();
            let mut said = locked(&shared.knobs).echo(heard).to_vec();
            let answer = (locked(&shared.answer))(heard);
            let delay =
                if answer.is_empty() { Duration::ZERO } else { locked(&shared.knobs).delay() };
            sleep(delay);
            said.extend(locked(&shared.knobs).through(&answer));
            if watched.write_all(&said).is_err() {
                break;
            }
        }
        locked(&shared.lines).connected.retain(|(other, _)| *other != number);
    })?;
    Ok(())
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Things that a device keeps while nobody is connected.
const MEMORY: usize = 1000;
