//! The broker between stations and server. In times of trouble it lies, loses, doubles, delays
//! and alters; it never has a key.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::world::{Event, World};

/// From a station to the broker.
pub(crate) enum Uplink {
    Batch { payload: Arc<[u8]>, epoch: u64, from: u64, to: u64 },
    Presence(Arc<[u8]>),
    Ping,
}

/// From the broker to a station.
pub(crate) enum Downlink {
    Message(Arc<[u8]>),
    Puback {
        epoch: u64,
        from: u64,
        to: u64,
    },
    Pong,
    /// Another client took the name.
    Closed,
}

/// A message on its way to the server; `name` is the station of its topic.
#[derive(Clone)]
pub(crate) struct Packet {
    pub(crate) id: u64,
    pub(crate) name: usize,
    pub(crate) batch: bool,
    pub(crate) payload: Arc<[u8]>,
}

pub(crate) struct Broker {
    pub(crate) up: bool,
    /// The machine that is connected under each name.
    conns: BTreeMap<usize, (usize, u64)>,
    wills: BTreeMap<u64, Vec<u8>>,
    retained: BTreeMap<usize, Arc<[u8]>>,
    pub(crate) server: Option<u64>,
    /// The server's messages reach nobody, and neither side has noticed.
    pub(crate) server_mute: bool,
    /// The server's session: what waits for it, and what it has not acknowledged.
    waiting: VecDeque<Packet>,
    unacknowledged: BTreeMap<u64, Packet>,
    /// What a spy kept of either direction.
    pub(crate) spied_up: Vec<Packet>,
    pub(crate) spied_down: Vec<(usize, Arc<[u8]>)>,
}

impl Uplink {
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Batch { payload, .. } | Self::Presence(payload) => payload.len() as u64 + 60,
            Self::Ping => 40,
        }
    }
}

impl Downlink {
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Message(payload) => payload.len() as u64 + 60,
            Self::Puback { .. } | Self::Pong | Self::Closed => 40,
        }
    }
}

impl Broker {
    pub(crate) fn new() -> Self {
        Self {
            up: true,
            conns: BTreeMap::new(),
            wills: BTreeMap::new(),
            retained: BTreeMap::new(),
            server: None,
            server_mute: false,
            waiting: VecDeque::new(),
            unacknowledged: BTreeMap::new(),
            spied_up: Vec::new(),
            spied_down: Vec::new(),
        }
    }

    pub(crate) fn acknowledged(&mut self, id: u64) {
        if !self.server_mute {
            self.unacknowledged.remove(&id);
        }
    }
}

impl World {
    pub(crate) fn serve_up(&mut self, i: usize) {
        if let Some((bytes, generation)) = self.machines[i].up.serve() {
            let event = Event::LeftUp { machine: i, generation };
            self.after(bytes / self.plan.rate, event);
        }
    }

    pub(crate) fn serve_down(&mut self, i: usize) {
        if let Some((bytes, generation)) = self.machines[i].down.serve() {
            let event = Event::LeftDown { machine: i, generation };
            self.after(bytes / self.plan.rate, event);
        }
    }

    pub(crate) fn left_up(&mut self, i: usize, generation: u64) {
        if let Some((conn, message)) = self.machines[i].up.leave(generation) {
            self.after(self.plan.latency, Event::AtBroker { machine: i, conn, message });
        }
        self.serve_up(i);
    }

    pub(crate) fn left_down(&mut self, i: usize, generation: u64) {
        if let Some((conn, message)) = self.machines[i].down.leave(generation) {
            self.after(self.plan.latency, Event::AtStation { machine: i, conn, message });
        }
        self.serve_down(i);
    }

    pub(crate) fn welcome_station(&mut self, i: usize, conn: u64, will: Vec<u8>) {
        let name = self.machines[i].name;
        if let Some((other, old)) = self.broker.conns.insert(name, (i, conn)) {
            if other != i {
                self.machines[other].down.push(40, (old, Downlink::Closed));
                self.serve_down(other);
            }
            self.last_will(name, old);
        }
        self.broker.wills.insert(conn, will);
    }

    /// A connection ended and the broker knows it.
    pub(crate) fn gone(&mut self, i: usize, conn: u64) {
        let name = self.machines[i].name;
        if self.broker.conns.get(&name) == Some(&(i, conn)) {
            self.broker.conns.remove(&name);
            self.last_will(name, conn);
        }
    }

    fn last_will(&mut self, name: usize, conn: u64) {
        if let Some(will) = self.broker.wills.remove(&conn) {
            self.presence_came(name, will.into());
        }
    }

    fn presence_came(&mut self, name: usize, payload: Arc<[u8]>) {
        self.broker.retained.insert(name, payload.clone());
        self.forward(name, false, payload);
    }

