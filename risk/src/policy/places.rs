//! Places and carriers: which code is which, and in which state.

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::civil::Date;
use serde::Deserialize;

/// `places.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlacesFile {
    #[serde(default)]
    pub(crate) place: Vec<Place>,
}

/// `carriers.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CarriersFile {
    #[serde(default)]
    pub(crate) carrier: Vec<Carrier>,
}

/// A place that matters for risk.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// IATA code.
    #[serde(default)]
    pub iata: Option<String>,
    /// UN/LOCODE.
    pub locode: String,
    /// Other codes in use.
    #[serde(default)]
    pub also: Vec<String>,
    /// ISO 3166 alpha-2.
    pub country: String,
    /// States whose travellers break their journey here.
    #[serde(default)]
    pub hub_for: Vec<String>,
}

/// All places, by any of their codes.
#[derive(Clone, Debug, Default)]
pub struct Places {
    described: Vec<Place>,
    by_code: HashMap<String, usize>,
    airports: HashMap<String, String>,
}

/// A carrier.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carrier {
    /// Its name.
    pub name: String,
    /// IATA designator.
    #[serde(default)]
    pub iata: Option<String>,
    /// ICAO designator.
    #[serde(default)]
    pub icao: Option<String>,
    /// Ticket prefix.
    #[serde(default)]
    pub prefix: Option<String>,
    /// ISO 3166 alpha-2.
    #[serde(default)]
    pub country: Option<String>,
    /// Other names.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Where it was read.
    pub source: String,
    /// When.
    pub checked_on: Date,
}

/// All carriers, by designator and name.
#[derive(Clone, Debug, Default)]
pub struct Carriers {
    carriers: Vec<Carrier>,
    by_name: HashMap<String, usize>,
}

impl Places {
    /// The described places, and a table of airports: a country and its IATA codes a line.
    pub(crate) fn new(described: Vec<Place>, airports: &str) -> Self {
        let mut by_code = HashMap::new();
        for (at, place) in described.iter().enumerate() {
            let codes = place.iata.iter().chain(&place.also).chain([&place.locode]);
            for code in codes {
                by_code.insert(code.to_ascii_uppercase(), at);
            }
        }
        let mut table = HashMap::new();
        for line in airports.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split_whitespace();
            if let Some(country) = words.next() {
                table.extend(words.map(|iata| (iata.to_owned(), country.to_owned())));
            }
        }
        Self { described, by_code, airports: table }
    }

    fn described(&self, code: &str) -> Option<&Place> {
        self.by_code.get(code).and_then(|at| self.described.get(*at))
    }

    /// The described place with this code.
    pub fn place(&self, code: &str) -> Option<&Place> {
        self.described(&upper(code))
    }

    /// The state of a place, ISO 3166 alpha-2; `None` for a code nobody has described.
    pub fn country<'a>(&'a self, code: &'a str) -> Option<Cow<'a, str>> {
        let code = upper(code);
        if let Some(place) = self.described(&code) {
            return Some(Cow::Borrowed(&place.country));
        }
        if let Some(country) = self.airports.get(code.as_ref()) {
            return Some(Cow::Borrowed(country));
        }
        let is_locode = code.len() == 5 && code.bytes().take(2).all(|b| b.is_ascii_uppercase());
        let head = match code {
            Cow::Borrowed(code) => Cow::Borrowed(code.get(..2)?),
            Cow::Owned(code) => Cow::Owned(code.get(..2)?.to_owned()),
        };
        is_locode.then_some(head)
    }

    /// One code for one place, however it was written: the IATA code where there is one.
    pub fn canonical<'a>(&'a self, code: &'a str) -> Cow<'a, str> {
        let code = upper(code);
        if let Some(place) = self.described(&code) {
            return Cow::Borrowed(place.iata.as_ref().unwrap_or(&place.locode));
        }
        if let (Some(country), Some(tail)) = (code.get(..2), code.get(2..))
            && code.len() == 5
            && let Some((tail, _)) =
                self.airports.get_key_value(tail).filter(|(_, known)| *known == country)
        {
            return Cow::Borrowed(tail);
        }
        code
    }

    /// A name to read out, the code where no name is known.
    pub fn name(&self, code: &str) -> String {
        let code = upper(code);
        match self.described(&code) {
            Some(place) => format!("{} ({code})", place.name),
            None => code.into_owned(),
        }
    }
}

impl Carriers {
    pub(crate) fn new(carriers: Vec<Carrier>) -> Self {
        let mut by_name = HashMap::new();
        for (at, carrier) in carriers.iter().enumerate() {
            let names = [&carrier.iata, &carrier.icao].into_iter().flatten();
            for name in names.chain(&carrier.aliases).chain([&carrier.name]) {
                by_name.insert(name.to_lowercase(), at);
            }
        }
        Self { carriers, by_name }
    }

    /// The carrier with this designator or name.
    pub fn find(&self, text: &str) -> Option<&Carrier> {
        self.by_name.get(&text.trim().to_lowercase()).and_then(|at| self.carriers.get(*at))
    }

    /// The carrier of a flight number whose carrier was not given: `JS9271` is Air Koryo's.
    pub fn of_number(&self, number: &str) -> Option<&Carrier> {
        let number = number.trim();
        [2, 3].into_iter().find_map(|length| {
            let (head, tail) = (number.get(..length)?, number.get(length..)?);
            let flown = tail.trim_start().starts_with(|c: char| c.is_ascii_digit());
            flown.then(|| self.find(head)).flatten()
        })
    }
}

/// A code as tables have it. Nearly all are written so.
fn upper(code: &str) -> Cow<'_, str> {
    if code.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_lowercase()) {
        return Cow::Borrowed(code);
    }
    let shown = code.chars().filter(|c| !c.is_whitespace());
    Cow::Owned(shown.map(|c| c.to_ascii_uppercase()).collect())
}
