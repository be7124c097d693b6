//! Scenario files: records, the law and the day, and the alerts that must come of them.
//!
//! Owns reading a scenario, running it and saying what differs. It reads no file: callers hand over
//! texts, and the engine with the lists and the policy to judge by.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;
use tidewaiter_proto::alert::{Alert, AlertCode, Outcome, Severity};
use tidewaiter_proto::money::{Amount, Currency};
use tidewaiter_proto::record::Record;

use crate::engine::{Case, Engine};
use crate::history::MemoryHistory;
use crate::policy::Certainty;
use crate::rates::{RateTable, Rates};

/// Why a text is no scenario.
#[derive(Debug, thiserror::Error)]
#[error("not a scenario: {0}")]
pub struct ScenarioError(#[from] serde_json::Error);

/// One scenario.
#[derive(Clone, Debug, Deserialize)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// What it tells, in one sentence, with its source.
    #[serde(default)]
    pub story: String,
    /// Whose law holds: ISO alpha-2 code or a union.
    pub jurisdiction: String,
    /// The instant of the assessment.
    pub now: Timestamp,
    /// The list bundles it needs.
    #[serde(default)]
    pub lists: Vec<String>,
    /// Rates in place of the built-in ones.
    #[serde(default)]
    pub rates: Option<ScenarioRates>,
    /// Records of earlier days.
    #[serde(default)]
    pub history: Vec<Record>,
    /// The records that are assessed.
    pub records: Vec<Record>,
    /// What must come of them.
    #[serde(default)]
    pub expect: Expect,
}

/// Rates as a scenario gives them: units of each currency for one unit of the base.
#[derive(Clone, Debug, Deserialize)]
pub struct ScenarioRates {
    /// Their day.
    pub date: Date,
    /// The currency the others are counted against.
    pub base: Currency,
    /// Units by currency.
    #[serde(flatten)]
    pub units: BTreeMap<Currency, Decimal>,
}

/// What must, and must not, come of a scenario.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Each must be raised.
    #[serde(default)]
    pub alerts: Vec<Pattern>,
    /// None of these codes may be raised.
    #[serde(default)]
    pub none_of: Vec<AlertCode>,
    /// Exactly so many of a code.
    #[serde(default)]
    pub count: BTreeMap<AlertCode, usize>,
    /// One at least must be raised.
    #[serde(default)]
    pub any_of: Vec<Pattern>,
    /// Of each list one at least must be raised.
    #[serde(default)]
    pub any_of_each: Vec<Vec<Pattern>>,
    /// Inspections without an alert above `info`.
    #[serde(default)]
    pub clean: Vec<String>,
    /// Each must be recommended by some alert.
    #[serde(default)]
    pub outcomes: Vec<Outcome>,
}

/// An alert as expected: keys that are given must agree. A key that nobody compares would pass
/// unseen, so an unknown one is refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// Its code.
    pub code: AlertCode,
    /// Its severity.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// Its inspection.
    #[serde(default)]
    pub inspection: Option<String>,
    /// The entry of one of its hits.
    #[serde(default)]
    pub entry: Option<String>,
    /// Its amount, by value.
    #[serde(default)]
    pub amount: Option<Amount>,
    /// Its inspections, as a set.
    #[serde(default)]
    pub group: Option<Vec<String>>,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// [`ScenarioError`] with line and column of what does not fit.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        Ok(serde_json::from_str(text)?)
    }

    /// The alerts that `engine` raises, by the scenario's own rates where it has any.
    pub fn run(&self, engine: &Engine) -> Vec<Alert> {
        let history = MemoryHistory::of(&self.history);
        let case = Case::new(&self.jurisdiction, self.now, &self.records).with_history(&history);
        match &self.rates {
            Some(rates) => engine.clone().with_rates(rates.fixed()).assess(&case),
            None => engine.assess(&case),
        }
    }

    /// What of `alerts` is not as expected, a sentence each; none where all is.
    pub fn differences(&self, alerts: &[Alert]) -> Vec<String> {
        let expect = &self.expect;
        let raised = |pattern: &Pattern| alerts.iter().any(|alert| pattern.fits(alert));
        let mut found = Vec::new();
        for pattern in expect.alerts.iter().filter(|pattern| !raised(pattern)) {
            found.push(format!("missing {}{}", pattern.in_words(), pattern.nearest(alerts)));
        }
        for code in &expect.none_of {
            if let Some(alert) = alerts.iter().find(|alert| alert.code == *code) {
                found.push(format!("unwanted {code}: {}", alert.sentence()));
            }
        }
        for (code, wanted) in &expect.count {
            let count = alerts.iter().filter(|alert| alert.code == *code).count();
            if count != *wanted {
                found.push(format!("{count} of {code} in place of {wanted}"));
            }
        }
        let one_of = std::iter::once(&expect.any_of).filter(|patterns| !patterns.is_empty());
        for patterns in one_of.chain(&expect.any_of_each) {
            if !patterns.iter().any(raised) {
                let words: Vec<String> = patterns.iter().map(Pattern::in_words).collect();
                found.push(format!("none of: {}", words.join(" | ")));
            }
        }
        for inspection in &expect.clean {
            let about = |alert: &&Alert| {
                alert.inspection.as_ref() == Some(inspection) || alert.group.contains(inspection)
            };
            let above = |alert: &&Alert| alert.severity > Severity::Info;
            if let Some(alert) = alerts.iter().filter(about).find(above) {
                found.push(format!("{inspection} is not clean: {}", alert.code));
            }
        }
        for outcome in &expect.outcomes {
            if !alerts.iter().any(|alert| alert.outcomes.contains(outcome)) {
                found.push(format!("nothing recommends {outcome}"));
            }
        }
        found
    }
}

