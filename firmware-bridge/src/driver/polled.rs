//! One connection to a device that must be asked: the host's side is a state machine, this file
//! moves its bytes and keeps its times.

use tidewaiter_proto::body::Body;
use tidewaiter_proto::bus::Availability;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::report::Reporter;
use super::serial;
use super::session::Broken;
use crate::configuration::DeviceConfig;

/// What a host wants done.
#[expect(clippy::large_enum_variant, reason = "a box would only move the bytes")]
#[derive(Debug)]
pub(super) enum Action {
    /// Send these bytes.
    Send(Vec<u8>),
    /// Something was read.
    Reading(Body),
    /// The device does what it must.
    Well,
    /// Tell the officer: the kind of fault, and words.
    Fault(&'static str, String),
    /// End this connection.
    End(Broken),
}

/// The host's side of a protocol; without a connection, without a clock.
pub(super) trait Host {
    /// A new connection is open.
    fn connected(&mut self, now: Instant) -> Vec<Action>;

    /// Bytes came.
    fn hear(&mut self, bytes: &[u8], now: Instant) -> Vec<Action>;

    /// It is [`Host::deadline`].
    fn act(&mut self, now: Instant) -> Vec<Action>;

    /// When to act, if nothing comes before.
    fn deadline(&self) -> Instant;

    /// The connection ended: what was being read, as far as it came.
    fn broke(&mut self) -> Option<Body>;
}

/// Talks with the device until the connection breaks (never `Ok` but when told to stop).
pub(super) async fn session(
    device: &DeviceConfig,
    host: &mut impl Host,
    reporter: &mut Reporter,
    stop: &CancellationToken,
) -> Result<(), Broken> {
    let ended = converse(device, host, reporter, stop).await;
    // Half a count is told as such, whatever comes of the device.
    if let Some(body) = host.broke() {
        reporter.reading(body).await?;
    }
    ended
}

async fn converse(
    device: &DeviceConfig,
    host: &mut impl Host,
    reporter: &mut Reporter,
    stop: &CancellationToken,
) -> Result<(), Broken> {
    let mut port = serial::open(device)?;
    let mut buffer = vec![0; 4096];
    let mut actions = host.connected(Instant::now());
    loop {
        let fault = actions.iter().find_map(|action| match action {
            Action::Fault(kind, _) => Some(*kind),
            _ => None,
        });
        match fault {
            Some(kind) => reporter.refused(kind).await?,
            None if !actions.is_empty() => reporter.understood(),
            None => {}
        }
        for action in actions {
            match action {
                Action::Send(bytes) => {
                    reporter.sent(&bytes).await;
                    port.write_all(&bytes).await.map_err(|error| Broken::unplugged(&error))?;
                }
                Action::Reading(body) => reporter.reading(body).await?,
                Action::Well => reporter.say(Availability::Online, String::new()).await?,
                Action::Fault(kind, detail) => reporter.fault(kind, detail).await?,
                Action::End(broken) => return Err(broken),
            }
        }
        actions = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            read = port.read(&mut buffer) => match read {
                Ok(0) => return Err(Broken::Gone("the device closed the connection".to_owned())),
                Ok(length) => {
                    let bytes = buffer.get(..length).unwrap_or_default();
                    reporter.heard(bytes).await;
                    host.hear(bytes, Instant::now())
                }
                Err(error) => return Err(Broken::unplugged(&error)),
            },
            () = sleep_until(host.deadline()) => host.act(Instant::now()),
        };
    }
}
