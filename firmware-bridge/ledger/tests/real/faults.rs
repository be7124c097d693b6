//! Calls that fail: the ledger stops, answers for nothing more, does not sync that file again, and
//! has everything it answered for when it is opened anew.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tidewaiter_ledger::Ledger;
use tidewaiter_ledger::disk::{Disk, DiskFile, RealDisk};

use crate::support::note;
use crate::writer::{holds, small};

/// The real disk, of which one call fails, and every later one on the same file.
#[derive(Clone, Debug)]
struct Failing {
    /// Calls until then.
    left: Arc<AtomicU64>,
    kind: Call,
    error: i32,
    /// A file was synced again after its sync had failed.
    retried: Arc<AtomicBool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Write,
    Sync,
    Create,
    Rename,
    SyncDir,
}

impl Failing {
    fn call(&self, kind: Call) -> io::Result<()> {
        let now = self.kind == kind && self.left.fetch_sub(1, Ordering::SeqCst) == 1;
        if now { Err(io::Error::from_raw_os_error(self.error)) } else { Ok(()) }
    }

    fn file(&self, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(FailingFile { file, disk: self.clone(), failed: AtomicBool::new(false) })
    }
}

#[derive(Debug)]
struct FailingFile {
    file: Box<dyn DiskFile>,
    disk: Failing,
    failed: AtomicBool,
}

impl Disk for Failing {
    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.make_dir(dir)
    }
    fn create(&self, path: &Path, length: u64) -> io::Result<Box<dyn DiskFile>> {
        self.call(Call::Create)?;
        Ok(self.file(RealDisk.create(path, length)?))
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.file(RealDisk.open(path)?))
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(dir)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(Call::Rename)?;
        RealDisk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.call(Call::SyncDir)?;
        RealDisk.sync_dir(dir)
    }
    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        RealDisk.free_bytes(dir)
    }
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        RealDisk.lock(path)
    }
}

impl DiskFile for FailingFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, buffer)
    }
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.call(Call::Write)?;
        self.file.write_at(offset, bytes)
    }
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }
    fn sync(&self) -> io::Result<()> {
        if self.failed.load(Ordering::SeqCst) {
            self.disk.retried.store(true, Ordering::SeqCst);
        }
        self.disk.call(Call::Sync).inspect_err(|_| self.failed.store(true, Ordering::SeqCst))?;
        self.file.sync()
    }
}

/// Records until something fails or there are enough; gives what was answered.
async fn record_on(disk: &Failing, dir: PathBuf) -> std::collections::BTreeMap<u64, String> {
    let mut answered = std::collections::BTreeMap::new();
    let mut options = small(dir);
    options.disk = Arc::new(disk.clone());
    let Ok(ledger) = Ledger::open(options) else { return answered };
    let mut stopped = false;
    for number in 1..=500 {
        match ledger.append(note(Some(&format!("i-{}", number / 20)), number), None).await {
            Ok(appended) => {
                assert!(!stopped, "record {} was answered after a failure", appended.seq);
                answered.insert(appended.seq, appended.hash.to_string());
            }
            // No new file is not the end: the next record may find one.
            Err(_) => stopped |= ledger.health().refusal.is_some(),
        }
    }
    answered
}

#[tokio::test(flavor = "multi_thread")]
async fn after_any_failed_call_nothing_is_answered_and_nothing_answered_is_lost() {
    const EIO: i32 = 5;
    const ENOSPC: i32 = 28;
    for kind in [Call::Write, Call::Sync, Call::Create, Call::Rename, Call::SyncDir] {
        for (nth, error) in [(1, EIO), (2, ENOSPC), (5, EIO), (9, EIO), (40, ENOSPC), (300, EIO)] {
            let folder = tempfile::tempdir().unwrap();
            let dir = folder.path().join("ledger");
            let left = Arc::new(AtomicU64::new(nth));
            let disk = Failing { left, kind, error, retried: Arc::default() };
            let answered = record_on(&disk, dir.clone()).await;
            assert!(!disk.retried.load(Ordering::SeqCst), "{kind:?} {nth}: synced again");
            holds(&dir, &answered);
        }
    }
}
