//! Alerts as they stand, every version they had, and what was decided about them.
//!
//! The engine may raise, sharpen and no longer find an alert; it never reopens what people closed.
//! A closed alert that is found again and weighs more is passed up.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use tidewaiter_proto::alert::{Alert, AlertCode, AlertState, Severity};
use tidewaiter_proto::station::StationId;

use super::change::{ChangeKind, note_change};
use super::facts::put_facts;
use super::inspection::put_inspection;
use super::pending::settle;
use super::{InspectionRow, Pending, Store, StoreError, from_json, take_numbers, to_json, to_time};
use crate::facts::hundredths;

mod action;
mod list;
mod merge;

pub use action::{Act, ActError, Action, Agreed, CLOSING_REASONS, Decision};
pub use list::{AlertFilter, AlertOrder, AlertPage, Aside};
pub use merge::MergeError;

/// One alert as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertRow {
    /// The alert, with its state.
    pub alert: Alert,
    /// Who has it.
    pub assignee: Option<String>,
    /// Whether the last assessment still found it.
    pub standing: bool,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// Grows with each change; a decision names the version it was made on.
    pub version: i64,
    /// Out of the queue until then.
    pub snoozed_until: Option<Timestamp>,
    /// The alert that speaks for this one.
    pub merged_into: Option<String>,
    /// When the traveller's movement leaves or arrives, as scheduled.
    pub departs_at: Option<Timestamp>,
}

/// What an upsert did to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upserted {
    /// It is new.
    Raised,
    /// Its facts changed.
    Altered,
    /// It was closed, weighs more now, and is passed up.
    Escalated,
    /// Nothing changed.
    Same,
}

impl Store {
    /// Keeps what was found of some inspections, and settles the work. Alerts of these inspections
    /// that are not among those found no longer stand.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing is kept and the work still waits.
    pub async fn put_assessment(
        &self,
        pending: Pending,
        rows: Vec<InspectionRow>,
        found: Vec<Alert>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    for alert in &found {
                        upsert(connection, alert, now).await?;
                    }
                    for row in &rows {
                        put_one(connection, row, &found, now).await?;
                    }
                    settle(connection, &pending).await
                })
            })
            .await
    }

    /// Keeps an alert about a station's ledger, and settles the work.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_ledger_alert(
        &self,
        pending: Pending,
        alert: Alert,
        now: Timestamp,
    ) -> Result<Upserted, StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let done = upsert(connection, &alert, now).await?;
                    settle(connection, &pending).await?;
                    Ok(done)
                })
            })
            .await
    }

    /// One alert.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn alert(&self, id: &str) -> Result<Option<AlertRow>, StoreError> {
        let row = sqlx::query(
            "SELECT body, assignee, standing, changed_at, version, snoozed_until, merged_into,
                    departs_at FROM alert WHERE id = $1",
        )
        .bind(id.to_owned())
        .fetch_optional(&self.readers)
        .await?;
        row.as_ref().map(read_alert).transpose()
    }
}

async fn put_one(
    connection: &mut SqliteConnection,
    row: &InspectionRow,
    found: &[Alert],
    now: Timestamp,
) -> Result<(), StoreError> {
    put_inspection(connection, row).await?;
    put_facts(connection, row).await?;
    for missing in not_found_again(connection, row, found).await? {
        let event = Event { action: "not_found_again", reason: "", text: "", actor: ENGINE };
        store_version(connection, &missing, &event, now).await?;
    }
    let reference = format!("{} {}", row.station, row.inspection);
    note_change(connection, now, ChangeKind::Inspection, &reference).await
}

/// Alerts of this inspection that stood until now and were not found this time, so marked.
async fn not_found_again(
    connection: &mut SqliteConnection,
    row: &InspectionRow,
    found: &[Alert],
) -> Result<Vec<Versioned>, StoreError> {
    let rows = sqlx::query(
        "SELECT body, assignee, standing, changed_at, version, snoozed_until, merged_into,
                    departs_at FROM alert
         WHERE station = $1 AND inspection = $2 AND standing = 1",
    )
    .bind(row.station.as_str())
    .bind(row.inspection.as_str())
    .fetch_all(connection)
    .await?;
    let standing = rows.iter().map(read_alert).collect::<Result<Vec<_>, _>>()?;
    Ok(standing
        .into_iter()
        .filter(|row| found.iter().all(|alert| alert.id != row.alert.id))
        .map(|row| Versioned {
            from_state: row.alert.state,
            row: AlertRow { standing: false, version: row.version + 1, ..row },
        })
        .collect())
}

/// An alert's next version and the state it comes from.
struct Versioned {
    from_state: AlertState,
    row: AlertRow,
}

