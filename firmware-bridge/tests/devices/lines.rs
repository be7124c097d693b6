//! Devices that send text: bags, ships, printed reports; over serial lines and TCP, with the
//! knobs of a bad line.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;

use serde_json::{Value, json};
use tidewaiter_bridge::configuration::{BridgeConfiguration, DeviceConfig, DriverKind};
use tidewaiter_bridge::simulate::Simulated;
use tidewaiter_bridge::simulate::lines::Lines;
use tidewaiter_proto::body::{Body, Certainty};
use tidewaiter_proto::bus::Availability;
use tidewaiter_proto::movement::Movement;

use crate::driven::{Driven, device, drive};

fn on(driver: DriverKind, link: &Path) -> Driven {
    drive(DeviceConfig { serial: Some(link.to_owned()), ..device(driver) })
}

async fn movement(driven: &mut Driven) -> Movement {
    match driven.reading().await {
        Body::MovementSeen(seen) => seen.movement,
        body => panic!("{body:?}"),
    }
}

const MESSAGE: [&str; 6] =
    ["BSM", ".V/1LVVO", ".F/JS0272/16NOV/FNJ/Y", ".N/0272000001002", ".P/1KIM/CHOLSU", "ENDBSM"];

fn say(lines: &[&str]) -> Value {
    json!({ "lines": lines })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanned_bag_is_the_movement_of_its_message_and_a_damaged_scan_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("tty");
    let mut lines = Lines::open(&link).unwrap();
    let mut driven = on(DriverKind::Bag, &link);
    driven.state(Availability::Online).await;
    lines.obey(&say(&MESSAGE)).unwrap();
    for knob in [json!({"flip": 1}), json!({"drop": 1})] {
        lines.obey(&knob).unwrap();
        lines.obey(&say(&["]I00272000001"])).unwrap();
    }
    // The flipped one is refused, the dropped one never came.
    let why = driven.state(Availability::Fault).await;
    assert!(why.contains("scan the tag again"), "{why}");
    lines.obey(&say(&["]I00272000002"])).unwrap();
    assert_eq!(movement(&mut driven).await.designator().as_deref(), Some("JS272"));
    driven.nothing().await;
    driven.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ships_are_heard_over_tcp_by_their_check_digits() {
    let receiver = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = receiver.local_addr().unwrap().to_string();
    let mut driven = drive(DeviceConfig { tcp: Some(address), ..device(DriverKind::Vessel) });
    let (mut stream, _) = receiver.accept().unwrap();
    driven.state(Availability::Online).await;
    // gpsd's sample of a type 5 message: EVER DIADEM, IMO 9134270.
    let sentences = "!AIVDM,2,1,1,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0*1C\r\n\
                     !AIVDM,2,2,1,A,88888888880,2*25\r\n";
    stream.write_all(sentences.as_bytes()).unwrap();
    let vessel = movement(&mut driven).await.vessel.unwrap();
    assert_eq!((vessel.name.as_str(), vessel.imo.as_deref()), ("EVER DIADEM", Some("9134270")));
    // The same again is no news.
    stream.write_all(sentences.as_bytes()).unwrap();
    driven.nothing().await;
    drop((stream, receiver));
    driven.state(Availability::Offline).await;
    driven.stop().await;
}

/// A station whose devices are those of `config/devices`, and this one.
fn configured(folder: &Path, instance: &str) -> DeviceConfig {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
    let devices = folder.join("devices");
    std::fs::create_dir(&devices).unwrap();
    for entry in std::fs::read_dir(config.join("devices")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), devices.join(entry.file_name())).unwrap();
    }
    std::fs::write(devices.join("own.toml"), instance).unwrap();
    let file = folder.join("bridge.toml");
    std::fs::copy(config.join("bridge.toml"), &file).unwrap();
    let station = BridgeConfiguration::read(&file).unwrap();
    station.devices.into_iter().find(|device| device.id == "printer-1").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_printed_report_is_a_count_as_the_delivered_profile_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let instance = "[[device]]\nid = \"printer-1\"\ndriver = \"text_report\"\n\
        profile = \"text-report-example\"\nserial = \"tty\"\nofficer = \"o-7\"\n";
    let device = configured(folder.path(), instance);
    let mut lines = Lines::open(&folder.path().join("devices/tty")).unwrap();
    let mut driven = drive(device);
    driven.state(Availability::Online).await;
    let report = [
        "** COUNT REPORT **",
        "DATE 16-11-2018 03:12",
        "USD  100 x  1923",
        "EUR  500 x 2",
        "SUSPECT 1",
        "TOTAL PCS 1925 AMOUNT 193300",
    ];
    lines.obey(&say(&report)).unwrap();
    let torn: Vec<&str> = report.iter().copied().filter(|line| !line.starts_with("EUR")).collect();
    let Body::CashCounted(count) = driven.reading().await else { panic!("no count") };
    assert_eq!((count.certainty, count.suspect), (Certainty::Exact, Some(1)));
    assert_eq!(count.items.len(), 2);
    lines.obey(&say(&torn)).unwrap();
    let Body::CashCounted(count) = driven.reading().await else { panic!("no count") };
    assert_eq!(count.certainty, Certainty::Uncertain, "a line was lost");
    driven.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyboard_that_is_not_there_is_named() {
    // Typing on a real one needs /dev/uinput; the keys themselves are tested in wedge.rs.
    let wedge = Some("/dev/input/by-id/usb-no-such-reader-event-kbd".into());
    let mut driven = drive(DeviceConfig { wedge, ..device(DriverKind::Mrz) });
    let why = driven.state(Availability::Offline).await;
    assert!(why.contains("no-such-reader") && why.contains("cannot be opened"), "{why}");
    driven.stop().await;
}
