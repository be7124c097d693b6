//! How long it takes from a counter's last byte to the alert on the supervisor's live stream, beside
//! a bare write and sync of as many bytes on the same disk in the same run; and what the programs
//! weigh.
//!
//!     cargo run --release -p tidewaiter-tests --bin bench-alert [RUNS]

use std::io::{BufRead, BufReader, Write};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tidewaiter_tests::checkpoint::{Checkpoint, PORTS};
use tidewaiter_tests::machine::{kilobytes, machine};
use tidewaiter_tests::programs::Programs;
use tidewaiter_tests::{ports, story};

fn main() -> Result<()> {
    let runs: usize = std::env::args().nth(1).map_or(Ok(21), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let programs = Programs::build()?;
    let sizes = [("bridge", programs.bridge()), ("server", programs.server())].map(
        |(name, command)| -> Result<(&str, u64)> {
            Ok((name, std::fs::metadata(command.get_program())?.len()))
        },
    );
    let port = ports::free(PORTS)?;
    let mut checkpoint = Checkpoint::start(programs, folder.path(), port, story::FIRST_DAY, None)?;
    let alerts = follow(&checkpoint.desk().url())?;
    let (mut taken, mut synced) = (Vec::new(), Vec::new());
    for run in 0..runs {
        synced.push(bare_sync(folder.path())?);
        taken.push(one(&mut checkpoint, &alerts, run)?);
        // The station's devices rest between two travellers.
        std::thread::sleep(Duration::from_millis(100));
    }
    let (alert, sync) = (median(&mut taken), median(&mut synced));
    let mut out = std::io::stdout().lock();
    writeln!(out, "machine: {}", machine())?;
    writeln!(
        out,
        "from the counter's bytes to the alert on the live stream, median of {runs}: {alert:.1} ms"
    )?;
    writeln!(
        out,
        "a bare write and fdatasync of 512 bytes beside it: {sync:.2} ms; ratio {:.1}",
        alert / sync
    )?;
    let (bridge, server) = checkpoint.processes();
    for (name, id) in [("bridge", bridge), ("server", server)] {
        if let Some(kilobytes) = id.and_then(|id| kilobytes(id, "VmRSS")) {
            writeln!(out, "{name}: {:.1} MiB resident", kilobytes / 1024.0)?;
        }
    }
    for size in sizes {
        let (name, bytes) = size?;
        writeln!(
            out,
            "{name}: a binary of {:.1} MiB (release, with line tables)",
            mebibytes(bytes)
        )?;
    }
    checkpoint.stop()
}

/// One traveller with too much cash; gives the milliseconds from the bytes to the alert.
fn one(checkpoint: &mut Checkpoint, alerts: &Receiver<String>, run: usize) -> Result<f64> {
    checkpoint.station().post("/api/v1/next", &json!({}))?;
    checkpoint.devices.reader.tell(&json!({"document": {
        "type": "passport", "number": format!("B{run:08}"), "issuing_state": "PRK",
        "surname": "KIM", "given_names": "CHOL SU", "date_of_birth": "1975-03-02", "sex": "M",
        "nationality": "PRK", "expires_on": "2023-03-01",
    }}))?;
    let inspection = story::await_open(checkpoint)?;
    story::await_records(checkpoint, &inspection, &["document_read"])?;
    let began = Instant::now();
    checkpoint.devices.counter.tell(&json!({"count": [
        {"currency": "USD", "denomination": "100", "pieces": 1923},
    ]}))?;
    loop {
        let line = alerts.recv_timeout(Duration::from_secs(10)).context("no alert came")?;
        let data: Value = serde_json::from_str(&line).unwrap_or(Value::Null);
        let alert = &data["alert"];
        if alert["inspection"] == inspection && alert["code"] == "undeclared_cash" {
            return Ok(began.elapsed().as_secs_f64() * 1000.0);
        }
    }
}

/// The data of every live event, as it comes.
fn follow(desk: &str) -> Result<Receiver<String>> {
    let stream = ureq::get(format!("{desk}api/v1/live")).call()?.into_body().into_reader();
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if let Some(data) = line.strip_prefix("data:")
                && sender.send(data.trim().to_owned()).is_err()
            {
                return;
            }
        }
    });
    Ok(lines)
}

fn bare_sync(folder: &std::path::Path) -> Result<f64> {
    let mut file = std::fs::File::options().create(true).append(true).open(folder.join("bare"))?;
    let began = Instant::now();
    file.write_all(&[0x55; 512])?;
    file.sync_data()?;
    Ok(began.elapsed().as_secs_f64() * 1000.0)
}

fn mebibytes(bytes: u64) -> f64 {
    // To the kilobyte, which is exact below 4 TiB.
    f64::from(u32::try_from(bytes / 1024).unwrap_or(u32::MAX)) / 1024.0
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
