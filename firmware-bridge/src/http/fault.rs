//! What was wrong with a request, as a problem document that names the field.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tidewaiter_program::problem::{Chain, Problem};
use tidewaiter_proto::body::{Body, BodyError};
use tidewaiter_web::visit::SignedIn;

use crate::recorder::RecordError;

/// The JSON body of a request, and the officer it names beside the body's own fields.
pub(super) struct Told<T> {
    pub(super) body: T,
    pub(super) officer: Option<String>,
    fields: Map<String, Value>,
}

impl<T> Told<T> {
    /// What was told as the JSON of a body of this type, every field kept but for the officer
    /// where that is none of the body's own.
    pub(super) fn as_body(&self, body: &Body) -> String {
        let own = body.to_value();
        let mut fields = self.fields.clone();
        if own.get("officer").is_none() {
            fields.remove("officer");
        }
        fields.insert("type".to_owned(), Value::from(body.type_name()));
        Value::Object(fields).to_string()
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    officer: Option<String>,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Told<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        if !is_json(request.headers()) {
            let why = "the body is application/json";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Problem::new(status, "the request is not valid", why));
        }
        // Who speaks is who is signed in, whatever a program writes.
        let signed_in = request.extensions().get::<SignedIn>().map(|person| person.id.clone());
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            Problem::new(rejection.status(), "the request is not valid", rejection.body_text())
        })?;
        let bytes = match signed_in {
            Some(officer) => {
                let Json(mut fields) =
                    Json::<Map<String, Value>>::from_bytes(&bytes).map_err(problem)?;
                fields.insert("officer".to_owned(), Value::from(officer));
                Bytes::from(Value::Object(fields).to_string())
            }
            None => bytes,
        };
        let Json(body) = Json::from_bytes(&bytes).map_err(problem)?;
        let Json(named) = Json::<Named>::from_bytes(&bytes).map_err(problem)?;
        let Json(fields) = Json::from_bytes(&bytes).map_err(problem)?;
        Ok(Self { body, officer: named.officer, fields })
    }
}

/// A page of another site cannot send this type without being asked first.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
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
            (
                "items[0].amount: invalid type: integer `5`, expected a string",
                Some("items[0].amount"),
            ),
            ("missing field `reference` at line 1 column 2", Some("reference")),
            ("movement: missing field `from` at line 1", Some("movement.from")),
            ("expected value at line 1 column 1", None),
        ] {
            assert_eq!(field(said).as_deref(), found, "{said}");
        }
    }
}
