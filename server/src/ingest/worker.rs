//! What a message becomes: records on disk, findings, answers. In groups, so that many stations
//! share one commit.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use jiff::SignedDuration;
use tidewaiter_proto::batch::Batch;
use tidewaiter_proto::presence::Presence;
use tidewaiter_proto::receipt::{Down, SignedDown};
use tidewaiter_proto::signing::Signing;
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::sync::finding::Finding;
use tidewaiter_proto::sync::server::{Desk, Effect, Limits};
use tidewaiter_proto::topic::Topic;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::Told;
use super::clock::Clocks;
use super::connection::{Lost, Message, Outlet};
use super::silence::Silence;
use crate::clock::Clock;
use crate::store::{PendingWork, Store, StoreError};

/// The desk with the store behind it. It outlives connections.
pub(super) struct Worker {
    store: Store,
    signing: Signing,
    clock: Clock,
    desk: Desk,
    silence: Silence,
    clocks: Clocks,
    told: Told,
    started: Instant,
}

/// A message on its way through a group.
struct Opened {
    message: Message,
    station: StationId,
    batch: Batch,
}

impl Worker {
    pub(super) async fn new(
        store: Store,
        signing: Signing,
        clock: Clock,
        told: Told,
        seed: u64,
    ) -> Result<Self, StoreError> {
        let desk = Desk::new(Limits::default(), seed, Duration::ZERO);
        let silence = Silence::of(&store).await?;
        let (clocks, started) = (Clocks::default(), Instant::now());
        Ok(Self { store, signing, clock, desk, silence, clocks, told, started })
    }

    /// The manifest that every broker is to keep.
    pub(super) fn law(&self) -> &[u8] {
        self.told.law.payload()
    }

