//! Duties about cash as dated data: from which sum on, in which direction, of what.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tidewaiter_proto::body::Direction;
use tidewaiter_proto::money::{Amount, Currency};

use super::{Certainty, in_force};

/// `thresholds.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    #[serde(default)]
    pub(crate) threshold: Vec<Threshold>,
}

/// What a threshold is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The carrier declares unasked.
    Declare,
    /// Bearer-negotiable instruments are declared, apart from cash.
    DeclareInstruments,
    /// Gold is declared by weight, apart from cash.
    DeclareGold,
    /// The authority may ask for a disclosure.
    Disclose,
    /// Documents prove the origin.
    ProveOrigin,
    /// The export is prohibited.
    ExportProhibited,
    /// No more may leave than was declared on entry.
    WithinEntry,
}

/// How a sum is held against a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparator {
    /// The limit itself triggers.
    AtLeast,
    /// Only more than the limit triggers.
    Over,
}

/// Whether a duty is about travellers or consignments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Carriage {
    /// Carried by a person.
    Accompanied,
    /// Sent by post, courier or freight.
    Unaccompanied,
    /// Both.
    Both,
}

/// What is summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Banknotes and coins.
    Currency,
    /// Traveller's cheques.
    TravellersCheque,
    /// Other bearer-negotiable instruments; to a named payee never.
    Instrument,
    /// Gold as a store of value.
    Gold,
    /// Prepaid cards.
    PrepaidCard,
}

/// Whose cash is added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Together {
    /// A family.
    Family,
    /// A booking.
    Booking,
    /// A tour.
    Tour,
    /// Carriers of one owner.
    Owner,
    /// Minors and their guardian.
    Guardian,
}

/// What is held against the tiers: a reading of the law, so it is data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TierOf {
    /// What exceeds the limit: the part that might have been carried freely is deducted.
    #[default]
    Excess,
    /// The whole sum.
    Whole,
}

/// One duty.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// Stable name.
    pub id: String,
    /// ISO alpha-2 or a union.
    pub jurisdiction: String,
    /// What it is for.
    pub purpose: Purpose,
    /// How the sum is held against it.
    pub comparator: Comparator,
    /// The limit in major units; without it the limit is `grams`.
    #[serde(default)]
    pub amount: Option<Decimal>,
    /// The limit in grams of gold.
    #[serde(default)]
    pub grams: Option<Decimal>,
    /// Currency of the limit.
    pub currency: Currency,
    /// In which directions.
    pub directions: Vec<Direction>,
    /// For travellers or consignments.
    pub carriage: Carriage,
    /// What is summed.
    pub counts: Vec<Counted>,
    /// Only these currencies.
    #[serde(default)]
    pub currencies: Vec<Currency>,
    /// All but these.
    #[serde(default)]
    pub except_currencies: Vec<Currency>,
    /// Only when the journey ends in one of these states.
    #[serde(default)]
    pub bound_for: Vec<String>,
    /// Not when the journey ends in one of these.
    #[serde(default)]
    pub not_bound_for: Vec<String>,
    /// Only when the journey begins in one of these.
    #[serde(default)]
    pub coming_from: Vec<String>,
    /// Whose cash is added up.
    #[serde(default)]
    pub together: Vec<Together>,
    /// Below this age the cash is the guardian's.
    #[serde(default)]
    pub adult_from: Option<i16>,
    /// Below this age an adult who comes along declares; the sum is the minor's own all the same.
    #[serde(default)]
    pub declares_from: Option<i16>,
    /// Only cash that is carried or sent for a company.
    #[serde(default)]
    pub for_companies: bool,
    /// Only from the second trip within so many days on.
    #[serde(default)]
    pub again_within_days: Option<i64>,
    /// Coins count from this fineness on.
    #[serde(default)]
    pub coin_fineness: Option<Decimal>,
    /// Bars and nuggets count from this fineness on.
    #[serde(default)]
    pub bar_fineness: Option<Decimal>,
    /// Gold counts above this fineness.
    #[serde(default)]
    pub fineness_over: Option<Decimal>,
    /// Days to answer a request for disclosure.
    #[serde(default)]
    pub days_to_answer: Option<i64>,
    /// How the excess is held against the tiers; at least, unless said.
    #[serde(default)]
    pub tier_comparator: Option<Comparator>,
    /// What is held against the tiers.
    #[serde(default)]
    pub tier_of: TierOf,
    /// First day in force.
    #[serde(default)]
    pub valid_from: Option<Date>,
    /// Last day in force.
    #[serde(default)]
    pub valid_to: Option<Date>,
    /// Article.
    pub article: String,
    /// Where it was read.
    pub source: String,
    /// When.
    pub checked_on: Date,
    /// How sure it is.
    pub certainty: Certainty,
    /// What else there is to know.
    #[serde(default)]
    pub note: Option<String>,
}

impl Comparator {
    /// Whether `sum` meets `limit`.
    pub fn meets(self, sum: Decimal, limit: Decimal) -> bool {
        match self {
            Self::AtLeast => sum >= limit,
            Self::Over => sum > limit,
        }
    }

    /// In words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::AtLeast => "at or over",
            Self::Over => "over",
        }
    }
}

impl Threshold {
    /// Whether it is in force on `day`.
    pub fn in_force(&self, day: Date) -> bool {
        in_force(self.valid_from, self.valid_to, day)
    }

    /// The limit as a sum of money; zero where it is a weight.
    pub fn limit(&self) -> Amount {
        Amount { currency: self.currency, amount: self.amount.unwrap_or_default() }
    }

    /// Whether a sum in the limit's currency triggers it.
    pub fn met_by(&self, sum: Decimal) -> bool {
        self.amount.is_some_and(|limit| self.comparator.meets(sum, limit))
    }

    /// The limit in words: `over USD 10,000`, `over 1000 g`, `of any amount`.
    pub fn in_words(&self) -> String {
        match self.grams {
            Some(grams) => format!("{} {} g", self.comparator.in_words(), grams.normalize()),
            None if self.limit().amount.is_zero() => "of any amount".to_owned(),
            None => format!("{} {}", self.comparator.in_words(), self.limit()),
        }
    }

    /// Article, with what is doubtful about it.
    pub fn legal_basis(&self) -> String {
        let mut text = format!("{}{}", self.article, self.certainty.caveat());
        if let Some(note) = &self.note {
            text.push_str("; ");
            text.push_str(note);
        }
        text
    }

    /// Whether amounts in `currency` are summed.
    pub fn sums(&self, currency: Currency) -> bool {
        (self.currencies.is_empty() || self.currencies.contains(&currency))
            && !self.except_currencies.contains(&currency)
    }
}
