//! What a bundle is made of: rows in a range of arrivals, in the order in which they came. Asked
//! again for the same range, the answer is the same.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use tidewaiter_proto::batch::SignedHead;
use tidewaiter_proto::chain::{ChainHash, Head};
use tidewaiter_proto::station::StationId;

use super::{Store, StoreError, from_number, parsed, to_bytes, to_number, to_time};

/// A record in a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedRecord {
    /// Its place in the order of arrival.
    pub arrival: i64,
    /// When it arrived.
    pub received_at: Timestamp,
    /// Whose.
    pub station: StationId,
    /// Of which life of the ledger.
    pub epoch: u64,
    /// Under which number.
    pub seq: u64,
    /// Which key opens it.
    pub key_id: [u8; 16],
    /// Chain hash before it.
    pub previous: ChainHash,
    /// Its chain hash.
    pub hash: ChainHash,
    /// Its bytes.
    pub stored: Vec<u8>,
}

/// A version of an alert in a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedAlert {
    /// Its place in the order of arrival.
    pub arrival: i64,
    /// Which version.
    pub version: i64,
    /// When.
    pub at: Timestamp,
    /// The alert's JSON.
    pub body: String,
}

/// A decision in a range, as stored.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportedDecision {
    /// Its place in the order of arrival.
    pub arrival: i64,
    /// Which alert.
    pub alert: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// State before.
    pub from_state: String,
    /// State after.
    pub to_state: String,
    /// Reason code.
    pub reason: String,
    /// In words.
    pub text: String,
}

/// A station as it was enrolled.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ExportedStation {
    /// Its name.
    pub station: StationId,
    /// The key it signs with, hex.
    pub signing_key: String,
    /// When it was enrolled.
    pub enrolled_at: Timestamp,
}

impl Store {
    /// Records with an arrival from `first` to `last`, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn export_records(
        &self,
        first: i64,
        last: i64,
        limit: i64,
    ) -> Result<Vec<ExportedRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT arrival, received_at, station, epoch, seq, key_id, previous, hash, stored
             FROM record WHERE arrival >= $1 AND arrival <= $2 ORDER BY arrival LIMIT $3",
        )
        .bind(first)
        .bind(last)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_record).collect()
    }

    /// The last number below `seq` that had arrived by `arrival`; 0 when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn last_before(
        &self,
        station: &StationId,
        epoch: u64,
        seq: u64,
        arrival: i64,
    ) -> Result<u64, StoreError> {
        let last: Option<i64> = sqlx::query_scalar(
            "SELECT max(seq) FROM record
             WHERE station = $1 AND epoch = $2 AND seq < $3 AND arrival <= $4",
        )
        .bind(station.as_str())
        .bind(to_number("epoch", epoch)?)
        .bind(to_number("seq", seq)?)
        .bind(arrival)
        .fetch_one(&self.readers)
        .await?;
        last.map_or(Ok(0), |last| from_number("record", "seq", last))
    }

    /// A wrapped key; `None` when it never came or was destroyed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn wrapped_key(
        &self,
        station: &StationId,
        key_id: &[u8; 16],
    ) -> Result<Option<[u8; 80]>, StoreError> {
        let wrapped: Option<Option<Vec<u8>>> =
            sqlx::query_scalar("SELECT wrapped FROM body_key WHERE station = $1 AND key_id = $2")
                .bind(station.as_str())
                .bind(key_id.as_slice())
                .fetch_optional(&self.readers)
                .await?;
        wrapped.flatten().map(|bytes| to_bytes("body_key", "wrapped", &bytes)).transpose()
    }

    /// Keeps a wrapped key if none is there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_wrapped_key(
        &self,
        station: &StationId,
        key_id: [u8; 16],
        wrapped: [u8; 80],
    ) -> Result<(), StoreError> {
        let station = station.clone();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query(
                        "INSERT INTO body_key (station, key_id, wrapped) VALUES ($1, $2, $3)
                         ON CONFLICT (station, key_id) DO NOTHING",
                    )
                    .bind(station.as_str())
                    .bind(key_id.as_slice())
                    .bind(wrapped.as_slice())
                    .execute(connection)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Versions of alerts in the range.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn export_alerts(
        &self,
        first: i64,
        last: i64,
    ) -> Result<Vec<ExportedAlert>, StoreError> {
        let rows = sqlx::query(
            "SELECT arrival, version, at, body FROM alert_version
             WHERE arrival >= $1 AND arrival <= $2 ORDER BY arrival",
        )
        .bind(first)
        .bind(last)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_alert_version).collect()
    }

    /// Decisions in the range.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn export_decisions(
        &self,
        first: i64,
        last: i64,
    ) -> Result<Vec<ExportedDecision>, StoreError> {
        let rows = sqlx::query(
            "SELECT arrival, alert, at, actor, action, from_state, to_state, reason, text
             FROM decision WHERE arrival >= $1 AND arrival <= $2 ORDER BY arrival",
        )
        .bind(first)
        .bind(last)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_decision).collect()
    }

    /// The stations that have records in the range, in the order of their names.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn export_stations(
        &self,
        first: i64,
        last: i64,
    ) -> Result<Vec<ExportedStation>, StoreError> {
        let rows = sqlx::query(
            "SELECT station, signing_key, enrolled_at FROM station WHERE station IN
                 (SELECT station FROM record WHERE arrival >= $1 AND arrival <= $2)
             ORDER BY station",
        )
        .bind(first)
        .bind(last)
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| {
                let station: String = row.try_get("station")?;
                Ok(ExportedStation {
                    station: parsed("station", "station", &station)?,
                    signing_key: row.try_get("signing_key")?,
                    enrolled_at: to_time("station", "enrolled_at", row.try_get("enrolled_at")?)?,
                })
            })
            .collect()
    }

    /// The last head that a station signed on a record of the range.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn export_head(
        &self,
        station: &StationId,
        epoch: u64,
        first: i64,
        last: i64,
    ) -> Result<Option<SignedHead>, StoreError> {
        let row = sqlx::query(
            "SELECT h.seq, h.hash, h.statement, h.signature FROM signed_head h
             JOIN record r ON r.station = h.station AND r.epoch = h.epoch AND r.seq = h.seq
                          AND r.hash = h.hash
             WHERE h.station = $1 AND h.epoch = $2 AND r.arrival >= $3 AND r.arrival <= $4
             ORDER BY h.seq DESC LIMIT 1",
        )
        .bind(station.as_str())
        .bind(to_number("epoch", epoch)?)
        .bind(first)
        .bind(last)
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let (hash, signature): (Vec<u8>, Vec<u8>) =
            (row.try_get("hash")?, row.try_get("signature")?);
        Ok(Some(SignedHead {
            statement: row.try_get("statement")?,
            signature: to_bytes("signed_head", "signature", &signature)?,
            head: Head {
                seq: from_number("signed_head", "seq", row.try_get("seq")?)?,
                hash: ChainHash(to_bytes("signed_head", "hash", &hash)?),
            },
        }))
    }
}

