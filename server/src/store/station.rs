//! Stations: their keys, and what they last said of themselves.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use tidewaiter_proto::presence::Presence;
use tidewaiter_proto::signing::Verifying;
use tidewaiter_proto::station::StationId;

use super::change::{ChangeKind, note_change};
use super::{Store, StoreError, from_json, parsed, take_numbers, to_time};

/// One station as registered, with its last presence.
#[derive(Clone, Debug, PartialEq)]
pub struct StationRow {
    /// Its name.
    pub station: StationId,
    /// The key it signs its ledger with.
    pub signing_key: Verifying,
    /// When it was enrolled.
    pub enrolled_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// Whether it last said that it is there.
    pub online: bool,
    /// When it was last heard.
    pub seen_at: Option<Timestamp>,
    /// What it last said of itself.
    pub presence: Option<Presence>,
}

impl Store {
    /// Registers a station or replaces its key; a revoked station is taken back by this.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn register_station(
        &self,
        station: &StationId,
        signing_key: Verifying,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (station, key) = (station.clone(), String::from(signing_key));
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let arrival = take_numbers(connection, "arrival", 1).await?;
                    sqlx::query(
                        "INSERT INTO station (station, signing_key, enrolled_at, arrival)
                         VALUES ($1, $2, $3, $4)
                         ON CONFLICT (station) DO UPDATE SET signing_key = excluded.signing_key,
                             enrolled_at = excluded.enrolled_at, arrival = excluded.arrival,
                             revoked_at = NULL",
                    )
                    .bind(station.as_str())
                    .bind(key)
                    .bind(now.as_microsecond())
                    .bind(arrival)
                    .execute(&mut *connection)
                    .await?;
                    note_change(connection, now, ChangeKind::Station, station.as_str()).await
                })
            })
            .await
    }

    /// Revokes a station: from now on it is not let in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn revoke_station(
        &self,
        station: &StationId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let station = station.clone();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let done = sqlx::query("UPDATE station SET revoked_at = $1 WHERE station = $2")
                        .bind(now.as_microsecond())
                        .bind(station.as_str())
                        .execute(&mut *connection)
                        .await?;
                    note_change(connection, now, ChangeKind::Station, station.as_str()).await?;
                    Ok(done.rows_affected() > 0)
                })
            })
            .await
    }

    /// The key a registered station signs with; `None` for a station that is unknown or revoked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn station_key(&self, station: &StationId) -> Result<Option<Verifying>, StoreError> {
        let key: Option<String> = sqlx::query_scalar(
            "SELECT signing_key FROM station WHERE station = $1 AND revoked_at IS NULL",
        )
        .bind(station.as_str())
        .fetch_optional(&self.readers)
        .await?;
        key.map(read_key).transpose()
    }

    /// One station.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn station(&self, station: &StationId) -> Result<Option<StationRow>, StoreError> {
        let row = sqlx::query(
            "SELECT station, signing_key, enrolled_at, revoked_at, online, seen_at, presence
             FROM station WHERE station = $1",
        )
        .bind(station.as_str())
        .fetch_optional(&self.readers)
        .await?;
        row.as_ref().map(read_station).transpose()
    }

    /// Stations in the order of their names, after `after`, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn stations(
        &self,
        sites: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<StationRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT station, signing_key, enrolled_at, revoked_at, online, seen_at, presence
             FROM station WHERE station > $1
               AND ($3 = '' OR ',' || $3 || ',' LIKE '%,' || substr(station, 1, 5) || ',%')
             ORDER BY station LIMIT $2",
        )
        .bind(after.to_owned())
        .bind(limit)
        .bind(sites.to_owned())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_station).collect()
    }

    /// How many stations are enrolled, and how many of them are there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn station_counts(&self) -> Result<(i64, i64), StoreError> {
        Ok(sqlx::query_as(
            "SELECT count(*), coalesce(sum(online), 0) FROM station WHERE revoked_at IS NULL",
        )
        .fetch_one(&self.readers)
        .await?)
    }
}

fn read_key(text: String) -> Result<Verifying, StoreError> {
    Verifying::try_from(text).map_err(|error| StoreError::Inconsistent {
        table: "station",
        column: "signing_key",
        problem: error.to_string(),
    })
}

fn read_station(row: &SqliteRow) -> Result<StationRow, StoreError> {
    let time = |column: &'static str| -> Result<Option<Timestamp>, StoreError> {
        let micros: Option<i64> = row.try_get(column)?;
        micros.map(|micros| to_time("station", column, micros)).transpose()
    };
    let presence: Option<String> = row.try_get("presence")?;
    Ok(StationRow {
        station: parsed("station", "station", row.try_get("station")?)?,
        signing_key: read_key(row.try_get("signing_key")?)?,
        enrolled_at: to_time("station", "enrolled_at", row.try_get("enrolled_at")?)?,
        revoked_at: time("revoked_at")?,
        online: row.try_get::<i64, _>("online")? != 0,
        seen_at: time("seen_at")?,
        presence: presence.map(|text| from_json("station", "presence", &text)).transpose()?,
    })
}
