//! What policy and lists the server judges by, as its manifest says: believed by its signature,
//! never an older one again, and said to the officer where this station's are others.

use tidewaiter_proto::manifest::{Manifest, ManifestError, SignedManifest};
use tidewaiter_proto::signing::Verifying;

use crate::station::Station;

/// The manifest that this station knows; it is kept in the ledger's state.
#[derive(Debug)]
pub struct Policy {
    server: Verifying,
    known: Option<Manifest>,
}

impl Policy {
    /// What was known when the program ended.
    pub fn open(server: Verifying, station: &Station) -> Self {
        let kept = station.ledger().state(STATE);
        let known = kept.and_then(|payload| SignedManifest::verify(&payload, &server).ok());
        let policy = Self { server, known };
        policy.compare(station);
        policy
    }

    /// The manifest in force, as far as this station knows.
    pub fn known(&self) -> Option<&Manifest> {
        self.known.as_ref()
    }

    /// Takes what came on the policy topic. What is not the server's, or older than what was in
    /// force before, changes nothing and is said to the officer.
    pub async fn heard(&mut self, payload: &[u8], station: &Station) {
        match self.judge(payload) {
            Ok(None) => {}
            Ok(Some(manifest)) => {
                tracing::info!(serial = manifest.serial, policy = manifest.policy, "in force now");
                self.known = Some(manifest);
                if let Err(error) = station.ledger().set_state(STATE, payload.to_vec()).await {
                    // It comes again with the next connection.
                    tracing::warn!(%error, "the manifest of policy and lists is not kept");
                }
                self.compare(station);
            }
            Err(error) => {
                station.notice(format!("a manifest of policy and lists was refused: {error}"));
            }
        }
    }

    fn judge(&self, payload: &[u8]) -> Result<Option<Manifest>, ManifestError> {
        let manifest = SignedManifest::verify(payload, &self.server)?;
        let news = self.known.as_ref().map_or(Ok(true), |known| manifest.replaces(known))?;
        Ok(news.then_some(manifest))
    }

    /// Says where the station decides under something else than the server.
    fn compare(&self, station: &Station) {
        let Some(known) = &self.known else { return };
        let own = station.applied();
        let mut differs = Vec::new();
        if own.policy != known.policy {
            differs.push(format!("policy {} (here {})", known.policy, own.policy));
        }
        for (name, version) in &known.lists {
            let here = own.lists.get(name).map_or("none", String::as_str);
            if here != version {
                differs.push(format!("list {name} {version} (here {here})"));
            }
        }
        if !differs.is_empty() {
            station.notice(format!("the server judges under {}", differs.join(", ")));
        }
    }
}

const STATE: &str = "manifest";
