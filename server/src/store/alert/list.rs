//! Lists of alerts: filters, paging, counts.

use sqlx::Row;

use super::super::inspection::like_pattern;
use super::super::{Store, StoreError};
use super::{AlertRow, read_alert, weight};

/// Which alerts to list. Empty fields do not filter; several values are separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct AlertFilter {
    /// States, as `new,claimed`.
    pub state: String,
    /// Severities.
    pub severity: String,
    /// Alert codes.
    pub code: String,
    /// One station.
    pub station: String,
    /// One site, a UN/LOCODE in lower case.
    pub site: String,
    /// One inspection.
    pub inspection: String,
    /// Who has it.
    pub assignee: String,
    /// Text that the alert contains.
    pub text: String,
    /// Only these sites, separated by commas: what the one who asks may see.
    pub sites: String,
}

/// A page of alerts, gravest first, then latest.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertPage {
    /// The alerts.
    pub rows: Vec<AlertRow>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
}

impl Store {
    /// A page of alerts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn alerts(
        &self,
        filter: &AlertFilter,
        after: Option<&str>,
        limit: i64,
    ) -> Result<AlertPage, StoreError> {
        let (weight_after, raised_after, id_after) =
            after.and_then(read_cursor).unwrap_or((i64::MAX, i64::MAX, String::new()));
        let rows = sqlx::query(
            "SELECT body, assignee, standing, changed_at, version FROM alert
             WHERE ($1 = '' OR ',' || $1 || ',' LIKE '%,' || state || ',%')
               AND ($2 = '' OR ',' || $2 || ',' LIKE '%,' || severity || ',%')
               AND ($3 = '' OR ',' || $3 || ',' LIKE '%,' || code || ',%')
               AND ($4 = '' OR station = $4)
               AND ($5 = '' OR station LIKE $5 || '/%')
               AND ($6 = '' OR inspection = $6)
               AND ($7 = '' OR assignee = $7)
               AND ($8 = '%%' OR lower(body) LIKE $8 ESCAPE '!')
               AND ($13 = '' OR ',' || $13 || ',' LIKE '%,' || substr(station, 1, 5) || ',%')
               AND (weight < $9 OR (weight = $9 AND (raised_at < $10 OR
                    (raised_at = $10 AND id > $11))))
             ORDER BY weight DESC, raised_at DESC, id LIMIT $12",
        )
        .bind(filter.state.clone())
        .bind(filter.severity.clone())
        .bind(filter.code.clone())
        .bind(filter.station.clone())
        .bind(filter.site.clone())
        .bind(filter.inspection.clone())
        .bind(filter.assignee.clone())
        .bind(like_pattern(&filter.text))
        .bind(weight_after)
        .bind(raised_after)
        .bind(id_after)
        .bind(limit + 1)
        .bind(filter.sites.clone())
        .fetch_all(&self.readers)
        .await?;
        let mut rows = rows.iter().map(read_alert).collect::<Result<Vec<_>, _>>()?;
        let wanted = usize::try_from(limit).unwrap_or(0);
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        let next = rows.last().filter(|_| more).map(|row| {
            let raised = row.alert.raised_at.as_microsecond();
            format!("{}_{raised}_{}", weight(&row.alert), row.alert.id)
        });
        Ok(AlertPage { rows, next })
    }

    /// How many alerts of these sites are in each state; of all when empty.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn alert_counts(
        &self,
        sites: &str,
    ) -> Result<std::collections::BTreeMap<String, i64>, StoreError> {
        let rows = sqlx::query(
            "SELECT state, count(*) AS number FROM alert
             WHERE ($1 = '' OR ',' || $1 || ',' LIKE '%,' || substr(station, 1, 5) || ',%')
             GROUP BY state",
        )
        .bind(sites.to_owned())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(|row| Ok((row.try_get("state")?, row.try_get("number")?))).collect()
    }
}

fn read_cursor(text: &str) -> Option<(i64, i64, String)> {
    let mut parts = text.splitn(3, '_');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.to_owned()))
}
