//! How far the station's clock can be trusted.

use std::path::Path;

use jiff::Timestamp;
use tidewaiter_program::clock::Clock;
use tidewaiter_proto::record::ClockQuality;

pub mod watch;

/// The quality of the clock now: synchronized when the machine's time service says so, holdover
/// when it does not but the time is possible, unset when it is before this program was made.
///
/// A demonstration's clock is set by hand, and is what it is set to.
pub fn quality(clock: &Clock) -> ClockQuality {
    if clock.is_demonstration() || SYNCHRONIZED.iter().any(|flag| Path::new(flag).exists()) {
        ClockQuality::Synced
    } else {
        unsynchronized(clock.now())
    }
}

fn unsynchronized(now: Timestamp) -> ClockQuality {
    if now.as_second() >= MADE { ClockQuality::Holdover } else { ClockQuality::Unset }
}

/// Flags that time services set: systemd-timesyncd, and the directory of chrony's socket stands for
/// a running chronyd.
const SYNCHRONIZED: &[&str] = &["/run/systemd/timesync/synchronized", "/run/chrony/chronyd.sock"];
/// 1 November 2026, 00:00 UTC: no true clock shows less.
const MADE: i64 = 1_793_491_200;

#[cfg(test)]
mod tests {
    use super::unsynchronized;
    use tidewaiter_proto::record::ClockQuality;

    #[test]
    fn a_clock_without_a_battery_is_unset() {
        for (now, quality) in [
            ("1970-01-01T00:01:00Z", ClockQuality::Unset),
            ("2026-10-31T23:59:59Z", ClockQuality::Unset),
            ("2026-11-01T00:00:00Z", ClockQuality::Holdover),
        ] {
            assert_eq!(unsynchronized(now.parse().unwrap()), quality, "{now}");
        }
    }
}
