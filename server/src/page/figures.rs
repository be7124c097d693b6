//! Pictures: the map of ways, sums, rules, times, coverage; each with its table and its CSV.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use tidewaiter_web::answer::page;
use tidewaiter_web::form::Fields;
use tidewaiter_web::frame::Frame;
use tidewaiter_web::text::Text;
use tidewaiter_web::visit::Visit;

use super::failure;
use super::map::{Map, draw};
use crate::people::Actor;
use crate::state::{AppState, Cell, Figure, FigureName, by_way};

#[derive(Template)]
#[template(path = "desk/figures.html")]
struct FiguresPage {
    frame: Frame,
    from: String,
    to: String,
    map: Map,
    figures: Vec<Shown>,
}

struct Shown {
    name: &'static str,
    title: String,
    /// Each with whether it holds numbers.
    columns: Vec<(String, bool)>,
    rows: Vec<Row>,
    charts: Vec<Chart>,
}

/// Bars of one scale: counts, or amounts of one currency. Currencies are never added up or set
/// against each other: what a rate of some day would make of them is another number.
#[derive(Debug, PartialEq)]
struct Chart {
    /// The currency; empty for counts.
    label: String,
    height: usize,
    bars: Vec<Bar>,
}

struct Row {
    risk: bool,
    cells: Vec<(String, bool)>,
}

#[derive(Debug, PartialEq)]
struct Bar {
    name: String,
    value: String,
    width: String,
    /// The second of two: what was declared, under what was counted.
    second: Option<String>,
    thick: usize,
    y: usize,
    second_y: usize,
    text_y: usize,
    value_x: String,
}

pub(super) async fn show(
    State(state): State<AppState>,
    actor: Actor,
    RawQuery(query): RawQuery,
    visit: Visit,
) -> Response {
    let text = visit.text;
    let fields = Fields::read(query.unwrap_or_default().as_bytes());
    // A day that is none is as if it was not given: the page shows which days it took.
    let days = (fields.get("from").parse().ok(), fields.get("to").parse().ok());
    let figures = match state.figures(&actor, &FigureName::ALL, days).await {
        Ok(figures) => figures,
        Err(error) => return failure::failed(&visit, &error),
    };
    let find = |name| figures.figures.iter().find(|figure| figure.name == name);
    let risk: BTreeSet<String> = find(FigureName::Coverage)
        .into_iter()
        .flat_map(|figure| &figure.rows)
        .filter(|row| is_risk(row))
        .filter_map(|row| row.get(2).map(Cell::plain))
        .collect();
    let ways = find(FigureName::Ways).map(by_way).unwrap_or_default();
    let title = text.say("desk-figures");
    page(&FiguresPage {
        frame: super::frame(&visit, state.demonstration(), &title, "/figures"),
        from: figures.from.to_string(),
        to: figures.to.to_string(),
        map: draw(&ways, &risk),
        figures: figures.figures.iter().map(|figure| shown(text, figure)).collect(),
    })
}

fn is_risk(row: &[Cell]) -> bool {
    row.iter().any(|cell| matches!(cell, Cell::Risk(true)))
}

fn shown(text: Text, figure: &Figure) -> Shown {
    let first = figure.rows.first();
    let numbers = |at: usize| first.and_then(|row| row.get(at)).is_some_and(is_number);
    let columns = figure.columns.iter().enumerate();
    Shown {
        name: figure.name.as_str(),
        title: text.code("figure", figure.name.as_str()).into_owned(),
        columns: columns
            .map(|(at, name)| (text.code("column", name).into_owned(), numbers(at)))
            .collect(),
        rows: figure
            .rows
            .iter()
            .map(|row| Row {
                risk: is_risk(row),
                cells: row.iter().map(|cell| (words(text, cell), is_number(cell))).collect(),
            })
            .collect(),
        charts: charts(text, figure),
    }
}

fn is_number(cell: &Cell) -> bool {
    matches!(
        cell,
        Cell::Count(_) | Cell::Told(_) | Cell::Amount(_) | Cell::Share(_) | Cell::Seconds(_)
    )
}

