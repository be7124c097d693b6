//! A station's presence: birth, heartbeat and death, each with its signed head, so that a ledger
//! that was cut, restored or cloned is noticed at the next contact.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::chain::{ChainHash, Head};
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
    /// Which connection of the station this is; drawn anew for each.
    #[serde(default)]
    pub session: u64,
    /// The number of this presence within the session, from 1; 0 in the last will.
    #[serde(default)]
    pub beat: u64,
    /// The nonce of the server's request to prove the head, when this answers one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<u64>,
    /// Whether the server's answer contradicts the station's own ledger: it asks for a new epoch.
    #[serde(default)]
    pub contradicted: bool,
    /// Version of the agent.
    pub version: String,
    /// Records not yet receipted.
    pub backlog: u64,
    /// Version of the policy in force.
    pub policy: String,
    /// Versions of the lists in force, by name.
    #[serde(default)]
    pub lists: BTreeMap<String, String>,
    /// How far its clock can be trusted.
    pub clock: ClockQuality,
    /// The station's clock; in the last will, when the connection began.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// Ed25519 signature over all of the above, 128 hex digits.
    pub signature: String,
}

impl Presence {
    /// Signs what the presence says.
    pub fn sign(&mut self, station: &StationId, signing: &Signing) {
        self.signature = hex::encode(signing.sign(Domain::Presence, &self.statement(station)));
    }

    /// Reads a payload and checks its signature.
    ///
    /// # Errors
    /// [`PresenceError`]; such a presence says nothing.
    pub fn read(
        payload: &[u8],
        station: &StationId,
        key: &Verifying,
    ) -> Result<Self, PresenceError> {
        if payload.len() > PRESENCE_BYTES_MAX {
            return Err(PresenceError::TooLarge(payload.len()));
        }
        let presence: Self = serde_json::from_slice(payload)?;
        presence.verify(station, key)?;
        Ok(presence)
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

    /// The head the station shows.
    pub fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.head }
    }

    /// The signed bytes: station ‖ 0 ‖ epoch ‖ seq ‖ head ‖ session ‖ beat ‖ online ‖ contradicted ‖ answers, then the
    /// SHA-256 of the other fields, each text with its length in front.
    fn statement(&self, station: &StationId) -> Vec<u8> {
        let mut bytes = station.as_str().as_bytes().to_vec();
        bytes.push(0);
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.head.0);
        bytes.extend_from_slice(&self.session.to_be_bytes());
        bytes.extend_from_slice(&self.beat.to_be_bytes());
        bytes.push(u8::from(self.online));
        bytes.push(u8::from(self.contradicted));
        bytes.push(u8::from(self.answers.is_some()));
        bytes.extend_from_slice(&self.answers.unwrap_or(0).to_be_bytes());
        let mut rest = Sha256::new();
        rest.update(self.backlog.to_be_bytes());
        rest.update([match self.clock {
            ClockQuality::Synced => 0,
            ClockQuality::Holdover => 1,
            ClockQuality::Unset => 2,
        }]);
        rest.update(self.at.map_or(i64::MIN, Timestamp::as_microsecond).to_be_bytes());
        let lists = self.lists.iter().flat_map(|(name, version)| [name, version]);
        for text in [&self.version, &self.policy].into_iter().chain(lists) {
            rest.update((text.len() as u64).to_be_bytes());
            rest.update(text);
        }
        bytes.extend_from_slice(&rest.finalize());
        bytes
    }
}

/// Why a payload is not a station's presence.
#[derive(Debug, thiserror::Error)]
pub enum PresenceError {
    /// Larger than [`PRESENCE_BYTES_MAX`].
    #[error("the presence has {0} bytes, {PRESENCE_BYTES_MAX} at most")]
    TooLarge(usize),
    /// Not JSON of the right shape.
    #[error("not a presence: {0}")]
    Shape(#[from] serde_json::Error),
    /// Not signed by the station.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// The largest presence on the wire.
pub const PRESENCE_BYTES_MAX: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Presence;
    use crate::chain::Head;
    use crate::record::ClockQuality;
    use crate::signing::Signing;
    use crate::station::StationId;

    fn presence(station: &StationId) -> Presence {
        Presence {
            online: true,
            epoch: 1,
            seq: 0,
            head: Head::genesis(station, 1).hash,
            session: 7,
            beat: 1,
            answers: None,
            contradicted: false,
            version: "0.1.0".to_owned(),
            backlog: 3,
            policy: "2018-11-16".to_owned(),
            lists: [("un".to_owned(), "2018-11-01".to_owned())].into(),
            clock: ClockQuality::Synced,
            at: Some("2018-11-16T03:12:45Z".parse().unwrap()),
            signature: String::new(),
        }
    }

    #[test]
    fn nothing_a_presence_says_can_be_changed() {
        let station: StationId = "ruvvo/dep-07".parse().unwrap();
        let key = Signing::from_seed(&[5; 32]);
        let mut signed = presence(&station);
        signed.sign(&station, &key);
        assert!(signed.verify(&station, &key.verifying()).is_ok());
        let changes: [fn(&mut Presence); 14] = [
            |p| p.online = false,
            |p| p.epoch = 2,
            |p| p.seq = 9,
            |p| p.head.0[0] ^= 1,
            |p| p.session = 8,
            |p| p.beat = 2,
            |p| p.answers = Some(0),
            |p| p.contradicted = true,
            |p| p.version.push('1'),
            |p| p.backlog = 0,
            |p| p.policy.clear(),
            |p| p.lists.clear(),
            |p| p.clock = ClockQuality::Unset,
            |p| p.at = None,
        ];
        for (index, change) in changes.into_iter().enumerate() {
            let mut altered = signed.clone();
            change(&mut altered);
            assert!(altered.verify(&station, &key.verifying()).is_err(), "change {index}");
        }
        let other: StationId = "ruvvo/dep-08".parse().unwrap();
        assert!(signed.verify(&other, &key.verifying()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let station: StationId = "ruvvo/dep-07".parse().unwrap();
            let key = Signing::from_seed(&[5; 32]).verifying();
            prop_assert!(Presence::read(&bytes, &station, &key).is_err());
        }
    }
}
