//! Alerts: lists, one with all behind it, and what a person does with it.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::inspection::{InspectionJson, InspectionRowJson};
use super::problem::Problem;
use crate::people::Actor;
use crate::state::{Act, AlertCounts, AppState, PAGE_MAX, filter_from};
use crate::store::{
    ActError, Action, AlertRow, AttachmentRow, CaseRow, ClockRow, Decision, OrderRow,
};

/// A query of the list: the filter's fields, and where the page begins.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ListQuery {
    state: String,
    severity: String,
    code: String,
    station: String,
    site: String,
    inspection: String,
    assignee: String,
    text: String,
    route: String,
    rule: String,
    list: String,
    subject: String,
    currency: String,
    amount: String,
    newer: String,
    older: String,
    mentioned: String,
    aside: String,
    order: String,
    cursor: Option<String>,
    limit: Option<i64>,
}

impl ListQuery {
    fn field(&self, name: &str) -> &str {
        match name {
            "state" => &self.state,
            "severity" => &self.severity,
            "code" => &self.code,
            "station" => &self.station,
            "site" => &self.site,
            "inspection" => &self.inspection,
            "assignee" => &self.assignee,
            "text" => &self.text,
            "route" => &self.route,
            "rule" => &self.rule,
            "list" => &self.list,
            "subject" => &self.subject,
            "currency" => &self.currency,
            "amount" => &self.amount,
            "newer" => &self.newer,
            "older" => &self.older,
            "mentioned" => &self.mentioned,
            "aside" => &self.aside,
            "order" => &self.order,
            _ => "",
        }
    }
}

/// An alert with what the store adds to it.
#[derive(Debug, Serialize)]
pub(super) struct AlertJson {
    #[serde(flatten)]
    alert: tidewaiter_proto::alert::Alert,
    assignee: Option<String>,
    standing: bool,
    changed_at: jiff::Timestamp,
    version: i64,
    snoozed_until: Option<jiff::Timestamp>,
    merged_into: Option<String>,
    departs_at: Option<jiff::Timestamp>,
}

#[derive(Debug, Serialize)]
pub(super) struct AlertPageJson {
    items: Vec<AlertJson>,
    next: Option<String>,
    counts: AlertCounts,
}

#[derive(Debug, Serialize)]
pub(super) struct AlertDetailJson {
    #[serde(flatten)]
    alert: AlertJson,
    decisions: Vec<Decision>,
    actions: Vec<Action>,
    about: Option<InspectionJson>,
    group_inspections: Vec<Value>,
    merged: Vec<AlertJson>,
    orders: Vec<OrderRow>,
    attachments: Vec<AttachmentRow>,
    cases: Vec<CaseRow>,
    clocks: Vec<ClockRow>,
    history: Vec<InspectionRowJson>,
    looking: Vec<String>,
}

impl From<AlertRow> for AlertJson {
    fn from(row: AlertRow) -> Self {
        Self {
            alert: row.alert,
            assignee: row.assignee,
            standing: row.standing,
            changed_at: row.changed_at,
            version: row.version,
            snoozed_until: row.snoozed_until,
            merged_into: row.merged_into,
            departs_at: row.departs_at,
        }
    }
}

pub(super) async fn list(
    State(state): State<AppState>,
    actor: Actor,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<AlertPageJson>, Problem> {
    let Query(query) = query?;
    let now = state.clock().now();
    let filter = filter_from(|name| query.field(name).to_owned(), now, actor.id())
        .map_err(Problem::bad_request)?;
    let limit = limit_of(query.limit)?;
    let page = state.alerts(&actor, &filter, query.cursor.as_deref(), limit).await?;
    let items = page.rows.into_iter().map(AlertJson::from).collect();
    Ok(Json(AlertPageJson { items, next: page.next, counts: page.counts }))
}

pub(super) async fn show(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Json<AlertDetailJson>, Problem> {
    let detail = state
        .alert(&actor, &id)
        .await?
        .ok_or_else(|| Problem::not_found(format!("there is no alert {id:?}")))?;
    let group_inspections = detail
        .group
        .iter()
        .map(|row| json!({"station": row.station, "inspection": row.inspection}))
        .collect();
    Ok(Json(AlertDetailJson {
        alert: detail.row.into(),
        decisions: detail.decisions,
        actions: detail.actions,
        about: detail.inspection.map(InspectionJson::from),
        group_inspections,
        merged: detail.merged.into_iter().map(AlertJson::from).collect(),
        orders: detail.orders,
        attachments: detail.attachments,
        cases: detail.cases,
        clocks: detail.clocks,
        history: detail.history.into_iter().map(InspectionRowJson::from).collect(),
        looking: detail.others,
    }))
}

pub(super) async fn act(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    act: Result<Json<Act>, JsonRejection>,
) -> Result<Json<AlertJson>, Problem> {
    let Json(mut act) = act?;
    actor.sign(&mut act.officer);
    let row = state.act(&actor, &id, &act).await.map_err(|error| refusal(&error))?;
    Ok(Json(row.into()))
}

pub(super) fn refusal(error: &ActError) -> Problem {
    let text = error.to_string();
    match error {
        ActError::Unknown(_) => Problem::not_found(text),
        ActError::Changed { current, .. } => {
            let current = serde_json::to_value(AlertJson::from(AlertRow::clone(current)));
            Problem::new(StatusCode::CONFLICT, "the alert has changed", text)
                .with("current", current.unwrap_or(Value::Null))
        }
        ActError::NotNow { .. } => {
            Problem::new(StatusCode::CONFLICT, "the alert's state does not allow it", text)
        }
        ActError::SecondNeeded | ActError::Answered => {
            Problem::new(StatusCode::CONFLICT, "this takes a second person", text)
        }
        ActError::Incomplete(_) => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "the action is not complete", text)
        }
        ActError::Store(error) => error.clone().into(),
    }
}

/// The rows of a page as asked, or the usual number.
pub(super) fn limit_of(asked: Option<i64>) -> Result<i64, Problem> {
    match asked {
        None => Ok(50),
        Some(limit) if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
        Some(limit) => Err(Problem::bad_request(format!("limit {limit} is not 1 to {PAGE_MAX}"))),
    }
}
