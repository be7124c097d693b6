//! The night: closes the range since the last bundle, builds, signs, hands over, and takes
//! headquarters' receipts back.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidewaiter_proto::seal::{ServerPublic, ServerSecret};
use tokio::sync::Mutex;

use super::build::{BuildError, Keys, Range, build};
use super::check::read_bounded;
use super::manifest::{Manifest, sha256};
use super::part;
use super::receipt::{HeadquartersCard, ReceiptError, SignedReceipt};
use super::seal::{Checker, SealError, Signer};
use crate::clock::Clock;
use crate::disk::{self, DiskError};
use crate::law::force::Force;
use crate::store::{BundleRow, BundleState, Store, StoreError};

/// Makes bundles, one at a time. Clones share it.
#[derive(Clone, Debug)]
pub struct Night {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: NightSettings,
    store: Store,
    clock: Clock,
    one_at_a_time: Mutex<()>,
}

/// What a night needs to know.
pub struct NightSettings {
    /// Which server this is.
    pub server: String,
    /// Where bundles are handed over.
    pub directory: PathBuf,
    /// Headquarters' public keys, if it takes this server's bundles.
    pub headquarters: Option<PathBuf>,
    /// What opens the server's wrapped keys.
    pub sealing: ServerSecret,
    /// From which one-time secrets are derived.
    pub derive: [u8; 32],
    /// What signs manifests.
    pub signer: Signer,
    /// What checks them.
    pub checker: Checker,
    /// The law in force, whose versions each bundle names as of its making.
    pub force: Force,
}

impl std::fmt::Debug for NightSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NightSettings({} → {})", self.server, self.directory.display())
    }
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The files.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A directory.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The signature.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Headquarters' card.
    #[error("headquarters' public keys cannot be used")]
    Headquarters(#[from] ReceiptError),
    /// Something that is not ours is where the bundle goes.
    #[error("{0}: something else is there already")]
    InTheWay(String),
    /// The manifest cannot be written as JSON.
    #[error("the manifest cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl Night {
    /// A night over a store.
    pub fn new(settings: NightSettings, store: Store, clock: Clock) -> Self {
        Self { inner: Arc::new(Inner { settings, store, clock, one_at_a_time: Mutex::new(()) }) }
    }

    /// Makes the bundle of all that arrived since the last one; `None` when nothing has.
    ///
    /// # Errors
    /// [`BundleError`]; then nothing is handed over, and the next night covers the range.
    pub async fn run(&self) -> Result<Option<BundleRow>, BundleError> {
        let _one = self.inner.one_at_a_time.lock().await;
        let Inner { settings, store, clock, .. } = &*self.inner;
        disk::make_directory(&settings.directory)?;
        let before = store.last_bundle().await?;
        let range = Range {
            server: settings.server.clone(),
            number: before.as_ref().map_or(1, |bundle| bundle.number + 1),
            first: before.as_ref().map_or(1, |bundle| bundle.last + 1),
            last: store.last_arrival().await?,
            previous: before.map(|bundle| bundle.manifest_sha256),
            versions: settings.force.law().versions(),
        };
        let name = format!("{}-{:06}", range.server, range.number);
        let place = settings.directory.join(&name);
        let (manifest, bytes) = if place.exists() {
            // The program stopped after handing over and before noting it.
            settings.adopt(&place, &range)?
        } else if range.first > range.last {
            return Ok(None);
        } else {
            settings.hand_over(store, &range, &place).await?
        };
        let row = BundleRow {
            number: manifest.number,
            name,
            first: manifest.first,
            last: manifest.last,
            built_at: clock.now(),
            previous: manifest.previous_manifest_sha256.clone(),
            manifest_sha256: sha256(&bytes),
            manifest: String::from_utf8_lossy(&bytes).into_owned(),
            state: BundleState::Built,
            receipt: None,
            receipted_at: None,
        };
        store.put_bundle(row.clone()).await?;
        tracing::info!(bundle = row.number, records = manifest.records(), "a bundle is made");
        Ok(Some(row))
    }

    /// Looks for headquarters' receipts and takes those that are signed and fit. Gives how many.
    ///
    /// # Errors
    /// [`BundleError`].
    pub async fn take_receipts(&self) -> Result<usize, BundleError> {
        let Inner { settings, store, clock, .. } = &*self.inner;
        let Some(card) = &settings.headquarters else { return Ok(0) };
        let mut taken = 0;
        for bundle in store.bundles(i64::MAX, LOOK_BACK).await? {
            if bundle.state == BundleState::Accepted {
                continue;
            }
            let Some(text) = settings.receipt_of(&bundle.name) else { continue };
            if bundle.receipt.as_ref() == Some(&text) {
                continue;
            }
            let card = HeadquartersCard::read(card)?;
            let receipt = match SignedReceipt::verify(&text, &card.signing_key) {
                Ok(receipt) => receipt,
                Err(error) => {
                    tracing::warn!(bundle = bundle.number, %error, "a receipt is not believed");
                    continue;
                }
            };
            if receipt.manifest_sha256 != bundle.manifest_sha256
                || receipt.server != settings.server
            {
                tracing::warn!(bundle = bundle.number, "a receipt is for another bundle");
                continue;
            }
            let state = if receipt.accepted { BundleState::Accepted } else { BundleState::Refused };
            store.answer_bundle(bundle.number, state, text, clock.now()).await?;
            tracing::info!(bundle = bundle.number, state = state.as_str(), "a bundle is answered");
            taken += 1;
        }
        Ok(taken)
    }

    /// Which server this is.
    pub fn server(&self) -> &str {
        &self.inner.settings.server
    }

    /// What signs what leaves this server.
    pub fn signer(&self) -> &Signer {
        &self.inner.settings.signer
    }

    /// Whether headquarters is known.
    pub fn has_headquarters(&self) -> bool {
        self.inner.settings.headquarters.is_some()
    }
}

