//! The host of an SSP validator: sync, protocol version, setup, inhibits, enable, then a poll
//! every 200 ms.
//!
//! A poll accepts the note in escrow. A command that is not answered is sent again with its
//! sequence flag, and the validator gives its answer again without doing it again: no event is
//! counted twice, and none is lost.

use std::time::Duration;

use rust_decimal::Decimal;
use tidewaiter_codec::ssp::{Event, Packet, Response, Ssp};
use tidewaiter_codec::stream::{Codec, Item};
use tidewaiter_proto::body::Body;
use tokio::time::Instant;

use super::{Count, Note};
use crate::driver::polled::{Action, Host};
use crate::driver::session::Broken;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Sync,
    Version,
    Setup,
    Inhibits,
    Enable,
    Poll,
}

impl Command {
    fn data(self) -> &'static [u8] {
        match self {
            Self::Sync => &[0x11],
            // From version 6 on each channel has a currency of its own.
            Self::Version => &[0x06, 0x06],
            Self::Setup => &[0x05],
            Self::Inhibits => &[0x02, 0xFF, 0xFF],
            Self::Enable => &[0x0A],
            Self::Poll => &[0x07],
        }
    }

    fn after(self) -> Self {
        match self {
            Self::Sync => Self::Version,
            Self::Version => Self::Setup,
            Self::Setup => Self::Inhibits,
            Self::Inhibits => Self::Enable,
            Self::Enable | Self::Poll => Self::Poll,
        }
    }
}

/// The host.
pub(in crate::driver) struct Master {
    codec: Ssp,
    count: Count,
    /// Notes by channel, the first is channel 1.
    channels: Vec<Option<Note>>,
    sequence: bool,
    next: Command,
    awaited: Option<(Command, Instant)>,
    due: Instant,
    unanswered: u32,
    /// The poll that the last connection broke off was sent again on this one.
    resumed: bool,
}

impl Master {
    pub(in crate::driver) fn new(officer: String) -> Self {
        Self {
            codec: Ssp::new(),
            count: Count::of(officer),
            channels: Vec::new(),
            sequence: true,
            next: Command::Sync,
            awaited: None,
            due: Instant::now(),
            unanswered: 0,
            resumed: false,
        }
    }

    fn packet(&mut self, packet: &Packet, now: Instant) -> Vec<Action> {
        let Some((asked, _)) = self.awaited else { return Vec::new() };
        // The answer to an earlier command, or somebody else's.
        if packet.sequence != self.sequence || packet.address != ADDRESS {
            return Vec::new();
        }
        let Some(response) = packet.response() else { return Vec::new() };
        self.awaited = None;
        self.unanswered = 0;
        self.resumed = false;
        self.sequence = !self.sequence;
        self.due = now + if asked == Command::Poll { PERIOD } else { Duration::ZERO };
        self.next = asked.after();
        match (asked, response) {
            (Command::Setup, Response::Ok) => {
                self.channels = channels(packet.data.get(1..).unwrap_or_default());
                Vec::new()
            }
            (Command::Poll, Response::Ok) => self.happened(&packet.events(), now),
            (_, Response::Ok) => Vec::new(),
            // An old validator: its setup has no currencies by channel.
            (Command::Version, _) => Vec::new(),
            (_, Response::KeyNotSet) => {
                let told = "the validator wants encryption keys, which only payout needs";
                vec![Action::End(Broken::Faulty(told.to_owned()))]
            }
            (Command::Poll, other) => {
                let told = format!("the validator answers a poll with {}", other.name());
                vec![Action::Fault("answer", told)]
            }
            (_, other) => {
                let told = format!("the validator refuses to be set up: {}", other.name());
                vec![Action::End(Broken::Faulty(told))]
            }
        }
    }

    fn happened(&mut self, events: &[Event], now: Instant) -> Vec<Action> {
        let mut actions: Vec<Action> =
            events.iter().filter_map(|event| self.event(*event, now)).collect();
        if actions.is_empty() {
            actions.push(Action::Well);
        }
        actions
    }

