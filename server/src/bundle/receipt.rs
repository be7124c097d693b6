//! Headquarters' answer to a bundle: signed, with each check and what came of it.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tidewaiter_proto::signing::{Domain, SignatureError, Signing, Verifying};

use crate::disk;

/// The public keys of headquarters, as it writes them at its first start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadquartersCard {
    /// Its name.
    pub name: String,
    /// What it signs receipts with.
    pub signing_key: Verifying,
    /// The X25519 key to wrap body keys for, hex.
    pub sealing_key: String,
}

/// Headquarters' answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleReceipt {
    /// Who answers.
    pub headquarters: String,
    /// To which server.
    pub server: String,
    /// About which bundle.
    pub number: i64,
    /// SHA-256 of its manifest, hex.
    pub manifest_sha256: String,
    /// Whether all of it was taken; nothing of a refused one was.
    pub accepted: bool,
    /// Records taken.
    pub records: u64,
    /// Each check and what came of it.
    pub checks: Vec<Check>,
    /// Headquarters' clock.
    pub at: Timestamp,
}

/// One check of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was checked.
    pub name: String,
    /// Whether it holds.
    pub passed: bool,
    /// What was seen, in words.
    pub detail: String,
}

/// A receipt with its signature; the text is what was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedReceipt {
    /// JSON of a [`BundleReceipt`], exactly as signed.
    pub signed: String,
    /// Ed25519 signature, 128 hex digits.
    pub signature: String,
}

/// Why a receipt is not to be believed.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// Not JSON of the right shape.
    #[error("not a signed receipt")]
    Shape(#[from] serde_json::Error),
    /// Not signed by headquarters.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// A file.
    #[error(transparent)]
    Disk(#[from] disk::DiskError),
}

impl HeadquartersCard {
    /// Reads the card.
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn read(file: &Path) -> Result<Self, ReceiptError> {
        Ok(serde_json::from_str(&disk::read_text(file)?)?)
    }
}

impl SignedReceipt {
    /// Signs a receipt.
    ///
    /// # Errors
    /// Only if it cannot be written as JSON.
    pub fn sign(receipt: &BundleReceipt, signing: &Signing) -> Result<Self, serde_json::Error> {
        let signed = serde_json::to_string(receipt)?;
        let signature = hex::encode(signing.sign(Domain::BundleReceipt, signed.as_bytes()));
        Ok(Self { signed, signature })
    }

    /// Reads and verifies a receipt.
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn verify(text: &str, headquarters: &Verifying) -> Result<BundleReceipt, ReceiptError> {
        let receipt: Self = serde_json::from_str(text)?;
        let mut signature = [0; 64];
        hex::decode_to_slice(&receipt.signature, &mut signature)
            .map_err(|_| SignatureError::Mismatch)?;
        headquarters.verify(Domain::BundleReceipt, receipt.signed.as_bytes(), &signature)?;
        Ok(serde_json::from_str(&receipt.signed)?)
    }
}
