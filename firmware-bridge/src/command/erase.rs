//! `tidewaiter-bridge ledger erase`: what one inspection says about a person is made unreadable, on
//! the order of two people, and the ledger says that it was.

use std::io::Write;

use anyhow::{Context, bail};
use clap::Args;
use tidewaiter_ledger::{Ledger, LedgerOptions, ledger_dir};
use tidewaiter_program::command::Usage;
use tidewaiter_proto::body::{Body, NoteAdded};
use tidewaiter_proto::record::{Draft, Source};

use super::{Configured, Verdict};
use crate::configuration::BridgeConfiguration;
use crate::keys::{Enrolment, StationKeys};

pub(super) const EXAMPLE: &str = "Example:\n  tidewaiter-bridge ledger erase --config /etc/tidewaiter/bridge.toml \\\n    --order 'court order 7-114/2026' --by custodian-2 --second supervisor-1 \\\n    0190b1a4-6f50-7cc3-98c4-3f1b6c1d2e30\n\n\
The bridge must not be running. The keys of the inspection at this station are destroyed; its records\n\
stay in the chain and verify. The server destroys its own by its own order. Nothing undoes it.\n\n\
Exit status: 0 when it is erased, 1 when it could not be, 2 for bad usage.";

const AGENT: &str = "ledger";

/// Arguments of `ledger erase`.
#[derive(Debug, Args)]
pub(super) struct Erase {
    #[command(flatten)]
    configured: Configured,
    /// The order that asks for it: what the ledger gives as the reason.
    #[arg(long, value_name = "TEXT")]
    order: String,
    /// Who carries it out.
    #[arg(long, value_name = "PERSON")]
    by: String,
    /// Who agreed: another person.
    #[arg(long, value_name = "PERSON")]
    second: String,
    /// The inspection.
    inspection: String,
}

impl Erase {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let (by, second) = (self.by.trim(), self.second.trim());
        if self.order.trim().is_empty() || by.is_empty() || second.is_empty() {
            let why = "--order, --by and --second must not be empty: the ledger keeps who and why";
            return Err(Usage(why.to_owned()).into());
        }
        if by.to_lowercase() == second.to_lowercase() {
            let why = format!("--by and --second name the same person, {by:?}: erasing takes two");
            return Err(Usage(why).into());
        }
        let configuration = BridgeConfiguration::read(&self.configured.config)?;
        let erased = super::runtime()?.block_on(self.erase(&configuration))?;
        let keys = if erased == 1 { "1 key".to_owned() } else { format!("{erased} keys") };
        writeln!(std::io::stdout(), "inspection {}: {keys} destroyed", self.inspection)?;
        Ok(Verdict::Well)
    }

    async fn erase(&self, configuration: &BridgeConfiguration) -> anyhow::Result<u64> {
        let (data, name) = (&configuration.station.data, &configuration.station.name);
        let enrolment = Enrolment::open(data, name)?;
        let keys = StationKeys::open(data)?;
        let options = LedgerOptions::new(ledger_dir(data), name.clone(), keys.ledger(&enrolment));
        let ledger = Ledger::open(options).context("the ledger cannot be opened")?;
        let done = self.erase_in(&ledger, configuration).await;
        ledger.close();
        done
    }

    async fn erase_in(
        &self,
        ledger: &Ledger,
        configuration: &BridgeConfiguration,
    ) -> anyhow::Result<u64> {
        let records = ledger.records_of(&self.inspection)?.len();
        if records == 0 {
            bail!(
                "inspection {}: this station has no record of it that can be read: the name is wrong, \
                 or it was erased or let go before",
                self.inspection
            );
        }
        // The note first: a cut between the two leaves an order that was not carried out yet and
        // may be given again, never an erasure that nobody ordered.
        let text = format!(
            "keys of inspection {} destroyed, {records} records: {} (by {}, with {})",
            self.inspection,
            self.order.trim(),
            self.by.trim(),
            self.second.trim()
        );
        let body = Body::NoteAdded(NoteAdded { text });
        let clock = configuration.clock();
        let draft = Draft {
            at: clock.now(),
            clock: crate::time::quality(&clock),
            inspection: None,
            source: Source::Agent(AGENT.to_owned()),
            subject: None,
            type_name: body.type_name().to_owned(),
            body_json: body.to_value().to_string(),
        };
        ledger.append(draft, None).await.context("the order cannot be recorded")?;
        Ok(ledger.erase(&self.inspection).await?)
    }
}
