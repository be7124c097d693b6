//! What earlier crossings say: one short digest each, found by keys of people, parties and places.
//!
//! Owns the digest, its keys and the interface; a store behind it is the caller's. One in memory is
//! [`MemoryHistory`].

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tidewaiter_proto::body::{Decision, Direction, GroupKind, Leg, Role};
use tidewaiter_proto::document::Document;
use tidewaiter_proto::money::Currency;
use tidewaiter_proto::party::{Address, OnBehalfOf, Party};
use tidewaiter_proto::station::StationId;

mod memory;
mod packed;

use crate::crossing::Crossing;
use crate::crossing::holdings::{self, Count, Sums};
use crate::policy::premises::folded;
use crate::screening::plain_words;
pub use memory::MemoryHistory;

/// What a digest is found by: the first 8 bytes of a SHA-256 over a kind and a normal form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key(pub u64);

/// What a key is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// A travel document, or a name with a birth date.
    Person,
    /// The number of a declaration.
    Reference,
    /// Who owns the cash.
    Owner,
    /// For whom it is meant.
    Recipient,
    /// An address of a party.
    Address,
    /// A telephone of a party.
    Phone,
    /// A group's id.
    Group,
    /// A booking reference.
    Booking,
    /// A route and who released on it.
    Route,
    /// An inspection: its station and its id.
    Inspection,
}

/// A crossing of earlier days, in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    /// The station of its last inspection.
    pub station: StationId,
    /// Its last inspection.
    pub inspection: Box<str>,
    /// When it was opened.
    pub opened: Timestamp,
    /// When its cash was declared, else counted: the day of its rates.
    pub money_at: Timestamp,
    /// Which way.
    pub direction: Option<Direction>,
    /// In what capacity.
    pub role: Option<Role>,
    /// Where the movement begins and ends, and onward ends, as written.
    pub places: Box<[Box<str>]>,
    /// Numbers of the records that say so.
    pub records: Box<[u64]>,
    /// Keys of the traveller.
    pub persons: Box<[Key]>,
    /// Keys and texts of declaration numbers.
    pub references: Box<[(Key, Box<str>)]>,
    /// Keys of owners other than the carrier.
    pub owners: Box<[Key]>,
    /// Keys of recipients other than the carrier.
    pub recipients: Box<[Key]>,
    /// Keys of the parties' addresses.
    pub addresses: Box<[Key]>,
    /// Keys of the parties' telephones.
    pub phones: Box<[Key]>,
    /// Keys of groups and bookings.
    pub groups: Box<[Key]>,
    /// What kind of group the traveller belongs to.
    pub group_kind: Option<GroupKind>,
    /// Whether the traveller is the group's guardian.
    pub guardian: bool,
    /// The traveller's day of birth.
    pub born: Option<Date>,
    /// Key of the route.
    pub route: Option<Key>,
    /// What was carried, where that is known and not in doubt.
    pub carried: Option<Vec<(Currency, Decimal)>>,
    /// Whether that was counted, not only declared.
    #[serde(default)]
    pub counted: bool,
    /// What was declared.
    pub declared: Option<Vec<(Currency, Decimal)>>,
    /// Whether a scan gave an alarm.
    pub alarm: bool,
    /// Whether an exemption for cash in transit was presented.
    pub cash_in_transit: bool,
    /// Who released it.
    pub released_by: Option<Box<str>>,
}

/// Where earlier crossings are found.
pub trait History {
    /// Calls `visit` with the crossings that have `key` and were opened from `since` to `until`,
    /// both included, in no particular order.
    fn visit(&self, key: Key, since: Timestamp, until: Timestamp, visit: &mut dyn FnMut(Digest));
}

/// No history at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHistory;

impl History for NoHistory {
    fn visit(&self, _: Key, _: Timestamp, _: Timestamp, _: &mut dyn FnMut(Digest)) {}
}

