//! One run: time, the queue of events, and the judgement of what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tidewaiter_proto::signing::{Signing, Verifying};
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::sync::jitter::Jitter;
use tidewaiter_proto::sync::server::Limits;
use tidewaiter_proto::sync::station::Pace;

use super::broker::{Broker, Downlink, Packet, Uplink};
use super::ledger::Ledger;
use super::machine::Machine;
use super::oracle::{Figures, Oracle, Promise};
use super::pipe::Pipe;
use super::plan::{Plan, Sabotage, Strike};
use super::recorder::Written;
use super::server::Server;
use super::strike::Heal;

pub(crate) enum Event {
    Reading { machine: usize, tag: u64 },
    Synced { machine: usize, life: u64, written: Vec<Written> },
    Boot { machine: usize },
    Wake { machine: usize, life: u64 },
    Dial { machine: usize, life: u64, session: u64 },
    Ping { machine: usize, conn: u64 },
    LeftUp { machine: usize, generation: u64 },
    LeftDown { machine: usize, generation: u64 },
    AtBroker { machine: usize, conn: u64, message: Uplink },
    AtStation { machine: usize, conn: u64, message: Downlink },
    Forwarded { packet: Packet },
    ForwardedDown { name: usize, payload: Arc<[u8]> },
    AtServer { conn: u64, packet: Packet },
    ServerDial { life: u64 },
    ServerStep { life: u64 },
    ServerTick { life: u64 },
    Strike,
    Heal(Heal),
    Snapshot,
    Look,
    Calm,
}

pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) rng: Jitter,
    pub(crate) plan: Plan,
    pub(crate) names: Vec<StationId>,
    pub(crate) machines: Vec<Machine>,
    pub(crate) broker: Broker,
    pub(crate) server: Server,
    pub(crate) oracle: Oracle,
    /// Whether faults still strike, and whether nothing at all is in the way of a new record.
    pub(crate) trouble: bool,
    pub(crate) quiet: bool,
    calm_since: u64,
    finished: Option<u64>,
    /// Records whose way is timed.
    pub(crate) watched: BTreeSet<u64>,
    queue: BTreeMap<(u64, u64), Event>,
    counter: u64,
    pub(crate) violation: Option<String>,
    trace: bool,
}

impl World {
    /// Lives through a seed.
    ///
    /// # Errors
    /// The first invariant that did not hold, and when.
    pub(crate) fn run(
        seed: u64,
        sabotage: Option<Sabotage>,
        trace: bool,
    ) -> Result<Figures, String> {
        let mut world = Self::new(seed, sabotage, trace);
        world.begin();
        while let Some(((now, _), event)) = world.queue.pop_first() {
            world.now = now;
            world.oracle.figures.events += 1;
            world.step(event);
            if let Some(violation) = world.violation {
                let open = world.oracle.open();
                return Err(format!("{open}at {now} ms: {violation}; {:?}", world.plan));
            }
            if world.finished.is_some_and(|finished| now >= finished + AFTERWARDS) {
                break;
            }
        }
        world.judge_end();
        match world.violation {
            Some(violation) => {
                let open = world.oracle.open();
                Err(format!("{open}at the end: {violation}; {:?}", world.plan))
            }
            None => Ok(world.oracle.figures),
        }
    }

    fn new(seed: u64, sabotage: Option<Sabotage>, trace: bool) -> Self {
        let mut rng = Jitter::new(seed);
        let plan = Plan::draw(&mut rng, sabotage);
        let mut limits = Limits {
            grant_spacing: plan.grant_spacing.map(Duration::from_millis),
            ..Limits::default()
        };
        if plan.thrifty {
            (limits.bytes_per_second, limits.burst_bytes) = (20_000, 200_000);
        }
        let names: Vec<StationId> =
            (0..plan.stations).map(|n| format!("ruvvo/dep-0{n}").parse().unwrap()).collect();
        let world = Self {
            now: 0,
            rng,
            names,
            machines: Vec::new(),
            broker: Broker::new(),
            server: Server::new(limits),
            oracle: Oracle::default(),
            trouble: true,
            quiet: plan.is_quiet(),
            calm_since: 0,
            finished: None,
            watched: BTreeSet::new(),
            queue: BTreeMap::new(),
            counter: 0,
            violation: None,
            trace,
            plan,
        };
        world.note(|| format!("{:?}", world.plan));
        world
    }

    fn begin(&mut self) {
        for name in 0..self.plan.stations {
            let ledger = Ledger::new(&self.names[name]);
            let i = self.add(name, ledger);
            self.burst(i, self.plan.backlog);
            self.readings(i, self.plan.records, self.plan.record_every);
        }
        self.boot_server();
        self.at(self.plan.trouble, Event::Calm);
        self.at(5_000, Event::Look);
        self.at(20_000, Event::Snapshot);
        if !self.plan.strikes.is_empty() {
            self.at(self.plan.strike_every, Event::Strike);
        }
    }

