//! `tidewaiter-bridge record`: a device's line written down, for the engineer.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Configured, Verdict};
use crate::capture::{Chunk, Heading};
use crate::configuration::{BridgeConfiguration, DeviceConfig};
use crate::driver::{self, DriverEvent};

pub(super) const EXAMPLE: &str = "Example:
  tidewaiter-bridge record --config /etc/tidewaiter/bridge.toml --device counter-1 --out one.capture
  tidewaiter-bridge simulate play one.capture --link /tmp/counter-1.tty

Drives one device as `run` would, records nothing in the ledger, and writes what is said on its
line until Ctrl-C. Stop the station first: a line has one listener. What it reads is on standard
error. The file is its owner's only: it holds what travellers' documents say. Destroy it after use.";

/// Arguments of `record`.
#[derive(Debug, Args)]
pub(super) struct Record {
    #[command(flatten)]
    configured: Configured,
    /// Which device, by its id.
    #[arg(long, value_name = "ID")]
    device: String,
    /// The file that is written; one that is there already is not.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Record {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let configuration = BridgeConfiguration::read(&self.configured.config)?;
        let devices = &configuration.devices;
        let device = devices.iter().find(|device| device.id == self.device);
        let device = device.with_context(|| {
            let ids: Vec<&str> = devices.iter().map(|device| device.id.as_str()).collect();
            format!("there is no device {:?}; there are: {}", self.device, ids.join(", "))
        })?;
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.out)
            .with_context(|| format!("{} cannot be written", self.out.display()))?;
        let clock = configuration.clock();
        let now = move || clock.now();
        super::runtime()?.block_on(record(device.clone(), now, BufWriter::new(file)))?;
        Ok(Verdict::Well)
    }
}

async fn record(
    device: DeviceConfig,
    now: impl Fn() -> jiff::Timestamp + Send + Sync + 'static,
    mut file: impl Write,
) -> anyhow::Result<()> {
    Heading::of(&device).write(&mut file)?;
    file.flush()?;
    let (events, mut said) = mpsc::channel(64);
    let (sender, mut chunks) = mpsc::channel::<Chunk>(1024);
    let stop = CancellationToken::new();
    let driver = tokio::spawn(driver::record(device, now, events, stop.clone(), sender));
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => break,
            chunk = chunks.recv() => match chunk {
                Some(chunk) => {
                    chunk.write(&mut file)?;
                    file.flush()?;
                }
                None => break,
            },
            event = said.recv() => match event {
                Some(event) => say(&event),
                None => break,
            },
        }
    }
    stop.cancel();
    // What was on the way when it stopped is the last of it.
    while let Some(chunk) = chunks.recv().await {
        chunk.write(&mut file)?;
    }
    driver.await?;
    Ok(file.flush()?)
}

/// What the driver makes of it, without what a traveller's document says.
fn say(event: &DriverEvent) {
    match event {
        DriverEvent::Reading { body, .. } => tracing::info!(kind = body.type_name(), "reading"),
        DriverEvent::Refused { kind, bytes } => {
            tracing::warn!(kind, bytes = bytes.len(), "refused");
        }
        // The driver has said it.
        DriverEvent::State(..) => {}
    }
}
