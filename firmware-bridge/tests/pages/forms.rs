//! What an officer does on the pages.

use axum::http::StatusCode;
use serde_json::json;
use tidewaiter_proto::body::Body;
use tidewaiter_proto::record::Source;

use crate::browser::Lane;
use crate::common::{counted, event};

#[tokio::test]
async fn a_declaration_is_made_page_by_page_recorded_and_shown() {
    let lane = Lane::new();
    let id = lane.passenger(0).await;
    let at = |step: &str| format!("/inspections/{id}/declaration/{step}");
    let begun = lane.get(&format!("/inspections/{id}/declaration")).await;
    assert_eq!((begun.status, begun.location), (StatusCode::SEE_OTHER, at("cash")));
    for (step, form, next) in [
        ("cash", "kind-0=currency&currency-0=usd&amount-0=12,000", "owner"),
        ("owner", "owner=self", "recipient"),
        ("recipient", "recipient=organisation&recipient-name=Korea+Rungrado", "origin"),
        ("origin", "provenance=labour", "use"),
        ("use", "intended_use=wages&intended_use=personal", "check"),
    ] {
        let answer = lane.post(&at(step), form).await;
        assert_eq!((answer.status, answer.location), (StatusCode::SEE_OTHER, at(next)), "{step}");
    }
    let check = lane.get(&at("check")).await;
    assert!(check.shows("Korea Rungrado") && check.shows("12,000"), "{}", check.text);
    let done = lane.post(&at("check"), "form=eaeu").await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    assert!(done.location.starts_with("/?recorded="), "{}", done.location);
    let records = lane.station.records(&id).unwrap();
    let last = records.last().unwrap();
    let Body::DeclarationMade(made) = &last.body else { panic!("{last:?}") };
    assert_eq!(last.source, Source::Officer("o-11".to_owned()));
    assert_eq!(made.intended_use, ["wages", "personal"]);
    assert!(made.reference.starts_with("DEP-07-20181116-"), "{}", made.reference);
    let page = lane.get(&done.location).await;
    assert!(page.shows("Declaration made") && page.shows("12,000") && page.shows("number 5"));
    // The draft is gone with it.
    assert!(!lane.get(&at("cash")).await.shows("12,000"));
}

#[tokio::test]
async fn a_form_with_a_mistake_keeps_what_was_typed_and_names_the_field() {
    let lane = Lane::new();
    let id = lane.passenger(0).await;
    let before = lane.types(&id).len();
    let cash = format!("/inspections/{id}/declaration/cash");
    let answer = lane.post(&cash, "kind-0=currency&currency-0=USD&amount-0=twelve").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.shows("value=\"twelve\"") && answer.shows("href=\"#amount-0\""));
    // The draft has it too: after a reload it is there.
    assert!(lane.get(&cash).await.shows("value=\"twelve\""));
    let count = format!("/inspections/{id}/count");
    let answer = lane.post(&count, "pieces-USD-100=1923&pieces-USD-50=x").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.shows("value=\"1923\"") && answer.shows("href=\"#pieces-USD-50\""));
    let open = lane.post("/open", "mode=sea&vessel=Tu+Ru+Bong+2&officer=not an id").await;
    assert_eq!(open.status, StatusCode::UNPROCESSABLE_ENTITY);
    for field in ["direction", "role", "from", "to", "officer"] {
        assert!(open.shows(&format!("href=\"#{field}\"")), "{field}");
    }
    assert!(open.shows("value=\"Tu Ru Bong 2\""));
    assert_eq!(lane.types(&id).len(), before);
}

#[tokio::test]
async fn rows_are_added_and_taken_out_without_script() {
    let lane = Lane::new();
    let id = lane.harmless().await;
    let cash = format!("/inspections/{id}/declaration/cash");
    let two = "kind-0=currency&currency-0=USD&amount-0=1&add-row=gold";
    let answer = lane.post(&cash, two).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.shows("name=\"grams-1\"") && answer.shows("value=\"USD\""));
    let less = "kind-0=currency&currency-0=USD&amount-0=1&kind-1=gold&grams-1=5&remove-row=0";
    let answer = lane.post(&cash, less).await;
    assert!(
        answer.shows("name=\"grams-0\"") && !answer.shows("spellcheck=\"false\" value=\"USD\"")
    );
}

