//! OFAC's list in its advanced XML (`SDN_ADVANCED.XML`, `CONS_ADVANCED.XML`).
//!
//! Owns reading that file: parties, and apart from them the values, places, documents and measures
//! that they refer to by number. What the file says in words ("Passport", "Vessel Registration
//! Identification") is understood as the remarks of the CSV files are.

use std::collections::HashMap;

use jiff::civil::Date;

use super::fact;
use crate::lists::xml::{self, Element};
use crate::lists::{
    AliasQuality, BirthDate, EntryAddress, EntryKind, ListBundle, ListEntry, ListError, SourceFile,
    country,
};

/// Elements of the file that are read one by one; values before the parties that name them.
const WANTED: [&str; 16] = [
    "DateOfIssue",
    "AliasType",
    "AreaCode",
    "Country",
    "DetailReference",
    "FeatureType",
    "IDRegDocType",
    "LocPartType",
    "NamePartType",
    "PartySubType",
    "PartyType",
    "Script",
    "Location",
    "IDRegDocument",
    "DistinctParty",
    "SanctionsEntry",
];

/// Reads the file as one bundle; the day is its own unless one is given.
pub fn import(
    file: SourceFile<'_>,
    list: &str,
    as_of: Option<Date>,
) -> Result<ListBundle, ListError> {
    let mut read = Read::default();
    let mut issued = None;
    xml::read(file, "Sanctions", &WANTED, |element| {
        match element.name.as_str() {
            "DateOfIssue" => issued = date(&element),
            "Location" => {
                let place = read.place(&element);
                read.places.insert(element.attribute("ID"), place);
            }
            "IDRegDocument" => read.documents.push(element),
            "DistinctParty" => read.party(&element)?,
            "SanctionsEntry" => read.measure(&element),
            _ => {
                let key = (element.name.clone(), element.attribute("ID"));
                read.outer.insert(key.clone(), element.attribute("PartyTypeID"));
                read.values.insert(key, element.flat());
            }
        }
        Ok(())
    })?;
    read.take_documents();
    if read.entries.is_empty() {
        return Err(file.broken(1, "the list holds no party"));
    }
    let as_of = as_of.or(issued).ok_or_else(|| {
        file.broken(1, "the file gives no date of issue, and no day was given for it")
    })?;
    Ok(ListBundle::new(list, as_of, "US Treasury, OFAC, advanced XML", read.entries))
}

/// What was read so far.
#[derive(Default)]
struct Read {
    /// Words by what they are values of, and their number.
    values: HashMap<(String, String), String>,
    /// The type of party that a sub-type belongs to.
    outer: HashMap<(String, String), String>,
    places: HashMap<String, EntryAddress>,
    documents: Vec<Element>,
    entries: Vec<ListEntry>,
    /// Entries by the number of the profile, and of the identity.
    profiles: HashMap<String, usize>,
    identities: HashMap<String, usize>,
}

impl Read {
    fn value(&self, kind: &str, id: &str) -> &str {
        self.values.get(&(kind.to_owned(), id.to_owned())).map_or("", String::as_str)
    }

    fn place(&self, location: &Element) -> EntryAddress {
        let mut lines = Vec::new();
        for part in location.all("LocationPart") {
            // A part may be given in several scripts; the first is the primary one.
            let value = part.all("LocationPartValue").map(|value| value.get("Value")).next();
            lines.extend(value.filter(|line| !line.is_empty()));
        }
        let state = location
            .all("LocationCountry")
            .map(|state| self.value("Country", &state.attribute("CountryID")))
            .find(|name| !name.is_empty())
            .or_else(|| {
                let area = location.all("LocationAreaCode").next()?;
                Some(self.value("AreaCode", &area.attribute("AreaCodeID")))
            });
        EntryAddress { lines, country: state.and_then(country::code_or_text) }
    }

    fn kind(&self, profile: &Element) -> EntryKind {
        let sub_type = profile.attribute("PartySubTypeID");
        let key = ("PartySubType".to_owned(), sub_type);
        let within = self.outer.get(&key).map_or("", String::as_str);
        match (self.value("PartySubType", &key.1), self.value("PartyType", within)) {
            ("Vessel", _) => EntryKind::Vessel,
            ("Aircraft", _) => EntryKind::Aircraft,
            (_, "Individual") => EntryKind::Person,
            _ => EntryKind::Organisation,
        }
    }

