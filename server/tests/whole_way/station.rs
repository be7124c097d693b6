//! A station as the server sees it: its keys, its ledger, its connection.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tidewaiter_proto::batch::build;
use tidewaiter_proto::chain::{ChainHash, Head, link};
use tidewaiter_proto::manifest::{Manifest, SignedManifest};
use tidewaiter_proto::presence::Presence;
use tidewaiter_proto::receipt::{Down, SignedDown};
use tidewaiter_proto::record::{ClockQuality, Draft, Source};
use tidewaiter_proto::seal::{BodyKey, KeyId, ServerPublic};
use tidewaiter_proto::signing::{Signing, Verifying};
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::stored::seal;
use tidewaiter_proto::topic::Topic;

use crate::site::{LIMIT, Site};

/// An enrolled station.
pub(crate) struct Station {
    name: StationId,
    signing: Signing,
    key_pem: String,
    answer: Value,
    records: Vec<Vec<u8>>,
    /// By which key each of them is sealed.
    sealed_by: Vec<KeyId>,
    hashes: Vec<ChainHash>,
    beat: u64,
    session: u64,
    link: Option<Link>,
}

/// A connection, and what came down on it.
struct Link {
    client: AsyncClient,
    down: mpsc::Receiver<Down>,
    law: mpsc::Receiver<Manifest>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Station {
    pub(crate) fn enrolled(site: &Site, name: &str) -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let csr = rcgen::CertificateParams::default().serialize_request(&key).unwrap();
        let signing = Signing::from_seed(&[5; 32]);
        let request = json!({
            "station": name, "csr_pem": csr.pem().unwrap(),
            "signing_key": String::from(signing.verifying()),
        });
        let name: StationId = name.parse().unwrap();
        Self {
            hashes: vec![Head::genesis(&name, 1).hash],
            name,
            signing,
            key_pem: key.serialize_pem(),
            answer: site.enrol(&request),
            records: Vec::new(),
            sealed_by: Vec::new(),
            beat: 0,
            session: 0,
            link: None,
        }
    }

    /// Connects through the door and subscribes to what is for it.
    pub(crate) async fn connect(&mut self, site: &Site) {
        let pair = self.client(site, self.name.as_str());
        self.link_up(pair).await;
    }

    /// The same without TLS, to a broker that asks for no papers.
    pub(crate) async fn connect_plainly(&mut self, site: &Site) {
        let mut options = MqttOptions::new(self.name.as_str(), "127.0.0.1", site.door());
        options.set_keep_alive(Duration::from_secs(10));
        self.link_up(AsyncClient::new(options, 64)).await;
    }

    async fn link_up(&mut self, (client, mut events): (AsyncClient, EventLoop)) {
        self.link = None;
        (self.session, self.beat) = (self.session + 1, 0);
        let server =
            Verifying::try_from(self.answer["server_signing_key"].as_str().unwrap().to_owned())
                .unwrap();
        let (told, down) = mpsc::channel();
        let (laid_down, law) = mpsc::channel();
        let (up, is_up) = mpsc::channel();
        for topic in [Topic::Down(self.name.clone()), Topic::Policy] {
            client.subscribe(topic.to_string(), QoS::AtLeastOnce).await.unwrap();
        }
        let task = tokio::spawn(async move {
            while let Ok(event) = events.poll().await {
                match event {
                    Event::Incoming(Packet::SubAck(_)) => {
                        let _ = up.send(());
                    }
                    // A message that does not verify would be a defect of the server.
                    Event::Incoming(Packet::Publish(publish))
                        if *publish.topic == *Topic::Policy.to_string().as_bytes() =>
                    {
                        let manifest = SignedManifest::verify(&publish.payload, &server).unwrap();
                        let _ = laid_down.send(manifest);
                    }
                    Event::Incoming(Packet::Publish(publish)) => {
                        let _ = told.send(SignedDown::verify(&publish.payload, &server).unwrap());
                    }
                    _ => {}
                }
            }
        });
        for _ in 0..2 {
            is_up.recv_timeout(LIMIT).unwrap();
        }
        self.link = Some(Link { client, down, law, task });
    }

    /// Whether the door lets this station's certificate in under a name.
    pub(crate) async fn is_let_in_as(&self, site: &Site, client_id: &str) -> bool {
        let (_client, mut events) = self.client(site, client_id);
        let first = tokio::time::timeout(LIMIT, events.poll()).await.unwrap();
        matches!(first, Ok(Event::Incoming(Packet::ConnAck(_))))
    }

