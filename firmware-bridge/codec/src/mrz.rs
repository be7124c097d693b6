//! Machine-readable zones of travel documents (ICAO Doc 9303 parts 3 to 7).
//!
//! Owns layouts, check digits and the meaning of each field, for passports (TD3), cards (TD1,
//! TD2) and visas (MRV-A, MRV-B), and the composer the simulators use. Agreeing digits mean that
//! the reading is consistent, never that a document is genuine: 'A' and 'K' weigh the same.

mod compose;
mod date;
mod rows;

pub use compose::{ComposeError, Fields, compose};
pub use date::MrzDate;
pub use rows::{RowGroup, RowItem, rows_of};

use crate::stream::ToJson;
use serde_json::{Map, Value, json};

/// The five layouts of Doc 9303.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Card, three rows of 30 (part 5).
    Td1,
    /// Card, two rows of 36 (part 6).
    Td2,
    /// Passport, two rows of 44 (part 4).
    Td3,
    /// Visa, two rows of 44 (part 7).
    MrvA,
    /// Visa, two rows of 36 (part 7).
    MrvB,
}

impl Format {
    /// The name used by the vectors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Td1 => "TD1",
            Self::Td2 => "TD2",
            Self::Td3 => "TD3",
            Self::MrvA => "MRV-A",
            Self::MrvB => "MRV-B",
        }
    }

    /// Rows of the zone.
    pub fn rows(self) -> usize {
        if self == Self::Td1 { 3 } else { 2 }
    }

    /// Characters of each row.
    pub fn columns(self) -> usize {
        match self {
            Self::Td1 => 30,
            Self::Td2 | Self::MrvB => 36,
            Self::Td3 | Self::MrvA => 44,
        }
    }

    /// Characters of the name field.
    pub fn name_columns(self) -> usize {
        match self {
            Self::Td1 => 30,
            Self::Td2 | Self::MrvB => 31,
            Self::Td3 | Self::MrvA => 39,
        }
    }
}

/// The sex field of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sex {
    /// `F`.
    Female,
    /// `M`.
    Male,
    /// `X` or the filler.
    Unspecified,
    /// Any other character: misread or misprinted.
    Unreadable(char),
}

impl Sex {
    fn of(byte: u8) -> Self {
        match byte {
            b'F' => Self::Female,
            b'M' => Self::Male,
            b'X' | b'<' => Self::Unspecified,
            other => Self::Unreadable(char::from(other)),
        }
    }

    /// `F`, `M` or `X`, or the character as read.
    pub fn letter(self) -> char {
        match self {
            Self::Female => 'F',
            Self::Male => 'M',
            Self::Unspecified => 'X',
            Self::Unreadable(other) => other,
        }
    }
}

/// Which check digits agree; `None` where the layout has no such digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checks {
    /// Digit over the document number, long numbers included.
    pub document_number: bool,
    /// Digit over the date of birth.
    pub date_of_birth: bool,
    /// Digit over the date of expiry.
    pub date_of_expiry: bool,
    /// Digit over the personal number (TD3).
    pub personal_number: Option<bool>,
    /// Digit over all of them (not on visas).
    pub composite: Option<bool>,
}

impl Checks {
    /// True when every digit the layout has agrees.
    pub fn all_agree(&self) -> bool {
        self.named().iter().all(|(_, agrees)| *agrees)
    }

    /// The checks of this layout by name.
    pub fn named(&self) -> Vec<(&'static str, bool)> {
        let mut named = vec![
            ("document_number", self.document_number),
            ("date_of_birth", self.date_of_birth),
            ("date_of_expiry", self.date_of_expiry),
        ];
        named.extend(self.personal_number.map(|agrees| ("personal_number", agrees)));
        named.extend(self.composite.map(|agrees| ("composite", agrees)));
        named
    }
}

