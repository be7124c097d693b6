//! Readers and scanners on pseudo-terminals.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tidewaiter_bridge::configuration::{DeviceConfig, DriverKind};
use tidewaiter_bridge::simulate::Simulated;
use tidewaiter_bridge::simulate::boarding_pass::Scanner;
use tidewaiter_bridge::simulate::reader::Reader;
use tidewaiter_proto::body::{Body, DocumentRead};
use tidewaiter_proto::bus::Availability;
use tidewaiter_proto::document::DocumentKind;

use crate::driven::{Driven, device, drive};

fn on(driver: DriverKind, link: &Path) -> Driven {
    drive(DeviceConfig { serial: Some(link.to_owned()), ..device(driver) })
}

fn passport(number: &str) -> Value {
    json!({"document": {
        "type": "passport", "number": number, "issuing_state": "PRK", "surname": "KIM",
        "given_names": "CHOL SU", "date_of_birth": "1975-03-02", "sex": "M",
        "nationality": "PRK", "expires_on": "2023-03-01",
    }})
}

fn pass(sequence: &str) -> Value {
    json!({
        "passenger": "KIM/CHOLSU", "pnr": "JSDEMO", "from": "VVO", "to": "FNJ", "carrier": "JS",
        "number": "272", "date": "2018-11-16", "seat": "12C", "sequence": sequence,
    })
}

fn hex(bytes: &[u8]) -> Value {
    json!({ "bytes": bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>() })
}

async fn document(driven: &mut Driven) -> DocumentRead {
    match driven.reading().await {
        Body::DocumentRead(read) => read,
        body => panic!("{body:?}"),
    }
}

const UPPER: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
const LOWER: &str = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";

