//! The risk engine as the server runs it: with everybody's history.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tidewaiter_proto::alert::{Alert, AlertCode, ListHit, Reason};
use tidewaiter_proto::record::Record;
use tidewaiter_proto::seal::SubjectKey;
use tidewaiter_proto::station::StationId;
use tidewaiter_risk::crossing::assemble;
use tidewaiter_risk::engine::{Case, Engine};
use tidewaiter_risk::history::{Digest, MemoryHistory};
use tidewaiter_risk::policy::findings::fill;
use tidewaiter_risk::policy::{PolicyPack, day_of};
use tidewaiter_risk::rule::Status;

use crate::authority::Authority;
use crate::configuration::Policy;
use crate::facts::Calendar;
use crate::law::{self, Law};
use crate::store::{AlertRow, ShadowHit};

/// Judges cases, and remembers what they say for later ones.
pub struct Judge {
    engine: Engine,
    subjects: SubjectKey,
    history: MemoryHistory,
    jurisdiction: Option<String>,
    versions: BTreeMap<String, String>,
}

/// What came of a case.
#[derive(Debug, Default)]
pub struct Judged {
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// What rules in shadow would have added.
    shadow: Vec<Alert>,
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
        Ok(Self::by(&law, policy.jurisdiction.clone(), authority))
    }

    /// A judge by a law; without a jurisdiction each station's own holds.
    pub fn by(law: &Law, jurisdiction: Option<String>, authority: &Authority) -> Self {
        let (versions, subjects) = (law.versions(), authority.subjects.clone());
        let engine = law.clone().engine().with_subjects(subjects.clone());
        Self { engine, subjects, history: MemoryHistory::default(), jurisdiction, versions }
    }

    /// Judges by another law from now on, and remembers what it knew.
    pub fn take_law(&mut self, law: &Law) {
        self.versions = law.versions();
        self.engine = law.clone().engine().with_subjects(self.subjects.clone());
    }

    /// Versions of the policy and the lists it judges by.
    pub fn versions(&self) -> &BTreeMap<String, String> {
        &self.versions
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
        let shadow = self.engine.others(&[Status::Shadow], &case);
        let mut digests = BTreeMap::new();
        for digest in assemble(records).crossings.iter().flat_map(Digest::of_each) {
            match serde_json::to_string(&digest) {
                Ok(text) => {
                    digests.insert((digest.station, digest.inspection.into()), text);
                }
                Err(error) => tracing::error!(%error, "a digest cannot be written"),
            }
        }
        Judged { alerts, shadow, digests }
    }

    /// Whether rules in shadow are to be compared.
    pub fn has_shadow(&self) -> bool {
        self.engine.pack().rules.iter().any(|rule| rule.status == Status::Shadow)
    }

    /// When the high-risk movement that a record tells of leaves.
    pub fn high_risk_departure(&self, record: &Record) -> Option<Timestamp> {
        self.engine.high_risk_departure(record)
    }

    /// How many hours after it left a movement is looked at.
    pub fn wait_hours(&self) -> i64 {
        self.engine.pack().patterns.coverage.wait_hours
    }

    /// What the records of a movement and of the inspections of its site say of its coverage.
    pub fn coverage(&self, station: &StationId, now: Timestamp, records: &[Record]) -> Vec<Alert> {
        let jurisdiction = self.jurisdiction_of(station, now);
        let mut alerts = self.engine.assess(&Case::new(&jurisdiction, now, records));
        alerts.retain(|alert| alert.code == AlertCode::CoverageGap);
        alerts
    }

    /// Matches of an inspection that are new although its records are not: a list has changed. What
    /// was said of that before is said again as long as the match stands.
    pub fn looking_back(
        &self,
        found: &[Alert],
        stored: &[AlertRow],
        unchanged: bool,
        now: Timestamp,
    ) -> Vec<Alert> {
        let said = |code: AlertCode, hit: &ListHit| {
            stored.iter().filter(|row| row.alert.code == code).any(|row| has(&row.alert, hit))
        };
        let mut more: Vec<Alert> = Vec::new();
        for alert in found.iter().filter(|alert| alert.code == AlertCode::ListMatch) {
            let kept = stored
                .iter()
                .map(|row| &row.alert)
                .find(|old| old.code == AlertCode::RetroMatch && old.id == retro_id(alert));
            if let Some(kept) = kept {
                more.push(kept.clone());
                continue;
            }
            let new = |hit: &&ListHit| {
                !said(AlertCode::ListMatch, hit) && !said(AlertCode::RetroMatch, hit)
            };
            let hits: Vec<ListHit> = alert.hits.iter().filter(new).cloned().collect();
            if unchanged && !hits.is_empty() {
                more.extend(self.retro(alert, hits, now));
            }
        }
        more
    }

    fn retro(&self, alert: &Alert, hits: Vec<ListHit>, now: Timestamp) -> Option<Alert> {
        let finding = self.engine.pack().findings.get("retro-match-again")?;
        let day = day_of(now).to_string();
        let values = [("day", day), ("sentence", alert.sentence().to_owned())];
        let first = alert.reasons.first()?;
        let reason = Reason {
            rule: finding.id.clone(),
            rule_version: finding.version.clone(),
            text: fill(&finding.text, &values),
            ..first.clone()
        };
        Some(Alert {
            id: retro_id(alert),
            code: finding.code,
            severity: finding.severity,
            outcomes: finding.outcomes.clone(),
            reasons: vec![reason],
            hits,
            ..alert.clone()
        })
    }

    /// Whose law and calendar the clocks of a station's inspections run by.
    pub fn calendar(&self, station: &StationId, now: Timestamp) -> Calendar {
        let (pack, country) = (self.engine.pack(), station.country());
        let mut regimes = pack.regimes(&country, day_of(now));
        let own = self.jurisdiction_of(station, now);
        if !regimes.contains(&own) {
            regimes.push(own);
        }
        Calendar { regimes, country }
    }

    fn jurisdiction_of(&self, station: &StationId, now: Timestamp) -> String {
        jurisdiction_of(self.engine.pack(), self.jurisdiction.as_deref(), station, now)
    }
}

