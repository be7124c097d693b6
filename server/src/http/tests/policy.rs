//! A rule changes its status by two persons, over a real store: who may propose, what is refused,
//! who agrees, and that it is in force then.

use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tidewaiter_people::role::Role;

use super::Desk;
use crate::http::guard::SESSION_COOKIE;

const RULE: &str = "inspect-2270-18";

impl Desk {
    async fn sent(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: &Value,
    ) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::COOKIE, format!("{SESSION_COOKIE}={token}"))
            .body(axum::body::Body::from(body.to_string()))
            .unwrap();
        let (status, _, body) = self.ask(request).await;
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    async fn propose(&self, token: &str, proposed: &Value) -> (StatusCode, Value) {
        self.sent(Method::POST, "/api/v1/policies", token, proposed).await
    }

    async fn status_of(&self, token: &str, rule: &str) -> Value {
        let (_, policy) = self.sent(Method::GET, "/api/v1/policies", token, &Value::Null).await;
        let rules = policy["rules"].as_array().unwrap().clone();
        rules.into_iter().find(|own| own["id"] == rule).unwrap()["status"].clone()
    }
}

fn retired(reason: &str) -> Value {
    json!({"rule": RULE, "version": "1", "status": "retired", "reason": reason})
}

#[tokio::test]
async fn a_rule_changes_its_status_by_two_persons_and_by_no_fewer() {
    let desk = Desk::locked().await;
    let author = desk.person("author", &[("*", Role::RuleAuthor)]).await;
    let approver = desk.person("approver", &[("*", Role::RuleApprover)]).await;
    // One who may do both still is one person.
    let both = desk.person("both", &[("*", Role::RuleAuthor), ("*", Role::RuleApprover)]).await;
    let local = desk.person("local", &[("ruvvo", Role::RuleAuthor)]).await;
    let supervisor = desk.person("supervisor", &[("*", Role::Supervisor)]).await;
    for (token, expected) in [
        (&approver, StatusCode::FORBIDDEN),
        (&supervisor, StatusCode::FORBIDDEN),
        (&local, StatusCode::FORBIDDEN),
    ] {
        let (status, answer) = desk.propose(token, &retired("too loud")).await;
        assert_eq!(status, expected, "{answer}");
    }
    let (status, asked) = desk.propose(&both, &retired("too loud")).await;
    assert_eq!(status, StatusCode::CREATED, "{asked}");
    let matter = format!("/api/v1/matters/{}", asked["matter"].as_str().unwrap());
    let agree = json!({"agree": true});
    let (status, answer) = desk.sent(Method::POST, &matter, &both, &agree).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{answer}");
    let (status, answer) = desk.sent(Method::POST, &matter, &author, &agree).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{answer}");
    desk.force.look().await.unwrap();
    assert_eq!(desk.status_of(&author, RULE).await, "active", "nobody agreed yet");
    let (_, policy) = desk.sent(Method::GET, "/api/v1/policies", &approver, &Value::Null).await;
    let change = &policy["proposals"][0]["changes"]["rules"];
    let expected = json!([{"id": RULE, "version": "1", "before": "active", "after": "retired",
        "rewritten": false}]);
    assert_eq!((change, &policy["proposals"][0]["may_answer"]), (&expected, &json!(true)));
    let (status, answer) = desk.sent(Method::POST, &matter, &approver, &agree).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{answer}");
    desk.force.look().await.unwrap();
    assert_eq!(desk.status_of(&author, RULE).await, "retired");
    assert_eq!(desk.force.law().pack.version, asked["version"].as_str().unwrap());
    // It is in force: there is nothing to propose.
    let (status, answer) = desk.propose(&both, &retired("again")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
}

#[tokio::test]
async fn what_is_refused_stays_out_of_force_and_a_pack_with_faults_is_not_asked_about() {
    let desk = Desk::locked().await;
    let author = desk.person("author", &[("*", Role::RuleAuthor)]).await;
    let approver = desk.person("approver", &[("*", Role::RuleApprover)]).await;
    let (_, asked) = desk.propose(&author, &retired("too loud")).await;
    let matter = format!("/api/v1/matters/{}", asked["matter"].as_str().unwrap());
    let refuse = json!({"agree": false});
    let (status, _) = desk.sent(Method::POST, &matter, &approver, &refuse).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    desk.force.look().await.unwrap();
    assert_eq!(desk.status_of(&author, RULE).await, "active");
    let broken = json!({"reason": "new", "files": {"rules/own.toml": "[[rule]]\nid = \"x\"\n"}});
    let (status, answer) = desk.propose(&author, &broken).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer["detail"].as_str().unwrap().contains("rules/own.toml, line 1"), "{answer}");
    for (wrong, word) in [
        (json!({"reason": "r"}), "propose either"),
        (json!({"rule": RULE, "version": "1", "status": "loud", "reason": "r"}), "no status"),
        (json!({"rule": "x", "version": "1", "status": "draft", "reason": "r"}), "no rule x"),
        (retired(" "), "reason"),
    ] {
        let (status, answer) = desk.propose(&author, &wrong).await;
        assert!(status.is_client_error(), "{wrong}: {answer}");
        assert!(answer["detail"].as_str().unwrap().contains(word), "{wrong}: {answer}");
    }
    let (_, policy) = desk.sent(Method::GET, "/api/v1/policies", &author, &Value::Null).await;
    assert_eq!(policy["proposals"], json!([]));
}
