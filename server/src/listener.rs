//! The door for stations: TLS 1.3, a client certificate of our own authority, a registered name,
//! a bounded number of connections; then MQTT, watched packet by packet, to the embedded broker.
//!
//! Each connection has its own task, so that an idle or hostile one holds up nobody else.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidewaiter_proto::station::StationId;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::store::{Store, StoreError};

pub mod packet;

use packet::{Guard, PacketError, read_packet};

/// What the listener needs to let stations in.
#[derive(Clone)]
pub struct Door {
    /// TLS with client certificates required.
    pub tls: Arc<rustls::ServerConfig>,
    /// Who is registered.
    pub store: Store,
    /// The embedded broker.
    pub broker: SocketAddr,
    /// What it wants to see.
    pub secret: String,
    /// The most connections from one address.
    pub per_address: usize,
    /// The most connections.
    pub connections: usize,
}

/// Why a connection was not let in, or ended.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The handshake failed or took too long.
    #[error("the handshake failed: {0}")]
    Handshake(String),
    /// The certificate names nobody we know.
    #[error("the certificate is not of a registered station: {0:?}")]
    Stranger(String),
    /// The client does what it may not.
    #[error(transparent)]
    Packet(#[from] PacketError),
    /// The registry could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The broker behind is not there.
    #[error("the broker cannot be reached: {0}")]
    Broker(std::io::Error),
    /// The connection broke.
    #[error("the connection ended: {0}")]
    Ended(std::io::Error),
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Door({} → {})", self.connections, self.broker)
    }
}

/// Lets stations in until `stop`; then ends every connection.
///
/// # Errors
/// Only when no connection can be accepted any more.
pub async fn run(
    door: Door,
    listener: TcpListener,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let door = Arc::new(door);
    let places = Arc::new(Semaphore::new(door.connections));
    let addresses = Arc::new(Addresses::default());
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, or a connection that broke while it waited: others may do.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            tracing::warn!(%peer, "refused: the listener is full");
            continue;
        };
        let Some(seat) = addresses.enter(peer.ip(), door.per_address) else {
            tracing::warn!(%peer, "refused: too many connections from this address");
            continue;
        };
        let (door, stop) = (door.clone(), stop.clone());
        tokio::spawn(async move {
            let served = tokio::select! {
                () = stop.cancelled() => Ok(()),
                served = serve(&door, stream) => served,
            };
            if let Err(reason) = served {
                tracing::info!(%peer, %reason, "a station's connection ended");
            }
            drop((place, seat));
        });
    }
}

async fn serve(door: &Door, stream: TcpStream) -> Result<(), Refused> {
    stream.set_nodelay(true).map_err(Refused::Ended)?;
    let acceptor = TlsAcceptor::from(door.tls.clone());
    let mut stream = timeout(HANDSHAKE, acceptor.accept(stream))
        .await
        .map_err(|_| Refused::Handshake("it took over 5 s".to_owned()))?
        .map_err(|error| Refused::Handshake(error.to_string()))?;
    let name = stream
        .get_ref()
        .1
        .peer_certificates()
        .and_then(|chain| chain.first())
        .and_then(crate::tls::common_name)
        .unwrap_or_default();
    let station: StationId = name.parse().map_err(|_| Refused::Stranger(name.clone()))?;
    if door.store.station_key(&station).await?.is_none() {
        return Err(Refused::Stranger(name));
    }
    let guard = Guard::new(&station);
    let connect = timeout(CONNECT, read_packet(&mut stream))
        .await
        .map_err(|_| PacketError::Late)??
        .ok_or(PacketError::Late)?;
    let connect = guard.connect(&connect, &door.secret)?;
    let mut broker = TcpStream::connect(door.broker).await.map_err(Refused::Broker)?;
    broker.set_nodelay(true).map_err(Refused::Broker)?;
    broker.write_all(&connect).await.map_err(Refused::Broker)?;
    tracing::info!(%station, "a station is connected");
    pipe(stream, broker, &guard).await
}

/// Carries packets of the station that it may send to the broker, and all bytes back.
async fn pipe<S>(stream: S, broker: TcpStream, guard: &Guard) -> Result<(), Refused>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut from_station, mut to_station) = tokio::io::split(stream);
    let (mut from_broker, mut to_broker) = broker.into_split();
    let up = async {
        while let Some(packet) = read_packet(&mut from_station).await? {
            guard.check(&packet)?;
            to_broker.write_all(&packet).await.map_err(Refused::Broker)?;
        }
        Ok::<(), Refused>(())
    };
    let down = async {
        tokio::io::copy(&mut from_broker, &mut to_station).await.map_err(Refused::Ended)?;
        to_station.shutdown().await.map_err(Refused::Ended)
    };
    tokio::select! {
        done = up => done,
        done = down => done,
    }
}

/// How many connections each address has.
#[derive(Debug, Default)]
struct Addresses {
    counts: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection's place among those of its address; given back when dropped.
struct Seat {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    fn enter(self: &Arc<Self>, address: IpAddr, most: usize) -> Option<Seat> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Seat { addresses: self.clone(), address })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.addresses.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

const HANDSHAKE: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
