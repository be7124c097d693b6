//! Results that a station writes as files into a directory, one JSON object each.
//!
//! A file is read when it has not changed between two looks, then moved into `done/` or
//! `refused/`. Its event is named by its content: a file that comes twice, or whose end of the
//! way a power cut left open, is recorded once. After a start what was moved in the last minutes
//! is said again for the same reason.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use tidewaiter_proto::bus::Availability;
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

use super::{LINE, read};
use crate::driver::report::Reporter;
use crate::driver::session::{Broken, Outcome};

/// Watches the directory until it is gone.
pub(super) async fn session(
    directory: &Path,
    reporter: &mut Reporter,
    stop: &CancellationToken,
) -> Result<(), Broken> {
    let gone =
        |error: io::Error| Broken::Gone(format!("{} cannot be used: {error}", directory.display()));
    let (done, refused) = (directory.join("done"), directory.join("refused"));
    fs::read_dir(directory).map_err(gone)?;
    fs::create_dir_all(&done).and_then(|()| fs::create_dir_all(&refused)).map_err(gone)?;
    reporter.say(Availability::Online, String::new()).await?;
    for file in recent(&done).map_err(gone)? {
        let (id, bytes) = content(&file).map_err(gone)?;
        if let Outcome::Reading(body) = read(&bytes) {
            reporter.reading_as(id, body).await?;
        }
    }
    let mut looks = interval(LOOK_EVERY);
    let mut seen = BTreeMap::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = looks.tick() => {}
        }
        let there = results(directory).map_err(gone)?;
        for (file, state) in &there {
            if seen.get(file) != Some(state) {
                continue;
            }
            let (id, bytes) = content(file).map_err(gone)?;
            reporter.heard(&bytes).await;
            let into = match read(&bytes) {
                Outcome::Reading(body) => {
                    reporter.understood();
                    reporter.reading_as(id, body).await?;
                    &done
                }
                Outcome::Refused(kind, detail) => {
                    reporter.refused(kind).await?;
                    reporter.fault(kind, detail).await?;
                    &refused
                }
            };
            let name = file.file_name().unwrap_or_default();
            fs::rename(file, into.join(name)).map_err(gone)?;
        }
        seen = there;
    }
}

/// What is known of a file without reading it.
type Look = (u64, Option<SystemTime>);

fn results(directory: &Path) -> io::Result<BTreeMap<PathBuf, Look>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        // Gone since it was listed: taken back by its writer.
        let Ok(data) = fs::metadata(&path) else { continue };
        if data.is_file() && path.extension().is_some_and(|end| end == "json") {
            files.insert(path, (data.len(), data.modified().ok()));
        }
    }
    Ok(files)
}

/// What was read in the last minutes.
fn recent(done: &Path) -> io::Result<Vec<PathBuf>> {
    let young = |at: SystemTime| at.elapsed().is_ok_and(|age| age < AGAIN);
    let results = results(done)?.into_iter();
    Ok(results.filter(|(_, (_, at))| at.is_some_and(young)).map(|(file, _)| file).collect())
}

/// The name of a file's event, and what it holds, to a byte beyond the limit.
fn content(file: &Path) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(LINE).unwrap_or(u64::MAX).saturating_add(1);
    fs::File::open(file)?.take(limit).read_to_end(&mut bytes)?;
    let digest = hex::encode(Sha256::digest(&bytes));
    Ok((digest.get(..32).unwrap_or_default().to_owned(), bytes))
}

const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Readings reach the ledger within seconds; this is for a machine that was away for some.
const AGAIN: Duration = Duration::from_mins(10);
