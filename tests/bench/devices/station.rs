//! A station in this process: its ledger, recorder and bus, with drivers for simulated devices on
//! pseudo-terminals.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;
use tempfile::TempDir;
use tidewaiter_bridge::assess::Assessor;
use tidewaiter_bridge::bus::{self, BusLink};
use tidewaiter_bridge::configuration::{DeviceConfig, DriverKind, Lane, Profile};
use tidewaiter_bridge::recorder::Recorder;
use tidewaiter_bridge::refusals::Refusals;
use tidewaiter_bridge::simulate::Simulated;
use tidewaiter_bridge::simulate::lines::Lines;
use tidewaiter_bridge::simulate::validator::Validator;
use tidewaiter_bridge::station::Station;
use tidewaiter_ledger::{Ledger, LedgerOptions, LedgerSecrets, ledger_dir};
use tidewaiter_program::clock::Clock;
use tidewaiter_proto::bus::Availability;
use tidewaiter_proto::seal::{ServerSecret, StationKey, SubjectKey};
use tidewaiter_proto::signing::Signing;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// Devices that are asked.
const DEVICES: usize = 8;

struct World {
    folder: TempDir,
    runtime: Runtime,
    station: Station,
    link: BusLink,
    stop: CancellationToken,
}

impl World {
    fn open() -> Result<Self> {
        // Beside this repository's build, not in memory: a temporary directory often is.
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
        let folder = TempDir::new_in(target)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let stop = CancellationToken::new();
        let (station, link) = runtime.block_on(station(folder.path(), &stop))?;
        Ok(Self { folder, runtime, station, link, stop })
    }

    fn drive(&self, device: DeviceConfig) {
        let refusals = Refusals::at(self.folder.path(), StationKey::from_bytes([1; 32]));
        let (link, station, stop) = (self.link.clone(), self.station.clone(), self.stop.clone());
        self.runtime.spawn(bus::device::run(link, device, station, refusals, stop));
    }

