//! Figures over a period: as JSON, and as CSV for a spreadsheet.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::desk::{day, download};
use super::problem::Problem;
use crate::people::Actor;
use crate::state::{AppState, Cell, Figure, FigureName, Figures};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct FigureQuery {
    pub(crate) from: String,
    pub(crate) to: String,
}

pub(super) async fn show(
    State(state): State<AppState>,
    actor: Actor,
    Path(name): Path<String>,
    query: Result<Query<FigureQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query?;
    let Figures { from, to, figures } = read(&state, &actor, &name, &query).await?;
    let items: Vec<Value> = figures.iter().flat_map(objects).collect();
    Ok(Json(json!({"from": from, "to": to, "items": items, "next": Value::Null})))
}

pub(super) async fn csv(
    State(state): State<AppState>,
    actor: Actor,
    Path(name): Path<String>,
    query: Result<Query<FigureQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query?;
    let figures = read(&state, &actor, &name, &query).await?;
    let figure = figures.figures.first();
    let text = figure.map(sheet).transpose().map_err(|error| {
        tracing::error!(%error, "a table cannot be written");
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Problem::new(status, "the table cannot be written", "see the server's log")
    })?;
    let file = format!("{name}-{}-{}.csv", figures.from, figures.to);
    Ok(download(&file, "text/csv; charset=utf-8", text.unwrap_or_default()))
}

async fn read(
    state: &AppState,
    actor: &Actor,
    name: &str,
    query: &FigureQuery,
) -> Result<Figures, Problem> {
    let known = FigureName::ALL.into_iter().find(|known| known.as_str() == name);
    let known = known.ok_or_else(|| Problem::not_found(format!("there is no figure {name:?}")))?;
    let days = (day(&query.from)?, day(&query.to)?);
    Ok(state.figures(actor, &[known], days).await?)
}

fn objects(figure: &Figure) -> Vec<Value> {
    let object = |row: &Vec<Cell>| {
        let pairs = figure.columns.iter().zip(row);
        let value = |cell: &Cell| match cell {
            Cell::Text(text) | Cell::Code(_, text) => json!(text),
            Cell::Count(count) => json!(count),
            Cell::Told(count) => json!(count),
            Cell::Amount(amount) => json!(amount.to_string()),
            Cell::Share(share) => json!(share.map(|share| share.to_string())),
            Cell::Seconds(seconds) => json!(seconds),
            Cell::Risk(risk) => json!(risk),
        };
        let object: Map<String, Value> =
            pairs.map(|(name, cell)| ((*name).replace('-', "_"), value(cell))).collect();
        Value::Object(object)
    };
    figure.rows.iter().map(object).collect()
}

/// A figure as CSV. A text that a spreadsheet would take for a formula is marked as text.
fn sheet(figure: &Figure) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(figure.columns)?;
    for row in &figure.rows {
        out.write_record(row.iter().map(|cell| match cell {
            Cell::Text(text) => harmless(text),
            other => other.plain(),
        }))?;
    }
    out.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

fn harmless(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if formula { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{Figure, FigureName, sheet};
    use crate::state::Cell;

    #[test]
    fn a_spreadsheet_gets_no_formula_from_a_text() {
        let rows = vec![vec![Cell::Text("=cmd|'/c calc'!A0".to_owned()), Cell::Count(-3)]];
        let figure = Figure { name: FigureName::Ways, columns: &["way", "count"], rows };
        let text = String::from_utf8(sheet(&figure).unwrap()).unwrap();
        assert_eq!(text, "way,count\n'=cmd|'/c calc'!A0,-3\n");
    }
}
