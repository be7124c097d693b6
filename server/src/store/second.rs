//! What is done once two agreed: keys erased, a list's hit set aside, personal data exported,
//! rights taken beyond one's own. Each in one transaction with the approval that it uses up.

use jiff::{SignedDuration, Timestamp};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use tidewaiter_people::account::AccountId;
use tidewaiter_people::matter::Matter;
use tidewaiter_people::role::Role;
use tidewaiter_proto::station::StationId;

use super::approval::{ApprovalRow, answer, spend};
use super::audit::{Note, append};
use super::{Store, StoreError, parsed, to_time};

/// Rights beyond one's own, for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakGlassRow {
    /// The approval it rests on.
    pub approval: String,
    /// Who has them.
    pub account: AccountId,
    /// Where.
    pub site: String,
    /// What they are there for that time.
    pub role: Role,
    /// From when.
    pub begun_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
    /// Who looked at what was done with them.
    pub reviewed_by: Option<AccountId>,
    /// What they found.
    pub verdict: Option<String>,
}

/// One entry of a list that is not this traveller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Token of the travel document.
    pub subject: String,
    /// The list.
    pub list: String,
    /// The list's entry.
    pub entry: String,
}

/// The longest that rights beyond one's own last.
pub const BREAK_GLASS_LONGEST: SignedDuration = SignedDuration::from_hours(4);

