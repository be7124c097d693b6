//! What people do at the desk: filters, search, orders, files, silences, merging, bulk, versions.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tidewaiter_proto::alert::Severity;

use super::{Desk, numbered};
use crate::case::tests::desk_with_a_case;
use crate::store::tests::{Sender, now};

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_filter_of_the_queue_lets_through_what_fits_and_nothing_else() {
    let desk = desk_with_a_case().await;
    desk.raise(numbered(1, Severity::Low)).await;
    for (query, fits) in [
        ("site=ruvvo", true),
        ("site=nosuc", false),
        ("severity=critical", true),
        ("severity=high,medium", false),
        ("state=new,claimed", true),
        ("state=closed", false),
        ("rule=undeclared", true),
        ("rule=undecl", false),
        ("route=vvo-fnj", true),
        ("route=VVO-PEK", false),
        ("assignee=-", true),
        ("assignee=s-1", false),
        ("newer=1", true),
        ("older=1", false),
        ("aside=alone", false),
        ("list=ofac", false),
        ("currency=XXX", false),
        ("inspection=b", true),
    ] {
        let page = desk.json(&format!("/api/v1/alerts?{query}")).await;
        assert_eq!(ids(&page).contains(&"a_case".to_owned()), fits, "{query}: {page}");
    }
    for wrong in ["amount=x", "newer=-1", "aside=no", "order=up"] {
        let (status, _) = desk.get(&format!("/api/v1/alerts?{wrong}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn a_traveller_is_found_by_name_in_any_script_by_document_and_by_what_came_of_it() {
    let desk = desk_with_a_case().await;
    for query in [
        "q=Kim%20Chol-su",
        "q=%EA%B9%80%EC%B2%A0%EC%88%98",
        "q=%D0%9A%D0%B8%D0%BC%20%D0%A7%D1%85%D0%BE%D0%BB%D1%8C%20%D0%A1%D1%83&kind=name",
        "q=654-321%20987",
        "q=S-77&kind=number",
        "q=JS272",
    ] {
        let found = desk.json(&format!("/api/v1/search?{query}")).await;
        assert_eq!(found["inspections"][0]["inspection"], "b", "{query}: {found}");
    }
    for query in ["q=Schmidt", "q=P-632", "q=192300"] {
        let found = desk.json(&format!("/api/v1/search?{query}")).await;
        assert_eq!(found["inspections"], json!([]), "{query}");
    }
    // Each search is kept, and none of the names.
    let audit = desk.store.audit("", "", i64::MAX, 100).await.unwrap();
    let searches: Vec<_> = audit.iter().filter(|entry| entry.action == "search").collect();
    assert_eq!(searches.len(), 9);
    let told = format!("{searches:?}").to_lowercase();
    assert!(!told.contains("kim") && !told.contains("654321987"), "{told}");
}

#[tokio::test]
async fn who_decides_on_what_has_changed_since_changes_nothing() {
    let desk = Desk::open().await;
    desk.raise(numbered(1, Severity::High)).await;
    let acts = (0..12).map(|number| {
        let act = json!({"action": "claim", "officer": format!("s-{number}"), "version": 1});
        async { desk.post("/api/v1/alerts/a_1/actions", &{ act }).await }
    });
    let answers = futures_util::future::join_all(acts).await;
    let done: Vec<_> = answers.iter().filter(|(status, _)| *status == StatusCode::OK).collect();
    assert_eq!(done.len(), 1, "{answers:?}");
    let shown = desk.json("/api/v1/alerts/a_1").await;
    assert_eq!(shown["assignee"], done[0].1["assignee"]);
    for (status, answer) in answers.iter().filter(|(status, _)| *status != StatusCode::OK) {
        assert_eq!((*status, &answer["current"]["version"]), (StatusCode::CONFLICT, &json!(2)));
    }
    assert_eq!(shown["decisions"].as_array().unwrap().len(), 2, "no update was lost or doubled");
}

#[tokio::test]
async fn bulk_work_is_answered_item_by_item() {
    let desk = Desk::open().await;
    for number in 1..=3 {
        desk.raise(numbered(number, Severity::High)).await;
    }
    let alerts = json!([{"id": "a_1", "version": 1}, {"id": "a_2", "version": 7},
        {"id": "none", "version": 1}, {"id": "a_3", "version": 1}]);
    let bulk = json!({"alerts": alerts, "action": "assign", "to": "s-9", "officer": "s-1"});
    let (status, answer) = desk.post("/api/v1/alerts/actions", &bulk).await;
    assert_eq!(status, StatusCode::OK);
    let done: Vec<_> = answer["items"].as_array().unwrap().iter().map(|i| &i["done"]).collect();
    assert_eq!(done, [true, false, false, true]);
    assert_eq!(answer["items"][1]["status"], 409);
    assert_eq!(desk.json("/api/v1/alerts/a_3").await["assignee"], "s-9");
    let many: Vec<Value> = (0..501).map(|_| json!({"id": "a_1", "version": 1})).collect();
    let (status, _) =
        desk.post("/api/v1/alerts/actions", &json!({"alerts": many, "action": "claim"})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn what_is_put_aside_leaves_the_queue_and_comes_back() {
    let desk = Desk::open().await;
    for number in 1..=3 {
        desk.raise(numbered(number, Severity::High)).await;
    }
    let queue = "/api/v1/alerts?state=new,claimed,waiting,escalated&aside=hidden";
    let (status, _) = desk.post("/api/v1/alerts/a_1/merge", &json!({"alerts": ["a_2"]})).await;
    assert_eq!(status, StatusCode::OK);
    assert!(!ids(&desk.json(queue).await).contains(&"a_2".to_owned()));
    let until = now() + jiff::SignedDuration::from_hours(8);
    let snooze = json!({"action": "snooze", "officer": "s-1", "version": 1, "until": until});
    let (status, row) = desk.post("/api/v1/alerts/a_3/actions", &snooze).await;
    assert_eq!((status, &row["state"]), (StatusCode::OK, &json!("waiting")));
    assert_eq!(ids(&desk.json(queue).await), ["a_1"]);
    let aside = desk.json("/api/v1/alerts?aside=alone").await;
    assert_eq!(ids(&aside).into_iter().collect::<BTreeSet<_>>().len(), 2);
    // What speaks for another takes it along when it is closed.
    let version = desk.json("/api/v1/alerts/a_1").await["version"].clone();
    let close =
        json!({"action": "close", "officer": "s-1", "version": version, "reason": "cleared"});
    let (status, _) = desk.post("/api/v1/alerts/a_1/actions", &close).await;
    assert_eq!(status, StatusCode::OK);
    let child = desk.json("/api/v1/alerts/a_2").await;
    assert_eq!(child["state"], "closed");
    let reopen = json!({"action": "reopen", "officer": "s-1", "version": child["version"],
        "text": "not the same after all"});
    let (status, row) = desk.post("/api/v1/alerts/a_2/actions", &reopen).await;
    assert_eq!((status, &row["merged_into"]), (StatusCode::OK, &Value::Null));
    assert!(ids(&desk.json(queue).await).contains(&"a_2".to_owned()));
}

#[tokio::test]
async fn a_silence_has_an_author_a_reason_and_an_end() {
    let desk = Desk::open().await;
    desk.raise(numbered(1, Severity::High)).await;
    let ask = |reason: &str, hours: u32| json!({"like": "a_1", "reason": reason, "hours": hours});
    for wrong in [ask("", 1), ask("why", 0), ask("why", 10_000)] {
        let (status, _) = desk.post("/api/v1/silences", &wrong).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    let (status, silence) = desk.post("/api/v1/silences", &ask("known crew", 24)).await;
    assert_eq!(status, StatusCode::CREATED, "{silence}");
    let hidden = "/api/v1/alerts?aside=hidden";
    assert_eq!(ids(&desk.json(hidden).await), [""; 0]);
    let path = format!("/api/v1/silences/{}/end", silence["id"].as_str().unwrap());
    assert_eq!(desk.post(&path, &json!({})).await.0, StatusCode::NO_CONTENT);
    assert_eq!(ids(&desk.json(hidden).await), ["a_1"]);
    assert_eq!(desk.post(&path, &json!({})).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_order_is_kept_until_the_stations_record_says_that_it_was_shown() {
    let desk = desk_with_a_case().await;
    let ask = json!({"kind": "hold", "text": "the desk decides within ten minutes"});
    let (status, order) = desk.post("/api/v1/alerts/a_case/orders", &ask).await;
    assert_eq!((status, &order["inspection"]), (StatusCode::CREATED, &json!("b")));
    let since = now() - jiff::SignedDuration::from_hours(1);
    assert_eq!(desk.store.orders_to_send(since).await.unwrap().len(), 1);
    let (status, _) = desk.post("/api/v1/alerts/a_case/orders", &json!({"kind": "burn"})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_file_is_taken_by_what_it_is_and_given_out_to_be_kept() {
    let desk = Desk::open().await;
    desk.raise(numbered(1, Severity::High)).await;
    let send = |bytes: &'static [u8]| {
        Request::post("/api/v1/alerts/a_1/attachments?name=..%2Fscan.png")
            .body(Body::from(bytes))
            .unwrap()
    };
    let (status, _, body) = desk.ask(send(b"\x89PNG\r\n\x1a\nrest")).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");
    let row: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&row["name"], &row["media_type"]), (&json!("scan.png"), &json!("image/png")));
    for wrong in [&b"MZ\x90\0\0"[..], b"", b"\x89PNG\r\n\x1a\nrest"] {
        assert_eq!(desk.ask(send(wrong)).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let path = format!("/api/v1/alerts/a_1/attachments/{}", row["sha256"].as_str().unwrap());
    let response = desk.response(Request::get(&path).body(Body::empty()).unwrap()).await;
    let kept = response.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().to_owned();
    assert!(kept.starts_with("attachment; filename=\"scan.png\""), "{kept}");
}

#[tokio::test]
async fn a_request_said_twice_is_done_once() {
    let desk = desk_with_a_case().await;
    let send = |key: &str, title: &str| {
        Request::post("/api/v1/cases")
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", key)
            .body(Body::from(json!({"title": title, "alerts": ["a_case"]}).to_string()))
            .unwrap()
    };
    let (status, _, first) = desk.ask(send("k-1", "one")).await;
    assert_eq!(status, StatusCode::CREATED, "{first}");
    let (status, _, again) = desk.ask(send("k-1", "one")).await;
    assert_eq!((status, again), (StatusCode::CREATED, first));
    let (status, _, _) = desk.ask(send("k-1", "another")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let cases = desk.json("/api/v1/cases").await;
    assert_eq!(cases["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn clocks_and_figures_tell_what_the_records_say() {
    let desk = desk_with_a_case().await;
    // Not in force in 2018: no clock of that law runs.
    assert_eq!(desk.json("/api/v1/clocks").await["items"], json!([]));
    let rules = desk.json("/api/v1/figures/rules?from=2018-01-01&to=2030-01-01").await;
    assert_eq!(
        (&rules["items"][0]["rule"], &rules["items"][0]["open"]),
        (&json!("undeclared"), &json!(1))
    );
    let coverage = desk.json("/api/v1/figures/coverage").await;
    assert_eq!(
        (&coverage["items"][0]["movement"], &coverage["items"][0]["inspected"]),
        (&json!("JS272"), &json!(1))
    );
    let (status, sheet) = desk.get("/api/v1/figures/coverage/csv").await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        sheet.starts_with(
            "movement,day,way,risk,on-board,inspected,share-inspected,decided\nJS272,2018-11-16,VVO-FNJ,"
        ),
        "{sheet}"
    );
    assert_eq!(coverage["items"][0]["on_board"], Value::Null);
    assert_eq!(desk.get("/api/v1/figures/nosuch").await.0, StatusCode::NOT_FOUND);
    assert_eq!(desk.get("/api/v1/figures/ways?from=x").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn coverage_tells_how_many_were_on_board_where_a_record_of_the_movement_says_so() {
    let desk = desk_with_a_case().await;
    let mut sender = Sender::new("ruvvo/dep-08");
    for (number, persons, minute) in [("272", 140, 10), ("0272", 131, 20), ("999", 7, 30)] {
        let body = json!({"type": "movement_seen", "on_board": persons, "movement":
            {"mode": "air", "carrier": "JS", "number": number, "from": "VVO", "to": "FNJ"}});
        let at = now().checked_add(jiff::Span::new().minutes(minute)).unwrap();
        sender.loose(&body.to_string(), at);
    }
    let key = sender.signing.verifying();
    desk.store.register_station(&sender.station, key, now()).await.unwrap();
    desk.store.accept(&sender.batch(1, 3), now()).await.unwrap();
    let coverage = desk.json("/api/v1/figures/coverage").await;
    let flight = &coverage["items"][0];
    assert_eq!(
        (
            &flight["movement"],
            &flight["on_board"],
            &flight["inspected"],
            &flight["share_inspected"]
        ),
        (&json!("JS272"), &json!(131), &json!(1), &json!("0.008"))
    );
    let page = desk.get("/figures").await.1;
    assert!(page.contains("<bdi>131</bdi>"), "{page}");
}

#[tokio::test]
async fn every_page_of_the_desk_is_there() {
    let desk = desk_with_a_case().await;
    for path in
        ["/search", "/search?q=kim", "/cases", "/figures", "/?together=rule", "/alerts/a_case"]
    {
        let (status, page) = desk.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {page}");
    }
}

/// The document says what there is, and there is what it says.
#[tokio::test]
async fn the_document_and_the_routes_are_the_same() {
    let desk = Desk::open().await;
    let described = desk.json("/openapi.json").await;
    let mut told = BTreeSet::new();
    for (path, methods) in described["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            told.insert((method.to_uppercase(), path.clone()));
        }
    }
    let there: BTreeSet<_> = desk
        .table
        .iter()
        .filter(|stated| stated.path.starts_with("/api/") || stated.path == "/healthz")
        .map(|stated| (stated.method.to_string(), stated.path.to_owned()))
        .collect();
    let lacking: Vec<_> = there.difference(&told).collect();
    assert!(lacking.is_empty(), "not described: {lacking:?}");
    let told: BTreeSet<_> =
        told.into_iter().filter(|(_, path)| path.starts_with("/api/")).collect();
    let invented: Vec<_> = told.difference(&there).collect();
    assert!(invented.is_empty(), "described and not there: {invented:?}");
}
