//! Figures over a period: sums by way and day, alerts by rule, times, coverage.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::sqlite::Sqlite;
use sqlx::{QueryBuilder, Row};

use super::facts::push_sites;
use super::{Store, StoreError, to_time};

/// From when until when, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
    /// The sites that the one who asks may see, separated by commas; empty for all.
    pub sites: String,
}

/// What was declared and counted on one way, or on one day, in one currency; hundredths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CashFigure {
    /// `VVO-FNJ`, or the day as `2018-11-16`.
    pub of: String,
    /// Which currency.
    pub currency: String,
    /// How many inspections.
    pub inspections: i64,
    /// What was declared.
    pub declared: i64,
    /// What was counted.
    pub counted: i64,
}

/// The sums of a period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CashFigures {
    /// By way and currency.
    pub ways: Vec<CashFigure>,
    /// By day and currency.
    pub days: Vec<CashFigure>,
}

/// What became of the alerts of one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleFigure {
    /// How many were raised.
    pub raised: i64,
    /// How many are open.
    pub open: i64,
    /// How many were closed with something found.
    pub found: i64,
    /// How many were closed with nothing found.
    pub nothing: i64,
}

/// How long alerts of one kind took, in seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeFigure {
    /// From raised to the first thing that a person did, ascending.
    pub triage: Vec<i64>,
    /// From raised to closed, ascending.
    pub resolve: Vec<i64>,
}

/// How much one movement of one day was inspected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoverageFigure {
    /// Flight designator, vessel or other number.
    pub designator: String,
    /// The day, `2018-11-16`.
    pub day: String,
    /// `VVO-FNJ`
    pub route: String,
    /// How many were inspected.
    pub inspected: i64,
    /// How many of them with an outcome.
    pub decided: i64,
    /// How many alerts say that the way is of high risk.
    pub risk: i64,
    /// The last record about it.
    pub last_at: Timestamp,
}

/// Closing reasons that say that something was found.
const FOUND: [&str; 4] = ["declared", "detained", "seized", "referred"];
/// Closing reasons that say that nothing was.
const NOTHING: [&str; 2] = ["cleared", "false_positive"];
const DAY: i64 = 86_400_000_000;
/// The most rows of a table of sums.
const CASH_ROWS: usize = 2000;

