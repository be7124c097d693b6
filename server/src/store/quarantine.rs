//! Messages that were refused: kept to be looked at, the latest of them, so that nobody can fill
//! the disk with them.

use jiff::Timestamp;
use sqlx::Row;

use super::{Store, StoreError, to_time};

/// A refused message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Opaque.
    pub id: String,
    /// When it came.
    pub received_at: Timestamp,
    /// The topic it came on.
    pub topic: String,
    /// Why it was refused.
    pub reason: String,
    /// How many bytes of it are kept.
    pub bytes: usize,
}

impl Store {
    /// Keeps a refused message.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn quarantine(
        &self,
        topic: &str,
        payload: &[u8],
        reason: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let topic: String = topic.chars().take(TEXT_MAX).collect();
        let reason: String = reason.chars().take(TEXT_MAX).collect();
        let payload = payload.get(..PAYLOAD_MAX).unwrap_or(payload).to_vec();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query(
                        "INSERT INTO quarantine (id, received_at, topic, reason, payload)
                         VALUES ($1, $2, $3, $4, $5)",
                    )
                    .bind(uuid::Uuid::now_v7().to_string())
                    .bind(now.as_microsecond())
                    .bind(topic)
                    .bind(reason.as_str())
                    .bind(payload)
                    .execute(&mut *connection)
                    .await?;
                    sqlx::query(
                        "DELETE FROM quarantine WHERE id IN
                         (SELECT id FROM quarantine ORDER BY id DESC LIMIT 1000000 OFFSET $1)",
                    )
                    .bind(KEPT_MAX)
                    .execute(&mut *connection)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    /// The latest refused messages, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn quarantined(&self, limit: i64) -> Result<Vec<Quarantined>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, received_at, topic, reason, length(payload) AS bytes
             FROM quarantine ORDER BY id DESC LIMIT $1",
        )
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(Quarantined {
                    id: row.try_get("id")?,
                    received_at: to_time("quarantine", "received_at", row.try_get("received_at")?)?,
                    topic: row.try_get("topic")?,
                    reason: row.try_get("reason")?,
                    bytes: usize::try_from(row.try_get::<i64, _>("bytes")?).unwrap_or(0),
                })
            })
            .collect()
    }

    /// How many refused messages are kept now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn quarantine_count(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT count(*) FROM quarantine").fetch_one(&self.readers).await?)
    }
}

/// How many refused messages are kept.
pub(super) const KEPT_MAX: i64 = 1000;
const PAYLOAD_MAX: usize = 64 * 1024;
const TEXT_MAX: usize = 300;
