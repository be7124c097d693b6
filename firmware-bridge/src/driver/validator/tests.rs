//! Hosts against simulated validators on a line that loses and damages bytes both ways, breaks
//! off, and cuts the power; without ports, and on a clock of its own.
//!
//! Whatever happens: no note is counted that did not go in; and where one that went in is
//! missing, a count is uncertain.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::json;
use tidewaiter_proto::body::{Body, Certainty};
use tidewaiter_proto::cash::CountedItem;
use tokio::time::Instant;

use super::{ccnet, ssp};
use crate::driver::polled::{Action, Host};
use crate::simulate::validator::Shared;

/// Luck, from a seed.
struct Luck(u64);

impl Luck {
    /// True once in so many.
    fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}

/// How bad it is: one in so many.
#[derive(Clone, Copy, Debug)]
struct Bad {
    messages: u64,
    connections: u64,
    power: u64,
    /// Bytes with a bit turned.
    bytes: u64,
}

type Pieces = BTreeMap<(String, Decimal), usize>;

struct World<H> {
    host: H,
    device: Shared,
    luck: Luck,
    bad: Bad,
    now: Instant,
    counts: usize,
    counted: Pieces,
    uncertain: usize,
}

impl<H: Host> World<H> {
    /// Bytes on the line: whole, lost, or one bit of them turned.
    fn line(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        if self.luck.once_in(self.bad.messages) {
            if self.luck.once_in(2) {
                return Vec::new();
            }
            let at = usize::try_from(self.luck.below(bytes.len() as u64)).unwrap();
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << self.luck.below(8);
            }
        }
        for byte in &mut bytes {
            if self.luck.once_in(self.bad.bytes) {
                *byte ^= 1 << self.luck.below(8);
            }
        }
        bytes
    }

    fn read(&mut self, body: Body) {
        let Body::CashCounted(count) = body else { panic!("{body:?}") };
        self.counts += 1;
        self.uncertain += usize::from(count.certainty == Certainty::Uncertain);
        for item in count.items {
            let CountedItem::Pieces { currency, denomination, pieces } = item else { panic!() };
            let sum = self.counted.entry((currency.to_string(), denomination)).or_default();
            *sum += usize::try_from(pieces).unwrap();
        }
        let stacked = self.stacked();
        for (note, pieces) in &self.counted {
            let there = stacked.get(note).copied().unwrap_or_default();
            assert!(*pieces <= there, "{pieces} of {note:?} counted, {there} went in");
        }
    }

    fn stacked(&self) -> Pieces {
        let stacked = self.device.stacked().into_iter();
        stacked.map(|(currency, value, pieces)| ((currency.to_owned(), value), pieces)).collect()
    }

    fn break_off(&mut self) -> Vec<Action> {
        if let Some(body) = self.host.broke() {
            self.read(body);
        }
        self.now += Duration::from_secs(1);
        self.host.connected(self.now)
    }

    /// Does what the host wants, until it only waits.
    fn perform(&mut self, mut actions: Vec<Action>) {
        while !actions.is_empty() {
            let mut heard = Vec::new();
            let mut ended = false;
            for action in std::mem::take(&mut actions) {
                match action {
                    Action::Send(bytes) => {
                        let bytes = self.line(bytes);
                        let answer = self.device.hear(&bytes);
                        heard.extend(self.line(answer));
                    }
                    Action::Reading(body) => self.read(body),
                    Action::End(_) => ended = true,
                    Action::Well | Action::Fault(..) => {}
                }
            }
            self.now += Duration::from_millis(5);
            actions = if ended || self.luck.once_in(self.bad.connections) {
                self.break_off()
            } else {
                self.host.hear(&heard, self.now)
            };
        }
    }

    fn run(&mut self, until: Duration) {
        let end = self.now + until;
        let first = self.host.connected(self.now);
        self.perform(first);
        while self.now < end {
            self.now = self.now.max(self.host.deadline());
            if self.luck.once_in(self.bad.power) {
                self.device.play(&json!({"power_cut": true})).unwrap();
            }
            let actions = self.host.act(self.now);
            self.perform(actions);
        }
    }
}

