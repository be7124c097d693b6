//! A device of the agent's own on the bus: its driver's readings are published until the recorder
//! has them, its state stands retained, its last will says that it is gone.
//!
//! With the bus away readings go to the recorder directly, under the same id: what comes twice is
//! recorded once. What a driver refused goes nowhere but into the station's own sealed files.

use std::collections::VecDeque;
use std::time::Duration;

use rumqttc::v5::MqttOptions;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::LastWill;
use serde_json::value::RawValue;
use tidewaiter_proto::bus::{Availability, DeviceEvent, DeviceStatus, Recorded};
use tidewaiter_proto::topic::Topic;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{AGAIN_AFTER, BusLink};
use crate::configuration::DeviceConfig;
use crate::driver::{self, DriverEvent};
use crate::mqtt::{Connection, Heard};
use crate::refusals::Refusals;
use crate::station::Station;

/// Runs a device's driver and brings what it reads to the recorder, until `stop`.
///
/// # Errors
/// None; the signature is that of a task.
pub async fn run(
    link: BusLink,
    device: DeviceConfig,
    station: Station,
    refusals: Refusals,
    stop: CancellationToken,
) -> Result<(), std::convert::Infallible> {
    let (sender, mut events) = mpsc::channel(EVENTS);
    let id = device.id.clone();
    let clock = station.clock().clone();
    let driver = tokio::spawn(driver::run(device, move || clock.now(), sender, stop.clone()));
    let mut voice =
        Voice { link, id, station, refusals, status: offline(), waiting: VecDeque::new() };
    let mut connection = voice.connect();
    let mut connected = false;
    let mut again_at: Option<Instant> = None;
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            event = events.recv() => match event {
                Some(event) => voice.take(event, connected.then_some(&connection)).await,
                None => break,
            },
            heard = connection.heard(), if again_at.is_none() => match heard {
                Heard::Connected => {
                    connected = true;
                    voice.say_all(&connection);
                }
                Heard::Message(message) => {
                    if voice.answered(&message.payload) {
                        voice.say_state(&connection);
                    }
                }
                Heard::Lost(_) => {
                    connected = false;
                    again_at = Some(Instant::now() + AGAIN_AFTER);
                }
            },
            _ = look.tick() => {
                if again_at.is_some_and(|at| at <= Instant::now()) {
                    again_at = None;
                    connection = voice.connect();
                }
                voice.overdue(connected.then_some(&connection)).await;
            }
        }
    }
    voice.leave(connection).await;
    // It ends with the same token.
    let _ = driver.await;
    Ok(())
}

struct Voice {
    link: BusLink,
    id: String,
    station: Station,
    refusals: Refusals,
    status: DeviceStatus,
    /// Readings that the recorder has not answered, oldest first.
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    event: DeviceEvent,
    /// When it is to be looked at again.
    due: Instant,
}

impl Voice {
    fn connect(&self) -> Connection {
        let name = self.station.name();
        let mut options: MqttOptions =
            self.link.options(&format!("{}-{}", name.as_str().replace('/', "-"), self.id));
        let will = serde_json::to_vec(&offline()).unwrap_or_default();
        options.set_last_will(LastWill::new(self.state(), will, QoS::AtLeastOnce, true, None));
        let recorded = Topic::Recorded(name.clone(), self.id.clone()).to_string();
        Connection::open(options, vec![recorded])
    }

    fn state(&self) -> String {
        Topic::DeviceState(self.station.name().clone(), self.id.clone()).to_string()
    }

    async fn take(&mut self, event: DriverEvent, connection: Option<&Connection>) {
        match event {
            DriverEvent::Reading { id, body } => {
                let text = body.to_value().to_string();
                // A body's JSON is JSON.
                let Ok(body) = RawValue::from_string(text) else { return };
                let event = DeviceEvent { id, inspection: None, at: None, body };
                self.say(&event, connection);
                self.waiting.push_back(Waiting { event, due: Instant::now() + ANSWER_WITHIN });
            }
            DriverEvent::State(state, cause) => {
                let cause = Some(cause).filter(|cause| !cause.is_empty());
                let last_reading = self.status.last_reading;
                self.status = DeviceStatus { state, cause, last_reading };
                match connection {
                    Some(connection) => self.say_state(connection),
                    None => self.station.device(&self.id, self.status.clone()).await,
                }
            }
            DriverEvent::Refused { kind, bytes } => self.refused_bytes(kind, bytes),
        }
    }

