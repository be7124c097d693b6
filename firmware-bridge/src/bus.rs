//! The station's own bus: MQTT on this machine. Drivers, kiosks and tablets publish what they read;
//! the recorder answers once the ledger has it (contract section 4).

use std::net::SocketAddr;
use std::time::Duration;

use rumqttc::v5::MqttOptions;
use tidewaiter_program::embedded::{EmbeddedBroker, EmbeddedError, EmbeddedSettings};
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::topic::Topic;

pub mod device;
pub mod recorder;

/// How the bus is reached.
#[derive(Clone, Debug)]
pub struct BusLink {
    /// Where the broker listens.
    pub address: SocketAddr,
    /// Whether it is the embedded one, which keeps nothing between connections.
    pub embedded: bool,
    /// The agent's own login, where the broker asks for one.
    pub login: Option<BusLogin>,
}

/// A login at the broker. Its password is not printed.
#[derive(Clone)]
pub struct BusLogin {
    /// The user.
    pub user: String,
    /// And the password.
    pub password: String,
}

impl std::fmt::Debug for BusLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BusLogin({:?})", self.user)
    }
}

impl BusLink {
    /// Options of a client of this name.
    pub fn options(&self, name: &str) -> MqttOptions {
        let mut options =
            MqttOptions::new(name, self.address.ip().to_string(), self.address.port());
        if let Some(BusLogin { user, password }) = &self.login {
            options.set_credentials(user, password);
        }
        options.set_keep_alive(KEEP_ALIVE);
        options.set_connection_timeout(CONNECT_SECONDS);
        let most = u32::try_from(PACKET_BYTES_MAX).unwrap_or(u32::MAX);
        options.set_max_packet_size(Some(most));
        options
    }
}

/// Starts the embedded broker of a station's bus.
///
/// # Errors
/// [`EmbeddedError`].
pub async fn embedded(
    station: &StationId,
    listen: SocketAddr,
) -> Result<EmbeddedBroker, EmbeddedError> {
    EmbeddedBroker::start(EmbeddedSettings {
        name: "bus",
        listen: Some(listen),
        secret: None,
        filters: vec![
            Topic::event_filter(station),
            Topic::device_state_filter(station),
            Topic::recorded_filter(station),
        ],
        connections_max: CONNECTIONS_MAX,
        packet_bytes_max: PACKET_BYTES_MAX,
    })
    .await
}

/// The largest packet on the bus: a body of the largest size, as JSON, and its envelope.
pub const PACKET_BYTES_MAX: usize = 96 * 1024;
/// Devices, kiosks and our own parts, each with a connection of its own.
const CONNECTIONS_MAX: usize = 256;
/// How long a client waits before it connects again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const CONNECT_SECONDS: u64 = 5;
