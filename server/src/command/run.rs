//! `tidewaiter-server run`: opens the store, starts the parts by role, serves until it is stopped.

use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use sha2::{Digest, Sha256};
use tidewaiter_web::guard::Door as PageDoor;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Configured, Verdict, permission};
use crate::assess::Assessor;
use crate::authority::Authority;
use crate::broker::{BrokerLink, EmbeddedBroker};
use crate::bundle::seal::{Checker, Signer};
use crate::bundle::{Night, NightSettings};
use crate::clock::Clock;
use crate::configuration::ServerConfiguration;
use crate::ingest::Told;
use crate::ingest::accounts::Accounts;
use crate::ingest::manifest::Announcer;
use crate::inspection::Opener;
use crate::law::force::Force;
use crate::lifecycle::Lifecycle;
use crate::listener::{self, Door};
use crate::people::outside::Outside;
use crate::people::{People, SignIn};
use crate::state::{AppState, Parts};
use crate::store::Store;
use crate::{disk, http, tls};

pub(super) const EXAMPLE: &str = "Example:\n  tidewaiter-server run --config /etc/tidewaiter/server.toml\n\n\
Exit status: 0 after a clean stop (SIGTERM, Ctrl-C), 1 when a part failed, 2 for a wrong configuration.";

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    configured: Configured,
    /// What this process does; all of it when absent.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "ROLE,…")]
    roles: Vec<Role>,
}

/// One kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Role {
    /// Takes batches from the broker; without an external broker, runs the embedded one.
    Ingest,
    /// Turns records into alerts.
    Assess,
    /// Serves pages and the programming interface.
    Web,
    /// Makes the nightly bundle and takes its receipts.
    Bundle,
}

impl Run {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let configuration = ServerConfiguration::read(&self.configured.config)?;
        super::runtime()?.block_on(async {
            let server = Server::open(configuration).await?;
            server.run(&self.roles).await?;
            Ok(Verdict::Well)
        })
    }
}

/// A server with its store open and its keys read.
struct Server {
    configuration: ServerConfiguration,
    authority: Authority,
    store: Store,
    clock: Clock,
}

impl Server {
    async fn open(configuration: ServerConfiguration) -> anyhow::Result<Self> {
        let data = &configuration.server.data;
        disk::make_directory(data)?;
        let authority = Authority::open(data).context("the authority cannot be opened")?;
        let store =
            Store::open(&configuration.store_file()).await.context("the store cannot be opened")?;
        permission::note(&store, "server_started", env!("CARGO_PKG_VERSION")).await?;
        let clock = configuration.clock();
        Ok(Self { configuration, authority, store, clock })
    }

    async fn run(self, roles: &[Role]) -> anyhow::Result<()> {
        let does = |role| roles.is_empty() || roles.contains(&role);
        let mut lifecycle = Lifecycle::new();
        let opener = Opener::new(self.store.clone(), self.authority.sealing.clone());
        let policy = &self.configuration.policy;
        let force = Force::open(policy, &self.store).await?;
        let night = self.night(force.clone())?;
        let stop = lifecycle.stop();
        // First: when the pages say that the program is ready, stations are taken too.
        if does(Role::Ingest) {
            self.ingest(&force, &mut lifecycle).await?;
        }
        if does(Role::Assess) {
            let (store, jurisdiction) = (self.store.clone(), policy.jurisdiction.clone());
            let (opener, clock) = (opener.clone(), self.clock.clone());
            let force = force.clone();
            let assessor =
                Assessor::new(store, opener, force, jurisdiction, &self.authority, clock);
            lifecycle.spawn("assess", assessor.run(stop.clone()));
        }
        if does(Role::Web) {
            let state = AppState::new(Parts {
                store: self.store.clone(),
                clock: self.clock.clone(),
                people: self.people().await?,
                opener,
                night: night.clone(),
                force: force.clone(),
                stop: stop.clone(),
            });
            let door = PageDoor::behind_proxy(self.configuration.http.behind_tls);
            let address = self.configuration.listen();
            let listener = TcpListener::bind(address)
                .await
                .with_context(|| format!("pages cannot be served on {address}"))?;
            tracing::info!(%address, "pages are served");
            lifecycle.spawn("web", http::serve(listener, http::router(state, door), stop.clone()));
        }
        if does(Role::Bundle) {
            lifecycle.spawn("bundle", nights(night, self.schedule()?, stop.clone()));
        }
        lifecycle.spawn("law", force.follow(stop.clone()));
        let store = self.store.clone();
        lifecycle.spawn("store", async move {
            tokio::select! {
                () = stop.cancelled() => Ok(()),
                error = store.stopped() => match error {
                    Some(error) => Err(error),
                    None => Ok(()),
                },
            }
        });
        let ended = lifecycle.run().await;
        self.store.close().await;
        ended
    }

