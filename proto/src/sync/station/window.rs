//! What is on its way: new records first, the backlog beside them in a share that fits the link.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Pace;
use super::life::Life;
use crate::batch::{BATCH_BYTES_MAX, BATCH_RECORDS_MAX};
use crate::sync::jitter::doubled;
use crate::sync::ranges::Ranges;

/// Records to read and send as one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Names the order in [`super::Station::sent`].
    pub id: u64,
    /// Which life of the ledger.
    pub epoch: u64,
    /// The first record; it must be in the batch.
    pub from: u64,
    /// The last that may be in it.
    pub to: u64,
    /// How large the batch may be, if it has more than one record.
    pub bytes_max: usize,
    /// Whether these are new records.
    pub fresh: bool,
}

#[derive(Clone, Debug)]
struct Flight {
    epoch: u64,
    from: u64,
    to: u64,
    bytes: usize,
    fresh: bool,
    /// Times these records were sent before without a receipt.
    attempt: u32,
    sent: Option<Duration>,
    deadline: Duration,
}

/// New records whose receipt did not come in time.
#[derive(Clone, Copy, Debug)]
struct Again {
    epoch: u64,
    from: u64,
    to: u64,
    attempt: u32,
    not_before: Duration,
}

#[derive(Clone, Debug)]
pub(super) struct Window {
    flights: BTreeMap<u64, Flight>,
    next_order: u64,
    again: VecDeque<Again>,
    /// New records begin here, in the present epoch.
    fresh: (u64, u64),
    /// When new records were last sent for the first time.
    fresh_ordered: Duration,
    /// When numbers of the present epoch were recorded: the first of each while, ascending.
    recent: VecDeque<(Duration, u64)>,
    /// Where the backlog goes on.
    cursor: (u64, u64),
    backlog_from: Duration,
    /// Bytes that may be on their way now.
    share: usize,
    smooth: Option<Duration>,
    timeouts: u32,
    progressed: Duration,
    pub(super) resent: u64,
}

impl Window {
    pub(super) fn new() -> Self {
        Self {
            flights: BTreeMap::new(),
            next_order: 0,
            again: VecDeque::new(),
            fresh: (0, 0),
            fresh_ordered: Duration::ZERO,
            recent: VecDeque::new(),
            cursor: (0, 0),
            backlog_from: Duration::ZERO,
            share: SHARE_FIRST,
            smooth: None,
            timeouts: 0,
            progressed: Duration::ZERO,
            resent: 0,
        }
    }

    /// A connection stands. New are the last `fresh_tail` records, and what was recorded a short
    /// while ago: a link that comes and goes must not make old records of them.
    pub(super) fn connected(
        &mut self,
        (epoch, head): (u64, u64),
        fresh_tail: u64,
        backlog_from: Duration,
        now: Duration,
    ) {
        self.forget();
        self.forget_old(now);
        let tail = head.saturating_sub(fresh_tail).saturating_add(1);
        let recent = self.recent.front().map_or(tail, |(_, seq)| *seq);
        let most = head.saturating_sub(FRESH_MOST).saturating_add(1);
        self.fresh = (epoch, tail.min(recent.max(most)).max(1));
        self.backlog_from = backlog_from;
        (self.share, self.smooth, self.timeouts) = (SHARE_FIRST, None, 0);
        self.progressed = now;
    }

    /// A new epoch: all its records are new.
    pub(super) fn begin(&mut self, epoch: u64) {
        self.fresh = (epoch, 1);
        self.recent.clear();
    }

    /// A record of the present epoch was written.
    pub(super) fn recorded(&mut self, seq: u64, now: Duration) {
        self.forget_old(now);
        let known = self.recent.back().is_some_and(|(at, _)| now.saturating_sub(*at) < FRESH_WHILE);
        if !known {
            self.recent.push_back((now, seq));
        }
    }

    fn forget_old(&mut self, now: Duration) {
        let old = |(at, _): &mut (Duration, u64)| now.saturating_sub(*at) > FRESH_FOR;
        while self.recent.pop_front_if(old).is_some() {}
    }

    /// The backlog goes on from here.
    pub(super) fn begin_at(&mut self, epoch: u64, seq: u64, now: Duration) {
        self.cursor = (epoch, seq);
        self.progressed = now;
    }

