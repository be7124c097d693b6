//! `tidewaiter-bridge enrol`: writes the station's request, and puts the server's answer in place.

use std::path::PathBuf;

use clap::Args;
use tidewaiter_program::disk;

use super::{Configured, Verdict};
use crate::configuration::BridgeConfiguration;
use crate::keys::{Enrolment, StationKeys};

pub(super) const EXAMPLE: &str = "Example:\n  tidewaiter-bridge enrol --config bridge.toml --request ruvvo-dep-07.request.json\n  \
tidewaiter-bridge enrol --config bridge.toml --answer ruvvo-dep-07.answer.json\n\nBetween the two, on the server:\n  \
tidewaiter-server enrol --config server.toml --request ruvvo-dep-07.request.json --answer ruvvo-dep-07.answer.json\n\n\
The station's private keys never leave it.";

/// Arguments of `enrol`.
#[derive(Debug, Args)]
pub(super) struct Enrol {
    #[command(flatten)]
    configured: Configured,
    #[command(flatten)]
    step: Step,
}

/// Which of the two steps.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Step {
    /// Where the request goes.
    #[arg(long, value_name = "OUT")]
    request: Option<PathBuf>,
    /// What the server answered.
    #[arg(long, value_name = "IN")]
    answer: Option<PathBuf>,
}

impl Enrol {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let configuration = BridgeConfiguration::read(&self.configured.config)?;
        let (data, name) = (&configuration.station.data, &configuration.station.name);
        if let Some(file) = &self.step.request {
            let request = StationKeys::open(data)?.request(name)?;
            let mut bytes = serde_json::to_vec_pretty(&request)?;
            bytes.push(b'\n');
            disk::write(file, &bytes)?;
            super::say_on_stderr(&format!("{name}: the request is in {}", file.display()));
        }
        if let Some(file) = &self.step.answer {
            Enrolment::install(file, data, name)?;
            super::say_on_stderr(&format!("{name} is enrolled"));
        }
        Ok(Verdict::Well)
    }
}
