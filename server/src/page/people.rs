//! The people of a server, for its administrator: accounts made, altered and ended.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use tidewaiter_people::account::{Account, AccountId, Scope};
use tidewaiter_people::role::Role;
use tidewaiter_web::answer::page_with;
use tidewaiter_web::form::{Fields, Problems};
use tidewaiter_web::frame::Frame;
use tidewaiter_web::text::Text;
use tidewaiter_web::visit::Visit;

use super::failure;
use crate::people::reception::Reception;
use crate::people::{AccountChange, Actor, NewAccount, PeopleError};

use crate::store::AccountRow;

#[derive(Template)]
#[template(path = "desk/people.html")]
struct PeoplePage {
    frame: Frame,
    rows: Vec<Row>,
    roles: Vec<(&'static str, String)>,
    fields: Fields,
    problems: Problems,
    /// Id and first password of the account that was just made.
    made: Option<(String, String)>,
}

struct Row {
    id: String,
    name: String,
    roles: Vec<(String, String)>,
    factor: bool,
    ended: bool,
}

#[derive(Template)]
#[template(path = "desk/person.html")]
struct PersonPage {
    frame: Frame,
    row: AccountRow,
    given: Vec<(String, String)>,
    roles: Vec<(&'static str, String)>,
    fields: Fields,
    problems: Problems,
    first: Option<String>,
}

/// Site and role names of an account, in words.
pub(super) fn roles(text: Text, account: &Account) -> Vec<(String, String)> {
    account
        .grants
        .iter()
        .map(|(scope, roles)| {
            let site = match scope {
                Scope::Everywhere => text.say("people-everywhere").into_owned(),
                Scope::Site(site) => site.clone(),
            };
            let names: Vec<_> =
                roles.iter().map(|role| text.code("role-of", role.name())).collect();
            (site, names.join(", "))
        })
        .collect()
}

fn choices(text: Text) -> Vec<(&'static str, String)> {
    let name = |role: Role| (role.name(), text.code("role-of", role.name()).into_owned());
    Role::ALL.into_iter().map(name).collect()
}

/// Sites and roles as typed: the roles ticked, at each of the sites named.
fn grants(fields: &Fields) -> BTreeMap<Scope, BTreeSet<Role>> {
    let roles: BTreeSet<Role> =
        fields.all("role").into_iter().filter_map(|name| name.parse().ok()).collect();
    let named = fields.get("sites");
    let sites = named.split([',', ' ']).filter(|site| !site.is_empty());
    sites.map(|site| (Scope::from(site.to_lowercase()), roles.clone())).collect()
}

pub(super) async fn list(State(state): State<Reception>, visit: Visit) -> Response {
    answer(&state, &visit, Fields::default(), Problems::default(), None).await
}

async fn answer(
    state: &Reception,
    visit: &Visit,
    fields: Fields,
    problems: Problems,
    made: Option<(String, String)>,
) -> Response {
    let text = visit.text;
    let rows = match state.store().accounts("", 500).await {
        Ok(rows) => rows,
        Err(error) => return failure::failed(visit, &error),
    };
    let status =
        if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let template = PeoplePage {
        frame: state.frame(visit, text.say("people-people"), "/people"),
        rows: rows
            .into_iter()
            .map(|row| Row {
                id: row.account.id.to_string(),
                roles: roles(text, &row.account),
                name: row.account.name,
                factor: row.factor.is_some(),
                ended: row.ended_at.is_some(),
            })
            .collect(),
        roles: choices(text),
        fields,
        problems,
        made,
    };
    page_with(status, &template)
}

pub(super) async fn make(
    State(state): State<Reception>,
    actor: Actor,
    visit: Visit,
    fields: Fields,
) -> Response {
    let new = NewAccount {
        id: fields.get("account").to_owned(),
        name: fields.get("name").to_owned(),
        grants: grants(&fields),
    };
    let id = new.id.clone();
    let mut problems = Problems::default();
    match state.people().make(&actor, new).await {
        Ok(first) => {
            let made = Some((id, first.as_str().to_owned()));
            answer(&state, &visit, Fields::default(), problems, made).await
        }
        Err(PeopleError::Store(error)) => failure::failed(&visit, &error),
        Err(error) => {
            problems.add("account", error.to_string());
            answer(&state, &visit, fields, problems, None).await
        }
    }
}

pub(super) async fn show(
    State(state): State<Reception>,
    Path(id): Path<String>,
    visit: Visit,
) -> Response {
    person(&state, &visit, &id, Problems::default(), None).await
}

async fn person(
    state: &Reception,
    visit: &Visit,
    id: &str,
    problems: Problems,
    first: Option<String>,
) -> Response {
    let Ok(id) = id.parse::<AccountId>() else { return failure::not_found(visit) };
    let row = match state.store().account(&id).await {
        Ok(Some(row)) => row,
        Ok(None) => return failure::not_found(visit),
        Err(error) => return failure::failed(visit, &error),
    };
    let text = visit.text;
    let mut fields = Fields::default();
    fields.set("name", row.account.name.clone());
    let sites: Vec<String> = row.account.grants.keys().cloned().map(String::from).collect();
    fields.set("sites", sites.join(", "));
    let mut pairs = fields.pairs().to_vec();
    let held: BTreeSet<Role> = row.account.grants.values().flatten().copied().collect();
    pairs.extend(held.into_iter().map(|role| ("role".to_owned(), role.name().to_owned())));
    let status =
        if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let template = PersonPage {
        frame: state.frame(visit, row.account.name.clone(), "/people"),
        given: roles(text, &row.account),
        roles: choices(text),
        fields: Fields::from_pairs(pairs),
        row,
        problems,
        first,
    };
    page_with(status, &template)
}

pub(super) async fn alter(
    State(state): State<Reception>,
    actor: Actor,
    Path(id): Path<String>,
    visit: Visit,
    fields: Fields,
) -> Response {
    let Ok(account) = id.parse::<AccountId>() else { return failure::not_found(&visit) };
    let alters = fields.get("do") == "alter";
    let change = AccountChange {
        version: fields.get("version").parse().unwrap_or(0),
        name: alters.then(|| fields.get("name").to_owned()),
        grants: alters.then(|| grants(&fields)),
        end: fields.get("do") == "end",
        reset_factor: fields.get("do") == "reset-factor",
        reset_password: fields.get("do") == "reset-password",
        reason: fields.get("reason").to_owned(),
    };
    let mut problems = Problems::default();
    match state.people().alter(&actor, &account, change).await {
        Ok(None) => Redirect::to(&format!("/people/{id}")).into_response(),
        Ok(Some(first)) => {
            person(&state, &visit, &id, problems, Some(first.as_str().to_owned())).await
        }
        Err(PeopleError::Store(error)) => failure::failed(&visit, &error),
        Err(error) => {
            problems.add("reason", error.to_string());
            person(&state, &visit, &id, problems, None).await
        }
    }
}
