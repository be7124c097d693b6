//! The master of a CCNET validator: reset, bill table, enable, then a poll every 200 ms.
//!
//! A note waits in escrow until it is told to be stacked. The validator repeats a state until it
//! hears it acknowledged, so the same `stacked` twice is one note; if an answer was lost between
//! the two, it may have been two, and the count is uncertain.

use std::time::Duration;

use rust_decimal::Decimal;
use tidewaiter_codec::ccnet::{Ccnet, Frame, Kind, State, VALIDATOR};
use tidewaiter_codec::stream::rescan::Rescan;
use tidewaiter_codec::stream::{Codec, Item};
use tidewaiter_proto::body::Body;
use tokio::time::Instant;

use super::{Count, Note};
use crate::driver::polled::{Action, Host};
use crate::driver::session::Broken;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Poll,
    Reset,
    BillTable,
    Enable,
    Stack,
}

impl Command {
    fn data(self) -> &'static [u8] {
        match self {
            Self::Poll => &[0x33],
            Self::Reset => &[0x30],
            Self::BillTable => &[0x41],
            // All types, all of them by way of escrow.
            Self::Enable => &[0x34, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            Self::Stack => &[0x35],
        }
    }
}

/// The master.
pub(in crate::driver) struct Master {
    codec: Rescan<Ccnet>,
    count: Count,
    table: Option<Vec<Option<Note>>>,
    next: Command,
    /// Until when the answer to the last command is awaited.
    awaited: Option<(Command, Instant)>,
    due: Instant,
    /// The state before, and whether an answer was lost since.
    state: Option<(State, Option<u8>)>,
    missed: bool,
    unanswered: u32,
}

impl Master {
    pub(in crate::driver) fn new(officer: String) -> Self {
        Self {
            codec: Ccnet::codec(),
            count: Count::of(officer),
            table: None,
            next: Command::Poll,
            awaited: None,
            due: Instant::now(),
            state: None,
            missed: false,
            unanswered: 0,
        }
    }

    fn frame(&mut self, frame: &Frame, now: Instant) -> Vec<Action> {
        // An answer that nobody waits for is late: the question was asked again.
        let Some((asked, _)) = self.awaited else { return Vec::new() };
        // On a line of two wires the question comes back before its answer.
        if frame.data == asked.data() {
            return Vec::new();
        }
        self.awaited = None;
        self.unanswered = 0;
        self.due = now + PERIOD;
        self.next = Command::Poll;
        match (asked, frame.kind()) {
            (Command::BillTable, _) if frame.data.len() == TYPES * 5 => {
                self.table = Some(bill_table(&frame.data));
                vec![acknowledge()]
            }
            (Command::Poll, Kind::State(state, argument)) => {
                let mut actions = vec![acknowledge()];
                actions.extend(self.is_in(state, argument, now));
                self.state = Some((state, argument));
                self.missed = false;
                actions
            }
            (_, Kind::Nak) => {
                self.next = asked;
                Vec::new()
            }
            (_, Kind::Ack) => Vec::new(),
            // What answers nothing that was asked is acknowledged, so that it is not repeated.
            _ => vec![acknowledge()],
        }
    }

    fn is_in(&mut self, state: State, argument: Option<u8>, now: Instant) -> Vec<Action> {
        let again = self.state == Some((state, argument));
        let fault = |kind, told: &str| vec![Action::Fault(kind, told.to_owned())];
        match state {
            State::PowerUp | State::PowerUpBillInValidator | State::PowerUpBillInStacker => {
                // Where the note in flight went, only the stacker knows.
                if self.count.in_flight || state == State::PowerUpBillInStacker && !again {
                    self.count.doubt(now);
                }
                self.count.in_flight = false;
                self.next = Command::Reset;
                fault("power", "the validator lost its power")
            }
            State::UnitDisabled | State::Idling if self.table.is_none() => {
                self.next = Command::BillTable;
                Vec::new()
            }
            State::UnitDisabled => {
                self.next = Command::Enable;
                Vec::new()
            }
            State::Idling => {
                if self.count.in_flight {
                    // It was being stacked or returned, and the end was not heard.
                    self.count.returned(now);
                    self.count.doubt(now);
                }
                vec![Action::Well]
            }
            State::Accepting | State::Stacking | State::Holding => {
                if state == State::Accepting && self.was_going_in() {
                    self.count.doubt(now);
                }
                if !again || self.missed {
                    self.count.moves(now);
                }
                Vec::new()
            }
            State::Escrow => {
                if self.state.is_some_and(|(before, _)| before == State::Stacking) {
                    self.count.doubt(now);
                }
                self.count.moves(now);
                self.next = Command::Stack;
                Vec::new()
            }
            State::Stacked if again && !self.missed => Vec::new(),
            State::Stacked if again => {
                self.count.doubt(now);
                Vec::new()
            }
            State::Stacked => {
                let table = self.table.as_deref().unwrap_or_default();
                let note =
                    argument.and_then(|kind| table.get(usize::from(kind)).copied().flatten());
                self.count.credit(note, now);
                if note.is_some() {
                    return Vec::new();
                }
                fault("note", "a note of no known value went in: count by hand")
            }
            State::Returning | State::Returned | State::Rejecting => {
                self.count.returned(now);
                Vec::new()
            }
            State::Initialize | State::DeviceBusy | State::Pause => Vec::new(),
            State::DropCassetteFull => fault("full", "the validator's cassette is full"),
            State::DropCassetteOutOfPosition => {
                fault("cassette", "the validator's cassette is not in its place")
            }
            State::ValidatorJammed | State::DropCassetteJammed => {
                if !again {
                    self.count.doubt(now);
                }
                fault("jam", "a note is jammed: open the validator and count by hand")
            }
            State::Cheated => {
                self.count.doubt(now);
                fault("fraud", "somebody tried to pull a note back: count by hand")
            }
            State::Failure => {
                if self.count.in_flight {
                    self.count.doubt(now);
                }
                let code = argument.unwrap_or_default();
                vec![Action::Fault("failure", format!("the validator failed (code {code:02X}h)"))]
            }
        }
    }

