//! The MQTT broker: the embedded one on loopback, or one elsewhere, and how the server's own
//! client reaches it.
//!
//! Nobody reaches the embedded one but through [`crate::listener`], which adds a secret to each
//! connection that other programs on this machine do not have.

use std::net::SocketAddr;
use std::sync::Arc;

use rumqttc::v5::MqttOptions;
use rumqttc::{TlsConfiguration, Transport};
use tidewaiter_program::embedded::{self, EmbeddedSettings};
use tidewaiter_proto::seal::random;
use tidewaiter_proto::topic::{STATE_FILTER, Topic, UP_FILTER};
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
    #[error(transparent)]
    Embedded(#[from] embedded::EmbeddedError),
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
        options.set_outgoing_inflight_upper_limit(IN_FLIGHT);
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
        let secret = hex::encode(random::<32>()?);
        let broker = embedded::EmbeddedBroker::start(EmbeddedSettings {
            name: "stations",
            listen: None,
            secret: Some(secret.clone()),
            filters: vec![UP_FILTER.to_owned(), STATE_FILTER.to_owned(), Topic::Policy.to_string()],
            connections_max: CONNECTIONS_MAX,
            packet_bytes_max: PACKET_BYTES_MAX,
        })
        .await?;
        Ok(Self { address: broker.address, secret, ended: broker.ended })
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

/// The largest MQTT packet: a batch of 64 KiB and its envelope.
pub const PACKET_BYTES_MAX: usize = 72 * 1024;

/// Stations at once behind one server, and its own clients.
const CONNECTIONS_MAX: usize = 10_010;
/// Messages of a client sent and not confirmed. rumqttc keeps a place for each from the start: its
/// default of 65,535 is 14 MiB a client.
const IN_FLIGHT: u16 = 1024;
