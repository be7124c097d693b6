//! Sets of record numbers as ranges, both ends included, as receipts state them.

use serde::{Deserialize, Serialize};

/// A set of record numbers: ascending ranges that neither overlap nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(u64, u64)>", into = "Vec<(u64, u64)>")]
pub struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// The empty set.
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// The ranges, ascending.
    pub fn as_slice(&self) -> &[(u64, u64)] {
        &self.0
    }

    /// Whether there is no number in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many numbers it holds.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(from, to)| (to - from).saturating_add(1)).fold(0, u64::saturating_add)
    }

    /// The largest number in it.
    pub fn last(&self) -> Option<u64> {
        self.0.last().map(|(_, to)| *to)
    }

    /// Whether a number is in it.
    pub fn contains(&self, number: u64) -> bool {
        self.at_or_after(number).is_some_and(|(from, _)| from <= number)
    }

    /// Whether every number of a range is in it.
    pub fn covers(&self, from: u64, to: u64) -> bool {
        self.at_or_after(from).is_some_and(|(first, last)| first <= from && to <= last)
    }

    /// Adds a range; does nothing when it ends before it begins.
    pub fn insert(&mut self, from: u64, to: u64) {
        if from > to {
            return;
        }
        let start = self.0.partition_point(|(_, last)| last.saturating_add(1) < from);
        let end = self.0.partition_point(|(first, _)| *first <= to.saturating_add(1));
        let touched = self.0.get(start..end).unwrap_or_default();
        let first = touched.first().map_or(from, |(first, _)| from.min(*first));
        let last = touched.last().map_or(to, |(_, last)| to.max(*last));
        self.0.splice(start..end.max(start), [(first, last)]);
    }

    /// Takes a range out.
    pub fn remove(&mut self, from: u64, to: u64) {
        if from > to {
            return;
        }
        let start = self.0.partition_point(|(_, last)| *last < from);
        let end = self.0.partition_point(|(first, _)| *first <= to).max(start);
        let touched = self.0.get(start..end).unwrap_or_default();
        let before =
            touched.first().filter(|(first, _)| *first < from).map(|(first, _)| (*first, from - 1));
        let after = touched.last().filter(|(_, last)| *last > to).map(|(_, last)| (to + 1, *last));
        self.0.splice(start..end, before.into_iter().chain(after));
    }

    /// Adds another set.
    pub fn extend(&mut self, other: &Self) {
        for (from, to) in &other.0 {
            self.insert(*from, *to);
        }
    }

    /// Takes another set out.
    pub fn subtract(&mut self, other: &Self) {
        for (from, to) in &other.0 {
            self.remove(*from, *to);
        }
    }

    /// What of a range is not in the set.
    #[must_use]
    pub fn missing(&self, from: u64, to: u64) -> Self {
        let mut missing = Self::new();
        missing.insert(from, to);
        missing.subtract(&self.within(from, to));
        missing
    }

    /// The part of the set that lies in a range.
    #[must_use]
    pub fn within(&self, from: u64, to: u64) -> Self {
        let start = self.0.partition_point(|(_, last)| *last < from);
        let part = self.0.get(start..).unwrap_or_default().iter();
        let part = part.take_while(|(first, _)| *first <= to);
        Self(part.map(|(first, last)| (*first.max(&from), *last.min(&to))).collect())
    }

    /// The first range of numbers from `from` to `to` that are not in the set.
    pub fn first_missing(&self, from: u64, to: u64) -> Option<(u64, u64)> {
        let mut start = from;
        loop {
            if start > to {
                return None;
            }
            match self.at_or_after(start) {
                Some((first, last)) if first <= start => start = last.checked_add(1)?,
                Some((first, _)) => return Some((start, to.min(first - 1))),
                None => return Some((start, to)),
            }
        }
    }

    /// The last range of numbers from `from` to `to` that are not in the set.
    pub fn last_missing(&self, from: u64, to: u64) -> Option<(u64, u64)> {
        let mut end = to;
        loop {
            if end < from {
                return None;
            }
            let below = self.0.partition_point(|(first, _)| *first <= end);
            match below.checked_sub(1).and_then(|index| self.0.get(index)) {
                Some((first, last)) if *last >= end => end = first.checked_sub(1)?,
                Some((_, last)) => return Some((from.max(last + 1), end)),
                None => return Some((from, end)),
            }
        }
    }

    /// At most `most` of the ranges, the lowest.
    #[must_use]
    pub fn lowest(&self, most: usize) -> Self {
        Self(self.0.iter().take(most).copied().collect())
    }

    fn at_or_after(&self, number: u64) -> Option<(u64, u64)> {
        self.0.get(self.0.partition_point(|(_, last)| *last < number)).copied()
    }
}

impl From<Vec<(u64, u64)>> for Ranges {
    fn from(ranges: Vec<(u64, u64)>) -> Self {
        let mut set = Self::new();
        for (from, to) in ranges {
            set.insert(from, to);
        }
        set
    }
}

impl From<Ranges> for Vec<(u64, u64)> {
    fn from(ranges: Ranges) -> Self {
        ranges.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::Ranges;

    fn numbers(ranges: &Ranges) -> BTreeSet<u64> {
        ranges.as_slice().iter().flat_map(|(from, to)| *from..=*to).collect()
    }

    #[test]
    fn ranges_that_touch_become_one() {
        let ranges = Ranges::from(vec![(5, 6), (1, 3), (4, 4)]);
        assert_eq!(ranges.as_slice(), [(1, 6)]);
        assert_eq!(ranges.count(), 6);
    }

    #[test]
    fn the_largest_number_is_a_number_like_any_other() {
        let mut ranges = Ranges::from(vec![(1, u64::MAX)]);
        assert_eq!(ranges.first_missing(1, u64::MAX), None);
        ranges.remove(u64::MAX, u64::MAX);
        assert_eq!(ranges.last_missing(1, u64::MAX), Some((u64::MAX, u64::MAX)));
    }

    proptest! {
        #[test]
        fn a_set_of_ranges_is_a_set_of_numbers(
            steps in proptest::collection::vec((any::<bool>(), 1u64..60, 0u64..12), 0..40),
            (from, length) in (1u64..60, 0u64..30),
        ) {
            let (mut ranges, mut model) = (Ranges::new(), BTreeSet::new());
            for (add, from, length) in steps {
                if add {
                    ranges.insert(from, from + length);
                    model.extend(from..=from + length);
                } else {
                    ranges.remove(from, from + length);
                    model.retain(|number| !(from..=from + length).contains(number));
                }
                prop_assert_eq!(numbers(&ranges), model.clone());
                prop_assert!(ranges.as_slice().windows(2).all(|w| w[0].1 + 1 < w[1].0));
            }
            let to = from + length;
            let missing: BTreeSet<u64> = (from..=to).filter(|n| !model.contains(n)).collect();
            prop_assert_eq!(numbers(&ranges.missing(from, to)), missing.clone());
            prop_assert_eq!(ranges.covers(from, to), missing.is_empty());
            prop_assert_eq!(ranges.contains(from), model.contains(&from));
            prop_assert_eq!(ranges.first_missing(from, to).map(|r| r.0), missing.first().copied());
            prop_assert_eq!(ranges.last_missing(from, to).map(|r| r.1), missing.last().copied());
            for (start, end) in ranges.first_missing(from, to).into_iter().chain(ranges.last_missing(from, to)) {
                prop_assert!((start..=end).all(|n| missing.contains(&n)));
                prop_assert!(start == from || model.contains(&(start - 1)));
                prop_assert!(end == to || model.contains(&(end + 1)));
            }
        }
    }
}
