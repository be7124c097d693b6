//! Every simulated device on every line that it can have, and what each knob does to a driver.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tidewaiter_bridge::configuration::{DeviceConfig, DriverKind};
use tidewaiter_bridge::simulate::bag::Scanner as BagScanner;
use tidewaiter_bridge::simulate::boarding_pass::Scanner;
use tidewaiter_bridge::simulate::note_counter::NoteCounter;
use tidewaiter_bridge::simulate::reader::Reader;
use tidewaiter_bridge::simulate::scale::Scale;
use tidewaiter_bridge::simulate::validator::Validator;
use tidewaiter_bridge::simulate::vessel::Receiver;
use tidewaiter_bridge::simulate::xray::Station;
use tidewaiter_bridge::simulate::{End, Simulated};
use tidewaiter_proto::body::{Body, Certainty};
use tidewaiter_proto::bus::Availability;

use crate::driven::{Driven, device, drive};

fn anywhere() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

/// A command and what its reading is called.
type Done = (Value, &'static str);

/// A simulator, the driver for it, and what makes it say something.
fn simulator(driver: DriverKind, end: impl Into<End>) -> (Box<dyn Simulated>, Vec<Done>) {
    let end = end.into();
    let read = |command, kind| vec![(command, kind)];
    match driver {
        DriverKind::Mrz => {
            let document = json!({"document": {
                "type": "passport", "number": "L898902C3", "issuing_state": "UTO",
                "surname": "ERIKSSON", "given_names": "ANNA MARIA", "sex": "F",
                "date_of_birth": "1974-08-12", "nationality": "UTO", "expires_on": "2019-04-15",
            }});
            (Box::new(Reader::open(end).unwrap()), read(document, "document_read"))
        }
        DriverKind::BoardingPass => {
            let pass = json!({"passenger": "KIM/CHOLSU", "from": "VVO", "to": "FNJ",
                "carrier": "JS", "number": "272", "date": "2018-11-16"});
            (Box::new(Scanner::open(end).unwrap()), read(pass, "boarding_pass_read"))
        }
        DriverKind::Bag => {
            let message = json!({"message": {"flight": "JS0272", "date": "16NOV", "from": "VVO",
                "to": "FNJ", "tag": "0272000001", "bags": 2}});
            let commands = vec![(message, ""), (json!({"tag": "0272000002"}), "movement_seen")];
            (Box::new(BagScanner::open(end).unwrap()), commands)
        }
        DriverKind::Vessel => {
            let ship = json!({"vessel": {"mmsi": 445_123_456, "imo": 9_074_729,
                "name": "MORNING STAR", "destination": "RU VVO"}});
            (Box::new(Receiver::open(end).unwrap()), read(ship, "movement_seen"))
        }
        other => panic!("{other:?}"),
    }
}

async fn reads(driven: &mut Driven, device: &mut dyn Simulated, commands: &[Done]) {
    for (command, kind) in commands {
        device.obey(command).unwrap();
        if !kind.is_empty() {
            assert_eq!(driven.reading().await.type_name(), *kind);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_that_only_speak_are_read_on_a_terminal_and_over_tcp() {
    let folder = TempDir::new().unwrap();
    for driver in [DriverKind::Mrz, DriverKind::BoardingPass, DriverKind::Bag, DriverKind::Vessel] {
        let link = folder.path().join(format!("{driver:?}.tty"));
        let (mut simulated, commands) = simulator(driver, &link);
        let mut driven = drive(DeviceConfig { serial: Some(link), ..device(driver) });
        driven.state(Availability::Online).await;
        reads(&mut driven, simulated.as_mut(), &commands).await;
        driven.stop().await;
        let (mut simulated, commands) = simulator(driver, anywhere());
        let address = Some(simulated.address());
        let mut driven = drive(DeviceConfig { tcp: address, ..device(driver) });
        driven.state(Availability::Online).await;
        reads(&mut driven, simulated.as_mut(), &commands).await;
        driven.stop().await;
    }
}

/// Pulls the cable for a moment, and knows that the driver saw it.
async fn pulled(driven: &mut Driven, mut device: Box<dyn Simulated>) -> Box<dyn Simulated> {
    let pulling = tokio::task::spawn_blocking(move || {
        device.obey(&json!({"unplug_ms": 600})).unwrap();
        device
    });
    driven.state(Availability::Offline).await;
    pulling.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cable_pulled_and_put_back_is_read_again_on_every_kind_of_line() {
    let folder = TempDir::new().unwrap();
    let link = folder.path().join("mrz.tty");
    let (simulated, commands) = simulator(DriverKind::Mrz, &link);
    let mut driven = drive(DeviceConfig { serial: Some(link), ..device(DriverKind::Mrz) });
    driven.state(Availability::Online).await;
    let mut simulated = pulled(&mut driven, simulated).await;
    driven.state(Availability::Online).await;
    reads(&mut driven, simulated.as_mut(), &commands).await;
    driven.stop().await;

    let (simulated, commands) = simulator(DriverKind::Vessel, anywhere());
    let address = Some(simulated.address());
    let mut driven = drive(DeviceConfig { tcp: address, ..device(DriverKind::Vessel) });
    driven.state(Availability::Online).await;
    let mut simulated = pulled(&mut driven, simulated).await;
    reads(&mut driven, simulated.as_mut(), &commands).await;
    driven.stop().await;

    let counter = NoteCounter::listen(anywhere()).unwrap();
    let url = Some(counter.address());
    let mut driven = drive(DeviceConfig { url, ..device(DriverKind::NoteCounter) });
    driven.state(Availability::Online).await;
    let mut counter = pulled(&mut driven, Box::new(counter)).await;
    let count = json!({"count": [{"currency": "USD", "denomination": "100", "pieces": 7}]});
    counter.obey(&count).unwrap();
    let Body::CashCounted(count) = driven.reading().await else { panic!("no count") };
    assert_eq!(count.items[0].amount().unwrap().1, 700.into());
    driven.stop().await;

    let directory = folder.path().join("results");
    let station = Station::into_directory(&directory).unwrap();
    let mut driven = drive(DeviceConfig { directory: Some(directory), ..device(DriverKind::Xray) });
    driven.state(Availability::Online).await;
    let mut station = pulled(&mut driven, Box::new(station)).await;
    driven.state(Availability::Online).await;
    station.obey(&crate::xray::result("T4")).unwrap();
    assert_eq!(driven.reading().await.type_name(), "scan_result");
    driven.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_that_are_asked_answer_on_a_line_that_echoes_and_delays() {
    let folder = TempDir::new().unwrap();
    let notes = json!({"notes": [{"currency": "USD", "denomination": "20", "pieces": 2}]});
    let weight = json!({"weight": {"value": "1.923", "unit": "kg"}});
    let link = |name: &str| folder.path().join(name);
    let devices: [(DriverKind, Box<dyn Simulated>, &str, &Value); 3] = [
        (DriverKind::Ccnet, Box::new(Validator::ccnet(&link("c")).unwrap()), "c", &notes),
        (DriverKind::Ssp, Box::new(Validator::ssp(&link("s")).unwrap()), "s", &notes),
        (DriverKind::Scale, Box::new(Scale::open(&link("w")).unwrap()), "w", &weight),
    ];
    let asked = devices.map(async |(driver, mut simulated, name, command)| {
        simulated.obey(&json!({"echo": true})).unwrap();
        simulated.obey(&json!({"delay_ms": 15})).unwrap();
        let mut driven = drive(DeviceConfig { serial: Some(link(name)), ..device(driver) });
        driven.state(Availability::Online).await;
        simulated.obey(command).unwrap();
        match driven.reading().await {
            Body::CashCounted(count) => {
                assert_eq!(count.certainty, Certainty::Exact, "{driver:?}");
                assert_eq!(count.items[0].amount().unwrap().1, 40.into(), "{driver:?}");
            }
            Body::WeightMeasured(weight) => assert_eq!(weight.value.to_string(), "1.923"),
            body => panic!("{body:?}"),
        }
        driven.stop().await;
    });
    let [ccnet, ssp, scale] = asked;
    tokio::join!(ccnet, ssp, scale);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scale_that_is_not_asked_is_read_when_its_load_rests() {
    let folder = TempDir::new().unwrap();
    let link = folder.path().join("scale.tty");
    let mut scale = Scale::toledo(&link).unwrap();
    let mut driven = drive(DeviceConfig { serial: Some(link), ..device(DriverKind::Scale) });
    driven.state(Availability::Online).await;
    scale.obey(&json!({"weight": {"value": "2.5", "unit": "kg", "stable": false}})).unwrap();
    driven.nothing().await;
    scale.obey(&json!({"flip": 2})).unwrap();
    scale.obey(&json!({"weight": {"value": "1.92", "unit": "kg"}})).unwrap();
    let Body::WeightMeasured(weight) = driven.reading().await else { panic!("no weight") };
    assert_eq!((weight.value.to_string().as_str(), weight.unit.as_str()), ("1.92", "kg"));
    assert!(scale.obey(&json!({"weight": {"value": "1", "unit": "lb"}})).is_err());
    driven.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_whose_messages_are_lost_damaged_or_doubled_counts_once_or_says_so() {
    let count = json!({"count": [{"currency": "USD", "denomination": "50", "pieces": 4}]});
    for knob in [json!({"flip": 1}), json!({"repeat": 2}), json!({"echo": true})] {
        let mut counter = NoteCounter::listen(anywhere()).unwrap();
        let url = Some(counter.address());
        let mut driven = drive(DeviceConfig { url, ..device(DriverKind::NoteCounter) });
        driven.state(Availability::Online).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        counter.obey(&knob).unwrap();
        counter.obey(&count).unwrap();
        let Body::CashCounted(counted) = driven.reading().await else { panic!("no count") };
        assert_eq!(counted.items[0].amount().unwrap().1, 200.into(), "{knob}");
        driven.nothing().await;
        driven.stop().await;
    }
}
