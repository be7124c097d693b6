//! The ledger under measure.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use tidewaiter_ledger::disk::{Disk, DiskFile, RealDisk};
use tidewaiter_ledger::{Ledger, LedgerOptions, LedgerSecrets};
use tidewaiter_proto::chain::Head;
use tidewaiter_proto::record::{ClockQuality, Draft, Source};
use tidewaiter_proto::seal::{ServerSecret, StationKey};
use tidewaiter_proto::signing::Signing;
use tidewaiter_proto::sync::ranges::Ranges;
use tidewaiter_tests::machine::kilobytes;

use crate::WRITERS;

fn options(dir: &Path) -> Result<LedgerOptions> {
    let secrets = LedgerSecrets {
        station: StationKey::from_bytes([1; 32]),
        server: ServerSecret::from_bytes([2; 32]).public(),
        authority: Signing::from_seed(&[3; 32]).verifying(),
    };
    let mut options = LedgerOptions::new(dir.to_owned(), "ruvvo/dep-07".parse()?, secrets);
    options.ballast_bytes = 0;
    Ok(options)
}

/// A draft whose stored record has 512 bytes; ten to an inspection.
fn draft(number: u64) -> Draft {
    let text = format!("{number:0>8}{}", "x".repeat(285));
    Draft {
        at: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_542_338_000),
        clock: ClockQuality::Synced,
        inspection: Some(format!("{:0>10}", number / 10)),
        source: Source::Agent("bench".to_owned()),
        subject: None,
        type_name: "note_added".to_owned(),
        body_json: format!(r#"{{"type":"note_added","text":"{text}"}}"#),
    }
}

/// Records a second with one writer and with 64, and how many records its groups then have.
pub(crate) fn rates(dir: &Path, single: usize, grouped: usize) -> Result<(f64, f64, f64)> {
    runtime()?.block_on(async {
        let mut options = options(dir)?;
        let syncs = Arc::new(AtomicU64::new(0));
        options.disk = Arc::new(Counting { syncs: Arc::clone(&syncs) });
        let ledger = Ledger::open(options)?;
        ledger.append(draft(0), None).await?;
        let size = ledger.run(1, 1, 1, usize::MAX)?.records.first().map_or(0, Vec::len);
        anyhow::ensure!(size == 512, "a stored record has {size} bytes, not 512");
        let one = Instant::now();
        for number in 0..single {
            ledger.append(draft(number as u64), None).await?;
        }
        let one = per_second(single, one.elapsed());
        let before = syncs.load(Ordering::Relaxed);
        let many = Instant::now();
        fill(&ledger, grouped as u64).await?;
        let many = per_second(grouped, many.elapsed());
        let groups = u32::try_from(syncs.load(Ordering::Relaxed) - before)?;
        let group = f64::from(u32::try_from(grouped)?) / f64::from(groups.max(1));
        tokio::task::spawn_blocking(move || drop(ledger)).await?;
        Ok((one, many, group))
    })
}