    /// A note was on its way in, and what became of it was not heard: the next one begins.
    fn was_going_in(&self) -> bool {
        let before = self.state.map(|(state, _)| state);
        self.count.in_flight
            && matches!(before, Some(State::Escrow | State::Stacking | State::Holding))
    }

    fn send(&mut self, command: Command, now: Instant) -> Vec<Action> {
        // What came before the question is no answer to it.
        let _stale = self.codec.idle();
        self.awaited = Some((command, now + ANSWER));
        self.next = Command::Poll;
        frame_of(command.data()).map(Action::Send).into_iter().collect()
    }
}

impl Host for Master {
    fn connected(&mut self, now: Instant) -> Vec<Action> {
        self.codec = Ccnet::codec();
        // Another validator may stand there now; the same one repeats what it was saying.
        self.table = None;
        self.missed = true;
        self.unanswered = 0;
        self.send(Command::Poll, now)
    }

    fn hear(&mut self, bytes: &[u8], now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        for item in self.codec.feed(bytes) {
            match item {
                Item::Frame(frame) if frame.address == VALIDATOR => {
                    actions.extend(self.frame(&frame, now));
                }
                Item::Frame(_) => {}
                Item::Fault(fault) => {
                    self.missed = true;
                    actions.push(Action::Fault(fault.name(), fault.to_string()));
                }
            }
        }
        actions
    }

    fn act(&mut self, now: Instant) -> Vec<Action> {
        if let Some(body) = self.count.due(now) {
            return vec![Action::Reading(body)];
        }
        if let Some((command, until)) = self.awaited {
            if now < until {
                return Vec::new();
            }
            self.missed = true;
            self.unanswered = self.unanswered.saturating_add(1);
            // Half an answer is no beginning of the next.
            let _torn = self.codec.idle();
            if self.unanswered > PATIENCE {
                let told = "the validator does not answer".to_owned();
                return vec![Action::End(Broken::Gone(told))];
            }
            // A note may be stacked already: asked for, never told twice.
            let again = if command == Command::Stack { Command::Poll } else { command };
            return self.send(again, now);
        }
        if now < self.due {
            return Vec::new();
        }
        self.send(self.next, now)
    }

    fn deadline(&self) -> Instant {
        let next = self.awaited.map_or(self.due, |(_, until)| until);
        self.count.closes().map_or(next, |closes| closes.min(next))
    }

    fn broke(&mut self) -> Option<Body> {
        if self.count.is_open() {
            // The line may have broken before the last note was told.
            self.count.doubt = true;
        }
        self.count.close()
    }
}

fn acknowledge() -> Action {
    Action::Send(frame_of(&[0x00]).unwrap_or_default())
}

fn frame_of(data: &[u8]) -> Option<Vec<u8>> {
    Frame { address: VALIDATOR, data: data.to_vec() }.encode()
}

/// The kinds of notes: mantissa, three letters of country or currency, exponent of ten (bit 7:
/// the point goes left). An unused place has no mantissa.
fn bill_table(data: &[u8]) -> Vec<Option<Note>> {
    let note = |entry: &[u8]| -> Option<Note> {
        let [mantissa @ 1..=255, a, b, c, exponent] = *entry else { return None };
        let letters = [a, b, c];
        let currency = currency_of(std::str::from_utf8(&letters).ok()?)?;
        let digits = u32::from(exponent & 0x7F);
        let value = if exponent & 0x80 == 0 {
            Decimal::from(mantissa).checked_mul(Decimal::from(10_u64.checked_pow(digits)?))?
        } else {
            Decimal::try_new(i64::from(mantissa), digits).ok()?
        };
        Some((currency, value.normalize()))
    };
    data.chunks(5).map(note).collect()
}

/// Tables name the country (ISO 3166 alpha-3) or the currency; an unknown one has no value.
fn currency_of(code: &str) -> Option<tidewaiter_proto::money::Currency> {
    let known = CURRENCIES.iter().find(|(country, currency)| *country == code || *currency == code);
    known.and_then(|(_, currency)| currency.parse().ok())
}

const CURRENCIES: [(&str, &str); 24] = [
    ("USA", "USD"),
    ("EUR", "EUR"),
    ("RUS", "RUB"),
    ("CHN", "CNY"),
    ("JPN", "JPY"),
    ("KOR", "KRW"),
    ("PRK", "KPW"),
    ("GBR", "GBP"),
    ("CHE", "CHF"),
    ("KAZ", "KZT"),
    ("BLR", "BYN"),
    ("UKR", "UAH"),
    ("MNG", "MNT"),
    ("ARM", "AMD"),
    ("KGZ", "KGS"),
    ("UZB", "UZS"),
    ("TUR", "TRY"),
    ("IND", "INR"),
    ("HKG", "HKD"),
    ("MAC", "MOP"),
    ("SGP", "SGD"),
    ("MYS", "MYR"),
    ("THA", "THB"),
    ("VNM", "VND"),
];
const TYPES: usize = 24;
const PERIOD: Duration = Duration::from_millis(200);
const ANSWER: Duration = Duration::from_millis(200);
/// Five seconds of silence.
const PATIENCE: u32 = 25;
