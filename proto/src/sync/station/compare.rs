//! Receipts and welcomes against the ledger's own chain. A range counts as delivered only when the
//! hash of its last record is the ledger's own.

use std::collections::BTreeMap;
use std::time::Duration;

use super::life::View;
use super::{Effect, Question, Station};
use crate::chain::{ChainHash, Head};
use crate::receipt::{Held, LIVES_MAX, Receipt, Standing, Welcome};
use crate::sync::finding::Finding;
use crate::sync::ranges::Ranges;

/// Questions that the ledger has not answered yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Comparisons {
    next: u64,
    open: BTreeMap<u64, Claim>,
}

/// What the server says of one epoch.
#[derive(Clone, Debug)]
struct Claim {
    epoch: u64,
    held: Vec<Held>,
    kept: Vec<Held>,
    verified: Head,
    /// A welcome says all it has up to here.
    all_through: Option<u64>,
}

impl Comparisons {
    pub(super) fn forget(&mut self) {
        self.open.clear();
    }
}

impl Station {
    pub(super) fn compare_receipt(&mut self, receipt: Receipt, now: Duration) {
        let Receipt { epoch, held, kept, verified, .. } = receipt;
        self.ask(Claim { epoch, held, kept, verified, all_through: None }, now);
    }

    pub(super) fn compare_welcome(&mut self, welcome: Welcome, now: Duration) {
        let listed: Vec<u64> = welcome.lives.iter().map(|life| life.epoch).collect();
        let all = listed.len() < LIVES_MAX;
        let lowest = listed.iter().take(LIVES_MAX).min().filter(|_| !all).copied().unwrap_or(0);
        // A server restored from a backup knows nothing of what began after it, and says nothing.
        let unknown = self.lives.keys().filter(|epoch| **epoch > lowest && !listed.contains(epoch));
        let unknown: Vec<_> = unknown.map(|epoch| Standing::nothing(&self.name, *epoch)).collect();
        for life in welcome.lives.into_iter().chain(unknown) {
            let claim = Claim {
                epoch: life.epoch,
                held: life.held,
                kept: life.kept,
                verified: life.verified,
                all_through: Some(life.through),
            };
            self.ask(claim, now);
        }
    }

    fn ask(&mut self, claim: Claim, now: Duration) {
        let Some(life) = self.lives.get(&claim.epoch) else {
            // The server has a life of this ledger that the ledger has no memory of.
            let (present, ours) = self.present();
            if claim.verified.seq > 0 && claim.epoch > present {
                let theirs = (claim.verified.seq, claim.verified.hash);
                self.contradict(present, theirs, ours, now);
            }
            return;
        };
        let head = life.head().seq;
        let mut seqs: Vec<u64> =
            claim.held.iter().chain(&claim.kept).map(|range| range.to).collect();
        seqs.push(claim.verified.seq);
        seqs.retain(|seq| (1..=head).contains(seq));
        seqs.sort_unstable();
        seqs.dedup();
        let (id, epoch) = (self.comparisons.next, claim.epoch);
        self.comparisons.next = id.wrapping_add(1);
        if self.comparisons.open.len() >= OPEN_MAX {
            self.comparisons.open.pop_first();
        }
        self.comparisons.open.insert(id, claim);
        self.effects.push_back(Effect::Compare(Question { id, epoch, seqs }));
    }

    /// The ledger's own hashes of the records that [`Effect::Compare`] asked for; a record that is
    /// no longer there is left out.
    pub fn compared(&mut self, id: u64, own: &BTreeMap<u64, ChainHash>, now: Duration) {
        let Some(claim) = self.comparisons.open.remove(&id) else { return };
        let Some(life) = self.lives.get_mut(&claim.epoch) else { return };
        let ours = life.head();
        let (mut proven, mut gone, mut disputed) = (Ranges::new(), Ranges::new(), Ranges::new());
        let mut contradiction = None;
        for range in &claim.held {
            match own.get(&range.to) {
                Some(hash) if *hash == range.hash => proven.insert(range.from, range.to),
                // Gone from the ledger since it was receipted: nothing to compare, nothing to send.
                None if range.to <= ours.seq => gone.insert(range.from, range.to),
                _ => {
                    disputed.insert(range.from, range.to);
                    contradiction.get_or_insert((range.to, range.hash));
                }
            }
        }
        for range in &claim.kept {
            if own.get(&range.to) == Some(&range.hash) {
                proven.insert(range.from, range.to);
            }
        }
        let verified = claim.verified;
        let unlike = own.get(&verified.seq).is_some_and(|hash| *hash != verified.hash);
        if unlike || verified.seq > ours.seq {
            contradiction.get_or_insert((verified.seq, verified.hash));
        }
        let returned = match claim.all_through {
            Some(through) => {
                gone.extend(&proven);
                let held: Ranges = claim
                    .held
                    .iter()
                    .map(|range| (range.from, range.to))
                    .collect::<Vec<_>>()
                    .into();
                let (held, kept) = (held.count(), claim.kept);
                let view = View { held, verified: verified.seq, kept };
                life.keep_only(&gone, &disputed, through, view)
            }
            None => Ranges::new(),
        };
        let ranges = life.deliver(&proven);
        let epoch = claim.epoch;
        if !returned.is_empty() {
            self.effects.push_back(Effect::Returned { epoch, ranges: returned });
        }
        if !ranges.is_empty() {
            self.effects.push_back(Effect::Delivered { epoch, ranges, verified });
        }
        if claim.all_through.is_some() {
            self.effects.push_back(Effect::Confirmed { epoch });
        }
        if let Some((seq, theirs)) = contradiction {
            self.contradict(epoch, (seq, theirs), ours, now);
        }
        self.window.receipted(&self.lives, &self.pace, now);
        self.advance(now);
    }

    fn contradict(
        &mut self,
        epoch: u64,
        (seq, theirs): (u64, ChainHash),
        ours: Head,
        now: Duration,
    ) {
        let first = self.lives.get_mut(&epoch).is_some_and(super::life::Life::contradict);
        if first {
            let finding = Finding::Contradicted { epoch, seq, theirs, ours };
            self.effects.push_back(Effect::Raise(finding));
            self.announce(None, now);
        }
    }
}

/// The most claims that wait for the ledger.
const OPEN_MAX: usize = 64;