fn has(alert: &Alert, hit: &ListHit) -> bool {
    alert.hits.iter().any(|own| own.list == hit.list && own.entry == hit.entry)
}

fn retro_id(alert: &Alert) -> String {
    format!("retro-{}", alert.id)
}

impl Judged {
    /// What rules in shadow would have raised about an inspection.
    pub fn shadow_of(&self, inspection: &str) -> Vec<ShadowHit> {
        let about = self.shadow.iter().filter(|a| a.inspection.as_deref() == Some(inspection));
        about
            .flat_map(|alert| {
                let also = self.alerts.iter().any(|own| own.id == alert.id);
                alert.reasons.iter().map(move |reason| ShadowHit {
                    rule: reason.rule.clone(),
                    version: reason.rule_version.clone(),
                    code: alert.code,
                    severity: alert.severity,
                    also,
                })
            })
            .collect()
    }

    /// What is to be remembered of an inspection.
    pub fn digest_of(&self, station: &StationId, inspection: &str) -> Option<String> {
        self.digests.get(&(station.clone(), inspection.to_owned())).cloned()
    }
}

/// Whose law holds at a station: as configured, else that of its site's country, which for a member
/// of the European Union is the Union's.
pub fn jurisdiction_of(
    pack: &PolicyPack,
    configured: Option<&str>,
    station: &StationId,
    now: Timestamp,
) -> String {
    if let Some(configured) = configured {
        return configured.to_owned();
    }
    let country = station.country();
    let union = pack.belongs(&country, UNION, day_of(now));
    if union { UNION.to_owned() } else { country }
}

/// The one union whose members have no limit of their own.
const UNION: &str = "EU";

#[cfg(test)]
mod tests;
