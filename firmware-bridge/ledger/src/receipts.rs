//! Which records the server's receipts cover, by epoch; kept as named values of the ledger.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tidewaiter_proto::chain::Head;
use tidewaiter_proto::sync::ranges::Ranges;

/// The receipts of one epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipted {
    /// The numbers that are on the server's disk.
    pub ranges: Ranges,
    /// The end of the server's unbroken run.
    pub verified: Option<Head>,
}

/// The receipts of all epochs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipts(BTreeMap<u64, Receipted>);

impl Receipts {
    /// The receipts of an epoch.
    pub fn of(&self, epoch: u64) -> Receipted {
        self.0.get(&epoch).cloned().unwrap_or_default()
    }

    /// Takes the receipts of an epoch from a named value, if it is one.
    pub(crate) fn read(&mut self, name: &str, value: &[u8]) {
        let epoch = name.strip_prefix(PREFIX).and_then(|text| text.parse().ok());
        if let (Some(epoch), Ok(receipted)) = (epoch, serde_json::from_slice(value)) {
            self.0.insert(epoch, receipted);
        }
    }
}

impl Receipted {
    /// The named value that keeps them.
    pub(crate) fn to_state(&self, epoch: u64) -> (String, Vec<u8>) {
        (format!("{PREFIX}{epoch}"), serde_json::to_vec(self).unwrap_or_default())
    }
}

const PREFIX: &str = "receipted/";
