//! Findings about the control itself: old lists, too few inspections, one officer on one route.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use tidewaiter_proto::alert::Alert;
use tidewaiter_proto::body::{Body, PolicyApplied, ScanDecision};
use tidewaiter_proto::movement::Movement;
use tidewaiter_proto::record::Record;

use super::appraisal::Appraisal;
use super::raise::{Findings, seen};
use super::route::of_movement;
use super::trips::{Trip, case_records, days_before, in_time, name_of};
use super::{Case, Engine};
use crate::crossing::holdings::joined;
use crate::crossing::{Fact, same_movement};
use crate::history::Digest;
use crate::policy::day_of;
use crate::policy::routes::{Level, Risk};

impl Engine {
    pub(super) fn oversight_findings(
        &self,
        case: &Case<'_>,
        appraisal: &Appraisal<'_>,
        all: &[Appraisal<'_>],
        alerts: &mut Vec<Alert>,
    ) {
        self.collusion(case, appraisal, all, alerts);
    }

    /// Lists that were too old when a crossing was decided: one alert for a station and its lists,
    /// however many crossings were decided under them.
    pub(super) fn stale_lists(
        &self,
        case: &Case<'_>,
        loose: &[Fact<'_>],
        appraisals: &[Appraisal<'_>],
        alerts: &mut Vec<Alert>,
    ) {
        let days = self.pack.patterns.lists.stale_after_days;
        // Crossings come in the order they were opened: the alert carries the last one.
        for appraisal in appraisals.iter().rev() {
            let applied = applied_at(loose, appraisal);
            let of_station = applied.into_iter().flat_map(|applied| &applied.lists);
            let decided = day_of(decided_at(appraisal));
            let too_old = of_station
                .filter_map(|(name, version)| Some((name, list_day(version)?)))
                .filter(|(_, as_of)| days_between(*as_of, decided) > days)
                .map(|(name, as_of)| format!("{name} of {as_of}"));
            let known = case.stale.iter().map(|list| format!("{} of {}", list.name, list.as_of));
            let mut lists: Vec<String> = too_old.chain(known).collect();
            if lists.is_empty() {
                continue;
            }
            lists.sort();
            lists.dedup();
            let lists = joined(&lists, "none");
            let found = Findings {
                values: vec![
                    ("lists", lists.clone()),
                    ("days", days.to_string()),
                    ("day", decided.to_string()),
                ],
                seen: vec![seen("lists.as_of", &lists, format!("not older than {days} days"))],
                group: vec![(appraisal.station.to_string(), appraisal.inspection.to_owned())],
                apart: format!("{} {lists}", appraisal.station),
                ..Findings::default()
            };
            self.raise(appraisal, "stale-lists", None, found, alerts);
        }
    }

    /// One officer who releases nearly every noteworthy crossing of a route.
    fn collusion(
        &self,
        case: &Case<'_>,
        appraisal: &Appraisal<'_>,
        all: &[Appraisal<'_>],
        alerts: &mut Vec<Alert>,
    ) {
        let own = &appraisal.digest;
        let (Some(officer), Some(route)) = (&own.released_by, own.route) else { return };
        if !self.is_noteworthy(appraisal, own) {
            return;
        }
        let numbers = &self.pack.patterns.collusion;
        let since = days_before(own.opened, numbers.window_days);
        let released =
            |digest: &Digest| digest.released_by.is_some() && self.is_noteworthy(appraisal, digest);
        let wanted = |other: &&Appraisal<'_>| {
            let digest = &other.digest;
            let within = digest.opened >= since && digest.opened <= own.opened;
            digest.route == Some(route) && within && released(digest)
        };
        let mut trips: Vec<Trip> = all.iter().filter(wanted).map(Trip::in_case).collect();
        Trip::of_history(case, all, route, (since, own.opened), &mut trips, released);
        let trips = in_time(trips);
        let theirs: Vec<&Trip> =
            trips.iter().filter(|trip| trip.digest.released_by.as_ref() == Some(officer)).collect();
        let share = Decimal::from(theirs.len()).checked_div(Decimal::from(trips.len()));
        if theirs.len() < numbers.releases || share.is_none_or(|share| share < numbers.share) {
            return;
        }
        let Some(movement) = appraisal.crossing.movement() else { return };
        let way = super::movement::way(&self.pack, movement);
        let found = Findings {
            values: vec![
                ("officer", officer.to_string()),
                ("releases", theirs.len().to_string()),
                ("all", trips.len().to_string()),
                ("route", way.clone()),
                ("days", numbers.window_days.to_string()),
            ],
            seen: vec![
                seen("officer.releases", theirs.len(), format!("at least {}", numbers.releases)),
                seen(
                    "officer.share",
                    share.unwrap_or_default().round_dp(2),
                    format!("at least {}", numbers.share),
                ),
                seen("patterns.version", &self.pack.patterns.version, ""),
            ],
            records: case_records(&theirs),
            group: theirs.iter().map(|trip| name_of(&trip.digest)).collect(),
            apart: format!("{officer} {way}"),
            ..Findings::default()
        };
        self.raise(appraisal, "collusion-pattern", None, found, alerts);
    }

    /// Whether a crossing gave a reason to look: an alarm, or a sum near the limit or over it.
    fn is_noteworthy(&self, appraisal: &Appraisal<'_>, digest: &Digest) -> bool {
        let limit = appraisal.limit().map(|judged| judged.threshold);
        digest.alarm
            || limit.is_some_and(|threshold| {
                self.trip_total(digest, threshold)
                    .is_some_and(|sum| threshold.met_by(sum) || self.in_band(sum, threshold))
            })
    }

    /// When the high-risk movement that a record tells of leaves; `None` for any other record.
    pub fn high_risk_departure(&self, record: &Record) -> Option<Timestamp> {
        let Body::MovementSeen(seen_there) = &record.body else { return None };
        let left = seen_there.movement.scheduled.unwrap_or(record.at);
        let high = !self.high_risks(&seen_there.movement, day_of(left)).is_empty();
        high.then_some(left)
    }

    fn high_risks(&self, movement: &Movement, day: Date) -> Vec<&Risk> {
        self.pack
            .risks
            .iter()
            .filter(|risk| risk.level == Level::High && risk.in_force(day))
            .filter(|risk| of_movement(&self.pack, risk, movement))
            .collect()
    }

    /// High-risk movements that were seen and have left, and how many of them were inspected.
    pub(super) fn coverage(
        &self,
        case: &Case<'_>,
        loose: &[Fact<'_>],
        appraisals: &[Appraisal<'_>],
        alerts: &mut Vec<Alert>,
    ) {
        for fact in loose {
            let Body::MovementSeen(seen_there) = fact.body.as_ref() else { continue };
            let movement = &seen_there.movement;
            let left = movement.scheduled.unwrap_or(fact.record.at);
            let day = day_of(left);
            let risks = self.high_risks(movement, day);
            if left > case.now || risks.is_empty() {
                continue;
            }
            let inspected = appraisals
                .iter()
                .filter(|appraisal| appraisal.station.site() == fact.record.station.site())
                .filter(|appraisal| was_inspected(appraisal))
                .filter(|a| a.crossing.movements().any(|(_, own)| same_movement(own, movement)))
                .count();
            let wanted = self.wanted(case, movement);
            if inspected >= wanted {
                continue;
            }
            let label = super::movement::label(&self.pack, movement);
            let titles: Vec<String> = risks.iter().map(|risk| risk.title.clone()).collect();
            let found = Findings {
                values: vec![
                    ("movement", label.clone()),
                    ("inspected", inspected.to_string()),
                    ("wanted", wanted.to_string()),
                    ("risk", joined(&titles, "is on no risk list")),
                ],
                seen: vec![
                    seen("coverage.inspected", inspected, format!("at least {wanted}")),
                    seen("patterns.version", &self.pack.patterns.version, ""),
                ],
                records: vec![fact.record.seq],
                apart: format!("{label} {day}"),
                ..Findings::default()
            };
            self.raise_at(&fact.record.station, case.now, "coverage-gap", found, alerts);
        }
    }

    /// How many of a movement have to be inspected.
    fn wanted(&self, case: &Case<'_>, movement: &Movement) -> usize {
        let numbers = &self.pack.patterns.coverage;
        let flight = movement.designator();
        let aboard = case.on_board.iter().find(|(name, _)| Some(name) == flight.as_ref());
        aboard
            .and_then(|(_, aboard)| Decimal::from(*aboard).checked_mul(numbers.share_on_board))
            .and_then(|wanted| wanted.ceil().to_usize())
            .unwrap_or(numbers.inspected)
    }
}

/// Whether somebody looked: a scan, a count or a declaration.
fn was_inspected(appraisal: &Appraisal<'_>) -> bool {
    let crossing = appraisal.crossing;
    crossing.scans().any(|(_, scan)| scan.decision != ScanDecision::Test)
        || crossing.counts().next().is_some()
        || crossing.declarations().next().is_some()
}

/// What the crossing's station had applied last when the crossing was decided.
fn applied_at<'f>(loose: &'f [Fact<'_>], appraisal: &Appraisal<'_>) -> Option<&'f PolicyApplied> {
    let decided = decided_at(appraisal);
    loose
        .iter()
        .filter(|fact| fact.record.station == *appraisal.station && fact.record.at <= decided)
        .filter_map(|fact| match fact.body.as_ref() {
            Body::PolicyApplied(applied) => Some((fact.record, applied)),
            _ => None,
        })
        .max_by_key(|(record, _)| (record.at, record.epoch, record.seq))
        .map(|(_, applied)| applied)
}

/// When the last thing about a crossing happened.
pub(super) fn decided_at(appraisal: &Appraisal<'_>) -> Timestamp {
    let facts = appraisal.crossing.facts.iter();
    facts.map(|fact| fact.record.at).max().unwrap_or_else(|| appraisal.crossing.opened_at())
}

/// The day a list is of, which its version begins with.
fn list_day(version: &str) -> Option<Date> {
    version.get(..10)?.parse().ok()
}

fn days_between(earlier: Date, later: Date) -> i64 {
    (later - earlier).get_days().into()
}
