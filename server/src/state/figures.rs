//! Figures over a period, each as a table that a page, a CSV and a program read alike.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rust_decimal::Decimal;
use tidewaiter_people::role::Permission;
use tidewaiter_risk::policy::day_of;
use tokio::sync::OnceCell;

use super::{AppState, sites};
use crate::people::Actor;
use crate::store::{CashFigure, CashFigures, Period, StoreError};

/// Which figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FigureName {
    /// Sums by way and currency.
    Ways,
    /// Sums by day and currency.
    Days,
    /// Alerts by rule, with how often something was found.
    Rules,
    /// Times to triage and to resolve, by kind of alert.
    Times,
    /// How much each movement was inspected.
    Coverage,
}

impl FigureName {
    /// Every figure, in the order of the page.
    pub const ALL: [Self; 5] = [Self::Ways, Self::Days, Self::Rules, Self::Times, Self::Coverage];

    /// The name in addresses and data.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ways => "ways",
            Self::Days => "days",
            Self::Rules => "rules",
            Self::Times => "times",
            Self::Coverage => "coverage",
        }
    }
}

/// One figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Which.
    pub name: FigureName,
    /// Names of its columns.
    pub columns: &'static [&'static str],
    /// Its rows.
    pub rows: Vec<Vec<Cell>>,
}

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A text: a way, a rule, a day.
    Text(String),
    /// A code with words in every language, with the prefix of its words.
    Code(&'static str, String),
    /// A count.
    Count(i64),
    /// A count that a source may tell; none where it does not.
    Told(Option<i64>),
    /// An amount of the row's currency.
    Amount(Decimal),
    /// A share, 0 to 1; none where there is nothing to divide by.
    Share(Option<Decimal>),
    /// Seconds; none where nothing was measured.
    Seconds(Option<i64>),
    /// A mark of high risk.
    Risk(bool),
}

/// The figures of a period.
#[derive(Clone, Debug)]
pub struct Figures {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// The figures asked for.
    pub figures: Vec<Figure>,
}

