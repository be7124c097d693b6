//! Country names as lists write them, and their codes.
//!
//! Owns the table only; it says nothing about states' status.

use std::collections::HashMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("data/countries.tsv");

static CODES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut codes = HashMap::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let mut columns = line.split('\t');
        let (Some(alpha2), Some(alpha3), Some(names)) =
            (columns.next(), columns.next(), columns.next())
        else {
            continue;
        };
        codes.insert(alpha2.to_lowercase(), alpha2);
        codes.insert(alpha3.to_lowercase(), alpha2);
        for name in names.split('|') {
            codes.entry(name.to_lowercase()).or_insert(alpha2);
        }
    }
    // ICAO 9303 writes Germany in passports with one letter.
    codes.insert("d".to_owned(), "DE");
    codes
});

/// The names of every country in the table, those of one country together.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split('\t').nth(2))
}

/// The ISO 3166 alpha-2 code of a country given as a name, an alpha-2 or an alpha-3 code.
pub fn code(text: &str) -> Option<&'static str> {
    CODES.get(text.trim().trim_end_matches('.').to_lowercase().as_str()).copied()
}

/// The code where we know the country, else the text itself; `None` for nothing.
pub(crate) fn code_or_text(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    Some(code(text).map_or_else(|| text.to_owned(), str::to_owned))
}
