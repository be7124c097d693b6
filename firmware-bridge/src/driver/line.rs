//! The line of a device that only speaks: a serial port, a TCP connection, a keyboard wedge.

use std::time::Duration;

use tokio::io::AsyncRead;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::report::Reporter;
use super::session::{Broken, Decoder, listen};
use super::{serial, wedge};
use crate::configuration::DeviceConfig;

/// Opens the device's line and reads it until it breaks.
pub(super) async fn session(
    device: &DeviceConfig,
    decoder: impl Decoder,
    reporter: &mut Reporter,
    stop: &CancellationToken,
) -> Result<(), Broken> {
    let line: Box<dyn AsyncRead + Send + Unpin> = match (&device.tcp, &device.wedge) {
        (Some(address), _) => {
            let connected = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                connected = connect(address) => connected,
            };
            Box::new(connected?)
        }
        (_, Some(keyboard)) => Box::new(wedge::open(keyboard)?),
        _ => Box::new(serial::open(device)?),
    };
    listen(line, decoder, reporter, stop).await
}

/// Connects to `HOST:PORT`.
pub(super) async fn connect(address: &str) -> Result<TcpStream, Broken> {
    match timeout(PATIENCE, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(Broken::Gone(format!("{address} cannot be reached: {error}"))),
        Err(_) => Err(Broken::Gone(format!("{address} does not answer"))),
    }
}

const PATIENCE: Duration = Duration::from_secs(5);
