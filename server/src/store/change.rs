//! The change log: what pages and programs follow with a cursor.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use super::{Store, StoreError, take_numbers, to_time};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its place in the log, from 1.
    pub cursor: i64,
    /// When.
    pub at: Timestamp,
    /// What kind of thing.
    pub kind: ChangeKind,
    /// Which one: an alert's id, a station, `STATION INSPECTION`, a bundle's number.
    pub reference: String,
}

/// Kinds of thing that change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// An alert was raised, altered or decided.
    Alert,
    /// An inspection has new records.
    Inspection,
    /// A station came, went or sent records.
    Station,
    /// A bundle was built or answered.
    Bundle,
    /// Something that the desk keeps: a case file, a silence.
    Desk,
}

impl ChangeKind {
    /// The name in JSON, in the store and of the event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Inspection => "inspection",
            Self::Station => "station",
            Self::Bundle => "bundle",
            Self::Desk => "desk",
        }
    }

    fn read(text: &str) -> Result<Self, StoreError> {
        [Self::Alert, Self::Inspection, Self::Station, Self::Bundle, Self::Desk]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| StoreError::Inconsistent {
                table: "change_log",
                column: "kind",
                problem: format!("{text:?} is not a kind of change"),
            })
    }
}

impl Store {
    /// Changes after a cursor, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn changes(&self, after: i64, limit: i64) -> Result<Vec<Change>, StoreError> {
        let rows = sqlx::query(
            "SELECT cursor, at, kind, reference FROM change_log
             WHERE cursor > $1 ORDER BY cursor LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| {
                let kind: String = row.try_get("kind")?;
                Ok(Change {
                    cursor: row.try_get("cursor")?,
                    at: to_time("change_log", "at", row.try_get("at")?)?,
                    kind: ChangeKind::read(&kind)?,
                    reference: row.try_get("reference")?,
                })
            })
            .collect()
    }

    /// The cursor of the last change.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn change_cursor(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT value FROM counter WHERE name = 'change'")
            .fetch_one(&self.readers)
            .await?)
    }
}

pub(super) async fn note_change(
    connection: &mut SqliteConnection,
    now: Timestamp,
    kind: ChangeKind,
    reference: &str,
) -> Result<(), StoreError> {
    let cursor = take_numbers(connection, "change", 1).await?;
    sqlx::query("INSERT INTO change_log (cursor, at, kind, reference) VALUES ($1, $2, $3, $4)")
        .bind(cursor)
        .bind(now.as_microsecond())
        .bind(kind.as_str())
        .bind(reference.to_owned())
        .execute(connection)
        .await?;
    Ok(())
}