/// Reads one version of an alert.
pub(super) fn read_alert_version(row: &SqliteRow) -> Result<ExportedAlert, StoreError> {
    Ok(ExportedAlert {
        arrival: row.try_get("arrival")?,
        version: row.try_get("version")?,
        at: to_time("alert_version", "at", row.try_get("at")?)?,
        body: row.try_get("body")?,
    })
}

/// Reads one decision.
pub(super) fn read_decision(row: &SqliteRow) -> Result<ExportedDecision, StoreError> {
    Ok(ExportedDecision {
        arrival: row.try_get("arrival")?,
        alert: row.try_get("alert")?,
        at: to_time("decision", "at", row.try_get("at")?)?,
        actor: row.try_get("actor")?,
        action: row.try_get("action")?,
        from_state: row.try_get("from_state")?,
        to_state: row.try_get("to_state")?,
        reason: row.try_get("reason")?,
        text: row.try_get("text")?,
    })
}

pub(super) fn read_record(row: &SqliteRow) -> Result<ExportedRecord, StoreError> {
    let station: String = row.try_get("station")?;
    let bytes = |column: &'static str| -> Result<Vec<u8>, StoreError> { Ok(row.try_get(column)?) };
    Ok(ExportedRecord {
        arrival: row.try_get("arrival")?,
        received_at: to_time("record", "received_at", row.try_get("received_at")?)?,
        station: parsed("record", "station", &station)?,
        epoch: from_number("record", "epoch", row.try_get("epoch")?)?,
        seq: from_number("record", "seq", row.try_get("seq")?)?,
        key_id: to_bytes("record", "key_id", &bytes("key_id")?)?,
        previous: ChainHash(to_bytes("record", "previous", &bytes("previous")?)?),
        hash: ChainHash(to_bytes("record", "hash", &bytes("hash")?)?),
        stored: bytes("stored")?,
    })
}
