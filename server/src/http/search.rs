//! Looking for things: alerts and inspections by text, and names on the lists in force.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::alert::{AlertJson, limit_of};
use super::inspection::InspectionRowJson;
use super::problem::Problem;
use crate::state::AppState;
use crate::store::AlertFilter;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SearchQuery {
    q: String,
    limit: Option<i64>,
}

/// Alerts and inspections that contain a text. Names are inside sealed records and are not found
/// here: that is what `/api/v1/screen` and the alerts' own texts are for.
pub(super) async fn search(
    State(state): State<AppState>,
    query: Result<Query<SearchQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query?;
    if query.q.trim().is_empty() {
        return Err(Problem::bad_request("q is missing: the text to look for"));
    }
    let limit = limit_of(query.limit)?;
    let filter = AlertFilter { text: query.q.clone(), ..AlertFilter::default() };
    let alerts = state.alerts(&filter, None, limit).await?;
    let alerts: Vec<AlertJson> = alerts.rows.into_iter().map(AlertJson::from).collect();
    let inspections = state.inspections("", &query.q, None, limit).await?;
    let inspections: Vec<InspectionRowJson> =
        inspections.rows.into_iter().map(InspectionRowJson::from).collect();
    Ok(Json(json!({"alerts": alerts, "inspections": inspections})))
}
