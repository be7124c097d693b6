//! Ed25519 signatures with a domain for each kind of message, so that no signature given for one
//! purpose can be shown for another.

use std::fmt;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

/// What a signature is for; its text goes in front of what is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// A station's batch of records.
    Batch,
    /// A station's presence: its head at birth, heartbeat and death.
    Presence,
    /// The server's receipt or command to a station.
    Down,
    /// The server's manifest of policy and lists.
    Policy,
    /// Headquarters' receipt for a nightly bundle.
    BundleReceipt,
    /// The server's accounts for one station.
    Accounts,
}

impl Domain {
    fn prefix(self) -> &'static [u8] {
        match self {
            Self::Batch => b"tidewaiter/batch/v1\0",
            Self::Presence => b"tidewaiter/presence/v1\0",
            Self::Down => b"tidewaiter/down/v1\0",
            Self::Policy => b"tidewaiter/policy/v1\0",
            Self::BundleReceipt => b"tidewaiter/bundle-receipt/v1\0",
            Self::Accounts => b"tidewaiter/accounts/v1\0",
        }
    }
}

/// A signing key; never printed.
#[derive(Clone)]
pub struct Signing(SigningKey);

/// The public half, hex in JSON and in configuration.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Verifying(VerifyingKey);

/// Why a key or signature is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not 32 bytes of a valid point, in hex.
    #[error("not an Ed25519 public key: expected 64 hex digits of a valid point")]
    Key,
    /// The signature does not fit message and key.
    #[error("the signature does not verify")]
    Mismatch,
}

impl Signing {
    /// The key with this secret seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The secret seed, to be stored with care.
    pub fn seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The public half.
    pub fn verifying(&self) -> Verifying {
        Verifying(self.0.verifying_key())
    }

    /// Signs a message for one purpose.
    pub fn sign(&self, domain: Domain, message: &[u8]) -> [u8; 64] {
        self.0.sign(&[domain.prefix(), message].concat()).to_bytes()
    }
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signing({:?})", self.verifying())
    }
}

impl Verifying {
    /// The 32 bytes of the key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Checks a signature, refusing malleable and weak-key ones.
    ///
    /// # Errors
    /// [`SignatureError::Mismatch`].
    pub fn verify(
        &self,
        domain: Domain,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Result<(), SignatureError> {
        self.0
            .verify_strict(&[domain.prefix(), message].concat(), &Signature::from_bytes(signature))
            .map_err(|_| SignatureError::Mismatch)
    }
}

impl fmt::Debug for Verifying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0.as_bytes()))
    }
}

impl TryFrom<String> for Verifying {
    type Error = SignatureError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes).map_err(|_| SignatureError::Key)?;
        VerifyingKey::from_bytes(&bytes).map(Self).map_err(|_| SignatureError::Key)
    }
}

impl From<Verifying> for String {
    fn from(key: Verifying) -> Self {
        hex::encode(key.0.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::{Domain, Signing};

    #[test]
    fn a_signature_for_one_purpose_is_none_for_another() {
        let key = Signing::from_seed(&[7; 32]);
        let signature = key.sign(Domain::Batch, b"head");
        assert!(key.verifying().verify(Domain::Batch, b"head", &signature).is_ok());
        assert!(key.verifying().verify(Domain::Presence, b"head", &signature).is_err());
        assert!(key.verifying().verify(Domain::Batch, b"heaD", &signature).is_err());
    }
}
