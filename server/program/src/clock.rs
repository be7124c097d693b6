//! The one clock of the program. Everything asks it for the time; nothing else reads the system's.
//!
//! A demonstration may set it: it then starts at the given instant and runs from there.

use std::sync::{Arc, RwLock};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

/// The program's clock; clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock {
    set: Option<Arc<RwLock<Setting>>>,
}

/// What a demonstration clock was set to, and when on the machine's own clock.
#[derive(Clone, Copy, Debug)]
struct Setting {
    shown: Timestamp,
    at: Instant,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self { set: None }
    }

    /// A clock for demonstrations, set to `start` now.
    pub fn demonstration(start: Timestamp) -> Self {
        let setting = Setting { shown: start, at: Instant::now() };
        Self { set: Some(Arc::new(RwLock::new(setting))) }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        let Some(set) = &self.set else { return Timestamp::now() };
        let setting = *set.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let run = SignedDuration::try_from(setting.at.elapsed()).unwrap_or(SignedDuration::ZERO);
        setting.shown.checked_add(run).unwrap_or(Timestamp::MAX)
    }

    /// Whether this is a demonstration clock.
    pub fn is_demonstration(&self) -> bool {
        self.set.is_some()
    }

    /// Moves a demonstration clock; says whether there was one to move.
    pub fn set(&self, now: Timestamp) -> bool {
        let Some(set) = &self.set else { return false };
        *set.write().unwrap_or_else(std::sync::PoisonError::into_inner) =
            Setting { shown: now, at: Instant::now() };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;

    #[test]
    fn a_demonstration_clock_starts_where_it_is_set_and_runs() {
        let start = "2018-11-16T03:00:00Z".parse().unwrap();
        let clock = Clock::demonstration(start);
        let first = clock.now();
        assert!(first >= start && first.as_second() - start.as_second() < 5);
        std::thread::sleep(std::time::Duration::from_millis(5));
        assert!(clock.now() > first);
        assert!(clock.set("2018-10-01T00:00:00Z".parse().unwrap()));
        assert!(clock.now() < start);
    }

    #[test]
    fn the_machines_clock_cannot_be_set() {
        assert!(!Clock::system().set("2018-10-01T00:00:00Z".parse().unwrap()));
    }
}
