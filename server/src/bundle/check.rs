//! Checking a bundle: everything that can be told from its directory and a key, nothing else.
//! Headquarters adds what it knows from before.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tidewaiter_people::audit::{Link, Walk};
use tidewaiter_proto::batch::SignedHead;
use tidewaiter_proto::chain::{ChainHash, Head, link};
use tidewaiter_proto::money::Currency;
use tidewaiter_proto::seal::{BodyKey, KeyId, ServerSecret};
use tidewaiter_proto::signing::Verifying;
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::stored::Stored;

use super::manifest::{
    AlertLine, AuditLine, AuditSpan, FORMAT, HeadLine, KeyLine, Manifest, RecordLine, Spans, Total,
    add_to_totals, sha256,
};
use super::part;
use super::receipt::Check;
use super::seal::Checker;
use crate::store::{ExportedDecision, ExportedRecord, ExportedStation};

/// A bundle, checked.
#[derive(Debug, Default)]
pub struct Checked {
    /// Each check, in order. A bundle is good when all passed.
    pub checks: Vec<Check>,
    /// SHA-256 of the manifest, hex, if there is one.
    pub manifest_sha256: String,
    /// The manifest's text, if there is one.
    pub manifest_text: String,
    /// The manifest, if it can be read.
    pub manifest: Option<Manifest>,
    /// The records.
    pub records: Vec<ExportedRecord>,
    /// Keys wrapped for headquarters.
    pub keys: Vec<(StationId, [u8; 16], [u8; 80])>,
    /// The stations with their keys.
    pub stations: Vec<ExportedStation>,
    /// Records before the bundle's ranges, which must have the given hash.
    pub predecessors: Vec<(StationId, u64, Head)>,
}

impl Checked {
    /// Whether every check passed.
    pub fn passed(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(|check| check.passed)
    }

    /// Notes what came of a check.
    pub fn note(&mut self, name: &str, result: Result<String, String>) -> bool {
        let passed = result.is_ok();
        let (Ok(detail) | Err(detail)) = result;
        self.checks.push(Check { name: name.to_owned(), passed, detail });
        passed
    }
}

/// Checks a bundle's directory. `checker` is the server's key, `None` when it is not known;
/// `secret` is headquarters' sealing key, with which totals are counted again.
pub fn check(
    directory: &Path,
    checker: Option<&Checker>,
    secret: Option<&ServerSecret>,
) -> Checked {
    let mut checked = Checked::default();
    let Some(manifest) = read_manifest(directory, &mut checked, checker) else { return checked };
    let files = check_files(directory, &manifest);
    // What is not what the manifest says is not read any further.
    if checked.note("files", files) {
        check_content(directory, &manifest, secret, &mut checked);
    }
    checked.manifest = Some(manifest);
    checked
}

fn read_manifest(
    directory: &Path,
    checked: &mut Checked,
    checker: Option<&Checker>,
) -> Option<Manifest> {
    let read =
        |name| read_bounded(&directory.join(name)).map_err(|error| format!("{name}: {error}"));
    let bytes = match read(part::MANIFEST) {
        Ok(bytes) => bytes,
        Err(error) => {
            checked.note("manifest", Err(error));
            return None;
        }
    };
    checked.manifest_sha256 = sha256(&bytes);
    checked.manifest_text = String::from_utf8_lossy(&bytes).into_owned();
    let signature = read(part::SIGNATURE).and_then(|signature| {
        let Some(checker) = checker else {
            return Err("the key of the server that made it is not known".to_owned());
        };
        checker
            .check(&bytes, &String::from_utf8_lossy(&signature))
            .map(|()| "made with the server's key".to_owned())
            .map_err(|error| error.to_string())
    });
    if !checked.note("signature", signature) {
        return None;
    }
    let manifest = serde_json::from_slice::<Manifest>(&bytes)
        .map_err(|error| error.to_string())
        .and_then(|manifest| match manifest.format.as_str() {
            FORMAT => Ok(manifest),
            other => Err(format!("format {other:?} is not known to this program")),
        });
    let summary = manifest.as_ref().map(|manifest| {
        let Manifest { server, number, first, last, .. } = manifest;
        format!("server {server}, bundle {number}, arrivals {first} to {last}")
    });
    checked.note("manifest", summary.map_err(Clone::clone));
    manifest.ok()
}

