//! A question as JSON gives it: the fields of a person, a party, a vessel or an aircraft.

use jiff::civil::Date;
use serde::Deserialize;

use super::{Asked, AskedKind};
use crate::lists::{BirthDate, EntryAddress, EntryKind, Identifier, country};

/// Somebody or something to look for, with whatever is known.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Question {
    /// `person`, `organisation`, `vessel`, `aircraft` or `address`; all when absent.
    #[serde(default)]
    pub kind: Option<String>,
    /// The whole name.
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    surname: Option<String>,
    #[serde(default)]
    given_names: Option<String>,
    #[serde(default)]
    date_of_birth: Option<String>,
    #[serde(default)]
    nationality: Option<String>,
    #[serde(default)]
    document: Option<Document>,
    #[serde(default)]
    registration_country: Option<String>,
    #[serde(default)]
    registration_number: Option<String>,
    #[serde(default)]
    address: Option<AddressText>,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    imo: Option<String>,
    #[serde(default)]
    mmsi: Option<String>,
    #[serde(default)]
    flag: Option<String>,
    #[serde(default)]
    tail: Option<String>,
    #[serde(default)]
    iata: Option<String>,
    #[serde(default)]
    icao: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Document {
    #[serde(default)]
    number: String,
    #[serde(default)]
    issuing_state: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum AddressText {
    Line(String),
    Parts {
        #[serde(default)]
        lines: Vec<String>,
        #[serde(default)]
        country: Option<String>,
    },
}

/// Why a question cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// A kind that is none.
    #[error("kind {0:?} is none of person, organisation, vessel, aircraft, address")]
    Kind(String),
    /// A birth date that is none.
    #[error("{0:?} is not a birth date like 1975-03-02")]
    BirthDate(String),
}

impl Question {
    /// A question about a party, each part as somebody typed it; what is empty is not known.
    ///
    /// The last part of the address, after a comma, may be a country.
    pub fn of_party(kind: &str, name: &str, address: &str, phone: &str) -> Self {
        let typed = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Self {
            kind: typed(kind),
            name: typed(name),
            address: typed(address).map(AddressText::Line),
            phone: typed(phone),
            ..Self::default()
        }
    }

    /// What is asked.
    ///
    /// # Errors
    /// [`QuestionError`] for a kind or a birth date that is none.
    pub fn asked(&self) -> Result<Asked, QuestionError> {
        let kind = match self.kind.as_deref().map(str::trim).filter(|kind| !kind.is_empty()) {
            None => None,
            Some(word) => Some(AskedKind::from(
                EntryKind::parse(word).ok_or_else(|| QuestionError::Kind(word.to_owned()))?,
            )),
        };
        let mut asked = Asked { kind, ..Asked::default() };
        let part = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        if let Some(name) = part(&self.name) {
            asked.names.push(name);
        } else {
            let parts: Vec<String> =
                [&self.given_names, &self.surname].into_iter().filter_map(part).collect();
            if !parts.is_empty() {
                asked.names.push(parts.join(" "));
            }
        }
        if let Some(born) = part(&self.date_of_birth) {
            let read = born.parse::<Date>().map(BirthDate::day);
            asked.birth = Some(match read {
                Ok(day) => day,
                Err(_) => BirthDate::parse(&born).map_err(|_| QuestionError::BirthDate(born))?,
            });
        }
        let states = [&self.nationality, &self.registration_country, &self.flag];
        asked.nationalities =
            states.into_iter().filter_map(part).filter_map(|s| country::code_or_text(&s)).collect();
        if let Some(document) = self.document.as_ref().filter(|d| !d.number.is_empty()) {
            asked.add_document(&document.number, document.issuing_state.as_deref());
        }
        let numbers = [
            ("registration", &self.registration_number),
            ("phone", &self.phone),
            ("email", &self.email),
            ("imo", &self.imo),
            ("mmsi", &self.mmsi),
            ("tail", &self.tail),
            ("iata", &self.iata),
            ("icao", &self.icao),
        ];
        asked.identifiers.extend(numbers.into_iter().filter_map(|(kind, value)| {
            Some(Identifier { kind: kind.to_owned(), value: part(value)?, country: None })
        }));
        asked.addresses.extend(self.address.as_ref().map(AddressText::read));
        if kind == Some(AskedKind::Address) && asked.addresses.is_empty() {
            asked.addresses.extend(asked.names.first().map(|line| read_line(line)));
        }
        Ok(asked)
    }
}

impl AddressText {
    fn read(&self) -> EntryAddress {
        match self {
            Self::Line(line) => read_line(line),
            Self::Parts { lines, country } => EntryAddress {
                lines: lines.clone(),
                country: country.as_deref().and_then(country::code_or_text),
            },
        }
    }
}

/// One line, its last part a country where it is one.
fn read_line(line: &str) -> EntryAddress {
    let state = line.rsplit_once(',').and_then(|(rest, end)| Some((rest, country::code(end)?)));
    match state {
        Some((rest, code)) => {
            EntryAddress { lines: vec![rest.trim().to_owned()], country: Some(code.to_owned()) }
        }
        None => EntryAddress { lines: vec![line.trim().to_owned()], country: None },
    }
}

#[cfg(test)]
mod tests {
    use super::{Question, QuestionError};

    fn read(json: &str) -> Question {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_person_is_read_from_the_fields_there_are() {
        let asked = read(
            r#"{"kind":"person","surname":"KIM","given_names":"CHOL SU","date_of_birth":"1975-03-02",
            "nationality":"PRK","document":{"number":"836110034","issuing_state":"PRK"},"more":1}"#,
        )
        .asked()
        .unwrap();
        assert_eq!(asked.names, ["CHOL SU KIM"]);
        assert_eq!(asked.nationalities, ["KP"]);
        assert_eq!(asked.identifiers[0].country.as_deref(), Some("KP"));
    }

    #[test]
    fn an_unknown_kind_is_refused() {
        let error = read(r#"{"kind":"planet","name":"x"}"#).asked();
        assert_eq!(error, Err(QuestionError::Kind("planet".to_owned())));
    }
}
