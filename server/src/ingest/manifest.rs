//! The manifest of policy and lists that every station is told, and its serial, which a restart
//! does not turn back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use tidewaiter_proto::manifest::{Manifest, SignedManifest};
use tidewaiter_proto::signing::Signing;

use crate::clock::Clock;
use crate::disk::{self, DiskError};
use crate::law::Law;
use crate::law::force::Force;

/// Why there is no manifest.
#[derive(Debug, thiserror::Error)]
pub enum PublicationError {
    /// The last one cannot be read, or this one not be kept.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// It cannot be written.
    #[error("the manifest of policy and lists cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

/// Says what law is in force, again after each change of it.
#[derive(Debug)]
pub struct Announcer {
    force: Force,
    data: PathBuf,
    signing: Signing,
    clock: Clock,
    /// The law that was said last.
    law: Arc<Law>,
    payload: Vec<u8>,
}

impl Announcer {
    /// What is in force now.
    ///
    /// # Errors
    /// [`PublicationError`].
    pub fn open(
        force: Force,
        data: &Path,
        signing: Signing,
        clock: Clock,
    ) -> Result<Self, PublicationError> {
        let law = force.law();
        let payload = published(data, &law.versions(), &signing, clock.now())?;
        Ok(Self { force, data: data.to_owned(), signing, clock, law, payload })
    }

    /// The manifest as it travels.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The manifest anew, if another law is in force than was said last.
    ///
    /// # Errors
    /// [`PublicationError`]; it is to be asked again.
    pub fn look(&mut self) -> Result<Option<&[u8]>, PublicationError> {
        let law = self.force.law();
        if Arc::ptr_eq(&law, &self.law) {
            return Ok(None);
        }
        let payload = published(&self.data, &law.versions(), &self.signing, self.clock.now())?;
        self.law = law;
        let news = payload != self.payload;
        self.payload = payload;
        Ok(news.then_some(&self.payload))
    }
}

/// The payload that says what is in force: the last one again, or, after a change, one of a larger
/// serial, which is kept in `data`. `versions` are those of the law, the pack's under `policy`.
///
/// # Errors
/// [`PublicationError`].
fn published(
    data: &Path,
    versions: &BTreeMap<String, String>,
    signing: &Signing,
    now: Timestamp,
) -> Result<Vec<u8>, PublicationError> {
    let file = data.join(FILE);
    let last = if file.exists() { Some(disk::read_text(&file)?) } else { None };
    let known =
        last.as_deref().map(|text| SignedManifest::verify(text.as_bytes(), &signing.verifying()));
    let known = match known {
        Some(Ok(known)) => Some(known),
        // The next serial comes from the clock then.
        Some(Err(error)) => {
            tracing::warn!(file = %file.display(), %error, "the last manifest is not ours");
            None
        }
        None => None,
    };
    let mut lists = versions.clone();
    let policy = lists.remove("policy").unwrap_or_default();
    // From the clock, so that a server restored from a backup does not use a serial twice.
    let clock = u64::try_from(now.as_second()).unwrap_or(0);
    let serial = known.as_ref().map_or(0, |known| known.serial).saturating_add(1).max(clock);
    let manifest = Manifest { serial, since: now, policy, lists };
    if let (Some(last), Some(known)) = (last, known)
        && manifest.says_as(&known)
    {
        return Ok(last.into_bytes());
    }
    let payload = serde_json::to_vec(&manifest.sign(signing)?)?;
    disk::write(&file, &payload)?;
    Ok(payload)
}

const FILE: &str = "manifest.json";

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tidewaiter_proto::manifest::{Manifest, SignedManifest};
    use tidewaiter_proto::signing::Signing;

    use super::{FILE, published};

    #[test]
    fn the_serial_grows_with_the_law_and_with_nothing_else() {
        let data = tempfile::tempdir().unwrap();
        let signing = Signing::from_seed(&[1; 32]);
        let at = |un: &str, now: &str| -> Manifest {
            let versions = [("policy", "2018-11"), ("un", un)];
            let versions: BTreeMap<String, String> =
                versions.map(|(name, version)| (name.to_owned(), version.to_owned())).into();
            let payload = published(data.path(), &versions, &signing, now.parse().unwrap());
            SignedManifest::verify(&payload.unwrap(), &signing.verifying()).unwrap()
        };
        let first = at("a", "2018-11-16T03:00:00Z");
        assert_eq!((first.policy.as_str(), &first.lists["un"]), ("2018-11", &"a".to_owned()));
        assert_eq!(at("a", "2018-11-17T03:00:00Z"), first, "nothing changed");
        let second = at("b", "2018-11-17T03:00:00Z");
        assert!(second.replaces(&first).unwrap());
        // A clock that was put back.
        let third = at("c", "2018-10-01T00:00:00Z");
        assert!(third.replaces(&second).unwrap());
        // A damaged file.
        std::fs::write(data.path().join(FILE), "{}").unwrap();
        let fourth = at("c", "2018-12-01T00:00:00Z");
        assert!(fourth.serial > third.serial);
    }
}
