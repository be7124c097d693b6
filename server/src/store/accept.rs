//! Taking a verified batch: each record once, forks kept beside, runs joined as gaps close.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;
use tidewaiter_proto::batch::{Batch, BatchKey, SignedHead};
use tidewaiter_proto::chain::{ChainHash, Head};
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::stored::Stored;

use super::change::{ChangeKind, note_change};
use super::pending::{LedgerFinding, PendingWork, enqueue};
use super::{Store, StoreError, from_number, take_numbers, to_bytes, to_number};

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Records that were not on disk before.
    pub new: u64,
    /// Records that were on disk already, the same bytes.
    pub duplicates: u64,
    /// Numbers under which another record was on disk already.
    pub forks: Vec<u64>,
    /// All of the epoch that is on disk now.
    pub coverage: Coverage,
}

/// What is on disk of one epoch of one station: the content of a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Every range on disk, ascending, both ends included.
    pub ranges: Vec<(u64, u64)>,
    /// The end of the verified run from 1; the genesis head when there is none.
    pub verified: Head,
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

/// A batch in the store's own terms.
struct Arriving {
    station: StationId,
    epoch: u64,
    keys: Vec<BatchKey>,
    signed: SignedHead,
    records: Vec<Incoming>,
    received_at: Timestamp,
}

/// An unbroken run of records.
#[derive(Clone, Copy, Debug)]
struct Run {
    first: u64,
    last: u64,
    previous: ChainHash,
    hash: ChainHash,
}

impl Store {
    /// Takes a verified batch in one transaction, with what is to be assessed because of it.
    /// Taking the same batch again changes nothing.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of the batch is on disk.
    pub async fn accept(
        &self,
        batch: &Batch,
        received_at: Timestamp,
    ) -> Result<Accepted, StoreError> {
        let arriving = Arriving::from_batch(batch, received_at)?;
        self.writer.write(move |connection| Box::pin(accept(connection, arriving))).await
    }

    /// What is on disk of one epoch.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ranges(&self, station: &StationId, epoch: u64) -> Result<Coverage, StoreError> {
        let mut connection = self.readers.acquire().await?;
        coverage(&mut connection, station, epoch).await
    }

    /// The epochs of a station that have records on disk, ascending.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn epochs(&self, station: &StationId) -> Result<Vec<u64>, StoreError> {
        let rows: Vec<i64> =
            sqlx::query_scalar("SELECT DISTINCT epoch FROM run WHERE station = $1 ORDER BY epoch")
                .bind(station.as_str())
                .fetch_all(&self.readers)
                .await?;
        rows.into_iter().map(|epoch| from_number("run", "epoch", epoch)).collect()
    }
}

impl Arriving {
    fn from_batch(batch: &Batch, received_at: Timestamp) -> Result<Self, StoreError> {
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
        Ok(Self {
            station: batch.station.clone(),
            epoch: batch.epoch,
            keys: batch.keys.clone(),
            signed: batch.signed.clone(),
            records,
            received_at,
        })
    }
}

async fn accept(
    connection: &mut SqliteConnection,
    arriving: Arriving,
) -> Result<Accepted, StoreError> {
    let (station, epoch) = (arriving.station.clone(), arriving.epoch);
    keep_keys(connection, &arriving).await?;
    let known = known_hashes(connection, &arriving).await?;
    let (mut new, mut duplicates, mut forks) = (Vec::new(), 0, Vec::new());
    for record in &arriving.records {
        match known.get(&record.seq) {
            Some(hash) if *hash == record.hash => duplicates += 1,
            Some(_) => {
                if keep_fork(connection, &arriving, record).await? {
                    let finding = LedgerFinding::Fork { epoch, seq: record.seq };
                    enqueue(connection, &PendingWork::Ledger(station.clone(), finding)).await?;
                }
                forks.push(record.seq);
            }
            None => new.push(record),
        }
    }
    if !new.is_empty() || !forks.is_empty() {
        keep_signed_head(connection, &arriving).await?;
    }
    if !new.is_empty() {
        insert_records(connection, &arriving, &new).await?;
        for run in runs_of(&new) {
            if let Some(seq) = join_run(connection, &station, epoch, run).await? {
                let finding = LedgerFinding::Broken { epoch, seq };
                enqueue(connection, &PendingWork::Ledger(station.clone(), finding)).await?;
            }
        }
        let mut keys: Vec<[u8; 16]> = new.iter().map(|record| record.key_id).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            enqueue(connection, &PendingWork::Inspection(station.clone(), key)).await?;
        }
        note_change(connection, arriving.received_at, ChangeKind::Station, station.as_str())
            .await?;
    }
    let coverage = coverage(connection, &station, epoch).await?;
    Ok(Accepted { new: new.len() as u64, duplicates, forks, coverage })
}

