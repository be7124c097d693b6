//! Taking a verified batch: each record once; what contradicts is kept beside; runs are joined as
//! gaps close. What a batch may become is judged by [`Life`]; here it is done, in one transaction.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;
use tidewaiter_proto::batch::Batch;
use tidewaiter_proto::chain::ChainHash;
use tidewaiter_proto::receipt::{Held, Standing};
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::stored::Stored;
use tidewaiter_proto::sync::server::{Judgement, Life, Run};

use super::change::{ChangeKind, note_change};
use super::pending::{LedgerFinding, PendingWork, Turn, enqueue};
use super::{Store, StoreError, from_number, take_numbers, to_bytes, to_number};

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Whether it was taken or kept beside.
    pub judgement: Judgement,
    /// The epoch as it is on disk now.
    pub life: Life,
}

/// One record on its way into the store.
struct Incoming {
    seq: u64,
    at: i64,
    type_name: String,
    key_id: [u8; 16],
    subject: Option<[u8; 16]>,
    previous: ChainHash,
    hash: ChainHash,
    stored: Vec<u8>,
}

/// A batch and its records in the store's own terms.
struct Arriving {
    batch: Batch,
    records: Vec<Incoming>,
    received_at: Timestamp,
}

impl Accepted {
    /// How many records were not on disk before.
    pub fn new_records(&self) -> u64 {
        match &self.judgement {
            Judgement::Take { new } => new.count(),
            Judgement::Branch { .. } => 0,
        }
    }
}

impl Store {
    /// Takes a verified batch in one transaction, with what is to be assessed because of it.
    /// Taking the same batch again changes nothing. A batch that contradicts what is on disk is
    /// kept beside, whole, and never assessed; its alarm waits in the same transaction, so that a
    /// crash behind it cannot silence it.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of the batch is on disk.
    pub async fn accept(
        &self,
        batch: &Batch,
        received_at: Timestamp,
    ) -> Result<Accepted, StoreError> {
        let arriving = Arriving::new(batch, received_at)?;
        self.writer.write(move |connection| Box::pin(accept(connection, arriving))).await
    }

    /// What is on disk of one epoch.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn life(&self, station: &StationId, epoch: u64) -> Result<Life, StoreError> {
        let mut connection = self.readers.acquire().await?;
        Ok(Life::from_runs(station, epoch, runs(&mut connection, station, epoch).await?))
    }

    /// What is on disk of one epoch, with what is kept beside it, as a station is told.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn standing(&self, station: &StationId, epoch: u64) -> Result<Standing, StoreError> {
        let life = self.life(station, epoch).await?;
        let rows = sqlx::query(
            "SELECT first, last, hash FROM branch
             WHERE station = $1 AND epoch = $2 ORDER BY first, last, hash",
        )
        .bind(station.as_str())
        .bind(to_number("epoch", epoch)?)
        .fetch_all(&self.readers)
        .await?;
        let kept = rows
            .into_iter()
            .map(|row| {
                let hash: Vec<u8> = row.try_get("hash")?;
                Ok(Held {
                    from: from_number("branch", "first", row.try_get("first")?)?,
                    to: from_number("branch", "last", row.try_get("last")?)?,
                    hash: ChainHash(to_bytes("branch", "hash", &hash)?),
                })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        Ok(life.standing(kept))
    }

    /// The same for every epoch of a station that has records or a branch on disk, ascending.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lives(&self, station: &StationId) -> Result<Vec<Standing>, StoreError> {
        let mut lives = Vec::new();
        for epoch in self.epochs(station).await? {
            lives.push(self.standing(station, epoch).await?);
        }
        Ok(lives)
    }

    /// The epochs of a station that have records or a branch on disk, ascending.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn epochs(&self, station: &StationId) -> Result<Vec<u64>, StoreError> {
        let rows: Vec<i64> = sqlx::query_scalar(
            "SELECT epoch FROM run WHERE station = $1
             UNION SELECT epoch FROM branch WHERE station = $1 ORDER BY epoch",
        )
        .bind(station.as_str())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(|epoch| from_number("run", "epoch", epoch)).collect()
    }
}

