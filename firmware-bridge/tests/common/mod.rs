//! A station over a real ledger in a folder of its own.

use std::path::Path;

use serde_json::{Value, json};
use tidewaiter_bridge::assess::Assessor;
use tidewaiter_bridge::configuration::{Lane, Profile};
use tidewaiter_bridge::recorder::Recorder;
use tidewaiter_bridge::station::Station;
use tidewaiter_ledger::{Ledger, LedgerOptions, LedgerSecrets, ledger_dir};
use tidewaiter_program::clock::Clock;
use tidewaiter_proto::bus::DeviceEvent;
use tidewaiter_proto::seal::{ServerSecret, StationKey, SubjectKey};
use tidewaiter_proto::signing::Signing;
use tokio_util::sync::CancellationToken;

pub(crate) const SOURCES: &[(&str, Profile)] = &[
    ("mrz-1", Profile::Reader),
    ("pass-1", Profile::Scanner),
    ("counter-1", Profile::Counter),
    ("xray-1", Profile::Xray),
    ("kiosk-1", Profile::Kiosk),
];

/// Opens the station whose store is `data`; its warnings are made until `stop`.
pub(crate) fn station(data: &Path, stop: &CancellationToken) -> Station {
    let secrets = LedgerSecrets {
        station: StationKey::from_bytes([1; 32]),
        server: ServerSecret::from_bytes([2; 32]).public(),
        authority: Signing::from_seed(&[3; 32]).verifying(),
    };
    let name = "ruvvo/dep-07".parse().unwrap();
    let mut options = LedgerOptions::new(ledger_dir(data), name, secrets);
    options.ballast_bytes = 0;
    options.segment_bytes = 1 << 20;
    let ledger = Ledger::open(options).unwrap();
    let clock = Clock::demonstration("2018-11-16T03:10:00Z".parse().unwrap());
    let lane: Lane =
        serde_json::from_value(json!({"direction": "exit", "mode": "air", "place": "VVO"}))
            .unwrap();
    let recent = ledger.recent(1000).unwrap();
    let assessor = Assessor::built_in("RU".to_owned(), &recent).unwrap();
    let subjects = SubjectKey::from_bytes([4; 32]);
    let sources = SOURCES.iter().copied();
    let recorder = Recorder::open(ledger.clone(), clock.clone(), lane, sources, subjects).unwrap();
    let (station, watcher) = Station::new(ledger, recorder, clock, assessor, &recent).unwrap();
    tokio::spawn(watcher.run(stop.clone()));
    station
}

/// An event with this id and body.
pub(crate) fn event(id: &str, body: &Value) -> DeviceEvent {
    serde_json::from_value(json!({"id": id, "body": body})).unwrap()
}

pub(crate) fn document() -> Value {
    json!({"type": "document_read", "document": {"type": "passport", "number": "000000001",
        "issuing_state": "PRK", "surname": "KIM", "given_names": "CHOL SU",
        "date_of_birth": "1975-03-02", "nationality": "PRK"}, "checks": {"number": true}})
}

pub(crate) fn pass() -> Value {
    json!({"type": "boarding_pass_read", "passenger": "KIM/CHOLSU", "legs": [{"pnr": "JSDEMO",
        "from": "VVO", "to": "FNJ", "carrier": "JS", "number": "272", "date": "2018-11-16"}]})
}

pub(crate) fn counted(pieces: u64) -> Value {
    json!({"type": "cash_counted", "count": 1, "blind": true, "officer": "o-11",
        "certainty": "exact",
        "items": [{"currency": "USD", "denomination": "100", "pieces": pieces}]})
}

pub(crate) fn declared() -> Value {
    json!({"type": "declaration_made", "reference": "K-1", "form": "generic",
        "items": [{"kind": "currency", "currency": "USD", "amount": "500"}], "owner": "self",
        "recipient": "self", "signed_at": "2018-11-16T03:20:00Z", "shoe_size": 43})
}