/// A zone as read; fields are as printed, without fillers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mrz {
    /// Which layout the rows have.
    pub format: Format,
    /// Document code, one or two letters (`P`, `PD`, `I`, `V`).
    pub document_code: String,
    /// Issuing State or organisation, ICAO three-letter code.
    pub issuer: String,
    /// Primary identifier, spaces between its parts.
    pub surname: String,
    /// Secondary identifier, spaces between names; empty if there is none.
    pub given_names: String,
    /// The name fills its field, so it may be cut off: match it as a prefix.
    pub name_may_be_cut: bool,
    /// Document number, joined with its continuation where it is longer than nine.
    pub document_number: String,
    /// Nationality, ICAO three-letter code.
    pub nationality: String,
    /// Date of birth, YYMMDD with `<` for what is unknown.
    pub date_of_birth: MrzDate,
    /// Sex.
    pub sex: Sex,
    /// Date of expiry, YYMMDD.
    pub date_of_expiry: MrzDate,
    /// Optional data (the personal number of TD3; the first field of TD1).
    pub optional_data: String,
    /// The second optional field of TD1, else empty.
    pub optional_data_2: String,
    /// Which digits agree.
    pub checks: Checks,
}

/// Why rows are not a machine-readable zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MrzError {
    /// A character outside A-Z, 0-9 and `<`: the reader marked it unreadable.
    #[error("row {row}, column {column}: {character:?} is no character of a machine-readable zone")]
    BadCharacter {
        /// Row, from 1.
        row: usize,
        /// Column, from 1.
        column: usize,
        /// What stands there.
        character: char,
    },
    /// A row of a length that no layout has, or unlike the first row's.
    #[error("row {row} has {length} characters, no layout of Doc 9303 has such a row there")]
    BadLength {
        /// Row, from 1.
        row: usize,
        /// Its characters.
        length: usize,
    },
    /// Rows are missing (a reader may send each by itself).
    #[error("{rows} rows of {needed} arrived")]
    Incomplete {
        /// Rows that arrived.
        rows: usize,
        /// Rows the layout has.
        needed: usize,
    },
    /// More rows than any layout has.
    #[error("{rows} rows, the layout has {needed}")]
    TooManyRows {
        /// Rows that arrived.
        rows: usize,
        /// Rows the layout has.
        needed: usize,
    },
}

impl MrzError {
    /// The name used by the vectors.
    pub fn name(&self) -> &'static str {
        match self {
            Self::BadCharacter { .. } => "bad_character",
            Self::BadLength { .. } | Self::TooManyRows { .. } => "bad_length",
            Self::Incomplete { .. } => "mrz_incomplete",
        }
    }
}

/// Reads a zone from its rows, in order, without line ends. Wrong check digits are no error: they
/// are in [`Mrz::checks`].
pub fn parse<S: AsRef<str>>(rows: &[S]) -> Result<Mrz, MrzError> {
    let rows: Vec<&str> = rows.iter().map(AsRef::as_ref).collect();
    let format = layout_of(&rows)?;
    for (index, row) in rows.iter().enumerate() {
        let odd = row.chars().enumerate().find(|(_, character)| !is_mrz(*character));
        if let Some((column, character)) = odd {
            let (row, column) = (index.saturating_add(1), column.saturating_add(1));
            return Err(MrzError::BadCharacter { row, column, character });
        }
    }
    let bytes: Vec<&[u8]> = rows.iter().map(|row| row.as_bytes()).collect();
    let (upper, lower) = match bytes.as_slice() {
        [upper, lower, ..] => (*upper, *lower),
        _ => return Err(MrzError::Incomplete { rows: rows.len(), needed: format.rows() }),
    };
    Ok(match format {
        Format::Td1 => td1(upper, lower, bytes.get(2).copied().unwrap_or_default()),
        _ => two_rows(format, upper, lower),
    })
}

/// The layout that the number and length of rows, and the first letter, give.
fn layout_of(rows: &[&str]) -> Result<Format, MrzError> {
    let lengths: Vec<usize> = rows.iter().map(|row| row.chars().count()).collect();
    let first = lengths.first().copied().unwrap_or_default();
    let needed = match first {
        30 => 3,
        36 | 44 => 2,
        0 => return Err(MrzError::Incomplete { rows: 0, needed: 2 }),
        length => return Err(MrzError::BadLength { row: 1, length }),
    };
    if let Some((index, length)) = lengths.iter().enumerate().find(|(_, length)| **length != first)
    {
        return Err(MrzError::BadLength { row: index.saturating_add(1), length: *length });
    }
    match rows.len() {
        count if count < needed => return Err(MrzError::Incomplete { rows: count, needed }),
        count if count > needed => return Err(MrzError::TooManyRows { rows: count, needed }),
        _ => {}
    }
    let visa = rows.first().is_some_and(|row| row.starts_with('V'));
    Ok(match (first, visa) {
        (30, _) => Format::Td1,
        (36, false) => Format::Td2,
        (36, true) => Format::MrvB,
        (_, false) => Format::Td3,
        (_, true) => Format::MrvA,
    })
}

