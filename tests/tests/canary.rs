//! What a run leaves behind holds nothing of a person: planted names, numbers, secrets and texts
//! are looked for in every log, metric and file, with every log line written.
#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use tidewaiter_tests::checkpoint::{Checkpoint, PORTS};
use tidewaiter_tests::ports;
use tidewaiter_tests::programs::{Programs, wait_for};
use tidewaiter_tests::story;

/// Planted in a passport, in an officer's words, in fields of sign-in, in a search.
const CANARIES: [&str; 8] = [
    "QUORNLEYSSON",
    "ZWYXVUTTERICA",
    "X9K7Q2Z8W",
    "planted words of an officer",
    "planted-password-heron-tide",
    "planted.account.name",
    "918273645546",
    "planted search words",
];

#[test]
fn nothing_of_a_person_is_left_in_logs_metrics_and_files() {
    let inner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_checkpoint_with_every_log", "--ignored", "--nocapture"])
        .env("RUST_LOG", "trace,sqlx=debug,hyper=debug,h2=debug,sled=debug")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&inner.stdout);
    assert!(
        inner.status.success() && said.contains("1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&inner.stderr)
    );
}

#[test]
#[ignore = "run by the test above, with every log written"]
fn a_checkpoint_with_every_log() {
    let folder = tempfile::tempdir().unwrap();
    let programs = Programs::build().unwrap();
    let port = ports::free(PORTS).unwrap();
    let mut checkpoint =
        Checkpoint::start(programs, folder.path(), port, "2026-03-02T08:00:00Z", None).unwrap();
    live(&mut checkpoint);
    let mut left = String::new();
    for site in [checkpoint.station(), checkpoint.desk(), checkpoint.headquarters()] {
        left.push_str(&site.text("/metrics").unwrap().1);
    }
    checkpoint.stop().unwrap();
    assert!(left.contains("tidewaiter_"), "metrics were read");
    let mut found = find("metrics", left.as_bytes());
    let files = files(folder.path());
    let (logs, stores): (Vec<_>, Vec<_>) =
        files.iter().partition(|file| file.components().any(|part| part.as_os_str() == "logs"));
    let written: u64 = logs.iter().map(|file| file.metadata().unwrap().len()).sum();
    assert!(written > 10_000, "the logs hold {written} bytes: nothing was logged");
    assert!(stores.len() > 20, "{} files", stores.len());
    for file in &files {
        let bytes = read(file);
        let name = file.strip_prefix(folder.path()).unwrap().display().to_string();
        found.extend(find(&name, &bytes));
    }
    assert!(found.is_empty(), "personal data is left behind:\n{found:#?}");
}

/// A traveller, an officer's words, sign-in that fails, a search, a night.
fn live(checkpoint: &mut Checkpoint) {
    let tell = json!({"document": {
        "type": "passport", "number": "X9K7Q2Z8W", "issuing_state": "KOR",
        "surname": "QUORNLEYSSON", "given_names": "ZWYXVUTTERICA", "date_of_birth": "1981-07-19",
        "sex": "F", "nationality": "KOR", "expires_on": "2030-01-01",
    }});
    checkpoint.devices.reader.tell(&tell).unwrap();
    let limit = Duration::from_secs(20);
    let station = checkpoint.station();
    let inspection = wait_for("the passport opens an inspection", limit, || {
        let open = station.get("/api/v1/inspections")?["open"].as_str().map(str::to_owned);
        Ok(open)
    })
    .unwrap();
    let path = format!("/api/v1/inspections/{inspection}");
    let held = wait_for("the passport is recorded", limit, || {
        let shown = station.get(&path)?.to_string();
        Ok(shown.contains("QUORNLEYSSON").then_some(shown))
    })
    .unwrap();
    assert!(held.contains("X9K7Q2Z8W"), "the station itself knows the traveller");
    let outcome = json!({"decision": "released", "officer": "o-11",
        "reasons": ["planted words of an officer"]});
    station.post(&format!("{path}/outcome"), &outcome).unwrap();
    story::await_all(checkpoint, limit).unwrap();
    let desk = checkpoint.desk();
    let typed =
        json!({"account": "planted.account.name", "password": "planted-password-heron-tide"});
    assert!(desk.post("/api/v1/session", &typed).is_err());
    let typed = json!({"account": "planted.account.name", "pin": "918273645546"});
    assert!(station.post("/api/v1/session", &typed).is_err());
    desk.get("/api/v1/search?q=planted%20search%20words").unwrap();
    desk.post("/api/v1/screen", &json!({"id": 1, "name": "QUORNLEYSSON"})).unwrap();
    desk.get("/api/v1/audit").unwrap();
    desk.post("/api/v1/bundles", &json!({})).unwrap();
    // Both pages show the traveller; neither page's reading is to leave them in a log.
    station.text(&format!("/inspections/{inspection}")).unwrap();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(files(&entry.path()));
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found
}

/// A file's bytes, unpacked where it is packed.
fn read(file: &Path) -> Vec<u8> {
    let bytes = fs::read(file).unwrap();
    if file.extension().is_some_and(|extension| extension == "zst") {
        let mut unpacked = Vec::new();
        zstd::Decoder::new(bytes.as_slice()).unwrap().read_to_end(&mut unpacked).unwrap();
        return unpacked;
    }
    bytes
}

/// Canaries in some bytes: as they are, in small letters, as hex, and as an address writes them.
fn find(place: &str, bytes: &[u8]) -> BTreeSet<String> {
    let small = bytes.to_ascii_lowercase();
    let mut found = BTreeSet::new();
    for canary in CANARIES {
        let plain = canary.to_ascii_lowercase();
        let hex: String = canary.bytes().map(|byte| format!("{byte:02x}")).collect();
        let written = plain.replace(' ', "%20");
        for form in [plain, hex, written] {
            if small.windows(form.len()).any(|window| window == form.as_bytes()) {
                found.insert(format!("{canary} in {place}"));
            }
        }
    }
    found
}

#[test]
fn a_planted_word_is_found_however_it_is_written() {
    for text in ["x QUORNLEYSSON x", "quornleysson", "51554f524e4c455953534f4e"] {
        assert_eq!(find("here", text.as_bytes()).len(), 1, "{text}");
    }
    assert_eq!(find("here", b"planted%20search%20words").len(), 1);
    assert!(find("here", b"nobody").is_empty());
}
