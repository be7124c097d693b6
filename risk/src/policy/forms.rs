//! What each declaration form requires.

use jiff::civil::Date;
use serde::Deserialize;
use tidewaiter_proto::body;

/// `forms.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    #[serde(default)]
    pub(crate) form: Vec<Form>,
}

/// A field a form may require.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Required {
    /// The declaration's own number.
    Reference,
    /// A name of the owner, where it is not the carrier.
    OwnerName,
    /// A name of the recipient, where it is not the carrier.
    RecipientName,
    /// A known code of provenance.
    Provenance,
    /// A known code of intended use.
    IntendedUse,
    /// The sender of a consignment.
    Sender,
}

/// One form.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// Which.
    pub form: body::Form,
    /// What it always requires.
    pub required: Vec<Required>,
    /// What it requires beside that for a consignment.
    #[serde(default)]
    pub required_unaccompanied: Vec<Required>,
    /// Where it is laid down.
    pub article: String,
    /// Where it was read.
    pub source: String,
    /// When.
    pub checked_on: Date,
}

impl Required {
    /// In words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Reference => "its number",
            Self::OwnerName => "the owner's name",
            Self::RecipientName => "the recipient's name",
            Self::Provenance => "the economic provenance",
            Self::IntendedUse => "the intended use",
            Self::Sender => "the sender",
        }
    }
}
