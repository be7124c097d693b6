//! What has to be done by when: the law's times, counted by the country's calendar.
//!
//! Owns the dated data of `config/desk` and the counting of days. It knows no record and no store;
//! when a clock begins and what meets it is [`crate::facts`]'s to say.

use std::sync::LazyLock;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// What a clock is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockKind {
    /// Cash is temporarily detained.
    Detention,
    /// A disclosure of unaccompanied cash was asked for.
    Disclosure,
    /// What was found goes to the financial intelligence unit.
    Fiu,
}

impl ClockKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Detention, Self::Disclosure, Self::Fiu];

    /// The name in data.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Detention => "detention",
            Self::Disclosure => "disclosure",
            Self::Fiu => "fiu",
        }
    }
}

/// When something is due, and by which law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The end of the last day, as the country's calendar counts, in UTC.
    pub at: Timestamp,
    /// The article, with what is not certain about it.
    pub basis: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockFile {
    clock: Vec<ClockEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockEntry {
    jurisdiction: String,
    kind: ClockKind,
    days: i32,
    counted: Counted,
    valid_from: Option<Date>,
    valid_to: Option<Date>,
    article: String,
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "checked_on")]
    _checked_on: Date,
    certainty: Certainty,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Counted {
    All,
    Working,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Certainty {
    Read,
    FromMemory,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HolidayFile {
    country: Vec<Country>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Country {
    code: String,
    #[serde(default)]
    fixed: Vec<String>,
    #[serde(default)]
    easter: Vec<i32>,
    #[serde(default)]
    orthodox: Vec<i32>,
    #[serde(default)]
    also: Vec<Date>,
    #[serde(default = "saturday_and_sunday")]
    weekend: Vec<i8>,
}

fn saturday_and_sunday() -> Vec<i8> {
    vec![6, 7]
}

/// The built-in data. It is part of the program: that it reads is a test's matter.
static CLOCKS: LazyLock<Vec<ClockEntry>> = LazyLock::new(|| {
    toml::from_str::<ClockFile>(include_str!("../../config/desk/clocks.toml"))
        .map_or_else(|_| Vec::new(), |file| file.clock)
});
static COUNTRIES: LazyLock<Vec<Country>> = LazyLock::new(|| {
    toml::from_str::<HolidayFile>(include_str!("../../config/desk/holidays.toml"))
        .map_or_else(|_| Vec::new(), |file| file.country)
});

/// When a clock that begins at `began` is due. `regimes` are the jurisdictions that hold there, the
/// country's own and its unions; `None` where no law of theirs sets a time.
pub fn due(kind: ClockKind, regimes: &[String], country: &str, began: Timestamp) -> Option<Due> {
    let first = TimeZone::UTC.to_datetime(began).date();
    let entry = CLOCKS.iter().find(|entry| {
        entry.kind == kind
            && regimes.contains(&entry.jurisdiction)
            && entry.valid_from.is_none_or(|from| from <= first)
            && entry.valid_to.is_none_or(|to| first <= to)
    })?;
    let mut notes = Vec::new();
    if entry.certainty == Certainty::FromMemory {
        notes.push("not checked against the text in force".to_owned());
    }
    let last = match entry.counted {
        Counted::All => first.checked_add(entry.days.days()).ok()?,
        Counted::Working => {
            if !COUNTRIES.iter().any(|known| known.code == country) {
                notes.push(format!("no holidays known of {country}: weekends only"));
            }
            working_days_after(first, entry.days, country)?
        }
    };
    let end = TimeZone::UTC.to_timestamp(last.tomorrow().ok()?.at(0, 0, 0, 0)).ok()?;
    let basis = if notes.is_empty() {
        entry.article.clone()
    } else {
        format!("{} ({})", entry.article, notes.join("; "))
    };
    Some(Due { at: end, basis })
}

fn working_days_after(first: Date, days: i32, country: &str) -> Option<Date> {
    let (mut day, mut left) = (first, days);
    while left > 0 {
        day = day.tomorrow().ok()?;
        if is_working(day, country) {
            left -= 1;
        }
    }
    Some(day)
}

/// Whether a day is worked in a country.
pub fn is_working(day: Date, country: &str) -> bool {
    let Some(known) = COUNTRIES.iter().find(|known| known.code == country) else {
        return !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    };
    let month_day = format!("{:02}-{:02}", day.month(), day.day());
    let moves = |easter: Option<Date>, offsets: &[i32]| {
        easter.is_some_and(|sunday| {
            offsets.iter().any(|offset| sunday.checked_add(offset.days()).ok() == Some(day))
        })
    };
    !(known.weekend.contains(&day.weekday().to_monday_one_offset())
        || known.fixed.contains(&month_day)
        || known.also.contains(&day)
        || moves(western_easter(day.year()), &known.easter)
        || moves(orthodox_easter(day.year()), &known.orthodox))
}

/// Easter Sunday of the Western calendar (the anonymous Gregorian algorithm, Nature 1876).
#[expect(clippy::many_single_char_names, reason = "the names of the published algorithm")]
fn western_easter(year: i16) -> Option<Date> {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let sum = h + l - 7 * m + 114;
    let (month, day) = (i8::try_from(sum / 31).ok()?, i8::try_from(sum % 31 + 1).ok()?);
    Date::new(year, month, day).ok()
}

/// Easter Sunday of the Orthodox calendar, as a date of the Gregorian one (Meeus' Julian algorithm
/// and the 13 days between the calendars from 1900 to 2099).
#[expect(clippy::many_single_char_names, reason = "the names of the published algorithm")]
fn orthodox_easter(year: i16) -> Option<Date> {
    let y = i32::from(year);
    let (a, b, c) = (y % 4, y % 7, y % 19);
    let d = (19 * c + 15) % 30;
    let e = (2 * a + 4 * b - d + 34) % 7;
    let days = d + e + 114;
    let (month, day) = (i8::try_from(days / 31).ok()?, i8::try_from(days % 31 + 1).ok()?);
    Date::new(year, month, day).ok()?.checked_add(13.days()).ok()
}

#[cfg(test)]
mod tests {
    use super::{CLOCKS, COUNTRIES, ClockKind, due, is_working, orthodox_easter, western_easter};
    use jiff::civil::date;

    #[test]
    fn the_data_reads() {
        assert!(
            toml::from_str::<super::ClockFile>(include_str!("../../config/desk/clocks.toml"))
                .is_ok()
        );
        assert!(!CLOCKS.is_empty() && !COUNTRIES.is_empty());
    }

    #[test]
    fn easter_is_where_it_was() {
        for (year, month, day) in [(2018, 4, 1), (2019, 4, 21), (2024, 3, 31), (2026, 4, 5)] {
            assert_eq!(western_easter(year), Some(date(year, month, day)));
        }
        for (year, month, day) in [(2018, 4, 8), (2021, 5, 2), (2024, 5, 5), (2026, 4, 12)] {
            assert_eq!(orthodox_easter(year), Some(date(year, month, day)));
        }
    }

    #[test]
    fn fifteen_working_days_leave_out_weekends_and_the_countrys_holidays() {
        let regimes = ["FI".to_owned(), "EU".to_owned()];
        let began = "2023-12-01T09:00:00Z".parse().unwrap();
        // Finland: the 6th is a holiday; 4, 5, 7, 8, 11 to 15, 18 to 22, and 27 after Christmas.
        let due_on = due(ClockKind::Fiu, &regimes, "FI", began).unwrap();
        assert_eq!(due_on.at.to_string(), "2023-12-28T00:00:00Z");
        assert!(!is_working(date(2023, 12, 6), "FI") && is_working(date(2023, 12, 6), "DE"));
        // A country without a calendar here has weekends only, and it is said.
        let unknown = due(ClockKind::Fiu, &["EU".to_owned()], "MT", began).unwrap();
        assert!(unknown.basis.contains("weekends only"), "{}", unknown.basis);
    }

    #[test]
    fn thirty_days_are_all_days_and_a_law_holds_from_its_first_day() {
        let regimes = ["EU".to_owned()];
        let began = "2022-01-31T23:00:00Z".parse().unwrap();
        let due_on = due(ClockKind::Detention, &regimes, "NL", began).unwrap();
        assert_eq!(due_on.at.to_string(), "2022-03-03T00:00:00Z");
        let before = "2020-01-31T23:00:00Z".parse().unwrap();
        assert_eq!(due(ClockKind::Detention, &regimes, "NL", before), None);
        assert_eq!(due(ClockKind::Fiu, &["US".to_owned()], "US", began), None);
    }
}
