//! What somebody carries: sums by currency and kind, out of declarations and counts.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use tidewaiter_proto::body::{CashCounted, Certainty, DeclarationMade};
use tidewaiter_proto::cash::{CashItem, CountedItem, GoldForm, Instrument, Payee};
use tidewaiter_proto::money::{Amount, Currency};
use tidewaiter_proto::record::Record;

use super::Crossing;
use crate::policy::thresholds::{Counted, Threshold};
use crate::rates::{RateUsed, Rates};

/// Sums by currency, major units.
pub type Sums = BTreeMap<Currency, Decimal>;

/// Gold as counted or declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gold {
    /// Coin (0), bar (1), nugget (2).
    form: u8,
    /// Share of pure gold.
    pub fineness: Decimal,
    /// Weight.
    pub grams: Decimal,
    /// Stated value.
    pub value: Option<(Currency, Decimal)>,
}

/// Sums by kind of cash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Banknotes and coins.
    pub notes: Sums,
    /// Traveller's cheques.
    pub cheques: Sums,
    /// Other instruments to bearer, without a payee or with a fictitious one.
    pub instruments: Sums,
    /// Instruments to a named payee, which no law counts as cash.
    pub named: Sums,
    /// Prepaid cards.
    pub prepaid: Sums,
    /// Gold.
    pub gold: Vec<Gold>,
}

/// A total in one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// What could be converted, unrounded.
    pub amount: Decimal,
    /// Currencies without a rate.
    pub missing: Vec<Currency>,
    /// The rates used.
    pub rates: Vec<RateUsed>,
}

/// What the counts of a crossing say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Count {
    /// Nobody counted.
    None,
    /// Only counts that may have lost notes.
    Uncertain(Vec<u64>),
    /// Exact counts that do not agree, none of them twice.
    Disagree(Vec<u64>),
    /// One exact count, or two that agree, with their records.
    Settled(Box<Holdings>, Vec<u64>),
}

/// Troy ounce in grams.
const TROY_OUNCE: &str = "31.1034768";

/// A sum beyond anything that crosses a border: where adding would leave the range of a decimal.
fn beyond() -> Decimal {
    Decimal::from(1_000_000_000_000_000_000_u64)
}

fn add(sums: &mut Sums, currency: Currency, amount: Decimal) {
    let sum = sums.entry(currency).or_default();
    *sum = sum.checked_add(amount).unwrap_or_else(beyond);
}

impl Gold {
    fn new(form: GoldForm, fineness: Decimal, grams: Decimal, value: Option<Amount>) -> Self {
        let form = match form {
            GoldForm::Coin => 0,
            GoldForm::Bar => 1,
            GoldForm::Nugget => 2,
        };
        let value = value.map(|value| (value.currency, value.amount));
        Self { form, fineness, grams, value }
    }

    /// Whether `threshold` counts it, by form and fineness.
    pub fn counts_for(&self, threshold: &Threshold) -> bool {
        let least = if self.form == 0 { threshold.coin_fineness } else { threshold.bar_fineness };
        least.is_none_or(|least| self.fineness >= least)
            && threshold.fineness_over.is_none_or(|limit| self.fineness > limit)
    }

    /// Coin, bar or nugget.
    pub fn form_in_words(&self) -> &'static str {
        match self.form {
            0 => "coins",
            1 => "bars",
            _ => "nuggets",
        }
    }

    /// Its stated value, or its pure weight in troy ounces.
    fn value(&self) -> Option<Amount> {
        if let Some((currency, amount)) = self.value {
            return Some(Amount { currency, amount });
        }
        let ounce: Decimal = TROY_OUNCE.parse().ok()?;
        let amount = self.grams.checked_mul(self.fineness)?.checked_div(ounce)?;
        Some(Amount { currency: "XAU".parse().ok()?, amount })
    }
}

impl Holdings {
    /// What a declaration lists.
    pub fn declared(items: &[CashItem]) -> Self {
        let mut holdings = Self::default();
        for item in items {
            holdings.add_item(item);
        }
        holdings
    }

    /// What a count lists.
    pub fn counted(items: &[CountedItem]) -> Self {
        let mut holdings = Self::default();
        for item in items {
            match item {
                CountedItem::Pieces { currency, .. } => {
                    let value = item.amount().map_or_else(beyond, |(_, value)| value);
                    add(&mut holdings.notes, *currency, value);
                }
                CountedItem::Item(item) => holdings.add_item(item),
            }
        }
        holdings
    }

