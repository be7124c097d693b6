//! Inspections: lists, and one opened.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tidewaiter_proto::record::Record;
use tidewaiter_proto::station::StationId;

use super::alert::{AlertJson, limit_of};
use super::problem::Problem;
use crate::people::Actor;
use crate::state::{AppState, InspectionDetail};
use crate::store::InspectionRow;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ListQuery {
    station: String,
    text: String,
    cursor: Option<String>,
    limit: Option<i64>,
}

/// A row of the list.
#[derive(Debug, Serialize)]
pub(super) struct InspectionRowJson {
    station: StationId,
    inspection: String,
    subject: Option<String>,
    opened_at: Timestamp,
    last_at: Timestamp,
    records: u64,
    direction: Option<String>,
    role: Option<String>,
    mode: Option<String>,
    designator: Option<String>,
    from: Option<String>,
    to: Option<String>,
    decision: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct InspectionPageJson {
    items: Vec<InspectionRowJson>,
    next: Option<String>,
}

/// One inspection, opened.
#[derive(Debug, Serialize)]
pub(super) struct InspectionJson {
    #[serde(flatten)]
    row: InspectionRowJson,
    opened: Vec<OpenedJson>,
    sealed: usize,
    alerts: Vec<AlertJson>,
}

#[derive(Debug, Serialize)]
struct OpenedJson {
    #[serde(flatten)]
    record: Record,
    received_at: Timestamp,
}

impl From<InspectionRow> for InspectionRowJson {
    fn from(row: InspectionRow) -> Self {
        Self {
            station: row.station,
            inspection: row.inspection,
            subject: row.subject.map(hex::encode),
            opened_at: row.opened_at,
            last_at: row.last_at,
            records: row.records,
            direction: row.direction,
            role: row.role,
            mode: row.mode,
            designator: row.designator,
            from: row.origin,
            to: row.destination,
            decision: row.decision,
        }
    }
}

impl From<InspectionDetail> for InspectionJson {
    fn from(detail: InspectionDetail) -> Self {
        let opened = detail
            .records
            .into_iter()
            .map(|opened| OpenedJson { record: opened.record, received_at: opened.received_at })
            .collect();
        Self {
            row: detail.row.into(),
            opened,
            sealed: detail.sealed,
            alerts: detail.alerts.into_iter().map(AlertJson::from).collect(),
        }
    }
}

pub(super) async fn list(
    State(state): State<AppState>,
    actor: Actor,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<InspectionPageJson>, Problem> {
    let Query(query) = query?;
    let limit = limit_of(query.limit)?;
    let after = query.cursor.as_deref();
    let page = state.inspections(&actor, &query.station, &query.text, after, limit).await?;
    let items = page.rows.into_iter().map(InspectionRowJson::from).collect();
    Ok(Json(InspectionPageJson { items, next: page.next }))
}

pub(super) async fn show(
    State(state): State<AppState>,
    actor: Actor,
    Path((site, lane, id)): Path<(String, String, String)>,
) -> Result<Json<InspectionJson>, Problem> {
    let missing = || Problem::not_found(format!("there is no inspection {id:?} at {site}/{lane}"));
    let station = format!("{site}/{lane}").parse().map_err(|_| missing())?;
    let detail = state.inspection(&actor, &station, &id).await?.ok_or_else(missing)?;
    Ok(Json(detail.into()))
}
