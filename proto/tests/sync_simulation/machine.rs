//! A station: its devices, recorder and ledger, and the protocol driven as the bridge drives it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tidewaiter_proto::batch::{Place, pack};
use tidewaiter_proto::chain::ChainHash;
use tidewaiter_proto::presence::Presence;
use tidewaiter_proto::receipt::Heard;
use tidewaiter_proto::record::ClockQuality;
use tidewaiter_proto::signing::Signing;
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::sync::finding::Finding;
use tidewaiter_proto::sync::station::{
    Announcement, Effect, Order, Pace, Question, Station as Protocol,
};

use super::broker::{Downlink, Uplink};
use super::ledger::Ledger;
use super::pipe::Pipe;
use super::plan::Sabotage;
use super::world::{Event, RETENTION, World};

/// A computer at a lane. A clone is another machine of the same name.
pub(crate) struct Machine {
    pub(crate) name: usize,
    pub(crate) id: StationId,
    pub(crate) signing: Signing,
    pub(crate) ledger: Ledger,
    /// Images of its disk, with which it may be restored or cloned.
    pub(crate) images: Vec<Ledger>,
    /// Counts its processes.
    pub(crate) life: u64,
    pub(crate) process: Option<Process>,
    /// What devices were not told "recorded" of; they say it again until they are.
    pub(crate) pending: VecDeque<u64>,
    pub(crate) up: Pipe<(u64, Uplink)>,
    pub(crate) down: Pipe<(u64, Downlink)>,
    /// Milliseconds that its clock is ahead.
    pub(crate) clock: i64,
    pub(crate) pace: Pace,
    /// Since when nothing was in its way.
    pub(crate) good_since: u64,
    /// Whether another machine has its name.
    pub(crate) rival: bool,
}

pub(crate) struct Process {
    pub(crate) protocol: Protocol,
    began: u64,
    pub(crate) conn: Option<u64>,
    pub(crate) online_since: u64,
    /// Since when the client is known to have no connection.
    pub(crate) offline_since: u64,
    /// The last presence.
    pub(crate) announced: Heard,
    dial: Option<(u64, Vec<u8>)>,
    pub(crate) syncing: bool,
    awaiting_pong: bool,
    wake_at: Option<u64>,
    /// Sabotage only: what the server claimed, to repeat it.
    pub(crate) claimed: BTreeMap<(u64, u64), ChainHash>,
}

impl World {
    pub(crate) fn boot(&mut self, i: usize) {
        let seed = self.rng.draw();
        let server = self.server.signing.verifying();
        let machine = &mut self.machines[i];
        if machine.process.is_some() {
            return;
        }
        machine.ledger.boot();
        machine.life += 1;
        let (id, pace, stands) = (machine.id.clone(), machine.pace, machine.ledger.stands());
        let protocol = Protocol::new(id, server, pace, seed, stands, Duration::ZERO);
        machine.process = Some(Process {
            protocol,
            began: self.now,
            conn: None,
            online_since: u64::MAX,
            offline_since: self.now,
            announced: Heard::default(),
            dial: None,
            syncing: false,
            awaiting_pong: false,
            wake_at: None,
            claimed: BTreeMap::new(),
        });
        machine.good_since = self.now;
        self.record(i);
        self.drive(i);
    }

    /// The process is gone; what its disk keeps is decided by the caller.
    pub(crate) fn kill(&mut self, i: usize) {
        let machine = &mut self.machines[i];
        let conn = machine.process.take().and_then(|process| process.conn);
        machine.life += 1;
        machine.up.reset();
        machine.down.reset();
        let reached = !machine.up.cut;
        if let Some(conn) = conn.filter(|_| reached) {
            self.gone(i, conn);
        }
    }

    pub(crate) fn clock(&self, i: usize) -> Duration {
        let process = self.machines[i].process.as_ref();
        Duration::from_millis(self.now - process.map_or(self.now, |process| process.began))
    }

