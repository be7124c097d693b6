//! Policy packs that were proposed, and which of them two persons have agreed to.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::Row;
use tidewaiter_people::account::AccountId;
use tidewaiter_people::matter::Matter;

use super::approval::spend;
use super::audit::{Note, append};
use super::{Activation, ApprovalRow, Store, StoreError, from_json, take_numbers, to_json};

impl Store {
    /// Keeps the files of a proposed pack under its version; the same pack is kept once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_pack(
        &self,
        version: &str,
        files: &BTreeMap<String, String>,
        by: &AccountId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (version, by) = (version.to_owned(), by.as_str().to_owned());
        let files = to_json("policy_pack", "files", files)?;
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query(
                        "INSERT INTO policy_pack (version, files, proposed_by, proposed_at)
                         VALUES ($1, $2, $3, $4) ON CONFLICT (version) DO NOTHING",
                    )
                    .bind(version)
                    .bind(files)
                    .bind(by)
                    .bind(now.as_microsecond())
                    .execute(connection)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    /// The files of a proposed pack, text by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn pack(
        &self,
        version: &str,
    ) -> Result<Option<BTreeMap<String, String>>, StoreError> {
        let files: Option<String> =
            sqlx::query_scalar("SELECT files FROM policy_pack WHERE version = $1")
                .bind(version.to_owned())
                .fetch_optional(&self.readers)
                .await?;
        files.map(|files| from_json("policy_pack", "files", &files)).transpose()
    }

    /// Version of the pack that two persons agreed to last; none where nobody ever proposed one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn pack_agreed(&self) -> Result<Option<String>, StoreError> {
        let row = sqlx::query(
            "SELECT object FROM approval JOIN policy_pack ON version = object
             WHERE matter = $1 AND site = '*' AND agreed_by IS NOT NULL AND refused = 0
             ORDER BY agreed_at DESC, id DESC LIMIT 1",
        )
        .bind(Matter::ActivatePolicy.name())
        .fetch_optional(&self.readers)
        .await?;
        Ok(row.map(|row| row.try_get("object")).transpose()?)
    }

    /// Keeps that these versions are in force from now on, and uses up the approval that they rest
    /// on, where it is a policy that came into force.
    ///
    /// # Errors
    /// [`StoreError`]; the tables refuse names that did not agree.
    pub async fn activate(
        &self,
        activation: Activation,
        approval: Option<ApprovalRow>,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let number = take_numbers(connection, "activation", 1).await?;
                    sqlx::query(
                        "INSERT INTO activation (number, at, versions, proposed_by, confirmed_by)
                         VALUES ($1, $2, $3, $4, $5)",
                    )
                    .bind(number)
                    .bind(activation.at.as_microsecond())
                    .bind(to_json("activation", "versions", &activation.versions)?)
                    .bind(activation.proposed_by.clone())
                    .bind(activation.confirmed_by.clone())
                    .execute(&mut *connection)
                    .await?;
                    let Some(approval) = approval else { return Ok(()) };
                    let (matter, now) = (Matter::ActivatePolicy, activation.at);
                    spend(connection, &approval.id, matter, &approval.object, now).await?;
                    let by = activation.confirmed_by.unwrap_or_default();
                    let note = Note::done(&by, "policy_activated", approval.object)
                        .with("approval", approval.id)
                        .with("proposed_by", activation.proposed_by.unwrap_or_default());
                    append(connection, &note, now).await
                })
            })
            .await
    }
}
