//! One person over time: sums just under the limit, lawful sums again and again, export over import.

use std::sync::Arc;

use jiff::{Timestamp, ToSpan as _};
use rust_decimal::Decimal;
use tidewaiter_proto::alert::Alert;
use tidewaiter_proto::body::Direction;
use tidewaiter_proto::money::Amount;

use super::appraisal::Appraisal;
use super::raise::{Findings, amount, seen};
use super::{Case, Engine};
use crate::crossing::holdings::{Sums, joined, total_of};
use crate::history::{Digest, Key};
use crate::policy::day_of;
use crate::policy::thresholds::{Purpose, Threshold};

/// A crossing of the person's, this one or another.
#[derive(Clone, Debug)]
pub(super) struct Trip {
    pub(super) digest: Arc<Digest>,
    /// Whether it is in the case, not only in history.
    pub(super) in_case: bool,
}

impl Trip {
    /// A crossing of the case.
    pub(super) fn in_case(appraisal: &Appraisal<'_>) -> Self {
        Self { digest: Arc::clone(&appraisal.digest), in_case: true }
    }

    /// Adds the crossings of history that have `key` within a time, are none of the case's own, and
    /// are wanted.
    pub(super) fn of_history(
        case: &Case<'_>,
        all: &[Appraisal<'_>],
        key: Key,
        (since, until): (Timestamp, Timestamp),
        trips: &mut Vec<Self>,
        wanted: impl Fn(&Digest) -> bool,
    ) {
        case.history.visit(key, since, until, &mut |digest| {
            let own = all.iter().any(|own| own.is(&digest.station, &digest.inspection));
            if !own && wanted(&digest) {
                trips.push(Self { digest: Arc::new(digest), in_case: false });
            }
        });
    }
}

impl Engine {
    /// Every crossing of the person's within the longest window, this one too, the earliest first.
    pub(super) fn trips_of(
        &self,
        case: &Case<'_>,
        appraisal: &Appraisal<'_>,
        all: &[Appraisal<'_>],
    ) -> Vec<Trip> {
        let patterns = &self.pack.patterns;
        let days = [
            patterns.structuring.window_days,
            patterns.repeat_courier.window_days,
            patterns.exit_over_entry.window_days,
            patterns.broken_journey.window_days,
        ];
        let reach = days.into_iter().max().unwrap_or(0);
        let opened = appraisal.crossing.opened_at();
        let since = days_before(opened, reach);
        // Records arrive late: a crossing after this one may already be known.
        let until = opened.checked_add((reach * 24).hours()).unwrap_or(opened);
        let persons = &appraisal.digest.persons;
        let same = |other: &&Appraisal<'_>| {
            std::ptr::eq(*other, appraisal)
                || other.digest.persons.iter().any(|key| persons.contains(key))
        };
        let mut trips: Vec<Trip> = all.iter().filter(same).map(Trip::in_case).collect();
        for key in persons {
            Trip::of_history(case, all, *key, (since, until), &mut trips, |_| true);
        }
        in_time(trips)
    }

    pub(super) fn trip_findings(
        &self,
        appraisal: &Appraisal<'_>,
        trips: &[Trip],
        alerts: &mut Vec<Alert>,
    ) {
        if trips.len() < 2 {
            return;
        }
        self.structuring(appraisal, trips, alerts);
        self.repeat_courier(appraisal, trips, alerts);
        self.exit_exceeds_entry(appraisal, trips, alerts);
    }

    /// The share of the limit that a trip carried, by this crossing's limit.
    pub(super) fn trip_total(&self, digest: &Digest, threshold: &Threshold) -> Option<Decimal> {
        let sums = digest.carried_sums()?;
        self.sum_of(&sums, digest, threshold)
    }

    /// What a trip declared, by this crossing's limit.
    pub(super) fn declared_total(&self, digest: &Digest, threshold: &Threshold) -> Option<Decimal> {
        self.sum_of(&digest.declared_sums()?, digest, threshold)
    }

    fn sum_of(&self, sums: &Sums, digest: &Digest, threshold: &Threshold) -> Option<Decimal> {
        let counted: Sums = sums
            .iter()
            .filter(|(currency, _)| threshold.sums(**currency))
            .map(|(currency, amount)| (*currency, *amount))
            .collect();
        let total = total_of(&counted, threshold.currency, &self.rates, day_of(digest.money_at));
        total.missing.is_empty().then_some(total.amount)
    }

