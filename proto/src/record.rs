//! A record: one fact at one station, numbered and never changed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::body::Body;
use crate::station::StationId;

/// One record as people and programs read it. The stored bytes ([`crate::stored`]) are the truth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Which station.
    pub station: StationId,
    /// Which life of its ledger.
    #[serde(default = "first_epoch")]
    pub epoch: u64,
    /// Number within the epoch, from 1 without gaps.
    pub seq: u64,
    /// The station's clock.
    pub at: Timestamp,
    /// How far that clock could be trusted.
    #[serde(default)]
    pub clock: ClockQuality,
    /// What groups the records about one traveller or consignment at one station.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inspection: Option<String>,
    /// Who says so.
    pub source: Source,
    /// What.
    pub body: Body,
}

fn first_epoch() -> u64 {
    1
}

/// The quality of a station's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockQuality {
    /// Disciplined by a time source.
    #[default]
    Synced,
    /// Was disciplined, now runs free.
    Holdover,
    /// Never set since start.
    Unset,
}

/// Where a fact comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A device, by its id.
    Device(String),
    /// An officer, by id.
    Officer(String),
    /// A part of the agent, by name.
    Agent(String),
}

impl Record {
    /// The record's place: station, epoch, seq.
    pub fn key(&self) -> (StationId, u64, u64) {
        (self.station.clone(), self.epoch, self.seq)
    }
}

/// A record before it has a number: what the recorder hands to the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The station's clock.
    pub at: Timestamp,
    /// How far that clock can be trusted.
    pub clock: ClockQuality,
    /// Which inspection it belongs to.
    pub inspection: Option<String>,
    /// Who says so.
    pub source: Source,
    /// Keyed hash of the travel document, if the inspection has one ([`crate::seal::SubjectKey`]).
    pub subject: Option<crate::seal::SubjectToken>,
    /// The value of `type` in the body.
    pub type_name: String,
    /// The body's JSON text, kept as it came.
    pub body_json: String,
}

#[cfg(test)]
mod tests {
    use super::{ClockQuality, Record};

    #[test]
    fn a_scenario_record_may_leave_out_epoch_and_clock() {
        let text = r#"{"station":"ruvvo/dep-07","seq":4,"at":"2018-11-16T03:16:00Z","inspection":"a",
            "source":{"device":"counter-1"},"body":{"type":"cash_counted","count":1,"blind":true,
            "officer":"o-11","certainty":"exact","items":[{"currency":"USD","denomination":"100",
            "pieces":1923}]}}"#;
        let record: Record = serde_json::from_str(text).unwrap();
        assert_eq!((record.epoch, record.clock), (1, ClockQuality::Synced));
        assert_eq!(record.body.type_name(), "cash_counted");
    }

    #[test]
    fn a_body_of_unknown_type_is_kept_whole() {
        let text = r#"{"station":"ruvvo/dep-07","seq":1,"at":"2018-11-16T03:16:00Z",
            "source":{"agent":"x"},"body":{"type":"iris_read","eye":"left"}}"#;
        let record: Record = serde_json::from_str(text).unwrap();
        let again = serde_json::to_value(&record).unwrap();
        assert_eq!(again["body"]["eye"], "left");
    }
}
