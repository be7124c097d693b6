//! Simulated devices: `tidewaiter-bridge simulate`, told what to do on standard input.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

/// One simulated device; ends with its standard input.
#[derive(Debug)]
pub struct Device {
    name: String,
    child: Child,
    commands: ChildStdin,
    answers: Receiver<String>,
}

impl Device {
    /// Starts a simulator and waits until it says it is ready.
    ///
    /// # Errors
    /// When it does not start, or says nothing within ten seconds.
    pub fn start(name: &str, command: &mut Command, logs: &Path) -> Result<Self> {
        let log = std::fs::File::create(logs.join(format!("{name}.log")))?;
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("{name} could not be started: {command:?}"))?;
        let commands = child.stdin.take().context("the simulator has no standard input")?;
        let output = child.stdout.take().context("the simulator has no standard output")?;
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let device = Self { name: name.to_owned(), child, commands, answers };
        device.answer()?;
        Ok(device)
    }

    /// Tells the device to do one thing, and waits until it has.
    ///
    /// # Errors
    /// When it does not answer within ten seconds, or answers with an error.
    pub fn tell(&mut self, what: &Value) -> Result<()> {
        writeln!(self.commands, "{what}")?;
        self.commands.flush()?;
        let answer: Value = serde_json::from_str(&self.answer()?)?;
        match answer.get("error") {
            Some(error) => anyhow::bail!("{}: {error}", self.name),
            None => Ok(()),
        }
    }

    fn answer(&self) -> Result<String> {
        self.answers
            .recv_timeout(Duration::from_secs(10))
            .with_context(|| format!("{} does not answer", self.name))
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // Already ended is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