    /// A machine of this name with this disk; it starts soon.
    pub(crate) fn add(&mut self, name: usize, ledger: Ledger) -> usize {
        let i = self.machines.len();
        let heartbeat = Duration::from_millis(self.plan.heartbeat);
        self.machines.push(Machine {
            name,
            id: self.names[name].clone(),
            signing: Signing::from_seed(&[u8::try_from(name + 1).unwrap(); 32]),
            ledger,
            images: Vec::new(),
            life: 0,
            process: None,
            pending: std::collections::VecDeque::new(),
            up: Pipe::new(),
            down: Pipe::new(),
            clock: 0,
            pace: Pace { heartbeat, ..Pace::default() },
            good_since: self.now,
            rival: false,
        });
        self.after(10, Event::Boot { machine: i });
        i
    }

    /// Records of days without a network, at once.
    fn burst(&mut self, i: usize, count: u64) {
        let wall = self.wall(0);
        let length = usize::try_from(self.plan.body).unwrap();
        let mut last = None;
        for _ in 0..count {
            let tag = self.fresh();
            let nonce = std::array::from_fn(|_| u8::try_from(self.rng.below(256)).unwrap());
            let machine = &mut self.machines[i];
            let Some((epoch, head, bytes)) = machine.ledger.append((tag, length), wall, &nonce)
            else {
                break;
            };
            let key = (machine.name, epoch, head.seq, head.hash);
            self.oracle.written.insert(key, bytes);
            self.oracle.tags.insert(key, tag);
            last = Some((epoch, head));
            let promise = Promise { at: self.now, machine: i, fresh: false };
            self.oracle.promise(self.machines[i].name, epoch, head, promise);
        }
        if let Some((epoch, head)) = last {
            self.machines[i].ledger.sync(epoch, head);
            self.tell_head(i);
        }
    }

    pub(crate) fn readings(&mut self, machine: usize, count: u64, every: u64) {
        let mut at = 0;
        for _ in 0..count {
            at += 1 + self.rng.below(2 * every);
            let tag = self.fresh();
            self.watched.insert(tag);
            self.after(at, Event::Reading { machine, tag });
        }
    }

    fn step(&mut self, event: Event) {
        match event {
            Event::Reading { machine, tag } => {
                self.machines[machine].pending.push_back(tag);
                self.record(machine);
            }
            Event::Synced { machine, life, written } => {
                if self.machines[machine].life == life {
                    self.synced(machine, &written);
                }
            }
            Event::Boot { machine } => self.boot(machine),
            Event::Wake { machine, life } => {
                if self.machines[machine].life == life {
                    self.drive(machine);
                }
            }
            Event::Dial { machine, life, session } => {
                if self.machines[machine].life == life {
                    self.dialled(machine, session);
                }
            }
            Event::Ping { machine, conn } => self.ping(machine, conn),
            Event::LeftUp { machine, generation } => self.left_up(machine, generation),
            Event::LeftDown { machine, generation } => self.left_down(machine, generation),
            Event::AtBroker { machine, conn, message } => self.at_broker(machine, conn, message),
            Event::AtStation { machine, conn, message } => self.at_station(machine, conn, message),
            Event::Forwarded { packet } => self.forwarded(packet),
            Event::ForwardedDown { name, payload } => self.forwarded_down(name, payload),
            Event::AtServer { conn, packet } => self.at_server(conn, packet),
            Event::ServerDial { life } if self.server.life == life => self.server_dialled(),
            Event::ServerStep { life } if self.server.life == life => self.server_step(),
            Event::ServerTick { life } if self.server.life == life => self.server_tick(),
            Event::ServerDial { .. } | Event::ServerStep { .. } | Event::ServerTick { .. } => {}
            Event::Strike => self.strike(),
            Event::Heal(heal) => self.heal(heal),
            Event::Snapshot => self.snapshot(),
            Event::Look => self.look(),
            Event::Calm => self.calm(),
        }
    }

    pub(crate) fn at(&mut self, at: u64, event: Event) {
        self.counter += 1;
        self.queue.insert((at, self.counter), event);
    }

    pub(crate) fn after(&mut self, wait: u64, event: Event) {
        self.at(self.now + wait, event);
    }