fn words(text: Text, cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Code(prefix, code) => text.code(prefix, code).into_owned(),
        Cell::Count(count) => text.number(Decimal::from(*count)),
        Cell::Amount(amount) => text.number(*amount),
        Cell::Told(Some(count)) => text.number(Decimal::from(*count)),
        Cell::Told(None) | Cell::Share(None) | Cell::Seconds(None) => "–".to_owned(),
        Cell::Share(Some(share)) => {
            let hundred = Decimal::ONE_HUNDRED;
            format!("{} %", share.saturating_mul(hundred).round_dp(1).normalize())
        }
        Cell::Seconds(Some(seconds)) => duration(*seconds),
        Cell::Risk(true) => text.say("figures-risk").into_owned(),
        Cell::Risk(false) => String::new(),
    }
}

/// `0:07:12`, hours without end.
fn duration(seconds: i64) -> String {
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A figure as bars: alerts by rule and inspections by movement, the ten largest; money by way, the
/// ten largest of each currency, and by day, the last ten.
fn charts(text: Text, figure: &Figure) -> Vec<Chart> {
    match figure.name {
        FigureName::Rules => counts(text, &figure.rows, 1, 1),
        FigureName::Coverage => counts(text, &figure.rows, INSPECTED, 2),
        FigureName::Ways => amounts(text, &figure.rows, false),
        FigureName::Days => amounts(text, &figure.rows, true),
        FigureName::Times => Vec::new(),
    }
}

/// The largest counts in column `at`, named by the first `named` columns.
fn counts(text: Text, rows: &[Vec<Cell>], at: usize, named: usize) -> Vec<Chart> {
    let count = |row: &&Vec<Cell>| match row.get(at) {
        Some(Cell::Count(count)) => *count,
        _ => 0,
    };
    let mut rows: Vec<&Vec<Cell>> = rows.iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(count(row)));
    rows.truncate(BARS);
    let most = Decimal::from(rows.iter().map(count).max().unwrap_or(0));
    let bars = rows.iter().enumerate().map(|(number, row)| {
        let value = Decimal::from(count(row));
        let name: Vec<String> = row.iter().take(named).map(|cell| words(text, cell)).collect();
        let share = width(value, most);
        bar(number, name.join(" "), text.number(value), (share, None))
    });
    chart(String::new(), bars.collect()).into_iter().collect()
}

/// What was counted and declared, a chart for each currency, those of most inspections first.
fn amounts(text: Text, rows: &[Vec<Cell>], by_day: bool) -> Vec<Chart> {
    let mut currencies: BTreeMap<&str, (i64, Vec<Sum<'_>>)> = BTreeMap::new();
    for row in rows {
        let [Cell::Text(name), Cell::Text(currency), Cell::Count(inspections), sums @ ..] =
            row.as_slice()
        else {
            continue;
        };
        let [Cell::Amount(declared), Cell::Amount(counted)] = sums else { continue };
        let (all, sums) = currencies.entry(currency).or_default();
        *all = all.saturating_add(*inspections);
        sums.push(Sum { name, declared: *declared, counted: *counted });
    }
    let mut currencies: Vec<_> = currencies.into_iter().collect();
    currencies.sort_by_key(|(_, (inspections, _))| std::cmp::Reverse(*inspections));
    currencies.truncate(CURRENCIES);
    let chart_of = |(currency, (_, mut sums)): (&str, (i64, Vec<Sum<'_>>))| {
        if by_day {
            sums.drain(..sums.len().saturating_sub(BARS));
        } else {
            sums.sort_by_key(|sum| std::cmp::Reverse(sum.most()));
            sums.truncate(BARS);
        }
        let most = sums.iter().map(Sum::most).max().unwrap_or_default();
        let bars = sums.iter().enumerate().map(|(number, sum)| {
            let value = format!(
                "{} {} · {} {}",
                text.code("column", "counted"),
                text.number(sum.counted),
                text.code("column", "declared"),
                text.number(sum.declared)
            );
            let widths = (width(sum.counted, most), Some(width(sum.declared, most)));
            bar(number, sum.name.to_owned(), value, widths)
        });
        chart(currency.to_owned(), bars.collect())
    };
    currencies.into_iter().filter_map(chart_of).collect()
}

/// The sums of a way or a day in one currency.
struct Sum<'a> {
    name: &'a str,
    declared: Decimal,
    counted: Decimal,
}

impl Sum<'_> {
    fn most(&self) -> Decimal {
        self.declared.max(self.counted)
    }
}