fn check_files(directory: &Path, manifest: &Manifest) -> Result<String, String> {
    let names: Vec<&str> = manifest.files.keys().map(String::as_str).collect();
    if names != part::DATA {
        return Err("the manifest does not name the data files of this format".to_owned());
    }
    for (name, entry) in &manifest.files {
        let (bytes, hash) =
            hash_file(&directory.join(name)).map_err(|error| format!("{name}: {error}"))?;
        if bytes != entry.bytes || hash != entry.sha256 {
            return Err(format!("{name}: not the file that the manifest names"));
        }
    }
    let text =
        |name| read_bounded(&directory.join(name)).map_err(|error| format!("{name}: {error}"));
    if text(part::HASHES)? != manifest.bag_hashes().as_bytes() {
        return Err(format!("{}: not what the manifest says", part::HASHES));
    }
    if text(part::BAG)? != part::BAG_TEXT.as_bytes() {
        return Err(format!("{}: not what it must be", part::BAG));
    }
    let known = [part::MANIFEST, part::SIGNATURE, part::HASHES, part::BAG, part::RECEIPT, "data"];
    no_others(directory, &known)?;
    let data: Vec<&str> = part::DATA.iter().filter_map(|name| name.strip_prefix("data/")).collect();
    no_others(&directory.join("data"), &data)?;
    Ok(format!("{} data files as the manifest names them", manifest.files.len()))
}

fn no_others(directory: &Path, known: &[&str]) -> Result<(), String> {
    let entries = std::fs::read_dir(directory).map_err(|error| error.to_string())?;
    for entry in entries {
        let name = entry.map_err(|error| error.to_string())?.file_name();
        if !known.iter().any(|known| name == *known) {
            return Err(format!("{}: is not part of a bundle", name.to_string_lossy()));
        }
    }
    Ok(())
}

fn check_content(
    directory: &Path,
    manifest: &Manifest,
    secret: Option<&ServerSecret>,
    checked: &mut Checked,
) {
    let mut lines = Vec::new();
    let counts = read_all(directory, manifest, checked, &mut lines);
    if !checked.note("counts", counts) {
        return;
    }
    let chains = check_chains(manifest, &lines, checked);
    checked.note("chains", chains);
    let heads = check_heads(directory, manifest, &lines, checked);
    checked.note("heads", heads);
    checked.note("audit", check_audit(directory, manifest));
    let totals = match secret {
        Some(secret) => check_totals(manifest, secret, checked),
        None => Ok("not counted again: headquarters' key is not at hand".to_owned()),
    };
    checked.note("totals", totals);
}

/// Reads every data file and holds its number of lines against the manifest.
fn read_all(
    directory: &Path,
    manifest: &Manifest,
    checked: &mut Checked,
    lines: &mut Vec<RecordLine>,
) -> Result<String, String> {
    *lines = read_lines(directory, manifest, part::RECORDS)?;
    let mut before = manifest.first.checked_sub(1).ok_or("the range is not valid")?;
    for line in lines.iter() {
        if line.arrival <= before || line.arrival > manifest.last {
            return Err(format!("record with arrival {} is out of its place", line.arrival));
        }
        before = line.arrival;
        checked.records.push(read_record(line)?);
    }
    for line in read_lines::<KeyLine>(directory, manifest, part::KEYS)? {
        let (mut id, mut wrapped) = ([0; 16], [0; 80]);
        hex::decode_to_slice(&line.key_id, &mut id).map_err(|_| "a key's id is not valid")?;
        hex::decode_to_slice(&line.wrapped, &mut wrapped).map_err(|_| "a key is not valid")?;
        checked.keys.push((line.station, id, wrapped));
    }
    checked.stations = read_lines(directory, manifest, part::STATIONS)?;
    let alerts = read_lines::<AlertLine>(directory, manifest, part::ALERTS)?;
    for line in &alerts {
        serde_json::from_str::<tidewaiter_proto::alert::Alert>(line.alert.get())
            .map_err(|error| format!("an alert is not valid: {error}"))?;
    }
    let decisions = read_lines::<ExportedDecision>(directory, manifest, part::DECISIONS)?;
    Ok(format!(
        "{} records, {} alert versions, {} decisions",
        lines.len(),
        alerts.len(),
        decisions.len()
    ))
}

