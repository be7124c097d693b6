//! One life of a station's ledger as the server holds it: unbroken runs of records, and what a
//! batch may become beside them.

use std::collections::BTreeMap;

use crate::batch::Batch;
use crate::chain::{ChainHash, Head};
use crate::receipt::{Held, Standing};
use crate::station::StationId;
use crate::sync::ranges::Ranges;

/// An unbroken run of records on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
    /// Chain hash before the first.
    pub previous: ChainHash,
    /// Chain hash of the last.
    pub hash: ChainHash,
}

/// The runs of one station and epoch. Two runs never touch: where they would, their chains agree
/// and they are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    epoch: u64,
    genesis: Head,
    runs: Vec<Run>,
}

/// What a batch may become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It agrees with what is on disk: these of its records are stored, the others are there.
    Take {
        /// The numbers that are not on disk yet.
        new: Ranges,
    },
    /// It contradicts what is on disk: all of it is kept beside, as a branch.
    Branch {
        /// The first number at which that shows.
        at: u64,
    },
}

impl Life {
    /// A life without records.
    pub fn new(station: &StationId, epoch: u64) -> Self {
        Self { epoch, genesis: Head::genesis(station, epoch), runs: Vec::new() }
    }

    /// A life with the runs that are on disk, in any order.
    pub fn from_runs(station: &StationId, epoch: u64, mut runs: Vec<Run>) -> Self {
        runs.sort_unstable_by_key(|run| run.first);
        Self { runs, ..Self::new(station, epoch) }
    }

    /// The runs, ascending.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The end of the unbroken run from 1; the genesis head when there is none.
    pub fn verified(&self) -> Head {
        match self.runs.first() {
            Some(run) if run.first == 1 => Head { seq: run.last, hash: run.hash },
            _ => self.genesis,
        }
    }

    /// What a welcome says of this life.
    pub fn standing(&self, kept: Vec<Held>) -> Standing {
        Standing::new(self.epoch, self.runs.iter().map(Run::held).collect(), kept, self.verified())
    }

    /// Says what a batch may become. `known` holds the chain hashes of all records on disk with
    /// numbers of the batch.
    pub fn judge(&self, batch: &Batch, known: &BTreeMap<u64, ChainHash>) -> Judgement {
        if batch.from == 1 && batch.previous != self.genesis.hash {
            return Judgement::Branch { at: 1 };
        }
        let before = self.runs.iter().find(|run| run.last.checked_add(1) == Some(batch.from));
        if before.is_some_and(|run| run.hash != batch.previous) {
            return Judgement::Branch { at: batch.from };
        }
        let mut new = Ranges::new();
        for (seq, hash, _) in batch.numbered() {
            match known.get(&seq) {
                Some(on_disk) if *on_disk != hash => return Judgement::Branch { at: seq },
                Some(_) => {}
                None => new.insert(seq, seq),
            }
        }
        let end = batch.signed.head;
        match self.runs.iter().find(|run| end.seq.checked_add(1) == Some(run.first)) {
            Some(after) if after.previous != end.hash => Judgement::Branch { at: after.first },
            _ => Judgement::Take { new },
        }
    }

    /// Joins the new records of a batch, judged [`Judgement::Take`] against this very life.
    pub fn join(&mut self, batch: &Batch, new: &Ranges) {
        let mut previous = batch.previous;
        for (seq, hash, _) in batch.numbered() {
            if new.contains(seq) {
                self.add(Run { first: seq, last: seq, previous, hash });
            }
            previous = hash;
        }
    }

    fn add(&mut self, mut run: Run) {
        let at = self.runs.partition_point(|other| other.first < run.first);
        let joins_before = at
            .checked_sub(1)
            .and_then(|index| self.runs.get(index))
            .filter(|before| before.last.checked_add(1) == Some(run.first));
        let start = if let Some(before) = joins_before {
            (run.first, run.previous) = (before.first, before.previous);
            at - 1
        } else {
            at
        };
        let joins_after =
            self.runs.get(at).filter(|after| run.last.checked_add(1) == Some(after.first));
        let end = if let Some(after) = joins_after {
            (run.last, run.hash) = (after.last, after.hash);
            at + 1
        } else {
            at
        };
        self.runs.splice(start..end, [run]);
    }
}

impl Run {
    fn held(&self) -> Held {
        Held { from: self.first, to: self.last, hash: self.hash }
    }
}
