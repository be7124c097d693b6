//! The station's programming interface under `/api/v1`, what machines ask about the program
//! itself, and the officer's pages beside it: one router, one guard around all.

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::middleware;
use axum::routing::{any, get, post};
use tidewaiter_program::http::no_store;
pub use tidewaiter_program::http::serve;
use tidewaiter_program::problem::nothing_here;
use tokio_util::sync::CancellationToken;

use crate::page::Drafts;
use crate::station::Station;

mod fault;
mod inspection;
mod live;
mod operation;
pub(crate) use operation::backlog;
mod said;

/// What handlers work with.
#[derive(Clone)]
pub(crate) struct Served {
    station: Station,
    stop: CancellationToken,
    drafts: Drafts,
}

/// All that a station serves.
pub fn router(station: Station, stop: CancellationToken) -> Router {
    let api = Router::new()
        .route("/api/v1/inspections", get(inspection::list).post(said::opening))
        .route("/api/v1/inspections/{id}", get(inspection::show))
        .route("/api/v1/inspections/{id}/declaration", post(said::declaration))
        .route("/api/v1/inspections/{id}/counts", post(said::count))
        .route("/api/v1/inspections/{id}/outcome", post(said::outcome))
        .route("/api/v1/next", post(said::next))
        .route("/api/v1/ledger", get(operation::ledger))
        .route("/api/v1/live", get(live::live))
        .route("/api/v1/demonstration/clock", post(operation::set_clock))
        .route("/api/v1/{*rest}", any(nothing_here))
        .route("/healthz", get(operation::healthz))
        .route("/readyz", get(operation::readyz))
        .route("/metrics", get(operation::metrics))
        .route("/openapi.json", get(operation::openapi))
        .layer(middleware::map_response(no_store));
    let all = api
        .merge(crate::page::routes())
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Served { station, stop, drafts: Drafts::default() });
    tidewaiter_web::guard::protect(all)
}

impl FromRef<Served> for Station {
    fn from_ref(served: &Served) -> Self {
        served.station.clone()
    }
}

impl FromRef<Served> for CancellationToken {
    fn from_ref(served: &Served) -> Self {
        served.stop.clone()
    }
}

impl FromRef<Served> for Drafts {
    fn from_ref(served: &Served) -> Self {
        served.drafts.clone()
    }
}

const BODY_BYTES_MAX: usize = 256 * 1024;
