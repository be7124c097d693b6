//! Crossings: all records about one traveller or consignment, whichever lanes they passed.
//!
//! Owns putting records in order, dropping repeats, applying amendments and joining linked
//! inspections. It judges nothing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tidewaiter_proto::body::{
    Amendment, BoardingPassRead, Body, CashCounted, DeclarationMade, Direction, ExemptionPresented,
    InspectionOpened, Leg, OfficerObserved, OutcomeRecorded, Role, ScanResult,
};
use tidewaiter_proto::document::{Document, DocumentKind};
use tidewaiter_proto::movement::{Mode, Movement};
use tidewaiter_proto::record::Record;
use tidewaiter_proto::station::StationId;

pub mod holdings;

/// Names an inspection: its station and its id there.
pub type InspectionKey<'a> = (&'a StationId, &'a str);

/// A record with the amendments applied to its body.
#[derive(Clone, Debug)]
pub struct Fact<'a> {
    /// The record as it was made.
    pub record: &'a Record,
    /// Its body as amended.
    pub body: Cow<'a, Body>,
}

/// One crossing.
#[derive(Clone, Debug)]
pub struct Crossing<'a> {
    /// Its inspections, the one opened first first.
    pub inspections: Vec<InspectionKey<'a>>,
    /// Its records, by inspection, then by number.
    pub facts: Vec<Fact<'a>>,
    /// Movements seen by the station that are this crossing's movement.
    pub seen: Vec<(u64, Movement)>,
}

/// Records of a case, put in order.
#[derive(Clone, Debug, Default)]
pub struct Assembled<'a> {
    /// The crossings, the one opened first first.
    pub crossings: Vec<Crossing<'a>>,
    /// Records that belong to no inspection.
    pub loose: Vec<Fact<'a>>,
}

/// A movement seen belongs to a crossing of the same site within this time.
const SAME_MOVEMENT_HOURS: i64 = 48;

/// Puts records in order: each once, amended, grouped into crossings.
pub fn assemble(records: &[Record]) -> Assembled<'_> {
    let facts = amended(once_each(records));
    let mut by_inspection: BTreeMap<InspectionKey<'_>, Vec<Fact<'_>>> = BTreeMap::new();
    let mut loose = Vec::new();
    for fact in facts {
        match fact.record.inspection.as_deref() {
            Some(id) => {
                by_inspection.entry((&fact.record.station, id)).or_default().push(fact);
            }
            None => loose.push(fact),
        }
    }
    let groups = joined(&by_inspection);
    let mut crossings: Vec<Crossing<'_>> = Vec::with_capacity(groups.len());
    for keys in groups {
        let mut opened: Vec<(Timestamp, InspectionKey<'_>)> = keys
            .iter()
            .filter_map(|key| by_inspection.get(key).map(|facts| (opened_at(facts), *key)))
            .collect();
        opened.sort();
        let inspections: Vec<_> = opened.into_iter().map(|(_, key)| key).collect();
        let facts =
            inspections.iter().filter_map(|key| by_inspection.remove(key)).flatten().collect();
        crossings.push(Crossing { inspections, facts, seen: Vec::new() });
    }
    crossings.sort_by(|a, b| (a.opened_at(), &a.inspections).cmp(&(b.opened_at(), &b.inspections)));
    for crossing in &mut crossings {
        crossing.take_seen(&loose);
    }
    Assembled { crossings, loose }
}

/// Each record once, in the order of station, epoch and number.
fn once_each(records: &[Record]) -> Vec<&Record> {
    let mut sorted: Vec<&Record> = records.iter().collect();
    sorted.sort_by(|a, b| {
        (&a.station, a.epoch, a.seq).cmp(&(&b.station, b.epoch, b.seq)).then_with(|| {
            // Two contents under one number are a fork, which the ledger raises; here any fixed
            // order will do, so that the order of arrival does not matter.
            if a == b { std::cmp::Ordering::Equal } else { text_of(a).cmp(&text_of(b)) }
        })
    });
    sorted.dedup_by(|a, b| a.station == b.station && a.epoch == b.epoch && a.seq == b.seq);
    sorted
}

fn text_of(record: &Record) -> String {
    serde_json::to_string(record).unwrap_or_default()
}

