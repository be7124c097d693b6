//! The programming interface over a real store: lists, paging, refusals, what a person may do.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tidewaiter_proto::alert::{Alert, Severity};
use tidewaiter_proto::seal::ServerSecret;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::authority::Authority;
use crate::bundle::seal::{Checker, Signer};
use crate::bundle::{Night, NightSettings};
use crate::clock::Clock;
use crate::configuration::Policy;
use crate::inspection::Opener;
use crate::law::force::Force;
use crate::people::{People, SignIn};
use crate::state::{AppState, Parts};
use crate::store::tests::{Sender, alert, now};
use crate::store::{Pending, PendingWork, Store};

use super::guard::Stated;

mod desk;
mod outside;
mod people;
mod policy;
mod second;

/// A server's interface and pages over a store of its own.
pub(crate) struct Desk {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) people: People,
    pub(crate) force: Force,
    pub(crate) router: Router,
    pub(crate) table: Vec<Stated>,
}

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::with(Clock::demonstration(now()), SignIn::Demonstration).await
    }

    pub(crate) async fn with(clock: Clock, sign_in: SignIn) -> Self {
        Self::with_outside(clock, sign_in, None).await
    }

    pub(crate) async fn with_outside(
        clock: Clock,
        sign_in: SignIn,
        outside: Option<crate::people::outside::Outside>,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::open(directory.path()).unwrap();
        let store = Store::open(&directory.path().join("server.sqlite")).await.unwrap();
        let force = Force::open(&Policy::default(), &store).await.unwrap();
        let settings = NightSettings {
            server: "ruvvo".to_owned(),
            directory: directory.path().join("bundles"),
            headquarters: None,
            sealing: ServerSecret::from_bytes([9; 32]),
            derive: [1; 32],
            signer: Signer::read(&authority.bundle_key_file()).unwrap(),
            checker: Checker::read(&authority.bundle_public_file()).unwrap(),
            force: force.clone(),
        };
        let night = Night::new(settings, store.clone(), clock.clone());
        // The key that the sender of the store's tests wraps for.
        let opener = Opener::new(store.clone(), ServerSecret::from_bytes([9; 32]));
        let people = People::new(store.clone(), sign_in, &authority.signing).with_outside(outside);
        let state = AppState::new(Parts {
            store: store.clone(),
            clock,
            people: people.clone(),
            opener,
            night,
            force: force.clone(),
            stop: CancellationToken::new(),
        });
        let (router, table) = super::stated(state);
        let router = tidewaiter_web::guard::protect(router);
        Self { directory, store, people, force, router, table }
    }

    pub(crate) async fn raise(&self, alert: Alert) {
        let work = PendingWork::Inspection(alert.station.clone(), [0; 16]);
        let pending = Pending { number: 0, work };
        self.store.put_ledger_alert(pending, alert, now()).await.unwrap();
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> (StatusCode, String, String) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let named = [header::CONTENT_TYPE, header::LOCATION];
        let about = named.into_iter().find_map(|name| response.headers().get(name));
        let about = about.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, about, String::from_utf8(body.to_vec()).unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, String) {
        let (status, _, body) = self.ask(Request::get(path).body(Body::empty()).unwrap()).await;
        (status, body)
    }

    async fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let (status, kind, body) = self.ask(request).await;
        if !status.is_success() {
            assert_eq!(kind, "application/problem+json", "{path}: {body}");
        }
        let empty = status == StatusCode::NO_CONTENT;
        let body = if empty { Value::Null } else { serde_json::from_str(&body).unwrap() };
        (status, body)
    }

    /// The bytes of an answer.
    pub(crate) async fn raw(&self, path: &str, body: &Value) -> Vec<u8> {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        to_bytes(self.response(request).await.into_body(), 1 << 24).await.unwrap().to_vec()
    }

    pub(crate) async fn response(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.unwrap()
    }
}

fn numbered(number: usize, severity: Severity) -> Alert {
    Alert { id: format!("a_{number}"), ..alert(severity) }
}