fn read_record(line: &RecordLine) -> Result<ExportedRecord, String> {
    let place = || format!("record {} {}/{}", line.station, line.epoch, line.seq);
    let stored = BASE64.decode(&line.stored).map_err(|error| format!("{}: {error}", place()))?;
    let header = Stored::parse(&stored).map_err(|error| format!("{}: {error}", place()))?.header;
    if (&header.station, header.epoch, header.seq) != (&line.station, line.epoch, line.seq) {
        return Err(format!("{}: its bytes are another record's", place()));
    }
    Ok(ExportedRecord {
        arrival: line.arrival,
        received_at: line.received_at,
        station: line.station.clone(),
        epoch: line.epoch,
        seq: line.seq,
        key_id: header.key.0,
        previous: line.previous,
        hash: line.hash,
        stored,
    })
}

/// Computes every chain anew and holds it against what the lines and the manifest say.
fn check_chains(
    manifest: &Manifest,
    lines: &[RecordLine],
    checked: &mut Checked,
) -> Result<String, String> {
    let mut spans = Spans::default();
    for (line, record) in lines.iter().zip(&checked.records) {
        let place = format!("{} {}/{}", line.station, line.epoch, line.seq);
        if link(record.previous, &record.stored) != record.hash {
            return Err(format!("record {place} does not have the hash it claims"));
        }
        if spans.hashes(&line.station, line.epoch, line.seq).is_some() {
            return Err(format!("record {place} comes twice"));
        }
        spans.note(line);
    }
    let mut entries = spans.entries();
    if entries.len() != manifest.stations.len() {
        return Err("the manifest names other stations".to_owned());
    }
    for (found, stated) in entries.iter_mut().zip(&manifest.stations) {
        found.gaps.clone_from(&stated.gaps);
        if found != stated {
            return Err(format!("{}: not the ranges that the manifest states", stated.station));
        }
        let (station, epoch) = (&stated.station, stated.epoch);
        for (first, last) in &stated.ranges {
            inner_links(&spans, station, epoch, (*first, *last))?;
            let Some((previous, _)) = spans.hashes(station, epoch, *first) else { continue };
            if *first == 1 {
                if previous != Head::genesis(station, epoch).hash {
                    return Err(format!("{station}: record 1 does not begin the chain"));
                }
            } else if !stated.gaps.iter().any(|(_, end)| end.checked_add(1) == Some(*first)) {
                let head = Head { seq: first - 1, hash: previous };
                checked.predecessors.push((station.clone(), epoch, head));
            }
        }
    }
    let gaps: usize = manifest.stations.iter().map(|entry| entry.gaps.len()).sum();
    Ok(format!("{} chains computed anew, {gaps} gaps stated", manifest.stations.len()))
}

fn inner_links(
    spans: &Spans,
    station: &StationId,
    epoch: u64,
    (first, last): (u64, u64),
) -> Result<(), String> {
    let mut before: Option<ChainHash> = None;
    for seq in first..=last {
        let Some((previous, hash)) = spans.hashes(station, epoch, seq) else { continue };
        if before.is_some_and(|before| before != previous) {
            return Err(format!("{station}: record {epoch}/{seq} does not follow the one before"));
        }
        before = Some(hash);
    }
    Ok(())
}

/// Goes through the audit's stretch, link by link, from the entry that it follows.
fn check_audit(directory: &Path, manifest: &Manifest) -> Result<String, String> {
    let AuditSpan { before, after } = &manifest.audit;
    let link = |text: &str| -> Result<Link, String> {
        let mut link = [0; 32];
        hex::decode_to_slice(text, &mut link).map_err(|_| "a link of the audit is not valid")?;
        Ok(link)
    };
    let mut walk = Walk::after(before.number, link(&before.link)?);
    for line in read_lines::<AuditLine>(directory, manifest, part::AUDIT)? {
        walk.step(&line.entry, &link(&line.link)?).map_err(|broken| broken.to_string())?;
    }
    let (last, reached) = walk.end(after.number).map_err(|broken| broken.to_string())?;
    if last != after.number || reached != link(&after.link)? {
        return Err("the audit does not end where the manifest says".to_owned());
    }
    Ok(format!("{} entries, the last is {last}", last.saturating_sub(before.number)))
}

