//! Headquarters' interface: what came in, and what machines ask.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRef, State};
use axum::response::Response;
use axum::{Json, Router};
use serde_json::{Value, json};
use tidewaiter_people::role::Permission;
use tidewaiter_program::http::no_store;
use tidewaiter_program::metrics::Metrics;
use tidewaiter_web::guard::{Door, protect_with};

use super::guard::{Need, Routes, Stated};
use super::operation::{self, ClockSetting};
use super::problem::Problem;
use crate::page::headquarters::HeadquartersView;
use crate::people::reception::Reception;

/// All that headquarters serves, behind a door.
pub fn router(view: HeadquartersView, door: Door) -> Router {
    protect_with(stated(view).0, door)
}

/// The router without the guard around it, and the table of its routes with what each needs.
pub fn stated(view: HeadquartersView) -> (Router, Vec<Stated>) {
    let reception = Reception::from_ref(&view);
    let routes = interface(Routes::new(reception));
    let (routes, table) = crate::page::headquarters::routes(routes).done();
    let all = routes
        .layer(axum::middleware::map_response(no_store))
        .route("/api/v1/{*rest}", axum::routing::any(super::problem::nothing_here))
        .merge(tidewaiter_web::assets::routes())
        .with_state(view);
    (all, table)
}

fn interface(routes: Routes<HeadquartersView>) -> Routes<HeadquartersView> {
    use Need::{Nothing, Right};
    use Permission as P;
    let routes = routes
        .get("/api/v1/bundles", Right(P::BundleRead), bundles)
        .post("/api/v1/demonstration/clock", Nothing, set_clock)
        .get("/healthz", Nothing, healthz)
        .get("/readyz", Nothing, readyz)
        .get("/metrics", Nothing, metrics)
        .get("/openapi.json", Nothing, openapi);
    super::people_interface(routes)
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
