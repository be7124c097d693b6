//! The MQTT broker: the embedded one on loopback, or one elsewhere, and how the server's own
//! client reaches it.
//!
//! The embedded broker keeps nothing on disk and drops what it has no room for: the stations send
//! again until they hold a receipt. Nobody reaches it but through [`crate::listener`], which adds
//! a secret to each connection that other programs on this machine do not have.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rumqttc::v5::MqttOptions;
use rumqttc::{TlsConfiguration, Transport};
use rumqttd::{Broker, ConnectionSettings, RouterConfig, ServerSettings};
use tidewaiter_proto::seal::random;
use tidewaiter_proto::topic::{STATE_FILTER, UP_FILTER};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::configuration::ExternalBroker;

/// How the server's own client reaches the broker.
#[derive(Clone)]
pub struct BrokerLink {
    host: String,
    port: u16,
    tls: Option<Arc<rustls::ClientConfig>>,
    login: Option<(String, String)>,
}

/// The embedded broker, running.
#[derive(Debug)]
pub struct EmbeddedBroker {
    /// Where it listens, on loopback.
    pub address: SocketAddr,
    /// What a connection must show.
    pub secret: String,
    /// Resolves if it ever stops by itself.
    pub ended: oneshot::Receiver<()>,
}

/// Why there is no broker.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// No loopback port, or the broker does not answer on it.
    #[error("the embedded broker does not start: {0}")]
    Embedded(String),
    /// No random bytes for its secret.
    #[error(transparent)]
    Random(#[from] tidewaiter_proto::seal::NoRandomness),
    /// A file of the external broker's connection is missing.
    #[error(transparent)]
    Disk(#[from] crate::disk::DiskError),
    /// A file of the external broker's connection is not valid.
    #[error("the connection to the broker {host} cannot be set up: {problem}")]
    External {
        /// Which broker.
        host: String,
        /// What is wrong.
        problem: String,
    },
}

impl std::fmt::Debug for BrokerLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BrokerLink({}:{})", self.host, self.port)
    }
}

impl BrokerLink {
    /// Options of a client with this id; the caller adds what concerns its session.
    pub fn options(&self, client_id: &str) -> MqttOptions {
        let mut options = MqttOptions::new(client_id, &self.host, self.port);
        if let Some((user, password)) = &self.login {
            options.set_credentials(user, password);
        }
        if let Some(tls) = &self.tls {
            options.set_transport(Transport::Tls(TlsConfiguration::Rustls(tls.clone())));
        }
        options
    }

    /// A link to a broker elsewhere.
    ///
    /// # Errors
    /// [`BrokerError`] when a certificate or key cannot be used.
    pub fn external(broker: &ExternalBroker) -> Result<Self, BrokerError> {
        let tls = match &broker.authority {
            Some(_) => Some(Arc::new(crate::tls::client(broker).map_err(|error| {
                BrokerError::External { host: broker.host.clone(), problem: error.to_string() }
            })?)),
            None => None,
        };
        Ok(Self { host: broker.host.clone(), port: broker.port, tls, login: None })
    }
}

impl EmbeddedBroker {
    /// Starts the broker on a free loopback port.
    ///
    /// # Errors
    /// [`BrokerError`].
    pub async fn start() -> Result<Self, BrokerError> {
        let failed = |error: std::io::Error| BrokerError::Embedded(error.to_string());
        let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
        let address = probe.local_addr().map_err(failed)?;
        drop(probe);
        let secret = hex::encode(random::<32>()?);
        let (end, ended) = oneshot::channel();
        let mut broker = Broker::new(configuration(address, &secret));
        // It has no way to be stopped and blocks its thread: it ends with the process.
        std::thread::Builder::new()
            .name("broker".to_owned())
            .spawn(move || {
                if let Err(error) = broker.start() {
                    tracing::error!(%error, "the embedded broker failed");
                }
                let _ = end.send(());
            })
            .map_err(failed)?;
        for _ in 0..ATTEMPTS {
            if TcpStream::connect(address).await.is_ok() {
                return Ok(Self { address, secret, ended });
            }
            tokio::time::sleep(ATTEMPT_EVERY).await;
        }
        Err(BrokerError::Embedded(format!("nothing answers on {address}")))
    }

    /// How the server's own client reaches it.
    pub fn link(&self) -> BrokerLink {
        BrokerLink {
            host: self.address.ip().to_string(),
            port: self.address.port(),
            tls: None,
            login: Some(("server".to_owned(), self.secret.clone())),
        }
    }
}

fn configuration(address: SocketAddr, secret: &str) -> rumqttd::Config {
    let mut connections = ConnectionSettings {
        connection_timeout_ms: 5000,
        max_payload_size: PACKET_BYTES_MAX,
        max_inflight_count: 100,
        auth: None,
        external_auth: None,
        dynamic_filters: false,
    };
    let secret = secret.to_owned();
    connections.set_auth_handler(move |_client, _user, password| {
        let known = password == secret;
        async move { known }
    });
    let settings = ServerSettings {
        name: "stations".to_owned(),
        listen: address,
        tls: None,
        next_connection_delay_ms: 0,
        connections,
    };
    rumqttd::Config {
        id: 0,
        router: RouterConfig {
            max_connections: 10_010,
            max_outgoing_packet_count: 200,
            // What stands for one filter is at most 16 MiB; the oldest goes first.
            max_segment_size: 2 * 1024 * 1024,
            max_segment_count: 8,
            custom_segment: None,
            // With these, a message on any other topic finds no log and takes no memory.
            initialized_filters: Some(vec![UP_FILTER.to_owned(), STATE_FILTER.to_owned()]),
            shared_subscriptions_strategy: rumqttd::Strategy::RoundRobin,
        },
        v5: Some(HashMap::from([("stations".to_owned(), settings)])),
        ..rumqttd::Config::default()
    }
}

/// The largest MQTT packet: a batch of 64 KiB and its envelope.
pub const PACKET_BYTES_MAX: usize = 72 * 1024;
const ATTEMPTS: u32 = 100;
const ATTEMPT_EVERY: Duration = Duration::from_millis(50);
