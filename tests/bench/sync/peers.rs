//! What simpler ways do with the same number of messages of the same size, over one Mosquitto as
//! the centre: how many a second, how many are lost when the centre stalls and is killed, how many
//! when the sender is killed while the centre is away (in place of a power cut, which loses more),
//! how much memory the sender takes.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{AsyncClient, Event, MqttOptions};
use tidewaiter_tests::checkpoint::{Checkpoint, PORTS};
use tidewaiter_tests::programs::Programs;
use tidewaiter_tests::{ports, story};

use crate::{SERVER_CORE, STATION_CORE, most_resident, number, pin, travellers};

/// What one way did.
#[derive(Debug, Default)]
struct Row {
    name: &'static str,
    per_second: f64,
    lost_by_stall: u64,
    lost_by_kill: u64,
    memory: f64,
}

/// Measures all and prints.
pub(crate) fn table(messages: u64) -> Result<()> {
    println!(
        "{messages} messages of {PAYLOAD} bytes (ours: records of travellers, larger), one run:"
    );
    println!(
        "  way | a second | lost by a stall and kill of the centre | lost by a kill of the sender | MiB of the sender"
    );
    for row in [ours(messages)?, naive(messages)?, bridged(messages)?] {
        println!(
            "  {} | {:.0} | {} | {} | {:.0}",
            row.name, row.per_second, row.lost_by_stall, row.lost_by_kill, row.memory
        );
    }
    Ok(())
}

/// The bridge and the server, struck in the same way.
fn ours(records: u64) -> Result<Row> {
    let folder = tempfile::tempdir_in(".")?;
    let port = ports::free(PORTS)?;
    let programs = Programs::build()?;
    let mut checkpoint = Checkpoint::start(programs, folder.path(), port, story::FIRST_DAY, None)?;
    let mut row = Row { name: "tidewaiter", ..Row::default() };
    for strike in [Strike::None, Strike::StallAndKill, Strike::KillSender] {
        checkpoint.stop_bridge()?;
        travellers::fill(folder.path(), records)?;
        let (before, _) = story::held(&checkpoint)?;
        checkpoint.start_bridge()?;
        let (bridge, server) = checkpoint.processes();
        let server = server.context("the server runs")?;
        pin(bridge.context("the bridge runs")?, STATION_CORE)?;
        pin(server, SERVER_CORE)?;
        let began = Instant::now();
        while story::held(&checkpoint)?.0 < before + records / 4 {
            ensure!(began.elapsed() < PATIENCE, "nothing arrives");
            std::thread::sleep(Duration::from_millis(10));
        }
        match strike {
            Strike::None => {}
            Strike::StallAndKill => {
                signal(server, Signal::SIGSTOP)?;
                std::thread::sleep(STALL);
                checkpoint.kill_server()?;
                checkpoint.start_server()?;
            }
            Strike::KillSender => {
                checkpoint.kill_bridge()?;
                checkpoint.start_bridge()?;
            }
        }
        // What is recorded, once each: what were lost or doubled would differ for ever.
        let written = checkpoint.station().get("/api/v1/ledger")?["seq"].as_u64();
        let held = story::await_all(&checkpoint, PATIENCE);
        let lost = match held {
            Ok(_) => 0,
            Err(_) => written.unwrap_or(0).saturating_sub(story::held(&checkpoint)?.0),
        };
        match strike {
            Strike::None => {
                row.per_second = number(records) / began.elapsed().as_secs_f64();
                row.memory = bridge.and_then(most_resident).unwrap_or(f64::NAN);
            }
            Strike::StallAndKill => row.lost_by_stall = lost,
            Strike::KillSender => row.lost_by_kill = lost,
        }
    }
    checkpoint.stop()?;
    Ok(row)
}

#[derive(Clone, Copy)]
enum Strike {
    None,
    StallAndKill,
    KillSender,
}

/// rumqttc's client, quality 1, a session that the broker keeps: as most programs use it.
fn naive(messages: u64) -> Result<Row> {
    let folder = tempfile::tempdir_in(".")?;
    let mut row = Row { name: "rumqttc, quality 1", ..Row::default() };
    for strike in [Strike::None, Strike::StallAndKill, Strike::KillSender] {
        let mut centre = Mosquitto::start(folder.path(), "centre", "")?;
        let got = collect(centre.port);
        let mut sender = Sender::start(centre.port, messages, strike)?;
        let began = Instant::now();
        struck(strike, &mut centre, &mut sender, &got, messages)?;
        settle(&got, messages);
        let arrived = got.lock().map_or(0, |got| got.numbers.len() as u64);
        let said = sender.handed_over()?;
        match strike {
            Strike::None => {
                row.per_second = number(arrived) / last(&got, began);
                row.memory = sender.memory();
            }
            Strike::StallAndKill => row.lost_by_stall = said.saturating_sub(arrived),
            Strike::KillSender => row.lost_by_kill = said.saturating_sub(arrived),
        }
    }
    Ok(row)
}