    fn add_item(&mut self, item: &CashItem) {
        match item {
            CashItem::Currency { currency, amount } => add(&mut self.notes, *currency, *amount),
            CashItem::BearerInstrument { instrument, payee, currency, amount } => {
                let sums = match (instrument, payee) {
                    (Instrument::TravellersCheque, _) => &mut self.cheques,
                    (_, Payee::Named) => &mut self.named,
                    (_, Payee::Bearer | Payee::Omitted | Payee::Fictitious) => {
                        &mut self.instruments
                    }
                };
                add(sums, *currency, *amount);
            }
            CashItem::Gold { form, fineness, grams, currency, amount } => {
                let value = currency.zip(*amount);
                let value = value.map(|(currency, amount)| Amount { currency, amount });
                self.gold.push(Gold::new(*form, *fineness, *grams, value));
                self.gold.sort();
            }
            CashItem::PrepaidCard { currency, amount } => {
                add(&mut self.prepaid, *currency, *amount);
            }
        }
    }

    /// Adds another's sums to these.
    pub fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.notes, &other.notes),
            (&mut self.cheques, &other.cheques),
            (&mut self.instruments, &other.instruments),
            (&mut self.named, &other.named),
            (&mut self.prepaid, &other.prepaid),
        ];
        for (own, others) in pairs {
            for (currency, amount) in others {
                add(own, *currency, *amount);
            }
        }
        self.gold.extend(&other.gold);
        self.gold.sort();
    }

    /// Whether there is nothing of value.
    pub fn is_zero(&self) -> bool {
        let sums = [&self.notes, &self.cheques, &self.instruments, &self.named, &self.prepaid];
        sums.iter().all(|sums| sums.values().all(Decimal::is_zero))
            && self.gold.iter().all(|gold| gold.grams.is_zero())
    }

    /// The same without idle zeros, so that counts compare by value.
    fn normal(mut self) -> Self {
        let sums = [
            &mut self.notes,
            &mut self.cheques,
            &mut self.instruments,
            &mut self.named,
            &mut self.prepaid,
        ];
        for sums in sums {
            sums.retain(|_, amount| !amount.is_zero());
        }
        self
    }

    /// These, with the kinds that a count of notes cannot see taken from a declaration.
    #[must_use]
    pub fn completed_by(&self, declared: &Self) -> Self {
        let mut whole = self.clone();
        let pick = |own: &mut Sums, other: &Sums| {
            if own.is_empty() {
                own.clone_from(other);
            }
        };
        pick(&mut whole.cheques, &declared.cheques);
        pick(&mut whole.instruments, &declared.instruments);
        pick(&mut whole.named, &declared.named);
        pick(&mut whole.prepaid, &declared.prepaid);
        if whole.gold.is_empty() {
            whole.gold.clone_from(&declared.gold);
        }
        whole
    }

    /// Total of what `threshold` counts, in its currency, at the rates of `day`.
    pub fn total(&self, threshold: &Threshold, rates: &Rates, day: Date) -> Total {
        let mut sums = Sums::new();
        for kind in &threshold.counts {
            let of_kind = match kind {
                Counted::Currency => &self.notes,
                Counted::TravellersCheque => &self.cheques,
                Counted::Instrument => &self.instruments,
                Counted::PrepaidCard => &self.prepaid,
                Counted::Gold => {
                    for gold in self.gold.iter().filter(|gold| gold.counts_for(threshold)) {
                        if let Some(value) = gold.value() {
                            add(&mut sums, value.currency, value.amount);
                        }
                    }
                    continue;
                }
            };
            for (currency, amount) in of_kind.iter().filter(|(c, _)| threshold.sums(**c)) {
                add(&mut sums, *currency, *amount);
            }
        }
        total_of(&sums, threshold.currency, rates, day)
    }

    /// Grams of the gold that `threshold` counts.
    pub fn grams(&self, threshold: &Threshold) -> Decimal {
        self.gold
            .iter()
            .filter(|gold| gold.counts_for(threshold))
            .fold(Decimal::ZERO, |sum, gold| sum.checked_add(gold.grams).unwrap_or_else(beyond))
    }

    /// Everything that is or stands for money, by currency: notes, cheques, instruments, cards.
    pub fn money(&self) -> Sums {
        let mut all = self.notes.clone();
        for sums in [&self.cheques, &self.instruments, &self.prepaid] {
            for (currency, amount) in sums {
                add(&mut all, *currency, *amount);
            }
        }
        all
    }

    /// To read out: `USD 192,300 and EUR 1,000`.
    pub fn in_words(&self) -> String {
        let mut parts = sums_in_words(&self.money());
        parts.extend(self.gold.iter().map(|gold| {
            format!(
                "{} g of gold ({}, {})",
                gold.grams.normalize(),
                gold.form_in_words(),
                gold.fineness.normalize()
            )
        }));
        joined(&parts, "nothing")
    }
}

