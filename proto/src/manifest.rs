//! The policy and lists in force, as the server tells every station: signed, retained on one topic
//! (contract section 4), so that whoever connects has it at once.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::signing::{Domain, SignatureError, Signing, Verifying};

/// What a server judges by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Grows with every change of what is in force, also over a server that was restored.
    pub serial: u64,
    /// When it came into force at the server, by its clock.
    pub since: Timestamp,
    /// Version of the policy pack.
    pub policy: String,
    /// Versions of the lists, by name.
    pub lists: BTreeMap<String, String>,
}

/// A manifest as it travels; the text is what was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedManifest {
    /// JSON of a [`Manifest`], exactly as signed.
    pub signed: String,
    /// Ed25519 signature, 128 hex digits.
    pub signature: String,
}

/// Why a manifest is not to be believed.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Larger than [`MANIFEST_BYTES_MAX`].
    #[error("the manifest has {0} bytes, {MANIFEST_BYTES_MAX} at most")]
    TooLarge(usize),
    /// Not JSON of the right shape.
    #[error("not a manifest: {0}")]
    Shape(#[from] serde_json::Error),
    /// Not signed by the server.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// An old one, played again.
    #[error("manifest {found} is older than manifest {known}, which was in force before")]
    Rollback {
        /// Its serial.
        found: u64,
        /// The serial that was known.
        known: u64,
    },
    /// Another one under the same serial.
    #[error("there are two manifests of serial {0}")]
    Twice(u64),
}

impl Manifest {
    /// Signs it.
    ///
    /// # Errors
    /// Only if it cannot be written as JSON.
    pub fn sign(&self, signing: &Signing) -> Result<SignedManifest, serde_json::Error> {
        let signed = serde_json::to_string(self)?;
        let signature = hex::encode(signing.sign(Domain::Policy, signed.as_bytes()));
        Ok(SignedManifest { signed, signature })
    }

    /// Whether both say that the same is in force.
    pub fn says_as(&self, other: &Self) -> bool {
        (&self.policy, &self.lists) == (&other.policy, &other.lists)
    }

    /// Whether it takes the place of the one that was known; false when it says nothing new.
    ///
    /// # Errors
    /// [`ManifestError::Rollback`] and [`ManifestError::Twice`]; then the known one stays.
    pub fn replaces(&self, known: &Self) -> Result<bool, ManifestError> {
        if self.says_as(known) {
            return Ok(self.serial > known.serial);
        }
        match self.serial.cmp(&known.serial) {
            std::cmp::Ordering::Greater => Ok(true),
            std::cmp::Ordering::Equal => Err(ManifestError::Twice(self.serial)),
            std::cmp::Ordering::Less => {
                Err(ManifestError::Rollback { found: self.serial, known: known.serial })
            }
        }
    }
}

impl SignedManifest {
    /// Reads and verifies a payload.
    ///
    /// # Errors
    /// [`ManifestError`]; such a manifest says nothing.
    pub fn verify(payload: &[u8], server: &Verifying) -> Result<Manifest, ManifestError> {
        if payload.len() > MANIFEST_BYTES_MAX {
            return Err(ManifestError::TooLarge(payload.len()));
        }
        let message: Self = serde_json::from_slice(payload)?;
        let mut signature = [0; 64];
        hex::decode_to_slice(&message.signature, &mut signature)
            .map_err(|_| SignatureError::Mismatch)?;
        server.verify(Domain::Policy, message.signed.as_bytes(), &signature)?;
        Ok(serde_json::from_str(&message.signed)?)
    }
}

/// The largest manifest on the wire.
pub const MANIFEST_BYTES_MAX: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MANIFEST_BYTES_MAX, Manifest, ManifestError, SignedManifest};
    use crate::signing::{Domain, Signing};

    fn manifest(serial: u64, un: &str) -> Manifest {
        Manifest {
            serial,
            since: "2018-11-16T03:00:00Z".parse().unwrap(),
            policy: "2018-11".to_owned(),
            lists: [("un".to_owned(), un.to_owned())].into(),
        }
    }

    #[test]
    fn only_the_servers_own_words_are_believed() {
        let (server, other) = (Signing::from_seed(&[1; 32]), Signing::from_seed(&[2; 32]));
        let signed = manifest(1, "a").sign(&server).unwrap();
        let payload = serde_json::to_vec(&signed).unwrap();
        let key = server.verifying();
        assert_eq!(SignedManifest::verify(&payload, &key).unwrap(), manifest(1, "a"));
        assert!(SignedManifest::verify(&payload, &other.verifying()).is_err());
        let altered = SignedManifest { signed: signed.signed.replace("\"a\"", "\"b\""), ..signed };
        let altered = serde_json::to_vec(&altered).unwrap();
        let error = SignedManifest::verify(&altered, &key).unwrap_err();
        assert!(matches!(error, ManifestError::Signature(_)), "{error}");
        // Signed by the server, for another purpose.
        let text = serde_json::to_string(&manifest(1, "a")).unwrap();
        let signature = hex::encode(server.sign(Domain::Down, text.as_bytes()));
        let down = serde_json::to_vec(&SignedManifest { signed: text, signature }).unwrap();
        assert!(SignedManifest::verify(&down, &key).is_err());
        let large = vec![b' '; MANIFEST_BYTES_MAX + 1];
        let error = SignedManifest::verify(&large, &key).unwrap_err();
        assert!(matches!(error, ManifestError::TooLarge(_)), "{error}");
    }

    #[test]
    fn what_was_in_force_before_does_not_come_back_by_a_replay() {
        let known = manifest(5, "b");
        assert!(manifest(6, "c").replaces(&known).unwrap());
        assert!(manifest(6, "b").replaces(&known).unwrap());
        assert!(!manifest(5, "b").replaces(&known).unwrap());
        // The same under an older number: a second server of one authority, nothing new.
        assert!(!manifest(4, "b").replaces(&known).unwrap());
        let error = manifest(4, "a").replaces(&known).unwrap_err();
        assert!(matches!(error, ManifestError::Rollback { found: 4, known: 5 }), "{error}");
        let error = manifest(5, "a").replaces(&known).unwrap_err();
        assert!(matches!(error, ManifestError::Twice(5)), "{error}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_a_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let key = Signing::from_seed(&[1; 32]).verifying();
            prop_assert!(SignedManifest::verify(&bytes, &key).is_err());
        }
    }
}
