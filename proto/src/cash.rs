//! What counts as cash: currency, bearer-negotiable instruments, gold, prepaid cards.
//!
//! Shapes after Regulation (EU) 2018/1672 Art. 2(1)(a); whether an item counts under a given law
//! is decided by the risk engine's dated data, not here.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::money::Currency;

/// One line of a declaration, a detention or a count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CashItem {
    /// Banknotes and coins of one currency, in major units.
    Currency {
        /// ISO 4217 code.
        currency: Currency,
        /// Major units.
        amount: Decimal,
    },
    /// A bearer-negotiable instrument.
    BearerInstrument {
        /// What it is.
        instrument: Instrument,
        /// To whom it is made out; an instrument to a named payee is not to bearer.
        payee: Payee,
        /// ISO 4217 code of its face value.
        currency: Currency,
        /// Face value in major units.
        amount: Decimal,
    },
    /// Gold as a store of value.
    Gold {
        /// Coin, bar or nugget.
        form: GoldForm,
        /// Millesimal share of pure gold, 0 to 1 (`0.995`).
        fineness: Decimal,
        /// Weight in grams.
        grams: Decimal,
        /// Currency of the stated value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        currency: Option<Currency>,
        /// Stated value in major units.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<Decimal>,
    },
    /// A prepaid card.
    PrepaidCard {
        /// ISO 4217 code.
        currency: Currency,
        /// Stored value in major units.
        amount: Decimal,
    },
}

/// Kinds of bearer-negotiable instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Instrument {
    /// A cheque.
    Cheque,
    /// A traveller's cheque.
    TravellersCheque,
    /// A promissory note.
    PromissoryNote,
    /// A money order.
    MoneyOrder,
}

/// To whom an instrument is made out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payee {
    /// To bearer, or endorsed without restriction.
    Bearer,
    /// Signed, the payee's name left out.
    Omitted,
    /// To a fictitious payee.
    Fictitious,
    /// To a named payee.
    Named,
}

/// Forms of gold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoldForm {
    /// Coins.
    Coin,
    /// Bars.
    Bar,
    /// Nuggets or clumps.
    Nugget,
}

/// One line of a count: notes or coins of one denomination, or another item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CountedItem {
    /// Notes or coins of one denomination.
    Pieces {
        /// ISO 4217 code.
        currency: Currency,
        /// Face value of one piece in major units.
        denomination: Decimal,
        /// How many.
        pieces: u64,
    },
    /// Gold, an instrument, or a sum that was counted as a whole.
    Item(CashItem),
}

impl CashItem {
    /// The item's currency and amount, where it has both.
    pub fn amount(&self) -> Option<(Currency, Decimal)> {
        match self {
            Self::Currency { currency, amount }
            | Self::BearerInstrument { currency, amount, .. }
            | Self::PrepaidCard { currency, amount } => Some((*currency, *amount)),
            Self::Gold { currency, amount, .. } => currency.zip(*amount),
        }
    }

    /// Every decimal of the item, for range checks at the edge.
    fn decimals(&self) -> Vec<Decimal> {
        match self {
            Self::Currency { amount, .. }
            | Self::BearerInstrument { amount, .. }
            | Self::PrepaidCard { amount, .. } => vec![*amount],
            Self::Gold { fineness, grams, amount, .. } => {
                [Some(*fineness), Some(*grams), *amount].into_iter().flatten().collect()
            }
        }
    }

    /// Says what is out of range: a negative number, a sum beyond 10^15, a fineness above 1.
    pub fn check(&self) -> Result<(), String> {
        for value in self.decimals() {
            check_quantity(value)?;
        }
        match self {
            Self::Gold { fineness, .. } if *fineness > Decimal::ONE => {
                Err(format!("fineness {fineness} is above 1"))
            }
            _ => Ok(()),
        }
    }
}

impl CountedItem {
    /// Currency and value of the line: pieces times denomination, or the item's own amount.
    ///
    /// `None` when the item has no amount, or the product leaves the range of a decimal.
    pub fn amount(&self) -> Option<(Currency, Decimal)> {
        match self {
            Self::Pieces { currency, denomination, pieces } => {
                denomination.checked_mul(Decimal::from(*pieces)).map(|sum| (*currency, sum))
            }
            Self::Item(item) => item.amount(),
        }
    }

    /// Says what is out of range.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::Pieces { denomination, pieces, .. } => {
                check_quantity(*denomination)?;
                if *pieces > PIECES_MAX {
                    return Err(format!("{pieces} pieces is more than {PIECES_MAX}"));
                }
                Ok(())
            }
            Self::Item(item) => item.check(),
        }
    }
}

fn check_quantity(value: Decimal) -> Result<(), String> {
    if value.is_sign_negative() && !value.is_zero() {
        return Err(format!("{value} is negative"));
    }
    if value > Decimal::from(QUANTITY_MAX) {
        return Err(format!("{value} is more than {QUANTITY_MAX}"));
    }
    Ok(())
}

/// Beyond any sum that crosses a border, and far inside what a decimal can multiply.
const QUANTITY_MAX: u64 = 1_000_000_000_000_000;
const PIECES_MAX: u64 = 1_000_000_000;
