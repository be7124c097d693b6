//! Findings of the lists: who of a crossing is asked about, and what a hit means here.
//!
//! Owns the interface to whatever screens ([`Screener`]) and the alerts made of its hits. How a
//! name is compared is [`crate::screening`].

use std::collections::BTreeMap;

use tidewaiter_proto::alert::{Alert, ListHit, Outcome};
use tidewaiter_proto::document::{Document, Person};
use tidewaiter_proto::movement::Movement;
use tidewaiter_proto::party::{Address, Organisation, Party};

use super::Engine;
use super::appraisal::Appraisal;
use super::oversight::decided_at;
use super::raise::{Findings, seen};
use crate::lists::{BirthDate, EntryAddress, EntryKind, Identifier, country};
use crate::policy::day_of;
pub use crate::screening::{Asked, AskedKind, Hit as Listed, Verdict};

/// The lists an engine knows.
pub trait Screener {
    /// Versions of the lists, by name.
    fn versions(&self) -> BTreeMap<String, String>;

    /// Every entry that may be who is asked about, the likeliest first.
    fn screen(&self, asked: &Asked) -> Vec<Listed>;
}

/// No lists at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLists;

impl Screener for NoLists {
    fn versions(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    fn screen(&self, _: &Asked) -> Vec<Listed> {
        Vec::new()
    }
}

/// Alerts about one party name at most so many entries of one verdict; more would hide the first.
const MOST_HITS: usize = 12;

/// Somebody of the crossing, and where the records say so.
struct Subject {
    /// What the sentence calls it: `The recipient`.
    part: &'static str,
    name: String,
    records: Vec<u64>,
    asked: Asked,
}

impl Engine {
    /// Asks the lists about everyone and everything of the crossing.
    pub(super) fn list_findings(&self, appraisal: &Appraisal<'_>, alerts: &mut Vec<Alert>) {
        for mut subject in self.subjects_of(appraisal) {
            subject.asked.on = Some(day_of(appraisal.now));
            let mut told = [0_usize; 3];
            let hits = self.screener.screen(&subject.asked);
            self.address_findings(appraisal, &subject, &hits, alerts);
            for hit in hits {
                let verdict = hit.verdict;
                let count = match verdict {
                    Verdict::Agrees => &mut told[0],
                    Verdict::Possible => &mut told[1],
                    Verdict::Contradicted => &mut told[2],
                };
                *count += 1;
                if *count <= MOST_HITS {
                    self.list_finding(appraisal, &subject, hit, alerts);
                }
            }
        }
    }

    /// Listed parties at the address of a party who is not one of them.
    fn address_findings(
        &self,
        appraisal: &Appraisal<'_>,
        subject: &Subject,
        by_name: &[Listed],
        alerts: &mut Vec<Alert>,
    ) {
        for address in &subject.asked.addresses {
            let written = Address {
                lines: address.lines.clone(),
                country: address.country.clone().unwrap_or_default(),
            };
            if self.pack.premises.is_common(&written) {
                continue;
            }
            let asked = Asked {
                kind: Some(AskedKind::Address),
                addresses: vec![address.clone()],
                on: subject.asked.on,
                ..Asked::default()
            };
            let known = |hit: &Listed| {
                by_name.iter().any(|own| own.list == hit.list && own.entry == hit.entry)
            };
            let there = self.screener.screen(&asked).into_iter().filter(|hit| !known(hit));
            for hit in there.take(MOST_HITS) {
                let found = Findings {
                    values: vec![
                        ("who", format!("{} {}", subject.part.to_lowercase(), subject.name)),
                        ("entry", format!("{} (entry {})", hit.name, hit.entry)),
                        ("list", hit.list.clone()),
                    ],
                    seen: vec![seen("party.address", address.lines.join(", "), "is listed")],
                    records: subject.records.clone(),
                    apart: format!("{}\u{1f}{}\u{1f}address", subject.part, subject.name),
                    hits: vec![list_hit(hit)],
                    ..Findings::default()
                };
                self.raise(appraisal, "shared-address-listed", None, found, alerts);
            }
        }
    }