    pub(super) fn pause(&mut self, until: Duration) {
        self.backlog_from = self.backlog_from.max(until);
        self.share = (self.share / 2).max(SHARE_LEAST);
    }

    pub(super) fn forget(&mut self) {
        self.flights.clear();
        self.again.clear();
        self.cursor = (0, 0);
    }

    pub(super) fn in_flight(&self) -> usize {
        self.flights.len()
    }

    /// The next order, if there is room for one.
    pub(super) fn next(
        &mut self,
        lives: &BTreeMap<u64, Life>,
        pace: &Pace,
        now: Duration,
    ) -> Option<Order> {
        self.expire(lives, pace, now);
        let (count, bytes) = self.under_way(true);
        let room = self.share.saturating_sub(bytes);
        // What is on its way may be lost, and would hold back a new record until it is sent again.
        let overdue = now >= self.fresh_overdue();
        if room == 0 && overdue && (1..pace.fresh_batches).contains(&count) {
            if let Some(order) = self.next_fresh(lives, SHARE_LEAST, pace, now) {
                return Some(order);
            }
        } else if count == 0 || (room > 0 && count < pace.fresh_batches) {
            let room = room.clamp(SHARE_LEAST, BATCH_BYTES_MAX);
            if let Some(order) = self.next_fresh(lives, room, pace, now) {
                return Some(order);
            }
            if let Some(order) = self.next_again(lives, room, pace, now) {
                return Some(order);
            }
        }
        self.next_backlog(lives, pace, now)
    }

    /// When a new record goes although there is no room: not before a receipt of the last one
    /// could be here, which on a slow link takes long.
    fn fresh_overdue(&self) -> Duration {
        let receipt = self.smooth.unwrap_or_default().saturating_mul(2);
        self.fresh_ordered.saturating_add(receipt.max(FRESH_WAIT))
    }

    /// How many batches are on their way, new records or backlog, and how many bytes.
    fn under_way(&self, fresh: bool) -> (usize, usize) {
        let flights = self.flights.values().filter(|flight| flight.fresh == fresh);
        flights
            .fold((0, 0), |(count, bytes), flight| (count + 1, bytes.saturating_add(flight.bytes)))
    }

    fn next_fresh(
        &mut self,
        lives: &BTreeMap<u64, Life>,
        room: usize,
        pace: &Pace,
        now: Duration,
    ) -> Option<Order> {
        let (epoch, start) = self.fresh;
        let head = lives.get(&epoch)?.head().seq;
        // More than one batch of them: the newest first, the rest is backlog.
        let start = start.max(head.saturating_sub(RECORDS_MAX - 1));
        let (from, to) = self.free(lives, epoch)?.first_missing(start.max(1), head)?;
        self.fresh = (epoch, to.saturating_add(1));
        self.fresh_ordered = now;
        Some(self.order(epoch, (from, to), (true, 0), room, pace, now))
    }

    fn next_again(
        &mut self,
        lives: &BTreeMap<u64, Life>,
        room: usize,
        pace: &Pace,
        now: Duration,
    ) -> Option<Order> {
        let at = self.again.iter().position(|again| again.not_before <= now)?;
        let again = self.again.remove(at)?;
        let (from, to) = self.free(lives, again.epoch)?.first_missing(again.from, again.to)?;
        if to < again.to {
            self.again.push_back(Again { from: to.saturating_add(1), ..again });
        }
        self.resent += 1;
        Some(self.order(again.epoch, (from, to), (true, again.attempt), room, pace, now))
    }

    fn next_backlog(
        &mut self,
        lives: &BTreeMap<u64, Life>,
        pace: &Pace,
        now: Duration,
    ) -> Option<Order> {
        if now < self.backlog_from {
            return None;
        }
        let ((count, bytes), (_, fresh)) = (self.under_way(false), self.under_way(true));
        let room = self.share.saturating_sub(bytes.saturating_add(fresh));
        if count >= pace.backlog_batches || (room == 0 && count > 0) {
            return None;
        }
        let (epoch, from, to) = self.oldest(lives)?;
        let to = to.min(from.saturating_add(RECORDS_MAX - 1));
        let bytes_max = room.clamp(SHARE_LEAST, BATCH_BYTES_MAX);
        self.cursor = (epoch, to.saturating_add(1));
        Some(self.order(epoch, (from, to), (false, self.timeouts), bytes_max, pace, now))
    }

