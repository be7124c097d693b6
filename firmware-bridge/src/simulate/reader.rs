//! A passport reader: `<STX>row<CR>row<CR><ETX>` on a serial line.

use std::io;

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;
use tidewaiter_codec::delimited::{CR, ETX, STX, encode};
use tidewaiter_codec::mrz::{Fields, Format, MrzDate, Sex, compose};
use tidewaiter_proto::document::{Document, DocumentKind};

use super::cable::{Cable, End, silent};
use super::knobs::Line;
use super::{PlayError, Raw, Simulated};

/// The reader.
#[derive(Debug)]
pub struct Reader {
    cable: Cable,
}

impl Reader {
    /// Opens its line.
    ///
    /// # Errors
    /// When there is no such line, or something else is in its place.
    pub fn open(end: impl Into<End>) -> io::Result<Self> {
        Ok(Self { cable: Cable::lay(&end.into(), silent())? })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lay {
    document: Document,
}

impl Simulated for Reader {
    fn address(&self) -> String {
        self.cable.address()
    }

    fn play(&mut self, command: &Value) -> Result<(), PlayError> {
        let bytes = match Raw::of(command) {
            Some(bytes) => bytes?,
            None => zone(&Lay::deserialize(command)?.document)?,
        };
        self.cable.send(&bytes)
    }

    fn line(&self) -> Option<&dyn Line> {
        Some(&self.cable)
    }
}

/// What the reader sends for a document.
fn zone(document: &Document) -> Result<Vec<u8>, PlayError> {
    let (format, code) = match document.kind {
        DocumentKind::Passport => (Format::Td3, "P"),
        DocumentKind::DiplomaticPassport => (Format::Td3, "PD"),
        DocumentKind::ServicePassport => (Format::Td3, "PS"),
        DocumentKind::IdCard => (Format::Td1, "I"),
        DocumentKind::Visa => (Format::MrvA, "V"),
        kind @ (DocumentKind::SeamanBook | DocumentKind::Other) => {
            let told = format!("{kind:?} has no layout of Doc 9303 that is its own");
            return Err(PlayError::Content(told));
        }
    };
    let day = |name: &str, day: Option<Date>| {
        day.map(MrzDate::from_day)
            .ok_or_else(|| PlayError::Content(format!("the document has no {name}")))
    };
    let fields = Fields {
        format,
        document_code: code.to_owned(),
        issuer: document.issuing_state.clone(),
        surname: document.surname.clone(),
        given_names: document.given_names.clone(),
        document_number: document.number.clone(),
        nationality: document.nationality.clone().unwrap_or_default(),
        date_of_birth: day("date_of_birth", document.date_of_birth)?,
        sex: match document.sex.as_deref() {
            Some("F") => Sex::Female,
            Some("M") => Sex::Male,
            _ => Sex::Unspecified,
        },
        date_of_expiry: day("expires_on", document.expires_on)?,
        optional_data: String::new(),
    };
    let rows = compose(&fields).map_err(|error| PlayError::Content(error.to_string()))?;
    Ok(encode(Some(STX), None, &rows.join("\r"), &[CR, ETX]))
}
