//! Owner, recipient, sender: on whose behalf cash moves.

use serde::{Deserialize, Serialize};

use crate::document::Person;

/// A party to a declaration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Party {
    /// A natural person.
    Person {
        /// Who.
        #[serde(flatten)]
        person: Person,
        /// Where to be found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<Address>,
        /// Telephone as written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone: Option<String>,
    },
    /// A legal person or other body.
    Organisation(Organisation),
}

/// A legal person or other body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Name as declared, in any script.
    pub name: String,
    /// Country of registration, ISO 3166 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_country: Option<String>,
    /// Number in that country's register.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_number: Option<String>,
    /// Where to be found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Telephone as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// E-mail address as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// A postal address: lines as written, and the country.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Lines as written.
    #[serde(default)]
    pub lines: Vec<String>,
    /// ISO 3166 alpha-2.
    #[serde(default)]
    pub country: String,
}

/// `"self"` (the carrier), or another party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OnBehalfOf {
    /// The carrier: the traveller, or the one who signs.
    Carrier(CarrierWord),
    /// Somebody else.
    Party(Box<Party>),
}

/// The word `self` in a declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CarrierWord {
    /// The one who signs.
    #[serde(rename = "self")]
    Carrier,
}

impl OnBehalfOf {
    /// The value of `"self"`.
    pub const SELF: Self = Self::Carrier(CarrierWord::Carrier);

    /// The other party, if it is not the carrier.
    pub fn party(&self) -> Option<&Party> {
        match self {
            Self::Carrier(_) => None,
            Self::Party(party) => Some(party),
        }
    }
}

impl Party {
    /// The party's name on one line.
    pub fn name(&self) -> String {
        match self {
            Self::Person { person, .. } => person.full_name(),
            Self::Organisation(organisation) => organisation.name.clone(),
        }
    }

    /// The party's address.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Person { address, .. } => address.as_ref(),
            Self::Organisation(organisation) => organisation.address.as_ref(),
        }
    }

    /// The party's telephone.
    pub fn phone(&self) -> Option<&str> {
        match self {
            Self::Person { phone, .. } => phone.as_deref(),
            Self::Organisation(organisation) => organisation.phone.as_deref(),
        }
    }
}
