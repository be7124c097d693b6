//! Search: one box for names in any script, documents, aircraft, ships, addresses, amounts.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use jiff::Timestamp;
use tidewaiter_web::answer::page;
use tidewaiter_web::form::Fields;
use tidewaiter_web::frame::Frame;
use tidewaiter_web::visit::Visit;

use super::{failure, queue};
use crate::facts::Sought;
use crate::people::Actor;
use crate::state::{AppState, Found, Question};

#[derive(Template)]
#[template(path = "desk/search.html")]
struct SearchPage {
    frame: Frame,
    text: String,
    kinds: Vec<(&'static str, String, bool)>,
    asked: bool,
    rows: Vec<Row>,
    alerts: Vec<queue::Item>,
}

struct Row {
    href: String,
    text: String,
    kind: String,
    score: f64,
    way: String,
    station: String,
    last_at: Timestamp,
}

pub(super) async fn show(
    State(state): State<AppState>,
    actor: Actor,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Response {
    let text = visit.text;
    let fields = Fields::read(query.unwrap_or_default().as_bytes());
    let sought = fields.get("q").to_owned();
    let kind = Sought::ALL.into_iter().find(|kind| kind.as_str() == fields.get("kind"));
    let asked = !sought.is_empty();
    let found = if asked {
        let question = Question { text: sought.clone(), kind };
        match state.find(&actor, &question, ROWS).await {
            Ok(found) => found,
            Err(error) => return failure::failed(&visit, &error),
        }
    } else {
        Found::default()
    };
    let now = state.clock().now();
    let rows = found.inspections.into_iter().map(|(row, why)| Row {
        href: format!("/inspections/{}/{}", row.station, super::encode(&row.inspection)),
        text: if why.kind == "subject" { queue::short(&why.text) } else { why.text },
        kind: text.code("sought", why.kind).into_owned(),
        score: why.score,
        way: queue::way(&row).unwrap_or_default(),
        station: row.station.to_string(),
        last_at: row.last_at,
    });
    let mut frame =
        super::frame(&visit, state.demonstration(), &text.say("desk-search"), "/search");
    // What was found stays as it was found: a page that asks again would be a search of its own.
    frame.live = None;
    page(&SearchPage {
        frame,
        kinds: Sought::ALL
            .into_iter()
            .map(|known| {
                let words = text.code("sought", known.as_str()).into_owned();
                (known.as_str(), words, Some(known) == kind)
            })
            .collect(),
        rows: rows.collect(),
        alerts: found.alerts.iter().map(|row| queue::item(text, row, now)).collect(),
        text: sought,
        asked,
    })
}

const ROWS: i64 = 100;
