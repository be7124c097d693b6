//! The United Kingdom's lists as CSV: OFSI's consolidated list (`ConList.csv`) and the UK sanctions
//! list, told apart by their columns.
//!
//! Owns reading both: one row for each name of a target, its other facts repeated. An entry's id is
//! OFSI's group id, or the UK sanctions list's unique id.

use std::collections::HashMap;

use jiff::civil::Date;

use super::plain::csv_error;
use super::{
    AliasQuality, BirthDate, EntryAddress, EntryKind, Identifier, ListBundle, ListEntry, ListError,
    SourceFile, country,
};

/// Reads a file; the day is the one of its first line unless one is given.
pub fn import(
    file: SourceFile<'_>,
    list: &str,
    as_of: Option<Date>,
) -> Result<ListBundle, ListError> {
    let text = file.text()?;
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut columns: Option<HashMap<String, usize>> = None;
    let mut day = as_of;
    let mut entries: Vec<ListEntry> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for row in reader.records() {
        let row = row.map_err(|error| csv_error(file, &error))?;
        let line = row.position().map_or(0, csv::Position::line);
        let Some(columns) = &columns else {
            if row.iter().any(|cell| cell.trim() == "Name 6") {
                columns = Some(row.iter().map(|c| c.trim().to_lowercase()).zip(0..).collect());
            } else {
                day = day.or_else(|| row.iter().find_map(day_in));
                if line > 3 {
                    return Err(file.broken(line, "no row of column names with \"Name 6\""));
                }
            }
            continue;
        };
        if row.len() < columns.len() {
            let what = format!("{} columns where the header has {}", row.len(), columns.len());
            return Err(file.broken(line, what));
        }
        let target = Row { columns, row: &row };
        let id = target.first(&["unique id", "group id"]);
        if id.is_empty() {
            return Err(file.broken(line, "a row has neither a group id nor a unique id"));
        }
        let at = *places.entry(id.to_owned()).or_insert_with(|| {
            entries.push(ListEntry::new(id, target.kind(), ""));
            entries.len() - 1
        });
        if let Some(entry) = entries.get_mut(at) {
            target.add_to(entry);
        }
    }
    if entries.is_empty() {
        return Err(file.broken(1, "the file holds no target"));
    }
    if let Some(nameless) = entries.iter().find(|entry| entry.name.is_empty()) {
        return Err(file.broken(1, format!("target {} has no name", nameless.entry)));
    }
    let as_of = day.ok_or_else(|| {
        file.broken(1, "the first line does not say of which day the file is, and none was given")
    })?;
    Ok(ListBundle::new(list, as_of, "United Kingdom, financial sanctions targets, CSV", entries))
}

/// The day in a cell of the first line: `03/06/2026`, or `Report Date: 13-Feb-2026`.
fn day_in(cell: &str) -> Option<Date> {
    let word = cell.trim().rsplit([' ', ':']).next()?;
    day(word).or_else(|| Date::strptime("%d-%b-%Y", word).ok())
}

fn day(cell: &str) -> Option<Date> {
    Date::strptime("%d/%m/%Y", cell.trim()).ok()
}

/// One row with its column names.
struct Row<'a> {
    columns: &'a HashMap<String, usize>,
    row: &'a csv::StringRecord,
}

