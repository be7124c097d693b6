//! The whole way of a backlog, with the real programs: station → broker → server's disk → receipts,
//! and an alarm every now and then meanwhile.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tidewaiter_tests::checkpoint::{Checkpoint, PORTS};
use tidewaiter_tests::programs::Programs;
use tidewaiter_tests::{ports, story};

use crate::alarm::Alarms;
use crate::alone::Alone;
use crate::{
    SERVER_CORE, STATION_CORE, alone, load, median, most_resident, number, pin, quantile,
    travellers,
};

/// What one run came to.
#[derive(Debug, Default)]
struct Run {
    records: u64,
    /// Seconds until the station had receipts for everything.
    receipted: f64,
    /// Seconds until everything was assessed too.
    assessed: f64,
    /// Milliseconds of alarms: before, while records come, and while the rest is assessed.
    idle: Vec<f64>,
    draining: Vec<f64>,
    assessing: Vec<f64>,
    /// Mebibytes resident at most.
    bridge: f64,
    server: f64,
}

/// Runs and prints.
pub(crate) fn table(records: u64, runs: usize) -> Result<()> {
    let programs = Programs::build()?;
    pin(std::process::id(), STATION_CORE)?;
    let (mut whole, mut by_itself) = (Vec::new(), Vec::new());
    for run in 1..=runs {
        let folder = tempfile::tempdir_in(".")?;
        let ours = drain(programs.clone(), folder.path(), records)?;
        let alone = alone::run(folder.path())?;
        println!("run {run}, load {}: {}", load(), said(&ours, &alone));
        whole.push(ours);
        by_itself.push(alone);
    }
    let rates = |seconds: fn(&Run) -> f64| -> Vec<f64> {
        whole.iter().map(|run| number(run.records) / seconds(run)).collect()
    };
    let alone = |seconds: fn(&Alone) -> f64| -> Vec<f64> {
        by_itself.iter().map(|alone| number(alone.records) / seconds(alone)).collect()
    };
    let (receipted, stored) = (rates(|run| run.receipted), alone(|alone| alone.stored));
    let (assessed, judged) = (rates(|run| run.assessed), alone(|alone| alone.assessed));
    println!("records a second, medians of {runs} (whole way | store and engine alone | ratio):");
    for (what, ours, theirs) in
        [("receipted", receipted, stored), ("receipted and assessed", assessed, judged)]
    {
        let (ours, theirs) = (median(&ours), median(&theirs));
        println!("  {what}: {ours:.0} | {theirs:.0} | {:.2}", ours / theirs);
    }
    let all = |of: fn(&Run) -> &[f64]| -> Vec<f64> {
        whole.iter().flat_map(|run| of(run).iter().copied()).collect()
    };
    let idle = all(|run| &run.idle);
    println!("from the counter's bytes to the alert, ms (p50 | p99 | samples | p99 to idle p99):");
    for (what, times) in [
        ("idle", &idle),
        ("while it drains", &all(|run| &run.draining)),
        ("while the rest is assessed", &all(|run| &run.assessing)),
    ] {
        let (middle, late) = (median(times), quantile(times, 99));
        let ratio = late / quantile(&idle, 99);
        println!("  {what}: {middle:.0} | {late:.0} | {} | {ratio:.2}", times.len());
    }
    Ok(())
}

fn said(run: &Run, alone: &Alone) -> String {
    format!(
        "{} records in {} batches at most full; receipted in {:.1} s, assessed in {:.1} s; alone {:.1} s and {:.1} s; \
         bridge {:.0} MiB, server {:.0} MiB resident at most",
        run.records,
        alone.batches,
        run.receipted,
        run.assessed,
        alone.stored,
        alone.assessed,
        run.bridge,
        run.server,
    )
}

/// One backlog through the real programs.
fn drain(programs: Programs, folder: &Path, records: u64) -> Result<Run> {
    let port = ports::free(PORTS)?;
    let mut checkpoint = Checkpoint::start(programs, folder, port, story::FIRST_DAY, None)?;
    let mut run = Run::default();
    put_on_cores(&checkpoint)?;
    let mut alarms = Alarms::follow(&checkpoint)?;
    for _ in 0..IDLE_ALARMS {
        run.idle.push(alarms.one(&mut checkpoint)?);
        std::thread::sleep(REST);
    }
    story::await_all(&checkpoint, Duration::from_secs(30))?;
    let (before, _) = story::held(&checkpoint)?;
    checkpoint.stop_bridge()?;
    travellers::fill(folder, records)?;
    checkpoint.start_bridge()?;
    put_on_cores(&checkpoint)?;
    let mut alarms = alarms.follow_again(&checkpoint)?;

    let began = first_arrival(&checkpoint, before)?;
    let (receipted, assessed) = loop {
        let (backlog, waiting) = progress(&checkpoint)?;
        // The latest alarm's own records may be on their way.
        if run.receipted == 0.0 && backlog < FRESH_AT_MOST {
            run.receipted = began.elapsed().as_secs_f64();
            run.records = story::held(&checkpoint)?.0 - before;
        }
        if run.receipted > 0.0 && waiting < FRESH_AT_MOST {
            break (run.receipted, began.elapsed().as_secs_f64());
        }
        let took = alarms.one(&mut checkpoint)?;
        let times = if run.receipted == 0.0 { &mut run.draining } else { &mut run.assessing };
        times.push(took);
    };
    (run.receipted, run.assessed) = (receipted, assessed);
    ensure!(run.records >= records, "{} of {records} records arrived", run.records);
    let (bridge, server) = checkpoint.processes();
    run.bridge = bridge.and_then(most_resident).unwrap_or(f64::NAN);
    run.server = server.and_then(most_resident).unwrap_or(f64::NAN);
    // Once each, none missing.
    story::await_all(&checkpoint, Duration::from_secs(30))?;
    checkpoint.stop()?;
    Ok(run)
}

fn put_on_cores(checkpoint: &Checkpoint) -> Result<()> {
    let (bridge, server) = checkpoint.processes();
    pin(bridge.context("the bridge does not run")?, STATION_CORE)?;
    pin(server.context("the server does not run")?, SERVER_CORE)
}

/// When the first of the backlog was at the server.
fn first_arrival(checkpoint: &Checkpoint, before: u64) -> Result<Instant> {
    let began = Instant::now();
    while story::held(checkpoint)?.0 <= before {
        ensure!(began.elapsed() < Duration::from_mins(1), "nothing arrives");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(Instant::now())
}

/// Records without a receipt at the station, and inspections that wait at the server.
fn progress(checkpoint: &Checkpoint) -> Result<(u64, u64)> {
    let backlog = checkpoint.station().get("/api/v1/ledger")?["backlog"].as_u64();
    let (_, metrics) = checkpoint.desk().text("/metrics")?;
    let waiting = metrics
        .lines()
        .find_map(|line| line.strip_prefix("tidewaiter_assessments_waiting "))
        .and_then(|value| value.trim().parse().ok());
    Ok((backlog.context("no backlog")?, waiting.context("no waiting assessments")?))
}

const IDLE_ALARMS: usize = 60;
/// The station's devices rest between two travellers.
const REST: Duration = Duration::from_millis(100);
const FRESH_AT_MOST: u64 = 10;
