//! What people keep at the desk: views, silences, who was named where, files beside alerts.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::audit::{Note, append};
use super::change::{ChangeKind, note_change};
use super::{Store, StoreError, from_number, to_number, to_time};

/// A filter that somebody keeps.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SavedView {
    /// Whose.
    pub owner: String,
    /// Its name.
    pub name: String,
    /// The query of its address.
    pub query: String,
    /// Whether all see it.
    pub shared: bool,
}

/// A kind of alert that is kept out of the queue for a time.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SilenceRow {
    /// Its id.
    pub id: String,
    /// Which code.
    pub code: String,
    /// About which traveller's token; empty for every one.
    pub subject: String,
    /// At which station; empty for every one.
    pub station: String,
    /// Who answers for it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// From when.
    pub begun_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
}

/// A file beside an alert.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AttachmentRow {
    /// SHA-256 of its bytes, hex.
    pub sha256: String,
    /// The name it was given.
    pub name: String,
    /// What its content is.
    pub media_type: String,
    /// How many bytes.
    pub bytes: u64,
    /// Who added it.
    pub added_by: String,
    /// When.
    pub added_at: Timestamp,
}

impl Store {
    /// Keeps a view under its owner and name; the one before of that name is gone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn save_view(&self, view: SavedView) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query(
                        "INSERT INTO saved_view (owner, name, query, shared) VALUES ($1, $2, $3, $4)
                         ON CONFLICT (owner, name) DO UPDATE SET query = excluded.query,
                             shared = excluded.shared",
                    )
                    .bind(view.owner)
                    .bind(view.name)
                    .bind(view.query)
                    .bind(i64::from(view.shared))
                    .execute(connection)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Lets a view go; false when there was none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn drop_view(&self, owner: &str, name: &str) -> Result<bool, StoreError> {
        let (owner, name) = (owner.to_owned(), name.to_owned());
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let done = sqlx::query("DELETE FROM saved_view WHERE owner = $1 AND name = $2")
                        .bind(owner)
                        .bind(name)
                        .execute(connection)
                        .await?;
                    Ok(done.rows_affected() > 0)
                })
            })
            .await
    }

    /// The views that somebody sees: their own, then those shared with all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn views(&self, owner: &str) -> Result<Vec<SavedView>, StoreError> {
        let rows = sqlx::query(
            "SELECT owner, name, query, shared FROM saved_view WHERE owner = $1 OR shared = 1
             ORDER BY CASE WHEN owner = $1 THEN 0 ELSE 1 END, name LIMIT 100",
        )
        .bind(owner.to_owned())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(SavedView {
                    owner: row.try_get("owner")?,
                    name: row.try_get("name")?,
                    query: row.try_get("query")?,
                    shared: row.try_get::<i64, _>("shared")? != 0,
                })
            })
            .collect()
    }

    /// Begins a silence, with its note in the audit.
    ///
    /// # Errors
    /// [`StoreError`]; the table refuses one about a listed person.
    pub async fn silence(
        &self,
        row: SilenceRow,
        note: Note,
        noted_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query(
                        "INSERT INTO silence (id, code, subject, station, author, reason, begun_at,
                                              ends_at)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                    )
                    .bind(row.id.clone())
                    .bind(row.code)
                    .bind(row.subject)
                    .bind(row.station)
                    .bind(row.author)
                    .bind(row.reason)
                    .bind(row.begun_at.as_microsecond())
                    .bind(row.ends_at.as_microsecond())
                    .execute(&mut *connection)
                    .await?;
                    append(connection, &note, noted_at).await?;
                    note_change(connection, row.begun_at, ChangeKind::Desk, &row.id).await
                })
            })
            .await
    }

    /// Ends a silence before its time; false when it does not run.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_silence(
        &self,
        id: &str,
        by: &str,
        note: Note,
        (now, noted_at): (Timestamp, Timestamp),
    ) -> Result<bool, StoreError> {
        let (id, by) = (id.to_owned(), by.to_owned());
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let done = sqlx::query(
                        "UPDATE silence SET ended_by = $1, ended_at = $2
                         WHERE id = $3 AND ended_at IS NULL",
                    )
                    .bind(by)
                    .bind(now.as_microsecond())
                    .bind(id.clone())
                    .execute(&mut *connection)
                    .await?;
                    if done.rows_affected() == 0 {
                        return Ok(false);
                    }
                    append(connection, &note, noted_at).await?;
                    note_change(connection, now, ChangeKind::Desk, &id).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// Silences that run, what ends first first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn silences(&self, now: Timestamp) -> Result<Vec<SilenceRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, code, subject, station, author, reason, begun_at, ends_at FROM silence
             WHERE ended_at IS NULL AND ends_at > $1 ORDER BY ends_at, id LIMIT 500",
        )
        .bind(now.as_microsecond())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_silence).collect()
    }

    /// In how many alerts somebody was named and has not looked since.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mentions(&self, person: &str) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT count(DISTINCT alert) FROM mention WHERE person = $1 AND seen_at IS NULL",
        )
        .bind(person.to_owned())
        .fetch_one(&self.readers)
        .await?)
    }

    /// Notes that somebody has looked at an alert in which they were named. Writes only where there
    /// is something to note.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn seen(&self, person: &str, alert: &str, now: Timestamp) -> Result<(), StoreError> {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM mention WHERE person = $1 AND alert = $2 AND seen_at IS NULL",
        )
        .bind(person.to_owned())
        .bind(alert.to_owned())
        .fetch_one(&self.readers)
        .await?;
        if waiting == 0 {
            return Ok(());
        }
        let (person, alert) = (person.to_owned(), alert.to_owned());
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query(
                        "UPDATE mention SET seen_at = $1
                         WHERE person = $2 AND alert = $3 AND seen_at IS NULL",
                    )
                    .bind(now.as_microsecond())
                    .bind(person)
                    .bind(alert)
                    .execute(connection)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Keeps a file beside an alert, with its note in the audit. False when it is there already, or
    /// there are as many as there may be.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn attach(
        &self,
        alert: &str,
        row: AttachmentRow,
        content: Vec<u8>,
        note: Note,
        noted_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let alert = alert.to_owned();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let bytes = to_number("size of a file", row.bytes)?;
                    let done = sqlx::query(
                        "INSERT INTO attachment (alert, sha256, name, media_type, bytes, added_by,
                                                 added_at)
                         SELECT $1, $2, $3, $4, $5, $6, $7
                         WHERE (SELECT count(*) FROM attachment WHERE alert = $1) < $8
                         ON CONFLICT (alert, sha256) DO NOTHING",
                    )
                    .bind(alert.clone())
                    .bind(row.sha256.clone())
                    .bind(row.name)
                    .bind(row.media_type)
                    .bind(bytes)
                    .bind(row.added_by)
                    .bind(row.added_at.as_microsecond())
                    .bind(ATTACHMENTS_MAX)
                    .execute(&mut *connection)
                    .await?;
                    if done.rows_affected() == 0 {
                        return Ok(false);
                    }
                    sqlx::query(
                        "INSERT INTO attached (sha256, content) VALUES ($1, $2)
                         ON CONFLICT (sha256) DO NOTHING",
                    )
                    .bind(row.sha256)
                    .bind(content)
                    .execute(&mut *connection)
                    .await?;
                    append(connection, &note, noted_at).await?;
                    note_change(connection, row.added_at, ChangeKind::Alert, &alert).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// The files beside an alert, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn attachments(&self, alert: &str) -> Result<Vec<AttachmentRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT sha256, name, media_type, bytes, added_by, added_at FROM attachment
             WHERE alert = $1 ORDER BY added_at, sha256",
        )
        .bind(alert.to_owned())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(AttachmentRow {
                    sha256: row.try_get("sha256")?,
                    name: row.try_get("name")?,
                    media_type: row.try_get("media_type")?,
                    bytes: from_number("attachment", "bytes", row.try_get("bytes")?)?,
                    added_by: row.try_get("added_by")?,
                    added_at: to_time("attachment", "added_at", row.try_get("added_at")?)?,
                })
            })
            .collect()
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn attached(&self, sha256: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(sqlx::query_scalar("SELECT content FROM attached WHERE sha256 = $1")
            .bind(sha256.to_owned())
            .fetch_optional(&self.readers)
            .await?)
    }
}

fn read_silence(row: &SqliteRow) -> Result<SilenceRow, StoreError> {
    Ok(SilenceRow {
        id: row.try_get("id")?,
        code: row.try_get("code")?,
        subject: row.try_get("subject")?,
        station: row.try_get("station")?,
        author: row.try_get("author")?,
        reason: row.try_get("reason")?,
        begun_at: to_time("silence", "begun_at", row.try_get("begun_at")?)?,
        ends_at: to_time("silence", "ends_at", row.try_get("ends_at")?)?,
    })
}

/// The most files beside one alert.
const ATTACHMENTS_MAX: i64 = 50;