impl<'a> Row<'a> {
    fn cell(&self, name: &str) -> &'a str {
        let text = self.columns.get(name).and_then(|at| self.row.get(*at)).unwrap_or("").trim();
        // OFSI writes a single 0 where it has nothing.
        if text == "0" { "" } else { text }
    }

    /// The first of these columns that says something.
    fn first(&self, names: &[&str]) -> &'a str {
        names.iter().map(|name| self.cell(name)).find(|text| !text.is_empty()).unwrap_or("")
    }

    fn kind(&self) -> EntryKind {
        match self.first(&["group type", "designation type"]).to_lowercase().as_str() {
            "individual" => EntryKind::Person,
            "ship" => EntryKind::Vessel,
            _ => EntryKind::Organisation,
        }
    }

    fn add_to(&self, entry: &mut ListEntry) {
        self.add_names(entry);
        if entry.programme.is_empty() {
            self.first(&["regime", "regime name"]).clone_into(&mut entry.programme);
        }
        let listed = self.first(&["listed on", "date designated"]);
        entry.listed_on = entry.listed_on.or_else(|| day(listed));
        for born in several(self.first(&["dob", "d.o.b"])) {
            if let Some(date) = birth(born).filter(|date| !entry.birth_dates.contains(date)) {
                entry.birth_dates.push(date);
            }
        }
        for state in several(self.first(&["nationality", "nationality(/ies)"])) {
            if let Some(code) = country::code_or_text(state)
                && !entry.nationalities.contains(&code)
            {
                entry.nationalities.push(code);
            }
        }
        self.add_address(entry);
        let numbers = [
            ("passport", self.cell("passport number")),
            (
                "national_id",
                self.first(&["national identification number", "national identifier number"]),
            ),
            ("registration", self.cell("business registration number (s)")),
            ("imo", self.cell("imo number")),
            ("phone", self.cell("phone number")),
            ("email", self.cell("email address")),
            ("website", self.cell("website")),
        ];
        for (kind, cell) in numbers {
            for value in several(cell) {
                add_number(entry, kind, value);
            }
        }
        let flag = self.cell("current believed flag of ship");
        if !flag.is_empty() {
            entry.vessel.flag = Some(flag.to_owned());
        }
        let owner = self.cell("current owner/operator (s)");
        if !owner.is_empty() && !entry.linked_to.iter().any(|known| known == owner) {
            entry.vessel.owner = Some(owner.to_owned());
            entry.linked_to.push(owner.to_owned());
        }
        let said = self.first(&["uk statement of reasons", "other information"]);
        if entry.note.is_empty() {
            said.clone_into(&mut entry.note);
        }
        from_text(entry, self.cell("other information"));
    }

    fn add_names(&self, entry: &mut ListEntry) {
        // Given names first, the family name or the name of a body in column 6.
        let parts = ["name 1", "name 2", "name 3", "name 4", "name 5", "name 6"];
        let name = parts
            .iter()
            .map(|part| self.cell(part))
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        let low = self.first(&["alias quality", "alias strength"]).to_lowercase();
        let weak = low.contains("low") || low.contains("weak");
        let first = self.first(&["alias type", "name type"]).eq_ignore_ascii_case("primary name");
        if !name.is_empty() {
            if entry.name.is_empty() {
                entry.name = name;
            } else if first && entry.name != name {
                // The primary name may follow its variations.
                let before = std::mem::replace(&mut entry.name, name);
                entry.aliases.retain(|alias| alias.name != entry.name);
                entry.add_alias(&before, AliasQuality::Strong);
            } else {
                let quality = if weak { AliasQuality::Weak } else { AliasQuality::Strong };
                entry.add_alias(&name, quality);
            }
        }
        entry.add_alias(self.cell("name non-latin script"), AliasQuality::Strong);
    }

    fn add_address(&self, entry: &mut ListEntry) {
        let mut lines: Vec<String> = Vec::new();
        for number in 1..=6 {
            let names = [format!("address {number}"), format!("address line {number}")];
            let line = names.iter().map(|name| self.cell(name)).find(|line| !line.is_empty());
            lines.extend(line.map(str::to_owned));
        }
        let postcode = self.first(&["post/zip code", "address postal code"]);
        lines.extend((!postcode.is_empty()).then(|| postcode.to_owned()));
        let state = country::code_or_text(self.first(&["country", "address country"]));
        let address = EntryAddress { lines, country: state };
        if address != EntryAddress::default() && !entry.addresses.contains(&address) {
            entry.addresses.push(address);
        }
    }
}

/// Several values in one cell: `(1) X (2) Y`, or separated by a bar.
fn several(cell: &str) -> impl Iterator<Item = &str> {
    let numbered = cell.starts_with("(1)");
    cell.split(move |c: char| c == '|' || (numbered && c == '('))
        .map(move |part| {
            let rest = part
                .split_once(')')
                .filter(|(number, _)| numbered && number.chars().all(|c| c.is_ascii_digit()));
            rest.map_or(part, |(_, rest)| rest).trim()
        })
        .filter(|part| !part.is_empty())
}

/// A birth date with `00` or `dd` for what is not known.
fn birth(text: &str) -> Option<BirthDate> {
    if let Some(day) = day(text) {
        return Some(BirthDate::day(day));
    }
    let year = text.rsplit('/').next()?.trim();
    year.parse().ok().and_then(|year| BirthDate::year(year, false))
}

fn add_number(entry: &mut ListEntry, kind: &str, value: &str) {
    let number = Identifier { kind: kind.to_owned(), value: value.to_owned(), country: None };
    if !entry.identifiers.contains(&number) {
        entry.identifiers.push(number);
    }
}