/// Why there is a next version.
struct Event<'a> {
    actor: &'a str,
    action: &'a str,
    reason: &'a str,
    text: &'a str,
}

/// Marks an alert that stood as no longer found.
pub(super) async fn no_longer(
    connection: &mut SqliteConnection,
    row: AlertRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    let from_state = row.alert.state;
    let row = AlertRow { standing: false, version: row.version + 1, ..row };
    let event = Event { action: "not_found_again", reason: "", text: "", actor: ENGINE };
    store_version(connection, &Versioned { from_state, row }, &event, now).await
}

pub(super) async fn upsert(
    connection: &mut SqliteConnection,
    found: &Alert,
    now: Timestamp,
) -> Result<Upserted, StoreError> {
    let Some(before) = alert_by_id(connection, &found.id).await? else {
        // What two set aside for good is kept and asks nobody again.
        let aside = is_set_aside(connection, found).await?;
        let (state, text) = if aside {
            (AlertState::Closed, "its hits were set aside by two")
        } else {
            (AlertState::New, "")
        };
        let alert = Alert { state, ..found.clone() };
        let row = AlertRow {
            alert,
            assignee: None,
            standing: true,
            changed_at: now,
            version: 1,
            snoozed_until: None,
            merged_into: None,
            departs_at: None,
        };
        let next = Versioned { from_state: AlertState::New, row };
        let event = Event { actor: ENGINE, action: "raised", reason: "", text };
        store_version(connection, &next, &event, now).await?;
        return Ok(Upserted::Raised);
    };
    let mut alert = found.clone();
    alert.raised_at = before.alert.raised_at;
    alert.state = before.alert.state;
    if alert == before.alert && before.standing {
        return Ok(Upserted::Same);
    }
    let graver = weighs_more(&alert, &before.alert) && !is_set_aside(connection, &alert).await?;
    let escalated = before.alert.state == AlertState::Closed && graver;
    if escalated {
        alert.state = AlertState::Escalated;
    }
    // What weighs more than when it was put aside asks again.
    let aside = |kept: Option<Timestamp>| kept.filter(|_| !graver);
    let row = AlertRow {
        alert,
        standing: true,
        version: before.version + 1,
        snoozed_until: aside(before.snoozed_until),
        ..before.clone()
    };
    let (action, done) =
        if escalated { ("escalated", Upserted::Escalated) } else { ("altered", Upserted::Altered) };
    let text = format!("severity {} → {}", before.alert.severity, row.alert.severity);
    let event = Event { actor: ENGINE, action, reason: "assessed again", text: &text };
    let next = Versioned { from_state: before.alert.state, row };
    store_version(connection, &next, &event, now).await?;
    Ok(done)
}

fn weighs_more(after: &Alert, before: &Alert) -> bool {
    let grew = match (after.amount, before.amount) {
        (Some(after), Some(before)) => {
            after.currency == before.currency && after.amount > before.amount
        }
        _ => false,
    };
    after.severity > before.severity || grew || after.hits.len() > before.hits.len()
}

