//! Two policies on the same crossings: what a draft would have added and dropped.
//!
//! Owns counting and the report. Callers hand over each crossing once, in the order of time, with
//! the alerts of both policies and what was decided; nothing here knows where they come from.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;
use tidewaiter_proto::alert::{Alert, AlertCode, Severity};
use tidewaiter_proto::body::Decision;

/// From this severity on a crossing is flagged: somebody has to look.
const FLAGGED_FROM: Severity = Severity::Medium;

/// One crossing as both policies see it.
#[derive(Clone, Copy, Debug)]
pub struct Compared<'a> {
    /// The site of its last inspection.
    pub site: &'a str,
    /// The day it was opened.
    pub day: Date,
    /// Its last inspection.
    pub inspection: &'a str,
    /// What the policy in force says.
    pub active: &'a [Alert],
    /// What the draft says.
    pub draft: &'a [Alert],
    /// What was decided in the end.
    pub decision: Option<Decision>,
    /// Alerts about it that a supervisor has closed: the alert's id and the code of the reason.
    pub closed: &'a [(String, String)],
}

/// What a back-test has found so far.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Crossings compared.
    pub crossings: u64,
    /// Alerts of the policy in force, of the draft, and how they differ.
    pub alerts: Difference,
    /// The same by code of the alert.
    pub by_code: BTreeMap<AlertCode, Difference>,
    /// The same by rule.
    pub by_rule: BTreeMap<String, Difference>,
    /// The same by site.
    pub by_site: BTreeMap<String, Difference>,
    /// The same by day.
    pub by_day: BTreeMap<Date, Difference>,
    /// The same by site, and there by day: what a desk would have had more or less to do.
    pub by_site_and_day: BTreeMap<String, BTreeMap<Date, Difference>>,
    /// How the policy in force did on crossings that were decided.
    pub active: Precision,
    /// How the draft did on them.
    pub draft: Precision,
    /// Alerts that supervisors have closed, by the code of the reason: which of them each raises.
    pub by_reason: BTreeMap<String, Closed>,
    /// How the policy in force did on those alerts.
    pub active_alerts: Precision,
    /// How the draft did on them.
    pub draft_alerts: Precision,
    /// The first crossings that only one of them flags, with what it says.
    pub examples: Vec<Example>,
}

/// Alerts that both raise, and those that only one does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Raised by the draft alone.
    pub added: u64,
    /// Raised by the policy in force alone.
    pub dropped: u64,
    /// Raised by both.
    pub kept: u64,
    /// Of those, how many the draft weighs otherwise.
    pub reweighed: u64,
}

/// How many of the flagged crossings that were decided were worth it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Precision {
    /// Flagged and decided.
    pub decided: u64,
    /// Of those: detained, seized, refused or referred.
    pub confirmed: u64,
    /// Not flagged, and yet detained, seized, refused or referred.
    pub missed: u64,
}

/// Alerts that were closed for one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Closed {
    /// How many.
    pub alerts: u64,
    /// Of those, raised by the policy in force.
    pub active: u64,
    /// Of those, raised by the draft.
    pub draft: u64,
}

/// A crossing that only one policy flags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Where.
    pub site: String,
    /// Which.
    pub inspection: String,
    /// Whether the draft adds it; else it drops it.
    pub added: bool,
    /// The alert's code.
    pub code: AlertCode,
    /// Its sentence.
    pub text: String,
}

/// Reasons that say the alert was worth it, and those that say it was not; another says nothing.
const CONFIRMED: &[&str] = &["detained", "seized", "referred"];
const UNFOUNDED: &[&str] = &["cleared", "declared", "false_positive"];
/// So many examples of each kind are kept.
const EXAMPLES: usize = 20;

impl Precision {
    /// Confirmed as a share of decided; `None` where nothing was decided.
    pub fn share(&self) -> Option<Decimal> {
        Decimal::from(self.confirmed).checked_div(Decimal::from(self.decided))
    }

    fn take(&mut self, flagged: bool, confirmed: bool) {
        self.decided += u64::from(flagged);
        self.confirmed += u64::from(flagged && confirmed);
        self.missed += u64::from(!flagged && confirmed);
    }
}

