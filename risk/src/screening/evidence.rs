//! What speaks for and against an entry beside the name: numbers, birth dates, nationalities,
//! addresses.
//!
//! Owns weighing them. None of it changes how alike the names are, except a number that names one
//! thing in the world.

use super::Asked;
use super::premises::Premises;
use crate::lists::birth::BirthAgreement;
use crate::lists::{BirthDate, EntryKind, Identifier, ListEntry};

/// What was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Weighed {
    /// 0 to 1, beside the name.
    pub(super) support: f64,
    /// The birth date, a document, an IMO, tail or registration number agrees.
    pub(super) agrees: bool,
    /// The birth date, the nationality or a number says it is another.
    pub(super) contradicts: bool,
    /// How sure a number alone makes it, whatever the name.
    pub(super) by_number: f64,
    /// In words.
    pub(super) lines: Vec<String>,
}

/// Weighs what is known of both.
pub(super) fn weigh(asked: &Asked, entry: &ListEntry) -> Weighed {
    let mut weighed = Weighed::default();
    numbers(asked, entry, &mut weighed);
    birth(asked, entry, &mut weighed);
    nationality(asked, entry, &mut weighed);
    address(asked, entry, &mut weighed);
    weighed.support = weighed.support.min(1.0);
    weighed
}

/// What a number names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum NumberKind {
    /// A ship, for its life.
    Imo,
    /// A ship's radio.
    Mmsi,
    /// An aircraft.
    Tail,
    /// An airline.
    Airline,
    /// A person's document.
    Document,
    /// A firm in a register.
    Register,
    /// A telephone.
    Phone,
    /// A mailbox.
    Mail,
}

/// A number in one way of writing, with what it names; `None` for what does not identify.
pub(super) fn number(identifier: &Identifier) -> Option<(NumberKind, String)> {
    use NumberKind::{Airline, Document, Imo, Mail, Mmsi, Phone, Register, Tail};
    let kind = match identifier.kind.as_str() {
        "imo" | "imo_number" => Imo,
        "mmsi" => Mmsi,
        "tail" | "aircraft_tail" => Tail,
        "iata" | "icao" => Airline,
        "passport"
        | "national_id"
        | "document"
        | "id_card"
        | "seaman_book"
        | "travel_document"
        | "identity_card"
        | "diplomatic_passport" => Document,
        "registration"
        | "tax"
        | "company_number"
        | "ogrn"
        | "inn"
        | "lei"
        | "registration_number" => Register,
        "phone" | "telephone" | "fax" => Phone,
        "email" => Mail,
        _ => return None,
    };
    let plain: String = match kind {
        Imo | Mmsi | Phone => identifier.value.chars().filter(char::is_ascii_digit).collect(),
        Mail => identifier.value.trim().to_lowercase(),
        _ => identifier
            .value
            .chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_uppercase)
            .collect(),
    };
    let plain = if kind == Phone {
        // Country codes are written in several ways; the end of the number is what it is.
        let skip = plain.len().saturating_sub(9);
        plain.get(skip..).unwrap_or_default().to_owned()
    } else {
        plain
    };
    let least = match kind {
        Imo => 7,
        Mmsi => 9,
        Tail => 3,
        Airline => 2,
        Document | Register | Mail => 5,
        Phone => 7,
    };
    // Rows of one digit are what is typed where nothing is known.
    let first = plain.chars().next()?;
    let blank = kind != Airline && plain.chars().filter(|c| *c != '0').all(|c| c == first);
    (plain.len() >= least && !blank).then_some((kind, plain))
}

