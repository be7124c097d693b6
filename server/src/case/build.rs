//! Gathering what a case file holds from the store.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde_json::value::RawValue;
use tidewaiter_proto::alert::Alert;
use tidewaiter_proto::station::StationId;

use super::{
    CaseAlert, CaseBundle, CaseFile, CaseInspection, CaseVersion, FORMAT, Run, RunHead, RunRecord,
    SignedCase, custody,
};
use crate::bundle::seal::{SealError, Signer};
use crate::inspection::Opener;
use crate::store::{CaseRow, ExportedRecord, InspectionRow, Store, StoreError};

/// Who takes a case out, and why.
#[derive(Clone, Debug)]
pub struct Taking {
    /// From which server.
    pub server: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// Versions of policy and lists in force.
    pub versions: BTreeMap<String, String>,
}

/// Why there is no case file.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signature.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Something cannot be written as JSON.
    #[error("the case cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// Gathers a case: its alerts, the inspections they are about, and the proofs of their records.
///
/// # Errors
/// [`CaseError`].
pub async fn gather(
    store: &Store,
    opener: &Opener,
    case: &CaseRow,
    taking: Taking,
) -> Result<CaseFile, CaseError> {
    let mut alerts = Vec::new();
    let mut about: BTreeMap<(StationId, String), InspectionRow> = BTreeMap::new();
    for id in &case.alerts {
        let Some(row) = store.alert(id).await? else { continue };
        for inspection in inspections_of(store, &row.alert).await? {
            about.insert((inspection.station.clone(), inspection.inspection.clone()), inspection);
        }
        alerts.push(alert(store, id).await?);
    }
    let mut inspections = Vec::new();
    let mut wanted: BTreeMap<(StationId, u64), BTreeSet<u64>> = BTreeMap::new();
    for row in about.values() {
        let opened = inspection(opener, row).await?;
        for record in &opened.records {
            wanted.entry((row.station.clone(), record.epoch)).or_default().insert(record.seq);
        }
        inspections.push(opened);
    }
    let (mut runs, mut stations) = (Vec::new(), BTreeMap::new());
    for ((station, epoch), seqs) in wanted {
        runs.extend(runs_of(store, &station, epoch, &seqs).await?);
        if let Some(card) = store.station_enrolled(&station).await? {
            stations.insert(station, card);
        }
    }
    Ok(CaseFile {
        format: FORMAT.to_owned(),
        server: taking.server,
        id: case.id.clone(),
        title: case.title.clone(),
        made_by: case.made_by.clone(),
        made_at: case.made_at,
        exported_by: taking.by,
        exported_at: taking.at,
        reason: taking.reason,
        versions: taking.versions,
        bundles: bundles(store, &runs).await?,
        stations: stations.into_values().collect(),
        alerts,
        inspections,
        runs,
    })
}

