//! The validator's side of SSP.

use tidewaiter_codec::ssp::{Packet, Ssp};
use tidewaiter_codec::stream::{Codec, Item};

use super::{Notes, TABLE};

/// Where the note is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Path {
    Empty,
    Reading(usize),
    Escrow(usize),
    Stacking(usize),
}

/// The device.
#[derive(Debug)]
pub(super) struct Slave {
    codec: Ssp,
    path: Path,
    enabled: bool,
    /// Events that the next poll is told of.
    events: Vec<u8>,
    /// The flag of the last command, and what was answered to it.
    last: Option<(bool, Vec<u8>)>,
}

impl Default for Slave {
    fn default() -> Self {
        Self {
            codec: Ssp::new(),
            path: Path::Empty,
            enabled: false,
            events: vec![0xF1],
            last: None,
        }
    }
}

impl Slave {
    pub(super) fn hear(&mut self, bytes: &[u8], notes: &mut Notes) -> Vec<Vec<u8>> {
        let packets: Vec<Packet> =
            self.codec.feed(bytes).into_iter().filter_map(Item::frame).collect();
        packets.iter().filter_map(|packet| self.packet(packet, notes).encode()).collect()
    }

    pub(super) fn power_cut(&mut self, notes: &mut Notes) {
        let mut fresh = Self::default();
        match self.path {
            Path::Stacking(note) => {
                notes.stacked.push(note);
                fresh.events.extend([0xE2, channel(note)]);
            }
            Path::Reading(note) | Path::Escrow(note) => {
                notes.waiting.push_front(note);
                fresh.events.extend([0xE1, channel(note)]);
            }
            Path::Empty => {}
        }
        *self = fresh;
    }

    fn packet(&mut self, packet: &Packet, notes: &mut Notes) -> Packet {
        let answer = |data| Packet { sequence: packet.sequence, address: packet.address, data };
        let sync = packet.data == [0x11];
        if let Some((_, data)) =
            self.last.as_ref().filter(|(flag, _)| *flag == packet.sequence && !sync)
        {
            return answer(data.clone());
        }
        let data = self.command(&packet.data, notes);
        self.last = Some((packet.sequence, data.clone()));
        answer(data)
    }

    fn command(&mut self, command: &[u8], notes: &mut Notes) -> Vec<u8> {
        match command {
            [0x11] | [0x06, ..=0x06] | [0x02, ..] => vec![0xF0],
            [0x06, _] => vec![0xF8],
            [0x05] => setup(),
            [0x0A] => {
                self.enabled = true;
                vec![0xF0]
            }
            [0x09] => {
                self.enabled = false;
                vec![0xF0]
            }
            [0x07] => {
                self.moves(notes);
                let mut data = vec![0xF0];
                data.append(&mut self.events);
                if !self.enabled {
                    data.push(0xE8);
                }
                data
            }
            _ => vec![0xF2],
        }
    }

    /// What happened since the last poll; a poll accepts the note in escrow.
    fn moves(&mut self, notes: &mut Notes) {
        self.path = match self.path {
            Path::Empty => match if self.enabled { notes.waiting.pop_front() } else { None } {
                Some(note) => {
                    self.events.extend([0xEF, 0x00]);
                    Path::Reading(note)
                }
                None => Path::Empty,
            },
            Path::Reading(note) => {
                self.events.extend([0xEF, channel(note)]);
                Path::Escrow(note)
            }
            Path::Escrow(note) => {
                self.events.push(0xCC);
                Path::Stacking(note)
            }
            Path::Stacking(note) => {
                notes.stacked.push(note);
                self.events.extend([0xEE, channel(note), 0xEB]);
                Path::Empty
            }
        };
    }
}

fn channel(note: usize) -> u8 {
    u8::try_from(note.saturating_add(1)).unwrap_or(u8::MAX)
}

/// The answer to SETUP REQUEST, protocol version 6.
fn setup() -> Vec<u8> {
    let channels = u8::try_from(TABLE.len()).unwrap_or_default();
    let mut data = b"\xF0\x000360USD\x00\x00\x00".to_vec();
    data.push(channels);
    // Values and security levels of old versions.
    data.resize(data.len() + TABLE.len(), 0);
    data.resize(data.len() + TABLE.len(), 2);
    data.extend([0x00, 0x00, 0x64, 0x06]);
    for (currency, _) in TABLE {
        data.extend(currency.as_bytes());
    }
    for (_, value) in TABLE {
        data.extend(value.to_le_bytes());
    }
    data
}