async fn keep_keys(
    connection: &mut SqliteConnection,
    arriving: &Arriving,
) -> Result<(), StoreError> {
    for (id, wrapped) in &arriving.keys {
        sqlx::query(
            "INSERT INTO body_key (station, key_id, wrapped) VALUES ($1, $2, $3)
             ON CONFLICT (station, key_id) DO NOTHING",
        )
        .bind(arriving.station.as_str())
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
) -> Result<std::collections::HashMap<u64, ChainHash>, StoreError> {
    let (Some(first), Some(last)) = (arriving.records.first(), arriving.records.last()) else {
        return Ok(std::collections::HashMap::new());
    };
    let rows = sqlx::query(
        "SELECT seq, hash FROM record
         WHERE station = $1 AND epoch = $2 AND seq >= $3 AND seq <= $4",
    )
    .bind(arriving.station.as_str())
    .bind(to_number("epoch", arriving.epoch)?)
    .bind(to_number("seq", first.seq)?)
    .bind(to_number("seq", last.seq)?)
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

async fn keep_fork(
    connection: &mut SqliteConnection,
    arriving: &Arriving,
    record: &Incoming,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO fork (station, epoch, seq, hash, previous, received_at, stored)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (station, epoch, seq, hash) DO NOTHING",
    )
    .bind(arriving.station.as_str())
    .bind(to_number("epoch", arriving.epoch)?)
    .bind(to_number("seq", record.seq)?)
    .bind(record.hash.0.as_slice())
    .bind(record.previous.0.as_slice())
    .bind(arriving.received_at.as_microsecond())
    .bind(record.stored.as_slice())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

async fn keep_signed_head(
    connection: &mut SqliteConnection,
    arriving: &Arriving,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO signed_head (station, epoch, seq, hash, statement, signature, received_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (station, epoch, seq, hash) DO NOTHING",
    )
    .bind(arriving.station.as_str())
    .bind(to_number("epoch", arriving.epoch)?)
    .bind(to_number("seq", arriving.signed.head.seq)?)
    .bind(arriving.signed.head.hash.0.as_slice())
    .bind(arriving.signed.statement.as_slice())
    .bind(arriving.signed.signature.as_slice())
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
        .bind(arriving.station.as_str())
        .bind(to_number("epoch", arriving.epoch)?)
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

/// The runs that the new records of a batch form among themselves.
fn runs_of(new: &[&Incoming]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for record in new {
        match runs.last_mut() {
            Some(run) if run.last.checked_add(1) == Some(record.seq) => {
                run.last = record.seq;
                run.hash = record.hash;
            }
            _ => runs.push(Run {
                first: record.seq,
                last: record.seq,
                previous: record.previous,
                hash: record.hash,
            }),
        }
    }
    runs
}

/// Adds a run, joined with its neighbours where the chain holds; gives the number at which it
/// does not.
async fn join_run(
    connection: &mut SqliteConnection,
    station: &StationId,
    epoch: u64,
    mut run: Run,
) -> Result<Option<u64>, StoreError> {
    let mut broken = None;
    if run.first == 1 && run.previous != Head::genesis(station, epoch).hash {
        broken = Some(1);
    }
    let all = runs(connection, station, epoch).await?;
    if let Some(before) = all.iter().find(|other| other.last.checked_add(1) == Some(run.first)) {
        if before.hash == run.previous {
            remove_run(connection, station, epoch, before.first).await?;
            run = Run { first: before.first, previous: before.previous, ..run };
        } else {
            broken = Some(run.first);
        }
    }
    if let Some(after) = all.iter().find(|other| run.last.checked_add(1) == Some(other.first)) {
        if after.previous == run.hash {
            remove_run(connection, station, epoch, after.first).await?;
            run = Run { last: after.last, hash: after.hash, ..run };
        } else {
            broken = Some(after.first);
        }
    }
    sqlx::query(
        "INSERT INTO run (station, epoch, first, last, previous, hash)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(station.as_str())
    .bind(to_number("epoch", epoch)?)
    .bind(to_number("seq", run.first)?)
    .bind(to_number("seq", run.last)?)
    .bind(run.previous.0.as_slice())
    .bind(run.hash.0.as_slice())
    .execute(connection)
    .await?;
    Ok(broken)
}

async fn remove_run(
    connection: &mut SqliteConnection,
    station: &StationId,
    epoch: u64,
    first: u64,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM run WHERE station = $1 AND epoch = $2 AND first = $3")
        .bind(station.as_str())
        .bind(to_number("epoch", epoch)?)
        .bind(to_number("seq", first)?)
        .execute(connection)
        .await?;
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

pub(super) async fn coverage(
    connection: &mut SqliteConnection,
    station: &StationId,
    epoch: u64,
) -> Result<Coverage, StoreError> {
    let genesis = Head::genesis(station, epoch);
    let mut coverage = Coverage { ranges: Vec::new(), verified: genesis };
    for run in runs(connection, station, epoch).await? {
        if run.first == 1 && run.previous == genesis.hash {
            coverage.verified = Head { seq: run.last, hash: run.hash };
        }
        match coverage.ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(run.first) => *last = run.last,
            _ => coverage.ranges.push((run.first, run.last)),
        }
    }
    Ok(coverage)
}