impl Store {
    /// Sums of cash by way and by day, in each currency; of ways the largest first, days in their
    /// order. One reading of the inspections gives both.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn cash_figures(&self, period: &Period) -> Result<CashFigures, StoreError> {
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(
            "SELECT CAST(i.opened_at / 86400000000 AS BIGINT) AS day,
              coalesce(i.origin, '') || '-' || coalesce(i.destination, '') AS way,
              c.currency AS currency, count(*) AS inspections,
              coalesce(sum(c.declared), 0) AS declared, coalesce(sum(c.counted), 0) AS counted
              FROM inspection AS i
              JOIN cash AS c ON c.station = i.station AND c.inspection = i.inspection
              WHERE i.opened_at >= ",
        );
        push_period(&mut query, "i.opened_at", period);
        push_sites(&mut query, &period.sites, "i.station");
        query.push(" GROUP BY 1, 2, 3");
        let (mut days, mut ways) = (BTreeMap::new(), BTreeMap::new());
        for row in query.build().fetch_all(&self.readers).await? {
            let day: i64 = row.try_get("day")?;
            let day = to_time("inspection", "opened_at", day.saturating_mul(DAY))?;
            let (way, currency): (String, String) = (row.try_get("way")?, row.try_get("currency")?);
            let sum = CashFigure {
                of: String::new(),
                currency: currency.clone(),
                inspections: row.try_get("inspections")?,
                declared: row.try_get("declared")?,
                counted: row.try_get("counted")?,
            };
            let day = day.strftime("%Y-%m-%d").to_string();
            add(&mut days, (day, currency.clone()), &sum);
            add(&mut ways, (way, currency), &sum);
        }
        let mut days: Vec<CashFigure> = days.into_values().collect();
        let mut ways: Vec<CashFigure> = ways.into_values().collect();
        ways.sort_by_key(|way| std::cmp::Reverse((way.counted, way.declared)));
        days.truncate(CASH_ROWS);
        ways.truncate(CASH_ROWS);
        Ok(CashFigures { ways, days })
    }

    /// Alerts by rule, with what became of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rule_figures(
        &self,
        period: &Period,
    ) -> Result<BTreeMap<String, RuleFigure>, StoreError> {
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(
            "SELECT rules, open, reason, count(*) AS number FROM
                 (SELECT a.rules AS rules, a.open AS open, CASE WHEN a.open = 1 THEN '' ELSE
                      coalesce((SELECT d.reason FROM decision AS d
                                WHERE d.alert = a.id AND d.action = 'close'
                                ORDER BY d.arrival DESC LIMIT 1), '') END AS reason
                  FROM alert AS a WHERE a.raised_at >= ",
        );
        push_period(&mut query, "a.raised_at", period);
        push_sites(&mut query, &period.sites, "a.station");
        query.push(") AS each GROUP BY rules, open, reason");
        let rows = query.build().fetch_all(&self.readers).await?;
        let mut figures: BTreeMap<String, RuleFigure> = BTreeMap::new();
        for row in rows {
            let (rules, reason): (String, String) = (row.try_get("rules")?, row.try_get("reason")?);
            let (open, number): (i64, i64) = (row.try_get("open")?, row.try_get("number")?);
            for rule in rules.split(',').filter(|rule| !rule.is_empty()) {
                let figure = figures.entry(rule.to_owned()).or_default();
                figure.raised += number;
                figure.open += if open == 1 { number } else { 0 };
                figure.found += if FOUND.contains(&reason.as_str()) { number } else { 0 };
                figure.nothing += if NOTHING.contains(&reason.as_str()) { number } else { 0 };
            }
        }
        Ok(figures)
    }

    /// Times to triage and to resolve, by alert code.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn time_figures(
        &self,
        period: &Period,
    ) -> Result<BTreeMap<String, TimeFigure>, StoreError> {
        // CROSS JOIN keeps the order: the alerts of the period, then the decisions of each.
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(
            "SELECT a.code AS code, a.raised_at AS raised_at, a.open AS open,
                    min(CASE WHEN d.actor <> 'engine' THEN d.at END) AS first_at,
                    max(CASE WHEN d.action = 'close' THEN d.at END) AS closed_at
             FROM alert AS a CROSS JOIN decision AS d
             WHERE d.alert = a.id AND a.raised_at >= ",
        );
        push_period(&mut query, "a.raised_at", period);
        push_sites(&mut query, &period.sites, "a.station");
        query.push(" GROUP BY a.id LIMIT 200000");
        let rows = query.build().fetch_all(&self.readers).await?;
        let mut figures: BTreeMap<String, TimeFigure> = BTreeMap::new();
        for row in rows {
            let (code, raised): (String, i64) = (row.try_get("code")?, row.try_get("raised_at")?);
            let figure = figures.entry(code).or_default();
            let seconds = |at: i64| at.saturating_sub(raised).max(0) / 1_000_000;
            if let Some(first) = row.try_get::<Option<i64>, _>("first_at")? {
                figure.triage.push(seconds(first));
            }
            let (closed, open): (Option<i64>, i64) =
                (row.try_get("closed_at")?, row.try_get("open")?);
            if let Some(closed) = closed.filter(|_| open == 0) {
                figure.resolve.push(seconds(closed));
            }
        }
        for figure in figures.values_mut() {
            figure.triage.sort_unstable();
            figure.resolve.sort_unstable();
        }
        Ok(figures)
    }

    /// Movements by day, those of high risk first, with how many were inspected.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn coverage_figures(
        &self,
        period: &Period,
        limit: i64,
    ) -> Result<Vec<CoverageFigure>, StoreError> {
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(
            "SELECT coalesce(i.designator, '') AS designator,
                    CAST(i.opened_at / 86400000000 AS BIGINT) AS day,
                    i.origin || '-' || i.destination AS route, count(*) AS inspected,
                    count(i.decision) AS decided, max(i.last_at) AS last_at,
                    sum((SELECT count(*) FROM alert AS a
                         WHERE a.station = i.station AND a.inspection = i.inspection
                           AND a.code IN ('route_high_risk', 'port_high_risk',
                                          'inspect_mandatory'))) AS risk
             FROM inspection AS i
             WHERE i.origin IS NOT NULL AND i.destination IS NOT NULL AND i.opened_at >= ",
        );
        push_period(&mut query, "i.opened_at", period);
        push_sites(&mut query, &period.sites, "i.station");
        query.push(" GROUP BY 1, 2, 3 ORDER BY CASE WHEN risk > 0 THEN 0 ELSE 1 END, 2 DESC, 1, 3");
        query.push(" LIMIT ").push_bind(limit);
        let rows = query.build().fetch_all(&self.readers).await?;
        rows.into_iter()
            .map(|row| {
                let day: i64 = row.try_get("day")?;
                let day = to_time("inspection", "opened_at", day.saturating_mul(DAY))?;
                Ok(CoverageFigure {
                    designator: row.try_get("designator")?,
                    day: day.strftime("%Y-%m-%d").to_string(),
                    route: row.try_get("route")?,
                    inspected: row.try_get("inspected")?,
                    decided: row.try_get("decided")?,
                    risk: row.try_get("risk")?,
                    last_at: to_time("inspection", "last_at", row.try_get("last_at")?)?,
                })
            })
            .collect()
    }

    /// The instant of the latest inspection, from which a desk looks back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn latest_inspection(&self) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = sqlx::query_scalar("SELECT max(opened_at) FROM inspection")
            .fetch_one(&self.readers)
            .await?;
        at.map(|micros| to_time("inspection", "opened_at", micros)).transpose()
    }
}

/// Adds sums to those of the same way or day and currency.
fn add(
    figures: &mut BTreeMap<(String, String), CashFigure>,
    key: (String, String),
    sum: &CashFigure,
) {
    let of = key.0.clone();
    let figure = figures.entry(key).or_insert_with(|| CashFigure {
        of,
        currency: sum.currency.clone(),
        inspections: 0,
        declared: 0,
        counted: 0,
    });
    figure.inspections = figure.inspections.saturating_add(sum.inspections);
    figure.declared = figure.declared.saturating_add(sum.declared);
    figure.counted = figure.counted.saturating_add(sum.counted);
}

fn push_period(query: &mut QueryBuilder<Sqlite>, column: &str, period: &Period) {
    query.push_bind(period.from.as_microsecond());
    query.push(format!(" AND {column} < ")).push_bind(period.until.as_microsecond());
}
