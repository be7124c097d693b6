//! What was counted, what was declared, and the difference, by currency.
//!
//! Adds within one currency only; a total across currencies needs a rate and is the risk engine's.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use tidewaiter_proto::body::{Body, Certainty};
use tidewaiter_proto::cash::{CashItem, CountedItem};
use tidewaiter_proto::money::{Amount, Currency};
use tidewaiter_proto::record::Record;

use crate::amended::amended;

/// Counts and declarations of one inspection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Counts in the order they were made.
    pub counts: Vec<Count>,
    /// Declarations in the order they were made.
    pub declarations: Vec<Declared>,
    /// Declared against counted, where there is something of either.
    pub comparison: Vec<Comparison>,
    /// Whether two exact counts differ.
    pub counts_differ: bool,
}

/// One count.
#[derive(Clone, Debug, PartialEq)]
pub struct Count {
    /// Number of its record.
    pub seq: u64,
    /// First count, second count, …
    pub number: u32,
    /// Whether the counter did not see an earlier result.
    pub blind: bool,
    /// Who counted.
    pub officer: String,
    /// Whether events may have been lost.
    pub uncertain: bool,
    /// Pieces set aside as suspect.
    pub suspect: u64,
    /// Notes and coins, by currency and denomination from high to low.
    pub lines: Vec<Line>,
    /// Gold, instruments and whole sums.
    pub other: Vec<CashItem>,
    /// Total of each currency.
    pub totals: Vec<Amount>,
}

/// Notes or coins of one denomination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Currency.
    pub currency: Currency,
    /// Face value of one piece.
    pub denomination: Decimal,
    /// How many.
    pub pieces: u64,
    /// What they come to.
    pub amount: Decimal,
}

/// One declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// Number of its record.
    pub seq: u64,
    /// The declaration's own number.
    pub reference: String,
    /// What was declared.
    pub items: Vec<CashItem>,
    /// Total of each currency.
    pub totals: Vec<Amount>,
}

/// Declared against counted in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Currency.
    pub currency: Currency,
    /// Declared last; `None` when nothing was declared in it.
    pub declared: Option<Decimal>,
    /// Counted last; `None` when nothing was counted in it.
    pub counted: Option<Decimal>,
    /// Counted less declared; `None` unless both sides of the inspection are known.
    pub difference: Option<Decimal>,
}

impl Tally {
    /// Reads the counts and declarations among records.
    pub fn read(records: &[Record]) -> Self {
        let mut tally = Self::default();
        for shown in amended(records) {
            let seq = shown.record.seq;
            match shown.record.body {
                Body::CashCounted(counted) => {
                    let mut lines: BTreeMap<(Currency, std::cmp::Reverse<Decimal>), u64> =
                        BTreeMap::new();
                    let mut other = Vec::new();
                    for item in &counted.items {
                        match item {
                            CountedItem::Pieces { currency, denomination, pieces } => {
                                let key = (*currency, std::cmp::Reverse(*denomination));
                                let sum = lines.entry(key).or_default();
                                *sum = sum.saturating_add(*pieces);
                            }
                            CountedItem::Item(item) => other.push(item.clone()),
                        }
                    }
                    tally.counts.push(Count {
                        seq,
                        number: counted.count,
                        blind: counted.blind,
                        officer: counted.officer,
                        uncertain: counted.certainty == Certainty::Uncertain,
                        suspect: counted.suspect.unwrap_or(0),
                        lines: lines
                            .into_iter()
                            .map(|((currency, denomination), pieces)| Line {
                                currency,
                                denomination: denomination.0,
                                pieces,
                                amount: denomination
                                    .0
                                    .checked_mul(Decimal::from(pieces))
                                    .unwrap_or(Decimal::MAX),
                            })
                            .collect(),
                        other,
                        totals: totals(counted.items.iter().filter_map(CountedItem::amount)),
                    });
                }
                Body::DeclarationMade(declaration) => tally.declarations.push(Declared {
                    seq,
                    reference: declaration.reference,
                    totals: totals(declaration.items.iter().filter_map(CashItem::amount)),
                    items: declaration.items,
                }),
                _ => {}
            }
        }
        tally.counts_differ = differ(&tally.counts);
        tally.comparison = compare(tally.declarations.last(), tally.counts.last());
        tally
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty() && self.declarations.is_empty()
    }

