//! Taking what stations send: batches and presences in, signed answers out.
//!
//! Owns the connection to the broker and the order of the work: judged by the sync's desk, on disk,
//! findings raised, answered, and only then acknowledged. What is not acknowledged, or not answered
//! with a receipt, the station sends again from its ledger; so a connection that breaks is thrown
//! away whole, with all that was under way on it.
//!
//! | module | owns |
//! |---|---|
//! | [`accounts`] | who may sign in at a station |
//! | `connection` | one connection: polling, subscribing, publishing, acknowledging |
//! | `worker` | what a message becomes |
//! | `silence` | which stations have not been heard |
//! | [`clock`] | whose clock cannot be trusted |
//! | [`manifest`] | what policy and lists stations are told |

use std::time::Duration;

use anyhow::Context;
use tidewaiter_proto::seal::random;
use tidewaiter_proto::signing::Signing;
use tidewaiter_proto::sync::jitter::{Jitter, doubled};
use tokio_util::sync::CancellationToken;

use crate::broker::BrokerLink;
use crate::clock::Clock;
use crate::store::Store;

pub mod accounts;
pub mod clock;
mod connection;
pub mod manifest;
mod silence;
mod worker;

use accounts::Accounts;
use connection::{Connection, Lost};
use manifest::Announcer;
use worker::Worker;

/// What stations are told of the server's own accord.
#[derive(Debug)]
pub struct Told {
    /// The policy and the lists in force.
    pub law: Announcer,
    /// Who may sign in.
    pub accounts: Accounts,
}

/// Takes what stations send until `stop`, connecting again for ever; the broker is given the manifest
/// of the law to keep.
///
/// # Errors
/// When the store fails: nothing can be taken any more then.
pub async fn run(
    link: BrokerLink,
    name: String,
    store: Store,
    signing: Signing,
    clock: Clock,
    told: Told,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut jitter = Jitter::new(u64::from_be_bytes(random()?));
    let mut worker = Worker::new(store, signing, clock, told, jitter.draw()).await?;
    let mut attempt = 0;
    loop {
        // Two servers of one name may share a broker, and an id is one connection's alone.
        let id = format!("server-{name}-{:016x}", jitter.draw());
        let mut connection =
            Connection::open(&link, &id, worker.law()).context("the broker's link")?;
        let lost = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            lost = connection.serve(&mut worker) => lost,
        };
        if let Lost::Store(error) = lost {
            return Err(error.into());
        }
        attempt = if connection.was_up() { 0 } else { attempt + 1 };
        let wait = jitter.around(doubled(FIRST_WAIT, attempt, LONGEST_WAIT));
        tracing::warn!(reason = %lost, ?wait, "the broker is lost; connecting again");
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(wait) => {}
        }
    }
}

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
