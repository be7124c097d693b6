//! The commands through the real program.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

fn bridge() -> Command {
    Command::new(env!("CARGO_BIN_EXE_tidewaiter-bridge"))
}

fn vector_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("codec/vectors");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|ending| ending == "json")).collect()
}

fn last_line(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_owned()
}

#[test]
fn every_vector_passes() {
    let output = bridge().arg("vectors").args(vector_files()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(last_line(&output).ends_with(" passed, 0 failed"), "{said}");
}

#[test]
fn a_failing_vector_is_named_and_so_is_a_protocol_that_is_none() {
    let folder = TempDir::new().unwrap();
    let wrong = folder.path().join("wrong.json");
    let text = r#"{"protocol": "iata_bcbp", "vectors": [{"id": "odd", "text": "M", "expect": 1}]}"#;
    std::fs::write(&wrong, text).unwrap();
    let smoke = folder.path().join("smoke.json");
    std::fs::write(&smoke, r#"{"protocol": "smoke_signals", "vectors": [{}, {}]}"#).unwrap();
    let output = bridge().arg("vectors").args([wrong, smoke]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("odd") && said.contains("smoke_signals"), "{said}");
    assert_eq!(last_line(&output), "0 passed, 3 failed");
}

#[test]
fn bytes_are_decoded_a_line_each() {
    let mut child = bridge()
        .args(["decode", "delimited"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"noise\x02HELLO\x03").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["error"], "noise");
    assert_eq!(lines[1]["frame"]["text"], "HELLO");
    assert_eq!(bridge().args(["decode", "smoke"]).output().unwrap().status.code(), Some(2));
}

#[test]
fn a_simulated_device_says_it_is_ready_answers_and_ends_with_its_input() {
    let folder = TempDir::new().unwrap();
    let link = folder.path().join("mrz-1.tty");
    let mut child = bridge()
        .args(["simulate", "mrz", "--link"])
        .arg(&link)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut commands = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut answer =
        || -> Value { serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap() };
    assert_eq!(answer()["ready"], link.display().to_string());
    writeln!(commands, r#"{{"bytes": "0241"}}"#).unwrap();
    assert_eq!(answer()["done"], true);
    writeln!(commands, r#"{{"dance": true}}"#).unwrap();
    assert!(answer()["error"].is_string());
    drop(commands);
    assert!(child.wait().unwrap().success());
}
