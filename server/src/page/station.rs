//! The stations: which are there, what each has sent, and what is missing.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use tidewaiter_proto::record::ClockQuality;
use tidewaiter_proto::station::StationId;
use tidewaiter_web::answer::page;
use tidewaiter_web::frame::Frame;
use tidewaiter_web::text::Text;
use tidewaiter_web::visit::Visit;

use super::failure;
use crate::people::Actor;
use crate::state::{AppState, StationView};

#[derive(Template)]
#[template(path = "desk/stations.html")]
struct StationsPage {
    frame: Frame,
    rows: Vec<Row>,
}

struct Row {
    station: StationId,
    /// `good`, `high` or `info`: which shape says it at a glance.
    shape: &'static str,
    state: String,
    seen_at: Option<Timestamp>,
    seen: String,
    held: u64,
    missing: u64,
    backlog: Option<u64>,
    clock: String,
    policy: String,
    lists: Vec<(String, String)>,
    version: String,
}

pub(super) async fn list(State(state): State<AppState>, actor: Actor, visit: Visit) -> Response {
    let views = match state.stations(&actor, "", 500).await {
        Ok(views) => views,
        Err(error) => return failure::failed(&visit, &error),
    };
    let text = visit.text;
    let now = state.clock().now();
    let mut frame =
        super::frame(&visit, state.demonstration(), &text.say("desk-stations"), "/stations");
    frame.refresh_seconds = 15;
    page(&StationsPage {
        frame,
        rows: views.into_iter().map(|view| row(text, view, now)).collect(),
    })
}

fn row(text: Text, view: StationView, now: Timestamp) -> Row {
    let presence = view.row.presence.as_ref();
    let (shape, state) = match (view.row.revoked_at, view.row.online, presence) {
        (Some(_), ..) => ("info", "station-revoked"),
        (None, true, _) if view.missing > 0 => ("medium", "station-behind"),
        (None, true, _) => ("good", "station-online"),
        (None, false, Some(_)) => ("high", "station-offline"),
        (None, false, None) => ("info", "station-never"),
    };
    Row {
        shape,
        state: text.say(state).into_owned(),
        seen_at: view.row.seen_at,
        seen: view.row.seen_at.map(|at| text.ago(at, now).into_owned()).unwrap_or_default(),
        held: view.held,
        missing: view.missing,
        backlog: presence.map(|presence| presence.backlog),
        clock: presence.map(|presence| clock(text, presence.clock)).unwrap_or_default(),
        policy: presence.map(|presence| presence.policy.clone()).unwrap_or_default(),
        lists: presence
            .map(|presence| presence.lists.clone().into_iter().collect())
            .unwrap_or_default(),
        version: presence.map(|presence| presence.version.clone()).unwrap_or_default(),
        station: view.row.station,
    }
}

fn clock(text: Text, quality: ClockQuality) -> String {
    let name = match quality {
        ClockQuality::Synced => "clock-synced",
        ClockQuality::Holdover => "clock-holdover",
        ClockQuality::Unset => "clock-unset",
    };
    text.say(name).into_owned()
}
