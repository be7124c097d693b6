//! What takes two persons: asked for, answered, reviewed, fetched.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::Problem;
use crate::people::Actor;
use crate::state::{AnswerError, AppState, AskError, Asking};
use crate::store::{ActError, ApprovalRow};

/// What waits for a second person, what may be fetched, and what is to be reviewed.
pub(super) async fn list(
    State(state): State<AppState>,
    actor: Actor,
) -> Result<Json<Value>, Problem> {
    let matters = state.matters(&actor).await?;
    let items: Vec<Value> = matters
        .rows
        .iter()
        .map(|(row, may)| {
            let mut value = matter(row);
            value["may_answer"] = json!(may);
            value
        })
        .collect();
    let exports: Vec<Value> = matters.exports.iter().map(matter).collect();
    let glass: Vec<Value> = matters
        .glass
        .iter()
        .map(|(row, may)| {
            json!({
                "id": row.approval, "account": row.account, "site": row.site, "role": row.role,
                "begun_at": row.begun_at, "ends_at": row.ends_at, "may_review": may,
            })
        })
        .collect();
    Ok(Json(json!({"items": items, "next": null, "exports": exports, "break_glass": glass})))
}

fn matter(row: &ApprovalRow) -> Value {
    json!({
        "id": row.id, "matter": row.matter, "object": row.object, "site": row.site,
        "reason": row.reason, "asked_by": row.asked_by, "asked_at": row.asked_at,
        "agreed_by": row.agreed_by,
    })
}

/// Asks a second person.
pub(super) async fn ask(
    State(state): State<AppState>,
    actor: Actor,
    asking: Result<Json<Asking>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Json(asking) = asking?;
    let id = state.ask_second(&actor, asking).await?;
    Ok((StatusCode::CREATED, Json(json!({"id": id}))))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    agree: bool,
}

pub(super) async fn answer(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    answer: Result<Json<Answer>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let Json(answer) = answer?;
    state.answer(&actor, &id, answer.agree).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Review {
    verdict: String,
}

/// Looks at what was done with rights beyond one's own.
pub(super) async fn review(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    review: Result<Json<Review>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let Json(review) = review?;
    state.review_glass(&actor, &id, &review.verdict).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Fetches personal data that two agreed to give out, once.
pub(super) async fn export(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    Ok(exported(state.export(&actor, &id).await?))
}

/// The export as a file.
pub(crate) fn exported(bytes: Vec<u8>) -> Response {
    tidewaiter_web::answer::file("application/json", "tidewaiter-export.json", bytes)
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        let text = error.to_string();
        match error {
            AskError::Store(error) => error.into(),
            AskError::NotValid(_) => Self::unprocessable(text),
            AskError::Unknown(_) => Self::not_found(text),
            AskError::NoRight { .. } => Self::new(StatusCode::FORBIDDEN, "no right to this", text),
            AskError::Asked => Self::new(StatusCode::CONFLICT, "not now", text),
        }
    }
}

impl From<AnswerError> for Problem {
    fn from(error: AnswerError) -> Self {
        let text = error.to_string();
        match error {
            AnswerError::Unknown => Self::not_found(text),
            AnswerError::Refused(_) => Self::new(StatusCode::FORBIDDEN, "not by this person", text),
            AnswerError::Act(ActError::Store(error)) | AnswerError::Store(error) => error.into(),
            AnswerError::Act(_) => Self::new(StatusCode::CONFLICT, "not now", text),
        }
    }
}
