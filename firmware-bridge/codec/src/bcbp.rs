//! Bar-coded boarding passes (IATA Resolution 792, format M, versions 1 to 8).
//!
//! Owns the fixed and conditional fields and the composer the simulators use. The security field
//! is opaque. Selectee flag and frequent-flyer number are read because the layout needs them; a
//! driver drops them before a record is made.

mod compose;
mod fields;

pub use compose::{ComposeError, compose};

use crate::bag::Lpn;
use crate::stream::ToJson;
use fields::Fields;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

/// Characters of the mandatory part of a pass with one leg.
pub const MANDATORY: usize = 60;

/// A boarding pass as scanned; text fields without padding, empty where blank or absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BoardingPass {
    /// Passenger name as printed, `SURNAME/GIVEN NAMES`.
    pub passenger: String,
    /// Electronic ticket indicator, `E` or empty.
    pub eticket: String,
    /// Version of the conditional items, one character, empty if there are none.
    pub version: String,
    /// Passenger description code.
    pub passenger_description: String,
    /// Source of check-in.
    pub checkin_source: String,
    /// Source of issuance.
    pub issuance_source: String,
    /// Date of issuance, last digit of the year and day of the year.
    pub issued: String,
    /// Document type (`B` boarding pass, `I` itinerary receipt).
    pub document_type: String,
    /// Airline that issued it.
    pub issuer: String,
    /// Bag tag fields as printed, up to three of 13 digits.
    pub bag_tags: Vec<String>,
    /// One to four flights.
    pub legs: Vec<Leg>,
    /// The security field.
    pub security: Option<Security>,
}

/// One flight of a pass.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Leg {
    /// Booking reference of the operating carrier.
    pub pnr: String,
    /// From, IATA airport.
    pub origin: String,
    /// To, IATA airport.
    pub destination: String,
    /// Operating carrier, IATA or ICAO designator.
    pub carrier: String,
    /// Flight number as printed, with its zeros and suffix.
    pub flight: String,
    /// Day of the year, 1 to 366; the code has no year.
    pub day: u16,
    /// Compartment.
    pub cabin: String,
    /// Seat as printed.
    pub seat: String,
    /// Check-in sequence number as printed.
    pub sequence: String,
    /// Passenger status.
    pub status: String,
    /// Airline numeric code.
    pub airline_numeric: String,
    /// Document form and serial number.
    pub serial: String,
    /// Selectee indicator; sensitive.
    pub selectee: String,
    /// International documentation verification.
    pub document_verification: String,
    /// Marketing carrier.
    pub marketing_carrier: String,
    /// Frequent-flyer airline; sensitive.
    pub frequent_flyer_airline: String,
    /// Frequent-flyer number; sensitive.
    pub frequent_flyer_number: String,
    /// ID/AD indicator.
    pub id_ad: String,
    /// Free baggage allowance.
    pub free_baggage: String,
    /// Fast track (version 5 on).
    pub fast_track: String,
    /// For the individual airline's use, opaque.
    pub airline_use: String,
}

/// The security field: who made it is in its type; its data is not for us to read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Security {
    /// Type of security data, one character.
    pub kind: String,
    /// The data as scanned.
    pub data: String,
}