/// Applies amendments, the latest last; an amendment can itself be amended.
fn amended(records: Vec<&Record>) -> Vec<Fact<'_>> {
    let mut facts: Vec<Fact<'_>> = records
        .into_iter()
        .map(|record| Fact { record, body: Cow::Borrowed(&record.body) })
        .collect();
    let is_amendment = |fact: &Fact<'_>| matches!(*fact.body, Body::Amendment(_));
    if !facts.iter().any(is_amendment) {
        return facts;
    }
    let mut places: Vec<usize> = (0..facts.len()).filter(|at| is_amendment(&facts[*at])).collect();
    // Amendments of amendments first, then the rest from the earliest to the latest.
    let about_amendment = |at: &usize, facts: &[Fact<'_>]| {
        target(&facts[*at], facts).is_some_and(|target| is_amendment(&facts[target]))
    };
    places.sort_by_key(|at| (!about_amendment(at, &facts), *at));
    for at in places {
        let Some(target) = target(&facts[at], &facts) else { continue };
        let Body::Amendment(amendment) = facts[at].body.as_ref().clone() else { continue };
        if let Some(body) = apply(&amendment, &facts[target].body) {
            facts[target].body = Cow::Owned(body);
        }
    }
    facts
}

fn target(amendment: &Fact<'_>, facts: &[Fact<'_>]) -> Option<usize> {
    let Body::Amendment(Amendment { of, .. }) = amendment.body.as_ref() else { return None };
    let wanted = (&amendment.record.station, amendment.record.epoch, *of);
    facts
        .binary_search_by(|fact| {
            (&fact.record.station, fact.record.epoch, fact.record.seq).cmp(&wanted)
        })
        .ok()
        .filter(|at| facts[*at].record.seq != amendment.record.seq)
}

/// The body with the fields changed; `None` where the result would be no such body.
fn apply(amendment: &Amendment, body: &Body) -> Option<Body> {
    let mut value = body.to_value();
    let object = value.as_object_mut()?;
    for (name, changed) in amendment.fields.iter().filter(|(name, _)| *name != "type") {
        object.insert(name.clone(), changed.clone());
    }
    Body::from_value(value).ok()
}

/// The inspections of `by_inspection`, those linked with each other together.
fn joined<'a>(
    by_inspection: &BTreeMap<InspectionKey<'a>, Vec<Fact<'a>>>,
) -> Vec<BTreeSet<InspectionKey<'a>>> {
    let keys: Vec<InspectionKey<'a>> = by_inspection.keys().copied().collect();
    let mut head: Vec<usize> = (0..keys.len()).collect();
    for (at, facts) in by_inspection.values().enumerate() {
        for fact in facts {
            let Body::InspectionLinked(link) = fact.body.as_ref() else { continue };
            let wanted: InspectionKey<'_> = (&link.to.station, link.to.inspection.as_str());
            if let Ok(other) = keys.binary_search_by(|key| key.cmp(&wanted)) {
                let (a, b) = (root(&head, at), root(&head, other));
                head[a.max(b)] = a.min(b);
            }
        }
    }
    let mut groups: BTreeMap<usize, BTreeSet<InspectionKey<'a>>> = BTreeMap::new();
    for (at, key) in keys.iter().enumerate() {
        groups.entry(root(&head, at)).or_default().insert(*key);
    }
    groups.into_values().collect()
}

/// The representative of a set in a forest of indices.
pub(crate) fn root(head: &[usize], mut at: usize) -> usize {
    while head[at] != at {
        at = head[at];
    }
    at
}

