//! Birth dates as lists give them: a day, a year, about a year, a span.
//!
//! Owns reading and comparing them; knows nothing about who is being compared.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A birth date known to lie within a span of days; one day where the list is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BirthDate {
    /// The first day it can be.
    pub from: Date,
    /// The last day it can be.
    pub to: Date,
    /// Whether the list says "about".
    pub circa: bool,
}

/// How two birth dates compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BirthAgreement {
    /// The same day, both exact.
    SameDay,
    /// The spans meet, but one side is not exact.
    Possible,
    /// They cannot be the same, even with two years of error where the list says "about".
    Different,
}

/// A birth date in a shape we do not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a birth date")]
pub struct BirthDateError(String);

impl BirthDate {
    /// One day.
    pub const fn day(date: Date) -> Self {
        Self { from: date, to: date, circa: false }
    }

    /// Some day of a year, or of about that year.
    pub fn year(year: i16, circa: bool) -> Option<Self> {
        Some(Self { from: Date::new(year, 1, 1).ok()?, to: Date::new(year, 12, 31).ok()?, circa })
    }

    /// Whether it names a single day.
    pub fn is_exact(&self) -> bool {
        self.from == self.to && !self.circa
    }

    /// Compares with another birth date.
    pub fn compare(&self, other: &Self) -> BirthAgreement {
        let slack = |d: &Self| if d.circa { jiff::Span::new().years(2) } else { jiff::Span::new() };
        let first = |d: &Self| d.from.checked_sub(slack(d)).unwrap_or(d.from);
        let last = |d: &Self| d.to.checked_add(slack(d)).unwrap_or(d.to);
        if first(self) > last(other) || first(other) > last(self) {
            return BirthAgreement::Different;
        }
        if self.is_exact() && other.is_exact() {
            return BirthAgreement::SameDay;
        }
        BirthAgreement::Possible
    }

    /// Reads a publisher's way of writing: `07 Jan 1930`, `Aug 1966`, `1947`, `circa 1947`,
    /// `01 Jan 1953 to 31 Dec 1953`, `1975-03-02`, `1940-1945`.
    pub fn parse(text: &str) -> Result<Self, BirthDateError> {
        let wrong = || BirthDateError(text.to_owned());
        let trimmed = text.trim();
        let lower = trimmed.to_ascii_lowercase();
        for mark in ["circa ", "approximately ", "about ", "c. ", "ca. ", "~"] {
            if let Some(rest) = lower.strip_prefix(mark) {
                let inner = Self::parse(rest)?;
                return Ok(Self { circa: true, ..inner });
            }
        }
        for between in [" to ", ".."] {
            if let Some((from, to)) = lower.split_once(between) {
                let (from, to) = (Self::parse(from)?, Self::parse(to)?);
                let circa = from.circa || to.circa;
                return Ok(Self { from: from.from.min(to.from), to: to.to.max(from.to), circa });
            }
        }
        if let Ok(date) = lower.get(..10).unwrap_or(&lower).parse::<Date>() {
            return Ok(Self::day(date));
        }
        if let Some((from, to)) = lower.split_once('-')
            && from.len() == 4
            && to.len() == 4
        {
            let (from, to) = (Self::parse(from)?, Self::parse(to)?);
            return Ok(Self { from: from.from, to: to.to, circa: false });
        }
        let words: Vec<&str> = lower.split_whitespace().collect();
        match words.as_slice() {
            [year] => {
                let year = year.parse().map_err(|_| wrong())?;
                if !(1800..=2200).contains(&year) {
                    return Err(wrong());
                }
                Self::year(year, false).ok_or_else(wrong)
            }
            [month, year] => {
                let (month, year) =
                    (month_number(month).ok_or_else(wrong)?, year.parse().map_err(|_| wrong())?);
                let from = Date::new(year, month, 1).map_err(|_| wrong())?;
                Ok(Self { from, to: from.last_of_month(), circa: false })
            }
            [day, month, year] => {
                let month = month_number(month).ok_or_else(wrong)?;
                let day = day.parse().map_err(|_| wrong())?;
                let year = year.parse().map_err(|_| wrong())?;
                Ok(Self::day(Date::new(year, month, day).map_err(|_| wrong())?))
            }
            _ => Err(wrong()),
        }
    }
}

fn month_number(word: &str) -> Option<i8> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let start = word.get(..3)?;
    let at = MONTHS.iter().position(|month| *month == start)?;
    i8::try_from(at + 1).ok()
}

impl fmt::Display for BirthDate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.circa {
            formatter.write_str("circa ")?;
        }
        let whole_years = (self.from.month(), self.from.day()) == (1, 1)
            && (self.to.month(), self.to.day()) == (12, 31);
        if self.from == self.to {
            write!(formatter, "{}", self.from)
        } else if whole_years && self.from.year() == self.to.year() {
            write!(formatter, "{}", self.from.year())
        } else {
            write!(formatter, "{}..{}", self.from, self.to)
        }
    }
}

impl FromStr for BirthDate {
    type Err = BirthDateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for BirthDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BirthDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
