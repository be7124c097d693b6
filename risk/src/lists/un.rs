//! The consolidated list of the United Nations Security Council, XML.
//!
//! Owns reading that file. An entry's id is its permanent reference number (`KPi.033`).

use std::collections::HashSet;

use jiff::civil::Date;

use super::xml::{self, Element};
use super::{
    AliasQuality, BirthDate, EntryAddress, EntryKind, Identifier, ListBundle, ListEntry, ListError,
    SourceFile, country,
};

/// Reads the file as one bundle; the day is the file's own unless one is given.
pub fn import(
    file: SourceFile<'_>,
    list: &str,
    as_of: Option<Date>,
) -> Result<ListBundle, ListError> {
    let mut entries: Vec<ListEntry> = Vec::new();
    let mut known = HashSet::new();
    let root = xml::read(file, "CONSOLIDATED_LIST", &["INDIVIDUAL", "ENTITY"], |element| {
        let entry = entry(&element)?;
        if !known.insert(entry.entry.clone()) {
            return Err(format!("entry {} comes twice", entry.entry));
        }
        entries.push(entry);
        Ok(())
    })?;
    if entries.is_empty() {
        return Err(file.broken(1, "the list holds no entry"));
    }
    let generated = root.attribute("dateGenerated").get(..10).and_then(|day| day.parse().ok());
    let as_of = as_of.or(generated).ok_or_else(|| {
        file.broken(1, "the file gives no dateGenerated, and no day was given for it")
    })?;
    Ok(ListBundle::new(list, as_of, "UN Security Council consolidated list, XML", entries))
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

/// Keeps the comments, and takes a firm's IMO number out of them: the file has no field for it.
fn note(entry: &mut ListEntry, element: &Element) {
    let mut parts: Vec<String> = element
        .all("DESIGNATION")
        .flat_map(|outer| outer.children.iter().map(Element::flat))
        .collect();
    let comments = element.get("COMMENTS1");
    if entry.kind == EntryKind::Organisation {
        let numbers = company_numbers(&comments).map(|value| Identifier {
            kind: "company_imo".to_owned(),
            value: value.to_owned(),
            country: None,
        });
        entry.identifiers.extend(numbers);
    }
    parts.push(comments);
    parts.retain(|part| !part.is_empty());
    entry.note = parts.join("; ");
}

/// The seven digits after each "IMO" of a text: "IMO number: 1234567", "Company Number IMO 1234567".
fn company_numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split("IMO").skip(1).filter_map(|rest| {
        let (between, _) = rest.split_at(rest.find(|c: char| c.is_ascii_digit())?);
        let words = between.trim_matches(|c: char| !c.is_alphabetic()).to_lowercase();
        let rest = rest.get(between.len()..)?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let value = rest.get(..digits)?;
        (matches!(words.as_str(), "" | "number") && digits == 7).then_some(value)
    })
}
