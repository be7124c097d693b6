//! The risk engine as the server runs it: with everybody's history.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tidewaiter_proto::alert::Alert;
use tidewaiter_proto::record::Record;
use tidewaiter_proto::station::StationId;
use tidewaiter_risk::crossing::assemble;
use tidewaiter_risk::engine::{Case, Engine};
use tidewaiter_risk::history::{Digest, MemoryHistory};
use tidewaiter_risk::policy::day_of;
use tidewaiter_risk::screening::Index;

use crate::authority::Authority;
use crate::configuration::Policy;
use crate::law;

/// Judges cases, and remembers what they say for later ones.
pub struct Judge {
    engine: Engine,
    lists: Index,
    history: MemoryHistory,
    jurisdiction: Option<String>,
    versions: BTreeMap<String, String>,
}

/// What came of a case.
#[derive(Debug, Default)]
pub struct Judged {
    /// The alerts.
    pub alerts: Vec<Alert>,
    digests: BTreeMap<(StationId, String), String>,
}

impl std::fmt::Debug for Judge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Judge({:?}, {} crossings)", self.versions, self.history.len())
    }
}

impl Judge {
    /// A judge by the policy and lists of a configuration; it remembers nothing yet.
    ///
    /// # Errors
    /// When a file of the policy or of a list cannot be read or is not valid.
    pub fn open(policy: &Policy, authority: &Authority) -> anyhow::Result<Self> {
        let law = law::read(policy.directory.as_deref(), policy.lists.as_deref())?;
        let (versions, lists) = (law.versions(), law.lists.clone());
        let engine = law.engine().with_subjects(authority.subjects.clone());
        let jurisdiction = policy.jurisdiction.clone();
        Ok(Self { engine, lists, history: MemoryHistory::default(), jurisdiction, versions })
    }

    /// Versions of the policy and the lists it judges by.
    pub fn versions(&self) -> &BTreeMap<String, String> {
        &self.versions
    }

    /// The lists it judges by.
    pub fn lists(&self) -> &Index {
        &self.lists
    }

    /// Takes in what an earlier inspection says. What another version of the program wrote and
    /// this one cannot read is left out: the records themselves are there to be assessed again.
    pub fn remember(&mut self, digest: &str) {
        match serde_json::from_str::<Digest>(digest) {
            Ok(digest) => self.history.insert(digest),
            Err(error) => tracing::warn!(%error, "an inspection's digest cannot be read"),
        }
    }

    /// Judges the records of one crossing; `station` is where the latest of them came from.
    pub fn judge(&self, station: &StationId, now: Timestamp, records: &[Record]) -> Judged {
        let jurisdiction = self.jurisdiction_of(station, now);
        let case = Case::new(&jurisdiction, now, records).with_history(&self.history);
        let alerts = self.engine.assess(&case);
        let mut digests = BTreeMap::new();
        for crossing in &assemble(records).crossings {
            let Some(digest) = Digest::of(crossing) else { continue };
            for (station, inspection) in &crossing.inspections {
                let own = if (*station, *inspection) == digest.name() {
                    digest.clone()
                } else {
                    emptied(&digest, station, inspection)
                };
                match serde_json::to_string(&own) {
                    Ok(text) => {
                        digests.insert(((*station).clone(), (*inspection).to_owned()), text);
                    }
                    Err(error) => tracing::error!(%error, "a digest cannot be written"),
                }
            }
        }
        Judged { alerts, digests }
    }

    /// Whose law holds at a station: as configured, else that of its site's country, which for a
    /// member of the European Union is the Union's.
    fn jurisdiction_of(&self, station: &StationId, now: Timestamp) -> String {
        let country = || {
            let country = station.country();
            let union = self.engine.pack().belongs(&country, UNION, day_of(now));
            if union { UNION.to_owned() } else { country }
        };
        self.jurisdiction.clone().unwrap_or_else(country)
    }
}

impl Judged {
    /// What is to be remembered of an inspection.
    pub fn digest_of(&self, station: &StationId, inspection: &str) -> Option<String> {
        self.digests.get(&(station.clone(), inspection.to_owned())).cloned()
    }
}

/// What is remembered of an inspection that is part of a crossing known under another name:
/// nothing that finds it, so that no crossing counts twice.
fn emptied(whole: &Digest, station: &StationId, inspection: &str) -> Digest {
    Digest {
        station: station.clone(),
        inspection: inspection.into(),
        persons: Box::default(),
        references: Box::default(),
        owners: Box::default(),
        recipients: Box::default(),
        addresses: Box::default(),
        phones: Box::default(),
        groups: Box::default(),
        route: None,
        carried: None,
        declared: None,
        released_by: None,
        ..whole.clone()
    }
}

/// The one union whose members have no limit of their own.
const UNION: &str = "EU";

#[cfg(test)]
mod tests;
