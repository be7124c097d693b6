//! Lists in XML: a file read element by element, only the wanted ones held.
//!
//! Owns what all publishers' XML has in common: bounds against hostile files, and the place of a
//! fault. What an element means is the importer's.

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::{ListError, SourceFile, line_at};

/// One element with its attributes, text and children; names are without their namespace.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of that name, its white space made single; empty if none.
    pub(super) fn get(&self, name: &str) -> String {
        self.all(name).next().map(Element::flat).unwrap_or_default()
    }

    /// Its own text, white space made single.
    pub(super) fn flat(&self) -> String {
        single_spaces(&self.text)
    }

    /// An attribute, white space made single; empty if none.
    pub(super) fn attribute(&self, name: &str) -> String {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| single_spaces(value)).unwrap_or_default()
    }

    /// Every element of that name below it, whatever the depth.
    pub(super) fn below<'a>(&'a self, name: &'a str) -> Vec<&'a Element> {
        let mut found = Vec::new();
        for child in &self.children {
            if child.name == name {
                found.push(child);
            }
            found.extend(child.below(name));
        }
        found
    }
}

fn single_spaces(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Deeper than any real file; a bound on what a hostile one can make us hold.
const DEEPEST: usize = 24;

/// Reads a file whose root is `root`, and gives each outermost element of the `wanted` names to
/// `each`, in order; its complaint becomes an error with the line. Gives the root's attributes.
pub(super) fn read(
    file: SourceFile<'_>,
    root: &str,
    wanted: &[&str],
    mut each: impl FnMut(Element) -> Result<(), String>,
) -> Result<Element, ListError> {
    let mut reader = Reader::from_str(file.text()?);
    let mut whole: Option<Element> = None;
    let mut depth = 0_usize;
    // The wanted element that is open, and those open within it.
    let mut open: Vec<Element> = Vec::new();
    let mut closed = false;
    loop {
        let read = reader.read_event();
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let broken =
            |what: String| file.broken(line_at(file.bytes.get(..at).unwrap_or(file.bytes)), what);
        match read.map_err(|error| broken(error.to_string()))? {
            Event::Start(start) => {
                let element = started(&start);
                if whole.is_none() {
                    if element.name != root {
                        let what = format!("<{}> where a list begins with <{root}>", element.name);
                        return Err(broken(what));
                    }
                    whole = Some(element);
                } else if !open.is_empty() || wanted.contains(&element.name.as_str()) {
                    open.push(element);
                }
                depth += 1;
                if depth > DEEPEST {
                    return Err(broken("elements nest too deep".to_owned()));
                }
            }
            Event::Empty(start) => {
                let element = started(&start);
                if let Some(parent) = open.last_mut() {
                    parent.children.push(element);
                } else if wanted.contains(&element.name.as_str()) {
                    each(element).map_err(broken)?;
                }
            }
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                closed |= depth == 0;
                if let Some(done) = open.pop() {
                    match open.last_mut() {
                        Some(parent) => parent.children.push(done),
                        None => each(done).map_err(broken)?,
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
            // Nothing that defines entities of its own is a publisher's file.
            Event::DocType(_) => return Err(broken("a document type is not read".to_owned())),
            Event::Eof => break,
            _ => {}
        }
    }
    match whole {
        Some(whole) if closed => Ok(whole),
        _ => {
            let last = line_at(file.bytes);
            Err(file.broken(last, format!("the file ends before </{root}>")))
        }
    }
}

fn started(start: &BytesStart<'_>) -> Element {
    let local = |name: &str| name.rsplit(':').next().unwrap_or(name).to_owned();
    let attributes = start
        .attributes()
        .flatten()
        .map(|attribute| (local(attribute.key.as_ref()), unescaped(&attribute.value)))
        .collect();
    Element { name: local(start.name().as_ref()), attributes, ..Element::default() }
}

/// An attribute's value with its references resolved.
fn unescaped(value: &str) -> String {
    let mut parts = value.split('&');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(';') {
            Some((name, rest)) => {
                out.push_str(&resolve(name));
                out.push_str(rest);
            }
            None => out.push_str(part),
        }
    }
    out
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
