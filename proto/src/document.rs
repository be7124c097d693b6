//! Travel documents and the person they name.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A travel document as read, with the person's fields as read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// What kind of document.
    #[serde(rename = "type")]
    pub kind: DocumentKind,
    /// Document number, fillers removed.
    pub number: String,
    /// Issuing state or organisation, ICAO 9303 code of up to three letters.
    pub issuing_state: String,
    /// Day of expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_on: Option<Date>,
    /// Primary identifier.
    pub surname: String,
    /// Secondary identifiers, separated by one space.
    #[serde(default)]
    pub given_names: String,
    /// Day of birth, where the document gives a whole date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<Date>,
    /// `F`, `M` or `X`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<String>,
    /// Nationality, ICAO 9303 code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nationality: Option<String>,
}

/// Kinds of travel document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// An ordinary passport.
    Passport,
    /// A diplomatic passport.
    DiplomaticPassport,
    /// A service or official passport.
    ServicePassport,
    /// An identity card.
    IdCard,
    /// A seafarer's identity document.
    SeamanBook,
    /// A visa.
    Visa,
    /// Anything else, and any kind this version does not know.
    #[serde(other)]
    Other,
}

/// A natural person as declared; every field beyond the name may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Family name.
    #[serde(default)]
    pub surname: String,
    /// Given names.
    #[serde(default)]
    pub given_names: String,
    /// Day of birth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<Date>,
    /// `F`, `M` or `X`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<String>,
    /// ICAO or ISO code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nationality: Option<String>,
    /// Country of residence, ISO 3166 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residence: Option<String>,
    /// The person's document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
}

impl Document {
    /// Given names and surname as one line.
    pub fn full_name(&self) -> String {
        join_names(&self.given_names, &self.surname)
    }
}

impl Person {
    /// Given names and surname as one line.
    pub fn full_name(&self) -> String {
        join_names(&self.given_names, &self.surname)
    }
}

fn join_names(given: &str, surname: &str) -> String {
    [given, surname].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ")
}
