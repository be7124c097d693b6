//! The real programs, stopped, killed and started again in the middle of the work: what was
//! recorded is there, once, and reaches the supervisor.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tidewaiter_tests::checkpoint::{Checkpoint, PORTS, STATION};
use tidewaiter_tests::ports;
use tidewaiter_tests::programs::{Programs, Running};
use tidewaiter_tests::story;

const LIMIT: Duration = Duration::from_secs(30);

fn checkpoint(folder: &Path, bus: Option<u16>) -> Checkpoint {
    let programs = Programs::build().expect("the programs are built");
    let port = ports::free(PORTS).expect("ports are free");
    Checkpoint::start(programs, folder, port, story::FIRST_DAY, bus).expect("it starts")
}

#[test]
fn a_killed_server_loses_nothing_and_the_station_goes_on_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let mut checkpoint = checkpoint(folder.path(), None);
    let master = story::ships_master(&mut checkpoint).unwrap();
    story::await_alerts(&checkpoint, &master, LIMIT).unwrap();
    // The clock is set while both serve; the devices go on with the server gone.
    checkpoint.set_clock("2018-11-16T03:10:00Z").unwrap();
    checkpoint.kill_server().unwrap();
    let shoe_box = story::shoe_box_without_clock(&mut checkpoint).unwrap();
    checkpoint.start_server().unwrap();
    story::await_alerts(&checkpoint, &shoe_box, LIMIT).unwrap();
    story::await_all(&checkpoint, LIMIT).unwrap();
    checkpoint.stop().expect("every part stops within two seconds of SIGTERM");
}

#[test]
fn a_killed_bridge_has_everything_it_called_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let mut checkpoint = checkpoint(folder.path(), None);
    let shoe_box = story::shoe_box(&mut checkpoint).unwrap();
    let path = format!("/api/v1/inspections/{}", shoe_box.inspection);
    let before = checkpoint.station().get(&path).unwrap()["records"].clone();
    checkpoint.kill_bridge().unwrap();
    checkpoint.start_bridge().unwrap();
    let after = checkpoint.station().get(&path).unwrap()["records"].clone();
    assert!(before.as_array().is_some_and(|records| records.len() >= 5), "{before}");
    assert_eq!(before, after);
    story::await_alerts(&checkpoint, &shoe_box, LIMIT).unwrap();
    story::await_all(&checkpoint, LIMIT).unwrap();
    let stopped = checkpoint.stop_bridge().unwrap();
    assert!(stopped < Duration::from_secs(2), "{stopped:?}");
    let verified = Programs::build()
        .unwrap()
        .bridge()
        .args(["ledger", "verify", "--store"])
        .arg(folder.path().join("bridge"))
        .output()
        .unwrap();
    assert!(verified.status.success(), "{verified:?}");
    let (well, said) = independent(&folder.path().join("bridge/ledger"));
    assert!(well, "{said}");
    let (ours, theirs) = (String::from_utf8_lossy(&verified.stdout), said);
    let head = |text: &str| text.lines().find(|line| line.contains("ends at")).map(str::to_owned);
    assert_eq!(head(&ours), head(&theirs), "both see the same head");
}

