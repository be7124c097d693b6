//! Serial ports: opened raw, as the device's configuration, its profile or its protocol says;
//! pseudo-terminals too.
//!
//! With parity a byte with a turned bit is read as zero, which no protocol here takes for a
//! character.

use std::path::Path;

use tokio_serial::{DataBits, Parity, SerialPortBuilderExt, SerialStream, StopBits};

use super::session::Broken;
use crate::configuration::{self, DeviceConfig, DriverKind};

/// Opens the device's port.
pub(super) fn open(device: &DeviceConfig) -> Result<SerialStream, Broken> {
    let Some(path) = &device.serial else {
        return Err(Broken::Faulty("its configuration names no serial port".to_owned()));
    };
    open_path(path, device)
        .map_err(|error| Broken::Gone(format!("{} cannot be opened: {error}", path.display())))
}

fn open_path(path: &Path, device: &DeviceConfig) -> tokio_serial::Result<SerialStream> {
    // A link by id is resolved here, so that what it leads to decides.
    let real = path.canonicalize()?;
    // The kernel keeps the lock of a pseudo-terminal after its holder was killed, and would
    // refuse the next one for as long as the other side lives.
    let exclusive = !real.starts_with("/dev/pts");
    let parity = match device.parity {
        None | Some(configuration::Parity::None) => Parity::None,
        Some(configuration::Parity::Even) => Parity::Even,
        Some(configuration::Parity::Odd) => Parity::Odd,
    };
    // SSP asks for two stop bits (manual GA138); all else is content with one.
    let usual = if device.driver == DriverKind::Ssp { 2 } else { 1 };
    let stop_bits = match device.stop_bits.unwrap_or(usual) {
        2 => StopBits::Two,
        _ => StopBits::One,
    };
    let data_bits = match device.data_bits {
        Some(7) => DataBits::Seven,
        _ => DataBits::Eight,
    };
    tokio_serial::new(real.to_string_lossy(), device.baud.unwrap_or(BAUD))
        .parity(parity)
        .stop_bits(stop_bits)
        .data_bits(data_bits)
        .exclusive(exclusive)
        .open_native_async()
}

/// What readers, scanners, scales and validators are delivered with.
const BAUD: u32 = 9600;
