//! The programming interface under `/api/v1`, what machines ask about the program itself, and the
//! pages beside it: one router, one guard around all.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use tidewaiter_people::role::Permission;
use tidewaiter_program::http::no_store;
pub use tidewaiter_program::http::serve;

use crate::state::AppState;
use guard::{Need, Routes, Stated};

mod alert;
mod bundle;
pub mod guard;
pub mod headquarters;
mod inspection;
mod live;
mod operation;
pub(crate) mod people;
pub mod problem;
mod search;
mod station;

/// All that a server serves.
pub fn router(state: AppState) -> Router {
    stated(state).0
}

/// The router, and the table of its routes with what each needs.
pub fn stated(state: AppState) -> (Router, Vec<Stated>) {
    let interface = interface(Routes::new(state.clone()));
    let (interface, mut table) = interface.done();
    let (pages, of_pages) = crate::page::routes(Routes::new(state.clone())).done();
    table.extend(of_pages);
    let all = interface
        .route("/api/v1/{*rest}", axum::routing::any(problem::nothing_here))
        .layer(middleware::map_response(no_store))
        .merge(pages)
        .merge(tidewaiter_web::assets::routes())
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(state);
    (tidewaiter_web::guard::protect(all), table)
}

/// The programming interface, each route with what it needs.
fn interface(routes: Routes) -> Routes {
    use Need::{Nothing, Right, SignIn};
    use Permission as P;
    routes
        .get("/api/v1/alerts", Right(P::AlertRead), alert::list)
        .get("/api/v1/alerts/{id}", Right(P::AlertRead), alert::show)
        .post("/api/v1/alerts/{id}/actions", Right(P::AlertAct), alert::act)
        .get("/api/v1/inspections", Right(P::InspectionRead), inspection::list)
        .get("/api/v1/inspections/{site}/{lane}/{id}", Right(P::InspectionRead), inspection::show)
        .get("/api/v1/search", Right(P::Search), search::search)
        .post("/api/v1/screen", Right(P::Search), search::screen)
        .get("/api/v1/stations", Right(P::StationRead), station::list)
        .get("/api/v1/coverage", Right(P::StationRead), station::coverage)
        .get("/api/v1/policies", Right(P::PolicyRead), operation::policies)
        .get("/api/v1/live", Right(P::AlertRead), live::live)
        .get("/api/v1/bundles", Right(P::BundleRead), bundle::list)
        .post("/api/v1/bundles", Right(P::BundleMake), bundle::night)
        // There is nothing here but in a demonstration.
        .post("/api/v1/demonstration/clock", Nothing, operation::set_clock)
        .post("/api/v1/session", Nothing, people::sign_in)
        .get("/api/v1/session", SignIn, people::who)
        .post("/api/v1/session/end", SignIn, people::sign_out)
        .get("/api/v1/accounts", Right(P::AccountManage), people::list)
        .post("/api/v1/accounts", Right(P::AccountManage), people::make)
        .post("/api/v1/accounts/{id}", Right(P::AccountManage), people::alter)
        .get("/api/v1/matters", SignIn, people::matters)
        .post("/api/v1/matters/{id}", SignIn, people::answer)
        .get("/api/v1/audit", Right(P::AuditRead), people::audit)
        .get("/api/v1/audit/check", Right(P::AuditRead), people::check_audit)
        .get("/healthz", Nothing, operation::healthz)
        .get("/readyz", Nothing, operation::readyz)
        // Counts only, nothing of a person or a case: what a collector on this machine scrapes.
        .get("/metrics", Nothing, operation::metrics)
        .get("/openapi.json", Nothing, operation::openapi)
}

const BODY_BYTES_MAX: usize = 256 * 1024;

#[cfg(test)]
pub(crate) mod tests;
