//! Alerts that speak for others: merged, and taken apart again.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use tidewaiter_proto::alert::AlertState;

use super::super::{Store, StoreError};
use super::{AlertRow, Event, Versioned, alert_by_id, read_alert, store_version};

/// Why alerts were not merged or taken apart.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MergeError {
    /// No such alert.
    #[error("there is no alert {0:?}")]
    Unknown(String),
    /// It speaks for others, or another speaks for it, or it is the same one.
    #[error("{0} cannot be merged: {1}")]
    Not(String, &'static str),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Alerts for which another speaks and that are open.
pub(super) async fn merged_into(
    connection: &mut SqliteConnection,
    id: &str,
) -> Result<Vec<AlertRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT body, assignee, standing, changed_at, version, snoozed_until, merged_into,
                departs_at FROM alert WHERE merged_into = $1 AND open = 1 ORDER BY id",
    )
    .bind(id.to_owned())
    .fetch_all(connection)
    .await?;
    rows.iter().map(read_alert).collect()
}

impl Store {
    /// Lets one alert speak for another, which leaves the queue.
    ///
    /// # Errors
    /// [`MergeError`]; then nothing has changed.
    pub async fn merge(
        &self,
        id: &str,
        into: &str,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), MergeError> {
        let (id, into, actor) = (id.to_owned(), into.to_owned(), actor.to_owned());
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let Some(child) = alert_by_id(connection, &id).await? else {
                        return Ok(Err(MergeError::Unknown(id)));
                    };
                    let Some(speaker) = alert_by_id(connection, &into).await? else {
                        return Ok(Err(MergeError::Unknown(into)));
                    };
                    let not = |why| Ok(Err(MergeError::Not(id.clone(), why)));
                    if id == into {
                        return not("it is the same alert");
                    }
                    if speaker.merged_into.is_some() {
                        return not("the other is merged itself");
                    }
                    if child.alert.state == AlertState::Closed
                        || speaker.alert.state == AlertState::Closed
                    {
                        return not("one of the two is closed");
                    }
                    if !merged_into(connection, &id).await?.is_empty() {
                        return not("others are merged into it");
                    }
                    let merged = Some(into.clone());
                    change(connection, child, merged, ("merge", &actor, &into), now).await?;
                    comment(connection, speaker, &actor, &format!("merged: {id}"), now).await?;
                    Ok(Ok(()))
                })
            })
            .await?
    }

    /// Lets an alert speak for itself again.
    ///
    /// # Errors
    /// [`MergeError`]; then nothing has changed.
    pub async fn unmerge(&self, id: &str, actor: &str, now: Timestamp) -> Result<(), MergeError> {
        let (id, actor) = (id.to_owned(), actor.to_owned());
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let Some(child) = alert_by_id(connection, &id).await? else {
                        return Ok(Err(MergeError::Unknown(id)));
                    };
                    let Some(into) = child.merged_into.clone() else {
                        return Ok(Err(MergeError::Not(id, "it is not merged")));
                    };
                    change(connection, child, None, ("unmerge", &actor, &into), now).await?;
                    Ok(Ok(()))
                })
            })
            .await?
    }

    /// Alerts for which this one speaks.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn merged(&self, id: &str) -> Result<Vec<AlertRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT body, assignee, standing, changed_at, version, snoozed_until, merged_into,
                    departs_at FROM alert WHERE merged_into = $1 ORDER BY id LIMIT 500",
        )
        .bind(id.to_owned())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_alert).collect()
    }
}

async fn change(
    connection: &mut SqliteConnection,
    row: AlertRow,
    merged_into: Option<String>,
    (action, actor, text): (&str, &str, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    let from_state = row.alert.state;
    let row = AlertRow { version: row.version + 1, merged_into, ..row };
    let event = Event { actor, action, reason: "", text };
    store_version(connection, &Versioned { from_state, row }, &event, now).await
}

async fn comment(
    connection: &mut SqliteConnection,
    row: AlertRow,
    actor: &str,
    text: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let from_state = row.alert.state;
    let row = AlertRow { version: row.version + 1, ..row };
    let event = Event { actor, action: "comment", reason: "", text };
    store_version(connection, &Versioned { from_state, row }, &event, now).await
}