/// Checks the heads that stations signed against the records.
fn check_heads(
    directory: &Path,
    manifest: &Manifest,
    lines: &[RecordLine],
    checked: &Checked,
) -> Result<String, String> {
    let hashes: BTreeMap<(&StationId, u64, u64), ChainHash> =
        lines.iter().map(|line| ((&line.station, line.epoch, line.seq), line.hash)).collect();
    let heads = read_lines::<HeadLine>(directory, manifest, part::HEADS)?;
    for line in &heads {
        let place = format!("{} {}/{}", line.station, line.epoch, line.seq);
        let key = checked
            .stations
            .iter()
            .find(|station| station.station == line.station)
            .and_then(|station| Verifying::try_from(station.signing_key.clone()).ok())
            .ok_or_else(|| format!("{place}: the station's key is missing"))?;
        let mut signature = [0; 64];
        hex::decode_to_slice(&line.signature, &mut signature)
            .map_err(|_| format!("{place}: the signature is not valid"))?;
        let head = SignedHead {
            statement: hex::decode(&line.statement)
                .map_err(|_| format!("{place}: the statement is not valid"))?,
            signature,
            head: Head { seq: line.seq, hash: line.hash },
        };
        let statement = head.prove(&key).map_err(|error| format!("{place}: {error}"))?;
        let said = (&statement.station, statement.epoch, statement.head.seq);
        if said != (&line.station, line.epoch, line.seq)
            || hashes.get(&said) != Some(&statement.head.hash)
        {
            return Err(format!("{place}: the station signed another head"));
        }
    }
    Ok(format!("{} heads signed by their stations", heads.len()))
}

/// Opens every record with headquarters' key and adds it all up again.
fn check_totals(
    manifest: &Manifest,
    secret: &ServerSecret,
    checked: &Checked,
) -> Result<String, String> {
    let keys: BTreeMap<(&StationId, [u8; 16]), BodyKey> = checked
        .keys
        .iter()
        .filter_map(|(station, id, wrapped)| {
            let key = BodyKey::unwrap_for_server(KeyId(*id), secret, wrapped).ok()?;
            Some(((station, *id), key))
        })
        .collect();
    let (mut totals, mut sealed) = (BTreeMap::<Currency, Total>::new(), 0u64);
    for record in &checked.records {
        let opened = keys.get(&(&record.station, record.key_id)).and_then(|key| {
            Stored::parse(&record.stored).ok().and_then(|stored| stored.record(key).ok())
        });
        match opened {
            Some(record) => add_to_totals(&mut totals, &record),
            None => sealed = sealed.saturating_add(1),
        }
    }
    if sealed != manifest.sealed_records {
        return Err(format!(
            "{sealed} records do not open, the server stated {}",
            manifest.sealed_records
        ));
    }
    if totals != manifest.totals {
        return Err("the sums are not those that the server stated".to_owned());
    }
    let sums: Vec<String> = totals
        .iter()
        .map(|(currency, total)| {
            format!("{currency} declared {} counted {}", total.declared, total.counted)
        })
        .collect();
    Ok(if sums.is_empty() { "no sums".to_owned() } else { sums.join("; ") })
}

/// Reads a file of JSON lines whose hash is checked, with a bound on what it unpacks to.
fn read_lines<T: DeserializeOwned>(
    directory: &Path,
    manifest: &Manifest,
    name: &str,
) -> Result<Vec<T>, String> {
    let rows = manifest.files.get(name).map_or(0, |entry| entry.rows);
    let failed = |error: &dyn std::fmt::Display| format!("{name}: {error}");
    let file = File::open(directory.join(name)).map_err(|error| failed(&error))?;
    let decoder = zstd::Decoder::new(file).map_err(|error| failed(&error))?;
    let mut reader = BufReader::new(decoder.take(UNPACKED_BYTES_MAX));
    let mut values = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        if read.map_err(|error| failed(&error))? == 0 {
            break;
        }
        if values.len() as u64 == rows {
            return Err(format!("{name}: more than the {rows} lines that the manifest states"));
        }
        values.push(serde_json::from_slice(&line).map_err(|error| failed(&error))?);
    }
    if values.len() as u64 == rows {
        return Ok(values);
    }
    Err(format!("{name}: {} lines where the manifest states {rows}", values.len()))
}

fn hash_file(path: &Path) -> Result<(u64, String), String> {
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    let (mut hasher, mut bytes) = (Sha256::new(), 0u64);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut buffer).map_err(|error| error.to_string())?;
        if read == 0 {
            return Ok((bytes, hex::encode(hasher.finalize())));
        }
        bytes = bytes.saturating_add(read as u64);
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
}

/// Reads a small file, and no more of it than a small file may have.
pub fn read_bounded(path: &Path) -> Result<Vec<u8>, std::io::Error> {
    let mut bytes = Vec::new();
    File::open(path)?.take(SMALL_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

const SMALL_BYTES_MAX: u64 = 64 * 1024 * 1024;
const LINE_BYTES_MAX: u64 = 1024 * 1024;
const UNPACKED_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;
