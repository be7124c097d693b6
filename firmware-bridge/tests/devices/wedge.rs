//! A keyboard wedge, typed by the kernel's own virtual keyboard where there is one.

use std::path::Path;
use std::time::Duration;

use evdev::uinput::VirtualDevice;
use evdev::{AttributeSet, EventType, InputEvent, KeyCode};
use tidewaiter_bridge::configuration::{DeviceConfig, DriverKind};
use tidewaiter_proto::body::Body;
use tidewaiter_proto::bus::Availability;

use crate::driven::{device, drive};

const ROWS: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n\
    L898902C36UTO7408122F1204159ZE184226B<<<<<10\n";

/// Key and shift of a character, US layout.
fn key(character: char) -> (KeyCode, bool) {
    let letters = [
        30, 48, 46, 32, 18, 33, 34, 35, 23, 36, 37, 38, 50, 49, 24, 25, 16, 19, 31, 20, 22, 47, 17,
        45, 21, 44,
    ];
    match character {
        'A'..='Z' => (KeyCode::new(letters[usize::from(character as u8 - b'A')]), true),
        '0' => (KeyCode::KEY_0, false),
        '1'..='9' => (KeyCode::new(u16::from(character as u8 - b'1') + 2), false),
        '<' => (KeyCode::KEY_COMMA, true),
        '\n' => (KeyCode::KEY_ENTER, false),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_wedge_types_is_a_document_and_reaches_nobody_else() {
    if !Path::new("/dev/uinput").exists() {
        eprintln!(
            "skipped: what_a_wedge_types_is_a_document_and_reaches_nobody_else needs /dev/uinput \
             (modprobe uinput, as root)"
        );
        return;
    }
    let keys: AttributeSet<KeyCode> = (1..=96).map(KeyCode::new).collect();
    let mut keyboard = VirtualDevice::builder()
        .unwrap()
        .name("tidewaiter test wedge")
        .with_keys(&keys)
        .unwrap()
        .build()
        .unwrap();
    let node = keyboard.enumerate_dev_nodes_blocking().unwrap().next().unwrap().unwrap();
    // The kernel makes the node; udev gives it its rights a moment later.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let wedge = Some(node.clone());
    let mut driven = drive(DeviceConfig { wedge, ..device(DriverKind::Mrz) });
    driven.state(Availability::Online).await;
    let mut other = evdev::Device::open(&node).unwrap();
    assert!(other.grab().is_err(), "the driver has taken it");
    for character in ROWS.chars() {
        let (key, shift) = key(character);
        let event = |key: KeyCode, value| InputEvent::new(EventType::KEY.0, key.code(), value);
        let mut events = Vec::new();
        events.extend(shift.then(|| event(KeyCode::KEY_LEFTSHIFT, 1)));
        events.extend([event(key, 1), event(key, 0)]);
        events.extend(shift.then(|| event(KeyCode::KEY_LEFTSHIFT, 0)));
        keyboard.emit(&events).unwrap();
    }
    let Body::DocumentRead(read) = driven.reading().await else { panic!("no document") };
    assert_eq!(read.document.surname, "ERIKSSON");
    assert!(read.checks.values().all(|agrees| *agrees));
    // Pulled out.
    drop(keyboard);
    driven.state(Availability::Offline).await;
    driven.stop().await;
}