    /// Works through what arrives until something fails.
    pub(super) async fn work(
        &mut self,
        mut messages: mpsc::Receiver<Message>,
        outlet: &Outlet,
    ) -> Lost {
        let mut every = interval(TICK);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut orders = interval(ORDERS_EVERY);
        orders.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut group = Vec::new();
        loop {
            let done = tokio::select! {
                count = messages.recv_many(&mut group, GROUP) => {
                    if count == 0 {
                        // The poller is gone and says itself why.
                        std::future::pending::<()>().await;
                    }
                    self.group(std::mem::take(&mut group), outlet).await
                }
                _ = every.tick() => self.tick(outlet).await,
                _ = orders.tick() => self.orders(outlet).await,
            };
            if let Err(lost) = done {
                return lost;
            }
        }
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Takes a group of messages: batches share a commit, everything keeps its order.
    async fn group(&mut self, group: Vec<Message>, outlet: &Outlet) -> Result<(), Lost> {
        let mut opened = Vec::new();
        for message in group {
            if let Some(batch) = self.open(message, outlet).await? {
                opened.push(batch);
            }
        }
        let received_at = self.clock.now();
        let accepting = opened.iter().map(|opened| self.store.accept(&opened.batch, received_at));
        let accepted = join_all(accepting).await;
        for (Opened { message, station, batch }, accepted) in opened.into_iter().zip(accepted) {
            let now = self.now();
            let effects = match accepted {
                Ok(accepted) => {
                    let new = accepted.new_records();
                    tracing::debug!(%station, from = batch.from, to = batch.to(), new, "a batch");
                    let (judgement, life) = (&accepted.judgement, &accepted.life);
                    self.desk.stored(&batch, judgement, life, received_at, now)
                }
                // One batch that the store cannot hold is no reason to stop for all the others.
                Err(error @ (StoreError::OutOfRange { .. } | StoreError::Inconsistent { .. })) => {
                    self.desk.refuse(&station, error.to_string(), now)
                }
                Err(error) => return Err(error.into()),
            };
            self.carry_out(effects, Some(&message), outlet).await?;
            outlet.acknowledge(&message).await?;
        }
        Ok(())
    }

    /// Reads a message. A batch that verifies is given back; all else is done with here.
    async fn open(&mut self, message: Message, outlet: &Outlet) -> Result<Option<Opened>, Lost> {
        let topic = String::from_utf8_lossy(&message.publish.topic).into_owned();
        match topic.parse::<Topic>() {
            Ok(Topic::Up(station)) => {
                let key = self.store.station_key(&station).await?;
                let (now, payload) = (self.now(), &message.publish.payload);
                let (batch, effects) = self.desk.open(&station, payload, key.as_ref(), now);
                self.carry_out(effects, Some(&message), outlet).await?;
                if let Some(batch) = batch {
                    self.silence.heard(&station);
                    return Ok(Some(Opened { message, station, batch }));
                }
            }
            // A retained presence that was taken away says nothing.
            Ok(Topic::State(_)) if message.publish.payload.is_empty() => {}
            Ok(Topic::State(station)) => self.presence(&station, &message, outlet).await?,
            Ok(_) | Err(_) => {
                let reason = "nothing is taken on this topic".to_owned();
                let effects = vec![Effect::Quarantine { station: None, reason }];
                self.carry_out(effects, Some(&message), outlet).await?;
            }
        }
        outlet.acknowledge(&message).await?;
        Ok(None)
    }

    async fn presence(
        &mut self,
        station: &StationId,
        message: &Message,
        outlet: &Outlet,
    ) -> Result<(), Lost> {
        let key = self.store.station_key(station).await?;
        let read = match key {
            Some(key) => Presence::read(&message.publish.payload, station, &key)
                .map_err(|error| error.to_string()),
            None => Err("the station is not enrolled, or its key was revoked".to_owned()),
        };
        let effects = match read {
            Ok(presence) => {
                let at = self.clock.now();
                self.store.presence(station, &presence, at).await?;
                if presence.online {
                    self.silence.heard(station);
                } else {
                    self.silence.left(station);
                }
                // A demonstration's clocks are set one after the other.
                if !self.clock.is_demonstration()
                    && let Some(finding) = self.clocks.seen(station, &presence, at)
                {
                    self.store.ask(PendingWork::Ledger(station.clone(), finding)).await?;
                }
                for down in self.told.accounts.due(station, &presence).await? {
                    self.tell(&down, outlet).await?;
                }
                let lives = self.store.lives(station).await?;
                self.desk.presence(station, &presence, lives, at, self.now())
            }
            Err(reason) => self.desk.refuse(station, reason, self.now()),
        };
        self.carry_out(effects, Some(message), outlet).await
    }

    /// Says what the desk asks, and says it again until the station's record of it is here. A
    /// broker that is started anew, or a station that was away, misses nothing.
    async fn orders(&mut self, outlet: &Outlet) -> Result<(), Lost> {
        let now = self.clock.now();
        let since = now.checked_sub(ORDERS_MATTER).unwrap_or(now);
        for row in self.store.orders_to_send(since).await? {
            let waits = |sent: jiff::Timestamp| now.duration_since(sent).abs() < SAY_AGAIN;
            if !row.sent_at.is_some_and(waits) {
                let id = row.order.id.clone();
                self.tell(&Down::Order { order: row.order }, outlet).await?;
                self.store.order_sent(&id, now).await?;
            }
        }
        Ok(())
    }

    async fn tick(&mut self, outlet: &Outlet) -> Result<(), Lost> {
        for (station, finding) in self.silence.found(&self.store, self.clock.now()).await? {
            self.store.ask(PendingWork::Ledger(station, finding)).await?;
        }
        match self.told.law.look() {
            Ok(Some(manifest)) => outlet.announce(manifest.to_vec()).await?,
            Ok(None) => {}
            // Looked at again in a moment.
            Err(error) => tracing::warn!(%error, "stations are not told of the law in force"),
        }
        let effects = self.desk.tick(self.now());
        self.carry_out(effects, None, outlet).await
    }

    /// Does what the desk says, in its order; `message` is what it is about.
    async fn carry_out(
        &mut self,
        effects: Vec<Effect>,
        message: Option<&Message>,
        outlet: &Outlet,
    ) -> Result<(), Lost> {
        for effect in effects {
            match effect {
                Effect::Tell(down) => self.tell(&down, outlet).await?,
                // The store took it into its queue with the branch itself.
                Effect::Raise(Finding::Fork { .. }) => {}
                Effect::Raise(finding) => self.store.raise(&finding).await?,
                Effect::Quarantine { station, reason } => {
                    self.quarantine(message, station.as_ref(), &reason).await?;
                }
                Effect::Look { station, epoch } => {
                    let standing = self.store.standing(&station, epoch).await?;
                    let (at, now) = (self.clock.now(), self.now());
                    for effect in self.desk.looked(&station, &standing, at, now) {
                        match effect {
                            Effect::Tell(down) => self.tell(&down, outlet).await?,
                            Effect::Raise(finding) => self.store.raise(&finding).await?,
                            // Looking leads to asking and raising only.
                            Effect::Quarantine { .. } | Effect::Look { .. } => {}
                        }
                    }
                }
            }
        }
        Ok(())
    }

    async fn tell(&self, down: &Down, outlet: &Outlet) -> Result<(), Lost> {
        let Some(station) = down.station() else { return Ok(()) };
        let signed =
            SignedDown::sign(down, &self.signing).and_then(|signed| serde_json::to_vec(&signed));
        match signed {
            Ok(payload) => outlet.publish(Topic::Down(station.clone()).to_string(), payload).await,
            Err(error) => {
                tracing::error!(%station, %error, "an answer cannot be written");
                Ok(())
            }
        }
    }

    async fn quarantine(
        &self,
        message: Option<&Message>,
        station: Option<&StationId>,
        reason: &str,
    ) -> Result<(), StoreError> {
        let Some(Message { publish }) = message else { return Ok(()) };
        let topic = String::from_utf8_lossy(&publish.topic);
        let station = station.map(StationId::as_str);
        tracing::warn!(station, topic = %topic, reason, "a message is refused");
        self.store.quarantine(&topic, &publish.payload, reason, self.clock.now()).await
    }
}

/// The most messages that share a commit.
const GROUP: usize = 64;
const TICK: Duration = Duration::from_secs(5);
/// An order waits so long at most before it goes out: an officer sees it while it matters.
const ORDERS_EVERY: Duration = Duration::from_millis(500);
const SAY_AGAIN: SignedDuration = SignedDuration::from_secs(10);
/// Nobody stands at a lane longer.
const ORDERS_MATTER: SignedDuration = SignedDuration::from_hours(12);
