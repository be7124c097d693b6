//! A station's presence: birth, heartbeat and death, each with its signed head, so that a ledger
//! that was cut, restored or cloned is noticed at the next contact.

use serde::{Deserialize, Serialize};

use crate::chain::ChainHash;
use crate::record::ClockQuality;
use crate::signing::{Domain, SignatureError, Signing, Verifying};
use crate::station::StationId;

/// What stands on `…/state`, retained (contract section 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// Whether the station is there; false in the last will.
    pub online: bool,
    /// Which life of its ledger.
    pub epoch: u64,
    /// Number of its last record.
    pub seq: u64,
    /// Chain hash of its last record.
    pub head: ChainHash,
    /// Version of the agent.
    pub version: String,
    /// Records not yet receipted.
    pub backlog: u64,
    /// Version of the policy in force.
    pub policy: String,
    /// Versions of the lists in force, by name.
    #[serde(default)]
    pub lists: std::collections::BTreeMap<String, String>,
    /// How far its clock can be trusted.
    pub clock: ClockQuality,
    /// Ed25519 signature over station, epoch, seq and head, 128 hex digits.
    pub signature: String,
}

impl Presence {
    /// Signs station, epoch, seq and head.
    pub fn sign(&mut self, station: &StationId, signing: &Signing) {
        self.signature = hex::encode(signing.sign(Domain::Presence, &self.statement(station)));
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`SignatureError::Mismatch`].
    pub fn verify(&self, station: &StationId, key: &Verifying) -> Result<(), SignatureError> {
        let mut signature = [0; 64];
        hex::decode_to_slice(&self.signature, &mut signature)
            .map_err(|_| SignatureError::Mismatch)?;
        key.verify(Domain::Presence, &self.statement(station), &signature)
    }

    fn statement(&self, station: &StationId) -> Vec<u8> {
        let mut bytes = station.as_str().as_bytes().to_vec();
        bytes.push(0);
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.head.0);
        bytes
    }
}
