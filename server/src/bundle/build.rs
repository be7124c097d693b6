//! Building a bundle's files from a range of arrivals. Deterministic: what it writes follows from
//! the range, the store's rows in it, and the settings; no clock, no randomness.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use tidewaiter_proto::money::Currency;
use tidewaiter_proto::seal::{BodyKey, KeyId, ServerPublic, ServerSecret};
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::stored::Stored;

use super::manifest::{
    AlertLine, AuditLine, AuditMark, AuditSpan, FORMAT, FileEntry, HeadLine, KeyLine, Manifest,
    RecordLine, Spans, StationEntry, Total, add_to_totals,
};
use super::part;
use crate::store::{ExportedRecord, Store, StoreError};

/// What a bundle shall cover.
#[derive(Clone, Debug)]
pub struct Range {
    /// Which server makes it.
    pub server: String,
    /// Its number.
    pub number: i64,
    /// First arrival.
    pub first: i64,
    /// Last arrival.
    pub last: i64,
    /// SHA-256 of the manifest before, hex.
    pub previous: Option<String>,
    /// Versions in force.
    pub versions: BTreeMap<String, String>,
}

/// The keys that building needs.
#[derive(Clone, Copy)]
pub struct Keys<'a> {
    /// What opens the server's wrapped keys.
    pub server: &'a ServerSecret,
    /// For whom they are wrapped again; without it the bundle carries no keys.
    pub headquarters: Option<&'a ServerPublic>,
    /// A secret of the server from which the one-time secrets of wrapping are derived.
    pub derive: &'a [u8; 32],
}