fn chart(label: String, bars: Vec<Bar>) -> Option<Chart> {
    let height = bars.len() * BAR_HEIGHT + 4;
    (!bars.is_empty()).then_some(Chart { label, height, bars })
}

fn bar(number: usize, name: String, value: String, (first, second): (u32, Option<u32>)) -> Bar {
    let y = number * BAR_HEIGHT + 2;
    let thick = if second.is_some() { 8 } else { 18 };
    Bar {
        name,
        value,
        width: first.to_string(),
        value_x: (first.max(second.unwrap_or(0)) + 308).to_string(),
        second: second.map(|width| width.to_string()),
        thick,
        y,
        second_y: y + 10,
        text_y: y + 14,
    }
}

/// How long a bar is: the largest value 400, anything at all 2, nothing 0.
fn width(value: Decimal, most: Decimal) -> u32 {
    let share = value.checked_div(most).and_then(|share| share.checked_mul(Decimal::from(400)));
    let width = share.and_then(|share| share.round().to_u32()).unwrap_or(0);
    if value.is_zero() { 0 } else { width.max(2) }
}

/// Bars of one chart.
const BARS: usize = 10;
/// Charts of one figure; the table has every currency.
const CURRENCIES: usize = 4;
const BAR_HEIGHT: usize = 24;
/// The column of a movement's inspections.
const INSPECTED: usize = 5;

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;
    use tidewaiter_web::language::Language;
    use tidewaiter_web::text::Text;

    use super::{Figure, FigureName, charts};
    use crate::state::Cell;

    fn row(of: &str, currency: &str, declared: i64, counted: i64) -> Vec<Cell> {
        let amount = |value| Cell::Amount(Decimal::from(value));
        let text = |text: &str| Cell::Text(text.to_owned());
        vec![text(of), text(currency), Cell::Count(1), amount(declared), amount(counted)]
    }

    #[test]
    fn money_is_drawn_by_currency_as_amounts_and_never_added_up() {
        let rows = vec![
            row("VVO-FNJ", "USD", 0, 192_300),
            row("VVO-ICN", "USD", 96_150, 0),
            row("VVO-FNJ", "KPW", 900_000_000, 0),
        ];
        let figure = Figure { name: FigureName::Ways, columns: &[], rows };
        let charts = charts(Text::new(Language::English), &figure);
        let labels: Vec<_> = charts.iter().map(|chart| chart.label.as_str()).collect();
        assert_eq!(labels, ["USD", "KPW"]);
        let drawn = |bar: &super::Bar| (bar.name.clone(), bar.width.clone(), bar.second.clone());
        let of = |name: &str, counted: &str, declared: &str| {
            (name.to_owned(), counted.to_owned(), Some(declared.to_owned()))
        };
        let bars: Vec<_> = charts[0].bars.iter().map(drawn).collect();
        assert_eq!(bars, [of("VVO-FNJ", "400", "0"), of("VVO-ICN", "0", "200")]);
        assert_eq!(charts[0].bars[0].value, "Counted 192,300 · Declared 0");
        assert_eq!(drawn(&charts[1].bars[0]), of("VVO-FNJ", "0", "400"));
    }

    #[test]
    fn of_many_days_the_last_are_drawn() {
        let rows = (1..=12).map(|day| row(&format!("2018-11-{day:02}"), "USD", 1, 1)).collect();
        let figure = Figure { name: FigureName::Days, columns: &[], rows };
        let charts = charts(Text::new(Language::English), &figure);
        let ends = [charts[0].bars.first(), charts[0].bars.last()];
        assert_eq!(ends.map(|bar| bar.unwrap().name.clone()), ["2018-11-03", "2018-11-12"]);
    }
}