#[tokio::test(flavor = "multi_thread")]
async fn a_passport_laid_down_is_read() {
    let folder = TempDir::new().unwrap();
    let link = folder.path().join("mrz-1.tty");
    let mut reader = Reader::open(&link).unwrap();
    let mut driven = on(DriverKind::Mrz, &link);
    driven.state(Availability::Online).await;
    for (kind, wanted) in [
        ("passport", DocumentKind::Passport),
        ("diplomatic_passport", DocumentKind::DiplomaticPassport),
        ("id_card", DocumentKind::IdCard),
    ] {
        let mut command = passport("000000001");
        command["document"]["type"] = json!(kind);
        reader.play(&command).unwrap();
        let DocumentRead { document, checks } = document(&mut driven).await;
        assert_eq!((document.kind, document.number.as_str()), (wanted, "000000001"));
        assert_eq!(document.full_name(), "CHOL SU KIM");
        assert_eq!(document.date_of_birth, Some("1975-03-02".parse().unwrap()));
        assert_eq!(document.expires_on, Some("2023-03-01".parse().unwrap()));
        assert!(checks.values().all(|agrees| *agrees), "{checks:?}");
    }
    driven.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_may_come_split_anywhere_and_a_wrong_digit_is_shown() {
    let folder = TempDir::new().unwrap();
    let link = folder.path().join("mrz-1.tty");
    let mut reader = Reader::open(&link).unwrap();
    let mut driven = on(DriverKind::Mrz, &link);
    let wrong = LOWER.replacen("7408122", "7408123", 1);
    let bytes = format!("{UPPER}\r\n{wrong}\r\n").into_bytes();
    for size in [1, 7, 44, 45, 46] {
        for part in bytes.chunks(size) {
            reader.play(&hex(part)).unwrap();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let DocumentRead { document, checks } = document(&mut driven).await;
        assert_eq!(document.surname, "ERIKSSON");
        assert_eq!((checks["date_of_birth"], checks["document_number"]), (false, true));
    }
    driven.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_and_a_missing_row_are_faults_and_the_next_document_is_read() {
    let folder = TempDir::new().unwrap();
    let link = folder.path().join("mrz-1.tty");
    let mut reader = Reader::open(&link).unwrap();
    let mut driven = on(DriverKind::Mrz, &link);
    driven.state(Availability::Online).await;
    let garbage: Vec<u8> = (0..=255).cycle().take(3000).collect();
    reader.play(&hex(&garbage)).unwrap();
    driven.state(Availability::Fault).await;
    driven.nothing().await;
    reader.play(&hex(format!("\x02{UPPER}\r\x03").as_bytes())).unwrap();
    let why = driven.state(Availability::Fault).await;
    assert!(why.contains("1 rows of 2"), "{why}");
    reader.play(&passport("000000001")).unwrap();
    assert_eq!(document(&mut driven).await.document.surname, "KIM");
    driven.state(Availability::Online).await;
    driven.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_while_the_bridge_is_away_waits_for_it() {
    let folder = TempDir::new().unwrap();
    let link = folder.path().join("mrz-1.tty");
    let mut reader = Reader::open(&link).unwrap();
    reader.play(&passport("000000001")).unwrap();
    for number in ["000000001", "000000002", "000000003"] {
        let mut driven = on(DriverKind::Mrz, &link);
        assert_eq!(document(&mut driven).await.document.number, number);
        driven.stop().await;
        let next = number.replace('2', "3").replace('1', "2");
        reader.play(&passport(&next)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_pulled_and_put_back_is_read_again() {
    let folder = TempDir::new().unwrap();
    let link = folder.path().join("mrz-1.tty");
    let mut driven = on(DriverKind::Mrz, &link);
    let why = driven.state(Availability::Offline).await;
    assert!(why.contains("cannot be opened"), "{why}");
    for number in ["000000001", "000000002"] {
        let mut reader = Reader::open(&link).unwrap();
        driven.state(Availability::Online).await;
        // Pulled in the middle of a row: half a document is none.
        reader.play(&passport(number)).unwrap();
        assert_eq!(document(&mut driven).await.document.number, number);
        reader.play(&hex(&UPPER.as_bytes()[..20])).unwrap();
        drop(reader);
        driven.state(Availability::Offline).await;
    }
    driven.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_left_by_a_killed_device_is_replaced_and_a_file_is_not() {
    let folder = TempDir::new().unwrap();
    let link = folder.path().join("mrz-1.tty");
    std::os::unix::fs::symlink("/dev/pts/gone", &link).unwrap();
    drop(Reader::open(&link).unwrap());
    assert!(!link.is_symlink());
    std::fs::write(&link, "mine").unwrap();
    assert!(Reader::open(&link).is_err());
    assert_eq!(std::fs::read_to_string(&link).unwrap(), "mine");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanned_pass_is_read_and_glued_or_torn_ones_are_not() {
    let folder = TempDir::new().unwrap();
    let link = folder.path().join("pass-1.tty");
    let mut scanner = Scanner::open(&link).unwrap();
    let mut driven = on(DriverKind::BoardingPass, &link);
    scanner.play(&pass("0042")).unwrap();
    let Body::BoardingPassRead(read) = driven.reading().await else { panic!("no pass") };
    let leg = &read.legs[0];
    assert_eq!((read.passenger.as_str(), leg.pnr.as_str()), ("KIM/CHOLSU", "JSDEMO"));
    assert_eq!((leg.from.as_str(), leg.to.as_str(), leg.carrier.as_str()), ("VVO", "FNJ", "JS"));
    assert_eq!((leg.number.as_str(), leg.date.to_string().as_str()), ("0272", "2018-11-16"));
    assert_eq!((leg.seat.as_deref(), leg.sequence.as_deref()), (Some("012C"), Some("0042")));
    for torn in ["]L0M1KIM/CHOLSU          EJSDEMO VVO\r", "]L0M1KIM/CHOLSU", "]I00012345678\r"] {
        scanner.play(&hex(torn.as_bytes())).unwrap();
        driven.nothing().await;
    }
    scanner.play(&pass("0043")).unwrap();
    let Body::BoardingPassRead(read) = driven.reading().await else { panic!("no pass") };
    assert_eq!(read.legs[0].sequence.as_deref(), Some("0043"));
    driven.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_reader_can_print_is_refused() {
    let folder = TempDir::new().unwrap();
    let link = folder.path().join("mrz-1.tty");
    let mut reader = Reader::open(&link).unwrap();
    let mut long = passport("000000001");
    long["document"]["number"] = json!("0000000001234");
    for command in [long, json!({"document": {}}), json!({"bytes": "0"}), json!(1)] {
        assert!(reader.play(&command).is_err(), "{command}");
    }
}
