//! What the desk asks of a station while a traveller stands there: shown to the officer at once.
//!
//! An order asks; the officer decides and records. That the officer's page showed it is a record of
//! the station's own ([`SHOWN`]), and until the server has that record it says the order again.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::station::StationId;

/// One order of the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its id: however often it is said, it is shown once.
    pub id: String,
    /// Which station.
    pub station: StationId,
    /// About which inspection.
    pub inspection: String,
    /// What is asked.
    pub kind: OrderKind,
    /// In words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Who asks.
    pub by: String,
    /// When, by the server's clock.
    pub at: Timestamp,
}

/// What the desk asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// Count the cash again.
    Recount,
    /// Keep the traveller and the cash until the desk has decided.
    Hold,
}

impl OrderKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Recount, Self::Hold];

    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recount => "recount",
            Self::Hold => "hold",
        }
    }
}

impl fmt::Display for OrderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not the name of an order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no order: recount or hold")]
pub struct UnknownOrder(String);

impl FromStr for OrderKind {
    type Err = UnknownOrder;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownOrder(text.chars().take(32).collect()))
    }
}

/// The `type` of the station's record that an order was shown: `{"type", "order", "kind", "text",
/// "by"}`, in the inspection it is about.
pub const SHOWN: &str = "order_shown";
/// The longest text of an order, in characters.
pub const TEXT_MAX: usize = 500;