    fn list_finding(
        &self,
        appraisal: &Appraisal<'_>,
        subject: &Subject,
        hit: Listed,
        alerts: &mut Vec<Alert>,
    ) {
        let finding = match hit.verdict {
            Verdict::Agrees => "list-match",
            Verdict::Possible => "list-match-possible",
            Verdict::Contradicted => "list-match-contradicted",
        };
        let programme =
            if hit.programme.is_empty() { String::new() } else { format!(" ({})", hit.programme) };
        self.retro_finding(appraisal, subject, &hit, alerts);
        let mut seen_values = vec![seen(
            "screening.score",
            format!("{:.2}", hit.score),
            format!("evidence {:.2}", hit.evidence),
        )];
        seen_values.extend(hit.explanation.iter().map(|line| seen("screening", line, "")));
        let found = Findings {
            values: vec![
                ("who", format!("{} {}", subject.part, subject.name)),
                ("entry", format!("{} (entry {})", hit.name, hit.entry)),
                ("list", hit.list.clone()),
                ("programme", programme),
            ],
            seen: seen_values,
            records: subject.records.clone(),
            legal_basis: (!hit.programme.is_empty())
                .then(|| format!("List {}: {}", hit.list, hit.programme)),
            outcomes: self.outcomes_of(appraisal, &hit),
            apart: format!("{}\u{1f}{}\u{1f}{finding}", subject.part, subject.name),
            hits: vec![list_hit(hit)],
            ..Findings::default()
        };
        self.raise(appraisal, finding, None, found, alerts);
    }

    /// A listing of a later day than the crossing: nobody could know it then.
    fn retro_finding(
        &self,
        appraisal: &Appraisal<'_>,
        subject: &Subject,
        hit: &Listed,
        alerts: &mut Vec<Alert>,
    ) {
        let decided = day_of(decided_at(appraisal));
        let Some(listed_on) = hit.listed_on.filter(|listed_on| *listed_on > decided) else {
            return;
        };
        if hit.verdict != Verdict::Agrees {
            return;
        }
        let found = Findings {
            values: vec![
                ("who", format!("{} {}", subject.part, subject.name)),
                ("day", decided.to_string()),
                ("entry", format!("{} (entry {})", hit.name, hit.entry)),
                ("list", hit.list.clone()),
            ],
            seen: vec![seen("list.listed_on", listed_on, format!("not after {decided}"))],
            records: subject.records.clone(),
            apart: format!("{}\u{1f}{}", subject.part, subject.name),
            hits: vec![list_hit(hit.clone())],
            ..Findings::default()
        };
        self.raise(appraisal, "retro-match", None, found, alerts);
    }

    /// What a hit recommends: a freeze where the list is in force, and the committee told of it on
    /// a movement from or to a state whose sanctions ask for that.
    fn outcomes_of(&self, appraisal: &Appraisal<'_>, hit: &Listed) -> Vec<Outcome> {
        let in_force = self.pack.patterns.lists.freezes(&hit.list, &appraisal.regimes);
        if hit.verdict != Verdict::Agrees || !in_force {
            return Vec::new();
        }
        let mut outcomes = vec![Outcome::Freeze];
        if hit.kind == EntryKind::Vessel {
            outcomes.push(Outcome::DenyPort);
        }
        outcomes.extend(appraisal.route.risks.iter().flat_map(|risk| risk.on_seizure.clone()));
        outcomes
    }

    /// Everyone and everything that can be on a list.
    fn subjects_of(&self, appraisal: &Appraisal<'_>) -> Vec<Subject> {
        let crossing = appraisal.crossing;
        let mut subjects: Vec<Subject> = Vec::new();
        for (record, document) in crossing.documents() {
            add(&mut subjects, "The traveller", record, of_document(document));
        }
        if subjects.is_empty() {
            for (record, pass) in crossing.boarding_passes() {
                let asked = Asked::person(&pass.passenger);
                add(&mut subjects, "The passenger", record.seq, asked);
            }
        }
        for (record, declaration) in crossing.declarations() {
            let sides = [
                ("The owner", declaration.owner.party()),
                ("The recipient", declaration.recipient.party()),
                ("The sender", declaration.sender.as_ref()),
            ];
            for (part, party) in sides {
                if let Some(party) = party {
                    add(&mut subjects, part, record.seq, of_party(party));
                }
            }
        }
        for (record, movement) in crossing.movements() {
            self.add_movement(movement, record, &mut subjects);
        }
        for (record, leg) in crossing.legs() {
            add(&mut subjects, "The carrier", record, self.of_carrier(&leg.carrier));
        }
        subjects
    }

