//! How fast a station's backlog reaches the server's disk and comes back as receipts, beside what
//! the server's store and engine do alone with the same records; how long an alarm takes meanwhile;
//! what a declaration costs on the wire; and what simpler ways do and lose.
//!
//!     cargo run --release -p tidewaiter-tests --features bench-sync --bin bench-sync [PART]
//!
//! `--drain [RECORDS [RUNS]]`, `--wire`, `--peers [MESSAGES]`; without a part, all three. The station
//! (and everything that makes load) runs on one core, the server on another, by `taskset`; the store
//! and engine alone run on the server's core. Needs `taskset` and, for the peers, `mosquitto`.

#[path = "sync/alarm.rs"]
mod alarm;
#[path = "sync/alone.rs"]
mod alone;
#[path = "sync/counting.rs"]
mod counting;
#[path = "sync/drain.rs"]
mod drain;
#[path = "sync/peers.rs"]
mod peers;
#[path = "sync/travellers.rs"]
mod travellers;
#[path = "sync/wire.rs"]
mod wire;

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use tidewaiter_tests::machine::{kilobytes, load, machine};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        // What this program starts of itself, on a core of its own.
        ["--alone", folder] => return alone::measure(Path::new(folder)),
        ["--publish", port, count, pause] => {
            return peers::publish(port.parse()?, count.parse()?, pause.parse()?);
        }
        _ => {}
    }
    println!("machine: {}; load before: {}", machine(), load());
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--drain"] => drain::table(RECORDS, RUNS),
        ["--drain", records] => drain::table(records.parse()?, RUNS),
        ["--drain", records, runs] => drain::table(records.parse()?, runs.parse()?),
        ["--wire"] => wire::table(),
        ["--peers"] => peers::table(MESSAGES),
        ["--peers", messages] => peers::table(messages.parse()?),
        [] => {
            drain::table(RECORDS, RUNS)?;
            wire::table()?;
            peers::table(MESSAGES)
        }
        other => anyhow::bail!("what is {other:?}?"),
    }
}

/// Puts a process and all its threads on one core.
fn pin(id: u32, core: &str) -> Result<()> {
    let status = Command::new("taskset")
        .args(["-a", "-c", "-p", core, &id.to_string()])
        .stdout(Stdio::null())
        .status()?;
    ensure!(status.success(), "taskset cannot put process {id} on core {core}");
    Ok(())
}

fn median(values: &[f64]) -> f64 {
    quantile(values, 50)
}

/// The value below which so many percent are.
fn quantile(values: &[f64], percent: usize) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let at = (values.len() * percent / 100).min(values.len().saturating_sub(1));
    values.get(at).copied().unwrap_or(f64::NAN)
}

/// Counts are small enough to be exact.
fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The most mebibytes a process had resident, as Linux says.
fn most_resident(id: u32) -> Option<f64> {
    Some(kilobytes(id, "VmHWM")? / 1024.0)
}

/// Where the station runs, its devices and this program.
const STATION_CORE: &str = "0";
/// Where the server runs, and the store and engine alone.
const SERVER_CORE: &str = "1";
const RECORDS: u64 = 50_000;
const RUNS: usize = 3;
const MESSAGES: u64 = 20_000;
