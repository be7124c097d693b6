//! PAXLST: the list of passengers or crew that a carrier sends before arrival (UN/EDIFACT D:05B).
//!
//! Separators are those of UNA, else the standard's. Counts and references are checked: a list
//! that says it has more people than it lists is refused whole.

use crate::stream::ToJson;
use serde_json::{Map, Value, json};

/// A list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    /// Who is on it.
    pub kind: Kind,
    /// Flight designator, as given.
    pub flight: String,
    /// Departure, IATA.
    pub from: String,
    /// Arrival, IATA.
    pub to: String,
    /// The people, in order.
    pub persons: Vec<Person>,
}

/// Who is on a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// Passengers (BGM 745).
    #[default]
    Passengers,
    /// Crew (BGM 250).
    Crew,
    /// Another list, by its code.
    Other(u16),
}

/// One person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// NAD+FM, else NAD+FL.
    pub is_crew: bool,
    /// Family name.
    pub surname: String,
    /// Given names, spaces between.
    pub given_names: String,
    /// Date of birth, YYMMDD as given.
    pub date_of_birth: String,
    /// ICAO three-letter code.
    pub nationality: String,
    /// Kind and number of the document.
    pub document: Option<(String, String)>,
}

/// Why a text is no list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaxlstError {
    /// No PAXLST message, or segments that are none.
    #[error("not a PAXLST message: {0}")]
    Syntax(&'static str),
    /// CNT declares another number of people.
    #[error("{declared} people are declared, {actual} listed")]
    People {
        /// In CNT.
        declared: usize,
        /// Listed.
        actual: usize,
    },
    /// UNT declares another number of segments.
    #[error("{declared} segments are declared, {actual} given")]
    Segments {
        /// In UNT.
        declared: usize,
        /// Given.
        actual: usize,
    },
    /// The references at the beginning and the end differ.
    #[error("{begin} and {end} have different references")]
    Reference {
        /// `UNH` or `UNB`.
        begin: &'static str,
        /// `UNT` or `UNZ`.
        end: &'static str,
    },
}

/// Elements of components.
type Segment = Vec<Vec<String>>;

/// Reads an interchange with one message.
///
/// # Errors
/// [`PaxlstError`]; nothing of such a list is used.
pub fn parse(text: &str) -> Result<List, PaxlstError> {
    let segments = segments(text)?;
    references(&segments, "UNB", 5, "UNZ", 2)?;
    references(&segments, "UNH", 1, "UNT", 2)?;
    let begin = place(&segments, "UNH").ok_or(PaxlstError::Syntax("no UNH"))?;
    let end = place(&segments, "UNT").ok_or(PaxlstError::Syntax("no UNT"))?;
    let message = segments.get(begin..=end).ok_or(PaxlstError::Syntax("UNT before UNH"))?;
    if message.first().map(|head| component(head, 2, 0)) != Some("PAXLST") {
        return Err(PaxlstError::Syntax("not PAXLST"));
    }
    let declared = message.last().and_then(|last| count(last, 1, 0));
    match declared {
        Some(declared) if declared == message.len() => {}
        Some(declared) => {
            return Err(PaxlstError::Segments { declared, actual: message.len() });
        }
        None => return Err(PaxlstError::Syntax("UNT without a count")),
    }
    let mut list = List::default();
    let mut declared = None;
    for segment in message {
        read(segment, &mut list, &mut declared);
    }
    let actual = list.persons.len();
    match declared {
        Some(declared) if declared != actual => Err(PaxlstError::People { declared, actual }),
        _ => Ok(list),
    }
}

fn read(segment: &Segment, list: &mut List, declared: &mut Option<usize>) {
    let given = |element, part| component(segment, element, part).to_owned();
    match (component(segment, 0, 0), component(segment, 1, 0)) {
        ("BGM", "745") => list.kind = Kind::Passengers,
        ("BGM", "250") => list.kind = Kind::Crew,
        ("BGM", other) => list.kind = Kind::Other(other.parse().unwrap_or_default()),
        ("TDT", "20") => list.flight = given(2, 0),
        // Once a person is named, places are theirs.
        ("LOC", "125") if list.persons.is_empty() => list.from = given(2, 0),
        ("LOC", "87") if list.persons.is_empty() => list.to = given(2, 0),
        ("NAD", role @ ("FL" | "FM")) => {
            let names = segment.get(4).map(Vec::as_slice).unwrap_or_default();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let (surname, given) = names.split_first().unwrap_or((&"", &[]));
            let given: Vec<&str> = given.iter().copied().filter(|name| !name.is_empty()).collect();
            list.persons.push(Person {
                is_crew: role == "FM",
                surname: (*surname).to_owned(),
                given_names: given.join(" "),
                ..Person::default()
            });
        }
        ("CNT", "42" | "41") => *declared = declared.or(count(segment, 1, 1)),
        (tag, code) => {
            let Some(person) = list.persons.last_mut() else { return };
            match (tag, code) {
                ("DTM", "329") => person.date_of_birth = given(1, 1),
                ("NAT", _) => person.nationality = given(2, 0),
                ("DOC", kind) if person.document.is_none() => {
                    person.document = Some((kind.to_owned(), given(2, 0)));
                }
                _ => {}
            }
        }
    }
}

