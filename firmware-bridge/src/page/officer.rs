//! Who is on duty, as far as this browser says, where nobody signs in: the id stands in what is
//! recorded.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use tidewaiter_web::answer::{page, page_with};
use tidewaiter_web::form::{Fields, Problems};
use tidewaiter_web::frame::Frame;
use tidewaiter_web::visit::{Visit, is_officer_id, local_path, remember_officer};

use crate::station::Station;

#[derive(Template)]
#[template(path = "station/officer.html")]
struct OfficerPage {
    frame: Frame,
    fields: Fields,
    problems: Problems,
}

pub(super) async fn show(
    State(station): State<Station>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Response {
    if visit.signed_in.is_some() {
        return Redirect::to("/account").into_response();
    }
    let mut fields = Fields::read(query.unwrap_or_default().as_bytes());
    fields.set("officer", visit.officer.clone().unwrap_or_default());
    page(&template(&station, &visit, fields, Problems::default()))
}

pub(super) async fn choose(
    State(station): State<Station>,
    visit: Visit,
    fields: Fields,
) -> Response {
    if visit.signed_in.is_some() {
        return Redirect::to("/account").into_response();
    }
    let officer = fields.get("officer").to_owned();
    if is_officer_id(&officer) {
        let back = Redirect::to(local_path(fields.get("back"))).into_response();
        return remember_officer(back, &officer);
    }
    let mut problems = Problems::default();
    problems.add("officer", visit.text.say("station-needs-officer"));
    let page = template(&station, &visit, fields, problems);
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

fn template(station: &Station, visit: &Visit, fields: Fields, problems: Problems) -> OfficerPage {
    let frame = super::bare_frame(visit, station, visit.text.say("officer-title"));
    OfficerPage { frame, fields, problems }
}
