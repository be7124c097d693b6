//! What the server remembers of one station between two messages: its share of the server, the
//! proof it was asked for, the gaps it was asked to close. All of it may be forgotten.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::{Effect, Limits};
use crate::receipt::{Down, Heard, RANGES_MAX, Want};
use crate::station::StationId;
use crate::sync::finding::Finding;
use crate::sync::jitter::doubled;
use crate::sync::ranges::Ranges;

#[derive(Clone, Debug)]
pub(super) struct Watch {
    /// When the station last said something that verified.
    pub(super) heard: Duration,
    /// Its last presence.
    pub(super) presence: Heard,
    tokens: u64,
    filled: Duration,
    paused: Option<Duration>,
    refused: Option<Duration>,
    proof: Option<Proof>,
    granted: Option<(u64, Duration)>,
    gaps: BTreeMap<u64, Gap>,
}

/// A request to prove the head.
#[derive(Clone, Copy, Debug)]
struct Proof {
    nonce: u64,
    known: (u64, u64),
    asked: Duration,
}

/// What is missing of one epoch.
#[derive(Clone, Debug)]
struct Gap {
    missing: Ranges,
    since: Duration,
    asks: u32,
}

impl Watch {
    pub(super) fn new(limits: &Limits, started: Duration, now: Duration) -> Self {
        Self {
            heard: now.max(started),
            presence: Heard::default(),
            tokens: limits.burst_bytes,
            filled: now,
            paused: None,
            refused: None,
            proof: None,
            granted: None,
            gaps: BTreeMap::new(),
        }
    }

    /// Takes a message's share, or says how long the station has to wait for it.
    pub(super) fn admit(
        &mut self,
        bytes: u64,
        limits: &Limits,
        now: Duration,
    ) -> Result<(), Duration> {
        let passed = now.saturating_sub(self.filled).as_millis();
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        let gained = passed.saturating_mul(limits.bytes_per_second) / 1000;
        if gained > 0 {
            self.tokens = self.tokens.saturating_add(gained).min(limits.burst_bytes);
            self.filled = now;
        }
        if let Some(rest) = self.tokens.checked_sub(bytes) {
            self.tokens = rest;
            return Ok(());
        }
        let short = bytes - self.tokens;
        let millis = short.saturating_mul(1000) / limits.bytes_per_second.max(1);
        Err(Duration::from_millis(millis.saturating_add(1)))
    }

    /// A presence is answered; an earlier one of the same session that comes late changes nothing.
    pub(super) fn answers(&mut self, session: u64, beat: u64) {
        if self.presence.session != session || self.presence.beat < beat {
            self.presence = Heard { session, beat };
        }
    }

    pub(super) fn may_pause(&mut self, now: Duration) -> bool {
        spaced(&mut self.paused, PAUSE_SPACING, now)
    }

    pub(super) fn may_tell_refusal(&mut self, spacing: Duration, now: Duration) -> bool {
        spaced(&mut self.refused, spacing, now)
    }

    /// Whether a proof may be asked for now; it is, then, with this nonce.
    pub(super) fn may_ask_proof(
        &mut self,
        nonce: u64,
        known: (u64, u64),
        limits: &Limits,
        now: Duration,
    ) -> bool {
        let pending =
            self.proof.is_some_and(|proof| now.saturating_sub(proof.asked) < limits.prove_within);
        if !pending {
            self.proof = Some(Proof { nonce, known, asked: now });
        }
        !pending
    }

    /// What was known when the proof was asked for that this nonce answers.
    pub(super) fn proved(&mut self, nonce: Option<u64>) -> Option<(u64, u64)> {
        let proof = self.proof.filter(|proof| Some(proof.nonce) == nonce)?;
        Some(proof.known)
    }

