//! High-risk movements that stations saw: when each is due to be looked at, and again when an
//! inspection of it comes late. Plain bookkeeping: it reads no clock and no store.

use jiff::{Timestamp, ToSpan as _};
use tidewaiter_proto::body::Body;
use tidewaiter_proto::movement::Movement;
use tidewaiter_proto::record::Record;
use tidewaiter_risk::crossing::same_movement;

/// What is watched.
#[derive(Debug, Default)]
pub(super) struct Watch {
    movements: Vec<Watched>,
}

#[derive(Debug)]
struct Watched {
    record: Record,
    due: Timestamp,
    looked: bool,
}

/// Inspections of a movement may come so late: longer a station is hardly cut off.
pub(super) const KEPT_HOURS: i64 = 14 * 24;

impl Watch {
    /// Watches a movement that leaves at `left`, from `wait` hours after that on.
    pub(super) fn take(&mut self, record: Record, left: Timestamp, wait: i64) {
        let known = |watched: &Watched| {
            let own = &watched.record;
            (&own.station, own.epoch, own.seq) == (&record.station, record.epoch, record.seq)
        };
        if self.movements.iter().any(known) {
            return;
        }
        let due = left.checked_add(wait.hours()).unwrap_or(left);
        self.movements.push(Watched { record, due, looked: false });
    }

    /// An inspection of `movement` came at a site: what was looked at is looked at again.
    pub(super) fn touch(&mut self, site: &str, movement: &Movement) {
        for watched in &mut self.movements {
            let here = watched.record.station.site() == site;
            if here && movement_of(&watched.record).is_some_and(|own| same_movement(own, movement))
            {
                watched.looked = false;
            }
        }
    }

    /// The movements to look at now, each once; what is too old is forgotten.
    pub(super) fn due(&mut self, now: Timestamp) -> Vec<Record> {
        let kept = |watched: &Watched| {
            watched.due.checked_add(KEPT_HOURS.hours()).is_ok_and(|until| now <= until)
        };
        self.movements.retain(kept);
        let due = self.movements.iter_mut().filter(|watched| !watched.looked && watched.due <= now);
        due.map(|watched| {
            watched.looked = true;
            watched.record.clone()
        })
        .collect()
    }
}

/// The movement a record tells of.
pub(super) fn movement_of(record: &Record) -> Option<&Movement> {
    match &record.body {
        Body::MovementSeen(seen) => Some(&seen.movement),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tidewaiter_proto::record::Record;

    use super::{Watch, movement_of};

    fn seen(number: &str) -> Record {
        let value = serde_json::json!({"station": "ruvvo/dep-07", "seq": 1,
            "at": "2026-02-02T05:00:00Z", "source": {"agent": "test"},
            "body": {"type": "movement_seen", "movement": {"mode": "air", "carrier": "JS",
            "number": number, "from": "VVO", "to": "FNJ"}}});
        serde_json::from_value(value).unwrap()
    }

    fn at(hour: &str) -> Timestamp {
        format!("2026-02-02T{hour}:00:00Z").parse().unwrap()
    }

    #[test]
    fn a_movement_is_looked_at_once_when_due_and_again_when_an_inspection_comes() {
        let mut watch = Watch::default();
        watch.take(seen("272"), at("09"), 6);
        watch.take(seen("272"), at("09"), 6);
        assert!(watch.due(at("14")).is_empty());
        assert_eq!(watch.due(at("15")).len(), 1);
        assert!(watch.due(at("16")).is_empty());
        let other = seen("273");
        watch.touch("ruvvo", movement_of(&other).unwrap());
        watch.touch("ruzar", movement_of(&seen("272")).unwrap());
        assert!(watch.due(at("17")).is_empty());
        watch.touch("ruvvo", movement_of(&seen("272")).unwrap());
        assert_eq!(watch.due(at("18")).len(), 1);
    }

    #[test]
    fn what_is_too_old_is_forgotten() {
        let mut watch = Watch::default();
        watch.take(seen("272"), at("09"), 6);
        assert!(watch.due("2026-03-02T00:00:00Z".parse().unwrap()).is_empty());
        assert!(watch.due(at("16")).is_empty(), "it is gone");
    }
}
