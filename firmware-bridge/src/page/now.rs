//! The page an officer has open all day: who stands here, what must be known, what to do next.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use tidewaiter_web::answer::page;
use tidewaiter_web::form::Fields;
use tidewaiter_web::frame::Frame;
use tidewaiter_web::timeline::{Entry, timeline};
use tidewaiter_web::visit::Visit;

use super::health::HealthView;
use super::inspection::{Row, rows};
use super::shown::Shown;
use crate::recorder::RecordError;
use crate::station::Station;

#[derive(Template)]
#[template(path = "station/now.html")]
struct NowPage {
    frame: Frame,
    health: HealthView,
    shown: Option<Shown>,
    latest: Vec<Row>,
    loose: Vec<Entry>,
    recorded: Option<u64>,
}

#[derive(Template)]
#[template(path = "station/next.html")]
struct NextPage {
    frame: Frame,
    shown: Shown,
}

pub(super) async fn show(
    State(station): State<Station>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Response {
    match build(&station, &visit, query.as_deref()).await {
        Ok(template) => page(&template),
        Err(error) => super::failed(&visit, &station, &error),
    }
}

async fn build(
    station: &Station,
    visit: &Visit,
    query: Option<&str>,
) -> Result<NowPage, RecordError> {
    let text = visit.text;
    let shown = match station.open_inspection().await {
        Some(open) => Shown::read(text, station, &open)?,
        None => None,
    };
    let title = match &shown {
        Some(shown) => shown.heading.clone(),
        None => text.say("now-waiting").into_owned(),
    };
    let mut frame = super::frame(visit, station, title, "/");
    frame.refresh_seconds = REFRESH_SECONDS;
    Ok(NowPage {
        frame,
        health: HealthView::read(text, station),
        latest: rows(text, station, shown.as_ref().map(|shown| shown.id.as_str()), LATEST),
        loose: if shown.is_some() { Vec::new() } else { timeline(text, &station.loose(), &[]) },
        recorded: super::recorded_number(query),
        shown,
    })
}

/// Leaves the open inspection. A traveller under a grave warning about whom nothing was decided is
/// not passed over by one press.
pub(super) async fn next(State(station): State<Station>, visit: Visit, fields: Fields) -> Response {
    let home = || Redirect::to("/").into_response();
    let Some(open) = station.open_inspection().await else { return home() };
    // Somebody else went on meanwhile: this press was about the one before.
    if !fields.get("inspection").is_empty() && fields.get("inspection") != open {
        return home();
    }
    let shown = match Shown::read(visit.text, &station, &open) {
        Ok(shown) => shown,
        Err(error) => return super::failed(&visit, &station, &error),
    };
    if let Some(shown) = shown
        && shown.grave
        && shown.decision.is_none()
        && !fields.has("sure", "yes")
    {
        let title = visit.text.say("next-sure-title");
        let mut frame = super::frame(&visit, &station, title, "");
        frame.live = None;
        return page(&NextPage { frame, shown });
    }
    match station.next().await {
        Ok(()) => home(),
        Err(error) => super::failed(&visit, &station, &error),
    }
}

const LATEST: usize = 8;
const REFRESH_SECONDS: u32 = 3;
