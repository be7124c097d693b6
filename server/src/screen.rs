//! Questions to the lists, as the command line and the interface take them, and their answers.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidewaiter_proto::party::Address;
use tidewaiter_risk::lists::{BirthDate, EntryAddress, EntryKind, Identifier, country};
use tidewaiter_risk::screening::{Asked, Hit, Index};

/// A question: a name with any fields of a Person or a Party, of a vessel or an aircraft. Fields
/// that are not known are left aside: whole records may be handed in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Question {
    /// The asker's own word for it, given back with the answer.
    pub id: Value,
    /// `person`, `organisation`, `vessel`, `aircraft` or `address`; all kinds when absent.
    pub kind: Option<String>,
    /// The name on one line.
    pub name: String,
    /// Other names.
    pub aliases: Vec<String>,
    /// Family name, where there is no `name`.
    pub surname: String,
    /// Given names.
    pub given_names: String,
    /// Day of birth, or a year.
    pub date_of_birth: Option<String>,
    /// Nationality.
    pub nationality: Option<String>,
    /// A travel document.
    pub document: Option<DocumentAsked>,
    /// Country of registration.
    pub registration_country: Option<String>,
    /// Number in that country's register.
    pub registration_number: Option<String>,
    /// Premises.
    pub address: Option<Address>,
    /// Telephone.
    pub phone: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// A vessel's IMO number.
    pub imo: Option<String>,
    /// A vessel's flag.
    pub flag: Option<String>,
    /// An aircraft's tail number.
    pub tail: Option<String>,
}

/// What is asked of a travel document.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct DocumentAsked {
    /// Its number.
    pub number: String,
    /// Who issued it.
    pub issuing_state: Option<String>,
}

/// An entry that may be who was asked about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HitFound {
    /// Name of the list.
    pub list: String,
    /// The list's own id.
    pub entry: String,
    /// What is listed.
    pub kind: EntryKind,
    /// The listed name that fits best.
    pub name: String,
    /// How alike the names are, 0 to 1.
    pub score: f64,
    /// How much supports that it is the same, 0 to 1.
    pub evidence: f64,
    /// Why, a sentence each.
    pub explanation: Vec<String>,
    /// Under what it is listed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub programme: String,
}

/// Why a question cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// A kind that lists do not have.
    #[error("kind {0:?} is not person, organisation, vessel, aircraft or address")]
    Kind(String),
    /// Nothing to look for.
    #[error("there is neither a name nor a number nor an address to look for")]
    Empty,
    /// A day of birth that is none.
    #[error("date_of_birth {0:?} is not a date")]
    Birth(String),
}

impl Question {
    /// The answer of the lists, the likeliest first.
    ///
    /// # Errors
    /// [`QuestionError`].
    pub fn ask(&self, lists: &Index, threshold: f64) -> Result<Vec<HitFound>, QuestionError> {
        let asked = self.asked()?;
        Ok(lists.screen_from(&asked, threshold).into_iter().map(HitFound::from).collect())
    }

    fn asked(&self) -> Result<Asked, QuestionError> {
        let kind = match &self.kind {
            Some(word) => {
                let kind = EntryKind::parse(word).ok_or_else(|| QuestionError::Kind(cut(word)))?;
                Some(kind.into())
            }
            None => None,
        };
        let birth = match &self.date_of_birth {
            Some(text) => {
                Some(BirthDate::parse(text).map_err(|_| QuestionError::Birth(cut(text)))?)
            }
            None => None,
        };
        let country =
            |text: &Option<String>| text.as_deref().and_then(country::code).map(str::to_owned);
        let mut asked = Asked { kind, birth, names: self.names(), ..Asked::default() };
        let states = [&self.nationality, &self.registration_country, &self.flag];
        asked.nationalities.extend(states.into_iter().filter_map(country));
        if let Some(document) = self.document.as_ref().filter(|read| !read.number.is_empty()) {
            asked.add_document(&document.number, document.issuing_state.as_deref());
        }
        for (kind, value) in [
            ("registration", &self.registration_number),
            ("phone", &self.phone),
            ("email", &self.email),
            ("imo", &self.imo),
            ("tail", &self.tail),
        ] {
            let value = value.as_ref().filter(|value| !value.trim().is_empty());
            asked.identifiers.extend(value.map(|value| Identifier {
                kind: kind.to_owned(),
                value: value.clone(),
                country: None,
            }));
        }
        asked.addresses.extend(self.address.as_ref().map(|address| EntryAddress {
            lines: address.lines.clone(),
            country: country::code(&address.country).map(str::to_owned),
        }));
        let nothing =
            asked.names.is_empty() && asked.identifiers.is_empty() && asked.addresses.is_empty();
        if nothing { Err(QuestionError::Empty) } else { Ok(asked) }
    }

    fn names(&self) -> Vec<String> {
        let parts = [self.given_names.trim(), self.surname.trim()].join(" ");
        let first = if self.name.trim().is_empty() { parts } else { self.name.clone() };
        let all = std::iter::once(first).chain(self.aliases.iter().cloned());
        all.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
    }
}

impl From<Hit> for HitFound {
    fn from(hit: Hit) -> Self {
        Self {
            list: hit.list,
            entry: hit.entry,
            kind: hit.kind,
            name: hit.name,
            score: hit.score,
            evidence: hit.evidence,
            explanation: hit.explanation,
            programme: hit.programme,
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::{Question, QuestionError};
    use tidewaiter_risk::screening::{Index, POSSIBLE};

    fn ask(text: &str) -> Result<Vec<String>, QuestionError> {
        let question: Question = serde_json::from_str(text).unwrap();
        let hits = question.ask(&Index::built_in().unwrap(), POSSIBLE)?;
        Ok(hits.into_iter().map(|hit| format!("{}/{}", hit.list, hit.entry)).collect())
    }

    #[test]
    fn a_name_is_found_by_any_of_its_ways_of_writing() {
        let one_line = ask(r#"{"id":1,"kind":"organisation","name":"Rungrado General Trading"}"#);
        let hits = one_line.unwrap();
        assert!(hits.contains(&"ofac/19613".to_owned()), "{hits:?}");
    }

    #[test]
    fn whole_records_may_be_handed_in_and_nonsense_is_refused() {
        let person = r#"{"kind":"person","surname":"NOBODY","given_names":"AT ALL","sex":"F",
            "document":{"type":"passport","number":"1","issuing_state":"FRA"},"x":[]}"#;
        assert!(ask(person).is_ok());
        assert_eq!(ask(r#"{"kind":"x","name":"a"}"#), Err(QuestionError::Kind("x".to_owned())));
        assert_eq!(ask(r#"{"name":" "}"#), Err(QuestionError::Empty));
        let birth = ask(r#"{"name":"a","date_of_birth":"soon"}"#);
        assert_eq!(birth, Err(QuestionError::Birth("soon".to_owned())));
    }
}
