//! The real programs over networks that fail them: cut in one direction or both, reset in the middle
//! of a packet, slow, flapping, losing a third of all packets. What was recorded is at the server
//! once, and everything moves on when the network does.
//!
//! Most of it runs over a proxy in this process (`network/proxy.rs`) and needs nothing. Loss and rate
//! of real packets need network namespaces, so root; without it those tests say that they were
//! skipped (`network/namespace.rs`).

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it panics")]

use std::path::Path;
use std::time::Duration;

use tidewaiter_tests::checkpoint::{Checkpoint, PORTS};
use tidewaiter_tests::ports;
use tidewaiter_tests::programs::Programs;
use tidewaiter_tests::story;

use network::namespace::Namespace;
use network::proxy::{Proxy, Way};

mod network {
    pub(crate) mod namespace;
    pub(crate) mod proxy;
}

const LIMIT: Duration = Duration::from_secs(90);

/// A checkpoint whose station reaches its server over `port` instead of the server's own.
fn over(folder: &Path, first: u16, port: u16) -> Checkpoint {
    let programs = Programs::build().expect("the programs are built");
    let mut checkpoint =
        Checkpoint::start(programs, folder, first, story::FIRST_DAY, None).expect("it starts");
    checkpoint.stop_bridge().unwrap();
    let file = folder.join("bridge/enrolment.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let moved = text.replace(&format!(":{}", door(first)), &format!(":{port}"));
    assert_ne!(text, moved, "the enrolment names the server's door");
    std::fs::write(&file, moved).unwrap();
    checkpoint.start_bridge().unwrap();
    checkpoint
}

/// The port where the server of a checkpoint takes stations.
fn door(first: u16) -> u16 {
    first + 3
}

#[test]
fn a_line_that_is_cut_reset_and_slow_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let first = ports::free(PORTS).unwrap();
    let proxy = Proxy::start(door(first)).unwrap();
    let mut checkpoint = over(folder.path(), first, proxy.port());
    story::ships_master(&mut checkpoint).unwrap();
    story::await_all(&checkpoint, LIMIT).unwrap();
    let ways = [
        Way::Reset,
        Way::UpCut,
        Way::Reset,
        Way::DownCut,
        Way::Reset,
        Way::EndsAfter(1),
        Way::EndsAfter(700),
        Way::EndsAfter(3_000),
        Way::Rate(1_000),
    ];
    checkpoint.set_clock("2018-11-16T03:10:00Z").unwrap();
    for way in ways {
        proxy.set(way);
        story::shoe_box_without_clock(&mut checkpoint).unwrap();
        std::thread::sleep(Duration::from_millis(400));
    }
    let before = story::held(&checkpoint).unwrap().0;
    proxy.set(Way::Reset);
    proxy.set(Way::Open);
    let held = story::await_all(&checkpoint, LIMIT).unwrap();
    assert!(held > before, "the line let everything through");
    let (connections, ended) = proxy.counts();
    assert!(connections > 1 && connections > ended, "{connections} connections, {ended} ended");
    checkpoint.stop().unwrap();
}

#[test]
fn a_line_that_comes_and_goes_delivers_within_a_minute_of_standing() {
    let folder = tempfile::tempdir().unwrap();
    let first = ports::free(PORTS).unwrap();
    let proxy = Proxy::start(door(first)).unwrap();
    let mut checkpoint = over(folder.path(), first, proxy.port());
    story::ships_master(&mut checkpoint).unwrap();
    checkpoint.set_clock("2018-11-16T03:10:00Z").unwrap();
    for _ in 0..6 {
        proxy.set(Way::Reset);
        story::shoe_box_without_clock(&mut checkpoint).unwrap();
        proxy.set(Way::Open);
        std::thread::sleep(Duration::from_millis(700));
    }
    story::await_all(&checkpoint, LIMIT).unwrap();
    checkpoint.stop().unwrap();
}

#[test]
fn thirty_percent_loss_and_eight_kilobits_lose_nothing() {
    let namespace = match Namespace::open() {
        Ok(namespace) => namespace,
        Err(why) => {
            println!("SKIPPED, needs root and network namespaces: {why:#}");
            return;
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let first = ports::free(PORTS).unwrap();
    let port = namespace.lead_to(door(first)).unwrap();
    let mut checkpoint = over(folder.path(), first, port);
    namespace.lose_percent(30).unwrap();
    story::ships_master(&mut checkpoint).unwrap();
    story::await_all(&checkpoint, LIMIT).unwrap();
    namespace.rate_kilobits(8).unwrap();
    checkpoint.set_clock("2018-11-16T03:10:00Z").unwrap();
    story::shoe_box_without_clock(&mut checkpoint).unwrap();
    story::await_all(&checkpoint, LIMIT).unwrap();
    namespace.cut_one_direction().unwrap();
    story::shoe_box_without_clock(&mut checkpoint).unwrap();
    std::thread::sleep(Duration::from_secs(2));
    namespace.lose_percent(0).unwrap();
    story::await_all(&checkpoint, LIMIT).unwrap();
    checkpoint.stop().unwrap();
}

/// Not a test: what runs inside the namespace, started there by [`Namespace::lead_to`].
#[test]
#[ignore = "runs inside a network namespace, started by the test beside it"]
fn relay_of_a_namespace() {
    network::namespace::relay().unwrap();
}
