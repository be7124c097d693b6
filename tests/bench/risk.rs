//! How many inspections the risk engine assesses a second on one core with the full policy pack and a
//! history in memory: screening hits given, then with the screening in it; what that history weighs,
//! what explaining costs, and how long a back-test takes. Beside them, in the same run, reading the
//! same records from their JSON: nothing that takes records in can be faster than that.
//!
//!     cargo run --release -p tidewaiter-tests --features bench-risk --bin bench-risk [HISTORY] [BACKTEST]
//!
//! Both are numbers of inspections, 1,000,000 and 200,000 when absent; one has 5.08 records on average,
//! so that a back-test of 1,968,504 is one of 10,000,000 records.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context, Result};
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use tidewaiter_proto::party::{Address, OnBehalfOf, Organisation, Party};
use tidewaiter_proto::record::Record;
use tidewaiter_risk::backtest::{Compared, Report};
use tidewaiter_risk::crossing::assemble;
use tidewaiter_risk::engine::listed::{Asked, Listed, Verdict};
use tidewaiter_risk::engine::{Case, Engine, Screener};
use tidewaiter_risk::history::{Digest, MemoryHistory};
use tidewaiter_risk::lists::EntryKind;
use tidewaiter_risk::policy::{PolicyPack, day_of};
use tidewaiter_risk::screening::Index;
use tidewaiter_tests::machine::processor;

/// Hits as some other screening gave them: one traveller in a hundred has one.
struct Given;

impl Screener for Given {
    fn versions(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("ofac".to_owned(), "2026-01-01 given".to_owned())])
    }

    fn screen(&self, asked: &Asked) -> Vec<Listed> {
        if !asked.names.first().is_some_and(|name| name.contains("LISTED")) {
            return Vec::new();
        }
        vec![Listed {
            list: "ofac".to_owned(),
            entry: "1".to_owned(),
            kind: EntryKind::Person,
            name: "LISTED PERSON".to_owned(),
            programme: "DPRK3".to_owned(),
            listed_on: None,
            score: 0.8,
            evidence: 0.5,
            verdict: Verdict::Possible,
            explanation: vec!["given".to_owned()],
        }]
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^53")]
fn float(count: usize) -> f64 {
    count as f64
}

/// So many inspections are assessed a run.
const ASSESSED: usize = 20_000;
const RUNS: usize = 5;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let known: usize = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let tested: usize = arguments.next().map_or(Ok(200_000), |text| text.parse())?;
    let travel = Travel::new()?;
    let pack = PolicyPack::built_in()?;
    let rates = pack.rates.clone();
    let given = Engine::new(pack.clone(), Given, rates.clone());
    let screened = Engine::new(pack, Index::built_in()?, rates);
    let mut out = std::io::stdout().lock();
    writeln!(out, "machine: {}, one core", processor())?;

    let before = resident();
    let history = travel.history(known);
    let weight = resident().saturating_sub(before);
    let each = weight.checked_div(known).unwrap_or(0);
    writeln!(out, "history of {known} inspections: {} MiB, {each} bytes each", weight >> 20)?;

    let cases: Vec<Vec<Record>> = (0..ASSESSED).map(|at| travel.inspection(known + at)).collect();
    let texts: Vec<String> = cases.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    let reading = rate(|| {
        for text in &texts {
            let records: Vec<Record> = serde_json::from_str(text)?;
            std::hint::black_box(records);
        }
        Ok(())
    })?;
    writeln!(out, "reading the same records from JSON: {reading:.0} inspections/s")?;
    for (name, engine) in [("hits given", &given), ("screening in it, built-in lists", &screened)] {
        let assessed = rate(|| {
            std::hint::black_box(run(engine, &history, &cases));
            Ok(())
        })?;
        let ratio = assessed / reading;
        writeln!(out, "{name}: {assessed:.0} inspections/s, {ratio:.2} of reading them")?;
    }
    let alerts = run(&given, &history, &cases);
    writeln!(out, "alerts: {alerts} of {ASSESSED} inspections")?;
    let loud: Vec<Vec<Record>> =
        cases.into_iter().filter(|case| !assess(&given, &history, case).is_empty()).collect();
    for (name, engine) in [("hits given", &given), ("screening in it", &screened)] {
        let mute = engine.clone().unexplained();
        let (with, without) = (of(engine, &history, &loud)?, of(&mute, &history, &loud)?);
        writeln!(
            out,
            "explaining, {} inspections with an alert, {name}: {:.2} × the time without",
            loud.len(),
            with / without
        )?;
    }
    drop(history);
    let (taken, records) = backtest(&travel, &given, tested);
    writeln!(
        out,
        "back-test of {records} records ({tested} inspections) under two policies: {taken:.0} s, \
         {:.0} records/s; 10,000,000 at that pace: {:.0} s",
        float(records) / taken,
        10_000_000.0 * taken / float(records)
    )?;
    Ok(())
}

