//! The desk's pages over a real store: what they show, that nothing typed by others becomes markup,
//! and that every form works without JavaScript.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use tidewaiter_proto::alert::{Alert, Reason, Severity};

use crate::http::tests::Desk;
use crate::inspection::{Opener, summary};
use crate::store::tests::{Sender, alert, now};
use crate::store::{Pending, PendingWork};

const HOSTILE: &str = "<script>alert('x')</script>";

fn said(text: &str) -> Alert {
    let reason = Reason {
        rule: "r".to_owned(),
        rule_version: "1".to_owned(),
        text: text.to_owned(),
        seen: Vec::new(),
        records: Vec::new(),
        legal_basis: String::new(),
    };
    Alert { reasons: vec![reason], ..alert(Severity::High) }
}

async fn form(desk: &Desk, path: &str, fields: &str) -> (StatusCode, String, String) {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(fields.to_owned()))
        .unwrap();
    desk.ask(request).await
}

#[tokio::test]
async fn the_queue_shows_alerts_and_never_their_markup() {
    let desk = Desk::open().await;
    desk.raise(said(HOSTILE)).await;
    let id = alert(Severity::High).id;
    for path in ["/".to_owned(), format!("/alerts/{id}")] {
        let (status, page) = desk.get(&path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(page.contains("&#60;script&#62;alert("), "{path}: {page}");
        assert!(!page.contains("<script>alert("), "{path}");
    }
}

#[tokio::test]
async fn an_inspection_shows_its_records_and_no_name_becomes_markup() {
    let desk = Desk::open().await;
    let mut sender = Sender::new("ruvvo/dep-07");
    sender.record(
        "a",
        r#"{"type":"inspection_opened","direction":"exit","role":"passenger","movement":
            {"mode":"air","carrier":"JS","number":"272","from":"VVO","to":"FNJ"}}"#,
    );
    sender.record(
        "a",
        r#"{"type":"document_read","checks":{},"document":{"type":"passport","number":"1",
            "issuing_state":"PRK","surname":"<b>KIM</b>","given_names":"<img src=x>"}}"#,
    );
    desk.store.accept(&sender.batch(1, 2), now()).await.unwrap();
    let opener = Opener::new(desk.store.clone(), sender.server.clone());
    let key = Sender::body_key("a").0.0;
    let opened = opener.open(&sender.station, &key).await.unwrap();
    let row = summary(&sender.station, "a", key, &opened.records).unwrap();
    let work = PendingWork::Inspection(sender.station.clone(), key);
    let pending = Pending { number: 0, work };
    desk.store.put_assessment(pending, vec![row], vec![said("why")], now()).await.unwrap();
    for path in ["/inspections/ruvvo/dep-07/a".to_owned(), format!("/alerts/{}", said("").id)] {
        let (status, page) = desk.get(&path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(page.contains("&#60;b&#62;KIM"), "{path}: {page}");
        assert!(!page.contains("<b>KIM") && !page.contains("<img src=x"), "{path}");
    }
    let (_, list) = desk.get("/inspections").await;
    assert!(list.contains("JS272 VVO → FNJ"), "{list}");
}

#[tokio::test]
async fn a_form_without_what_it_needs_comes_back_as_it_was_typed() {
    let desk = Desk::open().await;
    desk.raise(said("why")).await;
    let path = format!("/alerts/{}/actions", said("").id);
    let (status, _, page) =
        form(&desk, &path, "action=comment&version=1&officer=&text=typed%20words").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("typed words"), "{page}");
    let (status, _, _) = form(&desk, &path, "action=close&version=1&officer=s-1").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "closing needs a reason");
    let (status, place, _) = form(&desk, &path, "action=claim&version=1&officer=s-1").await;
    assert_eq!(
        (status, place.as_str()),
        (StatusCode::SEE_OTHER, path.trim_end_matches("/actions"))
    );
    let (status, _, page) = form(&desk, &path, "action=escalate&version=1&officer=s-2").await;
    assert_eq!(status, StatusCode::CONFLICT, "somebody was faster");
    assert!(page.contains("s-1"), "{page}");
}

#[tokio::test]
async fn every_page_is_there_and_an_unknown_one_says_so() {
    let desk = Desk::open().await;
    for path in ["/", "/inspections", "/network", "/stations", "/bundles"] {
        assert_eq!(desk.get(path).await.0, StatusCode::OK, "{path}");
    }
    for path in ["/alerts/nosuch", "/inspections/ruvvo/dep-07/nosuch", "/inspections/x/y/z"] {
        let (status, page) = desk.get(path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.contains("<h1>"), "{path}: {page}");
    }
}
