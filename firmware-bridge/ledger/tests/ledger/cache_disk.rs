//! A file layer that keeps what was not synced apart, and at a cut of the power drops, tears or keeps
//! each unsynced write as a seed says; names that were not synced in their directory may be the old
//! ones, or the new.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tidewaiter_ledger::disk::{Disk, DiskFile};
use tidewaiter_proto::sync::jitter::Jitter;

/// One file: what is on the platter, and what is only in the cache.
#[derive(Clone, Debug, Default)]
struct Content {
    durable: Vec<u8>,
    seen: Vec<u8>,
    unsynced: Vec<(usize, Vec<u8>)>,
    /// Writes that were synced.
    synced: usize,
}

impl Content {
    fn writes(&self) -> usize {
        self.synced + self.unsynced.len()
    }
}

type Shared = Arc<Mutex<Content>>;

#[derive(Debug, Default)]
struct Files {
    /// Names as processes see them.
    seen: BTreeMap<PathBuf, Shared>,
    /// Names as they are on the platter.
    durable: BTreeMap<PathBuf, Shared>,
    /// Operations so far.
    operations: u64,
    /// Syncs that were answered and not done: when they will be, and of how many writes.
    owed: VecDeque<(u64, Shared, usize)>,
}

/// The file layer. Broken on purpose where a test wants to see that the break is noticed.
#[derive(Clone, Debug, Default)]
pub(crate) struct CacheDisk {
    files: Arc<Mutex<Files>>,
    /// A sync that does nothing.
    pub(crate) forgets_sync: bool,
    /// A sync that is answered at once and done some operations later.
    pub(crate) syncs_late: bool,
    /// A directory sync that does nothing.
    pub(crate) forgets_names: bool,
    plug: Arc<Mutex<Option<Plug>>>,
}

/// The power, while somebody is about to cut it in the middle of the work.
#[derive(Debug)]
pub(crate) struct Plug {
    /// Operations until then.
    left: u64,
    chance: Jitter,
    /// What was answered so far, by number: which note it is.
    answered: Arc<Mutex<BTreeMap<u64, u64>>>,
    /// The disk as the cut left it, and what had been answered by then.
    cut: Option<(CacheDisk, BTreeMap<u64, u64>)>,
}

impl Plug {
    /// Pulled after so many operations.
    pub(crate) fn new(left: u64, chance: Jitter, answered: Arc<Mutex<BTreeMap<u64, u64>>>) -> Self {
        Self { left, chance, answered, cut: None }
    }
}

#[derive(Debug)]
struct CacheFile {
    content: Shared,
    disk: CacheDisk,
}

impl CacheDisk {
    pub(crate) fn plug_in(&self, plug: Plug) {
        *self.plug.lock().unwrap() = Some(plug);
    }

    /// What the cut left, if there was one.
    pub(crate) fn unplug(&self) -> Option<(Self, BTreeMap<u64, u64>)> {
        self.plug.lock().unwrap().take().and_then(|plug| plug.cut)
    }

    /// Cuts the power.
    pub(crate) fn cut(&self, chance: &mut Jitter) -> Self {
        let files = self.files.lock().unwrap();
        let mut after = BTreeMap::new();
        let mut names: Vec<PathBuf> = files.durable.keys().cloned().collect();
        names.extend(files.seen.keys().filter(|name| !files.durable.contains_key(*name)).cloned());
        for name in names {
            let (old, new) = (files.durable.get(&name), files.seen.get(&name));
            // What was not synced in the directory may be there or not: a new name, another file
            // behind it, a removal. A renamed file has one of its names in any case.
            let renamed = |old: &Shared| files.seen.values().any(|other| Arc::ptr_eq(old, other));
            let content = match (old, new, chance.below(2) == 0) {
                (_, Some(new), true) => new,
                (None, Some(_), false) => continue,
                (Some(old), None, true) if !renamed(old) => continue,
                (Some(old), ..) => old,
                (None, None, _) => continue,
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
            content.synced = 0;
            after.insert(name, Arc::new(Mutex::new(content)));
        }
        let files = Files { seen: after.clone(), durable: after, ..Files::default() };
        let files = Arc::new(Mutex::new(files));
        Self { files, plug: Arc::default(), ..self.clone() }
    }

    /// Counts one operation; at the last of them the power goes, before it.
    fn work(&self) {
        if let Some(plug) = self.plug.lock().unwrap().as_mut().filter(|plug| plug.cut.is_none()) {
            plug.left = plug.left.saturating_sub(1);
            if plug.left == 0 {
                // First what was answered: what is answered later may be on the disk or not.
                let answered = plug.answered.lock().unwrap().clone();
                plug.cut = Some((self.cut(&mut plug.chance), answered));
            }
        }
        let mut files = self.files.lock().unwrap();
        files.operations += 1;
        while let Some((_, content, writes)) =
            files.owed.front().filter(|(due, ..)| *due <= files.operations).cloned()
        {
            files.owed.pop_front();
            sync(&content, writes);
        }
    }
}

/// Brings the first so many writes of a file to the platter.
fn sync(content: &Shared, writes: usize) {
    let mut content = content.lock().unwrap();
    let unsynced = writes.saturating_sub(content.synced).min(content.unsynced.len());
    content.synced += unsynced;
    let writes: Vec<(usize, Vec<u8>)> = content.unsynced.drain(..unsynced).collect();
    for (at, bytes) in writes {
        put(&mut content.durable, at, &bytes);
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
        let writes = self.content.lock().unwrap().writes();
        if self.disk.syncs_late {
            let mut files = self.disk.files.lock().unwrap();
            let due = files.operations + LATE;
            files.owed.push_back((due, self.content.clone(), writes));
        } else if !self.disk.forgets_sync {
            sync(&self.content, writes);
        }
        Ok(())
    }
}

/// Operations after which a late sync is done.
const LATE: u64 = 40;