fn numbers(asked: &Asked, entry: &ListEntry, weighed: &mut Weighed) {
    for own in &asked.identifiers {
        let Some((kind, value)) = number(own) else { continue };
        let same: Vec<&Identifier> = entry
            .identifiers
            .iter()
            .filter(|listed| number(listed).is_some_and(|(other, _)| other == kind))
            .collect();
        let agreeing = same.iter().find(|listed| {
            number(listed).is_some_and(|(_, other)| other == value)
                && (own.country.is_none()
                    || listed.country.is_none()
                    || own.country == listed.country)
        });
        if let Some(listed) = agreeing {
            let (support, alone) = match kind {
                NumberKind::Imo | NumberKind::Tail => (0.6, 0.97),
                NumberKind::Mmsi | NumberKind::Airline => (0.5, 0.95),
                NumberKind::Document if own.country.is_some() && own.country == listed.country => {
                    (0.6, 0.92)
                }
                NumberKind::Document | NumberKind::Register => (0.5, 0.75),
                NumberKind::Phone | NumberKind::Mail => (0.3, 0.7),
            };
            weighed.support += support;
            weighed.by_number = weighed.by_number.max(alone);
            weighed.agrees |= !matches!(kind, NumberKind::Phone | NumberKind::Mail);
            weighed.lines.push(format!("The {} {} is the listed one.", word(kind), own.value));
        } else if matches!(kind, NumberKind::Imo | NumberKind::Tail) && !same.is_empty() {
            weighed.contradicts = true;
            let listed: Vec<&str> = same.iter().map(|listed| listed.value.as_str()).collect();
            weighed.lines.push(format!(
                "The {} {} is another than the listed {}.",
                word(kind),
                own.value,
                listed.join(", ")
            ));
        }
    }
}

fn word(kind: NumberKind) -> &'static str {
    match kind {
        NumberKind::Imo => "IMO number",
        NumberKind::Mmsi => "MMSI",
        NumberKind::Tail => "tail number",
        NumberKind::Airline => "airline designator",
        NumberKind::Document => "document number",
        NumberKind::Register => "registration number",
        NumberKind::Phone => "telephone number",
        NumberKind::Mail => "e-mail address",
    }
}

fn birth(asked: &Asked, entry: &ListEntry, weighed: &mut Weighed) {
    let Some(own) = asked.birth else { return };
    if entry.kind != EntryKind::Person || entry.birth_dates.is_empty() {
        return;
    }
    let listed = entry.birth_dates.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    let compared: Vec<BirthAgreement> =
        entry.birth_dates.iter().map(|date| own.compare(date)).collect();
    if compared.contains(&BirthAgreement::SameDay) {
        weighed.support += 0.4;
        weighed.agrees = true;
        weighed.lines.push(format!("The birth date {own} is the listed one."));
    } else if compared.contains(&BirthAgreement::Possible) {
        weighed.support += 0.2;
        weighed.agrees |= own.is_exact() && entry.birth_dates.iter().any(|date| near(&own, date));
        weighed.lines.push(format!("The birth date {own} fits the listed {listed}."));
    } else if entry.birth_dates.iter().any(|date| swapped(&own, date)) {
        weighed.support += 0.1;
        weighed.lines.push(format!(
            "The birth date {own} has day and month of the listed {listed} swapped."
        ));
    } else {
        weighed.contradicts = true;
        weighed.lines.push(format!("The birth date {own} is another than the listed {listed}."));
    }
}

/// Whether a span is narrow enough for a day in it to say something: a year.
fn near(own: &BirthDate, listed: &BirthDate) -> bool {
    !listed.circa
        && listed.to.year() == listed.from.year()
        && own.compare(listed) != BirthAgreement::Different
}

fn swapped(own: &BirthDate, listed: &BirthDate) -> bool {
    own.is_exact()
        && listed.is_exact()
        && own.from.year() == listed.from.year()
        && own.from.month() == listed.from.day()
        && own.from.day() == listed.from.month()
}

fn nationality(asked: &Asked, entry: &ListEntry, weighed: &mut Weighed) {
    if asked.nationalities.is_empty() || entry.nationalities.is_empty() {
        return;
    }
    let own = asked.nationalities.join(", ");
    let listed = entry.nationalities.join(", ");
    if asked.nationalities.iter().any(|state| entry.nationalities.contains(state)) {
        weighed.support += 0.15;
        weighed.lines.push(format!("The state {own} is the listed one."));
    } else if entry.kind == EntryKind::Person {
        weighed.contradicts = true;
        weighed.lines.push(format!("The nationality {own} is another than the listed {listed}."));
    }
}

fn address(asked: &Asked, entry: &ListEntry, weighed: &mut Weighed) {
    for own in asked.addresses.iter().map(Premises::of) {
        let mut listed = entry.addresses.iter();
        if let Some(same) = listed.find(|listed| own.alike(&Premises::of(listed)) > 0.0) {
            weighed.support += 0.3;
            weighed
                .lines
                .push(format!("The address is the listed one: {}.", same.lines.join(", ")));
            return;
        }
    }
}
