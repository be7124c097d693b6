//! The nightly bundles, and the button that makes it night now.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use tidewaiter_web::answer::page;
use tidewaiter_web::form::Fields;
use tidewaiter_web::frame::Frame;
use tidewaiter_web::visit::Visit;

use super::failure;
use crate::state::AppState;
use crate::store::BundleState;

#[derive(Template)]
#[template(path = "desk/bundles.html")]
struct BundlesPage {
    frame: Frame,
    rows: Vec<Row>,
    nothing_new: bool,
    next: Option<i64>,
}

struct Row {
    name: String,
    first: i64,
    last: i64,
    built_at: Timestamp,
    shape: &'static str,
    state: String,
    receipted_at: Option<Timestamp>,
    manifest_sha256: String,
}

pub(super) async fn list(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Response {
    let fields = Fields::read(query.unwrap_or_default().as_bytes());
    let before = fields.get("before").parse().unwrap_or(i64::MAX);
    let bundles = match state.bundles(before, PAGE_ROWS).await {
        Ok(bundles) => bundles,
        Err(error) => return failure::failed(&visit, &error),
    };
    let text = visit.text;
    let full = i64::try_from(bundles.len()).is_ok_and(|rows| rows >= PAGE_ROWS);
    let mut frame =
        super::frame(&visit, state.demonstration(), &text.say("desk-bundles"), "/bundles");
    frame.refresh_seconds = 15;
    page(&BundlesPage {
        frame,
        next: bundles.last().map(|bundle| bundle.number).filter(|_| full),
        rows: bundles
            .into_iter()
            .map(|bundle| {
                let (shape, state) = match bundle.state {
                    BundleState::Built => ("info", "bundle-built"),
                    BundleState::Accepted => ("good", "bundle-accepted"),
                    BundleState::Refused => ("critical", "bundle-refused"),
                };
                Row {
                    shape,
                    state: text.say(state).into_owned(),
                    name: bundle.name,
                    first: bundle.first,
                    last: bundle.last,
                    built_at: bundle.built_at,
                    receipted_at: bundle.receipted_at,
                    manifest_sha256: bundle.manifest_sha256,
                }
            })
            .collect(),
        nothing_new: fields.get("night") == "empty",
    })
}

/// Makes the night's bundle now and goes back to the list.
pub(super) async fn night(State(state): State<AppState>, visit: Visit) -> Response {
    match state.night_now().await {
        Ok(Some(_)) => Redirect::to("/bundles").into_response(),
        Ok(None) => Redirect::to("/bundles?night=empty").into_response(),
        Err(error) => {
            tracing::error!(%error, "the night's bundle could not be made");
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            failure::failed_because(&visit, status, error.to_string())
        }
    }
}

const PAGE_ROWS: i64 = 50;