    /// The first records, from the cursor on and then from the beginning, that nobody sees to.
    fn oldest(&self, lives: &BTreeMap<u64, Life>) -> Option<(u64, u64, u64)> {
        let find = |epoch: u64, start: u64| {
            let head = lives.get(&epoch)?.head().seq;
            let range = self.free(lives, epoch)?.first_missing(start.max(1), head)?;
            Some((epoch, range.0, range.1))
        };
        let (epoch, start) = self.cursor;
        let after = lives.keys().copied().filter(|other| *other > epoch);
        find(epoch, start)
            .or_else(|| after.into_iter().find_map(|epoch| find(epoch, 1)))
            .or_else(|| lives.keys().find_map(|epoch| find(*epoch, 1)))
    }

    /// The numbers that need no order: delivered, withheld, on their way, or waiting to go again.
    fn free(&self, lives: &BTreeMap<u64, Life>, epoch: u64) -> Option<Ranges> {
        let mut done = lives.get(&epoch)?.settled_numbers();
        for flight in self.flights.values().filter(|flight| flight.epoch == epoch) {
            done.insert(flight.from, flight.to);
        }
        for again in self.again.iter().filter(|again| again.epoch == epoch) {
            done.insert(again.from, again.to);
        }
        Some(done)
    }

    fn order(
        &mut self,
        epoch: u64,
        (from, to): (u64, u64),
        (fresh, attempt): (bool, u32),
        bytes_max: usize,
        pace: &Pace,
        now: Duration,
    ) -> Order {
        let id = self.next_order;
        self.next_order = id.wrapping_add(1);
        let to = to.min(from.saturating_add(RECORDS_MAX - 1));
        let deadline = now.saturating_add(self.patience(attempt, pace));
        if self.flights.is_empty() {
            self.progressed = now;
        }
        let flight =
            Flight { epoch, from, to, bytes: bytes_max, fresh, attempt, sent: None, deadline };
        self.flights.insert(id, flight);
        Order { id, epoch, from, to, bytes_max, fresh }
    }

