//! What takes two persons: asked for by one, agreed to by another. That they differ is a rule of
//! the table itself.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tidewaiter_people::account::AccountId;
use tidewaiter_people::matter::Matter;

use super::audit::{Note, append};
use super::{Store, StoreError, parsed, to_time};

/// One matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalRow {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub matter: Matter,
    /// On what: an alert's id, a policy's version, a key's id.
    pub object: String,
    /// Where.
    pub site: String,
    /// Why, as the one who asks says.
    pub reason: String,
    /// What is to be done once agreed, as JSON.
    pub detail: String,
    /// Who asked.
    pub asked_by: AccountId,
    /// When.
    pub asked_at: Timestamp,
    /// Who agreed or refused.
    pub agreed_by: Option<AccountId>,
    /// When.
    pub agreed_at: Option<Timestamp>,
    /// Whether the second person refused.
    pub refused: bool,
}

impl Store {
    /// Keeps what one asked for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ask_approval(&self, row: ApprovalRow, note: Note) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query(
                        "INSERT INTO approval (id, matter, object, site, reason, detail, asked_by,
                            asked_at, refused)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)",
                    )
                    .bind(row.id.clone())
                    .bind(row.matter.name())
                    .bind(row.object.clone())
                    .bind(row.site.clone())
                    .bind(row.reason.clone())
                    .bind(row.detail.clone())
                    .bind(row.asked_by.as_str().to_owned())
                    .bind(row.asked_at.as_microsecond())
                    .execute(&mut *connection)
                    .await?;
                    append(connection, &note, row.asked_at).await
                })
            })
            .await
    }

    /// Keeps what the second person said. False when somebody was faster.
    ///
    /// # Errors
    /// [`StoreError`]; the table refuses the one who asked.
    pub async fn answer_approval(
        &self,
        id: &str,
        by: &AccountId,
        refused: bool,
        note: Note,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (id, by) = (id.to_owned(), by.clone());
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let done = answer(connection, &id, &by, refused, now).await?;
                    if done {
                        append(connection, &note, now).await?;
                    }
                    Ok(done)
                })
            })
            .await
    }

    /// One matter.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn approval(&self, id: &str) -> Result<Option<ApprovalRow>, StoreError> {
        let row = sqlx::query(
            "SELECT id, matter, object, site, reason, detail, asked_by, asked_at, agreed_by,
                    agreed_at, refused
             FROM approval WHERE id = $1",
        )
        .bind(id.to_owned())
        .fetch_optional(&self.readers)
        .await?;
        row.as_ref().map(read).transpose()
    }

    /// Matters that wait for a second person, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_approvals(&self, object: &str) -> Result<Vec<ApprovalRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, matter, object, site, reason, detail, asked_by, asked_at, agreed_by,
                    agreed_at, refused
             FROM approval WHERE agreed_by IS NULL AND ($1 = '' OR object = $1)
             ORDER BY asked_at, id LIMIT 500",
        )
        .bind(object.to_owned())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read).collect()
    }
}

/// Answers within the caller's transaction.
pub(super) async fn answer(
    connection: &mut SqliteConnection,
    id: &str,
    by: &AccountId,
    refused: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE approval SET agreed_by = $1, agreed_at = $2, refused = $3
         WHERE id = $4 AND agreed_by IS NULL",
    )
    .bind(by.as_str().to_owned())
    .bind(now.as_microsecond())
    .bind(i64::from(refused))
    .bind(id.to_owned())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

fn read(row: &SqliteRow) -> Result<ApprovalRow, StoreError> {
    let (by, at): (Option<String>, Option<i64>) =
        (row.try_get("agreed_by")?, row.try_get("agreed_at")?);
    Ok(ApprovalRow {
        id: row.try_get("id")?,
        matter: parsed("approval", "matter", &row.try_get::<String, _>("matter")?)?,
        object: row.try_get("object")?,
        site: row.try_get("site")?,
        reason: row.try_get("reason")?,
        detail: row.try_get("detail")?,
        asked_by: parsed("approval", "asked_by", &row.try_get::<String, _>("asked_by")?)?,
        asked_at: to_time("approval", "asked_at", row.try_get("asked_at")?)?,
        agreed_by: by.map(|text| parsed("approval", "agreed_by", &text)).transpose()?,
        agreed_at: at.map(|micros| to_time("approval", "agreed_at", micros)).transpose()?,
        refused: row.try_get::<i64, _>("refused")? != 0,
    })
}