#[tokio::test]
async fn what_a_device_reads_cannot_become_markup() {
    let lane = Lane::new();
    let read = json!({"type": "document_read", "document": {"type": "passport", "number": "1",
        "issuing_state": "PRK", "surname": "<script>alert(1)</script>", "given_names": "\"'><b>"}});
    lane.station.event("mrz-1", &event("1", &read)).await.unwrap();
    let id = lane.station.open_inspection().await.unwrap();
    for path in ["/".to_owned(), format!("/inspections/{id}"), format!("/inspections/{id}/outcome")]
    {
        let page = lane.get(&path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(!page.shows("<script>alert") && !page.shows("'><b>"), "{path}");
        // Nobody knows yet where the traveller goes; the code for that is no place.
        assert!(!page.shows("ZZZZZ"), "{path}");
        assert!(page.shows("&lt;script&gt;") || page.shows("&#60;script&#62;"), "{path}");
    }
}

#[tokio::test]
async fn a_release_over_a_grave_warning_needs_a_reason() {
    let lane = Lane::new();
    let id = lane.passenger(1923).await;
    let page = lane.get("/").await;
    // The warning comes first, with its word and its law; one press does not release.
    assert!(page.shows("warning-critical") && page.shows("Critical") && page.shows("192,300"));
    assert!(page.text.find("warning-critical") < page.text.find("person-name"));
    assert!(!page.shows("value=\"released\""));
    let outcome = format!("/inspections/{id}/outcome");
    let refused = lane.post(&outcome, "decision=released").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.shows("href=\"#reason-text\""));
    let taken = "decision=detained&kind-0=currency&currency-0=USD&amount-0=182300&\
                 reason=undeclared&legal_basis=EAEU+CC+Art.+260&seal=S-1";
    let without_seal = lane.post(&outcome, taken.trim_end_matches("S-1")).await;
    assert!(without_seal.shows("href=\"#seal\"") && without_seal.shows("value=\"182300\""));
    let done = lane.post(&outcome, taken).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    assert_eq!(lane.types(&id).last().unwrap(), "outcome_recorded");
    assert_eq!(lane.station.open_inspection().await, None);
    let receipt = lane.get(&format!("/inspections/{id}/receipt")).await;
    for said in ["CHOL SU KIM", "182,300", "EAEU CC Art. 260", "S-1", "o-11"] {
        assert!(receipt.shows(said), "{said}");
    }
    assert!(!receipt.shows("warning") && !receipt.shows("Critical"));
    let waiting = lane.get("/").await;
    assert!(waiting.shows("Put the passport on the reader") && waiting.shows("Cash detained"));
}

