//! What takes two, over a real store: asked, answered, done once; and refused by the tables
//! themselves when the program above is left out.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tidewaiter_people::matter::Matter;
use tidewaiter_people::role::Role;
use tidewaiter_proto::alert::{AlertCode, ListHit, Severity};

use super::Desk;
use crate::inspection::{Opener, summary};
use crate::store::tests::{Sender, alert, now};
use crate::store::{ApprovalRow, Note, Pending, PendingWork, state_name};

const INSPECTION: &str = "ruvvo/dep-07/a";

impl Desk {
    async fn bearer(&self, path: &str, token: &str, body: &Value) -> (StatusCode, Value) {
        let request = Request::post(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let (status, _, text) = self.ask(request).await;
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn ask_for(&self, token: &str, asking: &Value) -> (StatusCode, String) {
        let (status, answer) = self.bearer("/api/v1/matters", token, asking).await;
        (status, answer["id"].as_str().unwrap_or_default().to_owned())
    }

    async fn agree(&self, token: &str, id: &str) -> StatusCode {
        self.bearer(&format!("/api/v1/matters/{id}"), token, &json!({"agree": true})).await.0
    }

    /// An inspection in which `o-11` counted and detained.
    async fn counted(&self) {
        let mut sender = Sender::new("ruvvo/dep-07");
        for body in [
            r#"{"type":"inspection_opened","direction":"exit","role":"passenger","movement":
                {"mode":"air","carrier":"JS","number":"272","from":"VVO","to":"FNJ"}}"#,
            r#"{"type":"document_read","checks":{},"document":{"type":"passport","number":"1",
                "issuing_state":"PRK","surname":"KIM","given_names":"CHOL SU"}}"#,
            r#"{"type":"cash_counted","count":1,"blind":true,"officer":"o-11","certainty":"exact",
                "items":[{"currency":"USD","denomination":"100","pieces":200}]}"#,
            r#"{"type":"outcome_recorded","decision":"detained","items":[],"reasons":["x"],
                "officer":"k-3"}"#,
        ] {
            sender.record("a", body);
        }
        let key = sender.signing.verifying();
        self.store.register_station(&sender.station, key, now()).await.unwrap();
        self.store.accept(&sender.batch(1, 4), now()).await.unwrap();
        let opener = Opener::new(self.store.clone(), sender.server.clone());
        let key = Sender::body_key("a").0.0;
        let opened = opener.open(&sender.station, &key).await.unwrap();
        let row = summary(&sender.station, "a", key, &opened.records).unwrap();
        let work = PendingWork::Inspection(sender.station.clone(), key);
        let pending = Pending { number: 0, work };
        self.store.put_assessment(pending, vec![row], Vec::new(), now()).await.unwrap();
    }

    /// What somebody does who manages the database and goes past the program.
    async fn by_hand(&self, text: &'static str) -> Result<(), String> {
        let file = self.directory.path().join("server.sqlite");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let mut hand = sqlx::ConnectOptions::connect(&options).await.unwrap();
        sqlx::query(text).execute(&mut hand).await.map(|_| ()).map_err(|error| error.to_string())
    }
}

#[tokio::test]
async fn who_counted_or_decided_agrees_to_nothing_about_it() {
    let desk = Desk::locked().await;
    desk.counted().await;
    let asks = desk.person("s-1", &[("ruvvo", Role::Supervisor)]).await;
    let counted = desk.person("o-11", &[("ruvvo", Role::Senior)]).await;
    let decided = desk.person("k-3", &[("ruvvo", Role::Senior)]).await;
    let other = desk.person("k-1", &[("ruvvo", Role::Senior)]).await;
    let away = desk.person("k-2", &[("jpnrt", Role::Senior)]).await;
    let asking = json!({"matter": "release_detained", "object": INSPECTION, "reason": "papers"});
    let (status, id) = desk.ask_for(&asks, &asking).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(desk.ask_for(&asks, &asking).await.0, StatusCode::CONFLICT, "once at a time");
    for (token, who) in [
        (&asks, "who asks"),
        (&counted, "who counted"),
        (&decided, "who decided"),
        (&away, "who has no right here"),
    ] {
        assert_eq!(desk.agree(token, &id).await, StatusCode::FORBIDDEN, "{who}");
    }
    // The same past the program: the table says no by itself.
    let counter = "o-11".parse().unwrap();
    let note = Note::done("o-11", "test", "");
    assert!(desk.store.answer_approval(&id, &counter, false, note, now()).await.is_err());
    assert_eq!(desk.agree(&other, &id).await, StatusCode::NO_CONTENT);
    let kept = desk.store.approval(&id).await.unwrap().unwrap();
    assert_eq!(kept.agreed_by.unwrap().as_str(), "k-1");
}

