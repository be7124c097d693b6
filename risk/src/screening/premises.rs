//! Addresses, whatever the spelling: what is left when the words every address has are taken away.
//!
//! Owns telling whether two addresses are one house, and finding the listed ones that are.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;

use super::edit;
use super::name::small;
use super::text;
use crate::lists::{EntryAddress, ListEntry};

/// What an address says, in Latin letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Premises {
    /// Names of streets, places, buildings.
    words: BTreeSet<String>,
    /// House numbers, and others.
    numbers: BTreeSet<String>,
    country: Option<String>,
}

/// Words that every address has, in several languages.
const COMMON: &str = "street st str ul ulitsa avenue ave av pr prospekt prospect road rd building bldg bld blok block \
bl korpus korp korpusa house dom office of ofis room rm apt apartment flat kv floor fl city town g gorod district dist distr \
rayon raion rn province prov oblast obl region no num number the and p o box pob suite unit lane ln boulevard blvd \
pereulok per square sq ploshchad pl naberezhnaya nab proezd shosse highway stroenie stroyenie lit litera pom pomeshchenie \
guyok kuyok gu ku dong tong ri";

static COMMON_WORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| COMMON.split_whitespace().collect());

impl Premises {
    /// Reads an address.
    pub(super) fn of(address: &EntryAddress) -> Self {
        let mut premises = Self { country: address.country.clone(), ..Self::default() };
        for word in text::words(&address.lines.join(" ")) {
            let latin = word.latin;
            if latin.is_empty() || COMMON_WORDS.contains(latin.as_str()) {
                continue;
            }
            if latin.chars().any(|c| c.is_ascii_digit()) {
                premises.numbers.insert(latin);
            } else if latin.chars().count() > 1 {
                premises.words.insert(in_english(latin));
            }
        }
        premises
    }

    /// Whether it says enough to be one house.
    fn is_a_place(&self) -> bool {
        (!self.numbers.is_empty() && !self.words.is_empty()) || self.words.len() >= 3
    }

    /// How alike two addresses are; 0 where they are not one house.
    pub(super) fn alike(&self, other: &Self) -> f32 {
        if let (Some(own), Some(listed)) = (&self.country, &other.country)
            && own != listed
        {
            return 0.0;
        }
        if !self.is_a_place() || !other.is_a_place() {
            return 0.0;
        }
        let (few, many) = ordered(&self.numbers, &other.numbers);
        // A house number must be there, and a number that only one address has is a postcode.
        if !few.is_subset(many)
            || (few.is_empty() && !many.is_empty() && self.words.len().min(other.words.len()) < 3)
        {
            return 0.0;
        }
        let (few, many) = ordered(&self.words, &other.words);
        let met: f32 = few
            .iter()
            .map(|word| {
                many.iter().map(|listed| edit::similarity(word, listed)).fold(0.0, f32::max)
            })
            .filter(|alike| *alike >= 0.8)
            .sum();
        let share = met / small(few.len().max(1));
        if share < 0.75 { 0.0 } else { share }
    }
}

/// What an address says in one way of writing: for comparing letter by letter. Postcodes are left
/// out, which one writes and another does not.
pub(crate) fn plain_words(line: &str) -> BTreeSet<String> {
    let address = EntryAddress { lines: vec![line.to_owned()], country: None };
    let Premises { words, numbers, .. } = Premises::of(&address);
    let is_postcode = |number: &String| {
        number.len() >= POSTCODE && number.bytes().all(|digit| digit.is_ascii_digit())
    };
    words.into_iter().chain(numbers.into_iter().filter(|number| !is_postcode(number))).collect()
}

/// A number of so many digits is no house.
const POSTCODE: usize = 5;

/// Cities that addresses write in two languages.
fn in_english(word: String) -> String {
    let known = match word.as_str() {
        "moskva" => "moscow",
        "pkhenyan" | "phyongyang" | "pyeongyang" => "pyongyang",
        "peterburg" => "petersburg",
        "pekin" | "peking" => "beijing",
        _ => return word,
    };
    known.to_owned()
}

fn ordered<'a>(
    a: &'a BTreeSet<String>,
    b: &'a BTreeSet<String>,
) -> (&'a BTreeSet<String>, &'a BTreeSet<String>) {
    if a.len() <= b.len() { (a, b) } else { (b, a) }
}

/// The addresses of all entries.
#[derive(Default)]
pub(super) struct PremisesIndex {
    all: Vec<(u32, Premises)>,
    by_word: HashMap<String, Vec<u32>>,
}

impl PremisesIndex {
    /// Adds the addresses of an entry.
    pub(super) fn add(&mut self, id: u32, entry: &ListEntry) {
        for address in &entry.addresses {
            let premises = Premises::of(address);
            if !premises.is_a_place() {
                continue;
            }
            let at = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
            for word in premises.words.iter().chain(&premises.numbers) {
                self.by_word.entry(word.clone()).or_default().push(at);
            }
            self.all.push((id, premises));
        }
    }

    /// The entries at this address, and how alike the addresses are.
    pub(super) fn at(&self, address: &EntryAddress) -> BTreeMap<u32, f32> {
        let asked = Premises::of(address);
        let mut found: BTreeMap<u32, f32> = BTreeMap::new();
        if !asked.is_a_place() {
            return found;
        }
        let mut met: HashMap<u32, usize> = HashMap::new();
        for word in asked.words.iter().chain(&asked.numbers) {
            for at in self.by_word.get(word).map_or(&[][..], Vec::as_slice) {
                *met.entry(*at).or_default() += 1;
            }
        }
        // Half of the shorter address must be there letter by letter; the rest may be misspelt.
        let own = asked.words.len() + asked.numbers.len();
        for (at, count) in met {
            let Some((id, listed)) = usize::try_from(at).ok().and_then(|at| self.all.get(at))
            else {
                continue;
            };
            let least = own.min(listed.words.len() + listed.numbers.len());
            if count * 2 < least {
                continue;
            }
            let alike = asked.alike(listed);
            if alike > 0.0 {
                let best = found.entry(*id).or_default();
                *best = best.max(alike);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::Premises;
    use crate::lists::EntryAddress;

    fn premises(line: &str) -> Premises {
        Premises::of(&EntryAddress { lines: vec![line.to_owned()], country: None })
    }

    #[test]
    fn one_house_is_known_by_any_spelling() {
        let house = premises("Krasnaya street 11 bld. 9, Moscow");
        for other in [
            "ul. Krasnaya, 11 str. 9, Moscow",
            "Krasnaya 11/9 Moscow 123456",
            "Москва, ул. Красная, д. 11, стр. 9",
        ] {
            assert!(house.alike(&premises(other)) > 0.7, "{other}");
        }
        for other in ["Krasnaya street 12 bld. 9, Moscow", "Moscow", "Zelenaya 11/9 Omsk"] {
            assert!(house.alike(&premises(other)) < 0.1, "{other}");
        }
    }
}
