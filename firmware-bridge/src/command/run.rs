//! `tidewaiter-bridge run`: opens the ledger, starts the parts, serves until it is stopped.

use anyhow::Context;
use clap::Args;
use tidewaiter_ledger::{Ledger, LedgerOptions, ledger_dir};
use tidewaiter_program::disk;
use tidewaiter_program::lifecycle::Lifecycle;
use tidewaiter_proto::sync::station::Pace;
use tidewaiter_web::guard::Door;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::{Configured, Verdict};
use crate::assess::Assessor;
use crate::bus::{self, BusLink, BusLogin};
use crate::configuration::{self, BridgeConfiguration};
use crate::http;
use crate::keys::{Enrolment, StationKeys};
use crate::officers::Officers;
use crate::recorder::Recorder;
use crate::refusals::Refusals;
use crate::station::Station;
use crate::sync::{self, SyncSettings};
use crate::time;

pub(super) const EXAMPLE: &str = "Example:\n  tidewaiter-bridge run --config /etc/tidewaiter/bridge.toml\n\n\
Exit status: 0 after a clean stop (SIGTERM, Ctrl-C), 1 when a part failed, 2 for a wrong configuration.";

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    configured: Configured,
}

impl Run {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let configuration = BridgeConfiguration::read(&self.configured.config)?;
        super::runtime()?.block_on(run(configuration))?;
        Ok(Verdict::Well)
    }
}

async fn run(configuration: BridgeConfiguration) -> anyhow::Result<()> {
    // A limit on file sizes is an error that the ledger can say, not the end of the process.
    let too_large = SignalKind::from_raw(nix::sys::signal::SIGXFSZ as i32);
    let _too_large = signal(too_large).context("SIGXFSZ cannot be taken")?;
    let (data, name) = (&configuration.station.data, &configuration.station.name);
    disk::make_directory(data)?;
    let enrolment = Enrolment::open(data, name)?;
    let keys = StationKeys::open(data)?;
    let tls = keys.tls(&enrolment)?;
    let options = LedgerOptions::new(ledger_dir(data), name.clone(), keys.ledger(&enrolment));
    let ledger = tokio::task::spawn_blocking(move || Ledger::open(options))
        .await?
        .context("the ledger cannot be opened")?;
    for notice in ledger.health().notices {
        tracing::warn!("the ledger: {notice}");
    }
    let recent = ledger.recent(RECENT).context("the ledger cannot be read")?;
    let assessor = Assessor::built_in(configuration.jurisdiction(), &recent)?;
    // One clock: records are made by the one that a demonstration sets.
    let clock = configuration.clock();
    let recorder = Recorder::open(
        ledger.clone(),
        clock.clone(),
        configuration.lane.clone(),
        configuration.profiles(),
        enrolment.subjects.clone(),
    )?;
    let (station, watcher) = Station::new(ledger.clone(), recorder, clock, assessor, &recent)?;
    drop(recent);

    let mut lifecycle = Lifecycle::new();
    let stop = lifecycle.stop();
    let address = configuration.listen();
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("the page cannot be served on {address}"))?;
    let link = bus_link(&configuration, &mut lifecycle).await?;
    lifecycle.spawn("warnings", watcher.run(stop.clone()));
    for done in [station.finish().await, station.note_policy().await] {
        if let Err(error) = done {
            // A full disk: the page says so, and what is held can be read and sent.
            station.notice(error.to_string());
        }
    }
    lifecycle.spawn("bus", bus::recorder::run(link.clone(), station.clone(), stop.clone()));
    let refusals = Refusals::at(data, keys.wrapping.clone());
    for device in configuration.devices.clone() {
        let (link, station, refusals) = (link.clone(), station.clone(), refusals.clone());
        lifecycle.spawn("device", bus::device::run(link, device, station, refusals, stop.clone()));
    }
    let officers = Officers::open(station.clone(), enrolment.server, configuration.sign_in());
    let settings = SyncSettings {
        officers: officers.clone(),
        broker: enrolment.broker.clone(),
        tls,
        signing: keys.signing.clone(),
        server: enrolment.server,
        pace: Pace::default(),
        retention: configuration.retention.age(),
    };
    lifecycle.spawn("clock", time::watch::run(station.clone(), stop.clone()));
    lifecycle.spawn("sync", sync::run(settings, station.clone(), stop.clone()));
    let door = Door::behind_proxy(configuration.http.behind_tls);
    let router = http::router(station, officers, stop.clone(), door);
    tracing::info!(%address, "the officer's page is served");
    lifecycle.spawn("web", http::serve(listener, router, stop));
    let ended = lifecycle.run().await;
    tokio::task::spawn_blocking(move || ledger.close()).await?;
    ended
}

async fn bus_link(
    configuration: &BridgeConfiguration,
    lifecycle: &mut Lifecycle,
) -> anyhow::Result<BusLink> {
    if let Some(address) = configuration.bus.external {
        let login = bus_login(&configuration.bus)?;
        return Ok(BusLink { address, embedded: false, login });
    }
    let listen = configuration.bus_listen();
    let broker = bus::embedded(&configuration.station.name, listen).await?;
    let (address, stop) = (broker.address, lifecycle.stop());
    tracing::info!(%address, "the station's bus is there");
    lifecycle.spawn("broker", async move {
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            _ = broker.ended => Err(anyhow::anyhow!("the embedded broker ended")),
        }
    });
    Ok(BusLink { address, embedded: true, login: None })
}

/// The login at an external broker, with the password as its file has it but for the line's end.
fn bus_login(bus: &configuration::Bus) -> anyhow::Result<Option<BusLogin>> {
    let (Some(user), Some(file)) = (&bus.user, &bus.password_file) else { return Ok(None) };
    let text = disk::read_text(file)?;
    let password = text.trim_end_matches(['\r', '\n']).to_owned();
    Ok(Some(BusLogin { user: user.clone(), password }))
}

/// Records looked at when the station starts: the latest inspections, and the history of warnings.
const RECENT: u64 = 20_000;
