//! One alert: why it was raised, what it rests on, and what people did with it.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use tidewaiter_proto::alert::{Alert, AlertState, Outcome};
use tidewaiter_proto::receipt::Standing;
use tidewaiter_proto::station::StationId;
use tidewaiter_web::answer::page_with;
use tidewaiter_web::form::{Fields, Problems};
use tidewaiter_web::frame::Frame;
use tidewaiter_web::tally::Tally;
use tidewaiter_web::timeline::{Entry, timeline};
use tidewaiter_web::traveller::Traveller;
use tidewaiter_web::visit::{Visit, is_officer_id, remember_officer};

use super::scan::{Scan, scans};
use super::{failure, queue};
use crate::people::Actor;
use crate::state::{Act, AlertDetail, AppState};
use crate::store::{
    ActError, Action, AlertRow, AttachmentRow, CLOSING_REASONS, CaseRow, ClockRow, Decision,
    DueRow, InspectionRow, OrderRow, StoreError, state_name,
};

#[derive(Template)]
#[template(path = "desk/alert.html")]
pub(super) struct AlertPage {
    pub(super) frame: Frame,
    pub(super) alert: Alert,
    pub(super) row: AlertRow,
    pub(super) title: String,
    pub(super) state: &'static str,
    pub(super) laws: Vec<String>,
    pub(super) outcomes: Vec<String>,
    pub(super) amount: Option<String>,
    pub(super) traveller: Traveller,
    pub(super) way: Option<String>,
    pub(super) who: String,
    pub(super) tally: Tally,
    pub(super) scans: Vec<Scan>,
    pub(super) timeline: Vec<Entry>,
    pub(super) sealed: usize,
    pub(super) others: Vec<queue::Item>,
    pub(super) group: Vec<GroupMember>,
    pub(super) decisions: Vec<LogLine>,
    pub(super) can: BTreeSet<&'static str>,
    pub(super) reasons: Vec<(&'static str, String)>,
    pub(super) fields: Fields,
    pub(super) problems: Problems,
    pub(super) leaves: Option<String>,
    pub(super) clocks: Vec<queue::Due>,
    pub(super) merged: Vec<queue::Item>,
    pub(super) orders: Vec<OrderLine>,
    pub(super) attachments: Vec<AttachmentRow>,
    pub(super) cases: Vec<CaseRow>,
    pub(super) history: Vec<GroupMember>,
    pub(super) looking: String,
    pub(super) lists: Vec<(String, String)>,
}

/// One order to the station, with where it is.
pub(super) struct OrderLine {
    pub(super) what: String,
    pub(super) text: String,
    pub(super) by: String,
    pub(super) asked_at: Timestamp,
    pub(super) shown_at: Option<Timestamp>,
}

/// Another inspection of the alert's group.
pub(super) struct GroupMember {
    pub(super) station: StationId,
    pub(super) inspection: String,
    pub(super) way: String,
    pub(super) opened_at: Timestamp,
}

/// One line of the alert's history.
pub(super) struct LogLine {
    pub(super) at: Timestamp,
    pub(super) actor: String,
    pub(super) action: String,
    pub(super) reason: String,
    pub(super) text: String,
}

pub(super) async fn show(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    visit: Visit,
) -> Response {
    let (fields, problems) = (Fields::default(), Problems::default());
    answer(&state, &actor, &visit, &id, fields, problems, StatusCode::OK).await
}

async fn answer(
    state: &AppState,
    actor: &Actor,
    visit: &Visit,
    id: &str,
    fields: Fields,
    problems: Problems,
    status: StatusCode,
) -> Response {
    match build(state, actor, visit, id, fields, problems).await {
        Ok(Some(template)) => page_with(status, &template),
        Ok(None) => failure::not_found(visit),
        Err(error) => failure::failed(visit, &error),
    }
}

async fn build(
    state: &AppState,
    actor: &Actor,
    visit: &Visit,
    id: &str,
    fields: Fields,
    problems: Problems,
) -> Result<Option<AlertPage>, StoreError> {
    let Some(detail) = state.alert(actor, id).await? else { return Ok(None) };
    let station = detail.row.alert.station.clone();
    let epoch = detail
        .inspection
        .as_ref()
        .and_then(|inspection| inspection.records.last())
        .map(|opened| opened.record.epoch);
    let missing = match epoch {
        Some(epoch) => gaps(&state.store().standing(&station, epoch).await?),
        None => Vec::new(),
    };
    let frame = super::frame(visit, state.demonstration(), "", "");
    Ok(Some(view(frame, detail, &missing, state.clock().now(), fields, problems)))
}

/// The page of an alert, from what the state gives out.
pub(super) fn view(
    mut frame: Frame,
    detail: AlertDetail,
    missing: &[(u64, u64)],
    now: Timestamp,
    mut fields: Fields,
    problems: Problems,
) -> AlertPage {
    let text = frame.text;
    let alert = detail.row.alert.clone();
    let title = text.code("alert", alert.code.as_str()).into_owned();
    frame.title.clone_from(&title);
    frame.name = alert.station.to_string();
    if fields.get("officer").is_empty() {
        fields.set("officer", frame.officer.clone().unwrap_or_default());
    }
    let inspection = detail.inspection;
    let records: Vec<_> = inspection
        .iter()
        .flat_map(|inspection| &inspection.records)
        .map(|opened| opened.record.clone())
        .collect();
    let row = inspection.as_ref().map(|inspection| &inspection.row);
    let others = inspection.iter().flat_map(|inspection| &inspection.alerts);
    let now_item = queue::item(text, &detail.row, now);
    let member = |row: &InspectionRow| GroupMember {
        station: row.station.clone(),
        inspection: row.inspection.clone(),
        way: queue::way(row).unwrap_or_default(),
        opened_at: row.opened_at,
    };
    let clock = |clock: ClockRow| {
        let inspection = alert.inspection.clone().unwrap_or_default();
        queue::due_of(text, DueRow { station: alert.station.clone(), inspection, clock }, now)
    };
    AlertPage {
        leaves: now_item.leaves,
        clocks: detail.clocks.into_iter().filter(|c| c.met_at.is_none()).map(clock).collect(),
        merged: detail.merged.iter().map(|row| queue::item(text, row, now)).collect(),
        orders: detail.orders.into_iter().map(|row| order_line(&frame, row)).collect(),
        attachments: detail.attachments,
        cases: detail.cases,
        history: detail.history.iter().map(member).collect(),
        looking: detail.others.join(", "),
        lists: alert.lists.iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect(),
        laws: laws(&alert),
        outcomes: alert.outcomes.iter().map(|outcome| outcome_words(&frame, *outcome)).collect(),
        amount: alert.amount.as_ref().map(|amount| text.amount(amount)),
        traveller: Traveller::read(&records),
        way: row.and_then(queue::way),
        who: row.map(|row| queue::who(text, row)).unwrap_or_default(),
        tally: Tally::read(&records),
        scans: scans(text, &records),
        timeline: timeline(text, &records, missing),
        sealed: inspection.as_ref().map_or(0, |inspection| inspection.sealed),
        others: others
            .filter(|other| other.alert.id != alert.id)
            .map(|other| queue::item(text, other, now))
            .collect(),
        group: detail
            .group
            .iter()
            .filter(|row| Some(&row.inspection) != alert.inspection.as_ref())
            .map(member)
            .collect(),
        decisions: detail.decisions.into_iter().map(|decision| line(&frame, decision)).collect(),
        can: detail.actions.iter().map(|action| action.as_str()).collect(),
        reasons: queue::closing_reasons(text),
        state: state_name(alert.state),
        row: detail.row,
        alert,
        title,
        fields,
        problems,
        frame,
    }
}

/// Numbers missing between and before what is on disk.
pub(super) fn gaps(standing: &Standing) -> Vec<(u64, u64)> {
    let held = standing.ranges();
    held.last().map_or_else(Vec::new, |last| held.missing(1, last).as_slice().to_vec())
}

fn laws(alert: &Alert) -> Vec<String> {
    let mut laws: Vec<String> = Vec::new();
    for reason in &alert.reasons {
        if !reason.legal_basis.is_empty() && !laws.contains(&reason.legal_basis) {
            laws.push(reason.legal_basis.clone());
        }
    }
    laws
}

fn outcome_words(frame: &Frame, outcome: Outcome) -> String {
    frame.text.code("outcome", outcome.as_str()).into_owned()
}

fn order_line(frame: &Frame, row: OrderRow) -> OrderLine {
    OrderLine {
        what: frame.text.code("order", row.order.kind.as_str()).into_owned(),
        text: row.order.text,
        by: row.order.by,
        asked_at: row.order.at,
        shown_at: row.shown_at,
    }
}

pub(super) fn line(frame: &Frame, decision: Decision) -> LogLine {
    let text = frame.text;
    LogLine {
        at: decision.at,
        action: text.code("done", &decision.action).into_owned(),
        reason: if decision.reason.is_empty() {
            String::new()
        } else {
            text.code("closing", &decision.reason).into_owned()
        },
        actor: decision.actor,
        text: decision.text,
    }
}

pub(super) async fn act(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    visit: Visit,
    fields: Fields,
) -> Response {
    let text = visit.text;
    let officer = super::actor(&visit, &fields).to_owned();
    let mut problems = Problems::default();
    if !is_officer_id(&officer) {
        problems.add("officer", text.say("desk-needs-officer"));
    }
    let action = fields.get("action").parse::<Action>();
    if action == Ok(Action::Close) && !CLOSING_REASONS.contains(&fields.get("reason")) {
        problems.add("reason", text.say("desk-needs-reason"));
    }
    if action == Ok(Action::Comment) && fields.get("text").is_empty() {
        problems.add("comment-text", text.say("desk-needs-text"));
    }
    if action == Ok(Action::Reopen) && fields.get("text").is_empty() {
        problems.add("comment-text", text.say("desk-needs-text"));
    }
    if action == Ok(Action::Assign) && !is_officer_id(fields.get("to")) {
        problems.add("to", text.say("desk-needs-officer"));
    }
    let (Ok(action), Ok(version)) = (action, fields.get("version").parse()) else {
        let cause = text.say("desk-unknown-action").into_owned();
        return failure::failed_because(&visit, StatusCode::BAD_REQUEST, cause);
    };
    if !problems.is_empty() {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return answer(&state, &actor, &visit, &id, fields, problems, status).await;
    }
    let act = Act {
        action,
        officer: officer.clone(),
        version,
        reason: fields.get("reason").to_owned(),
        text: fields.get("text").to_owned(),
        to: fields.get("to").to_owned(),
        until: queue::hours_from(state.clock().now(), fields.get("hours")),
    };
    let response = match state.act(&actor, &id, &act).await {
        Ok(_) => Redirect::to(&format!("/alerts/{}", super::encode(&id))).into_response(),
        Err(ActError::Unknown(_)) => failure::not_found(&visit),
        Err(ActError::Store(error)) => failure::failed(&visit, &error),
        // Somebody was faster: the page shows what they did and keeps what was typed.
        Err(error) => {
            let message = match &error {
                ActError::Changed { .. } => text.say("desk-changed").into_owned(),
                other => other.to_string(),
            };
            problems.add("history", message);
            answer(&state, &actor, &visit, &id, fields, problems, StatusCode::CONFLICT).await
        }
    };
    remember_officer(response, &officer)
}

impl AlertPage {
    fn can(&self, action: &str) -> bool {
        self.can.contains(action)
    }

    fn closed(&self) -> bool {
        self.alert.state == AlertState::Closed
    }
}