/// Signs a case file: the bytes to hand over.
///
/// # Errors
/// [`CaseError`].
pub fn sign(case: &CaseFile, signer: &Signer) -> Result<Vec<u8>, CaseError> {
    let text = serde_json::to_string_pretty(case)?;
    let comment = format!("server {} case {}", case.server, case.id);
    let signature = signer.sign(text.as_bytes(), &comment)?;
    let whole = SignedCase { signed: RawValue::from_string(text)?, signature };
    let mut bytes = serde_json::to_vec_pretty(&whole)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The inspection of an alert, and those of its group as far as they are here.
async fn inspections_of(store: &Store, alert: &Alert) -> Result<Vec<InspectionRow>, StoreError> {
    let mut rows = Vec::new();
    if let Some(inspection) = &alert.inspection {
        rows.extend(store.inspection(&alert.station, inspection).await?);
    }
    for member in alert.group.iter().take(GROUP_MAX) {
        rows.extend(store.inspections_named(member).await?);
    }
    Ok(rows)
}

async fn alert(store: &Store, id: &str) -> Result<CaseAlert, CaseError> {
    let mut versions = Vec::new();
    for row in store.alert_versions(id).await? {
        versions.push(CaseVersion {
            arrival: row.arrival,
            version: row.version,
            at: row.at,
            alert: RawValue::from_string(row.body)?,
        });
    }
    Ok(CaseAlert {
        id: id.to_owned(),
        versions,
        decisions: store.decisions_stored(id).await?,
        orders: store.orders_of(id).await?,
        attachments: store.attachments(id).await?,
    })
}

async fn inspection(opener: &Opener, row: &InspectionRow) -> Result<CaseInspection, StoreError> {
    let opened = opener.open(&row.station, &row.key_id).await?;
    let own = |inspection: Option<&str>| inspection == Some(row.inspection.as_str());
    let records: Vec<_> = opened
        .records
        .into_iter()
        .map(|opened| opened.record)
        .filter(|record| own(record.inspection.as_deref()))
        .collect();
    let key = opener.body_key(&row.station, &row.key_id).await?;
    Ok(CaseInspection {
        station: row.station.clone(),
        inspection: row.inspection.clone(),
        key_id: hex::encode(row.key_id),
        key: key.map(|key| hex::encode(key.disclosed())),
        custody: custody(&records),
        records,
    })
}

/// The runs that prove records of one epoch: each from a record of the case to the next signed
/// head, runs that meet made one.
async fn runs_of(
    store: &Store,
    station: &StationId,
    epoch: u64,
    seqs: &BTreeSet<u64>,
) -> Result<Vec<Run>, StoreError> {
    let mut runs: Vec<(u64, u64, Option<RunHead>)> = Vec::new();
    for seq in seqs {
        if let Some((_, last, _)) = runs.last()
            && seq <= last
        {
            continue;
        }
        let head = store.head_over(station, epoch, *seq).await?;
        let last = head.as_ref().map_or(*seq, |head| head.head.seq);
        let head = head.map(|head| RunHead {
            seq: head.head.seq,
            hash: head.head.hash,
            statement: hex::encode(&head.statement),
            signature: hex::encode(head.signature),
        });
        match runs.last_mut() {
            // The next head proves what lies before it too, where nothing is missing between.
            Some((_, end, proof)) if end.checked_add(1) == Some(*seq) => {
                *end = last;
                *proof = head;
            }
            _ => runs.push((*seq, last, head)),
        }
    }
    let mut proved = Vec::new();
    for (first, last, head) in runs {
        let records = store.records_stored(station, epoch, (first, last)).await?;
        let Some(previous) = records.first().map(|record| record.previous) else { continue };
        let station = station.clone();
        let records = records.into_iter().map(run_record).collect();
        proved.push(Run { station, epoch, previous, records, head });
    }
    Ok(proved)
}

fn run_record(record: ExportedRecord) -> RunRecord {
    RunRecord {
        arrival: record.arrival,
        received_at: record.received_at,
        seq: record.seq,
        hash: record.hash,
        stored: BASE64.encode(&record.stored),
    }
}

async fn bundles(store: &Store, runs: &[Run]) -> Result<Vec<CaseBundle>, StoreError> {
    let mut bundles: BTreeMap<i64, CaseBundle> = BTreeMap::new();
    for arrival in runs.iter().flat_map(|run| &run.records).map(|record| record.arrival) {
        if bundles.values().any(|bundle| (bundle.first..=bundle.last).contains(&arrival)) {
            continue;
        }
        if let Some(row) = store.bundle_of(arrival).await? {
            bundles.insert(
                row.number,
                CaseBundle {
                    number: row.number,
                    name: row.name,
                    first: row.first,
                    last: row.last,
                    manifest_sha256: row.manifest_sha256,
                    receipt: row.receipt,
                },
            );
        }
    }
    Ok(bundles.into_values().collect())
}

const GROUP_MAX: usize = 50;
