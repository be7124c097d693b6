//! Signing in and out, and the first start.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use tidewaiter_web::answer::{page, page_with};
use tidewaiter_web::entry::{with_session, without_session};
use tidewaiter_web::form::{Fields, Problems};
use tidewaiter_web::frame::Frame;
use tidewaiter_web::visit::{Visit, local_path};

use super::failure;
use crate::http::people::{session_before, shown_by};
use crate::people::reception::Reception;
use crate::people::{Actor, PeopleError, Shown, SignInError};

#[derive(Template)]
#[template(path = "desk/sign_in.html")]
struct SignInPage {
    frame: Frame,
    fields: Fields,
    problems: Problems,
    code_needed: bool,
    /// Whether the authority has a sign-in of its own.
    outside: bool,
}

#[derive(Template)]
#[template(path = "desk/setup.html")]
struct SetupPage {
    frame: Frame,
    fields: Fields,
    problems: Problems,
}

fn frame(visit: &Visit, state: &Reception, title: &str) -> Frame {
    state.bare_frame(visit, visit.text.say(title))
}

pub(super) async fn form(
    State(state): State<Reception>,
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
    let (problems, outside) = (Problems::default(), state.people().outside().is_some());
    page(&SignInPage { frame, fields, problems, code_needed: false, outside })
}

pub(super) async fn sign_in(
    State(state): State<Reception>,
    headers: HeaderMap,
    visit: Visit,
    mut fields: Fields,
) -> Response {
    let shown = Shown {
        account: fields.get("account").to_owned(),
        password: fields.raw("password").to_owned(),
        code: fields.get("code").to_owned(),
        ..shown_by(&headers, &visit)
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
    let outside = state.people().outside().is_some();
    page_with(status, &SignInPage { frame, fields, problems, code_needed, outside })
}

pub(super) async fn sign_out(
    State(state): State<Reception>,
    actor: Actor,
    visit: Visit,
) -> Response {
    if let Err(error) = state.people().sign_out(&actor).await {
        return failure::failed(&visit, &error);
    }
    without_session(Redirect::to("/sign-in").into_response())
}

pub(super) async fn setup_form(State(state): State<Reception>, visit: Visit) -> Response {
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
    State(state): State<Reception>,
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
