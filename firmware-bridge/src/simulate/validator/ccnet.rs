//! The validator's side of CCNET.

use tidewaiter_codec::ccnet::{Ccnet, Frame, Kind, VALIDATOR};
use tidewaiter_codec::stream::rescan::Rescan;
use tidewaiter_codec::stream::{Codec, Item};

use super::{Notes, TABLE};

/// What it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Power is back; a reset is awaited. True where a note fell into the stacker meanwhile.
    PowerUp(bool),
    Initialize,
    Disabled,
    Idling,
    Accepting(usize),
    Escrow(usize),
    Stacking(usize),
    /// Until the master acknowledges it.
    Stacked(usize),
}

/// The device.
#[derive(Debug)]
pub(super) struct Peripheral {
    codec: Rescan<Ccnet>,
    state: State,
    /// Its last answer told of a stacked note, and is not acknowledged yet.
    told: bool,
}

impl Default for Peripheral {
    fn default() -> Self {
        Self { codec: Ccnet::codec(), state: State::PowerUp(false), told: false }
    }
}

impl Peripheral {
    pub(super) fn hear(&mut self, bytes: &[u8], notes: &mut Notes) -> Vec<Vec<u8>> {
        let frames: Vec<Frame> =
            self.codec.feed(bytes).into_iter().filter_map(Item::frame).collect();
        // A command comes in one piece; what is torn is not waited for.
        let _torn = self.codec.idle();
        let answers = frames.iter().filter_map(|frame| self.frame(frame, notes));
        answers.filter_map(|data| Frame { address: VALIDATOR, data }.encode()).collect()
    }

    pub(super) fn power_cut(&mut self, notes: &mut Notes) {
        // A note beyond the escrow falls into the stacker, and nobody is told which; one before it
        // goes back to whoever put it in.
        let fell = match self.state {
            State::Stacking(note) => {
                notes.stacked.push(note);
                true
            }
            State::Accepting(note) | State::Escrow(note) => {
                notes.waiting.push_front(note);
                false
            }
            _ => false,
        };
        *self = Self { state: State::PowerUp(fell), ..Self::default() };
    }

    fn frame(&mut self, frame: &Frame, notes: &mut Notes) -> Option<Vec<u8>> {
        match (frame.kind(), frame.data.as_slice()) {
            (Kind::Ack, _) => {
                if std::mem::take(&mut self.told) {
                    self.state = State::Idling;
                }
                None
            }
            (_, [0x33]) => {
                self.told = matches!(self.state, State::Stacked(_));
                let answer = self.said();
                self.moves(notes);
                Some(answer)
            }
            (_, [0x30]) => {
                self.state = State::Initialize;
                Some(vec![0x00])
            }
            (_, [0x41]) => Some(table()),
            (_, [0x34, types @ ..]) => {
                let enabled = types.iter().any(|byte| *byte != 0);
                self.state = if enabled { State::Idling } else { State::Disabled };
                Some(vec![0x00])
            }
            (_, [0x35]) => {
                if let State::Escrow(note) = self.state {
                    self.state = State::Stacking(note);
                }
                Some(vec![0x00])
            }
            // Illegal command.
            _ => Some(vec![0x30]),
        }
    }

    fn said(&self) -> Vec<u8> {
        let kind = |note: usize| u8::try_from(note).unwrap_or(u8::MAX);
        match self.state {
            State::PowerUp(false) => vec![0x10],
            State::PowerUp(true) => vec![0x12],
            State::Initialize => vec![0x13],
            State::Disabled => vec![0x19],
            State::Idling => vec![0x14],
            State::Accepting(_) => vec![0x15],
            State::Escrow(note) => vec![0x80, kind(note)],
            State::Stacking(_) => vec![0x17],
            State::Stacked(note) => vec![0x81, kind(note)],
        }
    }

    /// What happens until the next poll.
    fn moves(&mut self, notes: &mut Notes) {
        self.state = match self.state {
            State::Initialize => State::Disabled,
            State::Idling => match notes.waiting.pop_front() {
                Some(note) => State::Accepting(note),
                None => State::Idling,
            },
            State::Accepting(note) => State::Escrow(note),
            State::Stacking(note) => {
                notes.stacked.push(note);
                State::Stacked(note)
            }
            state => state,
        };
    }
}

/// The bill table: 24 places of mantissa, country, exponent.
fn table() -> Vec<u8> {
    let mut data = Vec::new();
    for (currency, value) in TABLE {
        let digits = value.ilog10();
        let tens = if value % 10_u32.pow(digits) == 0 { digits } else { digits.saturating_sub(1) };
        let mantissa = value / 10_u32.pow(tens);
        data.push(u8::try_from(mantissa).unwrap_or_default());
        data.extend(if currency == "USD" { b"USA" } else { b"EUR" });
        data.push(u8::try_from(tens).unwrap_or_default());
    }
    data.resize(24 * 5, 0);
    data
}
