//! Inspections of this station: the latest, and one with all that was recorded.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use jiff::Timestamp;
use tidewaiter_web::answer::page;
use tidewaiter_web::frame::Frame;
use tidewaiter_web::text::Text;
use tidewaiter_web::timeline::decision_code;
use tidewaiter_web::visit::Visit;

use super::shown::Shown;
use crate::officers::{Officers, Present};
use crate::station::Station;

/// One inspection in a list.
pub(super) struct Row {
    pub(super) inspection: String,
    pub(super) at: Timestamp,
    pub(super) traveller: String,
    pub(super) way: String,
    pub(super) decision: Option<&'static str>,
    /// Empty when there is no warning.
    pub(super) severity: &'static str,
    pub(super) open: bool,
}

#[derive(Template)]
#[template(path = "station/inspections.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "station/inspection.html")]
struct InspectionPage {
    frame: Frame,
    shown: Shown,
    open: bool,
    recorded: Option<u64>,
}

/// The latest inspections, the open one marked.
pub(super) fn rows(text: Text, station: &Station, open: Option<&str>, limit: usize) -> Vec<Row> {
    station
        .inspections(limit)
        .into_iter()
        .map(|summary| {
            let unknown = || text.say("traveller-unknown").into_owned();
            Row {
                open: Some(summary.inspection.as_str()) == open,
                at: summary.opened_at,
                traveller: summary.traveller.unwrap_or_else(unknown),
                way: summary.way.unwrap_or_default(),
                decision: summary.decision.map(decision_code),
                severity: summary.severity.map_or("", |severity| severity.as_str()),
                inspection: summary.inspection,
            }
        })
        .collect()
}

pub(super) async fn list(State(station): State<Station>, visit: Visit) -> Response {
    let open = station.open_inspection().await;
    let title = visit.text.say("station-inspections");
    let frame = super::frame(&visit, &station, title, "/inspections");
    page(&ListPage { frame, rows: rows(visit.text, &station, open.as_deref(), LISTED) })
}

pub(super) async fn show(
    State(station): State<Station>,
    State(officers): State<Officers>,
    Extension(present): Extension<Present>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Response {
    let shown = match Shown::read(visit.text, &station, &id) {
        Ok(Some(shown)) => shown,
        Ok(None) => return super::nothing_here(&visit, &station),
        Err(error) => return super::failed(&visit, &station, &error),
    };
    let frame = super::frame(&visit, &station, shown.heading.clone(), "");
    let open = station.open_inspection().await.as_deref() == Some(&id);
    if !open && let Some(session) = &present.session {
        officers.has_read(session, &id).await;
    }
    let recorded = super::recorded_number(query.as_deref());
    page(&InspectionPage { frame, shown, open, recorded })
}

const LISTED: usize = 200;