    pub(crate) fn client(&self, site: &Site, client_id: &str) -> (AsyncClient, EventLoop) {
        let pem = |name: &str| self.answer[name].as_str().unwrap().as_bytes().to_vec();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&pem("authority_pem")).unwrap()).unwrap();
        let chain = vec![CertificateDer::from_pem_slice(&pem("certificate_pem")).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .unwrap();
        let mut options = MqttOptions::new(client_id, "127.0.0.1", site.door());
        options.set_transport(Transport::Tls(TlsConfiguration::Rustls(Arc::new(tls))));
        options.set_keep_alive(Duration::from_secs(10));
        AsyncClient::new(options, 64)
    }

    /// What the server says is in force.
    pub(crate) fn law(&self) -> Manifest {
        self.link.as_ref().unwrap().law.recv_timeout(LIMIT).unwrap()
    }

    /// Says that it is there, with its head.
    pub(crate) async fn announce(&mut self) {
        let payload = self.presence();
        self.publish(&Topic::State(self.name.clone()).to_string(), payload).await;
    }

    /// The next presence, signed.
    pub(crate) fn presence(&mut self) -> Vec<u8> {
        self.beat += 1;
        let mut presence = Presence {
            online: true,
            epoch: 1,
            seq: self.records.len() as u64,
            head: *self.hashes.last().unwrap(),
            session: self.session,
            beat: self.beat,
            answers: None,
            contradicted: false,
            version: "0.1.0".to_owned(),
            backlog: 0,
            policy: "p".to_owned(),
            lists: std::collections::BTreeMap::new(),
            clock: ClockQuality::Synced,
            at: None,
            signature: String::new(),
        };
        presence.sign(&self.name, &self.signing);
        serde_json::to_vec(&presence).unwrap()
    }

    /// Records all of a scenario; gives how many records that are.
    pub(crate) fn record_scenario(&mut self, name: &str) -> u64 {
        self.record_scenario_as(name, "a")
    }

    /// The same, its records all of this inspection.
    pub(crate) fn record_scenario_as(&mut self, name: &str, inspection: &str) -> u64 {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scenarios");
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        let scenario: Value = serde_json::from_str(&text).unwrap();
        let records = scenario["records"].as_array().unwrap();
        for record in records {
            let source = serde_json::from_value(record["source"].clone()).unwrap();
            let inspection = record["inspection"].as_str().map(|_| inspection.to_owned());
            let at = record["at"].as_str().unwrap();
            self.record(inspection, source, at, &record["body"]);
        }
        records.len() as u64
    }

    /// Records a note.
    pub(crate) fn note(&mut self, inspection: &str, text: &str) {
        let body = json!({"type": "note_added", "text": text});
        let source = Source::Officer("o-11".to_owned());
        self.record(Some(inspection.to_owned()), source, "2018-11-16T04:00:00Z", &body);
    }

    fn record(&mut self, inspection: Option<String>, source: Source, at: &str, body: &Value) {
        let draft = Draft {
            at: at.parse().unwrap(),
            clock: ClockQuality::Synced,
            inspection,
            source,
            subject: None,
            type_name: body["type"].as_str().unwrap().to_owned(),
            body_json: body.to_string(),
        };
        let (id, key) = body_key(draft.inspection.as_deref());
        let seq = self.records.len() as u64 + 1;
        let stored = seal(&self.name, 1, seq, &draft, id, &key, &[7; 24]).unwrap();
        self.hashes.push(link(*self.hashes.last().unwrap(), &stored));
        self.records.push(stored);
        self.sealed_by.push(id);
    }

    /// Forgets its ledger, as a disk that was restored from long ago.
    pub(crate) fn forget(&mut self) {
        self.records.clear();
        self.sealed_by.clear();
        self.hashes.truncate(1);
    }

    /// Sends a batch of these records.
    pub(crate) async fn send(&self, from: u64, to: u64) {
        let batch = self.batch(from, to, &self.signing);
        self.publish(&Topic::Up(self.name.clone()).to_string(), batch).await;
    }

    /// A batch of these records, signed with this key.
    pub(crate) fn batch(&self, from: u64, to: u64, signing: &Signing) -> Vec<u8> {
        let mut server = [0; 32];
        let sealing = self.answer["server_sealing_key"].as_str().unwrap();
        hex::decode_to_slice(sealing, &mut server).unwrap();
        let place = |seq: u64| usize::try_from(seq).unwrap();
        let ids: BTreeSet<[u8; 16]> =
            self.sealed_by[place(from) - 1..place(to)].iter().map(|id| id.0).collect();
        let wrapped = |id: [u8; 16]| {
            let id = KeyId(id);
            (id, sealing_key().wrap_for_server(id, &ServerPublic(server), [2; 32]))
        };
        let keys: Vec<_> = ids.into_iter().map(wrapped).collect();
        let records = &self.records[place(from) - 1..place(to)];
        let previous = self.hashes[place(from) - 1];
        build(&self.name, 1, from, previous, &keys, records, signing).unwrap()
    }

    pub(crate) fn signing(&self) -> &Signing {
        &self.signing
    }

    pub(crate) async fn publish(&self, topic: &str, payload: Vec<u8>) {
        let client = &self.link.as_ref().unwrap().client;
        client.publish(topic, QoS::AtLeastOnce, false, payload).await.unwrap();
    }

    /// Waits for the receipt of a record; gives the end of the unbroken run on the server's disk.
    pub(crate) fn receipted(&self, seq: u64) -> u64 {
        let hash = self.hashes[usize::try_from(seq).unwrap()];
        let covers = |down: &Down| {
            let Down::Receipt(receipt) = down else { return false };
            receipt.held.iter().any(|held| held.to == seq && held.hash == hash)
        };
        match self.told(covers) {
            Down::Receipt(receipt) => receipt.verified.seq,
            other => panic!("{other:?}"),
        }
    }

    /// The next message of the server, if one comes in time.
    pub(crate) fn heard(&self, within: Duration) -> Option<Down> {
        self.link.as_ref().unwrap().down.recv_timeout(within).ok()
    }

    /// Waits for a message of the server.
    pub(crate) fn told(&self, wanted: impl Fn(&Down) -> bool) -> Down {
        let (link, started) = (self.link.as_ref().unwrap(), Instant::now());
        loop {
            let left = LIMIT.saturating_sub(started.elapsed());
            let down = link.down.recv_timeout(left).unwrap();
            if wanted(&down) {
                return down;
            }
        }
    }
}

/// A key for each inspection, and one for what belongs to none.
fn body_key(inspection: Option<&str>) -> (KeyId, BodyKey) {
    let mut id = [4; 16];
    for (place, byte) in id.iter_mut().zip(inspection.unwrap_or_default().bytes()) {
        *place = byte;
    }
    (KeyId(id), sealing_key())
}

fn sealing_key() -> BodyKey {
    BodyKey::from_bytes([3; 32])
}
