//! What a declaration costs on the wire: bytes of TCP between station and server, TLS and MQTT in
//! them, receipts too.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use tidewaiter_tests::checkpoint::{Checkpoint, PORTS};
use tidewaiter_tests::programs::{Programs, wait_for};
use tidewaiter_tests::{ports, story};

use crate::counting::Counting;
use crate::{median, number, travellers};

/// Measures and prints.
pub(crate) fn table() -> Result<()> {
    let folder = tempfile::tempdir_in(".")?;
    let first = ports::free(PORTS)?;
    let mut checkpoint =
        Checkpoint::start(Programs::build()?, folder.path(), first, story::FIRST_DAY, None)?;
    let line = Counting::start(door(first))?;
    checkpoint.stop_bridge()?;
    let file = folder.path().join("bridge/enrolment.json");
    let text = std::fs::read_to_string(&file)?;
    std::fs::write(
        &file,
        text.replace(&format!(":{}", door(first)), &format!(":{}", line.port())),
    )?;
    checkpoint.start_bridge()?;

    let inspection = open(&checkpoint)?;
    settled(&checkpoint)?;
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for round in 0..SINGLES {
        let before = line.bytes();
        declare(&checkpoint, &inspection, round)?;
        settled(&checkpoint)?;
        let after = line.bytes();
        up.push(number(after.0 - before.0));
        down.push(number(after.1 - before.1));
    }
    let body = travellers::declaration(1, "12500").to_string();
    println!("a declaration on the wire, bytes of TCP up | down (its JSON alone: {}):", body.len());
    println!("  single, median of {SINGLES}: {:.0} | {:.0}", median(&up), median(&down));

    // The same as a backlog, each of another traveller and so with a key of its own.
    checkpoint.stop_bridge()?;
    travellers::fill_with_declarations(folder.path(), BATCHED)?;
    let before = line.bytes();
    checkpoint.start_bridge()?;
    settled(&checkpoint)?;
    let after = line.bytes();
    let each = |after: u64, before: u64| number(after - before) / number(BATCHED);
    println!(
        "  in a backlog of {BATCHED}, the connection's handshake in it: {:.0} | {:.0}",
        each(after.0, before.0),
        each(after.1, before.1)
    );
    checkpoint.stop()
}

fn open(checkpoint: &Checkpoint) -> Result<String> {
    let opening = json!({"direction": "exit", "role": "passenger",
        "movement": {"mode": "air", "carrier": "SU", "number": "1701", "from": "VVO", "to": "SVO"}});
    let opened = checkpoint.station().post("/api/v1/inspections", &opening)?;
    Ok(opened["inspection"].as_str().context("no inspection was opened")?.to_owned())
}

fn declare(checkpoint: &Checkpoint, inspection: &str, round: u64) -> Result<()> {
    let mut body = travellers::declaration(round, "12500");
    body.as_object_mut().context("a declaration is an object")?.remove("type");
    checkpoint
        .station()
        .post(&format!("/api/v1/inspections/{inspection}/declaration"), &json!(body))?;
    Ok(())
}

/// Waits until everything is receipted, and a little for the last packets.
fn settled(checkpoint: &Checkpoint) -> Result<()> {
    wait_for("everything is receipted", Duration::from_secs(90), || {
        let ledger = checkpoint.station().get("/api/v1/ledger")?;
        Ok((ledger["backlog"].as_u64() == Some(0)).then_some(()))
    })?;
    std::thread::sleep(Duration::from_millis(100));
    Ok(())
}

/// The port where the server of a checkpoint takes stations.
fn door(first: u16) -> u16 {
    first + 3
}

const SINGLES: u64 = 20;
const BATCHED: u64 = 500;