#[tokio::test]
async fn keys_are_erased_by_two_and_do_not_come_back() {
    let desk = Desk::locked().await;
    desk.counted().await;
    let first = desk.person("c-1", &[("ruvvo", Role::KeyCustodian)]).await;
    let second = desk.person("c-2", &[("ruvvo", Role::KeyCustodian)]).await;
    let asking = json!({"matter": "erase", "object": INSPECTION, "reason": "request 12"});
    let (status, id) = desk.ask_for(&first, &asking).await;
    assert_eq!(status, StatusCode::CREATED);
    let key = Sender::body_key("a").0.0;
    let station = "ruvvo/dep-07".parse().unwrap();
    assert!(desk.store.wrapped_key(&station, &key).await.unwrap().is_some());
    assert_eq!(desk.agree(&first, &id).await, StatusCode::FORBIDDEN);
    assert_eq!(desk.agree(&second, &id).await, StatusCode::NO_CONTENT);
    assert!(desk.store.wrapped_key(&station, &key).await.unwrap().is_none());
    // The station sends the batch again, with the key in it.
    let sender = Sender::new("ruvvo/dep-07");
    let (id, body) = Sender::body_key("a");
    let wrapped = body.wrap_for_server(id, &sender.server.public(), [2; 32]);
    desk.store.put_wrapped_key(&station, id.0, wrapped).await.unwrap();
    assert!(desk.store.wrapped_key(&station, &key).await.unwrap().is_none(), "it came back");
}

#[tokio::test]
async fn personal_data_leaves_once_and_by_two() {
    let desk = Desk::locked().await;
    desk.counted().await;
    let asks = desk.person("s-1", &[("ruvvo", Role::Supervisor)]).await;
    let custodian = desk.person("c-1", &[("ruvvo", Role::KeyCustodian)]).await;
    let other = desk.person("s-2", &[("ruvvo", Role::Supervisor)]).await;
    let asking = json!({"matter": "export_personal", "object": INSPECTION, "reason": "court"});
    let (_, id) = desk.ask_for(&asks, &asking).await;
    let fetch = format!("/api/v1/matters/{id}/export");
    let nothing = json!({});
    assert_eq!(desk.bearer(&fetch, &asks, &nothing).await.0, StatusCode::NOT_FOUND, "not yet");
    assert_eq!(desk.agree(&custodian, &id).await, StatusCode::NO_CONTENT);
    assert_eq!(desk.bearer(&fetch, &other, &nothing).await.0, StatusCode::NOT_FOUND, "not theirs");
    let (status, file) = desk.bearer(&fetch, &asks, &nothing).await;
    assert_eq!((status, &file["agreed_by"]), (StatusCode::OK, &json!("c-1")));
    assert!(file["records"].to_string().contains("CHOL SU"));
    assert_eq!(desk.bearer(&fetch, &asks, &nothing).await.0, StatusCode::NOT_FOUND, "once");
    assert_eq!(desk.audited("personal_export").await.len(), 1);
}

