//! Who stands at a station: accounts from the server, sign-in without it, revocation, idle lock,
//! and release of detained cash by two; all of it in the station's own chain.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tidewaiter_bridge::http::{router, stated};
use tidewaiter_bridge::officers::{NotIn, Officers, SignIn};
use tidewaiter_bridge::station::Station;
use tidewaiter_people::password::Hash;
use tidewaiter_people::role::Role;
use tidewaiter_people::station::{BadgeDigest, Officer, SignedAccounts, StationAccounts};
use tidewaiter_proto::receipt::AccountsPiece;
use tidewaiter_proto::signing::Signing;
use tidewaiter_web::entry::{FORM_TOKEN, Need, SESSION_COOKIE};
use tidewaiter_web::guard::Door;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::common::station;

const PIN: &str = "730418";

fn server() -> Signing {
    Signing::from_seed(&[3; 32])
}

fn officer(id: &str, role: Role) -> Officer {
    Officer {
        id: id.parse().unwrap(),
        name: format!("Person {id}"),
        roles: [role].into(),
        pin: Hash::of(PIN).unwrap().as_str().to_owned(),
        badge: BadgeDigest::of(&format!("badge{id}")).map(|badge| badge.as_str().to_owned()),
    }
}

fn accounts(serial: u64, people: Vec<Officer>) -> StationAccounts {
    let made_at = Timestamp::now() - SignedDuration::from_mins(1);
    StationAccounts {
        station: "ruvvo/dep-07".parse().unwrap(),
        serial,
        made_at,
        ends_at: made_at + SignedDuration::from_hours(24 * 7),
        people,
    }
}

/// The bundle in two pieces, as the server sends it.
async fn send(officers: &Officers, accounts: &StationAccounts, by: &Signing) {
    let signed = SignedAccounts::sign(accounts, by).unwrap();
    let bytes = serde_json::to_vec(&signed).unwrap();
    let (first, second) = bytes.split_at(bytes.len() / 2);
    for (part, chunk) in [(0, first), (1, second)] {
        let piece = AccountsPiece {
            station: "ruvvo/dep-07".parse().unwrap(),
            serial: format!("{}@{}", accounts.serial, accounts.made_at),
            part,
            parts: 2,
            piece: BASE64.encode(chunk),
        };
        officers.take(piece).await;
    }
}

struct Lane {
    folder: tempfile::TempDir,
    stop: CancellationToken,
    station: Station,
    officers: Officers,
    router: Router,
}

impl Lane {
    fn new(sign_in: SignIn) -> Self {
        Self::of(tempfile::tempdir().unwrap(), sign_in)
    }

    fn of(folder: tempfile::TempDir, sign_in: SignIn) -> Self {
        let stop = CancellationToken::new();
        let station = station(folder.path(), &stop);
        let officers = Officers::open(station.clone(), server().verifying(), sign_in);
        let inner = stop.clone();
        let router = router(station.clone(), officers.clone(), inner, Door::default());
        Self { folder, stop, station, officers, router }
    }

    async fn ask(&self, request: Request<Body>) -> (StatusCode, String, String) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let to = response.headers().get(header::LOCATION);
        let to = to.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let bytes = to_bytes(response.into_body(), 1 << 22).await.unwrap();
        (status, to, String::from_utf8_lossy(&bytes).into_owned())
    }

    async fn get(&self, path: &str, token: Option<&str>) -> (StatusCode, String) {
        let mut request = Request::get(path);
        if let Some(token) = token {
            request = request.header(header::COOKIE, format!("{SESSION_COOKIE}={token}"));
        }
        let (status, to, _) = self.ask(request.body(Body::empty()).unwrap()).await;
        (status, to)
    }

    /// Posts a form as its page would: with the token that the page carries.
    async fn form(&self, path: &str, token: &str, fields: &str) -> (StatusCode, String, String) {
        let request = |path: &str, method: Method, body: String| {
            Request::builder()
                .method(method)
                .uri(path)
                .header(header::COOKIE, format!("{SESSION_COOKIE}={token}"))
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(body))
                .unwrap()
        };
        let (_, _, page) = self.ask(request(path, Method::GET, String::new())).await;
        let field = format!("name=\"{FORM_TOKEN}\" value=\"");
        let found = page.split(&field).nth(1).and_then(|rest| rest.split('"').next());
        let body = format!("{fields}&{FORM_TOKEN}={}", found.unwrap_or_default());
        self.ask(request(path, Method::POST, body)).await
    }

    /// What the station's chain says of its people, in order.
    fn chain(&self) -> Vec<(String, String)> {
        let records = self.station.ledger().recent(500).unwrap();
        records
            .iter()
            .map(|record| record.body.to_value())
            .filter(|body| body["type"] == "officer_session")
            .map(|body| {
                let text = |name: &str| body[name].as_str().unwrap().to_owned();
                (text("officer"), text("event"))
            })
            .collect()
    }
}

