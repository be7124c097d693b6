//! Sanctions lists and an authority's own lists, as one typed form.
//!
//! Owns what a list entry is, the dated and versioned bundle, and how the publishers' files become
//! bundles. It reads no file and no clock: callers hand over bytes and the day. It decides nothing
//! about who matches an entry; that is [`crate::screening`].

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub mod birth;
pub mod builtin;
pub mod canonical;
pub mod country;
pub mod difference;
pub mod eu;
pub mod ofac;
pub mod plain;
pub mod uk;
pub mod un;
mod xml;

pub use birth::BirthDate;
pub use canonical::{read_bundle, write_bundle};
pub use difference::{ListDifference, check_not_shrunken};

/// What a listed entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A natural person.
    Person,
    /// A company, ministry, bank, party or group.
    Organisation,
    /// A ship.
    Vessel,
    /// An aircraft, known by its tail number.
    Aircraft,
    /// Premises watched for themselves.
    Address,
}

impl EntryKind {
    /// The word of the plain list format for this kind.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Organisation => "organisation",
            Self::Vessel => "vessel",
            Self::Aircraft => "aircraft",
            Self::Address => "address",
        }
    }

    /// Reads the word of the plain list format, British or American spelling, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        match word.trim().to_ascii_lowercase().as_str() {
            "person" | "individual" => Some(Self::Person),
            "organisation" | "organization" | "entity" | "company" | "legalentity" => {
                Some(Self::Organisation)
            }
            "vessel" | "ship" => Some(Self::Vessel),
            "aircraft" => Some(Self::Aircraft),
            "address" | "premises" => Some(Self::Address),
            _ => None,
        }
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// How much a publisher trusts an alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AliasQuality {
    /// A name the entry is known to use (OFAC's alt file, UN "Good").
    Strong,
    /// A nickname, an acronym or a doubtful name (OFAC's quoted remarks, UN "Low").
    Weak,
}

/// The script most letters of a name are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Script {
    /// Latin letters, with or without marks.
    Latin,
    /// Cyrillic letters.
    Cyrillic,
    /// Korean letters.
    Hangul,
    /// Chinese characters, Korean Hanja and Japanese Kanji among them.
    Han,
    /// Arabic letters, Persian ones among them.
    Arabic,
    /// Any other script, and names without a letter.
    Other,
}

impl Script {
    /// The script of one character; `None` for digits, spaces and signs.
    pub fn of_char(c: char) -> Option<Self> {
        let code = u32::from(c);
        match code {
            0x41..=0x5A | 0x61..=0x7A | 0xC0..=0x24F | 0x1E00..=0x1EFF => {
                (code != 0xD7 && code != 0xF7).then_some(Self::Latin)
            }
            0x400..=0x52F => Some(Self::Cyrillic),
            0x1100..=0x11FF | 0x3130..=0x318F | 0xAC00..=0xD7A3 => Some(Self::Hangul),
            0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x2FA1F => {
                Some(Self::Han)
            }
            0x600..=0x65F | 0x66E..=0x6EF | 0x6FA..=0x77F | 0xFB50..=0xFDFF | 0xFE70..=0xFEFF => {
                Some(Self::Arabic)
            }
            _ if c.is_alphabetic() => Some(Self::Other),
            _ => None,
        }
    }

    /// The script most letters of `text` belong to.
    pub fn of(text: &str) -> Self {
        let order =
            [Self::Latin, Self::Cyrillic, Self::Hangul, Self::Han, Self::Arabic, Self::Other];
        let mut counts = [0_usize; 6];
        for script in text.chars().filter_map(Self::of_char) {
            if let Some(at) = order.iter().position(|s| *s == script)
                && let Some(count) = counts.get_mut(at)
            {
                *count += 1;
            }
        }
        let best = counts.iter().copied().max().unwrap_or(0);
        if best == 0 {
            return Self::Other;
        }
        order.into_iter().zip(counts).find(|(_, n)| *n == best).map_or(Self::Other, |(s, _)| s)
    }
}

/// Another name of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// The name as the list writes it.
    pub name: String,
    /// How much the publisher trusts it.
    pub quality: AliasQuality,
    /// The script it is written in.
    pub script: Script,
}

impl Alias {
    /// An alias in whatever script `name` is written.
    pub fn new(name: impl Into<String>, quality: AliasQuality) -> Self {
        let name = name.into();
        let script = Script::of(&name);
        Self { name, quality, script }
    }
}

/// A number or an address of the wires that names one entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identifier {
    /// What it is: `imo`, `tail`, `mmsi`, `passport`, `national_id`, `registration`, `tax`,
    /// `phone`, `email`, `website`, `serial`, `swift`, or a publisher's own word in snake case.
    pub kind: String,
    /// The value as the list writes it.
    pub value: String,
    /// The issuing country, ISO 3166 alpha-2, where the list says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// Premises as a list writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryAddress {
    /// The address without its country, one line an element, none empty.
    pub lines: Vec<String>,
    /// The country, ISO 3166 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// What a list says about a ship beside its numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VesselFacts {
    /// The flag as the list writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<String>,
    /// The owner as the list writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The radio call sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_sign: Option<String>,
    /// The type of ship.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vessel_type: Option<String>,
}

