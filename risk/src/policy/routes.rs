//! Route risks: what about a movement is a reason to look, by date.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tidewaiter_proto::alert::Outcome;

use super::places::Places;
use super::{Certainty, in_force};

/// `routes.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    #[serde(default)]
    pub(crate) risk: Vec<Risk>,
}

/// How much a route risk weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Shown, and open to rules.
    Elevated,
    /// Raises an alert of its own.
    High,
}

/// One route risk: any of its criteria is enough.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// Stable name.
    pub id: String,
    /// How much it weighs.
    pub level: Level,
    /// Completes "the movement …".
    pub title: String,
    /// States in which the movement or the journey begins or ends.
    #[serde(default)]
    pub countries: Vec<String>,
    /// Places it touches, each by its one code.
    #[serde(default)]
    pub places: Vec<String>,
    /// Carriers, by name or designator.
    #[serde(default)]
    pub carriers: Vec<String>,
    /// Beginnings of aircraft registrations.
    #[serde(default)]
    pub tail_prefixes: Vec<String>,
    /// Whole registrations.
    #[serde(default)]
    pub tails: Vec<String>,
    /// Flag states of vessels.
    #[serde(default)]
    pub flags: Vec<String>,
    /// IMO numbers of vessels.
    #[serde(default)]
    pub imo: Vec<String>,
    /// Routes as `FROM-TO`, each place by its one code.
    #[serde(default)]
    pub routes: Vec<String>,
    /// Recommended beside a detention or seizure on such a movement.
    #[serde(default)]
    pub on_seizure: Vec<Outcome>,
    /// First day.
    #[serde(default)]
    pub valid_from: Option<Date>,
    /// Last day.
    #[serde(default)]
    pub valid_to: Option<Date>,
    /// Article.
    pub article: String,
    /// Where it was read.
    pub source: String,
    /// When.
    pub checked_on: Date,
    /// How sure it is.
    pub certainty: Certainty,
}

impl Risk {
    /// Gives each place its one code, however the file wrote it.
    pub(crate) fn write_places_alike(&mut self, places: &Places) {
        for place in &mut self.places {
            *place = places.canonical(place).into_owned();
        }
        for route in &mut self.routes {
            if let Some((from, to)) = route.split_once('-') {
                *route = format!("{}-{}", places.canonical(from), places.canonical(to));
            }
        }
    }

    /// Whether it is in force on `day`.
    pub fn in_force(&self, day: Date) -> bool {
        in_force(self.valid_from, self.valid_to, day)
    }
}
