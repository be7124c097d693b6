//! What devices cost: bytes a second of every codec; from a device's last byte to the record on
//! disk; the processor time of a station that asks eight devices five times a second.
//!
//!     cargo run --release -p tidewaiter-tests --features bench-devices --bin bench-devices \
//!         [codecs|record|station] [RUNS, SCANS or SECONDS]

use std::io::Write;

use anyhow::Result;
use tidewaiter_tests::machine::{load, machine};

#[path = "devices/codecs.rs"]
mod codecs;
#[path = "devices/station.rs"]
mod station;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |usual: usize| -> Result<usize> {
        Ok(arguments.get(1).map_or(Ok(usual), |number| number.parse())?)
    };
    let mut out = std::io::stdout().lock();
    match arguments.first().map(String::as_str) {
        // The devices of the station, which must not count as its own work.
        Some("simulated") => station::devices(arguments.get(1)),
        Some("codecs") => heading(&mut out).and_then(|()| codecs::measure(number(5)?, &mut out)),
        Some("record") => heading(&mut out).and_then(|()| station::record(number(1000)?, &mut out)),
        Some("station") => heading(&mut out).and_then(|()| station::idle(number(60)?, &mut out)),
        Some(other) => anyhow::bail!("{other:?}: codecs, record or station"),
        None => {
            heading(&mut out)?;
            codecs::measure(5, &mut out)?;
            station::record(1000, &mut out)?;
            station::idle(60, &mut out)
        }
    }
}

fn heading(out: &mut impl Write) -> Result<()> {
    Ok(writeln!(out, "machine: {}; load {}", machine(), load())?)
}
