//! The small forms of the desk: orders to a station, silences, views, merging, files.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use tidewaiter_web::form::Fields;
use tidewaiter_web::visit::{Visit, local_path};

use super::case::refused;
use super::failure;
use crate::people::Actor;
use crate::state::{AppState, DeskError, OrderAsk, Quieting};

fn back_to(id: &str) -> Response {
    Redirect::to(&format!("/alerts/{}", super::encode(id))).into_response()
}

fn answered(visit: &Visit, done: Result<(), DeskError>, back: Response) -> Response {
    match done {
        Ok(()) => back,
        Err(error) => refused(visit, &error),
    }
}

/// Who acts: signed in, or as typed in a demonstration that nobody locked.
fn officer(visit: &Visit, actor: &Actor, fields: &Fields) -> String {
    let typed = super::actor(visit, fields);
    if typed.is_empty() { actor.id().to_owned() } else { typed.to_owned() }
}

pub(super) async fn order(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    visit: Visit,
    fields: Fields,
) -> Response {
    let Ok(kind) = fields.get("kind").parse() else {
        let cause = visit.text.say("desk-unknown-action").into_owned();
        return failure::failed_because(&visit, StatusCode::BAD_REQUEST, cause);
    };
    let ask = OrderAsk { kind, text: fields.get("text").to_owned() };
    let officer = officer(&visit, &actor, &fields);
    let done = state.order(&actor, &officer, &id, ask).await.map(drop);
    answered(&visit, done, back_to(&id))
}

pub(super) async fn unmerge(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    visit: Visit,
    fields: Fields,
) -> Response {
    let officer = officer(&visit, &actor, &fields);
    answered(&visit, state.unmerge(&actor, &officer, &id).await, back_to(&id))
}

pub(super) async fn silence(
    State(state): State<AppState>,
    actor: Actor,
    visit: Visit,
    fields: Fields,
) -> Response {
    let ask = Quieting {
        like: fields.get("like").to_owned(),
        traveller: fields.has("traveller", "yes"),
        reason: fields.get("reason").to_owned(),
        hours: fields.get("hours").parse().unwrap_or(0),
    };
    let done = state.silence(&actor, ask).await.map(drop);
    answered(&visit, done, Redirect::to("/").into_response())
}

pub(super) async fn end_silence(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    visit: Visit,
) -> Response {
    let done = state.end_silence(&actor, &id).await;
    answered(&visit, done, Redirect::to("/").into_response())
}

pub(super) async fn save_view(
    State(state): State<AppState>,
    actor: Actor,
    visit: Visit,
    fields: Fields,
) -> Response {
    let (name, query) = (fields.get("name"), fields.get("query"));
    let done = state.save_view(&actor, name, query, fields.has("shared", "yes")).await.map(drop);
    let back = Redirect::to(local_path(fields.get("back"))).into_response();
    answered(&visit, done, back)
}

pub(super) async fn drop_view(
    State(state): State<AppState>,
    actor: Actor,
    visit: Visit,
    fields: Fields,
) -> Response {
    let done = state.drop_view(&actor, fields.get("name")).await;
    let back = Redirect::to(local_path(fields.get("back"))).into_response();
    answered(&visit, done, back)
}

/// Takes a file of a form without JavaScript.
pub(super) async fn attach(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    visit: Visit,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let Some((name, content)) = kind.and_then(boundary).and_then(|b| first_file(&body, b)) else {
        return refused(&visit, &DeskError::NotValid("no file was picked"));
    };
    let done = state.attach(&actor, &id, &name, content.to_vec()).await.map(drop);
    answered(&visit, done, back_to(&id))
}

fn boundary(content_type: &str) -> Option<&str> {
    let (_, rest) = content_type.split_once("boundary=")?;
    let boundary = rest.split(';').next()?.trim().trim_matches('"');
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

/// The first part of a `multipart/form-data` body (RFC 7578) that has a file's name, and its bytes.
fn first_file<'b>(body: &'b [u8], boundary: &str) -> Option<(String, &'b [u8])> {
    let mark = format!("--{boundary}");
    let mut rest = body.get(find(body, mark.as_bytes())?.checked_add(mark.len())?..)?;
    let end_mark = format!("\r\n--{boundary}");
    for _ in 0..PARTS_MAX {
        let head_end = find(rest, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(rest.get(..head_end)?);
        let content = rest.get(head_end + 4..)?;
        let length = find(content, end_mark.as_bytes())?;
        let name = head.split("filename=\"").nth(1).and_then(|name| name.split('"').next());
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            return Some((name.to_owned(), content.get(..length)?));
        }
        rest = content.get(length + end_mark.len()..)?;
    }
    None
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

const PARTS_MAX: usize = 10;

#[cfg(test)]
mod tests {
    use super::{boundary, first_file};

    #[test]
    fn the_file_of_a_form_is_found_whatever_stands_before_it() {
        let kind = "multipart/form-data; boundary=----x1";
        let body =
            b"------x1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n------x1\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"q.png\"\r\n\
            Content-Type: image/png\r\n\r\n\x89PNG\r\n--x\r\n------x1--\r\n";
        let (name, content) = first_file(body, boundary(kind).unwrap()).unwrap();
        assert_eq!((name.as_str(), content), ("q.png", &b"\x89PNG\r\n--x"[..]));
    }

    #[test]
    fn a_form_that_is_cut_off_or_has_no_file_has_none() {
        for body in [&b""[..], b"--x", b"--x\r\n\r\n", b"--x\r\nfilename=\"a\"\r\n\r\nrest"] {
            assert_eq!(first_file(body, "x"), None);
        }
        assert_eq!(boundary("multipart/form-data"), None);
    }
}