impl Difference {
    fn take(&mut self, active: bool, draft: bool) {
        self.added += u64::from(draft && !active);
        self.dropped += u64::from(active && !draft);
        self.kept += u64::from(active && draft);
    }
}

impl Report {
    /// Takes in one crossing.
    pub fn add(&mut self, compared: &Compared<'_>) {
        self.crossings += 1;
        let ids: BTreeSet<&str> =
            compared.active.iter().chain(compared.draft).map(|alert| alert.id.as_str()).collect();
        for id in ids {
            let find = |alerts: &'_ [Alert]| alerts.iter().position(|alert| alert.id == id);
            let active = find(compared.active).and_then(|at| compared.active.get(at));
            let draft = find(compared.draft).and_then(|at| compared.draft.get(at));
            self.add_alert(compared, active, draft);
        }
        let flagged = |alerts: &[Alert]| alerts.iter().any(|alert| alert.severity >= FLAGGED_FROM);
        if let Some(decision) = compared.decision {
            let confirmed = decision != Decision::Released;
            self.active.take(flagged(compared.active), confirmed);
            self.draft.take(flagged(compared.draft), confirmed);
        }
        for (id, reason) in compared.closed {
            self.add_closed(compared, id, reason);
        }
    }

    fn add_closed(&mut self, compared: &Compared<'_>, id: &str, reason: &str) {
        let raised = |alerts: &[Alert]| alerts.iter().any(|alert| alert.id == id);
        let (active, draft) = (raised(compared.active), raised(compared.draft));
        let closed = self.by_reason.entry(reason.to_owned()).or_default();
        closed.alerts += 1;
        closed.active += u64::from(active);
        closed.draft += u64::from(draft);
        let confirmed = CONFIRMED.contains(&reason);
        if confirmed || UNFOUNDED.contains(&reason) {
            self.active_alerts.take(active, confirmed);
            self.draft_alerts.take(draft, confirmed);
        }
    }

