//! What is said at a lane becomes records: over a real ledger, and over a real broker.
#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

mod common;
mod recorder {
    mod guarded;
    mod manifest;
}

use std::time::Duration;

use common::{counted, declared, document, event, pass, station};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, EventLoop};
use serde_json::{Value, json};
use tidewaiter_bridge::bus::{self, BusLink};
use tidewaiter_bridge::recorder::RecordError;
use tidewaiter_bridge::station::Station;
use tidewaiter_proto::body::Body;
use tidewaiter_proto::record::Source;
use tokio_util::sync::CancellationToken;

fn types(station: &Station, inspection: &str) -> Vec<String> {
    let records = station.records(inspection).unwrap();
    records.iter().map(|record| record.body.type_name().to_owned()).collect()
}

#[tokio::test]
async fn a_document_opens_an_inspection_and_the_pass_makes_its_movement_good() {
    let (folder, stop) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let station = station(folder.path(), &stop);
    station.event("mrz-1", &event("1", &document())).await.unwrap();
    let inspection = station.open_inspection().await.unwrap();
    station.event("pass-1", &event("1", &pass())).await.unwrap();
    assert_eq!(
        types(&station, &inspection),
        ["inspection_opened", "document_read", "boarding_pass_read", "amendment"]
    );
    let records = station.records(&inspection).unwrap();
    let Body::Amendment(amendment) = &records[3].body else { panic!("{:?}", records[3]) };
    assert_eq!(amendment.fields["movement"]["to"], "FNJ");
    assert_eq!(amendment.of, records[0].seq);
    assert_eq!(records[3].source, Source::Agent("recorder".to_owned()));
}

#[tokio::test]
async fn counts_are_numbered_in_the_order_of_counting() {
    let (folder, stop) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let station = station(folder.path(), &stop);
    station.event("mrz-1", &event("1", &document())).await.unwrap();
    let inspection = station.open_inspection().await.unwrap();
    for id in ["1", "2", "3"] {
        station.event("counter-1", &event(id, &counted(10))).await.unwrap();
    }
    let records = station.records(&inspection).unwrap();
    let numbers: Vec<u32> = records
        .iter()
        .filter_map(|record| match &record.body {
            Body::CashCounted(counted) => Some(counted.count),
            _ => None,
        })
        .collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[tokio::test]
async fn a_source_says_only_what_it_is() {
    let (folder, stop) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let station = station(folder.path(), &stop);
    let outcome = json!({"type": "outcome_recorded", "decision": "released", "officer": "o-1"});
    let seq = || station.ledger().head().1.seq;
    for (source, body, wanted) in [
        ("mrz-1", declared(), "\"mrz-1\" may not say \"declaration_made\""),
        ("kiosk-1", outcome.clone(), "\"kiosk-1\" may not say \"outcome_recorded\""),
        ("kiosk-1", json!({"type": "amendment", "of": 1, "fields": {}, "reason": ""}), "may not"),
        ("kiosk-1", json!({"type": "officer_session", "officer": "o", "event": "x"}), "may not"),
        ("kiosk-1", json!({"type": "policy_applied", "policy": "x"}), "may not say"),
        ("kiosk-1", json!({"type": "custody_moved", "seal": "", "from": "", "to": ""}), "may not"),
        ("kiosk-2", declared(), "\"kiosk-2\" is not a source of this station"),
        ("kiosk-1", json!({"type": "declaration_made"}), "declaration_made: missing field"),
        ("kiosk-1", json!({"no": "type"}), "no \"type\""),
    ] {
        let error = station.event(source, &event("x", &body)).await.unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
        assert!(!error.passes(), "{error}");
    }
    let long = "x".repeat(129);
    let error = station.event("kiosk-1", &event(&long, &declared())).await.unwrap_err();
    assert!(matches!(error, RecordError::Id(129)));
    assert_eq!(seq(), 0, "nothing was recorded");
}

#[tokio::test]
async fn what_belongs_to_nobody_is_kept_and_shown() {
    let (folder, stop) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let station = station(folder.path(), &stop);
    station.event("counter-1", &event("1", &counted(7))).await.unwrap();
    assert_eq!(station.open_inspection().await, None);
    let loose = station.loose();
    assert_eq!(loose.len(), 1);
    assert_eq!(loose[0].inspection, None);
}

#[tokio::test]
async fn an_outcome_closes_and_the_next_document_opens_another() {
    let (folder, stop) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let station = station(folder.path(), &stop);
    station.event("mrz-1", &event("1", &document())).await.unwrap();
    let first = station.open_inspection().await.unwrap();
    let outcome = json!({"type": "outcome_recorded", "decision": "released", "officer": "o-11"});
    let (source, body) = (Source::Officer("o-11".to_owned()), Body::from_value(outcome).unwrap());
    station.record(source, Some(&first), body, None).await.unwrap();
    assert_eq!(station.open_inspection().await, None);
    station.event("mrz-1", &event("2", &document())).await.unwrap();
    assert_ne!(station.open_inspection().await, Some(first));
}

#[tokio::test]
async fn a_station_goes_on_where_it_stopped() {
    let (folder, stop) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let first = station(folder.path(), &stop);
    first.event("mrz-1", &event("1", &document())).await.unwrap();
    first.event("counter-1", &event("1", &counted(10))).await.unwrap();
    let inspection = first.open_inspection().await.unwrap();
    let before = first.records(&inspection).unwrap();
    stop.cancel();
    first.ledger().close();
    drop(first);
    // The handle of the warnings' task goes a moment later.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let second = station(folder.path(), &CancellationToken::new());
    assert_eq!(second.open_inspection().await.as_deref(), Some(inspection.as_str()));
    assert_eq!(second.records(&inspection).unwrap(), before);
    // Said again by a device that did not hear the answer: it is there already.
    second.event("counter-1", &event("1", &counted(10))).await.unwrap();
    assert_eq!(second.records(&inspection).unwrap().len(), before.len());
    second.event("counter-1", &event("2", &counted(10))).await.unwrap();
    let Body::CashCounted(counted) = &second.records(&inspection).unwrap()[before.len()].body
    else {
        panic!("a count");
    };
    assert_eq!(counted.count, 2);
}

#[tokio::test]
async fn the_officer_is_warned_from_what_the_devices_read() {
    let (folder, stop) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let station = station(folder.path(), &stop);
    station.event("mrz-1", &event("1", &document())).await.unwrap();
    station.event("pass-1", &event("1", &pass())).await.unwrap();
    station.event("counter-1", &event("1", &counted(1923))).await.unwrap();
    let inspection = station.open_inspection().await.unwrap();
    let mut changes = station.changes();
    let codes = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            let alerts = station.alerts(&inspection);
            let codes: Vec<String> = alerts.iter().map(|a| a.code.to_string()).collect();
            if codes.iter().any(|code| code == "undeclared_cash") {
                return codes;
            }
            changes.changed().await.unwrap();
        }
    });
    let codes = codes.await.unwrap();
    for wanted in ["route_high_risk", "inspect_mandatory"] {
        assert!(codes.iter().any(|code| code == wanted), "{wanted}: {codes:?}");
    }
}

