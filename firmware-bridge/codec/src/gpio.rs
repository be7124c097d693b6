//! Buttons on general-purpose lines: edges in, what a person did out.
//!
//! Owns the times: a level counts once it held for 20 ms, a press is long after 1.5 s and stuck
//! after 30 s. It reads no clock: the kernel stamps edges, a driver ticks at the deadline.

use crate::stream::ToJson;
use serde_json::{Value, json};
use std::time::Duration;

/// What a button did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press {
    /// Down.
    Pressed,
    /// Down for [`LONG`].
    Long,
    /// Down for [`STUCK`]: jammed, or something leans on it.
    Stuck,
    /// Up again.
    Released,
}

/// Something that a button did, and when, in milliseconds of the edges' clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at_ms: u64,
    /// What.
    pub press: Press,
}

/// A level counts once it held for so long.
pub const SETTLED: Duration = Duration::from_millis(20);
/// A press so long is a long one.
pub const LONG: Duration = Duration::from_millis(1500);
/// A press so long is none.
pub const STUCK: Duration = Duration::from_secs(30);

/// One button.
#[derive(Debug, Default)]
pub struct Button {
    /// The level as it is, and since when.
    level: bool,
    since_ms: u64,
    /// What counts.
    pressed: Option<Down>,
}

#[derive(Debug, Clone, Copy)]
struct Down {
    since_ms: u64,
    /// What was said of it last.
    said: Press,
}

impl Button {
    /// A button that is up.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes an edge; edges come in the order of their times.
    pub fn edge(&mut self, at_ms: u64, level: bool) -> Vec<Event> {
        let events = self.tick(at_ms);
        if level != self.level {
            self.level = level;
            self.since_ms = at_ms;
        }
        events
    }

    /// Time has passed.
    pub fn tick(&mut self, now_ms: u64) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(at_ms) = self.deadline().filter(|at_ms| *at_ms <= now_ms) {
            events.extend(self.due(at_ms));
        }
        events
    }

    /// When to tick next.
    pub fn deadline(&self) -> Option<u64> {
        let settles = (self.level != self.pressed.is_some()).then(|| after(self.since_ms, SETTLED));
        let grows = self.pressed.and_then(|down| match down.said {
            Press::Pressed => Some(after(down.since_ms, LONG)),
            Press::Long => Some(after(down.since_ms, STUCK)),
            Press::Stuck | Press::Released => None,
        });
        settles.into_iter().chain(grows).min()
    }

    fn due(&mut self, at_ms: u64) -> Option<Event> {
        let settled = self.level != self.pressed.is_some();
        if settled && after(self.since_ms, SETTLED) <= at_ms {
            self.pressed = self.level.then_some(Down { since_ms: at_ms, said: Press::Pressed });
            let press = if self.level { Press::Pressed } else { Press::Released };
            return Some(Event { at_ms, press });
        }
        let down = self.pressed.as_mut()?;
        down.said = if down.said == Press::Pressed { Press::Long } else { Press::Stuck };
        Some(Event { at_ms, press: down.said })
    }
}

fn after(at_ms: u64, time: Duration) -> u64 {
    at_ms.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

impl Press {
    /// The name used by the vectors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pressed => "pressed",
            Self::Long => "long_press",
            Self::Stuck => "stuck",
            Self::Released => "released",
        }
    }
}

impl ToJson for Event {
    fn to_json(&self) -> Value {
        json!([self.at_ms, self.press.name()])
    }
}

/// What a whole recording of edges comes to, silence after it included.
pub fn recording(edges: impl IntoIterator<Item = (u64, bool)>) -> Vec<Event> {
    let mut button = Button::new();
    let mut events = Vec::new();
    for (at_ms, level) in edges {
        events.extend(button.edge(at_ms, level));
    }
    events.extend(button.tick(u64::MAX));
    events
}

#[cfg(test)]
mod tests {
    use super::{Press, recording};
    use proptest::prelude::*;

    fn presses(edges: &[(u64, bool)]) -> Vec<(u64, Press)> {
        recording(edges.iter().copied()).iter().map(|event| (event.at_ms, event.press)).collect()
    }

    #[test]
    fn a_press_grows_long_and_then_stuck() {
        assert_eq!(
            presses(&[(0, true), (2000, false)]),
            [(20, Press::Pressed), (1520, Press::Long), (2020, Press::Released)]
        );
        assert_eq!(
            presses(&[(0, true)]),
            [(20, Press::Pressed), (1520, Press::Long), (30020, Press::Stuck)]
        );
    }

    proptest! {
        #[test]
        fn presses_and_releases_alternate(gaps in prop::collection::vec((0_u64..200, any::<bool>()), 0..60)) {
            let mut now = 0;
            let edges = gaps.into_iter().map(|(gap, level)| { now += gap; (now, level) }).collect::<Vec<_>>();
            let events = recording(edges);
            prop_assert!(events.windows(2).all(|pair| pair[0].at_ms <= pair[1].at_ms));
            let ends: Vec<Press> = events
                .iter()
                .map(|event| event.press)
                .filter(|press| matches!(press, Press::Pressed | Press::Released))
                .collect();
            let alternating = ends.iter().enumerate().all(|(number, press)| {
                (*press == Press::Pressed) == (number % 2 == 0)
            });
            prop_assert!(alternating, "{:?}", ends);
        }
    }
}