    fn party(&mut self, party: &Element) -> Result<(), String> {
        let id = party.attribute("FixedRef");
        let Some(profile) = party.all("Profile").next() else {
            return Err(format!("party {id:?} has no profile"));
        };
        let mut entry = ListEntry::new(&id, self.kind(profile), "");
        let at = self.entries.len();
        for identity in profile.all("Identity") {
            self.identities.insert(identity.attribute("ID"), at);
            self.names(identity, &mut entry);
        }
        if id.is_empty() || entry.name.is_empty() {
            return Err(format!("party {id:?} needs a number and a name"));
        }
        for feature in profile.all("Feature") {
            self.feature(feature, &mut entry);
        }
        let comment = party.get("Comment");
        entry.note = comment;
        if self.profiles.insert(profile.attribute("ID"), at).is_some() {
            return Err(format!("party {id} comes twice"));
        }
        self.entries.push(entry);
        Ok(())
    }

    fn names(&self, identity: &Element, entry: &mut ListEntry) {
        let parts: HashMap<String, String> = identity
            .below("NamePartGroup")
            .into_iter()
            .map(|group| (group.attribute("ID"), group.attribute("NamePartTypeID")))
            .collect();
        for alias in identity.all("Alias") {
            for written in alias.all("DocumentedName") {
                let (mut last, mut rest) = (Vec::new(), Vec::new());
                for part in written.below("NamePartValue") {
                    let group = parts.get(&part.attribute("NamePartGroupID"));
                    let kind = group.map_or("", |kind| self.value("NamePartType", kind));
                    if kind == "Last Name" { &mut last } else { &mut rest }.push(part.flat());
                }
                let (last, rest) = (last.join(" "), rest.join(" "));
                // As the CSV files write it.
                let name = match (last.is_empty(), rest.is_empty()) {
                    (false, false) => format!("{last}, {rest}"),
                    _ => format!("{last}{rest}"),
                };
                if name.is_empty() {
                    continue;
                }
                let weak = alias.attribute("LowQuality") == "true";
                if alias.attribute("Primary") == "true" && entry.name.is_empty() {
                    entry.name = name;
                } else {
                    let quality = if weak { AliasQuality::Weak } else { AliasQuality::Strong };
                    entry.add_alias(&name, quality);
                }
            }
        }
        if entry.name.is_empty() && !entry.aliases.is_empty() {
            entry.name = entry.aliases.remove(0).name;
        }
    }

    fn feature(&self, feature: &Element, entry: &mut ListEntry) {
        let kind = self.value("FeatureType", &feature.attribute("FeatureTypeID")).to_owned();
        for version in feature.all("FeatureVersion") {
            if kind == "Birthdate" {
                entry.birth_dates.extend(version.all("DatePeriod").filter_map(period));
                continue;
            }
            for place in version.all("VersionLocation") {
                let Some(place) = self.places.get(&place.attribute("LocationID")) else { continue };
                match kind.as_str() {
                    "Location" => entry.addresses.push(place.clone()),
                    "Nationality Country" | "Citizenship Country" => {
                        add_state(entry, place.country.as_deref());
                    }
                    _ => {}
                }
            }
            for detail in version.all("VersionDetail") {
                let text = detail.flat();
                let text = if text.is_empty() {
                    let id = detail.attribute("DetailReferenceID");
                    self.value("DetailReference", &id).to_owned()
                } else {
                    text
                };
                if text.is_empty() {
                    continue;
                }
                match kind.as_str() {
                    "Nationality Country" | "Citizenship Country" => {
                        add_state(entry, country::code(&text));
                    }
                    "Vessel Call Sign" => entry.vessel.call_sign = Some(text),
                    "VESSEL TYPE" | "Vessel Type" => entry.vessel.vessel_type = Some(text),
                    "Vessel Flag" => entry.vessel.flag = Some(text),
                    "Vessel Owner" | "Vessel Owner:" => {
                        entry.vessel.owner = Some(text.clone());
                        entry.linked_to.push(text);
                    }
                    // Among them e-mail addresses, telephones, MMSI and tail numbers.
                    label => {
                        fact(entry, &format!("{} {text}", label.trim_end_matches(':')));
                    }
                }
            }
        }
    }

    fn measure(&mut self, sanctions: &Element) {
        let profile = self.profiles.get(&sanctions.attribute("ProfileID"));
        let Some(entry) = profile.and_then(|at| self.entries.get_mut(*at)) else { return };
        let programmes = sanctions.all("SanctionsMeasure").map(|measure| measure.get("Comment"));
        let programmes: Vec<String> = programmes.filter(|name| !name.is_empty()).collect();
        entry.programme = programmes.join(", ");
        let events = sanctions.all("EntryEvent").flat_map(|event| event.all("Date"));
        entry.listed_on = events.filter_map(date).min();
    }

