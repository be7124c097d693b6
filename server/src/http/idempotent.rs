//! Requests that may be said twice and are done once: the answer to an `Idempotency-Key` is kept
//! for a day and given again. The same key with another request is refused.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::problem::Problem;
use crate::state::AppState;
use crate::store::Answered;

/// Keys whose requests are being worked on, in this process.
#[derive(Clone, Debug, Default)]
pub(super) struct UnderWay(Arc<Mutex<HashSet<String>>>);

struct Held {
    under_way: UnderWay,
    key: String,
}

impl UnderWay {
    fn hold(&self, key: &str) -> Option<Held> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let free = keys.insert(key.to_owned());
        free.then(|| Held { under_way: self.clone(), key: key.to_owned() })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut keys = self.under_way.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.remove(&self.key);
    }
}

/// Answers a request with a key once.
pub(super) async fn once(
    State((state, under_way)): State<(AppState, UnderWay)>,
    request: Request,
    next: Next,
) -> Response {
    let Some(key) = key_of(&request) else { return next.run(request).await };
    let Some(_held) = under_way.hold(&key) else {
        let why = "a request with this key is being worked on";
        return Problem::new(StatusCode::CONFLICT, "not done twice", why).into_response();
    };
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        let why = "the body is larger than a request with a key may be";
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too large", why).into_response();
    };
    let digest = digest(&parts.method, parts.uri.path(), &body);
    let now = state.people().now();
    match state.store().answered(&key, now).await {
        Ok(Some(before)) if before.request != digest => {
            let why = "this key was used for another request";
            return Problem::unprocessable(why).into_response();
        }
        Ok(Some(before)) => return replay(&before),
        Ok(None) => {}
        Err(error) => return Problem::from(error).into_response(),
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    keep(&state, key, digest, response).await
}

/// Keeps an answer that stands; one of the server's failures may be asked for again.
async fn keep(state: &AppState, key: String, request: [u8; 32], response: Response) -> Response {
    let is_json = |headers: &HeaderMap| {
        headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_none_or(|kind| kind.contains("json"))
    };
    let status = response.status();
    let undecided = status == StatusCode::UNAUTHORIZED || status == StatusCode::TOO_MANY_REQUESTS;
    if status.is_server_error() || undecided || !is_json(response.headers()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, KEPT_BYTES_MAX).await else {
        let why = "the answer cannot be read back";
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        return Problem::new(status, "the answer cannot be kept", why).into_response();
    };
    let text = String::from_utf8_lossy(&body).into_owned();
    let answered = Answered { request, status: status.as_u16(), body: text };
    if let Err(error) = state.store().keep_answer(key, answered, state.people().now()).await {
        return Problem::from(error).into_response();
    }
    Response::from_parts(parts, Body::from(body))
}

fn replay(before: &Answered) -> Response {
    let status = StatusCode::from_u16(before.status).unwrap_or(StatusCode::OK);
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    let mut response = (status, before.body.clone()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert("idempotent-replay", HeaderValue::from_static("true"));
    response
}

/// The key of a request that does something, bound to who asks; what is no key is none.
fn key_of(request: &Request) -> Option<String> {
    let key = request.headers().get("idempotency-key")?.to_str().ok()?;
    let good = (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if request.method() != Method::POST || !good {
        return None;
    }
    let mut hasher = Sha256::new();
    // Who asks, as the guard will read it: a key is nobody else's.
    for name in [header::AUTHORIZATION, header::COOKIE] {
        hasher.update(request.headers().get(name).map_or(&b""[..], HeaderValue::as_bytes));
        hasher.update([0]);
    }
    hasher.update(key);
    Some(hex::encode(hasher.finalize()))
}

fn digest(method: &Method, path: &str, body: &Bytes) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in [method.as_str().as_bytes(), path.as_bytes()] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.update(body);
    hasher.finalize().into()
}

const BODY_BYTES_MAX: usize = 256 * 1024;
const KEPT_BYTES_MAX: usize = 4 * 1024 * 1024;
