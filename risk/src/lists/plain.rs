//! The plain list format: a CSV with a header that a person can write by hand.
//!
//! Owns the columns of contract section 7 and nothing of any publisher's own format. Columns may
//! come in any order; `expires_on`, `reason` and `author` are read where an own list has them.

use std::collections::HashSet;

use jiff::civil::Date;

use super::{
    AliasQuality, BirthDate, EntryAddress, EntryKind, Identifier, ListBundle, ListEntry, ListError,
    SourceFile, country,
};

const COLUMNS: [&str; 11] = [
    "entry",
    "kind",
    "name",
    "aliases",
    "programme",
    "listed_on",
    "birth_dates",
    "nationalities",
    "identifiers",
    "addresses",
    "note",
];

/// Reads files of the plain format as one bundle.
pub fn import(
    files: &[SourceFile<'_>],
    list: &str,
    as_of: Date,
    source: &str,
) -> Result<ListBundle, ListError> {
    let mut entries = Vec::new();
    let mut seen = HashSet::new();
    for file in files {
        read_file(*file, &mut entries, &mut seen)?;
    }
    if entries.is_empty() {
        return Err(ListError::Incomplete {
            list: list.to_owned(),
            what: "the files hold no entry".to_owned(),
        });
    }
    Ok(ListBundle::new(list, as_of, source, entries))
}

fn read_file(
    file: SourceFile<'_>,
    entries: &mut Vec<ListEntry>,
    seen: &mut HashSet<String>,
) -> Result<(), ListError> {
    let text = file.text()?;
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| csv_error(file, &error))?.clone();
    for column in &COLUMNS[..3] {
        if !header.iter().any(|name| name.trim() == *column) {
            return Err(file.broken(1, format!("the header has no column {column:?}")));
        }
    }
    for row in reader.records() {
        let row = row.map_err(|error| csv_error(file, &error))?;
        let line = row.position().map_or(0, csv::Position::line);
        let column = |name: &str| {
            header
                .iter()
                .position(|column| column.trim() == name)
                .and_then(|at| row.get(at))
                .unwrap_or("")
                .trim()
        };
        let entry = read_row(column).map_err(|what| file.broken(line, what))?;
        if !seen.insert(entry.entry.clone()) {
            return Err(file.broken(line, format!("entry {:?} comes twice", entry.entry)));
        }
        entries.push(entry);
    }
    Ok(())
}

pub(super) fn csv_error(file: SourceFile<'_>, error: &csv::Error) -> ListError {
    let line = error.position().map_or(0, csv::Position::line);
    let what = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} columns where the first line has {expected_len}")
        }
        _ => error.to_string(),
    };
    file.broken(line, what)
}

fn read_row<'a>(column: impl Fn(&str) -> &'a str) -> Result<ListEntry, String> {
    let (id, kind, name) = (column("entry"), column("kind"), column("name"));
    if id.is_empty() {
        return Err("the entry has no id".to_owned());
    }
    let kind = EntryKind::parse(kind).ok_or_else(|| {
        format!("kind {kind:?} is none of person, organisation, vessel, aircraft, address")
    })?;
    if name.is_empty() {
        return Err(format!("entry {id:?} has no name"));
    }
    let mut entry = ListEntry::new(id, kind, name);
    for alias in several(column("aliases")) {
        // A leading "~" marks a name its author doubts.
        match alias.strip_prefix('~') {
            Some(doubted) => entry.add_alias(doubted, AliasQuality::Weak),
            None => entry.add_alias(alias, AliasQuality::Strong),
        }
    }
    column("programme").clone_into(&mut entry.programme);
    entry.listed_on = day("listed_on", column("listed_on"))?;
    entry.expires_on = day("expires_on", column("expires_on"))?;
    for date in several(column("birth_dates")) {
        entry.birth_dates.push(BirthDate::parse(date).map_err(|error| error.to_string())?);
    }
    entry.nationalities =
        several(column("nationalities")).filter_map(country::code_or_text).collect();
    for pair in several(column("identifiers")) {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| format!("identifier {pair:?} is not of the form key=value"))?;
        read_identifier(&mut entry, key.trim(), value.trim());
    }
    entry.addresses = several(column("addresses")).map(read_address).collect();
    column("reason").clone_into(&mut entry.reason);
    column("author").clone_into(&mut entry.author);
    column("note").clone_into(&mut entry.note);
    Ok(entry)
}

/// Keys that say something about a ship or a link go to their own fields.
fn read_identifier(entry: &mut ListEntry, key: &str, value: &str) {
    match key {
        "flag" => entry.vessel.flag = Some(value.to_owned()),
        "owner" => {
            entry.vessel.owner = Some(value.to_owned());
            entry.linked_to.push(value.to_owned());
        }
        "operator" | "linked_to" => entry.linked_to.push(value.to_owned()),
        "call_sign" => entry.vessel.call_sign = Some(value.to_owned()),
        _ => entry.identifiers.push(Identifier {
            kind: key.to_owned(),
            value: value.to_owned(),
            country: None,
        }),
    }
}

fn several(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(';').map(str::trim).filter(|value| !value.is_empty())
}

fn day(column: &str, cell: &str) -> Result<Option<Date>, String> {
    if cell.is_empty() {
        return Ok(None);
    }
    cell.parse().map(Some).map_err(|_| format!("{column} {cell:?} is not a day like 2017-10-16"))
}

fn read_address(cell: &str) -> EntryAddress {
    if let Some((lines, end)) = cell.rsplit_once(',')
        && let Some(code) = country::code(end)
    {
        return EntryAddress {
            lines: vec![lines.trim().to_owned()],
            country: Some(code.to_owned()),
        };
    }
    if let Some(code) = country::code(cell) {
        return EntryAddress { lines: Vec::new(), country: Some(code.to_owned()) };
    }
    EntryAddress { lines: vec![cell.to_owned()], country: None }
}
