//! Inspections: the list, and one with its records, its money and what the engine says of it.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidewaiter_program::problem::Problem;
use tidewaiter_proto::alert::{Alert, Severity};
use tidewaiter_proto::body::Decision;
use tidewaiter_proto::record::Record;
use tidewaiter_web::tally::Tally;

use super::fault::no_inspection;
use crate::officers::{Officers, Present};
use crate::recorder::RecordError;
use crate::station::{InspectionSummary, Station};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ListQuery {
    limit: Option<usize>,
    #[serde(alias = "cursor")]
    after: Option<String>,
}

/// A row of the list.
#[derive(Debug, Serialize)]
struct RowJson {
    inspection: String,
    opened_at: Timestamp,
    last_at: Timestamp,
    traveller: Option<String>,
    way: Option<String>,
    records: usize,
    decision: Option<Decision>,
    severity: Option<Severity>,
}

impl From<InspectionSummary> for RowJson {
    fn from(summary: InspectionSummary) -> Self {
        Self {
            inspection: summary.inspection,
            opened_at: summary.opened_at,
            last_at: summary.last_at,
            traveller: summary.traveller,
            way: summary.way,
            records: summary.records,
            decision: summary.decision,
            severity: summary.severity,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct ListJson {
    /// The one that is open at the lane.
    open: Option<String>,
    items: Vec<RowJson>,
    next: Option<String>,
}

/// The latest inspections, the latest first.
pub(super) async fn list(
    State(station): State<Station>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<ListJson>, Problem> {
    let Query(query) = query?;
    let limit = query.limit.unwrap_or(LIMIT_USUAL);
    if !(1..=LIMIT_MOST).contains(&limit) {
        return Err(Problem::bad_request(format!("limit is from 1 to {LIMIT_MOST}")));
    }
    let open = station.open_inspection().await;
    let mut rest = station.inspections(usize::MAX);
    if let Some(after) = &query.after {
        let at = rest.iter().position(|summary| summary.inspection == *after);
        let at = at.ok_or_else(|| Problem::bad_request("after: no inspection of this list"))?;
        rest.drain(..=at);
    }
    let more = rest.len() > limit;
    rest.truncate(limit);
    let next = rest.last().filter(|_| more).map(|summary| summary.inspection.clone());
    Ok(Json(ListJson { open, items: rest.into_iter().map(RowJson::from).collect(), next }))
}

#[derive(Debug, Serialize)]
pub(super) struct InspectionJson {
    inspection: String,
    open: bool,
    records: Vec<Record>,
    alerts: Vec<Alert>,
    tally: Value,
}

pub(super) async fn show(
    State(station): State<Station>,
    State(officers): State<Officers>,
    Extension(present): Extension<Present>,
    Path(id): Path<String>,
) -> Result<Json<InspectionJson>, Problem> {
    let records = known(&station, &id)?;
    let open = station.open_inspection().await.as_deref() == Some(&id);
    if !open && let Some(session) = &present.session {
        officers.has_read(session, &id).await;
    }
    let tally = tally(&records);
    let alerts = station.alerts(&id);
    Ok(Json(InspectionJson { inspection: id, open, records, alerts, tally }))
}

/// The records of an inspection that there is.
pub(super) fn known(station: &Station, id: &str) -> Result<Vec<Record>, Problem> {
    let records = station.records(id).map_err(RecordError::from)?;
    if records.is_empty() { Err(no_inspection(id)) } else { Ok(records) }
}

/// Declared against counted, by currency.
fn tally(records: &[Record]) -> Value {
    let tally = Tally::read(records);
    let rows: Vec<Value> = tally
        .comparison
        .iter()
        .map(|row| {
            json!({
                "currency": row.currency, "declared": row.declared, "counted": row.counted,
                "difference": row.difference,
            })
        })
        .collect();
    json!({
        "comparison": rows, "counts": tally.counts.len(), "counts_differ": tally.counts_differ,
        "declarations": tally.declarations.len(),
    })
}

const LIMIT_USUAL: usize = 50;
const LIMIT_MOST: usize = 500;