/// What the verifier says that was written from the record format's page alone.
fn independent(ledger: &Path) -> (bool, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/verify_ledger.py");
    let output = Command::new("python3").arg(script).arg(ledger).output().expect("python runs");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn one_altered_byte_is_found_by_ours_and_by_an_independent_program() {
    let folder = tempfile::tempdir().unwrap();
    let mut checkpoint = checkpoint(folder.path(), None);
    story::shoe_box(&mut checkpoint).unwrap();
    checkpoint.stop().unwrap();
    let ledger = folder.path().join("bridge/ledger");
    assert!(independent(&ledger).0);
    let segment = ledger.join("journal/0000000001.segment");
    let whole = std::fs::read(&segment).unwrap();
    // The middle of the first, a middle and the last record's frame. (A damaged last state, behind
    // the last record, looks like a write that was cut short, which nobody was promised.)
    let frames: Vec<usize> = (0..whole.len())
        .filter(|at| whole[*at..].starts_with(b"TWJ1") && whole.get(at + 8) == Some(&1))
        .collect();
    for frame in [frames[0], frames[frames.len() / 2], frames[frames.len() - 1]] {
        let at = frame + 120;
        let mut altered = whole.clone();
        altered[at] ^= 0x20;
        std::fs::write(&segment, &altered).unwrap();
        let (well, said) = independent(&ledger);
        assert!(!well && said.contains("FAIL"), "byte {at}: {said}");
        let ours = Programs::build()
            .unwrap()
            .bridge()
            .args(["ledger", "verify", "--store"])
            .arg(folder.path().join("bridge"))
            .output()
            .unwrap();
        assert_eq!(ours.status.code(), Some(1), "byte {at}: {ours:?}");
    }
}

#[test]
fn an_erased_inspection_is_read_by_nobody_and_everything_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let mut checkpoint = checkpoint(folder.path(), None);
    let master = story::ships_master(&mut checkpoint).unwrap();
    let shoe_box = story::shoe_box(&mut checkpoint).unwrap();
    story::await_all(&checkpoint, LIMIT).unwrap();
    let erase = |by: &str, second: &str| {
        let mut command = Programs::build().unwrap().bridge();
        command.args(["ledger", "erase", "--order", "court order 7-114", "--by", by]);
        command.args(["--second", second, "--config"]).arg(folder.path().join("bridge.toml"));
        command.arg(&shoe_box.inspection).output().unwrap()
    };
    let while_it_runs = erase("custodian-2", "supervisor-1");
    assert_eq!(while_it_runs.status.code(), Some(1), "{while_it_runs:?}");
    checkpoint.stop_bridge().unwrap();
    let alone = erase("custodian-2", "Custodian-2 ");
    assert_eq!(alone.status.code(), Some(2), "{alone:?}");
    let erased = erase("custodian-2", "supervisor-1");
    assert!(erased.status.success(), "{erased:?}");
    let again = erase("custodian-2", "supervisor-1");
    assert_eq!(again.status.code(), Some(1), "{again:?}");
    assert!(String::from_utf8_lossy(&again.stderr).contains("no record of it"), "{again:?}");
    let (well, said) = independent(&folder.path().join("bridge/ledger"));
    assert!(well, "{said}");
    checkpoint.start_bridge().unwrap();
    let gone = checkpoint.station().get(&format!("/api/v1/inspections/{}", shoe_box.inspection));
    let gone = gone.map_or_else(|error| error.to_string(), |value| value.to_string());
    assert!(!gone.contains("192300") && !gone.contains("document_read"), "{gone}");
    let other = format!("/api/v1/inspections/{}", master.inspection);
    let other = checkpoint.station().get(&other).unwrap().to_string();
    assert!(other.contains("document_read"), "the one beside it is whole: {other}");
    // The order itself is a record, and reaches the server like any other.
    story::await_all(&checkpoint, LIMIT).unwrap();
    checkpoint.stop().unwrap();
}

#[test]
fn a_kiosk_in_another_language_declares_over_an_external_broker() {
    let folder = tempfile::tempdir().unwrap();
    let bus = ports::free(1).unwrap();
    let configuration = folder.path().join("mosquitto.conf");
    std::fs::write(&configuration, format!("listener {bus} 127.0.0.1\nallow_anonymous true\n"))
        .unwrap();
    let mut command = Command::new("mosquitto");
    command.arg("-c").arg(&configuration);
    let broker = Running::start("mosquitto", &mut command, folder.path()).unwrap();
    let mut checkpoint = checkpoint(folder.path(), Some(bus));
    // The readers reach the recorder over Mosquitto too.
    let shoe_box = story::shoe_box(&mut checkpoint).unwrap();
    let kiosk = Path::new(env!("CARGO_MANIFEST_DIR")).join("kiosk/declare.py");
    let output = Command::new("python3")
        .arg(kiosk)
        .args([&bus.to_string(), STATION, "kiosk-1", "event-1"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    // The same event published twice is one record.
    assert_eq!(answers.len(), 2, "{answers:?}");
    assert!(answers[0]["seq"].as_u64().is_some(), "{answers:?}");
    assert_eq!(answers[0]["seq"], answers[1]["seq"]);
    story::await_records(&checkpoint, &shoe_box.inspection, &["declaration_made"]).unwrap();
    story::await_all(&checkpoint, LIMIT).unwrap();
    checkpoint.stop().unwrap();
    broker.stop(Duration::from_secs(5)).unwrap();
}