    fn event(&mut self, event: Event, now: Instant) -> Option<Action> {
        let fault = |kind, told: &str| Some(Action::Fault(kind, told.to_owned()));
        match event {
            Event::SlaveReset => {
                // Where the note in flight went, only the stacker knows.
                if self.count.in_flight {
                    self.count.doubt(now);
                }
                self.count.in_flight = false;
                self.next = Command::Sync;
                None
            }
            Event::Disabled | Event::ChannelsDisabled => {
                self.next = if self.next == Command::Poll { Command::Inhibits } else { self.next };
                None
            }
            Event::Read(_) | Event::Stacking => {
                self.count.moves(now);
                None
            }
            Event::Credit(channel) => {
                let place = usize::from(channel).checked_sub(1);
                let note = place.and_then(|place| self.channels.get(place).copied().flatten());
                self.count.credit(note, now);
                if note.is_some() {
                    return None;
                }
                fault("note", "a note of no known value went in: count by hand")
            }
            Event::Stacked => {
                self.count.in_flight = false;
                None
            }
            Event::Rejecting | Event::Rejected | Event::ClearedFront(_) => {
                self.count.returned(now);
                None
            }
            Event::ClearedCashbox(_) => {
                // Whether it was credited before the reset, nobody says.
                self.count.doubt(now);
                fault("cleared", "a note went in while the validator started: count by hand")
            }
            Event::SafeJam | Event::UnsafeJam => {
                self.count.doubt(now);
                fault("jam", "a note is jammed: open the validator and count by hand")
            }
            Event::Fraud(_) => {
                self.count.doubt(now);
                fault("fraud", "somebody tried to pull a note back: count by hand")
            }
            Event::StackerFull => fault("full", "the validator's cash box is full"),
            Event::CashboxRemoved => fault("cashbox", "the validator's cash box is out"),
            Event::CashboxReplaced => None,
            Event::Unknown(code) => {
                // What stood behind it is not read.
                self.count.doubt(now);
                let told = format!("the validator says {code:02X}h, which nobody knows");
                Some(Action::Fault("unknown", told))
            }
        }
    }

    fn send(&mut self, command: Command, now: Instant) -> Vec<Action> {
        if command == Command::Sync {
            // The flag starts anew.
            self.sequence = true;
        }
        // What came before the question is no answer to it.
        let _stale = self.codec.idle();
        self.awaited = Some((command, now + ANSWER));
        let packet =
            Packet { sequence: self.sequence, address: ADDRESS, data: command.data().to_vec() };
        packet.encode().map(Action::Send).into_iter().collect()
    }
}

impl Host for Master {
    fn connected(&mut self, now: Instant) -> Vec<Action> {
        self.codec = Ssp::new();
        self.unanswered = 0;
        // The poll that was broken off may have been answered with a credit: the validator still
        // has its answer, for the same flag, until it hears another.
        let broken_off = matches!(self.awaited, Some((Command::Poll, _)));
        self.resumed = broken_off && !self.resumed;
        self.send(if self.resumed { Command::Poll } else { Command::Sync }, now)
    }

    fn hear(&mut self, bytes: &[u8], now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        for item in self.codec.feed(bytes) {
            match item {
                Item::Frame(packet) => actions.extend(self.packet(&packet, now)),
                Item::Fault(fault) => {
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
            self.unanswered = self.unanswered.saturating_add(1);
            let _torn = self.codec.idle();
            if self.unanswered > PATIENCE {
                let told = "the validator does not answer".to_owned();
                return vec![Action::End(Broken::Gone(told))];
            }
            return self.send(command, now);
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
            self.count.doubt = true;
        }
        self.count.close()
    }
}

/// The notes of each channel, from the answer to SETUP REQUEST: type, firmware (4), country (3),
/// multiplier (3), number of channels, a value each, a security level each, real multiplier (3),
/// protocol version; from version 6 on three letters each and four bytes of value each.
fn channels(setup: &[u8]) -> Vec<Option<Note>> {
    let Some(count) = setup.get(11).map(|count| usize::from(*count)) else { return Vec::new() };
    let after = setup.get(12..).unwrap_or_default();
    let values = after.get(..count).unwrap_or_default();
    let tail = after.get(count.saturating_mul(2)..).unwrap_or_default();
    // In hundredths, whatever the currency.
    let multiplier = tail.first_chunk::<3>().map_or(0, big);
    let note = |letters: &[u8], value: u64| -> Option<Note> {
        let currency = std::str::from_utf8(letters).ok()?.parse().ok()?;
        let hundredths = i64::try_from(value.checked_mul(multiplier)?).ok()?;
        (hundredths > 0).then(|| (currency, Decimal::new(hundredths, 2).normalize()))
    };
    let expanded = tail.get(4..).unwrap_or_default();
    let version = tail.get(3).copied().unwrap_or_default();
    if version >= 6 {
        let letters = expanded.chunks(3).take(count);
        let amounts = expanded.get(count.saturating_mul(3)..).unwrap_or_default().chunks(4);
        return letters
            .zip(amounts)
            .map(|(letters, amount)| {
                let amount = <[u8; 4]>::try_from(amount).ok().map(u32::from_le_bytes)?;
                note(letters, u64::from(amount))
            })
            .collect();
    }
    let letters = setup.get(5..8).unwrap_or_default();
    values.iter().map(|value| note(letters, u64::from(*value))).collect()
}

fn big(bytes: &[u8; 3]) -> u64 {
    bytes.iter().fold(0, |value, byte| (value << 8) | u64::from(*byte))
}

const ADDRESS: u8 = 0;
const PERIOD: Duration = Duration::from_millis(200);
/// The manual's.
const ANSWER: Duration = Duration::from_secs(1);
const PATIENCE: u32 = 20;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ADDRESS, ANSWER, Host, Master, channels};
    use crate::driver::polled::Action;
    use tidewaiter_codec::ssp::{Packet, Ssp};
    use tidewaiter_codec::stream::{Codec, Item};
    use tidewaiter_proto::body::{Body, Certainty};
    use tidewaiter_proto::cash::CountedItem;
    use tokio::time::Instant;

