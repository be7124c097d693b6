//! OFAC's list in its old CSV form: `sdn`, `add` and `alt`, told apart by their columns.
//!
//! Owns reading those files, the facts hidden in the remarks among them. The files have no header;
//! `-0-` is empty; a lone control-Z ends a file.

use std::collections::HashMap;

use jiff::civil::Date;

use super::plain::csv_error;
use super::{
    AliasQuality, BirthDate, EntryAddress, EntryKind, Identifier, ListBundle, ListEntry, ListError,
    SourceFile, country,
};

pub mod advanced;

const SDN_COLUMNS: usize = 12;
const ADD_COLUMNS: usize = 6;
const ALT_COLUMNS: usize = 5;

/// Where a row stands, for messages.
struct Row {
    line: u64,
    cells: csv::StringRecord,
}

impl Row {
    /// The cell, empty where OFAC writes `-0-`.
    fn cell(&self, at: usize) -> &str {
        let text = self.cells.get(at).unwrap_or("").trim();
        if text == "-0-" { "" } else { text }
    }

    fn text(&self, at: usize) -> Option<String> {
        let cell = self.cell(at);
        (!cell.is_empty()).then(|| cell.to_owned())
    }
}

/// Reads the three files, in any order, as one bundle; needs the `sdn` file at least.
pub fn import(files: &[SourceFile<'_>], list: &str, as_of: Date) -> Result<ListBundle, ListError> {
    let mut read = Vec::new();
    for file in files {
        read.push((*file, rows(*file)?));
    }
    let mut entries = Vec::new();
    let mut places = HashMap::new();
    for (file, rows) in read.iter().filter(|(_, rows)| width(rows) == SDN_COLUMNS) {
        for row in rows {
            let entry = listed(row);
            if entry.entry.parse::<u32>().is_err() || entry.name.is_empty() {
                return Err(file.broken(row.line, "an entry needs a number and a name"));
            }
            if places.insert(entry.entry.clone(), entries.len()).is_some() {
                return Err(file.broken(row.line, format!("entry {} comes twice", entry.entry)));
            }
            entries.push(entry);
        }
    }
    if entries.is_empty() {
        return Err(ListError::Incomplete {
            list: list.to_owned(),
            what: "no file has the twelve columns of sdn.csv".to_owned(),
        });
    }
    for (file, rows) in &read {
        let wide = width(rows);
        if wide == SDN_COLUMNS {
            continue;
        }
        for row in rows {
            let entry =
                places.get(row.cell(0)).and_then(|at| entries.get_mut(*at)).ok_or_else(|| {
                    file.broken(row.line, format!("entry {:?} is not in the list", row.cell(0)))
                })?;
            if wide == ADD_COLUMNS {
                entry.addresses.extend(address(row));
            } else {
                entry.add_alias(row.cell(3), AliasQuality::Strong);
            }
        }
    }
    Ok(ListBundle::new(list, as_of, "US Treasury, OFAC, CSV files", entries))
}

fn width(rows: &[Row]) -> usize {
    rows.first().map_or(0, |row| row.cells.len())
}

fn rows(file: SourceFile<'_>) -> Result<Vec<Row>, ListError> {
    let text = file.text()?;
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut rows: Vec<Row> = Vec::new();
    for record in reader.records() {
        let cells = record.map_err(|error| csv_error(file, &error))?;
        let line = cells.position().map_or(0, csv::Position::line);
        if cells.len() == 1
            && cells.get(0).is_some_and(|cell| cell.trim_matches('\u{1a}').is_empty())
        {
            continue;
        }
        let expected = rows.first().map_or(cells.len(), |row| row.cells.len());
        if ![SDN_COLUMNS, ADD_COLUMNS, ALT_COLUMNS].contains(&expected) {
            let what = format!("{expected} columns; sdn has 12, add has 6, alt has 5");
            return Err(file.broken(line, what));
        }
        if cells.len() != expected {
            let what = format!("{} columns where the first line has {expected}", cells.len());
            return Err(file.broken(line, what));
        }
        rows.push(Row { line, cells });
    }
    if rows.is_empty() {
        return Err(file.broken(1, "the file is empty"));
    }
    Ok(rows)
}

fn address(row: &Row) -> Option<EntryAddress> {
    let lines: Vec<String> = [row.text(2), row.text(3)].into_iter().flatten().collect();
    let country = country::code_or_text(row.cell(4));
    (!lines.is_empty() || country.is_some()).then_some(EntryAddress { lines, country })
}

fn listed(row: &Row) -> ListEntry {
    let kind = match row.cell(2) {
        "individual" => EntryKind::Person,
        "vessel" => EntryKind::Vessel,
        "aircraft" => EntryKind::Aircraft,
        _ => EntryKind::Organisation,
    };
    let mut entry = ListEntry::new(row.cell(0), kind, row.cell(1));
    entry.programme = row.cell(3).replace("] [", ", ");
    entry.vessel.call_sign = row.text(5);
    entry.vessel.vessel_type = row.text(6);
    entry.vessel.flag = row.text(9);
    entry.vessel.owner = row.text(10);
    if let Some(owner) = row.text(10) {
        entry.linked_to.push(owner);
    }
    let mut note: Vec<&str> = Vec::new();
    let title = row.cell(4);
    if !title.is_empty() {
        note.push(title);
    }
    let remarks = row.cell(11);
    let remarks = remarks.strip_suffix('.').unwrap_or(remarks);
    for remark in remarks.split(';').map(str::trim).filter(|remark| !remark.is_empty()) {
        if !fact(&mut entry, remark) && !note.contains(&remark) {
            note.push(remark);
        }
    }
    if kind == EntryKind::Aircraft
        && !entry.identifiers.iter().any(|known| known.kind == "tail")
        && !entry.name.contains(' ')
    {
        entry.identifiers.push(identifier("tail", &entry.name.clone()));
    }
    entry.note = note.join("; ");
    entry
}

fn identifier(kind: &str, value: &str) -> Identifier {
    Identifier { kind: kind.to_owned(), value: value.to_owned(), country: None }
}

/// The beginnings of remarks that carry a number, and the kind of identifier each one is.
const NUMBERED: [(&str, &str); 38] = [
    ("Vessel Registration Identification IMO ", "imo"),
    ("Vessel Registration Identification ", "vessel_registration"),
    ("Identification Number IMO ", "imo"),
    ("Company Number IMO ", "company_imo"),
    ("MMSI ", "mmsi"),
    ("Diplomatic Passport ", "passport"),
    ("Passport ", "passport"),
    ("National ID No. ", "national_id"),
    ("National Foreign ID Number ", "national_id"),
    ("Personal ID Card ", "national_id"),
    ("Cedula No. ", "national_id"),
    ("D.N.I. ", "national_id"),
    ("C.U.R.P. ", "national_id"),
    ("Identification Number ", "national_id"),
    ("Tax ID No. ", "tax"),
    ("R.F.C. ", "tax"),
    ("RFC ", "tax"),
    ("NIT # ", "tax"),
    ("RUC # ", "tax"),
    ("V.A.T. Number ", "tax"),
    ("Registration Number ", "registration"),
    ("Registration ID ", "registration"),
    ("Company Number ", "registration"),
    ("Business Registration Number ", "registration"),
    ("Business Registration Document # ", "registration"),
    ("Commercial Registry Number ", "registration"),
    ("C.R. No. ", "registration"),
    ("Trade License No. ", "registration"),
    ("Folio Mercantil No. ", "registration"),
    ("Matricula Mercantil No ", "registration"),
    ("SWIFT/BIC ", "swift"),
    ("Email Address ", "email"),
    ("Phone Number ", "phone"),
    ("Telephone ", "phone"),
    ("Website ", "website"),
    ("Aircraft Tail Number ", "tail"),
    ("Aircraft Construction Number (also called L/N or S/N or F/N) ", "serial"),
    ("Aircraft Manufacturer's Serial Number (MSN) ", "serial"),
];

/// Takes one remark as a fact about the entry; `false` where it is only text.
fn fact(entry: &mut ListEntry, remark: &str) -> bool {
    let remark = remark.strip_prefix("alt. ").unwrap_or(remark);
    for known_as in ["a.k.a. ", "f.k.a. ", "n.k.a. "] {
        if let Some(name) = remark.strip_prefix(known_as) {
            let name = name.trim_end_matches('.').trim_matches(['\'', '"']);
            entry.add_alias(name, AliasQuality::Weak);
            return true;
        }
    }
    if let Some(date) = remark.strip_prefix("DOB ") {
        return BirthDate::parse(date).map(|date| entry.birth_dates.push(date)).is_ok();
    }
    for state in ["nationality ", "citizen "] {
        if let Some(name) = remark.strip_prefix(state) {
            if let Some(code) = country::code_or_text(name)
                && !entry.nationalities.contains(&code)
            {
                entry.nationalities.push(code);
            }
            return true;
        }
    }
    for link in ["Linked To: ", "Aircraft Operator "] {
        if let Some(name) = remark.strip_prefix(link) {
            let name = name.trim_end_matches('.').to_owned();
            if !entry.linked_to.contains(&name) {
                entry.linked_to.push(name);
            }
            return true;
        }
    }
    numbered(entry, remark)
}

fn numbered(entry: &mut ListEntry, remark: &str) -> bool {
    for (start, kind) in NUMBERED {
        let Some(rest) = remark.strip_prefix(start) else { continue };
        let (value, country) = match rest.split_once(" (") {
            Some((value, place)) => {
                let place = place.split(')').next().unwrap_or("");
                (value, country::code(place).map(str::to_owned))
            }
            None => (rest, None),
        };
        let value = value
            .split(" expires ")
            .next()
            .and_then(|value| value.split(" issued ").next())
            .unwrap_or(value)
            .trim();
        if value.is_empty() {
            return false;
        }
        entry.identifiers.push(Identifier {
            kind: kind.to_owned(),
            value: value.to_owned(),
            country,
        });
        return true;
    }
    false
}
