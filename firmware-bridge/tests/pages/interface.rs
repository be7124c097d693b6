//! What programs ask of a station.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tidewaiter_proto::seal::{BodyKey, ServerSecret};
use tidewaiter_proto::stored::Stored;

use crate::browser::Lane;
use crate::common::{counted, declared, document, event};

fn without_type(mut body: Value) -> Value {
    body.as_object_mut().unwrap().remove("type");
    body
}

#[tokio::test]
async fn an_inspection_is_opened_declared_counted_and_decided() {
    let lane = Lane::new();
    let opened = lane
        .tell(
            "/api/v1/inspections",
            &json!({"direction": "entry", "role": "master", "officer": "o-11", "movement": {
                "mode": "sea", "from": "KPCHO", "to": "RUVVO", "vessel": {"name": "Tu Ru Bong 2"}}}),
            None,
        )
        .await;
    assert_eq!(opened.status, StatusCode::CREATED, "{}", opened.text);
    let id = opened.json()["inspection"].as_str().unwrap().to_owned();
    let at = |what: &str| format!("/api/v1/inspections/{id}/{what}");
    let said = lane.tell(&at("declaration"), &without_type(declared()), None).await;
    assert_eq!((said.status, &said.json()["seq"]), (StatusCode::CREATED, &json!(2)));
    let said = lane.tell(&at("counts"), &without_type(counted(5)), None).await;
    assert_eq!(said.json()["hash"].as_str().map(str::len), Some(64), "{}", said.text);
    let list = lane.get("/api/v1/inspections").await.json();
    assert_eq!(list["open"], json!(id));
    let shown = lane.get(&format!("/api/v1/inspections/{id}")).await.json();
    assert_eq!(shown["records"][1]["body"]["type"], "declaration_made");
    assert_eq!(shown["records"][1]["source"], json!({"agent": "interface"}));
    assert_eq!(shown["tally"]["comparison"][0]["counted"], "500");
    assert_eq!(
        (&shown["open"], &shown["alerts"][0]["station"]),
        (&json!(true), &json!("ruvvo/dep-07"))
    );
    let reasons = json!({"decision": "referred", "reasons": ["to the port"], "officer": "o-11"});
    let said = lane.tell(&at("outcome"), &reasons, None).await;
    assert_eq!(said.status, StatusCode::CREATED, "{}", said.text);
    assert_eq!(lane.get("/api/v1/inspections").await.json()["open"], Value::Null);
}

#[tokio::test]
async fn a_field_that_nobody_here_knows_is_kept() {
    let lane = Lane::new();
    let id = lane.harmless().await;
    let path = format!("/api/v1/inspections/{id}/declaration");
    let mut body = without_type(declared());
    body["officer"] = json!("o-11");
    let said = lane.tell(&path, &body, None).await;
    assert_eq!(said.status, StatusCode::CREATED, "{}", said.text);
    let seq = said.json()["seq"].as_u64().unwrap();
    // As the server opens it.
    let run = lane.station.ledger().run(1, seq, seq, 1 << 16).unwrap();
    let (key, wrapped) = run.keys[0];
    let secret = ServerSecret::from_bytes([2; 32]);
    let key = BodyKey::unwrap_for_server(key, &secret, &wrapped).unwrap();
    let opened = Stored::parse(&run.records[0]).unwrap().open(&key).unwrap();
    let kept: Value = serde_json::from_str(&opened.body_json).unwrap();
    assert_eq!((&kept["type"], &kept["shoe_size"]), (&json!("declaration_made"), &json!(43)));
    assert_eq!(kept.get("officer"), None, "who took it is the record's source");
}

