//! The officer's pages at a station: HTML from what [`crate::station`] knows.
//!
//! What is posted is recorded and answered when it is on disk. Every form works without JavaScript
//! and keeps what was typed when something is wrong with it. What a traveller may see (the pages of
//! a declaration) never shows a warning.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use tidewaiter_people::role::Permission;
use tidewaiter_proto::body::Body;
use tidewaiter_proto::record::Source;
use tidewaiter_web::entry::Need;
use tidewaiter_web::failure;
use tidewaiter_web::form::{Fields, Problems};
use tidewaiter_web::frame::{Frame, Place};
use tidewaiter_web::text::Text;
use tidewaiter_web::visit::{Visit, is_officer_id, remember_officer};

use crate::http::Routes;
use crate::recorder::RecordError;
use crate::station::Station;

mod count;
mod declaration;
mod declare;
mod document;
mod draft;
mod health;
mod inspection;
mod money;
mod now;
mod observe;
mod officer;
mod opening;
mod outcome;
mod receipt;
mod shown;
mod sign_in;
mod warning;

pub(crate) use draft::Drafts;
pub(crate) use outcome::lacking;
pub(crate) use warning::{needs_reason_to_release, settled};

/// The officer's pages, each with what it needs.
pub(crate) fn routes(routes: Routes) -> Routes {
    use Need::{Nothing, Right, SignIn};
    let record = || Right(Permission::InspectionRecord);
    let read = || Right(Permission::InspectionRead);
    routes
        .get("/", record(), now::show)
        .post("/next", record(), now::next)
        .get("/open", record(), opening::show)
        .post("/open", record(), opening::record)
        .get("/officer", SignIn, officer::show)
        .post("/officer", SignIn, officer::choose)
        .get("/sign-in", Nothing, sign_in::form)
        .post("/sign-in", Nothing, sign_in::sign_in)
        .post("/sign-out", SignIn, sign_in::sign_out)
        .get("/account", SignIn, sign_in::account)
        .get("/station", SignIn, health::show)
        .get("/inspections", read(), inspection::list)
        .get("/inspections/{id}", read(), inspection::show)
        .get("/inspections/{id}/declaration", record(), declare::begin)
        .get("/inspections/{id}/declaration/{step}", record(), declare::show)
        .post("/inspections/{id}/declaration/{step}", record(), declare::record)
        .get("/inspections/{id}/count", record(), count::show)
        .post("/inspections/{id}/count", record(), count::record)
        .get("/inspections/{id}/document", record(), document::show)
        .post("/inspections/{id}/document", record(), document::record)
        .get("/inspections/{id}/observation", record(), observe::show)
        .post("/inspections/{id}/observation", record(), observe::record)
        .get("/inspections/{id}/outcome", record(), outcome::show)
        .post("/inspections/{id}/outcome", record(), outcome::record)
        .get("/inspections/{id}/receipt", read(), receipt::show)
}

/// The frame of an officer's page: navigation, demonstration, live.
fn frame(visit: &Visit, station: &Station, title: impl Into<String>, here: &str) -> Frame {
    let text = visit.text;
    let mut frame = bare_frame(visit, station, title);
    frame.live = Some("/api/v1/live");
    for (href, name) in [
        ("/", "station-now"),
        ("/inspections", "station-inspections"),
        ("/station", "station-page"),
    ] {
        frame = frame.link(href, text.say(name), href == here);
    }
    frame
}

/// The frame of a page that asks one thing, and that a traveller may see.
fn bare_frame(visit: &Visit, station: &Station, title: impl Into<String>) -> Frame {
    let mut frame = Frame::new(visit, Place::Station, title);
    frame.name = station.name().to_string();
    frame.demonstration = station.demonstration();
    frame
}

pub(crate) async fn not_found(State(station): State<Station>, visit: Visit) -> Response {
    nothing_here(&visit, &station)
}

/// Somebody may not see this.
pub(crate) fn no_right(visit: &Visit) -> Response {
    let frame = Frame::new(visit, Place::Station, "");
    let cause = visit.text.say("people-no-right").into_owned();
    failure::failed(frame, axum::http::StatusCode::FORBIDDEN, cause)
}

fn nothing_here(visit: &Visit, station: &Station) -> Response {
    failure::not_found(frame(visit, station, "", ""))
}

/// Something below failed. What is on disk is on disk.
fn failed(visit: &Visit, station: &Station, error: &RecordError) -> Response {
    tracing::error!(%error, "a page cannot be shown");
    let status = axum::http::StatusCode::SERVICE_UNAVAILABLE;
    failure::failed(frame(visit, station, "", ""), status, error.to_string())
}

/// The id of the one who acts: as typed, else as this browser remembers it.
fn actor(text: Text, visit: &Visit, fields: &Fields, problems: &mut Problems) -> String {
    if let Some(person) = &visit.signed_in {
        return person.id.clone();
    }
    let typed = fields.get("officer");
    let officer =
        if typed.is_empty() { visit.officer.as_deref().unwrap_or_default() } else { typed };
    if !is_officer_id(officer) {
        problems.add("officer", text.say("station-needs-officer"));
    }
    officer.to_owned()
}

/// Where a form's own repeat is known by: a form that is sent twice is recorded once.
fn once(fields: &mut Fields) {
    if fields.get("once").is_empty() {
        fields.set("once", uuid::Uuid::now_v7().to_string());
    }
}

fn once_id(fields: &Fields) -> Option<&str> {
    Some(fields.get("once")).filter(|id| (1..=ONCE_MAX).contains(&id.len()))
}

/// Whether there is an inspection of this name. What cannot be read is answered when it is shown.
fn is_known(station: &Station, id: &str) -> bool {
    station.records(id).is_ok_and(|records| !records.is_empty())
}

/// Records what an officer says of an inspection and leads back to it; what is wrong stands at the
/// form's button. Nothing is recorded while there are problems.
async fn record(
    station: &Station,
    id: &str,
    officer: &str,
    body: Body,
    fields: &Fields,
    problems: &mut Problems,
) -> Option<Response> {
    if !problems.is_empty() {
        return None;
    }
    // An outcome closes the inspection: where it was is asked before.
    let at_lane = station.open_inspection().await.as_deref() == Some(id);
    let source = Source::Officer(officer.to_owned());
    match station.record(source, Some(id), body, once_id(fields)).await {
        Ok(taken) => {
            settled(station, id).await;
            let seq = taken.appended.seq;
            let address = if at_lane {
                format!("/?recorded={seq}")
            } else {
                format!("/inspections/{id}?recorded={seq}")
            };
            Some(remember_officer(Redirect::to(&address).into_response(), officer))
        }
        Err(error) => {
            tracing::error!(%error, "not recorded");
            problems.add("record", error.to_string());
            None
        }
    }
}

/// The number a page was led to after recording.
fn recorded_number(query: Option<&str>) -> Option<u64> {
    Fields::read(query.unwrap_or_default().as_bytes()).get("recorded").parse().ok()
}

const ONCE_MAX: usize = 96;