fn two_rows(format: Format, upper: &[u8], lower: &[u8]) -> Mrz {
    let end = format.columns();
    // TD3 keeps a digit of its own for the optional field; the composite closes TD2 and TD3.
    let optional_end = match format {
        Format::Td3 => 42,
        Format::Td2 => 35,
        Format::MrvA | Format::MrvB | Format::Td1 => end,
    };
    let optional = cut(lower, 28, optional_end);
    let continued = if format == Format::Td2 { optional } else { &[] };
    let number = number(cut(lower, 0, 9), at(lower, 9), continued);
    let composite = match format {
        Format::Td3 => Some((cut(lower, 21, 43), at(lower, 43))),
        Format::Td2 => Some((cut(lower, 21, 35), at(lower, 35))),
        Format::MrvA | Format::MrvB | Format::Td1 => None,
    };
    let (surname, given_names, name_may_be_cut) = names(cut(upper, 5, end));
    Mrz {
        format,
        document_code: text(cut(upper, 0, 2)),
        issuer: text(cut(upper, 2, 5)),
        surname,
        given_names,
        name_may_be_cut,
        nationality: text(cut(lower, 10, 13)),
        date_of_birth: MrzDate::of(cut(lower, 13, 19)),
        sex: Sex::of(at(lower, 20)),
        date_of_expiry: MrzDate::of(cut(lower, 21, 27)),
        optional_data: text(optional.get(number.continuation..).unwrap_or_default()),
        optional_data_2: String::new(),
        checks: Checks {
            document_number: number.agrees,
            date_of_birth: date_agrees(cut(lower, 13, 19), at(lower, 19)),
            date_of_expiry: date_agrees(cut(lower, 21, 27), at(lower, 27)),
            personal_number: (format == Format::Td3)
                .then(|| optional_agrees(optional, at(lower, 42))),
            composite: composite.map(|(tail, digit)| {
                let parts = [cut(lower, 0, 10), cut(lower, 13, 20), tail];
                agrees(&parts.concat(), digit)
            }),
        },
        document_number: number.text,
    }
}

fn td1(upper: &[u8], middle: &[u8], name_row: &[u8]) -> Mrz {
    let optional = cut(upper, 15, 30);
    let number = number(cut(upper, 5, 14), at(upper, 14), optional);
    let composite =
        [cut(upper, 5, 30), cut(middle, 0, 7), cut(middle, 8, 15), cut(middle, 18, 29)].concat();
    let (surname, given_names, name_may_be_cut) = names(name_row);
    Mrz {
        format: Format::Td1,
        document_code: text(cut(upper, 0, 2)),
        issuer: text(cut(upper, 2, 5)),
        surname,
        given_names,
        name_may_be_cut,
        nationality: text(cut(middle, 15, 18)),
        date_of_birth: MrzDate::of(cut(middle, 0, 6)),
        sex: Sex::of(at(middle, 7)),
        date_of_expiry: MrzDate::of(cut(middle, 8, 14)),
        optional_data: text(optional.get(number.continuation..).unwrap_or_default()),
        optional_data_2: text(cut(middle, 18, 29)),
        checks: Checks {
            document_number: number.agrees,
            date_of_birth: date_agrees(cut(middle, 0, 6), at(middle, 6)),
            date_of_expiry: date_agrees(cut(middle, 8, 14), at(middle, 14)),
            personal_number: None,
            composite: Some(agrees(&composite, at(middle, 29))),
        },
        document_number: number.text,
    }
}

struct Number {
    text: String,
    agrees: bool,
    /// Characters of the optional field that belong to the number and its digit.
    continuation: usize,
}

