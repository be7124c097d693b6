//! What a reader sees when a page is not there, or the store fails.

use axum::http::StatusCode;
use axum::response::Response;
use tidewaiter_web::failure;
use tidewaiter_web::visit::Visit;

use crate::store::StoreError;

/// There is nothing at this address.
pub(super) fn not_found(visit: &Visit) -> Response {
    failure::not_found(super::frame(visit, None, "", ""))
}

/// Something below failed. The cause goes to the log; the reader learns that nothing was lost.
pub(super) fn failed(visit: &Visit, error: &StoreError) -> Response {
    tracing::error!(%error, "a page could not be read from the store");
    failed_because(visit, StatusCode::INTERNAL_SERVER_ERROR, String::new())
}

/// Something did not work, for a cause that the reader should know.
pub(super) fn failed_because(visit: &Visit, status: StatusCode, cause: String) -> Response {
    failure::failed(super::frame(visit, None, "", ""), status, cause)
}
