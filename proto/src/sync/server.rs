//! The server's side of the sync: who may say what, what it is answered, what is missing.
//!
//! A [`Desk`] judges messages and remembers, for each station that is enrolled, how much it sends,
//! what it was asked and what is missing. It never holds records; what is on disk comes from the
//! store with every call, so that replicas can share the work. The order for a batch:
//! [`Desk::open`], then one transaction of the store with [`Life::judge`], then
//! [`Desk::stored`]; only after that is the message acknowledged to the broker.

pub mod life;
mod watch;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::batch::{self, BATCH_BYTES_MAX, Batch, BatchError};
use crate::presence::Presence;
use crate::receipt::{Down, Held, LIVES_MAX, Receipt, Standing, Welcome};
use crate::signing::Verifying;
use crate::station::StationId;
use crate::sync::finding::Finding;
use crate::sync::jitter::Jitter;

pub use life::{Judgement, Life, Run};
use watch::Watch;

/// What the shell has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Sign and publish to the station.
    Tell(Down),
    /// Raise, with what proves it.
    Raise(Finding),
    /// Keep the message in the bounded quarantine; nothing of it is used.
    Quarantine {
        /// Whose topic it came on, when that is a station.
        station: Option<StationId>,
        /// Why it was refused.
        reason: String,
    },
    /// Read what is on disk of this epoch and give it to [`Desk::looked`].
    Look {
        /// Whose.
        station: StationId,
        /// Which life of its ledger.
        epoch: u64,
    },
}

/// What one station may ask of the server, and when the server asks back.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes a second, in the long run.
    pub bytes_per_second: u64,
    /// Bytes that may come at once.
    pub burst_bytes: u64,
    /// How long a gap may stand, without anything filling it, before the server asks.
    pub ask_after: Duration,
    /// How often the server asks before it raises the gap.
    pub asks: u32,
    /// A station that was not heard for so long is not asked.
    pub silent_after: Duration,
    /// How long a station has to prove its head before it is asked anew.
    pub prove_within: Duration,
    /// How long after one new epoch the next may be granted without a person; none: never.
    pub grant_spacing: Option<Duration>,
    /// The shortest time between two refusals told to one station.
    pub refusal_spacing: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_per_second: 16 << 20,
            burst_bytes: 32 << 20,
            ask_after: Duration::from_secs(30),
            asks: 5,
            silent_after: Duration::from_mins(2),
            prove_within: Duration::from_secs(10),
            grant_spacing: Some(Duration::from_hours(1)),
            refusal_spacing: Duration::from_secs(10),
        }
    }
}

/// The server's memory of its stations.
#[derive(Clone, Debug)]
pub struct Desk {
    limits: Limits,
    nonces: Jitter,
    stations: BTreeMap<StationId, Watch>,
    started: Duration,
}

/// The station that a batch is from, by its topic and its own claim, before anything is verified.
///
/// # Errors
/// The reason to refuse it.
pub fn sender(topic_station: &StationId, payload: &[u8]) -> Result<(), String> {
    if payload.len() > BATCH_BYTES_MAX {
        return Err(BatchError::TooLarge(payload.len()).to_string());
    }
    let claimed = batch::claimed_station(payload).map_err(|error| error.to_string())?;
    if claimed == *topic_station {
        Ok(())
    } else {
        Err(format!("the batch is {claimed}'s and came on the topic of {topic_station}"))
    }
}

impl Desk {
    /// A desk that has seen nothing. `seed` must be random: the nonces come from it.
    pub fn new(limits: Limits, seed: u64, now: Duration) -> Self {
        Self { limits, nonces: Jitter::new(seed), stations: BTreeMap::new(), started: now }
    }

    /// Checks a payload that came on a station's `up` topic. `key` is the station's, none when it
    /// is not enrolled or was revoked. Without a batch, the message is done with and may be
    /// acknowledged after the effects.
    pub fn open(
        &mut self,
        station: &StationId,
        payload: &[u8],
        key: Option<&Verifying>,
        now: Duration,
    ) -> (Option<Batch>, Vec<Effect>) {
        let Some(key) = key else {
            let reason = "the station is not enrolled, or its key was revoked".to_owned();
            return (None, vec![Effect::Quarantine { station: Some(station.clone()), reason }]);
        };
        let limits = self.limits;
        let watch = self.watch(station, now);
        if let Err(wait) = watch.admit(payload.len() as u64, &limits, now) {
            let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            let pause = Down::Pause { station: station.clone(), millis };
            return (
                None,
                watch.may_pause(now).then_some(Effect::Tell(pause)).into_iter().collect(),
            );
        }
        let batch = sender(station, payload)
            .and_then(|()| Batch::verify(payload, key).map_err(|error| error.to_string()));
        match batch {
            Ok(batch) => {
                watch.heard = now;
                (Some(batch), Vec::new())
            }
            Err(reason) => (None, self.refuse(station, reason, now)),
        }
    }