fn event(officer: &str, event: &str) -> (String, String) {
    (officer.to_owned(), event.to_owned())
}

#[tokio::test]
async fn an_officer_signs_in_without_the_network_and_a_restart_forgets_no_account() {
    let lane = Lane::new(SignIn::Required);
    let (status, to) = lane.get("/", None).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/sign-in?back=%2F"));
    assert_eq!(lane.officers.sign_in("o-11", PIN.to_owned()).await.unwrap_err(), NotIn::NoAccounts);
    send(&lane.officers, &accounts(1, vec![officer("o-11", Role::Officer)]), &server()).await;
    // The program ends; nobody is connected to anything.
    let Lane { folder, stop, station, officers, router } = lane;
    stop.cancel();
    let ledger = station.ledger().clone();
    drop((router, officers, station));
    tokio::task::spawn_blocking(move || ledger.close()).await.unwrap();
    // What made warnings lets go of the store a moment after it was told to stop.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let lane = Lane::of(folder, SignIn::Required);
    for shown in ["o-11", "badge-O-11"] {
        let token = lane.officers.sign_in(shown, PIN.to_owned()).await.unwrap();
        assert_eq!(lane.get("/", Some(token.as_str())).await.0, StatusCode::OK, "{shown}");
    }
    assert_eq!(
        lane.chain(),
        [event("", "accounts_taken"), event("o-11", "signed_in"), event("o-11", "signed_in")]
    );
}

#[tokio::test]
async fn a_revocation_ends_the_session_at_the_next_contact_and_stands_in_the_chain() {
    let lane = Lane::new(SignIn::Required);
    let people = vec![officer("o-11", Role::Officer), officer("o-12", Role::Officer)];
    let first = accounts(1, people);
    send(&lane.officers, &first, &server()).await;
    let gone = lane.officers.sign_in("o-11", PIN.to_owned()).await.unwrap();
    let stays = lane.officers.sign_in("o-12", PIN.to_owned()).await.unwrap();
    let mut second = first.clone();
    second.serial = 2;
    second.people.remove(0);
    send(&lane.officers, &second, &server()).await;
    assert_eq!(lane.get("/", Some(gone.as_str())).await.0, StatusCode::SEE_OTHER);
    assert_eq!(lane.get("/", Some(stays.as_str())).await.0, StatusCode::OK);
    assert_eq!(lane.officers.sign_in("o-11", PIN.to_owned()).await.unwrap_err(), NotIn::Wrong);
    assert!(lane.chain().contains(&event("o-11", "revoked")));
    // The bundle from before the revocation is played back.
    send(&lane.officers, &first, &server()).await;
    assert_eq!(lane.officers.sign_in("o-11", PIN.to_owned()).await.unwrap_err(), NotIn::Wrong);
    assert!(lane.chain().contains(&event("", "accounts_refused")));
}

#[tokio::test]
async fn accounts_of_another_server_or_of_last_week_let_nobody_in() {
    let lane = Lane::new(SignIn::Required);
    let forged = Signing::from_seed(&[8; 32]);
    send(&lane.officers, &accounts(1, vec![officer("o-11", Role::Officer)]), &forged).await;
    assert_eq!(lane.officers.sign_in("o-11", PIN.to_owned()).await.unwrap_err(), NotIn::NoAccounts);
    let mut old = accounts(1, vec![officer("o-11", Role::Officer)]);
    old.made_at -= SignedDuration::from_hours(24 * 8);
    old.ends_at -= SignedDuration::from_hours(24 * 8);
    send(&lane.officers, &old, &server()).await;
    let over = lane.officers.sign_in("o-11", PIN.to_owned()).await.unwrap_err();
    assert_eq!(over, NotIn::Over(old.made_at));
}

