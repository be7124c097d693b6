//! Power cuts: a file layer that keeps what was not synced apart, and at the cut drops, tears or
//! keeps each unsynced write as a seed says; names not synced in their directory may be the old
//! ones. The ledger behind it must hold everything it answered for.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tidewaiter_ledger::disk::{Disk, DiskFile};
use tidewaiter_ledger::{Ledger, LedgerOptions};
use tidewaiter_proto::sync::jitter::Jitter;

use crate::support::{note, options};

/// One file: what is on the platter, and what is only in the cache.
#[derive(Clone, Debug, Default)]
struct Content {
    durable: Vec<u8>,
    seen: Vec<u8>,
    unsynced: Vec<(usize, Vec<u8>)>,
}

type Shared = Arc<Mutex<Content>>;

#[derive(Debug, Default)]
struct Files {
    /// Names as processes see them.
    seen: BTreeMap<PathBuf, Shared>,
    /// Names as they are on the platter.
    durable: BTreeMap<PathBuf, Shared>,
}

/// The file layer. Broken on purpose where a test wants to see that the break is noticed.
#[derive(Clone, Debug, Default)]
struct CacheDisk {
    files: Arc<Mutex<Files>>,
    /// A sync that does nothing.
    forgets_sync: bool,
    /// A directory sync that does nothing.
    forgets_names: bool,
    plug: Arc<Mutex<Option<Plug>>>,
}

/// The power, while somebody is about to cut it in the middle of the work.
#[derive(Debug)]
struct Plug {
    /// Operations until then.
    left: u64,
    chance: Jitter,
    /// What was answered so far, by number: which note it is.
    answered: Arc<Mutex<BTreeMap<u64, u64>>>,
    /// The disk as the cut left it, and what had been answered by then.
    cut: Option<(CacheDisk, BTreeMap<u64, u64>)>,
}

#[derive(Debug)]
struct CacheFile {
    content: Shared,
    disk: CacheDisk,
}

impl CacheDisk {
    fn new() -> Self {
        Self::default()
    }

    /// Cuts the power.
    fn cut(&self, chance: &mut Jitter) -> Self {
        let files = self.files.lock().unwrap();
        let mut after = BTreeMap::new();
        let mut names: Vec<PathBuf> = files.durable.keys().cloned().collect();
        // A name that was made and not synced may be there or not.
        names.extend(files.seen.keys().filter(|name| !files.durable.contains_key(*name)).cloned());
        for name in names {
            let content = match (files.durable.get(&name), files.seen.get(&name)) {
                (Some(content), _) => content,
                (None, Some(content)) if chance.below(2) == 0 => content,
                _ => continue,
            };
            let mut content = content.lock().unwrap().clone();
            for (at, bytes) in std::mem::take(&mut content.unsynced) {
                let kept = match chance.below(3) {
                    0 => 0,
                    1 => usize::try_from(chance.below(bytes.len() as u64 + 1)).unwrap(),
                    _ => bytes.len(),
                };
                put(&mut content.durable, at, &bytes[..kept]);
            }
            content.seen.clone_from(&content.durable);
            after.insert(name, Arc::new(Mutex::new(content)));
        }
        let files = Files { seen: after.clone(), durable: after };
        let files = Arc::new(Mutex::new(files));
        Self { files, plug: Arc::default(), ..self.clone() }
    }

    /// Counts one operation; at the last of them the power goes, before it.
    fn work(&self) {
        let mut plug = self.plug.lock().unwrap();
        let Some(plug) = plug.as_mut().filter(|plug| plug.cut.is_none()) else { return };
        plug.left = plug.left.saturating_sub(1);
        if plug.left == 0 {
            // First what was answered: what is answered later may be on the disk or not.
            let answered = plug.answered.lock().unwrap().clone();
            plug.cut = Some((self.cut(&mut plug.chance), answered));
        }
    }
}

fn put(into: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if into.len() < at + bytes.len() {
        into.resize(at + bytes.len(), 0);
    }
    into[at..at + bytes.len()].copy_from_slice(bytes);
}

