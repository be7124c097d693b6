//! Signing in with the authority's own account: there, and back again.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use tidewaiter_web::answer::page;
use tidewaiter_web::entry::with_session;
use tidewaiter_web::form::Fields;
use tidewaiter_web::frame::Frame;
use tidewaiter_web::visit::{Visit, cookie, local_path};

use super::failure;
use crate::http::people::{session_before, shown_by};
use crate::people::outside::OutsideError;
use crate::people::reception::Reception;

/// The way on: a page of this site. The browser came from another site, and would not show a
/// session that is for this one alone to where a redirect leads.
#[derive(Template)]
#[template(path = "desk/on.html")]
struct OnPage {
    frame: Frame,
    to: String,
}

pub(super) async fn go(
    State(state): State<Reception>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Response {
    let Some(outside) = state.people().outside() else { return failure::not_found(&visit) };
    let fields = Fields::read(query.unwrap_or_default().as_bytes());
    match state.people().go_outside(outside, local_path(fields.get("back"))).await {
        Ok((address, carried)) => {
            let response = Redirect::to(&address).into_response();
            carrying(response, &format!("{carried}; Max-Age=600"))
        }
        Err(error) => refused(&visit, &error),
    }
}

pub(super) async fn come_in(
    State(state): State<Reception>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    visit: Visit,
) -> Response {
    let Some(outside) = state.people().outside() else { return failure::not_found(&visit) };
    let fields = Fields::read(query.unwrap_or_default().as_bytes());
    let carried = cookie(&headers, ATTEMPT_COOKIE).unwrap_or_default();
    let (answer, shown) = ((fields.get("code"), fields.get("state")), shown_by(&headers, &visit));
    let before = session_before(&headers);
    let done = if fields.get("error").is_empty() {
        state.people().come_in(outside, &carried, answer, shown, before).await
    } else {
        Err(OutsideError::Refused(fields.get("error").chars().take(80).collect()))
    };
    match done {
        Ok((token, back)) => {
            let frame = state.bare_frame(&visit, visit.text.say("people-sign-in"));
            let on = page(&OnPage { frame, to: local_path(&back).to_owned() });
            carrying(with_session(on, &token), "; Max-Age=0")
        }
        Err(error) => refused(&visit, &error),
    }
}

fn refused(visit: &Visit, error: &OutsideError) -> Response {
    tracing::warn!(%error, "the authority's sign-in let nobody in");
    let cause = visit.text.say("people-outside-failed").into_owned();
    failure::failed_because(visit, StatusCode::UNAUTHORIZED, cause)
}

/// The attempt in the browser: sent back when another site leads here, so not `Strict`.
fn carrying(mut response: Response, value: &str) -> Response {
    let cookie = format!("{ATTEMPT_COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Lax");
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

const ATTEMPT_COOKIE: &str = "__Host-attempt";