/// Why a text is not a boarding pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BcbpError {
    /// Fewer characters than the mandatory part: a torn scan.
    #[error("{length} characters, a boarding pass has at least 60")]
    TooShort {
        /// Characters scanned.
        length: usize,
    },
    /// Not format M.
    #[error("format code {found:?} is not M")]
    BadFormatCode {
        /// The first character.
        found: char,
    },
    /// The number of legs is not 1 to 4.
    #[error("number of legs {found:?} is not 1 to 4")]
    BadLegCount {
        /// The second character.
        found: char,
    },
    /// Bytes above 7Fh.
    #[error("character {at} is not ASCII")]
    NotAscii {
        /// Where, from 0.
        at: usize,
    },
    /// A later leg's mandatory part is cut off.
    #[error("leg {leg} is cut off")]
    TruncatedLeg {
        /// Which leg, from 1.
        leg: usize,
    },
    /// A size field is not two hexadecimal digits.
    #[error("a size in leg {leg} is not hexadecimal")]
    BadHexSize {
        /// Which leg, from 1.
        leg: usize,
    },
    /// A declared size goes beyond the data.
    #[error("the conditional items of leg {leg} are cut off")]
    TruncatedConditional {
        /// Which leg, from 1.
        leg: usize,
    },
    /// The flight date is not a day of the year.
    #[error("the flight date of leg {leg} is not a day from 001 to 366")]
    BadJulianDay {
        /// Which leg, from 1.
        leg: usize,
    },
    /// The security field's size goes beyond the data or is not hexadecimal.
    #[error("the security field is cut off")]
    TruncatedSecurity,
    /// Characters after the end: two scans glued together.
    #[error("characters after the end at {at}")]
    TrailingData {
        /// Where, from 0.
        at: usize,
    },
}

impl BcbpError {
    /// The name used by the vectors.
    pub fn name(&self) -> &'static str {
        match self {
            Self::TooShort { .. } => "too_short",
            Self::BadFormatCode { .. } => "bad_format_code",
            Self::BadLegCount { .. } => "bad_leg_count",
            Self::NotAscii { .. } => "not_ascii",
            Self::TruncatedLeg { .. } => "truncated_leg",
            Self::BadHexSize { .. } => "bad_hex_size",
            Self::TruncatedConditional { .. } => "truncated_conditional",
            Self::BadJulianDay { .. } => "bad_julian_day",
            Self::TruncatedSecurity => "truncated_security",
            Self::TrailingData { .. } => "trailing_data",
        }
    }
}

/// Reads one scan, without the scanner's prefix or suffix. Strict on structure, tolerant of
/// blanks (in sizes, and after the end).
pub fn parse(text: &str) -> Result<BoardingPass, BcbpError> {
    let first = text.chars().next().unwrap_or(' ');
    if first != 'M' && !first.is_whitespace() {
        return Err(BcbpError::BadFormatCode { found: first });
    }
    if let Some(at) = text.bytes().position(|byte| !byte.is_ascii()) {
        return Err(BcbpError::NotAscii { at });
    }
    if text.len() < MANDATORY {
        return Err(BcbpError::TooShort { length: text.len() });
    }
    let mut fields = Fields::new(text);
    fields.take(1);
    let legs = fields.take(1);
    let Ok(count @ 1..=4) = legs.parse::<usize>() else {
        return Err(BcbpError::BadLegCount { found: legs.chars().next().unwrap_or(' ') });
    };
    let mut pass = BoardingPass {
        passenger: fields.trimmed(20),
        eticket: fields.trimmed(1),
        ..BoardingPass::default()
    };
    for number in 1..=count {
        let leg = leg(&mut fields, &mut pass, number)?;
        pass.legs.push(leg);
    }
    pass.security = security(&mut fields)?;
    match fields.rest().trim_end() {
        "" => Ok(pass),
        _ => Err(BcbpError::TrailingData { at: fields.position() }),
    }
}

fn leg(fields: &mut Fields<'_>, pass: &mut BoardingPass, number: usize) -> Result<Leg, BcbpError> {
    if fields.rest().len() < 37 {
        return Err(BcbpError::TruncatedLeg { leg: number });
    }
    let mut leg = Leg {
        pnr: fields.trimmed(7),
        origin: fields.trimmed(3),
        destination: fields.trimmed(3),
        carrier: fields.trimmed(3),
        flight: fields.trimmed(5),
        day: day_of_year(fields.take(3)).ok_or(BcbpError::BadJulianDay { leg: number })?,
        cabin: fields.trimmed(1),
        seat: fields.trimmed(4),
        sequence: fields.trimmed(5),
        status: fields.trimmed(1),
        ..Leg::default()
    };
    let size = fields.size().ok_or(BcbpError::BadHexSize { leg: number })?;
    let section = fields.section(size).ok_or(BcbpError::TruncatedConditional { leg: number })?;
    let mut section = Fields::new(section);
    if number == 1 && section.rest().starts_with('>') {
        section.take(1);
        pass.version = section.trimmed(1);
        unique(&mut section, pass, number)?;
    } else if number == 1 {
        // Without a version marker there are no standard items: all of it is the airline's.
        section.take_rest().trim_end().clone_into(&mut leg.airline_use);
        return Ok(leg);
    }
    repeated(&mut section, &mut leg, number)?;
    section.take_rest().trim_end().clone_into(&mut leg.airline_use);
    Ok(leg)
}

