//! The travel document by hand: typed where no reader read it, corrected where one read it wrong.
//!
//! A correction is an amendment: the reading stays as it is, both values are kept.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use serde_json::Map;
use tidewaiter_proto::body::{Amendment, Body, DocumentRead};
use tidewaiter_proto::document::{Document, DocumentKind};
use tidewaiter_web::answer::page_with;
use tidewaiter_web::form::{Fields, Problems};
use tidewaiter_web::frame::Frame;
use tidewaiter_web::text::Text;
use tidewaiter_web::traveller::{ReadDocument, Traveller, kind_code};
use tidewaiter_web::visit::Visit;

use super::declaration::date;
use super::opening::{some, words};
use crate::station::Station;

#[derive(Template)]
#[template(path = "station/document.html")]
struct DocumentPage {
    frame: Frame,
    id: String,
    /// What is corrected; `None` when the document is typed for the first time.
    read: Option<ReadDocument>,
    fields: Fields,
    problems: Problems,
    kinds: Vec<(&'static str, String)>,
    sexes: Vec<(&'static str, String)>,
}

pub(super) async fn show(
    State(station): State<Station>,
    Path(id): Path<String>,
    visit: Visit,
) -> Response {
    let read = read_last(&station, &id);
    let fields = read.map_or_else(as_usual, |read| filled(&read.document));
    answer(&station, &visit, &id, fields, Problems::default())
}

pub(super) async fn record(
    State(station): State<Station>,
    Path(id): Path<String>,
    visit: Visit,
    fields: Fields,
) -> Response {
    let text = visit.text;
    let mut problems = Problems::default();
    let officer = super::actor(text, &visit, &fields, &mut problems);
    let before = read_last(&station, &id);
    if let Some(document) = read(text, &fields, &mut problems)
        && super::is_known(&station, &id)
        && let Some(body) = said(text, before.as_ref(), document, &fields, &mut problems)
    {
        let done = super::record(&station, &id, &officer, body, &fields, &mut problems).await;
        if let Some(done) = done {
            return done;
        }
    }
    answer(&station, &visit, &id, fields, problems)
}

/// The document, or the amendment of the one that was read.
fn said(
    text: Text,
    before: Option<&ReadDocument>,
    document: Document,
    fields: &Fields,
    problems: &mut Problems,
) -> Option<Body> {
    let Some(before) = before else {
        let checks = std::collections::BTreeMap::new();
        return Some(Body::DocumentRead(DocumentRead { document, checks }));
    };
    if before.document == document {
        problems.add("surname", text.say("document-same"));
    }
    problems.need(text, "reason", fields.get("reason"), "document-need-reason");
    let document = serde_json::to_value(document).ok()?;
    let fields_changed = Map::from_iter([("document".to_owned(), document)]);
    let reason = fields.get("reason").to_owned();
    Some(Body::Amendment(Amendment { of: before.seq, fields: fields_changed, reason }))
}

fn read(text: Text, fields: &Fields, problems: &mut Problems) -> Option<Document> {
    let kind = KINDS.iter().find(|(code, _)| *code == fields.get("kind")).map(|(_, kind)| *kind);
    if kind.is_none() {
        problems.add("kind", text.say("document-need-kind"));
    }
    problems.need(text, "number", fields.get("number"), "document-need-number");
    let state = fields.get("issuing_state").to_ascii_uppercase();
    if !is_state(&state) {
        problems.add("issuing_state", text.say("document-bad-state"));
    }
    problems.need(text, "surname", fields.get("surname"), "declare-need-surname");
    let nationality = fields.get("nationality").to_ascii_uppercase();
    if !nationality.is_empty() && !is_state(&nationality) {
        problems.add("nationality", text.say("document-bad-state"));
    }
    let mut day = |name: &str| -> Option<Date> {
        let typed = fields.get(name);
        let day = date(typed);
        if !typed.is_empty() && day.is_none() {
            problems.add(name, text.say("bad-date"));
        }
        day
    };
    let (date_of_birth, expires_on) = (day("date_of_birth"), day("expires_on"));
    let document = Document {
        kind: kind?,
        number: fields.get("number").to_ascii_uppercase(),
        issuing_state: state,
        expires_on,
        surname: fields.get("surname").to_uppercase(),
        given_names: fields.get("given_names").to_uppercase(),
        date_of_birth,
        sex: some(fields.get("sex")).filter(|sex| SEXES.contains(&sex.as_str())),
        nationality: some(&nationality),
    };
    problems.is_empty().then_some(document)
}

/// Three letters at most, as ICAO 9303 has them: `D` is Germany.
fn is_state(code: &str) -> bool {
    (1..=3).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn read_last(station: &Station, id: &str) -> Option<ReadDocument> {
    Traveller::read(&station.records(id).ok()?).document
}

fn as_usual() -> Fields {
    let mut fields = Fields::default();
    fields.set("kind", "passport");
    fields
}

fn filled(document: &Document) -> Fields {
    let mut fields = Fields::default();
    let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    for (name, value) in [
        ("kind", kind_code(document.kind).to_owned()),
        ("number", document.number.clone()),
        ("issuing_state", document.issuing_state.clone()),
        ("expires_on", day(document.expires_on)),
        ("surname", document.surname.clone()),
        ("given_names", document.given_names.clone()),
        ("date_of_birth", day(document.date_of_birth)),
        ("sex", document.sex.clone().unwrap_or_default()),
        ("nationality", document.nationality.clone().unwrap_or_default()),
    ] {
        fields.set(name, value);
    }
    fields
}

fn answer(
    station: &Station,
    visit: &Visit,
    id: &str,
    mut fields: Fields,
    problems: Problems,
) -> Response {
    let records = match station.records(id) {
        Ok(records) if records.is_empty() => return super::nothing_here(visit, station),
        Ok(records) => records,
        Err(error) => return super::failed(visit, station, &error.into()),
    };
    super::once(&mut fields);
    let text = visit.text;
    let read = Traveller::read(&records).document;
    let title = text.say(if read.is_some() { "document-correct" } else { "document-title" });
    let status =
        if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = DocumentPage {
        frame: super::bare_frame(visit, station, title),
        id: id.to_owned(),
        read,
        fields,
        problems,
        kinds: words(text, "document", KINDS),
        sexes: SEXES.iter().map(|code| (*code, (*code).to_owned())).collect(),
    };
    page_with(status, &page)
}

const KINDS: &[(&str, DocumentKind)] = &[
    ("passport", DocumentKind::Passport),
    ("diplomatic_passport", DocumentKind::DiplomaticPassport),
    ("service_passport", DocumentKind::ServicePassport),
    ("id_card", DocumentKind::IdCard),
    ("seaman_book", DocumentKind::SeamanBook),
    ("visa", DocumentKind::Visa),
    ("other", DocumentKind::Other),
];
const SEXES: &[&str] = &["F", "M", "X"];
