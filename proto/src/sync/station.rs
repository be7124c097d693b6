//! The station's side of the sync: what to send next, what is receipted, when to connect again.
//!
//! A [`Station`] knows how far the ledger reaches and which records the server's signed receipts
//! cover. It gives orders to read and send ranges ([`Effect::Send`]); it never holds a record.
//! What was ordered and not receipted is forgotten with the connection and read again, so that the
//! client underneath may lose whatever it likes. A receipt counts for a range only when the hash
//! it names for the range's last record is the ledger's own ([`Effect::Compare`]): then the server
//! has these very records.
//!
//! The shell's loop: hand over what happened, take effects until there are none, wait for the next
//! event or for [`Station::wake`].

mod compare;
mod life;
mod link;
mod window;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::chain::{ChainHash, Head};
use crate::receipt::{AccountsPiece, Down, DownError, SignedDown, Want};
use crate::signing::Verifying;
use crate::station::StationId;
use crate::sync::finding::Finding;
use crate::sync::jitter::Jitter;
use crate::sync::ranges::Ranges;

use compare::Comparisons;
use life::Life;
use link::Link;
pub use window::Order;
use window::Window;

/// What the shell has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Make a new client and connect it; then call [`Station::connected`] or
    /// [`Station::disconnected`].
    Connect,
    /// Drop the client with all it holds. The station counts as disconnected already.
    Drop {
        /// Why, for the log.
        reason: &'static str,
    },
    /// Sign and publish the station's presence, retained.
    Announce(Announcement),
    /// Read records and publish them as one signed batch, then call [`Station::sent`].
    Send(Order),
    /// Tell the ledger's own chain hashes of these records by [`Station::compared`].
    Compare(Question),
    /// The server has these records: the ledger need not keep them for the sync.
    Delivered {
        /// Which life of the ledger.
        epoch: u64,
        /// The numbers that were not delivered before.
        ranges: Ranges,
        /// The end of the server's unbroken run.
        verified: Head,
    },
    /// The server no longer has these records: the ledger must keep them.
    Returned {
        /// Which life of the ledger.
        epoch: u64,
        /// The numbers.
        ranges: Ranges,
    },
    /// A fresh answer of the server covers all that counts as delivered now: what is old enough of
    /// it may go from the ledger. At no other time, because the server may have been restored.
    Confirmed {
        /// Which life of the ledger.
        epoch: u64,
    },
    /// Begin this life of the ledger, then call [`Station::recorded`] with it.
    BeginEpoch(u64),
    /// Put it together with its other pieces; whole, it says who may sign in here.
    Accounts(AccountsPiece),
    /// Show and record it.
    Raise(Finding),
    /// The desk asks something: show it to the officer and record that it was shown. The server
    /// says it again until it has that record, so it may come more than once.
    Ask(crate::order::Order),
}

/// What the presence has to say beside versions and clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// As in [`crate::presence::Presence::session`].
    pub session: u64,
    /// As in [`crate::presence::Presence::beat`].
    pub beat: u64,
    /// Which life of the ledger.
    pub epoch: u64,
    /// The ledger's head.
    pub head: Head,
    /// Records not yet receipted, of all lives.
    pub backlog: u64,
    /// The nonce of the server's request that this answers.
    pub answers: Option<u64>,
    /// Whether the ledger is contradicted and needs a new epoch.
    pub contradicted: bool,
}

/// A question to the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Names the question in [`Station::compared`].
    pub id: u64,
    /// Which life of the ledger.
    pub epoch: u64,
    /// The numbers whose chain hashes are asked for.
    pub seqs: Vec<u64>,
}

