//! A ledger full of ordinary travellers, as the station's own recorder would have written them.

use std::path::Path;

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tidewaiter_bridge::keys::{Enrolment, StationKeys};
use tidewaiter_ledger::{Ledger, LedgerOptions, ledger_dir};
use tidewaiter_proto::record::{ClockQuality, Draft, Source};
use tidewaiter_proto::seal::{SubjectKey, SubjectToken};
use tidewaiter_tests::checkpoint::STATION;

/// Opens the ledger of a checkpoint's station, which must not run.
pub(crate) fn ledger(folder: &Path) -> Result<(Ledger, StationKeys, Enrolment)> {
    let data = folder.join("bridge");
    let station = STATION.parse()?;
    let keys = StationKeys::open(&data)?;
    let enrolment = Enrolment::open(&data, &station)?;
    let mut options = LedgerOptions::new(ledger_dir(&data), station, keys.ledger(&enrolment));
    options.group_records = WRITERS;
    options.queue_length = 2 * WRITERS;
    let ledger = Ledger::open(options).context("the ledger cannot be opened")?;
    Ok((ledger, keys, enrolment))
}

/// Records travellers until the ledger has `records` more.
pub(crate) fn fill(folder: &Path, records: u64) -> Result<()> {
    record(folder, records.div_ceil(RECORDS_EACH as u64), |number, subjects| {
        let passport = passport(number);
        let token = subjects.token("RUS", &passport);
        traveller(number, &passport, token)
    })
}

/// Records so many declarations, each of another traveller.
pub(crate) fn fill_with_declarations(folder: &Path, count: u64) -> Result<()> {
    record(folder, count, |number, subjects| {
        let token = subjects.token("RUS", &passport(number));
        let said = traveller(number, &passport(number), token);
        said.into_iter().filter(|draft| draft.type_name == "declaration_made").collect()
    })
}

fn record(
    folder: &Path,
    travellers: u64,
    says: impl Fn(u64, &SubjectKey) -> Vec<Draft> + Copy + Send + 'static,
) -> Result<()> {
    let (ledger, _, enrolment) = ledger(folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..WRITERS as u64 {
            let (ledger, subjects) = (ledger.clone(), enrolment.subjects.clone());
            writers.spawn(async move {
                for number in (writer..travellers).step_by(WRITERS) {
                    for draft in says(number, &subjects) {
                        ledger.append(draft, None).await?;
                    }
                }
                anyhow::Ok(())
            });
        }
        while let Some(done) = writers.join_next().await {
            done??;
        }
        anyhow::Ok(())
    })?;
    ledger.close();
    Ok(())
}

fn passport(number: u64) -> String {
    format!("7{number:08}")
}