#[tokio::test]
async fn alerts_are_listed_gravest_first_a_page_at_a_time() {
    let desk = Desk::open().await;
    for number in 0..5 {
        let severity = if number == 3 { Severity::Critical } else { Severity::Low };
        desk.raise(numbered(number, severity)).await;
    }
    let (mut seen, mut path) = (Vec::new(), "/api/v1/alerts?limit=2".to_owned());
    loop {
        let page = desk.json(&path).await;
        assert_eq!(page["counts"]["new"], 5);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/alerts?limit=2&cursor={next}");
    }
    assert_eq!(seen.len(), 5);
    assert_eq!(seen[0], "a_3");
    let none = desk.json("/api/v1/alerts?inspection=b").await;
    assert_eq!(none["items"], json!([]));
    let some = desk.json("/api/v1/alerts?inspection=a&severity=critical,high").await;
    assert_eq!(some["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_question_that_is_not_valid_is_refused_as_a_problem() {
    let desk = Desk::open().await;
    for path in ["/api/v1/alerts?limit=0", "/api/v1/alerts?nosuch=1", "/api/v1/bundles?cursor=x"] {
        let (status, body) = desk.get(path).await;
        let problem: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &problem["status"]), (StatusCode::BAD_REQUEST, &json!(400)), "{path}");
    }
    for path in ["/api/v1/nosuch", "/api/v1/alerts/nosuch", "/api/v1/inspections/ruvvo/x/y"] {
        assert_eq!(desk.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_person_acts_on_what_they_saw_and_only_as_its_state_allows() {
    let desk = Desk::open().await;
    desk.raise(numbered(1, Severity::High)).await;
    let path = "/api/v1/alerts/a_1/actions";
    let act = |action: &str, version: i64, reason: &str| json!({"action": action, "officer": "s-1", "version": version, "reason": reason});
    let (status, row) = desk.post(path, &act("claim", 1, "")).await;
    assert_eq!(
        (status, &row["state"], &row["assignee"]),
        (StatusCode::OK, &json!("claimed"), &json!("s-1"))
    );
    let (status, late) = desk.post(path, &act("escalate", 1, "")).await;
    assert_eq!((status, &late["current"]["version"]), (StatusCode::CONFLICT, &json!(2)));
    let (status, _) = desk.post(path, &act("close", 2, "")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "closing needs a reason");
    let (status, closed) = desk.post(path, &act("close", 2, "seized")).await;
    assert_eq!((status, &closed["state"]), (StatusCode::OK, &json!("closed")));
    let (status, problem) = desk.post(path, &act("claim", 3, "")).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    let (status, _) = desk.post("/api/v1/alerts/no/actions", &act("claim", 1, "")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = desk.post(path, &json!({"action": "burn"})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let shown = desk.json("/api/v1/alerts/a_1").await;
    let actions: Vec<&str> = shown["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|decision| decision["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["raised", "claim", "close"]);
    assert_eq!(shown["actions"], json!(["comment", "reopen"]));
}

#[tokio::test]
async fn another_sites_page_cannot_act() {
    let desk = Desk::open().await;
    desk.raise(numbered(1, Severity::High)).await;
    let request = Request::builder()
        .method(Method::POST)
        .uri("/api/v1/alerts/a_1/actions")
        .header(header::CONTENT_TYPE, "application/json")
        .header("sec-fetch-site", "cross-site")
        .body(Body::from(r#"{"action":"claim","officer":"s-1","version":1}"#))
        .unwrap();
    assert_eq!(desk.ask(request).await.0, StatusCode::FORBIDDEN);
    assert_eq!(desk.json("/api/v1/alerts/a_1").await["version"], 1);
}

#[tokio::test]
async fn a_station_is_shown_with_what_is_held_and_what_is_missing() {
    let desk = Desk::open().await;
    let mut sender = Sender::new("ruvvo/dep-07");
    sender.notes(9);
    let key = sender.signing.verifying();
    desk.store.register_station(&sender.station, key, now()).await.unwrap();
    desk.store.accept(&sender.batch(1, 3), now()).await.unwrap();
    desk.store.accept(&sender.batch(7, 9), now()).await.unwrap();
    let stations = desk.json("/api/v1/stations").await;
    let station = &stations["items"][0];
    assert_eq!((&station["held"], &station["missing"]), (&json!(6), &json!(3)));
    assert_eq!(station["ranges"], json!([[1, 3], [7, 9]]));
    assert_eq!(station["verified"]["seq"], 3);
}

#[tokio::test]
async fn the_night_can_be_made_now_and_an_empty_one_is_none() {
    let desk = Desk::open().await;
    let (status, none) = desk.post("/api/v1/bundles", &json!({})).await;
    assert_eq!((status, none), (StatusCode::OK, Value::Null));
    let mut sender = Sender::new("ruvvo/dep-07");
    sender.notes(2);
    let key = sender.signing.verifying();
    desk.store.register_station(&sender.station, key, now()).await.unwrap();
    desk.store.accept(&sender.batch(1, 2), now()).await.unwrap();
    let (status, made) = desk.post("/api/v1/bundles", &json!({})).await;
    assert_eq!((status, &made["name"]), (StatusCode::CREATED, &json!("ruvvo-000001")));
    assert_eq!(made["manifest"]["stations"][0]["records"], 2);
    assert!(desk.directory.path().join("bundles/ruvvo-000001/manifest.json").exists());
    let listed = desk.json("/api/v1/bundles").await;
    assert_eq!(listed["items"][0]["state"], "built");
}

#[tokio::test]
async fn a_name_is_looked_for_on_the_lists_in_force() {
    let desk = Desk::open().await;
    let asked = json!({"id": 7, "kind": "organisation", "name": "Rungrado General Trading"});
    let (status, answer) = desk.post("/api/v1/screen", &asked).await;
    assert_eq!((status, &answer["id"]), (StatusCode::OK, &json!(7)));
    let hits = answer["hits"].as_array().unwrap();
    assert!(hits.iter().any(|hit| hit["entry"] == "19613"), "{answer}");
    let (status, _) = desk.post("/api/v1/screen", &json!({"kind": "ghost", "name": "x"})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, answer) = desk.post("/api/v1/network", &asked).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let edges = answer["network"]["edges"].as_array().unwrap();
    assert!(!edges.is_empty() && edges.iter().all(|edge| edge["evidence"] != ""), "{answer}");
    assert!(answer["network"]["caution"].as_str().unwrap().contains("not a finding"), "{answer}");
    let (status, _) = desk.post("/api/v1/network", &json!({"name": " "})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, _) = desk.post("/api/v1/screen?threshold=2", &asked).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn only_a_demonstrations_clock_can_be_set() {
    let desk = Desk::open().await;
    let setting = json!({"now": "2018-10-02T08:10:00Z"});
    let (status, answer) = desk.post("/api/v1/demonstration/clock", &setting).await;
    assert_eq!(status, StatusCode::OK);
    assert!(answer["now"].as_str().unwrap().starts_with("2018-10-02T08:10:0"), "{answer}");
    let real = Desk::with(Clock::system(), SignIn::Demonstration).await;
    let (status, _) = real.post("/api/v1/demonstration/clock", &setting).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_changes_is_said_as_it_changes_and_after_an_absence() {
    let desk = Desk::open().await;
    desk.raise(numbered(1, Severity::High)).await;
    let request = Request::get("/api/v1/live?after=0").body(Body::empty()).unwrap();
    let response = desk.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut stream = response.into_body().into_data_stream();
    let mut said = String::new();
    let mut wait_for = async |wanted: &str| {
        while !said.contains(wanted) {
            let next = tokio::time::timeout(Duration::from_secs(5), stream.next()).await;
            said.push_str(std::str::from_utf8(&next.unwrap().unwrap().unwrap()).unwrap());
        }
    };
    // What was raised before, then what is raised while somebody listens.
    wait_for("\"a_1\"").await;
    desk.raise(numbered(2, Severity::High)).await;
    wait_for("\"a_2\"").await;
    assert!(said.contains("event: alert\n") && said.contains("id: 2\n"), "{said}");
}

#[tokio::test]
async fn machines_are_told_how_it_is() {
    let desk = Desk::open().await;
    desk.raise(numbered(1, Severity::High)).await;
    assert_eq!(desk.get("/healthz").await, (StatusCode::OK, "ok\n".to_owned()));
    assert_eq!(desk.get("/readyz").await.0, StatusCode::OK);
    let (_, metrics) = desk.get("/metrics").await;
    assert!(metrics.contains("tidewaiter_alerts{state=\"new\"} 1\n"), "{metrics}");
    let described = desk.json("/openapi.json").await;
    for path in ["/api/v1/alerts", "/api/v1/alerts/{id}/actions", "/api/v1/bundles"] {
        assert!(described["paths"][path].is_object(), "{path} is not described");
    }
    let policy = desk.json("/api/v1/policies").await;
    let built_in = tidewaiter_risk::policy::PolicyPack::built_in().unwrap();
    assert_eq!(policy["versions"]["policy"], built_in.version);
    desk.store.close().await;
    assert_ne!(desk.get("/readyz").await.0, StatusCode::OK);
}
