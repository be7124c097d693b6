//! The named, typed fields that rules may ask for.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::civil::Date;
use rust_decimal::Decimal;

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One text.
    Text,
    /// Several texts.
    Set,
    /// A decimal number.
    Number,
    /// True or false.
    Flag,
    /// A day.
    Day,
}

/// What a field is called, of what type it is, and what it says.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// Its name in rules.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// What it says, in one line.
    pub meaning: &'static str,
    /// The texts it can have, where they are known; empty where they are open.
    pub values: &'static [&'static str],
}

const fn open(name: &'static str, kind: Kind, meaning: &'static str) -> Definition {
    Definition { name, kind, meaning, values: &[] }
}

const fn closed(
    name: &'static str,
    kind: Kind,
    meaning: &'static str,
    values: &'static [&'static str],
) -> Definition {
    Definition { name, kind, meaning, values }
}

/// Every field, in the order of their numbers.
pub const FIELDS: &[Definition] = &[
    open("day", Kind::Day, "the day by which law is chosen (UTC)"),
    open("regimes", Kind::Set, "the laws that hold here: the state's and its unions'"),
    closed("direction", Kind::Text, "which way", &["entry", "exit", "transit"]),
    closed("role", Kind::Text, "in what capacity", &["passenger", "crew", "master", "consignment"]),
    closed("channel", Kind::Text, "the customs channel", &["red", "green"]),
    closed("mode", Kind::Text, "how", &["air", "sea", "rail", "road", "post"]),
    open("movement.label", Kind::Text, "the movement as one reads it out"),
    open("movement.from", Kind::Text, "where it begins, IATA code or UN/LOCODE"),
    open("movement.to", Kind::Text, "where it ends"),
    open("movement.from_country", Kind::Text, "state in which it begins, ISO alpha-2"),
    open("movement.to_country", Kind::Text, "state in which it ends"),
    open("movement.carrier", Kind::Text, "the carrier's name or designator"),
    open("movement.tail", Kind::Text, "aircraft registration"),
    open("movement.flag", Kind::Text, "flag state of the vessel"),
    open("movement.vessel", Kind::Text, "name of the vessel"),
    open("journey.countries", Kind::Set, "every state the journey touches, onward legs too"),
    open("journey.first_country", Kind::Text, "state in which the journey begins"),
    open("journey.last_country", Kind::Text, "state in which the journey ends"),
    open("journey.hub_for", Kind::Set, "states whose travellers break their journey here"),
    closed("route.level", Kind::Text, "highest route risk", &["none", "elevated", "high"]),
    open("route.risks", Kind::Set, "names of the route risks that apply"),
    open("route.reason", Kind::Text, "what makes the route a risk, in words"),
    open(
        "onward.high_risk",
        Kind::Flag,
        "an onward leg ends in a high-risk place, the movement does not",
    ),
    open("onward.separate", Kind::Flag, "that leg is on another ticket"),
    open("onward.places", Kind::Text, "where the onward legs go"),
    open(
        "onward.in_history",
        Kind::Flag,
        "at a hub, with a high-risk end in the person's recent history",
    ),
    closed(
        "document.type",
        Kind::Text,
        "kind of travel document",
        &[
            "passport",
            "diplomatic_passport",
            "service_passport",
            "id_card",
            "seaman_book",
            "visa",
            "other",
        ],
    ),
    open("document.state", Kind::Text, "issuing state, ISO alpha-2"),
    open("document.nationality", Kind::Text, "nationality, ISO alpha-2"),
    open("document.age", Kind::Number, "age in whole years on the day"),
    open("document.checks_failed", Kind::Flag, "a check digit does not agree"),
    open("cash.total", Kind::Number, "what was carried, in the currency of the limit"),
    open("cash.total_shown", Kind::Text, "the same, to read out"),
    open("cash.share", Kind::Number, "the total as a share of the limit"),
    open("cash.meets_limit", Kind::Flag, "the total meets the limit"),
    open("cash.declared", Kind::Flag, "there is a declaration"),
    open("cash.counted", Kind::Flag, "there is a count to rely on"),
    open("cash.count_is_zero", Kind::Flag, "that count found nothing"),
    open("cash.any", Kind::Flag, "some cash is known, counted or declared"),
    open("cash.gold_grams", Kind::Number, "grams of pure gold among it"),
    open("declaration.provenance", Kind::Set, "codes of provenance"),
    open("declaration.intended_use", Kind::Set, "codes of intended use"),
    open("declaration.note", Kind::Text, "provenance in words"),
    open("declaration.owner_is_other", Kind::Flag, "the owner is not the carrier"),
    open("scan.alarm", Kind::Flag, "a scan gave an alarm (not a test image)"),
    open("scan.clear", Kind::Flag, "a scan was clear"),
    open("scan.currency_alarm", Kind::Flag, "an alarm for something like currency"),
    open("officer.indications", Kind::Set, "codes of indications"),
    open("officer.text", Kind::Text, "what officers wrote down"),
    open("officer.refused_scan", Kind::Flag, "the scan was refused"),
    open("officer.weight", Kind::Number, "sum of the weights of the indications"),
    open("exemption.kinds", Kind::Set, "kinds of exemption presented"),
    open("exemption.references", Kind::Text, "their numbers"),
    closed(
        "outcome.decision",
        Kind::Text,
        "what was decided last",
        &["released", "detained", "seized", "refused", "referred"],
    ),
    open("outcome.officer", Kind::Text, "who decided"),
    open("outcome.by_counter", Kind::Flag, "who counted also released"),
    open("history.crossings_30d", Kind::Number, "the person's earlier crossings in 30 days"),
    open("history.crossings_365d", Kind::Number, "the person's earlier crossings in 365 days"),
    open("screening.lists", Kind::Set, "lists with a match"),
    open("screening.best", Kind::Number, "best score of a hit, 0 to 1"),
    open("alerts.codes", Kind::Set, "codes of the other alerts about this crossing"),
    closed(
        "alerts.worst",
        Kind::Text,
        "severity of the worst of them",
        &["none", "info", "low", "medium", "high", "critical"],
    ),
];

