//! What is said over the interface becomes records: answered when they are on disk.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};
use tidewaiter_program::problem::Problem;
use tidewaiter_proto::body::{
    Body, CashCounted, DeclarationMade, InspectionOpened, OutcomeRecorded,
};
use tidewaiter_proto::chain::ChainHash;
use tidewaiter_proto::record::Source;
use tidewaiter_web::visit::is_officer_id;

use super::fault::{Told, wrong};
use super::inspection::known;
use crate::officers::Officers;
use crate::page::{lacking, needs_reason_to_release, settled};
use crate::recorder::Taken;
use crate::station::Station;

/// Where a record stands.
#[derive(Debug, Serialize)]
pub(super) struct RecordedJson {
    epoch: u64,
    seq: u64,
    hash: ChainHash,
}

type Recorded = Result<(StatusCode, Json<RecordedJson>), Problem>;

impl From<Taken> for RecordedJson {
    fn from(taken: Taken) -> Self {
        let appended = taken.appended;
        Self { epoch: appended.epoch, seq: appended.seq, hash: appended.hash }
    }
}

/// Opens an inspection by hand.
pub(super) async fn opening(
    State(station): State<Station>,
    said: Told<InspectionOpened>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let source = speaker(said.officer.as_deref().unwrap_or_default())?;
    let as_told = said.as_body(&Body::InspectionOpened(said.body.clone()));
    let inspection = station.begin(source, said.body, Some(as_told)).await?;
    Ok((StatusCode::CREATED, Json(json!({ "inspection": inspection }))))
}

/// Records a declaration; `officer` beside its fields is who took it.
pub(super) async fn declaration(
    State(station): State<Station>,
    Path(id): Path<String>,
    headers: HeaderMap,
    said: Told<DeclarationMade>,
) -> Recorded {
    let source = speaker(said.officer.as_deref().unwrap_or_default())?;
    let body = Body::DeclarationMade(said.body.clone());
    let told = said.as_body(&body);
    say(&station, &id, &headers, source, body, told).await
}

/// Records a count; its number is the recorder's to give.
pub(super) async fn count(
    State(station): State<Station>,
    Path(id): Path<String>,
    headers: HeaderMap,
    said: Told<CashCounted>,
) -> Recorded {
    let source = speaker(&said.body.officer)?;
    let body = Body::CashCounted(said.body.clone());
    let told = said.as_body(&body);
    say(&station, &id, &headers, source, body, told).await
}

/// Records what an officer decided, as the officer's page does: a release over a grave warning
/// says why; a detention names sum, reason, law and seal.
pub(super) async fn outcome(
    State(station): State<Station>,
    State(officers): State<Officers>,
    Path(id): Path<String>,
    headers: HeaderMap,
    said: Told<OutcomeRecorded>,
) -> Recorded {
    let outcome = said.body.clone();
    check_officer(&outcome.officer)?;
    settled(&station, &id).await;
    let grave = needs_reason_to_release(&station.alerts(&id));
    if let Some(lack) = lacking(&outcome, grave).first() {
        return Err(wrong(lack.field(), lack.why()));
    }
    if outcome.agreed_by.is_some() {
        return Err(wrong("agreed_by", "agreed_by: the second person signs at the officer's page"));
    }
    let records = known(&station, &id)?;
    if officers.takes_two(&records, &outcome) {
        // A program has no second keyboard: the second person signs at the page.
        let why = "detained cash goes back by two: record it at the officer's page";
        return Err(Problem::new(StatusCode::FORBIDDEN, "this takes a second person", why));
    }
    let source = Source::Officer(outcome.officer.clone());
    let body = Body::OutcomeRecorded(outcome);
    let told = said.as_body(&body);
    say(&station, &id, &headers, source, body, told).await
}

/// Leaves the open inspection.
pub(super) async fn next(State(station): State<Station>) -> Result<Json<Value>, Problem> {
    station.next().await?;
    Ok(Json(json!({ "open": null })))
}

async fn say(
    station: &Station,
    id: &str,
    headers: &HeaderMap,
    source: Source,
    body: Body,
    told: String,
) -> Recorded {
    known(station, id)?;
    let key = idempotency_key(headers)?;
    let taken = station.record_as_told(source, id, body, told, key).await?;
    Ok((StatusCode::CREATED, Json(taken.into())))
}

/// The officer; without one, the interface itself speaks.
fn speaker(officer: &str) -> Result<Source, Problem> {
    if officer.is_empty() {
        return Ok(Source::Agent(INTERFACE.to_owned()));
    }
    check_officer(officer)?;
    Ok(Source::Officer(officer.to_owned()))
}

fn check_officer(officer: &str) -> Result<(), Problem> {
    if is_officer_id(officer) {
        return Ok(());
    }
    Err(wrong("officer", "officer: an id of 1 to 32 letters, digits, '-', '_' or '.'"))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| (1..=KEY_MAX).contains(&key.len()));
    let why = || Problem::bad_request(format!("Idempotency-Key: 1 to {KEY_MAX} ASCII characters"));
    key.map(Some).ok_or_else(why)
}

const KEY_MAX: usize = 128;
/// Who speaks where no officer is named.
const INTERFACE: &str = "interface";