/// A Mosquitto at the station that keeps its messages on disk and bridges to the centre.
fn bridged(messages: u64) -> Result<Row> {
    let mut row = Row { name: "Mosquitto's bridge, persistence on", ..Row::default() };
    for strike in [Strike::None, Strike::StallAndKill, Strike::KillSender] {
        let folder = tempfile::tempdir_in(".")?;
        let mut centre = Mosquitto::start(folder.path(), "centre", "")?;
        let here = std::fs::canonicalize(folder.path())?;
        let settings = format!(
            "persistence true\npersistence_location {}/\nconnection centre\n\
             address 127.0.0.1:{}\ntopic # out 1\ncleansession false\nrestart_timeout 1 2\n\
             bridge_protocol_version mqttv50\nnotifications false\n",
            here.display(),
            centre.port
        );
        let mut edge = Mosquitto::start(folder.path(), "edge", &settings)?;
        pin(edge.child.id(), STATION_CORE)?;
        let got = collect(centre.port);
        std::thread::sleep(Duration::from_secs(1));
        // The program that publishes is not what is struck: the broker at the station is.
        let mut sender = Sender::start(edge.port, messages, Strike::None)?;
        let began = Instant::now();
        match strike {
            Strike::None => {}
            Strike::StallAndKill => stall_and_kill(&mut centre, &got, messages)?,
            Strike::KillSender => {
                await_some(&got, messages)?;
                centre.kill()?;
                sender.finished()?;
                edge.restart()?;
                centre.listen()?;
            }
        }
        sender.finished()?;
        settle(&got, messages);
        let arrived = got.lock().map_or(0, |got| got.numbers.len() as u64);
        match strike {
            Strike::None => {
                row.per_second = number(arrived) / last(&got, began);
                row.memory = most_resident(edge.child.id()).unwrap_or(f64::NAN);
            }
            Strike::StallAndKill => row.lost_by_stall = messages.saturating_sub(arrived),
            Strike::KillSender => row.lost_by_kill = messages.saturating_sub(arrived),
        }
    }
    Ok(row)
}

fn struck(
    strike: Strike,
    centre: &mut Mosquitto,
    sender: &mut Sender,
    got: &Arc<Mutex<Got>>,
    messages: u64,
) -> Result<()> {
    match strike {
        Strike::None => sender.finished(),
        Strike::StallAndKill => {
            stall_and_kill(centre, got, messages)?;
            sender.finished()
        }
        Strike::KillSender => {
            await_some(got, messages)?;
            centre.kill()?;
            // What it takes while the centre is away is all it will ever have.
            std::thread::sleep(STALL);
            sender.kill()?;
            centre.listen()
        }
    }
}

fn stall_and_kill(centre: &mut Mosquitto, got: &Arc<Mutex<Got>>, messages: u64) -> Result<()> {
    await_some(got, messages)?;
    signal(centre.child.id(), Signal::SIGSTOP)?;
    std::thread::sleep(STALL);
    centre.kill()?;
    centre.listen()
}

/// Waits for a quarter of the messages.
fn await_some(got: &Arc<Mutex<Got>>, messages: u64) -> Result<()> {
    let began = Instant::now();
    while got.lock().map_or(0, |got| got.numbers.len() as u64) < messages / 4 {
        ensure!(began.elapsed() < PATIENCE, "nothing arrives");
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// Waits until all have come, or for ten seconds nothing has.
fn settle(got: &Arc<Mutex<Got>>, messages: u64) {
    loop {
        let Ok((count, at)) = got.lock().map(|got| (got.numbers.len() as u64, got.last)) else {
            return;
        };
        let quiet = at.is_none_or(|at| at.elapsed() > QUIET);
        if count >= messages || quiet {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Seconds until the last message came.
fn last(got: &Arc<Mutex<Got>>, began: Instant) -> f64 {
    let at = got.lock().ok().and_then(|got| got.last);
    at.map_or(f64::NAN, |at| at.duration_since(began).as_secs_f64())
}

/// What arrived at the centre.
#[derive(Debug, Default)]
struct Got {
    numbers: HashSet<u64>,
    last: Option<Instant>,
}

/// Subscribes at the centre for as long as this program runs, with a session that it should keep.
fn collect(port: u16) -> Arc<Mutex<Got>> {
    let got = Arc::new(Mutex::new(Got { last: Some(Instant::now()), ..Got::default() }));
    let into = got.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            let mut options = options("collector", port);
            options.set_session_expiry_interval(Some(3600));
            let (client, mut events) = AsyncClient::new(options, 64);
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        let _ = client.try_subscribe(TOPIC, QoS::AtLeastOnce);
                    }
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        let head = publish.payload.first_chunk::<8>().copied();
                        if let (Some(head), Ok(mut got)) = (head, into.lock()) {
                            got.numbers.insert(u64::from_be_bytes(head));
                            got.last = Some(Instant::now());
                        }
                    }
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        });
    });
    std::thread::sleep(Duration::from_millis(300));
    got
}