    fn add_alert(
        &mut self,
        compared: &Compared<'_>,
        active: Option<&Alert>,
        draft: Option<&Alert>,
    ) {
        let Some(alert) = draft.or(active) else { return };
        let (is_active, is_draft) = (active.is_some(), draft.is_some());
        let reweighed = active.zip(draft).is_some_and(|(a, b)| a.severity != b.severity);
        let site = self.by_site.entry(compared.site.to_owned()).or_default();
        let day = self.by_day.entry(compared.day).or_default();
        let code = self.by_code.entry(alert.code).or_default();
        let of_site = self.by_site_and_day.entry(compared.site.to_owned()).or_default();
        let daily = of_site.entry(compared.day).or_default();
        for difference in [&mut self.alerts, site, day, daily, code] {
            difference.take(is_active, is_draft);
            difference.reweighed += u64::from(reweighed);
        }
        let rules = |alert: Option<&Alert>| -> BTreeSet<String> {
            alert.into_iter().flat_map(|a| a.reasons.iter().map(|r| r.rule.clone())).collect()
        };
        let (of_active, of_draft) = (rules(active), rules(draft));
        for rule in of_active.union(&of_draft) {
            let difference = self.by_rule.entry(rule.clone()).or_default();
            difference.take(of_active.contains(rule), of_draft.contains(rule));
        }
        let only_one = is_active != is_draft;
        let alike = self.examples.iter().filter(|example| example.added == is_draft).count();
        if only_one && alike < EXAMPLES {
            self.examples.push(Example {
                site: compared.site.to_owned(),
                inspection: compared.inspection.to_owned(),
                added: is_draft,
                code: alert.code,
                text: alert.sentence().to_owned(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use tidewaiter_proto::alert::Severity;
    use tidewaiter_proto::body::Decision;

    use super::{Compared, Difference, Precision, Report};
    use crate::engine::{Case, Engine, NoLists};
    use crate::policy::PolicyPack;
    use crate::scenario::Scenario;

    /// Alerts of the shoe box, by the pack as it is.
    fn alerts() -> Vec<tidewaiter_proto::alert::Alert> {
        let text = include_str!("../../tests/scenarios/vladivostok-2018-shoe-box.json");
        let scenario = Scenario::parse(text).unwrap();
        let pack = PolicyPack::built_in().unwrap();
        let rates = pack.rates.clone();
        let engine = Engine::new(pack, NoLists, rates);
        engine.assess(&Case::new("RU", scenario.now, &scenario.records))
    }

    #[test]
    fn what_one_policy_alone_raises_is_added_or_dropped_and_the_rest_kept() {
        let all = alerts();
        assert!(all.len() > 2, "{all:?}");
        let (first, rest) = all.split_first().unwrap();
        let mut weaker = all.clone();
        weaker[1].severity = Severity::Low;
        weaker.remove(0);
        let mut report = Report::default();
        let compared = Compared {
            site: "ruvvo",
            day: date(2018, 11, 16),
            inspection: "a",
            active: &all,
            draft: &weaker,
            decision: Some(Decision::Seized),
            closed: &[],
        };
        report.add(&compared);
        let kept = rest.len() as u64;
        let expected = Difference { added: 0, dropped: 1, kept, reweighed: 1 };
        assert_eq!(report.alerts, expected);
        assert_eq!(report.by_site["ruvvo"], expected);
        assert_eq!(report.by_day[&date(2018, 11, 16)], expected);
        assert_eq!(report.by_site_and_day["ruvvo"][&date(2018, 11, 16)], expected);
        assert_eq!(report.by_code[&first.code].dropped, 1);
        assert_eq!((report.examples.len(), report.examples[0].added), (1, false));
        report.add(&Compared { active: &[], draft: &all, decision: None, ..compared });
        assert_eq!(report.alerts.added, all.len() as u64);
    }

    #[test]
    fn precision_counts_only_what_was_decided() {
        let all = alerts();
        let mut report = Report::default();
        let at = |active, draft, decision| Compared {
            site: "ruvvo",
            day: date(2018, 11, 16),
            inspection: "a",
            active,
            draft,
            decision,
            closed: &[],
        };
        report.add(&at(&all, &[], Some(Decision::Seized)));
        report.add(&at(&all, &[], Some(Decision::Released)));
        report.add(&at(&all, &all, None));
        assert_eq!(report.active, Precision { decided: 2, confirmed: 1, missed: 0 });
        assert_eq!(report.draft, Precision { decided: 0, confirmed: 0, missed: 1 });
        assert_eq!(
            report.active.share().map(|share| share.normalize().to_string()).as_deref(),
            Some("0.5")
        );
        assert_eq!(report.draft.share(), None);
    }
    #[test]
    fn what_supervisors_said_of_alerts_is_held_against_both() {
        let all = alerts();
        let closing = |reasons: [&str; 3]| -> Vec<(String, String)> {
            all.iter().zip(reasons).map(|(a, r)| (a.id.clone(), r.to_owned())).collect()
        };
        let closed = closing(["seized", "false_positive", "duplicate"]);
        let mut report = Report::default();
        // The draft drops the second.
        let mut draft = all.clone();
        draft.remove(1);
        report.add(&Compared {
            site: "ruvvo",
            day: date(2018, 11, 16),
            inspection: "a",
            active: &all,
            draft: &draft,
            decision: None,
            closed: &closed,
        });
        assert_eq!(report.active_alerts, Precision { decided: 2, confirmed: 1, missed: 0 });
        assert_eq!(report.draft_alerts, Precision { decided: 1, confirmed: 1, missed: 0 });
        let unfounded = report.by_reason["false_positive"];
        assert_eq!((unfounded.alerts, unfounded.active, unfounded.draft), (1, 1, 0));
        assert_eq!(report.by_reason["duplicate"].draft, 1);
        // Dropping the first loses what was seized.
        report.add(&Compared {
            site: "ruvvo",
            day: date(2018, 11, 16),
            inspection: "a",
            active: &all,
            draft: &all[1..],
            decision: None,
            closed: &closing(["seized", "cleared", "referred"]),
        });
        assert_eq!(report.draft_alerts, Precision { decided: 3, confirmed: 2, missed: 1 });
    }
}
