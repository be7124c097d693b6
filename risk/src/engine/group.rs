//! Several people and one sum: groups whose cash the law adds up, and sums split among people.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::ToSpan as _;
use rust_decimal::Decimal;
use tidewaiter_proto::alert::Alert;
use tidewaiter_proto::body::GroupKind;

use super::appraisal::{Appraisal, age_on};
use super::raise::{Findings, amount, seen};
use super::trips::{Trip, case_records, in_time, name_of};
use super::{Case, Engine};
use crate::history::{Digest, Key, KeyKind, booking_key};
use crate::policy::day_of;
use crate::policy::thresholds::{Purpose, Threshold, Together};

/// A guardian crosses within so many hours of the minors.
const GUARDIAN_WITHIN_HOURS: i64 = 72;

/// What several people have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tie {
    Family,
    Booking,
    Tour,
    Owner,
    Address,
    Phone,
}

/// One sum split among people, and all that ties them together.
struct Split {
    names: BTreeSet<(String, String)>,
    near: Vec<(Trip, Decimal)>,
    ties: Vec<Tie>,
}

impl Tie {
    fn in_words(self) -> &'static str {
        match self {
            Self::Family => "one family",
            Self::Booking => "one booking",
            Self::Tour => "one tour",
            Self::Owner => "one declared owner",
            Self::Address => "one address",
            Self::Phone => "one telephone",
        }
    }

    fn together(self) -> Option<Together> {
        match self {
            Self::Family => Some(Together::Family),
            Self::Booking => Some(Together::Booking),
            Self::Tour => Some(Together::Tour),
            Self::Owner => Some(Together::Owner),
            Self::Address | Self::Phone => None,
        }
    }

    fn of_group(kind: GroupKind) -> Self {
        match kind {
            GroupKind::Family => Self::Family,
            GroupKind::Booking => Self::Booking,
            GroupKind::Tour => Self::Tour,
        }
    }
}

