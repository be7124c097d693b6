//! One MQTT connection: a client that is made, used until its first error, and dropped.
//!
//! A task of its own polls the network, so that nothing the program does can starve the
//! connection, and nothing the network does can block the program: publishing never waits. What
//! was not answered is kept by who said it, and said again through the next connection.

use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, Publish};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// A connection, from its first packet to its first error.
#[derive(Debug)]
pub struct Connection {
    client: AsyncClient,
    heard: mpsc::Receiver<Heard>,
    poller: JoinHandle<()>,
}

/// What a connection hears.
#[derive(Debug)]
pub enum Heard {
    /// It stands, and its subscriptions do.
    Connected,
    /// A message came.
    Message(Box<Publish>),
    /// It is over, and why.
    Lost(String),
}

impl Connection {
    /// Begins to connect; subscribes with quality 1 as soon as it may.
    pub fn open(mut options: MqttOptions, subscriptions: Vec<String>) -> Self {
        options.set_outgoing_inflight_upper_limit(IN_FLIGHT);
        let (client, events) = AsyncClient::new(options, REQUESTS);
        let (sender, heard) = mpsc::channel(HEARD);
        let poller = tokio::spawn(poll(events, client.clone(), subscriptions, sender));
        Self { client, heard, poller }
    }

    /// The next thing heard. After [`Heard::Lost`] nothing more comes.
    pub async fn heard(&mut self) -> Heard {
        self.heard.recv().await.unwrap_or_else(|| Heard::Lost("it was closed".to_owned()))
    }

    /// Hands a message to the connection with quality 1; false when it has no room for it.
    #[must_use]
    pub fn publish(&self, topic: &str, payload: Vec<u8>, retain: bool) -> bool {
        self.client.try_publish(topic, QoS::AtLeastOnce, retain, payload).is_ok()
    }

    /// Tells the broker that a message need not come again.
    pub fn acknowledge(&self, message: &Publish) {
        // Not told, it comes again and is recorded once all the same.
        let _ = self.client.try_ack(message);
    }

    /// Sends what waits and takes leave.
    pub async fn close(mut self) {
        if self.client.try_disconnect().is_ok() {
            let _ = tokio::time::timeout(LEAVE, &mut self.poller).await;
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.poller.abort();
    }
}

async fn poll(
    mut events: EventLoop,
    client: AsyncClient,
    subscriptions: Vec<String>,
    heard: mpsc::Sender<Heard>,
) {
    let mut awaited = subscriptions.len();
    loop {
        let said = match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                let all = subscriptions
                    .iter()
                    .all(|filter| client.try_subscribe(filter.clone(), QoS::AtLeastOnce).is_ok());
                if !all {
                    Heard::Lost("it has no room for its subscriptions".to_owned())
                } else if awaited == 0 {
                    Heard::Connected
                } else {
                    continue;
                }
            }
            Ok(Event::Incoming(Packet::SubAck(_))) => {
                awaited = awaited.saturating_sub(1);
                if awaited > 0 {
                    continue;
                }
                Heard::Connected
            }
            Ok(Event::Incoming(Packet::Publish(message))) => Heard::Message(Box::new(message)),
            Ok(Event::Incoming(Packet::Disconnect(_))) => {
                Heard::Lost("the broker ended it".to_owned())
            }
            Ok(_) => continue,
            Err(error) => Heard::Lost(error.to_string()),
        };
        let over = matches!(said, Heard::Lost(_));
        if heard.send(said).await.is_err() || over {
            return;
        }
    }
}

/// Messages that may wait to be sent.
const REQUESTS: usize = 256;
/// Messages sent and not confirmed. rumqttc keeps a place for each from the start: its default of
/// 65,535 is 14 MiB a connection.
const IN_FLIGHT: u16 = 256;
const HEARD: usize = 64;
const LEAVE: Duration = Duration::from_millis(300);
