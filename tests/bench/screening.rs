//! How long it takes to look for a party on OFAC's and the UN's lists, on one core, and to load them;
//! beside nomenklatura on the same list and the same names in the same run.
//!
//!     cargo run --release -p tidewaiter-tests --features bench-screening --bin bench-screening -- \
//!         --data FOLDER [--peer PYTHON]
//!
//! `FOLDER` holds `ofac/{sdn,add,alt}.csv`, `un/UN_consolidated.xml` and `names/name-pairs.csv`;
//! `PYTHON` is one that has nomenklatura (`pip install nomenklatura==4.17.4`).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use serde_json::{Value, json};
use tidewaiter_risk::lists::{
    EntryKind, ListBundle, ListEntry, SourceFile, ofac, read_bundle, un, write_bundle,
};
use tidewaiter_risk::screening::{Asked, AskedKind, Index, Matcher, POSSIBLE};
use tidewaiter_tests::machine::machine;

/// Runs of which the median counts.
const RUNS: usize = 5;
/// Every so many entries one is asked about.
const STEP: usize = 7;
/// So many questions the peer is asked, each against the whole list: it takes seconds for one.
const PEER_QUESTIONS: usize = 12;

#[derive(Parser)]
struct Arguments {
    /// Folder of the lists and of the labelled names.
    #[arg(long)]
    data: PathBuf,
    /// A Python that has nomenklatura.
    #[arg(long)]
    peer: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let bundles = bundles(&arguments.data)?;
    let written: Vec<Vec<u8>> = bundles.iter().map(write_bundle).collect();
    let questions = questions(&bundles);
    let before = resident();
    let mut out = std::io::stdout().lock();
    writeln!(out, "machine: {}", machine())?;
    let entries: usize = bundles.iter().map(|bundle| bundle.entries.len()).sum();
    drop(bundles);

    let mut loading = Vec::new();
    let mut index = None;
    for _ in 0..RUNS {
        index = None;
        let begun = busy()?;
        let read: Result<Vec<ListBundle>, _> =
            written.iter().map(|bytes| read_bundle(SourceFile { name: "list", bytes })).collect();
        index.replace(Index::new(read?));
        loading.push(Duration::from_secs_f64(busy()? - begun));
    }
    let index = index.context("there is an index")?;
    writeln!(
        out,
        "loading {entries} entries from bundles in memory: {:.2} s of a core, median of {RUNS}; {} MiB resident more",
        median(&mut loading).as_secs_f64(),
        resident().saturating_sub(before) / 1024
    )?;

    let (mut p50, mut p95, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    let mut found = 0;
    for _ in 0..RUNS {
        let mut taken: Vec<Duration> = Vec::with_capacity(questions.len());
        found = 0;
        let begun_run = busy()?;
        for asked in &questions {
            let begun = Instant::now();
            found += usize::from(!index.screen(asked).is_empty());
            taken.push(begun.elapsed());
        }
        whole.push(Duration::from_secs_f64(busy()? - begun_run));
        taken.sort();
        p50.push(taken[taken.len() / 2]);
        p95.push(taken[taken.len() * 95 / 100]);
    }
    let seconds = median(&mut whole).as_secs_f64();
    let parties = f64::from(u32::try_from(questions.len())?);
    writeln!(
        out,
        "{parties} parties, {found} with a hit, one thread, medians of {RUNS}: p50 {:.3} ms, p95 {:.3} ms by the clock, {:.0} parties a second of the core",
        milliseconds(median(&mut p50)),
        milliseconds(median(&mut p95)),
        parties / seconds
    )?;
    let pairs = arguments.data.join("names/name-pairs.csv");
    let own = score_pairs(&pairs)?;
    writeln!(
        out,
        "scoring only, labelled pairs: F1 {:.3}, p50 {:.1} us, p95 {:.1} us, {:.0} pairs/s",
        own["f1"].as_f64().unwrap_or(f64::NAN),
        own["p50_us"].as_f64().unwrap_or(f64::NAN),
        own["p95_us"].as_f64().unwrap_or(f64::NAN),
        own["per_s"].as_f64().unwrap_or(f64::NAN)
    )?;
    if let Some(python) = &arguments.peer {
        let peer = peer(python, &index, &questions, &pairs)?;
        compare(&mut out, &peer, &own, seconds / parties)?;
    }
    Ok(())
}

fn compare(out: &mut impl Write, peer: &Value, own: &Value, each: f64) -> Result<()> {
    let number = |path: &str| peer.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
    writeln!(
        out,
        "nomenklatura logic-v2, scoring only, the same pairs: F1 {:.3}, p50 {:.1} us, p95 {:.1} us, {:.0} pairs/s; we are {:.1} times as fast",
        number("/pairs/f1"),
        number("/pairs/p50_us"),
        number("/pairs/p95_us"),
        number("/pairs/per_s"),
        own["per_s"].as_f64().unwrap_or(f64::NAN) / number("/pairs/per_s")
    )?;
    for (name, what) in [
        ("whole_list", "every entry of the kind scored"),
        ("fifty_candidates", "50 candidates scored, finding them not counted"),
    ] {
        let second = number(&format!("/search/{name}/per_s"));
        writeln!(
            out,
            "nomenklatura, end to end, {what}: p50 {:.1} ms, {second:.2} parties/s; we are {:.0} times as fast",
            number(&format!("/search/{name}/p50_us")) / 1000.0,
            1.0 / (each * second)
        )?;
    }
    writeln!(
        out,
        "not comparable: nomenklatura is Python and has no index of its own; its server (yente) asks a \
         search engine first, which is not run here, so that the truth for it lies between the last two \
         lines. It was asked {} of our questions. The pairs are its own regression cases in part.",
        number("/search/questions")
    )?;
    Ok(())
}

fn bundles(data: &Path) -> Result<Vec<ListBundle>> {
    let read = |name: &str| {
        let path = data.join(name);
        std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))
    };
    let mut files = Vec::new();
    for name in ["ofac/sdn.csv", "ofac/add.csv", "ofac/alt.csv"] {
        files.push((name, read(name)?));
    }
    let sources: Vec<SourceFile<'_>> =
        files.iter().map(|(name, bytes)| SourceFile { name, bytes }).collect();
    let bytes = read("un/UN_consolidated.xml")?;
    Ok(vec![
        ofac::import(&sources, "ofac", jiff::civil::date(2026, 11, 24))?,
        un::import(SourceFile { name: "UN_consolidated.xml", bytes: &bytes }, "un", None)?,
    ])
}

