//! Headquarters: takes the nightly bundles of servers, checks them against what it knows from
//! before, keeps what it accepts, and answers each with a signed receipt.
//!
//! Bundles come in as directories under one exchange directory, however they got there. Who copies
//! one by hand copies it under a name that begins with a dot and renames it when it is whole.
//!
//! | module | owns |
//! |---|---|
//! | [`keys`] | its keys, and the card with their public halves |
//! | [`desk`] | one bundle: checked, taken or refused, answered |

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use tidewaiter_web::guard::Door;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::command::permission;
use crate::configuration::HeadquartersConfiguration;
use crate::lifecycle::Lifecycle;
use crate::page::headquarters::HeadquartersView;
use crate::people::{People, SignIn};
use crate::store::Store;
use crate::{disk, http};

pub mod desk;
pub mod keys;

use desk::Desk;
use keys::Keys;

/// Runs headquarters until it is stopped.
///
/// # Errors
/// When a part of it cannot be started, or fails.
pub async fn run(configuration: HeadquartersConfiguration) -> anyhow::Result<()> {
    let data = &configuration.headquarters.data;
    disk::make_directory(data)?;
    disk::make_directory(&configuration.incoming.directory)?;
    let keys = Keys::open(data)?;
    // Servers wrap for these keys: they are to be found before anything is asked of us.
    keys.write_card(data, &configuration.headquarters.name)?;
    let store =
        Store::open(&configuration.store_file()).await.context("the store cannot be opened")?;
    permission::note(&store, "server_started", env!("CARGO_PKG_VERSION")).await?;
    let clock = configuration.clock();
    let signing = keys.signing.clone();
    let desk = desk(&configuration, keys, store.clone(), clock.clone());
    let mut lifecycle = Lifecycle::new();
    let stop = lifecycle.stop();
    let name = configuration.headquarters.name.clone();
    let open = configuration.demonstration.is_some();
    let sign_in = if open { SignIn::Demonstration } else { SignIn::Required };
    let people = People::new(store.clone(), sign_in, &signing);
    people.say_setup_code(configuration.listen()).await?;
    let door = Door::behind_proxy(configuration.http.behind_tls);
    let view = HeadquartersView { store: store.clone(), clock, name, people };
    let router = http::headquarters::router(view, door);
    let address = configuration.listen();
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("the page cannot be served on {address}"))?;
    tracing::info!(%address, "the page is served");
    lifecycle.spawn("web", http::serve(listener, router, stop.clone()));
    lifecycle.spawn("desk", look(desk, stop.clone()));
    let watched = store.clone();
    lifecycle.spawn("store", async move {
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            error = watched.stopped() => error.map_or(Ok(()), Err),
        }
    });
    let ended = lifecycle.run().await;
    store.close().await;
    ended
}

/// The desk of a configuration.
pub fn desk(
    configuration: &HeadquartersConfiguration,
    keys: Keys,
    store: Store,
    clock: Clock,
) -> Desk {
    let servers: BTreeMap<String, PathBuf> = configuration
        .servers
        .iter()
        .map(|server| (server.name.clone(), server.key_file.clone()))
        .collect();
    Desk {
        name: configuration.headquarters.name.clone(),
        incoming: configuration.incoming.directory.clone(),
        servers,
        keys,
        store,
        clock,
    }
}

/// Looks for bundles until `stop`. What cannot be read now is looked at again.
async fn look(desk: Desk, stop: CancellationToken) -> anyhow::Result<()> {
    let mut said = String::new();
    loop {
        match desk.look().await {
            Ok(_) => said.clear(),
            Err(error) => {
                // Said once, not twice a second.
                let text = format!("{error:#}");
                if text != said {
                    tracing::error!(error = text, "bundles cannot be taken");
                    said = text;
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

const LOOK_EVERY: Duration = Duration::from_millis(500);
