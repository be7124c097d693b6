//! The embedded MQTT broker, version 5, on loopback. It keeps nothing on disk and drops what it has
//! no room for: whoever publishes through it keeps what it says until it is answered.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use rumqttd::{Broker, ConnectionSettings, RouterConfig, ServerSettings};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// How the broker is started.
#[derive(Clone, Debug)]
pub struct EmbeddedSettings {
    /// Its name, for the log.
    pub name: &'static str,
    /// Where it listens; a free loopback port when absent.
    pub listen: Option<SocketAddr>,
    /// What a connection must show as its password, if anything.
    pub secret: Option<String>,
    /// The filters that are served. A message on any other topic finds no log and takes no memory.
    pub filters: Vec<String>,
    /// Connections at once. The broker keeps a place for each from the start, of about 700 bytes.
    pub connections_max: usize,
    /// The largest MQTT packet.
    pub packet_bytes_max: usize,
}

/// The embedded broker, running.
#[derive(Debug)]
pub struct EmbeddedBroker {
    /// Where it listens.
    pub address: SocketAddr,
    /// Resolves if it ever stops by itself.
    pub ended: oneshot::Receiver<()>,
}

/// Why there is no broker.
#[derive(Debug, thiserror::Error)]
#[error("the embedded broker does not start: {0}")]
pub struct EmbeddedError(String);

impl EmbeddedBroker {
    /// Starts the broker and waits until it answers.
    ///
    /// # Errors
    /// [`EmbeddedError`].
    pub async fn start(settings: EmbeddedSettings) -> Result<Self, EmbeddedError> {
        let wanted = settings.listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let failed =
            |error: std::io::Error| EmbeddedError(format!("{wanted} cannot be used: {error}"));
        // The broker does not say why it cannot listen: this does.
        let probe = TcpListener::bind(wanted).await.map_err(failed)?;
        let address = probe.local_addr().map_err(failed)?;
        drop(probe);
        let (end, ended) = oneshot::channel();
        let mut broker = Broker::new(configuration(address, settings));
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
                return Ok(Self { address, ended });
            }
            tokio::time::sleep(ATTEMPT_EVERY).await;
        }
        Err(EmbeddedError(format!("nothing answers on {address}")))
    }
}

fn configuration(address: SocketAddr, settings: EmbeddedSettings) -> rumqttd::Config {
    let mut connections = ConnectionSettings {
        connection_timeout_ms: 5000,
        max_payload_size: settings.packet_bytes_max,
        max_inflight_count: 100,
        auth: None,
        external_auth: None,
        dynamic_filters: false,
    };
    if let Some(secret) = settings.secret {
        connections.set_auth_handler(move |_client, _user, password| {
            let known = password == secret;
            async move { known }
        });
    }
    let server = ServerSettings {
        name: settings.name.to_owned(),
        listen: address,
        tls: None,
        next_connection_delay_ms: 0,
        connections,
    };
    rumqttd::Config {
        id: 0,
        router: RouterConfig {
            max_connections: settings.connections_max,
            max_outgoing_packet_count: 200,
            // What stands for one filter is at most 16 MiB; the oldest goes first.
            max_segment_size: 2 * 1024 * 1024,
            max_segment_count: 8,
            custom_segment: None,
            initialized_filters: Some(settings.filters),
            shared_subscriptions_strategy: rumqttd::Strategy::RoundRobin,
        },
        v5: Some(HashMap::from([(settings.name.to_owned(), server)])),
        ..rumqttd::Config::default()
    }
}

const ATTEMPTS: u32 = 100;
const ATTEMPT_EVERY: Duration = Duration::from_millis(50);