impl NightSettings {
    async fn hand_over(
        &self,
        store: &Store,
        range: &Range,
        place: &Path,
    ) -> Result<(Manifest, Vec<u8>), BundleError> {
        let draft = self.directory.join(format!(".{}-{:06}.draft", range.server, range.number));
        if draft.exists() {
            std::fs::remove_dir_all(&draft)
                .map_err(|_| BundleError::InTheWay(draft.display().to_string()))?;
        }
        disk::make_directory(&draft)?;
        let public = self.headquarters_key()?;
        let keys =
            Keys { server: &self.sealing, headquarters: public.as_ref(), derive: &self.derive };
        let manifest = build(store, keys, range, &draft).await?;
        let bytes = manifest.to_bytes()?;
        let comment = format!(
            "server {} bundle {} arrivals {}-{}",
            manifest.server, manifest.number, manifest.first, manifest.last
        );
        let signature = self.signer.sign(&bytes, &comment)?;
        disk::write(&draft.join(part::BAG), part::BAG_TEXT.as_bytes())?;
        disk::write(&draft.join(part::HASHES), manifest.bag_hashes().as_bytes())?;
        disk::write(&draft.join(part::MANIFEST), &bytes)?;
        disk::write(&draft.join(part::SIGNATURE), signature.as_bytes())?;
        disk::rename_directory(&draft, place)?;
        Ok((manifest, bytes))
    }

    fn adopt(&self, place: &Path, range: &Range) -> Result<(Manifest, Vec<u8>), BundleError> {
        let in_the_way = || BundleError::InTheWay(place.display().to_string());
        let bytes = read_bounded(&place.join(part::MANIFEST)).map_err(|_| in_the_way())?;
        let signature = disk::read_text(&place.join(part::SIGNATURE))?;
        self.checker.check(&bytes, &signature)?;
        let manifest: Manifest = serde_json::from_slice(&bytes)?;
        let fits = manifest.number == range.number
            && manifest.first == range.first
            && manifest.previous_manifest_sha256 == range.previous;
        if fits { Ok((manifest, bytes)) } else { Err(in_the_way()) }
    }

    fn headquarters_key(&self) -> Result<Option<ServerPublic>, BundleError> {
        let Some(file) = &self.headquarters else { return Ok(None) };
        let card = HeadquartersCard::read(file)?;
        let mut key = [0; 32];
        hex::decode_to_slice(&card.sealing_key, &mut key).map_err(|_| {
            BundleError::Headquarters(ReceiptError::Signature(
                tidewaiter_proto::signing::SignatureError::Key,
            ))
        })?;
        Ok(Some(ServerPublic(key)))
    }

    fn receipt_of(&self, name: &str) -> Option<String> {
        let places = [self.directory.join(name), self.directory.join(REFUSED).join(name)];
        let bytes =
            places.iter().find_map(|place| read_bounded(&place.join(part::RECEIPT)).ok())?;
        String::from_utf8(bytes).ok()
    }
}

/// Where headquarters puts bundles it refused, under the directory they came in.
pub(crate) const REFUSED: &str = "refused";
const LOOK_BACK: i64 = 400;
