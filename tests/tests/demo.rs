//! `cargo demo -- --once`: from device bytes to headquarters' receipt.

use std::process::Command;

use tidewaiter_tests::ports;

#[test]
fn the_demo_plays_every_story_and_headquarters_accepts_the_night() {
    let port = ports::free(tidewaiter_tests::checkpoint::PORTS).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tidewaiter-demo"))
        .args(["--once", "--port", &port.to_string()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for wanted in
        ["undeclared_cash", "list_match", "port_high_risk", "no alert; released", "accepted by"]
    {
        assert!(said.contains(wanted), "{wanted} is missing in:\n{said}");
    }
}