#[tokio::test]
async fn without_a_warning_release_is_one_press_and_a_second_press_records_nothing() {
    let lane = Lane::new();
    let id = lane.harmless().await;
    let page = lane.get("/").await;
    assert!(page.shows("value=\"released\""), "{}", page.text);
    let form = "decision=released&once=0193a7";
    for _ in 0..2 {
        let done = lane.post(&format!("/inspections/{id}/outcome"), form).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(lane.types(&id), ["inspection_opened", "outcome_recorded"]);
}

#[tokio::test]
async fn the_next_traveller_is_asked_for_twice_when_a_warning_stands_undecided() {
    let lane = Lane::new();
    let id = lane.passenger(1923).await;
    let asked = lane.post("/next", &format!("inspection={id}")).await;
    assert_eq!(asked.status, StatusCode::OK);
    assert!(asked.shows("Nothing was decided"));
    assert_eq!(lane.station.open_inspection().await.as_deref(), Some(id.as_str()));
    // A press about a traveller who is gone already changes nothing.
    lane.post("/next", "inspection=another&sure=yes").await;
    assert_eq!(lane.station.open_inspection().await.as_deref(), Some(id.as_str()));
    let sure = lane.post("/next", &format!("inspection={id}&sure=yes")).await;
    assert_eq!((sure.status, sure.location.as_str()), (StatusCode::SEE_OTHER, "/"));
    assert_eq!(lane.station.open_inspection().await, None);
}

#[tokio::test]
async fn the_pages_of_a_declaration_show_no_warning() {
    let lane = Lane::new();
    let id = lane.passenger(1923).await;
    for step in ["cash", "owner", "recipient", "origin", "use", "check"] {
        let page = lane.get(&format!("/inspections/{id}/declaration/{step}")).await;
        assert_eq!(page.status, StatusCode::OK);
        for word in ["192,300", "Critical", "warning", "Pyongyang", "UNSCR", "data-live"] {
            assert!(!page.shows(word), "{step}: {word}");
        }
    }
}

#[tokio::test]
async fn the_second_count_is_made_without_sight_of_the_first() {
    let lane = Lane::new();
    let id = lane.passenger(1923).await;
    let page = lane.get(&format!("/inspections/{id}/count")).await;
    assert!(page.shows("Count 2") && !page.shows("1923") && !page.shows("192,300"));
    let done = lane.post(&format!("/inspections/{id}/count"), "pieces-USD-100=1922").await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    let records = lane.station.records(&id).unwrap();
    let Body::CashCounted(second) = &records.last().unwrap().body else { panic!("{records:?}") };
    // The counter counted under the same officer's id before: this one has seen it.
    assert_eq!((second.count, second.blind, second.officer.as_str()), (2, false, "o-11"));
    assert!(lane.get("/").await.shows("The counts differ"));
}

#[tokio::test]
async fn the_page_says_how_the_station_is() {
    let lane = Lane::new();
    // Nothing open: what a counter reads belongs to nobody, and is offered.
    lane.station.event("counter-1", &event("1", &counted(7))).await.unwrap();
    let page = lane.get("/").await;
    assert!(page.shows("not yet with the server") && page.shows("Demonstration"));
    assert!(page.shows("Readings without a traveller"));
    let health = lane.get("/station").await;
    assert!(health.shows("Epoch / last record") && health.shows("The station’s own bus is gone"));
    let list = lane.get("/inspections").await;
    assert!(list.shows("No inspection yet"));
}

#[tokio::test]
async fn an_observation_is_recorded_and_the_officer_is_remembered() {
    let lane = Lane::new();
    let id = lane.harmless().await;
    let path = format!("/inspections/{id}/observation");
    let refused = lane.post(&path, "").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let done = lane.post(&path, "indication=refused_scan&text=left+the+line&officer=o-12").await;
    let cookie = done.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("tidewaiter-officer=o-12") && cookie.contains("HttpOnly"));
    let records = lane.station.records(&id).unwrap();
    let Body::OfficerObserved(observed) = &records.last().unwrap().body else { panic!() };
    assert_eq!(
        (observed.refused_scan, observed.text.as_deref()),
        (Some(true), Some("left the line"))
    );
}

#[tokio::test]
async fn a_document_is_typed_and_corrected_and_the_first_reading_stays() {
    let lane = Lane::new();
    let id = lane.harmless().await;
    let path = format!("/inspections/{id}/document");
    let wrong = lane.post(&path, "kind=passport&surname=pak&date_of_birth=03/31/1975").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    for field in ["number", "issuing_state", "date_of_birth"] {
        assert!(wrong.shows(&format!("href=\"#{field}\"")), "{field}");
    }
    let typed = "kind=passport&number=927312345&issuing_state=prk&surname=pak&given_names=yong&\
                 date_of_birth=31.03.1975";
    assert_eq!(lane.post(&path, typed).await.status, StatusCode::SEE_OTHER);
    let form = lane.get(&path).await;
    assert!(form.shows("Correct the document") && form.shows("value=\"1975-03-31\""));
    let corrected = typed.replace("pak", "bak");
    let without_reason = lane.post(&path, &corrected).await;
    assert!(without_reason.shows("href=\"#reason\""));
    let done = lane.post(&path, &format!("{corrected}&reason=misread")).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    assert_eq!(lane.types(&id), ["inspection_opened", "document_read", "amendment"]);
    let records = lane.station.records(&id).unwrap();
    let Body::DocumentRead(read) = &records[1].body else { panic!("{records:?}") };
    assert_eq!(read.document.surname, "PAK");
    let page = lane.get("/").await;
    assert!(page.shows("YONG BAK") && page.shows("corrected") && page.shows("misread"));
}
