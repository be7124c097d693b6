//! Case files: gathered, read, handed over.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::alert::{AlertJson, limit_of};
use super::desk::download;
use super::inspection::InspectionJson;
use super::problem::Problem;
use crate::case::build::CaseError;
use crate::people::Actor;
use crate::state::{AppState, ExportError};
use crate::store::CaseRow;

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        let text = error.to_string();
        match error {
            ExportError::Desk(error) => error.into(),
            ExportError::TakesTwo => {
                Self::new(StatusCode::CONFLICT, "this takes a second person", text)
            }
            ExportError::Case(CaseError::Store(error)) => error.into(),
            ExportError::Case(error) => {
                tracing::error!(%error, "a case cannot be handed over");
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                Self::new(status, "the case cannot be made", "see the server's log")
            }
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ListQuery {
    cursor: Option<String>,
    limit: Option<i64>,
}

pub(super) async fn list(
    State(state): State<AppState>,
    actor: Actor,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query?;
    let limit = limit_of(query.limit)?;
    let (items, next) = state.cases(&actor, query.cursor.as_deref(), limit).await?;
    Ok(Json(json!({"items": items, "next": next})))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Making {
    title: String,
    alerts: Vec<String>,
}

/// Opens a case file with alerts, and with those of the same inspections and groups.
pub(super) async fn make(
    State(state): State<AppState>,
    actor: Actor,
    making: Result<Json<Making>, JsonRejection>,
) -> Result<(StatusCode, Json<CaseRow>), Problem> {
    let Json(making) = making?;
    let case = state.make_case(&actor, &making.title, &making.alerts).await?;
    Ok((StatusCode::CREATED, Json(case)))
}

pub(super) async fn show(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let view = state.case(&actor, &id).await?;
    let opened: Vec<InspectionJson> =
        view.inspections.into_iter().map(InspectionJson::from).collect();
    let alerts: Vec<AlertJson> = view.alerts.into_iter().map(AlertJson::from).collect();
    Ok(Json(json!({"case": view.row, "about": alerts, "inspections": opened})))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Adding {
    alert: String,
}

pub(super) async fn add(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    adding: Result<Json<Adding>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let Json(adding) = adding?;
    state.add_to_case(&actor, &id, &adding.alert).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exporting {
    reason: String,
}

/// Hands a case over, signed. Where people sign in, it takes two: asked for as a matter
/// (`export_personal`, object `case/ID`), and fetched from there.
pub(super) async fn export(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    exporting: Result<Json<Exporting>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(exporting) = exporting?;
    let bytes = state.export_case(&actor, &id, &exporting.reason).await?;
    Ok(download(&format!("case-{id}.json"), "application/json", bytes))
}
