//! Looking for things: alerts and inspections by text, and names on the lists in force.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidewaiter_risk::policy::day_of;
use tidewaiter_risk::screening::POSSIBLE;

use super::alert::{AlertJson, limit_of};
use super::inspection::InspectionRowJson;
use super::problem::Problem;
use crate::facts::Sought;
use crate::people::Actor;
use crate::screen::{Line, NoAnswer};
use crate::state::{AppState, FoundWhy, LinksError, Question};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SearchQuery {
    q: String,
    kind: Option<Sought>,
    limit: Option<i64>,
}

/// Inspections and alerts by a name in any script, a document, an aircraft, a ship, an address, an
/// amount, or text. Names lie in sealed records: they are found by keyed terms and opened to compare.
pub(super) async fn search(
    State(state): State<AppState>,
    actor: Actor,
    query: Result<Query<SearchQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query?;
    if query.q.trim().is_empty() {
        return Err(Problem::bad_request("q is missing: what to look for"));
    }
    let limit = limit_of(query.limit)?;
    let question = Question { text: query.q, kind: query.kind };
    let found = state.find(&actor, &question, limit).await?;
    let alerts: Vec<AlertJson> = found.alerts.into_iter().map(AlertJson::from).collect();
    let inspections: Vec<FoundJson> = found
        .inspections
        .into_iter()
        .map(|(row, why)| FoundJson { row: row.into(), found_by: why })
        .collect();
    Ok(Json(json!({"alerts": alerts, "inspections": inspections})))
}

/// An inspection that was found, with why.
#[derive(Debug, Serialize)]
struct FoundJson {
    #[serde(flatten)]
    row: InspectionRowJson,
    found_by: FoundWhy,
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
    let law = state.law();
    let today = day_of(state.clock().now());
    // A country's lists are long: comparing is no work for the tasks that serve.
    let answered = tokio::task::spawn_blocking(move || {
        let hits = line.ask(&law.lists, threshold, today)?;
        Ok::<_, NoAnswer>(json!({"id": line.id, "hits": hits}))
    });
    match answered.await {
        Ok(answer) => Ok(Json(answer.map_err(|error| Problem::unprocessable(error.to_string()))?)),
        Err(error) => {
            tracing::error!(%error, "a question to the lists died");
            Err(did_not_answer())
        }
    }
}

fn did_not_answer() -> Problem {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    Problem::new(status, "the lists did not answer", "see the server's log")
}

/// What links a party to listed ones, with the evidence of each link.
pub(super) async fn network(
    State(state): State<AppState>,
    actor: Actor,
    line: Result<Json<Line>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(line) = line?;
    state.noted(&actor, "network", String::new()).await?;
    match state.network(line.question).await {
        Ok(network) => Ok(Json(json!({"id": line.id, "network": network}))),
        Err(LinksError::NoAnswer(error)) => Err(Problem::unprocessable(error.to_string())),
        Err(LinksError::Died) => Err(did_not_answer()),
    }
}
