//! Headquarters' side: bundles that came in, and the records taken from them.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::change::{ChangeKind, note_change};
use super::{ExportedRecord, Store, StoreError, take_numbers, to_number, to_time};

/// One bundle that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingRow {
    /// SHA-256 of its manifest, hex.
    pub manifest_sha256: String,
    /// Which server sent it.
    pub server: String,
    /// Its number at that server.
    pub number: i64,
    /// Its directory's name.
    pub name: String,
    /// When it was taken.
    pub received_at: Timestamp,
    /// Whether it was accepted.
    pub accepted: bool,
    /// The checks, JSON.
    pub checks: String,
    /// Its manifest.
    pub manifest: String,
    /// The signed receipt that was given.
    pub receipt: String,
}

impl Store {
    /// Takes an accepted bundle with its records, or notes a refused one.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of it is on disk.
    pub async fn put_incoming(
        &self,
        row: IncomingRow,
        records: Vec<ExportedRecord>,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let count = to_number("number of records", records.len() as u64)?;
                    let first = take_numbers(connection, "arrival", count).await?;
                    for (record, arrival) in records.iter().zip(first..) {
                        insert(connection, record, arrival, row.received_at).await?;
                    }
                    sqlx::query(
                        "INSERT INTO incoming (manifest_sha256, server, number, name, received_at,
                                               state, checks, manifest, receipt)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                         ON CONFLICT (manifest_sha256) DO UPDATE SET name = excluded.name,
                             server = excluded.server, number = excluded.number,
                             manifest = excluded.manifest,
                             received_at = excluded.received_at, state = excluded.state,
                             checks = excluded.checks, receipt = excluded.receipt",
                    )
                    .bind(row.manifest_sha256.as_str())
                    .bind(row.server.as_str())
                    .bind(row.number)
                    .bind(row.name.as_str())
                    .bind(row.received_at.as_microsecond())
                    .bind(if row.accepted { ACCEPTED } else { "refused" })
                    .bind(row.checks.as_str())
                    .bind(row.manifest.as_str())
                    .bind(row.receipt.as_str())
                    .execute(&mut *connection)
                    .await?;
                    let reference = format!("{} {}", row.server, row.number);
                    note_change(connection, row.received_at, ChangeKind::Bundle, &reference).await
                })
            })
            .await
    }

    /// Bundles that came in, latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn incoming(&self, limit: i64) -> Result<Vec<IncomingRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT manifest_sha256, server, number, name, received_at, state, checks, manifest,
                    receipt
             FROM incoming ORDER BY received_at DESC, server, number DESC LIMIT $1",
        )
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_incoming).collect()
    }

    /// The bundle with this manifest, if it came in before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn incoming_by_manifest(
        &self,
        manifest_sha256: &str,
    ) -> Result<Option<IncomingRow>, StoreError> {
        let row = sqlx::query(
            "SELECT manifest_sha256, server, number, name, received_at, state, checks, manifest,
                    receipt
             FROM incoming WHERE manifest_sha256 = $1",
        )
        .bind(manifest_sha256.to_owned())
        .fetch_optional(&self.readers)
        .await?;
        row.as_ref().map(read_incoming).transpose()
    }

    /// The last bundle accepted from a server.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn last_incoming(&self, server: &str) -> Result<Option<IncomingRow>, StoreError> {
        let row = sqlx::query(
            "SELECT manifest_sha256, server, number, name, received_at, state, checks, manifest,
                    receipt
             FROM incoming WHERE server = $1 AND state = $2 ORDER BY number DESC LIMIT 1",
        )
        .bind(server.to_owned())
        .bind(ACCEPTED)
        .fetch_optional(&self.readers)
        .await?;
        row.as_ref().map(read_incoming).transpose()
    }

    /// The chain hash of a record on disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_hash(
        &self,
        station: &tidewaiter_proto::station::StationId,
        epoch: u64,
        seq: u64,
    ) -> Result<Option<tidewaiter_proto::chain::ChainHash>, StoreError> {
        let hash: Option<Vec<u8>> = sqlx::query_scalar(
            "SELECT hash FROM record WHERE station = $1 AND epoch = $2 AND seq = $3",
        )
        .bind(station.as_str())
        .bind(to_number("epoch", epoch)?)
        .bind(to_number("seq", seq)?)
        .fetch_optional(&self.readers)
        .await?;
        hash.map(|bytes| {
            Ok(tidewaiter_proto::chain::ChainHash(super::to_bytes("record", "hash", &bytes)?))
        })
        .transpose()
    }

    /// How many records are on disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_count(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT count(*) FROM record").fetch_one(&self.readers).await?)
    }
}

async fn insert(
    connection: &mut sqlx::sqlite::SqliteConnection,
    record: &ExportedRecord,
    arrival: i64,
    received_at: Timestamp,
) -> Result<(), StoreError> {
    let header = tidewaiter_proto::stored::Stored::parse(&record.stored)
        .map_err(|error| StoreError::Inconsistent {
            table: "record",
            column: "stored",
            problem: error.to_string(),
        })?
        .header;
    sqlx::query(
        "INSERT INTO record (station, epoch, seq, arrival, received_at, at, type, key_id, subject,
                             previous, hash, stored)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (station, epoch, seq) DO NOTHING",
    )
    .bind(record.station.as_str())
    .bind(to_number("epoch", record.epoch)?)
    .bind(to_number("seq", record.seq)?)
    .bind(arrival)
    .bind(received_at.as_microsecond())
    .bind(header.at.as_microsecond())
    .bind(header.type_name.as_str())
    .bind(record.key_id.as_slice())
    .bind(header.subject.as_ref().map(|token| token.0.as_slice()))
    .bind(record.previous.0.as_slice())
    .bind(record.hash.0.as_slice())
    .bind(record.stored.as_slice())
    .execute(connection)
    .await?;
    Ok(())
}

fn read_incoming(row: &SqliteRow) -> Result<IncomingRow, StoreError> {
    let state: String = row.try_get("state")?;
    Ok(IncomingRow {
        manifest_sha256: row.try_get("manifest_sha256")?,
        server: row.try_get("server")?,
        number: row.try_get("number")?,
        name: row.try_get("name")?,
        received_at: to_time("incoming", "received_at", row.try_get("received_at")?)?,
        accepted: state == ACCEPTED,
        checks: row.try_get("checks")?,
        manifest: row.try_get("manifest")?,
        receipt: row.try_get("receipt")?,
    })
}

const ACCEPTED: &str = "accepted";
