//! Captures: what a device and the bridge said to each other, with its times, as text.
//!
//! ```text
//! {"capture":1,"device":"mrz-1","driver":"mrz","line":"serial"}
//! {"ms":0,"from":"device","hex":"02 50 3C"}
//! {"ms":41,"from":"bridge","hex":"53 49 0D 0A"}
//! ```
//! A chunk is one message of a WebSocket or broker, one file of a directory, elsewhere what one
//! read gave. A capture holds what travellers' documents say: it is made by hand, for the engineer.

use std::io::{self, BufRead, Write};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidewaiter_codec::stream::{parse_hex, spaced_hex};

use crate::configuration::DeviceConfig;

/// A recording of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// Whose line it is.
    pub heading: Heading,
    /// What was said, in order.
    pub chunks: Vec<Chunk>,
}

/// The first line of a capture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heading {
    /// Version of the format.
    capture: u8,
    /// The device's id.
    pub device: String,
    /// What it is, in the word of the configuration.
    pub driver: String,
    /// What it was connected by.
    pub line: Line,
}

/// What a device is connected by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A serial port.
    Serial,
    /// A keyboard's events, as the bytes they type.
    Wedge,
    /// A TCP connection.
    Tcp,
    /// A WebSocket.
    WebSocket,
    /// A broker.
    Mqtt,
    /// A directory.
    Directory,
}

/// Who spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The device.
    Device,
    /// This agent.
    Bridge,
}

/// Something that was said at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// When, from the beginning of the recording.
    pub at: Duration,
    /// Who said it.
    pub from: Side,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A chunk as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    ms: u64,
    from: Side,
    hex: String,
}

/// Why a text is no capture.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// It cannot be read.
    #[error("the capture cannot be read: {0}")]
    Io(#[from] io::Error),
    /// There is no heading.
    #[error("the capture is empty: its first line is {{\"capture\":1,…}}")]
    Empty,
    /// A later version of the format.
    #[error("the capture is of version {0}; this program reads version {VERSION}")]
    Version(u8),
    /// A line that is none of the format.
    #[error("line {line} of the capture: {problem}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
}

impl Heading {
    /// The heading for a device as it is configured.
    pub fn of(device: &DeviceConfig) -> Self {
        let line = if device.tcp.is_some() {
            Line::Tcp
        } else if device.wedge.is_some() {
            Line::Wedge
        } else if device.mqtt.is_some() {
            Line::Mqtt
        } else if device.directory.is_some() {
            Line::Directory
        } else if device.url.is_some() || device.discover.is_some() {
            Line::WebSocket
        } else {
            Line::Serial
        };
        let driver = device.driver.name().to_owned();
        Self { capture: VERSION, device: device.id.clone(), driver, line }
    }

    /// Writes it, with its line end.
    ///
    /// # Errors
    /// Those of `to`.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        writeln!(to, "{}", serde_json::to_string(self)?)
    }
}

impl Chunk {
    /// Writes it, with its line end.
    ///
    /// # Errors
    /// Those of `to`.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let ms = u64::try_from(self.at.as_millis()).unwrap_or(u64::MAX);
        let written = Written { ms, from: self.from, hex: spaced_hex(&self.bytes) };
        writeln!(to, "{}", serde_json::to_string(&written)?)
    }
}

impl Capture {
    /// Reads a capture to its end; empty lines are passed over.
    ///
    /// # Errors
    /// [`CaptureError`], with the line.
    pub fn read(from: impl BufRead) -> Result<Self, CaptureError> {
        let mut heading: Option<Heading> = None;
        let mut chunks = Vec::new();
        for (number, line) in from.lines().enumerate() {
            let (text, line) = (line?, number + 1);
            let wrong = |problem: String| CaptureError::Line { line, problem };
            if text.trim().is_empty() {
                continue;
            }
            if heading.is_none() {
                let read: Heading =
                    serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
                if read.capture != VERSION {
                    return Err(CaptureError::Version(read.capture));
                }
                heading = Some(read);
                continue;
            }
            let written: Written =
                serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
            let bytes = parse_hex(&written.hex).ok_or_else(|| wrong("hex: no hex".to_owned()))?;
            chunks.push(Chunk { at: Duration::from_millis(written.ms), from: written.from, bytes });
        }
        Ok(Self { heading: heading.ok_or(CaptureError::Empty)?, chunks })
    }
}

const VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use super::{Capture, Chunk, Heading, Side};
    use crate::configuration::{DeviceConfig, DriverKind};
    use std::time::Duration;

    #[test]
    fn a_capture_reads_back_and_a_wrong_line_is_named() {
        let chunk = |ms, from, bytes: &[u8]| Chunk {
            at: Duration::from_millis(ms),
            from,
            bytes: bytes.to_vec(),
        };
        let capture = Capture {
            heading: Heading::of(&DeviceConfig::new("scale-1", DriverKind::Scale)),
            chunks: vec![chunk(0, Side::Bridge, b"SI\r\n"), chunk(12, Side::Device, b"S S\x00")],
        };
        let mut text = Vec::new();
        capture.heading.write(&mut text).unwrap();
        for chunk in &capture.chunks {
            chunk.write(&mut text).unwrap();
        }
        assert_eq!(Capture::read(text.as_slice()).unwrap(), capture);
        for (wrong, wanted) in [
            (String::new(), "is empty"),
            (String::from_utf8(text.clone()).unwrap().replace("53 49", "5 49"), "line 2"),
            (String::from_utf8(text.clone()).unwrap().replace("\"ms\":12", "\"at\":1"), "line 3"),
            (String::from_utf8(text).unwrap().replace("\"capture\":1", "\"capture\":9"), "9"),
        ] {
            let error = Capture::read(wrong.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }
}
