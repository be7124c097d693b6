//! The commands of `tidewaiter-server`: one module each, this file only names them.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tidewaiter_program::command::{
    Configured, Usage, Verdict, exit_status, runtime, say_on_stderr,
};

mod assess;
mod backtest;
mod enrol;
mod headquarters;
mod lists;
mod matching;
mod people;
pub mod permission;
mod policy;
mod run;
mod screen;
mod verify;

/// All stations of an authority: ingest, alerts, nightly bundles, headquarters.
#[derive(Debug, Parser)]
#[command(name = "tidewaiter-server", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server.
    #[command(after_help = run::EXAMPLE)]
    Run(run::Run),
    /// Enrols a station: signs its certificate and registers its key.
    #[command(after_help = enrol::EXAMPLE)]
    Enrol(enrol::Enrol),
    /// Runs the risk engine on scenario files.
    #[command(after_help = assess::EXAMPLE)]
    Assess(assess::Assess),
    /// Tries a draft policy on stored records, beside the policy in force.
    #[command(after_help = backtest::EXAMPLE)]
    Backtest(backtest::Backtest),
    /// Looks for names on the lists, many at once.
    #[command(after_help = screen::EXAMPLE)]
    Screen(screen::Screen),
    /// Scores pairs of names.
    #[command(after_help = matching::EXAMPLE)]
    Match(matching::Match),
    /// Looks after lists.
    #[command(subcommand)]
    Lists(lists::Lists),
    /// Looks after policy packs.
    #[command(subcommand)]
    Policy(policy::Policy),
    /// A way back in for administrators, and the audit's check.
    #[command(subcommand)]
    People(people::People),
    /// Headquarters: takes the nightly bundles of servers.
    #[command(subcommand)]
    Hq(headquarters::Headquarters),
    /// Checks a nightly bundle offline.
    #[command(after_help = verify::EXAMPLE)]
    Verify(verify::Verify),
}

impl Cli {
    /// Runs the command and gives the program's exit status: 0, 1 for what is not well, 2 for bad
    /// usage or configuration.
    pub fn run(self) -> ExitCode {
        let result = match self.command {
            Command::Run(command) => command.run(),
            Command::Enrol(command) => command.run(),
            Command::Assess(command) => command.run(),
            Command::Backtest(command) => command.run(),
            Command::Screen(command) => command.run(),
            Command::Match(command) => command.run(),
            Command::Lists(command) => command.run(),
            Command::Policy(command) => command.run(),
            Command::People(command) => command.run(),
            Command::Hq(command) => command.run(),
            Command::Verify(command) => command.run(),
        };
        exit_status("tidewaiter-server", result)
    }
}
