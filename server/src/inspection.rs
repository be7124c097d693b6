//! Inspections opened: the records that make one up, read with the server's sealing key.
//!
//! Owns the way from stored bytes to a [`Record`] and nothing that is kept: what it opens lives
//! only as long as somebody looks at it.

use std::sync::Arc;

use jiff::Timestamp;
use tidewaiter_proto::movement::{Mode, Movement};
use tidewaiter_proto::record::Record;
use tidewaiter_proto::seal::{BodyKey, KeyId, ServerSecret};
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::stored::{Header, Stored};
use tidewaiter_risk::crossing::assemble;

use crate::store::{Facts, InspectionRow, Store, StoreError};

/// Opens inspections. Clones share the key.
#[derive(Clone, Debug)]
pub struct Opener {
    store: Store,
    secret: Arc<ServerSecret>,
}

/// What lies under one key of a station.
#[derive(Clone, Debug, Default)]
pub struct OpenedRecords {
    /// Records that opened, in the order of the ledger.
    pub records: Vec<OpenedRecord>,
    /// Headers of those that did not: the key is destroyed, never came, or does not fit.
    pub sealed: Vec<Header>,
}

/// The type of the record that tells of a movement.
pub(crate) const MOVEMENT_SEEN: &str = "movement_seen";

/// One opened record.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenedRecord {
    /// The record.
    pub record: Record,
    /// Token of the travel document.
    pub subject: Option<[u8; 16]>,
    /// The server's clock when it arrived.
    pub received_at: Timestamp,
}

/// How many persons a record of a movement says were on board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnBoard {
    /// The movement.
    pub movement: Movement,
    /// When it left or is to leave, else when it was seen.
    pub at: Timestamp,
    /// Persons.
    pub persons: u32,
}

/// What of a `movement_seen` counts people. `on_board` is no fixed field of the contract: a source
/// that knows it, such as a passenger list, may say it, and the stored text keeps it.
#[derive(serde::Deserialize)]
struct SeenMovement {
    movement: Movement,
    on_board: Option<u32>,
}

impl Opener {
    /// An opener over a store with the server's sealing key.
    pub fn new(store: Store, secret: ServerSecret) -> Self {
        Self { store, secret: Arc::new(secret) }
    }

    /// Opens what lies under one key.
    ///
    /// # Errors
    /// [`StoreError`]; what cannot be opened is no error but [`OpenedRecords::sealed`].
    pub async fn open(
        &self,
        station: &StationId,
        key_id: &[u8; 16],
    ) -> Result<OpenedRecords, StoreError> {
        let keyed = self.store.records_of_key(station, key_id).await?;
        let key = self.unwrapped(key_id, keyed.wrapped);
        let mut opened = OpenedRecords::default();
        for row in &keyed.records {
            let stored = Stored::parse(&row.stored).map_err(|error| StoreError::Inconsistent {
                table: "record",
                column: "stored",
                problem: error.to_string(),
            })?;
            match key.as_ref().and_then(|key| stored.record(key).ok()) {
                Some(record) => opened.records.push(OpenedRecord {
                    record,
                    subject: stored.header.subject.map(|token| token.0),
                    received_at: row.received_at,
                }),
                None => opened.sealed.push(stored.header),
            }
        }
        Ok(opened)
    }