    /// Counts what was refused, and keeps its bytes for the engineer without waiting for the disk.
    fn refused_bytes(&self, kind: &'static str, bytes: Vec<u8>) {
        self.station.refused(&self.id);
        if bytes.is_empty() {
            return;
        }
        let (refusals, device) = (self.refusals.clone(), self.id.clone());
        let now = self.station.clock().now();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = refusals.keep(&device, kind, now, &bytes) {
                tracing::warn!(device, %error, "refused bytes are not kept");
            }
        });
    }

    fn say(&self, event: &DeviceEvent, connection: Option<&Connection>) {
        let topic = Topic::Event(self.station.name().clone(), self.id.clone()).to_string();
        if let (Some(connection), Ok(payload)) = (connection, serde_json::to_vec(event)) {
            // Without room it is overdue in a moment.
            let _ = connection.publish(&topic, payload, false);
        }
    }

    fn say_state(&self, connection: &Connection) {
        if let Ok(payload) = serde_json::to_vec(&self.status) {
            let _ = connection.publish(&self.state(), payload, true);
        }
    }

    fn say_all(&self, connection: &Connection) {
        self.say_state(connection);
        for waiting in &self.waiting {
            self.say(&waiting.event, Some(connection));
        }
    }

    /// Takes the recorder's answer; true when a reading is recorded, which the state tells.
    fn answered(&mut self, payload: &[u8]) -> bool {
        match serde_json::from_slice(payload) {
            Ok(Recorded::Done { id, .. }) => {
                let before = self.waiting.len();
                self.waiting.retain(|waiting| waiting.event.id != id);
                if self.waiting.len() < before {
                    self.status.last_reading = Some(self.station.clock().now());
                    return true;
                }
            }
            Ok(Recorded::Refused { id, error, retry }) => self.refused(&id, &error, retry),
            Err(error) => tracing::warn!(device = self.id, %error, "an answer cannot be read"),
        }
        false
    }

    /// What can never be recorded is said to the officer; all else stays.
    fn refused(&mut self, id: &str, error: &str, retry: bool) {
        let is_ours = |waiting: &Waiting| waiting.event.id == id;
        if retry || !self.waiting.iter().any(is_ours) {
            return;
        }
        self.waiting.retain(|waiting| waiting.event.id != id);
        self.station.notice(format!("{}: a reading was not recorded: {error}", self.id));
    }

    /// What was not answered in time goes to the recorder directly.
    async fn overdue(&mut self, connection: Option<&Connection>) {
        let now = Instant::now();
        let mut at = 0;
        while let Some(waiting) = self.waiting.get_mut(at) {
            if waiting.due > now && connection.is_some() {
                at += 1;
                continue;
            }
            waiting.due = now + ANSWER_WITHIN;
            let event = waiting.event.clone();
            match self.station.event(&self.id, &event).await {
                Ok(_) => {
                    self.waiting.remove(at);
                }
                Err(error) if error.passes() => {
                    tracing::warn!(device = self.id, %error, "a reading waits to be recorded");
                    at += 1;
                }
                Err(error) => self.refused(&event.id, &error.to_string(), false),
            }
        }
    }

    /// Records what is left and says that the device is gone.
    async fn leave(&mut self, connection: Connection) {
        self.overdue(None).await;
        self.status = offline();
        self.say_state(&connection);
        connection.close().await;
    }
}

fn offline() -> DeviceStatus {
    DeviceStatus { state: Availability::Offline, cause: None, last_reading: None }
}

const EVENTS: usize = 64;
/// The recorder answers within this time, or is asked directly.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(250);