fn references(
    segments: &[Segment],
    begin: &'static str,
    begin_at: usize,
    end: &'static str,
    end_at: usize,
) -> Result<(), PaxlstError> {
    let find = |tag: &str| segments.iter().find(|segment| component(segment, 0, 0) == tag);
    match (find(begin), find(end)) {
        (Some(first), Some(last))
            if component(first, begin_at, 0) == component(last, end_at, 0) =>
        {
            Ok(())
        }
        // An envelope may be missing where the message came by itself.
        (None, None) => Ok(()),
        _ => Err(PaxlstError::Reference { begin, end }),
    }
}

fn place(segments: &[Segment], tag: &str) -> Option<usize> {
    segments.iter().position(|segment| component(segment, 0, 0) == tag)
}

fn component(segment: &Segment, element: usize, part: usize) -> &str {
    segment.get(element).and_then(|parts| parts.get(part)).map_or("", String::as_str)
}

fn count(segment: &Segment, element: usize, part: usize) -> Option<usize> {
    component(segment, element, part).parse().ok()
}

/// Splits the text at its separators, a released one excepted.
fn segments(text: &str) -> Result<Vec<Segment>, PaxlstError> {
    let text = text.trim_start();
    let (marks, text) = match text.strip_prefix("UNA") {
        Some(rest) => {
            let marks: Vec<char> = rest.chars().take(6).collect();
            let length = marks.iter().map(|mark| mark.len_utf8()).sum();
            let [parts, elements, _, release, _, end] = *marks.as_slice() else {
                return Err(PaxlstError::Syntax("UNA is cut off"));
            };
            ((parts, elements, release, end), rest.get(length..).unwrap_or_default())
        }
        None => ((':', '+', '?', '\''), text),
    };
    let (parts, elements, release, end) = marks;
    let mut segments = Vec::new();
    let mut segment: Segment = vec![vec![String::new()]];
    let mut released = false;
    for letter in text.chars() {
        let element = segment.last_mut().filter(|_| !released);
        match element {
            Some(_) if letter == release && release != ' ' => released = true,
            Some(element) if letter == parts => element.push(String::new()),
            Some(_) if letter == elements => segment.push(vec![String::new()]),
            Some(_) if letter == end => {
                segments.push(std::mem::replace(&mut segment, vec![vec![String::new()]]));
            }
            Some(_) if letter == '\r' || letter == '\n' => {}
            _ => {
                released = false;
                if let Some(part) = segment.last_mut().and_then(|element| element.last_mut()) {
                    part.push(letter);
                }
            }
        }
    }
    let rest = segment.iter().flatten().any(|part| !part.trim().is_empty());
    if rest { Err(PaxlstError::Syntax("the last segment is cut off")) } else { Ok(segments) }
}

impl ToJson for List {
    fn to_json(&self) -> Value {
        let kind = match self.kind {
            Kind::Passengers => json!("passenger_list"),
            Kind::Crew => json!("crew_list"),
            Kind::Other(code) => json!(format!("list_{code}")),
        };
        let persons: Vec<Value> = self.persons.iter().map(ToJson::to_json).collect();
        json!({
            "kind": kind, "flight": self.flight, "from": self.from, "to": self.to,
            "persons": persons,
        })
    }
}

impl ToJson for Person {
    fn to_json(&self) -> Value {
        let mut out = Map::new();
        let role = if self.is_crew { "crew" } else { "passenger" };
        for (name, value) in [
            ("role", role),
            ("surname", self.surname.as_str()),
            ("given", self.given_names.as_str()),
            ("dob", self.date_of_birth.as_str()),
            ("nationality", self.nationality.as_str()),
        ] {
            out.insert(name.into(), json!(value));
        }
        if let Some((kind, number)) = &self.document {
            out.insert("document".into(), json!([kind, number]));
        }
        Value::Object(out)
    }
}

impl ToJson for PaxlstError {
    fn to_json(&self) -> Value {
        match self {
            Self::Syntax(_) => json!({"error": "bad_syntax"}),
            Self::People { declared, actual } => {
                json!({"error": "cnt_mismatch", "declared": declared, "actual": actual})
            }
            Self::Segments { declared, actual } => {
                json!({"error": "unt_mismatch", "declared": declared, "actual": actual})
            }
            Self::Reference { begin: "UNB", .. } => json!({"error": "unz_reference"}),
            Self::Reference { .. } => json!({"error": "unt_reference"}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PaxlstError, parse};
    use proptest::prelude::*;

    fn list(people: usize, segments: usize, reference: &str) -> String {
        format!(
            "UNH+R+PAXLST:D:05B:UN'BGM+745'TDT+20+ZZ1'NAD+FL+++O?'NEIL:A?+B'CNT+42:{people}'UNT+{segments}+{reference}'"
        )
    }

    #[test]
    fn released_separators_are_letters_and_counts_are_checked() {
        let read = parse(&list(1, 6, "R")).unwrap();
        assert_eq!(
            (read.persons[0].surname.as_str(), read.persons[0].given_names.as_str()),
            ("O'NEIL", "A+B")
        );
        assert_eq!(parse(&list(2, 6, "R")), Err(PaxlstError::People { declared: 2, actual: 1 }));
        assert_eq!(parse(&list(1, 7, "R")), Err(PaxlstError::Segments { declared: 7, actual: 6 }));
        assert!(matches!(parse(&list(1, 6, "S")), Err(PaxlstError::Reference { .. })));
        assert!(matches!(parse("UNH+R+PAXLST"), Err(PaxlstError::Syntax(_))));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(UNA.{0,6})?([A-Z]{3}[+:'?A-Z0-9]{0,20}'){0,8}.{0,20}") {
            let _read = parse(&text);
        }
    }
}
