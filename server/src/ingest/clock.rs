//! Stations whose clocks cannot be trusted, by what they say of them and by how far they are from
//! the server's own when a presence arrives. Nothing is reordered by any clock.

use std::collections::HashMap;

use jiff::Timestamp;
use tidewaiter_proto::presence::Presence;
use tidewaiter_proto::record::ClockQuality;
use tidewaiter_proto::station::StationId;

use crate::store::LedgerFinding;

/// What was raised of whom, on which day.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    raised: HashMap<StationId, String>,
}

impl Clocks {
    /// What is to be raised because of a presence that came at `now`: once a day and station.
    pub(super) fn seen(
        &mut self,
        station: &StationId,
        presence: &Presence,
        now: Timestamp,
    ) -> Option<LedgerFinding> {
        // A last will was written when its connection began.
        let at = presence.at.filter(|_| presence.online)?;
        let offset_ms = i64::try_from(at.duration_since(now).as_millis()).unwrap_or(i64::MAX);
        let unset = presence.clock == ClockQuality::Unset;
        if !unset && offset_ms.abs() <= CLOCK_OFFSET_MS_MAX {
            self.raised.remove(station);
            return None;
        }
        let day = now.strftime("%F").to_string();
        if self.raised.get(station) == Some(&day) {
            return None;
        }
        self.raised.insert(station.clone(), day.clone());
        let quality = match presence.clock {
            ClockQuality::Synced => "synced",
            ClockQuality::Holdover => "holdover",
            ClockQuality::Unset => "unset",
        };
        Some(LedgerFinding::Clock { quality: quality.to_owned(), offset_ms, day })
    }
}

/// The way of a presence over the slowest link takes some seconds of this.
pub const CLOCK_OFFSET_MS_MAX: i64 = 60_000;

#[cfg(test)]
mod tests {
    use tidewaiter_proto::record::ClockQuality;

    use super::Clocks;
    use crate::store::LedgerFinding;
    use crate::store::tests::{Sender, now};

    #[test]
    fn a_clock_that_is_off_is_raised_once_a_day_and_again_when_it_was_good_between() {
        let (sender, mut clocks) = (Sender::new("ruvvo/dep-07"), Clocks::default());
        let mut presence = sender.presence();
        let mut seen = |online: bool, seconds: i64, quality| {
            presence.online = online;
            presence.clock = quality;
            presence.at = Some(now() + jiff::SignedDuration::from_secs(seconds));
            clocks.seen(&sender.station, &presence, now())
        };
        assert_eq!(seen(true, 59, ClockQuality::Synced), None);
        assert_eq!(seen(false, -500, ClockQuality::Synced), None, "a last will is old");
        let off = seen(true, -61, ClockQuality::Synced).unwrap();
        assert!(matches!(&off, LedgerFinding::Clock { offset_ms: -61_000, .. }), "{off:?}");
        assert_eq!(seen(true, -61, ClockQuality::Synced), None);
        assert_eq!(seen(true, 0, ClockQuality::Holdover), None);
        let unset = seen(true, 0, ClockQuality::Unset).unwrap();
        assert!(matches!(&unset, LedgerFinding::Clock { quality, .. } if quality == "unset"));
    }
}
