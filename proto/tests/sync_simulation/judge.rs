//! The invariants: after steps that could break them, and at the end.

use std::collections::BTreeSet;

use tidewaiter_proto::batch::Batch;
use tidewaiter_proto::chain::Head;

use super::oracle::{Key, Promise};
use super::world::World;

impl World {
    /// A station whose client lost its connection has another soon after nothing is in its way.
    pub(crate) fn judge_connected(&mut self) {
        let latency = self.plan.latency;
        let late = self.machines.iter().enumerate().find_map(|(i, machine)| {
            let process = machine.process.as_ref().filter(|process| process.conn.is_none())?;
            if machine.up.cut || machine.down.cut || !self.broker.up {
                return None;
            }
            let from = process.offline_since.max(machine.good_since);
            let most = u64::try_from(machine.pace.reconnect_most.as_millis()).unwrap_or(u64::MAX);
            // The longest delay, a try a second, and the handshake.
            let bound = most + 2_000 + 5 * latency;
            (self.now > from + bound)
                .then(|| format!("{i} is not connected again after {bound} ms"))
        });
        if let Some(late) = late {
            self.violate(late);
        }
    }

    /// New records that should be on the server's disk by now.
    pub(crate) fn judge_fresh(&mut self) {
        let mut late = None;
        for (key, promise) in &self.oracle.awaited {
            let Some((bound, from)) = self.bound(*key, *promise) else { continue };
            if self.now > from + bound {
                late = Some(format!(
                    "the new record {}/{} of machine {} is not at the server after {} of {bound} ms",
                    key.1,
                    key.2,
                    promise.machine,
                    self.now - from
                ));
                break;
            }
        }
        if let Some(late) = late {
            self.violate(late);
        }
    }

    /// How long a new record may take, and since when: with a connection what is in the pipe may
    /// be before it; without one, it has to be made first.
    /// With another connection since then, only the last records still count as new.
    pub(crate) fn bound(&self, key: Key, promise: Promise) -> Option<(u64, u64)> {
        let machine = &self.machines[promise.machine];
        let from = promise.at.max(machine.good_since);
        // What a record takes that goes alone: its own bytes, the batch's, and the message's.
        let record = self.plan.body + 550;
        let ahead = 24_000 + 64 * record;
        let online = machine.process.as_ref().is_some_and(|process| process.online_since <= from);
        // The backlog has its share of the link beside them: a quarter.
        let tight = 4_000 + 10 * self.plan.latency + ahead * 4 / 3 / self.plan.rate;
        let newer = machine.ledger.head().1.seq.saturating_sub(key.2);
        if !online && newer >= machine.pace.fresh_tail {
            return None;
        }
        // The longest delay of a connection, after the keep-alive has shown that it needs one.
        let loose = 100_000 + tight;
        if !online || self.plan.thrifty {
            return Some((loose, from));
        }
        // What was sent into the trouble, and lost there, goes again when its time comes: on a slow
        // link four times what a receipt takes there.
        let lost = promise.at < machine.good_since;
        let resend = u64::try_from(machine.pace.resend_most.as_millis()).unwrap_or(u64::MAX);
        let again = resend.max(4 * (24_000 / self.plan.rate + 10 * self.plan.latency));
        Some((if lost { tight + again } else { tight }, from))
    }

    /// A batch is on the server's disk: nothing in it may be what no station has written.
    pub(crate) fn stored(&mut self, batch: &Batch) {
        let name = self.names.iter().position(|name| *name == batch.station).unwrap();
        for (seq, hash, bytes) in batch.numbered() {
            let key = (name, batch.epoch, seq, hash);
            if self.oracle.written.get(&key).is_none_or(|written| **written != *bytes) {
                self.violate(format!("{seq} of {} was never written there", batch.station));
            }
            self.oracle.stored.insert(key);
            let Some(promise) = self.oracle.awaited.remove(&key) else { continue };
            let Some((bound, from)) = self.bound(key, promise) else { continue };
            let took = self.now - from.min(self.now);
            if took > bound {
                self.violate(format!("a new record took {took} ms of {bound}"));
            }
            if bound < 60_000 {
                let figures = &mut self.oracle.figures;
                figures.fresh += 1;
                figures.fresh_worst = figures.fresh_worst.max(took * 1000 / bound);
            }
        }
    }

    /// What was recorded is in the ledger or on the server's disk, at any time.
    pub(crate) fn judge_kept(&mut self) {
        let mut lost = None;
        for key in self.oracle.recorded.keys() {
            if !self.is_kept(*key) && !self.oracle.destroyed.contains(key) {
                lost = Some(format!("{}/{} of {} is lost", key.1, key.2, self.names[key.0]));
                break;
            }
        }
        if let Some(lost) = lost {
            self.violate(lost);
        }
    }

    pub(crate) fn is_kept(&self, (name, epoch, seq, hash): Key) -> bool {
        let head = Head { seq, hash };
        let mut machines = self.machines.iter().filter(|machine| machine.name == name);
        machines.any(|machine| machine.ledger.has(epoch, head))
            || self.server.store.has(&self.names[name], epoch, head)
    }

    pub(crate) fn judge_end(&mut self) {
        self.judge_kept();
        if let Some(broken) = self.server.store.broken() {
            self.violate(broken);
        }
        let mut wrong = Vec::new();
        let mut tags = BTreeSet::new();
        for ((station, epoch), seq, row) in self.server.store.rows() {
            let name = self.names.iter().position(|name| name == station).unwrap();
            let key = (name, *epoch, seq, row.hash);
            if self.oracle.written.get(&key).is_none_or(|bytes| **bytes != *row.bytes) {
                wrong.push(format!("{station} {epoch}/{seq} is altered"));
            }
            if !tags.insert(self.oracle.tags.get(&key)) && !self.oracle.rewound {
                wrong.push(format!("{station} {epoch}/{seq}: one event is recorded twice"));
            }
        }
        for (name, epoch, seq, _) in self.unstored() {
            wrong.push(format!("{epoch}/{seq} of {} is not at the server", self.names[name]));
        }
        for name in 0..self.names.len() {
            wrong.extend(self.oracle.alarms(name).map(str::to_owned));
        }
        for station in self.server.store.forked() {
            let name = self.names.iter().position(|name| name == station).unwrap();
            if self.oracle.raised.get(&name).is_none_or(|raised| raised.forks == 0) {
                wrong.push(format!("{station} has two histories and no fork was raised"));
            }
        }
        if let Some(first) = wrong.into_iter().next() {
            self.violate(first);
        }
    }

    /// What was recorded, outlived its disk, and is not on the server's.
    pub(crate) fn unstored(&self) -> impl Iterator<Item = Key> {
        self.oracle.recorded.keys().copied().filter(|key| {
            let (name, epoch, seq, hash) = *key;
            !self.oracle.destroyed.contains(key)
                && !self.server.store.has(&self.names[name], epoch, Head { seq, hash })
        })
    }
}