    /// The people of this server; shows the code of the first start where there is nobody yet.
    async fn people(&self) -> anyhow::Result<People> {
        let open = self.configuration.demonstration.is_some();
        let sign_in = if open { SignIn::Demonstration } else { SignIn::Required };
        let outside = self.configuration.sign_in.oidc.clone().map(Outside::new).transpose()?;
        let people =
            People::new(self.store.clone(), sign_in, &self.authority.signing).with_outside(outside);
        people.say_setup_code(self.configuration.listen()).await?;
        Ok(people)
    }

    /// Starts the broker, the door and what takes batches.
    async fn ingest(&self, force: &Force, lifecycle: &mut Lifecycle) -> anyhow::Result<()> {
        let settings = &self.configuration.broker;
        let link = match &settings.external {
            Some(external) => BrokerLink::external(external)?,
            None => self.embedded(lifecycle).await?,
        };
        let signing = self.authority.signing.clone();
        let (store, clock) = (self.store.clone(), self.clock.clone());
        let name = self.configuration.server.name.clone();
        let data = &self.configuration.server.data;
        let law = Announcer::open(force.clone(), data, signing.clone(), clock.clone())?;
        let lasts = self.configuration.stations.offline();
        let accounts = Accounts::new(store.clone(), signing.clone(), lasts);
        let told = Told { law, accounts };
        let task = crate::ingest::run(link, name, store, signing, clock, told, lifecycle.stop());
        lifecycle.spawn("ingest", task);
        Ok(())
    }

    /// Starts the embedded broker with the door for stations in front of it.
    async fn embedded(&self, lifecycle: &mut Lifecycle) -> anyhow::Result<BrokerLink> {
        let settings = &self.configuration.broker;
        let broker = EmbeddedBroker::start().await?;
        let files = self.authority.listener_files(&settings.names)?;
        let door = Door {
            tls: std::sync::Arc::new(tls::server(&files)?),
            store: self.store.clone(),
            broker: broker.address,
            secret: broker.secret.clone(),
            per_address: settings.connections_per_address,
            connections: settings.connections,
        };
        let address = settings.listen;
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("stations cannot be taken on {address}"))?;
        tracing::info!(%address, "stations are taken");
        lifecycle.spawn("door", listener::run(door, listener, lifecycle.stop()));
        let link = broker.link();
        let stop = lifecycle.stop();
        lifecycle.spawn("broker", async move {
            tokio::select! {
                () = stop.cancelled() => Ok(()),
                _ = broker.ended => Err(anyhow::anyhow!("the embedded broker ended")),
            }
        });
        Ok(link)
    }

    fn night(&self, force: Force) -> anyhow::Result<Night> {
        let derive = Sha256::new_with_prefix(b"tidewaiter/bundle/v1\0")
            .chain_update(self.authority.signing.seed())
            .finalize()
            .into();
        let settings = NightSettings {
            server: self.configuration.server.name.clone(),
            directory: self.configuration.bundle_directory(),
            headquarters: self.configuration.bundles.headquarters.clone(),
            sealing: self.authority.sealing.clone(),
            derive,
            signer: Signer::read(&self.authority.bundle_key_file())?,
            checker: Checker::read(&self.authority.bundle_public_file())?,
            force,
        };
        Ok(Night::new(settings, self.store.clone(), self.clock.clone()))
    }

    fn schedule(&self) -> anyhow::Result<Option<Schedule>> {
        let bundles = &self.configuration.bundles;
        let Some(at) = bundles.at else { return Ok(None) };
        let zone = match &bundles.zone {
            Some(name) => jiff::tz::TimeZone::get(name)?,
            None => jiff::tz::TimeZone::UTC,
        };
        Ok(Some(Schedule { at, zone, clock: self.clock.clone() }))
    }
}

/// When the night's bundle is made.
struct Schedule {
    at: jiff::civil::Time,
    zone: jiff::tz::TimeZone,
    clock: Clock,
}

impl Schedule {
    /// The local day whose bundle is due at this instant.
    fn day(&self) -> jiff::civil::Date {
        let local = self.clock.now().to_zoned_datetime(self.zone.clone());
        let date = local.date();
        if local.time() >= self.at { date } else { date.yesterday().unwrap_or(date) }
    }
}

/// Makes each night's bundle when it is due and takes receipts as they come. What fails is tried
/// again: a bundle covers all since the last.
async fn nights(
    night: Night,
    schedule: Option<Schedule>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut done = schedule.as_ref().map(Schedule::day);
    let mut every = tokio::time::interval(LOOK_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = every.tick() => {}
        }
        if let Err(error) = night.take_receipts().await {
            tracing::warn!(%error, "receipts cannot be taken");
        }
        let due = schedule.as_ref().map(Schedule::day);
        if due != done {
            match night.run().await {
                Ok(_) => done = due,
                Err(error) => tracing::error!(%error, "the night's bundle could not be made"),
            }
        }
    }
}

const LOOK_EVERY: Duration = Duration::from_millis(500);
