//! One bundle: checked, held against what came before, taken or refused, answered.
//!
//! All of an accepted bundle is on disk before its receipt is written; nothing of a refused one is
//! kept but the note that it came, and its directory, moved aside. Taking a bundle again changes
//! nothing and gives the same receipt again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tidewaiter_proto::chain::Head;

use super::keys::Keys;
use crate::bundle::REFUSED;
use crate::bundle::check::{Checked, check, read_bounded};
use crate::bundle::manifest::{Manifest, sha256};
use crate::bundle::part;
use crate::bundle::receipt::{BundleReceipt, SignedReceipt};
use crate::bundle::seal::Checker;
use crate::clock::Clock;
use crate::disk;
use crate::store::{IncomingRow, Store, StoreError};

/// What takes bundles.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Headquarters' name.
    pub name: String,
    /// Where bundles come in.
    pub incoming: PathBuf,
    /// The servers whose bundles are taken, with the files of their keys.
    pub servers: BTreeMap<String, PathBuf>,
    /// What opens and signs.
    pub keys: Keys,
    /// What was taken before.
    pub store: Store,
    /// The time of receipts.
    pub clock: Clock,
}

impl Desk {
    /// Looks at every bundle that has come in and answers those that are not answered; gives how
    /// many that were.
    ///
    /// # Errors
    /// When the directory or the store fails; bundles that were answered until then stay so.
    pub async fn look(&self) -> anyhow::Result<usize> {
        let mut answered = 0;
        for place in self.waiting()? {
            answered += usize::from(self.take(&place).await?);
        }
        Ok(answered)
    }

    /// Directories with a manifest and no receipt, in the order of their names.
    fn waiting(&self) -> anyhow::Result<Vec<PathBuf>> {
        let unreadable = || format!("{}: cannot be read", self.incoming.display());
        let mut places = Vec::new();
        for entry in std::fs::read_dir(&self.incoming).with_context(unreadable)? {
            let entry = entry.with_context(unreadable)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().with_context(unreadable)?;
            let place = entry.path();
            let whole = place.join(part::MANIFEST).exists() && !place.join(part::RECEIPT).exists();
            if kind.is_dir() && !name.starts_with('.') && name != REFUSED && whole {
                places.push(place);
            }
        }
        places.sort();
        Ok(places)
    }

    /// Answers one bundle; says whether it could be.
    async fn take(&self, place: &Path) -> anyhow::Result<bool> {
        let text = read_bounded(&place.join(part::MANIFEST))
            .with_context(|| format!("{}: cannot be read", place.display()))?;
        let before = self.store.incoming_by_manifest(&sha256(&text)).await?;
        if let Some(before) = before.filter(|row| row.accepted) {
            // The program stopped between taking it and answering, or the server lost the receipt.
            disk::write(&place.join(part::RECEIPT), before.receipt.as_bytes())?;
            return Ok(true);
        }
        let claimed =
            serde_json::from_slice::<Manifest>(&text).ok().map(|manifest| manifest.server);
        let key = claimed.as_ref().and_then(|server| self.servers.get(server));
        if let Some(file) = key.filter(|file| !file.exists()) {
            tracing::debug!(file = %file.display(), "the server's key is not there yet");
            return Ok(false);
        }
        let checker = key.map(|file| Checker::read(file)).transpose()?;
        let (directory, secret) = (place.to_owned(), self.keys.sealing.clone());
        let mut checked =
            tokio::task::spawn_blocking(move || check(&directory, checker.as_ref(), Some(&secret)))
                .await?;
        let known = match (&claimed, key) {
            (Some(server), Some(_)) => Ok(server.clone()),
            (Some(server), None) => Err(format!("no server {server:?} sends bundles here")),
            (None, _) => Err("the manifest names no server".to_owned()),
        };
        checked.note("server", known);
        if checked.passed() {
            self.hold_against_before(&mut checked).await?;
        }
        self.answer(place, claimed.unwrap_or_default(), checked).await?;
        Ok(true)
    }

    /// Holds a bundle that is good in itself against those accepted before.
    async fn hold_against_before(&self, checked: &mut Checked) -> Result<(), StoreError> {
        let Some(manifest) = checked.manifest.clone() else { return Ok(()) };
        let last = self.store.last_incoming(&manifest.server).await?;
        let follows = follows(&manifest, last.as_ref());
        checked.note("continuity", follows);
        let held = self.chains_go_on(checked).await?;
        checked.note("witness", held);
        Ok(())
    }

