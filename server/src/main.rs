//! `tidewaiter-server`: reads its arguments, sets up what the whole program shares, runs a command.

use std::process::ExitCode;

use clap::Parser;
use tidewaiter_program::command::{exit_status, set_up};
use tidewaiter_server::command::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match set_up(USUALLY) {
        Ok(()) => cli.run(),
        Err(error) => exit_status("tidewaiter-server", Err(error)),
    }
}

/// What is logged when nobody says otherwise. The embedded broker calls every connection that ends
/// an error; who came and why they went is logged by the door.
const USUALLY: &str = "info,rumqttd=warn,rumqttd::server::broker=off,rumqttc=warn,sqlx=warn";
