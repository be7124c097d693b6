//! A player: the device of a capture, once more, over the kind of line that it was recorded on.
//!
//! On serial lines and TCP what the device said comes with the pauses it had, and what it said as
//! an answer waits until the bridge has said as much as then. Over a WebSocket each of the
//! bridge's messages gets the answers it had, under its own number, at once.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::cable::{Cable, End};
use super::knobs::Line as BadLine;
use super::web_socket::{Certificate, Served, Service};
use super::{PlayError, Simulated};
use crate::capture::{Capture, Chunk, Line, Side};

/// The device of a capture.
#[derive(Debug)]
pub struct Player {
    way: Way,
}

#[derive(Debug)]
enum Way {
    Cable { cable: Arc<Cable>, heard: Arc<Heard>, chunks: Arc<[Chunk]> },
    WebSocket { served: Served<Script>, url: String, chunks: Vec<Chunk> },
}

/// How many bytes the bridge has said.
#[derive(Debug, Default)]
struct Heard {
    bytes: Mutex<usize>,
    more: Condvar,
}

/// Play it, at this pace.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Play {
    /// Times as fast as it was; pauses do not play a part from 1000 on.
    play: u32,
}

impl Player {
    /// Opens the line of a capture's device; it begins when it is told to.
    ///
    /// # Errors
    /// When there is no such line, or the capture is of a line that a player cannot be.
    pub fn open(capture: Capture, end: impl Into<End>) -> io::Result<Self> {
        let end = end.into();
        let unfit = |what: &str| Err(io::Error::other(format!("a capture of {what}")));
        match (capture.heading.line, &end) {
            (Line::WebSocket, End::Listen(address)) => {
                return Self::web_socket(capture.chunks, *address, None);
            }
            (Line::WebSocket, End::Link(_)) => {
                return unfit("a WebSocket is played at an address, not a link");
            }
            (Line::Mqtt | Line::Directory, _) => {
                return unfit("a broker or directory is read by people; it has no line to play on");
            }
            (Line::Serial | Line::Wedge | Line::Tcp, _) => {}
        }
        let heard = Arc::new(Heard::default());
        let hearing = Arc::clone(&heard);
        let hears = move |bytes: &[u8]| {
            *locked(&hearing.bytes) += bytes.len();
            hearing.more.notify_all();
            Vec::new()
        };
        let cable = Arc::new(Cable::lay(&end, Box::new(hears))?);
        let chunks = Arc::from(capture.chunks);
        Ok(Self { way: Way::Cable { cable, heard, chunks } })
    }

    fn web_socket(
        chunks: Vec<Chunk>,
        address: SocketAddr,
        certificate: Option<&Certificate>,
    ) -> io::Result<Self> {
        let served = Served::listen(address, certificate, |_| Script::default())?;
        let url = format!("ws://{}/", served.address());
        Ok(Self { way: Way::WebSocket { served, url, chunks } })
    }
}

/// Plays the chunks in order, until nobody is there any more.
fn play(cable: &Cable, heard: &Heard, chunks: &[Chunk], pace: u32) -> Result<(), PlayError> {
    let (mut awaited, mut before) = (*locked(&heard.bytes), Duration::ZERO);
    for chunk in chunks {
        let pause = chunk.at.saturating_sub(before) / pace;
        before = chunk.at;
        match chunk.from {
            Side::Bridge => {
                awaited += chunk.bytes.len();
                let bytes = locked(&heard.bytes);
                // A bridge that says less today is not waited for longer than it took then.
                let patience = pause + PATIENCE;
                let waited =
                    heard.more.wait_timeout_while(bytes, patience, |bytes| *bytes < awaited);
                drop(waited);
            }
            Side::Device => {
                thread::sleep(pause);
                cable.send(&chunk.bytes)?;
            }
        }
    }
    Ok(())
}

impl Simulated for Player {
    fn address(&self) -> String {
        match &self.way {
            Way::Cable { cable, .. } => cable.address(),
            Way::WebSocket { url, .. } => url.clone(),
        }
    }

    /// Returns when it is played to its end; over a WebSocket at once.
    fn play(&mut self, command: &Value) -> Result<(), PlayError> {
        let pace = Play::deserialize(command)?.play;
        if pace == 0 {
            return Err(PlayError::Content("play: 1 is the pace it had".to_owned()));
        }
        match &mut self.way {
            Way::Cable { cable, heard, chunks } => {
                let chunks: &[Chunk] = chunks;
                if pace < 1000 {
                    return play(cable, heard, chunks, pace);
                }
                let at_once: Vec<Chunk> = chunks
                    .iter()
                    .map(|chunk| Chunk { at: Duration::ZERO, ..chunk.clone() })
                    .collect();
                play(cable, heard, &at_once, 1)
            }
            Way::WebSocket { served, chunks, .. } => {
                served.happens(|script| script.chunks = chunks.iter().cloned().collect());
                Ok(())
            }
        }
    }

    fn line(&self) -> Option<&dyn BadLine> {
        match &self.way {
            Way::Cable { cable, .. } => Some(&**cable),
            Way::WebSocket { served, .. } => Some(served),
        }
    }
}

/// What is left to be said over a WebSocket.
#[derive(Debug, Default)]
struct Script {
    chunks: VecDeque<Chunk>,
    /// Numbers of the commands then, and of those that stand for them now.
    numbers: Vec<(i64, i64)>,
}

impl Script {
    /// What the device said up to the next command.
    fn until_the_bridge_speaks(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        while let Some(chunk) = self.chunks.pop_front_if(|chunk| chunk.from == Side::Device) {
            let text = String::from_utf8_lossy(&chunk.bytes).into_owned();
            said.push(self.renumbered(&text));
        }
        said
    }

    fn renumbered(&self, text: &str) -> String {
        let Ok(mut message) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
        let now = number(&message).and_then(|then| {
            self.numbers.iter().rev().find(|(old, _)| *old == then).map(|(_, now)| *now)
        });
        match (now, message.pointer_mut("/header/requestId")) {
            (Some(now), Some(place)) => {
                *place = json!(now);
                message.to_string()
            }
            _ => text.to_owned(),
        }
    }
}

impl Service for Script {
    fn command(&mut self, text: &str, _awaiting: &mut Option<i64>) -> Vec<String> {
        if let Some(then) = self.chunks.pop_front_if(|chunk| chunk.from == Side::Bridge) {
            let read = |bytes: &[u8]| serde_json::from_slice(bytes).ok().and_then(|v| number(&v));
            if let (Some(then), Some(now)) = (read(&then.bytes), read(text.as_bytes())) {
                self.numbers.push((then, now));
            }
        }
        self.until_the_bridge_speaks()
    }

    fn ready(&mut self, _request: i64) -> Option<Vec<String>> {
        None
    }

    fn unasked(&mut self) -> Vec<String> {
        self.until_the_bridge_speaks()
    }
}

fn number(message: &Value) -> Option<i64> {
    message.pointer("/header/requestId")?.as_i64()
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Beyond the pause it had.
const PATIENCE: Duration = Duration::from_secs(5);
