//! A case file verifies as it was made, and no byte of it can be altered unseen.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tidewaiter_proto::alert::{Alert, Reason, Severity};

use super::check::check;
use super::{CaseFile, SignedCase};
use crate::bundle::seal::{Checker, Signer};
use crate::case::build::sign;
use crate::http::tests::Desk;
use crate::inspection::{Opener, summary};
use crate::store::tests::{Sender, alert, now};
use crate::store::{Pending, PendingWork};

/// A desk with one inspection of four records (of which one moves a sealed bag) and its alert.
pub(crate) async fn desk_with_a_case() -> Desk {
    let desk = Desk::open().await;
    let mut sender = Sender::new("ruvvo/dep-07");
    sender.notes(2);
    for body in [
        r#"{"type":"inspection_opened","direction":"exit","role":"passenger","movement":
            {"mode":"air","carrier":"JS","number":"272","from":"VVO","to":"FNJ"}}"#,
        r#"{"type":"document_read","checks":{},"document":{"type":"passport","number":"654321987",
            "issuing_state":"PRK","surname":"KIM","given_names":"CHOL SU"}}"#,
        r#"{"type":"outcome_recorded","decision":"detained","officer":"o-11","seal":"S-77"}"#,
        r#"{"type":"custody_moved","seal":"S-77","from":"o-11","to":"vault"}"#,
    ] {
        sender.record("b", body);
    }
    sender.notes(1);
    let key = sender.signing.verifying();
    desk.store.register_station(&sender.station, key, now()).await.unwrap();
    desk.store.accept(&sender.batch(1, 7), now()).await.unwrap();
    let opener = Opener::new(desk.store.clone(), sender.server.clone());
    let id = Sender::body_key("b").0.0;
    let opened = opener.open(&sender.station, &id).await.unwrap();
    let mut row = summary(&sender.station, "b", id, &opened.records).unwrap();
    let records: Vec<_> = opened.records.iter().map(|opened| opened.record.clone()).collect();
    let calendar =
        crate::facts::Calendar { regimes: vec!["EU".to_owned()], country: "FI".to_owned() };
    let reason = Reason {
        rule: "undeclared".to_owned(),
        rule_version: "1".to_owned(),
        text: "USD 192,300 was carried and not declared".to_owned(),
        seen: Vec::new(),
        records: vec![5],
        legal_basis: String::new(),
    };
    let found = Alert {
        id: "a_case".to_owned(),
        inspection: Some("b".to_owned()),
        reasons: vec![reason],
        ..alert(Severity::Critical)
    };
    row.facts = crate::facts::facts(&opener, &records, &[], &calendar);
    let work = PendingWork::Inspection(sender.station.clone(), id);
    let pending = Pending { number: 0, work };
    desk.store.put_assessment(pending, vec![row], vec![found], now()).await.unwrap();
    desk
}

async fn exported(desk: &Desk) -> Vec<u8> {
    let making = json!({"title": "The shoe box", "alerts": ["a_case"]});
    let (status, case) = desk.post("/api/v1/cases", &making).await;
    assert_eq!(status, StatusCode::CREATED, "{case}");
    let path = format!("/api/v1/cases/{}/export", case["id"].as_str().unwrap());
    let (status, _) = desk.post(&path, &json!({"reason": " "})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "a reason is needed");
    let (status, whole) = desk.post(&path, &json!({"reason": "for the court"})).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(whole["signed"]["format"], "tidewaiter-case/v1");
    desk.raw(&path, &json!({"reason": "for the court"})).await
}

fn keys(desk: &Desk) -> (Checker, Signer) {
    let authority = crate::authority::Authority::open(desk.directory.path()).unwrap();
    let checker = Checker::read(&authority.bundle_public_file()).unwrap();
    (checker, Signer::read(&authority.bundle_key_file()).unwrap())
}

fn failed(bytes: &[u8], checker: &Checker) -> Vec<String> {
    let checks = check(bytes, Some(checker), None);
    checks.into_iter().filter(|check| !check.passed).map(|check| check.name).collect()
}

#[tokio::test]
async fn a_case_verifies_as_it_was_made_and_under_the_servers_key_only() {
    let desk = desk_with_a_case().await;
    let bytes = exported(&desk).await;
    let (checker, _) = keys(&desk);
    let checks = check(&bytes, Some(&checker), None);
    assert!(checks.iter().all(|check| check.passed), "{checks:?}");
    let said = |name: &str| checks.iter().find(|c| c.name == name).unwrap().detail.clone();
    assert_eq!(said("custody"), "2 steps, as the records tell them");
    assert!(said("contents").starts_with("4 records open"), "{}", said("contents"));
    assert!(said("chains").starts_with("5 records in 1 runs"), "{}", said("chains"));
    let other = keys(&Desk::open().await).0;
    assert_eq!(failed(&bytes, &other), ["signature"]);
    assert!(!check(&bytes, None, None).iter().all(|check| check.passed));
}

#[tokio::test]
async fn no_byte_of_a_case_can_be_altered() {
    let desk = desk_with_a_case().await;
    let bytes = exported(&desk).await;
    let (checker, _) = keys(&desk);
    let start = String::from_utf8_lossy(&bytes).find("tidewaiter-case").unwrap();
    let end = String::from_utf8_lossy(&bytes).rfind("\"signature\": \"untrusted").unwrap();
    for at in (start..end).step_by(97) {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        assert!(!failed(&altered, &checker).is_empty(), "byte {at}");
    }
}

/// Even who has the server's key cannot make the records say something else.
#[tokio::test]
async fn a_case_that_was_altered_and_signed_again_contradicts_itself() {
    let desk = desk_with_a_case().await;
    let bytes = exported(&desk).await;
    let (checker, signer) = keys(&desk);
    let signed: SignedCase = serde_json::from_slice(&bytes).unwrap();
    let case: Value = serde_json::from_str(signed.signed.get()).unwrap();
    type Alter = fn(&mut Value);
    let alterations: [(&str, Alter); 7] = [
        ("contents", |case| {
            case["inspections"][0]["records"][1]["body"]["document"]["surname"] = json!("LEE");
        }),
        ("contents", |case| {
            case["inspections"][0]["records"].as_array_mut().unwrap().remove(0);
        }),
        ("custody", |case| case["inspections"][0]["custody"][1]["to"] = json!("nobody")),
        ("chains", |case| {
            let runs = case["runs"][0]["records"].as_array_mut().unwrap();
            let stored = runs[1]["stored"].clone();
            runs[0]["stored"] = stored;
        }),
        ("chains", |case| {
            case["runs"][0]["records"].as_array_mut().unwrap().remove(1);
        }),
        ("heads", |case| case["stations"] = json!([])),
        ("alerts", |case| {
            case["alerts"][0]["decisions"] = json!([]);
        }),
    ];
    for (number, (name, alter)) in alterations.into_iter().enumerate() {
        let mut altered = case.clone();
        alter(&mut altered);
        let altered: CaseFile = serde_json::from_str(&altered.to_string()).unwrap();
        let bytes = sign(&altered, &signer).unwrap();
        let failed = failed(&bytes, &checker);
        assert!(failed.iter().any(|failed| failed == name), "alteration {number}: {failed:?}");
    }
}
