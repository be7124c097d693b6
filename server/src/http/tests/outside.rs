//! The authority's own sign-in, against a small provider on this machine.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Form, State};
use axum::http::{Request, StatusCode, header};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tidewaiter_people::role::Role;

use super::Desk;
use crate::clock::Clock;
use crate::configuration::{Group, Outside as Configured};
use crate::people::SignIn;
use crate::people::outside::Outside;

/// A provider: what it would say of whom, by the code it gave out.
#[derive(Clone)]
struct Provider {
    key: Arc<EcdsaKeyPair>,
    issuer: String,
    codes: Arc<Mutex<HashMap<String, Given>>>,
}

#[derive(Clone)]
struct Given {
    challenge: String,
    nonce: String,
    groups: Vec<&'static str>,
    subject: &'static str,
}

fn coded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Provider {
    async fn start() -> Self {
        let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), &random).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let provider = Self { key: Arc::new(key), issuer, codes: Arc::default() };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovered))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    /// Somebody signs in there; gives the code that their browser brings back.
    fn give(&self, address: &str, subject: &'static str, groups: &[&'static str]) -> String {
        let query = |name: &str| {
            let found = address.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)).unwrap();
            found.to_owned()
        };
        assert_eq!(query("code_challenge_method="), "S256");
        let given = Given {
            challenge: query("code_challenge="),
            nonce: query("nonce="),
            groups: groups.to_vec(),
            subject,
        };
        let code = format!("code-{subject}-{}", self.codes.lock().unwrap().len());
        self.codes.lock().unwrap().insert(code.clone(), given);
        code
    }
}

async fn discovered(State(provider): State<Provider>) -> Json<Value> {
    let issuer = &provider.issuer;
    Json(json!({"issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys")}))
}

async fn keys(State(provider): State<Provider>) -> Json<Value> {
    let point = provider.key.public_key().as_ref();
    Json(json!({"keys": [{"kty": "EC", "kid": "k", "crv": "P-256", "x": coded(&point[1..33]),
        "y": coded(&point[33..65])}]}))
}

/// A code is taken once, and from whoever has the verifier.
async fn token(
    State(provider): State<Provider>,
    Form(form): Form<HashMap<String, String>>,
) -> Result<Json<Value>, StatusCode> {
    let given = provider.codes.lock().unwrap().remove(&form["code"]);
    let given = given.ok_or(StatusCode::BAD_REQUEST)?;
    if coded(Sha256::digest(form["code_verifier"].as_bytes())) != given.challenge {
        return Err(StatusCode::BAD_REQUEST);
    }
    let now = Timestamp::now().as_second();
    let claims = json!({"iss": provider.issuer, "aud": "tidewaiter", "sub": given.subject,
        "nonce": given.nonce, "iat": now, "exp": now + 300, "groups": given.groups,
        "preferred_username": given.subject, "name": "Ольга Ким"});
    let header = json!({"alg": "ES256", "kid": "k"});
    let signed = format!("{}.{}", coded(header.to_string()), coded(claims.to_string()));
    let signature = provider.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
    Ok(Json(json!({"token_type": "Bearer", "id_token": format!("{signed}.{}", coded(signature))})))
}

struct Browser {
    desk: Desk,
    attempt: String,
}

impl Browser {
    async fn open(provider: &Provider) -> Self {
        let configured = Configured {
            issuer: provider.issuer.clone(),
            client_id: "tidewaiter".to_owned(),
            client_secret_file: None,
            authority: None,
            redirect: "http://127.0.0.1:8080/sign-in/return".to_owned(),
            groups_claim: "groups".to_owned(),
            groups: vec![
                Group { name: "desk".to_owned(), site: "ruvvo".to_owned(), role: Role::Supervisor },
                Group { name: "audit".to_owned(), site: "*".to_owned(), role: Role::Auditor },
            ],
        };
        let outside = Outside::new(configured).unwrap();
        let clock = Clock::demonstration(crate::store::tests::now());
        let desk = Desk::with_outside(clock, SignIn::Required, Some(outside)).await;
        Self { desk, attempt: String::new() }
    }

