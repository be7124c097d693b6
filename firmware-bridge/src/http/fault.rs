//! What was wrong with a request, as a problem document that names the field.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tidewaiter_program::problem::{Chain, Problem};
use tidewaiter_proto::body::BodyError;

use crate::recorder::RecordError;

/// The JSON body of a request.
pub(super) struct Told<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Told<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        match Json::from_request(request, state).await {
            Ok(Json(told)) => Ok(Self(told)),
            Err(rejection) => Err(problem(rejection)),
        }
    }
}

fn problem(rejection: JsonRejection) -> Problem {
    let JsonRejection::JsonDataError(error) = &rejection else { return rejection.into() };
    let text = error.body_text();
    // Before the path stands what axum says of every such body.
    let said = text.split_once("target type: ").map_or(text.as_str(), |(_, said)| said);
    let problem = Problem::unprocessable(said);
    match field(said) {
        Some(field) => problem.with("field", Value::from(field)),
        None => problem,
    }
}

/// The path of the field that serde found wrong: `items[0].amount: …` or ``missing field `x` ``.
fn field(said: &str) -> Option<String> {
    let is_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '[' | ']');
    let path = said.split_once(": ").map(|(path, _)| path).filter(|path| path.chars().all(is_path));
    let missing = said.split_once("missing field `").and_then(|(_, rest)| rest.split('`').next());
    match (path, missing) {
        (Some(path), Some(missing)) => Some(format!("{path}.{missing}")),
        (path, missing) => path.or(missing).map(str::to_owned),
    }
}

/// A field that holds what it must not.
pub(super) fn wrong(field: &str, why: impl Into<String>) -> Problem {
    Problem::unprocessable(why).with("field", Value::from(field))
}

impl From<RecordError> for Problem {
    fn from(error: RecordError) -> Self {
        if error.passes() {
            tracing::error!(error = %Chain(&error), "not recorded");
            return Self::not_now(error.to_string(), RETRY_SECONDS);
        }
        match &error {
            RecordError::Body(BodyError::OutOfRange { field, problem, .. }) => {
                wrong(field, format!("{field}: {problem}"))
            }
            _ => Self::unprocessable(error.to_string()),
        }
    }
}

/// There is no such inspection.
pub(super) fn no_inspection(name: &str) -> Problem {
    let shown: String = name.chars().take(80).collect();
    Problem::not_found(format!("there is no inspection {shown:?} at this station"))
}

const RETRY_SECONDS: u16 = 5;

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn the_field_is_found_in_what_serde_says() {
        for (said, found) in [
            ("items[0].amount: invalid type: integer `5`, expected a string", Some("items[0].amount")),
            ("missing field `reference` at line 1 column 2", Some("reference")),
            ("movement: missing field `from` at line 1", Some("movement.from")),
            ("expected value at line 1 column 1", None),
        ] {
            assert_eq!(field(said).as_deref(), found, "{said}");
        }
    }
}
