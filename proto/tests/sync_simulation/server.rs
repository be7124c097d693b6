//! The server: the desk over a store with transactions, driven as the server's worker drives it.

use std::collections::VecDeque;
use std::time::Duration;

use tidewaiter_proto::batch::Batch;
use tidewaiter_proto::presence::Presence;
use tidewaiter_proto::receipt::{Down, Held, SignedDown};
use tidewaiter_proto::signing::Signing;
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::sync::server::{Desk, Effect, Judgement, Life, Limits};

use super::broker::Packet;
use super::plan::Sabotage;
use super::store::Store;
use super::world::{Event, World};

pub(crate) struct Server {
    pub(crate) signing: Signing,
    /// What is on disk.
    pub(crate) store: Store,
    pub(crate) backups: VecDeque<(u64, Store)>,
    desk: Desk,
    limits: Limits,
    pub(crate) up: bool,
    pub(crate) life: u64,
    began: u64,
    /// Milliseconds that its clock is ahead.
    pub(crate) clock: i64,
    pub(crate) cut: bool,
    inbox: VecDeque<Packet>,
    stage: Option<Stage>,
}

/// Where the one batch is that is worked on.
enum Stage {
    /// Its transaction is not on disk.
    Committing { packet: Packet, batch: Batch },
    /// It is, and nobody was told.
    Committed { packet: Packet, batch: Batch, judgement: Judgement, life: Life },
}

impl Server {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            signing: Signing::from_seed(&[200; 32]),
            store: Store::default(),
            backups: VecDeque::new(),
            desk: Desk::new(limits, 0, Duration::ZERO),
            limits,
            up: false,
            life: 0,
            began: 0,
            clock: 0,
            cut: false,
            inbox: VecDeque::new(),
            stage: None,
        }
    }
}

impl World {
    pub(crate) fn boot_server(&mut self) {
        if self.server.up {
            return;
        }
        let seed = self.rng.draw();
        let server = &mut self.server;
        server.up = true;
        server.life += 1;
        server.began = self.now;
        server.desk = Desk::new(server.limits, seed, Duration::ZERO);
        let life = server.life;
        self.after(1, Event::ServerDial { life });
        self.after(5_000, Event::ServerTick { life });
        self.disturbed();
    }

    pub(crate) fn crash_server(&mut self) {
        self.server_lost();
        self.server.up = false;
        self.server.life += 1;
        self.disturbed();
    }

    /// Its connection is lost, and all that was under way on it with it.
    pub(crate) fn server_lost(&mut self) {
        self.broker.server = None;
        self.server.inbox.clear();
        if let Some(Stage::Committing { batch, .. }) = self.server.stage.take()
            && self.rng.below(2) == 0
        {
            // The writer was too far to be stopped.
            self.commit(&batch);
        }
        if self.server.up {
            let life = self.server.life;
            self.after(100, Event::ServerDial { life });
        }
        self.disturbed();
    }

    pub(crate) fn server_dialled(&mut self) {
        if self.broker.server.is_some() {
            return;
        }
        if self.server.cut || !self.broker.up {
            let life = self.server.life;
            self.after(500, Event::ServerDial { life });
            return;
        }
        let conn = self.fresh();
        self.welcome_server(conn);
        self.disturbed();
    }

    fn server_now(&self) -> Duration {
        Duration::from_millis(self.now - self.server.began)
    }

    pub(crate) fn at_server(&mut self, conn: u64, packet: Packet) {
        if self.broker.server != Some(conn) || !self.server.up {
            return;
        }
        self.server.inbox.push_back(packet);
        self.work();
    }

    /// Takes messages until one has to wait for the disk.
    fn work(&mut self) {
        while self.server.stage.is_none() {
            let Some(packet) = self.server.inbox.pop_front() else { return };
            if packet.batch {
                self.open(packet);
            } else {
                self.server_heard(&packet);
                self.broker.acknowledged(packet.id);
            }
        }
    }

    fn open(&mut self, packet: Packet) {
        let (id, key) = (self.names[packet.name].clone(), self.station_key(packet.name));
        let now = self.server_now();
        let payload = self.legalised(&packet).unwrap_or_else(|| packet.payload.clone());
        let (batch, effects) = self.server.desk.open(&id, &payload, Some(&key), now);
        self.carry_out(packet.name, effects);
        let Some(batch) = batch else {
            self.broker.acknowledged(packet.id);
            return;
        };
        if self.plan.sabotaged(Sabotage::ReceiptBeforeCommit) {
            let mut ahead = self.server.store.clone();
            let judgement = ahead.accept(&batch, false);
            let life = ahead.life(&batch.station, batch.epoch);
            self.answer(packet.name, &batch, &judgement, &life);
        }
        self.server.stage = Some(Stage::Committing { packet, batch });
        let (life, wait) = (self.server.life, 1 + self.rng.below(20));
        self.after(wait, Event::ServerStep { life });
    }

