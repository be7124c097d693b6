//! The policy in force: its rules, what those in shadow would have raised, and what is proposed.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use tidewaiter_risk::rule::Status;
use tidewaiter_web::answer::page_with;
use tidewaiter_web::form::{Fields, Problems};
use tidewaiter_web::frame::Frame;
use tidewaiter_web::visit::Visit;

use super::failure;
use crate::people::Actor;
use crate::state::{AppState, PolicyView, ProposeError, Proposed, RuleChange};

#[derive(Template)]
#[template(path = "desk/policies.html")]
struct PoliciesPage {
    frame: Frame,
    view: PolicyView,
    /// Statuses by name, to choose from.
    statuses: Vec<(&'static str, String)>,
    /// Rules as `ID VERSION`, to choose from.
    rules: Vec<(String, String)>,
    fields: Fields,
    problems: Problems,
}

impl PoliciesPage {
    fn change(&self, change: &RuleChange) -> String {
        let name = |status: Option<Status>| match status {
            Some(status) => self.frame.text.code("rule-status", status.name()).into_owned(),
            None => self.frame.text.say("none").into_owned(),
        };
        format!("{} → {}", name(change.before), name(change.after))
    }
}

pub(super) async fn show(State(state): State<AppState>, actor: Actor, visit: Visit) -> Response {
    answer(&state, &actor, &visit, Fields::default(), Problems::default()).await
}

async fn answer(
    state: &AppState,
    actor: &Actor,
    visit: &Visit,
    fields: Fields,
    problems: Problems,
) -> Response {
    let view = match state.policy(actor).await {
        Ok(view) => view,
        Err(error) => return failure::failed(visit, &error),
    };
    let text = visit.text;
    let status =
        if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let name = |status: Status| (status.name(), text.code("rule-status", status.name()).into());
    let rules = view.rules.iter().map(|view| {
        let rule = &view.rule;
        (format!("{} {}", rule.id, rule.version), rule.title.clone())
    });
    let template = PoliciesPage {
        frame: super::frame(visit, state.demonstration(), &text.say("policy-rules"), "/policies"),
        statuses: Status::ALL.into_iter().map(name).collect(),
        rules: rules.collect(),
        view,
        fields,
        problems,
    };
    page_with(status, &template)
}

/// Proposes another status for a rule.
pub(super) async fn propose(
    State(state): State<AppState>,
    actor: Actor,
    visit: Visit,
    fields: Fields,
) -> Response {
    let (rule, version) = fields.get("rule").split_once(' ').unwrap_or_default();
    let proposed = Proposed {
        rule: rule.to_owned(),
        version: version.to_owned(),
        status: fields.get("status").to_owned(),
        reason: fields.get("reason").to_owned(),
        ..Proposed::default()
    };
    match state.propose(&actor, proposed).await {
        Ok(_) => Redirect::to("/policies").into_response(),
        Err(ProposeError::Store(error)) => failure::failed(&visit, &error),
        Err(error) => {
            let field = match &error {
                ProposeError::Ask(_) => "reason",
                ProposeError::Status(_) => "status",
                _ => "rule",
            };
            let mut problems = Problems::default();
            problems.add(field, error.to_string());
            answer(&state, &actor, &visit, fields, problems).await
        }
    }
}
