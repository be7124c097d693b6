//! One declaration for two crossings.

use tidewaiter_proto::alert::Alert;

use super::appraisal::Appraisal;
use super::raise::{Findings, seen};
use super::trips::{Trip, case_records, days_before, in_time, order};
use super::{Case, Engine};
use crate::history::{Digest, Key};
use crate::policy::day_of;

/// How far back a number is looked for: numbers of declarations start again with the year.
const NUMBERS_REPEAT_AFTER_DAYS: i64 = 365;

impl Engine {
    /// A declaration that was presented before, by anybody, on the same way across the border.
    pub(super) fn declaration_reused(
        &self,
        case: &Case<'_>,
        appraisal: &Appraisal<'_>,
        all: &[Appraisal<'_>],
        alerts: &mut Vec<Alert>,
    ) {
        let own = &appraisal.digest;
        let since = days_before(own.opened, NUMBERS_REPEAT_AFTER_DAYS);
        for (key, reference) in &own.references {
            let other = |other: &&Appraisal<'_>| {
                !std::ptr::eq(*other, appraisal)
                    && other.digest.references.iter().any(|(k, _)| k == key)
            };
            let mut earlier: Vec<Trip> = all.iter().filter(other).map(Trip::in_case).collect();
            let within = (since, own.opened);
            Trip::of_history(case, all, *key, within, &mut earlier, |_| true);
            earlier.retain(|trip| self.is_reuse(case, own, &trip.digest));
            let earlier = in_time(earlier);
            let Some(first) = earlier.first() else { continue };
            let before = format!("at {} on {}", first.digest.station, day_of(first.digest.opened));
            let trips: Vec<&Trip> = earlier.iter().collect();
            let mut records = appraisal.money_records.clone();
            records.extend(case_records(&trips));
            let found = Findings {
                values: vec![("reference", reference.to_string()), ("earlier", before.clone())],
                seen: vec![seen("declaration.reference", reference, "presented once")],
                records,
                apart: reference.to_string(),
                ..Findings::default()
            };
            self.raise(appraisal, "declaration-reused", None, found, alerts);
        }
    }

    /// The later one reuses the number. Not so within a group, which may declare on one form, nor
    /// the other way across the border, where the earlier declaration is evidence; nor in another
    /// country outside the union whose law holds, whose numbers are its own.
    fn is_reuse(&self, case: &Case<'_>, own: &Digest, other: &Digest) -> bool {
        let shares = |a: &[Key], b: &[Key]| a.iter().any(|key| b.contains(key));
        let (here, there) = (own.station.country(), other.station.country());
        let day = day_of(own.opened);
        let inside = |country: &str| self.pack.belongs(country, case.jurisdiction, day);
        order(other) < order(own)
            && other.direction == own.direction
            && (here == there || (inside(&here) && inside(&there)))
            && !shares(&own.groups, &other.groups)
    }
}
