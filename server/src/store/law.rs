//! What assessment needs to know beyond one inspection: records of one kind, which law was in force
//! when, and what rules in shadow would have said.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;
use tidewaiter_proto::alert::{Alert, AlertCode, Severity};
use tidewaiter_proto::station::StationId;

use super::alert::{no_longer, upsert};
use super::inspection::{read_inspection, read_key};
use super::pending::{PendingWork, Turn, enqueue};
use super::{AlertRow, InspectionRow, Store, StoreError, from_json, parsed, to_bytes, to_time};

/// Versions of policy and lists that came into force together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Activation {
    /// When.
    pub at: Timestamp,
    /// Versions by name; the pack's under `policy`.
    pub versions: BTreeMap<String, String>,
    /// Who proposed it; nobody where the configuration was changed.
    pub proposed_by: Option<String>,
    /// The second person.
    pub confirmed_by: Option<String>,
}

/// What a rule in shadow would have raised about an inspection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShadowHit {
    /// The rule.
    pub rule: String,
    /// Its version.
    pub version: String,
    /// The alert's code.
    pub code: AlertCode,
    /// Its severity.
    pub severity: Severity,
    /// Whether the policy in force raised the same alert.
    pub also: bool,
}

/// A rule in shadow, compared with the policy in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ShadowCount {
    /// The rule.
    pub rule: String,
    /// Its version.
    pub version: String,
    /// Inspections about which it would have raised an alert.
    pub hits: i64,
    /// Of those, where the policy in force raised the same alert.
    pub also: i64,
    /// Of those, decided in the end.
    pub decided: i64,
    /// Of those, detained, seized, refused or referred.
    pub confirmed: i64,
}

