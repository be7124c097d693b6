//! A network namespace behind a pair of virtual interfaces that lose, delay and cut real packets.
//!
//! The way leads from a port on loopback into the namespace and back out of it, so that every
//! packet crosses the pair twice. Loss is a classifier (four instructions of classic BPF with the
//! kernel's random numbers) in front of a queue of length 0, because many kernels lack `netem`.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

pub(crate) struct Namespace {
    name: String,
    outside: String,
    inside: String,
    net: u8,
    relay: std::cell::RefCell<Option<Child>>,
}

impl Namespace {
    /// Makes one, with a pair of interfaces.
    pub(crate) fn open() -> Result<Self> {
        let id = std::process::id() % 10_000;
        let namespace = Self {
            name: format!("tw{id}"),
            outside: format!("two{id}"),
            inside: format!("twi{id}"),
            net: u8::try_from(id % 250)?,
            relay: None.into(),
        };
        let (name, outside, inside) = (&namespace.name, &namespace.outside, &namespace.inside);
        ip(&["netns", "add", name])?;
        ip(&["link", "add", outside, "type", "veth", "peer", "name", inside])?;
        ip(&["link", "set", inside, "netns", name])?;
        ip(&["addr", "add", &format!("{}/24", namespace.here()), "dev", outside])?;
        ip(&["link", "set", outside, "up"])?;
        let there = format!("{}/24", namespace.there());
        ip(&["-n", name, "addr", "add", &there, "dev", inside])?;
        ip(&["-n", name, "link", "set", inside, "up"])?;
        ip(&["-n", name, "link", "set", "lo", "up"])?;
        Ok(namespace)
    }

    fn here(&self) -> String {
        format!("10.213.{}.1", self.net)
    }

    fn there(&self) -> String {
        format!("10.213.{}.2", self.net)
    }

    /// A port on loopback from which connections go through the namespace to `target`.
    pub(crate) fn lead_to(&self, target: u16) -> Result<u16> {
        let out = TcpListener::bind((self.here(), 0))?;
        let back = format!("{}:{}", self.here(), out.local_addr()?.port());
        forward(out, format!("127.0.0.1:{target}"));
        let through = format!("{}:7000", self.there());
        let relay = Command::new("ip")
            .args(["netns", "exec", &self.name])
            .arg(std::env::current_exe()?)
            .args(["relay_of_a_namespace", "--exact", "--ignored"])
            .env(LISTEN, &through)
            .env(TARGET, &back)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        *self.relay.borrow_mut() = Some(relay);
        let began = Instant::now();
        while TcpStream::connect(&through).is_err() {
            if began.elapsed() > Duration::from_secs(10) {
                bail!("the relay in the namespace does not listen on {through}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let entry = TcpListener::bind("127.0.0.1:0")?;
        let port = entry.local_addr()?.port();
        forward(entry, through);
        Ok(port)
    }

    /// Loses this share of all packets, each way.
    pub(crate) fn lose_percent(&self, percent: u32) -> Result<()> {
        self.each_way(|device, inside| self.drop_some(device, inside, percent))
    }

    /// Nothing comes out of the namespace any more; everything still goes in.
    pub(crate) fn cut_one_direction(&self) -> Result<()> {
        self.clear();
        self.drop_some(&self.inside, true, 100)
    }

    /// So many kilobits a second, each way.
    pub(crate) fn rate_kilobits(&self, kilobits: u32) -> Result<()> {
        let rate = format!("{kilobits}kbit");
        self.each_way(|device, inside| {
            let tbf = ["root", "tbf", "rate", &rate, "burst", "1600", "latency", "20s"];
            self.tc(inside, &[&["qdisc", "add", "dev", device], &tbf[..]].concat())
        })
    }

    fn each_way(&self, set: impl Fn(&str, bool) -> Result<()>) -> Result<()> {
        self.clear();
        set(&self.outside, false)?;
        set(&self.inside, true)
    }

    fn clear(&self) {
        for (device, inside) in [(&self.outside, false), (&self.inside, true)] {
            // There may be none.
            let _ = self.tc(inside, &["qdisc", "del", "dev", device, "root"]);
        }
    }

    fn drop_some(&self, device: &str, inside: bool, percent: u32) -> Result<()> {
        let limit = u64::from(percent) * u64::from(u32::MAX) / 100;
        // Load the kernel's random word; above the limit the packet passes, else it is dropped.
        let program = format!("4,32 0 0 4294963256,37 0 1 {limit},6 0 0 65537,6 0 0 65539");
        let steps: [&[&str]; 5] = [
            &["qdisc", "add", "dev", device, "root", "handle", "1:", "htb", "default", "1"],
            &[
                "class", "add", "dev", device, "parent", "1:", "classid", "1:1", "htb", "rate",
                "1gbit",
            ],
            &[
                "class", "add", "dev", device, "parent", "1:", "classid", "1:3", "htb", "rate",
                "1gbit",
            ],
            &["qdisc", "add", "dev", device, "parent", "1:3", "pfifo", "limit", "0"],
            &[
                "filter", "add", "dev", device, "parent", "1:", "protocol", "ip", "prio", "1",
                "bpf", "bytecode", &program,
            ],
        ];
        steps.into_iter().try_for_each(|step| self.tc(inside, step))
    }

    fn tc(&self, inside: bool, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new("tc");
        if inside {
            command.args(["-n", &self.name]);
        }
        run(command.args(arguments))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if let Some(mut relay) = self.relay.borrow_mut().take() {
            let _ = relay.kill();
            let _ = relay.wait();
        }
        let _ = ip(&["link", "del", &self.outside]);
        let _ = ip(&["netns", "del", &self.name]);
    }
}

/// Forwards connections inside the namespace, until it is killed.
pub(crate) fn relay() -> Result<()> {
    let listen = std::env::var(LISTEN).context("started by hand: there is nothing to relay")?;
    let target = std::env::var(TARGET)?;
    accept(&TcpListener::bind(listen)?, &target);
    Ok(())
}

fn forward(listener: TcpListener, target: String) {
    std::thread::spawn(move || accept(&listener, &target));
}

fn accept(listener: &TcpListener, target: &str) {
    for near in listener.incoming().flatten() {
        let target = target.to_owned();
        std::thread::spawn(move || -> io::Result<()> {
            let far = TcpStream::connect(target)?;
            let (mut up, mut into) = (near.try_clone()?, far.try_clone()?);
            let (mut down, mut back) = (far, near);
            let other = std::thread::spawn(move || {
                let _ = io::copy(&mut up, &mut into);
                let _ = into.shutdown(Shutdown::Both);
            });
            let _ = io::copy(&mut down, &mut back);
            let _ = back.shutdown(Shutdown::Both);
            let _ = other.join();
            Ok(())
        });
    }
}

fn ip(arguments: &[&str]) -> Result<()> {
    run(Command::new("ip").args(arguments))
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

const LISTEN: &str = "TIDEWAITER_RELAY_LISTEN";
const TARGET: &str = "TIDEWAITER_RELAY_TARGET";