    /// Documents stand apart from the parties, and name an identity.
    fn take_documents(&mut self) {
        for document in std::mem::take(&mut self.documents) {
            let kind = self.value("IDRegDocType", &document.attribute("IDRegDocTypeID"));
            let state = self.value("Country", &document.attribute("IssuedBy-CountryID"));
            let number = document.get("IDRegistrationNo");
            let remark = if state.is_empty() {
                format!("{kind} {number}")
            } else {
                format!("{kind} {number} ({state})")
            };
            let at = self.identities.get(&document.attribute("IdentityID")).copied();
            if let Some(entry) = at.and_then(|at| self.entries.get_mut(at))
                && !number.is_empty()
            {
                fact(entry, &remark);
            }
        }
    }
}

fn add_state(entry: &mut ListEntry, state: Option<&str>) {
    if let Some(state) = state
        && !entry.nationalities.iter().any(|known| known == state)
    {
        entry.nationalities.push(state.to_owned());
    }
}

/// A day in `Year`, `Month` and `Day`.
fn date(element: &Element) -> Option<Date> {
    let number = |name: &str| element.get(name).parse::<i16>().ok();
    let small = |name: &str| number(name).and_then(|n| i8::try_from(n).ok());
    Date::new(number("Year")?, small("Month")?, small("Day")?).ok()
}

/// From the start's earliest day to the end's latest.
fn period(period: &Element) -> Option<BirthDate> {
    let edge = |side: &str, which: &str| {
        period.all(side).next().and_then(|side| side.all(which).next().and_then(date))
    };
    let from = edge("Start", "From")?;
    let to = edge("End", "To").or_else(|| edge("Start", "To")).unwrap_or(from);
    let circa = period.all("Start").any(|start| start.attribute("Approximate") == "true");
    (from <= to).then_some(BirthDate { from, to, circa })
}

#[cfg(test)]
mod tests {
    use super::import;
    use crate::lists::{AliasQuality, EntryKind, SourceFile};