impl Arriving {
    fn new(batch: &Batch, received_at: Timestamp) -> Result<Self, StoreError> {
        let mut previous = batch.previous;
        let mut records = Vec::with_capacity(batch.records.len());
        for (seq, hash, stored) in batch.numbered() {
            let header = Stored::parse(stored)
                .map_err(|error| StoreError::Inconsistent {
                    table: "record",
                    column: "stored",
                    problem: error.to_string(),
                })?
                .header;
            records.push(Incoming {
                seq,
                at: header.at.as_microsecond(),
                type_name: header.type_name,
                key_id: header.key.0,
                subject: header.subject.map(|token| token.0),
                previous,
                hash,
                stored: stored.to_vec(),
            });
            previous = hash;
        }
        Ok(Self { batch: batch.clone(), records, received_at })
    }

    fn station(&self) -> &StationId {
        &self.batch.station
    }
}

async fn accept(
    connection: &mut SqliteConnection,
    arriving: Arriving,
) -> Result<Accepted, StoreError> {
    let (station, epoch) = (arriving.station(), arriving.batch.epoch);
    let before = runs(connection, station, epoch).await?;
    let mut life = Life::from_runs(station, epoch, before.clone());
    let known = known_hashes(connection, &arriving).await?;
    let judgement = life.judge(&arriving.batch, &known);
    match &judgement {
        Judgement::Branch { at } => {
            keep_keys(connection, &arriving).await?;
            keep_branch(connection, &arriving).await?;
            keep_signed_head(connection, &arriving).await?;
            let branch = arriving.batch.signed.head;
            let fork = LedgerFinding::fork(epoch, *at, branch);
            enqueue(connection, &PendingWork::Ledger(station.clone(), fork), Turn::Next).await?;
        }
        Judgement::Take { new } if !new.is_empty() => {
            life.join(&arriving.batch, new);
            keep_keys(connection, &arriving).await?;
            keep_signed_head(connection, &arriving).await?;
            let new: Vec<&Incoming> =
                arriving.records.iter().filter(|record| new.contains(record.seq)).collect();
            insert_records(connection, &arriving, &new).await?;
            put_runs(connection, station, epoch, &before, life.runs()).await?;
            ask_assessment(connection, station, &new, turn(&before, &arriving.batch)).await?;
            note_change(connection, arriving.received_at, ChangeKind::Station, station.as_str())
                .await?;
        }
        Judgement::Take { .. } => {}
    }
    Ok(Accepted { judgement, life })
}

/// Records below what is on disk of the same life fill in the past: newer ones are there already.
fn turn(before: &[Run], batch: &Batch) -> Turn {
    let newest = before.iter().map(|run| run.last).max();
    if newest.is_some_and(|newest| batch.to() < newest) { Turn::Behind } else { Turn::Next }
}

async fn ask_assessment(
    connection: &mut SqliteConnection,
    station: &StationId,
    new: &[&Incoming],
    turn: Turn,
) -> Result<(), StoreError> {
    let mut keys: Vec<[u8; 16]> = new.iter().map(|record| record.key_id).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        enqueue(connection, &PendingWork::Inspection(station.clone(), key), turn).await?;
    }
    Ok(())
}

async fn keep_keys(
    connection: &mut SqliteConnection,
    arriving: &Arriving,
) -> Result<(), StoreError> {
    for (id, wrapped) in &arriving.batch.keys {
        sqlx::query(
            "INSERT INTO body_key (station, key_id, wrapped) VALUES ($1, $2, $3)
             ON CONFLICT (station, key_id) DO NOTHING",
        )
        .bind(arriving.station().as_str())
        .bind(id.0.as_slice())
        .bind(wrapped.as_slice())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn known_hashes(
    connection: &mut SqliteConnection,
    arriving: &Arriving,
) -> Result<BTreeMap<u64, ChainHash>, StoreError> {
    let rows = sqlx::query(
        "SELECT seq, hash FROM record
         WHERE station = $1 AND epoch = $2 AND seq >= $3 AND seq <= $4",
    )
    .bind(arriving.station().as_str())
    .bind(to_number("epoch", arriving.batch.epoch)?)
    .bind(to_number("seq", arriving.batch.from)?)
    .bind(to_number("seq", arriving.batch.to())?)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let seq = from_number("record", "seq", row.try_get("seq")?)?;
            let hash: Vec<u8> = row.try_get("hash")?;
            Ok((seq, ChainHash(to_bytes("record", "hash", &hash)?)))
        })
        .collect()
}

