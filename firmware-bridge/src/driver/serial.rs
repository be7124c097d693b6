//! Serial ports: opened raw, eight bits, no parity; pseudo-terminals too.

use std::path::Path;

use tokio_serial::{SerialPortBuilderExt, SerialStream};
use tokio_util::sync::CancellationToken;

use super::report::Reporter;
use super::session::{Broken, Decoder, listen};
use crate::configuration::DeviceConfig;

/// Opens the device's port and reads it until it breaks.
pub(super) async fn session(
    device: &DeviceConfig,
    decoder: impl Decoder,
    reporter: &mut Reporter,
    stop: &CancellationToken,
) -> Result<(), Broken> {
    let Some(path) = &device.serial else {
        return Err(Broken::Faulty("its configuration names no serial port".to_owned()));
    };
    let port = open(path, device.baud.unwrap_or(BAUD))
        .map_err(|error| Broken::Gone(format!("{} cannot be opened: {error}", path.display())))?;
    listen(port, decoder, reporter, stop).await
}

fn open(path: &Path, baud: u32) -> tokio_serial::Result<SerialStream> {
    // A link by id is resolved here, so that what it leads to decides.
    let real = path.canonicalize()?;
    // The kernel keeps the lock of a pseudo-terminal after its holder was killed, and would
    // refuse the next one for as long as the other side lives.
    let exclusive = !real.starts_with("/dev/pts");
    tokio_serial::new(real.to_string_lossy(), baud).exclusive(exclusive).open_native_async()
}

/// What readers and scanners are delivered with.
const BAUD: u32 = 9600;
