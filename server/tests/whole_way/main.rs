//! The real programs, from a station's connection to headquarters' receipt: enrolled, let in by the
//! door, taken, judged, bundled, verified, answered; killed in between and started again.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails where it panics")]

use std::time::Duration;

use serde_json::{Value, json};

use site::Site;
use station::Station;
use tidewaiter_proto::receipt::Down;

mod bridge;
mod guarded;
mod lines;
mod policy;
#[path = "../../../tests/tests/network/proxy.rs"]
mod proxy;
mod refused;
mod site;
mod station;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_shoe_box_reaches_the_supervisor_and_headquarters() {
    let mut site = Site::new();
    let mut station = Station::enrolled(&site, "ruvvo/dep-07");
    site.start_headquarters();
    site.start_server();
    station.connect(&site).await;
    station.announce().await;
    let Down::Welcome(welcome) = station.told(|down| matches!(down, Down::Welcome(_))) else {
        panic!("no welcome")
    };
    assert_eq!(welcome.lives.len(), 1);
    assert_eq!(welcome.lives[0].last(), 0);

    let count = station.record_scenario("vladivostok-2018-shoe-box");
    station.send(1, count).await;
    assert_eq!(station.receipted(count), count);
    // The same again is answered again, and is nothing new.
    station.send(1, count).await;
    assert_eq!(station.receipted(count), count);

    let alerts = site.wait("alerts of the inspection", |site| {
        let page = site.get("/api/v1/alerts?inspection=a");
        let codes: Vec<String> = items(&page).iter().map(|item| text(item, "code")).collect();
        let wanted = ["undeclared_cash", "route_high_risk", "inspect_mandatory"];
        wanted.iter().all(|code| codes.iter().any(|own| own == code)).then_some(page)
    });
    assert_eq!(alerts["next"], Value::Null);
    let undeclared =
        items(&alerts).into_iter().find(|item| item["code"] == "undeclared_cash").unwrap();
    assert_eq!(undeclared["severity"], "critical");
    assert_eq!(undeclared["state"], "new");
    let stations = items(&site.get("/api/v1/stations"));
    assert_eq!((&stations[0]["held"], &stations[0]["missing"]), (&json!(count), &json!(0)));
    assert_eq!(stations[0]["online"], true);
    let shown = site.get("/api/v1/inspections/ruvvo/dep-07/a");
    assert!(shown.to_string().contains("CHOL SU"), "{shown}");

    let first = site.night();
    assert_eq!(first["number"], 1);
    let taken = items(&site.headquarters("/api/v1/bundles"));
    assert_eq!((&taken[0]["accepted"], &taken[0]["server"]), (&json!(true), &json!("ruvvo")));
    let page = site.headquarters_text("/");
    assert!(page.contains("ruvvo-000001"), "{page}");
    assert!(site.verifies("ruvvo-000001"));

