//! The European Union's consolidated list of financial sanctions, as XML and as CSV (both 1.1).
//!
//! Owns reading both files: the same facts, in the XML as attributes, in the CSV as one row for each
//! name, address, birth date or number of an entity. An entry's id is the EU reference number
//! (`EU.27.28`).

use std::collections::HashMap;

use jiff::civil::Date;

use super::plain::csv_error;
use super::xml::{self, Element};
use super::{
    AliasQuality, BirthDate, EntryAddress, EntryKind, Identifier, ListBundle, ListEntry, ListError,
    SourceFile, country,
};

/// Reads the XML file (`<export>` of `<sanctionEntity>`); the day is its own unless one is given.
pub fn import_xml(
    file: SourceFile<'_>,
    list: &str,
    as_of: Option<Date>,
) -> Result<ListBundle, ListError> {
    let mut entities = Entities::default();
    let root = xml::read(file, "export", &["sanctionEntity"], |element| {
        let fact = |name: &str| element.attribute(name);
        let at = entities.start(&fact("euReferenceNumber"), &fact("logicalId"))?;
        let Some(entity) = entities.all.get_mut(at) else { return Ok(()) };
        if entity.seen {
            return Err(format!("entity {} comes twice", entity.entry.entry));
        }
        entity.seen = true;
        entity.designated(&fact("designationDate"));
        entity.add_note(&element.get("remark"));
        for part in &element.children {
            entity.add_element(part);
        }
        Ok(())
    })?;
    let own = root.attribute("generationDate");
    entities.bundle(file, list, as_of.or_else(|| own.get(..10)?.parse().ok()), "XML")
}

/// Reads the CSV file, its columns separated by `;`; the day is its own unless one is given.
pub fn import_csv(
    file: SourceFile<'_>,
    list: &str,
    as_of: Option<Date>,
) -> Result<ListBundle, ListError> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b';')
        .flexible(true)
        .from_reader(file.text()?.as_bytes());
    let header = reader.headers().map_err(|error| csv_error(file, &error))?.clone();
    let places: HashMap<&str, usize> = header.iter().map(str::trim).zip(0..).collect();
    for column in ["Entity_LogicalId", "NameAlias_WholeName"] {
        if !places.contains_key(column) {
            return Err(file.broken(1, format!("the header has no column {column:?}")));
        }
    }
    let mut entities = Entities::default();
    let mut generated = None;
    for row in reader.records() {
        let row = row.map_err(|error| csv_error(file, &error))?;
        let line = row.position().map_or(0, csv::Position::line);
        if row.len() + 1 < header.len() {
            let what = format!("{} columns where the first line has {}", row.len(), header.len());
            return Err(file.broken(line, what));
        }
        let cell = |name: &str| places.get(name).and_then(|at| row.get(*at)).unwrap_or("").trim();
        generated = generated.or_else(|| file_day(cell("fileGenerationDate")));
        let at = entities
            .start(cell("Entity_EU_ReferenceNumber"), cell("Entity_LogicalId"))
            .map_err(|what| file.broken(line, what))?;
        if let Some(entity) = entities.all.get_mut(at) {
            entity.add_row(&cell);
        }
    }
    entities.bundle(file, list, as_of.or(generated), "CSV")
}

/// The CSV writes its own day as `05/08/2026`, older ones as `2026-08-05`.
fn file_day(cell: &str) -> Option<Date> {
    cell.get(..10)?.parse().ok().or_else(|| Date::strptime("%d/%m/%Y", cell.get(..10)?).ok())
}

/// The entities of a file, in its order.
#[derive(Default)]
struct Entities {
    all: Vec<Entity>,
    places: HashMap<String, usize>,
}

struct Entity {
    entry: ListEntry,
    seen: bool,
}

impl Entities {
    /// The place of an entity, a new one where it was not met before.
    fn start(&mut self, reference: &str, logical: &str) -> Result<usize, String> {
        let id = if reference.is_empty() { logical } else { reference };
        if id.is_empty() {
            return Err("an entity has neither a reference number nor an id".to_owned());
        }
        if let Some(at) = self.places.get(id) {
            return Ok(*at);
        }
        self.places.insert(id.to_owned(), self.all.len());
        self.all
            .push(Entity { entry: ListEntry::new(id, EntryKind::Organisation, ""), seen: false });
        Ok(self.all.len() - 1)
    }

