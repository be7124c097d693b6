//! Unions of states: whose law a member follows beside its own.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;

/// `unions.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    #[serde(default)]
    pub(crate) union: Vec<Union>,
}

/// A union of states with its members by date.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Union {
    /// `EU`, `EAEU`.
    pub id: String,
    /// Its name.
    pub title: String,
    /// Where the membership is laid down.
    pub source: String,
    /// When somebody last compared it with the source.
    pub checked_on: Date,
    /// Members as long as the union's data reach back.
    pub members: Vec<String>,
    /// Members that joined on a day.
    #[serde(default)]
    pub member_since: BTreeMap<String, Date>,
    /// Former members, with their last day.
    #[serde(default)]
    pub member_until: BTreeMap<String, Date>,
}

impl Union {
    /// Whether `country` (ISO 3166 alpha-2) is a member on `day`.
    pub fn has(&self, country: &str, day: Date) -> bool {
        self.members.iter().any(|member| member == country)
            || self.member_since.get(country).is_some_and(|since| *since <= day)
            || self.member_until.get(country).is_some_and(|until| day <= *until)
    }
}
