//! Messages on the station's own bus (contract section 4): a driver, kiosk or tablet speaks, the
//! recorder answers once the ledger has it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What a source publishes on `…/device/DEVICE/event`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeviceEvent {
    /// Unique per device: a repeat is recorded once.
    pub id: String,
    /// The inspection it belongs to; absent, the lane's open one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inspection: Option<String>,
    /// The device's own clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The body, kept as it came.
    pub body: Box<RawValue>,
}

/// What the recorder answers on `…/device/DEVICE/recorded`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Recorded {
    /// The ledger has it.
    Done {
        /// The event's id.
        id: String,
        /// Epoch of the record.
        epoch: u64,
        /// Number of the record.
        seq: u64,
        /// Chain hash of the record, hex.
        hash: String,
    },
    /// It was not recorded, and why.
    Refused {
        /// The event's id.
        id: String,
        /// Why, in words.
        error: String,
        /// Whether it may be recorded when it is said again later: the disk was full, say.
        #[serde(default)]
        retry: bool,
    },
}

/// What stands on `…/device/DEVICE/state`, retained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceStatus {
    /// Online, offline or faulty.
    pub state: Availability,
    /// What is wrong, in words an officer understands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The last good reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_reading: Option<Timestamp>,
}

/// Whether a device can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// It answers.
    Online,
    /// It is gone.
    Offline,
    /// It answers, and says that something is wrong.
    Fault,
}
