//! Writes a machine-readable zone from typed fields: what a simulated reader sends.
//!
//! Owns the printing side of Doc 9303 (transliteration, truncation, check digits). It refuses
//! what does not fit instead of cutting anything but a name.

use super::{Format, MrzDate, Sex, check_digit};
use crate::translit::transliterate;

/// The fields a zone is composed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    /// Layout to write.
    pub format: Format,
    /// Document code, one or two letters; `V` for visas.
    pub document_code: String,
    /// Issuing State, one to three letters.
    pub issuer: String,
    /// Primary identifier in any script of the tables.
    pub surname: String,
    /// Secondary identifier, may be empty.
    pub given_names: String,
    /// Document number, letters and digits.
    pub document_number: String,
    /// Nationality, one to three letters.
    pub nationality: String,
    /// Date of birth.
    pub date_of_birth: MrzDate,
    /// Sex.
    pub sex: Sex,
    /// Date of expiry.
    pub date_of_expiry: MrzDate,
    /// Optional data (personal number), may be empty.
    pub optional_data: String,
}

/// Why a zone cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// A name has a letter of no transliteration table, or no letter at all.
    #[error("{field} {value:?} cannot be written with the letters of a machine-readable zone")]
    NotWritable {
        /// Which field.
        field: &'static str,
        /// Its value.
        value: String,
    },
    /// A field is longer than its place.
    #[error("{field} {value:?} has more than {room} characters")]
    TooLong {
        /// Which field.
        field: &'static str,
        /// Its value.
        value: String,
        /// Characters its place has.
        room: usize,
    },
}

/// The rows of the zone, with all check digits.
pub fn compose(fields: &Fields) -> Result<Vec<String>, ComposeError> {
    let head =
        [place("document code", &fields.document_code, 2)?, place("issuer", &fields.issuer, 3)?]
            .concat();
    let names = names(fields)?;
    let nationality = place("nationality", &fields.nationality, 3)?;
    let birth = digited(fields.date_of_birth.as_str());
    let expiry = digited(fields.date_of_expiry.as_str());
    let sex = match fields.sex {
        Sex::Female => "F",
        Sex::Male => "M",
        Sex::Unspecified | Sex::Unreadable(_) => "<",
    };
    let (number, continuation) = number(fields)?;
    let optional = |room: usize| {
        let whole = match continuation.as_str() {
            "" => fields.optional_data.clone(),
            rest if fields.optional_data.is_empty() => rest.to_owned(),
            rest => format!("{rest}<{}", fields.optional_data),
        };
        place("optional data", &whole, room)
    };
    let dates = format!("{birth}{sex}{expiry}");
    Ok(match fields.format {
        Format::Td1 => {
            let upper = format!("{head}{number}{}", optional(15)?);
            let rest = "<".repeat(11);
            let composite = [upper.get(5..).unwrap_or_default(), &birth, &expiry, &rest].concat();
            vec![upper, format!("{dates}{nationality}{rest}{}", digit(&composite)), names]
        }
        Format::Td2 => {
            let optional = optional(7)?;
            let composite = digit(&[&number, &*birth, &expiry, &optional].concat());
            let lower = format!("{number}{nationality}{dates}{optional}{composite}");
            vec![format!("{head}{names}"), lower]
        }
        Format::Td3 => {
            let optional = optional(14)?;
            let own = if fields.optional_data.is_empty() { '<' } else { digit(&optional) };
            let optional = format!("{optional}{own}");
            let composite = digit(&[&number, &*birth, &expiry, &optional].concat());
            let lower = format!("{number}{nationality}{dates}{optional}{composite}");
            vec![format!("{head}{names}"), lower]
        }
        Format::MrvA | Format::MrvB => {
            let room = fields.format.columns().saturating_sub(28);
            let lower = format!("{number}{nationality}{dates}{}", optional(room)?);
            vec![format!("{head}{names}"), lower]
        }
    })
}

/// Number with its digit, and what continues in the optional field of TD1 and TD2.
fn number(fields: &Fields) -> Result<(String, String), ComposeError> {
    let number = &fields.document_number;
    let continues = matches!(fields.format, Format::Td1 | Format::Td2) && number.len() > 9;
    if !continues {
        return Ok((digited(&place("document number", number, 9)?), String::new()));
    }
    let whole = place("document number", number, number.len())?;
    let (first, rest) = whole.split_at_checked(9).unwrap_or((&whole, ""));
    Ok((format!("{first}<"), format!("{rest}{}", digit(&whole))))
}

/// The name field: apostrophes vanish, other separators become one filler (Doc 9303-3 4.6); too
/// long a name is cut, keeping one letter of the given names where there are any.
fn names(fields: &Fields) -> Result<String, ComposeError> {
    let room = fields.format.name_columns();
    let mut surname = name("surname", &fields.surname)?;
    let given = name("given names", &fields.given_names)?;
    if surname.is_empty() {
        let (field, value) = ("surname", fields.surname.clone());
        return Err(ComposeError::NotWritable { field, value });
    }
    let mut whole = if given.is_empty() {
        surname
    } else {
        surname.truncate(room.saturating_sub(3));
        // A cut that ends on a filler would make the two fillers between the parts three.
        let kept = surname.trim_end_matches('<');
        format!("{kept}<<{given}")
    };
    whole.truncate(room);
    Ok(format!("{whole:<<room$}"))
}

fn name(field: &'static str, value: &str) -> Result<String, ComposeError> {
    let latin = transliterate(value);
    let mut out = String::new();
    for character in latin.chars() {
        match character {
            'A'..='Z' => out.push(character),
            '\'' | '’' | 'ʼ' | '.' => {}
            ' ' | '-' | ',' | '‐' | '\u{a0}' if out.ends_with('<') || out.is_empty() => {}
            ' ' | '-' | ',' | '‐' | '\u{a0}' => out.push('<'),
            _ => return Err(ComposeError::NotWritable { field, value: value.to_owned() }),
        }
    }
    Ok(out.trim_end_matches('<').to_owned())
}

/// The value left-justified in its place.
fn place(field: &'static str, value: &str, room: usize) -> Result<String, ComposeError> {
    let value = value.replace(' ', "<");
    if !value.chars().all(super::is_mrz) {
        return Err(ComposeError::NotWritable { field, value });
    }
    if value.len() > room {
        return Err(ComposeError::TooLong { field, value, room });
    }
    Ok(format!("{value:<<room$}"))
}

fn digited(field: &str) -> String {
    format!("{field}{}", digit(field))
}

fn digit(field: &str) -> char {
    char::from(check_digit(field.as_bytes()))
}