fn options(name: &str, port: u16) -> MqttOptions {
    let mut options = MqttOptions::new(name, "127.0.0.1", port);
    options.set_keep_alive(Duration::from_secs(5));
    options.set_clean_start(false);
    options.set_session_expiry_interval(Some(3600));
    options
}

/// The child's part: publishes `count` numbered messages, and prints how many it had handed over.
pub(crate) fn publish(port: u16, count: u64, pause_micros: u64) -> Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let (client, mut events) = AsyncClient::new(options("sender", port), 200);
        let acknowledged = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let counting = acknowledged.clone();
        tokio::spawn(async move {
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Packet::PubAck(_))) => {
                        counting.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    }
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        });
        let mut out = std::io::stdout();
        for number in 0..count {
            let mut payload = number.to_be_bytes().to_vec();
            payload.resize(PAYLOAD, 0x55);
            client.publish(TOPIC, QoS::AtLeastOnce, false, payload).await?;
            // To a file in page cache, which the kill does not take.
            writeln!(out, "{}", number + 1)?;
            if pause_micros > 0 {
                tokio::time::sleep(Duration::from_micros(pause_micros)).await;
            }
        }
        // As long as acknowledgements come; what the client dropped gets none.
        let mut before = u64::MAX;
        loop {
            let now = acknowledged.load(std::sync::atomic::Ordering::Relaxed);
            if now >= count || now == before {
                break;
            }
            before = now;
            tokio::time::sleep(QUIET / 2).await;
        }
        writeln!(out, "resident {}", most_resident(std::process::id()).unwrap_or(f64::NAN))?;
        Ok(())
    })
}

/// A publishing child of this program.
struct Sender {
    child: Child,
    said: tempfile::NamedTempFile,
}

impl Sender {
    fn start(port: u16, messages: u64, strike: Strike) -> Result<Self> {
        let said = tempfile::NamedTempFile::new_in(".")?;
        // Slower where it is to be killed in the middle.
        let pause = if matches!(strike, Strike::KillSender) { "100" } else { "0" };
        let child = Command::new("taskset")
            .args(["-c", STATION_CORE])
            .arg(std::env::current_exe()?)
            .args(["--publish", &port.to_string(), &messages.to_string(), pause])
            .stdout(File::options().append(true).open(said.path())?)
            .spawn()?;
        Ok(Self { child, said })
    }

    fn finished(&mut self) -> Result<()> {
        self.child.wait()?;
        Ok(())
    }

    fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// How many messages its client had taken from it.
    fn handed_over(&self) -> Result<u64> {
        let text = std::fs::read_to_string(self.said.path())?;
        let last = text.lines().rev().find_map(|line| line.parse().ok());
        last.context("it said nothing")
    }

    fn memory(&self) -> f64 {
        let text = std::fs::read_to_string(self.said.path()).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("resident "));
        line.and_then(|value| value.parse().ok()).unwrap_or(f64::NAN)
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // Already ended is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A broker with a configuration in a folder.
pub(crate) struct Mosquitto {
    file: std::path::PathBuf,
    pub(crate) port: u16,
    pub(crate) child: Child,
}

impl Mosquitto {
    pub(crate) fn start(folder: &Path, name: &str, settings: &str) -> Result<Self> {
        let probe = TcpListener::bind("127.0.0.1:0")?;
        let port = probe.local_addr()?.port();
        drop(probe);
        let file = folder.join(format!("{name}.conf"));
        // Nothing is dropped for want of room: the most that each may keep is unlimited.
        let text = format!(
            "user root\nlistener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n\
             {settings}"
        );
        std::fs::write(&file, text)?;
        let child = start(&file, port)?;
        Ok(Self { file, port, child })
    }

    fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn listen(&mut self) -> Result<()> {
        self.child = start(&self.file, self.port)?;
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        self.kill()?;
        self.listen()
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        // Already ended is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(file: &Path, port: u16) -> Result<Child> {
    let child = Command::new("mosquitto")
        .arg("-c")
        .arg(file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("mosquitto")?;
    pin(child.id(), SERVER_CORE)?;
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        ensure!(began.elapsed() < Duration::from_secs(10), "mosquitto does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(child)
}

fn signal(id: u32, signal: Signal) -> Result<()> {
    kill(Pid::from_raw(i32::try_from(id)?), signal)?;
    Ok(())
}

const TOPIC: &str = "bench/records";
const PAYLOAD: usize = 512;
const STALL: Duration = Duration::from_secs(2);
const QUIET: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_mins(5);
