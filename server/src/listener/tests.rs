//! The door, knocked at: with good papers, with none that count, and once too often.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tidewaiter_proto::signing::Signing;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

use super::{Addresses, Door, run};
use crate::authority::{Authority, EnrolmentAnswer, EnrolmentRequest};
use crate::store::Store;
use crate::store::tests::now;

/// A door with a socket in place of the broker behind it.
struct Entrance {
    _directory: tempfile::TempDir,
    authority: Authority,
    store: Store,
    broker: TcpListener,
    address: std::net::SocketAddr,
    stop: CancellationToken,
}

/// A station's papers.
struct Papers {
    answer: EnrolmentAnswer,
    key: String,
}

impl Drop for Entrance {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Entrance {
    async fn open(per_address: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::open(directory.path()).unwrap();
        let store = Store::open(&directory.path().join("server.sqlite")).await.unwrap();
        let broker = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let files = authority.listener_files(&[]).unwrap();
        let door = Door {
            tls: Arc::new(crate::tls::server(&files).unwrap()),
            store: store.clone(),
            broker: broker.local_addr().unwrap(),
            secret: "secret".to_owned(),
            per_address,
            connections: 8,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        tokio::spawn(run(door, listener, stop.clone()));
        Self { _directory: directory, authority, store, broker, address, stop }
    }

    async fn register(&self, papers: &Papers) {
        let key = Signing::from_seed(&[5; 32]).verifying();
        self.store.register_station(&papers.answer.station, key, now()).await.unwrap();
    }

    /// Knocks, says CONNECT, and gives what the door says back before it closes; `None` where it
    /// stays open.
    async fn knock(&self, papers: &Papers) -> Option<Vec<u8>> {
        let mut stream = self.handshake(papers).await?;
        stream.write_all(&connect(papers.answer.station.as_str())).await.ok()?;
        let mut said = Vec::new();
        match timeout(PATIENCE, stream.read_to_end(&mut said)).await {
            Ok(_) => Some(said),
            Err(_) => None,
        }
    }

    async fn handshake(&self, papers: &Papers) -> Option<TlsStream<TcpStream>> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate(&self.authority.authority_pem)).unwrap();
        let tls = rustls::ClientConfig::builder_with_provider(crate::tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(
                vec![certificate(&papers.answer.certificate_pem)],
                PrivateKeyDer::from_pem_slice(papers.key.as_bytes()).unwrap(),
            )
            .unwrap();
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(tls)).connect(name, stream).await.ok()
    }
}

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn papers(authority: &Authority, station: &str) -> Papers {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let csr = CertificateParams::default().serialize_request(&key).unwrap();
    let request = EnrolmentRequest {
        station: station.parse().unwrap(),
        csr_pem: csr.pem().unwrap(),
        signing_key: Signing::from_seed(&[5; 32]).verifying(),
    };
    let answer = authority.enrol(&request, String::new()).unwrap();
    Papers { answer, key: key.serialize_pem() }
}

fn foreign(directory: &Path) -> Papers {
    papers(&Authority::open(&directory.join("other")).unwrap(), "ruvvo/dep-07")
}

/// An MQTT 5 CONNECT with a clean start and nothing else.
fn connect(client: &str) -> Vec<u8> {
    let length = |count: usize| u8::try_from(count).unwrap();
    let mut packet = vec![0x10, length(13 + client.len())];
    packet.extend(b"\0\x04MQTT\x05\x02\0\x1e\0\0");
    packet.push(length(client.len()));
    packet.extend(client.bytes());
    packet
}

#[tokio::test]
async fn a_registered_station_is_carried_to_the_broker_with_its_secret() {
    let entrance = Entrance::open(8).await;
    let papers = papers(&entrance.authority, "ruvvo/dep-07");
    entrance.register(&papers).await;
    let broker = async {
        let (mut stream, _) = entrance.broker.accept().await.unwrap();
        let mut packet = vec![0; 128];
        let read = stream.read(&mut packet).await.unwrap();
        packet.truncate(read);
        stream.write_all(b"answer").await.unwrap();
        packet
    };
    let (packet, said) = tokio::join!(timeout(PATIENCE, broker), entrance.knock(&papers));
    assert!(packet.unwrap().ends_with(b"\0\x0cruvvo/dep-07\0\x06secret"));
    // The broker hung up after its answer, and so did the door.
    assert_eq!(said.unwrap(), b"answer");
}

#[tokio::test]
async fn a_station_that_is_unknown_or_revoked_stays_outside() {
    let entrance = Entrance::open(8).await;
    let papers = papers(&entrance.authority, "ruvvo/dep-07");
    assert_eq!(entrance.knock(&papers).await, Some(Vec::new()), "not registered");
    entrance.register(&papers).await;
    entrance.store.revoke_station(&papers.answer.station, now()).await.unwrap();
    assert_eq!(entrance.knock(&papers).await, Some(Vec::new()), "revoked");
    let nobody = timeout(Duration::from_millis(50), entrance.broker.accept()).await;
    assert!(nobody.is_err(), "nobody reached the broker");
}

#[tokio::test]
async fn papers_of_another_authority_are_none() {
    let entrance = Entrance::open(8).await;
    let directory = tempfile::tempdir().unwrap();
    let foreign = foreign(directory.path());
    entrance.register(&foreign).await;
    // TLS 1.3: the client learns of the refusal when it reads.
    assert!(entrance.knock(&foreign).await.is_none_or(|said| said.is_empty()));
    let nobody = timeout(Duration::from_millis(50), entrance.broker.accept()).await;
    assert!(nobody.is_err(), "nobody reached the broker");
}

#[tokio::test]
async fn an_address_has_its_share_of_places_and_gets_them_back() {
    let addresses = Arc::new(Addresses::default());
    let (near, far) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
    let first = addresses.enter(near, 2).unwrap();
    let _second = addresses.enter(near, 2).unwrap();
    assert!(addresses.enter(near, 2).is_none());
    assert!(addresses.enter(far, 2).is_some());
    drop(first);
    assert!(addresses.enter(near, 2).is_some());
    // At the door itself: who is one too many is hung up on before the handshake.
    let entrance = Entrance::open(1).await;
    let papers = papers(&entrance.authority, "ruvvo/dep-07");
    let _held = TcpStream::connect(entrance.address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(entrance.handshake(&papers).await.is_none());
}

const PATIENCE: Duration = Duration::from_secs(5);