    /// Waits until so many devices are online.
    fn online(&self, wanted: usize) -> Result<()> {
        let began = Instant::now();
        loop {
            let devices = self.station.health().devices;
            let online = devices.values().filter(|d| d.state == Availability::Online).count();
            if online == wanted {
                return Ok(());
            }
            anyhow::ensure!(began.elapsed() < Duration::from_secs(30), "{devices:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

async fn station(data: &Path, stop: &CancellationToken) -> Result<(Station, BusLink)> {
    let secrets = LedgerSecrets {
        station: StationKey::from_bytes([1; 32]),
        server: ServerSecret::from_bytes([2; 32]).public(),
        authority: Signing::from_seed(&[3; 32]).verifying(),
    };
    let options = LedgerOptions::new(ledger_dir(data), "ruvvo/dep-07".parse()?, secrets);
    let ledger = tokio::task::spawn_blocking(move || Ledger::open(options)).await??;
    let clock = Clock::demonstration("2018-11-16T03:10:00Z".parse()?);
    let lane: Lane =
        serde_json::from_value(json!({"direction": "exit", "mode": "air", "place": "VVO"}))?;
    let assessor = Assessor::built_in("RU".to_owned(), &[])?;
    let names: Vec<String> = (0..DEVICES).map(device_id).collect();
    let sources = names.iter().map(|name| (name.as_str(), Profile::Counter));
    let sources = sources.chain([("bag-1", Profile::Movements)]);
    let subjects = SubjectKey::from_bytes([4; 32]);
    let recorder = Recorder::open(ledger.clone(), clock.clone(), lane, sources, subjects)?;
    let (station, watcher) = Station::new(ledger, recorder, clock, assessor, &[])?;
    tokio::spawn(watcher.run(stop.clone()));
    let broker = bus::embedded(station.name(), ([127, 0, 0, 1], 0).into()).await?;
    let link = BusLink { address: broker.address, embedded: true, login: None };
    tokio::spawn(bus::recorder::run(link.clone(), station.clone(), stop.clone()));
    Ok((station, link))
}

/// From the last byte that a scanner sends to its record on disk, beside a file on the same disk
/// that is appended to and synced in turn with it.
pub(crate) fn record(scans: usize, out: &mut impl Write) -> Result<()> {
    let world = World::open()?;
    let tty = world.folder.path().join("bag.tty");
    let mut scanner = Lines::open(&tty)?;
    world.drive(DeviceConfig { serial: Some(tty), ..DeviceConfig::new("bag-1", DriverKind::Bag) });
    world.online(1)?;
    // A message about all bags first; then each scan is one record.
    let message = ["BSM", ".V/1LVVO", ".F/JS0272/16NOV/FNJ/Y", ".N/0272000001999", "ENDBSM"];
    scanner.play(&json!({ "lines": message }))?;
    let aside = world.folder.path().join("bare");
    let bare = File::create(&aside)?;
    let mut changes = world.station.changes();
    let (mut ours, mut disk) = (Vec::new(), Vec::new());
    for scan in 0..scans + WARM {
        let tag = format!("]I00272{:06}", 1 + scan % 999);
        let before = world.station.health().head.1.seq;
        let scanned = json!({"lines": [tag]});
        let began = Instant::now();
        scanner.play(&scanned)?;
        world.runtime.block_on(async {
            while world.station.ledger().head().1.seq == before {
                changes.changed().await?;
            }
            anyhow::Ok(())
        })?;
        let took = began.elapsed();
        let began = Instant::now();
        let at = u64::try_from(scan * BARE.len())?;
        bare.write_all_at(BARE, at)?;
        bare.sync_data()?;
        let synced = began.elapsed();
        if scan >= WARM {
            ours.push(took);
            disk.push(synced);
        }
        // A person does not scan faster; and the ledger has written its index meanwhile.
        std::thread::sleep(Duration::from_millis(10));
    }
    world.stop.cancel();
    writeln!(
        out,
        "{scans} scans, last byte to record on disk; a bare append and fdatasync in turn:"
    )?;
    let ms = |of: &mut Vec<Duration>, permille: usize| {
        of.sort_unstable();
        let place = (of.len() * permille / 1000).min(of.len().saturating_sub(1));
        of.get(place).map_or(0.0, |took| took.as_secs_f64() * 1000.0)
    };
    for (name, permille) in [("median", 500), ("p99", 990)] {
        let (ours, disk) = (ms(&mut ours, permille), ms(&mut disk, permille));
        writeln!(out, "{name:<8} {ours:>8.2} ms {disk:>8.2} ms {:>8.2}", ours / disk)?;
    }
    Ok(())
}

/// Processor time of a station whose eight validators are asked every 200 ms.
pub(crate) fn idle(seconds: usize, out: &mut impl Write) -> Result<()> {
    let world = World::open()?;
    let mut simulated = Children::start(world.folder.path())?;
    for place in 0..DEVICES {
        let driver = kind(place);
        let serial = Some(tty(world.folder.path(), place));
        world.drive(DeviceConfig { serial, ..DeviceConfig::new(&device_id(place), driver) });
    }
    world.online(DEVICES)?;
    std::thread::sleep(Duration::from_secs(2));
    let (began, before) = (Instant::now(), processor_seconds()?);
    std::thread::sleep(Duration::from_secs(u64::try_from(seconds)?));
    let share = (processor_seconds()? - before) / began.elapsed().as_secs_f64() * 100.0;
    world.online(DEVICES)?;
    world.stop.cancel();
    simulated.end();
    writeln!(out, "{DEVICES} devices asked every 200 ms for {seconds} s: {share:.2} % of a core")?;
    Ok(())
}

/// The simulated devices, in a process of their own until its standard input ends.
pub(crate) fn devices(folder: Option<&String>) -> Result<()> {
    let folder = PathBuf::from(folder.context("no folder")?);
    let open = |place: usize| match kind(place) {
        DriverKind::Ccnet => Validator::ccnet(&tty(&folder, place)),
        _ => Validator::ssp(&tty(&folder, place)),
    };
    let devices: Vec<Validator> = (0..DEVICES).map(open).collect::<Result<_, _>>()?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} devices", devices.len())?;
    out.flush()?;
    std::io::stdin().lines().for_each(drop);
    Ok(())
}

struct Children(Child);

impl Children {
    fn start(folder: &Path) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("simulated")
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let said = child.stdout.take().context("no standard output")?;
        let mut line = String::new();
        BufReader::new(said).read_line(&mut line)?;
        anyhow::ensure!(line.starts_with(&DEVICES.to_string()), "the devices say {line:?}");
        Ok(Self(child))
    }

    fn end(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        self.end();
    }
}

fn kind(place: usize) -> DriverKind {
    if place.is_multiple_of(2) { DriverKind::Ccnet } else { DriverKind::Ssp }
}

fn device_id(place: usize) -> String {
    format!("validator-{place}")
}

fn tty(folder: &Path, place: usize) -> PathBuf {
    folder.join(format!("{}.tty", device_id(place)))
}

/// What this process has used, from `/proc/self/stat` (fields 14 and 15, in hundredths).
fn processor_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(')').context("no stat")?.1.split_whitespace();
    let ticks: Vec<u32> = fields.skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.into_iter().map(f64::from).sum::<f64>() / 100.0)
}

const WARM: usize = 20;
/// About a record.
const BARE: &[u8] = &[0x5A; 512];