    /// A number that nothing else has.
    pub(crate) fn fresh(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    pub(crate) fn chance(&mut self, thousandths: u64) -> bool {
        thousandths > 0 && self.rng.below(1_000) < thousandths
    }

    pub(crate) fn note(&self, text: impl FnOnce() -> String) {
        if self.trace {
            println!("{:>10} {}", self.now, text());
        }
    }

    pub(crate) fn violate(&mut self, what: String) {
        self.note(|| format!("VIOLATED: {what}"));
        self.violation.get_or_insert(what);
    }

    /// What a clock that is so much ahead shows.
    pub(crate) fn wall(&self, ahead: i64) -> Timestamp {
        let now = i64::try_from(self.now).unwrap();
        Timestamp::from_millisecond(BEGIN + now + ahead).unwrap()
    }

    pub(crate) fn station_key(&self, name: usize) -> Verifying {
        self.machines.iter().find(|machine| machine.name == name).unwrap().signing.verifying()
    }

    /// Something was in the way of all stations until now.
    pub(crate) fn disturbed(&mut self) {
        for machine in &mut self.machines {
            machine.good_since = self.now;
        }
    }

    /// All trouble ends; some stations come back from days without a network.
    fn calm(&mut self) {
        self.note(|| "calm".to_owned());
        let plan = &mut self.plan;
        (plan.lose, plan.double, plan.delay, plan.lie, plan.tamper) = (0, 0, 0, 0, 0);
        self.trouble = false;
        self.calm_since = self.now;
        for i in 0..self.machines.len() {
            let offline =
                self.machines[i].process.as_ref().is_none_or(|process| process.conn.is_none());
            if offline && self.plan.backlog > 0 && self.rng.below(2) == 0 {
                self.burst(i, self.plan.backlog);
            }
        }
        self.heal_all();
        self.quiet = true;
        self.disturbed();
        for i in 0..self.machines.len() {
            self.readings(i, 8, 10_000);
        }
        self.judge_kept();
    }

    fn look(&mut self) {
        self.after(5_000, Event::Look);
        self.judge_fresh();
        self.judge_connected();
        if self.trouble {
            return;
        }
        let rivals = self.machines.iter().any(|machine| machine.rival);
        if rivals {
            self.separate();
        }
        let bytes = self.oracle.written.values().map(|bytes| bytes.len() as u64).sum::<u64>();
        let patience = PATIENCE * if rivals { 6 } else { 1 } + 20 * bytes / self.plan.rate;
        if self.complete() {
            if self.finished.is_none() {
                self.note(|| "complete".to_owned());
                self.oracle.figures.resumed = self.now - self.calm_since;
                self.finished = Some(self.now);
            }
            return;
        }
        // A new epoch may be granted, and a device's last event recorded in it, after all was there.
        self.finished = None;
        if self.now > self.calm_since + patience {
            let waits: Vec<_> = self.machines.iter().map(|machine| machine.pending.len()).collect();
            let lacks = self.unstored().next().map(|key| (key.0, key.1, key.2));
            self.violate(format!("no progress; devices wait with {waits:?}, first is {lacks:?}"));
        }
    }

    /// Two machines of one name may starve each other on a slow link: after a while a person, whom
    /// the alarm has called, lets one of them connect at a time.
    fn separate(&mut self) {
        let since = self.now - self.calm_since;
        if since < SEPARATED || since % SEPARATED >= 5_000 {
            return;
        }
        let turn = usize::try_from(since / SEPARATED % 2).unwrap();
        let rivals: Vec<usize> =
            (0..self.machines.len()).filter(|i| self.machines[*i].rival).collect();
        for (nth, i) in rivals.into_iter().enumerate() {
            let (cut, machine) = (nth % 2 == turn, &mut self.machines[i]);
            machine.good_since = self.now;
            (machine.up.cut, machine.down.cut) = (cut, cut);
            self.serve_up(i);
            self.serve_down(i);
        }
    }

    fn complete(&self) -> bool {
        let machines = self.machines.iter().all(|machine| {
            let refused = machine.ledger.refused == Some(machine.ledger.head().0);
            let now = Duration::from_millis(self.now);
            let backlog =
                machine.process.as_ref().map(|process| process.protocol.progress(now).backlog);
            let settled = refused || machine.pending.is_empty();
            // What a rewound ledger disputes with the server is sent anew in each session: its own
            // count may never come to rest, the records must.
            settled && (backlog == Some(0) || self.oracle.rewound)
        });
        if self.oracle.rewound && self.unstored().next().is_some() {
            return false;
        }
        let readings = self.queue.values().any(|event| matches!(event, Event::Reading { .. }));
        machines && !readings
    }

    pub(crate) fn snapshot(&mut self) {
        self.after(30_000, Event::Snapshot);
        if !self.trouble {
            return;
        }
        if self.plan.has(Strike::ServerRestore) {
            let backup = (self.now, self.server.store.clone());
            let backups = &mut self.server.backups;
            backups.push_back(backup);
            while backups.front().is_some_and(|(at, _)| at + BACKUP_AGE < self.now) {
                backups.pop_front();
            }
        }
        if self.plan.has(Strike::StationRestore) || self.plan.has(Strike::StationClone) {
            for machine in &mut self.machines {
                machine.images.push(machine.ledger.image());
            }
        }
    }
}

/// The oldest backup that may be restored, and how long stations keep what was delivered: longer,
/// by more than any answer is on its way.
pub(crate) const BACKUP_AGE: u64 = 90_000;
pub(crate) const RETENTION: u64 = 200_000;
const BEGIN: i64 = 1_542_338_000_000;
/// From the end of the trouble until everything must be delivered, on a fast link.
const PATIENCE: u64 = 900_000;
const SEPARATED: u64 = 600_000;
/// How long a finished world is watched.
const AFTERWARDS: u64 = 100_000;