/// The conditional items that stand once, in the first leg.
fn unique(section: &mut Fields<'_>, pass: &mut BoardingPass, leg: usize) -> Result<(), BcbpError> {
    let mut items = structured(section, leg)?;
    pass.passenger_description = items.trimmed(1);
    pass.checkin_source = items.trimmed(1);
    pass.issuance_source = items.trimmed(1);
    pass.issued = items.trimmed(4);
    pass.document_type = items.trimmed(1);
    pass.issuer = items.trimmed(3);
    let tags = (0..3).map(|_| items.trimmed(13));
    pass.bag_tags = tags.filter(|tag| !tag.is_empty()).collect();
    Ok(())
}

/// The conditional items that stand in every leg.
fn repeated(section: &mut Fields<'_>, leg: &mut Leg, number: usize) -> Result<(), BcbpError> {
    let mut items = structured(section, number)?;
    leg.airline_numeric = items.trimmed(3);
    leg.serial = items.trimmed(10);
    leg.selectee = items.trimmed(1);
    leg.document_verification = items.trimmed(1);
    leg.marketing_carrier = items.trimmed(3);
    leg.frequent_flyer_airline = items.trimmed(3);
    leg.frequent_flyer_number = items.trimmed(16);
    leg.id_ad = items.trimmed(1);
    leg.free_baggage = items.trimmed(3);
    leg.fast_track = items.trimmed(1);
    Ok(())
}

/// A structured message: its hexadecimal size, then its items; absent where the section ends.
fn structured<'a>(section: &mut Fields<'a>, leg: usize) -> Result<Fields<'a>, BcbpError> {
    if section.rest().is_empty() {
        return Ok(Fields::new(""));
    }
    let size = section.size().ok_or(BcbpError::BadHexSize { leg })?;
    let items = section.section(size).ok_or(BcbpError::TruncatedConditional { leg })?;
    Ok(Fields::new(items))
}

fn security(fields: &mut Fields<'_>) -> Result<Option<Security>, BcbpError> {
    if !fields.rest().starts_with('^') {
        return Ok(None);
    }
    fields.take(1);
    let kind = fields.trimmed(1);
    let size = fields.size().ok_or(BcbpError::TruncatedSecurity)?;
    let data = fields.section(size).ok_or(BcbpError::TruncatedSecurity)?;
    Ok(Some(Security { kind, data: data.to_owned() }))
}

fn day_of_year(field: &str) -> Option<u16> {
    let digits = field.bytes().all(|byte| byte.is_ascii_digit());
    field.parse().ok().filter(|day| digits && (1..=366).contains(day))
}

/// The date nearest to `reference` that is this day of a year; `None` for day 366 where none of
/// the three years around is a leap year.
pub fn nearest_date(day: u16, reference: Date) -> Option<Date> {
    let years = [-1_i16, 0, 1].into_iter().filter_map(|shift| reference.year().checked_add(shift));
    let dates = years.filter_map(|year| day_in(year, day));
    dates.min_by_key(|date| date.duration_since(reference).abs())
}

/// This day of this year; `None` where the year is shorter.
fn day_in(year: i16, day: u16) -> Option<Date> {
    let first = Date::new(year, 1, 1).ok()?;
    let days = i64::from(day).checked_sub(1)?;
    let date = first.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
    (date.year() == year).then_some(date)
}

