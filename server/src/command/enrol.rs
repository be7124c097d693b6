//! `tidewaiter-server enrol`: a station's request in, its answer out.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::{Configured, Verdict, permission};
use crate::authority::{Authority, EnrolmentRequest};
use crate::configuration::ServerConfiguration;
use crate::disk;
use crate::store::Store;

pub(super) const EXAMPLE: &str = "Example:\n  tidewaiter-server enrol --config server.toml --request ruvvo-dep-07.request.json \
--answer ruvvo-dep-07.answer.json\n\nWorks while the server runs, and before it ever ran.";

/// Arguments of `enrol`.
#[derive(Debug, Args)]
pub(super) struct Enrol {
    #[command(flatten)]
    configured: Configured,
    /// What `tidewaiter-bridge enrol --request` wrote.
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    /// Where the answer goes.
    #[arg(long, value_name = "FILE")]
    answer: PathBuf,
}

impl Enrol {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let configuration = ServerConfiguration::read(&self.configured.config)?;
        let text = disk::read_text(&self.request)?;
        let request: EnrolmentRequest = serde_json::from_str(&text)
            .with_context(|| format!("{}: not an enrolment request", self.request.display()))?;
        let data = &configuration.server.data;
        disk::make_directory(data)?;
        let authority = Authority::open(data)?;
        let broker = match (&configuration.broker.advertise, &configuration.broker.external) {
            (Some(advertised), _) => advertised.clone(),
            (None, Some(external)) => format!("{}:{}", external.host, external.port),
            (None, None) => configuration.broker.listen.to_string(),
        };
        let answer = authority.enrol(&request, broker)?;
        super::runtime()?.block_on(async {
            let store = Store::open(&configuration.store_file()).await?;
            let now = configuration.clock().now();
            store.register_station(&request.station, request.signing_key, now).await?;
            permission::note(&store, "station_enrolled", request.station.as_str()).await?;
            store.close().await;
            Ok::<(), anyhow::Error>(())
        })?;
        let mut bytes = serde_json::to_vec_pretty(&answer)?;
        bytes.push(b'\n');
        // The answer holds the authority's subject key.
        disk::write_secret(&self.answer, &bytes)?;
        super::say_on_stderr(&format!("{} is enrolled", request.station));
        Ok(Verdict::Well)
    }
}
