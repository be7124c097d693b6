//! The nightly bundle: what the server took since the last one, signed, in a form that anybody can
//! check for as long as there are files.
//!
//! ```text
//! NAME/
//!   bagit.txt              RFC 8493, so that a librarian's tools know what it is
//!   manifest-sha256.txt    SHA-256 of each data file, RFC 8493
//!   manifest.json          range, counts, chains, control totals, the manifest before
//!   manifest.json.minisig  minisign over manifest.json: `minisign -Vm manifest.json -p KEY`
//!   data/*.jsonl.zst       records as stored, keys for headquarters, heads that stations
//!                          signed, stations, versions of alerts, decisions, the audit
//!   receipt.json           headquarters' signed answer, once there is one
//! ```
//!
//! The same range gives the same manifest and the same data, byte for byte; a minisign signature
//! is randomised. Bundles follow each other by the hash of the manifest before.

pub mod build;
pub mod check;
pub mod manifest;
mod night;
pub mod receipt;
pub mod seal;

pub(crate) use night::REFUSED;
pub use night::{BundleError, Night, NightSettings};

/// Names of the parts of a bundle.
pub mod part {
    /// What the bundle holds.
    pub const MANIFEST: &str = "manifest.json";
    /// The signature of the manifest.
    pub const SIGNATURE: &str = "manifest.json.minisig";
    /// Hashes of the data files in BagIt's form.
    pub const HASHES: &str = "manifest-sha256.txt";
    /// BagIt's own mark.
    pub const BAG: &str = "bagit.txt";
    /// What it says.
    pub const BAG_TEXT: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
    /// Headquarters' answer.
    pub const RECEIPT: &str = "receipt.json";
    /// Records as stored.
    pub const RECORDS: &str = "data/records.jsonl.zst";
    /// Keys of inspections, wrapped for headquarters.
    pub const KEYS: &str = "data/keys.jsonl.zst";
    /// Heads that stations signed.
    pub const HEADS: &str = "data/heads.jsonl.zst";
    /// Stations and their keys.
    pub const STATIONS: &str = "data/stations.jsonl.zst";
    /// Versions of alerts.
    pub const ALERTS: &str = "data/alerts.jsonl.zst";
    /// What was decided.
    pub const DECISIONS: &str = "data/decisions.jsonl.zst";
    /// Who did and read what: a stretch of the audit's chain.
    pub const AUDIT: &str = "data/audit.jsonl.zst";
    /// Every data file, in the order of the manifest.
    pub const DATA: [&str; 7] = [ALERTS, AUDIT, DECISIONS, HEADS, KEYS, RECORDS, STATIONS];
}