fn assess(
    engine: &Engine,
    history: &MemoryHistory,
    records: &[Record],
) -> Vec<tidewaiter_proto::alert::Alert> {
    let now = records.last().map_or(Timestamp::UNIX_EPOCH, |record| record.at);
    engine.assess(&Case::new("EU", now, records).with_history(history))
}

fn run(engine: &Engine, history: &MemoryHistory, cases: &[Vec<Record>]) -> usize {
    cases.iter().map(|records| assess(engine, history, records).len()).sum()
}

/// Seconds of one run over the cases, the median.
fn of(engine: &Engine, history: &MemoryHistory, cases: &[Vec<Record>]) -> Result<f64> {
    median(|| {
        std::hint::black_box(run(engine, history, cases));
        Ok(())
    })
}

/// Inspections a second, from the median of the runs.
fn rate(work: impl FnMut() -> Result<()>) -> Result<f64> {
    Ok(float(ASSESSED) / median(work)?)
}

fn median(mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut taken = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let start = busy()?;
        work()?;
        taken.push(busy()? - start);
    }
    taken.sort_by(f64::total_cmp);
    taken.get(RUNS / 2).copied().context("no run")
}

/// A year in the order of time, each crossing with the history before it, under two policies.
fn backtest(travel: &Travel, engine: &Engine, inspections: usize) -> (f64, usize) {
    let start = busy().unwrap_or_default();
    let (mut history, mut report) = (MemoryHistory::default(), Report::default());
    let draft = engine.clone();
    let mut count = 0;
    for at in 0..inspections {
        let records = travel.inspection(at);
        count += records.len();
        let (active, draft) =
            (assess(engine, &history, &records), assess(&draft, &history, &records));
        let Some(first) = records.first() else { continue };
        report.add(&Compared {
            site: first.station.site(),
            day: day_of(first.at),
            inspection: first.inspection.as_deref().unwrap_or_default(),
            active: &active,
            draft: &draft,
            decision: None,
            closed: &[],
        });
        history.extend(assemble(&records).crossings.iter().filter_map(Digest::of));
    }
    std::hint::black_box(report);
    (busy().unwrap_or_default() - start, count)
}

/// Travellers as a busy airport sees them, the same on each run.
struct Travel {
    plain: Vec<Record>,
    declared: Vec<Record>,
    risky: Vec<Record>,
    first: Timestamp,
}

impl Travel {
    fn new() -> Result<Self> {
        let bodies = |from: &str, to: &str, carrier: &str| {
            vec![
                json!({"type": "inspection_opened", "direction": "exit", "role": "passenger",
                    "channel": "green", "movement": {"mode": "air", "carrier": carrier,
                    "number": "272", "from": from, "to": to}}),
                json!({"type": "document_read", "checks": {"composite": true}, "document": {
                    "type": "passport", "number": "P0", "issuing_state": "DEU", "surname": "MUSTER",
                    "given_names": "ERIKA", "date_of_birth": "1980-01-01", "nationality": "DEU"}}),
                json!({"type": "boarding_pass_read", "passenger": "MUSTER/ERIKA", "legs": [{"pnr":
                    "ABC123", "from": from, "to": to, "carrier": carrier, "number": "272",
                    "date": "2026-01-01"}]}),
                json!({"type": "scan_result", "modality": "xray", "decision": "clear",
                    "objects": []}),
                json!({"type": "cash_counted", "count": 1, "blind": true, "officer": "o-1",
                    "certainty": "exact", "items": [{"currency": "EUR", "denomination": "50",
                    "pieces": 20}, {"currency": "USD", "denomination": "100", "pieces": 5}]}),
            ]
        };
        let declaration = json!({"type": "declaration_made", "reference": "CZ-1", "form": "eu",
            "items": [{"kind": "currency", "currency": "EUR", "amount": "12000"}],
            "owner": {"kind": "organisation", "name": "Nordwind Handel", "address":
            {"lines": ["Hafenstrasse 1", "Hamburg"], "country": "DE"}}, "recipient": "self",
            "provenance": ["business"], "intended_use": ["goods_services"],
            "signed_at": "2026-01-01T00:00:00Z"});
        let mut declared = bodies("PRG", "PEK", "ZZ");
        declared.insert(3, declaration);
        Ok(Self {
            plain: records(&bodies("PRG", "PEK", "ZZ"))?,
            declared: records(&declared)?,
            risky: records(&bodies("VVO", "FNJ", "JS"))?,
            first: "2026-01-01T00:00:00Z".parse()?,
        })
    }

