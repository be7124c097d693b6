//! The X-ray station over TCP.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tidewaiter_bridge::configuration::{DeviceConfig, DriverKind, MqttSource};
use tidewaiter_bridge::simulate::Simulated;
use tidewaiter_bridge::simulate::xray::Station;
use tidewaiter_program::embedded::{EmbeddedBroker, EmbeddedSettings};
use tidewaiter_proto::body::{Body, ScanDecision, ScanResult};
use tidewaiter_proto::bus::Availability;

use crate::driven::{Driven, device, drive};

fn station() -> Station {
    Station::listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap()
}

fn at(station: &Station) -> Driven {
    drive(DeviceConfig { tcp: Some(station.address()), ..device(DriverKind::Xray) })
}

pub(crate) fn result(scan: &str) -> Value {
    json!({"result": {
        "schema": "baggage.xray.result/1", "scan_id": scan,
        "device": {"id": "xr01", "modality": "dx"}, "bag": {"tray": scan},
        "scanned_at": "2018-11-16T03:12:00Z", "report_type": "MACHINE", "decision": "ALARM",
        "algorithm": {"name": "sim-currency", "version": "1"},
        "objects": [{
            "id": 1, "category": "CURRENCY_LIKE", "assessment": "THREAT", "probability": 0.93,
            "regions": [{"view": 0, "bbox": [0.31, 0.42, 0.47, 0.58]}],
        }],
    }})
}

async fn scan(driven: &mut Driven) -> ScanResult {
    match driven.reading().await {
        Body::ScanResult(scan) => scan,
        body => panic!("{body:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_arrives_with_what_was_seen() {
    let mut station = station();
    let mut driven = at(&station);
    station.play(&result("T0007")).unwrap();
    let scan = scan(&mut driven).await;
    assert_eq!((scan.decision, scan.bag), (ScanDecision::Alarm, Some(json!("T0007"))));
    assert_eq!(scan.objects[0].category, "currency_like");
    assert_eq!(
        scan.objects[0].regions,
        Some(json!([{"view": 0, "bbox": [0.31, 0.42, 0.47, 0.58]}]))
    );
    assert_eq!(scan.algorithm, Some(json!({"name": "sim-currency", "version": "1"})));
    driven.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_connection_or_line_costs_no_result() {
    let mut station = station();
    let mut driven = at(&station);
    driven.state(Availability::Online).await;
    let text = format!("{{\"not\": \"one\"}}\n{}\n", result("T1")["result"]);
    let (first, second) = text.as_bytes().split_at(90);
    for part in [first, second] {
        let bytes: String = part.iter().map(|byte| format!("{byte:02x}")).collect();
        station.play(&json!({ "bytes": bytes })).unwrap();
    }
    driven.state(Availability::Fault).await;
    assert_eq!(scan(&mut driven).await.bag, Some(json!("T1")));
    for number in ["T2", "T3"] {
        station.unplug();
        driven.state(Availability::Offline).await;
        station.play(&result(number)).unwrap();
        assert_eq!(scan(&mut driven).await.bag, Some(json!(number)));
    }
    driven.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn results_at_a_broker_are_read_also_after_the_station_was_away() {
    let broker = EmbeddedBroker::start(EmbeddedSettings {
        name: "xray",
        listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        secret: None,
        filters: vec!["xray/#".to_owned()],
        connections_max: 8,
        packet_bytes_max: 128 * 1024,
    })
    .await
    .unwrap();
    let address = broker.address.to_string();
    let mut station = Station::publish(&address, "xray/lane-7").unwrap();
    let source = MqttSource { broker: address, topic: "xray/#".to_owned() };
    let mut driven = drive(DeviceConfig { mqtt: Some(source), ..device(DriverKind::Xray) });
    driven.state(Availability::Online).await;
    station.obey(&result("M1")).unwrap();
    assert_eq!(scan(&mut driven).await.bag, Some(json!("M1")));
    station.obey(&json!({"flip": 1})).unwrap();
    station.obey(&result("M2")).unwrap();
    let (kind, bytes) = driven.refused().await;
    assert!(kind == "bad_result" && bytes.len() > 100, "{kind}");
    // A publisher that comes back has what it could not say.
    let mut station = tokio::task::spawn_blocking(move || {
        station.obey(&json!({"unplug_ms": 300})).unwrap();
        station
    })
    .await
    .unwrap();
    station.obey(&result("M3")).unwrap();
    assert_eq!(scan(&mut driven).await.bag, Some(json!("M3")));
    assert!(Station::publish("nowhere", "xray").is_err());
    driven.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_is_none_is_not_sent() {
    let mut station = station();
    let mut wrong = result("T1");
    wrong["result"]["objects"] = json!([]);
    let refused = station.play(&wrong).unwrap_err().to_string();
    assert!(refused.contains("alarm"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn results_in_a_directory_are_read_once_they_are_whole_and_named_by_their_content() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("results");
    std::fs::create_dir(&directory).unwrap();
    let at = |path: &std::path::Path| {
        drive(DeviceConfig { directory: Some(path.to_owned()), ..device(DriverKind::Xray) })
    };
    let mut driven = at(&directory);
    driven.state(Availability::Online).await;
    let whole = result("T9")["result"].to_string();
    std::fs::write(directory.join("a.json"), &whole).unwrap();
    assert_eq!(scan(&mut driven).await.bag, Some(json!("T9")));
    std::fs::write(directory.join("b.json"), &whole[..90]).unwrap();
    let why = driven.state(Availability::Fault).await;
    assert!(why.contains("refused"), "{why}");
    // Moving follows saying.
    for moved in ["done/a.json", "refused/b.json"] {
        for _ in 0..100 {
            if directory.join(moved).exists() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert!(directory.join(moved).exists(), "{moved}");
    }
    driven.stop().await;
    // After a start the last ones are said again, by the same name: recorded once.
    let mut again = at(&directory);
    assert_eq!(scan(&mut again).await.bag, Some(json!("T9")));
    std::fs::remove_dir_all(&directory).unwrap();
    again.state(Availability::Offline).await;
    again.stop().await;
}
