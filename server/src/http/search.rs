//! Looking for things: alerts and inspections by text, and names on the lists in force.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tidewaiter_risk::policy::day_of;
use tidewaiter_risk::screening::POSSIBLE;

use super::alert::{AlertJson, limit_of};
use super::inspection::InspectionRowJson;
use super::problem::Problem;
use crate::people::Actor;
use crate::screen::{Line, NoAnswer};
use crate::state::AppState;
use crate::store::AlertFilter;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SearchQuery {
    q: String,
    limit: Option<i64>,
}

/// Alerts and inspections that contain a text. Names are inside sealed records and are not found
/// here: that is what `/api/v1/screen` and the alerts' own texts are for.
pub(super) async fn search(
    State(state): State<AppState>,
    actor: Actor,
    query: Result<Query<SearchQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query?;
    if query.q.trim().is_empty() {
        return Err(Problem::bad_request("q is missing: the text to look for"));
    }
    let limit = limit_of(query.limit)?;
    // That somebody looked is kept; what for may be a person's name, and is not.
    state.noted(&actor, "search", String::new()).await?;
    let filter = AlertFilter { text: query.q.clone(), ..AlertFilter::default() };
    let alerts = state.alerts(&actor, &filter, None, limit).await?;
    let alerts: Vec<AlertJson> = alerts.rows.into_iter().map(AlertJson::from).collect();
    let inspections = state.inspections(&actor, "", &query.q, None, limit).await?;
    let inspections: Vec<InspectionRowJson> =
        inspections.rows.into_iter().map(InspectionRowJson::from).collect();
    Ok(Json(json!({"alerts": alerts, "inspections": inspections})))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ScreenQuery {
    threshold: Option<f64>,
}

/// Looks for a name on the lists in force: the question and the answer of the command `screen`.
pub(super) async fn screen(
    State(state): State<AppState>,
    actor: Actor,
    query: Result<Query<ScreenQuery>, QueryRejection>,
    line: Result<Json<Line>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let (Query(query), Json(line)) = (query?, line?);
    let threshold = query.threshold.unwrap_or(POSSIBLE);
    if !(0.0..=1.0).contains(&threshold) {
        return Err(Problem::bad_request("threshold is not 0 to 1"));
    }
    state.noted(&actor, "screen", String::new()).await?;
    let lists = state.lists().clone();
    let today = day_of(state.clock().now());
    // A country's lists are long: comparing is no work for the tasks that serve.
    let answered = tokio::task::spawn_blocking(move || {
        let hits = line.ask(&lists, threshold, today)?;
        Ok::<_, NoAnswer>(json!({"id": line.id, "hits": hits}))
    });
    match answered.await {
        Ok(answer) => Ok(Json(answer.map_err(|error| Problem::unprocessable(error.to_string()))?)),
        Err(error) => {
            tracing::error!(%error, "a question to the lists died");
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Err(Problem::new(status, "the lists did not answer", "see the server's log"))
        }
    }
}
