//! Checking a case file offline: everything that can be told from the file and public keys.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use tidewaiter_proto::alert::Alert;
use tidewaiter_proto::batch::SignedHead;
use tidewaiter_proto::chain::{Head, link};
use tidewaiter_proto::seal::BodyKey;
use tidewaiter_proto::signing::Verifying;
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::stored::Stored;

use super::{CaseAlert, CaseFile, CaseInspection, FORMAT, Run, SignedCase, custody};
use crate::bundle::receipt::{Check, HeadquartersCard, SignedReceipt};
use crate::bundle::seal::Checker;

/// The stored bytes of the case's records, by station, epoch and number.
type Held = BTreeMap<(StationId, u64, u64), Vec<u8>>;

/// Checks the bytes of a case file; each check in order. `checker` is the server's key; `card` are
/// headquarters' public keys, with which its receipts are checked too.
pub fn check(
    bytes: &[u8],
    checker: Option<&Checker>,
    card: Option<&HeadquartersCard>,
) -> Vec<Check> {
    let mut checks = Checks::default();
    let signed: SignedCase = match serde_json::from_slice(bytes) {
        Ok(signed) => signed,
        Err(error) => {
            checks.note("file", Err(format!("not a case file: {error}")));
            return checks.0;
        }
    };
    let text = signed.signed.get();
    let signature = match checker {
        None => Err("the key of the server that made it is not known".to_owned()),
        Some(checker) => checker
            .check(text.as_bytes(), &signed.signature)
            .map(|()| "made with the server's key".to_owned())
            .map_err(|error| error.to_string()),
    };
    // What nobody answers for is not read any further.
    if !checks.note("signature", signature) {
        return checks.0;
    }
    let case: CaseFile = match serde_json::from_str(text) {
        Ok(case) => case,
        Err(error) => {
            checks.note("case", Err(error.to_string()));
            return checks.0;
        }
    };
    checks.note("case", form(&case));
    let mut held = Held::new();
    let chains = case.runs.iter().try_fold(0, |sum, run| chain(run, &mut held).map(|n| sum + n));
    checks.note("chains", chains.map(|n| format!("{n} records in {} runs", case.runs.len())));
    checks.note("heads", heads(&case));
    checks.note("contents", contents(&case, &held));
    checks.note("alerts", alerts(&case));
    checks.note("custody", chain_of_custody(&case));
    checks.note("receipts", receipts(&case, card));
    checks.0
}

#[derive(Default)]
struct Checks(Vec<Check>);

impl Checks {
    fn note(&mut self, name: &str, result: Result<String, String>) -> bool {
        let passed = result.is_ok();
        let (Ok(detail) | Err(detail)) = result;
        self.0.push(Check { name: name.to_owned(), passed, detail });
        passed
    }
}

fn form(case: &CaseFile) -> Result<String, String> {
    if case.format != FORMAT {
        return Err(format!("format {:?} is not known to this program", case.format));
    }
    let CaseFile { server, id, title, exported_by, exported_at, .. } = case;
    Ok(format!("server {server}, case {id} {title:?}, taken out by {exported_by} at {exported_at}"))
}

/// Computes a run's chain anew; gives how many records it has.
fn chain(run: &Run, held: &mut Held) -> Result<usize, String> {
    let mut previous = run.previous;
    let mut before: Option<u64> = None;
    for record in &run.records {
        let place = format!("record {} {}/{}", run.station, run.epoch, record.seq);
        let bytes = BASE64.decode(&record.stored).map_err(|error| format!("{place}: {error}"))?;
        let header = Stored::parse(&bytes).map_err(|error| format!("{place}: {error}"))?.header;
        if (&header.station, header.epoch, header.seq) != (&run.station, run.epoch, record.seq) {
            return Err(format!("{place}: its bytes are another record's"));
        }
        if before.is_some_and(|before| before.checked_add(1) != Some(record.seq)) {
            return Err(format!("{place}: it does not follow the one before"));
        }
        if record.seq == 1 && run.previous != Head::genesis(&run.station, run.epoch).hash {
            return Err(format!("{place}: record 1 does not begin the chain"));
        }
        if link(previous, &bytes) != record.hash {
            return Err(format!("{place}: it does not have the hash it claims"));
        }
        previous = record.hash;
        before = Some(record.seq);
        held.insert((run.station.clone(), run.epoch, record.seq), bytes);
    }
    Ok(run.records.len())
}

/// Each run ends at a head that its station signed.
fn heads(case: &CaseFile) -> Result<String, String> {
    for run in &case.runs {
        let place = format!("{} {}", run.station, run.epoch);
        let Some(head) = &run.head else {
            return Err(format!("{place}: the station has signed no head over this run"));
        };
        let last = run.records.last().ok_or_else(|| format!("{place}: a run without records"))?;
        let key = case
            .stations
            .iter()
            .find(|station| station.station == run.station)
            .and_then(|station| Verifying::try_from(station.signing_key.clone()).ok())
            .ok_or_else(|| format!("{place}: the station's key is missing"))?;
        let mut signature = [0; 64];
        hex::decode_to_slice(&head.signature, &mut signature)
            .map_err(|_| format!("{place}: the signature is not valid"))?;
        let signed = SignedHead {
            statement: hex::decode(&head.statement)
                .map_err(|_| format!("{place}: the statement is not valid"))?,
            signature,
            head: Head { seq: head.seq, hash: head.hash },
        };
        let statement = signed.prove(&key).map_err(|error| format!("{place}: {error}"))?;
        let said = (&statement.station, statement.epoch, statement.head.seq, statement.head.hash);
        if said != (&run.station, run.epoch, last.seq, last.hash) {
            return Err(format!("{place}: the station signed another head"));
        }
    }
    Ok(format!("{} heads signed by their stations", case.runs.len()))
}

