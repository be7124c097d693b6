//! The manifest: what a bundle says of itself. And the lines of its data files.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use tidewaiter_people::audit::{Entry, START};
use tidewaiter_proto::body::Body;
use tidewaiter_proto::cash::{CashItem, CountedItem};
use tidewaiter_proto::chain::ChainHash;
use tidewaiter_proto::money::Currency;
use tidewaiter_proto::record::Record;
use tidewaiter_proto::station::StationId;

/// What a bundle says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `tidewaiter-bundle/v1`.
    pub format: String,
    /// Which server made it.
    pub server: String,
    /// Its number at that server, from 1.
    pub number: i64,
    /// First arrival it covers.
    pub first: i64,
    /// Last arrival it covers.
    pub last: i64,
    /// SHA-256 of the manifest before, hex; none for the first.
    pub previous_manifest_sha256: Option<String>,
    /// Versions of policy and lists in force when it was made, by name.
    pub versions: BTreeMap<String, String>,
    /// The data files, by path.
    pub files: BTreeMap<String, FileEntry>,
    /// What it holds of each station's ledger.
    pub stations: Vec<StationEntry>,
    /// Control totals by currency.
    pub totals: BTreeMap<Currency, Total>,
    /// Records that the server could not open: erased, or the key never came.
    pub sealed_records: u64,
    /// The stretch of the audit that it holds. Bundles of before there was one state none.
    #[serde(default)]
    pub audit: AuditSpan,
}

/// A stretch of the audit's chain: where it follows, and where it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditSpan {
    /// The entry before the first.
    pub before: AuditMark,
    /// The last entry.
    pub after: AuditMark,
}

/// One place in the audit's chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditMark {
    /// The entry's number; 0 before the first of all.
    pub number: u64,
    /// Its link, hex.
    pub link: String,
}

impl Default for AuditMark {
    fn default() -> Self {
        Self { number: 0, link: hex::encode(START) }
    }
}

/// A line of `audit.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditLine {
    /// What somebody did or read.
    pub entry: Entry,
    /// Its link, hex.
    pub link: String,
}

/// One data file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, hex.
    pub sha256: String,
    /// How many lines it holds.
    pub rows: u64,
}

/// What a bundle holds of one epoch of one station.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StationEntry {
    /// Which station.
    pub station: StationId,
    /// Which life of its ledger.
    pub epoch: u64,
    /// How many records.
    pub records: u64,
    /// The ranges they form, ascending, both ends included.
    pub ranges: Vec<(u64, u64)>,
    /// Numbers before these ranges that the server does not have, both ends included.
    pub gaps: Vec<(u64, u64)>,
    /// Chain hash of the last record.
    pub head: ChainHash,
}

/// Control total of one currency: what declarations and counts of the bundle add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Total {
    /// Lines of declarations.
    pub declared_lines: u64,
    /// Their sum in major units.
    pub declared: Decimal,
    /// Lines of counts.
    pub counted_lines: u64,
    /// Their sum in major units.
    pub counted: Decimal,
}

/// A line of `records.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordLine {
    /// Its place in the order of arrival.
    pub arrival: i64,
    /// When it arrived.
    pub received_at: Timestamp,
    /// Whose.
    pub station: StationId,
    /// Of which life of the ledger.
    pub epoch: u64,
    /// Under which number.
    pub seq: u64,
    /// Chain hash before it.
    pub previous: ChainHash,
    /// Its chain hash.
    pub hash: ChainHash,
    /// Its bytes, base64.
    pub stored: String,
}

/// A line of `keys.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyLine {
    /// Whose.
    pub station: StationId,
    /// Id of the key, hex.
    pub key_id: String,
    /// The key wrapped for headquarters, hex.
    pub wrapped: String,
}

/// A line of `heads.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadLine {
    /// Whose.
    pub station: StationId,
    /// Of which life of the ledger.
    pub epoch: u64,
    /// The number signed for.
    pub seq: u64,
    /// Its chain hash.
    pub hash: ChainHash,
    /// What was signed, hex.
    pub statement: String,
    /// The signature, hex.
    pub signature: String,
}

/// A line of `alerts.jsonl`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertLine {
    /// Its place in the order of arrival.
    pub arrival: i64,
    /// Which version of the alert.
    pub version: i64,
    /// When.
    pub at: Timestamp,
    /// The alert as it was.
    pub alert: Box<RawValue>,
}

/// The value of [`Manifest::format`].
pub const FORMAT: &str = "tidewaiter-bundle/v1";

impl Manifest {
    /// The bytes that are hashed and signed.
    ///
    /// # Errors
    /// Only if it cannot be written as JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The text of `manifest-sha256.txt`.
    pub fn bag_hashes(&self) -> String {
        self.files.iter().map(|(path, entry)| format!("{}  {path}\n", entry.sha256)).collect()
    }

    /// How many records it holds.
    pub fn records(&self) -> u64 {
        self.stations.iter().map(|entry| entry.records).sum()
    }
}

/// SHA-256 as hex.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Adds what a record declares or counts to the totals. A sum beyond what a decimal holds stays
/// where it was: both sides compute it the same way.
pub fn add_to_totals(totals: &mut BTreeMap<Currency, Total>, record: &Record) {
    match &record.body {
        Body::DeclarationMade(declaration) => {
            for (currency, amount) in declaration.items.iter().filter_map(CashItem::amount) {
                let total = totals.entry(currency).or_default();
                total.declared_lines = total.declared_lines.saturating_add(1);
                total.declared = total.declared.checked_add(amount).unwrap_or(total.declared);
            }
        }
        Body::CashCounted(counted) => {
            for (currency, amount) in counted.items.iter().filter_map(CountedItem::amount) {
                let total = totals.entry(currency).or_default();
                total.counted_lines = total.counted_lines.saturating_add(1);
                total.counted = total.counted.checked_add(amount).unwrap_or(total.counted);
            }
        }
        _ => {}
    }
}

/// Where a station's records of a bundle stand, gathered record by record in any order.
#[derive(Clone, Debug, Default)]
pub struct Spans {
    seqs: BTreeMap<(StationId, u64), BTreeMap<u64, (ChainHash, ChainHash)>>,
}

impl Spans {
    /// Notes one record: its chain hash and the one before.
    pub fn note(&mut self, line: &RecordLine) {
        self.seqs
            .entry((line.station.clone(), line.epoch))
            .or_default()
            .insert(line.seq, (line.previous, line.hash));
    }

    /// Each station and epoch with its ranges and its last hash. Gaps are not known here.
    pub fn entries(&self) -> Vec<StationEntry> {
        self.seqs
            .iter()
            .filter_map(|((station, epoch), seqs)| {
                let (_, (_, head)) = seqs.last_key_value()?;
                let mut ranges: Vec<(u64, u64)> = Vec::new();
                for seq in seqs.keys() {
                    match ranges.last_mut() {
                        Some((_, last)) if last.checked_add(1) == Some(*seq) => *last = *seq,
                        _ => ranges.push((*seq, *seq)),
                    }
                }
                Some(StationEntry {
                    station: station.clone(),
                    epoch: *epoch,
                    records: seqs.len() as u64,
                    ranges,
                    gaps: Vec::new(),
                    head: *head,
                })
            })
            .collect()
    }

    /// The hash of a record of the bundle, and the one before it.
    pub fn hashes(
        &self,
        station: &StationId,
        epoch: u64,
        seq: u64,
    ) -> Option<(ChainHash, ChainHash)> {
        self.seqs.get(&(station.clone(), epoch))?.get(&seq).copied()
    }
}
