//! Bundles: lists, and night now.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::alert::limit_of;
use super::problem::Problem;
use crate::state::AppState;
use crate::store::BundleRow;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ListQuery {
    cursor: Option<i64>,
    limit: Option<i64>,
}

pub(super) fn bundle_json(row: &BundleRow) -> Value {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    // The receipt's own text is inside its signed envelope.
    let receipt = row
        .receipt
        .as_deref()
        .map(parsed)
        .and_then(|envelope| envelope.get("signed").and_then(Value::as_str).map(parsed));
    json!({
        "number": row.number, "name": row.name, "first": row.first, "last": row.last,
        "built_at": row.built_at, "state": row.state, "manifest_sha256": row.manifest_sha256,
        "manifest": parsed(&row.manifest), "receipt": receipt,
        "receipted_at": row.receipted_at,
    })
}

pub(super) async fn list(
    State(state): State<AppState>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query?;
    let limit = limit_of(query.limit)?;
    let rows = state.bundles(query.cursor.unwrap_or(i64::MAX), limit).await?;
    let full = i64::try_from(rows.len()).is_ok_and(|number| number == limit);
    let next = rows.last().filter(|_| full).map(|last| last.number);
    let items: Vec<Value> = rows.iter().map(bundle_json).collect();
    Ok(Json(json!({"items": items, "next": next})))
}

/// Makes the bundle of all that arrived since the last: 201 with it, 200 with `null` when nothing
/// has arrived.
pub(super) async fn night(State(state): State<AppState>) -> Response {
    match state.night_now().await {
        Ok(Some(row)) => (StatusCode::CREATED, Json(bundle_json(&row))).into_response(),
        Ok(None) => Json(Value::Null).into_response(),
        Err(error) => {
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(&error);
            while let Some(error) = cause {
                text = format!("{text}: {error}");
                cause = error.source();
            }
            tracing::error!(error = text, "the night's bundle could not be made");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the bundle could not be made", text)
                .into_response()
        }
    }
}