    fn bundle(
        self,
        file: SourceFile<'_>,
        list: &str,
        as_of: Option<Date>,
        form: &str,
    ) -> Result<ListBundle, ListError> {
        let entries: Vec<ListEntry> = self.all.into_iter().map(|entity| entity.entry).collect();
        if let Some(nameless) = entries.iter().find(|entry| entry.name.is_empty()) {
            return Err(file.broken(1, format!("entity {} has no name", nameless.entry)));
        }
        if entries.is_empty() {
            return Err(file.broken(1, "the list holds no entity"));
        }
        let as_of = as_of.ok_or_else(|| {
            file.broken(1, "the file does not say of which day it is, and no day was given for it")
        })?;
        let source = format!("European Union, consolidated financial sanctions list, {form}");
        Ok(ListBundle::new(list, as_of, source, entries))
    }
}

impl Entity {
    fn add_element(&mut self, part: &Element) {
        let fact = |name: &str| part.attribute(name);
        match part.name.as_str() {
            "subjectType" => self.set_kind(&[fact("code"), fact("classificationCode")]),
            "regulation" => self.set_programme(&fact("programme"), &fact("numberTitle")),
            "nameAlias" => {
                let parts = [fact("firstName"), fact("middleName"), fact("lastName")];
                self.add_name(&fact("wholeName"), &parts, fact("strong") == "false");
                self.add_note(&fact("function"));
            }
            "citizenship" => self.add_nationality(&fact("countryIso2Code")),
            "birthdate" => {
                let span = [fact("yearRangeFrom"), fact("yearRangeTo")];
                self.add_birth(&fact("birthdate"), &fact("year"), &span, fact("circa") == "true");
            }
            "address" => {
                let lines = ["street", "poBox", "zipCode", "city", "region", "place"].map(fact);
                self.add_address(&lines, &fact("countryIso2Code"));
                for contact in part.all("contactInfo") {
                    let kind = contact.attribute("key").to_lowercase();
                    self.add_number(&kind, &contact.attribute("value"), "");
                }
            }
            "identification" => {
                let number = [fact("number"), fact("latinNumber")];
                let number = number.iter().find(|number| !number.is_empty());
                let kind = fact("identificationTypeCode");
                self.add_number(&kind, number.map_or("", |n| n), &fact("countryIso2Code"));
            }
            _ => {}
        }
    }