/// A filler in the digit's place opens the optional field: the rest of the number, its digit, a
/// filler (Doc 9303-5 and -6, number longer than nine characters).
fn number(field: &[u8], digit: u8, optional: &[u8]) -> Number {
    let rest: &[u8] = optional.split(|byte| *byte == b'<').next().unwrap_or_default();
    match rest.split_last() {
        Some((last, more)) if digit == b'<' && !more.is_empty() => {
            let whole = [field, more].concat();
            Number {
                text: text(&whole),
                agrees: agrees(&whole, *last),
                continuation: rest.len().saturating_add(1),
            }
        }
        _ => Number { text: text(field), agrees: agrees(field, digit), continuation: 0 },
    }
}

/// Surname and given names; true where no filler closes the field.
fn names(field: &[u8]) -> (String, String, bool) {
    let name = String::from_utf8_lossy(field);
    let cut_off = !name.ends_with('<');
    let (primary, secondary) = name.split_once("<<").unwrap_or((&name, ""));
    (words(primary), words(secondary), cut_off)
}

fn words(part: &str) -> String {
    let words: Vec<&str> = part.split('<').filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Weighted sum 7-3-1 modulo ten over digits, letters (A = 10) and fillers (0), Doc 9303-3 4.9.
pub fn check_digit(field: &[u8]) -> u8 {
    let mut sum: u32 = 0;
    for (byte, weight) in field.iter().zip([7_u32, 3, 1].iter().cycle()) {
        let value = match byte {
            b'0'..=b'9' => u32::from(byte.saturating_sub(b'0')),
            b'A'..=b'Z' => u32::from(byte.saturating_sub(b'A')).saturating_add(10),
            _ => 0,
        };
        sum = sum.saturating_add(value.saturating_mul(*weight)) % 10;
    }
    b'0'.saturating_add(u8::try_from(sum).unwrap_or_default())
}

fn agrees(field: &[u8], digit: u8) -> bool {
    check_digit(field) == digit
}

/// A letter in a date was misread, whatever the digit says.
fn date_agrees(field: &[u8], digit: u8) -> bool {
    field.iter().all(|byte| byte.is_ascii_digit() || *byte == b'<') && agrees(field, digit)
}

/// An empty optional field may have a filler for its digit (Doc 9303-4).
fn optional_agrees(field: &[u8], digit: u8) -> bool {
    agrees(field, digit) || (digit == b'<' && field.iter().all(|byte| *byte == b'<'))
}

fn is_mrz(character: char) -> bool {
    character.is_ascii_uppercase() || character.is_ascii_digit() || character == '<'
}

fn cut(row: &[u8], from: usize, to: usize) -> &[u8] {
    row.get(from..to).unwrap_or_default()
}

fn at(row: &[u8], column: usize) -> u8 {
    row.get(column).copied().unwrap_or(b'<')
}

/// A field without fillers at its ends, inner fillers as spaces.
fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(field).trim_matches('<').replace('<', " ")
}

impl Mrz {
    /// The kind of document in the words of a record: `passport`, `diplomatic_passport`,
    /// `service_passport`, `id_card`, `visa` or `other` (Doc 9303-3 to -7, document codes).
    pub fn document_kind(&self) -> &'static str {
        let mut letters = self.document_code.chars();
        match (letters.next(), letters.next()) {
            (Some('P'), Some('D')) => "diplomatic_passport",
            (Some('P'), Some('S' | 'O')) => "service_passport",
            (Some('P'), _) => "passport",
            (Some('V'), _) => "visa",
            (Some('I' | 'A' | 'C'), _) => "id_card",
            _ => "other",
        }
    }
}

impl ToJson for Mrz {
    fn to_json(&self) -> Value {
        let checks: Map<String, Value> = self
            .checks
            .named()
            .into_iter()
            .map(|(name, agrees)| (name.to_owned(), json!(agrees)))
            .collect();
        json!({
            "format": self.format.name(),
            "document_number": self.document_number,
            "nationality": self.nationality,
            "dob": self.date_of_birth.as_str(),
            "expiry": self.date_of_expiry.as_str(),
            "surname": self.surname,
            "given_names": self.given_names,
            "issuer": self.issuer,
            "sex": self.sex.letter().to_string(),
            "checks": checks,
            "all_checks_ok": self.checks.all_agree(),
        })
    }
}

impl ToJson for MrzError {
    fn to_json(&self) -> Value {
        json!({ "error": self.name() })
    }
}

#[cfg(test)]
mod tests;
