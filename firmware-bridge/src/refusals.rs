//! Bytes that a driver refused, kept for the engineer: sealed, few, and not for long.
//!
//! ```text
//! DATA/refused/DEVICE/MILLISECONDS-RANDOM.sealed
//!   {"device":…,"kind":…,"at":…,"key":HEX,"wrapped":HEX,"nonce":HEX}   one line, in the clear
//!   the bytes, sealed under a key of their own that is wrapped for the station
//! ```
//! What a traveller's document said may be among them: they never leave the station, and
//! [`KEPT`] of a device stay for [`DAYS`] days at most. A file torn by a power cut is one that
//! cannot be opened; nothing here is evidence.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tidewaiter_proto::seal::{
    BodyKey, CannotOpen, KeyId, NoRandomness, StationKey, WrappedForStation, random,
};

/// The refused bytes of a station.
#[derive(Clone, Debug)]
pub struct Refusals {
    directory: PathBuf,
    key: StationKey,
}

/// Bytes that were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Whose.
    pub device: String,
    /// Why: the name of the fault.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// The bytes; `None` where the station's key does not open them.
    pub bytes: Option<Vec<u8>>,
}

/// Why refused bytes were not kept, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RefusalError {
    /// A file or directory cannot be written or read.
    #[error("{file} cannot be used", file = file.display())]
    Io {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] NoRandomness),
}

/// The first line of a file; everything but the keys is bound to the bytes.
#[derive(Serialize, Deserialize)]
struct Heading {
    device: String,
    kind: String,
    at: Timestamp,
    key: String,
    wrapped: String,
    nonce: String,
}

impl Refusals {
    /// Those of the station whose data is there, under its own key.
    pub fn at(data: &Path, key: StationKey) -> Self {
        Self { directory: data.join("refused"), key }
    }

    /// Keeps bytes of a device, and lets go of what is too old or too much.
    ///
    /// # Errors
    /// [`RefusalError`]; then they are not kept.
    pub fn keep(
        &self,
        device: &str,
        kind: &str,
        at: Timestamp,
        bytes: &[u8],
    ) -> Result<(), RefusalError> {
        let directory = self.directory.join(device);
        let mut private = fs::DirBuilder::new();
        private
            .recursive(true)
            .mode(0o700)
            .create(&directory)
            .map_err(|source| RefusalError::Io { file: directory.clone(), source })?;
        let (id, nonce) = (KeyId(random()?), random::<24>()?);
        let key = BodyKey::from_bytes(random()?);
        let heading = Heading {
            device: device.to_owned(),
            kind: kind.to_owned(),
            at,
            key: hex::encode(id.0),
            wrapped: hex::encode(key.wrap_for_station(id, &self.key, &random()?)),
            nonce: hex::encode(nonce),
        };
        let mut content = serde_json::to_vec(&heading).unwrap_or_default();
        content.push(b'\n');
        content.extend(key.seal(&nonce, &heading.bound(), bytes));
        let name = format!("{:013}-{}.sealed", at.as_millisecond(), hex::encode(random::<4>()?));
        let file = directory.join(name);
        let failed = |source| RefusalError::Io { file: file.clone(), source };
        let mut options = fs::OpenOptions::new();
        // Not synced: the ledger's disk has better to do.
        let mut open =
            options.write(true).create_new(true).mode(0o600).open(&file).map_err(failed)?;
        open.write_all(&content).map_err(failed)?;
        let too_old = at.checked_sub(SignedDuration::from_hours(24 * DAYS)).unwrap_or(at);
        let files = files(&directory)?;
        let surplus = files.len().saturating_sub(KEPT);
        for (place, file) in files.iter().enumerate() {
            if place < surplus || made_at(file).is_none_or(|at| at < too_old) {
                // Gone already is as good.
                let _ = fs::remove_file(file);
            }
        }
        Ok(())
    }

    /// All that is kept, oldest first, of one device or of all.
    ///
    /// # Errors
    /// [`RefusalError`] when a directory or file cannot be read; bytes that do not open are none.
    pub fn read(&self, device: Option<&str>) -> Result<Vec<Refusal>, RefusalError> {
        let mut refusals = Vec::new();
        for directory in subdirectories(&self.directory)? {
            let name = directory.file_name().unwrap_or_default();
            if device.is_some_and(|device| name != device) {
                continue;
            }
            for file in files(&directory)? {
                let content = fs::read(&file)
                    .map_err(|source| RefusalError::Io { file: file.clone(), source })?;
                let torn = || Refusal {
                    device: name.to_string_lossy().into_owned(),
                    kind: "damaged".to_owned(),
                    at: made_at(&file).unwrap_or_default(),
                    bytes: None,
                };
                refusals.push(self.open(&content).unwrap_or_else(torn));
            }
        }
        refusals.sort_by_key(|refusal| refusal.at);
        Ok(refusals)
    }

    fn open(&self, content: &[u8]) -> Option<Refusal> {
        let end = content.iter().position(|byte| *byte == b'\n')?;
        let (heading, sealed) = content.split_at_checked(end)?;
        let heading: Heading = serde_json::from_slice(heading).ok()?;
        let bytes = heading.unseal(&self.key, sealed.get(1..)?).ok();
        let Heading { device, kind, at, .. } = heading;
        Some(Refusal { device, kind, at, bytes })
    }
}

