//! `tidewaiter-server`: reads its arguments, sets up what the whole program shares, runs a command.

use std::process::ExitCode;

use clap::Parser;
use tidewaiter_server::command::Cli;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(USUALLY));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    // One provider for the whole program; a second installation would be a defect.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::error!("a TLS provider was installed before main");
        return ExitCode::FAILURE;
    }
    cli.run()
}

/// What is logged when nobody says otherwise. The embedded broker calls every connection that ends
/// an error; who came and why they went is logged by the door.
const USUALLY: &str = "info,rumqttd=warn,rumqttd::server::broker=off,rumqttc=warn,sqlx=warn";