/// A kiosk of somebody else: its own client, and what it heard.
struct Kiosk {
    client: AsyncClient,
    events: EventLoop,
}

impl Kiosk {
    async fn connect(link: &BusLink, name: &str) -> Self {
        let (client, events) = AsyncClient::new(link.options(name), 10);
        client
            .subscribe(
                format!("tidewaiter/v1/ruvvo/dep-07/device/{name}/recorded"),
                QoS::AtLeastOnce,
            )
            .await
            .unwrap();
        let mut kiosk = Self { client, events };
        while !matches!(kiosk.events.poll().await.unwrap(), Event::Incoming(Packet::SubAck(_))) {}
        kiosk
    }

    async fn say(&mut self, name: &str, payload: Vec<u8>) -> Value {
        let topic = format!("tidewaiter/v1/ruvvo/dep-07/device/{name}/event");
        self.client.publish(topic, QoS::AtLeastOnce, false, payload).await.unwrap();
        let answer = async {
            loop {
                if let Event::Incoming(Packet::Publish(message)) = self.events.poll().await.unwrap()
                {
                    return serde_json::from_slice(&message.payload).unwrap();
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), answer).await.unwrap()
    }
}

#[tokio::test]
async fn a_kiosk_on_the_bus_is_answered_once_the_ledger_has_it() {
    let (folder, stop) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let station = station(folder.path(), &stop);
    let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let broker = bus::embedded(station.name(), listen).await.unwrap();
    let link = BusLink { address: broker.address, embedded: true, login: None };
    tokio::spawn(bus::recorder::run(link.clone(), station.clone(), stop.clone()));
    let mut changes = station.changes();
    while !station.health().bus {
        changes.changed().await.unwrap();
    }
    let mut kiosk = Kiosk::connect(&link, "kiosk-1").await;
    let payload = json!({"id": "e-1", "inspection": "a-1", "body": declared()}).to_string();
    let first = kiosk.say("kiosk-1", payload.clone().into_bytes()).await;
    let again = kiosk.say("kiosk-1", payload.into_bytes()).await;
    assert_eq!(first, again);
    assert_eq!(
        (&first["id"], &first["epoch"], &first["seq"]),
        (&json!("e-1"), &json!(1), &json!(1))
    );
    let records = station.records("a-1").unwrap();
    assert_eq!(records.len(), 1);
    let refused = kiosk.say("kiosk-1", br#"{"id":"e-2","body":7}"#.to_vec()).await;
    assert_eq!(refused["id"], "e-2");
    assert!(refused["error"].as_str().unwrap().contains("\"type\""), "{refused}");
    let refused = kiosk.say("kiosk-1", b"hello".to_vec()).await;
    assert!(refused["error"].as_str().unwrap().contains("not an event"), "{refused}");
    stop.cancel();
}
