//! Case files: the list, one on a page that prints, and its export.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use tidewaiter_people::matter::Matter;
use tidewaiter_proto::alert::Alert;
use tidewaiter_web::answer::{page, page_with};
use tidewaiter_web::form::{Fields, Problems};
use tidewaiter_web::frame::Frame;
use tidewaiter_web::tally::Tally;
use tidewaiter_web::text::Text;
use tidewaiter_web::timeline::{Entry, timeline};
use tidewaiter_web::traveller::Traveller;
use tidewaiter_web::visit::Visit;

use super::alert::LogLine;
use super::{alert, failure, queue};
use crate::case::{Custody, custody};
use crate::http::desk::download;
use crate::people::Actor;
use crate::state::{AppState, Asking, CaseView, DeskError, ExportError, InspectionDetail};
use crate::store::CaseRow;

#[derive(Template)]
#[template(path = "desk/cases.html")]
struct CasesPage {
    frame: Frame,
    rows: Vec<CaseRow>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "desk/case.html")]
struct CasePage {
    frame: Frame,
    case: CaseRow,
    alerts: Vec<OneAlert>,
    inspections: Vec<OneInspection>,
    takes_two: bool,
    fields: Fields,
    problems: Problems,
}

struct OneAlert {
    item: queue::Item,
    alert: Alert,
    decisions: Vec<LogLine>,
}

struct OneInspection {
    station: String,
    inspection: String,
    way: String,
    traveller: Traveller,
    tally: Tally,
    timeline: Vec<Entry>,
    custody: Vec<Custody>,
    /// Each record's number and chain hash.
    proofs: Vec<(u64, String)>,
}

pub(super) async fn list(
    State(state): State<AppState>,
    actor: Actor,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Response {
    let fields = Fields::read(query.unwrap_or_default().as_bytes());
    let after = Some(fields.get("after")).filter(|after| !after.is_empty());
    match state.cases(&actor, after, PAGE_ROWS).await {
        Ok((rows, next)) => {
            let title = visit.text.say("desk-cases");
            let frame = super::frame(&visit, state.demonstration(), &title, "/cases");
            page(&CasesPage { frame, rows, next })
        }
        Err(error) => failure::failed(&visit, &error),
    }
}

pub(super) async fn make(
    State(state): State<AppState>,
    actor: Actor,
    visit: Visit,
    fields: Fields,
) -> Response {
    let alerts: Vec<String> = fields.all("alert").into_iter().map(str::to_owned).collect();
    match state.make_case(&actor, fields.get("title"), &alerts).await {
        Ok(case) => Redirect::to(&format!("/cases/{}", case.id)).into_response(),
        Err(error) => refused(&visit, &error),
    }
}

pub(super) async fn show(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    visit: Visit,
) -> Response {
    answer(&state, &actor, &visit, &id, Fields::default(), Problems::default()).await
}

async fn answer(
    state: &AppState,
    actor: &Actor,
    visit: &Visit,
    id: &str,
    fields: Fields,
    problems: Problems,
) -> Response {
    let view = match state.case(actor, id).await {
        Ok(view) => view,
        Err(error) => return refused(visit, &error),
    };
    match build(state, actor, visit, view, fields, problems).await {
        Ok(template) => {
            let wrong = !template.problems.is_empty();
            let status = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
            page_with(status, &template)
        }
        Err(error) => failure::failed(visit, &error),
    }
}

async fn build(
    state: &AppState,
    actor: &Actor,
    visit: &Visit,
    view: CaseView,
    fields: Fields,
    problems: Problems,
) -> Result<CasePage, crate::store::StoreError> {
    let text = visit.text;
    let frame = super::frame(visit, state.demonstration(), &view.row.title, "/cases");
    let now = state.clock().now();
    let mut alerts = Vec::new();
    for row in view.alerts {
        let decisions = state.store().decisions(&row.alert.id).await?;
        alerts.push(OneAlert {
            item: queue::item(text, &row, now),
            alert: row.alert,
            decisions: decisions.into_iter().map(|one| alert::line(&frame, one)).collect(),
        });
    }
    let mut inspections = Vec::new();
    for detail in view.inspections {
        inspections.push(one(state, text, detail).await?);
    }
    let takes_two = actor.session.is_some();
    Ok(CasePage { frame, case: view.row, alerts, inspections, takes_two, fields, problems })
}

async fn one(
    state: &AppState,
    text: Text,
    detail: InspectionDetail,
) -> Result<OneInspection, crate::store::StoreError> {
    let records: Vec<_> = detail.records.into_iter().map(|opened| opened.record).collect();
    let mut proofs = Vec::new();
    let (station, epochs) = (&detail.row.station, records.first().zip(records.last()));
    if let Some((first, last)) = epochs.filter(|(first, last)| first.epoch == last.epoch) {
        let stored = state.store().records_stored(station, first.epoch, (first.seq, last.seq));
        let own = |seq: u64| records.iter().any(|record| record.seq == seq);
        proofs.extend(
            stored
                .await?
                .into_iter()
                .filter(|row| own(row.seq))
                .map(|row| (row.seq, row.hash.to_string())),
        );
    }
    Ok(OneInspection {
        way: queue::way(&detail.row).unwrap_or_default(),
        traveller: Traveller::read(&records),
        tally: Tally::read(&records),
        timeline: timeline(text, &records, &[]),
        custody: custody(&records),
        station: detail.row.station.to_string(),
        inspection: detail.row.inspection,
        proofs,
    })
}

/// Hands the case over, or asks the second person where that takes one.
pub(super) async fn export(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    visit: Visit,
    fields: Fields,
) -> Response {
    let reason = fields.get("reason").to_owned();
    if reason.is_empty() {
        let mut problems = Problems::default();
        problems.add("reason", visit.text.say("desk-needs-text"));
        return answer(&state, &actor, &visit, &id, fields, problems).await;
    }
    match state.export_case(&actor, &id, &reason).await {
        Ok(bytes) => download(&format!("case-{id}.json"), "application/json", bytes),
        Err(ExportError::TakesTwo) => {
            let asking = Asking {
                matter: Matter::ExportPersonal,
                object: format!("case/{id}"),
                site: String::new(),
                reason,
                minutes: None,
            };
            match state.ask_second(&actor, asking).await {
                Ok(_) => Redirect::to("/matters").into_response(),
                Err(error) => {
                    failure::failed_because(&visit, StatusCode::CONFLICT, error.to_string())
                }
            }
        }
        Err(ExportError::Desk(error)) => refused(&visit, &error),
        Err(ExportError::Case(error)) => {
            tracing::error!(%error, "a case cannot be handed over");
            let cause = error.to_string();
            failure::failed_because(&visit, StatusCode::INTERNAL_SERVER_ERROR, cause)
        }
    }
}

/// What the page of somebody says whose wish was not done.
pub(super) fn refused(visit: &Visit, error: &DeskError) -> Response {
    match error {
        DeskError::Unknown(_) => failure::not_found(visit),
        DeskError::Store(error) => failure::failed(visit, error),
        DeskError::NotValid(_) | DeskError::Merge(_) => {
            failure::failed_because(visit, StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
        }
    }
}

const PAGE_ROWS: i64 = 50;