/// How the station sends.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Batches of new records that may wait for their receipt at once.
    pub fresh_batches: usize,
    /// Batches of the backlog that may.
    pub backlog_batches: usize,
    /// Bytes of all that may, at most; the station finds out how many are good.
    pub backlog_bytes: usize,
    /// Records at the end of the ledger that count as new when a connection begins.
    pub fresh_tail: u64,
    /// A receipt is waited for so long at least before the records are sent again.
    pub resend_after: Duration,
    /// And so long at most, on a fast link.
    pub resend_most: Duration,
    /// The first delay before a new connection.
    pub reconnect_first: Duration,
    /// The longest.
    pub reconnect_most: Duration,
    /// A connection must stand after this time.
    pub connect_within: Duration,
    /// The backlog begins within this time after the connection, not all stations at once.
    pub spread: Duration,
    /// How often the presence is announced.
    pub heartbeat: Duration,
    /// A connection on which the server was not heard for so long is given up.
    pub silence: Duration,
    /// A connection on which nothing was receipted for so long, though something waits, is too.
    pub stall: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            fresh_batches: 4,
            backlog_batches: 8,
            backlog_bytes: 512 << 10,
            fresh_tail: 16,
            resend_after: Duration::from_secs(10),
            resend_most: Duration::from_mins(1),
            reconnect_first: Duration::from_millis(500),
            reconnect_most: Duration::from_mins(1),
            connect_within: Duration::from_secs(20),
            spread: Duration::from_secs(3),
            heartbeat: Duration::from_secs(30),
            silence: Duration::from_mins(2),
            stall: Duration::from_mins(5),
        }
    }
}

/// What the ledger knows of one epoch when the program starts.
#[derive(Clone, Debug)]
pub struct Stand {
    /// Which life of the ledger.
    pub epoch: u64,
    /// Its head.
    pub head: Head,
    /// The numbers that receipts cover, as the ledger was told by [`Effect::Delivered`].
    pub delivered: Ranges,
    /// Whether the ledger takes nothing more in this life, because the server was seen to have
    /// another history of it: a new life is asked for until one is granted.
    pub contradicted: bool,
}

impl Stand {
    /// An epoch of which nothing is delivered.
    pub fn new(epoch: u64, head: Head) -> Self {
        Self { epoch, head, delivered: Ranges::new(), contradicted: false }
    }
}

/// What the station's page and metrics show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Whether there is a connection.
    pub online: bool,
    /// Records not yet receipted.
    pub backlog: u64,
    /// Batches that wait for their receipt.
    pub in_flight: usize,
    /// Batches that were sent again because no receipt came.
    pub resent: u64,
    /// Messages from the server's topic that were not believed.
    pub refused: u64,
    /// Time since the server was heard, while connected.
    pub silent: Option<Duration>,
    /// Whether the server's holdings contradict the present epoch.
    pub contradicted: bool,
}

/// The station's side of the protocol.
#[derive(Clone, Debug)]
pub struct Station {
    name: StationId,
    server: Verifying,
    pace: Pace,
    jitter: Jitter,
    link: Link,
    lives: BTreeMap<u64, Life>,
    window: Window,
    comparisons: Comparisons,
    effects: VecDeque<Effect>,
    refused: u64,
}

impl Station {
    /// The state after a start: not connected, everything that no receipt covers unsent. `seed`
    /// spreads this station's delays from the others'. `stands` has at least the present epoch.
    pub fn new(
        name: StationId,
        server: Verifying,
        pace: Pace,
        seed: u64,
        stands: Vec<Stand>,
        now: Duration,
    ) -> Self {
        let mut jitter = Jitter::new(seed);
        let link = Link::new(&pace, &mut jitter, now);
        let lives = stands.into_iter().map(|stand| (stand.epoch, Life::new(stand))).collect();
        Self {
            name,
            server,
            pace,
            jitter,
            link,
            lives,
            window: Window::new(),
            comparisons: Comparisons::default(),
            effects: VecDeque::new(),
            refused: 0,
        }
    }

    /// The ledger has a new head, or a new epoch.
    pub fn recorded(&mut self, epoch: u64, head: Head, now: Duration) {
        let begins = !self.lives.contains_key(&epoch);
        let life = self.lives.entry(epoch).or_insert_with(|| Life::new(Stand::new(epoch, head)));
        let before = life.head().seq;
        life.reach(head);
        if begins {
            self.window.begin(epoch);
            self.announce(None, now);
        } else if before < head.seq {
            self.window.recorded(before.saturating_add(1), now);
        }
        self.advance(now);
    }

