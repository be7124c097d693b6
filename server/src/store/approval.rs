//! What takes two persons: asked for by one, agreed to by another, then done once. That they
//! differ, that neither had a hand in the facts, and that nothing of it is done without, are rules
//! of the tables themselves (`migrations/0010_second_person.sql`).
//!
//! Whatever takes two is done in one transaction with [`spend`]: it gives the approval, once, or
//! the whole is undone.

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
    /// On what: an alert's id, a policy's version, an inspection as `SITE/LANE/ID`, a role.
    pub object: String,
    /// Where; `*` is everywhere.
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
    /// When what was agreed to was done; then it is used up.
    pub spent_at: Option<Timestamp>,
}

impl ApprovalRow {
    /// Whether the second person agreed and it was not done yet.
    pub fn stands(&self) -> bool {
        self.agreed_by.is_some() && !self.refused && self.spent_at.is_none()
    }
}

macro_rules! approvals {
    ($which:literal) => {
        concat!(
            "SELECT id, matter, object, site, reason, detail, asked_by, asked_at, agreed_by,
                    agreed_at, refused, spent_at
             FROM approval ",
            $which
        )
    };
}

impl Store {
    /// Keeps what one asked for. `hands` are those who had a hand in the facts: the table takes no
    /// agreement of theirs.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ask_approval(
        &self,
        row: ApprovalRow,
        hands: Vec<AccountId>,
        note: Note,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    ask(connection, &row, &hands).await?;
                    append(connection, &note, row.asked_at).await
                })
            })
            .await
    }

    /// Keeps what the second person said. False when somebody was faster.
    ///
    /// # Errors
    /// [`StoreError`]; the table refuses the one who asked, and whoever had a hand in it.
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
        let row = sqlx::query(approvals!("WHERE id = $1"))
            .bind(id.to_owned())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// Who had a hand in the facts of a matter.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn approval_hands(&self, id: &str) -> Result<Vec<AccountId>, StoreError> {
        let people: Vec<String> = sqlx::query_scalar(
            "SELECT person FROM approval_hand WHERE approval = $1 ORDER BY person",
        )
        .bind(id.to_owned())
        .fetch_all(&self.readers)
        .await?;
        people.iter().map(|person| parsed("approval_hand", "person", person)).collect()
    }

    /// Matters that wait for a second person, oldest first; about one object where it is given.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_approvals(&self, object: &str) -> Result<Vec<ApprovalRow>, StoreError> {
        let rows = sqlx::query(approvals!(
            "WHERE agreed_by IS NULL AND ($1 = '' OR object = $1)
             ORDER BY asked_at, id LIMIT 500"
        ))
        .bind(object.to_owned())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read).collect()
    }

    /// Matters of a kind that were agreed to and not done yet, oldest first: what takes two and is
    /// done elsewhere than at the answer (a policy, an export) looks here.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn agreed_approvals(&self, matter: Matter) -> Result<Vec<ApprovalRow>, StoreError> {
        let rows = sqlx::query(approvals!(
            "WHERE matter = $1 AND agreed_by IS NOT NULL AND refused = 0 AND spent_at IS NULL
             ORDER BY agreed_at, id LIMIT 500"
        ))
        .bind(matter.name())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read).collect()
    }
}

/// Keeps a question within the caller's transaction.
async fn ask(
    connection: &mut SqliteConnection,
    row: &ApprovalRow,
    hands: &[AccountId],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO approval (id, matter, object, site, reason, detail, asked_by, asked_at,
                               refused)
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
    for person in hands {
        sqlx::query(
            "INSERT INTO approval_hand (approval, person) VALUES ($1, $2)
             ON CONFLICT (approval, person) DO NOTHING",
        )
        .bind(row.id.clone())
        .bind(person.as_str().to_owned())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
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

/// Uses an approval up, within the transaction that does what was agreed to: false when there is
/// none of this matter about this object, or it was used before.
pub(super) async fn spend(
    connection: &mut SqliteConnection,
    id: &str,
    matter: Matter,
    object: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE approval SET spent_at = $1
         WHERE id = $2 AND matter = $3 AND object = $4 AND agreed_by IS NOT NULL
           AND refused = 0 AND spent_at IS NULL",
    )
    .bind(now.as_microsecond())
    .bind(id.to_owned())
    .bind(matter.name())
    .bind(object.to_owned())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

fn read(row: &SqliteRow) -> Result<ApprovalRow, StoreError> {
    let by: Option<String> = row.try_get("agreed_by")?;
    let time = |column: &'static str| -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = row.try_get(column)?;
        at.map(|micros| to_time("approval", column, micros)).transpose()
    };
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
        agreed_at: time("agreed_at")?,
        refused: row.try_get::<i64, _>("refused")? != 0,
        spent_at: time("spent_at")?,
    })
}
