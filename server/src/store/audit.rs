//! The audit: who did and read what, in a chain. An entry about a change is written in the
//! transaction of the change.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tidewaiter_people::audit::{Broken, Entry, Link, Outcome, START, Walk};

use super::{Store, StoreError, from_json, from_number, take_numbers, to_bytes, to_json, to_time};

/// What is to be kept; the store gives number and link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Who; empty when nobody was signed in.
    pub actor: String,
    /// What.
    pub action: &'static str,
    /// On what.
    pub object: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What else belongs to it.
    pub details: BTreeMap<String, String>,
}

impl Note {
    /// A note of what was done or read.
    pub fn done(actor: &str, action: &'static str, object: impl Into<String>) -> Self {
        Self {
            actor: actor.to_owned(),
            action,
            object: object.into(),
            outcome: Outcome::Done,
            details: BTreeMap::new(),
        }
    }

    /// The same, ended in another way.
    #[must_use]
    pub fn ended(self, outcome: Outcome) -> Self {
        Self { outcome, ..self }
    }

    /// With one more detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}

impl Store {
    /// Keeps a note. What is read is shown only after this has answered.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note(&self, note: Note, now: Timestamp) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| Box::pin(async move { append(connection, &note, now).await }))
            .await
    }

    /// Entries before a number, latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit(
        &self,
        actor: &str,
        object: &str,
        before: i64,
        limit: i64,
    ) -> Result<Vec<Entry>, StoreError> {
        let rows = sqlx::query(
            "SELECT number, at, actor, action, object, outcome, details, link FROM audit
             WHERE ($1 = '' OR actor = $1) AND ($2 = '' OR object = $2) AND number < $3
             ORDER BY number DESC LIMIT $4",
        )
        .bind(actor.to_owned())
        .bind(object.to_owned())
        .bind(before)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| read(row).map(|(entry, _)| entry)).collect()
    }

    /// Goes through the whole chain: how many entries, and the last link; or where it breaks.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub async fn verify_audit(&self) -> Result<Result<(u64, Link), Broken>, StoreError> {
        self.verify_audit_after(Walk::default()).await
    }

    /// Goes on from where an earlier walk ended; what lies before it is not looked at again.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub async fn verify_audit_after(
        &self,
        mut walk: Walk,
    ) -> Result<Result<(u64, Link), Broken>, StoreError> {
        let before = walk.last();
        // The counter first: what is written meanwhile is more than it says, not less. It is a
        // second place that an entry cut off at the end would have to be cut from.
        let seen: i64 = sqlx::query_scalar("SELECT value FROM counter WHERE name = 'audit'")
            .fetch_one(&self.readers)
            .await?;
        let mut rows = sqlx::query(
            "SELECT number, at, actor, action, object, outcome, details, link FROM audit
             WHERE number > $1 ORDER BY number",
        )
        .bind(super::to_number("audit", before)?)
        .fetch(&self.readers);
        while let Some(row) = rows.try_next().await? {
            let (entry, link) = read(&row)?;
            if let Err(broken) = walk.step(&entry, &link) {
                return Ok(Err(broken));
            }
        }
        drop(rows);
        Ok(walk.end(from_number("counter", "value", seen)?))
    }

    /// The link of one entry; `None` when there is no such entry.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_link(&self, number: u64) -> Result<Option<Link>, StoreError> {
        let link: Option<Vec<u8>> = sqlx::query_scalar("SELECT link FROM audit WHERE number = $1")
            .bind(super::to_number("audit", number)?)
            .fetch_optional(&self.readers)
            .await?;
        link.map(|bytes| to_bytes("audit", "link", &bytes)).transpose()
    }

    /// The number of the last entry that arrived before an arrival; 0 when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn last_audit_before(&self, arrival: i64) -> Result<u64, StoreError> {
        let last: Option<i64> =
            sqlx::query_scalar("SELECT max(number) FROM audit WHERE arrival < $1")
                .bind(arrival)
                .fetch_one(&self.readers)
                .await?;
        from_number("audit", "number", last.unwrap_or(0))
    }

    /// Entries with their links in a range of arrivals, in their order: what a bundle takes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn export_audit(
        &self,
        first: i64,
        last: i64,
    ) -> Result<Vec<(Entry, Link)>, StoreError> {
        let rows = sqlx::query(
            "SELECT number, at, actor, action, object, outcome, details, link FROM audit
             WHERE arrival >= $1 AND arrival <= $2 ORDER BY number",
        )
        .bind(first)
        .bind(last)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read).collect()
    }
}

/// Appends a note to the chain, within the caller's transaction.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    note: &Note,
    now: Timestamp,
) -> Result<(), StoreError> {
    let number = take_numbers(connection, "audit", 1).await?;
    // One order for all that arrives: the bundle takes the audit's range with the records'.
    let arrival = take_numbers(connection, "arrival", 1).await?;
    let last: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT link FROM audit ORDER BY number DESC LIMIT 1")
            .fetch_optional(&mut *connection)
            .await?;
    let previous = last.map_or(Ok(START), |link| to_bytes("audit", "link", &link))?;
    // Times are kept to the microsecond: the chain is over what is kept.
    let at = to_time("audit", "at", now.as_microsecond())?;
    let entry = Entry {
        number: from_number("counter", "value", number)?,
        at,
        actor: note.actor.clone(),
        action: note.action.to_owned(),
        object: note.object.clone(),
        outcome: note.outcome,
        details: note.details.clone(),
    };
    sqlx::query(
        "INSERT INTO audit (number, at, actor, action, object, outcome, details, link, arrival)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(number)
    .bind(at.as_microsecond())
    .bind(entry.actor.clone())
    .bind(entry.action.clone())
    .bind(entry.object.clone())
    .bind(outcome_name(entry.outcome))
    .bind(to_json("audit", "details", &entry.details)?)
    .bind(entry.link(&previous).to_vec())
    .bind(arrival)
    .execute(connection)
    .await?;
    Ok(())
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Denied => "denied",
        Outcome::Failed => "failed",
    }
}

fn read(row: &SqliteRow) -> Result<(Entry, Link), StoreError> {
    let outcome: String = row.try_get("outcome")?;
    let entry = Entry {
        number: from_number("audit", "number", row.try_get("number")?)?,
        at: to_time("audit", "at", row.try_get("at")?)?,
        actor: row.try_get("actor")?,
        action: row.try_get("action")?,
        object: row.try_get("object")?,
        outcome: from_json("audit", "outcome", &format!("\"{outcome}\""))?,
        details: from_json("audit", "details", &row.try_get::<String, _>("details")?)?,
    };
    Ok((entry, to_bytes("audit", "link", &row.try_get::<Vec<u8>, _>("link")?)?))
}