    /// Says what follows once a batch is on disk: `life` is the epoch with the batch in it.
    pub fn stored(
        &mut self,
        batch: &Batch,
        judgement: &Judgement,
        life: &Life,
        at: Timestamp,
        now: Duration,
    ) -> Vec<Effect> {
        let (station, epoch) = (&batch.station, batch.epoch);
        let own = Held { from: batch.from, to: batch.to(), hash: batch.signed.head.hash };
        let verified = life.verified();
        let mut receipt = Receipt {
            station: station.clone(),
            epoch,
            held: Vec::new(),
            kept: Vec::new(),
            verified,
            heard: self.watch(station, now).presence,
            at,
        };
        let mut effects = Vec::new();
        if let Judgement::Branch { at: seq } = judgement {
            receipt.kept.push(own);
            effects.push(Effect::Raise(Finding::Fork {
                station: station.clone(),
                epoch,
                seq: *seq,
                branch: batch.signed.clone(),
            }));
        } else {
            if verified.seq > 0 {
                receipt.held.push(Held { from: 1, to: verified.seq, hash: verified.hash });
            }
            receipt.held.push(own);
            let standing = life.standing(Vec::new());
            self.watch(station, now).gap_seen(epoch, &standing.ranges(), now);
        }
        effects.push(Effect::Tell(Down::Receipt(receipt)));
        effects
    }

    /// Answers a presence whose signature was verified. `lives` is all that is on disk of the
    /// station, by epoch, in any order.
    pub fn presence(
        &mut self,
        station: &StationId,
        presence: &Presence,
        mut lives: Vec<Standing>,
        at: Timestamp,
        now: Duration,
    ) -> Vec<Effect> {
        if !presence.online {
            return Vec::new();
        }
        if !lives.iter().any(|life| life.epoch == presence.epoch) {
            lives.push(Standing::nothing(station, presence.epoch));
        }
        lives.sort_unstable_by_key(|life| std::cmp::Reverse(life.epoch));
        let newest = lives.first().map_or(0, |life| life.epoch);
        let own = lives.iter().find(|life| life.epoch == presence.epoch).cloned();
        let own = own.unwrap_or_else(|| Standing::nothing(station, presence.epoch));
        let known = lives.iter().find(|life| life.last() > 0 || life.epoch == presence.epoch);
        let known = known.map_or((0, 0), |life| (life.epoch, life.last()));
        let (limits, nonce) = (self.limits, self.nonces.draw());
        let watch = self.watch(station, now);
        watch.heard = now;
        watch.answers(presence.session, presence.beat);
        let mut effects = Vec::new();
        if let Some(asked) = watch.proved(presence.answers)
            && (presence.epoch, presence.seq) < asked
        {
            effects.push(Effect::Raise(Finding::Rollback {
                station: station.clone(),
                known: asked,
                shown: Box::new(presence.clone()),
            }));
        }
        let behind = (presence.epoch, presence.seq) < known;
        let torn = own.verified.seq == presence.seq && own.verified.hash != presence.head;
        if (behind || torn) && watch.may_ask_proof(nonce, known, &limits, now) {
            effects.push(Effect::Tell(Down::Prove { station: station.clone(), nonce }));
        }
        if presence.contradicted && watch.may_grant(newest.saturating_add(1), &limits, now) {
            effects.push(Effect::Tell(Down::BeginEpoch {
                station: station.clone(),
                session: presence.session,
                epoch: newest.saturating_add(1),
            }));
        }
        for life in &lives {
            watch.gap_seen(life.epoch, &life.ranges(), now);
        }
        lives.retain(|life| life.epoch == presence.epoch || life.last() > 0);
        lives.truncate(LIVES_MAX);
        if !lives.iter().any(|life| life.epoch == presence.epoch) {
            lives.push(own);
        }
        let Presence { session, beat, .. } = *presence;
        let station = station.clone();
        effects.push(Effect::Tell(Down::Welcome(Welcome { station, session, beat, lives, at })));
        effects
    }

    /// Refuses a message that came on a topic of no station, or a presence that does not verify.
    pub fn refuse(&mut self, station: &StationId, reason: String, now: Duration) -> Vec<Effect> {
        let spacing = self.limits.refusal_spacing;
        let mut effects =
            vec![Effect::Quarantine { station: Some(station.clone()), reason: reason.clone() }];
        if let Some(watch) = self.stations.get_mut(station)
            && watch.may_tell_refusal(spacing, now)
        {
            let finding =
                Finding::Refused { station: Some(station.clone()), reason: reason.clone() };
            effects.push(Effect::Raise(finding));
            effects.push(Effect::Tell(Down::Refused { station: station.clone(), reason }));
        }
        effects
    }

    /// Looks after gaps; to be called every few seconds.
    pub fn tick(&mut self, now: Duration) -> Vec<Effect> {
        let limits = self.limits;
        let due = self.stations.iter_mut().flat_map(|(station, watch)| {
            let epochs = watch.due(&limits, now);
            epochs.into_iter().map(|epoch| Effect::Look { station: station.clone(), epoch })
        });
        due.collect()
    }

    /// Asks for what is missing, and raises what stays missing; the answer to [`Effect::Look`].
    pub fn looked(
        &mut self,
        station: &StationId,
        standing: &Standing,
        at: Timestamp,
        now: Duration,
    ) -> Vec<Effect> {
        let limits = self.limits;
        let watch = self.watch(station, now);
        watch.asked(station, standing.epoch, &standing.ranges(), &limits, at, now)
    }

    /// When [`Desk::tick`] has something to do next.
    pub fn wake(&self, now: Duration) -> Option<Duration> {
        let due = self.stations.values().filter_map(|watch| watch.wake(&self.limits));
        due.filter(|due| *due > now).min()
    }

    fn watch(&mut self, station: &StationId, now: Duration) -> &mut Watch {
        let (limits, started) = (&self.limits, self.started);
        self.stations.entry(station.clone()).or_insert_with(|| Watch::new(limits, started, now))
    }
}
