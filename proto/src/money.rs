//! Amounts of money: exact decimals with an ISO 4217 currency. Never floats.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An ISO 4217 currency code, three upper-case letters (`USD`). Whether it is assigned is data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// Why a text is not a currency code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a currency: expected three letters of ISO 4217, as in USD")]
pub struct CurrencyError(String);

impl Currency {
    /// United States dollar.
    pub const USD: Self = Self(*b"USD");
    /// Euro.
    pub const EUR: Self = Self(*b"EUR");

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(CurrencyError(text.chars().take(16).collect())),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = CurrencyError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount in one currency, in major units (`192300.00` USD). Equality is by value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Amount {
    /// ISO 4217 code.
    pub currency: Currency,
    /// Major units, a decimal string in JSON.
    pub amount: Decimal,
}

impl fmt::Display for Amount {
    /// `USD 192,300` or `EUR 9,999.99`: thousands grouped, no idle zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.amount.normalize().to_string();
        let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |d| ("-", d));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mut grouped = String::new();
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        write!(f, "{} {sign}{grouped}", self.currency)?;
        match fraction.len() {
            0 => Ok(()),
            1 => write!(f, ".{fraction}0"),
            _ => write!(f, ".{fraction}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Amount, Currency};

    #[test]
    fn amounts_are_written_as_an_officer_reads_them() {
        let show = |amount: &str| {
            Amount { currency: Currency::USD, amount: amount.parse().unwrap() }.to_string()
        };
        assert_eq!(show("192300.00"), "USD 192,300");
        assert_eq!(show("9999.9"), "USD 9,999.90");
        assert_eq!(show("-1234567"), "USD -1,234,567");
        assert_eq!(show("999"), "USD 999");
    }
}