    fn add_movement(&self, movement: &Movement, record: u64, subjects: &mut Vec<Subject>) {
        if let Some(carrier) = &movement.carrier {
            add(subjects, "The carrier", record, self.of_carrier(carrier));
        } else if let Some(designator) = movement.designator() {
            // A flight whose carrier nobody wrote down says it in its number.
            let code: String = designator.chars().take(2).collect();
            if self.pack.carriers.find(&code).is_some() {
                add(subjects, "The carrier", record, self.of_carrier(&code));
            }
        }
        if let Some(tail) = &movement.tail {
            let mut asked = Asked::named(AskedKind::Aircraft, tail);
            asked.identifiers.push(identifier("tail", tail));
            add(subjects, "The aircraft", record, asked);
        }
        if let Some(vessel) = &movement.vessel {
            let mut asked = Asked::named(AskedKind::Vessel, &vessel.name);
            asked.identifiers.extend(vessel.imo.iter().map(|imo| identifier("imo", imo)));
            asked.nationalities.extend(vessel.flag.iter().filter_map(|flag| state(flag)));
            add(subjects, "The vessel", record, asked);
        }
    }

    /// A carrier by its designators and by its name, where the pack knows it.
    fn of_carrier(&self, carrier: &str) -> Asked {
        let Some(known) = self.pack.carriers.find(carrier) else {
            let mut asked = Asked::named(AskedKind::Organisation, carrier);
            // A designator is no name: "KOR" would fit too much.
            if carrier.trim().len() <= 3 {
                asked.names.clear();
                asked.identifiers.push(identifier("iata", carrier));
            }
            return asked;
        };
        let mut asked = Asked::named(AskedKind::Organisation, &known.name);
        asked.identifiers.extend(known.iata.iter().map(|code| identifier("iata", code)));
        asked.identifiers.extend(known.icao.iter().map(|code| identifier("icao", code)));
        asked
    }
}

fn list_hit(hit: Listed) -> ListHit {
    ListHit {
        list: hit.list,
        entry: hit.entry,
        name: hit.name,
        score: hit.score,
        evidence: hit.evidence,
        explanation: hit.explanation,
        programme: Some(hit.programme).filter(|programme| !programme.is_empty()),
    }
}

fn add(subjects: &mut Vec<Subject>, part: &'static str, record: u64, asked: Asked) {
    let called = asked.names.first().or_else(|| asked.identifiers.first().map(|id| &id.value));
    let Some(name) = called.cloned() else { return };
    if name.trim().is_empty() {
        return;
    }
    if let Some(known) = subjects.iter_mut().find(|s| s.part == part && s.name == name) {
        known.records.push(record);
        return;
    }
    subjects.push(Subject { part, name, records: vec![record], asked });
}

fn identifier(kind: &str, value: &str) -> Identifier {
    Identifier { kind: kind.to_owned(), value: value.to_owned(), country: None }
}

fn state(code: &str) -> Option<String> {
    country::code_or_text(code)
}

fn of_document(document: &Document) -> Asked {
    let mut asked = Asked::person(&document.full_name());
    asked.birth = document.date_of_birth.map(BirthDate::day);
    asked.nationalities.extend(document.nationality.as_deref().and_then(state));
    asked.add_document(&document.number, Some(&document.issuing_state));
    asked
}

fn of_person(person: &Person) -> Asked {
    let mut asked = Asked::person(&person.full_name());
    asked.birth = person.date_of_birth.map(BirthDate::day);
    asked.nationalities.extend(person.nationality.as_deref().and_then(state));
    if let Some(document) = &person.document {
        asked.add_document(&document.number, Some(&document.issuing_state));
    }
    asked
}

fn of_organisation(organisation: &Organisation) -> Asked {
    let mut asked = Asked::named(AskedKind::Organisation, &organisation.name);
    asked.nationalities.extend(organisation.registration_country.as_deref().and_then(state));
    asked
        .identifiers
        .extend(organisation.registration_number.iter().map(|n| identifier("registration", n)));
    asked.identifiers.extend(organisation.email.iter().map(|mail| identifier("email", mail)));
    asked
}

fn of_party(party: &Party) -> Asked {
    let mut asked = match party {
        Party::Person { person, .. } => of_person(person),
        Party::Organisation(organisation) => of_organisation(organisation),
    };
    asked.identifiers.extend(party.phone().map(|phone| identifier("phone", phone)));
    asked.addresses.extend(party.address().map(|address| EntryAddress {
        lines: address.lines.clone(),
        country: state(&address.country),
    }));
    asked
}
