//! What machines ask about the program itself.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt::Write;

use super::problem::Problem;
use crate::state::AppState;
use crate::store::StoreError;

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

/// Versions of policy and lists in force.
pub(super) async fn policies(State(state): State<AppState>) -> Json<Value> {
    Json(json!({"versions": state.versions()}))
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
    if state.demonstration().is_none() {
        return Err(Problem::not_found("this is no demonstration: its clock is not to be set"));
    }
    let Json(setting) = setting?;
    state.clock().set(setting.now);
    Ok(Json(json!({"now": state.clock().now()})))
}

/// Prometheus text.
pub(super) async fn metrics(State(state): State<AppState>) -> Result<Response, Problem> {
    let text = metrics_text(&state).await?;
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, text).into_response())
}

async fn metrics_text(state: &AppState) -> Result<String, StoreError> {
    let mut text = String::new();
    let mut gauge = |name: &str, help: &str, kind: &str, values: &[(String, i64)]| {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in values {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    };
    let one = |value: i64| vec![(String::new(), value)];
    let version = format!("{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    gauge("tidewaiter_build", "The program.", "gauge", &[(version, 1)]);
    let counts = state.store().alert_counts().await?;
    let counts: Vec<(String, i64)> =
        counts.into_iter().map(|(name, count)| (format!("{{state=\"{name}\"}}"), count)).collect();
    gauge("tidewaiter_alerts", "Alerts by state.", "gauge", &counts);
    let pending = state.store().pending_count().await?;
    gauge("tidewaiter_assessments_waiting", "Inspections that wait.", "gauge", &one(pending));
    let arrivals = state.store().last_arrival().await?;
    gauge(
        "tidewaiter_arrivals_total",
        "Rows taken in order of arrival.",
        "counter",
        &one(arrivals),
    );
    let changes = state.store().change_cursor().await?;
    gauge("tidewaiter_changes_total", "Changes that pages follow.", "counter", &one(changes));
    let (known, online) = state.store().station_counts().await?;
    gauge("tidewaiter_stations", "Stations enrolled.", "gauge", &one(known));
    gauge("tidewaiter_stations_online", "Stations that are there.", "gauge", &one(online));
    let quarantined = state.store().quarantine_count().await?;
    gauge("tidewaiter_quarantined", "Refused messages kept.", "gauge", &one(quarantined));
    if let Some(bytes) = resident_bytes() {
        let help = "Resident memory.";
        gauge("process_resident_memory_bytes", help, "gauge", &one(bytes));
    }
    Ok(text)
}

/// Resident memory as Linux says it; `None` elsewhere.
fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// The interface's own description.
pub(super) async fn openapi() -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, include_str!("openapi.json")).into_response()
}