    fn add_row<'a>(&mut self, cell: &impl Fn(&str) -> &'a str) {
        let own = |name: &str| cell(name).to_owned();
        self.designated(cell("Entity_DesignationDate"));
        self.set_kind(&[own("Entity_SubjectType"), own("Entity_SubjectType_ClassificationCode")]);
        self.set_programme(
            cell("Entity_Regulation_Programme"),
            cell("Entity_Regulation_NumberTitle"),
        );
        self.add_note(cell("Entity_Remark"));
        let parts = ["NameAlias_FirstName", "NameAlias_MiddleName", "NameAlias_LastName"].map(own);
        self.add_name(cell("NameAlias_WholeName"), &parts, cell("NameAlias_Strong") == "false");
        self.add_note(cell("NameAlias_Function"));
        self.add_nationality(cell("Citizenship_CountryIso2Code"));
        let span = ["BirthDate_YearRangeFrom", "BirthDate_YearRangeTo"].map(own);
        let circa = cell("BirthDate_Circa").eq_ignore_ascii_case("true");
        self.add_birth(cell("BirthDate_BirthDate"), cell("BirthDate_Year"), &span, circa);
        let lines = ["Street", "PoBox", "ZipCode", "City", "Region", "Place"]
            .map(|part| own(&format!("Address_{part}")));
        self.add_address(&lines, cell("Address_CountryIso2Code"));
        self.add_number(
            cell("Identification_TypeCode"),
            cell("Identification_Number"),
            cell("Identification_CountryIso2Code"),
        );
    }

    fn set_kind(&mut self, words: &[String]) {
        if words.iter().any(|word| word.eq_ignore_ascii_case("person") || word == "P") {
            self.entry.kind = EntryKind::Person;
        }
    }

    fn set_programme(&mut self, programme: &str, title: &str) {
        if self.entry.programme.is_empty() {
            let parts = [programme, title];
            let said: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            self.entry.programme = said.join(", ");
        }
    }

    fn designated(&mut self, day: &str) {
        if self.entry.listed_on.is_none() {
            self.entry.listed_on = file_day(day);
        }
    }

    fn add_name(&mut self, whole: &str, parts: &[String; 3], weak: bool) {
        let joined = parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>();
        let name = if whole.is_empty() { joined.join(" ") } else { whole.to_owned() };
        if name.is_empty() {
            return;
        }
        if self.entry.name.is_empty() {
            self.entry.name = name;
        } else {
            let quality = if weak { AliasQuality::Weak } else { AliasQuality::Strong };
            self.entry.add_alias(&name, quality);
        }
    }

    fn add_nationality(&mut self, code: &str) {
        if let Some(state) = country::code_or_text(code).filter(|state| state != "00")
            && !self.entry.nationalities.contains(&state)
        {
            self.entry.nationalities.push(state);
        }
    }

    fn add_birth(&mut self, day: &str, year: &str, span: &[String; 2], circa: bool) {
        let text = match (day.is_empty(), &span[0], &span[1]) {
            (false, ..) => day.to_owned(),
            (true, from, to) if !from.is_empty() && !to.is_empty() => format!("{from} to {to}"),
            _ => year.to_owned(),
        };
        let read = BirthDate::parse(&text).ok();
        if let Some(date) = read.map(|date| BirthDate { circa: circa || date.circa, ..date })
            && !self.entry.birth_dates.contains(&date)
        {
            self.entry.birth_dates.push(date);
        }
    }

    fn add_address(&mut self, lines: &[String], code: &str) {
        let lines: Vec<String> = lines.iter().filter(|line| !line.is_empty()).cloned().collect();
        let state = country::code_or_text(code).filter(|state| state != "00");
        let address = EntryAddress { lines, country: state };
        if address != EntryAddress::default() && !self.entry.addresses.contains(&address) {
            self.entry.addresses.push(address);
        }
    }

    fn add_number(&mut self, code: &str, value: &str, state: &str) {
        let kind = match code.to_lowercase().as_str() {
            "passport" => "passport",
            "id" | "ssn" => "national_id",
            "regnumber" | "tradelic" => "registration",
            "fiscalcode" => "tax",
            "swiftbic" => "swift",
            "imo" => "imo",
            "phone" | "fax" => "phone",
            "email" => "email",
            "web" | "website" => "website",
            _ => "other",
        };
        let number = Identifier {
            kind: kind.to_owned(),
            value: value.trim().to_owned(),
            country: country::code(state).map(str::to_owned),
        };
        if !number.value.is_empty() && !self.entry.identifiers.contains(&number) {
            self.entry.identifiers.push(number);
        }
    }

    fn add_note(&mut self, text: &str) {
        let text = text.trim();
        if text.is_empty() || self.entry.note.contains(text) {
            return;
        }
        if !self.entry.note.is_empty() {
            self.entry.note.push_str("; ");
        }
        self.entry.note.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::{import_csv, import_xml};
    use crate::lists::{AliasQuality, EntryKind, ListBundle, SourceFile};

    // Written by hand after the published form; the names are of no list.
    const XML: &str = r#"<?xml version="1.0"?>
<export xmlns="http://eu.europa.ec/fpi/fsd/export" generationDate="2026-08-05T16:47:04+02:00">
 <sanctionEntity designationDate="2017-10-16" euReferenceNumber="EU.1.2" logicalId="7">
  <remark>Example &amp; test</remark>
  <regulation programme="PRK" numberTitle="2017/1509 (OJ L224)"/>
  <subjectType code="person" classificationCode="P"/>
  <nameAlias wholeName="Example Person" strong="true"/>
  <nameAlias firstName="Example" lastName="Other" wholeName="" strong="false"/>
  <birthdate birthdate="1957-01-02" year="1957" circa="false"/>
  <citizenship countryIso2Code="KP"/>
  <address street="1 Long Street" city="Pyongyang" countryIso2Code="KP">
   <contactInfo key="PHONE" value="850 2 381 8022"/></address>
  <identification identificationTypeCode="passport" number="836110034" countryIso2Code="KP"/>
 </sanctionEntity>
 <sanctionEntity euReferenceNumber="EU.1.3" logicalId="8">
  <subjectType code="enterprise" classificationCode="E"/>
  <nameAlias wholeName="Example &quot;Trading&quot; LLC"/>
 </sanctionEntity>
</export>"#;

    const CSV: &str = "\
fileGenerationDate;Entity_LogicalId;Entity_EU_ReferenceNumber;Entity_DesignationDate;\
Entity_SubjectType;Entity_Regulation_Programme;Entity_Regulation_NumberTitle;NameAlias_WholeName;\
NameAlias_FirstName;NameAlias_LastName;BirthDate_BirthDate;Citizenship_CountryIso2Code;\
Address_Street;Address_City;Address_CountryIso2Code;Identification_TypeCode;Identification_Number;\
Identification_CountryIso2Code
05/08/2026;7;EU.1.2;2017-10-16;P;PRK;2017/1509 (OJ L224);Example Person;;;;;;;;;;
05/08/2026;7;EU.1.2;2017-10-16;P;PRK;2017/1509 (OJ L224);;Example;Other;;;;;;;;
05/08/2026;7;EU.1.2;2017-10-16;P;PRK;2017/1509 (OJ L224);;;;1957-01-02;KP;;;;;;
05/08/2026;7;EU.1.2;2017-10-16;P;PRK;2017/1509 (OJ L224);;;;;;1 Long Street;Pyongyang;KP;;;
05/08/2026;7;EU.1.2;2017-10-16;P;PRK;2017/1509 (OJ L224);;;;;;;;;passport;836110034;KP
05/08/2026;8;EU.1.3;;E;;;\"Example \"\"Trading\"\" LLC\";;;;;;;;;;
";

    fn file(text: &str) -> SourceFile<'_> {
        SourceFile { name: "eu", bytes: text.as_bytes() }
    }

    fn check(bundle: &ListBundle) {
        assert_eq!((bundle.as_of.to_string().as_str(), bundle.entries.len()), ("2026-08-05", 2));
        let person = bundle.entry("EU.1.2").unwrap();
        assert_eq!((person.kind, person.name.as_str()), (EntryKind::Person, "Example Person"));
        assert_eq!(person.aliases[0].name, "Example Other");
        assert_eq!(person.programme, "PRK, 2017/1509 (OJ L224)");
        assert_eq!(person.listed_on.unwrap().to_string(), "2017-10-16");
        assert_eq!(person.birth_dates[0].to_string(), "1957-01-02");
        assert_eq!(person.nationalities, ["KP"]);
        assert_eq!(person.addresses[0].lines, ["1 Long Street", "Pyongyang"]);
        let passport = &person.identifiers.iter().find(|i| i.kind == "passport").unwrap();
        assert_eq!(
            (passport.value.as_str(), passport.country.as_deref()),
            ("836110034", Some("KP"))
        );
        let firm = bundle.entry("EU.1.3").unwrap();
        assert_eq!(
            (firm.kind, firm.name.as_str()),
            (EntryKind::Organisation, "Example \"Trading\" LLC")
        );
    }

    #[test]
    fn both_files_say_the_same() {
        let xml = import_xml(file(XML), "eu", None).unwrap();
        check(&xml);
        assert_eq!(xml.entries[0].aliases[0].quality, AliasQuality::Weak);
        assert_eq!(xml.entries[0].note, "Example & test");
        assert!(xml.entries[0].identifiers.iter().any(|i| i.kind == "phone"));
        check(&import_csv(file(CSV), "eu", None).unwrap());
    }

    #[test]
    fn broken_files_are_refused_and_say_where() {
        let cut = XML.split_once("<subjectType").unwrap().0;
        let error = import_xml(file(cut), "eu", None).unwrap_err().to_string();
        assert!(error.contains("eu, line") && error.contains("ends before"), "{error}");
        assert!(import_xml(file(XML.get(..XML.len() / 2).unwrap()), "eu", None).is_err());
        let bomb = format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{}", XML.split_once('\n').unwrap().1);
        assert!(import_xml(file(&bomb), "eu", None).is_err());
        let nameless = XML.replace("wholeName=\"Example &quot;Trading&quot; LLC\"", "");
        let error = import_xml(file(&nameless), "eu", None).unwrap_err().to_string();
        assert!(error.contains("EU.1.3 has no name"), "{error}");
        let short = CSV.replace(";E;;;", ";E;");
        let cut = short.rsplit_once("LLC").unwrap().0;
        assert!(import_csv(file(cut), "eu", None).is_err());
        assert!(import_csv(file("a;b\n1;2\n"), "eu", None).is_err());
        assert!(import_csv(file("<html>busy</html>"), "eu", None).is_err());
    }
}
