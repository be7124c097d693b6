//! One life of the ledger as the station's sync sees it.

use super::Stand;
use crate::chain::Head;
use crate::receipt::Held;
use crate::sync::ranges::Ranges;

#[derive(Clone, Debug)]
pub(super) struct Life {
    head: Head,
    /// What the server has for certain.
    delivered: Ranges,
    /// What the ledger could not give in this session.
    withheld: Ranges,
    contradicted: bool,
    dispute: Option<Dispute>,
}

/// Numbers under which the server has records that cannot be compared, because they end beyond the
/// ledger or differ from it.
#[derive(Clone, Debug)]
struct Dispute {
    /// What of them was sent and receipted since.
    receipted: Ranges,
    view: View,
}

/// What a welcome says of an epoch, as far as it tells whether the server has lost something since.
#[derive(Clone, Debug)]
pub(super) struct View {
    /// How many numbers it has.
    pub(super) held: u64,
    /// The last number of its unbroken run.
    pub(super) verified: u64,
    /// What it keeps beside.
    pub(super) kept: Vec<Held>,
}

impl Life {
    pub(super) fn new(stand: Stand) -> Self {
        Self {
            head: stand.head,
            delivered: stand.delivered.within(1, stand.head.seq),
            withheld: Ranges::new(),
            contradicted: stand.contradicted,
            dispute: None,
        }
    }

    pub(super) fn head(&self) -> Head {
        self.head
    }

    pub(super) fn contradicted(&self) -> bool {
        self.contradicted
    }

    /// Marks the life as contradicted; false when it was before.
    pub(super) fn contradict(&mut self) -> bool {
        !std::mem::replace(&mut self.contradicted, true)
    }

    pub(super) fn reach(&mut self, head: Head) {
        if head.seq >= self.head.seq {
            self.head = head;
        }
    }

    pub(super) fn session_begins(&mut self) {
        self.withheld = Ranges::new();
        self.dispute = None;
    }

    pub(super) fn withhold(&mut self, from: u64, to: u64) {
        self.withheld.insert(from, to);
    }

    pub(super) fn backlog(&self) -> u64 {
        self.head.seq.saturating_sub(self.delivered.count())
    }

    /// Whether the server has all of a range.
    pub(super) fn has_delivered(&self, from: u64, to: u64) -> bool {
        self.delivered.covers(from, to)
    }

    /// What need not be sent now: delivered, or not to be had from the ledger.
    pub(super) fn settled_numbers(&self) -> Ranges {
        let mut done = self.delivered.clone();
        done.extend(&self.withheld);
        done
    }

    /// Notes what the server has; gives what is new of it.
    pub(super) fn deliver(&mut self, ranges: &Ranges) -> Ranges {
        let mut new = ranges.within(1, self.head.seq);
        new.subtract(&self.delivered);
        self.delivered.extend(&new);
        if let Some(dispute) = &mut self.dispute {
            dispute.receipted.extend(&ranges.within(1, self.head.seq));
        }
        new
    }

    /// Takes back what the server has not; gives what was believed of it.
    pub(super) fn give_back(&mut self, ranges: &Ranges) -> Ranges {
        let mut returned = Ranges::new();
        for (from, to) in ranges.as_slice() {
            returned.extend(&self.delivered.within(*from, *to));
        }
        self.delivered.subtract(&returned);
        returned
    }

    /// Takes back what a welcome that reaches up to `through` does not prove. What the server has
    /// under the same numbers and cannot be compared (`disputed`) is taken back too, sent again and
    /// receipted by its own hash: once, as long as the server has not lost anything since.
    pub(super) fn keep_only(
        &mut self,
        proven: &Ranges,
        disputed: &Ranges,
        through: u64,
        view: View,
    ) -> Ranges {
        let before = self.dispute.take().filter(|before| !before.view.has_more_than(&view));
        let receipted = before.map(|before| before.receipted).unwrap_or_default();
        let mut unproven = self.delivered.within(1, through);
        unproven.subtract(proven);
        for (from, to) in disputed.as_slice() {
            unproven.subtract(&receipted.within(*from, *to));
        }
        if !disputed.is_empty() {
            self.dispute = Some(Dispute { receipted, view });
        }
        self.give_back(&unproven)
    }
}

impl View {
    fn has_more_than(&self, other: &Self) -> bool {
        self.held > other.held
            || self.verified > other.verified
            || self.kept.iter().any(|range| !other.kept.contains(range))
    }
}