/// Whether every hit of an alert about a list was set aside by two for this traveller.
async fn is_set_aside(
    connection: &mut SqliteConnection,
    alert: &Alert,
) -> Result<bool, StoreError> {
    let listed = matches!(alert.code, AlertCode::ListMatch | AlertCode::ListMatchPossible);
    let Some(subject) = alert.subject.as_deref().filter(|_| listed && !alert.hits.is_empty())
    else {
        return Ok(false);
    };
    for hit in &alert.hits {
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM list_override WHERE subject = $1 AND list = $2 AND entry = $3",
        )
        .bind(subject.to_owned())
        .bind(hit.list.clone())
        .bind(hit.entry.clone())
        .fetch_optional(&mut *connection)
        .await?;
        if found.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn alert_by_id(
    connection: &mut SqliteConnection,
    id: &str,
) -> Result<Option<AlertRow>, StoreError> {
    let row = sqlx::query(
        "SELECT body, assignee, standing, changed_at, version, snoozed_until, merged_into,
                    departs_at FROM alert WHERE id = $1",
    )
    .bind(id.to_owned())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(read_alert).transpose()
}

/// Writes the next version of an alert with the decision that led to it, and tells the log.
async fn store_version(
    connection: &mut SqliteConnection,
    next: &Versioned,
    event: &Event<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let alert = &next.row.alert;
    let body = to_json("alert", "body", alert)?;
    let state = state_name(alert.state);
    sqlx::query(
        "INSERT INTO alert (id, code, severity, weight, station, inspection, subject, state,
                            assignee, standing, raised_at, changed_at, version, body, open,
                            amount, currency, rules, lists, snoozed_until, merged_into)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                 $19, $20, $21)
         ON CONFLICT (id) DO UPDATE SET code = excluded.code, severity = excluded.severity,
             weight = excluded.weight, station = excluded.station,
             inspection = excluded.inspection, subject = excluded.subject,
             state = excluded.state, assignee = excluded.assignee,
             standing = excluded.standing, changed_at = excluded.changed_at,
             version = excluded.version, body = excluded.body, open = excluded.open,
             amount = excluded.amount, currency = excluded.currency, rules = excluded.rules,
             lists = excluded.lists, snoozed_until = excluded.snoozed_until,
             merged_into = excluded.merged_into",
    )
    .bind(alert.id.as_str())
    .bind(alert.code.as_str())
    .bind(alert.severity.as_str())
    .bind(weight(alert))
    .bind(alert.station.as_str())
    .bind(alert.inspection.as_deref())
    .bind(alert.subject.as_deref())
    .bind(state)
    .bind(next.row.assignee.as_deref())
    .bind(i64::from(next.row.standing))
    .bind(alert.raised_at.as_microsecond())
    .bind(now.as_microsecond())
    .bind(next.row.version)
    .bind(body.as_str())
    .bind(i64::from(alert.state != AlertState::Closed))
    .bind(alert.amount.map(|amount| hundredths(amount.amount)))
    .bind(alert.amount.map(|amount| amount.currency.to_string()))
    .bind(named(alert.reasons.iter().map(|reason| reason.rule.as_str())))
    .bind(named(alert.hits.iter().map(|hit| hit.list.as_str())))
    .bind(next.row.snoozed_until.map(Timestamp::as_microsecond))
    .bind(next.row.merged_into.as_deref())
    .execute(&mut *connection)
    .await?;
    let arrival = take_numbers(connection, "arrival", 2).await?;
    sqlx::query(
        "INSERT INTO alert_version (arrival, id, version, at, state, body)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(arrival)
    .bind(alert.id.as_str())
    .bind(next.row.version)
    .bind(now.as_microsecond())
    .bind(state)
    .bind(body)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO decision (arrival, alert, at, actor, action, from_state, to_state, reason,
                               text)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(arrival + 1)
    .bind(alert.id.as_str())
    .bind(now.as_microsecond())
    .bind(event.actor.to_owned())
    .bind(event.action.to_owned())
    .bind(state_name(next.from_state))
    .bind(state)
    .bind(event.reason.to_owned())
    .bind(event.text.to_owned())
    .execute(&mut *connection)
    .await?;
    note_change(connection, now, ChangeKind::Alert, &alert.id).await
}

pub(super) fn read_alert(row: &SqliteRow) -> Result<AlertRow, StoreError> {
    let body: String = row.try_get("body")?;
    Ok(AlertRow {
        alert: from_json("alert", "body", &body)?,
        assignee: row.try_get("assignee")?,
        standing: row.try_get::<i64, _>("standing")? != 0,
        changed_at: to_time("alert", "changed_at", row.try_get("changed_at")?)?,
        version: row.try_get("version")?,
        snoozed_until: time(row, "snoozed_until")?,
        merged_into: row.try_get("merged_into")?,
        departs_at: time(row, "departs_at")?,
    })
}

fn time(row: &SqliteRow, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<i64> = row.try_get(column)?;
    at.map(|micros| to_time("alert", column, micros)).transpose()
}

/// Names between commas, so that one can be looked for whole.
fn named<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: std::collections::BTreeSet<&str> = names.collect();
    names.into_iter().fold(String::from(","), |all, name| all + name + ",")
}

/// Severity first, then score.
fn weight(alert: &Alert) -> i64 {
    let severity = match alert.severity {
        Severity::Info => 0,
        Severity::Low => 1,
        Severity::Medium => 2,
        Severity::High => 3,
        Severity::Critical => 4,
    };
    severity * 1000 + i64::from(alert.score.min(999))
}

/// The name of a state in JSON and in the store.
pub fn state_name(state: AlertState) -> &'static str {
    match state {
        AlertState::New => "new",
        AlertState::Claimed => "claimed",
        AlertState::Waiting => "waiting",
        AlertState::Escalated => "escalated",
        AlertState::Closed => "closed",
    }
}

impl Store {
    /// Alerts of one inspection, gravest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn alerts_of_inspection(
        &self,
        station: &StationId,
        inspection: &str,
    ) -> Result<Vec<AlertRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT body, assignee, standing, changed_at, version, snoozed_until, merged_into,
                    departs_at FROM alert
             WHERE station = $1 AND inspection = $2 ORDER BY weight DESC, id LIMIT 500",
        )
        .bind(station.as_str())
        .bind(inspection.to_owned())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_alert).collect()
    }
}

/// Who acts when nobody does.
const ENGINE: &str = "engine";