    // Written by hand after the published form; the facts are those of OFAC's entry 20520, shortened.
    const XML: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<Sanctions xmlns="https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/exports/ADVANCED_XML">
 <DateOfIssue CalendarTypeID="1"><Year>2026</Year><Month>5</Month><Day>21</Day></DateOfIssue>
 <ReferenceValueSets>
  <CountryValues><Country ID="11" ISO2="KP">Korea, North</Country></CountryValues>
  <FeatureTypeValues>
   <FeatureType ID="25">Location</FeatureType><FeatureType ID="8">Birthdate</FeatureType>
   <FeatureType ID="21">Email Address</FeatureType><FeatureType ID="10">Nationality Country</FeatureType>
  </FeatureTypeValues>
  <IDRegDocTypeValues><IDRegDocType ID="1571">Passport</IDRegDocType></IDRegDocTypeValues>
  <NamePartTypeValues><NamePartType ID="1520">Last Name</NamePartType>
   <NamePartType ID="1521">First Name</NamePartType></NamePartTypeValues>
  <PartySubTypeValues><PartySubType ID="3" PartyTypeID="2">Unknown</PartySubType>
   <PartySubType ID="4" PartyTypeID="1">Unknown</PartySubType></PartySubTypeValues>
  <PartyTypeValues><PartyType ID="1">Individual</PartyType><PartyType ID="2">Entity</PartyType></PartyTypeValues>
 </ReferenceValueSets>
 <Locations>
  <Location ID="25"><LocationCountry CountryID="11"/>
   <LocationPart LocPartTypeID="1"><LocationPartValue Primary="true"><Value>1 Long Street</Value></LocationPartValue></LocationPart></Location>
  <Location ID="26"><LocationCountry CountryID="11"/></Location>
 </Locations>
 <IDRegDocuments><IDRegDocument ID="9" IDRegDocTypeID="1571" IdentityID="77" IssuedBy-CountryID="11">
  <IDRegistrationNo>836110034</IDRegistrationNo></IDRegDocument></IDRegDocuments>
 <DistinctParties>
  <DistinctParty FixedRef="20520"><Profile ID="20520" PartySubTypeID="3">
   <Identity ID="76"><Alias Primary="true" LowQuality="false"><DocumentedName><DocumentedNamePart>
     <NamePartValue NamePartGroupID="1">AIR KORYO</NamePartValue></DocumentedNamePart></DocumentedName></Alias>
    <Alias Primary="false" LowQuality="true"><DocumentedName><DocumentedNamePart>
     <NamePartValue NamePartGroupID="1">CHOSONMINHANG</NamePartValue></DocumentedNamePart></DocumentedName></Alias></Identity>
   <Feature FeatureTypeID="25"><FeatureVersion><VersionLocation LocationID="25"/></FeatureVersion></Feature>
   <Feature FeatureTypeID="21"><FeatureVersion><VersionDetail>a@example.kp</VersionDetail></FeatureVersion></Feature>
  </Profile></DistinctParty>
  <DistinctParty FixedRef="5"><Profile ID="55" PartySubTypeID="4">
   <Identity ID="77"><Alias Primary="true"><DocumentedName>
     <DocumentedNamePart><NamePartValue NamePartGroupID="2">KIM</NamePartValue></DocumentedNamePart>
     <DocumentedNamePart><NamePartValue NamePartGroupID="3">Example</NamePartValue></DocumentedNamePart></DocumentedName></Alias>
    <NamePartGroups><MasterNamePartGroup><NamePartGroup ID="2" NamePartTypeID="1520"/></MasterNamePartGroup>
     <MasterNamePartGroup><NamePartGroup ID="3" NamePartTypeID="1521"/></MasterNamePartGroup></NamePartGroups></Identity>
   <Feature FeatureTypeID="8"><FeatureVersion><DatePeriod>
     <Start Approximate="false"><From><Year>1975</Year><Month>3</Month><Day>2</Day></From><To><Year>1975</Year><Month>3</Month><Day>2</Day></To></Start>
     <End Approximate="false"><From><Year>1975</Year><Month>3</Month><Day>2</Day></From><To><Year>1975</Year><Month>3</Month><Day>2</Day></To></End>
    </DatePeriod></FeatureVersion></Feature>
   <Feature FeatureTypeID="10"><FeatureVersion><VersionLocation LocationID="26"/></FeatureVersion></Feature>
  </Profile></DistinctParty>
 </DistinctParties>
 <SanctionsEntries><SanctionsEntry ProfileID="20520">
  <EntryEvent><Date><Year>2016</Year><Month>12</Month><Day>2</Day></Date></EntryEvent>
  <SanctionsMeasure><Comment>DPRK3</Comment></SanctionsMeasure></SanctionsEntry></SanctionsEntries>
</Sanctions>"#;

    fn file(text: &str) -> SourceFile<'_> {
        SourceFile { name: "advanced", bytes: text.as_bytes() }
    }

    #[test]
    fn parties_are_put_together_from_what_they_refer_to() {
        let bundle = import(file(XML), "ofac", None).unwrap();
        assert_eq!((bundle.as_of.to_string().as_str(), bundle.entries.len()), ("2026-05-21", 2));
        let airline = bundle.entry("20520").unwrap();
        assert_eq!((airline.kind, airline.name.as_str()), (EntryKind::Organisation, "AIR KORYO"));
        assert_eq!(airline.aliases[0].quality, AliasQuality::Weak);
        assert_eq!(airline.programme, "DPRK3");
        assert_eq!(airline.listed_on.unwrap().to_string(), "2016-12-02");
        assert_eq!(airline.addresses[0].country.as_deref(), Some("KP"));
        assert_eq!(airline.addresses[0].lines, ["1 Long Street"]);
        assert_eq!(airline.identifiers[0].kind, "email");
        let person = bundle.entry("5").unwrap();
        assert_eq!((person.kind, person.name.as_str()), (EntryKind::Person, "KIM, Example"));
        assert_eq!(person.birth_dates[0].to_string(), "1975-03-02");
        assert_eq!(person.nationalities, ["KP"]);
        let passport = &person.identifiers[0];
        assert_eq!(
            (passport.value.as_str(), passport.country.as_deref()),
            ("836110034", Some("KP"))
        );
    }

    #[test]
    fn a_file_that_breaks_off_is_refused() {
        let cut = XML.split_once("<SanctionsEntries>").unwrap().0;
        assert!(import(file(cut), "ofac", None).unwrap_err().to_string().contains("ends before"));
        let nameless = XML.replace("AIR KORYO", "").replace("CHOSONMINHANG", "");
        assert!(import(file(&nameless), "ofac", None).is_err());
    }
}
