//! Headquarters' interface: what came in, and what machines ask.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tidewaiter_program::metrics::Metrics;

use super::operation::{self, ClockSetting};
use super::problem::Problem;
use crate::page::headquarters::HeadquartersView;

/// All that headquarters serves.
pub fn router(view: HeadquartersView) -> Router {
    let api = Router::new()
        .route("/api/v1/bundles", get(bundles))
        .route("/api/v1/demonstration/clock", post(set_clock))
        .route("/api/v1/{*rest}", axum::routing::any(super::problem::nothing_here))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(openapi))
        .with_state(view.clone());
    let page: Router = crate::page::headquarters::routes(view);
    tidewaiter_web::guard::protect(api.merge(page))
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(view): State<HeadquartersView>) -> Result<&'static str, Problem> {
    view.store.ping().await?;
    Ok("ready\n")
}

async fn set_clock(
    State(view): State<HeadquartersView>,
    setting: Result<Json<ClockSetting>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    operation::set(&view.clock, setting)
}

async fn bundles(State(view): State<HeadquartersView>) -> Result<Json<Value>, Problem> {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    let items: Vec<Value> = view
        .store
        .incoming(ROWS)
        .await?
        .iter()
        .map(|row| {
            json!({
                "server": row.server, "number": row.number, "name": row.name,
                "manifest_sha256": row.manifest_sha256, "received_at": row.received_at,
                "accepted": row.accepted, "checks": parsed(&row.checks),
                "manifest": parsed(&row.manifest),
            })
        })
        .collect();
    Ok(Json(json!({"items": items, "next": null})))
}

async fn metrics(State(view): State<HeadquartersView>) -> Result<Metrics, Problem> {
    let rows = view.store.incoming(ROWS).await?;
    let accepted = rows.iter().filter(|row| row.accepted).count();
    let counts = [("accepted", accepted), ("refused", rows.len() - accepted)];
    let mut metrics = Metrics::of(env!("CARGO_PKG_VERSION"));
    metrics.gauges("tidewaiter_bundles", "Bundles by state.", "state", &counts);
    let records = view.store.record_count().await?;
    metrics.gauge("tidewaiter_records", "Records of all bundles.", records);
    Ok(metrics)
}

async fn openapi() -> Response {
    let kind = [(axum::http::header::CONTENT_TYPE, "application/json")];
    axum::response::IntoResponse::into_response((kind, include_str!("headquarters.json")))
}

const ROWS: i64 = 500;