impl Heading {
    /// What the bytes are sealed under: they belong to this device, fault and time.
    fn bound(&self) -> Vec<u8> {
        format!("refused\0{}\0{}\0{}", self.device, self.kind, self.at).into_bytes()
    }

    fn unseal(&self, station: &StationKey, sealed: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        let id = KeyId(array(&self.key)?);
        let wrapped: WrappedForStation = array(&self.wrapped)?;
        let key = BodyKey::unwrap_for_station(id, station, &wrapped)?;
        key.open(&array(&self.nonce)?, &self.bound(), sealed)
    }
}

fn array<const N: usize>(text: &str) -> Result<[u8; N], CannotOpen> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| CannotOpen)?;
    Ok(bytes)
}

/// When a file was made, by its name.
fn made_at(file: &Path) -> Option<Timestamp> {
    let (millis, _) = file.file_name()?.to_str()?.split_once('-')?;
    Timestamp::from_millisecond(millis.parse().ok()?).ok()
}

/// The files of a directory, oldest first; none where there is no directory.
fn files(directory: &Path) -> Result<Vec<PathBuf>, RefusalError> {
    let mut files = entries(directory)?;
    files.retain(|file| file.extension().is_some_and(|end| end == "sealed"));
    Ok(files)
}

fn subdirectories(directory: &Path) -> Result<Vec<PathBuf>, RefusalError> {
    let mut found = entries(directory)?;
    found.retain(|path| path.is_dir());
    Ok(found)
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, RefusalError> {
    let failed = |source| RefusalError::Io { file: directory.to_owned(), source };
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    paths.sort();
    Ok(paths)
}

/// So many of a device are kept.
pub const KEPT: usize = 200;
/// And for so many days.
pub const DAYS: i64 = 7;

#[cfg(test)]
mod tests {
    use super::{DAYS, KEPT, Refusals};
    use jiff::{SignedDuration, Timestamp};
    use std::path::PathBuf;
    use tidewaiter_proto::seal::StationKey;

    const ROW: &[u8] = b"P<UTOERIKSSON<<ANNA<MARIA";

    fn noon() -> Timestamp {
        "2018-11-16T12:00:00Z".parse().unwrap()
    }

    fn files(data: &std::path::Path) -> Vec<PathBuf> {
        let directory = data.join("refused/mrz-1");
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn refused_bytes_are_read_with_the_stations_key_and_with_no_other() {
        let data = tempfile::tempdir().unwrap();
        let refusals = Refusals::at(data.path(), StationKey::from_bytes([1; 32]));
        refusals.keep("mrz-1", "mrz_incomplete", noon(), ROW).unwrap();
        let read = refusals.read(None).unwrap();
        assert_eq!((read[0].kind.as_str(), read[0].at), ("mrz_incomplete", noon()));
        assert_eq!(read[0].bytes.as_deref(), Some(ROW));
        assert!(refusals.read(Some("pass-1")).unwrap().is_empty());
        let stored = std::fs::read(&files(data.path())[0]).unwrap();
        assert!(!stored.windows(8).any(|window| window == b"ERIKSSON"), "in the clear");
        let other = Refusals::at(data.path(), StationKey::from_bytes([2; 32]));
        assert_eq!(other.read(None).unwrap()[0].bytes, None);
        // A heading that was changed opens nothing either.
        let file = &files(data.path())[0];
        let text = String::from_utf8_lossy(&stored).replace("mrz_incomplete", "mrz_incomplets");
        assert_ne!(text.as_bytes(), stored.as_slice());
        let end = stored.iter().position(|byte| *byte == b'\n').unwrap();
        let heading = String::from_utf8(stored[..end].to_vec()).unwrap();
        let changed = heading.replace("mrz_incomplete", "noise");
        std::fs::write(file, [changed.as_bytes(), &stored[end..]].concat()).unwrap();
        assert_eq!(refusals.read(None).unwrap()[0].bytes, None);
        std::fs::write(file, b"torn").unwrap();
        assert_eq!(refusals.read(None).unwrap()[0].kind, "damaged");
    }

    #[test]
    fn few_are_kept_and_not_for_long() {
        let data = tempfile::tempdir().unwrap();
        let refusals = Refusals::at(data.path(), StationKey::from_bytes([1; 32]));
        for step in 0..i64::try_from(KEPT).unwrap() + 5 {
            let at = noon() + SignedDuration::from_secs(step);
            refusals.keep("mrz-1", "noise", at, &[0]).unwrap();
        }
        let read = refusals.read(None).unwrap();
        assert_eq!((read.len(), read[0].at), (KEPT, noon() + SignedDuration::from_secs(5)));
        let later = noon() + SignedDuration::from_hours(24 * (DAYS + 1));
        refusals.keep("mrz-1", "noise", later, &[1]).unwrap();
        assert_eq!(refusals.read(None).unwrap().len(), 1);
    }
}