/// Opens every record that can be opened and holds it against what the file says it says.
fn contents(case: &CaseFile, held: &Held) -> Result<String, String> {
    let (mut opened, mut sealed) = (0_usize, 0_usize);
    for inspection in &case.inspections {
        let place = format!("inspection {} {}", inspection.station, inspection.inspection);
        let Some(key) = &inspection.key else {
            if !inspection.records.is_empty() {
                return Err(format!("{place}: records are told, and there is no key to them"));
            }
            sealed += 1;
            continue;
        };
        opened += one_opened(inspection, key, held).map_err(|why| format!("{place}: {why}"))?;
    }
    Ok(format!("{opened} records open to what is told, {sealed} inspections stay sealed"))
}

fn one_opened(inspection: &CaseInspection, key: &str, held: &Held) -> Result<usize, String> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(key, &mut bytes).map_err(|_| "its key is not valid".to_owned())?;
    let key = BodyKey::from_bytes(bytes);
    let mut told: BTreeSet<(u64, u64)> = BTreeSet::new();
    for record in &inspection.records {
        let at = (inspection.station.clone(), record.epoch, record.seq);
        let bytes = held.get(&at).ok_or_else(|| format!("record {} is in no run", record.seq))?;
        let stored = Stored::parse(bytes).map_err(|error| error.to_string())?;
        let found = stored
            .record(&key)
            .map_err(|_| format!("record {} does not open with the key of the file", record.seq))?;
        if found != *record {
            return Err(format!("record {} says something else than the file tells", record.seq));
        }
        told.insert((record.epoch, record.seq));
    }
    // What opens under the same key and belongs to the inspection is not left out.
    for ((station, epoch, seq), bytes) in held {
        if *station != inspection.station || told.contains(&(*epoch, *seq)) {
            continue;
        }
        let found = Stored::parse(bytes).ok().and_then(|stored| stored.record(&key).ok());
        if found.is_some_and(|found| found.inspection.as_ref() == Some(&inspection.inspection)) {
            return Err(format!("record {seq} belongs to it and is not told"));
        }
    }
    Ok(told.len())
}

fn alerts(case: &CaseFile) -> Result<String, String> {
    let mut decisions = 0;
    for alert in &case.alerts {
        one_alert(case, alert).map_err(|why| format!("alert {}: {why}", alert.id))?;
        decisions += alert.decisions.len();
    }
    Ok(format!("{} alerts, {decisions} decisions", case.alerts.len()))
}

fn one_alert(case: &CaseFile, alert: &CaseAlert) -> Result<(), String> {
    let mut last: Option<Alert> = None;
    for (before, version) in (0_i64..).zip(&alert.versions) {
        if before.checked_add(1) != Some(version.version) {
            return Err(format!("version {} is out of its place", version.version));
        }
        let read: Alert = serde_json::from_str(version.alert.get())
            .map_err(|error| format!("version {}: {error}", version.version))?;
        if read.id != alert.id {
            return Err(format!("version {} is another alert's", version.version));
        }
        last = Some(read);
    }
    let last = last.ok_or("it has no version")?;
    let order = alert.decisions.windows(2).all(|pair| match pair {
        [one, next] => one.arrival < next.arrival && one.to_state == next.from_state,
        _ => true,
    });
    if !order {
        return Err("its decisions do not follow each other".to_owned());
    }
    let state = serde_json::to_value(last.state).ok();
    let state = state.as_ref().and_then(serde_json::Value::as_str);
    if alert.decisions.last().map(|decision| decision.to_state.as_str()) != state {
        return Err("its state is not what was decided last".to_owned());
    }
    // What it rests on is in the file, as far as its inspection still opens. A reason of a pattern
    // names records of other days too.
    let about = case.inspections.iter().find(|one| {
        Some(&one.inspection) == last.inspection.as_ref() && one.station == last.station
    });
    if let Some(inspection) = about.filter(|one| one.key.is_some()) {
        let told = |seq: &u64| inspection.records.iter().any(|record| record.seq == *seq);
        let mut rests = last.reasons.iter().flat_map(|reason| &reason.records).peekable();
        if rests.peek().is_some() && !rests.any(told) {
            return Err("the file holds no record of those it rests on".to_owned());
        }
    }
    Ok(())
}

fn chain_of_custody(case: &CaseFile) -> Result<String, String> {
    let mut steps = 0;
    for inspection in &case.inspections {
        if custody(&inspection.records) != inspection.custody {
            let CaseInspection { station, inspection, .. } = inspection;
            return Err(format!("{station} {inspection}: the records tell another chain"));
        }
        steps += inspection.custody.len();
    }
    Ok(format!("{steps} steps, as the records tell them"))
}

/// Headquarters' receipts are signed and about these very bundles.
fn receipts(case: &CaseFile, card: Option<&HeadquartersCard>) -> Result<String, String> {
    let given: Vec<_> =
        case.bundles.iter().filter_map(|b| Some((b, b.receipt.as_deref()?))).collect();
    let Some(card) = card else {
        return Ok(format!("{} not checked: headquarters' keys are not at hand", given.len()));
    };
    for (bundle, text) in &given {
        let receipt = SignedReceipt::verify(text, &card.signing_key)
            .map_err(|error| format!("bundle {}: {error}", bundle.number))?;
        let same = receipt.number == bundle.number
            && receipt.server == case.server
            && receipt.manifest_sha256 == bundle.manifest_sha256;
        if !same {
            return Err(format!("bundle {}: the receipt is about another bundle", bundle.number));
        }
    }
    Ok(format!("{} of {} bundles receipted by {}", given.len(), case.bundles.len(), card.name))
}
