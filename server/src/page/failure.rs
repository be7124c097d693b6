//! What a reader sees when a page is not there, or the store fails.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use tidewaiter_web::answer::page_with;
use tidewaiter_web::frame::Frame;
use tidewaiter_web::visit::Visit;

use crate::store::StoreError;

#[derive(Template)]
#[template(path = "failure.html")]
struct Failure {
    frame: Frame,
    heading: String,
    text: String,
    cause: String,
}

/// There is nothing at this address.
pub(super) fn not_found(visit: &Visit) -> Response {
    let text = visit.text;
    let heading = text.say("not-found-title").into_owned();
    page_with(
        StatusCode::NOT_FOUND,
        &Failure {
            frame: super::frame(visit, None, &heading, ""),
            heading,
            text: text.say("not-found-text").into_owned(),
            cause: String::new(),
        },
    )
}

/// Something below failed. The cause goes to the log; the reader learns that nothing was lost.
pub(super) fn failed(visit: &Visit, error: &StoreError) -> Response {
    tracing::error!(%error, "a page could not be read from the store");
    failed_because(visit, StatusCode::INTERNAL_SERVER_ERROR, String::new())
}

/// Something did not work, for a cause that the reader should know.
pub(super) fn failed_because(visit: &Visit, status: StatusCode, cause: String) -> Response {
    let text = visit.text;
    let heading = text.say("failed-title").into_owned();
    page_with(
        status,
        &Failure {
            frame: super::frame(visit, None, &heading, ""),
            heading,
            text: text.say("failed-text").into_owned(),
            cause,
        },
    )
}
