//! What the desk keeps of an inspection beside its row: the terms by which it is found, its sums,
//! its clocks.
//!
//! Plain records in, plain values out. Terms are keyed: what is kept holds no name.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rust_decimal::Decimal;
use tidewaiter_proto::alert::{Alert, AlertCode, Outcome};
use tidewaiter_proto::body::{Body, Decision};
use tidewaiter_proto::cash::{CashItem, CountedItem};
use tidewaiter_proto::money::Currency;
use tidewaiter_proto::party::{OnBehalfOf, Party};
use tidewaiter_proto::record::Record;
use tidewaiter_risk::screening::search_terms;

use crate::clocks::{self, ClockKind};
use crate::inspection::Opener;
use crate::store::{CashRow, ClockRow, Facts};

/// What a text is looked for as.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Sought {
    /// A name of a person, an organisation or a ship, in any script.
    Name,
    /// The number of a travel document, a booking, a declaration, a seal.
    Number,
    /// The registration of an aircraft.
    Tail,
    /// The IMO number of a ship.
    Vessel,
    /// An address.
    Address,
    /// A telephone.
    Phone,
}

impl Sought {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Name, Self::Number, Self::Tail, Self::Vessel, Self::Address, Self::Phone];

    /// The name in data.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Number => "number",
            Self::Tail => "tail",
            Self::Vessel => "vessel",
            Self::Address => "address",
            Self::Phone => "phone",
        }
    }
}

/// What an inspection says that it may be found by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Findable {
    /// As what.
    pub kind: Sought,
    /// As written.
    pub text: String,
}

/// The terms of a text as one kind of thing, in the clear.
pub fn terms(kind: Sought, text: &str) -> BTreeSet<String> {
    match kind {
        Sought::Name | Sought::Address => search_terms(text),
        Sought::Number | Sought::Tail | Sought::Vessel => plain(text).into_iter().collect(),
        Sought::Phone => {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            (digits.len() >= 5).then_some(digits).into_iter().collect()
        }
    }
}

/// The terms of a text, keyed.
pub fn keyed_terms(opener: &Opener, kind: Sought, text: &str) -> Vec<[u8; 16]> {
    terms(kind, text).iter().map(|term| opener.term(kind.as_str(), term)).collect()
}

/// Letters and digits in capitals; none of less than three.
fn plain(text: &str) -> Option<String> {
    let plain: String =
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    (plain.chars().count() >= 3).then_some(plain)
}

/// Everything that records say that an inspection may be found by.
pub fn findables(records: &[Record]) -> BTreeSet<Findable> {
    let mut found = BTreeSet::new();
    let mut add = |kind, text: &str| {
        if !text.trim().is_empty() {
            found.insert(Findable { kind, text: text.trim().to_owned() });
        }
    };
    for record in records {
        match &record.body {
            Body::DocumentRead(read) => {
                add(Sought::Name, &read.document.full_name());
                add(Sought::Number, &read.document.number);
            }
            Body::BoardingPassRead(pass) => {
                add(Sought::Name, &pass.passenger.replace('/', " "));
                pass.legs.iter().for_each(|leg| add(Sought::Number, &leg.pnr));
                pass.bag_tags.iter().for_each(|tag| add(Sought::Number, tag));
            }
            Body::InspectionOpened(opened) => movement(&opened.movement, &mut add),
            Body::MovementSeen(seen) => movement(&seen.movement, &mut add),
            Body::DeclarationMade(declared) => {
                add(Sought::Number, &declared.reference);
                let parties = [&declared.owner, &declared.recipient];
                let others = parties.into_iter().filter_map(OnBehalfOf::party);
                others.chain(&declared.sender).for_each(|each| party(each, &mut add));
            }
            Body::OutcomeRecorded(outcome) => {
                add(Sought::Number, outcome.seal.as_deref().unwrap_or_default());
            }
            Body::CustodyMoved(moved) => add(Sought::Number, &moved.seal),
            _ => {}
        }
    }
    found
}

fn movement(movement: &tidewaiter_proto::movement::Movement, add: &mut impl FnMut(Sought, &str)) {
    add(Sought::Tail, movement.tail.as_deref().unwrap_or_default());
    if let Some(vessel) = &movement.vessel {
        add(Sought::Name, &vessel.name);
        add(Sought::Vessel, vessel.imo.as_deref().unwrap_or_default());
    }
}

fn party(party: &Party, add: &mut impl FnMut(Sought, &str)) {
    add(Sought::Name, &party.name());
    add(Sought::Phone, party.phone().unwrap_or_default());
    if let Some(address) = party.address() {
        add(Sought::Address, &address.lines.join(", "));
    }
    if let Party::Organisation(organisation) = party {
        add(Sought::Number, organisation.registration_number.as_deref().unwrap_or_default());
    }
}

/// Whose law and calendar an inspection's clocks run by.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// The jurisdictions that hold there.
    pub regimes: Vec<String>,
    /// ISO alpha-2.
    pub country: String,
}

/// What is kept of an inspection, from its own records and the alerts about it.
pub fn facts(opener: &Opener, records: &[Record], alerts: &[Alert], calendar: &Calendar) -> Facts {
    let terms: BTreeSet<[u8; 16]> = findables(records)
        .iter()
        .flat_map(|findable| keyed_terms(opener, findable.kind, &findable.text))
        .collect();
    let departs_at = records.iter().rev().find_map(|record| match &record.body {
        Body::InspectionOpened(opened) => opened.movement.scheduled,
        _ => None,
    });
    Facts {
        terms: terms.into_iter().collect(),
        cash: cash(records),
        clocks: running(records, alerts, calendar),
        departs_at,
        orders: shown_orders(records),
    }
}

