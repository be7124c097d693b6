//! Who may do what, over a real store: every route for every role at two sites; sign-in, lock-out,
//! second factor, second persons, and an audit that tells of all of it.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tidewaiter_people::account::{Account, Scope};
use tidewaiter_people::lockout::Failures;
use tidewaiter_people::role::{Permission, Role};
use tidewaiter_people::session::Token;
use tidewaiter_people::totp::SecondFactor;
use tidewaiter_proto::alert::{AlertCode, Severity};
use tidewaiter_web::entry::FORM_TOKEN;

use super::Desk;
use crate::clock::Clock;
use crate::http::guard::{Need, SESSION_COOKIE};
use crate::page::headquarters::HeadquartersView;
use crate::people::{Actor, NewAccount, SignIn};
use crate::store::tests::{alert, now};

const PASSWORD: &str = "grey heron at low tide";

impl Desk {
    pub(super) async fn locked() -> Self {
        Self::with(Clock::demonstration(now()), SignIn::Required).await
    }

    /// Makes an account with a password of its own, past the one it was given.
    pub(super) async fn person(&self, id: &str, grants: &[(&str, Role)]) -> String {
        let mut of: BTreeMap<Scope, BTreeSet<Role>> = BTreeMap::new();
        for (site, role) in grants {
            of.entry(Scope::from((*site).to_owned())).or_default().insert(*role);
        }
        let new = NewAccount { id: id.to_owned(), name: format!("Person {id}"), grants: of };
        let first = self.people.make(&administrator(), new).await.unwrap();
        let token = self.token(id, first.as_str(), "").await.unwrap();
        let actor = self.people.actor(Some(&token)).await.unwrap().unwrap();
        let old = first.as_str().to_owned();
        self.people.change_password(&actor, old, PASSWORD.to_owned()).await.unwrap();
        self.token(id, PASSWORD, "").await.unwrap()
    }

    pub(super) async fn token(
        &self,
        id: &str,
        password: &str,
        code: &str,
    ) -> Result<String, StatusCode> {
        let body = json!({"account": id, "password": password, "code": code});
        let (status, answer) = self.post("/api/v1/session", &body).await;
        let token = answer["token"].as_str().map(str::to_owned);
        token.ok_or(status)
    }

