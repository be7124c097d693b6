//! The supervisor's pages and headquarters' page: HTML from the views of [`crate::state`].
//!
//! Reads views and posts actions; holds no rule of its own. Every form works without JavaScript.

use axum::extract::DefaultBodyLimit;
use axum::extract::FromRef;
use axum::handler::Handler;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use tidewaiter_people::role::Permission;
use tidewaiter_web::frame::{Frame, Place};
use tidewaiter_web::visit::Visit;

use crate::http::guard::{Need, Routes};
use crate::people::reception::{NavigationPage, Reception};
use crate::state::{ATTACHED_BYTES_MAX, AppState};

mod alert;
mod audit;
mod bundle;
mod case;
mod desk;
mod failure;
mod figures;
pub mod headquarters;
mod inspection;
mod map;
mod matter;
mod network;
mod outside;
mod own;
mod people;
mod policy;
mod queue;
mod scan;
mod search;
mod sign_in;
mod station;

/// The desk's pages, each with what it needs.
pub(crate) fn routes(routes: Routes<AppState>) -> Routes<AppState> {
    use Need::Right;
    use Permission as P;
    let routes = routes
        .get("/", Right(P::AlertRead), queue::show)
        .post("/queue/actions", Right(P::AlertAct), queue::act)
        .get("/alerts/{id}", Right(P::AlertRead), alert::show)
        .post("/alerts/{id}/actions", Right(P::AlertAct), alert::act)
        .get("/inspections", Right(P::InspectionRead), inspection::list)
        .get("/inspections/{site}/{lane}/{id}", Right(P::InspectionRead), inspection::show)
        .get("/network", Right(P::Search), network::show)
        .get("/stations", Right(P::StationRead), station::list)
        .get("/bundles", Right(P::BundleRead), bundle::list)
        .post("/bundles", Right(P::BundleMake), bundle::night)
        .get("/policies", Right(P::PolicyRead), policy::show)
        .post("/policies", Right(P::PolicyWrite), policy::propose)
        .get("/matters", Right(P::MatterRead), matter::list)
        .post("/matters", Right(P::MatterRead), matter::ask)
        .post("/matters/{id}", Right(P::MatterRead), matter::answer)
        .post("/matters/{id}/review", Right(P::MatterRead), matter::review)
        .post("/matters/{id}/export", Right(P::PersonalExport), matter::export);
    people_routes(desk_routes(routes))
}

/// What people do at the desk beside deciding, each page with what it needs.
fn desk_routes(routes: Routes<AppState>) -> Routes<AppState> {
    use Need::Right;
    use Permission as P;
    let file = desk::attach.layer(DefaultBodyLimit::max(ATTACHED_BYTES_MAX + 64 * 1024));
    routes
        .get("/search", Right(P::Search), search::show)
        .get("/figures", Right(P::AlertRead), figures::show)
        .get("/cases", Right(P::AlertRead), case::list)
        .post("/cases", Right(P::AlertAct), case::make)
        .get("/cases/{id}", Right(P::AlertRead), case::show)
        .post("/cases/{id}/export", Right(P::PersonalExport), case::export)
        .post("/alerts/{id}/orders", Right(P::AlertAct), desk::order)
        .post("/alerts/{id}/unmerge", Right(P::AlertAct), desk::unmerge)
        .post("/alerts/{id}/attachments", Right(P::AlertAct), file)
        .get("/alerts/{id}/attachments/{sha256}", Right(P::AlertRead), crate::http::desk::attached)
        .post("/silences", Right(P::AlertAct), desk::silence)
        .post("/silences/{id}/end", Right(P::AlertAct), desk::end_silence)
        .post("/views", Right(P::AlertRead), desk::save_view)
        .post("/views/end", Right(P::AlertRead), desk::drop_view)
}

/// The pages of people, at the desk and at headquarters, each with what it needs.
fn people_routes<S>(routes: Routes<S>) -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
    Reception: FromRef<S>,
{
    use Need::{Nothing, Right, SignIn};
    use Permission as P;
    routes
        .get("/setup", Nothing, sign_in::setup_form)
        .post("/setup", Nothing, sign_in::set_up)
        .get("/sign-in", Nothing, sign_in::form)
        .post("/sign-in", Nothing, sign_in::sign_in)
        .get("/sign-in/outside", Nothing, outside::go)
        .get("/sign-in/return", Nothing, outside::come_in)
        .post("/sign-out", SignIn, sign_in::sign_out)
        .get("/account", SignIn, own::show)
        .get("/account/password", SignIn, own::password_form)
        .post("/account/password", SignIn, own::change_password)
        .post("/account/factor", SignIn, own::put_factor)
        .post("/account/pin", SignIn, own::put_pin)
        .post("/account/sessions", SignIn, own::end_session)
        .get("/people", Right(P::AccountManage), people::list)
        .post("/people", Right(P::AccountManage), people::make)
        .get("/people/{id}", Right(P::AccountManage), people::show)
        .post("/people/{id}", Right(P::AccountManage), people::alter)
        .get("/audit", Right(P::AuditRead), audit::list)
}

/// The navigation of the desk.
pub(crate) const PAGES: &[NavigationPage] = &[
    link("/", "desk-queue", Permission::AlertRead, true),
    link("/inspections", "desk-inspections", Permission::InspectionRead, true),
    link("/search", "desk-search", Permission::Search, true),
    link("/cases", "desk-cases", Permission::AlertRead, true),
    link("/figures", "desk-figures", Permission::AlertRead, true),
    link("/network", "desk-network", Permission::Search, true),
    link("/stations", "desk-stations", Permission::StationRead, true),
    link("/bundles", "desk-bundles", Permission::BundleRead, true),
    link("/policies", "policy-rules", Permission::PolicyRead, true),
    link("/matters", "people-matters", Permission::MatterRead, false),
    link("/people", "people-people", Permission::AccountManage, false),
    link("/audit", "people-audit", Permission::AuditRead, true),
];

pub(crate) const fn link(
    href: &'static str,
    name: &'static str,
    need: Permission,
    open: bool,
) -> NavigationPage {
    NavigationPage { href, name, need, open }
}

/// The desk's frame: navigation, demonstration, live.
fn frame(visit: &Visit, demonstration: Option<Timestamp>, title: &str, here: &str) -> Frame {
    let text = visit.text;
    let mut frame = Frame::new(visit, Place::Desk, title);
    frame.demonstration = demonstration;
    let shown = |page: &NavigationPage| {
        visit.signed_in.as_ref().map_or(page.open, |person| person.pages.contains(&page.href))
    };
    // Who sees no alerts gets no stream of them.
    frame.live = PAGES.first().filter(|page| shown(page)).map(|_| "/api/v1/live");
    for page in PAGES.iter().filter(|page| shown(page)) {
        frame = frame.link(page.href, text.say(page.name), page.href == here);
    }
    frame
}

pub(crate) use tidewaiter_web::entry::encode;

/// Somebody may not see this.
pub(crate) fn no_right(visit: &Visit) -> Response {
    let cause = visit.text.say("people-no-right").into_owned();
    failure::failed_because(visit, StatusCode::FORBIDDEN, cause)
}

/// The id of the one who acts: as typed, else as this browser remembers it.
fn actor<'a>(visit: &'a Visit, fields: &'a tidewaiter_web::form::Fields) -> &'a str {
    if let Some(person) = &visit.signed_in {
        return &person.id;
    }
    let typed = fields.get("officer");
    if typed.is_empty() { visit.officer.as_deref().unwrap_or_default() } else { typed }
}

#[cfg(test)]
mod tests;
