//! The numbers of the patterns the engine looks for.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Deserialize;

/// `patterns.toml`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patterns {
    /// Its version, named in every reason.
    pub version: String,
    /// Sums just under the limit.
    pub structuring: Structuring,
    /// Lawful sums again and again.
    pub repeat_courier: RepeatCourier,
    /// Counted against declared.
    pub counting: Counting,
    /// Export against import.
    pub exit_over_entry: Window,
    /// One officer, one route.
    pub collusion: Collusion,
    /// How many of a high-risk movement are inspected.
    pub coverage: Coverage,
    /// Shared addresses and telephones.
    pub shared_address: SharedAddress,
    /// Broken journeys.
    pub broken_journey: Window,
    /// Cash of crew.
    pub crew: Crew,
    /// Signs of crime below the threshold.
    pub suspicion: Suspicion,
    /// Lists.
    pub lists: Lists,
}

/// Sums just under the limit, in time and among people.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Structuring {
    /// Share of the limit from which a sum is just under it.
    pub band_from: Decimal,
    /// So many trips.
    pub trips: usize,
    /// Within so many days.
    pub window_days: i64,
    /// So many people of one booking or address.
    pub group_members: usize,
    /// So many people with one owner.
    pub owner_members: usize,
    /// Within so many hours.
    pub group_window_hours: i64,
}

/// Lawful sums again and again.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepeatCourier {
    /// So many trips.
    pub trips: usize,
    /// Within so many days.
    pub window_days: i64,
    /// So many different owners,
    pub owners: usize,
    /// or a total of so many times the limit.
    pub total_factor: Decimal,
}

/// Counted against declared.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counting {
    /// A difference up to this share of what was declared is none.
    pub tolerance: Decimal,
}

/// A look-back.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Days.
    pub window_days: i64,
}

/// One officer, one route.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collusion {
    /// So many noteworthy releases,
    pub releases: usize,
    /// and at least this share of the route's.
    pub share: Decimal,
    /// Within so many days.
    pub window_days: i64,
}

/// How many of a high-risk movement are inspected.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// At least so many where the number on board is not known.
    pub inspected: usize,
    /// Share of those on board.
    pub share_on_board: Decimal,
    /// So many hours after it left a server looks: records of a station may come late.
    pub wait_hours: i64,
}

/// Shared addresses and telephones.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedAddress {
    /// So many couriers.
    pub couriers: usize,
    /// Within so many days.
    pub window_days: i64,
}

/// Cash of crew.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crew {
    /// Share of the limit that counts on a high-risk movement.
    pub high_risk_share: Decimal,
}

/// Signs of crime below the threshold.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suspicion {
    /// From this sum of weights on.
    pub weight: u32,
    /// And from this share of the limit on.
    pub share_of_threshold: Decimal,
    /// Weight of each indication; an unknown one weighs nothing.
    pub weights: BTreeMap<String, u32>,
}

/// Lists.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lists {
    /// Hits below this score are not shown.
    pub screening_threshold: Decimal,
    /// Stale after so many days.
    pub stale_after_days: i64,
    /// Where a match means a freeze.
    #[serde(default)]
    pub force: Vec<ListForce>,
}

/// Where a list has the force of law.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListForce {
    /// Name of the list.
    pub list: String,
    /// Jurisdictions, `*` for all.
    pub jurisdictions: Vec<String>,
}

impl Lists {
    /// Whether a match on `list` means a freeze under one of `regimes`.
    pub fn freezes(&self, list: &str, regimes: &[String]) -> bool {
        self.force.iter().filter(|force| force.list == list).any(|force| {
            force.jurisdictions.iter().any(|j| j == "*" || regimes.iter().any(|r| r == j))
        })
    }
}
