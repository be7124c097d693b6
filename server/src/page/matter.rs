//! What waits for a second person, and asking for one.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use tidewaiter_people::matter::Matter;
use tidewaiter_web::answer::page_with;
use tidewaiter_web::form::{Fields, Problems};
use tidewaiter_web::frame::Frame;
use tidewaiter_web::text::Text;
use tidewaiter_web::visit::Visit;

use super::failure;
use crate::http::matter::exported;
use crate::people::Actor;
use crate::state::{AnswerError, AppState, AskError, Asking, GLASS_ROLES, Matters};

#[derive(Template)]
#[template(path = "desk/matters.html")]
struct MattersPage {
    frame: Frame,
    matters: Matters,
    /// What this person may ask for.
    kinds: Vec<(&'static str, String)>,
    roles: Vec<(&'static str, String)>,
    fields: Fields,
    problems: Problems,
}

/// What is asked for here; the rest is asked for where it stands.
const ASKED_HERE: [Matter; 5] = [
    Matter::ReleaseDetained,
    Matter::OverrideList,
    Matter::ExportPersonal,
    Matter::Erase,
    Matter::BreakGlass,
];

fn kinds(text: Text, actor: &Actor) -> Vec<(&'static str, String)> {
    ASKED_HERE
        .into_iter()
        .filter(|matter| !actor.reach(matter.to_ask()).is_nothing() && actor.session.is_some())
        .map(|matter| (matter.name(), text.code("matter", matter.name()).into_owned()))
        .collect()
}

pub(super) async fn list(State(state): State<AppState>, actor: Actor, visit: Visit) -> Response {
    show(&state, &actor, &visit, Fields::default(), Problems::default()).await
}

async fn show(
    state: &AppState,
    actor: &Actor,
    visit: &Visit,
    fields: Fields,
    problems: Problems,
) -> Response {
    let matters = match state.matters(actor).await {
        Ok(matters) => matters,
        Err(error) => return failure::failed(visit, &error),
    };
    let text = visit.text;
    let role = |name: &'static str| (name, text.code("role-of", name).into_owned());
    let status =
        if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let template = MattersPage {
        frame: super::frame(visit, state.demonstration(), &text.say("people-matters"), "/matters"),
        matters,
        kinds: kinds(text, actor),
        roles: GLASS_ROLES.into_iter().map(|found| role(found.name())).collect(),
        fields,
        problems,
    };
    page_with(status, &template)
}

pub(super) async fn ask(
    State(state): State<AppState>,
    actor: Actor,
    visit: Visit,
    fields: Fields,
) -> Response {
    let mut problems = Problems::default();
    let Ok(matter) = fields.get("matter").parse::<Matter>() else {
        problems.add("matter", visit.text.say("people-matter-choose"));
        return show(&state, &actor, &visit, fields, problems).await;
    };
    let glass = matter == Matter::BreakGlass;
    let object = if glass { fields.get("role") } else { fields.get("object") };
    let asking = Asking {
        matter,
        object: object.to_owned(),
        site: fields.get("site").to_lowercase(),
        reason: fields.get("reason").to_owned(),
        minutes: fields.get("minutes").parse().ok(),
    };
    let field = match state.ask_second(&actor, asking).await {
        Ok(_) => return Redirect::to("/matters").into_response(),
        Err(AskError::Store(error)) => return failure::failed(&visit, &error),
        Err(error) => {
            let field = if glass { "minutes" } else { "object" };
            (field, error.to_string())
        }
    };
    problems.add(field.0, field.1);
    show(&state, &actor, &visit, fields, problems).await
}

pub(super) async fn answer(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    visit: Visit,
    fields: Fields,
) -> Response {
    let done = state.answer(&actor, &id, fields.get("answer") == "agree").await;
    back(&visit, done)
}

pub(super) async fn review(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    visit: Visit,
    fields: Fields,
) -> Response {
    let done = state.review_glass(&actor, &id, fields.get("verdict")).await;
    back(&visit, done)
}

fn back(visit: &Visit, done: Result<(), AnswerError>) -> Response {
    match done {
        Ok(()) => Redirect::to("/matters").into_response(),
        Err(error) => not_done(visit, &error),
    }
}

/// What the page says to somebody whose answer or export was not done.
fn not_done(visit: &Visit, error: &AnswerError) -> Response {
    match error {
        AnswerError::Store(error) => failure::failed(visit, error),
        error => failure::failed_because(visit, StatusCode::CONFLICT, error.to_string()),
    }
}

pub(super) async fn export(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
    visit: Visit,
) -> Response {
    match state.export(&actor, &id).await {
        Ok(bytes) => exported(bytes),
        Err(error) => not_done(&visit, &error),
    }
}
