//! What the commands of both programs share: where the configuration is, what they found, how the
//! program ends, and what is set up before any of them runs.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tracing_subscriber::EnvFilter;

use crate::configuration::ConfigurationError;

/// Where the configuration is.
#[derive(Debug, Args)]
pub struct Configured {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// What a command found: its exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All is well.
    Well,
    /// It did its work and what it looked at is not well.
    NotWell,
}

/// Sets up the log, on standard error, and the one TLS provider of the whole program. `usually` is
/// what is logged when `RUST_LOG` says nothing.
///
/// # Errors
/// When a TLS provider was installed before, which would be a defect.
pub fn set_up(usually: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usually));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("a TLS provider was installed before main"))
}

/// The program's exit status: 0, 1 for what is not well, 2 for bad usage or configuration. An error
/// is said on standard error.
pub fn exit_status(program: &str, result: anyhow::Result<Verdict>) -> ExitCode {
    match result {
        Ok(Verdict::Well) => ExitCode::SUCCESS,
        Ok(Verdict::NotWell) => ExitCode::from(1),
        Err(error) => {
            say_on_stderr(&format!("{program}: {error:#}"));
            let usage = error.is::<ConfigurationError>() || error.is::<Usage>();
            ExitCode::from(if usage { 2 } else { 1 })
        }
    }
}

/// A command that was called in a way that cannot be meant.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// Says something to the person who runs a command.
pub fn say_on_stderr(text: &str) {
    // Nobody listens: the exit status says it too.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The runtime that commands with a network or a store run on.
///
/// # Errors
/// When the system gives no threads.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