    /// One transaction is on disk.
    fn commit(&mut self, batch: &Batch) -> (Judgement, Life) {
        let twice = self.plan.sabotaged(Sabotage::DuplicateAccepted);
        let judgement = self.server.store.accept(batch, twice);
        self.note(|| {
            format!(
                "server: {} {}/{}-{} {judgement:?}",
                batch.station,
                batch.epoch,
                batch.from,
                batch.to()
            )
        });
        self.stored(batch);
        if self.server.store.doubled > 0 {
            self.violate("a record is there twice".to_owned());
        }
        (judgement, self.server.store.life(&batch.station, batch.epoch))
    }

    pub(crate) fn server_step(&mut self) {
        match self.server.stage.take() {
            Some(Stage::Committing { packet, batch }) => {
                let (judgement, life) = self.commit(&batch);
                self.server.stage = Some(Stage::Committed { packet, batch, judgement, life });
                let (life, wait) = (self.server.life, self.rng.below(6));
                self.after(wait, Event::ServerStep { life });
            }
            Some(Stage::Committed { packet, batch, judgement, life }) => {
                if !self.plan.sabotaged(Sabotage::ReceiptBeforeCommit) {
                    self.answer(packet.name, &batch, &judgement, &life);
                }
                self.broker.acknowledged(packet.id);
                self.work();
            }
            None => {}
        }
    }

    fn answer(&mut self, name: usize, batch: &Batch, judgement: &Judgement, life: &Life) {
        let (at, now) = (self.wall(self.server.clock), self.server_now());
        let effects = self.server.desk.stored(batch, judgement, life, at, now);
        self.carry_out(name, effects);
    }

    fn server_heard(&mut self, packet: &Packet) {
        let (id, key) = (self.names[packet.name].clone(), self.station_key(packet.name));
        let (at, now) = (self.wall(self.server.clock), self.server_now());
        let effects = match Presence::read(&packet.payload, &id, &key) {
            Ok(presence) => {
                let lives = self.server.store.standings(&id);
                self.server.desk.presence(&id, &presence, lives, at, now)
            }
            Err(error) => self.server.desk.refuse(&id, error.to_string(), now),
        };
        self.carry_out(packet.name, effects);
    }

    pub(crate) fn server_tick(&mut self) {
        let now = self.server_now();
        for effect in self.server.desk.tick(now) {
            let Effect::Look { station, .. } = &effect else { continue };
            let name = self.names.iter().position(|name| name == station).unwrap();
            self.carry_out(name, vec![effect]);
        }
        let life = self.server.life;
        self.after(5_000, Event::ServerTick { life });
    }

    fn carry_out(&mut self, name: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Tell(down) => self.tell(name, &down),
                Effect::Raise(finding) => {
                    self.note(|| format!("server raises {finding:?}"));
                    self.oracle.raise(name, &finding);
                }
                Effect::Quarantine { .. } => {}
                Effect::Look { station, epoch } => {
                    let standing = self.server.store.standing(&station, epoch);
                    let (at, now) = (self.wall(self.server.clock), self.server_now());
                    let effects = self.server.desk.looked(&station, &standing, at, now);
                    self.carry_out(name, effects);
                }
            }
        }
    }

    fn tell(&mut self, name: usize, down: &Down) {
        self.note(|| format!("server to {name}: {down:?}"));
        self.judge_promise(down);
        let signed = SignedDown::sign(down, &self.server.signing).unwrap();
        if self.broker.server.is_some() {
            self.publish_down(name, serde_json::to_vec(&signed).unwrap().into());
        }
    }

    /// A receipt must never say more than what is on disk at that moment.
    fn judge_promise(&mut self, down: &Down) {
        let store = &self.server.store;
        let held = |station: &StationId, epoch, all: &[Held]| {
            all.iter().all(|range| store.holds(station, epoch, *range))
        };
        let kept = |station: &StationId, epoch, all: &[Held]| {
            all.iter().all(|range| {
                let head = tidewaiter_proto::chain::Head { seq: range.to, hash: range.hash };
                store.has(station, epoch, head)
            })
        };
        let verified =
            |station: &StationId, epoch, head| store.life(station, epoch).verified() == head;
        let good = match down {
            Down::Receipt(receipt) => {
                let (station, epoch) = (&receipt.station, receipt.epoch);
                held(station, epoch, &receipt.held)
                    && kept(station, epoch, &receipt.kept)
                    && verified(station, epoch, receipt.verified)
            }
            Down::Welcome(welcome) => welcome.lives.iter().all(|life| {
                let station = &welcome.station;
                held(station, life.epoch, &life.held)
                    && kept(station, life.epoch, &life.kept)
                    && verified(station, life.epoch, life.verified)
            }),
            _ => true,
        };
        if !good {
            self.violate(format!("a receipt says more than the disk: {down:?}"));
        }
    }
}