    /// Goes to the provider; gives the address it was sent to.
    async fn go(&mut self) -> String {
        let request =
            Request::get("/sign-in/outside?back=%2Fstations").body(Body::empty()).unwrap();
        let response = tower::ServiceExt::oneshot(self.desk.router.clone(), request).await.unwrap();
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.starts_with("__Host-attempt=") && cookie.contains("HttpOnly"));
        cookie.split(';').next().unwrap().clone_into(&mut self.attempt);
        response.headers()[header::LOCATION].to_str().unwrap().to_owned()
    }

    /// Comes back; gives the status and the session that came with it.
    async fn back(&self, address: &str, code: &str) -> (StatusCode, Option<String>) {
        let state = address.split(['?', '&']).find_map(|pair| pair.strip_prefix("state=")).unwrap();
        let request = Request::get(format!("/sign-in/return?code={code}&state={state}"))
            .header(header::COOKIE, &self.attempt)
            .body(Body::empty())
            .unwrap();
        let response = tower::ServiceExt::oneshot(self.desk.router.clone(), request).await.unwrap();
        let session = response.headers().get_all(header::SET_COOKIE).iter().find_map(|cookie| {
            let value = cookie.to_str().unwrap().strip_prefix("__Host-sid=")?;
            Some(value.split(';').next().unwrap().to_owned())
        });
        (response.status(), session)
    }

    async fn sees(&self, token: &str, path: &str) -> StatusCode {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.desk.ask(request.body(Body::empty()).unwrap()).await.0
    }
}

#[tokio::test]
async fn groups_outside_are_roles_here_and_change_with_each_sign_in() {
    let provider = Provider::start().await;
    let mut browser = Browser::open(&provider).await;
    let address = browser.go().await;
    assert!(address.starts_with(&format!("{}/authorize?", provider.issuer)), "{address}");
    let code = provider.give(&address, "olga", &["desk", "canteen"]);
    let (status, session) = browser.back(&address, &code).await;
    let session = session.unwrap();
    assert_eq!(status, StatusCode::OK);
    assert_eq!(browser.sees(&session, "/api/v1/alerts").await, StatusCode::OK);
    assert_eq!(browser.sees(&session, "/api/v1/audit").await, StatusCode::FORBIDDEN);
    let row = browser.desk.store.account(&"olga".parse().unwrap()).await.unwrap().unwrap();
    assert!(row.password.is_none() && row.outside.is_some());
    // Another day the groups are others: so are the rights, and older sessions end.
    let address = browser.go().await;
    let code = provider.give(&address, "olga", &["audit"]);
    let (_, other) = browser.back(&address, &code).await;
    let other = other.unwrap();
    assert_eq!(browser.sees(&session, "/api/v1/alerts").await, StatusCode::UNAUTHORIZED);
    assert_eq!(browser.sees(&other, "/api/v1/audit").await, StatusCode::OK);
    assert_eq!(
        browser.desk.token("olga", "anything at all", "").await,
        Err(StatusCode::UNAUTHORIZED)
    );
}

#[tokio::test]
async fn an_answer_to_another_attempt_or_of_nobody_in_a_group_lets_nobody_in() {
    let provider = Provider::start().await;
    let mut browser = Browser::open(&provider).await;
    let refused = (StatusCode::UNAUTHORIZED, None);
    let address = browser.go().await;
    let code = provider.give(&address, "eve", &["canteen"]);
    assert_eq!(browser.back(&address, &code).await, refused, "in no group that has a role");
    assert!(browser.desk.store.account(&"eve".parse().unwrap()).await.unwrap().is_none());
    // A code of one attempt, brought to another: state, nonce and verifier are others.
    let first = browser.go().await;
    let code = provider.give(&first, "olga", &["desk"]);
    let stolen = browser.attempt.clone();
    let second = browser.go().await;
    assert_eq!(browser.back(&first, &code).await, refused, "another state");
    assert_eq!(browser.back(&second, &code).await, refused, "another verifier");
    // The code was used up by the wrong verifier; and a code works once.
    browser.attempt = stolen;
    assert_eq!(browser.back(&first, &code).await, refused, "a used code");
    browser.attempt = "__Host-attempt=AAAA".to_owned();
    assert_eq!(browser.back(&first, "code").await, refused, "an attempt nobody made");
    let denied = browser.desk.audited("sign_in_outside").await;
    assert_eq!(denied.len(), 5, "{denied:?}");
}

#[tokio::test]
async fn a_name_outside_is_no_account_here() {
    let provider = Provider::start().await;
    let mut browser = Browser::open(&provider).await;
    browser.desk.person("root", &[("ruvvo", Role::Supervisor)]).await;
    let address = browser.go().await;
    let code = provider.give(&address, "root", &["audit"]);
    let (_, session) = browser.back(&address, &code).await;
    let actor = browser.desk.people.actor(session.as_deref()).await.unwrap().unwrap();
    assert!(actor.id().starts_with("x-"), "{}", actor.id());
}
