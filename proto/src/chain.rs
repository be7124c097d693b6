//! The hash chain over stored records.
//!
//! ```text
//! h(0) = SHA-256("tidewaiter/genesis/v1" ‖ 0x00 ‖ station ‖ 0x00 ‖ epoch as u64 big-endian)
//! h(n) = SHA-256(0x01 ‖ h(n-1) ‖ stored bytes of record n)
//! ```
//!
//! The stored bytes hold station, epoch, seq and the sealed body, so a change to any of them
//! breaks the chain, and destroying a key does not.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::station::StationId;

/// A chain hash, SHA-256; hex in JSON.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChainHash(pub [u8; 32]);

/// Why a text is not a chain hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a chain hash is 64 hex digits")]
pub struct ChainHashError;

/// The head of a chain: the last number and its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Number of the last record; 0 before the first.
    pub seq: u64,
    /// Its hash; the genesis hash before the first.
    pub hash: ChainHash,
}

impl Head {
    /// The head of an empty epoch.
    pub fn genesis(station: &StationId, epoch: u64) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(GENESIS);
        hasher.update([0]);
        hasher.update(station.as_str());
        hasher.update([0]);
        hasher.update(epoch.to_be_bytes());
        Self { seq: 0, hash: ChainHash(hasher.finalize().into()) }
    }
}

/// The hash of the record that follows `previous`.
pub fn link(previous: ChainHash, stored: &[u8]) -> ChainHash {
    let mut hasher = Sha256::new();
    hasher.update([0x01]);
    hasher.update(previous.0);
    hasher.update(stored);
    ChainHash(hasher.finalize().into())
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainHash({self})")
    }
}

impl FromStr for ChainHash {
    type Err = ChainHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| ChainHashError)?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for ChainHash {
    type Error = ChainHashError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ChainHash> for String {
    fn from(hash: ChainHash) -> Self {
        hash.to_string()
    }
}

const GENESIS: &[u8] = b"tidewaiter/genesis/v1";
