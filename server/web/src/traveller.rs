//! Who stands at the counter, as the devices read it.

use tidewaiter_proto::body::{BoardingPassRead, Body, InspectionOpened, Leg};
use tidewaiter_proto::document::{Document, DocumentKind};
use tidewaiter_proto::movement::{Movement, PLACE_UNKNOWN};
use tidewaiter_proto::record::{Record, Source};

use crate::amended::amended;
use crate::text::Text;

/// The traveller of one inspection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traveller {
    /// The travel document read last.
    pub document: Option<ReadDocument>,
    /// The boarding pass read last.
    pub boarding_pass: Option<ReadPass>,
    /// How the inspection was opened.
    pub opened: Option<InspectionOpened>,
    /// The movement, as opened or as seen last.
    pub movement: Option<Movement>,
}

/// A document with where it was read and what its check digits say.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadDocument {
    /// As read.
    pub document: Document,
    /// Fields whose check digit agrees.
    pub agreeing: Vec<String>,
    /// Fields whose check digit does not agree.
    pub disagreeing: Vec<String>,
    /// The device, when a device read it.
    pub device: Option<String>,
    /// Number of its record.
    pub seq: u64,
    /// Whether an amendment changed it.
    pub amended: bool,
}

/// A boarding pass with where it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadPass {
    /// As read.
    pub pass: BoardingPassRead,
    /// The device, when a device read it.
    pub device: Option<String>,
    /// Number of its record.
    pub seq: u64,
    /// Whether the name on the pass begins the name in the document; `None` without both.
    pub name_agrees: Option<bool>,
}

impl Traveller {
    /// Reads the traveller among the records of one inspection.
    pub fn read(records: &[Record]) -> Self {
        let mut traveller = Self::default();
        for shown in amended(records) {
            let record = shown.record;
            let device = match &record.source {
                Source::Device(device) => Some(device.clone()),
                Source::Officer(_) | Source::Agent(_) => None,
            };
            match record.body {
                Body::InspectionOpened(opened) => {
                    traveller.movement = Some(opened.movement.clone());
                    traveller.opened = Some(opened);
                }
                Body::MovementSeen(seen) => traveller.movement = Some(seen.movement),
                Body::DocumentRead(read) => {
                    let of = |good: bool| {
                        let fields = read.checks.iter().filter(move |(_, agrees)| **agrees == good);
                        fields.map(|(field, _)| field.clone()).collect()
                    };
                    traveller.document = Some(ReadDocument {
                        agreeing: of(true),
                        disagreeing: of(false),
                        document: read.document,
                        device,
                        seq: record.seq,
                        amended: !shown.changes.is_empty(),
                    });
                }
                Body::BoardingPassRead(pass) => {
                    traveller.boarding_pass =
                        Some(ReadPass { pass, device, seq: record.seq, name_agrees: None });
                }
                _ => {}
            }
        }
        if let (Some(read), Some(pass)) = (&traveller.document, &mut traveller.boarding_pass) {
            pass.name_agrees = Some(names_agree(&read.document, &pass.pass.passenger));
        }
        traveller
    }

    /// The traveller's name, from the document, else from the boarding pass.
    pub fn name(&self) -> Option<String> {
        let from_document = self.document.as_ref().map(|read| read.document.full_name());
        from_document
            .filter(|name| !name.is_empty())
            .or_else(|| self.boarding_pass.as_ref().map(|read| read.pass.passenger.clone()))
    }

    /// The legs of the boarding pass.
    pub fn legs(&self) -> &[Leg] {
        self.boarding_pass.as_ref().map_or(&[], |read| read.pass.legs.as_slice())
    }

    /// `JS272 VVO → FNJ`: the movement in one line.
    pub fn way(&self) -> Option<String> {
        self.movement.as_ref().map(way)
    }

    /// The kind of document in words.
    pub fn document_kind(&self, text: Text) -> String {
        let code = self.document.as_ref().map_or("", |read| kind_code(read.document.kind));
        text.code("document", code).into_owned()
    }
}

