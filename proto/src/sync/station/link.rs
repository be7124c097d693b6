//! When to connect, when to speak up, when to give a connection up.

use std::time::Duration;

use super::{Effect, Pace};
use crate::receipt::Heard;
use crate::sync::jitter::{Jitter, doubled};

#[derive(Clone, Debug)]
pub(super) struct Link {
    state: State,
    /// Connections in a row that did not last.
    attempts: u32,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Offline { dial_at: Duration },
    Dialling { until: Duration },
    Online(Session),
}

#[derive(Clone, Copy, Debug)]
struct Session {
    id: u64,
    since: Duration,
    heard: Duration,
    beat_at: Duration,
    /// Presences announced, and the last of them that was answered.
    beats: u64,
    answered: u64,
    /// When a presence was announced last because the server seemed not to know of any.
    asked_anew: Option<Duration>,
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
        self.online().map(|session| session.id)
    }

    fn online(&self) -> Option<&Session> {
        match &self.state {
            State::Online(session) => Some(session),
            State::Offline { .. } | State::Dialling { .. } => None,
        }
    }

    pub(super) fn connected(&mut self, id: u64, now: Duration) {
        self.state = State::Online(Session {
            id,
            since: now,
            heard: now,
            beat_at: now,
            beats: 0,
            answered: 0,
            asked_anew: None,
        });
    }

    /// Whether a welcome answers a presence of this session, and a later one than any before.
    pub(super) fn answered(&mut self, id: u64, beat: u64) -> bool {
        let State::Online(session) = &mut self.state else { return false };
        let fresh = session.id == id && beat > session.answered && beat <= session.beats;
        if fresh {
            session.answered = beat;
        }
        fresh
    }

    /// Whether the server said something after it gave the last welcome of this session; none
    /// before the first.
    pub(super) fn is_since_welcome(&self, heard: Heard) -> Option<bool> {
        let session = self.online().filter(|session| session.answered > 0)?;
        Some(heard.session == session.id && heard.beat >= session.answered)
    }

    /// Whether a presence may be announced out of turn; it is, then.
    pub(super) fn may_ask_anew(&mut self, now: Duration) -> bool {
        let State::Online(session) = &mut self.state else { return false };
        let due = session.asked_anew.is_none_or(|at| now.saturating_sub(at) >= ASK_SPACING);
        if due {
            session.asked_anew = Some(now);
        }
        due
    }

    pub(super) fn lost(&mut self, pace: &Pace, jitter: &mut Jitter, now: Duration) {
        let lasted = |session: &Session| session.heard.saturating_sub(session.since) >= LASTING;
        if self.online().is_some_and(lasted) {
            self.attempts = 0;
        }
        let most = doubled(pace.reconnect_first, self.attempts, pace.reconnect_most);
        self.attempts = self.attempts.saturating_add(1);
        self.state = State::Offline { dial_at: now.saturating_add(jitter.upto(most)) };
    }

    /// The server said something that verified.
    pub(super) fn heard(&mut self, now: Duration) {
        if let State::Online(session) = &mut self.state {
            session.heard = now;
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
            State::Online(session) if now.saturating_sub(session.heard) >= pace.silence => {
                Some("connected, and the server is not heard")
            }
            State::Online(_) if stalled => Some("connected, and nothing is receipted"),
            _ => None,
        }
    }

    /// A presence is announced now; gives its number.
    pub(super) fn announced(&mut self, pace: &Pace, jitter: &mut Jitter, now: Duration) -> u64 {
        let State::Online(session) = &mut self.state else { return 0 };
        session.beat_at = now.saturating_add(jitter.around(pace.heartbeat));
        session.beats = session.beats.saturating_add(1);
        session.beats
    }

    pub(super) fn beat_due(&self, now: Duration) -> bool {
        self.online().is_some_and(|session| session.beat_at <= now)
    }

    pub(super) fn silent(&self, now: Duration) -> Option<Duration> {
        self.online().map(|session| now.saturating_sub(session.heard))
    }

    pub(super) fn deadline(&self, pace: &Pace) -> Duration {
        match &self.state {
            State::Offline { dial_at } => *dial_at,
            State::Dialling { until } => *until,
            State::Online(session) => {
                session.beat_at.min(session.heard.saturating_add(pace.silence))
            }
        }
    }
}

/// A connection on which the server was heard after this time was a good one: the next delay is
/// short again. Shorter ones, as of two stations that take one name from each other, are spread.
const LASTING: Duration = Duration::from_secs(10);
/// The shortest time between two presences out of turn: a replay must not make a station talk.
const ASK_SPACING: Duration = Duration::from_secs(5);
