//! The policy pack: dated law, places, routes, rates, patterns and rules, read from data files.
//!
//! Owns reading and checking the files and naming their version. It decides nothing about any
//! traveller, and it reads no file itself: callers hand over names and texts.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub mod findings;
pub mod forms;
pub mod patterns;
pub mod places;
pub mod premises;
pub mod routes;
pub mod thresholds;
pub mod unions;

use crate::rates::{RateTable, Rates};
use crate::rule::{self, Rule};

use findings::Findings;
use forms::Form;
use patterns::Patterns;
use places::{Carriers, Places};
use premises::{NameFamily, Premises};
use routes::Risk;
use thresholds::Threshold;
use unions::Union;

/// How sure a piece of data is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Read in the source it names.
    #[default]
    Read,
    /// Remembered: to be checked with the source before it is enforced.
    FromMemory,
    /// Sources disagree.
    Conflict,
}

impl Certainty {
    /// What a reason has to say about it; empty where it was read.
    pub fn caveat(self) -> &'static str {
        match self {
            Self::Read => "",
            Self::FromMemory => " (from memory: check the source)",
            Self::Conflict => " (sources disagree: check)",
        }
    }
}

/// Everything an authority lays down, in one version.
#[derive(Clone, Debug)]
pub struct PolicyPack {
    /// First 16 hex digits of the SHA-256 over all files.
    pub version: String,
    /// Duties about cash.
    pub thresholds: Vec<Threshold>,
    /// Unions of states.
    pub unions: Vec<Union>,
    /// Places and their countries.
    pub places: Places,
    /// Carriers.
    pub carriers: Carriers,
    /// Route risks.
    pub risks: Vec<Risk>,
    /// What the forms require.
    pub forms: Vec<Form>,
    /// Watched premises and common addresses.
    pub premises: Premises,
    /// Families of names.
    pub families: Vec<NameFamily>,
    /// Numbers of the patterns.
    pub patterns: Patterns,
    /// Severities and sentences of the engine's own findings.
    pub findings: Findings,
    /// Languages in which every sentence must be there, beside English.
    pub languages: Vec<String>,
    /// The authority's rules.
    pub rules: Vec<Rule>,
    /// Rates that come with the pack.
    pub rates: Rates,
}

/// One file of a pack, read by the caller.
#[derive(Clone, Copy, Debug)]
pub struct PolicyFile<'a> {
    /// Its name within the pack, with `/`: `rules/routes.toml`.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// Why a pack was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {what}")]
pub struct PolicyError {
    /// Which file.
    pub file: String,
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// The files of the built-in pack.
const BUILT_IN: &[PolicyFile<'static>] = &[
    PolicyFile { name: "airports.txt", text: include_str!("../../config/policy/airports.txt") },
    PolicyFile { name: "carriers.toml", text: include_str!("../../config/policy/carriers.toml") },
    PolicyFile { name: "families.toml", text: include_str!("../../config/policy/families.toml") },
    PolicyFile { name: "findings.toml", text: include_str!("../../config/policy/findings.toml") },
    PolicyFile { name: "forms.toml", text: include_str!("../../config/policy/forms.toml") },
    PolicyFile { name: "languages.toml", text: include_str!("../../config/policy/languages.toml") },
    PolicyFile { name: "patterns.toml", text: include_str!("../../config/policy/patterns.toml") },
    PolicyFile { name: "places.toml", text: include_str!("../../config/policy/places.toml") },
    PolicyFile { name: "premises.toml", text: include_str!("../../config/policy/premises.toml") },
    PolicyFile { name: "rates.toml", text: include_str!("../../config/policy/rates.toml") },
    PolicyFile { name: "routes.toml", text: include_str!("../../config/policy/routes.toml") },
    PolicyFile {
        name: "rules/movements.toml",
        text: include_str!("../../config/policy/rules/movements.toml"),
    },
    PolicyFile {
        name: "rules/travellers.toml",
        text: include_str!("../../config/policy/rules/travellers.toml"),
    },
    PolicyFile {
        name: "thresholds.toml",
        text: include_str!("../../config/policy/thresholds.toml"),
    },
    PolicyFile { name: "unions.toml", text: include_str!("../../config/policy/unions.toml") },
];

impl PolicyPack {
    /// The pack in `config/policy`, compiled in.
    ///
    /// # Errors
    /// [`PolicyError`] would be a defect of the build; a test holds it to none.
    pub fn built_in() -> Result<Self, PolicyError> {
        Self::from_files(BUILT_IN)
    }

    /// The names and texts of the built-in files.
    pub fn built_in_files() -> &'static [PolicyFile<'static>] {
        BUILT_IN
    }