#[tokio::test]
async fn a_hit_that_two_set_aside_asks_nobody_again() {
    let desk = Desk::locked().await;
    let mut listed = alert(Severity::High);
    listed.code = AlertCode::ListMatch;
    listed.subject = Some("ab".repeat(16));
    let hit = |entry: &str| ListHit {
        list: "ofac".to_owned(),
        entry: entry.to_owned(),
        name: "KIM".to_owned(),
        score: 0.9,
        evidence: 0.1,
        explanation: Vec::new(),
        programme: None,
    };
    listed.hits = vec![hit("1")];
    desk.raise(listed.clone()).await;
    let first = desk.person("s-1", &[("ruvvo", Role::Supervisor)]).await;
    let second = desk.person("s-2", &[("ruvvo", Role::Supervisor)]).await;
    let asking =
        json!({"matter": "override_list", "object": listed.id, "reason": "another birth date"});
    let (status, id) = desk.ask_for(&first, &asking).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(desk.agree(&second, &id).await, StatusCode::NO_CONTENT);
    let state = async |id: &str| {
        let row = desk.store.alert(id).await.unwrap().unwrap();
        state_name(row.alert.state)
    };
    assert_eq!(state(&listed.id).await, "closed");
    // The same traveller comes again, and another entry of the list is another matter.
    let again = tidewaiter_proto::alert::Alert { id: "a_again".to_owned(), ..listed.clone() };
    desk.raise(again).await;
    assert_eq!(state("a_again").await, "closed");
    let more = tidewaiter_proto::alert::Alert {
        id: "a_more".to_owned(),
        hits: vec![hit("1"), hit("2")],
        ..listed
    };
    desk.raise(more).await;
    assert_eq!(state("a_more").await, "new");
}

