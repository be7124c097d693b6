//! Accounts, the code of the first start, and sessions.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tidewaiter_people::account::{Account, AccountId};
use tidewaiter_people::lockout::Failures;
use tidewaiter_people::password::Hash;
use tidewaiter_people::session::TokenDigest;
use tidewaiter_people::setup::SetupDigest;

use super::audit::{Note, append};
use super::{Store, StoreError, from_json, parsed, to_bytes, to_json, to_time};

/// An account with what proves who it is.
#[derive(Clone, Debug)]
pub struct AccountRow {
    /// Who, and which roles where.
    pub account: Account,
    /// Its password, if it signs in here.
    pub password: Option<Hash>,
    /// Whether the password was given by somebody else and must be changed first.
    pub must_change: bool,
    /// The second factor's secret, sealed.
    pub factor: Option<Vec<u8>>,
    /// The last step of the second factor that was used.
    pub factor_step: Option<i64>,
    /// Wrong answers in a row.
    pub failures: Failures,
    /// When it was ended; it never comes back.
    pub ended_at: Option<Timestamp>,
    /// Grows with each change.
    pub version: i64,
}

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

/// Why an account was not altered.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AccountError {
    /// It is there already; ids are never given twice.
    #[error("there is an account {0} already, or was one: an id is never given twice")]
    Taken(AccountId),
    /// There is none.
    #[error("there is no account {0}")]
    Unknown(AccountId),
    /// Somebody was faster.
    #[error("the account {0} has changed since")]
    Changed(AccountId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

macro_rules! accounts {
    ($which:literal) => {
        concat!(
            "SELECT id, name, grants, password, must_change, factor, factor_step, failures,
                    failed_at, ended_at, version
             FROM account ",
            $which
        )
    };
}

impl Store {
    /// Whether any account was ever made.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_accounts(&self) -> Result<bool, StoreError> {
        let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM account LIMIT 1")
            .fetch_optional(&self.readers)
            .await?;
        Ok(found.is_some())
    }

    /// One account, ended ones too.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn account(&self, id: &AccountId) -> Result<Option<AccountRow>, StoreError> {
        let row = sqlx::query(accounts!("WHERE id = $1"))
            .bind(id.as_str().to_owned())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(read_account).transpose()
    }

    /// All accounts by id, after one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn accounts(&self, after: &str, limit: i64) -> Result<Vec<AccountRow>, StoreError> {
        let rows = sqlx::query(accounts!("WHERE id > $1 ORDER BY id LIMIT $2"))
            .bind(after.to_owned())
            .bind(limit)
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(read_account).collect()
    }

    /// Makes an account.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn make_account(
        &self,
        account: Account,
        password: Option<Hash>,
        must_change: bool,
        note: Note,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    if is_taken(connection, &account.id).await? {
                        return Ok(Err(AccountError::Taken(account.id)));
                    }
                    insert(connection, &account, password.as_ref(), must_change, now).await?;
                    append(connection, &note, now).await?;
                    Ok(Ok(()))
                })
            })
            .await?
    }

    /// Makes the first account, if there is none and the setup code is this one; the code is gone
    /// then.
    ///
    /// # Errors
    /// [`StoreError`]. False when the code is not the one, or not the first.
    pub async fn make_first_account(
        &self,
        account: Account,
        password: Hash,
        code: SetupDigest,
        note: Note,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let used = sqlx::query("DELETE FROM setup WHERE digest = $1")
                        .bind(code.0.to_vec())
                        .execute(&mut *connection)
                        .await?;
                    if used.rows_affected() == 0 {
                        return Ok(false);
                    }
                    insert(connection, &account, Some(&password), false, now).await?;
                    append(connection, &note, now).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// Keeps the digest of a new setup code in place of any before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_setup(&self, code: SetupDigest) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query("DELETE FROM setup").execute(&mut *connection).await?;
                    sqlx::query("INSERT INTO setup (digest) VALUES ($1)")
                        .bind(code.0.to_vec())
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    /// The digest of the setup code, while there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn setup(&self) -> Result<Option<SetupDigest>, StoreError> {
        let found: Option<Vec<u8>> = sqlx::query_scalar("SELECT digest FROM setup LIMIT 1")
            .fetch_optional(&self.readers)
            .await?;
        found.map(|bytes| to_bytes("setup", "digest", &bytes).map(SetupDigest)).transpose()
    }

    /// Alters an account that is still at `row.version`. With `end_sessions` nobody stays signed in
    /// under rights it no longer has.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn alter_account(
        &self,
        row: AccountRow,
        end_sessions: bool,
        note: Note,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let id = row.account.id.clone();
                    let done = sqlx::query(
                        "UPDATE account SET name = $1, grants = $2, password = $3,
                            must_change = $4, factor = $5, factor_step = $6, ended_at = $7,
                            version = version + 1
                         WHERE id = $8 AND version = $9",
                    )
                    .bind(row.account.name.clone())
                    .bind(to_json("account", "grants", &row.account.grants)?)
                    .bind(row.password.as_ref().map(|hash| hash.as_str().to_owned()))
                    .bind(i64::from(row.must_change))
                    .bind(row.factor.clone())
                    .bind(row.factor_step)
                    .bind(row.ended_at.map(Timestamp::as_microsecond))
                    .bind(id.as_str().to_owned())
                    .bind(row.version)
                    .execute(&mut *connection)
                    .await?;
                    if done.rows_affected() == 0 {
                        let there = is_taken(connection, &id).await?;
                        let error = if there {
                            AccountError::Changed(id)
                        } else {
                            AccountError::Unknown(id)
                        };
                        return Ok(Err(error));
                    }
                    if end_sessions {
                        sqlx::query("DELETE FROM session WHERE account = $1")
                            .bind(id.as_str().to_owned())
                            .execute(&mut *connection)
                            .await?;
                    }
                    append(connection, &note, now).await?;
                    Ok(Ok(()))
                })
            })
            .await?
    }

    /// Keeps how often somebody answered wrongly in a row.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_failures(
        &self,
        id: &AccountId,
        failures: Failures,
        note: Note,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let id = id.as_str().to_owned();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    set_failures(connection, &id, failures).await?;
                    append(connection, &note, now).await
                })
            })
            .await
    }

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