/// A movement in one line: designator or vessel, from, to.
pub fn way(movement: &Movement) -> String {
    let vessel = movement.vessel.as_ref().map(|vessel| vessel.name.clone());
    let what = vessel.or_else(|| movement.designator()).or_else(|| movement.carrier.clone());
    let between: String = movement.via.iter().map(|place| format!(" → {place}")).collect();
    let route = format!("{}{between} → {}", place(&movement.from), place(&movement.to));
    what.map_or(route.clone(), |what| format!("{what} {route}"))
}

/// A place as shown: what a station writes for an end that it does not know yet is no place.
fn place(code: &str) -> &str {
    if code == PLACE_UNKNOWN { "?" } else { code }
}

/// The code of a document kind, as in records.
pub fn kind_code(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Passport => "passport",
        DocumentKind::DiplomaticPassport => "diplomatic_passport",
        DocumentKind::ServicePassport => "service_passport",
        DocumentKind::IdCard => "id_card",
        DocumentKind::SeamanBook => "seaman_book",
        DocumentKind::Visa => "visa",
        DocumentKind::Other => "other",
    }
}

/// Boarding passes cut long names and glue given names: the letters of the shorter must begin the
/// longer, surname and given names each.
fn names_agree(document: &Document, passenger: &str) -> bool {
    let (surname, given) = passenger.split_once('/').unwrap_or((passenger, ""));
    begins(&letters(surname), &letters(&document.surname))
        && begins(&letters(given), &letters(&document.given_names))
}

fn begins(one: &str, other: &str) -> bool {
    one.starts_with(other) || other.starts_with(one) || without_title(one) == other
}

fn without_title(name: &str) -> &str {
    TITLES.iter().find_map(|title| name.strip_suffix(title)).unwrap_or(name)
}

const TITLES: &[&str] = &["MR", "MRS", "MS", "MISS", "DR", "CHD", "INF"];

fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::Traveller;
    use serde_json::json;
    use tidewaiter_proto::record::Record;

    fn record(seq: u64, body: &serde_json::Value) -> Record {
        serde_json::from_value(json!({
            "station": "ruvvo/dep-07", "seq": seq, "at": "2018-11-16T03:16:00Z",
            "inspection": "a", "source": {"device": "mrz-1"}, "body": body
        }))
        .unwrap()
    }

    fn with_pass(passenger: &str) -> Traveller {
        Traveller::read(&[
            record(
                1,
                &json!({"type": "document_read", "document": {"type": "passport",
                "number": "927312345", "issuing_state": "PRK", "surname": "PAK",
                "given_names": "CHOL SU"}, "checks": {"number": true, "composite": false}}),
            ),
            record(
                2,
                &json!({"type": "boarding_pass_read", "passenger": passenger,
                "legs": [{"pnr": "A", "from": "VVO", "to": "FNJ", "carrier": "JS", "number": "272",
                    "date": "2018-11-16"}]}),
            ),
        ])
    }

    #[test]
    fn check_digits_are_told_apart_and_the_device_is_named() {
        let traveller = with_pass("PAK/CHOLSU");
        let read = traveller.document.as_ref().unwrap();
        assert_eq!(
            (read.agreeing.as_slice(), read.disagreeing.as_slice()),
            (["number".to_owned()].as_slice(), ["composite".to_owned()].as_slice())
        );
        assert_eq!(read.device.as_deref(), Some("mrz-1"));
        assert_eq!(traveller.name().as_deref(), Some("CHOL SU PAK"));
    }

    #[test]
    fn a_name_cut_glued_or_titled_on_the_pass_still_agrees_and_another_does_not() {
        for passenger in ["PAK/CHOLSU", "PAK/CHOLSUMR", "PAK/CHOL"] {
            assert_eq!(with_pass(passenger).boarding_pass.unwrap().name_agrees, Some(true));
        }
        assert_eq!(with_pass("KIM/CHOLSU").boarding_pass.unwrap().name_agrees, Some(false));
    }
}
