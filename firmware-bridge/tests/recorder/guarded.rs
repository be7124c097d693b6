//! Mosquitto as the station's bus, as `config/mosquitto` sets it up: each source in its own name.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, PubAckReason};
use rumqttc::v5::{AsyncClient, Event, EventLoop};
use serde_json::json;
use tidewaiter_bridge::bus::{self, BusLink, BusLogin};
use tidewaiter_bridge::station::Station;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::Kiosk;
use crate::common::{declared, document, station};

const LIMIT: Duration = Duration::from_secs(10);

/// The broker in a folder, with the shipped files; only paths and port are this test's.
struct Mosquitto<'a> {
    folder: &'a Path,
    address: SocketAddr,
    child: Child,
}

impl<'a> Mosquitto<'a> {
    fn start(folder: &'a Path) -> Self {
        let probe = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = probe.local_addr().unwrap();
        drop(probe);
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/mosquitto");
        let configuration = std::fs::read_to_string(shipped.join("bus.conf")).unwrap();
        let configuration = configuration
            .replace("/etc/mosquitto/tidewaiter/", &format!("{}/", folder.display()))
            .replace("listener 1884 ", &format!("listener {} ", address.port()));
        // Started by root it would become a user who may not read this folder.
        std::fs::write(folder.join("bus.conf"), configuration + "user root\n").unwrap();
        std::fs::copy(shipped.join("bus.acl"), folder.join("bus.acl")).unwrap();
        let passwords = folder.join("bus.passwords");
        std::fs::write(&passwords, "").unwrap();
        for user in ["tidewaiter-bridge", "kiosk-1", "mrz-1"] {
            let added = Command::new("mosquitto_passwd")
                .arg("-b")
                .arg(&passwords)
                .args([user, &password(user)])
                .status()
                .unwrap();
            assert!(added.success());
        }
        Self { folder, address, child: Self::listening(folder, address) }
    }

    fn listening(folder: &Path, address: SocketAddr) -> Child {
        let child = Command::new("mosquitto")
            .arg("-c")
            .arg(folder.join("bus.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(began.elapsed() < LIMIT, "mosquitto does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        child
    }

    fn restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = Self::listening(self.folder, self.address);
    }

    fn link(&self, login: Option<(&str, &str)>) -> BusLink {
        let login = login.map(|(user, password)| BusLogin {
            user: user.to_owned(),
            password: password.to_owned(),
        });
        BusLink { address: self.address, embedded: false, login }
    }

    fn link_of(&self, user: &str) -> BusLink {
        self.link(Some((user, &password(user))))
    }
}

impl Drop for Mosquitto<'_> {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn password(user: &str) -> String {
    format!("the password of {user}")
}

#[tokio::test]
async fn on_a_guarded_broker_each_source_speaks_in_its_own_name_only() {
    let (folder, stop) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let mut broker = Mosquitto::start(folder.path());
    let station = station(&folder.path().join("data"), &stop);
    let agent = broker.link_of("tidewaiter-bridge");
    tokio::spawn(bus::recorder::run(agent, station.clone(), stop.clone()));
    there(&station).await;

    for login in [None, Some(("kiosk-1", "guessed")), Some(("kiosk-2", "guessed"))] {
        let (_client, mut events) = AsyncClient::new(broker.link(login).options("somebody"), 8);
        assert!(timeout(LIMIT, events.poll()).await.unwrap().is_err(), "{login:?} is let in");
    }

    let mut kiosk = Kiosk::connect(&broker.link_of("kiosk-1"), "kiosk-1").await;
    let event = json!({"id": "e-1", "inspection": "a-1", "body": declared()}).to_string();
    let first = kiosk.say("kiosk-1", event.clone().into_bytes()).await;
    assert_eq!((&first["id"], &first["seq"]), (&json!("e-1"), &json!(1)), "{first}");

    // Under its own login it says and hears nothing of others.
    let (spy, mut events) = AsyncClient::new(broker.link_of("kiosk-1").options("spy"), 8);
    let device = "tidewaiter/v1/ruvvo/dep-07/device";
    for filter in ["#".to_owned(), format!("{device}/mrz-1/recorded")] {
        spy.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
    }
    for topic in ["mrz-1/event", "mrz-1/state", "kiosk-1/recorded"] {
        let payload = json!({"id": "forged", "body": document()}).to_string();
        let topic = format!("{device}/{topic}");
        spy.publish(&topic, QoS::AtLeastOnce, false, payload).await.unwrap();
        assert_eq!(answered(&mut events).await, PubAckReason::NotAuthorized, "{topic}");
    }
    let mut reader = Kiosk::connect(&broker.link_of("mrz-1"), "mrz-1").await;
    let read = json!({"id": "r-1", "inspection": "a-1", "body": document()}).to_string();
    assert_eq!(reader.say("mrz-1", read.into_bytes()).await["seq"], 2);
    let quiet = Duration::from_millis(300);
    while let Ok(event) = timeout(quiet, events.poll()).await {
        assert!(!matches!(event.unwrap(), Event::Incoming(Packet::Publish(_))), "it hears others");
    }

    // Killed and started again it is the same bus: the recorder comes back by itself.
    broker.restart();
    while station.health().bus {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    there(&station).await;
    let mut kiosk = Kiosk::connect(&broker.link_of("kiosk-1"), "kiosk-1").await;
    assert_eq!(kiosk.say("kiosk-1", event.into_bytes()).await, first, "recorded twice");
    stop.cancel();
}

/// Waits until the recorder is on the bus.
async fn there(station: &Station) {
    let mut changes = station.changes();
    while !station.health().bus {
        timeout(LIMIT, changes.changed()).await.expect("the recorder comes").unwrap();
    }
}

/// The broker's answer to what was published last.
async fn answered(events: &mut EventLoop) -> PubAckReason {
    loop {
        if let Event::Incoming(Packet::PubAck(ack)) =
            timeout(LIMIT, events.poll()).await.unwrap().unwrap()
        {
            return ack.reason;
        }
    }
}
