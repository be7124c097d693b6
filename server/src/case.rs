//! A case file as it leaves the desk: the alerts of one matter with everything they rest on, signed,
//! in one JSON file that anybody can check offline with public keys.
//!
//! ```text
//! {"signed": CaseFile, "signature": minisign over the text of `signed` as it stands}
//! ```
//!
//! | part | what it proves |
//! |---|---|
//! | `signature` | the server gave out exactly this |
//! | `runs` | the records stand in their station's chain, up to a head that the station signed |
//! | `inspections` | what each record says is what its sealed bytes open to |
//! | `alerts` | every version and every decision, in order |
//! | `custody` | who had the sealed bag when, told from the records again |
//! | `bundles` | headquarters had the records, by its own signed receipt |

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tidewaiter_proto::body::Body;
use tidewaiter_proto::chain::ChainHash;
use tidewaiter_proto::record::Record;
use tidewaiter_proto::station::StationId;

use crate::store::{AttachmentRow, ExportedDecision, ExportedStation, OrderRow};

pub mod build;
pub mod check;

/// A case file with its signature.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedCase {
    /// JSON of a [`CaseFile`], exactly as signed.
    pub signed: Box<RawValue>,
    /// Minisign signature over that text.
    pub signature: String,
}

/// A case file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// `tidewaiter-case/v1`.
    pub format: String,
    /// Which server gives it out.
    pub server: String,
    /// Its id at that server.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// Who opened it.
    pub made_by: String,
    /// When.
    pub made_at: Timestamp,
    /// Who takes it out.
    pub exported_by: String,
    /// When.
    pub exported_at: Timestamp,
    /// Why.
    pub reason: String,
    /// Versions of policy and lists in force at the export, by name.
    pub versions: BTreeMap<String, String>,
    /// The stations, with the keys they sign with.
    pub stations: Vec<ExportedStation>,
    /// The alerts.
    pub alerts: Vec<CaseAlert>,
    /// The inspections they are about, opened.
    pub inspections: Vec<CaseInspection>,
    /// Records as stored, in their chains.
    pub runs: Vec<Run>,
    /// The nightly bundles that hold them.
    pub bundles: Vec<CaseBundle>,
}

/// One alert with its whole history.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseAlert {
    /// Its id.
    pub id: String,
    /// Every version, oldest first.
    pub versions: Vec<CaseVersion>,
    /// What was decided, oldest first.
    pub decisions: Vec<ExportedDecision>,
    /// What the desk asked of the station.
    pub orders: Vec<OrderRow>,
    /// Files beside it, by their hashes.
    pub attachments: Vec<AttachmentRow>,
}

/// One version of an alert.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseVersion {
    /// Its place in the order of arrival.
    pub arrival: i64,
    /// Which version.
    pub version: i64,
    /// When.
    pub at: Timestamp,
    /// The alert as it was.
    pub alert: Box<RawValue>,
}

/// One inspection, opened.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseInspection {
    /// Where.
    pub station: StationId,
    /// Which.
    pub inspection: String,
    /// Id of the key of its bodies, hex.
    pub key_id: String,
    /// The key, hex; none where it was erased, and the records stay sealed.
    pub key: Option<String>,
    /// Its records, in the order of the ledger.
    pub records: Vec<Record>,
    /// Who had the sealed bag when.
    pub custody: Vec<Custody>,
}

/// One step in the chain of custody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Custody {
    /// Number of the record that says so.
    pub seq: u64,
    /// When, by the station's clock.
    pub at: Timestamp,
    /// The seal.
    pub seal: String,
    /// Who gives; the traveller's side is empty.
    pub from: String,
    /// Who takes.
    pub to: String,
}

/// Records of one epoch of one station without a gap, up to a head that the station signed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Whose.
    pub station: StationId,
    /// Of which life of the ledger.
    pub epoch: u64,
    /// Chain hash before the first record.
    pub previous: ChainHash,
    /// The records: those of the case, and sealed ones between them and the signed head.
    pub records: Vec<RunRecord>,
    /// The head; none where the station has signed none so far.
    pub head: Option<RunHead>,
}

/// A record as stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// Its place in the server's order of arrival.
    pub arrival: i64,
    /// When it arrived.
    pub received_at: Timestamp,
    /// Its number.
    pub seq: u64,
    /// Its chain hash.
    pub hash: ChainHash,
    /// Its bytes, base64.
    pub stored: String,
}

/// A head that a station signed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunHead {
    /// The number signed for.
    pub seq: u64,
    /// Its chain hash.
    pub hash: ChainHash,
    /// What was signed, hex.
    pub statement: String,
    /// The signature, hex.
    pub signature: String,
}

/// A nightly bundle that holds records of the case.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseBundle {
    /// Its number.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// Its first arrival.
    pub first: i64,
    /// Its last arrival.
    pub last: i64,
    /// SHA-256 of its manifest, hex.
    pub manifest_sha256: String,
    /// Headquarters' signed receipt, when there is one.
    pub receipt: Option<String>,
}

/// The value of [`CaseFile::format`].
pub const FORMAT: &str = "tidewaiter-case/v1";

/// The chain of custody that records tell: a bag is sealed with an outcome and changes hands after.
pub fn custody(records: &[Record]) -> Vec<Custody> {
    records
        .iter()
        .filter_map(|record| {
            let (seal, from, to) = match &record.body {
                Body::OutcomeRecorded(outcome) => {
                    (outcome.seal.clone()?, String::new(), outcome.officer.clone())
                }
                Body::CustodyMoved(moved) => {
                    (moved.seal.clone(), moved.from.clone(), moved.to.clone())
                }
                _ => return None,
            };
            Some(Custody { seq: record.seq, at: record.at, seal, from, to })
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests;
