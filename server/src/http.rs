//! The programming interface under `/api/v1`, what machines ask about the program itself, and the
//! pages beside it: one router, one guard around all.

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::middleware;
use axum::response::Response;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

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

/// Serves a router until `stop`; what is still open then has a moment to end.
///
/// # Errors
/// Only when no connection can be accepted any more.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let served = axum::serve(listener, router)
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .into_future();
    let last_call = async {
        stop.cancelled().await;
        tokio::time::sleep(LAST_CALL).await;
    };
    tokio::select! {
        served = served => served,
        () = last_call => Ok(()),
    }
}

/// What the interface says is for the one who asked, now.
async fn no_store(mut response: Response) -> Response {
    let value = HeaderValue::from_static("no-store");
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(value);
    response
}

const BODY_BYTES_MAX: usize = 256 * 1024;
const LAST_CALL: Duration = Duration::from_millis(800);

#[cfg(test)]
mod tests;
