//! One connection to the broker, from its first packet to its end.
//!
//! The client's own state is never carried over to another connection: what it holds back there is
//! dropped by the broker or by itself, in ways that differ from broker to broker. The polling never
//! waits for the work, and the work never holds up a keep-alive.

use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, Publish, SubscribeReasonCode};
use rumqttc::v5::{AsyncClient, ClientError, ConnectionError, Event, EventLoop};
use tidewaiter_proto::topic::{STATE_FILTER, Topic, UP_SHARED_FILTER};
use tokio::sync::mpsc;

use super::worker::Worker;
use crate::broker::{BrokerLink, PACKET_BYTES_MAX};
use crate::store::StoreError;

/// A connection and what has arrived on it.
pub(super) struct Connection {
    client: AsyncClient,
    events: EventLoop,
    up: bool,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    /// The network, or the broker.
    #[error("{0}")]
    Connection(#[from] Box<ConnectionError>),
    /// The broker does not let the server subscribe.
    #[error("the broker does not give the server its subscriptions: {0}")]
    Subscription(String),
    /// The client takes nothing any more.
    #[error("the client takes nothing any more: {0}")]
    Client(#[from] Box<ClientError>),
    /// The store failed; no other connection would help.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One message of a station with what acknowledges it.
#[derive(Debug)]
pub(super) struct Message {
    /// The packet as it came.
    pub(super) publish: Publish,
}

/// What the work may ask of the connection.
#[derive(Clone, Debug)]
pub(super) struct Outlet {
    client: AsyncClient,
}

impl Connection {
    /// A connection that will be made when it is served; the broker is given the manifest then.
    pub(super) fn open(link: &BrokerLink, id: &str, manifest: &[u8]) -> Result<Self, Lost> {
        let mut options = link.options(id);
        // Nothing is taken over from an earlier connection: stations send again what they hold no
        // receipt for.
        options.set_clean_start(true);
        options.set_keep_alive(KEEP_ALIVE);
        options.set_connection_timeout(CONNECT_SECONDS);
        options.set_manual_acks(true);
        options.set_receive_maximum(Some(IN_FLIGHT));
        options.set_max_packet_size(u32::try_from(PACKET_BYTES_MAX).ok());
        let (client, events) = AsyncClient::new(options, REQUESTS);
        for (filter, qos) in
            [(UP_SHARED_FILTER, QoS::AtLeastOnce), (STATE_FILTER, QoS::AtLeastOnce)]
        {
            client.try_subscribe(filter, qos).map_err(Box::new)?;
        }
        // Kept by the broker for whoever connects later; a broker that was started anew has none.
        client
            .try_publish(Topic::Policy.to_string(), QoS::AtLeastOnce, true, manifest.to_vec())
            .map_err(Box::new)?;
        Ok(Self { client, events, up: false })
    }

    /// Whether the broker ever let the server in on this connection.
    pub(super) fn was_up(&self) -> bool {
        self.up
    }

    /// Serves until the connection or the store fails. When this is dropped, what was under way is
    /// neither acknowledged nor answered.
    pub(super) async fn serve(&mut self, worker: &mut Worker) -> Lost {
        let (inbox, messages) = mpsc::channel(INBOX);
        let outlet = Outlet { client: self.client.clone() };
        tokio::select! {
            lost = self.poll(&inbox) => lost,
            failed = worker.work(messages, &outlet) => failed,
        }
    }

    async fn poll(&mut self, inbox: &mpsc::Sender<Message>) -> Lost {
        loop {
            match self.events.poll().await {
                Ok(Event::Incoming(Packet::Publish(publish))) => {
                    // Full only when a broker sends more than it was told it may; then the message
                    // stays without an answer, and comes again.
                    if inbox.try_send(Message { publish }).is_err() {
                        tracing::warn!("more messages than can be held; one is left to be resent");
                    }
                }
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    self.up = true;
                    tracing::info!("connected to the broker");
                }
                Ok(Event::Incoming(Packet::SubAck(ack))) => {
                    let good = |code: &SubscribeReasonCode| {
                        matches!(code, SubscribeReasonCode::Success(_))
                    };
                    if let Some(code) = ack.return_codes.iter().find(|code| !good(code)) {
                        return Lost::Subscription(format!("{code:?}"));
                    }
                }
                Ok(_) => {}
                Err(error) => return Lost::Connection(Box::new(error)),
            }
        }
    }
}

impl Outlet {
    /// Hands a message to the connection.
    pub(super) async fn publish(&self, topic: String, payload: Vec<u8>) -> Result<(), Lost> {
        let sent = self.client.publish(topic, QoS::AtLeastOnce, false, payload).await;
        Ok(sent.map_err(Box::new)?)
    }

    /// Has the broker keep the manifest of the law for whoever connects.
    pub(super) async fn announce(&self, manifest: Vec<u8>) -> Result<(), Lost> {
        let topic = Topic::Policy.to_string();
        let sent = self.client.publish(topic, QoS::AtLeastOnce, true, manifest).await;
        Ok(sent.map_err(Box::new)?)
    }

    /// Acknowledges a message: the broker may forget it.
    pub(super) async fn acknowledge(&self, message: &Message) -> Result<(), Lost> {
        Ok(self.client.ack(&message.publish).await.map_err(Box::new)?)
    }
}

const KEEP_ALIVE: Duration = Duration::from_secs(10);
const CONNECT_SECONDS: u64 = 5;
/// Messages that the broker may have under way to the server at once.
const IN_FLIGHT: u16 = 100;
const REQUESTS: usize = 256;
/// Twice what may be under way: presences that are retained may come on top.
const INBOX: usize = 2048;