    /// The packet that the host sends, which must be one.
    fn sent(actions: Vec<Action>) -> Packet {
        let [Action::Send(bytes)] = actions.as_slice() else { panic!("{actions:?}") };
        let items = Ssp::new().feed(bytes);
        let [Item::Frame(packet)] = items.as_slice() else { panic!("{items:?}") };
        packet.clone()
    }

    fn answer(sequence: bool, data: &[u8]) -> Vec<u8> {
        Packet { sequence, address: ADDRESS, data: data.to_vec() }.encode().unwrap()
    }

    const OK: &[u8] = &[0xF0];
    const SETUP: &[u8] = b"\xF0\x000360USD\x00\x00\x01\x01\x64\x02\x00\x00\x64\x05";

    #[test]
    fn the_flag_turns_with_each_command_and_the_same_answer_twice_is_one_note() {
        let mut now = Instant::now();
        let mut master = Master::new("o-7".into());
        let mut flag = true;
        let mut packet = sent(master.connected(now));
        // Sync, version, setup, inhibits, enable.
        for data in [OK, OK, SETUP, OK, OK] {
            assert_eq!(packet.sequence, flag, "{packet:?}");
            assert!(master.hear(&answer(flag, data), now).is_empty());
            flag = !flag;
            packet = sent(master.act(now));
        }
        assert_eq!((packet.sequence, packet.data.as_slice()), (flag, [0x07].as_slice()));
        let credit = answer(flag, &[0xF0, 0xEE, 0x01, 0xEB]);
        master.hear(&credit, now);
        // The validator says it again, before the next command and after it.
        master.hear(&credit, now);
        now += Duration::from_millis(200);
        packet = sent(master.act(now));
        assert_eq!(packet.sequence, !flag);
        master.hear(&credit, now);
        // No answer: the same command once more, under the same flag.
        now += ANSWER;
        assert_eq!(sent(master.act(now)), packet);
        master.hear(&answer(!flag, OK), now);
        now += Duration::from_secs(6);
        let actions = master.act(now);
        let [Action::Reading(Body::CashCounted(count))] = actions.as_slice() else {
            panic!("{actions:?}")
        };
        let [CountedItem::Pieces { pieces: 1, .. }] = count.items.as_slice() else {
            panic!("{count:?}")
        };
        assert_eq!(count.certainty, Certainty::Exact);
    }

    fn shown(setup: &[u8]) -> Vec<String> {
        let note = |note: &Option<super::Note>| {
            note.map_or("none".to_owned(), |(currency, value)| format!("{currency} {value}"))
        };
        channels(setup).iter().map(note).collect()
    }

    #[test]
    fn channels_of_both_protocol_versions_are_read() {
        let mut old =
            b"\x000360EUR\x00\x00\x01\x03\x05\x0A\x14\x02\x02\x02\x00\x00\x64\x05".to_vec();
        assert_eq!(shown(&old), ["EUR 5", "EUR 10", "EUR 20"]);
        *old.last_mut().unwrap() = 6;
        old.extend(b"USDUSDEUR");
        for value in [1_u32, 100, 500] {
            old.extend(value.to_le_bytes());
        }
        assert_eq!(shown(&old), ["USD 1", "USD 100", "EUR 500"]);
        for end in 0..old.len() {
            let _cut = channels(&old[..end]);
        }
        let odd = b"\x000360EU\xFF\x00\x00\x01\x01\x05\x02\x00\x00\x64\x05";
        assert_eq!(shown(odd), ["none"]);
    }
}
