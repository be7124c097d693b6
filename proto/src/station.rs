//! Station names: one lane of one checkpoint, `SITE/LANE`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A station: a UN/LOCODE in lower case and a lane slug, as in `ruvvo/dep-07`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StationId(String);

/// Why a text is not a station name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a station: expected SITE/LANE, a UN/LOCODE in lower case and a slug of a-z, 0-9 and '-' (32 at most), as in ruvvo/dep-07"
)]
pub struct StationIdError {
    text: String,
}

impl StationId {
    /// The site, a UN/LOCODE in lower case (`ruvvo`).
    pub fn site(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// The lane within the site (`dep-07`).
    pub fn lane(&self) -> &str {
        self.0.split('/').nth(1).unwrap_or_default()
    }

    /// The site's country, ISO 3166 alpha-2 in upper case (`RU`).
    pub fn country(&self) -> String {
        self.site().chars().take(2).collect::<String>().to_ascii_uppercase()
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StationId {
    type Err = StationIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || StationIdError { text: text.chars().take(64).collect() };
        let (site, lane) = text.split_once('/').ok_or_else(refused)?;
        let site_ok = site.len() == 5
            && site.bytes().take(2).all(|b| b.is_ascii_lowercase())
            && site.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let lane_ok = (1..=32).contains(&lane.len())
            && lane.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if site_ok && lane_ok { Ok(Self(text.to_owned())) } else { Err(refused()) }
    }
}

impl TryFrom<String> for StationId {
    type Error = StationIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<StationId> for String {
    fn from(station: StationId) -> Self {
        station.0
    }
}

impl fmt::Display for StationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::StationId;

    #[test]
    fn a_station_names_its_site_lane_and_country() {
        let station: StationId = "ruvvo/dep-07".parse().unwrap();
        assert_eq!((station.site(), station.lane()), ("ruvvo", "dep-07"));
        assert_eq!(station.country(), "RU");
    }

    #[test]
    fn a_name_that_could_leave_its_topic_is_refused() {
        for text in ["", "ruvvo", "ruvvo/", "RUVVO/a", "ruvvo/a/b", "ruvvo/+", "ruvvo/#", "r1vvo/a"]
        {
            assert!(text.parse::<StationId>().is_err(), "{text}");
        }
    }
}
