//! Fields of a posted form, and what is wrong with them.

use std::convert::Infallible;

use axum::extract::{FromRequest, RawForm, Request};

use crate::text::Text;

/// The fields of a form in the order of the page. A name may come more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `application/x-www-form-urlencoded`; what cannot be read is no field.
    pub fn read(encoded: &[u8]) -> Self {
        Self(decode_pairs(encoded))
    }

    /// Fields from name and value, as a test or a prefilled form has them.
    pub fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// The first value of a name without spaces around it; empty when there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
    }

    /// The first value of a name exactly as typed: a password's spaces are part of it.
    pub fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }

    /// All values of a name that are not empty.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let values = self.0.iter().filter(|(key, _)| key == name);
        values.map(|(_, value)| value.trim()).filter(|value| !value.is_empty()).collect()
    }

    /// Whether a name has this value among its own: a ticked box.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.0.iter().any(|(key, found)| key == name && found.trim() == value)
    }

    /// Whether a name was posted at all: which button was pressed.
    pub fn pressed(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// Sets a name to one value.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.retain(|(key, _)| key != name);
        self.0.push((name.to_owned(), value.into()));
    }

    /// Removes a name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(key, _)| key != name);
    }

    /// Puts another form's fields over these: each name in `other` replaces all of that name.
    pub fn merge(&mut self, other: &Self) {
        for (name, _) in &other.0 {
            self.remove(name);
        }
        self.0.extend(other.0.iter().cloned());
    }

    /// Name and value, in order.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}

fn decode_pairs(encoded: &[u8]) -> Vec<(String, String)> {
    encoded
        .split(|byte| *byte == b'&')
        .filter(|piece| !piece.is_empty())
        .take(FIELDS_MAX)
        .map(|piece| {
            let at = piece.iter().position(|byte| *byte == b'=').unwrap_or(piece.len());
            let (name, value) = piece.split_at(at);
            (decode(name), decode(value.get(1..).unwrap_or_default()))
        })
        .collect()
}

fn decode(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        let (byte, after) = match (first, tail) {
            (b'+', _) => (b' ', tail),
            (b'%', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, after),
                _ => (b'%', tail),
            },
            (byte, _) => (*byte, tail),
        };
        out.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&out).chars().filter(|c| *c != '\0').collect()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

const FIELDS_MAX: usize = 500;

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Infallible;

    /// A form that cannot be read is a form without fields: its page shows what is missing.
    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        Ok(RawForm::from_request(request, state)
            .await
            .map_or_else(|_| Self::default(), |RawForm(bytes)| Self::read(&bytes)))
    }
}

/// One thing wrong with a form, tied to its field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Id of the field it is about.
    pub field: String,
    /// In words, saying what to do.
    pub message: String,
}

/// What is wrong with a form, in the order of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Adds one.
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem { field: field.into(), message: message.into() });
    }

    /// Adds one when the value is empty.
    pub fn need(&mut self, text: Text, field: &str, value: &str, message: &str) {
        if value.is_empty() {
            self.add(field, text.say(message));
        }
    }

    /// Whether the form is in order.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first problem of a field.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|problem| problem.field == field).map(|problem| problem.message.as_str())
    }
}

