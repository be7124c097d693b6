//! What machines ask about the program itself.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tidewaiter_program::metrics::Metrics;

use super::problem::Problem;
use crate::clock::Clock;
use crate::state::AppState;

/// The program runs.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The program can do its work: the store answers.
pub(super) async fn readyz(State(state): State<AppState>) -> Response {
    match state.store().ping().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            let text = error.to_string();
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not ready", text).into_response()
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClockSetting {
    now: Timestamp,
}

/// Sets the clock of a demonstration; there is nothing here otherwise.
pub(super) async fn set_clock(
    State(state): State<AppState>,
    setting: Result<Json<ClockSetting>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    set(state.clock(), setting)
}

/// Sets a clock, if it is a demonstration's.
pub(super) fn set(
    clock: &Clock,
    setting: Result<Json<ClockSetting>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    if !clock.is_demonstration() {
        return Err(Problem::not_found("this is no demonstration: its clock is not to be set"));
    }
    let Json(setting) = setting?;
    clock.set(setting.now);
    Ok(Json(json!({"now": clock.now()})))
}

/// Prometheus text.
pub(super) async fn metrics(State(state): State<AppState>) -> Result<Metrics, Problem> {
    let store = state.store();
    let mut metrics = Metrics::of(env!("CARGO_PKG_VERSION"));
    let counts = store.alert_counts("").await?;
    let counts: Vec<(&str, i64)> =
        counts.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    metrics.gauges("tidewaiter_alerts", "Alerts by state.", "state", &counts);
    let help = "Inspections that wait.";
    metrics.gauge("tidewaiter_assessments_waiting", help, store.pending_count().await?);
    let help = "Rows taken in order of arrival.";
    metrics.counter("tidewaiter_arrivals_total", help, store.last_arrival().await?);
    let help = "Changes that pages follow.";
    metrics.counter("tidewaiter_changes_total", help, store.change_cursor().await?);
    let (known, online) = store.station_counts().await?;
    metrics.gauge("tidewaiter_stations", "Stations enrolled.", known);
    metrics.gauge("tidewaiter_stations_online", "Stations that are there.", online);
    let help = "Refused messages kept.";
    metrics.gauge("tidewaiter_quarantined", help, store.quarantine_count().await?);
    Ok(metrics)
}

/// The interface's own description.
pub(super) async fn openapi() -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, include_str!("openapi.json")).into_response()
}
