//! A driver at work, and what it says.

use std::time::Duration;

use tidewaiter_bridge::configuration::{DeviceConfig, DriverKind};
use tidewaiter_bridge::driver::{self, DriverEvent};
use tidewaiter_proto::body::Body;
use tidewaiter_proto::bus::Availability;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// A running driver.
pub(crate) struct Driven {
    events: mpsc::Receiver<DriverEvent>,
    stop: CancellationToken,
    task: JoinHandle<()>,
    ids: Vec<String>,
}

/// A device of this kind, reached by nothing yet.
pub(crate) fn device(driver: DriverKind) -> DeviceConfig {
    DeviceConfig { officer: Some("o-7".into()), ..DeviceConfig::new("device-1", driver) }
}

/// Starts a driver on the clock of November 2018.
pub(crate) fn drive(device: DeviceConfig) -> Driven {
    let (sender, events) = mpsc::channel(64);
    let stop = CancellationToken::new();
    let now = || "2018-11-16T03:10:00Z".parse().unwrap();
    let task = tokio::spawn(driver::run(device, now, sender, stop.clone()));
    Driven { events, stop, task, ids: Vec::new() }
}

impl Driven {
    /// The next reading, whatever states are said before it.
    pub(crate) async fn reading(&mut self) -> Body {
        loop {
            if let DriverEvent::Reading { id, body } = self.next("a reading").await {
                assert!(!self.ids.contains(&id), "{id} twice");
                self.ids.push(id);
                return body;
            }
        }
    }

    /// Waits until the device is said to be so; gives why.
    pub(crate) async fn state(&mut self, wanted: Availability) -> String {
        loop {
            match self.next(&format!("{wanted:?}")).await {
                DriverEvent::State(state, why) if state == wanted => return why,
                DriverEvent::State(..) | DriverEvent::Refused { .. } => {}
                DriverEvent::Reading { body, .. } => panic!("{body:?} before {wanted:?}"),
            }
        }
    }

    /// The bytes that are refused next, and why.
    pub(crate) async fn refused(&mut self) -> (&'static str, Vec<u8>) {
        loop {
            match self.next("bytes refused").await {
                DriverEvent::Refused { kind, bytes } => return (kind, bytes),
                DriverEvent::State(..) => {}
                DriverEvent::Reading { body, .. } => panic!("{body:?} before a refusal"),
            }
        }
    }

    /// Nothing is read for a while.
    pub(crate) async fn nothing(&mut self) {
        while let Ok(event) = timeout(Duration::from_millis(700), self.events.recv()).await {
            assert!(!matches!(event, None | Some(DriverEvent::Reading { .. })), "{event:?}");
        }
    }

    /// Stops the driver, which must not take long.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        timeout(Duration::from_secs(2), self.task).await.unwrap().unwrap();
    }

    async fn next(&mut self, wanted: &str) -> DriverEvent {
        match timeout(Duration::from_secs(15), self.events.recv()).await {
            Ok(Some(event)) => event,
            Ok(None) => panic!("the driver ended before {wanted}"),
            Err(late) => panic!("no {wanted}: {late}"),
        }
    }
}