    pub(super) async fn asked(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> (StatusCode, String) {
        let mut request = Request::builder().method(method.clone()).uri(path);
        let mut body = body.to_string();
        if method == Method::POST && !path.starts_with("/api/") {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            body = token.map(form_token).unwrap_or_default();
        } else {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(token) = token {
            request = request.header(header::COOKIE, format!("{SESSION_COOKIE}={token}"));
        }
        let request = request.body(Body::from(body)).unwrap();
        // A stream that is let in does not end: its head is the answer.
        let response = tower::ServiceExt::oneshot(self.router.clone(), request).await.unwrap();
        let status = response.status();
        let to = response.headers().get(header::LOCATION);
        (status, to.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default())
    }

    pub(super) async fn audited(&self, action: &str) -> Vec<tidewaiter_people::audit::Entry> {
        let mut entries = self.store.audit("", "", i64::MAX, 500).await.unwrap();
        entries.retain(|entry| entry.action == action);
        entries
    }
}

/// The field that a page of this session would carry.
fn form_token(token: &str) -> String {
    format!("{FORM_TOKEN}={}", Token::form_token(&Token::digest_of(token)))
}

fn administrator() -> Actor {
    Actor {
        account: Account {
            id: "root-1".parse().unwrap(),
            name: "First Administrator".to_owned(),
            grants: [(Scope::Everywhere, [Role::Administrator].into())].into(),
        },
        session: None,
        must_change: false,
    }
}

/// A path with something in the place of each `{…}`.
fn filled(path: &str) -> String {
    path.split('/')
        .map(|piece| if piece.starts_with('{') { "none" } else { piece })
        .collect::<Vec<_>>()
        .join("/")
}

/// Asks every route as nobody and as every role; gives how many were refused.
async fn ask_every_route(desk: &Desk) -> usize {
    let mut tokens = Vec::new();
    for role in Role::ALL {
        let id = format!("p-{}", role.name().replace('_', "."));
        tokens.push((role, desk.person(&id, &[("ruvvo", role)]).await));
    }
    let mut refusals = 0;
    for stated in &desk.table {
        let path = filled(stated.path);
        let interface = path.starts_with("/api/");
        let body = json!({});
        let (nobody, to) = desk.asked(stated.method.clone(), &path, None, &body).await;
        match stated.need {
            // Set up already, the first start leads on to sign-in.
            Need::Nothing => assert!(path == "/setup" || to != "/sign-in", "{path}"),
            _ if interface => assert_eq!(nobody, StatusCode::UNAUTHORIZED, "{path}"),
            _ => {
                assert_eq!(nobody, StatusCode::SEE_OTHER, "{path}");
                assert!(to.starts_with("/sign-in"), "{path}: {to}");
            }
        }
        for (role, token) in &tokens {
            // Signing out would end the session that the next route needs.
            if path.ends_with("/sign-out") || path.ends_with("/session/end") {
                continue;
            }
            let (status, to) = desk.asked(stated.method.clone(), &path, Some(token), &body).await;
            let may = match stated.need {
                Need::Right(permission) => role.may(permission),
                _ => true,
            };
            let refused = match stated.path {
                "/" => status == StatusCode::SEE_OTHER && to != "/",
                _ => status == StatusCode::FORBIDDEN,
            };
            // The code of the first start is its own right.
            if stated.path != "/setup" {
                assert_eq!(refused, !may, "{role} {} {path}: {status}", stated.method);
            }
            assert!(
                stated.need == Need::Nothing || status != StatusCode::UNAUTHORIZED,
                "{role} {path}"
            );
            refusals += usize::from(refused);
        }
    }
    refusals
}

#[tokio::test]
async fn every_route_is_refused_to_every_role_that_has_no_right_to_it() {
    let desk = Desk::locked().await;
    assert!(desk.table.len() > 45, "{} routes", desk.table.len());
    let refusals = ask_every_route(&desk).await;
    let noted = desk.audited("refused").await.len();
    assert!(noted >= 200 && noted <= refusals, "{noted} of {refusals} refusals in the audit");
}

#[tokio::test]
async fn every_route_of_headquarters_too() {
    let mut desk = Desk::locked().await;
    let view = HeadquartersView {
        store: desk.store.clone(),
        clock: Clock::demonstration(now()),
        name: "headquarters".to_owned(),
        people: desk.people.clone(),
    };
    // Passwords are changed at the desk's own pages, by the same people.
    let (router, table) = crate::http::headquarters::stated(view);
    desk.router = tidewaiter_web::guard::protect(router);
    desk.table = table;
    assert!(desk.table.len() > 25, "{} routes", desk.table.len());
    let refusals = ask_every_route(&desk).await;
    assert!(refusals > 50, "{refusals}");
}

#[tokio::test]
async fn no_site_is_seen_from_another() {
    let desk = Desk::locked().await;
    desk.raise(alert(Severity::High)).await;
    let id = alert(Severity::High).id;
    let here = desk.person("here", &[("ruvvo", Role::Supervisor)]).await;
    let away = desk.person("away", &[("jpnrt", Role::Supervisor)]).await;
    let both = desk.person("both", &[("*", Role::Auditor), ("jpnrt", Role::Supervisor)]).await;
    let seen = async |token: &str, path: &str| {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        let (status, _, body) = desk.ask(request.body(Body::empty()).unwrap()).await;
        (status, body)
    };
    let (_, list) = seen(&here, "/api/v1/alerts").await;
    assert!(list.contains(&id));
    let (_, list) = seen(&away, "/api/v1/alerts").await;
    assert!(!list.contains(&id), "{list}");
    assert!(list.contains(r#""new":0"#), "not even counted: {list}");
    let one = format!("/api/v1/alerts/{id}");
    assert_eq!(seen(&here, &one).await.0, StatusCode::OK);
    assert_eq!(seen(&away, &one).await.0, StatusCode::NOT_FOUND);
    assert_eq!(seen(&both, &one).await.0, StatusCode::OK);
    let act = json!({"action": "claim", "officer": "x", "version": 1});
    for (token, status) in
        [(&away, StatusCode::NOT_FOUND), (&both, StatusCode::NOT_FOUND), (&here, StatusCode::OK)]
    {
        let path = format!("{one}/actions");
        assert_eq!(desk.asked(Method::POST, &path, Some(token), &act).await.0, status);
    }
    let row = desk.store.alert(&id).await.unwrap().unwrap();
    assert_eq!(row.assignee.as_deref(), Some("here"), "who acts is who is signed in");
    let read = desk.audited("alert_read").await;
    let readers: Vec<&str> = read.iter().map(|entry| entry.actor.as_str()).collect();
    assert_eq!(readers, ["both", "here"], "reading is in the audit, latest first");
}

#[tokio::test]
async fn the_first_start_takes_the_code_that_was_shown_and_once() {
    let desk = Desk::locked().await;
    let code = desk.people.first_start().await.unwrap().unwrap();
    let (status, to) = desk.asked(Method::GET, "/alerts/x", None, &json!({})).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/setup?back=%2Falerts%2Fx"));
    let people = &desk.people;
    let wrong = people.set_up("AAAAA-AAAAA", "root-1", "Root", PASSWORD.to_owned()).await;
    assert!(wrong.is_err());
    let weak = people.set_up(code.as_str(), "root-1", "Root", "password1234".to_owned()).await;
    assert!(weak.is_err());
    people.set_up(code.as_str(), "root-1", "Root", PASSWORD.to_owned()).await.unwrap();
    let again = people.set_up(code.as_str(), "root-2", "Root", PASSWORD.to_owned()).await;
    assert!(again.is_err(), "a code works once");
    assert!(people.first_start().await.unwrap().is_none(), "there is no second first start");
    let token = desk.token("root-1", PASSWORD, "").await.unwrap();
    let (status, to) = desk.asked(Method::GET, "/", Some(&token), &json!({})).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/stations"), "no case for them");
}

#[tokio::test]
async fn wrong_answers_lock_out_and_say_nothing_of_which_was_wrong() {
    let desk = Desk::locked().await;
    desk.person("s-1", &[("ruvvo", Role::Supervisor)]).await;
    assert_eq!(desk.token("nobody", PASSWORD, "").await, Err(StatusCode::UNAUTHORIZED));
    for _ in 0..5 {
        assert_eq!(desk.token("s-1", "wrong wrong wrong", "").await, Err(StatusCode::UNAUTHORIZED));
    }
    // Longer than this machine takes to look at an answer.
    let id = "s-1".parse().unwrap();
    let many = Failures { count: 20, last: Some(desk.people.now()) };
    let note = crate::store::Note::done("", "test", "s-1");
    desk.store.put_failures(&id, many, note, desk.people.now()).await.unwrap();
    let locked = desk.token("s-1", PASSWORD, "").await;
    assert_eq!(locked, Err(StatusCode::SERVICE_UNAVAILABLE), "the right one is not looked at");
    let denied = desk.audited("sign_in").await;
    let denied = denied.iter().filter(|entry| entry.details.contains_key("in_a_row")).count();
    assert_eq!(denied, 5);
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_its_code_works_once() {
    let desk = Desk::locked().await;
    let token = desk.person("s-1", &[("ruvvo", Role::Supervisor)]).await;
    let actor = desk.people.actor(Some(&token)).await.unwrap().unwrap();
    let factor = SecondFactor::new().unwrap();
    assert!(desk.people.put_factor(&actor, &factor, "000000").await.is_err());
    let now = desk.people.now();
    let code = factor.code(now).unwrap();
    desk.people.put_factor(&actor, &factor, &code).await.unwrap();
    assert_eq!(desk.token("s-1", PASSWORD, "").await, Err(StatusCode::UNAUTHORIZED));
    assert_eq!(desk.token("s-1", PASSWORD, &code).await, Err(StatusCode::UNAUTHORIZED), "used");
    let later = now + jiff::SignedDuration::from_secs(30);
    let next = factor.code(later).unwrap();
    assert!(desk.token("s-1", PASSWORD, &next).await.is_ok(), "one step ahead is let in");
    assert!(desk.token("s-1", PASSWORD, &next).await.is_err());
    let row = desk.store.account(&actor.account.id).await.unwrap().unwrap();
    let kept = row.factor.unwrap();
    let plain = factor.base32();
    assert!(!kept.windows(8).any(|piece| plain.as_bytes().windows(8).any(|w| w == piece)));
}

#[tokio::test]
async fn rights_taken_are_gone_at_once() {
    let desk = Desk::locked().await;
    let token = desk.person("s-1", &[("ruvvo", Role::Supervisor)]).await;
    let ask = |token: String| {
        let desk = &desk;
        async move { desk.asked(Method::GET, "/api/v1/alerts", Some(&token), &json!({})).await.0 }
    };
    assert_eq!(ask(token.clone()).await, StatusCode::OK);
    let id = "s-1".parse().unwrap();
    let row = desk.store.account(&id).await.unwrap().unwrap();
    let change = crate::people::AccountChange {
        version: row.version,
        end: true,
        reason: "left the service".to_owned(),
        ..Default::default()
    };
    desk.people.alter(&administrator(), &id, change).await.unwrap();
    assert_eq!(ask(token).await, StatusCode::UNAUTHORIZED);
    assert_eq!(desk.token("s-1", PASSWORD, "").await, Err(StatusCode::UNAUTHORIZED));
}

#[tokio::test]
async fn an_alert_about_a_listed_person_is_closed_by_two() {
    let desk = Desk::locked().await;
    let mut listed = alert(Severity::High);
    listed.code = AlertCode::ListMatch;
    let id = listed.id.clone();
    desk.raise(listed).await;
    let first = desk.person("s-1", &[("ruvvo", Role::Supervisor)]).await;
    let second = desk.person("s-2", &[("ruvvo", Role::Supervisor)]).await;
    let away = desk.person("s-3", &[("jpnrt", Role::Supervisor)]).await;
    let path = format!("/api/v1/alerts/{id}/actions");
    let close = json!({
        "action": "close", "officer": "s-2", "version": 1, "reason": "false_positive",
        "text": "another birth date",
    });
    assert_eq!(desk.asked(Method::POST, &path, Some(&first), &close).await.0, StatusCode::OK);
    let state = async || {
        let row = desk.store.alert(&id).await.unwrap().unwrap();
        crate::store::state_name(row.alert.state)
    };
    assert_eq!(state().await, "waiting");
    let open = desk.store.open_approvals(&id).await.unwrap();
    assert_eq!(open.len(), 1);
    let matter = format!("/api/v1/matters/{}", open[0].id);
    let agree = json!({"agree": true});
    for token in [&first, &away] {
        let answer = desk.asked(Method::POST, &matter, Some(token), &agree).await.0;
        assert_eq!(answer, StatusCode::FORBIDDEN);
        assert_eq!(state().await, "waiting");
    }
    let answer = desk.asked(Method::POST, &matter, Some(&second), &agree).await.0;
    assert_eq!((answer, state().await), (StatusCode::NO_CONTENT, "closed"));
    let late = desk.asked(Method::POST, &matter, Some(&second), &agree).await.0;
    assert_eq!(late, StatusCode::NOT_FOUND);
    let kept = desk.store.approval(&open[0].id).await.unwrap().unwrap();
    assert_eq!(kept.agreed_by.unwrap().as_str(), "s-2");
}

/// The rule stands in the table itself, whatever the program above it does.
#[tokio::test]
async fn the_store_refuses_one_person_as_both() {
    let desk = Desk::locked().await;
    let id: tidewaiter_people::account::AccountId = "s-1".parse().unwrap();
    let row = crate::store::ApprovalRow {
        id: "m1".to_owned(),
        matter: tidewaiter_people::matter::Matter::Erase,
        object: "k".to_owned(),
        site: "ruvvo".to_owned(),
        reason: String::new(),
        detail: String::new(),
        asked_by: id.clone(),
        asked_at: now(),
        agreed_by: None,
        agreed_at: None,
        refused: false,
        spent_at: None,
    };
    let note = || crate::store::Note::done("s-1", "test", "m1");
    desk.store.ask_approval(row, Vec::new(), note()).await.unwrap();
    assert!(desk.store.answer_approval("m1", &id, false, note(), now()).await.is_err());
    let other = "s-2".parse().unwrap();
    assert!(desk.store.answer_approval("m1", &other, false, note(), now()).await.unwrap());
}

#[tokio::test]
async fn an_altered_or_missing_line_of_the_audit_is_named() {
    for (text, said) in [
        ("UPDATE audit SET actor = 'somebody' WHERE number = 2", "entry 2 was altered"),
        ("DELETE FROM audit WHERE number = 2", "entry 3 stands where 2 is due"),
        ("DELETE FROM audit WHERE number = (SELECT max(number) FROM audit)", "is the last"),
    ] {
        // A thief who manages the database takes the table's own rule out first.
        let desk = Desk::locked().await;
        desk.person("s-1", &[("ruvvo", Role::Supervisor)]).await;
        assert!(desk.store.verify_audit().await.unwrap().is_ok());
        let file = desk.directory.path().join("server.sqlite");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let mut thief = sqlx::ConnectOptions::connect(&options).await.unwrap();
        assert!(sqlx::query(text).execute(&mut thief).await.is_err(), "the table refuses it");
        for rule in ["audit_not_altered", "audit_not_removed"] {
            let drop = format!("DROP TRIGGER {rule}");
            sqlx::query(sqlx::AssertSqlSafe(drop)).execute(&mut thief).await.unwrap();
        }
        sqlx::query(text).execute(&mut thief).await.unwrap();
        let broken = desk.store.verify_audit().await.unwrap().unwrap_err();
        assert!(broken.to_string().contains(said), "{broken}");
    }
}

#[tokio::test]
async fn no_one_gets_what_administrators_have_beside_what_they_see() {
    let desk = Desk::locked().await;
    let both = NewAccount {
        id: "x".to_owned(),
        name: "X".to_owned(),
        grants: [(Scope::Everywhere, [Role::Administrator, Role::Supervisor].into())].into(),
    };
    assert!(desk.people.make(&administrator(), both).await.is_err());
    assert!(!Role::Administrator.may(Permission::AlertRead));
}