/// One traveller who declares what is counted, from the opening to the outcome.
fn traveller(number: u64, passport: &str, subject: SubjectToken) -> Vec<Draft> {
    let place = usize::try_from(number).unwrap_or_default();
    let pick = |names: &'static [&'static str], by: usize| {
        names.get(place / by % names.len()).copied().unwrap_or_default()
    };
    let (surname, given) = (pick(SURNAMES, 1), pick(GIVEN, SURNAMES.len()));
    let pieces = 105 + number % 60;
    let amount = (pieces * 100).to_string();
    let movement = json!({"mode": "air", "carrier": "SU", "number": "1701", "from": "VVO",
        "to": "SVO", "scheduled": "2018-10-20T06:00:00Z"});
    let counted = json!([{"currency": "USD", "denomination": "100", "pieces": pieces}]);
    let officer = || Source::Officer("o-11".to_owned());
    let device = |name: &str| Source::Device(name.to_owned());
    let said: [(Source, Value); RECORDS_EACH] = [
        (
            Source::Agent("recorder".to_owned()),
            json!({"type": "inspection_opened", "direction": "exit", "role": "passenger",
                "movement": movement}),
        ),
        (
            device("mrz-1"),
            json!({"type": "document_read", "document": {"type": "passport", "number": passport,
                "issuing_state": "RUS", "surname": surname, "given_names": given,
                "date_of_birth": format!("19{:02}-0{}-1{}", 50 + number % 50, 1 + number % 9,
                    number % 9),
                "sex": "M", "nationality": "RUS", "expires_on": "2023-03-01"},
                "checks": {"number": true, "date_of_birth": true, "expires_on": true,
                    "composite": true}}),
        ),
        (
            device("pass-1"),
            json!({"type": "boarding_pass_read", "passenger": format!("{surname}/{given}"),
                "legs": [{"pnr": format!("P{number:05}"), "from": "VVO", "to": "SVO",
                    "carrier": "SU", "number": "1701", "date": "2018-10-20", "seat": "12A"}]}),
        ),
        (officer(), declaration(number, &amount)),
        (
            device("xray-1"),
            json!({"type": "scan_result", "modality": "xray", "decision": "clear", "objects": [],
                "bag": format!("T{}", number % 100)}),
        ),
        (
            device("counter-1"),
            json!({"type": "cash_counted", "count": 1, "blind": true, "officer": "o-11",
                "certainty": "exact", "items": counted}),
        ),
        (
            officer(),
            json!({"type": "outcome_recorded", "decision": "released", "officer": "o-12",
                "reasons": ["Declared and counted"]}),
        ),
    ];
    let opened = SignedDuration::from_secs(i64::try_from(number).unwrap_or_default());
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(FIRST_SECOND) + opened;
    said.into_iter()
        .map(|(source, body)| Draft {
            at,
            clock: ClockQuality::Synced,
            inspection: Some(format!("bench-{number:08}")),
            source,
            subject: Some(subject),
            type_name: body["type"].as_str().unwrap_or_default().to_owned(),
            body_json: body.to_string(),
        })
        .collect()
}

/// A declaration of the Eurasian form.
pub(crate) fn declaration(number: u64, amount: &str) -> Value {
    json!({"type": "declaration_made", "reference": format!("D-{number:08}"), "form": "eaeu",
        "items": [{"kind": "currency", "currency": "USD", "amount": amount}],
        "owner": "self", "recipient": "self", "provenance": ["labour"],
        "intended_use": ["personal"],
        "origin_documents": [{"kind": "bank_statement", "reference": "VTB 2018-10-12"}],
        "signed_at": "2018-10-20T03:20:00Z"})
}

/// Appends under way at once.
const WRITERS: usize = 512;
const RECORDS_EACH: usize = 7;
/// 1 October 2018, 00:00 UTC.
const FIRST_SECOND: i64 = 1_538_352_000;
const SURNAMES: &[&str] = &[
    "IVANOV",
    "SMIRNOV",
    "KUZNETSOV",
    "POPOV",
    "VASILEV",
    "PETROV",
    "SOKOLOV",
    "MIKHAILOV",
    "NOVIKOV",
    "FEDOROV",
    "MOROZOV",
    "VOLKOV",
    "ALEKSEEV",
    "LEBEDEV",
    "SEMENOV",
    "EGOROV",
    "PAVLOV",
    "KOZLOV",
    "STEPANOV",
    "NIKOLAEV",
    "ORLOV",
    "ANDREEV",
    "MAKAROV",
    "NIKITIN",
    "ZAKHAROV",
];
const GIVEN: &[&str] = &[
    "ALEKSANDR",
    "DMITRII",
    "MAKSIM",
    "SERGEI",
    "ANDREI",
    "ALEKSEI",
    "ARTEM",
    "ILIA",
    "KIRILL",
    "MIKHAIL",
    "NIKITA",
    "MATVEI",
    "ROMAN",
    "EGOR",
    "ARSENII",
    "IVAN",
    "DENIS",
    "EVGENII",
    "DANIIL",
    "TIMOFEI",
];