impl AppState {
    /// The figures of the days from `from` to `to`; without days, of the thirty up to the latest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn figures(
        &self,
        actor: &Actor,
        names: &[FigureName],
        (from, to): (Option<Date>, Option<Date>),
    ) -> Result<Figures, StoreError> {
        let now = self.clock().now();
        // A demonstration's clock goes back and forth: what there is, is looked at.
        let latest = self.store().latest_inspection().await?.map_or(now, |at| at.max(now));
        let to = to.unwrap_or_else(|| day_of(latest));
        let from = from.unwrap_or_else(|| to.checked_sub(29.days()).unwrap_or(to)).min(to);
        let period = Period {
            from: start_of(from),
            until: start_of(to.tomorrow().unwrap_or(to)),
            sites: sites(actor, Permission::StationRead),
        };
        // Ways and days come of one reading, whoever asks first.
        let cash = OnceCell::new();
        let figures = names.iter().map(|name| self.figure(*name, &period, &cash));
        let figures = try_join_all(figures).await?;
        Ok(Figures { from, to, figures })
    }

    async fn figure(
        &self,
        name: FigureName,
        period: &Period,
        cash: &OnceCell<CashFigures>,
    ) -> Result<Figure, StoreError> {
        let (columns, rows): (&'static [&'static str], Vec<Vec<Cell>>) = match name {
            FigureName::Ways | FigureName::Days => {
                let cash = cash.get_or_try_init(|| self.store().cash_figures(period)).await?;
                let (columns, figures): (&'static [&'static str], _) = match name {
                    FigureName::Days => {
                        (&["day", "currency", "inspections", "declared", "counted"], &cash.days)
                    }
                    _ => (&["way", "currency", "inspections", "declared", "counted"], &cash.ways),
                };
                let row = |figure: &CashFigure| {
                    vec![
                        Cell::Text(figure.of.clone()),
                        Cell::Text(figure.currency.clone()),
                        Cell::Count(figure.inspections),
                        Cell::Amount(Decimal::new(figure.declared, 2).normalize()),
                        Cell::Amount(Decimal::new(figure.counted, 2).normalize()),
                    ]
                };
                (columns, figures.iter().map(row).collect())
            }
            FigureName::Rules => {
                let rows = self.store().rule_figures(period).await?;
                let row = |(rule, figure): (String, crate::store::RuleFigure)| {
                    let decided = figure.found.saturating_add(figure.nothing);
                    let precision = Decimal::from(figure.found).checked_div(Decimal::from(decided));
                    vec![
                        Cell::Text(rule),
                        Cell::Count(figure.raised),
                        Cell::Count(figure.open),
                        Cell::Count(figure.found),
                        Cell::Count(figure.nothing),
                        Cell::Share(precision.map(|share| share.round_dp(3))),
                    ]
                };
                let columns = &["rule", "raised", "open", "found", "nothing", "precision"];
                (columns, rows.into_iter().map(row).collect())
            }
            FigureName::Times => {
                let rows = self.store().time_figures(period).await?;
                let row = |(code, figure): (String, crate::store::TimeFigure)| {
                    vec![
                        Cell::Code("alert", code),
                        Cell::Count(i64::try_from(figure.triage.len()).unwrap_or(i64::MAX)),
                        Cell::Seconds(quantile(&figure.triage, 50)),
                        Cell::Seconds(quantile(&figure.triage, 90)),
                        Cell::Count(i64::try_from(figure.resolve.len()).unwrap_or(i64::MAX)),
                        Cell::Seconds(quantile(&figure.resolve, 50)),
                        Cell::Seconds(quantile(&figure.resolve, 90)),
                    ]
                };
                let columns = &[
                    "code",
                    "triaged",
                    "triage-half",
                    "triage-most",
                    "resolved",
                    "resolve-half",
                    "resolve-most",
                ];
                (columns, rows.into_iter().map(row).collect())
            }
            FigureName::Coverage => {
                let rows = self.store().coverage_figures(period, COVERAGE_ROWS).await?;
                let on_board = self.on_board(period).await?;
                let row = |row: crate::store::CoverageFigure| {
                    let told = on_board.get(&(row.designator.clone(), row.day.clone())).copied();
                    let share = told.map(Decimal::from);
                    let share = share.and_then(|all| Decimal::from(row.inspected).checked_div(all));
                    vec![
                        Cell::Text(row.designator),
                        Cell::Text(row.day),
                        Cell::Text(row.route),
                        Cell::Risk(row.risk > 0),
                        Cell::Told(told),
                        Cell::Count(row.inspected),
                        Cell::Share(share.map(|share| share.round_dp(3))),
                        Cell::Count(row.decided),
                    ]
                };
                let columns = &[
                    "movement",
                    "day",
                    "way",
                    "risk",
                    "on-board",
                    "inspected",
                    "share-inspected",
                    "decided",
                ];
                (columns, rows.into_iter().map(row).collect())
            }
        };
        Ok(Figure { name, columns, rows })
    }

    /// Persons on board by designator and day, where a record of the movement tells; of several
    /// records the latest.
    async fn on_board(
        &self,
        period: &Period,
    ) -> Result<BTreeMap<(String, String), i64>, StoreError> {
        let places = match period.sites.as_str() {
            "" => vec![String::new()],
            sites => sites.split(',').map(|site| format!("{site}/")).collect(),
        };
        // A movement is told of before its day, and still after it.
        let since = period.from.checked_sub(AROUND_HOURS.hours()).unwrap_or(period.from);
        let until = period.until.checked_add(AROUND_HOURS.hours()).unwrap_or(period.until);
        let mut persons = BTreeMap::new();
        for place in places {
            for told in self.inner.opener.on_board(&place, since, until).await? {
                if let Some(designator) = told.movement.designator() {
                    let day = day_of(told.at).to_string();
                    persons.insert((designator, day), i64::from(told.persons));
                }
            }
        }
        Ok(persons)
    }
}

impl Cell {
    /// The cell as CSV and programs read it: no words, no grouping.
    pub fn plain(&self) -> String {
        match self {
            Self::Text(text) | Self::Code(_, text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Told(count) => count.map_or_else(String::new, |count| count.to_string()),
            Self::Amount(amount) => amount.to_string(),
            Self::Share(share) => share.map_or_else(String::new, |share| share.to_string()),
            Self::Seconds(seconds) => {
                seconds.map_or_else(String::new, |seconds| seconds.to_string())
            }
            Self::Risk(risk) => risk.to_string(),
        }
    }
}

/// The value below which so many per cent lie; of ascending values.
fn quantile(ascending: &[i64], percent: usize) -> Option<i64> {
    let last = ascending.len().checked_sub(1)?;
    ascending.get(last.saturating_mul(percent) / 100).copied()
}

fn start_of(day: Date) -> Timestamp {
    TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(Timestamp::MIN)
}

/// The sums of ways, for a map: what was counted or declared most, by way.
pub(crate) fn by_way(figure: &Figure) -> BTreeMap<String, i64> {
    let mut ways = BTreeMap::new();
    for row in &figure.rows {
        if let (Some(Cell::Text(way)), Some(Cell::Count(count))) = (row.first(), row.get(2)) {
            let sum: &mut i64 = ways.entry(way.clone()).or_default();
            *sum = sum.saturating_add(*count);
        }
    }
    ways
}

const COVERAGE_ROWS: i64 = 500;
const AROUND_HOURS: i64 = 48;
