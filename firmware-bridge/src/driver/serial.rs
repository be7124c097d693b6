//! Serial ports: opened raw, eight bits, no parity; pseudo-terminals too.

use std::path::Path;

use tokio_serial::{SerialPortBuilderExt, SerialStream};

use super::session::Broken;
use crate::configuration::DeviceConfig;

/// Opens the device's port.
pub(super) fn open(device: &DeviceConfig) -> Result<SerialStream, Broken> {
    let Some(path) = &device.serial else {
        return Err(Broken::Faulty("its configuration names no serial port".to_owned()));
    };
    open_path(path, device.baud.unwrap_or(BAUD))
        .map_err(|error| Broken::Gone(format!("{} cannot be opened: {error}", path.display())))
}

fn open_path(path: &Path, baud: u32) -> tokio_serial::Result<SerialStream> {
    // A link by id is resolved here, so that what it leads to decides.
    let real = path.canonicalize()?;
    // The kernel keeps the lock of a pseudo-terminal after its holder was killed, and would
    // refuse the next one for as long as the other side lives.
    let exclusive = !real.starts_with("/dev/pts");
    tokio_serial::new(real.to_string_lossy(), baud).exclusive(exclusive).open_native_async()
}

/// What readers, scanners, scales and validators are delivered with.
const BAUD: u32 = 9600;