impl Disk for CacheDisk {
    fn make_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn create(&self, path: &Path, length: u64) -> io::Result<Box<dyn DiskFile>> {
        self.work();
        let mut files = self.files.lock().unwrap();
        if files.seen.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let zeros = vec![0; usize::try_from(length).unwrap()];
        let content =
            Content { seen: zeros.clone(), unsynced: vec![(0, zeros)], ..Content::default() };
        let content = Arc::new(Mutex::new(content));
        files.seen.insert(path.to_owned(), content.clone());
        Ok(Box::new(CacheFile { content, disk: self.clone() }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let files = self.files.lock().unwrap();
        let content = files.seen.get(path).ok_or(io::ErrorKind::NotFound)?.clone();
        Ok(Box::new(CacheFile { content, disk: self.clone() }))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let files = self.files.lock().unwrap();
        let inside = files.seen.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.work();
        let mut files = self.files.lock().unwrap();
        let content = files.seen.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.seen.insert(to.to_owned(), content);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.work();
        let mut files = self.files.lock().unwrap();
        files.seen.remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.work();
        if !self.forgets_names {
            let mut files = self.files.lock().unwrap();
            files.durable.retain(|path, _| path.parent() != Some(dir));
            let inside: Vec<_> = files
                .seen
                .iter()
                .filter(|(path, _)| path.parent() == Some(dir))
                .map(|(path, content)| (path.clone(), content.clone()))
                .collect();
            files.durable.extend(inside);
        }
        Ok(())
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(u64::MAX)
    }

    fn lock(&self, _: &Path) -> io::Result<Box<dyn Send + Sync>> {
        Ok(Box::new(()))
    }
}

impl DiskFile for CacheFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let content = self.content.lock().unwrap();
        let from = usize::try_from(offset).unwrap().min(content.seen.len());
        let bytes = &content.seen[from..];
        let length = bytes.len().min(buffer.len());
        buffer[..length].copy_from_slice(&bytes[..length]);
        Ok(length)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.work();
        let mut content = self.content.lock().unwrap();
        let at = usize::try_from(offset).unwrap();
        put(&mut content.seen, at, bytes);
        content.unsynced.push((at, bytes.to_vec()));
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.content.lock().unwrap().seen.len() as u64)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.work();
        if !self.disk.forgets_sync {
            let mut content = self.content.lock().unwrap();
            let Content { durable, seen, unsynced } = &mut *content;
            durable.clone_from(seen);
            unsynced.clear();
        }
        Ok(())
    }
}

fn on(disk: &CacheDisk, folder: &Path) -> LedgerOptions {
    let mut options = options(folder.join("ledger"));
    options.disk = Arc::new(disk.clone());
    options
}