    /// Whether a sum is just under a limit.
    pub(super) fn in_band(&self, sum: Decimal, threshold: &Threshold) -> bool {
        let limit = threshold.amount.unwrap_or_default();
        let from = limit.checked_mul(self.pack.patterns.structuring.band_from);
        limit > Decimal::ZERO && from.is_some_and(|from| sum >= from) && !threshold.met_by(sum)
    }

    fn structuring(&self, appraisal: &Appraisal<'_>, trips: &[Trip], alerts: &mut Vec<Alert>) {
        let numbers = &self.pack.patterns.structuring;
        let Some(threshold) = appraisal.limit().map(|judged| judged.threshold) else { return };
        let mut near: Vec<(&Trip, Decimal)> = trips
            .iter()
            .filter(|trip| trip.digest.direction == appraisal.crossing.direction())
            .filter_map(|trip| Some((trip, self.trip_total(&trip.digest, threshold)?)))
            .filter(|(_, sum)| self.in_band(*sum, threshold))
            .collect();
        near.sort_by_key(|(trip, _)| trip.digest.opened);
        // The window that ends with each trip; the fullest one, the latest of those.
        let windows = near.iter().enumerate().filter_map(|(at, (last, _))| {
            let since = days_before(last.digest.opened, numbers.window_days);
            let window: Vec<&(&Trip, Decimal)> =
                near.iter().take(at + 1).filter(|(trip, _)| trip.digest.opened >= since).collect();
            let ours = window.iter().any(|(trip, _)| trip.in_case);
            (ours && window.len() >= numbers.trips).then_some(window)
        });
        let Some(window) = windows.max_by_key(Vec::len) else { return };
        let sums: Vec<Amount> =
            window.iter().map(|(_, sum)| amount(threshold.currency, *sum)).collect();
        let total = window.iter().fold(Decimal::ZERO, |all, (_, sum)| all + *sum);
        let total = amount(threshold.currency, total);
        let amounts: Vec<String> = sums.iter().map(ToString::to_string).collect();
        let first = window.first().map(|(trip, _)| trip.digest.as_ref());
        let found = Findings {
            values: vec![
                ("trips", window.len().to_string()),
                ("days", numbers.window_days.to_string()),
                ("amounts", joined(&amounts, "none")),
                ("total", total.to_string()),
            ],
            seen: vec![
                seen("trips.count", window.len(), format!("at least {}", numbers.trips)),
                seen(
                    "trips.amounts",
                    amounts.join(", "),
                    format!("from {} of, and not {}", numbers.band_from, threshold.in_words()),
                ),
                seen("trips.days", numbers.window_days, "within"),
                seen("patterns.version", &self.pack.patterns.version, ""),
            ],
            records: case_records(&window.iter().map(|(trip, _)| *trip).collect::<Vec<_>>()),
            amount: Some(total),
            group: window.iter().map(|(trip, _)| name_of(&trip.digest)).collect(),
            apart: first.map(anchor).unwrap_or_default(),
            ..Findings::default()
        };
        self.raise(appraisal, "structuring-temporal", None, found, alerts);
    }

    fn repeat_courier(&self, appraisal: &Appraisal<'_>, trips: &[Trip], alerts: &mut Vec<Alert>) {
        let numbers = &self.pack.patterns.repeat_courier;
        let Some(threshold) = appraisal.limit().map(|judged| judged.threshold) else { return };
        let large: Vec<(&Trip, Decimal)> = trips
            .iter()
            .filter(|trip| !trip.digest.cash_in_transit)
            .filter_map(|trip| {
                let sum = self.sum_of(&trip.digest.declared_sums()?, &trip.digest, threshold)?;
                threshold.met_by(sum).then_some((trip, sum))
            })
            .collect();
        let mut best: Option<Vec<(&Trip, Decimal)>> = None;
        for (at, (last, _)) in large.iter().enumerate() {
            let since = days_before(last.digest.opened, numbers.window_days);
            let window: Vec<(&Trip, Decimal)> = large
                .iter()
                .take(at + 1)
                .filter(|(trip, _)| trip.digest.opened >= since)
                .copied()
                .collect();
            let ours = window.iter().any(|(trip, _)| trip.in_case);
            if ours && window.len() >= best.as_ref().map_or(numbers.trips, Vec::len) {
                best = Some(window);
            }
        }
        let Some(window) = best else { return };
        let mut owners: Vec<Key> =
            window.iter().flat_map(|(trip, _)| trip.digest.owners.iter().copied()).collect();
        owners.sort_unstable();
        owners.dedup();
        let total = window.iter().fold(Decimal::ZERO, |all, (_, sum)| all + *sum);
        let limit = threshold.amount.unwrap_or_default();
        let large_total =
            limit.checked_mul(numbers.total_factor).is_some_and(|bound| total >= bound);
        if owners.len() < numbers.owners && !large_total {
            return;
        }
        let whose = match owners.len() {
            0 => "the carrier".to_owned(),
            1 => "one owner".to_owned(),
            several => format!("{several} different owners"),
        };
        let total = amount(threshold.currency, total);
        let found = Findings {
            values: vec![
                ("trips", window.len().to_string()),
                ("days", numbers.window_days.to_string()),
                ("total", total.to_string()),
                ("owners", whose.clone()),
            ],
            seen: vec![
                seen("trips.count", window.len(), format!("at least {}", numbers.trips)),
                seen("trips.total", total, threshold.in_words()),
                seen("trips.owners", whose, format!("at least {}", numbers.owners)),
                seen("patterns.version", &self.pack.patterns.version, ""),
            ],
            records: case_records(&window.iter().map(|(trip, _)| *trip).collect::<Vec<_>>()),
            amount: Some(total),
            group: window.iter().map(|(trip, _)| name_of(&trip.digest)).collect(),
            apart: window.first().map(|(trip, _)| anchor(&trip.digest)).unwrap_or_default(),
            ..Findings::default()
        };
        self.raise(appraisal, "repeat-courier", None, found, alerts);
    }