#[tokio::test]
async fn the_same_key_is_recorded_once_and_answered_alike() {
    let lane = Lane::new();
    let id = lane.harmless().await;
    let path = format!("/api/v1/inspections/{id}/declaration");
    let body = without_type(declared());
    let first = lane.tell(&path, &body, Some("k-1")).await.json();
    assert_eq!(lane.tell(&path, &body, Some("k-1")).await.json(), first);
    assert_ne!(lane.tell(&path, &body, Some("k-2")).await.json(), first);
    assert_eq!(lane.types(&id).len(), 3);
    let refused = lane.tell(&path, &body, Some(&"k".repeat(129))).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_named() {
    let lane = Lane::new();
    let id = lane.passenger(1923).await;
    let at = |what: &str| format!("/api/v1/inspections/{id}/{what}");
    let mut missing = without_type(declared());
    missing.as_object_mut().unwrap().remove("reference");
    let mut negative = without_type(declared());
    negative["items"][0]["amount"] = json!("-5");
    let mut wrong = without_type(counted(5));
    wrong["certainty"] = json!("nearly");
    let released = json!({"decision": "released", "officer": "o-11"});
    let detained = json!({"decision": "detained", "officer": "o-11", "reasons": ["x"],
        "legal_basis": "Art. 260", "seal": "S-1"});
    let nobody = json!({"decision": "released", "officer": "a b", "reasons": ["x"]});
    for (path, body, field) in [
        (at("declaration"), &missing, "reference"),
        (at("declaration"), &negative, "items"),
        (at("counts"), &wrong, "certainty"),
        (at("outcome"), &released, "reasons"),
        (at("outcome"), &detained, "items"),
        (at("outcome"), &nobody, "officer"),
    ] {
        let answer = lane.tell(&path, body, None).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(answer.json()["field"], field, "{}", answer.text);
    }
    let form = lane.post(&at("declaration"), "reference=1").await;
    assert_eq!(form.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let lane = Lane::new();
    for path in ["/api/v1/inspections/none", "/api/v1/nothing"] {
        let answer = lane.get(path).await;
        assert_eq!((answer.status, &answer.json()["status"]), (StatusCode::NOT_FOUND, &json!(404)));
    }
    let outcome = json!({"decision": "released", "officer": "o-11"});
    let answer = lane.tell("/api/v1/inspections/none/outcome", &outcome, None).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    for path in [
        "/inspections/none",
        "/inspections/none/outcome",
        "/inspections/none/count",
        "/inspections/none/observation",
        "/inspections/none/declaration",
        "/nothing",
    ] {
        let page = lane.get(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.shows("There is nothing at this address"), "{path}");
    }
    let posted = lane.post("/inspections/none/outcome", "decision=released").await;
    assert_eq!(posted.status, StatusCode::NOT_FOUND);
    assert_eq!(lane.station.ledger().head().1.seq, 0);
}

#[tokio::test]
async fn another_sites_page_records_nothing() {
    let lane = Lane::new();
    let id = lane.harmless().await;
    let form = "decision=released";
    let path = format!("/inspections/{id}/outcome");
    for site in ["cross-site", "same-site"] {
        assert_eq!(lane.post_from(&path, form, site).await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(lane.types(&id), ["inspection_opened"]);
}

#[tokio::test]
async fn the_list_is_paged() {
    let lane = Lane::new();
    let mut opened = Vec::new();
    for _ in 0..5 {
        opened.push(lane.harmless().await);
    }
    for _ in 0..500 {
        if lane.station.inspections(9).len() == 5 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let mut seen = Vec::new();
    let mut path = "/api/v1/inspections?limit=2".to_owned();
    loop {
        let page = lane.get(&path).await.json();
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["inspection"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/inspections?limit=2&after={next}");
    }
    opened.reverse();
    assert_eq!(seen, opened);
    for query in ["limit=0", "limit=x", "after=none", "page=2"] {
        let answer = lane.get(&format!("/api/v1/inspections?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn a_change_is_told_to_who_listens() {
    let lane = Lane::new();
    let request = Request::get("/api/v1/live").body(Body::empty()).unwrap();
    let mut stream = lane.open(request).await.into_body().into_data_stream();
    let first = stream.next().await.unwrap().unwrap();
    assert_eq!(&first[..], b": tidewaiter\n\n");
    lane.station.event("mrz-1", &event("1", &document())).await.unwrap();
    let told = stream.next().await.unwrap().unwrap();
    let told = std::str::from_utf8(&told).unwrap().to_owned();
    assert!(told.contains("event: change\n") && told.contains("data: {\"change\":"), "{told}");
}

#[tokio::test]
async fn the_program_answers_for_itself() {
    let lane = Lane::new();
    lane.harmless().await;
    assert_eq!(lane.get("/healthz").await.text, "ok\n");
    assert_eq!(lane.get("/readyz").await.text, "ready\n");
    let ledger = lane.get("/api/v1/ledger").await.json();
    assert_eq!(
        (&ledger["seq"], &ledger["backlog"], &ledger["recording"]),
        (&json!(1), &json!(1), &json!(true))
    );
    assert!(lane.get("/metrics").await.shows("\ntidewaiter_records_total 1\n"));
    let set = lane
        .tell("/api/v1/demonstration/clock", &json!({"now": "2018-10-02T08:10:00Z"}), None)
        .await;
    assert!(set.json()["now"].as_str().unwrap().starts_with("2018-10-02T08:10:00"));
    assert!(lane.get("/").await.shows("2 October 2018"));
    let description = lane.get("/openapi.json").await.json();
    for (path, operations) in description["paths"].as_object().unwrap() {
        if operations.get("get").is_some() && !path.contains('{') && path != "/api/v1/live" {
            assert_eq!(lane.get(path).await.status, StatusCode::OK, "{path}");
        }
    }
}
