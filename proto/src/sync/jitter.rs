//! Delays that spread many stations apart, from a seed, so that a run can be repeated.

use std::time::Duration;

/// A small generator (splitmix64). Spreads load; protects nothing.
#[derive(Clone, Debug)]
pub struct Jitter(u64);

impl Jitter {
    /// A generator with this seed; stations should each have another.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.draw().checked_rem(bound).unwrap_or(0)
    }

    /// A delay from 0 to `most`, to the millisecond.
    pub fn upto(&mut self, most: Duration) -> Duration {
        let millis = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.below(millis.saturating_add(1)))
    }

    /// A delay from half of `around` to one and a half of it.
    pub fn around(&mut self, around: Duration) -> Duration {
        around / 2 + self.upto(around)
    }
}

/// The `attempt`th doubling of `first`, `most` at most.
pub fn doubled(first: Duration, attempt: u32, most: Duration) -> Duration {
    first
        .checked_mul(1u32.checked_shl(attempt.min(31)).unwrap_or(u32::MAX))
        .unwrap_or(most)
        .min(most)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Jitter, doubled};

    #[test]
    fn delays_double_up_to_their_bound() {
        let (first, most) = (Duration::from_millis(500), Duration::from_mins(1));
        let delays: Vec<_> = (0..9).map(|attempt| doubled(first, attempt, most)).collect();
        assert_eq!(delays.first(), Some(&first));
        assert_eq!(delays.get(3), Some(&Duration::from_secs(4)));
        assert_eq!(delays.last(), Some(&most));
        assert_eq!(doubled(first, u32::MAX, most), most);
    }

    #[test]
    fn a_jittered_delay_stays_in_its_bounds_and_spreads() {
        let mut jitter = Jitter::new(1);
        let around = Duration::from_secs(10);
        let delays: Vec<_> = (0..200).map(|_| jitter.around(around)).collect();
        assert!(delays.iter().all(|delay| (around / 2..=around * 3 / 2).contains(delay)));
        assert!(delays.iter().min() < Some(&(around * 3 / 5)));
        assert!(delays.iter().max() > Some(&(around * 7 / 5)));
    }
}
