//! When to connect, when to speak up, when to give a connection up.

use std::time::Duration;

use super::{Effect, Pace};
use crate::sync::jitter::{Jitter, doubled};

#[derive(Clone, Debug)]
pub(super) struct Link {
    state: State,
    /// Connections in a row that brought no word of the server.
    attempts: u32,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Offline { dial_at: Duration },
    Dialling { until: Duration },
    Online { session: u64, heard: Duration, beat_at: Duration },
}

impl Link {
    pub(super) fn new(pace: &Pace, jitter: &mut Jitter, now: Duration) -> Self {
        let dial_at = now.saturating_add(jitter.upto(pace.reconnect_first));
        Self { state: State::Offline { dial_at }, attempts: 0 }
    }

    pub(super) fn is_offline(&self) -> bool {
        matches!(self.state, State::Offline { .. })
    }

    /// The session, while there is a connection.
    pub(super) fn session(&self) -> Option<u64> {
        match self.state {
            State::Online { session, .. } => Some(session),
            State::Offline { .. } | State::Dialling { .. } => None,
        }
    }

    pub(super) fn connected(&mut self, session: u64, now: Duration) {
        self.state = State::Online { session, heard: now, beat_at: now };
    }

    pub(super) fn lost(&mut self, pace: &Pace, jitter: &mut Jitter, now: Duration) {
        let most = doubled(pace.reconnect_first, self.attempts, pace.reconnect_most);
        self.attempts = self.attempts.saturating_add(1);
        self.state = State::Offline { dial_at: now.saturating_add(jitter.upto(most)) };
    }

    /// The server said something that verified.
    pub(super) fn heard(&mut self, now: Duration) {
        if let State::Online { heard, .. } = &mut self.state {
            *heard = now;
            self.attempts = 0;
        }
    }

    pub(super) fn tick(
        &mut self,
        pace: &Pace,
        jitter: &mut Jitter,
        now: Duration,
    ) -> Option<Effect> {
        match self.state {
            State::Offline { dial_at } if dial_at <= now => {
                self.state = State::Dialling { until: now.saturating_add(pace.connect_within) };
                Some(Effect::Connect)
            }
            State::Dialling { until } if until <= now => {
                self.lost(pace, jitter, now);
                Some(Effect::Drop { reason: "the connection did not stand in time" })
            }
            _ => None,
        }
    }

    /// Why a connection that looks alive is given up, if it is to be.
    pub(super) fn given_up(
        &self,
        pace: &Pace,
        stalled: bool,
        now: Duration,
    ) -> Option<&'static str> {
        match self.state {
            State::Online { heard, .. } if now.saturating_sub(heard) >= pace.silence => {
                Some("connected, and the server is not heard")
            }
            State::Online { .. } if stalled => Some("connected, and nothing is receipted"),
            _ => None,
        }
    }

    pub(super) fn announced(&mut self, pace: &Pace, jitter: &mut Jitter, now: Duration) {
        if let State::Online { beat_at, .. } = &mut self.state {
            *beat_at = now.saturating_add(jitter.around(pace.heartbeat));
        }
    }

    pub(super) fn beat_due(&mut self, pace: &Pace, jitter: &mut Jitter, now: Duration) -> bool {
        let due = matches!(self.state, State::Online { beat_at, .. } if beat_at <= now);
        if due {
            self.announced(pace, jitter, now);
        }
        due
    }

    pub(super) fn silent(&self, now: Duration) -> Option<Duration> {
        match self.state {
            State::Online { heard, .. } => Some(now.saturating_sub(heard)),
            State::Offline { .. } | State::Dialling { .. } => None,
        }
    }

    pub(super) fn deadline(&self, pace: &Pace) -> Duration {
        match self.state {
            State::Offline { dial_at } => dial_at,
            State::Dialling { until } => until,
            State::Online { heard, beat_at, .. } => beat_at.min(heard.saturating_add(pace.silence)),
        }
    }
}