#[tokio::test]
async fn glass_is_broken_by_two_for_a_time_and_looked_at_by_a_third() {
    let desk = Desk::locked().await;
    let takes = desk.person("k-1", &[("ruvvo", Role::Senior)]).await;
    let custodian = desk.person("c-1", &[("ruvvo", Role::KeyCustodian)]).await;
    let auditor = desk.person("u-1", &[("*", Role::Auditor)]).await;
    let search = "/api/v1/search?q=x";
    let may = async || desk.asked(Method::GET, search, Some(&takes), &json!({})).await.0;
    assert_eq!(may().await, StatusCode::FORBIDDEN);
    let asking = |role: &str, minutes: u32| {
        json!({"matter": "break_glass", "object": role, "site": "ruvvo", "minutes": minutes,
            "reason": "the supervisor is away and a flight leaves"})
    };
    for (role, minutes) in
        [("administrator", 10), ("key_custodian", 10), ("supervisor", 241), ("supervisor", 0)]
    {
        let (status, _) = desk.ask_for(&takes, &asking(role, minutes)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{role} {minutes}");
    }
    let (status, id) = desk.ask_for(&takes, &asking("supervisor", 30)).await;
    assert_eq!(status, StatusCode::CREATED);
    let raised = desk.store.alert(&format!("a_glass_{id}")).await.unwrap().unwrap();
    assert_eq!(raised.alert.code, AlertCode::BreakGlass, "raised at once");
    assert_eq!(may().await, StatusCode::FORBIDDEN, "asked for is not given");
    assert_eq!(desk.agree(&takes, &id).await, StatusCode::FORBIDDEN);
    assert_eq!(desk.agree(&custodian, &id).await, StatusCode::NO_CONTENT);
    assert_eq!(may().await, StatusCode::OK);
    let review = format!("/api/v1/matters/{id}/review");
    let verdict = json!({"verdict": "one search, for that flight"});
    assert_eq!(
        desk.bearer(&review, &takes, &verdict).await.0,
        StatusCode::NOT_FOUND,
        "not one's own"
    );
    assert_eq!(desk.bearer(&review, &auditor, &verdict).await.0, StatusCode::NO_CONTENT);
    assert_eq!(may().await, StatusCode::FORBIDDEN, "the review ends what is left of it");
    assert_eq!(desk.audited("break_glass_reviewed").await.len(), 1);
}

/// Each rule of the tables, with the program above left out.
#[tokio::test]
async fn the_tables_refuse_by_themselves_what_takes_two() {
    let desk = Desk::locked().await;
    desk.counted().await;
    desk.person("s-1", &[("ruvvo", Role::Supervisor)]).await;
    let mut listed = alert(Severity::High);
    listed.code = AlertCode::ListMatch;
    desk.raise(listed).await;
    let row = |id: &str, matter: Matter, object: &str| ApprovalRow {
        id: id.to_owned(),
        matter,
        object: object.to_owned(),
        site: "ruvvo".to_owned(),
        reason: "x".to_owned(),
        detail: String::new(),
        asked_by: "s-1".parse().unwrap(),
        asked_at: now(),
        agreed_by: None,
        agreed_at: None,
        refused: false,
        spent_at: None,
    };
    let note = || Note::done("s-1", "test", "");
    desk.store
        .ask_approval(row("open", Matter::Erase, INSPECTION), Vec::new(), note())
        .await
        .unwrap();
    desk.store.ask_approval(row("said", Matter::Erase, "other"), Vec::new(), note()).await.unwrap();
    let second = "s-2".parse().unwrap();
    desk.store.answer_approval("said", &second, true, note(), now()).await.unwrap();
    for (text, why) in [
        ("UPDATE alert SET state = 'closed'", "closed by two"),
        ("UPDATE body_key SET wrapped = NULL", "erased by two"),
        (
            "INSERT INTO erasure SELECT station, inspection, key_id, 'open', 1 FROM inspection",
            "erased by two",
        ),
        (
            "INSERT INTO erasure SELECT station, inspection, key_id, 'said', 1 FROM inspection",
            "erased by two",
        ),
        ("INSERT INTO list_override VALUES ('s', 'ofac', '1', 'open', 1)", "set aside by two"),
        ("INSERT INTO personal_export VALUES ('open', 1, 'x')", "leaves by two"),
        (
            "INSERT INTO break_glass (approval, account, site, role, begun_at, ends_at)
             VALUES ('open', 's-1', 'ruvvo', 'auditor', 1, 2)",
            "given by two",
        ),
        (
            "INSERT INTO activation (number, at, versions, proposed_by, confirmed_by)
             VALUES (99, 1, '{}', 's-1', 's-2')",
            "by two",
        ),
        ("UPDATE approval SET agreed_by = 's-1', agreed_at = 1 WHERE id = 'open'", "CHECK"),
        ("UPDATE approval SET spent_at = 1 WHERE id = 'open'", "not agreed to"),
        ("UPDATE approval SET refused = 0 WHERE id = 'said'", "stays as it is"),
        ("UPDATE approval SET asked_by = 's-3' WHERE id = 'open'", "stays as it is"),
        ("DELETE FROM approval WHERE id = 'said'", "not removed"),
        (
            "INSERT INTO approval (id, matter, object, site, reason, detail, asked_by, asked_at,
                agreed_by, agreed_at, refused)
             VALUES ('new', 'erase', 'x', '*', 'x', '', 's-1', 1, 's-2', 1, 0)",
            "before it is given",
        ),
        ("UPDATE audit SET actor = 'nobody'", "not altered"),
        ("DELETE FROM audit", "not removed"),
    ] {
        let refused = desk.by_hand(text).await;
        assert!(refused.as_ref().is_err_and(|said| said.contains(why)), "{text}: {refused:?}");
    }
}

#[tokio::test]
async fn a_form_without_the_pages_token_does_nothing() {
    let desk = Desk::locked().await;
    let token = desk.person("s-1", &[("ruvvo", Role::Supervisor)]).await;
    let cookie = format!("{}={token}", crate::http::guard::SESSION_COOKIE);
    let page = Request::get("/matters").header(header::COOKIE, &cookie).body(Body::empty());
    let (_, _, page) = desk.ask(page.unwrap()).await;
    let field = page.split("name=\"form-token\" value=\"").nth(1).unwrap();
    let form_token = field.split('"').next().unwrap().to_owned();
    let post = async |body: String| {
        let request = Request::post("/sign-out")
            .header(header::COOKIE, &cookie)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body));
        desk.ask(request.unwrap()).await.0
    };
    assert_eq!(post(String::new()).await, StatusCode::FORBIDDEN);
    assert_eq!(post(format!("form-token={}", "x".repeat(43))).await, StatusCode::FORBIDDEN);
    assert_eq!(post(format!("form-token={form_token}")).await, StatusCode::SEE_OTHER);
}
