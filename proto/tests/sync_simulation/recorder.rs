//! The recorder of a station: what devices say goes to the ledger, and "recorded" is said after
//! the sync.

use tidewaiter_proto::chain::Head;

use super::machine::Process;
use super::oracle::Promise;
use super::plan::Sabotage;
use super::world::{Event, World};

/// A device's event with its place in the ledger.
pub(crate) type Written = (u64, u64, Head);

impl World {
    /// The recorder: what devices say goes to the ledger, and "recorded" is said after the sync.
    pub(crate) fn record(&mut self, i: usize) {
        let wall = self.wall(self.machines[i].clock);
        let wait = 1 + self.rng.below(30);
        let machine = &mut self.machines[i];
        let Some(process) = machine.process.as_mut().filter(|process| !process.syncing) else {
            return;
        };
        let tags: Vec<u64> = machine.pending.iter().take(GROUP).copied().collect();
        let mut written = Vec::new();
        for tag in tags {
            if let Some((epoch, head)) = machine.ledger.find(tag) {
                written.push((tag, epoch, head));
                continue;
            }
            let nonce = std::array::from_fn(|_| u8::try_from(self.rng.below(256)).unwrap());
            let length = usize::try_from(self.plan.body).unwrap();
            let Some((epoch, head, bytes)) = machine.ledger.append((tag, length), wall, &nonce)
            else {
                break;
            };
            let key = (machine.name, epoch, head.seq, head.hash);
            self.oracle.written.insert(key, bytes);
            self.oracle.tags.insert(key, tag);
            written.push((tag, epoch, head));
        }
        if written.is_empty() {
            return;
        }
        process.syncing = true;
        let life = machine.life;
        if self.plan.sabotaged(Sabotage::RecordedBeforeSync) {
            self.recorded(i, &written);
        }
        self.after(wait, Event::Synced { machine: i, life, written });
    }

    pub(crate) fn synced(&mut self, i: usize, written: &[Written]) {
        let machine = &mut self.machines[i];
        if let Some(process) = machine.process.as_mut() {
            process.syncing = false;
        }
        for (_, epoch, head) in written {
            if !machine.ledger.sync(*epoch, *head) {
                self.violate(format!("{i}: {epoch}/{} vanished before its sync", head.seq));
                return;
            }
        }
        self.recorded(i, written);
        let now = self.clock(i);
        let last = self.plan.sabotaged(Sabotage::BacklogFirst);
        let waits = |process: &mut Process| process.protocol.progress(now).backlog > 0;
        if !(last && self.process(i).is_some_and(waits)) {
            self.tell_head(i);
        }
        self.record(i);
        self.drive(i);
    }

    fn recorded(&mut self, i: usize, written: &[Written]) {
        let machine = &mut self.machines[i];
        for (tag, epoch, head) in written {
            if !machine.pending.contains(tag) {
                continue;
            }
            machine.pending.retain(|pending| pending != tag);
            let fresh = self.quiet && !machine.rival && self.watched.contains(tag);
            let promise = Promise { at: self.now, machine: i, fresh };
            self.oracle.promise(machine.name, *epoch, *head, promise);
        }
    }

    /// The protocol learns how far the ledger reaches.
    pub(crate) fn tell_head(&mut self, i: usize) {
        let (epoch, head) = self.machines[i].ledger.head();
        let now = self.clock(i);
        if let Some(process) = self.process(i) {
            process.protocol.recorded(epoch, head, now);
        }
    }
}

/// Records that share a sync.
const GROUP: usize = 32;
