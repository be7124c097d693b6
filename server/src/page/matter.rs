//! What waits for a second person.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use tidewaiter_web::answer::page;
use tidewaiter_web::form::Fields;
use tidewaiter_web::frame::Frame;
use tidewaiter_web::visit::Visit;

use super::failure;
use crate::people::Actor;
use crate::state::{AnswerError, AppState};
use crate::store::ApprovalRow;

#[derive(Template)]
#[template(path = "desk/matters.html")]
struct MattersPage {
    frame: Frame,
    rows: Vec<(ApprovalRow, bool)>,
}

pub(super) async fn list(State(state): State<AppState>, actor: Actor, visit: Visit) -> Response {
    match state.matters(&actor).await {
        Ok(matters) => {
            let title = visit.text.say("people-matters");
            let frame = super::frame(&visit, state.demonstration(), &title, "/matters");
            page(&MattersPage { frame, rows: matters.rows })
        }
        Err(error) => failure::failed(&visit, &error),
    }
}

pub(super) async fn answer(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    visit: Visit,
    fields: Fields,
) -> Response {
    match state.answer(&actor, &id, fields.get("answer") == "agree").await {
        Ok(()) => Redirect::to("/matters").into_response(),
        Err(AnswerError::Store(error)) => failure::failed(&visit, &error),
        Err(error) => failure::failed_because(&visit, StatusCode::CONFLICT, error.to_string()),
    }
}
