//! What a reader sees when a page is not there, or something below it fails.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use crate::answer::page_with;
use crate::frame::Frame;

#[derive(Template)]
#[template(path = "failure.html")]
struct Failure {
    frame: Frame,
    text: String,
    cause: String,
}

/// There is nothing at this address.
pub fn not_found(mut frame: Frame) -> Response {
    let text = frame.text.say("not-found-text").into_owned();
    frame.title = frame.text.say("not-found-title").into_owned();
    page_with(StatusCode::NOT_FOUND, &Failure { frame, text, cause: String::new() })
}

/// Something did not work, for a cause that the reader should know; an empty one is for the log.
pub fn failed(mut frame: Frame, status: StatusCode, cause: String) -> Response {
    let text = frame.text.say("failed-text").into_owned();
    frame.title = frame.text.say("failed-title").into_owned();
    page_with(status, &Failure { frame, text, cause })
}
