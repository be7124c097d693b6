//! The consolidated list of the United Nations Security Council, XML.
//!
//! Owns reading that file. An entry's id is its permanent reference number (`KPi.033`).

use jiff::civil::Date;
use quick_xml::events::Event;
use quick_xml::reader::Reader;

use super::{
    AliasQuality, BirthDate, EntryAddress, EntryKind, Identifier, ListBundle, ListEntry, ListError,
    SourceFile, country, line_at,
};

/// One XML element with its text and children; the file nests four deep at most.
#[derive(Debug, Default)]
struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of that name, its white space made single; empty if none.
    fn get(&self, name: &str) -> String {
        self.all(name).next().map(Element::flat).unwrap_or_default()
    }

    fn flat(&self) -> String {
        self.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Deeper than any real file; a bound on what a hostile one can make us hold.
const DEEPEST: usize = 16;

/// Reads the file as one bundle; the day is the file's own unless one is given.
pub fn import(
    file: SourceFile<'_>,
    list: &str,
    as_of: Option<Date>,
) -> Result<ListBundle, ListError> {
    let text = file.text()?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut generated = None;
    let mut closed = false;
    let mut entries: Vec<ListEntry> = Vec::new();
    loop {
        let read = reader.read_event();
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let line = || line_at(file.bytes.get(..at).unwrap_or(file.bytes));
        let event = match read {
            Ok(event) => event,
            Err(error) => {
                let what = error.to_string();
                return Err(file.broken(line(), what));
            }
        };
        match event {
            Event::Start(start) => {
                let name = start.name().as_ref().to_owned();
                if open.is_empty() {
                    if name != "CONSOLIDATED_LIST" {
                        return Err(file.broken(line(), format!("<{name}> is not the UN list")));
                    }
                    generated = start
                        .attributes()
                        .flatten()
                        .find(|attribute| attribute.key.as_ref() == "dateGenerated")
                        .and_then(|attribute| attribute.value.get(..10)?.parse().ok());
                }
                if open.len() >= DEEPEST {
                    return Err(file.broken(line(), "elements nest too deep"));
                }
                open.push(Element { name, ..Element::default() });
            }
            Event::Empty(start) => {
                if let Some(parent) = open.last_mut() {
                    let name = start.name().as_ref().to_owned();
                    parent.children.push(Element { name, ..Element::default() });
                }
            }
            Event::End(_) => {
                let Some(done) = open.pop() else { continue };
                match done.name.as_str() {
                    "INDIVIDUAL" | "ENTITY" => {
                        let entry = entry(&done).map_err(|what| file.broken(line(), what))?;
                        if entries.iter().any(|known| known.entry == entry.entry) {
                            let what = format!("entry {} comes twice", entry.entry);
                            return Err(file.broken(line(), what));
                        }
                        entries.push(entry);
                    }
                    "CONSOLIDATED_LIST" => closed = true,
                    _ => {
                        if let Some(parent) = open.last_mut() {
                            parent.children.push(done);
                        }
                    }
                }
            }
            Event::Text(part) => {
                if let Some(inside) = open.last_mut() {
                    inside.text.push_str(&part);
                }
            }
            Event::CData(part) => {
                if let Some(inside) = open.last_mut() {
                    inside.text.push_str(&part);
                }
            }
            Event::GeneralRef(reference) => {
                if let Some(inside) = open.last_mut() {
                    inside.text.push_str(&resolve(&reference));
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if !closed {
        let last = line_at(file.bytes);
        return Err(file.broken(last, "the file ends before </CONSOLIDATED_LIST>"));
    }
    if entries.is_empty() {
        return Err(file.broken(1, "the list holds no entry"));
    }
    let as_of = as_of.or(generated).ok_or_else(|| {
        file.broken(1, "the file gives no dateGenerated, and no day was given for it")
    })?;
    Ok(ListBundle::new(list, as_of, "UN Security Council consolidated list, XML", entries))
}

/// What an entity reference stands for: the five of XML, and characters by number.
fn resolve(name: &str) -> String {
    let number = name.strip_prefix('#').and_then(|digits| {
        digits
            .strip_prefix(['x', 'X'])
            .map_or_else(|| digits.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok())
    });
    match name {
        "amp" => "&".to_owned(),
        "lt" => "<".to_owned(),
        "gt" => ">".to_owned(),
        "quot" => "\"".to_owned(),
        "apos" => "'".to_owned(),
        _ => number.and_then(char::from_u32).map(String::from).unwrap_or_default(),
    }
}

fn entry(element: &Element) -> Result<ListEntry, String> {
    let person = element.name == "INDIVIDUAL";
    let kind = if person { EntryKind::Person } else { EntryKind::Organisation };
    let name = ["FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME"]
        .iter()
        .map(|part| element.get(part))
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let reference = element.get("REFERENCE_NUMBER");
    let id = if reference.is_empty() { element.get("DATAID") } else { reference };
    if id.is_empty() || name.is_empty() {
        return Err("an entry needs a reference number and a name".to_owned());
    }
    let mut entry = ListEntry::new(id, kind, name);
    entry.add_alias(&element.get("NAME_ORIGINAL_SCRIPT"), AliasQuality::Strong);
    let prefix = element.name.as_str();
    for alias in element.all(&format!("{prefix}_ALIAS")) {
        let quality =
            if alias.get("QUALITY") == "Low" { AliasQuality::Weak } else { AliasQuality::Strong };
        // One element often holds several names.
        for name in alias.get("ALIAS_NAME").split(';') {
            entry.add_alias(name, quality);
        }
    }
    entry.programme = element.get("UN_LIST_TYPE");
    entry.listed_on = element.get("LISTED_ON").get(..10).and_then(|day| day.parse().ok());
    for nationality in element.all("NATIONALITY").flat_map(|outer| outer.children.iter()) {
        entry.nationalities.extend(country::code_or_text(&nationality.flat()));
    }
    entry.birth_dates = element.all("INDIVIDUAL_DATE_OF_BIRTH").filter_map(birth_date).collect();
    for document in element.all("INDIVIDUAL_DOCUMENT") {
        entry.identifiers.extend(document_number(document));
    }
    for address in element.all(&format!("{prefix}_ADDRESS")) {
        entry.addresses.extend(premises(address));
    }
    note(&mut entry, element);
    Ok(entry)
}

fn birth_date(element: &Element) -> Option<BirthDate> {
    let circa = element.get("TYPE_OF_DATE") == "APPROXIMATELY";
    let (from, to) = (element.get("FROM_YEAR"), element.get("TO_YEAR"));
    let text = if !from.is_empty() && !to.is_empty() {
        format!("{from} to {to}")
    } else {
        let date = element.get("DATE");
        if date.is_empty() { element.get("YEAR") } else { date }
    };
    BirthDate::parse(&text).ok().map(|date| BirthDate { circa: circa || date.circa, ..date })
}

fn document_number(element: &Element) -> Option<Identifier> {
    let value = element.get("NUMBER");
    if value.is_empty() {
        return None;
    }
    let words = element.get("TYPE_OF_DOCUMENT").to_lowercase();
    let kind = if words.contains("pas") { "passport" } else { "national_id" };
    let issuer = [element.get("ISSUING_COUNTRY"), element.get("COUNTRY_OF_ISSUE")]
        .into_iter()
        .find_map(|name| country::code(&name));
    Some(Identifier { kind: kind.to_owned(), value, country: issuer.map(str::to_owned) })
}

fn premises(element: &Element) -> Option<EntryAddress> {
    let lines: Vec<String> = ["STREET", "CITY", "STATE_PROVINCE", "ZIP_CODE", "NOTE"]
        .iter()
        .map(|part| element.get(part))
        .filter(|part| !part.is_empty())
        .collect();
    let country = country::code_or_text(&element.get("COUNTRY"));
    (!lines.is_empty() || country.is_some()).then_some(EntryAddress { lines, country })
}

/// Keeps the comments, and takes the IMO number that the comments on ships' owners mention.
fn note(entry: &mut ListEntry, element: &Element) {
    let mut parts: Vec<String> = element
        .all("DESIGNATION")
        .flat_map(|outer| outer.children.iter().map(Element::flat))
        .collect();
    parts.push(element.get("COMMENTS1"));
    parts.retain(|part| !part.is_empty());
    entry.note = parts.join("; ");
}
