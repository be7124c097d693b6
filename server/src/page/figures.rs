//! Pictures: the map of ways, sums, rules, times, coverage; each with its table and its CSV.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
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
    bars: Vec<Bar>,
    height: usize,
}

struct Row {
    risk: bool,
    cells: Vec<(String, bool)>,
}

struct Bar {
    name: String,
    value: String,
    width: String,
    y: usize,
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
    let bars = bars(text, figure);
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
        height: bars.len() * BAR_HEIGHT + 4,
        bars,
    }
}

fn is_number(cell: &Cell) -> bool {
    matches!(cell, Cell::Count(_) | Cell::Amount(_) | Cell::Share(_) | Cell::Seconds(_))
}

fn words(text: Text, cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Code(prefix, code) => text.code(prefix, code).into_owned(),
        Cell::Count(count) => text.number(rust_decimal::Decimal::from(*count)),
        Cell::Amount(amount) => text.number(*amount),
        Cell::Share(None) | Cell::Seconds(None) => "–".to_owned(),
        Cell::Share(Some(share)) => {
            let hundred = rust_decimal::Decimal::ONE_HUNDRED;
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

/// The ten largest counts of a figure as bars: alerts by rule, inspections by movement and way.
fn bars(text: Text, figure: &Figure) -> Vec<Bar> {
    let at = match figure.name {
        FigureName::Rules => 1,
        FigureName::Ways | FigureName::Days => 2,
        FigureName::Coverage => 4,
        FigureName::Times => return Vec::new(),
    };
    let count = |row: &&Vec<Cell>| match row.get(at) {
        Some(Cell::Count(count)) => *count,
        _ => 0,
    };
    let mut rows: Vec<&Vec<Cell>> = figure.rows.iter().collect();
    if figure.name != FigureName::Days {
        rows.sort_by_key(|row| std::cmp::Reverse(count(row)));
    }
    rows.truncate(BARS);
    let most = rows.iter().map(count).max().unwrap_or(1).max(1);
    rows.iter()
        .enumerate()
        .map(|(number, row)| {
            let value = count(row);
            let width = value.saturating_mul(600) / most;
            let named = if figure.name == FigureName::Rules { 1 } else { 2 };
            let name: Vec<String> = row.iter().take(named).map(|cell| words(text, cell)).collect();
            Bar {
                name: name.join(" "),
                value: text.number(rust_decimal::Decimal::from(value)),
                width: width.max(2).to_string(),
                value_x: (width + 308).to_string(),
                y: number * BAR_HEIGHT + 2,
                text_y: number * BAR_HEIGHT + 16,
            }
        })
        .collect()
}

const BARS: usize = 10;
const BAR_HEIGHT: usize = 24;
