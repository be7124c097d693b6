//! The supervisor's pages and headquarters' page: HTML from the views of [`crate::state`].
//!
//! Reads views and posts actions; holds no rule of its own. Every form works without JavaScript.

use axum::Router;
use axum::routing::{get, post};
use jiff::Timestamp;
use tidewaiter_web::frame::{Frame, Place};
use tidewaiter_web::visit::Visit;

use crate::state::AppState;

mod alert;
mod bundle;
mod failure;
pub mod headquarters;
mod inspection;
mod queue;
mod station;

/// The routes of the supervisor's desk. The caller puts [`tidewaiter_web::guard::protect`] around
/// all it serves.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/", get(queue::show))
        .route("/queue/actions", post(queue::act))
        .route("/alerts/{id}", get(alert::show))
        .route("/alerts/{id}/actions", post(alert::act))
        .route("/inspections", get(inspection::list))
        .route("/inspections/{site}/{lane}/{id}", get(inspection::show))
        .route("/stations", get(station::list))
        .route("/bundles", get(bundle::list).post(bundle::night))
        .merge(tidewaiter_web::assets::routes())
}

/// The desk's frame: navigation, demonstration, live.
fn frame(visit: &Visit, demonstration: Option<Timestamp>, title: &str, here: &str) -> Frame {
    let text = visit.text;
    let mut frame = Frame::new(visit, Place::Desk, title);
    frame.demonstration = demonstration;
    frame.live = Some("/api/v1/live");
    for (href, name) in [
        ("/", "desk-queue"),
        ("/inspections", "desk-inspections"),
        ("/stations", "desk-stations"),
        ("/bundles", "desk-bundles"),
    ] {
        frame = frame.link(href, text.say(name), href == here);
    }
    frame
}

/// The id of the one who acts: as typed, else as this browser remembers it.
fn actor<'a>(visit: &'a Visit, fields: &'a tidewaiter_web::form::Fields) -> &'a str {
    let typed = fields.get("officer");
    if typed.is_empty() { visit.officer.as_deref().unwrap_or_default() } else { typed }
}

#[cfg(test)]
mod tests;
