//! What the server tells a station: signed receipts and commands, as JSON.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::chain::Head;
use crate::signing::{Domain, SignatureError, Signing, Verifying};
use crate::station::StationId;

/// A message of the server to one station; the text is what was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedDown {
    /// JSON of a [`Down`], exactly as signed.
    pub signed: String,
    /// Ed25519 signature, 128 hex digits.
    pub signature: String,
}

/// What the server has to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Down {
    /// These records are on the server's disk.
    Receipt(Receipt),
    /// A batch was refused; nothing of it is on the server's disk.
    Refused {
        /// Which station it was for.
        station: StationId,
        /// Why.
        reason: String,
    },
}

/// Records of one epoch that are on the server's disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Whose records.
    pub station: StationId,
    /// Of which life of its ledger.
    pub epoch: u64,
    /// Every range on disk, ascending, both ends included.
    pub ranges: Vec<(u64, u64)>,
    /// The last record of the unbroken run from 1, and its hash as the server computed it.
    pub verified: Head,
    /// The server's clock.
    pub at: Timestamp,
}

/// Why a message from the server is not to be believed.
#[derive(Debug, thiserror::Error)]
pub enum DownError {
    /// Not JSON of the right shape.
    #[error("the message is not a signed message of the server: {0}")]
    Shape(#[from] serde_json::Error),
    /// Not signed by the server.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl SignedDown {
    /// Signs a message.
    ///
    /// # Errors
    /// Only if the message cannot be written as JSON.
    pub fn sign(message: &Down, signing: &Signing) -> Result<Self, serde_json::Error> {
        let signed = serde_json::to_string(message)?;
        let signature = hex::encode(signing.sign(Domain::Down, signed.as_bytes()));
        Ok(Self { signed, signature })
    }

    /// Reads and verifies a payload.
    ///
    /// # Errors
    /// [`DownError`]; such a message changes nothing.
    pub fn verify(payload: &[u8], server: &Verifying) -> Result<Down, DownError> {
        let message: Self = serde_json::from_slice(payload)?;
        let mut signature = [0; 64];
        hex::decode_to_slice(&message.signature, &mut signature)
            .map_err(|_| SignatureError::Mismatch)?;
        server.verify(Domain::Down, message.signed.as_bytes(), &signature)?;
        Ok(serde_json::from_str(&message.signed)?)
    }
}