/// OFSI keeps the numbers of ships and telephones in its remarks: `(IMO number):8989795 (Email ...)`.
fn from_text(entry: &mut ListEntry, text: &str) {
    const LABELS: [(&str, &str); 6] = [
        ("(IMO number):", "imo"),
        ("(Phone number):", "phone"),
        ("(Email address):", "email"),
        ("(Website):", "website"),
        ("(Business Reg No):", "registration"),
        ("(Business registration number (s)):", "registration"),
    ];
    for (label, kind) in LABELS {
        let Some((_, rest)) = text.split_once(label) else { continue };
        let value = rest.split('(').next().unwrap_or(rest).trim().trim_end_matches('.');
        if !value.is_empty() {
            add_number(entry, kind, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{import, several};
    use crate::lists::{EntryKind, SourceFile};

    fn file(text: &str) -> SourceFile<'_> {
        SourceFile { name: "uk", bytes: text.as_bytes() }
    }

    // Written by hand after the published forms; the names are of no list.
    const OFSI: &str = "\
Last Updated,03/06/2026
Name 6,Name 1,Name 2,Title,Name Non-Latin Script,DOB,Nationality,Passport Number,Address 1,Post/Zip Code,Country,Other Information,Group Type,Alias Type,Alias Quality,Regime,Listed On,Group ID
EXAMPLE,Person,,,,00/00/1965,North Korea,(1) 123456789 (2) A9876543,1 Long Street,,North Korea,,Individual,Primary name,,DPRK,14/08/2016,10001
EXAMPLER,P,,,,,,,,,,,Individual,AKA,Low quality,DPRK,14/08/2016,10001
EXAMPLE STAR,0,0,,,,,,,,,(IMO number):8989795 (Current flag):None,Ship,Primary name,,DPRK,14/08/2016,10002
";
    const UKSL: &str = "\
Report Date: 13-Feb-2026
Unique ID,OFSI Group ID,Name 6,Name 1,Name type,Alias strength,Regime Name,Designation Type,Address Line 1,Address Country,Phone number,Date Designated
DPR0001,1,EXAMPLE BANK VARIANT,,Alias,,DPRK,Entity,2 Short Street,North Korea,850 2 381 8022,12/01/2022
DPR0001,1,EXAMPLE BANK,,Primary Name,,DPRK,Entity,2 Short Street,North Korea,850 2 381 8022,12/01/2022
";

    #[test]
    fn rows_of_one_target_become_one_entry() {
        let bundle = import(file(OFSI), "uk", None).unwrap();
        assert_eq!((bundle.as_of.to_string().as_str(), bundle.entries.len()), ("2026-06-03", 2));
        let person = bundle.entry("10001").unwrap();
        assert_eq!((person.kind, person.name.as_str()), (EntryKind::Person, "Person EXAMPLE"));
        assert_eq!(person.aliases.len(), 1);
        assert_eq!(person.birth_dates[0].from.year(), 1965);
        assert_eq!(person.nationalities, ["KP"]);
        assert_eq!(person.identifiers.len(), 2);
        let ship = bundle.entry("10002").unwrap();
        assert_eq!((ship.kind, ship.name.as_str()), (EntryKind::Vessel, "EXAMPLE STAR"));
        assert_eq!(ship.identifiers[0].value, "8989795");
    }

    #[test]
    fn the_sanctions_list_is_read_and_its_primary_name_comes_first() {
        let bundle = import(file(UKSL), "uk", None).unwrap();
        assert_eq!(bundle.as_of.to_string(), "2026-02-13");
        let bank = bundle.entry("DPR0001").unwrap();
        assert_eq!(bank.name, "EXAMPLE BANK");
        assert_eq!(bank.aliases[0].name, "EXAMPLE BANK VARIANT");
        assert_eq!(bank.identifiers[0].kind, "phone");
    }

    #[test]
    fn broken_files_are_refused_and_say_where() {
        for broken in ["", "<html>busy</html>\n\n\n\n\nx\n", &OFSI.replace(",10002", "")] {
            assert!(import(file(broken), "uk", None).is_err(), "{broken}");
        }
        let error = import(file(&OFSI.replace("14/08/2016,10002", "14/08/2016,")), "uk", None);
        assert!(error.unwrap_err().to_string().contains("uk, line 5"));
    }

    #[test]
    fn a_cell_may_hold_several_values() {
        let all = |cell| several(cell).collect::<Vec<_>>();
        assert_eq!(all("(1) X 1 (2) Y"), ["X 1", "Y"]);
        assert_eq!(all("North Korea"), ["North Korea"]);
        assert!(all("").is_empty());
    }
}