async fn is_taken(connection: &mut SqliteConnection, id: &AccountId) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM account WHERE id = $1")
        .bind(id.as_str().to_owned())
        .fetch_optional(connection)
        .await?;
    Ok(found.is_some())
}

async fn insert(
    connection: &mut SqliteConnection,
    account: &Account,
    password: Option<&Hash>,
    must_change: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO account (id, name, grants, password, must_change, failures, made_at, version)
         VALUES ($1, $2, $3, $4, $5, 0, $6, 1)",
    )
    .bind(account.id.as_str().to_owned())
    .bind(account.name.clone())
    .bind(to_json("account", "grants", &account.grants)?)
    .bind(password.map(|hash| hash.as_str().to_owned()))
    .bind(i64::from(must_change))
    .bind(now.as_microsecond())
    .execute(connection)
    .await?;
    Ok(())
}

async fn set_failures(
    connection: &mut SqliteConnection,
    id: &str,
    failures: Failures,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE account SET failures = $1, failed_at = $2 WHERE id = $3")
        .bind(i64::from(failures.count))
        .bind(failures.last.map(Timestamp::as_microsecond))
        .bind(id.to_owned())
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

fn optional_time(
    row: &SqliteRow,
    table: &'static str,
    column: &'static str,
) -> Result<Option<Timestamp>, StoreError> {
    let micros: Option<i64> = row.try_get(column)?;
    micros.map(|micros| to_time(table, column, micros)).transpose()
}

fn read_account(row: &SqliteRow) -> Result<AccountRow, StoreError> {
    let wrong =
        |column, problem: String| StoreError::Inconsistent { table: "account", column, problem };
    let password: Option<String> = row.try_get("password")?;
    let failures: i64 = row.try_get("failures")?;
    Ok(AccountRow {
        account: Account {
            id: parsed("account", "id", &row.try_get::<String, _>("id")?)?,
            name: row.try_get("name")?,
            grants: from_json("account", "grants", &row.try_get::<String, _>("grants")?)?,
        },
        password: password
            .map(|text| Hash::stored(&text).map_err(|error| wrong("password", error.to_string())))
            .transpose()?,
        must_change: row.try_get::<i64, _>("must_change")? != 0,
        factor: row.try_get("factor")?,
        factor_step: row.try_get("factor_step")?,
        failures: Failures {
            count: u32::try_from(failures).unwrap_or(u32::MAX),
            last: optional_time(row, "account", "failed_at")?,
        },
        ended_at: optional_time(row, "account", "ended_at")?,
        version: row.try_get("version")?,
    })
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