/// What the latest declaration and the latest exact count say, by currency.
fn cash(records: &[Record]) -> Vec<CashRow> {
    let mut sums: BTreeMap<Currency, (Option<Decimal>, Option<Decimal>)> = BTreeMap::new();
    let declared = records.iter().rev().find_map(|record| match &record.body {
        Body::DeclarationMade(declared) => Some(&declared.items),
        _ => None,
    });
    for (currency, amount) in declared.into_iter().flatten().filter_map(CashItem::amount) {
        let sum = sums.entry(currency).or_default().0.get_or_insert_default();
        *sum = sum.saturating_add(amount);
    }
    let counted = records.iter().rev().find_map(|record| match &record.body {
        Body::CashCounted(counted) => Some(&counted.items),
        _ => None,
    });
    for (currency, amount) in counted.into_iter().flatten().filter_map(CountedItem::amount) {
        let sum = sums.entry(currency).or_default().1.get_or_insert_default();
        *sum = sum.saturating_add(amount);
    }
    sums.into_iter()
        .map(|(currency, (declared, counted))| CashRow {
            currency: currency.to_string(),
            declared: declared.map(hundredths),
            counted: counted.map(hundredths),
        })
        .collect()
}

/// An amount in hundredths, as tables hold it; the largest they hold where it is beyond.
pub fn hundredths(amount: Decimal) -> i64 {
    let whole = amount.saturating_mul(Decimal::ONE_HUNDRED).round();
    i64::try_from(whole).unwrap_or(if whole.is_sign_negative() { i64::MIN } else { i64::MAX })
}

/// The clocks that an inspection has set going, with what met them.
fn running(records: &[Record], alerts: &[Alert], calendar: &Calendar) -> Vec<ClockRow> {
    let outcomes: Vec<(Timestamp, Decision)> = records
        .iter()
        .filter_map(|record| match &record.body {
            Body::OutcomeRecorded(outcome) => Some((record.at, outcome.decision)),
            _ => None,
        })
        .collect();
    let first = |wanted: &[Decision]| {
        outcomes.iter().find(|(_, decision)| wanted.contains(decision)).map(|(at, _)| *at)
    };
    let after = |began: Timestamp, meets: &[Decision]| {
        outcomes.iter().find(|(at, decision)| *at > began && meets.contains(decision))
    };
    let alerted = |wanted: &dyn Fn(&Alert) -> bool| {
        alerts.iter().filter(|alert| wanted(alert)).map(|alert| alert.raised_at).min()
    };
    let declared = records
        .iter()
        .find_map(|record| matches!(record.body, Body::DeclarationMade(_)).then_some(record.at));
    let began = [
        (ClockKind::Detention, first(&[Decision::Detained])),
        (ClockKind::Disclosure, alerted(&|alert| alert.code == AlertCode::DisclosureRequired)),
        (
            ClockKind::Fiu,
            first(&[Decision::Detained, Decision::Seized, Decision::Referred])
                .or_else(|| alerted(&|alert| alert.outcomes.contains(&Outcome::ReferFiu))),
        ),
    ];
    began
        .into_iter()
        .filter_map(|(kind, began)| Some((kind, began?)))
        .filter_map(|(kind, began)| {
            let due = clocks::due(kind, &calendar.regimes, &calendar.country, began)?;
            let met_at = match kind {
                ClockKind::Detention => {
                    after(began, &[Decision::Released, Decision::Seized]).map(|(at, _)| *at)
                }
                ClockKind::Disclosure => declared.filter(|at| *at >= began),
                // Met when an alert is closed as referred: the desk knows, not the station.
                ClockKind::Fiu => None,
            };
            Some(ClockRow { kind, began_at: began, due_at: due.at, basis: due.basis, met_at })
        })
        .collect()
}

/// Orders of the desk that a station's own records say were shown there, with when.
fn shown_orders(records: &[Record]) -> Vec<(String, Timestamp)> {
    records
        .iter()
        .filter_map(|record| match &record.body {
            Body::Other { type_name, value } if type_name == tidewaiter_proto::order::SHOWN => {
                Some((value.get("order")?.as_str()?.to_owned(), record.at))
            }
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Sought, hundredths, terms};

    #[test]
    fn what_is_written_in_several_ways_is_found_by_one_term() {
        for (kind, one, other) in [
            (Sought::Tail, "P-632", "p632"),
            (Sought::Vessel, "IMO 8703933", "imo8703933"),
            (Sought::Number, "654 321 987", "654321987"),
            (Sought::Phone, "+850-2-18111-3818022", "850 2 18111 3818022"),
        ] {
            let (one, other) = (terms(kind, one), terms(kind, other));
            assert!(!one.is_empty() && one == other, "{kind:?}: {one:?} {other:?}");
        }
        assert!(terms(Sought::Phone, "12").is_empty() && terms(Sought::Number, "-").is_empty());
    }

    #[test]
    fn amounts_become_hundredths_and_no_amount_overflows() {
        assert_eq!(hundredths("192300.505".parse().unwrap()), 19_230_050);
        assert_eq!(hundredths(rust_decimal::Decimal::MAX), i64::MAX);
    }
}
