//! `tidewaiter-bridge refused`: bytes that drivers refused, opened with the station's key.

use std::io::Write;

use clap::Args;
use serde_json::json;
use tidewaiter_codec::stream::spaced_hex;

use super::{Configured, Verdict};
use crate::configuration::BridgeConfiguration;
use crate::keys::StationKeys;
use crate::refusals::Refusals;

pub(super) const EXAMPLE: &str = "Example:
  tidewaiter-bridge refused --config /etc/tidewaiter/bridge.toml --device mrz-1

One JSON object a line, oldest first: device, kind of fault, time, bytes in hex. They may be a
traveller's. Exit status: 1 when some cannot be opened with this station's key.";

/// Arguments of `refused`.
#[derive(Debug, Args)]
pub(super) struct Refused {
    #[command(flatten)]
    configured: Configured,
    /// Of this device only.
    #[arg(long, value_name = "ID")]
    device: Option<String>,
}

impl Refused {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let configuration = BridgeConfiguration::read(&self.configured.config)?;
        let data = &configuration.station.data;
        // Opening would make keys where there are none.
        anyhow::ensure!(
            data.join("keys").exists(),
            "{} has no keys of a station: nothing was refused there",
            data.display()
        );
        let keys = StationKeys::open(data)?;
        let refusals = Refusals::at(data, keys.wrapping.clone()).read(self.device.as_deref())?;
        let mut out = std::io::stdout().lock();
        let mut all = true;
        for refusal in refusals {
            all &= refusal.bytes.is_some();
            let hex = refusal.bytes.as_deref().map(spaced_hex);
            let (device, kind, at) = (refusal.device, refusal.kind, refusal.at.to_string());
            let line = json!({"device": device, "kind": kind, "at": at, "hex": hex});
            writeln!(out, "{line}")?;
        }
        Ok(if all { Verdict::Well } else { Verdict::NotWell })
    }
}