    pub(crate) fn at_broker(&mut self, i: usize, conn: u64, message: Uplink) {
        let name = self.machines[i].name;
        if self.broker.conns.get(&name) != Some(&(i, conn)) {
            if self.broker.up {
                // A broker that does not know the connection resets it.
                self.machines[i].down.push(40, (conn, Downlink::Closed));
                self.serve_down(i);
            }
            return;
        }
        let answer = match message {
            Uplink::Ping => Downlink::Pong,
            Uplink::Presence(payload) => return self.presence_came(name, payload),
            Uplink::Batch { payload, epoch, from, to } => {
                self.forward(name, true, payload);
                Downlink::Puback { epoch, from, to }
            }
        };
        self.machines[i].down.push(answer.bytes(), (conn, answer));
        self.serve_down(i);
    }

    /// A message to the server, with what the broker makes of it.
    fn forward(&mut self, name: usize, batch: bool, payload: Arc<[u8]>) {
        let id = self.fresh();
        let packet = Packet { id, name, batch, payload };
        self.spy_up(&packet);
        if self.chance(self.plan.lie) || self.chance(self.plan.lose) {
            self.forge_receipt(&packet);
            return;
        }
        let packet = if self.chance(self.plan.tamper) { self.altered(packet) } else { packet };
        let times = if self.chance(self.plan.double) { 2 } else { 1 };
        for _ in 0..times {
            let late = if self.chance(self.plan.delay) { self.rng.below(DELAY) } else { 0 };
            self.after(1 + late, Event::Forwarded { packet: packet.clone() });
        }
    }

    pub(crate) fn forwarded(&mut self, mut packet: Packet) {
        if !self.broker.up {
            return;
        }
        packet.id = self.fresh();
        let keeps = self.plan.server_session;
        if let Some(conn) = self.broker.server {
            if keeps {
                self.broker.unacknowledged.insert(packet.id, packet.clone());
            }
            self.after(1, Event::AtServer { conn, packet });
        } else if keeps && self.broker.waiting.len() < WAITING {
            self.broker.waiting.push_back(packet);
        }
    }

    /// The server is connected: what its session kept, and what is retained.
    pub(crate) fn welcome_server(&mut self, conn: u64) {
        self.broker.server = Some(conn);
        self.broker.server_mute = false;
        let broker = &mut self.broker;
        let again = std::mem::take(&mut broker.unacknowledged).into_values();
        let mut packets: Vec<Packet> = again.chain(std::mem::take(&mut broker.waiting)).collect();
        if !self.plan.server_session {
            packets.clear();
        }
        for (name, payload) in &self.broker.retained {
            packets.push(Packet { id: 0, name: *name, batch: false, payload: payload.clone() });
        }
        for packet in packets {
            self.forwarded(packet);
        }
    }

    /// A message of the server to a station.
    pub(crate) fn publish_down(&mut self, name: usize, payload: Arc<[u8]>) {
        if self.broker.server_mute {
            return;
        }
        self.spy_down(name, &payload);
        if self.chance(self.plan.lie) || self.chance(self.plan.lose) {
            return;
        }
        let payload =
            if self.chance(self.plan.tamper) { self.altered_down(payload) } else { payload };
        let times = if self.chance(self.plan.double) { 2 } else { 1 };
        for _ in 0..times {
            let late = if self.chance(self.plan.delay) { self.rng.below(DELAY) } else { 0 };
            let payload = payload.clone();
            self.after(1 + late, Event::ForwardedDown { name, payload });
        }
    }

    pub(crate) fn forwarded_down(&mut self, name: usize, payload: Arc<[u8]>) {
        if let Some((i, conn)) = self.broker.conns.get(&name).copied().filter(|_| self.broker.up) {
            let message = Downlink::Message(payload);
            self.machines[i].down.push(message.bytes(), (conn, message));
            self.serve_down(i);
        }
    }

    /// The broker is killed; its sessions and retained messages may be gone with it.
    pub(crate) fn crash_broker(&mut self) {
        let (wipe, forget) = (self.rng.below(2) == 0, self.rng.below(4) == 0);
        let broker = &mut self.broker;
        broker.up = false;
        broker.wills.clear();
        if wipe {
            broker.waiting.clear();
            broker.unacknowledged.clear();
        }
        if forget {
            broker.retained.clear();
        }
        let conns = std::mem::take(&mut broker.conns);
        self.server_lost();
        for (_, (i, conn)) in conns {
            let machine = &self.machines[i];
            let same = machine.process.as_ref().and_then(|process| process.conn) == Some(conn);
            if same && !machine.down.cut {
                self.lost(i);
            }
        }
    }
}

/// The longest that the broker holds a message back.
const DELAY: u64 = 20_000;
/// Messages that wait for the server at most.
const WAITING: usize = 1_000;
