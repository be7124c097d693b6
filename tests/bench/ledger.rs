//! The ledger beside a bare file and four stores, 512-byte records, every one durable before it
//! counts, all in one run on one disk; then what it takes to open a million records after a kill,
//! what a record takes on disk, and how long "recorded" takes at 100 records a second.
//!
//!     cargo run --release -p tidewaiter-tests --features bench-ledger --bin bench-ledger [RUNS]

#[path = "ledger/ours.rs"]
mod ours;
#[path = "ledger/peers.rs"]
mod peers;

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tidewaiter_tests::machine::machine;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--fill", dir, count] => ours::fill_and_die(Path::new(dir), count.parse()?),
        ["--open", dir] => ours::open_and_tell(Path::new(dir)),
        ["--steady", dir] => steady(Path::new(dir)),
        ["--million"] => million(),
        [] => whole(5),
        [runs] => whole(runs.parse()?),
        other => anyhow::bail!("what is {other:?}?"),
    }
}

fn whole(runs: usize) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "machine: {}", machine())?;
    table(runs, &mut out)?;
    drop(out);
    let folder = tempfile::tempdir_in(".")?;
    steady(folder.path())?;
    million()
}

/// Records a second of one store, of each run.
#[derive(Clone, Default)]
struct Row {
    name: &'static str,
    one: Vec<f64>,
    many: Vec<f64>,
}

/// Durable records a second: one writer, and 64 at once.
fn table(runs: usize, out: &mut impl Write) -> Result<()> {
    let mut rows: Vec<Row> =
        peers::NAMES.iter().map(|name| Row { name, one: Vec::new(), many: Vec::new() }).collect();
    let mut groups = Vec::new();
    for _ in 0..runs {
        let folder = tempfile::tempdir_in(".")?;
        // The ledger goes first: the bare file is then written in as large groups.
        let (one, many, group) = ours::rates(&folder.path().join("ours"), SINGLE, GROUPED)?;
        groups.push(group);
        for Row { name, one: alone, many: grouped } in &mut rows {
            if *name == "ledger" {
                alone.push(one);
                grouped.push(many);
                continue;
            }
            let dir = folder.path().join(*name);
            std::fs::create_dir(&dir)?;
            let group = if name.starts_with("bare") { to_count(group) } else { WRITERS };
            alone.push(peers::rate(name, &dir.join("one"), SINGLE, 1)?);
            grouped.push(peers::rate(name, &dir.join("many"), GROUPED, group)?);
        }
    }
    let bare = rows.iter().find(|row| row.name == "bare").cloned().unwrap_or_default();
    let (bare_one, bare_many) = (median(bare.one), median(bare.many));
    writeln!(out, "\n512-byte records, durable each, medians of {runs} runs (records a second)")?;
    writeln!(out, "a group of the ledger with 64 writers: {:.1} records", median(groups))?;
    writeln!(
        out,
        "{:<22} {:>10} {:>7} {:>12} {:>7}",
        "", "1 writer", "ratio", "64 writers", "ratio"
    )?;
    for Row { name, one, many } in rows {
        let (one, many) = (median(one), median(many));
        let ratios = (one / bare_one, many / bare_many);
        writeln!(out, "{name:<22} {one:>10.0} {:>7.2} {many:>12.0} {:>7.2}", ratios.0, ratios.1)?;
    }
    Ok(())
}

/// How long "recorded" takes at 100 records a second, beside the disk's own in the same run.
fn steady(dir: &Path) -> Result<()> {
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    let mut ledger = ours::Steady::open(&dir.join("steady"))?;
    let mut file = std::fs::File::create(dir.join("bare"))?;
    let began = Instant::now();
    for tick in 0..STEADY {
        let due = began + Duration::from_millis(u64::from(tick) * 10);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let start = Instant::now();
        ledger.append(u64::from(tick))?;
        ours.push(start.elapsed().as_secs_f64() * 1e6);
        std::thread::sleep(
            (due + Duration::from_millis(5)).saturating_duration_since(Instant::now()),
        );
        let start = Instant::now();
        file.write_all(&[0x55; 512])?;
        file.sync_data()?;
        bare.push(start.elapsed().as_secs_f64() * 1e6);
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{STEADY} records, 100 a second, microseconds from append to \"recorded\"")?;
    for (name, mut taken) in [("ledger", ours), ("bare append + fdatasync", bare)] {
        let [half, most, all] = [0.5, 0.99, 0.999].map(|part| quantile(&mut taken, part));
        writeln!(out, "{name:<24} p50 {half:>7.0}  p99 {most:>7.0}  p99.9 {all:>7.0}")?;
    }
    Ok(())
}

/// A million records written, the writer killed, opened; then what they take after compaction.
fn million() -> Result<()> {
    let folder = tempfile::tempdir_in(".")?;
    let dir = folder.path().join("million");
    let this = std::env::current_exe()?;
    let count = MILLION.to_string();
    let path = dir.to_str().context("a path that is text")?;
    let began = Instant::now();
    let killed = std::process::Command::new(&this).args(["--fill", path, &count]).status()?;
    anyhow::ensure!(!killed.success(), "the writer should have died");
    println!(
        "\n{MILLION} records written and the writer killed in {:.1} s",
        began.elapsed().as_secs_f64()
    );
    for _ in 0..3 {
        let told = std::process::Command::new(&this).args(["--open", path]).output()?;
        anyhow::ensure!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        print!("{}", String::from_utf8_lossy(&told.stdout));
    }
    ours::compacted(&dir)
}

fn to_count(group: f64) -> usize {
    (1..=WRITERS)
        .min_by_key(|size| {
            let size = u32::try_from(*size).unwrap_or(u32::MAX);
            ((f64::from(size) - group).abs() * 1000.0).round().to_bits()
        })
        .unwrap_or(WRITERS)
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    quantile(&mut values, 0.5)
}

fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = u32::try_from(values.len().saturating_sub(1)).unwrap_or(u32::MAX);
    let wanted = (f64::from(last) * part).round();
    let index =
        (0..values.len()).find(|index| u32::try_from(*index).is_ok_and(|i| f64::from(i) >= wanted));
    index.and_then(|index| values.get(index)).copied().unwrap_or(f64::NAN)
}

const SINGLE: usize = 1_000;
const GROUPED: usize = 25_600;
pub(crate) const WRITERS: usize = 64;
const STEADY: u32 = 2_000;
const MILLION: u64 = 1_000_000;