async fn keep_branch(
    connection: &mut SqliteConnection,
    arriving: &Arriving,
) -> Result<(), StoreError> {
    let epoch = to_number("epoch", arriving.batch.epoch)?;
    sqlx::query(
        "INSERT INTO branch (station, epoch, first, last, hash) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (station, epoch, first, last, hash) DO NOTHING",
    )
    .bind(arriving.station().as_str())
    .bind(epoch)
    .bind(to_number("seq", arriving.batch.from)?)
    .bind(to_number("seq", arriving.batch.to())?)
    .bind(arriving.batch.signed.head.hash.0.as_slice())
    .execute(&mut *connection)
    .await?;
    for record in &arriving.records {
        sqlx::query(
            "INSERT INTO fork (station, epoch, seq, hash, previous, received_at, stored)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (station, epoch, seq, hash) DO NOTHING",
        )
        .bind(arriving.station().as_str())
        .bind(epoch)
        .bind(to_number("seq", record.seq)?)
        .bind(record.hash.0.as_slice())
        .bind(record.previous.0.as_slice())
        .bind(arriving.received_at.as_microsecond())
        .bind(record.stored.as_slice())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn keep_signed_head(
    connection: &mut SqliteConnection,
    arriving: &Arriving,
) -> Result<(), StoreError> {
    let signed = &arriving.batch.signed;
    sqlx::query(
        "INSERT INTO signed_head (station, epoch, seq, hash, statement, signature, received_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (station, epoch, seq, hash) DO NOTHING",
    )
    .bind(arriving.station().as_str())
    .bind(to_number("epoch", arriving.batch.epoch)?)
    .bind(to_number("seq", signed.head.seq)?)
    .bind(signed.head.hash.0.as_slice())
    .bind(signed.statement.as_slice())
    .bind(signed.signature.as_slice())
    .bind(arriving.received_at.as_microsecond())
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert_records(
    connection: &mut SqliteConnection,
    arriving: &Arriving,
    new: &[&Incoming],
) -> Result<(), StoreError> {
    let count = to_number("number of records", new.len() as u64)?;
    let first = take_numbers(connection, "arrival", count).await?;
    for (record, arrival) in new.iter().zip(first..) {
        sqlx::query(
            "INSERT INTO record (station, epoch, seq, arrival, received_at, at, type, key_id,
                                 subject, previous, hash, stored)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(arriving.station().as_str())
        .bind(to_number("epoch", arriving.batch.epoch)?)
        .bind(to_number("seq", record.seq)?)
        .bind(arrival)
        .bind(arriving.received_at.as_microsecond())
        .bind(record.at)
        .bind(record.type_name.as_str())
        .bind(record.key_id.as_slice())
        .bind(record.subject.as_ref().map(<[u8; 16]>::as_slice))
        .bind(record.previous.0.as_slice())
        .bind(record.hash.0.as_slice())
        .bind(record.stored.as_slice())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Brings the runs on disk from what they were to what they are.
async fn put_runs(
    connection: &mut SqliteConnection,
    station: &StationId,
    epoch: u64,
    before: &[Run],
    after: &[Run],
) -> Result<(), StoreError> {
    let epoch = to_number("epoch", epoch)?;
    for run in before.iter().filter(|run| !after.contains(run)) {
        sqlx::query("DELETE FROM run WHERE station = $1 AND epoch = $2 AND first = $3")
            .bind(station.as_str())
            .bind(epoch)
            .bind(to_number("seq", run.first)?)
            .execute(&mut *connection)
            .await?;
    }
    for run in after.iter().filter(|run| !before.contains(run)) {
        sqlx::query(
            "INSERT INTO run (station, epoch, first, last, previous, hash)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(station.as_str())
        .bind(epoch)
        .bind(to_number("seq", run.first)?)
        .bind(to_number("seq", run.last)?)
        .bind(run.previous.0.as_slice())
        .bind(run.hash.0.as_slice())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn runs(
    connection: &mut SqliteConnection,
    station: &StationId,
    epoch: u64,
) -> Result<Vec<Run>, StoreError> {
    let rows = sqlx::query(
        "SELECT first, last, previous, hash FROM run
         WHERE station = $1 AND epoch = $2 ORDER BY first",
    )
    .bind(station.as_str())
    .bind(to_number("epoch", epoch)?)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let (previous, hash): (Vec<u8>, Vec<u8>) =
                (row.try_get("previous")?, row.try_get("hash")?);
            Ok(Run {
                first: from_number("run", "first", row.try_get("first")?)?,
                last: from_number("run", "last", row.try_get("last")?)?,
                previous: ChainHash(to_bytes("run", "previous", &previous)?),
                hash: ChainHash(to_bytes("run", "hash", &hash)?),
            })
        })
        .collect()
}