#[tokio::test]
async fn wrong_pins_lock_out_and_the_right_one_is_not_looked_at_then() {
    let lane = Lane::new(SignIn::Required);
    send(&lane.officers, &accounts(1, vec![officer("o-11", Role::Officer)]), &server()).await;
    for _ in 0..6 {
        let wrong = lane.officers.sign_in("o-11", "999999".to_owned()).await.unwrap_err();
        if let NotIn::Wait(_) = wrong {
            break;
        }
        assert_eq!(wrong, NotIn::Wrong);
    }
    let locked = lane.officers.sign_in("o-11", PIN.to_owned()).await.unwrap_err();
    assert!(matches!(locked, NotIn::Wait(_)), "{locked}");
    assert!(lane.chain().iter().filter(|said| **said == event("o-11", "refused")).count() >= 5);
}

#[tokio::test]
async fn a_demonstration_is_open_until_there_are_accounts() {
    let lane = Lane::new(SignIn::UntilAccounts);
    assert_eq!(lane.get("/", None).await.0, StatusCode::OK);
    send(&lane.officers, &accounts(1, vec![officer("o-11", Role::Officer)]), &server()).await;
    assert_eq!(lane.get("/", None).await.0, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn every_route_of_the_station_is_refused_to_whoever_has_no_right_to_it() {
    let lane = Lane::new(SignIn::Required);
    let roles = [Role::Officer, Role::Senior, Role::Supervisor, Role::Analyst, Role::Auditor];
    let people = roles.iter().map(|role| officer(role.name(), *role)).collect();
    send(&lane.officers, &accounts(1, people), &server()).await;
    let stop = CancellationToken::new();
    let (_, table) = stated(lane.station.clone(), lane.officers.clone(), stop);
    assert!(table.len() > 35, "{} routes", table.len());
    for role in roles {
        let token = lane.officers.sign_in(role.name(), PIN.to_owned()).await.unwrap();
        for route in &table {
            // Signing out would end the session that the next route needs.
            if route.path.ends_with("/sign-out") || route.path.ends_with("/session/end") {
                continue;
            }
            let path = route.path.replace("{id}", "none").replace("{step}", "money");
            let request = |session: Option<&str>| {
                let mut request = Request::builder().method(route.method.clone()).uri(&path);
                request = request.header(header::CONTENT_TYPE, "application/json");
                if let Some(token) = session {
                    request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
                }
                request.body(Body::from("{}")).unwrap()
            };
            // A stream that is let in does not end: its head is the answer.
            let answer = lane.router.clone().oneshot(request(Some(token.as_str()))).await.unwrap();
            let may = match route.need {
                Need::Right(permission) => role.may(permission),
                _ => true,
            };
            let refused = answer.status() == StatusCode::FORBIDDEN;
            assert_eq!(refused, !may, "{role} {} {path}: {}", route.method, answer.status());
            let nobody = lane.router.clone().oneshot(request(None)).await.unwrap();
            let out = [StatusCode::SEE_OTHER, StatusCode::UNAUTHORIZED];
            if route.need != Need::Nothing {
                assert!(out.contains(&nobody.status()), "{path}: {}", nobody.status());
            }
        }
    }
    assert!(lane.chain().contains(&event("auditor", "no_right")));
}

#[tokio::test]
async fn a_form_of_another_page_and_another_officers_name_are_not_taken() {
    let lane = Lane::new(SignIn::Required);
    send(&lane.officers, &accounts(1, vec![officer("o-11", Role::Officer)]), &server()).await;
    let token = lane.officers.sign_in("o-11", PIN.to_owned()).await.unwrap();
    let request = Request::post("/next")
        .header(header::COOKIE, format!("{SESSION_COOKIE}={}", token.as_str()))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from("form-token=x"));
    assert_eq!(lane.ask(request.unwrap()).await.0, StatusCode::FORBIDDEN);
    let opening = json!({"direction": "exit", "role": "passenger", "officer": "somebody-else",
        "movement": {"mode": "air", "carrier": "KE", "number": "982", "from": "VVO", "to": "ICN"}});
    let request = Request::post("/api/v1/inspections")
        .header(header::AUTHORIZATION, format!("Bearer {}", token.as_str()))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(opening.to_string()));
    assert_eq!(lane.ask(request.unwrap()).await.0, StatusCode::CREATED);
    let records = lane.station.ledger().recent(50).unwrap();
    let opened =
        records.iter().find(|record| record.body.to_value()["type"] == "inspection_opened");
    let source = serde_json::to_value(&opened.unwrap().source).unwrap();
    assert_eq!(source, json!({"officer": "o-11"}));
}