/// 64 writers, each waiting for its record before the next.
async fn fill(ledger: &Ledger, count: u64) -> Result<()> {
    let mut tasks = tokio::task::JoinSet::new();
    let writers = WRITERS as u64;
    for writer in 0..writers {
        let ledger = ledger.clone();
        tasks.spawn(async move {
            for number in (writer..count).step_by(WRITERS) {
                ledger.append(draft(number), None).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

/// Fills a ledger and dies as by SIGKILL, with nothing closed.
pub(crate) fn fill_and_die(dir: &Path, count: u64) -> Result<()> {
    runtime()?.block_on(async {
        let ledger = Ledger::open(options(dir)?)?;
        fill(&ledger, count).await?;
        let this = nix::unistd::Pid::this();
        nix::sys::signal::kill(this, nix::sys::signal::Signal::SIGKILL)?;
        Ok(())
    })
}

/// Opens, and tells how long it took and how much memory.
pub(crate) fn open_and_tell(dir: &Path) -> Result<()> {
    let began = Instant::now();
    let ledger = Ledger::open(options(dir)?)?;
    let taken = began.elapsed();
    let most = kilobytes(std::process::id(), "VmHWM").context("no /proc")?;
    let (_, head) = ledger.head();
    println!(
        "opened {} records in {:.0} ms, {:.1} MiB resident at most; {:?}",
        head.seq,
        taken.as_secs_f64() * 1000.0,
        most / 1024.0,
        ledger.health().notices,
    );
    // As after a kill, for whoever opens it next.
    std::process::exit(0);
}

/// Lets the oldest fifth go, so that sled is written anew, and tells what a record takes.
pub(crate) fn compacted(dir: &Path) -> Result<()> {
    runtime()?.block_on(async {
        let ledger = Ledger::open(options(dir)?)?;
        let (_, head) = ledger.head();
        println!("on disk before: {:.2} of the records' bytes", takes(dir, head.seq));
        let old = head.seq / 2;
        ledger.delivered(1, &Ranges::from(vec![(1, old)]), Head { seq: old, ..head }).await?;
        let began = Instant::now();
        let gone = ledger.expire(1, Timestamp::now(), SignedDuration::from_hours(24)).await?;
        println!("{} records let go in {:.1} s", gone.records, began.elapsed().as_secs_f64());
        let left = head.seq - gone.records;
        let mut before = u64::MAX;
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let now = bytes(&dir.join("index"));
            let busy = dir.join("index.new").exists() || dir.join("index.old").exists();
            if !busy && now == before {
                break;
            }
            before = now;
        }
        println!("on disk after compaction: {:.2} of the records' bytes", takes(dir, left));
        for part in ["journal", "keys", "index"] {
            println!("  {part}: {:.1} bytes a record", ratio(bytes(&dir.join(part)), left));
        }
        tokio::task::spawn_blocking(move || drop(ledger)).await?;
        Ok(())
    })
}

fn takes(dir: &Path, records: u64) -> f64 {
    ratio(bytes(dir), records) / 512.0
}

fn ratio(bytes: u64, records: u64) -> f64 {
    let kilobytes = f64::from(u32::try_from(bytes / 1024).unwrap_or(u32::MAX));
    kilobytes * 1024.0 / f64::from(u32::try_from(records).unwrap_or(u32::MAX))
}

/// One append at a time, from outside of any runtime.
pub(crate) struct Steady {
    runtime: tokio::runtime::Runtime,
    ledger: Ledger,
}

impl Steady {
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        Ok(Self { runtime: runtime()?, ledger: Ledger::open(options(dir)?)? })
    }

    pub(crate) fn append(&mut self, number: u64) -> Result<()> {
        self.runtime.block_on(self.ledger.append(draft(number), None))?;
        Ok(())
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build()?)
}

pub(crate) fn per_second(count: usize, taken: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / taken.as_secs_f64()
}

/// Bytes that a directory takes on disk.
fn bytes(dir: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(data) if data.is_dir() => bytes(&entry.path()),
            Ok(data) => data.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}

/// The real disk, counting the syncs of the journal's newest segment: one for each group.
#[derive(Debug)]
struct Counting {
    syncs: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Counted {
    file: Box<dyn DiskFile>,
    syncs: Arc<AtomicU64>,
    counts: bool,
}

impl Counting {
    fn counted(&self, path: &Path, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        let counts = path.parent().is_some_and(|dir| dir.ends_with("journal"));
        Box::new(Counted { file, syncs: Arc::clone(&self.syncs), counts })
    }
}

impl Disk for Counting {
    fn make_dir(&self, dir: &Path) -> std::io::Result<()> {
        RealDisk.make_dir(dir)
    }
    fn create(&self, path: &Path, length: u64) -> std::io::Result<Box<dyn DiskFile>> {
        Ok(self.counted(path, RealDisk.create(path, length)?))
    }
    fn open(&self, path: &Path) -> std::io::Result<Box<dyn DiskFile>> {
        Ok(self.counted(path, RealDisk.open(path)?))
    }
    fn list(&self, dir: &Path) -> std::io::Result<Vec<String>> {
        RealDisk.list(dir)
    }
    fn rename(&self, from: &Path, to: &Path) -> std::io::Result<()> {
        RealDisk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> std::io::Result<()> {
        RealDisk.remove(path)
    }
    fn sync_dir(&self, dir: &Path) -> std::io::Result<()> {
        RealDisk.sync_dir(dir)
    }
    fn free_bytes(&self, dir: &Path) -> std::io::Result<u64> {
        RealDisk.free_bytes(dir)
    }
    fn lock(&self, path: &Path) -> std::io::Result<Box<dyn Send + Sync>> {
        RealDisk.lock(path)
    }
}

impl DiskFile for Counted {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.file.read_at(offset, buffer)
    }
    fn write_at(&self, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_at(offset, bytes)
    }
    fn length(&self) -> std::io::Result<u64> {
        self.file.length()
    }
    fn sync(&self) -> std::io::Result<()> {
        self.syncs.fetch_add(u64::from(self.counts), Ordering::Relaxed);
        self.file.sync()
    }
}