    // What was taken is there after a power cut, and the station goes on.
    site.kill_server();
    site.start_server();
    station.connect(&site).await;
    station.announce().await;
    let Down::Welcome(welcome) = station.told(|down| matches!(down, Down::Welcome(_))) else {
        panic!("no welcome")
    };
    assert_eq!(welcome.lives[0].last(), count);
    station.note("a", "Sealed in bag 7.");
    station.note("a", "Handed over.");
    // Out of order: the gap is stated, and closes.
    station.send(count + 2, count + 2).await;
    assert_eq!(station.receipted(count + 2), count);
    station.send(count + 1, count + 1).await;
    assert_eq!(station.receipted(count + 1), count + 2);
    let second = site.night();
    assert_eq!(second["number"], 2);
    let checks = second["receipt"]["checks"].as_array().unwrap().clone();
    assert!(checks.iter().all(|check| check["passed"] == true), "{checks:?}");
    assert!(checks.iter().any(|check| check["name"] == "continuity"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_no_station_may_say_is_refused() {
    let mut site = Site::new();
    let mut station = Station::enrolled(&site, "ruvvo/dep-07");
    site.start_server();
    // A certificate opens the door in its own name only.
    assert!(!station.is_let_in_as(&site, "ruvvo/dep-08").await);
    assert!(station.is_let_in_as(&site, "ruvvo/dep-07").await);
    station.connect(&site).await;
    station.announce().await;
    station.told(|down| matches!(down, Down::Welcome(_)));
    station.publish("tidewaiter/v1/ruvvo/dep-07/up", b"nothing of ours".to_vec()).await;
    let Down::Refused { reason, .. } = station.told(|down| matches!(down, Down::Refused { .. }))
    else {
        panic!("not refused")
    };
    assert!(reason.contains("not a batch"), "{reason}");
    let alert = site.wait("an alert about it", |site| {
        items(&site.get("/api/v1/alerts?code=ledger_broken")).into_iter().next()
    });
    assert_eq!(alert["station"], "ruvvo/dep-07");
    let metrics = site.text("/metrics");
    assert!(metrics.contains("tidewaiter_quarantined 1"), "{metrics}");

    // Another history under the same numbers is kept beside, said and raised.
    station.note("a", "One story.");
    station.send(1, 1).await;
    station.receipted(1);
    station.forget();
    station.note("a", "Another story.");
    station.send(1, 1).await;
    let Down::Receipt(receipt) =
        station.told(|down| matches!(down, Down::Receipt(receipt) if !receipt.kept.is_empty()))
    else {
        panic!("not kept")
    };
    assert_eq!((receipt.kept[0].from, receipt.verified.seq), (1, 1));
    let fork = site.wait("the fork is raised", |site| {
        items(&site.get("/api/v1/alerts?code=ledger_fork")).into_iter().next()
    });
    assert_eq!(fork["severity"], "critical");
}

/// Nothing is lost or held up when a station sends all it has at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_long_backlog_is_taken_as_fast_as_it_comes() {
    let mut site = Site::new();
    let mut station = Station::enrolled(&site, "ruvvo/dep-07");
    site.start_server();
    station.connect(&site).await;
    station.announce().await;
    station.told(|down| matches!(down, Down::Welcome(_)));
    let (batches, size) = (200, 20);
    for number in 0..batches * size {
        station.note("a", &number.to_string());
    }
    for batch in 0..batches {
        station.send(batch * size + 1, (batch + 1) * size).await;
    }
    let Down::Receipt(_) = station.told(
        |down| matches!(down, Down::Receipt(receipt) if receipt.verified.seq == batches * size),
    ) else {
        panic!("no receipt")
    };
    let stations = items(&site.get("/api/v1/stations"));
    assert_eq!(stations[0]["held"], batches * size);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_stops_in_order_within_two_seconds() {
    let mut site = Site::new();
    let mut station = Station::enrolled(&site, "ruvvo/dep-07");
    site.start_headquarters();
    site.start_server();
    station.connect(&site).await;
    // Somebody looks at the live page meanwhile.
    let _open = site.live();
    for (name, status, took) in site.stop() {
        assert!(status.success(), "{name}: {status}");
        assert!(took < Duration::from_secs(2), "{name} took {took:?}");
    }
}

/// A broker of another make in place of the embedded one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn batches_are_taken_from_a_broker_elsewhere_that_comes_and_goes() {
    let mut site = Site::new();
    let mut station = Station::enrolled(&site, "ruvvo/dep-07");
    site.use_mosquitto();
    site.start_mosquitto();
    site.start_server();
    for round in 1..=2 {
        station.connect_plainly(&site).await;
        // The server may still be on its way to the broker: a station goes on saying it is there.
        let mut welcome = None;
        for _ in 0..60 {
            station.announce().await;
            welcome = station.heard(Duration::from_millis(500));
            if welcome.is_some() {
                break;
            }
        }
        assert!(matches!(welcome, Some(Down::Welcome(_))), "{welcome:?}");
        station.note("a", "Said over another broker.");
        station.send(round, round).await;
        assert_eq!(station.receipted(round), round);
        if round == 1 {
            site.start_mosquitto();
        }
    }
}

fn items(page: &Value) -> Vec<Value> {
    page["items"].as_array().cloned().unwrap_or_default()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}
