//! A device's line, recorded and played: what was read then is read again.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tidewaiter_bridge::capture::{Capture, Chunk, Heading, Side};
use tidewaiter_bridge::configuration::{DeviceConfig, DriverKind};
use tidewaiter_bridge::driver::{self, DriverEvent};
use tidewaiter_bridge::simulate::note_counter::NoteCounter;
use tidewaiter_bridge::simulate::player::Player;
use tidewaiter_bridge::simulate::reader::Reader;
use tidewaiter_bridge::simulate::scale::Scale;
use tidewaiter_bridge::simulate::validator::Validator;
use tidewaiter_bridge::simulate::{End, Simulated};
use tidewaiter_proto::body::Body;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::driven::device;

/// Drives a device until it has read something, and gives that with the capture of its line.
async fn recorded(device: DeviceConfig, mut feed: impl FnMut()) -> (Body, Capture) {
    let heading = Heading::of(&device);
    let (events, mut said) = mpsc::channel(64);
    let (sender, mut chunks) = mpsc::channel::<Chunk>(4096);
    let stop = CancellationToken::new();
    let now = || "2018-11-16T03:10:00Z".parse().unwrap();
    let task = tokio::spawn(driver::record(device, now, events, stop.clone(), sender));
    let mut fed = false;
    let read = loop {
        match timeout(Duration::from_secs(20), said.recv()).await.unwrap().unwrap() {
            DriverEvent::Reading { body, .. } => break body,
            DriverEvent::State(..) if !fed => {
                fed = true;
                // A device that is asked has been asked by then.
                tokio::time::sleep(Duration::from_millis(300)).await;
                feed();
            }
            // A validator says that it had no power before it was there.
            DriverEvent::State(..) | DriverEvent::Refused { .. } => {}
        }
    };
    stop.cancel();
    let mut all = Vec::new();
    while let Some(chunk) = chunks.recv().await {
        all.push(chunk);
    }
    task.await.unwrap();
    (read, Capture { heading, chunks: all })
}

/// As it comes back from its file.
fn reread(capture: &Capture) -> Capture {
    let mut text = Vec::new();
    capture.heading.write(&mut text).unwrap();
    for chunk in &capture.chunks {
        chunk.write(&mut text).unwrap();
    }
    Capture::read(text.as_slice()).unwrap()
}

/// Plays a capture to a driver; gives what that reads.
async fn played(capture: &Capture, end: End, to: impl FnOnce(String) -> DeviceConfig) -> Body {
    let mut player = Player::open(reread(capture), end).unwrap();
    let device = to(player.address());
    let (events, mut said) = mpsc::channel(64);
    let stop = CancellationToken::new();
    let now = || "2018-11-16T03:10:00Z".parse().unwrap();
    player.line().unwrap().turn(&json!({"delay_ms": 1})).unwrap();
    let playing = tokio::task::spawn_blocking(move || {
        player.play(&json!({"play": 4})).unwrap();
        player
    });
    let task = tokio::spawn(driver::run(device, now, events, stop.clone()));
    let read = loop {
        match timeout(Duration::from_secs(20), said.recv()).await.unwrap().unwrap() {
            DriverEvent::Reading { body, .. } => break body,
            DriverEvent::State(..) | DriverEvent::Refused { .. } => {}
        }
    };
    stop.cancel();
    task.await.unwrap();
    drop(playing.await.unwrap());
    read
}

fn on(driver: DriverKind, link: &Path) -> DeviceConfig {
    DeviceConfig { serial: Some(link.to_owned()), ..device(driver) }
}

fn anywhere() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_a_scale_and_a_validator_read_the_same_when_their_lines_are_played() {
    let folder = TempDir::new().unwrap();
    let link = folder.path().join("tty");
    let document = json!({"document": {
        "type": "passport", "number": "L898902C3", "issuing_state": "UTO", "surname": "ERIKSSON",
        "given_names": "ANNA MARIA", "sex": "F", "date_of_birth": "1974-08-12",
        "nationality": "UTO", "expires_on": "2019-04-15",
    }});
    let weight = json!({"weight": {"value": "1.923", "unit": "kg"}});
    let notes = json!({"notes": [{"currency": "EUR", "denomination": "500", "pieces": 2}]});
    for (driver, command) in
        [(DriverKind::Mrz, document), (DriverKind::Scale, weight), (DriverKind::Ccnet, notes)]
    {
        let mut simulated: Box<dyn Simulated> = match driver {
            DriverKind::Mrz => Box::new(Reader::open(&link).unwrap()),
            DriverKind::Scale => Box::new(Scale::open(&link).unwrap()),
            _ => Box::new(Validator::ccnet(&link).unwrap()),
        };
        let feed = || simulated.play(&command).unwrap();
        let (read, capture) = recorded(on(driver, &link), feed).await;
        drop(simulated);
        assert!(capture.chunks.iter().any(|chunk| chunk.from == Side::Device));
        let asked = capture.chunks.iter().any(|chunk| chunk.from == Side::Bridge);
        assert_eq!(asked, driver != DriverKind::Mrz, "{driver:?}");
        let again = played(&capture, End::Link(link.clone()), |_| on(driver, &link)).await;
        assert_eq!(again, read, "{driver:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_is_played_under_the_numbers_of_todays_commands() {
    let mut counter = NoteCounter::listen(anywhere()).unwrap();
    let url = |url: String| DeviceConfig { url: Some(url), ..device(DriverKind::NoteCounter) };
    let count = json!({"count": [{"currency": "USD", "denomination": "100", "pieces": 1923}]});
    let at = url(counter.address());
    let (read, mut capture) = recorded(at, || counter.play(&count).unwrap()).await;
    // As from a bridge that had been connected before: other numbers than today's.
    for chunk in &mut capture.chunks {
        let mut message: serde_json::Value = serde_json::from_slice(&chunk.bytes).unwrap();
        if let Some(number) = message["header"]["requestId"].as_i64() {
            message["header"]["requestId"] = json!(number + 400);
        }
        chunk.bytes = message.to_string().into_bytes();
    }
    assert_eq!(played(&capture, End::Listen(anywhere()), url).await, read);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_is_played_on_its_own_kind_of_line() {
    let folder = TempDir::new().unwrap();
    let counter = device(DriverKind::NoteCounter);
    let heading = Heading::of(&DeviceConfig { url: Some("ws://there".into()), ..counter });
    let capture = Capture { heading, chunks: Vec::new() };
    let refused = Player::open(capture, &folder.path().join("tty")).unwrap_err().to_string();
    assert!(refused.contains("WebSocket"), "{refused}");
    let mut player = {
        let heading = Heading::of(&on(DriverKind::Mrz, &folder.path().join("tty")));
        Player::open(Capture { heading, chunks: Vec::new() }, anywhere()).unwrap()
    };
    assert!(player.play(&json!({"play": 0})).is_err());
    player.play(&json!({"play": 1})).unwrap();
}
