//! What a traveller takes along: what was decided, about which cash, why, on what law; and the
//! number it is recorded under. Nothing on it comes from the risk engine.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use tidewaiter_proto::body::{Body, OutcomeRecorded};
use tidewaiter_proto::record::Record;
use tidewaiter_web::amended::amended;
use tidewaiter_web::answer::page;
use tidewaiter_web::frame::Frame;
use tidewaiter_web::tally::Tally;
use tidewaiter_web::text::Text;
use tidewaiter_web::timeline::{cash_item, decision_code};
use tidewaiter_web::traveller::Traveller;
use tidewaiter_web::visit::Visit;

use crate::recorder::RecordError;
use crate::station::Station;

#[derive(Template)]
#[template(path = "station/receipt.html")]
struct ReceiptPage {
    frame: Frame,
    id: String,
    traveller: Traveller,
    way: Option<String>,
    /// `D-1: USD 12,000`
    declared: Vec<String>,
    /// Of the last count.
    counted: Vec<String>,
    /// What is taken.
    items: Vec<String>,
    outcome: OutcomeRecorded,
    at: Timestamp,
    epoch: u64,
    seq: u64,
    hash: String,
}

pub(super) async fn show(
    State(station): State<Station>,
    Path(id): Path<String>,
    visit: Visit,
) -> Response {
    match build(&station, &visit, &id) {
        Ok(Some(receipt)) => page(&receipt),
        Ok(None) => super::nothing_here(&visit, &station),
        Err(error) => super::failed(&visit, &station, &error),
    }
}

/// The receipt of the last decision; `None` when nothing was decided.
fn build(station: &Station, visit: &Visit, id: &str) -> Result<Option<ReceiptPage>, RecordError> {
    let text = visit.text;
    let records = station.records(id)?;
    let Some((record, outcome)) = last_decision(&records) else { return Ok(None) };
    let traveller = Traveller::read(&records);
    let tally = Tally::read(&records);
    let title = text.code("decision", decision_code(outcome.decision));
    Ok(Some(ReceiptPage {
        frame: super::bare_frame(visit, station, title),
        id: id.to_owned(),
        way: traveller.way(),
        declared: tally
            .declarations
            .iter()
            .map(|made| {
                let items: Vec<String> =
                    made.items.iter().map(|item| cash_item(text, item)).collect();
                format!("{}: {}", made.reference, items.join(", "))
            })
            .collect(),
        counted: counted(text, &tally),
        items: outcome.items.iter().map(|item| cash_item(text, item)).collect(),
        at: record.at,
        epoch: record.epoch,
        seq: record.seq,
        hash: station.ledger().hash(record.epoch, record.seq)?.to_string(),
        traveller,
        outcome,
    }))
}

fn last_decision(records: &[Record]) -> Option<(Record, OutcomeRecorded)> {
    amended(records).into_iter().rev().find_map(|shown| match shown.record.body.clone() {
        Body::OutcomeRecorded(outcome) => Some((shown.record, outcome)),
        _ => None,
    })
}

fn counted(text: Text, tally: &Tally) -> Vec<String> {
    let last = tally.counts.last();
    last.iter().flat_map(|count| &count.totals).map(|sum| text.amount(sum)).collect()
}
