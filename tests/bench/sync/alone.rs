//! The server's store and engine alone, with the records that the station has: no network, no
//! broker, no signatures to check while it is timed.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use futures_util::future::join_all;
use serde_json::json;
use tidewaiter_proto::batch::{BATCH_BYTES_MAX, BATCH_RECORDS_MAX, Batch, Place, pack};
use tidewaiter_server::assess::Assessor;
use tidewaiter_server::authority::Authority;
use tidewaiter_server::clock::Clock;
use tidewaiter_server::configuration::Policy;
use tidewaiter_server::inspection::Opener;
use tidewaiter_server::law::force::Force;
use tidewaiter_server::store::Store;
use tidewaiter_tests::story;
use tokio_util::sync::CancellationToken;

use crate::{SERVER_CORE, travellers};

/// What store and engine did with all records of the ledger.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alone {
    pub(crate) records: u64,
    pub(crate) batches: u64,
    /// Seconds until all were on disk, the engine at work beside.
    pub(crate) stored: f64,
    /// Seconds until all were assessed too.
    pub(crate) assessed: f64,
}

/// Measures in a process of its own, on the server's core.
pub(crate) fn run(folder: &Path) -> Result<Alone> {
    let output = Command::new("taskset")
        .args(["-c", SERVER_CORE])
        .arg(std::env::current_exe()?)
        .arg("--alone")
        .arg(folder)
        .output()
        .context("taskset")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    Ok(Alone {
        records: said["records"].as_u64().context("records")?,
        batches: said["batches"].as_u64().context("batches")?,
        stored: said["stored"].as_f64().context("stored")?,
        assessed: said["assessed"].as_f64().context("assessed")?,
    })
}

/// The child's part: prints what it measured.
pub(crate) fn measure(folder: &Path) -> Result<()> {
    let batches = batches(folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(alone(folder, batches))
}

/// All records as the largest batches there may be, read and verified.
fn batches(folder: &Path) -> Result<Vec<Batch>> {
    let (ledger, keys, _) = travellers::ledger(folder)?;
    let (epoch, head) = ledger.head();
    let (mut batches, mut from) = (Vec::new(), 1);
    while from <= head.seq {
        let to = head.seq.min(from + BATCH_RECORDS_MAX as u64 - 1);
        let run = ledger.run(epoch, from, to, BATCH_BYTES_MAX)?;
        let place = Place { station: ledger.station(), epoch, from, previous: run.previous };
        let (bytes, last) = pack(&place, &run.keys, &run.records, BATCH_BYTES_MAX, &keys.signing)?;
        batches.push(Batch::verify(&bytes, &keys.signing.verifying())?);
        from = last + 1;
    }
    ledger.close();
    Ok(batches)
}

async fn alone(folder: &Path, batches: Vec<Batch>) -> Result<()> {
    let clock = Clock::demonstration(story::FIRST_DAY.parse()?);
    let authority = Authority::open(&folder.join("server"))?;
    let store = Store::open(&folder.join("alone.sqlite")).await?;
    let first = batches.first().context("the ledger is empty")?;
    let (keys, count) =
        (tidewaiter_bridge::keys::StationKeys::open(&folder.join("bridge"))?, batches.len());
    store.register_station(&first.station, keys.signing.verifying(), clock.now()).await?;
    let opener = Opener::new(store.clone(), authority.sealing.clone());
    let force = Force::open(&Policy::default(), &store).await?;
    let assessor = Assessor::new(store.clone(), opener, force, None, &authority, clock.clone());
    let stop = CancellationToken::new();
    let engine = tokio::spawn(assessor.run(stop.clone()));

    let began = Instant::now();
    let mut records = 0;
    for group in batches.chunks(GROUP) {
        let accepting = group.iter().map(|batch| store.accept(batch, clock.now()));
        for accepted in join_all(accepting).await {
            records += accepted?.new_records();
        }
    }
    let stored = began.elapsed();
    while store.pending_count().await? > 0 {
        ensure!(!engine.is_finished(), "the engine ended");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let assessed = began.elapsed();
    stop.cancel();
    engine.await??;
    store.close().await;
    let told = json!({"records": records, "batches": count, "stored": stored.as_secs_f64(),
        "assessed": assessed.as_secs_f64()});
    println!("{told}");
    Ok(())
}

/// Batches that the writer may put into one commit, as many as a station has on its way at once.
const GROUP: usize = 8;