/// An amount as people type it: `10,000`, `10 000.50`, `10000,5`; `None` when it is none.
///
/// A comma or point followed by exactly three digits groups thousands; otherwise the last of them
/// is the decimal mark. What could be read two ways is refused rather than guessed.
pub fn amount(typed: &str) -> Option<rust_decimal::Decimal> {
    let compact: String = typed
        .chars()
        .filter(|c| !matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '_'))
        .map(western_digit)
        .collect();
    if !compact.bytes().all(|b| b.is_ascii_digit() || b == b',' || b == b'.') || compact.len() > 24
    {
        return None;
    }
    let marks: Vec<(usize, char)> =
        compact.char_indices().filter(|(_, c)| matches!(c, ',' | '.')).collect();
    let Some((last_at, last)) = marks.last().copied() else {
        return compact.parse().ok();
    };
    let repeated = marks.iter().filter(|(_, c)| *c == last).count() > 1;
    let after = compact.len() - last_at - 1;
    let is_decimal = !repeated && after != 3;
    let (whole, fraction) =
        if is_decimal { compact.split_at(last_at) } else { (compact.as_str(), "") };
    if marks.len() == 1 && after == 3 && last == '.' {
        // `1.234` is a thousand here and one and a bit there.
        return None;
    }
    if !groups_fit(whole) {
        return None;
    }
    let digits: String = whole.chars().filter(char::is_ascii_digit).collect();
    let fraction = fraction.get(1..).unwrap_or_default();
    if fraction.is_empty() {
        digits.parse().ok()
    } else {
        format!("{digits}.{fraction}").parse().ok()
    }
}

/// Whether the groups after the first have three digits each, with one kind of separator.
fn groups_fit(whole: &str) -> bool {
    let mut groups = whole.split([',', '.']);
    let first = groups.next().unwrap_or_default();
    let kinds = [',', '.'].iter().filter(|mark| whole.contains(**mark)).count();
    let rest: Vec<&str> = groups.collect();
    kinds <= 1
        && !first.is_empty()
        && (rest.is_empty() || first.len() <= 3)
        && rest.iter().all(|group| group.len() == 3)
}

/// Arabic-Indic and full-width digits as the Western ones.
fn western_digit(c: char) -> char {
    let base = match c {
        '٠'..='٩' => '٠',
        '۰'..='۹' => '۰',
        '０'..='９' => '０',
        '٫' => return '.',
        '٬' => return ',',
        _ => return c,
    };
    let value = u32::from(c).saturating_sub(u32::from(base));
    char::from_digit(value, 10).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::{Fields, amount};
    use proptest::prelude::{any, proptest};

    #[test]
    fn amounts_are_read_as_people_type_them_and_never_guessed() {
        let cases = [
            ("192300", Some("192300")),
            ("192,300", Some("192300")),
            ("192 300,50", Some("192300.50")),
            ("1.234.567,8", Some("1234567.8")),
            ("10,000.5", Some("10000.5")),
            ("9999,99", Some("9999.99")),
            ("١٠٠٠٠", Some("10000")),
            ("1.234", None),
            ("12,34,567", None),
            ("-5", None),
            ("1e9", None),
            ("", None),
            (",5", None),
            ("1,2.3,4", None),
        ];
        for (typed, expected) in cases {
            assert_eq!(amount(typed), expected.map(|text| text.parse().unwrap()), "{typed:?}");
        }
    }

    #[test]
    fn a_form_reads_back_what_was_typed() {
        let fields =
            Fields::read("name=%D0%9A%D0%B8%D0%BC+A%26B&use=wages&use=gift&empty=".as_bytes());
        assert_eq!(fields.get("name"), "Ким A&B");
        assert_eq!(fields.all("use"), ["wages", "gift"]);
        assert!(fields.pressed("empty") && fields.get("empty").is_empty());
    }

    #[test]
    fn a_later_page_replaces_its_own_fields_only() {
        let mut draft = Fields::read(b"a=1&b=2&b=3");
        draft.merge(&Fields::read(b"b=4"));
        assert_eq!((draft.get("a"), draft.all("b")), ("1", vec!["4"]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_some_form(bytes in any::<Vec<u8>>()) {
            let _fields = Fields::read(&bytes);
        }

        #[test]
        fn any_text_is_an_amount_or_none(typed in any::<String>()) {
            let _amount = amount(&typed);
        }

        #[test]
        fn a_plain_number_is_itself(number in 0_u64..1_000_000_000_000) {
            assert_eq!(amount(&number.to_string()), Some(number.into()));
        }
    }
}
