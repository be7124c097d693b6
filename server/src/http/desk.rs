//! What people keep and do at the desk: orders, merging, files, silences, views, clocks, bulk work.

use std::str::FromStr;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::handler::Handler;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tidewaiter_people::role::Permission;

use super::alert::{AlertJson, limit_of, refusal};
use super::guard::{Need, Routes};
use super::problem::Problem;
use super::{case, figure};
use crate::people::Actor;
use crate::state::{ATTACHED_BYTES_MAX, Act, AppState, BULK_MAX, DeskError, OrderAsk, Quieting};
use crate::store::{Action, AttachmentRow, SavedView, SilenceRow};

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        let text = error.to_string();
        match error {
            DeskError::Unknown(_) => Self::not_found(text),
            DeskError::NotValid(_) => Self::unprocessable(text),
            DeskError::Merge(crate::store::MergeError::Store(error)) | DeskError::Store(error) => {
                error.into()
            }
            DeskError::Merge(_) => Self::new(StatusCode::CONFLICT, "this cannot be merged", text),
        }
    }
}

/// Asks a station for something about an alert's inspection.
pub(super) async fn order(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    ask: Result<Json<OrderAsk>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Json(ask) = ask?;
    let order = state.order(&actor, actor.id(), &id, ask).await?;
    Ok((StatusCode::CREATED, Json(json!(order))))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Merging {
    alerts: Vec<String>,
}

/// Lets an alert speak for others.
pub(super) async fn merge(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    merging: Result<Json<Merging>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(merging) = merging?;
    bounded(merging.alerts.len())?;
    let done = state.merge(&actor, actor.id(), &id, &merging.alerts).await?;
    let items: Vec<Value> = done
        .into_iter()
        .map(|(id, done)| {
            let problem = done.err().map(|error| error.to_string());
            json!({"id": id, "done": problem.is_none(), "problem": problem})
        })
        .collect();
    Ok(Json(json!({"items": items})))
}

/// Lets an alert speak for itself again.
pub(super) async fn unmerge(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    state.unmerge(&actor, actor.id(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bulk {
    alerts: Vec<Seen>,
    action: Action,
    #[serde(default)]
    officer: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    until: Option<jiff::Timestamp>,
}

/// An alert at the version that somebody saw.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seen {
    id: String,
    version: i64,
}

/// Does one thing with many alerts; each is answered for itself.
pub(super) async fn bulk(
    State(state): State<AppState>,
    actor: Actor,
    bulk: Result<Json<Bulk>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(mut bulk) = bulk?;
    bounded(bulk.alerts.len())?;
    actor.sign(&mut bulk.officer);
    let mut items = Vec::new();
    for Seen { id, version } in bulk.alerts {
        let act = Act {
            action: bulk.action,
            officer: bulk.officer.clone(),
            version,
            reason: bulk.reason.clone(),
            text: bulk.text.clone(),
            to: bulk.to.clone(),
            until: bulk.until,
        };
        items.push(match state.act(&actor, &id, &act).await {
            Ok(row) => json!({"id": id, "done": true, "alert": AlertJson::from(row)}),
            Err(error) => {
                let status = refusal(&error).status().as_u16();
                json!({"id": id, "done": false, "status": status, "problem": error.to_string()})
            }
        });
    }
    Ok(Json(json!({"items": items})))
}

fn bounded(count: usize) -> Result<(), Problem> {
    if (1..=BULK_MAX).contains(&count) {
        return Ok(());
    }
    Err(Problem::unprocessable(format!("{count} alerts at once: 1 to {BULK_MAX} can be done")))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AttachQuery {
    name: String,
}

/// Keeps a file beside an alert; the request's body is the file.
pub(super) async fn attach(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    query: Result<Query<AttachQuery>, QueryRejection>,
    content: Bytes,
) -> Result<(StatusCode, Json<AttachmentRow>), Problem> {
    let Query(query) = query?;
    let row = state.attach(&actor, &id, &query.name, content.to_vec()).await?;
    Ok((StatusCode::CREATED, Json(row)))
}

/// A file beside an alert: to be kept, never to be opened here.
pub(crate) async fn attached(
    State(state): State<AppState>,
    actor: Actor,
    Path((id, sha256)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let missing = || Problem::not_found(format!("there is no file {sha256:?} beside {id:?}"));
    let (row, content) = state.attached(&actor, &id, &sha256).await?.ok_or_else(missing)?;
    Ok(download(&row.name, &row.media_type, content))
}

/// Bytes that a browser keeps under a name and does not open: no script in them is run.
pub(crate) fn download(name: &str, media_type: &str, content: Vec<u8>) -> Response {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' })
        .collect();
    let coded = crate::page::encode(name);
    let kept = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{coded}");
    let mut response = content.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_DISPOSITION, kept.as_str()),
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    response
}

/// Silences that run.
pub(super) async fn silences(
    State(state): State<AppState>,
    actor: Actor,
) -> Result<Json<Value>, Problem> {
    let items = state.silences(&actor).await?;
    Ok(Json(json!({"items": items, "next": Value::Null})))
}

/// Begins a silence.
pub(super) async fn silence(
    State(state): State<AppState>,
    actor: Actor,
    ask: Result<Json<Quieting>, JsonRejection>,
) -> Result<(StatusCode, Json<SilenceRow>), Problem> {
    let Json(ask) = ask?;
    Ok((StatusCode::CREATED, Json(state.silence(&actor, ask).await?)))
}

/// Ends a silence.
pub(super) async fn end_silence(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    state.end_silence(&actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The views that this person sees.
pub(super) async fn views(
    State(state): State<AppState>,
    actor: Actor,
) -> Result<Json<Value>, Problem> {
    let items = state.views(&actor).await?;
    Ok(Json(json!({"items": items, "next": Value::Null})))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct View {
    name: String,
    query: String,
    #[serde(default)]
    shared: bool,
}

/// Keeps a view.
pub(super) async fn save_view(
    State(state): State<AppState>,
    actor: Actor,
    view: Result<Json<View>, JsonRejection>,
) -> Result<Json<SavedView>, Problem> {
    let Json(view) = view?;
    Ok(Json(state.save_view(&actor, &view.name, &view.query, view.shared).await?))
}

/// Lets a view go.
pub(super) async fn drop_view(
    State(state): State<AppState>,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    state.drop_view(&actor, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ClockQuery {
    limit: Option<i64>,
}

/// What is due, first first.
pub(super) async fn clocks(
    State(state): State<AppState>,
    actor: Actor,
    query: Result<Query<ClockQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query?;
    let items = state.due(&actor, limit_of(query.limit)?).await?;
    Ok(Json(json!({"items": items, "next": Value::Null})))
}

/// A day of a query; none where there is none.
pub(super) fn day(text: &str) -> Result<Option<jiff::civil::Date>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let day = jiff::civil::Date::from_str(text);
    day.map(Some).map_err(|_| Problem::bad_request(format!("{text:?} is no day: 2018-11-16")))
}

/// What people do at the desk beside deciding, each route with what it needs.
pub(super) fn routes(routes: Routes<AppState>) -> Routes<AppState> {
    use Need::Right;
    use Permission as P;
    let file = attach.layer(DefaultBodyLimit::max(ATTACHED_BYTES_MAX));
    routes
        .post("/api/v1/alerts/actions", Right(P::AlertAct), bulk)
        .post("/api/v1/alerts/{id}/orders", Right(P::AlertAct), order)
        .post("/api/v1/alerts/{id}/merge", Right(P::AlertAct), merge)
        .post("/api/v1/alerts/{id}/unmerge", Right(P::AlertAct), unmerge)
        .post("/api/v1/alerts/{id}/attachments", Right(P::AlertAct), file)
        .get("/api/v1/alerts/{id}/attachments/{sha256}", Right(P::AlertRead), attached)
        .get("/api/v1/silences", Right(P::AlertRead), silences)
        .post("/api/v1/silences", Right(P::AlertAct), silence)
        .post("/api/v1/silences/{id}/end", Right(P::AlertAct), end_silence)
        .get("/api/v1/views", Right(P::AlertRead), views)
        .post("/api/v1/views", Right(P::AlertRead), save_view)
        .post("/api/v1/views/{name}/end", Right(P::AlertRead), drop_view)
        .get("/api/v1/clocks", Right(P::AlertRead), clocks)
        .get("/api/v1/cases", Right(P::AlertRead), case::list)
        .post("/api/v1/cases", Right(P::AlertAct), case::make)
        .get("/api/v1/cases/{id}", Right(P::AlertRead), case::show)
        .post("/api/v1/cases/{id}/alerts", Right(P::AlertAct), case::add)
        .post("/api/v1/cases/{id}/export", Right(P::PersonalExport), case::export)
        .get("/api/v1/figures/{name}", Right(P::AlertRead), figure::show)
        .get("/api/v1/figures/{name}/csv", Right(P::AlertRead), figure::csv)
}
