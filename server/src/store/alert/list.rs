//! Lists of alerts: filters, paging, counts.

use jiff::Timestamp;
use sqlx::sqlite::Sqlite;
use sqlx::{QueryBuilder, Row};

use super::super::facts::push_sites;
use super::super::inspection::like_pattern;
use super::super::{Store, StoreError};
use super::{AlertRow, read_alert, weight};

/// Which alerts to list. Empty fields do not filter; several values are separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// States, as `new,claimed`.
    pub state: String,
    /// Severities.
    pub severity: String,
    /// Alert codes.
    pub code: String,
    /// One station.
    pub station: String,
    /// Sites, UN/LOCODEs in lower case.
    pub site: String,
    /// One inspection.
    pub inspection: String,
    /// Who has it; `-` is nobody.
    pub assignee: String,
    /// Text that the alert contains.
    pub text: String,
    /// Routes, as `VVO-FNJ`.
    pub route: String,
    /// One rule's id.
    pub rule: String,
    /// One list's name.
    pub list: String,
    /// One traveller's token.
    pub subject: String,
    /// The currency of the amount.
    pub currency: String,
    /// The least amount, in hundredths.
    pub amount_least: Option<i64>,
    /// Raised at or after.
    pub since: Option<Timestamp>,
    /// Raised before.
    pub until: Option<Timestamp>,
    /// Alerts that name this person in a comment.
    pub mentioned: String,
    /// What lies aside.
    pub aside: Aside,
    /// In which order.
    pub order: AlertOrder,
    /// Now, by which is told what is snoozed and silenced.
    pub now: Timestamp,
    /// Only these sites, separated by commas: what the one who asks may see.
    pub sites: String,
}

/// What of the alerts that lie aside (snoozed, silenced, merged into another) is listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Aside {
    /// With all else.
    #[default]
    Shown,
    /// Nothing of it.
    Hidden,
    /// Nothing else.
    Alone,
}

/// In which order alerts are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AlertOrder {
    /// Gravest first, then latest.
    #[default]
    Weight,
    /// Latest first.
    Raised,
}

/// A page of alerts.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertPage {
    /// The alerts.
    pub rows: Vec<AlertRow>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
}

impl AlertFilter {
    /// Adds what filters to a query that ends within its conditions.
    fn push(&self, query: &mut QueryBuilder<Sqlite>) {
        if self.only_open() {
            // The index over what is open serves the page that everybody looks at.
            query.push(" AND open = 1");
        }
        for (column, values) in
            [("state", &self.state), ("severity", &self.severity), ("code", &self.code)]
        {
            push_any(query, column, values);
        }
        push_any(query, "route", &self.route);
        for (column, value) in [
            ("station", &self.station),
            ("inspection", &self.inspection),
            ("subject", &self.subject),
            ("currency", &self.currency),
        ] {
            if !value.is_empty() {
                query.push(format!(" AND {column} = ")).push_bind(value.clone());
            }
        }
        if self.assignee == NOBODY {
            query.push(" AND assignee IS NULL");
        } else if !self.assignee.is_empty() {
            query.push(" AND assignee = ").push_bind(self.assignee.clone());
        }
        for (column, value) in [("rules", &self.rule), ("lists", &self.list)] {
            if !value.is_empty() {
                let pattern = like_pattern(&format!(",{value},"));
                query.push(format!(" AND lower({column}) LIKE ")).push_bind(pattern);
                query.push(" ESCAPE '!'");
            }
        }
        if let Some(least) = self.amount_least {
            query.push(" AND amount >= ").push_bind(least);
        }
        if let Some(since) = self.since {
            query.push(" AND raised_at >= ").push_bind(since.as_microsecond());
        }
        if let Some(until) = self.until {
            query.push(" AND raised_at < ").push_bind(until.as_microsecond());
        }
        if !self.text.trim().is_empty() {
            query.push(" AND lower(body) LIKE ").push_bind(like_pattern(&self.text));
            query.push(" ESCAPE '!'");
        }
        if !self.mentioned.is_empty() {
            query.push(" AND id IN (SELECT alert FROM mention WHERE person = ");
            query.push_bind(self.mentioned.clone()).push(")");
        }
        match self.aside {
            Aside::Shown => {}
            Aside::Hidden => self.push_aside(query, " AND NOT "),
            Aside::Alone => self.push_aside(query, " AND "),
        }
        push_sites(query, &self.site, "station");
        push_sites(query, &self.sites, "station");
    }