fn day<H: Host>(host: H, device: Shared, seed: u64, bad: Bad) {
    let mut world = World {
        host,
        device,
        luck: Luck(seed | 1),
        bad,
        now: Instant::now(),
        counts: 0,
        counted: Pieces::new(),
        uncertain: 0,
    };
    for (currency, denomination) in [("USD", "100"), ("USD", "20"), ("EUR", "50"), ("USD", "100")] {
        let notes = json!([{"currency": currency, "denomination": denomination, "pieces": 8}]);
        world.device.play(&json!({ "notes": notes })).unwrap();
        world.run(Duration::from_mins(1));
    }
    // The line gets well, and what was left is counted.
    world.bad = Bad { messages: u64::MAX, connections: u64::MAX, power: u64::MAX, bytes: u64::MAX };
    world.run(Duration::from_mins(2));
    let stacked = world.stacked();
    assert_eq!(stacked.values().sum::<usize>(), 32, "all notes went in");
    if world.uncertain == 0 {
        assert_eq!(world.counted, stacked, "exact counts are whole");
    }
    assert!(world.counts > 0);
}

/// 24 hours at a lane: a traveller every five minutes, one byte in a hundred corrupted both ways,
/// the cable pulled every minute. What a traveller's notes come to is counted once, or a count
/// of that traveller is uncertain; [`World::read`] sees to it that none is invented.
fn lane<H: Host>(host: H, device: Shared, seed: u64) {
    let bad = Bad { messages: u64::MAX, connections: u64::MAX, power: u64::MAX, bytes: 100 };
    let mut world = World {
        host,
        device,
        luck: Luck(seed | 1),
        bad,
        now: Instant::now(),
        counts: 0,
        counted: Pieces::new(),
        uncertain: 0,
    };
    let sum = |pieces: &Pieces| pieces.values().sum::<usize>();
    let mut put_in = 0;
    for traveller in 0..288 {
        let pieces = 1 + world.luck.below(16);
        put_in += usize::try_from(pieces).unwrap();
        let notes = json!([{"currency": "USD", "denomination": "100", "pieces": pieces}]);
        world.device.play(&json!({ "notes": notes })).unwrap();
        let before = (sum(&world.stacked()), sum(&world.counted), world.uncertain);
        for _ in 0..5 {
            world.run(Duration::from_mins(1));
            let actions = world.break_off();
            world.perform(actions);
        }
        let stacked = sum(&world.stacked()) - before.0;
        let counted = sum(&world.counted) - before.1;
        assert!(
            counted == stacked || world.uncertain > before.2,
            "traveller {traveller}: {counted} counted, {stacked} stacked, none uncertain"
        );
    }
    // The line is bad, not dead.
    assert!(sum(&world.stacked()) * 10 > put_in * 9, "of {put_in} notes most went in");
    let World { counts, uncertain, .. } = world;
    println!("{put_in} notes put in, {counts} counts, {uncertain} of them uncertain");
    assert!(counts >= 144 && uncertain < counts, "{counts} counts, {uncertain} uncertain");
}

#[test]
fn a_day_at_a_lane_on_a_bad_line_counts_every_note_once_or_says_it_is_not_sure() {
    lane(ccnet::Master::new(String::new()), Shared::ccnet(), 20_181_116);
    lane(ssp::Master::new(String::new()), Shared::ssp(), 20_181_116);
}

fn bad() -> impl Strategy<Value = Bad> {
    let rate = |often: u64| prop_oneof![Just(u64::MAX), often..often * 20];
    (rate(5), rate(50), rate(50)).prop_map(|(messages, connections, power)| Bad {
        messages,
        connections,
        power,
        bytes: u64::MAX,
    })
}

#[test]
fn on_a_good_line_every_count_is_exact_and_whole() {
    let good = Bad { messages: u64::MAX, connections: u64::MAX, power: u64::MAX, bytes: u64::MAX };
    day(ccnet::Master::new(String::new()), Shared::ccnet(), 1, good);
    day(ssp::Master::new(String::new()), Shared::ssp(), 1, good);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn ccnet_invents_no_note_and_loses_none_silently(seed in any::<u64>(), bad in bad()) {
        day(ccnet::Master::new(String::new()), Shared::ccnet(), seed, bad);
    }

    #[test]
    fn ssp_invents_no_note_and_loses_none_silently(seed in any::<u64>(), bad in bad()) {
        day(ssp::Master::new(String::new()), Shared::ssp(), seed, bad);
    }
}