/// Sums to read out, one a currency.
pub fn sums_in_words(sums: &Sums) -> Vec<String> {
    sums.iter()
        .filter(|(_, amount)| !amount.is_zero())
        .map(|(currency, amount)| Amount { currency: *currency, amount: *amount }.to_string())
        .collect()
}

/// Words in a row: `a, b and c`.
pub fn joined(parts: &[String], nothing: &str) -> String {
    match parts {
        [] => nothing.to_owned(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

/// Total of sums in one currency.
pub fn total_of(sums: &Sums, currency: Currency, rates: &Rates, day: Date) -> Total {
    let mut total = Total::default();
    for (from, amount) in sums {
        match rates.convert(Amount { currency: *from, amount: *amount }, currency, day) {
            Ok(converted) => {
                total.amount = total.amount.checked_add(converted.amount).unwrap_or_else(beyond);
                total.rates.extend(converted.rate);
            }
            Err(_) => total.missing.push(*from),
        }
    }
    total
}

/// What the counts of a crossing say.
pub fn count_of(crossing: &Crossing<'_>) -> Count {
    let mut exact: Vec<(Vec<u64>, Holdings)> = Vec::new();
    let mut last: Option<(&Record, &CashCounted)> = None;
    let mut uncertain = Vec::new();
    for (record, count) in crossing.counts() {
        if count.certainty == Certainty::Uncertain {
            uncertain.push(record.seq);
            continue;
        }
        let holdings = Holdings::counted(&count.items).normal();
        match exact.last_mut() {
            // One counter splits a count by currency: parts of the same count belong together.
            Some((records, whole)) if last.is_some_and(|l| is_part_of(l, (record, count))) => {
                records.push(record.seq);
                whole.add(&holdings);
            }
            _ => exact.push((vec![record.seq], holdings)),
        }
        last = Some((record, count));
    }
    let all = || exact.iter().flat_map(|(records, _)| records.iter().copied()).collect();
    match exact.as_slice() {
        [] if uncertain.is_empty() => Count::None,
        [] => Count::Uncertain(uncertain),
        [(records, holdings)] => Count::Settled(Box::new(holdings.clone()), records.clone()),
        [(_, first), others @ ..] if others.iter().all(|(_, other)| other == first) => {
            Count::Settled(Box::new(first.clone()), all())
        }
        _ => agreed(&exact).unwrap_or_else(|| Count::Disagree(all())),
    }
}

/// The latest result that was counted twice.
fn agreed(exact: &[(Vec<u64>, Holdings)]) -> Option<Count> {
    exact.iter().enumerate().rev().find_map(|(at, (records, holdings))| {
        let twin = exact.iter().take(at).rev().find(|(_, other)| other == holdings)?;
        let records = twin.0.iter().chain(records).copied().collect();
        Some(Count::Settled(Box::new(holdings.clone()), records))
    })
}

fn is_part_of(last: (&Record, &CashCounted), next: (&Record, &CashCounted)) -> bool {
    let currencies = |count: &CashCounted| -> Vec<Currency> {
        let amounts = count.items.iter().filter_map(CountedItem::amount);
        amounts.map(|(currency, _)| currency).collect()
    };
    let (a, b) = (currencies(last.1), currencies(next.1));
    last.0.station == next.0.station
        && last.0.inspection == next.0.inspection
        && last.1.count == next.1.count
        && last.1.officer == next.1.officer
        && !a.is_empty()
        && !b.is_empty()
        && a.iter().all(|currency| !b.contains(currency))
}

/// The declarations that count: of each number the last one, in the order they were made.
pub fn declarations<'c>(crossing: &'c Crossing<'_>) -> Vec<(&'c Record, &'c DeclarationMade)> {
    let mut kept: Vec<(&Record, &DeclarationMade)> = Vec::new();
    for (record, declaration) in crossing.declarations() {
        let reference = declaration.reference.trim();
        kept.retain(|(_, earlier)| reference.is_empty() || earlier.reference.trim() != reference);
        kept.push((record, declaration));
    }
    kept
}

/// What those declarations list together.
pub fn declared_of(declarations: &[(&Record, &DeclarationMade)]) -> Holdings {
    let mut whole = Holdings::default();
    for (_, declaration) in declarations {
        whole.add(&Holdings::declared(&declaration.items));
    }
    whole
}
