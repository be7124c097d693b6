//! Addresses, telephones and families of names that speak for themselves.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Deserialize;
use tidewaiter_proto::party::Address;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::Certainty;
use crate::screening::plain_words;

/// `premises.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PremisesFile {
    #[serde(default)]
    phone_prefix: Vec<PhonePrefix>,
    #[serde(default)]
    watched: Vec<Watched>,
    #[serde(default)]
    common: Common,
}

/// `families.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FamiliesFile {
    #[serde(default)]
    family: Vec<NameFamily>,
}

/// A telephone prefix that is a reason to look.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhonePrefix {
    /// Country code, digits.
    pub prefix: String,
    /// What it means.
    pub title: String,
    /// Where it was read.
    pub source: String,
    /// When.
    pub checked_on: Date,
}

/// Premises an authority watches.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watched {
    /// Address lines; all their words must appear.
    pub lines: Vec<String>,
    /// ISO 3166 alpha-2.
    pub country: String,
    /// What is there.
    pub title: String,
    /// Where it was read.
    pub source: String,
    /// When.
    pub checked_on: Date,
    /// How sure it is.
    #[serde(default)]
    pub certainty: Certainty,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Common {
    #[serde(default)]
    words: Vec<String>,
}

/// Watched premises and common addresses.
#[derive(Clone, Debug, Default)]
pub struct Premises {
    phone_prefixes: Vec<PhonePrefix>,
    watched: Vec<(BTreeSet<String>, Watched)>,
    common: Vec<String>,
}

/// A family of names.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameFamily {
    /// Stable name.
    pub id: String,
    /// What the family is.
    pub title: String,
    /// Its words, in any script.
    pub words: Vec<String>,
    /// Where it was read.
    pub source: String,
    /// When.
    pub checked_on: Date,
}

/// From this many letters on a word of a family may differ by one.
const LETTERS_FOR_A_SLIP: usize = 7;

impl Premises {
    pub(crate) fn new(file: PremisesFile) -> Self {
        let watched = file
            .watched
            .into_iter()
            .map(|watched| (plain_words(&watched.lines.join(" ")), watched))
            .filter(|(words, _)| !words.is_empty())
            .collect();
        let common = file.common.words.iter().map(|word| folded(word)).collect();
        Self { phone_prefixes: file.phone_prefix, watched, common }
    }

    /// The watched premises an address is, if any.
    pub fn watched(&self, address: &Address) -> Option<&Watched> {
        let words = plain_words(&address.lines.join(" "));
        let country = address.country.to_ascii_uppercase();
        let here = |(wanted, watched): &&(BTreeSet<String>, Watched)| {
            (country.is_empty() || watched.country == country) && wanted.is_subset(&words)
        };
        self.watched.iter().find(here).map(|(_, watched)| watched)
    }

    /// Whether many unrelated people share the address: a hotel, an airport.
    pub fn is_common(&self, address: &Address) -> bool {
        let text = folded(&address.lines.join(" "));
        let words: BTreeSet<&str> = text.split(' ').collect();
        self.common.iter().any(|common| {
            if common.is_ascii() && !common.contains(' ') {
                words.contains(common.as_str())
            } else {
                text.contains(common.as_str())
            }
        })
    }

    /// The watched prefix of a telephone number, if any.
    pub fn phone(&self, phone: &str) -> Option<&PhonePrefix> {
        let trimmed = phone.trim();
        let digits: String = trimmed.chars().filter(char::is_ascii_digit).collect();
        let first = trimmed.split(|c: char| !c.is_ascii_digit()).find(|part| !part.is_empty());
        self.phone_prefixes.iter().find(|known| {
            // After a plus sign the code is where the number begins: +8 505 … is no code 850.
            let international = trimmed.starts_with('+')
                && first.is_some_and(|first| first.starts_with(&known.prefix))
                || digits.strip_prefix("00").is_some_and(|rest| rest.starts_with(&known.prefix));
            // Without a plus sign the code must stand alone: 8 505 … is a number inside Russia.
            let alone = first == Some(known.prefix.as_str()) && digits.len() > known.prefix.len();
            international || alone
        })
    }
}

pub(crate) fn families(file: FamiliesFile) -> Vec<NameFamily> {
    let mut families = file.family;
    for family in &mut families {
        for word in &mut family.words {
            *word = folded(word);
        }
    }
    families
}

impl NameFamily {
    /// The word of the family that `name` carries, if any.
    pub fn word_in(&self, name: &str) -> Option<&str> {
        let text = folded(name);
        self.words.iter().map(String::as_str).find(|word| carries(&text, word))
    }
}

fn carries(text: &str, word: &str) -> bool {
    let letters = word.chars().count();
    let alphabetic = word.chars().all(|c| c.is_ascii() || ('\u{400}'..'\u{530}').contains(&c));
    if !alphabetic {
        return text.contains(word);
    }
    if word.contains(' ') {
        return format!(" {text} ").contains(&format!(" {word} "));
    }
    text.split(' ')
        .any(|part| part == word || (letters >= LETTERS_FOR_A_SLIP && differs_by_one(part, word)))
}

/// Whether two words are one letter apart: one changed, added or missing.
fn differs_by_one(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    if long.len() - short.len() > 1 {
        return false;
    }
    let head = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    let skip = usize::from(short.len() == long.len());
    short.get(head + skip..).unwrap_or_default() == long.get(head + 1..).unwrap_or_default()
}

/// Lower case, without accents and signs, words separated by one space.
pub(crate) fn folded(text: &str) -> String {
    if text.is_ascii() {
        return folded_ascii(text);
    }
    let bare: String = text
        .nfd()
        .filter(|c| !is_combining_mark(*c))
        .nfc()
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The same for text that has neither accents nor letters of other scripts: nearly all of it.
fn folded_ascii(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.chars().map(|c| c.to_ascii_lowercase()));
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::{NameFamily, Premises, folded};
    use crate::policy::PolicyPack;

    fn premises() -> Premises {
        PolicyPack::built_in().unwrap().premises
    }

    fn family(name: &str) -> Option<String> {
        let pack = PolicyPack::built_in().unwrap();
        pack.families.iter().find(|f: &&NameFamily| f.word_in(name).is_some()).map(|f| f.id.clone())
    }

    #[test]
    fn a_korean_number_is_known_and_a_number_inside_russia_is_not() {
        let premises = premises();
        for phone in ["850-2-18111-3818022", "+850 2 381 8022", "00850 2 3818022", "850 2 123"] {
            assert!(premises.phone(phone).is_some(), "{phone}");
        }
        for phone in ["8 505 123 45 67", "8505123456", "+8 505", "+86 850 12", ""] {
            assert!(premises.phone(phone).is_none(), "{phone}");
        }
    }

    #[test]
    fn variants_of_a_family_are_found_and_footballers_are_not() {
        for name in
            ["Rungnado Trading", "RUNGRADO", "Rungra Co", "Рунградо", "조선릉라도무역총회사"]
        {
            assert_eq!(family(name).as_deref(), Some("rungrado"), "{name}");
        }
        for name in ["Ronaldo Trading", "Rungis Market", "Colorado Trading", "Granada", ""] {
            assert_eq!(family(name), None, "{name}");
        }
    }

    #[test]
    fn accents_and_signs_do_not_make_another_name() {
        assert_eq!(folded("  Ré-UNION, Ltd. "), "re union ltd");
        assert_eq!(folded("릉라도"), "릉라도");
    }
}
