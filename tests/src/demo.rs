//! `cargo demo`: a whole checkpoint on this machine, two cases of 2018 and an ordinary traveller.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use tidewaiter_tests::checkpoint::Checkpoint;
use tidewaiter_tests::programs::Programs;
use tidewaiter_tests::story;

/// Runs a checkpoint on this machine, from device bytes to headquarters. All data is invented.
#[derive(Debug, Parser)]
#[command(
    name = "cargo demo --",
    after_help = "Examples:\n  cargo demo\n  cargo demo -- --once\n  cargo demo -- --data /tmp/checkpoint --port 9080"
)]
struct Demo {
    /// Plays the stories, makes the night's bundle, and ends: 0 when all that is expected has
    /// happened, 1 with what is missing.
    #[arg(long)]
    once: bool,
    /// Keeps the stores here; a folder of its own for this run when absent.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The first of seven ports on the loopback.
    #[arg(long, default_value_t = 8080, value_name = "N")]
    port: u16,
}

fn main() -> ExitCode {
    match Demo::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("\ndemo: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

impl Demo {
    fn run(self) -> Result<()> {
        say("Building bridge and server (the first time takes some minutes) …");
        let programs = Programs::build()?;
        stop_on_signals()?;
        let temporary = match &self.data {
            Some(_) => None,
            None => Some(tempfile::Builder::new().prefix("tidewaiter-demo-").tempdir()?),
        };
        let folder = match (&self.data, &temporary) {
            (Some(data), _) => std::path::absolute(data)?,
            (None, Some(temporary)) => temporary.path().to_path_buf(),
            (None, None) => anyhow::bail!("there is no folder to keep the stores in"),
        };
        let mut checkpoint =
            Checkpoint::start(programs, &folder, self.port, story::FIRST_DAY, None)?;
        say("\nA checkpoint with invented data, on a clock set to each story's day:");
        say(&format!("  officer       {}", checkpoint.station().url()));
        say(&format!("  supervisor    {}", checkpoint.desk().url()));
        say(&format!("  headquarters  {}\n", checkpoint.headquarters().url()));
        play(&mut checkpoint)?;
        if !self.once {
            say("\nThe pages stay open until Ctrl-C. Type a declaration, or look at the alerts.");
            while !STOPPED.load(Ordering::Relaxed) {
                checkpoint.check()?;
                std::thread::sleep(Duration::from_millis(200));
            }
        }
        checkpoint.stop()
    }
}

fn play(checkpoint: &mut Checkpoint) -> Result<()> {
    let master = story::ships_master(checkpoint)?;
    report(checkpoint, &master)?;
    let shoe_box = story::shoe_box(checkpoint)?;
    report(checkpoint, &shoe_box)?;
    let ordinary = story::ordinary_traveller(checkpoint)?;
    report(checkpoint, &ordinary)?;
    let bundle = story::night(checkpoint, LIMIT)?;
    let text = |name: &str| bundle[name].as_str().unwrap_or_default().to_owned();
    say(&format!(
        "Night: bundle {}, arrivals {} to {}, verified and accepted by headquarters.",
        text("name"),
        bundle["first"],
        bundle["last"]
    ));
    Ok(())
}

fn report(checkpoint: &Checkpoint, told: &story::Told) -> Result<()> {
    let alerts = story::await_alerts(checkpoint, told, LIMIT)?;
    say(told.title);
    for alert in &alerts {
        let text = |name: &str| alert[name].as_str().unwrap_or_default();
        let sentence = alert["reasons"][0]["text"].as_str().unwrap_or_default();
        say(&format!("  {:<9} {:<20} {sentence}", text("severity"), text("code")));
    }
    if alerts.is_empty() {
        say("  no alert; released");
    }
    Ok(())
}

/// Ctrl-C and SIGTERM end the demonstration; its programs are stopped before it ends. A handler, not
/// a blocked signal: programs inherit what is blocked, and would not hear their own SIGTERM.
fn stop_on_signals() -> Result<()> {
    ctrlc::set_handler(|| STOPPED.store(true, Ordering::Relaxed))?;
    Ok(())
}

fn say(text: &str) {
    // Nobody listens: the exit status says it too.
    let _ = writeln!(std::io::stdout(), "{text}");
}

static STOPPED: AtomicBool = AtomicBool::new(false);
const LIMIT: Duration = Duration::from_secs(15);
