//! Addresses, telephones and names of parties that speak for themselves.

use std::collections::BTreeMap;

use tidewaiter_proto::alert::Alert;
use tidewaiter_proto::party::{Address, Party};

use super::appraisal::Appraisal;
use super::raise::{Findings, seen};
use super::trips::{Trip, case_records, days_before, in_time, name_of};
use super::{Case, Engine};
use crate::crossing::Crossing;
use crate::history::{Digest, Key};

/// Every party of the declarations: record, part, party.
fn parties<'c>(crossing: &'c Crossing<'_>) -> impl Iterator<Item = (u64, &'static str, &'c Party)> {
    crossing.declarations().flat_map(|(record, declaration)| {
        let sides = [
            ("owner", declaration.owner.party()),
            ("recipient", declaration.recipient.party()),
            ("sender", declaration.sender.as_ref()),
        ];
        sides.into_iter().filter_map(move |(part, party)| Some((record.seq, part, party?)))
    })
}

/// Every address of the parties, with its key.
pub(super) fn addresses<'c>(
    crossing: &'c Crossing<'_>,
) -> impl Iterator<Item = (&'c Address, Key)> {
    parties(crossing)
        .filter_map(|(_, _, party)| party.address())
        .filter_map(|address| Some((address, Key::of_address(address)?)))
}

impl Engine {
    pub(super) fn premises_findings(
        &self,
        case: &Case<'_>,
        appraisals: &[Appraisal<'_>],
        alerts: &mut Vec<Alert>,
    ) {
        for appraisal in appraisals {
            for (record, part, party) in parties(appraisal.crossing) {
                let name = party.name();
                let (within, first) = (format!("the {part} {name}"), format!("The {part} {name}"));
                self.watched(appraisal, record, &within, party, alerts);
                self.family(appraisal, record, &first, party, alerts);
            }
            self.couriers(case, appraisal, appraisals, alerts);
        }
    }

    fn watched(
        &self,
        appraisal: &Appraisal<'_>,
        record: u64,
        who: &str,
        party: &Party,
        alerts: &mut Vec<Alert>,
    ) {
        let premises = &self.pack.premises;
        let by_address = party.address().and_then(|address| {
            let watched = premises.watched(address)?;
            let title = format!("{}{}", watched.title, watched.certainty.caveat());
            Some(("The address", address.lines.join(", "), title))
        });
        let by_phone = party.phone().and_then(|phone| {
            Some(("The telephone", phone.to_owned(), premises.phone(phone)?.title.clone()))
        });
        for (what, value, title) in [by_address, by_phone].into_iter().flatten() {
            let found = Findings {
                values: vec![
                    ("what", what.to_owned()),
                    ("who", who.to_owned()),
                    ("title", title.clone()),
                ],
                seen: vec![seen("party.premises", value, title)],
                records: vec![record],
                ..Findings::default()
            };
            self.raise(appraisal, "shared-address-watched", None, found, alerts);
        }
    }

    fn family(
        &self,
        appraisal: &Appraisal<'_>,
        record: u64,
        who: &str,
        party: &Party,
        alerts: &mut Vec<Alert>,
    ) {
        let name = party.name();
        for family in &self.pack.families {
            let Some(word) = family.word_in(&name) else { continue };
            let found = Findings {
                values: vec![("who", who.to_owned()), ("title", family.title.clone())],
                seen: vec![seen("party.name", &name, format!("carries {word}"))],
                records: vec![record],
                apart: family.id.clone(),
                ..Findings::default()
            };
            self.raise(appraisal, "name-family", None, found, alerts);
        }
    }

    /// One address or telephone given by many couriers who have nothing else in common.
    fn couriers(
        &self,
        case: &Case<'_>,
        appraisal: &Appraisal<'_>,
        all: &[Appraisal<'_>],
        alerts: &mut Vec<Alert>,
    ) {
        let own = &appraisal.digest;
        let numbers = &self.pack.patterns.shared_address;
        let since = days_before(own.opened, numbers.window_days);
        let mut shared: BTreeMap<Key, &'static str> = addresses(appraisal.crossing)
            .filter(|(address, _)| !self.pack.premises.is_common(address))
            .map(|(_, key)| (key, "One address"))
            .collect();
        shared.extend(own.phones.iter().map(|key| (*key, "One telephone")));
        for (key, what) in shared {
            let apart = |digest: &Digest| {
                digest.name() == own.name()
                    || !digest.groups.iter().any(|group| own.groups.contains(group))
            };
            let wanted = |other: &&Appraisal<'_>| {
                let digest = &other.digest;
                let has = digest.addresses.contains(&key) || digest.phones.contains(&key);
                has && digest.opened >= since && digest.opened <= own.opened && apart(digest)
            };
            let mut trips: Vec<Trip> = all.iter().filter(wanted).map(Trip::in_case).collect();
            Trip::of_history(case, all, key, (since, own.opened), &mut trips, apart);
            let trips = in_time(trips);
            let couriers = people(&trips);
            if couriers < numbers.couriers {
                continue;
            }
            let found = Findings {
                values: vec![("what", what.to_owned()), ("couriers", couriers.to_string())],
                seen: vec![
                    seen("party.couriers", couriers, format!("at least {}", numbers.couriers)),
                    seen("patterns.version", &self.pack.patterns.version, ""),
                ],
                records: case_records(&trips.iter().collect::<Vec<_>>()),
                group: trips.iter().map(|trip| name_of(&trip.digest)).collect(),
                apart: format!("{:016x}", key.0),
                ..Findings::default()
            };
            self.raise(appraisal, "shared-address-couriers", None, found, alerts);
        }
    }
}

/// How many different people made these trips; one without a document is somebody else each time.
fn people(trips: &[Trip]) -> usize {
    let mut known: Vec<Key> = Vec::new();
    let mut count = 0;
    for trip in trips {
        let persons = &trip.digest.persons;
        if !persons.iter().any(|key| known.contains(key)) {
            count += 1;
        }
        known.extend(persons.iter().copied());
    }
    count
}
