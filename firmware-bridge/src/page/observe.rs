//! What an officer notices: signs, in codes and in words. Each weighs in the risk engine.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use tidewaiter_proto::body::{Body, OfficerObserved};
use tidewaiter_web::answer::page_with;
use tidewaiter_web::form::{Fields, Problems};
use tidewaiter_web::frame::Frame;
use tidewaiter_web::text::Text;
use tidewaiter_web::visit::Visit;

use super::money::choices;
use super::opening::some;
use crate::station::Station;

#[derive(Template)]
#[template(path = "station/observe.html")]
struct ObservePage {
    frame: Frame,
    id: String,
    fields: Fields,
    problems: Problems,
    indications: Vec<(&'static str, String)>,
}

pub(super) async fn show(
    State(station): State<Station>,
    Path(id): Path<String>,
    visit: Visit,
) -> Response {
    answer(&station, &visit, id, Fields::default(), Problems::default())
}

pub(super) async fn record(
    State(station): State<Station>,
    Path(id): Path<String>,
    visit: Visit,
    fields: Fields,
) -> Response {
    let mut problems = Problems::default();
    let officer = super::actor(visit.text, &visit, &fields, &mut problems);
    let observed = read(visit.text, &fields, &mut problems);
    if let Some(observed) = observed
        && super::is_known(&station, &id)
    {
        let body = Body::OfficerObserved(observed);
        let done = super::record(&station, &id, &officer, body, &fields, &mut problems).await;
        if let Some(done) = done {
            return done;
        }
    }
    answer(&station, &visit, id, fields, problems)
}

fn read(text: Text, fields: &Fields, problems: &mut Problems) -> Option<OfficerObserved> {
    let indications: Vec<String> =
        fields.all("indication").into_iter().map(str::to_owned).collect();
    let words = some(fields.get("text"));
    if indications.is_empty() && words.is_none() {
        problems.add("indication", text.say("observe-need-one"));
    }
    let refused_scan = indications.iter().any(|code| code == REFUSED_SCAN).then_some(true);
    problems.is_empty().then_some(OfficerObserved { indications, text: words, refused_scan })
}

fn answer(
    station: &Station,
    visit: &Visit,
    id: String,
    mut fields: Fields,
    problems: Problems,
) -> Response {
    match station.records(&id) {
        Ok(records) if records.is_empty() => return super::nothing_here(visit, station),
        Ok(_) => {}
        Err(error) => return super::failed(visit, station, &error.into()),
    }
    super::once(&mut fields);
    let text = visit.text;
    let frame = super::bare_frame(visit, station, text.say("observe-title"));
    let indications = choices(text, "indication", INDICATIONS);
    let status =
        if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    page_with(status, &ObservePage { frame, id, fields, problems, indications })
}

const REFUSED_SCAN: &str = "refused_scan";
const INDICATIONS: &[&str] = &[
    REFUSED_SCAN,
    "concealment",
    "contradictory",
    "nervous",
    "no_knowledge",
    "third_party",
    "unusual_packaging",
    "other",
];