    /// What the records of movements of a time say of the persons on board, the latest record last.
    /// `place` is a site with its slash, or empty for all.
    ///
    /// # Errors
    /// [`StoreError`]; a record that cannot be opened or says nothing of persons is left out.
    pub async fn on_board(
        &self,
        place: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<OnBoard>, StoreError> {
        let mut found = Vec::new();
        for (station, key_id) in self.store.keys_of_type(MOVEMENT_SEEN, place, since, until).await?
        {
            let keyed = self.store.records_of_key(&station, &key_id).await?;
            let Some(key) = self.unwrapped(&key_id, keyed.wrapped) else { continue };
            let stored = keyed.records.iter().filter_map(|row| Stored::parse(&row.stored).ok());
            for stored in stored.filter(|stored| stored.header.type_name == MOVEMENT_SEEN) {
                let Ok(opened) = stored.open(&key) else { continue };
                let seen = serde_json::from_str::<SeenMovement>(&opened.body_json).ok();
                let told = seen.and_then(|seen| Some((seen.movement, seen.on_board?)));
                if let Some((movement, persons)) = told {
                    let said_at = stored.header.at;
                    let at = movement.scheduled.unwrap_or(said_at);
                    found.push((said_at, OnBoard { movement, at, persons }));
                }
            }
        }
        found.sort_by_key(|(said_at, _)| *said_at);
        Ok(found.into_iter().map(|(_, on_board)| on_board).collect())
    }

    /// The keyed form of a term: the tables are searched by it and do not hold the term.
    pub fn term(&self, kind: &str, term: &str) -> [u8; 16] {
        self.secret.tag("term", &[kind, term])
    }

    /// The key of an inspection's bodies, where there still is one: what a case file hands over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn body_key(
        &self,
        station: &StationId,
        key_id: &[u8; 16],
    ) -> Result<Option<BodyKey>, StoreError> {
        let wrapped = self.store.wrapped_key(station, key_id).await?;
        Ok(self.unwrapped(key_id, wrapped))
    }

    /// A key, unless it never came, was destroyed or does not fit.
    fn unwrapped(&self, key_id: &[u8; 16], wrapped: Option<[u8; 80]>) -> Option<BodyKey> {
        BodyKey::unwrap_for_server(KeyId(*key_id), &self.secret, &wrapped?).ok()
    }

    /// Records of a subject's other inspections since an instant, at any station.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn history(
        &self,
        subject: &[u8; 16],
        since: Timestamp,
        except: (&StationId, &[u8; 16]),
    ) -> Result<Vec<Record>, StoreError> {
        let mut records = Vec::new();
        for (station, key) in self.store.keys_of_subject(subject, since, HISTORY_MAX).await? {
            if (&station, &key) != except {
                let opened = self.open(&station, &key).await?;
                records.extend(opened.records.into_iter().map(|opened| opened.record));
            }
        }
        Ok(records)
    }
}

/// The list's row of an inspection, from its opened records.
pub fn summary(
    station: &StationId,
    inspection: &str,
    key_id: [u8; 16],
    records: &[OpenedRecord],
) -> Option<InspectionRow> {
    let first = records.first()?;
    let last = records.last()?;
    let mut row = InspectionRow {
        station: station.clone(),
        inspection: inspection.to_owned(),
        key_id,
        subject: records.iter().rev().find_map(|opened| opened.subject),
        opened_at: first.record.at,
        last_at: last.record.at,
        records: records.len() as u64,
        direction: None,
        role: None,
        mode: None,
        designator: None,
        origin: None,
        destination: None,
        decision: None,
        digest: None,
        facts: Facts::default(),
    };
    // A movement may have been made good by a later amendment.
    let plain: Vec<Record> = records.iter().map(|opened| opened.record.clone()).collect();
    for crossing in &assemble(&plain).crossings {
        if let Some(opening) = crossing.opening() {
            row.direction = code(&opening.direction);
            row.role = code(&opening.role);
        }
        if let Some((_, movement)) = crossing.movements().last() {
            move_row(&mut row, movement);
        }
        if let Some((_, outcome)) = crossing.outcomes().next_back() {
            row.decision = code(&outcome.decision);
        }
    }
    Some(row)
}

fn move_row(row: &mut InspectionRow, movement: &Movement) {
    row.mode = code(&movement.mode);
    let vessel = movement.vessel.as_ref().map(|vessel| vessel.name.clone());
    row.designator = match movement.mode {
        Mode::Sea => vessel.or_else(|| movement.designator()),
        Mode::Air | Mode::Rail | Mode::Road | Mode::Post => movement.designator().or(vessel),
    };
    row.origin = Some(movement.from.clone());
    row.destination = Some(movement.to.clone());
}

/// The name a value has in JSON.
fn code<T: serde::Serialize>(value: &T) -> Option<String> {
    serde_json::to_value(value).ok()?.as_str().map(str::to_owned)
}

/// The most other inspections of one subject that are looked at.
const HISTORY_MAX: i64 = 500;
