//! Accounts, and the code of the first start.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tidewaiter_people::account::{Account, AccountId};
use tidewaiter_people::lockout::Failures;
use tidewaiter_people::password::Hash;
use tidewaiter_people::setup::SetupDigest;

use super::audit::{Note, append};
use super::session::end_all;
use super::{
    Store, StoreError, from_json, from_number, parsed, take_numbers, to_bytes, to_json, to_time,
};

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
    /// The PIN for stations.
    pub pin: Option<Hash>,
    /// Digest of the badge for stations, as [`BadgeDigest`] gives it.
    pub badge: Option<String>,
    /// Who this is at the authority's own sign-in: issuer and subject.
    pub outside: Option<String>,
    /// Grows with each change.
    pub version: i64,
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
                    failed_at, ended_at, version, pin, badge, outside
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

    /// The account of somebody at the authority's own sign-in, by issuer and subject.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn account_outside(&self, outside: &str) -> Result<Option<AccountRow>, StoreError> {
        let row = sqlx::query(accounts!("WHERE outside = $1"))
            .bind(outside.to_owned())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(read_account).transpose()
    }

    /// Everybody who could sign in at a station: with a PIN, and not ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn accounts_with_pin(&self) -> Result<Vec<AccountRow>, StoreError> {
        let rows = sqlx::query(accounts!(
            "WHERE pin IS NOT NULL AND ended_at IS NULL ORDER BY id LIMIT 100000"
        ))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_account).collect()
    }

    /// Grows with each change of accounts that stations must hear of.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn station_serial(&self) -> Result<u64, StoreError> {
        let value: i64 =
            sqlx::query_scalar("SELECT value FROM counter WHERE name = 'station_accounts'")
                .fetch_one(&self.readers)
                .await?;
        from_number("counter", "value", value)
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
                    stations_must_hear(connection).await?;
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
                            pin = $8, badge = $9, outside = $10, version = version + 1
                         WHERE id = $11 AND version = $12",
                    )
                    .bind(row.account.name.clone())
                    .bind(to_json("account", "grants", &row.account.grants)?)
                    .bind(row.password.as_ref().map(|hash| hash.as_str().to_owned()))
                    .bind(i64::from(row.must_change))
                    .bind(row.factor.clone())
                    .bind(row.factor_step)
                    .bind(row.ended_at.map(Timestamp::as_microsecond))
                    .bind(row.pin.as_ref().map(|hash| hash.as_str().to_owned()))
                    .bind(row.badge.as_ref().map(|badge| badge.clone().into_bytes()))
                    .bind(row.outside.clone())
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
                        end_all(connection, &id).await?;
                    }
                    stations_must_hear(connection).await?;
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
}

async fn is_taken(connection: &mut SqliteConnection, id: &AccountId) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM account WHERE id = $1")
        .bind(id.as_str().to_owned())
        .fetch_optional(connection)
        .await?;
    Ok(found.is_some())
}

/// What a station knows of people is no longer all.
async fn stations_must_hear(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    take_numbers(connection, "station_accounts", 1).await.map(|_| ())
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

pub(super) async fn set_failures(
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
    let pin: Option<String> = row.try_get("pin")?;
    let badge: Option<Vec<u8>> = row.try_get("badge")?;
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
        pin: pin
            .map(|text| Hash::stored(&text).map_err(|error| wrong("pin", error.to_string())))
            .transpose()?,
        badge: badge.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        outside: row.try_get("outside")?,
        version: row.try_get("version")?,
    })
}
