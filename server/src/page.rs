//! The supervisor's pages and headquarters' page: HTML from the views of [`crate::state`].
//!
//! Reads views and posts actions; holds no rule of its own. Every form works without JavaScript.

use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use tidewaiter_people::role::Permission;
use tidewaiter_web::frame::{Frame, Place};
use tidewaiter_web::visit::Visit;

use crate::http::guard::{Need, Routes};
use crate::people::Actor;

mod alert;
mod audit;
mod bundle;
mod failure;
pub mod headquarters;
mod inspection;
mod matter;
mod own;
mod people;
mod queue;
mod sign_in;
mod station;

/// The desk's pages, each with what it needs.
pub(crate) fn routes(routes: Routes) -> Routes {
    use Need::{Nothing, Right, SignIn};
    use Permission as P;
    routes
        .get("/", Right(P::AlertRead), queue::show)
        .post("/queue/actions", Right(P::AlertAct), queue::act)
        .get("/alerts/{id}", Right(P::AlertRead), alert::show)
        .post("/alerts/{id}/actions", Right(P::AlertAct), alert::act)
        .get("/inspections", Right(P::InspectionRead), inspection::list)
        .get("/inspections/{site}/{lane}/{id}", Right(P::InspectionRead), inspection::show)
        .get("/stations", Right(P::StationRead), station::list)
        .get("/bundles", Right(P::BundleRead), bundle::list)
        .post("/bundles", Right(P::BundleMake), bundle::night)
        .get("/setup", Nothing, sign_in::setup_form)
        .post("/setup", Nothing, sign_in::set_up)
        .get("/sign-in", Nothing, sign_in::form)
        .post("/sign-in", Nothing, sign_in::sign_in)
        .post("/sign-out", SignIn, sign_in::sign_out)
        .get("/account", SignIn, own::show)
        .get("/account/password", SignIn, own::password_form)
        .post("/account/password", SignIn, own::change_password)
        .post("/account/factor", SignIn, own::put_factor)
        .post("/account/sessions", SignIn, own::end_session)
        .get("/people", Right(P::AccountManage), people::list)
        .post("/people", Right(P::AccountManage), people::make)
        .get("/people/{id}", Right(P::AccountManage), people::show)
        .post("/people/{id}", Right(P::AccountManage), people::alter)
        .get("/matters", SignIn, matter::list)
        .post("/matters/{id}", SignIn, matter::answer)
        .get("/audit", Right(P::AuditRead), audit::list)
}

/// The navigation: address, name, and the right to go there.
const PAGES: &[(&str, &str, Permission)] = &[
    ("/", "desk-queue", Permission::AlertRead),
    ("/inspections", "desk-inspections", Permission::InspectionRead),
    ("/stations", "desk-stations", Permission::StationRead),
    ("/bundles", "desk-bundles", Permission::BundleRead),
    ("/matters", "people-matters", Permission::AlertAct),
    ("/people", "people-people", Permission::AccountManage),
    ("/audit", "people-audit", Permission::AuditRead),
];
/// What an open demonstration shows of it.
const OPEN: &[&str] = &["/", "/inspections", "/stations", "/bundles", "/audit"];

/// Where somebody may go.
pub(crate) fn pages_of(actor: &Actor) -> Vec<&'static str> {
    let may = |permission| !actor.reach(permission).is_nothing();
    PAGES.iter().filter(|(.., need)| may(*need)).map(|(href, ..)| *href).collect()
}

/// The desk's frame: navigation, demonstration, live.
fn frame(visit: &Visit, demonstration: Option<Timestamp>, title: &str, here: &str) -> Frame {
    let text = visit.text;
    let mut frame = Frame::new(visit, Place::Desk, title);
    frame.demonstration = demonstration;
    let shown = |href: &str| {
        visit.signed_in.as_ref().map_or(OPEN.contains(&href), |person| person.pages.contains(&href))
    };
    // Who sees no alerts gets no stream of them.
    frame.live = shown("/").then_some("/api/v1/live");
    for (href, name, _) in PAGES.iter().filter(|(href, ..)| shown(href)) {
        frame = frame.link(href, text.say(name), *href == here);
    }
    frame
}

/// Percent-encodes all but unreserved characters (RFC 3986 §2.3).
pub(crate) fn encode(value: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _written = write!(out, "%{byte:02X}");
        }
    }
    out
}

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