/// Runs a scenario and says what is not as expected.
pub fn check(scenario: &Scenario, engine: &Engine) -> Vec<String> {
    scenario.differences(&scenario.run(engine))
}

impl ScenarioRates {
    /// As the only rates there are, on every day.
    pub fn fixed(&self) -> Rates {
        Rates::fixed(RateTable {
            date: self.date,
            valid_to: None,
            base: self.base,
            source: "the scenario".to_owned(),
            checked_on: None,
            certainty: Certainty::Read,
            units: self.units.clone(),
        })
    }
}

impl Pattern {
    /// Whether an alert is as expected.
    pub fn fits(&self, alert: &Alert) -> bool {
        alert.code == self.code && self.misfits(alert).is_empty()
    }

    /// Which keys of an alert of the same code do not agree, with what it has.
    fn misfits(&self, alert: &Alert) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(severity) = self.severity.filter(|severity| *severity != alert.severity) {
            found.push(format!("severity {} in place of {severity}", alert.severity));
        }
        if self.inspection.is_some() && self.inspection != alert.inspection {
            let own = alert.inspection.as_deref().unwrap_or("none");
            found.push(format!("inspection {own}"));
        }
        if let Some(entry) = &self.entry
            && !alert.hits.iter().any(|hit| hit.entry == *entry)
        {
            let entries: Vec<&str> = alert.hits.iter().map(|hit| hit.entry.as_str()).collect();
            found.push(format!("entries [{}]", entries.join(", ")));
        }
        // Decimals compare by value: 10000 is 10000.00.
        if self.amount.is_some() && self.amount != alert.amount {
            let own = alert.amount.map_or("none".to_owned(), |amount| amount.to_string());
            found.push(format!("amount {own}"));
        }
        if let Some(group) = &self.group {
            let wanted: BTreeSet<&String> = group.iter().collect();
            if wanted != alert.group.iter().collect() {
                found.push(format!("group [{}]", alert.group.join(", ")));
            }
        }
        found
    }

    /// The alert of the same code that comes nearest, and what of it does not agree.
    fn nearest(&self, alerts: &[Alert]) -> String {
        alerts
            .iter()
            .filter(|alert| alert.code == self.code)
            .map(|alert| self.misfits(alert))
            .min_by_key(Vec::len)
            .map_or(String::new(), |misfits| format!(" (there is one with {})", misfits.join(", ")))
    }

    fn in_words(&self) -> String {
        let mut words = self.code.to_string();
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                words.extend([" ", name, " ", &value]);
            }
        };
        add("severity", self.severity.map(|severity| severity.to_string()));
        add("inspection", self.inspection.clone());
        add("entry", self.entry.clone());
        add("amount", self.amount.map(|amount| amount.to_string()));
        add("group", self.group.as_ref().map(|group| format!("[{}]", group.join(", "))));
        words
    }
}