impl Key {
    /// The key of a text in its normal form.
    pub fn new(kind: KeyKind, parts: &[&str]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update([kind as u8]);
        for part in parts {
            hasher.update(part.as_bytes());
            hasher.update([0]);
        }
        let hash: [u8; 32] = hasher.finalize().into();
        Self(hash.iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
    }

    fn of_document(document: &Document) -> Option<Self> {
        let number: String = document.number.chars().filter(|c| c.is_alphanumeric()).collect();
        let state = document.issuing_state.trim().to_uppercase();
        (!number.is_empty()).then(|| Self::new(KeyKind::Person, &[&state, &number.to_uppercase()]))
    }

    fn of_name(document: &Document) -> Option<Self> {
        let born = document.date_of_birth?.to_string();
        let (surname, given) = (folded(&document.surname), folded(&document.given_names));
        (!surname.is_empty() && !given.is_empty())
            .then(|| Self::new(KeyKind::Person, &["name", &surname, &given, &born]))
    }

    /// The key of a party under a role.
    pub fn of_party(kind: KeyKind, party: &Party) -> Option<Self> {
        let name = folded(&party.name());
        if name.is_empty() {
            return None;
        }
        match party {
            Party::Person { person, .. } => {
                let born = person.date_of_birth.map(|day| day.to_string()).unwrap_or_default();
                Some(Self::new(kind, &["person", &name, &born]))
            }
            Party::Organisation(_) => Some(Self::new(kind, &["organisation", &name])),
        }
    }

    /// The key of an address, its words in any order; `None` without lines.
    pub fn of_address(address: &Address) -> Option<Self> {
        let words: Vec<String> = plain_words(&address.lines.join(" ")).into_iter().collect();
        let country = address.country.trim().to_uppercase();
        (words.len() > 1).then(|| Self::new(KeyKind::Address, &[&country, &words.join(" ")]))
    }

    /// The key of a telephone, its digits; `None` for fewer than six.
    pub fn of_phone(phone: &str) -> Option<Self> {
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        let digits = digits.strip_prefix("00").unwrap_or(&digits);
        (digits.len() >= 6).then(|| Self::new(KeyKind::Phone, &[digits]))
    }
}

/// The keys of a traveller: of each document, and of the name with the birth date.
pub fn person_keys(crossing: &Crossing<'_>) -> Box<[Key]> {
    let of = |(_, document)| [Key::of_document(document), Key::of_name(document)];
    sorted(crossing.documents().flat_map(of).flatten())
}

impl Digest {
    /// The digest of a crossing; `None` without an inspection.
    pub fn of(crossing: &Crossing<'_>) -> Option<Self> {
        let (station, inspection) = crossing.primary()?;
        Some(Self::with(crossing, station, inspection, &holdings::count_of(crossing)))
    }

    /// The same, by somebody who knows what its counts say.
    pub(crate) fn with(
        crossing: &Crossing<'_>,
        station: &StationId,
        inspection: &str,
        count: &Count,
    ) -> Self {
        let declarations = holdings::declarations(crossing);
        let declared = (!declarations.is_empty()).then(|| holdings::declared_of(&declarations));
        let carried = carried_of(count, declared.as_ref()).map(|carried| carried.money());
        let parties: Vec<&Party> = declarations
            .iter()
            .flat_map(|(_, d)| [d.owner.party(), d.recipient.party(), d.sender.as_ref()])
            .flatten()
            .collect();
        let keys = |side: fn(&tidewaiter_proto::body::DeclarationMade) -> &OnBehalfOf, kind| {
            let of = |party: Option<&Party>| party.and_then(|party| Key::of_party(kind, party));
            sorted(declarations.iter().filter_map(|(_, d)| of(side(d).party())))
        };
        let group =
            crossing.openings().filter_map(|(_, opening)| opening.group.as_ref()).next_back();
        let reference = |text: &str| {
            let text = text.trim();
            let key = Key::new(KeyKind::Reference, &[&text.to_uppercase()]);
            (!text.is_empty()).then(|| (key, text.into()))
        };
        Self {
            station: station.clone(),
            inspection: inspection.into(),
            opened: crossing.opened_at(),
            money_at: money_at(crossing),
            direction: crossing.direction(),
            role: crossing.role(),
            places: places_of(crossing),
            records: records_of(crossing),
            persons: person_keys(crossing),
            references: declarations.iter().filter_map(|(_, d)| reference(&d.reference)).collect(),
            owners: keys(|d| &d.owner, KeyKind::Owner),
            recipients: keys(|d| &d.recipient, KeyKind::Recipient),
            addresses: sorted(
                parties.iter().filter_map(|party| party.address()).filter_map(Key::of_address),
            ),
            phones: sorted(
                parties.iter().filter_map(|party| party.phone()).filter_map(Key::of_phone),
            ),
            groups: groups_of(crossing),
            group_kind: group.map(|group| group.kind),
            guardian: group.and_then(|group| group.guardian).unwrap_or(false),
            born: crossing.document().and_then(|(_, document)| document.date_of_birth),
            route: crossing.movement().map(|m| route_key(&m.from, &m.to)),
            carried: carried.map(pairs),
            counted: matches!(count, Count::Settled(..)),
            declared: declared.map(|declared| pairs(declared.money())),
            alarm: crossing
                .scans()
                .any(|(_, scan)| scan.decision == tidewaiter_proto::body::ScanDecision::Alarm),
            cash_in_transit: crossing.exemptions().any(|(_, e)| e.kind == "cash_in_transit"),
            released_by: crossing
                .outcomes()
                .next_back()
                .filter(|(_, outcome)| outcome.decision == Decision::Released)
                .map(|(_, outcome)| outcome.officer.as_str().into()),
        }
    }

