//! Bytes a second of every codec that takes bytes, on recordings of its vectors; beside each the
//! same recording copied byte by byte in the same run.

use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::Value;
use tidewaiter_codec::ccnet::Ccnet;
use tidewaiter_codec::cctalk::{Cctalk, Check};
use tidewaiter_codec::decode::Protocol;
use tidewaiter_codec::delimited::{Delimited, Framing};
use tidewaiter_codec::ebds::Ebds;
use tidewaiter_codec::id003::Id003;
use tidewaiter_codec::llrp::Llrp;
use tidewaiter_codec::scale::Toledo;
use tidewaiter_codec::ssp::Ssp;
use tidewaiter_codec::stream::{Codec, parse_hex};

/// Measures all of them, medians of `runs`.
pub(crate) fn measure(runs: usize, out: &mut impl Write) -> Result<()> {
    writeln!(out, "{:<14} {:>12} {:>12} {:>8}", "codec", "MB/s", "copy MB/s", "ratio")?;
    // Buttons are edges, not bytes.
    for (name, protocol) in Protocol::ALL.into_iter().filter(|(name, _)| *name != "gpio") {
        let recording = recording(name)?;
        let ours = median(runs, &recording, |bytes| feed(name, protocol, bytes));
        let copied = median(runs, &recording, |bytes| {
            let mut copy = Vec::new();
            for byte in bytes {
                copy.push(black_box(*byte));
            }
            copy.len()
        });
        writeln!(out, "{name:<14} {ours:>12.1} {copied:>12.1} {:>8.4}", ours / copied)?;
    }
    Ok(())
}

/// Frames, or values, of a recording: streams in pieces of 64 bytes, as a port gives them.
fn feed(name: &str, protocol: Protocol, bytes: &[u8]) -> usize {
    fn stream<C: Codec>(mut codec: C, bytes: &[u8]) -> usize {
        let fed: usize = bytes.chunks(64).map(|part| codec.feed(part).len()).sum();
        fed + codec.idle().len()
    }
    match name {
        "ssp" => stream(Ssp::new(), bytes),
        "ccnet" => stream(Ccnet::codec(), bytes),
        "cctalk" => stream(Cctalk::new(Check::Simple), bytes),
        "id003" => stream(Id003::codec(), bytes),
        "ebds" => stream(Ebds::codec(), bytes),
        "llrp" => stream(Llrp::new(), bytes),
        "scale" => stream(Toledo::codec(), bytes),
        "delimited" => stream(Delimited::new(Framing::lines()), bytes),
        // Whole texts: what a driver hands over after framing.
        _ => protocol.decode(bytes).len(),
    }
}

/// About a megabyte of what the vectors say is good, over and over.
fn recording(name: &str) -> Result<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../firmware-bridge/codec/vectors")
        .join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let file: Value = serde_json::from_str(&text)?;
    let vectors = file.get("vectors").and_then(Value::as_array).context("no vectors")?;
    let good = |vector: &&Value| !vector["expect"].to_string().contains("\"error\"");
    let mut once = Vec::new();
    for vector in vectors.iter().filter(good) {
        let hex = vector["hex"].as_str().and_then(parse_hex);
        // A vector in CRC mode, or without its end, would spoil a shared line for all others.
        let spoils = vector.get("mode").is_some() || vector.get("echo").is_some();
        match hex {
            Some(bytes) if !spoils => once.extend(bytes),
            Some(_) => {}
            None => once.extend(said(name, vector)),
        }
    }
    anyhow::ensure!(!once.is_empty(), "{name}: nothing to feed");
    Ok(once.iter().copied().cycle().take(SIZE).collect())
}

/// A vector of text as a device would send it.
fn said(name: &str, vector: &Value) -> Vec<u8> {
    if name == "scale" {
        return Vec::new();
    }
    let lines: Vec<&str> =
        vector["lines"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let text = if lines.is_empty() {
        let told = ["text", "message"].into_iter().find_map(|key| vector.get(key));
        told.map_or_else(String::new, |told| told.as_str().map_or(told.to_string(), str::to_owned))
    } else {
        lines.join("\n")
    };
    format!("{text}\n").into_bytes()
}

/// Megabytes a second, the median of some runs.
fn median(runs: usize, recording: &[u8], work: impl Fn(&[u8]) -> usize) -> f64 {
    let mut rates: Vec<f64> = (0..runs.max(1))
        .map(|_| {
            let began = Instant::now();
            black_box(work(black_box(recording)));
            #[expect(clippy::cast_precision_loss, reason = "a megabyte is exact")]
            let megabytes = recording.len() as f64 / 1e6;
            megabytes / began.elapsed().as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}

const SIZE: usize = 1_000_000;