impl VesselFacts {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One listed person, organisation, vessel, aircraft or address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListEntry {
    /// The list's own id, as a string: OFAC's number, the UN's reference, an own word.
    pub entry: String,
    /// What is listed.
    pub kind: EntryKind,
    /// The first name the list gives.
    pub name: String,
    /// The other names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Alias>,
    /// The programme or regulation under which it is listed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub programme: String,
    /// The day of listing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed_on: Option<Date>,
    /// The day an own entry stops counting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_on: Option<Date>,
    /// Birth dates, several where the list gives several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub birth_dates: Vec<BirthDate>,
    /// Nationalities and citizenships, ISO 3166 alpha-2.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nationalities: Vec<String>,
    /// Numbers that name the entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// Premises.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<EntryAddress>,
    /// What the list says about a ship.
    #[serde(default, skip_serializing_if = "VesselFacts::is_empty")]
    pub vessel: VesselFacts,
    /// Names the list links this entry to: operator, owner, "Linked To".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub linked_to: Vec<String>,
    /// Why an authority keeps this entry on a list of its own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Who put it there.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub author: String,
    /// The rest of what the list says, in its own words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl ListEntry {
    /// An entry with nothing but an id, a kind and a name.
    pub fn new(entry: impl Into<String>, kind: EntryKind, name: impl Into<String>) -> Self {
        Self {
            entry: entry.into(),
            kind,
            name: name.into(),
            aliases: Vec::new(),
            programme: String::new(),
            listed_on: None,
            expires_on: None,
            birth_dates: Vec::new(),
            nationalities: Vec::new(),
            identifiers: Vec::new(),
            addresses: Vec::new(),
            vessel: VesselFacts::default(),
            linked_to: Vec::new(),
            reason: String::new(),
            author: String::new(),
            note: String::new(),
        }
    }

    /// Every name with its quality, the first name first.
    pub fn names(&self) -> impl Iterator<Item = (&str, AliasQuality)> {
        std::iter::once((self.name.as_str(), AliasQuality::Strong))
            .chain(self.aliases.iter().map(|alias| (alias.name.as_str(), alias.quality)))
    }

    /// Adds an alias unless the entry already has that name.
    pub(crate) fn add_alias(&mut self, name: &str, quality: AliasQuality) {
        let name = name.trim();
        if !name.is_empty() && self.names().all(|(known, _)| known != name) {
            self.aliases.push(Alias::new(name, quality));
        }
    }
}

/// One list as of one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListBundle {
    /// The short name: `ofac`, `un`, `eu`, `own`, or an authority's own word.
    pub name: String,
    /// The day the publisher's content is of.
    pub as_of: Date,
    /// SHA-256 of the entries' canonical JSON, in hex: the same entries, the same version.
    pub version: String,
    /// Where the content comes from, in words.
    pub source: String,
    /// The entries, in the publisher's order.
    pub entries: Vec<ListEntry>,
}

impl ListBundle {
    /// A bundle of `entries`, its version computed from them.
    pub fn new(
        name: impl Into<String>,
        as_of: Date,
        source: impl Into<String>,
        entries: Vec<ListEntry>,
    ) -> Self {
        let version = canonical::content_hash(&entries);
        Self { name: name.into(), as_of, version, source: source.into(), entries }
    }

    /// The entry with this id, if the bundle has it.
    pub fn entry(&self, id: &str) -> Option<&ListEntry> {
        self.entries.iter().find(|entry| entry.entry == id)
    }
}

/// One file of a publisher, read by the caller.
#[derive(Debug, Clone, Copy)]
pub struct SourceFile<'a> {
    /// What to call it in messages.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

impl<'a> SourceFile<'a> {
    /// The file as UTF-8 text without its byte order mark; refuses any other encoding with the line.
    pub(crate) fn text(&self) -> Result<&'a str, ListError> {
        let text = std::str::from_utf8(self.bytes).map_err(|error| {
            let before = self.bytes.get(..error.valid_up_to()).unwrap_or_default();
            ListError::Broken {
                file: self.name.to_owned(),
                line: line_at(before),
                what: "the text is not valid UTF-8".to_owned(),
            }
        })?;
        Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
    }

    pub(crate) fn broken(&self, line: u64, what: impl Into<String>) -> ListError {
        ListError::Broken { file: self.name.to_owned(), line, what: what.into() }
    }
}

/// The number of the line that follows `before`, from 1.
pub(crate) fn line_at(before: &[u8]) -> u64 {
    before.iter().fold(1, |line, byte| line + u64::from(*byte == b'\n'))
}

/// Why a list was refused. The bundle in force stays in force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// A file that is not what it should be.
    #[error("{file}, line {line}: {what}")]
    Broken {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// Files that do not make a list together.
    #[error("list {list}: {what}")]
    Incomplete {
        /// The list.
        list: String,
        /// What is missing.
        what: String,
    },
    /// A new list with suspiciously few entries.
    #[error(
        "list {list}: the new file has {new} entries where {old} are in force; a list that shrinks by more than {percent} % is taken for a broken download"
    )]
    Shrunken {
        /// The list.
        list: String,
        /// Entries in force.
        old: usize,
        /// Entries offered.
        new: usize,
        /// The bound, in per cent.
        percent: usize,
    },
}
