//! Headquarters' keys: made at its first start, in a directory that appears whole or not at all.

use std::path::{Path, PathBuf};

use anyhow::Context;
use tidewaiter_proto::seal::{ServerSecret, random};
use tidewaiter_proto::signing::Signing;

use crate::bundle::receipt::HeadquartersCard;
use crate::disk;

/// What headquarters signs with, and what opens the keys that are wrapped for it.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Signs receipts.
    pub signing: Signing,
    /// Opens wrapped keys.
    pub sealing: ServerSecret,
}

impl Keys {
    /// Opens the keys under headquarters' data directory, making them at the first start.
    ///
    /// # Errors
    /// When they cannot be made or read, or are not valid.
    pub fn open(data: &Path) -> anyhow::Result<Self> {
        let directory = directory(data);
        if !directory.exists() {
            make(data, &directory)?;
        }
        let signing = Signing::from_seed(&read_key(&directory.join(SIGNING))?);
        Ok(Self { signing, sealing: sealing_key(data)? })
    }

    /// Writes the card with the public halves where it is not there yet, or is another.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_card(&self, data: &Path, name: &str) -> anyhow::Result<PathBuf> {
        let card = HeadquartersCard {
            name: name.to_owned(),
            signing_key: self.signing.verifying(),
            sealing_key: hex::encode(self.sealing.public().0),
        };
        let file = data.join(CARD);
        if HeadquartersCard::read(&file).ok().as_ref() != Some(&card) {
            let mut bytes = serde_json::to_vec_pretty(&card)?;
            bytes.push(b'\n');
            disk::write(&file, &bytes)?;
        }
        Ok(file)
    }
}

/// The key under headquarters' data directory that opens what is wrapped for it.
///
/// # Errors
/// When it is not there, cannot be read, or is not valid.
pub fn sealing_key(data: &Path) -> anyhow::Result<ServerSecret> {
    Ok(ServerSecret::from_bytes(read_key(&directory(data).join(SEALING))?))
}

fn directory(data: &Path) -> PathBuf {
    data.join("keys")
}

/// Two programs that start at once end up with the keys of the one that was faster.
fn make(data: &Path, directory: &Path) -> anyhow::Result<()> {
    let draft = data.join(format!("keys.{}", uuid::Uuid::now_v7()));
    disk::make_private_directory(&draft)?;
    for name in [SIGNING, SEALING] {
        disk::write_secret(&draft.join(name), hex::encode(random::<32>()?).as_bytes())?;
    }
    if let Err(error) = disk::rename_directory(&draft, directory) {
        std::fs::remove_dir_all(&draft).ok();
        if !directory.exists() {
            return Err(error.into());
        }
    }
    Ok(())
}

fn read_key(file: &Path) -> anyhow::Result<[u8; 32]> {
    let text = disk::read_text(file)?;
    let mut key = [0; 32];
    hex::decode_to_slice(text.trim(), &mut key)
        .with_context(|| format!("{}: not a key of 64 hex digits", file.display()))?;
    Ok(key)
}

const SIGNING: &str = "signing.key";
const SEALING: &str = "sealing.key";
const CARD: &str = "headquarters.json";

#[cfg(test)]
mod tests {
    use super::{Keys, sealing_key};
    use crate::bundle::receipt::HeadquartersCard;

    #[test]
    fn keys_are_made_once_and_the_card_shows_their_public_halves() {
        let data = tempfile::tempdir().unwrap();
        assert!(sealing_key(data.path()).is_err(), "looking makes no keys");
        let first = Keys::open(data.path()).unwrap();
        let second = Keys::open(data.path()).unwrap();
        assert_eq!(first.signing.verifying(), second.signing.verifying());
        let file = first.write_card(data.path(), "headquarters").unwrap();
        let card = HeadquartersCard::read(&file).unwrap();
        assert_eq!(card.signing_key, second.signing.verifying());
        let public = sealing_key(data.path()).unwrap().public();
        assert_eq!(card.sealing_key, hex::encode(public.0));
    }

    #[cfg(unix)]
    #[test]
    fn only_their_owner_may_read_them() {
        use std::os::unix::fs::PermissionsExt;
        let data = tempfile::tempdir().unwrap();
        Keys::open(data.path()).unwrap();
        for entry in std::fs::read_dir(data.path().join("keys")).unwrap() {
            let mode = entry.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0);
        }
    }
}