/// Why a bundle cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the bundle.
    #[error("{path}: cannot be written")]
    File {
        /// Which file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A row cannot be written as JSON.
    #[error("a row cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// Writes the data files of a range under `directory` and gives the manifest that names them.
///
/// # Errors
/// [`BuildError`]; then the directory is of no use.
pub async fn build(
    store: &Store,
    keys: Keys<'_>,
    range: &Range,
    directory: &Path,
) -> Result<Manifest, BuildError> {
    let data = directory.join("data");
    std::fs::create_dir_all(&data)
        .map_err(|source| BuildError::File { path: data.display().to_string(), source })?;
    let mut files = BTreeMap::new();
    let taken = records(store, keys, range, directory).await?;
    files.insert(part::RECORDS.to_owned(), taken.records);
    files.insert(part::KEYS.to_owned(), taken.keys);
    let mut stations = taken.spans.entries();
    for entry in &mut stations {
        entry.gaps = gaps(store, entry, range.last).await?;
    }
    files.insert(part::HEADS.to_owned(), heads(store, range, &stations, directory).await?);
    let mut out = LineFile::create(directory, part::STATIONS)?;
    for station in store.export_stations(range.first, range.last).await? {
        out.line(&station)?;
    }
    files.insert(part::STATIONS.to_owned(), out.finish()?);
    let mut out = LineFile::create(directory, part::ALERTS)?;
    for row in store.export_alerts(range.first, range.last).await? {
        let alert = RawValue::from_string(row.body)?;
        out.line(&AlertLine { arrival: row.arrival, version: row.version, at: row.at, alert })?;
    }
    files.insert(part::ALERTS.to_owned(), out.finish()?);
    let mut out = LineFile::create(directory, part::DECISIONS)?;
    for decision in store.export_decisions(range.first, range.last).await? {
        out.line(&decision)?;
    }
    files.insert(part::DECISIONS.to_owned(), out.finish()?);
    let (entry, audit) = audit(store, range, directory).await?;
    files.insert(part::AUDIT.to_owned(), entry);
    Ok(Manifest {
        format: FORMAT.to_owned(),
        server: range.server.clone(),
        number: range.number,
        first: range.first,
        last: range.last,
        previous_manifest_sha256: range.previous.clone(),
        versions: range.versions.clone(),
        files,
        stations,
        totals: taken.totals,
        sealed_records: taken.sealed,
        audit,
    })
}

/// Writes the audit's entries of a range, and gives where they stand in its chain.
async fn audit(
    store: &Store,
    range: &Range,
    directory: &Path,
) -> Result<(FileEntry, AuditSpan), BuildError> {
    let mut out = LineFile::create(directory, part::AUDIT)?;
    let entries = store.export_audit(range.first, range.last).await?;
    let mut after = match entries.first() {
        Some((first, _)) => mark(store, first.number.saturating_sub(1)).await?,
        None => mark(store, store.last_audit_before(range.first).await?).await?,
    };
    let before = after.clone();
    for (entry, link) in entries {
        after = AuditMark { number: entry.number, link: hex::encode(link) };
        out.line(&AuditLine { entry, link: after.link.clone() })?;
    }
    Ok((out.finish()?, AuditSpan { before, after }))
}

async fn mark(store: &Store, number: u64) -> Result<AuditMark, StoreError> {
    let link = store.audit_link(number).await?;
    let start = AuditMark::default();
    Ok(link.map_or(start, |link| AuditMark { number, link: hex::encode(link) }))
}

/// What came of writing the records.
struct Taken {
    records: FileEntry,
    keys: FileEntry,
    spans: Spans,
    totals: BTreeMap<Currency, Total>,
    sealed: u64,
}

async fn records(
    store: &Store,
    keys: Keys<'_>,
    range: &Range,
    directory: &Path,
) -> Result<Taken, BuildError> {
    let mut out = LineFile::create(directory, part::RECORDS)?;
    let mut keys_out = LineFile::create(directory, part::KEYS)?;
    let (mut spans, mut totals, mut sealed) = (Spans::default(), BTreeMap::new(), 0u64);
    let mut opened: BTreeMap<(StationId, [u8; 16]), Option<BodyKey>> = BTreeMap::new();
    let mut from = range.first;
    loop {
        let page = store.export_records(from, range.last, PAGE).await?;
        let Some(last) = page.last() else { break };
        from = last.arrival.saturating_add(1);
        for record in &page {
            let id = (record.station.clone(), record.key_id);
            if !opened.contains_key(&id) {
                let key = open_key(store, keys.server, &id).await?;
                if let (Some(key), Some(headquarters)) = (&key, keys.headquarters) {
                    keys_out.line(&wrapped_again(&id, key, keys.derive, headquarters))?;
                }
                opened.insert(id.clone(), key);
            }
            let line = line_of(record);
            let key = opened.get(&id).and_then(Option::as_ref);
            let readable = Stored::parse(&record.stored)
                .ok()
                .zip(key)
                .and_then(|(stored, key)| stored.record(key).ok());
            match readable {
                Some(record) => add_to_totals(&mut totals, &record),
                None => sealed = sealed.saturating_add(1),
            }
            spans.note(&line);
            out.line(&line)?;
        }
    }
    let (records, keys) = (out.finish()?, keys_out.finish()?);
    Ok(Taken { records, keys, spans, totals, sealed })
}

fn line_of(record: &ExportedRecord) -> RecordLine {
    RecordLine {
        arrival: record.arrival,
        received_at: record.received_at,
        station: record.station.clone(),
        epoch: record.epoch,
        seq: record.seq,
        previous: record.previous,
        hash: record.hash,
        stored: BASE64.encode(&record.stored),
    }
}

async fn open_key(
    store: &Store,
    server: &ServerSecret,
    (station, key_id): &(StationId, [u8; 16]),
) -> Result<Option<BodyKey>, StoreError> {
    let wrapped = store.wrapped_key(station, key_id).await?;
    Ok(wrapped
        .and_then(|wrapped| BodyKey::unwrap_for_server(KeyId(*key_id), server, &wrapped).ok()))
}

/// Wraps a key for headquarters. The one-time secret is derived, not drawn, so that the same range
/// gives the same bytes; it is as secret as what it is derived from.
fn wrapped_again(
    (station, key_id): &(StationId, [u8; 16]),
    key: &BodyKey,
    derive: &[u8; 32],
    headquarters: &ServerPublic,
) -> KeyLine {
    let mut hasher = Sha256::new_with_prefix(b"tidewaiter/bundle-key/v1\0");
    hasher.update(derive);
    hasher.update(headquarters.0);
    hasher.update(key_id);
    hasher.update(station.as_str());
    let ephemeral = hasher.finalize().into();
    KeyLine {
        station: station.clone(),
        key_id: hex::encode(key_id),
        wrapped: hex::encode(key.wrap_for_server(KeyId(*key_id), headquarters, ephemeral)),
    }
}

async fn gaps(
    store: &Store,
    entry: &StationEntry,
    last: i64,
) -> Result<Vec<(u64, u64)>, StoreError> {
    let mut gaps = Vec::new();
    for (first, _) in &entry.ranges {
        let before = store.last_before(&entry.station, entry.epoch, *first, last).await?;
        if before.saturating_add(1) < *first {
            gaps.push((before + 1, first - 1));
        }
    }
    Ok(gaps)
}

async fn heads(
    store: &Store,
    range: &Range,
    stations: &[StationEntry],
    directory: &Path,
) -> Result<FileEntry, BuildError> {
    let mut out = LineFile::create(directory, part::HEADS)?;
    for entry in stations {
        let head = store.export_head(&entry.station, entry.epoch, range.first, range.last).await?;
        if let Some(head) = head {
            out.line(&HeadLine {
                station: entry.station.clone(),
                epoch: entry.epoch,
                seq: head.head.seq,
                hash: head.head.hash,
                statement: hex::encode(&head.statement),
                signature: hex::encode(head.signature),
            })?;
        }
    }
    out.finish()
}

/// A file of JSON lines, compressed and hashed as it is written, synced at its end.
struct LineFile {
    path: String,
    encoder: zstd::Encoder<'static, Hashed>,
    rows: u64,
}

/// A file and the hash of what went into it.
struct Hashed {
    file: BufWriter<File>,
    hasher: Sha256,
    bytes: u64,
}

impl Write for Hashed {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buffer)?;
        self.hasher.update(buffer.get(..written).unwrap_or(buffer));
        self.bytes = self.bytes.saturating_add(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl LineFile {
    fn create(directory: &Path, name: &str) -> Result<Self, BuildError> {
        let failed = |source| BuildError::File { path: name.to_owned(), source };
        let file = BufWriter::new(File::create(directory.join(name)).map_err(failed)?);
        let hashed = Hashed { file, hasher: Sha256::new(), bytes: 0 };
        let mut encoder = zstd::Encoder::new(hashed, LEVEL).map_err(failed)?;
        encoder.include_checksum(true).map_err(failed)?;
        Ok(Self { path: name.to_owned(), encoder, rows: 0 })
    }

    fn line<T: Serialize>(&mut self, value: &T) -> Result<(), BuildError> {
        let mut bytes = serde_json::to_vec(value)?;
        bytes.push(b'\n');
        self.rows = self.rows.saturating_add(1);
        self.encoder
            .write_all(&bytes)
            .map_err(|source| BuildError::File { path: self.path.clone(), source })
    }

    fn finish(self) -> Result<FileEntry, BuildError> {
        let path = self.path;
        let failed = |source| BuildError::File { path: path.clone(), source };
        let hashed = self.encoder.finish().map_err(failed)?;
        let file = hashed.file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        let sha256 = hex::encode(hashed.hasher.finalize());
        Ok(FileEntry { bytes: hashed.bytes, sha256, rows: self.rows })
    }
}

const PAGE: i64 = 2000;
const LEVEL: i32 = 3;