impl Store {
    /// Keys under which records of a kind lie, of a station or, ending in `/`, of a site, within a
    /// time; the latest first. An empty `place` is everywhere.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keys_of_type(
        &self,
        type_name: &'static str,
        place: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(StationId, [u8; 16])>, StoreError> {
        // `0` is what follows `/`: the stations of a site lie between.
        let end = match place.strip_suffix('/') {
            Some(site) => format!("{site}0"),
            None if place.is_empty() => "~".to_owned(),
            None => format!("{place}\u{1}"),
        };
        let rows = sqlx::query(
            "SELECT station, key_id, max(at) AS latest FROM record
             WHERE type = $1 AND station >= $2 AND station < $3 AND at >= $4 AND at <= $5
             GROUP BY station, key_id ORDER BY latest DESC LIMIT $6",
        )
        .bind(type_name)
        .bind(place.to_owned())
        .bind(end)
        .bind(since.as_microsecond())
        .bind(until.as_microsecond())
        .bind(KEYS_MAX)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_key).collect()
    }

    /// Inspections that were opened within a time, the first first; of one site where it is given.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn inspections_between(
        &self,
        site: Option<&str>,
        since: Timestamp,
        until: Timestamp,
        after: (Timestamp, &str, &str),
        limit: i64,
    ) -> Result<Vec<InspectionRow>, StoreError> {
        let from = site.map(|site| format!("{site}/")).unwrap_or_default();
        let to = site.map_or("~".to_owned(), |site| format!("{site}0"));
        let rows = sqlx::query(
            "SELECT station, inspection, key_id, subject, opened_at, last_at, records, direction,
                    role, mode, designator, origin, destination, decision, digest
             FROM inspection
             WHERE opened_at >= $1 AND opened_at < $2 AND station >= $3 AND station < $4
               AND (opened_at > $5 OR (opened_at = $5 AND (station > $6 OR
                    (station = $6 AND inspection > $7))))
             ORDER BY opened_at, station, inspection LIMIT $8",
        )
        .bind(since.as_microsecond())
        .bind(until.as_microsecond())
        .bind(from)
        .bind(to)
        .bind(after.0.as_microsecond())
        .bind(after.1.to_owned())
        .bind(after.2.to_owned())
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_inspection).collect()
    }

    /// Alerts about an inspection that were closed: their ids and the codes of the last reasons.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn closings_of(
        &self,
        station: &StationId,
        inspection: &str,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let rows = sqlx::query(
            "SELECT a.id AS id, d.reason AS reason FROM alert a JOIN decision d ON d.alert = a.id
             WHERE a.station = $1 AND a.inspection = $2 AND a.state = 'closed'
               AND d.to_state = 'closed' AND d.reason <> ''
             ORDER BY d.arrival",
        )
        .bind(station.as_str())
        .bind(inspection.to_owned())
        .fetch_all(&self.readers)
        .await?;
        let mut closed = BTreeMap::new();
        for row in rows {
            closed.insert(row.try_get::<String, _>("id")?, row.try_get::<String, _>("reason")?);
        }
        Ok(closed.into_iter().collect())
    }

    /// Alerts of a code that stand at a site and are about no inspection.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn standing_at(
        &self,
        site: &str,
        code: AlertCode,
    ) -> Result<Vec<AlertRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT body, assignee, standing, changed_at, version, snoozed_until, merged_into,
                    departs_at FROM alert
             WHERE code = $1 AND station >= $2 AND station < $3 AND standing = 1
               AND inspection IS NULL LIMIT 1000",
        )
        .bind(code.as_str())
        .bind(format!("{site}/"))
        .bind(format!("{site}0"))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(super::alert::read_alert).collect()
    }

    /// Keeps alerts about no inspection, and marks others as no longer found.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_alerts(
        &self,
        found: Vec<Alert>,
        gone: Vec<AlertRow>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    for alert in &found {
                        upsert(connection, alert, now).await?;
                    }
                    for row in gone {
                        no_longer(connection, row, now).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// The law in force now and before, the latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn activations(&self, limit: i64) -> Result<Vec<Activation>, StoreError> {
        let rows = sqlx::query(
            "SELECT at, versions, proposed_by, confirmed_by FROM activation
             ORDER BY number DESC LIMIT $1",
        )
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| {
                let versions: String = row.try_get("versions")?;
                Ok(Activation {
                    at: to_time("activation", "at", row.try_get("at")?)?,
                    versions: from_json("activation", "versions", &versions)?,
                    proposed_by: row.try_get("proposed_by")?,
                    confirmed_by: row.try_get("confirmed_by")?,
                })
            })
            .collect()
    }

    /// Asks for every known inspection to be assessed again, as the law has changed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ask_again(&self) -> Result<u64, StoreError> {
        let (mut asked, mut after) = (0, (String::new(), Vec::new()));
        loop {
            let rows = sqlx::query(
                "SELECT DISTINCT station, key_id FROM inspection
                 WHERE station > $1 OR (station = $1 AND key_id > $2)
                 ORDER BY station, key_id LIMIT $3",
            )
            .bind(after.0.clone())
            .bind(after.1.clone())
            .bind(ASK_AT_ONCE)
            .fetch_all(&self.readers)
            .await?;
            let mut work = Vec::with_capacity(rows.len());
            for row in rows {
                after = (row.try_get("station")?, row.try_get("key_id")?);
                let station = parsed("inspection", "station", &after.0)?;
                let key = to_bytes("inspection", "key_id", &after.1)?;
                work.push(PendingWork::Inspection(station, key));
            }
            if work.is_empty() {
                return Ok(asked);
            }
            asked += work.len() as u64;
            self.writer
                .write(move |connection| {
                    Box::pin(async move {
                        for work in &work {
                            enqueue(connection, work, Turn::Behind).await?;
                        }
                        Ok(())
                    })
                })
                .await?;
        }
    }

    /// Replaces what rules in shadow say of an inspection.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_shadow(
        &self,
        inspection: (StationId, String),
        hits: Vec<ShadowHit>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move { put_shadow(connection, &inspection, &hits, now).await })
            })
            .await
    }

    /// Rules in shadow with what they would have raised, and how that was decided.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn shadow_counts(&self) -> Result<Vec<ShadowCount>, StoreError> {
        let rows = sqlx::query(
            "SELECT s.rule AS rule, s.rule_version AS version, count(*) AS hits,
                    sum(s.also) AS also, count(i.decision) AS decided,
                    sum(CASE WHEN i.decision IS NOT NULL AND i.decision <> 'released'
                        THEN 1 ELSE 0 END) AS confirmed
             FROM shadow_hit s LEFT JOIN inspection i
               ON i.station = s.station AND i.inspection = s.inspection
             GROUP BY s.rule, s.rule_version ORDER BY s.rule, s.rule_version",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(ShadowCount {
                    rule: row.try_get("rule")?,
                    version: row.try_get("version")?,
                    hits: row.try_get("hits")?,
                    also: row.try_get("also")?,
                    decided: row.try_get("decided")?,
                    confirmed: row.try_get("confirmed")?,
                })
            })
            .collect()
    }
}

async fn put_shadow(
    connection: &mut SqliteConnection,
    (station, inspection): &(StationId, String),
    hits: &[ShadowHit],
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM shadow_hit WHERE station = $1 AND inspection = $2")
        .bind(station.as_str())
        .bind(inspection.as_str())
        .execute(&mut *connection)
        .await?;
    for hit in hits {
        sqlx::query(
            "INSERT INTO shadow_hit (rule, rule_version, station, inspection, at, code, severity,
                                     also)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (rule, rule_version, station, inspection) DO NOTHING",
        )
        .bind(hit.rule.as_str())
        .bind(hit.version.as_str())
        .bind(station.as_str())
        .bind(inspection.as_str())
        .bind(now.as_microsecond())
        .bind(hit.code.as_str())
        .bind(hit.severity.as_str())
        .bind(i64::from(hit.also))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// More keys than this are not looked at: the oldest are left out.
const KEYS_MAX: i64 = 500;
const ASK_AT_ONCE: i64 = 500;