    /// How long a receipt is waited for: on a slow link as long as receipts take there; before the
    /// first receipt of a connection, as long as what is on its way takes on the slowest.
    fn patience(&self, attempt: u32, pace: &Pace) -> Duration {
        let usual = self.smooth.map_or_else(
            || {
                let bytes = self.under_way(true).1.saturating_add(self.under_way(false).1);
                pace.resend_after + SLOWEST.saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX))
            },
            |smooth| smooth.saturating_mul(4),
        );
        let first = pace.resend_after.max(usual);
        doubled(first, attempt, pace.resend_most.max(usual))
    }

    pub(super) fn sent(
        &mut self,
        order: u64,
        to: u64,
        bytes: usize,
        pace: &Pace,
        now: Duration,
    ) -> bool {
        let attempt = self.flights.get(&order).map_or(0, |flight| flight.attempt);
        let deadline = now.saturating_add(self.patience(attempt, pace));
        let Some(flight) = self.flights.get_mut(&order) else { return false };
        let rest = (to.saturating_add(1), flight.to);
        let (epoch, fresh) = (flight.epoch, flight.fresh);
        flight.to = flight.to.min(to).max(flight.from);
        (flight.bytes, flight.sent, flight.deadline) = (bytes, Some(now), deadline);
        if rest.0 <= rest.1 {
            if fresh {
                // What did not fit goes at once, as new as the rest.
                self.again.push_front(Again {
                    epoch,
                    from: rest.0,
                    to: rest.1,
                    attempt: 0,
                    not_before: now,
                });
            } else {
                self.cursor = (epoch, rest.0);
            }
        }
        true
    }

    pub(super) fn unsent(&mut self, order: u64, now: Duration) {
        let Some(flight) = self.flights.remove(&order) else { return };
        if flight.fresh {
            self.again.push_back(Again {
                epoch: flight.epoch,
                from: flight.from,
                to: flight.to,
                attempt: flight.attempt,
                not_before: now.saturating_add(RETRY_AFTER),
            });
        } else {
            self.backlog_from = self.backlog_from.max(now.saturating_add(RETRY_AFTER));
        }
    }

    /// Flights without a receipt in time: new records go again first, backlog in its turn.
    fn expire(&mut self, lives: &BTreeMap<u64, Life>, pace: &Pace, now: Duration) {
        let late: Vec<u64> = self
            .flights
            .iter()
            .filter(|(_, flight)| flight.deadline <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in late {
            let Some(flight) = self.flights.remove(&id) else { continue };
            let life = lives.get(&flight.epoch);
            if life.is_none_or(|life| life.has_delivered(flight.from, flight.to)) {
                continue;
            }
            let attempt = flight.attempt.saturating_add(1);
            if flight.fresh && attempt < FRESH_ATTEMPTS {
                let Flight { epoch, from, to, .. } = flight;
                self.again.push_back(Again { epoch, from, to, attempt, not_before: now });
                if self.again.len() > AGAIN_MAX {
                    self.again.pop_front();
                }
            } else {
                self.timeouts = self.timeouts.saturating_add(1);
                self.share = (self.share / 2).max(SHARE_LEAST);
                self.resent += 1;
                let wait = doubled(RETRY_AFTER, self.timeouts, pace.resend_most);
                self.backlog_from = self.backlog_from.max(now.saturating_add(wait));
            }
        }
    }

    /// Receipts were taken: flights that they cover have landed.
    pub(super) fn receipted(&mut self, lives: &BTreeMap<u64, Life>, pace: &Pace, now: Duration) {
        let landed: Vec<u64> = self
            .flights
            .iter()
            .filter(|(_, flight)| {
                lives
                    .get(&flight.epoch)
                    .is_none_or(|life| life.has_delivered(flight.from, flight.to))
            })
            .map(|(id, _)| *id)
            .collect();
        for id in landed {
            let Some(flight) = self.flights.remove(&id) else { continue };
            self.progressed = now;
            self.timeouts = 0;
            let Some(sent) = flight.sent else { continue };
            let took = now.saturating_sub(sent);
            if flight.attempt == 0 {
                let smooth = self.smooth.unwrap_or(took);
                self.smooth = Some(smooth / 8 * 7 + took / 8);
            }
            self.adapt(took, flight.bytes, pace);
        }
    }

    /// More is on its way at once on a link that answers soon, and less of one that does not, so that
    /// what waits in the pipe never holds a new record up for long.
    fn adapt(&mut self, took: Duration, bytes: usize, pace: &Pace) {
        if took <= SOON {
            self.share = self.share.saturating_add(bytes).min(pace.backlog_bytes);
        } else if took >= LATE {
            self.share = (self.share / 2).max(SHARE_LEAST);
        }
    }

    pub(super) fn stalled(&self, pace: &Pace, now: Duration) -> bool {
        let patience = pace.stall.max(self.patience(0, pace).saturating_mul(4));
        let waits = self.flights.values().any(|flight| flight.sent.is_some());
        waits && now.saturating_sub(self.progressed) >= patience
    }

    pub(super) fn deadlines(&self, pace: &Pace) -> impl Iterator<Item = Duration> {
        let deadlines = self.flights.values().map(|flight| flight.deadline);
        let again = self.again.iter().map(|again| again.not_before);
        let stall = (!self.flights.is_empty()).then(|| self.progressed.saturating_add(pace.stall));
        let overdue = self.fresh_overdue();
        deadlines.chain(again).chain([self.backlog_from, overdue]).chain(stall)
    }
}

const RECORDS_MAX: u64 = BATCH_RECORDS_MAX as u64;
/// After so many times without a receipt, new records are backlog like any other.
const FRESH_ATTEMPTS: u32 = 5;
/// The most ranges that wait to go again; what is more is backlog like any other.
const AGAIN_MAX: usize = 64;
/// So long after it was written a record is new, even on another connection ...
const FRESH_FOR: Duration = Duration::from_mins(10);
/// ... to within this time, and at most so many are.
const FRESH_WHILE: Duration = Duration::from_secs(10);
const FRESH_MOST: u64 = 64;
/// A new record waits so long for room behind other new ones, and longer on a slow link.
const FRESH_WAIT: Duration = Duration::from_secs(2);
/// One byte on the slowest link that is served well, of 8 kbit/s.
const SLOWEST: Duration = Duration::from_millis(1);
/// On a link that has not shown that it is fast: what fills the slowest for longer than the
/// keep-alive waits would never land.
const SHARE_FIRST: usize = 8 << 10;
const SHARE_LEAST: usize = 2 << 10;
const SOON: Duration = Duration::from_secs(1);
const LATE: Duration = Duration::from_secs(3);
const RETRY_AFTER: Duration = Duration::from_millis(100);