    /// The client is connected and subscribed. `session` is drawn at random for each connection.
    pub fn connected(&mut self, session: u64, now: Duration) {
        let quiet = self.jitter.upto(self.pace.spread);
        self.link.connected(session, now);
        for life in self.lives.values_mut() {
            life.session_begins();
        }
        let (epoch, head) = self.present();
        let backlog_from = now.saturating_add(quiet);
        self.window.connected((epoch, head.seq), self.pace.fresh_tail, backlog_from, now);
        self.announce(None, now);
        self.advance(now);
    }

    /// The connection is lost, or could not be made. All that was not receipted is unsent.
    pub fn disconnected(&mut self, now: Duration) {
        if self.link.is_offline() {
            return;
        }
        self.window.forget();
        self.comparisons.forget();
        self.link.lost(&self.pace, &mut self.jitter, now);
        self.effects.retain(Effect::outlives_a_connection);
    }

    /// A payload came on the station's `down` topic.
    ///
    /// # Errors
    /// [`DownError`] when it is not the server's; then nothing has changed.
    pub fn heard(&mut self, payload: &[u8], now: Duration) -> Result<(), DownError> {
        let down = SignedDown::verify(payload, &self.server).inspect_err(|_| self.refused += 1)?;
        if down.station().is_some_and(|station| *station != self.name) {
            // Another station's message, played to this one: as good as forged.
            self.refused += 1;
            return Err(DownError::Signature(crate::signing::SignatureError::Mismatch));
        }
        self.link.heard(now);
        match down {
            Down::Receipt(receipt) => {
                // Before the first welcome anything of the server's may be believed: the welcome
                // takes back what it does not know.
                if self.link.is_since_welcome(receipt.heard).unwrap_or(true) {
                    self.compare_receipt(receipt, now);
                } else {
                    self.ask_anew(now);
                }
            }
            Down::Welcome(welcome) => {
                if self.link.answered(welcome.session, welcome.beat) {
                    self.compare_welcome(welcome, now);
                }
            }
            // An earlier one than the last welcome is a replay, or settled by it.
            Down::Want(want) => match self.link.is_since_welcome(want.heard) {
                Some(true) => self.wanted(&want, now),
                Some(false) => self.ask_anew(now),
                None => {}
            },
            Down::Prove { nonce, .. } => self.announce(Some(nonce), now),
            Down::BeginEpoch { session, epoch, .. } => {
                let (present, _) = self.present();
                if self.link.session() == Some(session) && epoch > present && self.contradicted() {
                    self.effects.push_back(Effect::BeginEpoch(epoch));
                }
            }
            Down::Pause { millis, .. } => {
                let most = self.pace.resend_most;
                self.window.pause(now.saturating_add(Duration::from_millis(millis).min(most)));
            }
            Down::Refused { reason, .. } => {
                self.effects.push_back(Effect::Raise(Finding::BatchRefused { reason }));
            }
            Down::Accounts(piece) => self.effects.push_back(Effect::Accounts(piece)),
            Down::Order { order } => self.effects.push_back(Effect::Ask(order)),
            Down::Unknown => {}
        }
        self.advance(now);
        Ok(())
    }

    /// An order was carried out: `to` is the last record of the batch, which has so many bytes.
    /// False when the order no longer stands; the batch is then not to be published.
    #[must_use]
    pub fn sent(&mut self, order: u64, to: u64, bytes: usize, now: Duration) -> bool {
        let stands = self.window.sent(order, to, bytes, &self.pace, now);
        self.advance(now);
        stands
    }

    /// The client would not take the batch; its records are unsent.
    pub fn unsent(&mut self, order: u64, now: Duration) {
        self.window.unsent(order, now);
    }

    /// The ledger cannot give the records of an order from the first up to `through`. They are left
    /// alone until the next connection.
    pub fn unreadable(&mut self, order: &Order, through: u64, now: Duration) {
        self.window.unsent(order.id, now);
        let (epoch, from, to) = (order.epoch, order.from, through.max(order.from));
        if let Some(life) = self.lives.get_mut(&epoch) {
            life.withhold(from, to);
        }
        self.effects.push_back(Effect::Raise(Finding::Unreadable { epoch, from, to }));
        self.advance(now);
    }

