//! Errors of the store as problem documents.

use axum::http::StatusCode;
use tidewaiter_program::problem::Chain;
pub use tidewaiter_program::problem::{Problem, nothing_here};

use crate::store::StoreError;

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        // What failed is for the log; who asks learns that it did.
        tracing::error!(error = %Chain(&error), "the store did not answer");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the store failed", "see the server's log")
    }
}