    /// All files of the pack that `files` are, in the order of their names: a file of the built-in
    /// pack that is not among them is taken from there. Rules come from one of the two alone.
    pub fn completed<'a>(files: &[PolicyFile<'a>]) -> Vec<PolicyFile<'a>> {
        let mut all: Vec<PolicyFile<'a>> = files.to_vec();
        let has_rules = all.iter().any(|file| is_rules(file.name));
        for built_in in BUILT_IN {
            let given = all.iter().any(|file| file.name == built_in.name);
            let replaced = has_rules && is_rules(built_in.name);
            if !given && !replaced {
                all.push(*built_in);
            }
        }
        all.sort_by(|a, b| a.name.cmp(b.name));
        all
    }

    /// A pack of `files`, and of the built-in ones that are not among them.
    ///
    /// # Errors
    /// [`PolicyError`] for the first thing that is wrong, with file and line.
    pub fn from_files(files: &[PolicyFile<'_>]) -> Result<Self, PolicyError> {
        let all = Self::completed(files);
        let text = |name: &str| {
            let found = all.iter().find(|file| file.name == name);
            found.copied().unwrap_or(PolicyFile { name: "", text: "" })
        };
        let mut rules = Vec::new();
        let mut vocabulary = rule::parse::Vocabulary::default();
        for file in all.iter().filter(|file| is_rules(file.name)) {
            vocabulary.read(*file)?;
        }
        for file in all.iter().filter(|file| is_rules(file.name)) {
            rules.extend(rule::parse::rules(*file, &vocabulary)?);
        }
        let places = Places::new(
            toml_of::<places::PlacesFile>(text("places.toml"))?.place,
            text("airports.txt").text,
        );
        let mut risks = toml_of::<routes::File>(text("routes.toml"))?.risk;
        for risk in &mut risks {
            risk.write_places_alike(&places);
        }
        Ok(Self {
            version: version_of(&all),
            thresholds: toml_of::<thresholds::File>(text("thresholds.toml"))?.threshold,
            unions: toml_of::<unions::File>(text("unions.toml"))?.union,
            places,
            carriers: Carriers::new(
                toml_of::<places::CarriersFile>(text("carriers.toml"))?.carrier,
            ),
            risks,
            forms: toml_of::<forms::File>(text("forms.toml"))?.form,
            premises: Premises::new(toml_of(text("premises.toml"))?),
            families: premises::families(toml_of(text("families.toml"))?),
            patterns: toml_of(text("patterns.toml"))?,
            findings: Findings::new(toml_of(text("findings.toml"))?),
            languages: toml_of::<LanguagesFile>(text("languages.toml"))?.languages,
            rules,
            rates: Rates::new(toml_of::<RatesFile>(text("rates.toml"))?.rates),
        })
    }

    /// The laws that hold in `jurisdiction` on `day`: its own, then those of its unions.
    pub fn regimes(&self, jurisdiction: &str, day: Date) -> Vec<String> {
        let mut regimes = vec![jurisdiction.to_owned()];
        for union in &self.unions {
            if union.id != jurisdiction && union.has(jurisdiction, day) {
                regimes.push(union.id.clone());
            }
        }
        regimes
    }

    /// Whether `country` belongs to `jurisdiction` (itself, or a member of the union) on `day`.
    pub fn belongs(&self, country: &str, jurisdiction: &str, day: Date) -> bool {
        country == jurisdiction
            || self.unions.iter().any(|union| union.id == jurisdiction && union.has(country, day))
    }
}

/// Whether a file of a pack holds rules.
pub fn is_rules(name: &str) -> bool {
    name.starts_with("rules/") || name.starts_with("rules.")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RatesFile {
    #[serde(default)]
    rates: Vec<RateTable>,
}

/// `languages.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LanguagesFile {
    languages: Vec<String>,
}

/// Reads one TOML file into its typed form.
pub(crate) fn toml_of<T: DeserializeOwned>(file: PolicyFile<'_>) -> Result<T, PolicyError> {
    toml::from_str(file.text).map_err(|error| PolicyError {
        file: file.name.to_owned(),
        line: error.span().map_or(0, |span| line_of(file.text, span.start)),
        what: error.message().to_owned(),
    })
}

/// The line, from 1, of a byte offset.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

fn version_of(files: &[PolicyFile<'_>]) -> String {
    let mut hasher = Sha256::new();
    for file in files {
        hasher.update(file.name.as_bytes());
        hasher.update([0]);
        hasher.update(file.text.as_bytes());
        hasher.update([0]);
    }
    hex::encode(hasher.finalize()).chars().take(16).collect()
}

/// Whether something with these first and last days is in force on `day`.
pub fn in_force(from: Option<Date>, to: Option<Date>, day: Date) -> bool {
    from.is_none_or(|from| from <= day) && to.is_none_or(|to| day <= to)
}

/// The UTC day of an instant: the day by which law is chosen.
pub fn day_of(at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(at).date()
}
