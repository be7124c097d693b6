//! A station, a server and headquarters on this machine, with simulated devices: written down,
//! enrolled, started in the right order, stopped and started again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::devices::Device;
use crate::http::Site;
use crate::programs::{Programs, Running, wait_for};

mod configurations;

/// The station of the demonstration.
pub const STATION: &str = "ruvvo/lane-01";

/// Ports on the loopback, one after the other.
#[derive(Clone, Copy, Debug)]
struct Ports {
    first: u16,
}

impl Ports {
    fn server(self) -> u16 {
        self.first
    }
    fn station(self) -> u16 {
        self.first + 1
    }
    fn headquarters(self) -> u16 {
        self.first + 2
    }
    fn stations_door(self) -> u16 {
        self.first + 3
    }
    fn counter(self) -> u16 {
        self.first + 4
    }
    fn xray(self) -> u16 {
        self.first + 5
    }
    fn bus(self) -> u16 {
        self.first + 6
    }
}

/// How many ports a checkpoint takes.
pub const PORTS: u16 = 7;

/// The simulated devices of the lane.
#[derive(Debug)]
pub struct Devices {
    /// Passport reader.
    pub reader: Device,
    /// Boarding-pass scanner.
    pub scanner: Device,
    /// Note counter.
    pub counter: Device,
    /// X-ray station.
    pub xray: Device,
}

/// A whole checkpoint, running.
#[derive(Debug)]
pub struct Checkpoint {
    programs: Programs,
    folder: PathBuf,
    ports: Ports,
    /// The lane's devices.
    pub devices: Devices,
    bridge: Option<Running>,
    server: Option<Running>,
    headquarters: Option<Running>,
}

impl Checkpoint {
    /// Writes the configurations into `folder`, enrols the station and starts everything; a
    /// folder of an earlier run is gone on with.
    ///
    /// # Errors
    /// When a part cannot be started, with the end of its log.
    pub fn start(
        programs: Programs,
        folder: &Path,
        first_port: u16,
        clock: &str,
        bus: Option<u16>,
    ) -> Result<Self> {
        let folder = folder.to_path_buf();
        fs::create_dir_all(folder.join("logs"))?;
        let ports = Ports { first: first_port };
        configurations::write(&folder, ports, clock, bus)?;
        enrol(&programs, &folder)?;
        let devices = Devices::start(&programs, &folder, ports)?;
        let mut checkpoint = Self {
            programs,
            folder,
            ports,
            devices,
            bridge: None,
            server: None,
            headquarters: None,
        };
        checkpoint.start_headquarters()?;
        checkpoint.start_server()?;
        checkpoint.start_bridge()?;
        Ok(checkpoint)
    }

    /// The officer's page.
    pub fn station(&self) -> Site {
        Site::at(self.ports.station())
    }

    /// The supervisor's page.
    pub fn desk(&self) -> Site {
        Site::at(self.ports.server())
    }

    /// Headquarters' page.
    pub fn headquarters(&self) -> Site {
        Site::at(self.ports.headquarters())
    }

    /// The port of the station's own broker.
    pub fn bus_port(&self) -> u16 {
        self.ports.bus()
    }

    /// Where everything is kept.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Process ids of bridge and server, where they run.
    pub fn processes(&self) -> (Option<u32>, Option<u32>) {
        (self.bridge.as_ref().map(Running::id), self.server.as_ref().map(Running::id))
    }

    /// Sets the demonstration's clock everywhere.
    ///
    /// # Errors
    /// When a part does not take it.
    pub fn set_clock(&self, now: &str) -> Result<()> {
        for site in [self.desk(), self.station(), self.headquarters()] {
            site.post("/api/v1/demonstration/clock", &json!({ "now": now }))?;
        }
        Ok(())
    }

    /// Starts headquarters and waits until it serves.
    ///
    /// # Errors
    /// When it does not.
    pub fn start_headquarters(&mut self) -> Result<()> {
        let mut command = self.programs.server();
        command.args(["hq", "run", "--config"]).arg(self.folder.join("headquarters.toml"));
        let mut running = Running::start("headquarters", &mut command, &self.logs())?;
        await_ready(&mut running, &self.headquarters(), "headquarters")?;
        self.headquarters = Some(running);
        Ok(())
    }

    /// Starts the server and waits until it serves.
    ///
    /// # Errors
    /// When it does not.
    pub fn start_server(&mut self) -> Result<()> {
        let mut command = self.programs.server();
        command.args(["run", "--config"]).arg(self.folder.join("server.toml"));
        let mut running = Running::start("server", &mut command, &self.logs())?;
        await_ready(&mut running, &self.desk(), "server")?;
        self.server = Some(running);
        Ok(())
    }

