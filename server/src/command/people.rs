//! `tidewaiter-server people`: for whoever runs the machine: a way back in, and the audit's check.

use std::io::Write;

use clap::{Args, Subcommand};

use super::{Configured, Verdict, permission};
use crate::authority::Authority;
use crate::configuration::ServerConfiguration;
use crate::people::{People as Desk, SignIn};
use crate::store::Store;

/// Commands about people.
#[derive(Debug, Subcommand)]
pub(super) enum People {
    /// Shows a new setup code, for when no administrator can sign in any more. With it another
    /// administrator is made at `/setup`; until then nobody else gets in. It stands in the audit.
    #[command(after_help = "Example:\n  tidewaiter-server people setup-code --config server.toml")]
    SetupCode(Of),
    /// Checks the chain of the audit from its first entry to its last.
    #[command(
        after_help = "Example:\n  tidewaiter-server people audit --config server.toml\n\nExit \
                      status: 0 when it is whole, 1 with the first entry that is not."
    )]
    Audit(Of),
}

/// Of which server.
#[derive(Debug, Args)]
pub(super) struct Of {
    #[command(flatten)]
    configured: Configured,
}

impl People {
    pub(super) fn run(self) -> anyhow::Result<Verdict> {
        let (Self::SetupCode(of) | Self::Audit(of)) = &self;
        let configuration = ServerConfiguration::read(&of.configured.config)?;
        super::runtime()?.block_on(async {
            let store = Store::open(&configuration.store_file()).await?;
            let verdict = match self {
                Self::SetupCode(_) => setup_code(&configuration, &store).await,
                Self::Audit(_) => audit(&store).await,
            };
            store.close().await;
            verdict
        })
    }
}

async fn setup_code(configuration: &ServerConfiguration, store: &Store) -> anyhow::Result<Verdict> {
    let authority = Authority::open(&configuration.server.data)?;
    let desk = Desk::new(store.clone(), SignIn::Required, &authority.signing);
    let code = desk.new_setup_code(&permission::at_the_machine()).await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", code.as_str())?;
    let address = configuration.listen();
    super::say_on_stderr(&format!("make an administrator with it at http://{address}/setup"));
    Ok(Verdict::Well)
}

async fn audit(store: &Store) -> anyhow::Result<Verdict> {
    let mut out = std::io::stdout().lock();
    permission::note(store, "audit_checked", "").await?;
    match store.verify_audit().await? {
        Ok((entries, last)) => {
            writeln!(out, "pass audit: {entries} entries, the last is {}", hex::encode(last))?;
            Ok(Verdict::Well)
        }
        Err(broken) => {
            writeln!(out, "FAIL audit: {broken}")?;
            Ok(Verdict::NotWell)
        }
    }
}
