//! Answers to requests that carried an idempotency key, kept for a day.

use jiff::{SignedDuration, Timestamp};
use sqlx::Row;

use super::{Store, StoreError, from_number, to_bytes};

/// An answer that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// SHA-256 of the request.
    pub request: [u8; 32],
    /// The answer's status.
    pub status: u16,
    /// Its body.
    pub body: String,
}

impl Store {
    /// The answer to a key, if it was given within a day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn answered(
        &self,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<Answered>, StoreError> {
        let row =
            sqlx::query("SELECT request, status, body FROM answered WHERE key = $1 AND at >= $2")
                .bind(key.to_owned())
                .bind(since(now))
                .fetch_optional(&self.readers)
                .await?;
        row.map(|row| {
            let request: Vec<u8> = row.try_get("request")?;
            let status = from_number("answered", "status", row.try_get("status")?)?;
            Ok(Answered {
                request: to_bytes("answered", "request", &request)?,
                status: u16::try_from(status).unwrap_or(500),
                body: row.try_get("body")?,
            })
        })
        .transpose()
    }

    /// Keeps an answer, and lets go of those whose day is over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_answer(
        &self,
        key: String,
        answered: Answered,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query("DELETE FROM answered WHERE at < $1")
                        .bind(since(now))
                        .execute(&mut *connection)
                        .await?;
                    sqlx::query(
                        "INSERT INTO answered (key, at, request, status, body)
                         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (key) DO NOTHING",
                    )
                    .bind(key)
                    .bind(now.as_microsecond())
                    .bind(answered.request.as_slice())
                    .bind(i64::from(answered.status))
                    .bind(answered.body)
                    .execute(connection)
                    .await?;
                    Ok(())
                })
            })
            .await
    }
}

fn since(now: Timestamp) -> i64 {
    now.checked_sub(SignedDuration::from_hours(24)).map_or(i64::MIN, Timestamp::as_microsecond)
}