    /// Whether an epoch may be granted without a person: the same again, or another after a while.
    pub(super) fn may_grant(&mut self, epoch: u64, limits: &Limits, now: Duration) -> bool {
        let Some(spacing) = limits.grant_spacing else { return false };
        match self.granted {
            Some((given, _)) if given == epoch => true,
            Some((_, when)) if now.saturating_sub(when) < spacing => false,
            _ => {
                self.granted = Some((epoch, now));
                true
            }
        }
    }

    /// Notes what is missing below the last number; what shrinks starts its time anew.
    pub(super) fn gap_seen(&mut self, epoch: u64, held: &Ranges, now: Duration) {
        let missing = held.last().map(|last| held.missing(1, last)).unwrap_or_default();
        if missing.is_empty() {
            self.gaps.remove(&epoch);
            return;
        }
        let missing = missing.lowest(RANGES_MAX);
        match self.gaps.get_mut(&epoch) {
            Some(gap) if gap.missing == missing => {}
            Some(gap) => {
                // New records above leave an old gap as it was; anything filled starts it anew.
                let mut filled = gap.missing.clone();
                filled.subtract(&missing);
                if !filled.is_empty() {
                    (gap.since, gap.asks) = (now, 0);
                }
                gap.missing = missing;
            }
            None => {
                self.gaps.insert(epoch, Gap { missing, since: now, asks: 0 });
                if self.gaps.len() > GAPS_MAX {
                    self.gaps.pop_first();
                }
            }
        }
    }

    /// The epochs whose gaps have stood long enough to ask for.
    pub(super) fn due(&mut self, limits: &Limits, now: Duration) -> Vec<u64> {
        let heard = self.heard;
        let due = self.gaps.iter_mut().filter(|(_, gap)| gap.due(limits) <= now);
        due.filter_map(|(epoch, gap)| {
            if now.saturating_sub(heard) <= limits.silent_after {
                return Some(*epoch);
            }
            // A station that is not there is not asked, and its gap is not held against it.
            (gap.since, gap.asks) = (now, 0);
            None
        })
        .collect()
    }

    pub(super) fn wake(&self, limits: &Limits) -> Option<Duration> {
        self.gaps.values().map(|gap| gap.due(limits)).min()
    }

    /// Asks for what is missing by what the store says now, and raises what stays missing.
    pub(super) fn asked(
        &mut self,
        station: &StationId,
        epoch: u64,
        held: &Ranges,
        limits: &Limits,
        at: Timestamp,
        now: Duration,
    ) -> Vec<Effect> {
        self.gap_seen(epoch, held, now);
        let Some(gap) = self.gaps.get_mut(&epoch).filter(|gap| gap.due(limits) <= now) else {
            return Vec::new();
        };
        gap.asks = gap.asks.saturating_add(1);
        let (station, missing) = (station.clone(), gap.missing.clone());
        let (ranges, heard) = (missing.clone(), self.presence);
        let want = Want { station: station.clone(), epoch, ranges, heard, at };
        let mut effects = vec![Effect::Tell(Down::Want(want))];
        if gap.asks == limits.asks {
            effects.push(Effect::Raise(Finding::Gap { station, epoch, missing }));
        }
        effects
    }
}

impl Gap {
    fn due(&self, limits: &Limits) -> Duration {
        let next = self.asks.saturating_add(1).min(10);
        let waited = (0..next).map(|ask| doubled(limits.ask_after, ask, ASK_SPACING_MAX));
        self.since.saturating_add(waited.fold(Duration::ZERO, Duration::saturating_add))
            + ASK_SPACING_MAX * self.asks.saturating_sub(9)
    }
}

fn spaced(last: &mut Option<Duration>, spacing: Duration, now: Duration) -> bool {
    let due = last.is_none_or(|last| now.saturating_sub(last) >= spacing);
    if due {
        *last = Some(now);
    }
    due
}

/// The most epochs of one station whose gaps are watched; the newest are.
const GAPS_MAX: usize = 16;
const PAUSE_SPACING: Duration = Duration::from_secs(1);
const ASK_SPACING_MAX: Duration = Duration::from_mins(10);
