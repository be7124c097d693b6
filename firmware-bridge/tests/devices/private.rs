//! What travellers' documents say stays out of logs and states, and is kept where it is refused;
//! counters behind TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use tempfile::TempDir;
use tidewaiter_bridge::configuration::{DeviceConfig, DriverKind};
use tidewaiter_bridge::simulate::lines::Lines;
use tidewaiter_bridge::simulate::note_counter::NoteCounter;
use tidewaiter_bridge::simulate::{Certificate, Simulated};
use tidewaiter_proto::body::Body;
use tidewaiter_proto::bus::Availability;
use tracing_subscriber::fmt::MakeWriter;

use crate::driven::{device, drive};

const UPPER: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
const LOWER: &str = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";

/// What is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

// One thread, so that all of it is logged to this test.
#[tokio::test]
async fn a_document_is_in_no_log_whether_read_or_refused_and_refused_bytes_are_kept() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let folder = TempDir::new().unwrap();
    let (link, bags) = (folder.path().join("mrz.tty"), folder.path().join("bag.tty"));
    let mut reader = Lines::open(&link).unwrap();
    let mut driven = drive(DeviceConfig { serial: Some(link), ..device(DriverKind::Mrz) });
    driven.state(Availability::Online).await;
    reader.play(&json!({"lines": [UPPER, LOWER]})).unwrap();
    let Body::DocumentRead(read) = driven.reading().await else { panic!("no document") };
    assert_eq!(read.document.surname, "ERIKSSON");
    reader.play(&json!({"lines": [UPPER]})).unwrap();
    let (kind, bytes) = driven.refused().await;
    assert_eq!((kind, bytes.as_slice()), ("mrz_incomplete", format!("{UPPER}\r\n").as_bytes()));
    let cause = driven.state(Availability::Fault).await;
    driven.stop().await;
    // A passport laid under the scanner of bags, too.
    let mut scanner = Lines::open(&bags).unwrap();
    let mut driven = drive(DeviceConfig { serial: Some(bags), ..device(DriverKind::Bag) });
    driven.state(Availability::Online).await;
    scanner.play(&json!({"lines": [LOWER]})).unwrap();
    assert_eq!(driven.refused().await.1, format!("{LOWER}\r\n").as_bytes());
    let other = driven.state(Availability::Fault).await;
    driven.stop().await;
    let log = String::from_utf8(log.0.lock().unwrap_or_else(PoisonError::into_inner).clone());
    let log = log.unwrap();
    assert!(log.contains("mrz_incomplete") && log.contains("bad_lpn"), "{log}");
    for said in [&log, &cause, &other] {
        for secret in ["ERIKSSON", "ANNA", "L898902C3", "740812", "ZE184226B"] {
            assert!(!said.contains(secret), "{secret} in: {said}");
        }
    }
}

/// An authority's certificate, and one of 127.0.0.1 from it, as files.
fn certificates(folder: &TempDir) -> (std::path::PathBuf, Certificate) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let own = own.signed_by(&key, &authority).unwrap();
    let at = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let chain = at("counter.pem", own.pem());
    let key = at("counter.key", key.serialize_pem());
    (
        at("authority.pem", AsRef::<rcgen::Certificate>::as_ref(&authority).pem()),
        Certificate { chain, key },
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_behind_tls_counts_and_one_of_another_authority_does_not() {
    let folder = TempDir::new().unwrap();
    let (authority, certificate) = certificates(&folder);
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut counter = NoteCounter::listen_secure(anywhere, &certificate).unwrap();
    assert!(counter.address().starts_with("wss://"));
    let at = |url: String, ca| DeviceConfig {
        url: Some(url),
        ca: Some(ca),
        ..device(DriverKind::NoteCounter)
    };
    let mut driven = drive(at(counter.address(), authority.clone()));
    driven.state(Availability::Online).await;
    let count = json!({"count": [{"currency": "USD", "denomination": "100", "pieces": 120}]});
    counter.play(&count).unwrap();
    let Body::CashCounted(counted) = driven.reading().await else { panic!("no count") };
    assert_eq!(counted.items[0].amount().unwrap().1, 12_000.into());
    driven.stop().await;
    let elsewhere = TempDir::new().unwrap();
    let (other, _) = certificates(&elsewhere);
    let mut driven = drive(at(counter.address(), other));
    let why = driven.state(Availability::Offline).await;
    assert!(why.contains("certificate"), "{why}");
    driven.stop().await;
    // Found by its publisher, through TLS too.
    let host = counter.address();
    let host = host.trim_start_matches("wss://").split('/').next().unwrap().to_owned();
    let mut driven = drive(DeviceConfig {
        discover: Some(host),
        ca: Some(authority),
        ..device(DriverKind::NoteCounter)
    });
    driven.state(Availability::Online).await;
    driven.stop().await;
}