impl Engine {
    pub(super) fn groups(
        &self,
        case: &Case<'_>,
        appraisals: &[Appraisal<'_>],
        alerts: &mut Vec<Alert>,
    ) {
        let mut split: Vec<(Tie, Vec<(Trip, Decimal)>)> = Vec::new();
        for ((tie, key), latest) in self.ties(appraisals) {
            let members = self.members(case, appraisals, key, latest);
            if members.len() < 2 {
                continue;
            }
            self.group_threshold(latest, tie, &members, alerts);
            split.extend(self.split_sum(latest, tie, &members).map(|near| (tie, near)));
        }
        self.structuring_group(appraisals, split, alerts);
    }

    /// Everything that may tie people together, each with the latest crossing that has it.
    fn ties<'a>(&self, own: &'a [Appraisal<'a>]) -> BTreeMap<(Tie, Key), &'a Appraisal<'a>> {
        let mut ties = BTreeMap::new();
        // Crossings come in the order they were opened: the last one stays.
        for appraisal in own {
            let digest = &appraisal.digest;
            let crossing = appraisal.crossing;
            for group in crossing.openings().filter_map(|(_, opening)| opening.group.as_ref()) {
                let key = Key::new(KeyKind::Group, &[&group.id]);
                ties.insert((Tie::of_group(group.kind), key), appraisal);
            }
            for key in crossing.legs().filter_map(|(_, leg)| booking_key(leg)) {
                ties.insert((Tie::Booking, key), appraisal);
            }
            for key in &digest.owners {
                ties.insert((Tie::Owner, *key), appraisal);
            }
            for (address, key) in super::premises::addresses(crossing) {
                if !self.pack.premises.is_common(address) {
                    ties.insert((Tie::Address, key), appraisal);
                }
            }
            for key in &digest.phones {
                ties.insert((Tie::Phone, *key), appraisal);
            }
        }
        ties
    }

    /// The crossings that share `key` and are near the latest one, in the order they were opened.
    fn members(
        &self,
        case: &Case<'_>,
        own: &[Appraisal<'_>],
        key: Key,
        latest: &Appraisal<'_>,
    ) -> Vec<Trip> {
        let hours = self.pack.patterns.structuring.group_window_hours;
        let opened = latest.crossing.opened_at();
        let since = opened.checked_sub(hours.hours()).unwrap_or(opened);
        let until = opened.checked_add(hours.hours()).unwrap_or(opened);
        let has = |digest: &Digest| {
            [&digest.groups, &digest.owners, &digest.addresses, &digest.phones]
                .iter()
                .any(|keys| keys.contains(&key))
        };
        let direction = latest.crossing.direction();
        let near = |digest: &Digest| {
            digest.opened >= since
                && digest.opened <= until
                && digest.direction == direction
                && has(digest)
        };
        let own_near = own.iter().filter(|own| near(&own.digest));
        let mut members: Vec<Trip> = own_near.map(Trip::in_case).collect();
        Trip::of_history(case, own, key, (since, until), &mut members, |digest| {
            digest.direction == direction
        });
        one_each(in_time(members))
    }

    /// The law adds up what a group carries: a reminder, not a crime.
    fn group_threshold(
        &self,
        latest: &Appraisal<'_>,
        tie: Tie,
        members: &[Trip],
        alerts: &mut Vec<Alert>,
    ) {
        for judged in latest.of_purpose(Purpose::Declare) {
            let threshold = judged.threshold;
            let by_kind = tie.together().is_some_and(|tie| threshold.together.contains(&tie));
            let added: Vec<&Trip> = if by_kind {
                members.iter().collect()
            } else if threshold.together.contains(&Together::Guardian) {
                wards(members, threshold)
            } else {
                continue;
            };
            let carrying: Vec<(&Trip, Decimal)> = added
                .into_iter()
                .filter_map(|trip| Some((trip, self.trip_total(&trip.digest, threshold)?)))
                .filter(|(_, sum)| *sum > Decimal::ZERO)
                .collect();
            let sum = carrying.iter().fold(Decimal::ZERO, |all, (_, sum)| all + *sum);
            // A group has two who carry; a minor's cash alone is the guardian's already.
            let minors = carrying.iter().any(|(trip, _)| !trip.digest.guardian);
            let enough = if by_kind { carrying.len() > 1 } else { minors };
            if !enough || !threshold.met_by(sum) {
                continue;
            }
            // One form that covers everybody's cash has done what the law asks.
            let covered = |trip: &Trip| {
                self.declared_total(&trip.digest, threshold).is_some_and(|said| said >= sum)
            };
            if members.iter().any(covered) {
                continue;
            }
            let together = if by_kind { tie.in_words() } else { "a guardian and minors" };
            let total = amount(threshold.currency, sum);
            let trips: Vec<&Trip> = carrying.iter().map(|(trip, _)| *trip).collect();
            let found = Findings {
                values: vec![
                    ("members", trips.len().to_string()),
                    ("together", together.to_owned()),
                    ("total", total.to_string()),
                    ("limit", threshold.in_words()),
                ],
                seen: vec![
                    seen("group.total", total, threshold.in_words()),
                    seen("group.members", trips.len(), together),
                ],
                records: case_records(&trips),
                legal_basis: Some(threshold.legal_basis()),
                amount: Some(total),
                group: trips.iter().map(|trip| name_of(&trip.digest)).collect(),
                ..Findings::default()
            };
            self.raise(latest, "group-threshold", None, found, alerts);
        }
    }

    /// The members whose sums are just under the limit, where they are enough and exceed it together.
    fn split_sum(
        &self,
        latest: &Appraisal<'_>,
        tie: Tie,
        members: &[Trip],
    ) -> Option<Vec<(Trip, Decimal)>> {
        let numbers = &self.pack.patterns.structuring;
        let wanted = match tie {
            // Strangers on one tour have nothing to do with each other's purses.
            Tie::Tour => return None,
            Tie::Owner => numbers.owner_members,
            Tie::Family | Tie::Booking | Tie::Address | Tie::Phone => numbers.group_members,
        };
        let threshold = latest.limit()?.threshold;
        let near: Vec<(Trip, Decimal)> = members
            .iter()
            .filter_map(|trip| Some((trip.clone(), self.trip_total(&trip.digest, threshold)?)))
            .filter(|(_, sum)| self.in_band(*sum, threshold))
            .collect();
        let sum = near.iter().fold(Decimal::ZERO, |all, (_, sum)| all + *sum);
        (near.len() >= wanted && threshold.met_by(sum)).then_some(near)
    }

    /// One alert for one set of people, however many things they have in common.
    fn structuring_group(
        &self,
        appraisals: &[Appraisal<'_>],
        mut split: Vec<(Tie, Vec<(Trip, Decimal)>)>,
        alerts: &mut Vec<Alert>,
    ) {
        let names = |near: &[(Trip, Decimal)]| -> BTreeSet<(String, String)> {
            near.iter().map(|(trip, _)| name_of(&trip.digest)).collect()
        };
        split.sort_by(|a, b| (b.1.len(), a.0).cmp(&(a.1.len(), b.0)));
        let mut raised: Vec<Split> = Vec::new();
        for (tie, near) in split {
            let own = names(&near);
            match raised.iter_mut().find(|split| own.is_subset(&split.names)) {
                Some(split) => split.ties.push(tie),
                None => raised.push(Split { names: own, near, ties: vec![tie] }),
            }
        }
        for Split { near, mut ties, .. } in raised {
            ties.sort_unstable();
            ties.dedup();
            let in_it = |appraisal: &&Appraisal<'_>| {
                near.iter()
                    .any(|(trip, _)| appraisal.is(&trip.digest.station, &trip.digest.inspection))
            };
            let Some(latest) = appraisals.iter().rev().find(in_it) else { continue };
            let Some(threshold) = latest.limit().map(|judged| judged.threshold) else { continue };
            let sum = near.iter().fold(Decimal::ZERO, |all, (_, sum)| all + *sum);
            let total = amount(threshold.currency, sum);
            let words: Vec<String> = ties.iter().map(|tie| tie.in_words().to_owned()).collect();
            let shared = crate::crossing::holdings::joined(&words, "nothing");
            let trips: Vec<&Trip> = near.iter().map(|(trip, _)| trip).collect();
            let found = Findings {
                values: vec![
                    ("members", trips.len().to_string()),
                    ("shared", shared.clone()),
                    ("total", total.to_string()),
                ],
                seen: vec![
                    seen("group.total", total, threshold.in_words()),
                    seen("group.members", trips.len(), "each just under the limit"),
                    seen("group.shared", shared, "something in common"),
                    seen("patterns.version", &self.pack.patterns.version, ""),
                ],
                records: case_records(&trips),
                amount: Some(total),
                group: trips.iter().map(|trip| name_of(&trip.digest)).collect(),
                ..Findings::default()
            };
            self.raise(latest, "structuring-group", None, found, alerts);
        }
    }
}

/// Finds the guardians of each crossing's group, in the case or else in history.
pub(super) fn find_guardians(case: &Case<'_>, appraisals: &mut [Appraisal<'_>]) {
    let in_case: Vec<Arc<Digest>> = appraisals
        .iter()
        .filter(|appraisal| appraisal.digest.guardian)
        .map(|appraisal| Arc::clone(&appraisal.digest))
        .collect();
    for appraisal in appraisals {
        let digest = &appraisal.digest;
        let of_group =
            |other: &&Arc<Digest>| other.groups.iter().any(|group| digest.groups.contains(group));
        let mut found: Vec<Arc<Digest>> = in_case.iter().filter(of_group).cloned().collect();
        let in_group = appraisal.crossing.openings().any(|(_, opening)| opening.group.is_some());
        if in_group && found.is_empty() {
            let near = GUARDIAN_WITHIN_HOURS.hours();
            let since = digest.opened.checked_sub(near).unwrap_or(digest.opened);
            let until = digest.opened.checked_add(near).unwrap_or(digest.opened);
            for key in &digest.groups {
                case.history.visit(*key, since, until, &mut |other| {
                    if other.guardian {
                        found.push(Arc::new(other));
                    }
                });
            }
        }
        appraisal.guardians = found;
    }
}

/// A guardian and the minors of the group under a law; nobody without a guardian.
fn wards<'t>(members: &'t [Trip], threshold: &Threshold) -> Vec<&'t Trip> {
    let is_minor = |digest: &Digest| {
        threshold
            .adult_from
            .zip(digest.born)
            .is_some_and(|(adult, born)| age_on(born, day_of(digest.opened)) < adult)
    };
    let of_group = |trip: &&Trip| trip.digest.guardian || is_minor(&trip.digest);
    if members.iter().any(|trip| trip.digest.guardian) {
        members.iter().filter(of_group).collect()
    } else {
        Vec::new()
    }
}

/// Each person once, by the latest crossing: two trips of one person are no group.
fn one_each(trips: Vec<Trip>) -> Vec<Trip> {
    let mut known: BTreeSet<Key> = BTreeSet::new();
    let mut kept: Vec<Trip> = Vec::new();
    for trip in trips.into_iter().rev() {
        let repeated = trip.digest.persons.iter().any(|key| known.contains(key));
        known.extend(trip.digest.persons.iter().copied());
        if !repeated {
            kept.push(trip);
        }
    }
    kept.reverse();
    kept
}
