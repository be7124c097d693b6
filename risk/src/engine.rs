//! Assessing a case: records and history in, explained alerts out.
//!
//! Owns the order of the work and the interface. Each kind of finding has its own module; none of
//! them takes anything from a clock, a file or a network.

use std::sync::Arc;

use jiff::Timestamp;
use tidewaiter_proto::alert::Alert;
use tidewaiter_proto::record::Record;
use tidewaiter_proto::seal::SubjectKey;

mod appraisal;
mod cash;
mod courier;
mod declared;
mod fields;
mod group;
pub mod listed;
mod movement;
mod oversight;
mod premises;
mod raise;
mod route;
mod rules;
mod trips;

use crate::crossing::assemble;
use crate::history::{History, NoHistory};
use crate::policy::PolicyPack;
use crate::rates::Rates;
use crate::rule::Status;
use crate::rule::field::Fields;
use appraisal::Appraisal;
pub use listed::{NoLists, Screener};

/// The risk engine: a policy pack, lists and rates. A clone shares the pack and the lists.
#[derive(Clone)]
pub struct Engine {
    pack: Arc<PolicyPack>,
    screener: Arc<dyn Screener + Send + Sync>,
    rates: Rates,
    subjects: Option<SubjectKey>,
    statuses: Vec<Status>,
    explained: bool,
    language: Option<String>,
}

/// What is to be assessed.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// ISO alpha-2 code or a union; whose law holds.
    pub jurisdiction: &'a str,
    /// The instant of the assessment.
    pub now: Timestamp,
    /// The records, in any order, repeats allowed.
    pub records: &'a [Record],
    /// Earlier crossings; those of `records` are left out by name.
    pub history: &'a dyn History,
    /// Lists that were older than allowed when the station decided: name and day.
    pub stale: &'a [StaleList],
    /// Persons known to be on board, by flight designator, for coverage.
    pub on_board: &'a [(String, u32)],
}

/// A list older than allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleList {
    /// Its name.
    pub name: String,
    /// The day it is of.
    pub as_of: jiff::civil::Date,
}

impl<'a> Case<'a> {
    /// A case without history.
    pub fn new(jurisdiction: &'a str, now: Timestamp, records: &'a [Record]) -> Self {
        Self { jurisdiction, now, records, history: &NoHistory, stale: &[], on_board: &[] }
    }

    /// The case with a history.
    #[must_use]
    pub fn with_history(mut self, history: &'a dyn History) -> Self {
        self.history = history;
        self
    }

    /// The case with lists that were stale.
    #[must_use]
    pub fn with_stale(mut self, stale: &'a [StaleList]) -> Self {
        self.stale = stale;
        self
    }
}

impl Engine {
    /// An engine; `rates` is usually the pack's own.
    pub fn new(
        pack: PolicyPack,
        screener: impl Screener + Send + Sync + 'static,
        rates: Rates,
    ) -> Self {
        let (pack, screener) = (Arc::new(pack), Arc::new(screener));
        let statuses = vec![Status::Active];
        Self { pack, screener, rates, subjects: None, statuses, explained: true, language: None }
    }

    /// The engine with the authority's key, so that alerts carry subject tokens.
    #[must_use]
    pub fn with_subjects(mut self, key: SubjectKey) -> Self {
        self.subjects = Some(key);
        self
    }

    /// The engine running rules of these statuses too: `Shadow` to compare, `Draft` to back-test.
    #[must_use]
    pub fn running(mut self, statuses: &[Status]) -> Self {
        self.statuses = statuses.to_vec();
        self
    }

    /// What the rules of these statuses say about a case, beside those in force: each of their
    /// reasons under the alert it would have been part of.
    pub fn others(&self, statuses: &[Status], case: &Case<'_>) -> Vec<Alert> {
        let all = [&self.statuses, statuses].concat();
        let rules: Vec<(&str, &str)> = self
            .pack
            .rules
            .iter()
            .filter(|rule| statuses.contains(&rule.status))
            .map(|rule| (rule.id.as_str(), rule.version.as_str()))
            .collect();
        if rules.is_empty() {
            return Vec::new();
        }
        let mut alerts = self.clone().running(&all).assess(case);
        for alert in &mut alerts {
            alert.reasons.retain(|reason| {
                rules.contains(&(reason.rule.as_str(), reason.rule_version.as_str()))
            });
        }
        alerts.retain(|alert| !alert.reasons.is_empty());
        alerts
    }

    /// The engine with sentences in this language, where the pack has them.
    #[must_use]
    pub fn speaking(mut self, language: &str) -> Self {
        self.language = Some(language.to_owned());
        self
    }

    /// The engine without sentences and traces, to measure what they cost: never for people.
    #[must_use]
    pub fn unexplained(mut self) -> Self {
        self.explained = false;
        self
    }

    /// The engine with other rates.
    #[must_use]
    pub fn with_rates(mut self, rates: Rates) -> Self {
        self.rates = rates;
        self
    }

    /// The policy pack in force.
    pub fn pack(&self) -> &PolicyPack {
        &self.pack
    }

    /// The rates in force.
    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    /// Every alert about the case, the gravest first. The same case gives the same alerts, in
    /// whatever order its records come and however often each comes.
    pub fn assess(&self, case: &Case<'_>) -> Vec<Alert> {
        let assembled = assemble(case.records);
        let mut appraisals: Vec<Appraisal<'_>> = assembled
            .crossings
            .iter()
            .filter_map(|crossing| Appraisal::of(self, case, crossing))
            .collect();
        group::find_guardians(case, &mut appraisals);
        let mut alerts = Vec::new();
        let mut fields: Vec<Fields<'static>> = appraisals
            .iter()
            .map(|appraisal| self.assess_one(case, appraisal, &appraisals, &mut alerts))
            .collect();
        self.groups(case, &appraisals, &mut alerts);
        self.premises_findings(case, &appraisals, &mut alerts);
        self.stale_lists(case, &assembled.loose, &appraisals, &mut alerts);
        self.coverage(case, &assembled.loose, &appraisals, &mut alerts);
        self.rules_about_alerts(&appraisals, &mut fields, &mut alerts);
        raise::in_order(alerts)
    }

    /// Everything about one crossing by itself; gives its fields for the rules that run last.
    fn assess_one(
        &self,
        case: &Case<'_>,
        appraisal: &Appraisal<'_>,
        all: &[Appraisal<'_>],
        alerts: &mut Vec<Alert>,
    ) -> Fields<'static> {
        self.cash_findings(case, appraisal, alerts);
        self.declaration_findings(appraisal, alerts);
        let trips = self.trips_of(case, appraisal, all);
        self.trip_findings(appraisal, &trips, alerts);
        self.declaration_reused(case, appraisal, all, alerts);
        self.oversight_findings(case, appraisal, all, alerts);
        // The rules ask what the lists said.
        self.list_findings(appraisal, alerts);
        self.rule_findings(appraisal, &trips, alerts)
    }
}
