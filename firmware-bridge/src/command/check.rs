//! `tidewaiter-bridge check`: what is wrong in a configuration, with file, line and key.

use std::io::Write;

use clap::Args;

use super::{Configured, Verdict};
use crate::configuration::BridgeConfiguration;

pub(super) const EXAMPLE: &str = "Example:\n  tidewaiter-bridge check --config /etc/tidewaiter/bridge.toml\n\n\
Exit status: 0 when it is valid, 2 with file, line and key of what is wrong.";

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    configured: Configured,
}

impl Check {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let configuration = BridgeConfiguration::read(&self.configured.config)?;
        let (devices, sources) = (configuration.devices.len(), configuration.sources.len());
        let name = &configuration.station.name;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{name}: valid, {devices} devices, {sources} sources")?;
        Ok(Verdict::Well)
    }
}
