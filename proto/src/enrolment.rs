//! How a station becomes known to a server: what it sends, what it is given.

use serde::{Deserialize, Serialize};

use crate::signing::Verifying;
use crate::station::StationId;

/// What a station sends to be enrolled.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentRequest {
    /// Its name.
    pub station: StationId,
    /// Its certificate signing request, PEM, P-256.
    pub csr_pem: String,
    /// The key it signs its ledger with.
    pub signing_key: Verifying,
}

/// What a station is given.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentAnswer {
    /// Its name.
    pub station: StationId,
    /// Its client certificate, PEM.
    pub certificate_pem: String,
    /// The authority it shall trust, PEM.
    pub authority_pem: String,
    /// The key the server signs its receipts with.
    pub server_signing_key: Verifying,
    /// The X25519 key to wrap body keys for, hex.
    pub server_sealing_key: String,
    /// The authority's key for subject tokens, hex.
    pub subject_key: String,
    /// Where to connect, `HOST:PORT`.
    pub broker: String,
}
