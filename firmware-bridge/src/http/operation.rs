//! What machines ask about the program itself, and the state of its ledger.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tidewaiter_program::metrics::Metrics;
use tidewaiter_program::problem::Problem;
use tidewaiter_proto::bus::Availability;
use tidewaiter_proto::record::ClockQuality;

use super::fault::Told;
use crate::station::{Health, Station};

/// The program runs.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The program can do its work: the ledger records.
pub(super) async fn readyz(State(station): State<Station>) -> Response {
    match station.health().ledger.refusal {
        None => "ready\n".into_response(),
        Some(refusal) => {
            let text = refusal.to_string();
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not ready", text).into_response()
        }
    }
}

/// How far the ledger is, what the server has of it, and what is wrong with it.
pub(super) async fn ledger(State(station): State<Station>) -> Json<Value> {
    let health = station.health();
    let (epoch, head) = health.head;
    let receipted = station.ledger().receipted(epoch);
    let ledger = &health.ledger;
    let text = |value: &Option<tidewaiter_ledger::Refusal>| value.as_ref().map(ToString::to_string);
    let damage: Vec<String> = ledger.damage.iter().map(ToString::to_string).collect();
    let applied = station.applied();
    Json(json!({
        "station": station.name(), "epoch": epoch, "seq": head.seq, "head": head.hash,
        "recording": ledger.refusal.is_none(), "refusal": text(&ledger.refusal),
        "full": text(&ledger.full), "damage": damage, "notices": ledger.notices,
        "waiting": ledger.waiting, "free_bytes": ledger.free_bytes, "low": ledger.low,
        "backlog": backlog(&station, &health), "receipted": receipted.ranges.as_slice(),
        "online": health.progress.is_some_and(|progress| progress.online),
        "contradicted": health.progress.is_some_and(|progress| progress.contradicted),
        "clock": health.clock, "policy": applied.policy, "lists": applied.lists,
    }))
}

/// Records that the server has not receipted.
pub(crate) fn backlog(station: &Station, health: &Health) -> u64 {
    let (epoch, head) = health.head;
    let here = || head.seq.saturating_sub(station.ledger().receipted(epoch).ranges.count());
    health.progress.map_or_else(here, |progress| progress.backlog)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClockSetting {
    now: Timestamp,
}

/// Sets the clock of a demonstration; there is nothing here otherwise.
pub(super) async fn set_clock(
    State(station): State<Station>,
    setting: Result<Told<ClockSetting>, Problem>,
) -> Result<Json<Value>, Problem> {
    if station.demonstration().is_none() {
        return Err(Problem::not_found("this is no demonstration: its clock is not to be set"));
    }
    station.clock().set(setting?.body.now);
    Ok(Json(json!({"now": station.clock().now()})))
}

/// Prometheus text.
pub(super) async fn metrics(State(station): State<Station>) -> Metrics {
    let health = station.health();
    let (epoch, head) = health.head;
    let ledger = &health.ledger;
    let mut metrics = Metrics::of(env!("CARGO_PKG_VERSION"));
    metrics.gauge("tidewaiter_ledger_epoch", "The ledger's life.", epoch);
    metrics.counter("tidewaiter_records_total", "Records of this life.", head.seq);
    let recording = u8::from(ledger.refusal.is_none());
    metrics.gauge("tidewaiter_ledger_recording", "1 while the ledger records.", recording);
    metrics.gauge("tidewaiter_ledger_damage", "What is not as it was.", ledger.damage.len());
    metrics.gauge("tidewaiter_ledger_waiting", "Appends that wait.", ledger.waiting);
    metrics.gauge("tidewaiter_disk_free_bytes", "Free on the disk.", ledger.free_bytes);
    metrics.gauge("tidewaiter_disk_low", "1 when a warning is due.", u8::from(ledger.low));
    let help = "Records that the server has not receipted.";
    metrics.gauge("tidewaiter_backlog", help, backlog(&station, &health));
    let online = health.progress.is_some_and(|progress| progress.online);
    metrics.gauge("tidewaiter_online", "1 while connected to the server.", u8::from(online));
    if let Some(progress) = health.progress {
        let help = "Batches sent again because no receipt came.";
        metrics.counter("tidewaiter_batches_resent_total", help, progress.resent);
        let help = "Messages from the server's topic that were not believed.";
        metrics.counter("tidewaiter_messages_refused_total", help, progress.refused);
    }
    metrics.gauge("tidewaiter_bus", "1 while the bus is there.", u8::from(health.bus));
    let devices: Vec<(&str, u8)> = health
        .devices
        .iter()
        .map(|(id, status)| (id.as_str(), u8::from(status.state == Availability::Online)))
        .collect();
    metrics.gauges("tidewaiter_device_online", "1 while it answers.", "device", &devices);
    let refused: Vec<(&str, u64)> =
        health.refused.iter().map(|(id, times)| (id.as_str(), *times)).collect();
    let help = "Times that what a device said was refused.";
    metrics.gauges("tidewaiter_device_refused", help, "device", &refused);
    let trusted = u8::from(health.clock == ClockQuality::Synced);
    metrics.gauge("tidewaiter_clock_synced", "1 while the clock is right.", trusted);
    metrics
}

/// The interface's own description.
pub(super) async fn openapi() -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, include_str!("openapi.json")).into_response()
}
