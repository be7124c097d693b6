//! The programming interface under `/api/v1`, what machines ask about the program itself, and the
//! pages beside it: one router, one guard around all.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use tidewaiter_program::http::no_store;
pub use tidewaiter_program::http::serve;

use crate::state::AppState;

mod alert;
mod bundle;
pub mod headquarters;
mod inspection;
mod live;
mod operation;
pub mod problem;
mod search;
mod station;

/// All that a server serves.
pub fn router(state: AppState) -> Router {
    let api = Router::new()
        .route("/api/v1/alerts", get(alert::list))
        .route("/api/v1/alerts/{id}", get(alert::show))
        .route("/api/v1/alerts/{id}/actions", post(alert::act))
        .route("/api/v1/inspections", get(inspection::list))
        .route("/api/v1/inspections/{site}/{lane}/{id}", get(inspection::show))
        .route("/api/v1/search", get(search::search))
        .route("/api/v1/screen", post(search::screen))
        .route("/api/v1/stations", get(station::list))
        .route("/api/v1/coverage", get(station::coverage))
        .route("/api/v1/policies", get(operation::policies))
        .route("/api/v1/live", get(live::live))
        .route("/api/v1/bundles", get(bundle::list).post(bundle::night))
        .route("/api/v1/demonstration/clock", post(operation::set_clock))
        .route("/api/v1/{*rest}", axum::routing::any(problem::nothing_here))
        .route("/healthz", get(operation::healthz))
        .route("/readyz", get(operation::readyz))
        .route("/metrics", get(operation::metrics))
        .route("/openapi.json", get(operation::openapi))
        .layer(middleware::map_response(no_store));
    let all = api
        .merge(crate::page::routes())
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(state);
    tidewaiter_web::guard::protect(all)
}

const BODY_BYTES_MAX: usize = 256 * 1024;

#[cfg(test)]
pub(crate) mod tests;