/// Names as a station may read them: listed ones bent by rule, and as many of nobody's, made of the
/// words of two listed ones.
fn questions(bundles: &[ListBundle]) -> Vec<Asked> {
    let entries: Vec<&ListEntry> = bundles.iter().flat_map(|bundle| &bundle.entries).collect();
    let mut asked = Vec::new();
    for (at, entry) in entries.iter().enumerate().step_by(STEP) {
        let name = entry.names().nth(at % 3).map_or(entry.name.as_str(), |(name, _)| name);
        let words: Vec<&str> = name.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        let bent = match at % 3 {
            0 => name.to_owned(),
            1 => words.iter().rev().copied().collect::<Vec<_>>().join(" "),
            _ => {
                let middle = name.char_indices().nth(name.chars().count() / 2).map(|(at, _)| at);
                let mut bent = name.to_owned();
                if let Some(middle) = middle {
                    bent.remove(middle);
                }
                bent
            }
        };
        let kind = AskedKind::from(entry.kind);
        asked.push(Asked::named(kind, &bent));
        let other = entries.get((at * 31 + 17) % entries.len()).map_or("", |other| &other.name);
        let nobody = [words.last().copied(), other.split([' ', ',']).next()];
        let nobody: Vec<&str> = nobody.into_iter().flatten().collect();
        asked.push(Asked::named(kind, &nobody.join(" ")));
    }
    asked
}

fn score_pairs(path: &Path) -> Result<Value> {
    let mut reader = csv::Reader::from_path(path)?;
    let header = reader.headers()?.clone();
    let place = |name: &str| {
        header.iter().position(|column| column == name).with_context(|| format!("no column {name}"))
    };
    let places = [place("schema")?, place("name1")?, place("name2")?, place("is_match")?];
    let (mut right, mut all_wrong) = (0_u32, 0_u32);
    let mut taken: Vec<Duration> = Vec::new();
    for row in reader.records() {
        let row = row?;
        let [schema, a, b, label] = places.map(|at| row.get(at).unwrap_or_default());
        let begun = Instant::now();
        let score = Matcher::score(schema, a, b);
        taken.push(begun.elapsed());
        match (score >= POSSIBLE, label == "true") {
            (true, true) => right += 1,
            (false, false) => {}
            _ => all_wrong += 1,
        }
    }
    ensure!(!taken.is_empty(), "no pairs");
    let total: Duration = taken.iter().sum();
    taken.sort();
    let microseconds = |at: usize| taken[at].as_secs_f64() * 1e6;
    Ok(json!({
        "f1": f64::from(2 * right) / f64::from(2 * right + all_wrong),
        "p50_us": microseconds(taken.len() / 2),
        "p95_us": microseconds(taken.len() * 95 / 100),
        "per_s": f64::from(u32::try_from(taken.len())?) / total.as_secs_f64(),
    }))
}

fn schema(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Person => "Person",
        EntryKind::Organisation => "Organization",
        EntryKind::Vessel => "Vessel",
        EntryKind::Aircraft => "Airplane",
        EntryKind::Address => "Address",
    }
}

fn peer(python: &Path, index: &Index, questions: &[Asked], pairs: &Path) -> Result<Value> {
    let folder = tempfile::tempdir()?;
    let (list, asked) = (folder.path().join("list.jsonl"), folder.path().join("asked.jsonl"));
    let mut lines = String::new();
    for (at, entry) in index.bundles().iter().flat_map(|bundle| &bundle.entries).enumerate() {
        let names: Vec<&str> = entry.names().map(|(name, _)| name).collect();
        let row = json!({"id": at.to_string(), "schema": schema(entry.kind), "names": names});
        lines.push_str(&format!("{row}\n"));
    }
    std::fs::write(&list, lines)?;
    let mut lines = String::new();
    for one in questions.iter().step_by((questions.len() / PEER_QUESTIONS).max(1)) {
        let kind = one.kind.map_or(EntryKind::Person, AskedKind::entry_kind);
        let name = one.names.first().map_or("", String::as_str);
        lines.push_str(&format!("{}\n", json!({"schema": schema(kind), "name": name})));
    }
    std::fs::write(&asked, lines)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/nomenklatura_peer.py");
    let output = Command::new(python).arg(script).args([&list, &asked]).arg(pairs).output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the peer failed: {told}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Seconds of a core that this process, which has one thread, has used: others may be at work.
fn busy() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let fields = text.rsplit(") ").next().context("/proc/self/stat")?;
    let ticks: Vec<f64> =
        fields.split(' ').skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS)
}

/// Ticks of `/proc/self/stat` a second on Linux.
const TICKS: f64 = 100.0;

fn median(values: &mut [Duration]) -> Duration {
    values.sort();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Resident kilobytes of this process, as Linux says; 0 elsewhere.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok()).unwrap_or(0)
}