    /// What is remembered of each inspection of a crossing: of its last one all, of the others
    /// nothing that finds them, so that no crossing counts twice.
    pub fn of_each(crossing: &Crossing<'_>) -> Vec<Self> {
        let Some(whole) = Self::of(crossing) else { return Vec::new() };
        let others = crossing.inspections.iter().filter(|name| **name != whole.name());
        let mut digests: Vec<Self> =
            others.map(|(station, inspection)| whole.emptied(station, inspection)).collect();
        digests.push(whole);
        digests
    }

    fn emptied(&self, station: &StationId, inspection: &str) -> Self {
        Self {
            station: station.clone(),
            inspection: inspection.into(),
            persons: Box::default(),
            references: Box::default(),
            owners: Box::default(),
            recipients: Box::default(),
            addresses: Box::default(),
            phones: Box::default(),
            groups: Box::default(),
            route: None,
            carried: None,
            declared: None,
            released_by: None,
            ..self.clone()
        }
    }

    /// Every key it is found by.
    fn keys(&self) -> impl Iterator<Item = Key> {
        let references = self.references.iter().map(|(key, _)| *key);
        [&self.persons, &self.owners, &self.recipients, &self.addresses, &self.phones, &self.groups]
            .into_iter()
            .flat_map(|keys| keys.iter().copied())
            .chain(references)
            .chain(self.route.filter(|_| self.released_by.is_some()))
    }

    /// What was carried, by currency.
    pub fn carried_sums(&self) -> Option<Sums> {
        self.carried.as_ref().map(|pairs| pairs.iter().copied().collect())
    }

    /// What was declared, by currency.
    pub fn declared_sums(&self) -> Option<Sums> {
        self.declared.as_ref().map(|pairs| pairs.iter().copied().collect())
    }

    /// Which inspection it is.
    pub fn name(&self) -> (&StationId, &str) {
        (&self.station, &self.inspection)
    }
}

/// The key of a route.
pub fn route_key(from: &str, to: &str) -> Key {
    Key::new(KeyKind::Route, &[&from.to_uppercase(), &to.to_uppercase()])
}

/// What was carried: what was counted, with the kinds a counter cannot see as declared; else what
/// was declared; nothing while counts are in doubt.
pub fn carried_of(
    count: &Count,
    declared: Option<&holdings::Holdings>,
) -> Option<holdings::Holdings> {
    match (count, declared) {
        (Count::Settled(counted, _), Some(declared)) => Some(counted.completed_by(declared)),
        (Count::Settled(counted, _), None) => Some(counted.as_ref().clone()),
        (Count::None, Some(declared)) => Some(declared.clone()),
        (Count::None, None) | (Count::Uncertain(_) | Count::Disagree(_), _) => None,
    }
}

/// When the cash was declared, else counted, else the inspection opened.
pub fn money_at(crossing: &Crossing<'_>) -> Timestamp {
    let signed = crossing.declarations().map(|(_, declaration)| declaration.signed_at).next_back();
    let counted = || crossing.counts().map(|(record, _)| record.at).next_back();
    signed.or_else(counted).unwrap_or_else(|| crossing.opened_at())
}

fn places_of(crossing: &Crossing<'_>) -> Box<[Box<str>]> {
    let moved = crossing.movements().flat_map(|(_, m)| [&m.from, &m.to]);
    let legs = crossing.legs().flat_map(|(_, leg)| [&leg.from, &leg.to]);
    let mut places: Vec<Box<str>> = moved.chain(legs).map(|place| place.as_str().into()).collect();
    places.sort_unstable();
    places.dedup();
    places.into()
}

fn records_of(crossing: &Crossing<'_>) -> Box<[u64]> {
    let declared = holdings::declarations(crossing).into_iter().map(|(record, _)| record.seq);
    let counted = crossing.counts().map(|(record, _)| record.seq);
    declared.chain(counted).collect()
}

/// The key of the booking a leg belongs to.
pub(crate) fn booking_key(leg: &Leg) -> Option<Key> {
    let pnr = leg.pnr.trim().to_uppercase();
    (!pnr.is_empty())
        .then(|| Key::new(KeyKind::Booking, &[&pnr, &leg.carrier, &leg.date.to_string()]))
}

fn groups_of(crossing: &Crossing<'_>) -> Box<[Key]> {
    let groups = crossing
        .openings()
        .filter_map(|(_, opening)| opening.group.as_ref())
        .map(|group| Key::new(KeyKind::Group, &[&group.id]));
    let bookings = crossing.legs().filter_map(|(_, leg)| booking_key(leg));
    sorted(groups.chain(bookings))
}

fn sorted(keys: impl Iterator<Item = Key>) -> Box<[Key]> {
    let mut keys: Vec<Key> = keys.collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into()
}

fn pairs(sums: Sums) -> Vec<(Currency, Decimal)> {
    sums.into_iter().collect()
}