    /// The inspection with this number; 20,000 a day, everybody comes back ten times a year.
    fn inspection(&self, at: usize) -> Vec<Record> {
        use tidewaiter_proto::body::Body;
        let template = match at % 50 {
            0 => &self.risky,
            10 | 20 | 30 | 40 => &self.declared,
            _ => &self.plain,
        };
        let second = i64::try_from(at).unwrap_or(0).saturating_mul(4);
        let opened = self.first.checked_add(second.seconds()).unwrap_or(self.first);
        let person = at.wrapping_mul(7919) % 700_001;
        let mut records = template.clone();
        for (place, record) in records.iter_mut().enumerate() {
            record.seq = at as u64 * 8 + place as u64 + 1;
            record.at =
                opened.checked_add(i64::try_from(place).unwrap_or(0).seconds()).unwrap_or(opened);
            // As a bridge writes them: UUIDv7.
            record.inspection = Some(format!("0193a7c0-0000-7000-8000-{at:012x}"));
            match &mut record.body {
                Body::DocumentRead(read) => {
                    read.document.number = format!("P{person:07}");
                    let name = if at % 100 == 7 { "LISTED" } else { "MUSTER" };
                    read.document.surname = format!("{name}{person}");
                }
                Body::BoardingPassRead(pass) => {
                    for leg in &mut pass.legs {
                        leg.pnr = format!("B{:06}", at / 2);
                    }
                }
                Body::DeclarationMade(declaration) => {
                    declaration.reference = format!("CZ-{at}");
                    // An owner sends ten couriers a year.
                    let owner = (at / 10).wrapping_mul(31) % 58_400;
                    let party = Party::Organisation(Organisation {
                        name: format!("Nordwind Handel {owner}"),
                        address: Some(Address {
                            lines: vec![street(owner), "Hamburg".to_owned()],
                            country: "DE".to_owned(),
                        }),
                        ..Organisation::default()
                    });
                    declaration.owner = OnBehalfOf::Party(Box::new(party));
                    declaration.signed_at = opened;
                }
                _ => {}
            }
        }
        records
    }

    fn history(&self, inspections: usize) -> MemoryHistory {
        let mut history = MemoryHistory::default();
        for at in 0..inspections {
            history.extend(assemble(&self.inspection(at)).crossings.iter().filter_map(Digest::of));
        }
        history
    }
}

/// A street and a house of its own for each number: `bcdagasse 17`.
fn street(number: usize) -> String {
    const LETTERS: [char; 10] = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
    let digits = format!("{:04}", number / 100);
    let digits = digits.bytes().map(|digit| usize::from(digit.saturating_sub(b'0')));
    let name: String = digits.filter_map(|digit| LETTERS.get(digit)).collect();
    format!("{name}gasse {}", number % 100 + 1)
}

fn records(bodies: &[Value]) -> Result<Vec<Record>> {
    bodies
        .iter()
        .map(|body| {
            let record = json!({"station": "czprg/dep-01", "seq": 1, "at": "2026-01-01T00:00:00Z",
                "inspection": "a", "source": {"agent": "bench"}, "body": body});
            Ok(serde_json::from_value(record)?)
        })
        .collect()
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

/// Bytes of memory that this process has in use.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or(0) * 4096
}