fn opened_at(facts: &[Fact<'_>]) -> Timestamp {
    facts
        .iter()
        .find(|fact| matches!(*fact.body, Body::InspectionOpened(_)))
        .or_else(|| facts.first())
        .map_or(Timestamp::UNIX_EPOCH, |fact| fact.record.at)
}

macro_rules! picks {
    ($($(#[$doc:meta])* $name:ident: $variant:ident => $type:ty),+ $(,)?) => {
        $($(#[$doc])*
        pub fn $name(&self) -> impl DoubleEndedIterator<Item = (&Record, &$type)> {
            self.facts.iter().filter_map(|fact| match fact.body.as_ref() {
                Body::$variant(body) => Some((fact.record, body)),
                _ => None,
            })
        })+
    };
}

impl<'a> Crossing<'a> {
    picks! {
        /// The openings of its inspections.
        openings: InspectionOpened => InspectionOpened,
        /// Boarding passes read.
        boarding_passes: BoardingPassRead => BoardingPassRead,
        /// Scans.
        scans: ScanResult => ScanResult,
        /// Counts.
        counts: CashCounted => CashCounted,
        /// Declarations.
        declarations: DeclarationMade => DeclarationMade,
        /// What officers noticed.
        observations: OfficerObserved => OfficerObserved,
        /// Exemptions presented.
        exemptions: ExemptionPresented => ExemptionPresented,
        /// Decisions.
        outcomes: OutcomeRecorded => OutcomeRecorded,
    }

    /// The inspection an alert carries: the one opened last.
    pub fn primary(&self) -> Option<InspectionKey<'a>> {
        self.inspections.last().copied()
    }

    /// When its first inspection was opened.
    pub fn opened_at(&self) -> Timestamp {
        opened_at(&self.facts)
    }

    /// The opening of the inspection opened last.
    pub fn opening(&self) -> Option<&InspectionOpened> {
        self.openings().last().map(|(_, opening)| opening)
    }

    /// Which way; unknown without an opening.
    pub fn direction(&self) -> Option<Direction> {
        self.opening().map(|opening| opening.direction)
    }

    /// In what capacity; a post movement is a consignment.
    pub fn role(&self) -> Option<Role> {
        self.opening().map(|opening| opening.role)
    }

    /// Whether it is cash without a traveller.
    pub fn is_consignment(&self) -> bool {
        self.opening().is_some_and(|opening| {
            opening.role == Role::Consignment || opening.movement.mode == Mode::Post
        })
    }

    /// The movement its last inspection was opened for.
    pub fn movement(&self) -> Option<&Movement> {
        self.opening()
            .map(|opening| &opening.movement)
            .or_else(|| self.movements().next().map(|(_, movement)| movement))
    }

    /// Every movement known, with the number of its record.
    pub fn movements(&self) -> impl Iterator<Item = (u64, &Movement)> {
        let own = self.facts.iter().filter_map(|fact| match fact.body.as_ref() {
            Body::InspectionOpened(body) => Some((fact.record.seq, &body.movement)),
            Body::MovementSeen(body) => Some((fact.record.seq, &body.movement)),
            _ => None,
        });
        own.chain(self.seen.iter().map(|(seq, movement)| (*seq, movement)))
    }

    /// Every leg of every boarding pass, with the number of its record.
    pub fn legs(&self) -> impl Iterator<Item = (u64, &Leg)> {
        self.boarding_passes()
            .flat_map(|(record, pass)| pass.legs.iter().map(move |leg| (record.seq, leg)))
    }

    /// Travel documents read, with the number of their record.
    pub fn documents(&self) -> impl DoubleEndedIterator<Item = (u64, &Document)> {
        self.facts.iter().filter_map(|fact| match fact.body.as_ref() {
            Body::DocumentRead(body) => Some((fact.record.seq, &body.document)),
            _ => None,
        })
    }

    /// The document that says most about its holder: the last one that is not a visa.
    pub fn document(&self) -> Option<(u64, &Document)> {
        self.documents()
            .rfind(|(_, document)| document.kind != DocumentKind::Visa)
            .or_else(|| self.documents().next_back())
    }

    /// Where it was last.
    pub fn station(&self) -> Option<&'a StationId> {
        self.primary().map(|(station, _)| station)
    }

    fn take_seen(&mut self, loose: &[Fact<'_>]) {
        let Some(site) = self.station().map(StationId::site) else { return };
        let opened = self.opened_at();
        let mut found = Vec::new();
        for fact in loose {
            let Body::MovementSeen(seen) = fact.body.as_ref() else { continue };
            let near = fact.record.at.duration_since(opened).as_hours().abs();
            let here = fact.record.station.site() == site && near <= SAME_MOVEMENT_HOURS;
            if here && self.movements().any(|(_, own)| same_movement(own, &seen.movement)) {
                found.push((fact.record.seq, seen.movement.clone()));
            }
        }
        self.seen = found;
    }
}

/// Whether two movements are one: the same flight, vessel or aircraft.
pub fn same_movement(a: &Movement, b: &Movement) -> bool {
    let vessel = match (&a.vessel, &b.vessel) {
        (Some(a), Some(b)) => match (&a.imo, &b.imo) {
            (Some(a), Some(b)) => a == b,
            _ => a.name.trim().eq_ignore_ascii_case(b.name.trim()),
        },
        _ => false,
    };
    let flight = a.designator().is_some_and(|own| Some(own) == b.designator());
    let tail = a.tail.is_some() && a.tail == b.tail;
    a.mode == b.mode && (vessel || flight || tail)
}
