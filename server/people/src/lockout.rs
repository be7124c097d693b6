//! How long to wait after wrong passwords: longer each time, never for good, so that nobody can be
//! kept out of their own account for long.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Wrong answers in a row of one account or one address, and when the last was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: u32,
    /// When the last was.
    pub last: Option<Timestamp>,
}

/// Wrong answers that cost no wait.
pub const FREE: u32 = 4;
/// The longest wait.
pub const LONGEST: Duration = Duration::from_mins(15);

impl Failures {
    /// How long an answer is not even looked at; `None` when it is.
    pub fn wait(&self, now: Timestamp) -> Option<Duration> {
        let last = self.last?;
        let over = self.count.checked_sub(FREE + 1)?;
        let seconds = 2_u64.checked_pow(over + 1).unwrap_or(u64::MAX).min(LONGEST.as_secs());
        let due = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        let passed = now.duration_since(last);
        // A clock set back must not lock out for longer than the longest wait.
        let left = due - passed.max(SignedDuration::ZERO);
        Duration::try_from(left).ok().filter(|left| !left.is_zero())
    }

    /// One more.
    #[must_use]
    pub fn and(self, now: Timestamp) -> Self {
        Self { count: self.count.saturating_add(1), last: Some(now) }
    }
}

#[cfg(test)]
mod tests {
    use super::{FREE, Failures, LONGEST};
    use jiff::{SignedDuration, Timestamp};
    use std::time::Duration;

    #[test]
    fn the_wait_doubles_ends_and_has_a_bound() {
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        let mut failures = Failures::default();
        for _ in 0..FREE {
            failures = failures.and(now);
            assert_eq!(failures.wait(now), None);
        }
        let mut last = Duration::ZERO;
        for _ in 0..40 {
            failures = failures.and(now);
            let wait = failures.wait(now).unwrap();
            assert!(wait >= last && wait <= LONGEST, "{wait:?}");
            let over = now + SignedDuration::try_from(wait).unwrap();
            assert_eq!(failures.wait(over), None);
            last = wait;
        }
        assert_eq!(last, LONGEST);
        // The clock is set back by a day.
        let before = now - SignedDuration::from_hours(24);
        assert!(failures.wait(before).unwrap() <= LONGEST);
    }
}