impl Leg {
    /// The date of the flight nearest to `reference`.
    pub fn date_near(&self, reference: Date) -> Option<Date> {
        nearest_date(self.day, reference)
    }
}

impl BoardingPass {
    /// The licence plates of the passenger's bags, consecutive tags expanded (guide item 23).
    pub fn bags(&self) -> Vec<Lpn> {
        self.bag_tags.iter().filter_map(|tag| crate::bag::consecutive(tag)).flatten().collect()
    }

    /// The date of issuance nearest to `reference`, from its year digit and day; `None` where
    /// the field is blank or no day.
    pub fn issued_near(&self, reference: Date) -> Option<Date> {
        let (year, day) = self.issued.split_at_checked(1)?;
        let (digit, day) = (year.parse::<i16>().ok()?, day_of_year(day)?);
        let decade = reference.year().checked_sub(reference.year().rem_euclid(10))?;
        let dates = [-10_i16, 0, 10]
            .into_iter()
            .filter_map(|shift| day_in(decade.checked_add(shift)?.checked_add(digit)?, day));
        dates.min_by_key(|date| date.duration_since(reference).abs())
    }
}

impl ToJson for BoardingPass {
    fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("name".into(), json!(self.passenger));
        put(&mut out, "eticket", &self.eticket);
        put(&mut out, "version", &self.version);
        put(&mut out, "issued", &self.issued);
        put(&mut out, "doc_type", &self.document_type);
        put(&mut out, "issuer", &self.issuer);
        if !self.bag_tags.is_empty() {
            out.insert("bag_tags".into(), json!(self.bag_tags));
        }
        let legs: Vec<Value> = self.legs.iter().map(ToJson::to_json).collect();
        out.insert("legs".into(), json!(legs));
        if let Some(security) = &self.security {
            let length = security.data.len();
            out.insert("security".into(), json!({ "type": security.kind, "length": length }));
        }
        Value::Object(out)
    }
}

impl ToJson for Leg {
    fn to_json(&self) -> Value {
        let mut out = Map::new();
        for (name, value) in [
            ("pnr", &self.pnr),
            ("origin", &self.origin),
            ("dest", &self.destination),
            ("carrier", &self.carrier),
            ("flight", &self.flight),
            ("cabin", &self.cabin),
            ("seat", &self.seat),
            ("seq", &self.sequence),
            ("status", &self.status),
        ] {
            out.insert(name.into(), json!(value));
        }
        out.insert("day".into(), json!(format!("{:03}", self.day)));
        for (name, value) in [
            ("airline_numeric", &self.airline_numeric),
            ("serial", &self.serial),
            ("selectee", &self.selectee),
            ("doc_verification", &self.document_verification),
            ("marketing", &self.marketing_carrier),
            ("ff_airline", &self.frequent_flyer_airline),
            ("ff_number", &self.frequent_flyer_number),
            ("id_ad", &self.id_ad),
            ("free_bags", &self.free_baggage),
            ("fast_track", &self.fast_track),
            ("airline_use", &self.airline_use),
        ] {
            put(&mut out, name, value);
        }
        Value::Object(out)
    }
}

/// Blank fields are left out, as in the vectors.
fn put(out: &mut Map<String, Value>, name: &str, value: &str) {
    if !value.is_empty() {
        out.insert(name.into(), json!(value));
    }
}

impl ToJson for BcbpError {
    fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("error".into(), json!(self.name()));
        match self {
            Self::TooShort { length } => out.insert("length".into(), json!(length)),
            Self::TruncatedLeg { leg }
            | Self::BadHexSize { leg }
            | Self::TruncatedConditional { leg }
            | Self::BadJulianDay { leg } => out.insert("leg".into(), json!(leg)),
            Self::TrailingData { at } | Self::NotAscii { at } => out.insert("at".into(), json!(at)),
            Self::BadFormatCode { .. } | Self::BadLegCount { .. } | Self::TruncatedSecurity => None,
        };
        Value::Object(out)
    }
}

#[cfg(test)]
mod tests;
