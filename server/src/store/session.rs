//! Sessions: who is signed in, from where, since when. Only a token's digest is kept.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tidewaiter_people::account::AccountId;
use tidewaiter_people::lockout::Failures;
use tidewaiter_people::session::TokenDigest;

use super::account::set_failures;
use super::audit::{Note, append};
use super::{Store, StoreError, parsed, to_bytes, to_time};

/// A session with its account.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// SHA-256 of its token.
    pub digest: TokenDigest,
    /// Whose.
    pub account: AccountId,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it was last used.
    pub used_at: Timestamp,
    /// From where.
    pub address: String,
    /// With what, as the browser says.
    pub agent: String,
}

impl Store {
    /// Begins a session after a right answer; `before`, the session of the same browser, ends. The
    /// step of the second factor is used up: false when somebody else used it first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_session(
        &self,
        session: SessionRow,
        factor_step: Option<i64>,
        before: Option<TokenDigest>,
        note: Note,
    ) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let id = session.account.as_str().to_owned();
                    if let Some(step) = factor_step {
                        let used = sqlx::query(
                            "UPDATE account SET factor_step = $1
                             WHERE id = $2 AND (factor_step IS NULL OR factor_step < $1)",
                        )
                        .bind(step)
                        .bind(id.clone())
                        .execute(&mut *connection)
                        .await?;
                        if used.rows_affected() == 0 {
                            return Ok(false);
                        }
                    }
                    set_failures(connection, &id, Failures::default()).await?;
                    if let Some(digest) = before {
                        delete_session(connection, &digest).await?;
                    }
                    sqlx::query(
                        "INSERT INTO session (digest, account, begun_at, used_at, address, agent)
                         VALUES ($1, $2, $3, $4, $5, $6)",
                    )
                    .bind(session.digest.to_vec())
                    .bind(id)
                    .bind(session.begun_at.as_microsecond())
                    .bind(session.used_at.as_microsecond())
                    .bind(session.address.clone())
                    .bind(session.agent.clone())
                    .execute(&mut *connection)
                    .await?;
                    append(connection, &note, session.begun_at).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// One session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session(&self, digest: &TokenDigest) -> Result<Option<SessionRow>, StoreError> {
        let row = sqlx::query(
            "SELECT digest, account, begun_at, used_at, address, agent FROM session
             WHERE digest = $1",
        )
        .bind(digest.to_vec())
        .fetch_optional(&self.readers)
        .await?;
        row.as_ref().map(read_session).transpose()
    }

    /// The sessions of an account, latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sessions(&self, account: &AccountId) -> Result<Vec<SessionRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT digest, account, begun_at, used_at, address, agent FROM session
             WHERE account = $1 ORDER BY used_at DESC LIMIT 100",
        )
        .bind(account.as_str().to_owned())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_session).collect()
    }

    /// Keeps that a session was used.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn use_session(&self, digest: TokenDigest, now: Timestamp) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query("UPDATE session SET used_at = $1 WHERE digest = $2")
                        .bind(now.as_microsecond())
                        .bind(digest.to_vec())
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_session(
        &self,
        digest: TokenDigest,
        note: Note,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    delete_session(connection, &digest).await?;
                    append(connection, &note, now).await
                })
            })
            .await
    }
}

/// Ends every session of an account.
pub(super) async fn end_all(
    connection: &mut SqliteConnection,
    id: &AccountId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM session WHERE account = $1")
        .bind(id.as_str().to_owned())
        .execute(connection)
        .await?;
    Ok(())
}

async fn delete_session(
    connection: &mut SqliteConnection,
    digest: &TokenDigest,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM session WHERE digest = $1")
        .bind(digest.to_vec())
        .execute(connection)
        .await?;
    Ok(())
}

fn read_session(row: &SqliteRow) -> Result<SessionRow, StoreError> {
    Ok(SessionRow {
        digest: to_bytes("session", "digest", &row.try_get::<Vec<u8>, _>("digest")?)?,
        account: parsed("session", "account", &row.try_get::<String, _>("account")?)?,
        begun_at: to_time("session", "begun_at", row.try_get("begun_at")?)?,
        used_at: to_time("session", "used_at", row.try_get("used_at")?)?,
        address: row.try_get("address")?,
        agent: row.try_get("agent")?,
    })
}
