//! `tidewaiter-bridge`: reads its arguments, sets up what the whole program shares, runs a command.

use std::process::ExitCode;

use clap::Parser;
use tidewaiter_bridge::command::Cli;
use tidewaiter_program::command::{exit_status, set_up};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match set_up(USUALLY) {
        Ok(()) => cli.run(),
        Err(error) => exit_status("tidewaiter-bridge", Err(error)),
    }
}

/// What is logged when nobody says otherwise. The embedded broker calls every connection that ends
/// an error; who came and why they went is logged by its clients.
const USUALLY: &str = "info,rumqttd=warn,rumqttd::server::broker=off,rumqttc=warn,sled=warn";
