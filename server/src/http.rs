//! The programming interface under `/api/v1`, what machines ask about the program itself, and the
//! pages beside it: one router, one guard around all.

use axum::Router;
use axum::extract::FromRef;
use axum::middleware;
use tidewaiter_people::role::Permission;
use tidewaiter_program::http::no_store;
pub use tidewaiter_program::http::serve;
use tidewaiter_web::guard::{Door, protect_with};

use crate::people::reception::Reception;
use crate::state::AppState;
use guard::{Need, Routes, Stated};

mod alert;
mod bundle;
mod case;
pub(crate) mod desk;
pub(crate) mod figure;
pub mod guard;
pub mod headquarters;
mod idempotent;
mod inspection;
mod live;
pub(crate) mod matter;
mod operation;
pub(crate) mod people;
mod policy;
pub mod problem;
mod search;
mod station;

/// All that a server serves, behind a door.
pub fn router(state: AppState, door: Door) -> Router {
    protect_with(stated(state).0, door)
}

/// The router without the guard around it, and the table of its routes with what each needs.
pub fn stated(state: AppState) -> (Router, Vec<Stated>) {
    let reception = Reception::from_ref(&state);
    let (interface, mut table) = interface(Routes::new(reception.clone())).done();
    let (pages, of_pages) = crate::page::routes(Routes::new(reception)).done();
    table.extend(of_pages);
    let all = interface
        .route("/api/v1/{*rest}", axum::routing::any(problem::nothing_here))
        .layer(middleware::from_fn_with_state(
            (state.clone(), idempotent::UnderWay::default()),
            idempotent::once,
        ))
        .layer(middleware::map_response(no_store))
        .merge(pages)
        .merge(tidewaiter_web::assets::routes())
        .with_state(state);
    (all, table)
}

/// The programming interface, each route with what it needs.
fn interface(routes: Routes<AppState>) -> Routes<AppState> {
    use Need::{Nothing, Right};
    use Permission as P;
    let routes = routes
        .get("/api/v1/alerts", Right(P::AlertRead), alert::list)
        .get("/api/v1/alerts/{id}", Right(P::AlertRead), alert::show)
        .post("/api/v1/alerts/{id}/actions", Right(P::AlertAct), alert::act)
        .get("/api/v1/inspections", Right(P::InspectionRead), inspection::list)
        .get("/api/v1/inspections/{site}/{lane}/{id}", Right(P::InspectionRead), inspection::show)
        .get("/api/v1/search", Right(P::Search), search::search)
        .post("/api/v1/screen", Right(P::Search), search::screen)
        .post("/api/v1/network", Right(P::Search), search::network)
        .get("/api/v1/stations", Right(P::StationRead), station::list)
        .get("/api/v1/coverage", Right(P::StationRead), station::coverage)
        .get("/api/v1/policies", Right(P::PolicyRead), policy::show)
        .post("/api/v1/policies", Right(P::PolicyWrite), policy::propose)
        .get("/api/v1/live", Right(P::AlertRead), live::live)
        .get("/api/v1/bundles", Right(P::BundleRead), bundle::list)
        .post("/api/v1/bundles", Right(P::BundleMake), bundle::night)
        // There is nothing here but in a demonstration.
        .post("/api/v1/demonstration/clock", Nothing, operation::set_clock)
        .get("/healthz", Nothing, operation::healthz)
        .get("/readyz", Nothing, operation::readyz)
        // Counts only, nothing of a person or a case: what a collector on this machine scrapes.
        .get("/metrics", Nothing, operation::metrics)
        .get("/openapi.json", Nothing, operation::openapi)
        .get("/api/v1/matters", Right(P::MatterRead), matter::list)
        .post("/api/v1/matters", Right(P::MatterRead), matter::ask)
        .post("/api/v1/matters/{id}", Right(P::MatterRead), matter::answer)
        .post("/api/v1/matters/{id}/review", Right(P::MatterRead), matter::review)
        .post("/api/v1/matters/{id}/export", Right(P::PersonalExport), matter::export);
    people_interface(desk::routes(routes))
}

/// The interface to people, at the server and at headquarters, each route with what it needs.
fn people_interface<S>(routes: Routes<S>) -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Reception: FromRef<S>,
{
    use Need::{Nothing, Right, SignIn};
    use Permission as P;
    routes
        .post("/api/v1/session", Nothing, people::sign_in)
        .get("/api/v1/session", SignIn, people::who)
        .post("/api/v1/session/end", SignIn, people::sign_out)
        .get("/api/v1/accounts", Right(P::AccountManage), people::list)
        .post("/api/v1/accounts", Right(P::AccountManage), people::make)
        .post("/api/v1/accounts/{id}", Right(P::AccountManage), people::alter)
        .get("/api/v1/audit", Right(P::AuditRead), people::audit)
        .get("/api/v1/audit/check", Right(P::AuditRead), people::check_audit)
}

#[cfg(test)]
pub(crate) mod tests;