    /// Number for the next count.
    pub fn next_count(&self) -> u32 {
        self.counts.iter().map(|count| count.number).max().unwrap_or(0).saturating_add(1)
    }
}

/// Sums by currency, in the order of the codes. A sum beyond a decimal stays at its limit.
pub fn totals(amounts: impl Iterator<Item = (Currency, Decimal)>) -> Vec<Amount> {
    let mut sums: BTreeMap<Currency, Decimal> = BTreeMap::new();
    for (currency, amount) in amounts {
        let sum = sums.entry(currency).or_default();
        *sum = sum.checked_add(amount).unwrap_or(Decimal::MAX);
    }
    sums.into_iter().map(|(currency, amount)| Amount { currency, amount }).collect()
}

/// Two that agree settle an earlier difference, so only the last two exact counts matter.
fn differ(counts: &[Count]) -> bool {
    let mut exact = counts.iter().rev().filter(|count| !count.uncertain);
    match (exact.next(), exact.next()) {
        (Some(last), Some(before)) => last.totals != before.totals,
        _ => false,
    }
}

fn compare(declared: Option<&Declared>, counted: Option<&Count>) -> Vec<Comparison> {
    let mut rows: BTreeMap<Currency, (Option<Decimal>, Option<Decimal>)> = BTreeMap::new();
    for amount in declared.iter().flat_map(|declared| &declared.totals) {
        rows.entry(amount.currency).or_default().0 = Some(amount.amount);
    }
    for amount in counted.iter().flat_map(|counted| &counted.totals) {
        rows.entry(amount.currency).or_default().1 = Some(amount.amount);
    }
    let certain = counted.is_some_and(|count| !count.uncertain);
    rows.into_iter()
        .map(|(currency, (on_paper, in_hand))| Comparison {
            currency,
            declared: on_paper,
            counted: in_hand,
            difference: certain
                .then(|| in_hand.unwrap_or_default().checked_sub(on_paper.unwrap_or_default()))
                .flatten(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Tally;
    use rust_decimal::Decimal;
    use serde_json::json;
    use tidewaiter_proto::record::Record;

    fn count(seq: u64, number: u32, hundreds: u64, certainty: &str) -> Record {
        serde_json::from_value(json!({
            "station": "ruvvo/dep-07", "seq": seq, "at": "2018-11-16T03:16:00Z",
            "inspection": "a", "source": {"device": "counter-1"},
            "body": {"type": "cash_counted", "count": number, "blind": true, "officer": "o-11",
                "certainty": certainty, "items": [
                    {"currency": "USD", "denomination": "100", "pieces": hundreds},
                    {"currency": "EUR", "denomination": "500", "pieces": 2}]}
        }))
        .unwrap()
    }

    #[test]
    fn a_count_is_totalled_by_currency_and_never_across() {
        let tally = Tally::read(&[count(4, 1, 1923, "exact")]);
        let totals: Vec<_> = tally.counts[0].totals.iter().map(ToString::to_string).collect();
        assert_eq!(totals, ["EUR 1,000", "USD 192,300"]);
        assert_eq!(tally.comparison[1].difference, Some(Decimal::from(192_300)));
    }

    #[test]
    fn two_counts_that_agree_settle_an_earlier_difference() {
        let first = count(4, 1, 1923, "exact");
        let second = count(5, 2, 1922, "exact");
        let third = count(6, 3, 1922, "exact");
        assert!(Tally::read(&[first.clone(), second.clone()]).counts_differ);
        assert!(!Tally::read(&[first, second, third]).counts_differ);
    }

    #[test]
    fn an_uncertain_count_gives_no_difference() {
        let tally = Tally::read(&[count(4, 1, 1923, "uncertain")]);
        assert!(tally.comparison.iter().all(|row| row.difference.is_none()));
        assert!(!tally.counts_differ);
    }
}
