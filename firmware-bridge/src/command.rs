//! The commands of `tidewaiter-bridge`: one module each, this file only names them.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tidewaiter_program::command::{Configured, Verdict, exit_status, runtime, say_on_stderr};

mod check;
mod decode;
mod enrol;
mod erase;
mod ledger;
mod record;
mod refused;
mod run;
mod simulate;
mod vectors;

/// The edge agent of one station: devices, ledger, officer's page, sync.
#[derive(Debug, Parser)]
#[command(name = "tidewaiter-bridge", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the station.
    #[command(after_help = run::EXAMPLE)]
    Run(run::Run),
    /// Says what is wrong in a configuration.
    #[command(after_help = check::EXAMPLE)]
    Check(check::Check),
    /// Makes the station known to its server.
    #[command(after_help = enrol::EXAMPLE)]
    Enrol(enrol::Enrol),
    /// Looks at a ledger offline.
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Decodes device bytes.
    #[command(after_help = decode::EXAMPLE)]
    Decode(decode::Decode),
    /// Writes a device's line down.
    #[command(after_help = record::EXAMPLE)]
    Record(record::Record),
    /// Shows the bytes that drivers refused.
    #[command(after_help = refused::EXAMPLE)]
    Refused(refused::Refused),
    /// Checks decoders against vector files.
    #[command(after_help = vectors::EXAMPLE)]
    Vectors(vectors::Vectors),
    /// A simulated device.
    #[command(after_help = simulate::EXAMPLE)]
    Simulate(simulate::Simulate),
}

impl Cli {
    /// Runs the command and gives the program's exit status: 0, 1 for what is not well, 2 for bad
    /// usage or configuration.
    pub fn run(self) -> ExitCode {
        let result = match self.command {
            Command::Run(command) => command.run(),
            Command::Check(command) => command.run(),
            Command::Enrol(command) => command.run(),
            Command::Ledger(command) => command.run(),
            Command::Decode(command) => command.run(),
            Command::Record(command) => command.run(),
            Command::Refused(command) => command.run(),
            Command::Vectors(command) => command.run(),
            Command::Simulate(command) => command.run(),
        };
        exit_status("tidewaiter-bridge", result)
    }
}