    /// More leaves than was declared on the last entry.
    fn exit_exceeds_entry(
        &self,
        appraisal: &Appraisal<'_>,
        trips: &[Trip],
        alerts: &mut Vec<Alert>,
    ) {
        let opened = appraisal.crossing.opened_at();
        let since = days_before(opened, self.pack.patterns.exit_over_entry.window_days);
        let entry = trips
            .iter()
            .map(|trip| trip.digest.as_ref())
            .filter(|digest| digest.direction == Some(Direction::Entry))
            .rfind(|digest| digest.opened >= since && digest.opened <= opened);
        let Some(entry) = entry else { return };
        for judged in appraisal.of_purpose(Purpose::WithinEntry).filter(|judged| judged.met) {
            let threshold = judged.threshold;
            let declared = entry.declared_sums().unwrap_or_default();
            let Some(entered) = self.sum_of(&declared, entry, threshold) else { continue };
            if judged.total.amount <= entered {
                continue;
            }
            let carried = amount(threshold.currency, judged.total.amount);
            let entered = amount(threshold.currency, entered);
            let day = day_of(entry.opened);
            let found = Findings {
                values: vec![
                    ("carried", carried.to_string()),
                    ("entry", entered.to_string()),
                    ("day", day.to_string()),
                ],
                seen: vec![
                    seen("cash.total", carried, threshold.in_words()),
                    seen("history.entry_declared", entered, "at least the total"),
                ],
                records: appraisal.money_records.clone(),
                legal_basis: Some(threshold.legal_basis()),
                amount: Some(amount(threshold.currency, carried.amount - entered.amount)),
                ..Findings::default()
            };
            self.raise(appraisal, "exit-exceeds-entry", None, found, alerts);
        }
    }
}

/// Trips in the order of time, each once.
pub(super) fn in_time(mut trips: Vec<Trip>) -> Vec<Trip> {
    trips.sort_by(|a, b| order(&a.digest).cmp(&order(&b.digest)));
    trips.dedup_by(|a, b| order(&a.digest) == order(&b.digest));
    trips
}

/// The order of crossings in time.
pub(super) fn order(digest: &Digest) -> (Timestamp, &str, &str) {
    (digest.opened, digest.station.as_str(), &digest.inspection)
}

/// Station and id of a crossing's inspection.
pub(super) fn name_of(digest: &Digest) -> (String, String) {
    (digest.station.to_string(), digest.inspection.to_string())
}

/// What a pattern is known by: its first crossing.
pub(super) fn anchor(digest: &Digest) -> String {
    format!("{} {}", digest.station, digest.inspection)
}

/// The records of those trips that are in the case.
pub(super) fn case_records(trips: &[&Trip]) -> Vec<u64> {
    trips
        .iter()
        .filter(|trip| trip.in_case)
        .flat_map(|trip| trip.digest.records.iter().copied())
        .collect()
}

/// An instant so many days before another.
pub(super) fn days_before(at: Timestamp, days: i64) -> Timestamp {
    at.checked_sub((days * 24).hours()).unwrap_or(at)
}
