//! Signing in and out at the station: account or badge, and PIN.

use askama::Template;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use tidewaiter_web::answer::{page, page_with};
use tidewaiter_web::entry::{with_session, without_session};
use tidewaiter_web::form::{Fields, Problems};
use tidewaiter_web::frame::Frame;
use tidewaiter_web::visit::{Visit, local_path, remember_officer};

use crate::officers::{NotIn, Officers, Present};
use crate::station::Station;

#[derive(Template)]
#[template(path = "station/sign_in.html")]
struct SignInPage {
    frame: Frame,
    fields: Fields,
    problems: Problems,
}

#[derive(Template)]
#[template(path = "station/account.html")]
struct AccountPage {
    frame: Frame,
    present: Present,
    roles: String,
}

pub(super) async fn form(
    State(station): State<Station>,
    State(officers): State<Officers>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Response {
    let mut fields = Fields::read(query.unwrap_or_default().as_bytes());
    if !officers.is_asked_for() {
        return Redirect::to(local_path(fields.get("back"))).into_response();
    }
    // Behind the idle lock the one who was here goes on.
    fields.set("account", visit.officer.clone().unwrap_or_default());
    page(&template(&station, &visit, fields, Problems::default()))
}

pub(super) async fn sign_in(
    State(station): State<Station>,
    State(officers): State<Officers>,
    visit: Visit,
    mut fields: Fields,
) -> Response {
    let pin = fields.raw("pin").to_owned();
    let error = match officers.sign_in(fields.get("account"), pin).await {
        Ok(token) => {
            let back = Redirect::to(local_path(fields.get("back"))).into_response();
            let who = officers.present(Some(token.as_str()), true).await;
            let id = who.and_then(|who| who.officer).map(|officer| officer.id.to_string());
            return with_session(remember_officer(back, &id.unwrap_or_default()), &token);
        }
        Err(error) => error,
    };
    let mut problems = Problems::default();
    let (status, words) = said(&visit, &error);
    problems.add("account", words);
    fields.remove("pin");
    page_with(status, &template(&station, &visit, fields, problems))
}

/// Status and words for one who did not get in.
pub(super) fn said(visit: &Visit, error: &NotIn) -> (StatusCode, String) {
    let text = visit.text;
    match error {
        NotIn::Wrong => (StatusCode::UNAUTHORIZED, text.say("sign-in-wrong").into_owned()),
        NotIn::NoAccounts => {
            (StatusCode::UNAUTHORIZED, text.say("sign-in-no-accounts").into_owned())
        }
        NotIn::Over(made) => {
            let day = text.day_of(*made);
            (StatusCode::UNAUTHORIZED, text.say1("sign-in-over", "day", day).into_owned())
        }
        NotIn::Wait(seconds) => {
            let words = text.say1("people-wait", "seconds", *seconds).into_owned();
            (StatusCode::TOO_MANY_REQUESTS, words)
        }
        NotIn::NotRecorded(_) | NotIn::NoRandomness => {
            (StatusCode::SERVICE_UNAVAILABLE, error.to_string())
        }
    }
}

pub(super) async fn sign_out(
    State(officers): State<Officers>,
    Extension(present): Extension<Present>,
) -> Response {
    officers.sign_out(&present).await;
    without_session(Redirect::to("/sign-in").into_response())
}

/// Who is signed in here, and the way out.
pub(super) async fn account(
    State(station): State<Station>,
    Extension(present): Extension<Present>,
    visit: Visit,
) -> Response {
    let text = visit.text;
    let Some(officer) = &present.officer else {
        return Redirect::to("/officer").into_response();
    };
    let names: Vec<_> =
        officer.roles.iter().map(|role| text.code("role-of", role.name())).collect();
    let roles = names.join(", ");
    let frame = super::frame(&visit, &station, text.say("people-account"), "/account");
    page(&AccountPage { frame, present, roles })
}

fn template(station: &Station, visit: &Visit, fields: Fields, problems: Problems) -> SignInPage {
    let frame = super::bare_frame(visit, station, visit.text.say("people-sign-in"));
    SignInPage { frame, fields, problems }
}
