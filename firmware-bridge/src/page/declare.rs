//! The pages of a declaration: each shows one thing, keeps what was typed, and leads on. The
//! traveller may look at them: nothing on them comes from the risk engine.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use tidewaiter_proto::body::{Body, DeclarationMade};
use tidewaiter_proto::party::{OnBehalfOf, Party};
use tidewaiter_web::answer::page_with;
use tidewaiter_web::form::{Fields, Problems};
use tidewaiter_web::frame::Frame;
use tidewaiter_web::text::Text;
use tidewaiter_web::timeline::cash_item;
use tidewaiter_web::traveller::Traveller;
use tidewaiter_web::visit::Visit;

use super::declaration::{
    self, FORMS, INTENDED_USE, PROVENANCE, Step, declaration, first_incomplete, merge,
};
use super::draft::Drafts;
use super::money::{self, CURRENCIES, GOLD_FORMS, INSTRUMENTS, PAYEES, choices};
use super::opening::words;
use crate::station::Station;

#[derive(Template)]
#[template(path = "station/declare.html")]
struct DeclarePage {
    frame: Frame,
    id: String,
    /// Whose declaration, as read.
    traveller: Option<String>,
    step: Step,
    last: bool,
    steps: usize,
    fields: Fields,
    problems: Problems,
    rows: Vec<money::Row>,
    currencies: &'static [&'static str],
    instruments: Vec<(&'static str, String)>,
    payees: Vec<(&'static str, String)>,
    gold_forms: Vec<(&'static str, String)>,
    parties: Vec<(&'static str, String)>,
    codes: Vec<(&'static str, String)>,
    forms: Vec<(&'static str, String)>,
    answers: Vec<Answer>,
}

/// One answer to be checked before it is recorded.
struct Answer {
    title: String,
    lines: Vec<String>,
    step: &'static str,
}

/// Begins, or goes on where something is still missing.
pub(super) async fn begin(
    State(station): State<Station>,
    State(drafts): State<Drafts>,
    Path(id): Path<String>,
    visit: Visit,
) -> Response {
    if !super::is_known(&station, &id) {
        return super::nothing_here(&visit, &station);
    }
    let draft = drafts.of(&id);
    let step = first_incomplete(visit.text, &draft).unwrap_or(Step::Check);
    to(&id, if draft == Fields::default() { Step::Cash } else { step })
}

pub(super) async fn show(
    State(station): State<Station>,
    State(drafts): State<Drafts>,
    Path((id, step)): Path<(String, String)>,
    visit: Visit,
) -> Response {
    let Some(step) = Step::from_name(&step) else { return super::nothing_here(&visit, &station) };
    let mut draft = drafts.of(&id);
    if step == Step::Check && first_incomplete(visit.text, &draft).is_none() {
        draft.set("checked", "yes");
        drafts.keep(&id, draft.clone());
    }
    answer(&station, &visit, &id, step, draft, Problems::default())
}

pub(super) async fn record(
    State(station): State<Station>,
    State(drafts): State<Drafts>,
    Path((id, step)): Path<(String, String)>,
    visit: Visit,
    posted: Fields,
) -> Response {
    let text = visit.text;
    let Some(step) = Step::from_name(&step).filter(|_| super::is_known(&station, &id)) else {
        return super::nothing_here(&visit, &station);
    };
    let mut draft = drafts.of(&id);
    merge(&mut draft, step, &posted);
    super::once(&mut draft);
    let row_changed = step == Step::Cash && money::pressed(&mut draft);
    drafts.keep(&id, draft.clone());
    if row_changed {
        return answer(&station, &visit, &id, step, draft, Problems::default());
    }
    let mut problems = declaration::check(text, step, &draft);
    if !problems.is_empty() {
        return answer(&station, &visit, &id, step, draft, problems);
    }
    if step != Step::Check {
        // Who came back from the last page to change one thing goes there again.
        let whole = first_incomplete(text, &draft).is_none();
        return to(
            &id,
            if whole && draft.has("checked", "yes") { Step::Check } else { step.next() },
        );
    }
    if let Some(missing) = first_incomplete(text, &draft) {
        return to(&id, missing);
    }
    let officer = super::actor(text, &visit, &posted, &mut problems);
    let now = station.clock().now();
    let reference = reference(&station, &draft, now);
    if let Some(made) = declaration(text, &draft, reference, now) {
        let body = Body::DeclarationMade(made);
        let done = super::record(&station, &id, &officer, body, &draft, &mut problems).await;
        if let Some(done) = done {
            drafts.drop(&id);
            return done;
        }
    }
    answer(&station, &visit, &id, step, draft, problems)
}

fn to(id: &str, step: Step) -> Response {
    Redirect::to(&format!("/inspections/{id}/declaration/{}", step.as_str())).into_response()
}

/// The number on the paper, else one of our own: lane, day, and the end of the draft's id.
fn reference(station: &Station, draft: &Fields, now: Timestamp) -> String {
    let typed = draft.get("reference");
    if !typed.is_empty() {
        return typed.to_owned();
    }
    let once = draft.get("once").to_ascii_uppercase();
    let end = once.get(once.len().saturating_sub(8)..).unwrap_or_default();
    let day = now.strftime("%Y%m%d");
    format!("{}-{day}-{end}", station.name().lane().to_ascii_uppercase())
}

fn answer(
    station: &Station,
    visit: &Visit,
    id: &str,
    step: Step,
    mut draft: Fields,
    problems: Problems,
) -> Response {
    let records = match station.records(id) {
        Ok(records) if records.is_empty() => return super::nothing_here(visit, station),
        Ok(records) => records,
        Err(error) => return super::failed(visit, station, &error.into()),
    };
    let text = visit.text;
    let title = text.say(match step {
        Step::Cash => "declare-cash",
        Step::Owner => "declare-owner",
        Step::Recipient => "declare-recipient",
        Step::Origin => "declare-origin",
        Step::Use => "declare-use",
        Step::Check => "declare-check",
    });
    if draft.get("form").is_empty() {
        draft.set("form", form_of(&station.name().country()));
    }
    let codes = match step {
        Step::Origin => choices(text, "provenance", PROVENANCE),
        Step::Use => choices(text, "use", INTENDED_USE),
        _ => Vec::new(),
    };
    let answers = match step {
        Step::Check => {
            let made = declaration(text, &draft, String::new(), station.clock().now());
            made.map(|made| answers(text, &made)).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    let page = DeclarePage {
        frame: super::bare_frame(visit, station, title),
        id: id.to_owned(),
        traveller: Traveller::read(&records).name(),
        step,
        last: step == Step::Check,
        steps: Step::ALL.len(),
        rows: money::rows(&draft),
        currencies: CURRENCIES,
        instruments: choices(text, "instrument", INSTRUMENTS),
        payees: choices(text, "payee", PAYEES),
        gold_forms: choices(text, "gold", GOLD_FORMS),
        parties: choices(text, "party", PARTIES),
        codes,
        forms: words(text, "form", FORMS),
        answers,
        fields: draft,
        problems,
    };
    let status =
        if page.problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    page_with(status, &page)
}

fn answers(text: Text, made: &DeclarationMade) -> Vec<Answer> {
    let words = |prefix: &str, codes: &[String]| -> Vec<String> {
        codes.iter().map(|code| text.code(prefix, code).into_owned()).collect()
    };
    let one = |step: Step, title: &str, lines: Vec<String>| Answer {
        title: text.say(title).into_owned(),
        lines,
        step: step.as_str(),
    };
    let mut origin = words("provenance", &made.provenance);
    origin.extend(made.provenance_note.clone());
    origin.extend(
        made.origin_documents.iter().map(|paper| format!("{} {}", paper.kind, paper.reference)),
    );
    vec![
        one(
            Step::Cash,
            "declare-cash-short",
            made.items.iter().map(|item| cash_item(text, item)).collect(),
        ),
        one(Step::Owner, "declare-owner-short", party(text, &made.owner)),
        one(Step::Recipient, "declare-recipient-short", party(text, &made.recipient)),
        one(Step::Origin, "declare-origin-short", origin),
        one(Step::Use, "declare-use-short", words("use", &made.intended_use)),
    ]
}

fn party(text: Text, of: &OnBehalfOf) -> Vec<String> {
    let Some(party) = of.party() else { return vec![text.say("party-self").into_owned()] };
    let mut lines = vec![party.name()];
    match party {
        Party::Person { person, .. } => {
            lines.extend(person.date_of_birth.map(|day| text.day(day)));
            lines.extend(person.nationality.clone());
        }
        Party::Organisation(organisation) => {
            let number = organisation.registration_number.clone().unwrap_or_default();
            let country = organisation.registration_country.clone().unwrap_or_default();
            lines.push(format!("{country} {number}").trim().to_owned());
            lines.extend(organisation.email.clone());
        }
    }
    if let Some(address) = party.address() {
        lines.extend(address.lines.iter().cloned());
        lines.push(address.country.clone());
    }
    lines.extend(party.phone().map(str::to_owned));
    lines.retain(|line| !line.is_empty());
    lines
}

/// The form that the country of a site uses; the officer may choose another.
fn form_of(country: &str) -> &'static str {
    match country {
        "US" => "fincen105",
        _ if EAEU.contains(&country) => "eaeu",
        _ if EU.contains(&country) => "eu",
        _ => "generic",
    }
}

const PARTIES: &[&str] = &["self", "person", "organisation"];
const EAEU: &[&str] = &["AM", "BY", "KG", "KZ", "RU"];
const EU: &[&str] = &[
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT",
    "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];
