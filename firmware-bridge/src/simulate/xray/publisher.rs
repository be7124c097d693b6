//! A client of a broker that a simulated station publishes through: it connects for ever, and
//! what found no broker waits.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use rumqttc::v5::MqttOptions;
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use crate::mqtt::{Connection, Heard};
use crate::simulate::PlayError;
use crate::simulate::knobs::{Knobs, Line};

/// The client.
#[derive(Debug)]
pub(super) struct Publisher {
    address: String,
    messages: mpsc::Sender<Vec<u8>>,
    knobs: Arc<Mutex<Knobs>>,
    plugged: watch::Sender<bool>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Publisher {
    pub(super) fn open(broker: &str, topic: &str) -> io::Result<Self> {
        let address = broker.rsplit_once(':');
        let address = address.and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
        let Some((host, port)) = address else {
            return Err(io::Error::other(format!("{broker:?} is no HOST:PORT")));
        };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let (messages, waiting) = mpsc::channel(MEMORY);
        let (plugged, line) = watch::channel(true);
        let name = format!("simulated-xray-{}", std::process::id());
        let options = MqttOptions::new(name, host, port);
        runtime.spawn(publish(options, topic.to_owned(), waiting, line));
        let address = format!("mqtt://{broker}/{topic}");
        Ok(Self { address, messages, knobs: Arc::default(), plugged, runtime: Some(runtime) })
    }

    pub(super) fn address(&self) -> String {
        self.address.clone()
    }

    pub(super) fn send(&self, bytes: &[u8]) -> Result<(), PlayError> {
        let delay = self.knobs().delay();
        sleep(delay);
        let sent = self.knobs().through(bytes);
        // Said twice, it is two messages.
        for message in sent.chunks(bytes.len().max(1)) {
            self.messages.try_send(message.to_vec()).map_err(|_| PlayError::Full)?;
        }
        Ok(())
    }

    fn knobs(&self) -> MutexGuard<'_, Knobs> {
        self.knobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line for Publisher {
    fn turn(&self, command: &Value) -> Result<bool, PlayError> {
        self.knobs().turn(command)
    }

    fn unplug(&self, pause: Duration) -> Result<(), PlayError> {
        self.plugged.send_replace(false);
        sleep(pause);
        self.plugged.send_replace(true);
        Ok(())
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Not waited for: this may run inside another runtime.
            runtime.shutdown_background();
        }
    }
}

async fn publish(
    options: MqttOptions,
    topic: String,
    mut waiting: mpsc::Receiver<Vec<u8>>,
    mut plugged: watch::Receiver<bool>,
) {
    while plugged.wait_for(|plugged| *plugged).await.is_ok() {
        let mut connection = Connection::open(options.clone(), Vec::new());
        let mut connected = false;
        loop {
            tokio::select! {
                heard = connection.heard() => match heard {
                    Heard::Connected => connected = true,
                    Heard::Message(_) => {}
                    Heard::Lost(_) => break,
                },
                message = waiting.recv(), if connected => {
                    let Some(message) = message else { return };
                    if !connection.publish(&topic, message, false) {
                        break;
                    }
                }
                _ = plugged.wait_for(|plugged| !*plugged) => break,
            }
        }
        drop(connection);
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

/// Results that a station keeps while there is no broker.
const MEMORY: usize = 1000;
const AGAIN_AFTER: Duration = Duration::from_millis(200);
