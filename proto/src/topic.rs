//! MQTT topics (contract section 4), one type with `Display` and `parse`, so that no other file
//! writes a topic by hand.

use std::fmt;
use std::str::FromStr;

use crate::station::StationId;

/// One topic of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A device's events.
    Event(StationId, String),
    /// The recorder's answers to a device.
    Recorded(StationId, String),
    /// A device's state, retained.
    DeviceState(StationId, String),
    /// Signed batches of a station.
    Up(StationId),
    /// A station's signed presence, retained.
    State(StationId),
    /// Signed receipts and commands to a station.
    Down(StationId),
    /// The manifest of policy and lists in force, retained.
    Policy,
}

/// Filter of all batches; the server takes them through a shared subscription.
pub const UP_FILTER: &str = "tidewaiter/v1/+/+/up";
/// The same, shared between replicas.
pub const UP_SHARED_FILTER: &str = "$share/tidewaiter/tidewaiter/v1/+/+/up";
/// Filter of every station's presence.
pub const STATE_FILTER: &str = "tidewaiter/v1/+/+/state";
const ROOT: &str = "tidewaiter/v1";
const POLICY: &str = "tidewaiter/v1/policy";

/// Why a text is not a topic of the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a topic of Tidewaiter")]
pub struct TopicError(String);

impl Topic {
    /// Filter of all device events of one station.
    pub fn event_filter(station: &StationId) -> String {
        format!("{ROOT}/{station}/device/+/event")
    }

    /// Filter of all answers to devices of one station.
    pub fn recorded_filter(station: &StationId) -> String {
        format!("{ROOT}/{station}/device/+/recorded")
    }

    /// Filter of all device states of one station.
    pub fn device_state_filter(station: &StationId) -> String {
        format!("{ROOT}/{station}/device/+/state")
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(station, device) => write!(f, "{ROOT}/{station}/device/{device}/event"),
            Self::Recorded(station, device) => {
                write!(f, "{ROOT}/{station}/device/{device}/recorded")
            }
            Self::DeviceState(station, device) => {
                write!(f, "{ROOT}/{station}/device/{device}/state")
            }
            Self::Up(station) => write!(f, "{ROOT}/{station}/up"),
            Self::State(station) => write!(f, "{ROOT}/{station}/state"),
            Self::Down(station) => write!(f, "{ROOT}/{station}/down"),
            Self::Policy => f.write_str(POLICY),
        }
    }
}

impl FromStr for Topic {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || TopicError(text.chars().take(128).collect());
        if text == POLICY {
            return Ok(Self::Policy);
        }
        let parts: Vec<&str> = text.split('/').collect();
        let station = |site: &str, lane: &str| {
            format!("{site}/{lane}").parse::<StationId>().map_err(|_| refused())
        };
        match parts.as_slice() {
            ["tidewaiter", "v1", site, lane, "device", device, kind] if is_device_id(device) => {
                let (station, device) = (station(site, lane)?, (*device).to_owned());
                match *kind {
                    "event" => Ok(Self::Event(station, device)),
                    "recorded" => Ok(Self::Recorded(station, device)),
                    "state" => Ok(Self::DeviceState(station, device)),
                    _ => Err(refused()),
                }
            }
            ["tidewaiter", "v1", site, lane, kind] => {
                let station = station(site, lane)?;
                match *kind {
                    "up" => Ok(Self::Up(station)),
                    "state" => Ok(Self::State(station)),
                    "down" => Ok(Self::Down(station)),
                    _ => Err(refused()),
                }
            }
            _ => Err(refused()),
        }
    }
}

/// A device id: 1 to 32 of a-z, 0-9, '-', '_'.
pub fn is_device_id(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::Topic;

    #[test]
    fn every_topic_reads_back_as_itself() {
        let station: crate::station::StationId = "ruvvo/dep-07".parse().unwrap();
        for topic in [
            Topic::Event(station.clone(), "mrz-1".to_owned()),
            Topic::Recorded(station.clone(), "mrz-1".to_owned()),
            Topic::DeviceState(station.clone(), "mrz-1".to_owned()),
            Topic::Up(station.clone()),
            Topic::State(station.clone()),
            Topic::Down(station),
            Topic::Policy,
        ] {
            assert_eq!(topic.to_string().parse::<Topic>().unwrap(), topic);
        }
    }

    #[test]
    fn wildcards_and_foreign_topics_are_refused() {
        for text in [
            "tidewaiter/v1/+/+/up",
            "tidewaiter/v2/ruvvo/a/up",
            "a",
            "tidewaiter/v1/ruvvo/a/device/#/event",
        ] {
            assert!(text.parse::<Topic>().is_err(), "{text}");
        }
    }
}
