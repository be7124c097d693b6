//! Signing in and out, and the first start.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use tidewaiter_people::session::Token;
use tidewaiter_web::answer::{page, page_with};
use tidewaiter_web::form::{Fields, Problems};
use tidewaiter_web::frame::{Frame, Place};
use tidewaiter_web::visit::{Visit, local_path};

use super::failure;
use crate::http::guard::SESSION_COOKIE;
use crate::http::people::{session_before, shown_by};
use crate::people::{Actor, PeopleError, Shown, SignInError};
use crate::state::AppState;

#[derive(Template)]
#[template(path = "desk/sign_in.html")]
struct SignInPage {
    frame: Frame,
    fields: Fields,
    problems: Problems,
    code_needed: bool,
}

#[derive(Template)]
#[template(path = "desk/setup.html")]
struct SetupPage {
    frame: Frame,
    fields: Fields,
    problems: Problems,
}

fn frame(visit: &Visit, state: &AppState, title: &str) -> Frame {
    let mut frame = Frame::new(visit, Place::Desk, visit.text.say(title));
    frame.demonstration = state.demonstration();
    frame
}

pub(super) async fn form(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Response {
    match state.people().is_new().await {
        Ok(true) => return Redirect::to("/setup").into_response(),
        Ok(false) => {}
        Err(error) => return failure::failed(&visit, &error),
    }
    let fields = Fields::read(query.unwrap_or_default().as_bytes());
    let frame = frame(&visit, &state, "people-sign-in");
    page(&SignInPage { frame, fields, problems: Problems::default(), code_needed: false })
}

pub(super) async fn sign_in(
    State(state): State<AppState>,
    headers: HeaderMap,
    visit: Visit,
    mut fields: Fields,
) -> Response {
    let shown = Shown {
        account: fields.get("account").to_owned(),
        password: fields.raw("password").to_owned(),
        code: fields.get("code").to_owned(),
        ..shown_by(&headers)
    };
    let error = match state.people().sign_in(shown, session_before(&headers)).await {
        Ok(token) => {
            let back = Redirect::to(local_path(fields.get("back"))).into_response();
            return with_session(back, &token);
        }
        Err(error) => error,
    };
    let text = visit.text;
    let (mut problems, mut code_needed) = (Problems::default(), false);
    let status = match error {
        SignInError::Wrong => {
            problems.add("account", text.say("people-wrong"));
            StatusCode::UNAUTHORIZED
        }
        SignInError::CodeNeeded => {
            code_needed = true;
            problems.add("code", text.say("people-code-needed"));
            StatusCode::UNAUTHORIZED
        }
        SignInError::Wait(seconds) => {
            problems.add("account", text.say1("people-wait", "seconds", seconds));
            StatusCode::TOO_MANY_REQUESTS
        }
        SignInError::Failed(PeopleError::Store(error)) => return failure::failed(&visit, &error),
        SignInError::Failed(error) => {
            tracing::error!(%error, "nobody could be signed in");
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            return failure::failed_because(&visit, status, error.to_string());
        }
    };
    // The password is typed again: a page that carries it would keep it in the browser.
    fields.remove("password");
    let frame = frame(&visit, &state, "people-sign-in");
    page_with(status, &SignInPage { frame, fields, problems, code_needed })
}

fn with_session(mut response: Response, token: &Token) -> Response {
    let cookie =
        format!("{SESSION_COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Strict", token.as_str());
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

pub(super) async fn sign_out(
    State(state): State<AppState>,
    actor: Actor,
    visit: Visit,
) -> Response {
    if let Err(error) = state.people().sign_out(&actor).await {
        return failure::failed(&visit, &error);
    }
    let mut response = Redirect::to("/sign-in").into_response();
    let gone = format!("{SESSION_COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    if let Ok(value) = HeaderValue::from_str(&gone) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    // Nothing of a signed-in person stays in the browser (ASVS v5.0.0-14.3.1).
    let all = HeaderValue::from_static("\"cache\", \"storage\"");
    response.headers_mut().insert("clear-site-data", all);
    response
}

pub(super) async fn setup_form(State(state): State<AppState>, visit: Visit) -> Response {
    match state.people().is_new().await {
        Ok(true) => {
            let frame = frame(&visit, &state, "people-setup");
            page(&SetupPage { frame, fields: Fields::default(), problems: Problems::default() })
        }
        Ok(false) => Redirect::to("/sign-in").into_response(),
        Err(error) => failure::failed(&visit, &error),
    }
}

pub(super) async fn set_up(
    State(state): State<AppState>,
    visit: Visit,
    mut fields: Fields,
) -> Response {
    let text = visit.text;
    let mut problems = Problems::default();
    let secret = fields.raw("password").to_owned();
    if secret == fields.raw("again") {
        let (code, id, name) = (fields.get("setup"), fields.get("account"), fields.get("name"));
        match state.people().set_up(code, id, name, secret).await {
            Ok(()) => return Redirect::to("/sign-in").into_response(),
            Err(PeopleError::Store(error)) => return failure::failed(&visit, &error),
            Err(PeopleError::NotTheCode) => problems.add("setup", text.say("people-not-the-code")),
            Err(PeopleError::Id(_)) => problems.add("account", text.say("people-not-an-id")),
            Err(PeopleError::Password(error)) => problems.add("password", error.to_string()),
            Err(error) => problems.add("name", error.to_string()),
        }
    } else {
        problems.add("again", text.say("people-not-the-same"));
    }
    fields.remove("password");
    fields.remove("again");
    let frame = frame(&visit, &state, "people-setup");
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &SetupPage { frame, fields, problems })
}