/// Appends, cuts the power, opens again; gives what was wrong, if anything.
async fn cut_once(seed: u64, broken: impl Fn(&mut CacheDisk)) -> Result<(), String> {
    let mut chance = Jitter::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let mut disk = CacheDisk::new();
    broken(&mut disk);
    // sled's directory is a real one: it is not trusted to have kept anything, and goes at a cut.
    std::fs::create_dir_all(folder.path().join("ledger")).unwrap();
    let mut promised = 0;
    for _life in 0..3 {
        let ledger = Ledger::open(on(&disk, folder.path())).map_err(|error| error.to_string())?;
        if let Some(refusal) = ledger.health().refusal {
            return Err(format!("{promised} were promised, then: {refusal}"));
        }
        let there: Vec<String> = ledger
            .recent(u64::MAX)
            .map_err(|error| error.to_string())?
            .iter()
            .map(|record| serde_json::to_string(&record.body).unwrap())
            .collect();
        if (there.len() as u64) < promised {
            return Err(format!("{promised} were promised, {} are there", there.len()));
        }
        for (body, number) in there.iter().zip(1..) {
            if !body.contains(&format!("note {number}\"")) {
                return Err(format!("record {number} is another one: {body}"));
            }
        }
        promised = there.len() as u64;
        for _ in 0..chance.below(400) {
            let number = promised + 1;
            let appended = ledger.append(note(Some("a"), number), None).await;
            promised = appended.map_err(|error| error.to_string())?.seq;
        }
        let after = disk.cut(&mut chance);
        drop(ledger);
        disk = after;
        if chance.below(2) == 0 {
            let _ = std::fs::remove_dir_all(folder.path().join("ledger/index"));
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_at_any_moment_loses_nothing_that_was_answered() {
    for seed in 0..60 {
        let result = cut_once(seed, |_| {}).await;
        assert_eq!(result, Ok(()), "seed {seed}");
    }
}

/// Several write at once and the power goes in the middle; gives what was wrong, if anything.
async fn cut_amid(seed: u64, broken: impl Fn(&mut CacheDisk)) -> Result<(), String> {
    let mut chance = Jitter::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let mut disk = CacheDisk::default();
    broken(&mut disk);
    std::fs::create_dir_all(folder.path().join("ledger")).unwrap();
    let mut promised: BTreeMap<u64, u64> = BTreeMap::new();
    let mut next_note = 0;
    for _life in 0..3 {
        let ledger = Ledger::open(on(&disk, folder.path())).map_err(|error| error.to_string())?;
        let there = ledger.recent(u64::MAX).map_err(|error| error.to_string())?;
        for (seq, number) in &promised {
            let record = there.iter().find(|record| record.seq == *seq);
            let body = record.map(|record| serde_json::to_string(&record.body).unwrap());
            if !body.as_deref().is_some_and(|body| body.contains(&format!("note {number}\""))) {
                return Err(format!("record {seq} was note {number}, is {body:?}"));
            }
        }
        let answered = Arc::new(Mutex::new(promised.clone()));
        *disk.plug.lock().unwrap() = Some(Plug {
            left: 1 + chance.below(120),
            chance: Jitter::new(chance.below(u64::MAX)),
            answered: answered.clone(),
            cut: None,
        });
        let mut writers = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let (ledger, answered) = (ledger.clone(), answered.clone());
            let first = next_note;
            next_note += 40;
            writers.spawn(async move {
                for number in first..first + 40 {
                    // After the cut the old disk goes on: nobody looks at it any more.
                    let Ok(appended) = ledger.append(note(Some("a"), number), None).await else {
                        return;
                    };
                    answered.lock().unwrap().insert(appended.seq, number);
                }
            });
        }
        while writers.join_next().await.is_some() {}
        let plug = disk.plug.lock().unwrap().take();
        drop(ledger);
        (disk, promised) = match plug.and_then(|plug| plug.cut) {
            Some(cut) => cut,
            None => (disk.cut(&mut chance), answered.lock().unwrap().clone()),
        };
        if chance.below(2) == 0 {
            let _ = std::fs::remove_dir_all(folder.path().join("ledger/index"));
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_amid_the_writing_of_several_loses_nothing_that_was_answered() {
    for seed in 0..60 {
        let result = cut_amid(seed, |_| {}).await;
        assert_eq!(result, Ok(()), "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_does_not_sync_is_caught_amid_the_writing_too() {
    let mut caught = 0;
    for seed in 0..10 {
        let result = cut_amid(seed, |disk| disk.forgets_sync = true).await;
        caught += usize::from(result.is_err());
    }
    assert!(caught >= 5, "only {caught} of 10 runs without sync were caught");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_does_not_sync_is_caught() {
    let mut caught = 0;
    for seed in 0..10 {
        let result = cut_once(seed, |disk| disk.forgets_sync = true).await;
        caught += usize::from(result.is_err());
    }
    assert!(caught >= 8, "only {caught} of 10 runs without sync were caught");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_does_not_sync_directories_is_caught() {
    let mut caught = 0;
    for seed in 0..10 {
        let result = cut_once(seed, |disk| disk.forgets_names = true).await;
        caught += usize::from(result.is_err());
    }
    assert!(caught >= 3, "only {caught} of 10 runs without directory syncs were caught");
}