    fn push_aside(&self, query: &mut QueryBuilder<Sqlite>, joined: &str) {
        let now = self.now.as_microsecond();
        query.push(joined).push("(merged_into IS NOT NULL OR coalesce(snoozed_until, 0) > ");
        query.push_bind(now);
        query.push(
            " OR EXISTS (SELECT 1 FROM silence AS s WHERE s.ended_at IS NULL AND s.begun_at <= ",
        );
        query.push_bind(now).push(" AND s.ends_at > ").push_bind(now);
        query.push(
            " AND s.code = alert.code AND (s.subject = '' OR s.subject = alert.subject)
              AND (s.station = '' OR s.station = alert.station)))",
        );
    }

    fn only_open(&self) -> bool {
        !self.state.is_empty() && !self.state.split(',').any(|state| state == "closed")
    }
}

fn push_any(query: &mut QueryBuilder<Sqlite>, column: &str, values: &str) {
    if values.is_empty() {
        return;
    }
    query.push(format!(" AND {column} IN ("));
    let mut list = query.separated(", ");
    for value in values.split(',') {
        list.push_bind(value.to_owned());
    }
    query.push(")");
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
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(
            "SELECT body, assignee, standing, changed_at, version, snoozed_until, merged_into,
                    departs_at FROM alert WHERE 1 = 1",
        );
        filter.push(&mut query);
        let cursor = after.and_then(read_cursor);
        match filter.order {
            AlertOrder::Weight => {
                if let Some((weight, raised, id)) = cursor {
                    query.push(" AND (weight < ").push_bind(weight);
                    query.push(" OR (weight = ").push_bind(weight);
                    query.push(" AND (raised_at < ").push_bind(raised);
                    query.push(" OR (raised_at = ").push_bind(raised);
                    query.push(" AND id > ").push_bind(id).push("))))");
                }
                query.push(" ORDER BY weight DESC, raised_at DESC, id LIMIT ");
            }
            AlertOrder::Raised => {
                if let Some((_, raised, id)) = cursor {
                    query.push(" AND (raised_at < ").push_bind(raised);
                    query.push(" OR (raised_at = ").push_bind(raised);
                    query.push(" AND id > ").push_bind(id).push("))");
                }
                query.push(" ORDER BY raised_at DESC, id LIMIT ");
            }
        }
        query.push_bind(limit + 1);
        let rows = query.build().fetch_all(&self.readers).await?;
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
        let mut query: QueryBuilder<Sqlite> =
            QueryBuilder::new("SELECT state, count(*) AS number FROM alert WHERE 1 = 1");
        push_sites(&mut query, sites, "station");
        query.push(" GROUP BY state");
        let rows = query.build().fetch_all(&self.readers).await?;
        rows.into_iter().map(|row| Ok((row.try_get("state")?, row.try_get("number")?))).collect()
    }

    /// How many alerts a filter lets through, as far as they are worth counting.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn alerts_counted(&self, filter: &AlertFilter, most: i64) -> Result<i64, StoreError> {
        let mut query: QueryBuilder<Sqlite> =
            QueryBuilder::new("SELECT count(*) FROM (SELECT 1 FROM alert WHERE 1 = 1");
        filter.push(&mut query);
        query.push(" LIMIT ").push_bind(most).push(") AS some");
        Ok(query.build_query_scalar().fetch_one(&self.readers).await?)
    }
}

/// The assignee of what nobody has.
const NOBODY: &str = "-";

fn read_cursor(text: &str) -> Option<(i64, i64, String)> {
    let mut parts = text.splitn(3, '_');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.to_owned()))
}