impl Store {
    /// Keeps the second person's agreement and erases the keys of the inspection: the records stay
    /// in their chain and open no more. What later assessments knew of it goes too. False when
    /// somebody was faster.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing is changed.
    pub async fn erase(
        &self,
        approval: ApprovalRow,
        by: &AccountId,
        station: StationId,
        inspection: String,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let by = by.clone();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    if !answer(connection, &approval.id, &by, false, now).await? {
                        return Ok(false);
                    }
                    sqlx::query(
                        "INSERT INTO erasure (station, inspection, key_id, approval, at)
                         SELECT station, inspection, key_id, $1, $2 FROM inspection
                         WHERE station = $3 AND inspection = $4",
                    )
                    .bind(approval.id.clone())
                    .bind(now.as_microsecond())
                    .bind(station.as_str().to_owned())
                    .bind(inspection.clone())
                    .execute(&mut *connection)
                    .await?;
                    let keys = sqlx::query(
                        "UPDATE body_key SET wrapped = NULL
                         WHERE station = $1 AND wrapped IS NOT NULL AND key_id IN
                            (SELECT key_id FROM erasure WHERE station = $1 AND inspection = $2)",
                    )
                    .bind(station.as_str().to_owned())
                    .bind(inspection.clone())
                    .execute(&mut *connection)
                    .await?;
                    sqlx::query(
                        "UPDATE inspection SET digest = NULL WHERE station = $1 AND inspection = $2",
                    )
                    .bind(station.as_str().to_owned())
                    .bind(inspection)
                    .execute(&mut *connection)
                    .await?;
                    spend(connection, &approval.id, Matter::Erase, &approval.object, now).await?;
                    let note = agreed(&approval, &by)
                        .with("keys", keys.rows_affected().to_string());
                    append(connection, &note, now).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// Keeps the second person's agreement and sets hits aside for good. False when somebody was
    /// faster.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing is changed.
    pub async fn set_aside(
        &self,
        approval: ApprovalRow,
        by: &AccountId,
        hits: Vec<Override>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let by = by.clone();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    if !answer(connection, &approval.id, &by, false, now).await? {
                        return Ok(false);
                    }
                    for hit in &hits {
                        sqlx::query(
                            "INSERT INTO list_override (subject, list, entry, approval, at)
                             VALUES ($1, $2, $3, $4, $5)
                             ON CONFLICT (subject, list, entry) DO NOTHING",
                        )
                        .bind(hit.subject.clone())
                        .bind(hit.list.clone())
                        .bind(hit.entry.clone())
                        .bind(approval.id.clone())
                        .bind(now.as_microsecond())
                        .execute(&mut *connection)
                        .await?;
                    }
                    // Where the alert still stands, closing it uses the approval up.
                    sqlx::query(
                        "UPDATE approval SET spent_at = $1 WHERE id = $2 AND EXISTS
                            (SELECT 1 FROM alert WHERE id = $3 AND state = 'closed')",
                    )
                    .bind(now.as_microsecond())
                    .bind(approval.id.clone())
                    .bind(approval.object.clone())
                    .execute(&mut *connection)
                    .await?;
                    let said: Vec<String> =
                        hits.iter().map(|hit| format!("{} {}", hit.list, hit.entry)).collect();
                    let note = agreed(&approval, &by).with("hits", said.join(", "));
                    append(connection, &note, now).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// Entries that are known not to be this traveller.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn overrides(&self, subject: &str) -> Result<Vec<Override>, StoreError> {
        let rows = sqlx::query(
            "SELECT subject, list, entry FROM list_override WHERE subject = $1
             ORDER BY list, entry LIMIT 500",
        )
        .bind(subject.to_owned())
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Override {
                    subject: row.try_get("subject")?,
                    list: row.try_get("list")?,
                    entry: row.try_get("entry")?,
                })
            })
            .collect()
    }

    /// Notes that personal data leaves, with the digest of what leaves; false when the approval was
    /// used before. Only after this is it given out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn personal_export(
        &self,
        approval: &ApprovalRow,
        sha256: String,
        note: Note,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let approval = approval.clone();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    if !approval.stands() {
                        return Ok(false);
                    }
                    let done = sqlx::query(
                        "INSERT INTO personal_export (approval, at, sha256) VALUES ($1, $2, $3)
                         ON CONFLICT (approval) DO NOTHING",
                    )
                    .bind(approval.id.clone())
                    .bind(now.as_microsecond())
                    .bind(sha256)
                    .execute(&mut *connection)
                    .await?;
                    if done.rows_affected() == 0 {
                        return Ok(false);
                    }
                    let (matter, object) = (Matter::ExportPersonal, &approval.object);
                    spend(connection, &approval.id, matter, object, now).await?;
                    append(connection, &note, now).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// Keeps the second person's agreement and gives the rights. False when somebody was faster.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn break_glass(
        &self,
        approval: ApprovalRow,
        by: &AccountId,
        role: Role,
        lasts: SignedDuration,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let by = by.clone();
        let ends_at = now + lasts.min(BREAK_GLASS_LONGEST);
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    if !answer(connection, &approval.id, &by, false, now).await? {
                        return Ok(false);
                    }
                    sqlx::query(
                        "INSERT INTO break_glass (approval, account, site, role, begun_at, ends_at)
                         VALUES ($1, $2, $3, $4, $5, $6)",
                    )
                    .bind(approval.id.clone())
                    .bind(approval.asked_by.as_str().to_owned())
                    .bind(approval.site.clone())
                    .bind(role.name())
                    .bind(now.as_microsecond())
                    .bind(ends_at.as_microsecond())
                    .execute(&mut *connection)
                    .await?;
                    spend(connection, &approval.id, Matter::BreakGlass, &approval.object, now)
                        .await?;
                    let note = agreed(&approval, &by)
                        .with("role", role.name())
                        .with("until", ends_at.to_string());
                    append(connection, &note, now).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// Rights beyond their own that somebody has now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn broken_glass_of(
        &self,
        account: &AccountId,
        now: Timestamp,
    ) -> Result<Vec<BreakGlassRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT approval, account, site, role, begun_at, ends_at, reviewed_by, verdict
             FROM break_glass WHERE account = $1 AND ends_at > $2",
        )
        .bind(account.as_str().to_owned())
        .bind(now.as_microsecond())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read).collect()
    }

    /// Rights that were taken and that nobody has looked at, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn glass_to_review(&self) -> Result<Vec<BreakGlassRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT approval, account, site, role, begun_at, ends_at, reviewed_by, verdict
             FROM break_glass WHERE reviewed_by IS NULL ORDER BY begun_at LIMIT 200",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read).collect()
    }

    /// Keeps what somebody found who looked at it; rights that still last end with that. False when
    /// there is nothing to review.
    ///
    /// # Errors
    /// [`StoreError`]; the table refuses the one who had the rights.
    pub async fn review_glass(
        &self,
        approval: &str,
        by: &AccountId,
        verdict: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (approval, by, verdict) = (approval.to_owned(), by.clone(), verdict.to_owned());
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let done = sqlx::query(
                        "UPDATE break_glass SET reviewed_by = $1, reviewed_at = $2, verdict = $3,
                            ends_at = CASE WHEN ends_at > $2 AND $2 > begun_at THEN $2
                                           ELSE ends_at END
                         WHERE approval = $4 AND reviewed_by IS NULL",
                    )
                    .bind(by.as_str().to_owned())
                    .bind(now.as_microsecond())
                    .bind(verdict.clone())
                    .bind(approval.clone())
                    .execute(&mut *connection)
                    .await?;
                    if done.rows_affected() == 0 {
                        return Ok(false);
                    }
                    let note = Note::done(by.as_str(), "break_glass_reviewed", approval)
                        .with("verdict", verdict);
                    append(connection, &note, now).await?;
                    Ok(true)
                })
            })
            .await
    }
}

/// The line of the audit that every agreement leaves.
fn agreed(approval: &ApprovalRow, by: &AccountId) -> Note {
    Note::done(by.as_str(), "approval_agreed", approval.id.clone())
        .with("matter", approval.matter.name())
        .with("object", approval.object.clone())
        .with("asked_by", approval.asked_by.as_str())
}

fn read(row: &SqliteRow) -> Result<BreakGlassRow, StoreError> {
    let time = |column: &'static str| -> Result<Timestamp, StoreError> {
        to_time("break_glass", column, row.try_get(column)?)
    };
    let reviewed_by: Option<String> = row.try_get("reviewed_by")?;
    Ok(BreakGlassRow {
        approval: row.try_get("approval")?,
        account: parsed("break_glass", "account", &row.try_get::<String, _>("account")?)?,
        site: row.try_get("site")?,
        role: parsed("break_glass", "role", &row.try_get::<String, _>("role")?)?,
        begun_at: time("begun_at")?,
        ends_at: time("ends_at")?,
        reviewed_by: reviewed_by
            .map(|text| parsed("break_glass", "reviewed_by", &text))
            .transpose()?,
        verdict: row.try_get("verdict")?,
    })
}