    /// Starts the bridge and waits until it serves.
    ///
    /// # Errors
    /// When it does not.
    pub fn start_bridge(&mut self) -> Result<()> {
        let mut command = self.programs.bridge();
        command.args(["run", "--config"]).arg(self.folder.join("bridge.toml"));
        let mut running = Running::start("bridge", &mut command, &self.logs())?;
        await_ready(&mut running, &self.station(), "bridge")?;
        self.bridge = Some(running);
        Ok(())
    }

    /// Stops the server as an operator would; gives how long it took.
    ///
    /// # Errors
    /// When it does not stop within the two seconds it promises.
    pub fn stop_server(&mut self) -> Result<Duration> {
        self.server.take().context("the server does not run")?.stop(STOPS_WITHIN)
    }

    /// Stops the bridge as an operator would; gives how long it took.
    ///
    /// # Errors
    /// When it does not stop within the two seconds it promises.
    pub fn stop_bridge(&mut self) -> Result<Duration> {
        self.bridge.take().context("the bridge does not run")?.stop(STOPS_WITHIN)
    }

    /// Kills the server as a power cut would end it.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill_server(&mut self) -> Result<()> {
        self.server.take().context("the server does not run")?.kill()
    }

    /// Kills the bridge as a power cut would end it.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill_bridge(&mut self) -> Result<()> {
        self.bridge.take().context("the bridge does not run")?.kill()
    }

    /// Fails with the end of a log when a part has ended by itself.
    ///
    /// # Errors
    /// When one has.
    pub fn check(&mut self) -> Result<()> {
        let parts = [&mut self.bridge, &mut self.server, &mut self.headquarters];
        parts.into_iter().flatten().try_for_each(Running::check)
    }

    /// Stops everything, the bridge first.
    ///
    /// # Errors
    /// When a part does not stop in time.
    pub fn stop(mut self) -> Result<()> {
        let parts = [self.bridge.take(), self.server.take(), self.headquarters.take()];
        parts.into_iter().flatten().try_for_each(|running| running.stop(STOPS_WITHIN).map(drop))
    }

    fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }
}

impl Devices {
    fn start(programs: &Programs, folder: &Path, ports: Ports) -> Result<Self> {
        let logs = folder.join("logs");
        let simulate = |name: &str, arguments: &[&str], last: &str| {
            let mut command = programs.bridge();
            command.arg("simulate").args(arguments).arg(last);
            Device::start(name, &mut command, &logs)
        };
        let link = |name: &str| folder.join(name).display().to_string();
        let address = |port: u16| format!("127.0.0.1:{port}");
        Ok(Self {
            reader: simulate("mrz-1", &["mrz", "--link"], &link("mrz-1.tty"))?,
            scanner: simulate("pass-1", &["boarding-pass", "--link"], &link("pass-1.tty"))?,
            counter: simulate(
                "counter-1",
                &["note-counter", "--listen"],
                &address(ports.counter()),
            )?,
            xray: simulate("xray-1", &["xray", "--listen"], &address(ports.xray()))?,
        })
    }
}

fn await_ready(running: &mut Running, site: &Site, name: &str) -> Result<()> {
    wait_for(&format!("{name} serves"), Duration::from_secs(20), || {
        running.check()?;
        Ok(site.text("/readyz").ok().filter(|(status, _)| *status == 200))
    })?;
    Ok(())
}

/// Gives the station its certificate and both sides each other's keys, once.
fn enrol(programs: &Programs, folder: &Path) -> Result<()> {
    let answer = folder.join("enrolment.answer.json");
    if answer.exists() {
        return Ok(());
    }
    let request = folder.join("enrolment.request.json");
    let bridge = folder.join("bridge.toml");
    let run = |command: &mut Command| -> Result<()> {
        let output = command.output().with_context(|| format!("{command:?}"))?;
        if !output.status.success() {
            bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    };
    run(programs.bridge().args(["enrol", "--config"]).arg(&bridge).arg("--request").arg(&request))?;
    run(programs
        .server()
        .args(["enrol", "--config"])
        .arg(folder.join("server.toml"))
        .arg("--request")
        .arg(&request)
        .arg("--answer")
        .arg(&answer))?;
    run(programs.bridge().args(["enrol", "--config"]).arg(&bridge).arg("--answer").arg(&answer))
}

const STOPS_WITHIN: Duration = Duration::from_secs(2);
