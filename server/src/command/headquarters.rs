//! `tidewaiter-server hq`: headquarters.

use clap::{Args, Subcommand};

use super::{Configured, Verdict};
use crate::configuration::HeadquartersConfiguration;

const EXAMPLE: &str = "Example:\n  tidewaiter-server hq run --config /etc/tidewaiter/headquarters.toml\n\n\
Exit status: 0 after a clean stop (SIGTERM, Ctrl-C), 1 when a part failed, 2 for a wrong configuration.";

/// What headquarters can be told to do.
#[derive(Debug, Subcommand)]
pub(super) enum Headquarters {
    /// Takes bundles, verifies them, answers with signed receipts, serves its page.
    #[command(after_help = EXAMPLE)]
    Run(Run),
}

/// Arguments of `hq run`.
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    configured: Configured,
}

impl Headquarters {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let Self::Run(Run { configured }) = self;
        let configuration = HeadquartersConfiguration::read(&configured.config)?;
        super::runtime()?.block_on(crate::headquarters::run(configuration))?;
        Ok(Verdict::Well)
    }
}
