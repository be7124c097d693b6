//! Screening: who on the lists may be the one who crosses, in whatever script either is written.
//!
//! Owns the question ([`Asked`]), the index over the lists ([`Index`]) and the answer ([`Hit`]):
//! how alike the names are, how much evidence supports it, and why, in words. It takes lists as
//! values and reads no file. What a hit means for a crossing is [`crate::engine`].
//!
//! | module | owns |
//! |---|---|
//! | `text` | words of a text, in plain Latin letters |
//! | `korean` | Korean sounds behind every spelling |
//! | `chinese` | Wade-Giles and pinyin in one form |
//! | `lexicon` | words that many names share, in several languages |
//! | `edit` | how alike two words are |
//! | `name` | a name taken apart |
//! | `compare` | how alike two names are |
//! | `evidence` | what speaks for and against beside the name |
//! | `index` | finding the entries worth comparing |
//! | `matcher` | two names alone |
//! | `premises` | addresses, whatever the spelling |
//! | `network` | what links parties, with the evidence of each link |
//! | `question` | a question as JSON gives it |
//! | `search` | terms by which a name is found again |

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::engine::Screener;
use crate::lists::{BirthDate, EntryAddress, EntryKind, Identifier, ListError, builtin};

mod chinese;
mod compare;
mod edit;
mod evidence;
mod index;
mod korean;
mod lexicon;
mod matcher;
mod name;
mod network;
mod premises;
mod question;
mod search;
mod text;

pub use index::Index;
pub use matcher::Matcher;
pub use network::{Edge, LinkKind, Network, Node};
pub(crate) use premises::plain_words;
pub use question::{Question, QuestionError};
pub use search::search_terms;

/// The score from which two names are worth a person's look.
pub const POSSIBLE: f64 = 0.7;

/// The score from which two names agree without more evidence.
pub const AGREES: f64 = 0.85;

/// What is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedKind {
    /// A person.
    Person,
    /// A company or other body.
    Organisation,
    /// A ship.
    Vessel,
    /// An aircraft.
    Aircraft,
    /// Premises.
    Address,
}

impl AskedKind {
    /// The kind of entry that can answer.
    pub fn entry_kind(self) -> EntryKind {
        match self {
            Self::Person => EntryKind::Person,
            Self::Organisation => EntryKind::Organisation,
            Self::Vessel => EntryKind::Vessel,
            Self::Aircraft => EntryKind::Aircraft,
            Self::Address => EntryKind::Address,
        }
    }
}

impl From<EntryKind> for AskedKind {
    fn from(kind: EntryKind) -> Self {
        match kind {
            EntryKind::Person => Self::Person,
            EntryKind::Organisation => Self::Organisation,
            EntryKind::Vessel => Self::Vessel,
            EntryKind::Aircraft => Self::Aircraft,
            EntryKind::Address => Self::Address,
        }
    }
}

/// Somebody or something to look for on the lists.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// What it is; `None` for all kinds.
    pub kind: Option<AskedKind>,
    /// Its names, the first the one it is called by.
    pub names: Vec<String>,
    /// Birth date.
    pub birth: Option<BirthDate>,
    /// Nationalities, flag or state of registration, ISO 3166 alpha-2.
    pub nationalities: Vec<String>,
    /// Numbers: documents, registration, IMO, tail, telephone.
    pub identifiers: Vec<Identifier>,
    /// Addresses.
    pub addresses: Vec<EntryAddress>,
    /// The day it is asked on: own entries that have expired by then do not answer. All do without.
    pub on: Option<Date>,
}

impl Asked {
    /// A question with a name.
    pub fn named(kind: AskedKind, name: &str) -> Self {
        Self { kind: Some(kind), names: vec![name.to_owned()], ..Self::default() }
    }

    /// A question about a person.
    pub fn person(name: &str) -> Self {
        Self::named(AskedKind::Person, name)
    }

    /// Adds a travel document's number and the state that issued it.
    pub fn add_document(&mut self, number: &str, state: Option<&str>) {
        let country = state.and_then(crate::lists::country::code).map(str::to_owned);
        self.identifiers.push(Identifier {
            kind: "passport".to_owned(),
            value: number.to_owned(),
            country,
        });
    }
}

/// What a hit amounts to (contract, section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The names agree, or agree nearly and a number or the birth date does as well.
    Agrees,
    /// A person must compare.
    Possible,
    /// The name fits; birth date, nationality or number do not.
    Contradicted,
}

/// An entry that may be who was asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Name of the list.
    pub list: String,
    /// The list's own id of the entry.
    pub entry: String,
    /// What is listed.
    pub kind: EntryKind,
    /// The listed name that fits best.
    pub name: String,
    /// Under what it is listed.
    pub programme: String,
    /// The day it was listed, where the list says so.
    pub listed_on: Option<jiff::civil::Date>,
    /// How alike the names are, 0 to 1.
    pub score: f64,
    /// How much supports that it is the same, 0 to 1.
    pub evidence: f64,
    /// What it amounts to.
    pub verdict: Verdict,
    /// Why, a sentence each.
    pub explanation: Vec<String>,
}

impl Index {
    /// The index over the built-in lists.
    ///
    /// # Errors
    /// [`ListError`] where a built-in list cannot be read.
    pub fn built_in() -> Result<Self, ListError> {
        Ok(Self::new(builtin::bundles()?))
    }
}

impl Screener for Index {
    fn versions(&self) -> BTreeMap<String, String> {
        self.list_versions()
    }

    fn screen(&self, asked: &Asked) -> Vec<Hit> {
        Self::screen(self, asked)
    }
}
