//! The real programs: built by cargo, started with a log file each, stopped or killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The folder with the release binaries.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Builds bridge and server, and finds them beside the running program.
    ///
    /// `TIDEWAITER_PROGRAMS` names a folder where they are built already.
    ///
    /// # Errors
    /// When cargo cannot build them.
    pub fn build() -> Result<Self> {
        if let Some(folder) = std::env::var_os("TIDEWAITER_PROGRAMS") {
            return Ok(Self { folder: folder.into() });
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(["build", "--release", "--package", "tidewaiter-bridge"])
            .args(["--package", "tidewaiter-server", "--bins"])
            .status()
            .context("cargo could not be started")?;
        if !status.success() {
            bail!("cargo could not build bridge and server");
        }
        let here = std::env::current_exe().context("this program does not know where it is")?;
        let mut folder = here.parent().context("this program is in no folder")?.to_path_buf();
        if folder.ends_with("deps") {
            folder.pop();
        }
        Ok(Self { folder })
    }

    /// A command that runs the bridge.
    pub fn bridge(&self) -> Command {
        Command::new(self.folder.join("tidewaiter-bridge"))
    }

    /// A command that runs the server.
    pub fn server(&self) -> Command {
        Command::new(self.folder.join("tidewaiter-server"))
    }
}

/// A running program; killed when dropped.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts a command with its output in `LOGS/NAME.log`.
    ///
    /// # Errors
    /// When the log cannot be made or the program cannot be started.
    pub fn start(name: &str, command: &mut Command, logs: &Path) -> Result<Self> {
        let log = logs.join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("{name} could not be started: {command:?}"))?;
        Ok(Self { name: name.to_owned(), child, log })
    }

    /// Process id, to look at its memory.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails with the end of the log when the program has ended by itself.
    ///
    /// # Errors
    /// When it has ended.
    pub fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{} ended with {status}:\n{}", self.name, self.log_end()),
        }
    }

    /// Asks the program to stop (SIGTERM) and waits; says how long it took.
    ///
    /// # Errors
    /// When it does not stop within `limit`.
    pub fn stop(mut self, limit: Duration) -> Result<Duration> {
        let started = Instant::now();
        self.signal(Signal::SIGTERM)?;
        while self.child.try_wait()?.is_none() {
            if started.elapsed() > limit {
                bail!(
                    "{} did not stop within {limit:?} of SIGTERM:\n{}",
                    self.name,
                    self.log_end()
                );
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(started.elapsed())
    }

    /// Kills the program (SIGKILL), as a crash would.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        kill(Pid::from_raw(i32::try_from(self.child.id())?), signal)?;
        Ok(())
    }

    fn log_end(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already ended is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `look` gives something, asking again every 50 ms.
///
/// # Errors
/// When `limit` passes; with what was awaited and the last error.
pub fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let started = Instant::now();
    let mut last = String::new();
    loop {
        match look() {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {}
            Err(error) => last = format!(" (last: {error:#})"),
        }
        if started.elapsed() > limit {
            bail!("{what}: not within {} s{last}", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
