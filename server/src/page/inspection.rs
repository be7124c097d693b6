//! Inspections: the list, and one with its records and alerts.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use jiff::Timestamp;
use tidewaiter_proto::station::StationId;
use tidewaiter_web::answer::page;
use tidewaiter_web::form::Fields;
use tidewaiter_web::frame::Frame;
use tidewaiter_web::tally::Tally;
use tidewaiter_web::timeline::{Entry, timeline};
use tidewaiter_web::traveller::Traveller;
use tidewaiter_web::visit::Visit;

use super::{alert, failure, queue};
use crate::people::Actor;
use crate::state::AppState;
use crate::store::StoreError;

#[derive(Template)]
#[template(path = "desk/inspections.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Row>,
    text: String,
    next: Option<String>,
}

struct Row {
    station: StationId,
    inspection: String,
    last_at: Timestamp,
    way: String,
    who: String,
    decision: Option<String>,
    records: u64,
}

#[derive(Template)]
#[template(path = "desk/inspection.html")]
struct InspectionPage {
    frame: Frame,
    station: StationId,
    inspection: String,
    way: String,
    who: String,
    traveller: Traveller,
    tally: Tally,
    timeline: Vec<Entry>,
    sealed: usize,
    alerts: Vec<queue::Item>,
}

pub(super) async fn list(
    State(state): State<AppState>,
    actor: Actor,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Response {
    let fields = Fields::read(query.unwrap_or_default().as_bytes());
    let after = Some(fields.get("after")).filter(|after| !after.is_empty());
    let (station, sought) = (fields.get("station"), fields.get("text"));
    let found = state.inspections(&actor, station, sought, after, PAGE_ROWS).await;
    let found = match found {
        Ok(found) => found,
        Err(error) => return failure::failed(&visit, &error),
    };
    let text = visit.text;
    let sought = fields.get("text").to_owned();
    let next = found.next.map(|cursor| {
        format!("/inspections?text={}&after={}", super::encode(&sought), super::encode(&cursor))
    });
    page(&ListPage {
        frame: super::frame(
            &visit,
            state.demonstration(),
            &text.say("desk-inspections"),
            "/inspections",
        ),
        rows: found
            .rows
            .into_iter()
            .map(|row| Row {
                way: queue::way(&row).unwrap_or_default(),
                who: queue::who(text, &row),
                decision: row
                    .decision
                    .as_deref()
                    .map(|code| text.code("decision", code).into_owned()),
                station: row.station,
                inspection: row.inspection,
                last_at: row.last_at,
                records: row.records,
            })
            .collect(),
        text: sought,
        next,
    })
}

pub(super) async fn show(
    State(state): State<AppState>,
    actor: Actor,
    Path((site, lane, id)): Path<(String, String, String)>,
    visit: Visit,
) -> Response {
    let Ok(station) = format!("{site}/{lane}").parse::<StationId>() else {
        return failure::not_found(&visit);
    };
    match build(&state, &actor, &visit, &station, &id).await {
        Ok(Some(template)) => page(&template),
        Ok(None) => failure::not_found(&visit),
        Err(error) => failure::failed(&visit, &error),
    }
}

async fn build(
    state: &AppState,
    actor: &Actor,
    visit: &Visit,
    station: &StationId,
    id: &str,
) -> Result<Option<InspectionPage>, StoreError> {
    let Some(detail) = state.inspection(actor, station, id).await? else { return Ok(None) };
    let text = visit.text;
    let records: Vec<_> = detail.records.iter().map(|opened| opened.record.clone()).collect();
    let missing = match records.last() {
        Some(last) => alert::gaps(&state.store().standing(station, last.epoch).await?),
        None => Vec::new(),
    };
    let now = state.clock().now();
    let way = queue::way(&detail.row).unwrap_or_default();
    let mut frame = super::frame(visit, state.demonstration(), &way, "");
    frame.name = station.to_string();
    Ok(Some(InspectionPage {
        frame,
        way,
        who: queue::who(text, &detail.row),
        traveller: Traveller::read(&records),
        tally: Tally::read(&records),
        timeline: timeline(text, &records, &missing),
        sealed: detail.sealed,
        alerts: detail.alerts.iter().map(|row| queue::item(text, row, now)).collect(),
        station: station.clone(),
        inspection: id.to_owned(),
    }))
}

const PAGE_ROWS: i64 = 50;