    pub(crate) fn process(&mut self, i: usize) -> Option<&mut Process> {
        self.machines[i].process.as_mut()
    }

    /// The shell's loop, up to where it waits.
    pub(crate) fn drive(&mut self, i: usize) {
        let now = self.clock(i);
        if let Some(process) = self.process(i) {
            process.protocol.tick(now);
        }
        if self.plan.sabotaged(Sabotage::BacklogFirst) {
            self.tell_late(i);
        }
        if self.plan.sabotaged(Sabotage::PruneUnconfirmed) {
            let before = self.now.saturating_sub(RETENTION);
            let (epoch, _) = self.machines[i].ledger.head();
            self.oracle.figures.pruned += self.machines[i].ledger.prune(epoch, before);
        }
        while let Some(effect) = self.process(i).and_then(|process| process.protocol.effect()) {
            self.perform(i, effect);
        }
        let at = self.now;
        let life = self.machines[i].life;
        let Some(process) = self.process(i) else { return };
        let wake = process.protocol.wake(now).unwrap_or(now + Duration::from_mins(1));
        let wait = wake.saturating_sub(now).as_micros().div_ceil(1000);
        let wake_at = at + u64::try_from(wait).unwrap().max(1);
        if process.wake_at.is_none_or(|other| wake_at < other || other <= at) {
            process.wake_at = Some(wake_at);
            self.at(wake_at, Event::Wake { machine: i, life });
        }
    }

    fn perform(&mut self, i: usize, effect: Effect) {
        self.note(|| format!("station {i}: {effect:?}"));
        match effect {
            Effect::Connect => self.dial(i),
            Effect::Drop { .. } => self.hang_up(i),
            Effect::Announce(announcement) => {
                let payload = self.presence(i, &announcement, true);
                if let Some(process) = self.process(i) {
                    let Announcement { session, beat, .. } = announcement;
                    process.announced = Heard { session, beat };
                }
                let _ = self.publish(i, Uplink::Presence(payload.into()));
            }
            Effect::Send(order) => self.send_batch(i, order),
            Effect::Compare(question) => self.compare(i, question),
            Effect::Delivered { epoch, ranges, .. } => {
                let machine = &mut self.machines[i];
                machine.ledger.deliver(epoch, &ranges, self.now);
                let numbers = ranges.as_slice().iter().flat_map(|(from, to)| *from..=*to);
                let hashes =
                    numbers.filter_map(|seq| Some((seq, machine.ledger.hash(epoch, seq)?)));
                let believed = hashes.collect::<Vec<_>>();
                let name = machine.name;
                for (seq, hash) in believed {
                    if !self.oracle.stored.contains(&(name, epoch, seq, hash)) {
                        self.violate(format!("{i} believes that {epoch}/{seq} is at the server"));
                    }
                }
            }
            Effect::Returned { epoch, ranges } => {
                self.machines[i].ledger.give_back(epoch, &ranges);
            }
            Effect::Confirmed { epoch } => {
                let before = self.now.saturating_sub(RETENTION);
                self.oracle.figures.pruned += self.machines[i].ledger.prune(epoch, before);
            }
            Effect::BeginEpoch(epoch) => {
                let machine = &mut self.machines[i];
                machine.ledger.begin(epoch);
                self.tell_head(i);
                self.record(i);
            }
            Effect::Raise(finding) => self.raise(i, &finding),
            // This server's desk asks for nothing.
            Effect::Ask(_) => {}
            // This server sends no accounts.
            Effect::Accounts(_) => {}
        }
    }

    fn raise(&mut self, i: usize, finding: &Finding) {
        let machine = &mut self.machines[i];
        self.oracle.raise(machine.name, finding);
        match finding {
            Finding::Contradicted { epoch, .. } if machine.ledger.head().0 == *epoch => {
                machine.ledger.refused = Some(*epoch);
            }
            Finding::Unreadable { epoch, from, to } if !self.oracle.rewound => {
                self.violate(format!("{i}: {epoch}/{from}-{to} is wanted and gone"));
            }
            _ => {}
        }
    }

