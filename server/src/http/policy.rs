//! The policy in force, its rules and what is proposed in its place.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::problem::Problem;
use crate::people::Actor;
use crate::state::{AppState, PolicyView, Proposal, ProposeError, Proposed, RuleView};

pub(super) async fn show(
    State(state): State<AppState>,
    actor: Actor,
) -> Result<Json<Value>, Problem> {
    let view = state.policy(&actor).await?;
    let PolicyView { versions, rules, proposals, activations, .. } = view;
    Ok(Json(json!({
        "versions": versions,
        "rules": rules.iter().map(rule).collect::<Vec<_>>(),
        "proposals": proposals.iter().map(proposal).collect::<Vec<_>>(),
        "activations": activations,
    })))
}

fn rule(view: &RuleView) -> Value {
    let rule = &view.rule;
    json!({
        "id": rule.id, "version": rule.version, "title": rule.title, "status": rule.status,
        "code": rule.code, "severity": rule.severity, "owner": rule.owner,
        "legal_basis": rule.legal_basis, "valid_from": rule.valid_from, "valid_to": rule.valid_to,
        "file": rule.place.file, "line": rule.place.line, "shadow": view.shadow,
    })
}

fn proposal(proposal: &Proposal) -> Value {
    let row = &proposal.row;
    json!({
        "id": row.id, "version": row.object, "reason": row.reason, "asked_by": row.asked_by,
        "asked_at": row.asked_at, "may_answer": proposal.may_answer, "changes": proposal.changes,
    })
}

/// Proposes another policy. It comes into force when a second person agrees to the matter.
pub(super) async fn propose(
    State(state): State<AppState>,
    actor: Actor,
    proposed: Result<Json<Proposed>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Json(proposed) = proposed?;
    let (version, matter) = state.propose(&actor, proposed).await?;
    Ok((StatusCode::CREATED, Json(json!({"version": version, "matter": matter}))))
}

impl From<ProposeError> for Problem {
    fn from(error: ProposeError) -> Self {
        let text = match &error {
            // All of them, one a line, as the command `policy lint` says them.
            ProposeError::Faults(faults) => {
                faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
            }
            other => other.to_string(),
        };
        match error {
            ProposeError::Store(error) => error.into(),
            ProposeError::Ask(error) => error.into(),
            ProposeError::InForce(_) => Self::new(StatusCode::CONFLICT, "not now", text),
            ProposeError::NotOne
            | ProposeError::Status(_)
            | ProposeError::Rule(_)
            | ProposeError::Faults(_) => Self::unprocessable(text),
        }
    }
}
