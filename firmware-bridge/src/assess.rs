//! The risk engine at the station: the officer's first warning, with the station's own history.
//!
//! The server judges again with everybody's history; what is said here is never sent as an alert.

use jiff::Timestamp;
use jiff::civil::Date;
use tidewaiter_proto::alert::Alert;
use tidewaiter_proto::body::PolicyApplied;
use tidewaiter_proto::record::Record;
use tidewaiter_risk::crossing::assemble;
use tidewaiter_risk::engine::{Case, Engine, StaleList};
use tidewaiter_risk::history::{Digest, MemoryHistory};
use tidewaiter_risk::policy::{PolicyPack, day_of};

/// Judges the inspections of one station.
pub struct Assessor {
    engine: Engine,
    jurisdiction: String,
    history: MemoryHistory,
    applied: PolicyApplied,
}

impl std::fmt::Debug for Assessor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Assessor({}, {} in history)", self.jurisdiction, self.history.len())
    }
}

impl Assessor {
    /// An assessor with the built-in policy pack and lists, and the history of these records.
    ///
    /// # Errors
    /// When the built-in pack or lists are not valid.
    pub fn built_in(jurisdiction: String, records: &[Record]) -> anyhow::Result<Self> {
        let pack = PolicyPack::built_in()?;
        let screener = tidewaiter_risk::screening::Index::built_in()?;
        let applied = PolicyApplied {
            policy: pack.version.clone(),
            lists: tidewaiter_risk::engine::listed::Screener::versions(&screener),
        };
        let rates = pack.rates.clone();
        let engine = Engine::new(pack, screener, rates);
        Ok(Self { engine, jurisdiction, history: MemoryHistory::of(records), applied })
    }

    /// What every later decision is made under.
    pub fn applied(&self) -> &PolicyApplied {
        &self.applied
    }

    /// The lists in force that are older than the policy allows: what is decided now is decided
    /// under them, and the officer is told.
    pub fn stale(&self, now: Timestamp) -> Vec<StaleList> {
        let allowed = self.engine.pack().patterns.lists.stale_after_days;
        let of_day = |(name, version): (&String, &String)| {
            let as_of: Date = version.get(..10)?.parse().ok()?;
            let age = i64::from((day_of(now) - as_of).get_days());
            (age > allowed).then(|| StaleList { name: name.clone(), as_of })
        };
        self.applied.lists.iter().filter_map(of_day).collect()
    }

    /// The alerts about an inspection, gravest first; what it says is kept as history.
    pub fn assess(&mut self, now: Timestamp, records: &[Record]) -> Vec<Alert> {
        let stale = self.stale(now);
        let case = Case::new(&self.jurisdiction, now, records)
            .with_history(&self.history)
            .with_stale(&stale);
        let alerts = self.engine.assess(&case);
        for crossing in &assemble(records).crossings {
            if let Some(digest) = Digest::of(crossing) {
                self.history.insert(digest);
            }
        }
        alerts
    }
}