    /// The last presence under a name, as everybody can read it on its topic.
    pub(crate) fn announced(&self, name: usize) -> Heard {
        let mut machines = self.machines.iter().filter(|machine| machine.name == name);
        let process = machines.find_map(|machine| machine.process.as_ref());
        process.map(|process| process.announced).unwrap_or_default()
    }

    fn dial(&mut self, i: usize) {
        let session = self.rng.draw();
        let Some(process) = self.process(i) else { return };
        let (epoch, head) = process.protocol.present();
        let will = Announcement {
            session,
            beat: 0,
            epoch,
            head,
            backlog: 0,
            answers: None,
            contradicted: false,
        };
        let will = self.presence(i, &will, false);
        let life = self.machines[i].life;
        if let Some(process) = self.process(i) {
            process.dial = Some((session, will));
        }
        self.after(3 * self.plan.latency, Event::Dial { machine: i, life, session });
    }

    /// The handshake is through, or is tried again.
    pub(crate) fn dialled(&mut self, i: usize, session: u64) {
        let open = !self.machines[i].up.cut && !self.machines[i].down.cut && self.broker.up;
        let (at, life) = (self.now, self.machines[i].life);
        let Some(process) = self.process(i) else { return };
        let Some((_, will)) = process.dial.take_if(|(dialled, _)| *dialled == session) else {
            return;
        };
        if !open {
            process.dial = Some((session, will));
            self.after(1_000, Event::Dial { machine: i, life, session });
            return;
        }
        let conn = self.fresh();
        let machine = &mut self.machines[i];
        machine.up.reset();
        machine.down.reset();
        self.welcome_station(i, conn, will);
        let now = self.clock(i);
        let Some(process) = self.process(i) else { return };
        (process.conn, process.awaiting_pong, process.online_since) = (Some(conn), false, at);
        process.protocol.connected(session, now);
        self.after(KEEP_ALIVE, Event::Ping { machine: i, conn });
        self.drive(i);
    }

    fn hang_up(&mut self, i: usize) {
        let at = self.now;
        let Some(process) = self.process(i) else { return };
        (process.dial, process.online_since) = (None, u64::MAX);
        if process.conn.is_some() {
            process.offline_since = at;
        }
        let conn = process.conn.take();
        let machine = &mut self.machines[i];
        machine.up.reset();
        machine.down.reset();
        let reached = !machine.up.cut;
        if let Some(conn) = conn.filter(|_| reached) {
            self.gone(i, conn);
        }
    }

    /// The client says that the connection is lost.
    pub(crate) fn lost(&mut self, i: usize) {
        let now = self.clock(i);
        self.hang_up(i);
        let unnoticed = self.plan.sabotaged(Sabotage::ConnectionLossUnnoticed);
        if let Some(process) = self.process(i).filter(|_| !unnoticed) {
            process.protocol.disconnected(now);
        }
        self.drive(i);
    }

    pub(crate) fn ping(&mut self, i: usize, conn: u64) {
        let Some(process) = self.process(i).filter(|process| process.conn == Some(conn)) else {
            return;
        };
        if std::mem::replace(&mut process.awaiting_pong, true) {
            self.lost(i);
        } else {
            let _ = self.publish(i, Uplink::Ping);
            self.after(KEEP_ALIVE, Event::Ping { machine: i, conn });
        }
    }

    /// False when the client has no room for it, or is not there.
    fn publish(&mut self, i: usize, message: Uplink) -> bool {
        let machine = &mut self.machines[i];
        let Some(conn) = machine.process.as_ref().and_then(|process| process.conn) else {
            return false;
        };
        if machine.up.waiting() > ROOM {
            return false;
        }
        machine.up.push(message.bytes(), (conn, message));
        self.serve_up(i);
        true
    }

