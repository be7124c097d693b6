//! The bridge's sync over lines, brokers and servers that fail it, with the real server: what was
//! recorded is there once, and there are receipts for all of it.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use tidewaiter_proto::sync::station::Pace;

use crate::bridge::{Bridge, enrol, quick};
use crate::items;
use crate::proxy::{Proxy, Way};
use crate::site::{LIMIT, Site};

const NAME: &str = "ruvvo/dep-07";

/// The broker between station and server.
#[derive(Clone, Copy, Debug)]
enum Broker {
    Embedded,
    Mosquitto,
}

/// A site with a station in `folder`, and a line between them.
fn set_up(folder: &Path, broker: Broker) -> (Site, Proxy) {
    let mut site = Site::new();
    enrol(&site, folder, NAME);
    if matches!(broker, Broker::Mosquitto) {
        site.use_guarded_mosquitto();
        site.start_mosquitto();
    }
    site.start_server();
    let proxy = Proxy::start(site.door()).unwrap();
    (site, proxy)
}

/// The server's row of the station.
fn row(site: &Site) -> Value {
    items(&site.get("/api/v1/stations")).into_iter().next().unwrap()
}

/// Everything recorded is at the server, once.
async fn holds_everything(site: &Site, bridge: &Bridge) {
    bridge.receipted().await;
    let written = bridge.station.ledger().head().1.seq;
    let row = row(site);
    assert_eq!((&row["held"], &row["missing"]), (&written.into(), &0.into()), "{row}");
}

/// Ends the connection after so many bytes of the station, once for each number.
async fn ends_after(broker: Broker, numbers: impl Iterator<Item = usize>) {
    let folder = tempfile::tempdir().unwrap();
    let (site, proxy) = set_up(folder.path(), broker);
    let bridge = Bridge::start(folder.path(), NAME, proxy.port(), quick());
    bridge.note("The line is well.").await;
    bridge.receipted().await;
    for bytes in numbers {
        proxy.set(Way::Reset);
        let (_, before) = proxy.counts();
        proxy.set(Way::EndsAfter(bytes));
        bridge.note(&format!("The line ends after {bytes} bytes.")).await;
        let began = Instant::now();
        // A late end may come behind the receipt.
        while proxy.counts().1 == before && bridge.backlog() > 0 {
            assert!(began.elapsed() < LIMIT, "after {bytes} bytes nothing happens");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        proxy.set(Way::Open);
        bridge.receipted().await;
    }
    holds_everything(&site, &bridge).await;
    bridge.stop().await;
}

fn is_soak() -> bool {
    std::env::var("TIDEWAITER_SOAK").is_ok_and(|soak| soak == "1")
}

/// From the handshake's first byte to the batch's last: a session has some 4,000 up to there.
const SESSION_BYTES: usize = 4500;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_line_that_ends_after_any_byte_loses_nothing() {
    let every =
        if std::env::var("TIDEWAITER_SOAK").is_ok_and(|soak| soak == "1") { 1 } else { 151 };
    ends_after(Broker::Embedded, (1..SESSION_BYTES).step_by(every)).await;
    ends_after(Broker::Mosquitto, (77..SESSION_BYTES).step_by(every)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_killed_between_commit_and_receipt_has_it_once_and_says_so_again() {
    for broker in [Broker::Embedded, Broker::Mosquitto] {
        let folder = tempfile::tempdir().unwrap();
        let (mut site, proxy) = set_up(folder.path(), broker);
        let bridge = Bridge::start(folder.path(), NAME, proxy.port(), quick());
        for round in 0..5 {
            bridge.note("The line is well.").await;
            bridge.receipted().await;
            // What the server says from here on is never heard.
            proxy.set(Way::DownCut);
            let number = bridge.note(&format!("Committed in round {round}, not receipted.")).await;
            site.wait("the record is on the server's disk", |site| {
                (row(site)["held"] == number).then_some(())
            });
            site.kill_server();
            assert_eq!(bridge.backlog(), 1, "{broker:?}: there was a receipt all the same");
            proxy.set(Way::Reset);
            proxy.set(Way::Open);
            site.start_server();
            bridge.receipted().await;
        }
        holds_everything(&site, &bridge).await;
        bridge.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_broker_killed_with_its_sessions_or_without_them_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut site, proxy) = set_up(folder.path(), Broker::Mosquitto);
    site.kill_mosquitto(false);
    site.keep_sessions();
    site.start_mosquitto();
    let bridge = Bridge::start(folder.path(), NAME, proxy.port(), quick());
    for round in 0..6 {
        for number in 0..20 {
            bridge.note(&format!("Round {round}, note {number}.")).await;
        }
        site.kill_mosquitto(round % 2 == 1);
        bridge.note("While the broker is away.").await;
        site.start_mosquitto();
        bridge.receipted().await;
    }
    holds_everything(&site, &bridge).await;
    bridge.stop().await;
}

/// A broker that is well with no server behind it: pings are answered, receipts do not come.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_client_that_is_connected_and_hears_nothing_is_built_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (mut site, proxy) = set_up(folder.path(), Broker::Mosquitto);
    let pace = Pace { silence: Duration::from_secs(1), ..quick() };
    let bridge = Bridge::start(folder.path(), NAME, proxy.port(), pace);
    bridge.note("The server is there.").await;
    bridge.receipted().await;
    site.kill_server();
    bridge.note("The server is not there.").await;
    let (before, began) = (proxy.counts().0, Instant::now());
    while proxy.counts().0 < before + 2 {
        assert!(began.elapsed() < LIMIT, "the silent connection is kept");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(bridge.backlog(), 1);
    site.start_server();
    holds_everything(&site, &bridge).await;
    bridge.stop().await;
}

/// Two machines with one ledger and one key take the connection from each other; still both are
/// heard, and the second history is raised. On 8 kbit/s, where a handshake takes seconds, only their
/// growing delays let one of them finish a sentence: that takes minutes and is for the long runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_clones_that_take_the_line_from_each_other_are_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let (site, proxy) = set_up(folder.path(), Broker::Embedded);
    let bridge = Bridge::start(folder.path(), NAME, proxy.port(), quick());
    bridge.note("Before the copy.").await;
    bridge.receipted().await;
    bridge.stop().await;
    // The handle of the warnings' task goes a moment later.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let copy = tempfile::tempdir().unwrap();
    let done = std::process::Command::new("cp")
        .args(["-a", "--"])
        .arg(folder.path().join("."))
        .arg(copy.path())
        .status()
        .unwrap();
    assert!(done.success());
    let slow = is_soak();
    if slow {
        proxy.set(Way::Rate(1_000));
    }
    let first = Bridge::start(folder.path(), NAME, proxy.port(), Pace::default());
    first.note("At the one lane.").await;
    let second = Bridge::start(copy.path(), NAME, proxy.port(), Pace::default());
    second.note("At the other lane.").await;
    let began = Instant::now();
    loop {
        let alerts = items(&site.get("/api/v1/alerts?code=ledger_fork"));
        if let Some(alert) = alerts.first() {
            assert_eq!((&alert["severity"], &alert["station"]), (&"critical".into(), &NAME.into()));
            break;
        }
        let limit = Duration::from_secs(if slow { 900 } else { 60 });
        assert!(began.elapsed() < limit, "the second history is not noticed");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("two clones, slow line {slow}: raised after {:.0?}", began.elapsed());
    proxy.set(Way::Open);
    for bridge in [first, second] {
        bridge.stop().await;
    }
}
