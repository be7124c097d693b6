//! Exchange rates by day, and exact conversion. A missing rate is an error, never zero.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;
use tidewaiter_proto::money::{Amount, Currency};

use crate::policy::Certainty;

/// Rates of one day (or one period): units of each currency for one unit of the base.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateTable {
    /// The first day the table is for.
    pub date: Date,
    /// The last day the table may be used; without it, until a newer table comes.
    #[serde(default)]
    pub valid_to: Option<Date>,
    /// The currency the others are counted against.
    pub base: Currency,
    /// Who published it.
    pub source: String,
    /// When somebody last compared it with its source.
    #[serde(default)]
    pub checked_on: Option<Date>,
    /// How sure it is.
    #[serde(default)]
    pub certainty: Certainty,
    /// Units for one unit of the base, ISO 4217 code to decimal.
    pub units: BTreeMap<Currency, Decimal>,
}

/// All tables an installation has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    tables: Vec<RateTable>,
    any_day: bool,
}

/// There is no rate between two currencies on a day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no rate from {from} to {to} on {day}")]
pub struct RateMissing {
    /// From which currency.
    pub from: Currency,
    /// To which.
    pub to: Currency,
    /// On which day.
    pub day: Date,
}

/// A sum in another currency, and by which rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// Major units of the target currency, unrounded.
    pub amount: Decimal,
    /// The rate used; `None` where nothing had to be converted.
    pub rate: Option<RateUsed>,
}

/// The rate behind a conversion, for the reason of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateUsed {
    /// From which currency.
    pub from: Currency,
    /// To which.
    pub to: Currency,
    /// Units of `from` for one unit of the base.
    pub from_units: Decimal,
    /// Units of `to` for one unit of the base.
    pub to_units: Decimal,
    /// The day of the table.
    pub date: Date,
    /// Who published it.
    pub source: String,
    /// How sure it is.
    pub certainty: Certainty,
}

impl Rates {
    /// The tables, in any order.
    pub fn new(mut tables: Vec<RateTable>) -> Self {
        tables.sort_by(|a, b| (a.date, &a.source, a.base).cmp(&(b.date, &b.source, b.base)));
        Self { tables, any_day: false }
    }

    /// One table that holds on every day, as a scenario gives it.
    pub fn fixed(table: RateTable) -> Self {
        Self { tables: vec![table], any_day: true }
    }

    /// The tables, oldest first.
    pub fn tables(&self) -> &[RateTable] {
        &self.tables
    }

    /// Converts `sum` as of `day`, by the newest table of that day that knows both currencies.
    ///
    /// # Errors
    /// [`RateMissing`] when no table does, or the result leaves the range of a decimal.
    pub fn convert(&self, sum: Amount, to: Currency, day: Date) -> Result<Converted, RateMissing> {
        if sum.currency == to || sum.amount.is_zero() {
            return Ok(Converted { amount: sum.amount, rate: None });
        }
        let missing = || RateMissing { from: sum.currency, to, day };
        self.tables
            .iter()
            .rev()
            .filter(|table| self.any_day || table.covers(day))
            .find_map(|table| table.convert(sum, to))
            .ok_or_else(missing)
    }
}

impl RateTable {
    fn covers(&self, day: Date) -> bool {
        self.date <= day && self.valid_to.is_none_or(|last| day <= last)
    }

    fn units_of(&self, currency: Currency) -> Option<Decimal> {
        if currency == self.base {
            return Some(Decimal::ONE);
        }
        self.units.get(&currency).copied().filter(|units| *units > Decimal::ZERO)
    }

    fn convert(&self, sum: Amount, to: Currency) -> Option<Converted> {
        let (from_units, to_units) = (self.units_of(sum.currency)?, self.units_of(to)?);
        let amount = sum.amount.checked_mul(to_units)?.checked_div(from_units)?;
        let rate = RateUsed {
            from: sum.currency,
            to,
            from_units,
            to_units,
            date: self.date,
            source: self.source.clone(),
            certainty: self.certainty,
        };
        Some(Converted { amount, rate: Some(rate) })
    }
}

impl RateUsed {
    /// The rate in words: which day, whose, and that it is indicative where it is.
    pub fn in_words(&self) -> String {
        let doubt = match self.certainty {
            Certainty::Read => "",
            Certainty::FromMemory | Certainty::Conflict => ", indicative only",
        };
        format!(
            "{} to {} at {} : {} of {} ({}{doubt})",
            self.from,
            self.to,
            self.from_units.normalize(),
            self.to_units.normalize(),
            self.date,
            self.source
        )
    }
}

/// Rounds to two decimals, halves away from zero: for showing, never for comparing.
pub fn shown(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{RateTable, Rates};
    use crate::policy::Certainty;
    use tidewaiter_proto::money::{Amount, Currency};

    fn table(day: jiff::civil::Date, eur: &str) -> RateTable {
        RateTable {
            date: day,
            valid_to: Some(day),
            base: Currency::USD,
            source: "test".to_owned(),
            checked_on: None,
            certainty: Certainty::Read,
            units: [(Currency::EUR, eur.parse().unwrap())].into(),
        }
    }

    fn eur(amount: &str) -> Amount {
        Amount { currency: Currency::EUR, amount: amount.parse().unwrap() }
    }

    #[test]
    fn the_rate_of_the_day_is_used_and_no_other() {
        let rates =
            Rates::new(vec![table(date(2026, 5, 5), "0.5"), table(date(2026, 5, 4), "0.8")]);
        let sum = rates.convert(eur("8000"), Currency::USD, date(2026, 5, 4)).unwrap();
        assert_eq!(sum.amount, 10_000.into());
        assert!(rates.convert(eur("1"), Currency::USD, date(2026, 5, 6)).is_err());
    }

    #[test]
    fn a_currency_without_a_rate_is_missing_not_zero() {
        let rates = Rates::fixed(table(date(2026, 5, 4), "0.8"));
        let won = Amount { currency: "KPW".parse().unwrap(), amount: 1.into() };
        assert!(rates.convert(won, Currency::USD, date(2020, 1, 1)).is_err());
        assert!(rates.convert(eur("1"), Currency::USD, date(2020, 1, 1)).is_ok());
    }

    #[test]
    fn a_rate_of_zero_is_no_rate() {
        let rates = Rates::fixed(table(date(2026, 5, 4), "0"));
        assert!(rates.convert(eur("1"), Currency::USD, date(2026, 5, 4)).is_err());
    }
}