    /// Time has passed: resends, heartbeats, new connections, the watchdog.
    pub fn tick(&mut self, now: Duration) {
        if let Some(effect) = self.link.tick(&self.pace, &mut self.jitter, now) {
            self.effects.push_back(effect);
        }
        let stalled = self.window.stalled(&self.pace, now);
        if let Some(reason) = self.link.given_up(&self.pace, stalled, now) {
            self.disconnected(now);
            self.effects.push_back(Effect::Drop { reason });
        }
        if self.link.beat_due(now) {
            self.announce(None, now);
        }
        self.advance(now);
    }

    /// When [`Station::tick`] has something to do next.
    pub fn wake(&self, now: Duration) -> Option<Duration> {
        let online = self.link.session().is_some();
        let window = online.then(|| self.window.deadlines(&self.pace)).into_iter().flatten();
        // What is due already waits for something else than time.
        window.chain([self.link.deadline(&self.pace)]).filter(|deadline| *deadline > now).min()
    }

    /// The next thing to do, in order.
    pub fn effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// What a page shows.
    pub fn progress(&self, now: Duration) -> Progress {
        Progress {
            online: self.link.session().is_some(),
            backlog: self.backlog(),
            in_flight: self.window.in_flight(),
            resent: self.window.resent,
            refused: self.refused,
            silent: self.link.silent(now),
            contradicted: self.contradicted(),
        }
    }

    /// The present epoch and its head.
    pub fn present(&self) -> (u64, Head) {
        let newest = self.lives.last_key_value().map(|(epoch, life)| (*epoch, life.head()));
        newest.unwrap_or((0, Head { seq: 0, hash: ChainHash([0; 32]) }))
    }

    fn contradicted(&self) -> bool {
        self.lives.last_key_value().is_some_and(|(_, life)| life.contradicted())
    }

    fn backlog(&self) -> u64 {
        self.lives.values().map(Life::backlog).fold(0, u64::saturating_add)
    }

    fn announce(&mut self, answers: Option<u64>, now: Duration) {
        let Some(session) = self.link.session() else { return };
        let beat = self.link.announced(&self.pace, &mut self.jitter, now);
        let (epoch, head) = self.present();
        self.effects.push_back(Effect::Announce(Announcement {
            session,
            beat,
            epoch,
            head,
            backlog: self.backlog(),
            answers,
            contradicted: self.contradicted(),
        }));
    }

    /// The server spoke and does not know the last presence that was answered: it was started
    /// anew, or this is a replay. With a presence a live server knows it again.
    fn ask_anew(&mut self, now: Duration) {
        if self.link.may_ask_anew(now) {
            self.announce(None, now);
        }
    }

    /// The server misses records: whatever was believed of them, they are sent again.
    fn wanted(&mut self, want: &Want, now: Duration) {
        let Some(life) = self.lives.get_mut(&want.epoch) else { return };
        let returned = life.give_back(&want.ranges);
        if let Some((first, _)) = want.ranges.as_slice().first() {
            self.window.begin_at(want.epoch, *first, now);
        }
        if !returned.is_empty() {
            self.effects.push_back(Effect::Returned { epoch: want.epoch, ranges: returned });
        }
    }

    /// Fills the window.
    fn advance(&mut self, now: Duration) {
        if self.link.session().is_none() {
            return;
        }
        while let Some(order) = self.window.next(&self.lives, &self.pace, now) {
            self.effects.push_back(Effect::Send(order));
        }
    }
}

impl Effect {
    fn outlives_a_connection(&self) -> bool {
        match self {
            Self::Delivered { .. }
            | Self::Returned { .. }
            | Self::Confirmed { .. }
            | Self::BeginEpoch(_)
            | Self::Drop { .. }
            | Self::Raise(_)
            | Self::Accounts(_)
            | Self::Ask(_) => true,
            Self::Connect | Self::Announce(_) | Self::Send(_) | Self::Compare(_) => false,
        }
    }
}
