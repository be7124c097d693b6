//! The form in which a bundle lies on disk and travels: JSON, dated and versioned.
//!
//! Owns writing, reading and the content hash. A bundle whose entries do not give its version is
//! refused, so that a half-written or edited file never comes into force.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{ListBundle, ListEntry, ListError, SourceFile};

/// The format this program writes, and the only one it reads.
const FORMAT: &str = "tidewaiter-list/1";

/// The name of the file that holds the bundle called `list`.
pub fn file_name(list: &str) -> String {
    format!("{list}.list.json")
}

#[derive(Serialize)]
struct Written<'a> {
    format: &'static str,
    #[serde(flatten)]
    bundle: &'a ListBundle,
}

#[derive(Deserialize)]
struct Read {
    format: String,
    name: String,
    as_of: jiff::civil::Date,
    version: String,
    source: String,
    entries: Vec<ListEntry>,
}

/// SHA-256 in hex of the entries as JSON.
pub(crate) fn content_hash(entries: &[ListEntry]) -> String {
    let mut hasher = Sha256::new();
    for entry in entries {
        // Serialising plain strings, numbers and dates cannot fail; an empty line would still
        // change the hash.
        hasher.update(serde_json::to_vec(entry).unwrap_or_default());
        hasher.update(b"\n");
    }
    hex::encode(hasher.finalize())
}

/// The bundle as the bytes of its file, the same for the same bundle.
pub fn write_bundle(bundle: &ListBundle) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(&Written { format: FORMAT, bundle }).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Reads a bundle's file; refuses another format, broken JSON, and a version that is not its own.
pub fn read_bundle(file: SourceFile<'_>) -> Result<ListBundle, ListError> {
    let read: Read = serde_json::from_slice(file.bytes).map_err(|error| {
        file.broken(u64::try_from(error.line()).unwrap_or(0), error.to_string())
    })?;
    if read.format != FORMAT {
        return Err(file.broken(1, format!("format {:?} where {FORMAT:?} is read", read.format)));
    }
    let bundle = ListBundle::new(read.name, read.as_of, read.source, read.entries);
    if bundle.version != read.version {
        return Err(file.broken(1, "the entries do not give the version the file claims"));
    }
    Ok(bundle)
}