    fn presence(&self, i: usize, announcement: &Announcement, online: bool) -> Vec<u8> {
        let machine = &self.machines[i];
        let mut presence = Presence {
            online,
            epoch: announcement.epoch,
            seq: announcement.head.seq,
            head: announcement.head.hash,
            session: announcement.session,
            beat: announcement.beat,
            answers: announcement.answers,
            contradicted: announcement.contradicted,
            version: format!("0.{}", machine.life),
            backlog: announcement.backlog,
            policy: String::new(),
            lists: BTreeMap::new(),
            clock: ClockQuality::Synced,
            at: Some(self.wall(machine.clock)),
            signature: String::new(),
        };
        presence.sign(&machine.id, &machine.signing);
        serde_json::to_vec(&presence).unwrap()
    }

    fn send_batch(&mut self, i: usize, order: Order) {
        let now = self.clock(i);
        let machine = &mut self.machines[i];
        let Some(process) = machine.process.as_mut() else { return };
        let Order { epoch, from, to, bytes_max, .. } = order;
        let run = match machine.ledger.read(epoch, from, to, bytes_max) {
            Ok(run) => run,
            Err(through) => {
                process.protocol.unreadable(&order, through, now);
                return;
            }
        };
        let place = Place { station: &machine.id, epoch, from, previous: run.previous };
        let packed = pack(&place, &run.keys, &run.records, bytes_max, &machine.signing);
        let (bytes, to) = packed.unwrap();
        if !process.protocol.sent(order.id, to, bytes.len(), now) {
            return;
        }
        let taken = self.publish(i, Uplink::Batch { payload: bytes.into(), epoch, from, to });
        if let Some(process) = self.process(i).filter(|_| !taken) {
            process.protocol.unsent(order.id, now);
        }
    }

    fn compare(&mut self, i: usize, question: Question) {
        let now = self.clock(i);
        let unchecked = self.plan.sabotaged(Sabotage::HashUnchecked);
        let machine = &mut self.machines[i];
        let Some(process) = machine.process.as_mut() else { return };
        let Question { id, epoch, seqs } = question;
        let own = |seq: &u64| Some((*seq, machine.ledger.hash(epoch, *seq)?));
        let mut hashes: BTreeMap<u64, ChainHash> = seqs.iter().filter_map(own).collect();
        if unchecked {
            for (seq, hash) in &mut hashes {
                *hash = process.claimed.get(&(epoch, *seq)).copied().unwrap_or(*hash);
            }
        }
        process.protocol.compared(id, &hashes, now);
    }

    pub(crate) fn at_station(&mut self, i: usize, conn: u64, message: Downlink) {
        let now = self.clock(i);
        let Some(process) = self.process(i).filter(|process| process.conn == Some(conn)) else {
            return;
        };
        match message {
            Downlink::Message(payload) => {
                self.claims(i, &payload);
                let Some(process) = self.process(i) else { return };
                let heard = process.protocol.heard(&payload, now);
                if heard.is_err() && self.plan.sabotaged(Sabotage::ReceiptUnsigned) {
                    self.believe(i, &payload);
                }
            }
            Downlink::Pong => process.awaiting_pong = false,
            Downlink::Closed => return self.lost(i),
            Downlink::Puback { epoch, from, to } => {
                if self.plan.sabotaged(Sabotage::TrustPuback) {
                    self.trust(i, epoch, from, to);
                }
            }
        }
        self.drive(i);
    }

    pub(crate) fn publish_forged(&mut self, i: usize, payload: Arc<[u8]>) {
        let conn = self.machines[i].process.as_ref().and_then(|process| process.conn);
        if let Some(conn) = conn {
            let message = Downlink::Message(payload);
            self.machines[i].down.push(message.bytes(), (conn, message));
            self.serve_down(i);
        }
    }
}

const KEEP_ALIVE: u64 = 20_000;
/// Bytes that the client takes before it has no room.
const ROOM: u64 = 4 << 20;
