//! Writes a boarding pass from its fields: what a simulated scanner sends.
//!
//! Owns padding and sizes. It refuses what does not fit its field.

use super::{BoardingPass, Leg, Security};

/// Why a pass cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// A value is longer than its field or not ASCII.
    #[error("{field} {value:?} does not fit {width} ASCII characters")]
    DoesNotFit {
        /// Which field.
        field: &'static str,
        /// Its value.
        value: String,
        /// Characters the field has.
        width: usize,
    },
    /// No leg, or more than four.
    #[error("{legs} legs, a pass has 1 to 4")]
    BadLegCount {
        /// How many were given.
        legs: usize,
    },
    /// A section longer than its two hexadecimal digits can say.
    #[error("{field} of {length} characters is longer than 255")]
    TooLong {
        /// Which section.
        field: &'static str,
        /// Its characters.
        length: usize,
    },
}

/// The text of the pass. Conditional items are written when `version` is set: the unique ones
/// with as many bag tags as there are, the repeated ones in each leg.
pub fn compose(pass: &BoardingPass) -> Result<String, ComposeError> {
    let legs = pass.legs.len();
    if !(1..=4).contains(&legs) {
        return Err(ComposeError::BadLegCount { legs });
    }
    let mut out = format!("M{legs}");
    left(&mut out, "passenger", &pass.passenger, 20)?;
    left(&mut out, "eticket", &pass.eticket, 1)?;
    for (index, leg) in pass.legs.iter().enumerate() {
        mandatory(&mut out, leg)?;
        let mut section = String::new();
        if !pass.version.is_empty() {
            if index == 0 {
                section.push('>');
                left(&mut section, "version", &pass.version, 1)?;
                sized(&mut section, "unique items", &unique(pass)?)?;
            }
            sized(&mut section, "repeated items", &repeated(leg, &pass.version)?)?;
        }
        section.push_str(&leg.airline_use);
        sized(&mut out, "conditional items", &section)?;
    }
    if let Some(Security { kind, data }) = &pass.security {
        out.push('^');
        left(&mut out, "security type", kind, 1)?;
        sized(&mut out, "security data", data)?;
    }
    Ok(out)
}

fn mandatory(out: &mut String, leg: &Leg) -> Result<(), ComposeError> {
    left(out, "pnr", &leg.pnr, 7)?;
    left(out, "origin", &leg.origin, 3)?;
    left(out, "destination", &leg.destination, 3)?;
    left(out, "carrier", &leg.carrier, 3)?;
    left(out, "flight", &leg.flight, 5)?;
    left(out, "day", &format!("{:03}", leg.day), 3)?;
    left(out, "cabin", &leg.cabin, 1)?;
    left(out, "seat", &leg.seat, 4)?;
    left(out, "sequence", &leg.sequence, 5)?;
    left(out, "status", &leg.status, 1)
}

fn unique(pass: &BoardingPass) -> Result<String, ComposeError> {
    let mut out = String::new();
    left(&mut out, "passenger description", &pass.passenger_description, 1)?;
    left(&mut out, "check-in source", &pass.checkin_source, 1)?;
    left(&mut out, "issuance source", &pass.issuance_source, 1)?;
    left(&mut out, "issued", &pass.issued, 4)?;
    left(&mut out, "document type", &pass.document_type, 1)?;
    left(&mut out, "issuer", &pass.issuer, 3)?;
    if pass.bag_tags.len() > 3 {
        let (field, value) = ("bag tags", pass.bag_tags.join(" "));
        return Err(ComposeError::DoesNotFit { field, value, width: 39 });
    }
    for tag in &pass.bag_tags {
        left(&mut out, "bag tag", tag, 13)?;
    }
    Ok(out)
}

fn repeated(leg: &Leg, version: &str) -> Result<String, ComposeError> {
    let mut out = String::new();
    left(&mut out, "airline numeric", &leg.airline_numeric, 3)?;
    left(&mut out, "serial", &leg.serial, 10)?;
    left(&mut out, "selectee", &leg.selectee, 1)?;
    left(&mut out, "document verification", &leg.document_verification, 1)?;
    left(&mut out, "marketing carrier", &leg.marketing_carrier, 3)?;
    left(&mut out, "frequent flyer airline", &leg.frequent_flyer_airline, 3)?;
    left(&mut out, "frequent flyer number", &leg.frequent_flyer_number, 16)?;
    left(&mut out, "id/ad", &leg.id_ad, 1)?;
    left(&mut out, "free baggage", &leg.free_baggage, 3)?;
    if version >= "5" {
        left(&mut out, "fast track", &leg.fast_track, 1)?;
    }
    Ok(out)
}

fn left(
    out: &mut String,
    field: &'static str,
    value: &str,
    width: usize,
) -> Result<(), ComposeError> {
    if !value.is_ascii() || value.len() > width {
        return Err(ComposeError::DoesNotFit { field, value: value.to_owned(), width });
    }
    out.push_str(&format!("{value:<width$}"));
    Ok(())
}

fn sized(out: &mut String, field: &'static str, section: &str) -> Result<(), ComposeError> {
    let length = section.len();
    if length > 255 {
        return Err(ComposeError::TooLong { field, length });
    }
    if !section.is_ascii() {
        let value = section.to_owned();
        return Err(ComposeError::DoesNotFit { field, value, width: 255 });
    }
    out.push_str(&format!("{length:02X}{section}"));
    Ok(())
}