    /// Whether the bundle's chains go on from the records that are on disk, and no record is there
    /// already with another content.
    async fn chains_go_on(&self, checked: &Checked) -> Result<Result<String, String>, StoreError> {
        for (station, epoch, Head { seq, hash }) in &checked.predecessors {
            match self.store.record_hash(station, *epoch, *seq).await? {
                Some(known) if known == *hash => {}
                Some(_) => {
                    return Ok(Err(format!(
                        "{station}: the chain does not go on from record {epoch}/{seq} as it is held here"
                    )));
                }
                None => {
                    return Ok(Err(format!(
                        "{station}: record {epoch}/{seq}, from which the chain goes on, never came"
                    )));
                }
            }
        }
        for record in &checked.records {
            let (station, epoch, seq) = (&record.station, record.epoch, record.seq);
            let known = self.store.record_hash(station, epoch, seq).await?;
            if known.is_some_and(|known| known != record.hash) {
                return Ok(Err(format!(
                    "{station}: record {epoch}/{seq} is held here with another content"
                )));
            }
        }
        Ok(Ok(format!("{} chains go on from what is held here", checked.predecessors.len())))
    }

    async fn answer(&self, place: &Path, claimed: String, checked: Checked) -> anyhow::Result<()> {
        let accepted = checked.passed();
        let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let at = self.clock.now();
        let receipt = BundleReceipt {
            headquarters: self.name.clone(),
            server: checked.manifest.as_ref().map_or(claimed, |manifest| manifest.server.clone()),
            number: checked.manifest.as_ref().map_or(0, |manifest| manifest.number),
            manifest_sha256: checked.manifest_sha256.clone(),
            accepted,
            records: if accepted { checked.records.len() as u64 } else { 0 },
            checks: checked.checks.clone(),
            at,
        };
        let text = serde_json::to_string(&SignedReceipt::sign(&receipt, &self.keys.signing)?)?;
        let row = IncomingRow {
            manifest_sha256: checked.manifest_sha256,
            server: receipt.server,
            number: receipt.number,
            name: name.clone(),
            received_at: at,
            accepted,
            checks: serde_json::to_string(&receipt.checks)?,
            manifest: checked.manifest_text,
            receipt: text.clone(),
        };
        if accepted {
            // Keys first: records that are noted as taken can be opened.
            for (station, id, wrapped) in checked.keys {
                self.store.put_wrapped_key(&station, id, wrapped).await?;
            }
            self.store.put_incoming(row, checked.records).await?;
            disk::write(&place.join(part::RECEIPT), text.as_bytes())?;
            tracing::info!(bundle = name, "a bundle is accepted");
        } else {
            let failed: Vec<String> = receipt
                .checks
                .iter()
                .filter(|check| !check.passed)
                .map(|check| format!("{}: {}", check.name, check.detail))
                .collect();
            tracing::warn!(bundle = name, reason = failed.join("; "), "a bundle is refused");
            self.store.put_incoming(row, Vec::new()).await?;
            disk::write(&place.join(part::RECEIPT), text.as_bytes())?;
            self.put_aside(place, &name)?;
        }
        Ok(())
    }

    /// Moves a refused bundle out of the way; nothing that was refused before is overwritten.
    fn put_aside(&self, place: &Path, name: &str) -> anyhow::Result<()> {
        let refused = self.incoming.join(REFUSED);
        disk::make_directory(&refused)?;
        let to = refused.join(name);
        if to.exists() {
            let earlier = (1..).map(|number| refused.join(format!("{name}.{number}")));
            if let Some(free) = earlier.into_iter().find(|place| !place.exists()) {
                disk::rename_directory(&to, &free)?;
            }
        }
        disk::rename_directory(place, &to)?;
        Ok(())
    }
}

/// Whether a bundle is the next after the last one accepted of its server.
fn follows(manifest: &Manifest, last: Option<&IncomingRow>) -> Result<String, String> {
    let (number, previous) = last
        .map_or((1, None), |row| (row.number.saturating_add(1), Some(row.manifest_sha256.clone())));
    if manifest.number != number {
        return Err(format!("bundle {} came where bundle {number} is next", manifest.number));
    }
    if manifest.previous_manifest_sha256 != previous {
        return Err(format!("it does not follow bundle {} as it was accepted here", number - 1));
    }
    let first = match last {
        Some(row) => serde_json::from_str::<Manifest>(&row.manifest)
            .map_err(|error| {
                format!("the manifest of bundle {} is not readable: {error}", number - 1)
            })?
            .last
            .saturating_add(1),
        None => 1,
    };
    if manifest.first != first {
        return Err(format!("it begins with arrival {} where {first} is next", manifest.first));
    }
    // Who cuts the audit of a server would have to cut what is held here.
    if let Some(row) = last {
        let held = serde_json::from_str::<Manifest>(&row.manifest).map(|held| held.audit.after);
        if held.ok() != Some(manifest.audit.before.clone()) {
            return Err("its audit does not go on from the entry that is held here".to_owned());
        }
    }
    Ok(match last {
        Some(row) => format!("follows bundle {}", row.number),
        None => "the first".to_owned(),
    })
}

#[cfg(test)]
mod tests;
