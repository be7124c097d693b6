//! Sign-in for programs, accounts, what takes two persons, and the audit.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use tidewaiter_people::account::AccountId;
use tidewaiter_web::visit::Visit;

use super::alert::limit_of;
use super::problem::Problem;
use crate::people::reception::Reception;
use crate::people::{AccountChange, Actor, NewAccount, PeopleError, Shown, SignInError};
use crate::store::{AccountError, AccountRow};
use tidewaiter_web::entry;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    account: String,
    password: String,
    #[serde(default)]
    code: String,
}

/// Signs a program in; it carries the token as `Authorization: Bearer TOKEN`.
pub(super) async fn sign_in(
    State(state): State<Reception>,
    headers: HeaderMap,
    visit: Visit,
    credentials: Result<Json<Credentials>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(Credentials { account, password, code }) = credentials?;
    let shown = Shown { account, password, code, ..shown_by(&headers, &visit) };
    let token = state.people().sign_in(shown, None).await.map_err(|error| match error {
        SignInError::Wrong | SignInError::CodeNeeded => {
            Problem::new(StatusCode::UNAUTHORIZED, "not signed in", error.to_string())
        }
        SignInError::Wait(seconds) => {
            let seconds = u16::try_from(seconds).unwrap_or(u16::MAX);
            Problem::not_now(error.to_string(), seconds)
        }
        SignInError::Failed(error) => error.into(),
    })?;
    Ok(Json(json!({"token": token.as_str()})))
}

/// Who is signed in.
pub(super) async fn who(actor: Actor) -> Json<Value> {
    Json(json!({"account": actor.account, "must_change_password": actor.must_change}))
}

pub(super) async fn sign_out(
    State(state): State<Reception>,
    actor: Actor,
) -> Result<StatusCode, Problem> {
    state.people().sign_out(&actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ListQuery {
    cursor: String,
    limit: Option<i64>,
}

pub(super) async fn list(
    State(state): State<Reception>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query?;
    let limit = limit_of(query.limit)?;
    let rows = state.store().accounts(&query.cursor, limit).await?;
    let full = i64::try_from(rows.len()).is_ok_and(|number| number == limit);
    let next = rows.last().filter(|_| full).map(|row| row.account.id.clone());
    let items: Vec<Value> = rows.iter().map(account).collect();
    Ok(Json(json!({"items": items, "next": next})))
}

fn account(row: &AccountRow) -> Value {
    json!({
        "id": row.account.id, "name": row.account.name, "grants": row.account.grants,
        "second_factor": row.factor.is_some(), "must_change_password": row.must_change,
        "ended_at": row.ended_at, "version": row.version,
    })
}

pub(super) async fn make(
    State(state): State<Reception>,
    actor: Actor,
    new: Result<Json<NewAccount>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Json(new) = new?;
    let id = new.id.clone();
    let first = state.people().make(&actor, new).await?;
    Ok((StatusCode::CREATED, Json(json!({"id": id, "first_password": first.as_str()}))))
}

pub(super) async fn alter(
    State(state): State<Reception>,
    actor: Actor,
    Path(id): Path<String>,
    change: Result<Json<AccountChange>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(change) = change?;
    let id: AccountId = id.parse().map_err(PeopleError::from)?;
    let first = state.people().alter(&actor, &id, change).await?;
    let first = first.map(|code| code.as_str().to_owned());
    Ok(Json(json!({"id": id, "first_password": first})))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AuditQuery {
    actor: String,
    object: String,
    cursor: Option<i64>,
    limit: Option<i64>,
}

/// The audit, latest first.
pub(super) async fn audit(
    State(state): State<Reception>,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query?;
    let limit = limit_of(query.limit)?;
    let before = query.cursor.unwrap_or(i64::MAX);
    let items = state.store().audit(&query.actor, &query.object, before, limit).await?;
    let full = i64::try_from(items.len()).is_ok_and(|number| number == limit);
    let next = items.last().filter(|_| full).map(|entry| entry.number);
    Ok(Json(json!({"items": items, "next": next})))
}

/// Whether the chain of the audit holds.
pub(super) async fn check_audit(State(state): State<Reception>) -> Result<Json<Value>, Problem> {
    Ok(Json(match state.store().verify_audit().await? {
        Ok((entries, link)) => {
            json!({"whole": true, "entries": entries, "last": hex::encode(link)})
        }
        Err(broken) => json!({"whole": false, "problem": broken.to_string()}),
    }))
}

/// From where and with what somebody signs in, as far as the request says.
pub(crate) fn shown_by(headers: &HeaderMap, visit: &Visit) -> Shown {
    let text = |name: header::HeaderName| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let address = visit.address.clone();
    Shown { agent: text(header::USER_AGENT), address, ..Shown::default() }
}

/// The digest of the session that a browser already has.
pub(crate) fn session_before(
    headers: &HeaderMap,
) -> Option<tidewaiter_people::session::TokenDigest> {
    entry::token(headers).map(|token| tidewaiter_people::session::Token::digest_of(&token))
}

impl From<PeopleError> for Problem {
    fn from(error: PeopleError) -> Self {
        let text = error.to_string();
        match error {
            PeopleError::Store(error) | PeopleError::Account(AccountError::Store(error)) => {
                error.into()
            }
            PeopleError::Account(AccountError::Unknown(_)) => Self::not_found(text),
            PeopleError::Account(_) => Self::new(StatusCode::CONFLICT, "not now", text),
            PeopleError::NotTheCode => Self::new(StatusCode::FORBIDDEN, "not the code", text),
            PeopleError::Password(_)
            | PeopleError::Pin(_)
            | PeopleError::Id(_)
            | PeopleError::NotValid(_) => Self::unprocessable(text),
            PeopleError::Hash(_) | PeopleError::NoRandomness | PeopleError::Died => {
                tracing::error!(error = text, "a password could not be worked on");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", "see the server's log")
            }
        }
    }
}
