//! Devices of the agent's own as an officer, the bus and an engineer see them.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body as Content;
use axum::http::Request;
use serde_json::{Value, json};
use tidewaiter_bridge::bus::{self, BusLink};
use tidewaiter_bridge::configuration::{DeviceConfig, DriverKind};
use tidewaiter_bridge::mqtt::{Connection, Heard};
use tidewaiter_bridge::refusals::Refusals;
use tidewaiter_bridge::simulate::Simulated;
use tidewaiter_bridge::simulate::lines::Lines;
use tidewaiter_bridge::simulate::note_counter::NoteCounter;
use tidewaiter_proto::body::{Body, WeightMeasured};
use tidewaiter_proto::record::Source;
use tidewaiter_proto::seal::StationKey;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::browser::Lane;

/// A lane with its bus, and devices on it until it is dropped.
struct Driven {
    lane: Lane,
    link: BusLink,
    data: tempfile::TempDir,
    stop: CancellationToken,
}

impl Driven {
    async fn new() -> Self {
        let lane = Lane::new();
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let broker = bus::embedded(lane.station.name(), anywhere).await.unwrap();
        let link = BusLink { address: broker.address, embedded: true, login: None };
        let stop = CancellationToken::new();
        tokio::spawn(bus::recorder::run(link.clone(), lane.station.clone(), stop.clone()));
        Self { lane, link, data: tempfile::tempdir().unwrap(), stop }
    }

    fn refusals(&self) -> Refusals {
        Refusals::at(self.data.path(), StationKey::from_bytes([1; 32]))
    }

    fn drive(&self, device: DeviceConfig) {
        let (link, station) = (self.link.clone(), self.lane.station.clone());
        tokio::spawn(bus::device::run(link, device, station, self.refusals(), self.stop.clone()));
    }

    /// Waits until the officer's page has the words, or has them no more.
    async fn shows(&self, words: &str, there: bool) {
        for _ in 0..200 {
            if self.lane.get("/").await.text.contains(words) == there {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("{words} {there}: {}", self.lane.get("/").await.text);
    }

    /// What stands retained of a device, for whoever comes now.
    async fn retained(&self, device: &str) -> Value {
        let topic = format!("tidewaiter/v1/ruvvo/dep-07/device/{device}/state");
        let mut connection = Connection::open(self.link.options("late"), vec![topic]);
        let heard = async {
            loop {
                match connection.heard().await {
                    Heard::Message(message) if message.retain => {
                        return serde_json::from_slice(&message.payload).unwrap();
                    }
                    Heard::Lost(why) => panic!("{why}"),
                    _ => {}
                }
            }
        };
        timeout(Duration::from_secs(5), heard).await.unwrap()
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_lid_is_on_the_page_in_words_and_stands_retained_until_it_is_shut() {
    let driven = Driven::new().await;
    let mut counter = NoteCounter::listen(([127, 0, 0, 1], 0).into()).unwrap();
    let url = Some(counter.address());
    driven.drive(DeviceConfig { url, ..DeviceConfig::new("counter-1", DriverKind::NoteCounter) });
    driven.shows("Counter</span> <span>working", true).await;
    counter.obey(&json!({"lid_open": true})).unwrap();
    driven.shows("Counter: lid open", true).await;
    let state = driven.retained("counter-1").await;
    assert_eq!((&state["state"], &state["cause"]), (&json!("fault"), &json!("lid open")));
    let korean = Request::get("/").header("accept-language", "ko").body(Content::empty()).unwrap();
    let korean = driven.lane.open(korean).await.into_body();
    let korean = axum::body::to_bytes(korean, 1 << 20).await.unwrap();
    let korean = String::from_utf8(korean.to_vec()).unwrap();
    assert!(korean.contains("지폐 계수기: lid open"), "{korean}");
    counter.obey(&json!({"lid_open": false})).unwrap();
    driven.shows("Counter: lid open", false).await;
    assert_eq!(driven.retained("counter-1").await["state"], "online");
    // The last reading stands there too.
    let count = json!({"count": [{"currency": "USD", "denomination": "100", "pieces": 3}]});
    counter.obey(&count).unwrap();
    for _ in 0..100 {
        if driven.retained("counter-1").await["last_reading"].is_string() {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("no last reading");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_driver_refuses_is_counted_and_kept_for_the_engineer_only() {
    let driven = Driven::new().await;
    let link = driven.data.path().join("mrz.tty");
    let mut reader = Lines::open(&link).unwrap();
    let serial = Some(link);
    driven.drive(DeviceConfig { serial, ..DeviceConfig::new("mrz-1", DriverKind::Mrz) });
    driven.shows("Passport reader</span> <span>working", true).await;
    let row = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
    reader.obey(&json!({ "lines": [row] })).unwrap();
    driven.shows("Passport reader: ", true).await;
    let page = driven.lane.get("/").await.text;
    assert!(!page.contains("ERIKSSON") && page.contains("1 rows of 2 arrived"), "{page}");
    let mut kept = Vec::new();
    for _ in 0..100 {
        kept = driven.refusals().read(Some("mrz-1")).unwrap();
        if !kept.is_empty() {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    let [refusal] = kept.as_slice() else { panic!("{kept:?}") };
    assert_eq!(refusal.kind, "mrz_incomplete");
    assert_eq!(refusal.bytes.as_deref(), Some(format!("{row}\r\n").as_bytes()));
    let metrics = driven.lane.get("/metrics").await.text;
    assert!(metrics.contains("tidewaiter_device_refused{device=\"mrz-1\"} 1"), "{metrics}");
    // Nothing of it is recorded but that the device has a fault.
    assert!(driven.lane.station.open_inspection().await.is_none());
}

#[tokio::test]
async fn a_weight_that_the_counted_notes_cannot_have_is_noted_once() {
    let lane = Lane::new();
    let open = lane.passenger(200).await;
    let weigh = async |value: &str| {
        let weight =
            WeightMeasured { value: value.parse().unwrap(), unit: "g".to_owned(), stable: true };
        let (scale, body) = (Source::Device("scale-1".to_owned()), Body::WeightMeasured(weight));
        lane.station.record(scale, Some(&open), body, None).await.unwrap();
        sleep(Duration::from_millis(600)).await;
        let records = lane.station.records(&open).unwrap();
        let notes = records.into_iter().filter_map(|record| match record.body {
            Body::NoteAdded(note) => Some(note.text),
            _ => None,
        });
        notes.collect::<Vec<_>>()
    };
    assert_eq!(weigh("210").await, [""; 0], "200 notes in an envelope");
    let noted = weigh("90").await;
    assert_eq!(noted.len(), 1, "{noted:?}");
    assert!(noted[0].contains("The scale says 90 g; the 200 notes counted weigh about 200 g"));
    assert_eq!(weigh("205").await.len(), 1, "what is weighed again and agrees is no news");
}