/// Number of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldId(usize);

impl FieldId {
    /// The field with this name.
    pub fn find(name: &str) -> Option<Self> {
        static PLACES: LazyLock<HashMap<&str, usize>> = LazyLock::new(|| {
            FIELDS.iter().enumerate().map(|(place, field)| (field.name, place)).collect()
        });
        PLACES.get(name).copied().map(Self)
    }

    /// Its definition.
    pub fn definition(self) -> &'static Definition {
        // A FieldId is made by `find` only.
        FIELDS.get(self.0).unwrap_or(&FIELDS[0])
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.definition().name
    }

    /// Whether it is known only when the other alerts are.
    pub fn is_about_alerts(self) -> bool {
        self.name().starts_with("alerts.")
    }
}

/// A value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// One text.
    Text(Cow<'a, str>),
    /// Several texts.
    Set(Vec<Cow<'a, str>>),
    /// A decimal number.
    Number(Decimal),
    /// True or false.
    Flag(bool),
    /// A day.
    Day(Date),
}

impl<'a> Value<'a> {
    /// A text.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// A set of texts.
    pub fn set<T: Into<Cow<'a, str>>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::Set(texts.into_iter().map(Into::into).collect())
    }

    /// To read out.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone().into_owned(),
            Self::Set(set) if set.is_empty() => "none".to_owned(),
            Self::Set(set) => set.join(", "),
            Self::Number(number) => crate::rates::shown(*number).normalize().to_string(),
            Self::Flag(true) => "yes".to_owned(),
            Self::Flag(false) => "no".to_owned(),
            Self::Day(day) => day.to_string(),
        }
    }
}

/// The values of all fields for one crossing; a field that is not set is not known.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    values: Vec<Option<Value<'a>>>,
}

impl Default for Fields<'_> {
    fn default() -> Self {
        Self { values: vec![None; FIELDS.len()] }
    }
}

impl<'a> Fields<'a> {
    /// The value of a field.
    pub fn get(&self, field: FieldId) -> Option<&Value<'a>> {
        self.values.get(field.0).and_then(Option::as_ref)
    }

    /// The value of a field by name.
    pub fn named(&self, name: &str) -> Option<&Value<'a>> {
        FieldId::find(name).and_then(|field| self.get(field))
    }

    /// Sets a field by name; a name that is no field is a defect that a test would find.
    pub fn set(&mut self, name: &str, value: Value<'a>) {
        let slot = FieldId::find(name).and_then(|field| self.values.get_mut(field.0));
        debug_assert!(slot.is_some(), "no field {name}");
        if let Some(slot) = slot {
            *slot = Some(value);
        }
    }

    /// Sets a field if there is a value.
    pub fn set_some(&mut self, name: &str, value: Option<Value<'a>>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }
}
