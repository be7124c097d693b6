//! The small lists that are built in, for the demo and for a station that has no other yet.
//!
//! Owns which files of `config/lists` those are. They are excerpts written by hand from published
//! facts, not lists to enforce; each entry's note says where it comes from.

use jiff::civil::Date;

use super::{ListBundle, ListError, SourceFile, plain};

/// The built-in files: name of the bundle, its day, where its facts come from, its text.
const FILES: [(&str, Date, &str, &str); 4] = [
    (
        "ofac",
        jiff::civil::date(2026, 11, 24),
        "excerpt written from OFAC's published list; not the list",
        include_str!("../../../config/lists/ofac.csv"),
    ),
    (
        "un",
        jiff::civil::date(2026, 2, 27),
        "excerpt written from the UN Security Council's published list; not the list",
        include_str!("../../../config/lists/un.csv"),
    ),
    (
        "eu",
        jiff::civil::date(2026, 11, 24),
        "excerpt written from Regulation (EU) 2017/1509, Annex XVI.B; not the list",
        include_str!("../../../config/lists/eu.csv"),
    ),
    (
        "own",
        jiff::civil::date(2026, 11, 24),
        "names an authority may want to watch; not on a sanctions list",
        include_str!("../../../config/lists/own.csv"),
    ),
];

/// The built-in bundles: `ofac`, `un`, `eu`, `own`.
pub fn bundles() -> Result<Vec<ListBundle>, ListError> {
    FILES
        .iter()
        .map(|(name, as_of, source, text)| {
            let file = SourceFile { name, bytes: text.as_bytes() };
            plain::import(&[file], name, *as_of, source)
        })
        .collect()
}
