//! What really happened, kept outside of everything that may crash: the judge of every run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tidewaiter_proto::chain::{ChainHash, Head};
use tidewaiter_proto::sync::finding::Finding;

/// A record by the number of its station's name, its epoch, number and hash.
pub(crate) type Key = (usize, u64, u64, ChainHash);

/// What was promised of one record.
#[derive(Clone, Copy)]
pub(crate) struct Promise {
    pub(crate) at: u64,
    pub(crate) machine: usize,
    /// Whether it was new at a time when nothing was in its way.
    pub(crate) fresh: bool,
}

/// What was raised of one name.
#[derive(Clone, Copy, Default)]
pub(crate) struct Raised {
    pub(crate) forks: u64,
    pub(crate) rollbacks: u64,
    pub(crate) contradictions: u64,
}

/// Figures of one run.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) events: u64,
    pub(crate) recorded: u64,
    pub(crate) strikes: u64,
    pub(crate) destroyed: u64,
    pub(crate) pruned: u64,
    pub(crate) findings: u64,
    /// The longest way of a new record to the server's disk, in thousandths of what is allowed.
    pub(crate) fresh_worst: u64,
    pub(crate) fresh: u64,
    /// From the end of the trouble until everything had its receipt.
    pub(crate) resumed: u64,
}

#[derive(Default)]
pub(crate) struct Oracle {
    /// Every record that was ever written to a ledger.
    pub(crate) written: BTreeMap<Key, Arc<[u8]>>,
    /// The event that each of them is of.
    pub(crate) tags: BTreeMap<Key, u64>,
    /// Those that an officer was told of.
    pub(crate) recorded: BTreeMap<Key, Promise>,
    /// Those that were on the server's disk at any time.
    pub(crate) stored: BTreeSet<Key>,
    /// New records under watch that are not there yet.
    pub(crate) awaited: BTreeMap<Key, Promise>,
    /// Recorded ones that went with a disk before the network let them out.
    pub(crate) destroyed: BTreeSet<Key>,
    pub(crate) raised: BTreeMap<usize, Raised>,
    /// Names whose ledger went back behind what the server knew.
    pub(crate) to_notice: BTreeSet<usize>,
    /// Whether a ledger was restored or cloned, and the server's store restored.
    pub(crate) rewound: bool,
    pub(crate) server_rewound: bool,
    pub(crate) figures: Figures,
}

impl Oracle {
    pub(crate) fn raise(&mut self, name: usize, finding: &Finding) {
        self.figures.findings += 1;
        let raised = self.raised.entry(name).or_default();
        match finding {
            Finding::Fork { .. } => raised.forks += 1,
            Finding::Rollback { .. } => raised.rollbacks += 1,
            Finding::Contradicted { .. } => raised.contradictions += 1,
            Finding::Gap { .. }
            | Finding::Refused { .. }
            | Finding::Unreadable { .. }
            | Finding::BatchRefused { .. } => {}
        }
    }

    pub(crate) fn promise(&mut self, name: usize, epoch: u64, head: Head, promise: Promise) {
        let key = (name, epoch, head.seq, head.hash);
        self.figures.recorded += 1;
        self.recorded.insert(key, promise);
        if promise.fresh && !self.stored.contains(&key) {
            self.awaited.insert(key, promise);
        }
    }

    /// What failures begin with in worlds where both a ledger and the server's store went back:
    /// nothing is promised there yet; such seeds are counted and printed.
    pub(crate) fn open(&self) -> &'static str {
        if self.rewound && self.server_rewound { OPEN } else { "" }
    }

    /// False alarms, and alarms that did not come.
    pub(crate) fn alarms(&self, name: usize) -> Option<&'static str> {
        let raised = self.raised.get(&name).copied().unwrap_or_default();
        let any = raised.forks + raised.rollbacks + raised.contradictions > 0;
        if any && !self.rewound {
            return Some("a fork or rollback was raised and there was none");
        }
        if self.to_notice.contains(&name) && !any && !self.server_rewound {
            return Some("a ledger went back and nobody noticed");
        }
        None
    }
}

impl Figures {
    /// Sums, and the worst of what is not summed.
    pub(crate) fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.recorded += other.recorded;
        self.strikes += other.strikes;
        self.destroyed += other.destroyed;
        self.pruned += other.pruned;
        self.findings += other.findings;
        self.fresh += other.fresh;
        self.fresh_worst = self.fresh_worst.max(other.fresh_worst);
        self.resumed = self.resumed.max(other.resumed);
    }
}

pub(crate) const OPEN: &str = "both went back: ";
