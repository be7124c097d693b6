//! The name matcher alone: two names and what they are names of.

use super::compare;
use super::name::{self, Style};

/// Compares two names without any list, index or evidence.
#[derive(Clone, Copy, Debug, Default)]
pub struct Matcher;

impl Matcher {
    /// How alike two names are, 0 to 1, whichever comes first.
    ///
    /// `schema` is what they are names of: `Person`, `Company`, `Organization`, `Vessel` and the
    /// like. A `LegalEntity`, and a word we do not know, may be a person or an organisation.
    pub fn score(schema: &str, a: &str, b: &str) -> f64 {
        // One order, so that a score is the same from either side whatever the letters.
        let (a, b) = if b < a { (b, a) } else { (a, b) };
        let mut best = 0.0;
        for style in styles(schema) {
            let (own, other) = (name::parse(*style, a), name::parse(*style, b));
            best = f64::max(best, f64::from(compare::best_score(&own, &other)));
            // What has a legal form is no person.
            if own.iter().chain(&other).any(name::has_form) {
                break;
            }
        }
        best
    }
}

fn styles(schema: &str) -> &'static [Style] {
    match schema.trim().to_ascii_lowercase().as_str() {
        "person" => &[Style::Person],
        "vessel" | "airplane" | "aircraft" | "vehicle" => &[Style::Object],
        "company" | "organization" | "organisation" | "publicbody" | "address" => {
            &[Style::Organisation]
        }
        _ => &[Style::Organisation, Style::Person],
    }
}
