//! One's own account: password, second factor, sessions.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use tidewaiter_people::totp::SecondFactor;
use tidewaiter_web::answer::page_with;
use tidewaiter_web::form::{Fields, Problems};
use tidewaiter_web::frame::Frame;
use tidewaiter_web::visit::Visit;

use super::failure;
use crate::people::reception::Reception;
use crate::people::{Actor, PeopleError};

use crate::store::SessionRow;

#[derive(Template)]
#[template(path = "desk/account.html")]
struct AccountPage {
    frame: Frame,
    actor: Actor,
    roles: Vec<(String, String)>,
    has_factor: bool,
    /// Whether they sign in here at all, and not at the authority's own sign-in.
    has_password: bool,
    has_pin: bool,
    /// A new second factor's secret, shown until its first code is typed.
    secret: String,
    address: String,
    sessions: Vec<Session>,
    problems: Problems,
}

struct Session {
    id: String,
    row: SessionRow,
    here: bool,
}

#[derive(Template)]
#[template(path = "desk/password.html")]
struct PasswordPage {
    frame: Frame,
    first: bool,
    fields: Fields,
    problems: Problems,
}

pub(super) async fn show(State(state): State<Reception>, actor: Actor, visit: Visit) -> Response {
    answer(&state, actor, &visit, None, Problems::default()).await
}

async fn answer(
    state: &Reception,
    actor: Actor,
    visit: &Visit,
    factor: Option<SecondFactor>,
    problems: Problems,
) -> Response {
    match build(state, actor, visit, factor, problems).await {
        Ok(template) if template.problems.is_empty() => page_with(StatusCode::OK, &template),
        Ok(template) => page_with(StatusCode::UNPROCESSABLE_ENTITY, &template),
        Err(PeopleError::Store(error)) => failure::failed(visit, &error),
        Err(error) => {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            failure::failed_because(visit, status, error.to_string())
        }
    }
}

async fn build(
    state: &Reception,
    actor: Actor,
    visit: &Visit,
    factor: Option<SecondFactor>,
    problems: Problems,
) -> Result<AccountPage, PeopleError> {
    let text = visit.text;
    let people = state.people();
    let row = state.store().account(&actor.account.id).await?;
    let has_factor = row.as_ref().is_some_and(|row| row.factor.is_some());
    let has_password = row.as_ref().is_some_and(|row| row.password.is_some());
    let has_pin = row.is_some_and(|row| row.pin.is_some());
    let factor = match factor {
        Some(factor) => factor,
        None => people.new_factor()?,
    };
    let sessions = people
        .sessions(&actor.account.id)
        .await?
        .into_iter()
        .map(|row| Session {
            id: hex::encode(row.digest),
            here: Some(row.digest) == actor.session,
            row,
        })
        .collect();
    Ok(AccountPage {
        frame: state.frame(visit, text.say("people-account"), "/account"),
        roles: super::people::roles(text, &actor.account),
        has_factor,
        has_password,
        has_pin,
        secret: factor.base32(),
        address: factor.address(actor.id()),
        sessions,
        problems,
        actor,
    })
}

pub(super) async fn put_factor(
    State(state): State<Reception>,
    actor: Actor,
    visit: Visit,
    fields: Fields,
) -> Response {
    let mut problems = Problems::default();
    let Ok(factor) = SecondFactor::stored(fields.get("secret")) else {
        problems.add("code", visit.text.say("people-not-the-shown-code"));
        return answer(&state, actor, &visit, None, problems).await;
    };
    match state.people().put_factor(&actor, &factor, fields.get("code")).await {
        Ok(()) => Redirect::to("/account").into_response(),
        Err(PeopleError::NotValid(_)) => {
            problems.add("code", visit.text.say("people-not-the-shown-code"));
            answer(&state, actor, &visit, Some(factor), problems).await
        }
        Err(PeopleError::Store(error)) => failure::failed(&visit, &error),
        Err(error) => {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            failure::failed_because(&visit, status, error.to_string())
        }
    }
}

/// Sets PIN and badge for stations.
pub(super) async fn put_pin(
    State(state): State<Reception>,
    actor: Actor,
    visit: Visit,
    fields: Fields,
) -> Response {
    let mut problems = Problems::default();
    let (password, pin) = (fields.raw("password").to_owned(), fields.raw("pin").to_owned());
    if pin != fields.raw("pin-again") {
        problems.add("pin-again", visit.text.say("people-pins-not-the-same"));
        return answer(&state, actor, &visit, None, problems).await;
    }
    match state.people().put_pin(&actor, password, pin, fields.get("badge")).await {
        Ok(()) => Redirect::to("/account").into_response(),
        Err(PeopleError::Store(error)) => failure::failed(&visit, &error),
        Err(error) => {
            problems.add("pin", error.to_string());
            answer(&state, actor, &visit, None, problems).await
        }
    }
}

pub(super) async fn end_session(
    State(state): State<Reception>,
    actor: Actor,
    visit: Visit,
    fields: Fields,
) -> Response {
    let mut digest = [0; 32];
    let done = match hex::decode_to_slice(fields.get("session"), &mut digest) {
        Ok(()) => state.people().end_own(&actor, digest).await,
        Err(_) => Err(PeopleError::NotValid("this is none of your sessions")),
    };
    match done {
        Ok(()) => Redirect::to("/account").into_response(),
        Err(PeopleError::Store(error)) => failure::failed(&visit, &error),
        Err(error) => {
            failure::failed_because(&visit, StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
        }
    }
}

pub(super) async fn password_form(
    State(state): State<Reception>,
    actor: Actor,
    visit: Visit,
) -> Response {
    password(&state, &actor, &visit, Problems::default())
}

fn password(state: &Reception, actor: &Actor, visit: &Visit, problems: Problems) -> Response {
    let title = visit.text.say("people-password-change");
    let frame = state.frame(visit, title, "/account");
    let status =
        if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let (first, fields) = (actor.must_change, Fields::default());
    page_with(status, &PasswordPage { frame, first, fields, problems })
}

pub(super) async fn change_password(
    State(state): State<Reception>,
    actor: Actor,
    visit: Visit,
    fields: Fields,
) -> Response {
    let mut problems = Problems::default();
    let new = fields.raw("password").to_owned();
    if new != fields.raw("again") {
        problems.add("again", visit.text.say("people-not-the-same"));
        return password(&state, &actor, &visit, problems);
    }
    match state.people().change_password(&actor, fields.raw("old").to_owned(), new).await {
        // Every session has ended, this one too: the new password is typed once more.
        Ok(()) => Redirect::to("/sign-in").into_response(),
        Err(PeopleError::Store(error)) => failure::failed(&visit, &error),
        Err(PeopleError::Password(error)) => {
            problems.add("password", error.to_string());
            password(&state, &actor, &visit, problems)
        }
        Err(error) => {
            problems.add("old", error.to_string());
            password(&state, &actor, &visit, problems)
        }
    }
}
