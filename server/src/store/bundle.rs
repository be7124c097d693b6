//! Nightly bundles: which range each covers, and what became of it.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::change::{ChangeKind, note_change};
use super::{Store, StoreError, to_time};

/// One bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleRow {
    /// Its number at this server, from 1.
    pub number: i64,
    /// Its directory's name.
    pub name: String,
    /// First arrival it covers.
    pub first: i64,
    /// Last arrival it covers.
    pub last: i64,
    /// When it was built.
    pub built_at: Timestamp,
    /// SHA-256 of the manifest of the bundle before, hex.
    pub previous: Option<String>,
    /// SHA-256 of its manifest, hex.
    pub manifest_sha256: String,
    /// The manifest.
    pub manifest: String,
    /// What became of it.
    pub state: BundleState,
    /// Headquarters' receipt as it came.
    pub receipt: Option<String>,
    /// When the receipt was taken.
    pub receipted_at: Option<Timestamp>,
}

/// What became of a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BundleState {
    /// Built and handed over.
    Built,
    /// Headquarters has it all.
    Accepted,
    /// Headquarters refused it.
    Refused,
}

impl BundleState {
    /// The name in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Built => "built",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
        }
    }

    fn read(text: &str) -> Result<Self, StoreError> {
        [Self::Built, Self::Accepted, Self::Refused]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| StoreError::Inconsistent {
                table: "bundle",
                column: "state",
                problem: format!("{text:?} is not a state of a bundle"),
            })
    }
}

impl Store {
    /// The last arrival on disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn last_arrival(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT value FROM counter WHERE name = 'arrival'")
            .fetch_one(&self.readers)
            .await?)
    }

    /// The last bundle that was built.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn last_bundle(&self) -> Result<Option<BundleRow>, StoreError> {
        Ok(self.bundles(i64::MAX, 1).await?.into_iter().next())
    }

    /// Bundles before a number, latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bundles(&self, before: i64, limit: i64) -> Result<Vec<BundleRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT number, name, first, last, built_at, previous, manifest_sha256, manifest,
                    state, receipt, receipted_at
             FROM bundle WHERE number < $1 ORDER BY number DESC LIMIT $2",
        )
        .bind(before)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_bundle).collect()
    }

    /// One bundle.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn bundle(&self, number: i64) -> Result<Option<BundleRow>, StoreError> {
        Ok(self
            .bundles(number.saturating_add(1), 1)
            .await?
            .into_iter()
            .find(|b| b.number == number))
    }

    /// Notes a bundle that is on disk.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_bundle(&self, row: BundleRow) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query(
                        "INSERT INTO bundle (number, name, first, last, built_at, previous,
                                             manifest_sha256, manifest, state)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                    )
                    .bind(row.number)
                    .bind(row.name)
                    .bind(row.first)
                    .bind(row.last)
                    .bind(row.built_at.as_microsecond())
                    .bind(row.previous)
                    .bind(row.manifest_sha256)
                    .bind(row.manifest)
                    .bind(row.state.as_str())
                    .execute(&mut *connection)
                    .await?;
                    let reference = row.number.to_string();
                    note_change(connection, row.built_at, ChangeKind::Bundle, &reference).await
                })
            })
            .await
    }

    /// Notes headquarters' verified answer to a bundle.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn answer_bundle(
        &self,
        number: i64,
        state: BundleState,
        receipt: String,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query(
                        "UPDATE bundle SET state = $1, receipt = $2, receipted_at = $3
                         WHERE number = $4",
                    )
                    .bind(state.as_str())
                    .bind(receipt)
                    .bind(now.as_microsecond())
                    .bind(number)
                    .execute(&mut *connection)
                    .await?;
                    note_change(connection, now, ChangeKind::Bundle, &number.to_string()).await
                })
            })
            .await
    }
}

fn read_bundle(row: &SqliteRow) -> Result<BundleRow, StoreError> {
    let state: String = row.try_get("state")?;
    let receipted: Option<i64> = row.try_get("receipted_at")?;
    Ok(BundleRow {
        number: row.try_get("number")?,
        name: row.try_get("name")?,
        first: row.try_get("first")?,
        last: row.try_get("last")?,
        built_at: to_time("bundle", "built_at", row.try_get("built_at")?)?,
        previous: row.try_get("previous")?,
        manifest_sha256: row.try_get("manifest_sha256")?,
        manifest: row.try_get("manifest")?,
        state: BundleState::read(&state)?,
        receipt: row.try_get("receipt")?,
        receipted_at: receipted
            .map(|micros| to_time("bundle", "receipted_at", micros))
            .transpose()?,
    })
}
