//! The station's programming interface under `/api/v1`, what machines ask about the program
//! itself, and the officer's pages beside it: one router, one guard around all.

use axum::Router;
use axum::extract::FromRef;
use axum::middleware;
use axum::routing::any;
use tidewaiter_people::role::Permission;
use tidewaiter_program::http::no_store;
pub use tidewaiter_program::http::serve;
use tidewaiter_program::problem::nothing_here;
use tidewaiter_web::entry::{Need, Stated};
use tidewaiter_web::guard::{Door, protect_with};
use tokio_util::sync::CancellationToken;

use crate::officers::Officers;
use crate::page::Drafts;
use crate::station::Station;

mod fault;
mod gate;
mod inspection;
mod live;
mod operation;
pub(crate) use operation::backlog;
mod said;
mod session;

/// What handlers work with.
#[derive(Clone)]
pub(crate) struct Served {
    station: Station,
    officers: Officers,
    stop: CancellationToken,
    drafts: Drafts,
}

/// All that a station serves, behind a door.
pub fn router(station: Station, officers: Officers, stop: CancellationToken, door: Door) -> Router {
    protect_with(stated(station, officers, stop).0, door)
}

/// The router without the guard around it, and the table of its routes with what each needs.
pub fn stated(
    station: Station,
    officers: Officers,
    stop: CancellationToken,
) -> (Router, Vec<Stated>) {
    let (interface, mut table) = interface(Routes::new(officers.clone())).done();
    let (pages, of_pages) = crate::page::routes(Routes::new(officers.clone())).done();
    table.extend(of_pages);
    let all = interface
        .route("/api/v1/{*rest}", any(nothing_here))
        .layer(middleware::map_response(no_store))
        .merge(pages)
        .merge(tidewaiter_web::assets::routes())
        .fallback(crate::page::not_found)
        .with_state(Served { station, officers, stop, drafts: Drafts::default() });
    (all, table)
}

/// Routes behind the officers' gate.
pub(crate) type Routes = tidewaiter_web::entry::Routes<Served, Officers>;

/// The station's programming interface, each route with what it needs.
fn interface(routes: Routes) -> Routes {
    use Need::{Nothing, Right, SignIn};
    use Permission as P;
    routes
        .get("/api/v1/inspections", Right(P::InspectionRead), inspection::list)
        .post("/api/v1/inspections", Right(P::InspectionRecord), said::opening)
        .get("/api/v1/inspections/{id}", Right(P::InspectionRead), inspection::show)
        .post("/api/v1/inspections/{id}/declaration", Right(P::InspectionRecord), said::declaration)
        .post("/api/v1/inspections/{id}/counts", Right(P::InspectionRecord), said::count)
        .post("/api/v1/inspections/{id}/outcome", Right(P::InspectionRecord), said::outcome)
        .post("/api/v1/next", Right(P::InspectionRecord), said::next)
        .get("/api/v1/ledger", SignIn, operation::ledger)
        .get("/api/v1/live", SignIn, live::live)
        .post("/api/v1/session", Nothing, session::sign_in)
        .get("/api/v1/session", SignIn, session::who)
        .post("/api/v1/session/end", SignIn, session::sign_out)
        // There is nothing here but in a demonstration.
        .post("/api/v1/demonstration/clock", Nothing, operation::set_clock)
        .get("/healthz", Nothing, operation::healthz)
        .get("/readyz", Nothing, operation::readyz)
        // Counts only, nothing of a person or a case: what a collector on this machine scrapes.
        .get("/metrics", Nothing, operation::metrics)
        .get("/openapi.json", Nothing, operation::openapi)
}

impl FromRef<Served> for Officers {
    fn from_ref(served: &Served) -> Self {
        served.officers.clone()
    }
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
