//! The risk engine as the server runs it: with everybody's history.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tidewaiter_proto::alert::Alert;
use tidewaiter_proto::record::Record;
use tidewaiter_proto::station::StationId;

/// Judges cases, and remembers what they say for later ones.
#[derive(Debug, Default)]
pub struct Judge {
    versions: BTreeMap<String, String>,
}

/// What came of a case.
#[derive(Debug, Default)]
pub struct Judged {
    /// The alerts.
    pub alerts: Vec<Alert>,
    digests: BTreeMap<(StationId, String), String>,
}

impl Judge {
    /// Versions of the policy and the lists it judges by.
    pub fn versions(&self) -> &BTreeMap<String, String> {
        &self.versions
    }

    /// Takes in what an earlier inspection says.
    pub fn remember(&mut self, _digest: &str) {}

    /// Judges the records of one crossing.
    pub fn judge(&self, _station: &StationId, _now: Timestamp, _records: &[Record]) -> Judged {
        Judged::default()
    }
}

impl Judged {
    /// What is to be remembered of an inspection.
    pub fn digest_of(&self, station: &StationId, inspection: &str) -> Option<String> {
        self.digests.get(&(station.clone(), inspection.to_owned())).cloned()
    }
}