#[tokio::test]
async fn detained_cash_goes_back_by_two_who_neither_counted_nor_decided() {
    let lane = Lane::new(SignIn::Required);
    let people = vec![
        officer("o-11", Role::Officer),
        officer("o-12", Role::Officer),
        officer("k-1", Role::Senior),
        officer("k-2", Role::Senior),
    ];
    send(&lane.officers, &accounts(1, people), &server()).await;
    let first = lane.officers.sign_in("o-11", PIN.to_owned()).await.unwrap();
    let first = first.as_str();
    let opening = json!({"direction": "exit", "role": "passenger",
        "movement": {"mode": "air", "carrier": "KE", "number": "982", "from": "VVO", "to": "ICN"}});
    let json = |path: &str, body: &Value| {
        Request::post(path)
            .header(header::AUTHORIZATION, format!("Bearer {first}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .unwrap()
    };
    let (_, _, opened) = lane.ask(json("/api/v1/inspections", &opening)).await;
    let id =
        serde_json::from_str::<Value>(&opened).unwrap()["inspection"].as_str().unwrap().to_owned();
    // k-2 counted, at a time when they were the one at the lane.
    let counter = lane.officers.sign_in("k-2", PIN.to_owned()).await.unwrap();
    let counted = json!({"count": 1, "blind": true, "certainty": "exact", "officer": "",
        "items": [{"currency": "USD", "denomination": "100", "pieces": 200}]});
    let mut request = json(&format!("/api/v1/inspections/{id}/counts"), &counted);
    let bearer = format!("Bearer {}", counter.as_str()).parse().unwrap();
    request.headers_mut().insert(header::AUTHORIZATION, bearer);
    let (status, _, text) = lane.ask(request).await;
    assert_eq!(status, StatusCode::CREATED, "{text}");
    let outcome = format!("/inspections/{id}/outcome");
    let detain = "decision=detained&kind-0=currency&currency-0=USD&amount-0=20000&\
                  reason=undeclared&reason-text=x&legal_basis=Art.+104&seal=S-1";
    assert_eq!(lane.form(&outcome, first, detain).await.0, StatusCode::SEE_OTHER);
    let release = |second: &str, pin: &str| {
        format!("decision=released&reason-text=documents+came&second={second}&second-pin={pin}")
    };
    for (second, pin, why) in [
        ("", "", "nobody"),
        ("k-1", "111111", "a wrong PIN"),
        ("o-11", PIN, "the one who asks"),
        ("o-12", PIN, "one without the right"),
        ("k-2", PIN, "one who counted"),
    ] {
        let (status, _, page) = lane.form(&outcome, first, &release(second, pin)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{why}: {page}");
    }
    let api = json!({"decision": "released", "reasons": ["x"], "officer": "o-11"});
    let (status, _, _) = lane.ask(json(&format!("/api/v1{outcome}"), &api)).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "a program alone does not release");
    assert_eq!(lane.form(&outcome, first, &release("k-1", PIN)).await.0, StatusCode::SEE_OTHER);
    let records = lane.station.records(&id).unwrap();
    let last = records.iter().rev().map(|record| record.body.to_value());
    let last = last.into_iter().find(|body| body["type"] == "outcome_recorded").unwrap();
    assert_eq!((&last["officer"], &last["agreed_by"]), (&json!("o-11"), &json!("k-1")), "{last}");
}
