//! The authority's own rules, run on a crossing.

use tidewaiter_proto::alert::{Alert, Reason};

use super::Engine;
use super::appraisal::Appraisal;
use super::fields::set_alerts;
use super::raise::{amount, put, sorted};
use super::trips::Trip;
use crate::policy::findings::fill;
use crate::rule::Rule;
use crate::rule::field::{Fields, Value};

impl Engine {
    /// Rules about the crossing itself; gives the fields they were held against.
    pub(super) fn rule_findings(
        &self,
        appraisal: &Appraisal<'_>,
        trips: &[Trip],
        alerts: &mut Vec<Alert>,
    ) -> Fields<'static> {
        let fields = self.fields_of(appraisal, trips, alerts);
        for rule in self.running_on(appraisal).filter(|rule| !is_about_alerts(rule)) {
            self.run(appraisal, rule, &fields, alerts);
        }
        fields
    }

    /// Rules about what the other findings say; they run last, and not on each other.
    pub(super) fn rules_about_alerts(
        &self,
        appraisals: &[Appraisal<'_>],
        fields: &mut [Fields<'static>],
        alerts: &mut Vec<Alert>,
    ) {
        let mut more = Vec::new();
        for (appraisal, fields) in appraisals.iter().zip(fields) {
            let mut rules =
                self.running_on(appraisal).filter(|rule| is_about_alerts(rule)).peekable();
            if rules.peek().is_none() {
                continue;
            }
            let own: Vec<&Alert> = alerts.iter().filter(|alert| appraisal.has(alert)).collect();
            set_alerts(&own, fields);
            for rule in rules {
                self.run(appraisal, rule, fields, &mut more);
            }
        }
        for alert in more {
            put(alerts, alert);
        }
    }

    fn running_on<'s>(&'s self, appraisal: &Appraisal<'_>) -> impl Iterator<Item = &'s Rule> {
        let day = appraisal.day;
        self.pack
            .rules
            .iter()
            .filter(move |rule| self.statuses.contains(&rule.status) && rule.in_force(day))
    }

    fn run(
        &self,
        appraisal: &Appraisal<'_>,
        rule: &Rule,
        fields: &Fields<'_>,
        alerts: &mut Vec<Alert>,
    ) {
        if !rule.fires(fields) {
            return;
        }
        let (text, seen) = if self.explained {
            (sentence(rule.text_in(self.language.as_deref()), fields), rule.trace(fields))
        } else {
            (String::new(), Vec::new())
        };
        let reason = Reason {
            rule: rule.id.clone(),
            rule_version: rule.version.clone(),
            text,
            seen,
            records: records_of(appraisal, rule),
            legal_basis: rule.legal_basis.clone(),
        };
        let mut alert = self.alert_of_rule(appraisal, rule, reason);
        if asks_for(rule, "cash.") && appraisal.carried.is_some() {
            alert.amount = appraisal
                .limit()
                .filter(|judged| judged.total.missing.is_empty())
                .map(|judged| amount(judged.threshold.currency, judged.total.amount));
        }
        put(alerts, alert);
    }
}

/// A rule's sentence with the values that it names.
fn sentence(text: &str, fields: &Fields<'_>) -> String {
    let named = text.split('{').skip(1).filter_map(|part| part.split('}').next());
    let values: Vec<(&str, String)> = named
        .map(|name| {
            let value = fields.named(name).map(Value::shown);
            (name, value.unwrap_or_else(|| "what is not known".to_owned()))
        })
        .collect();
    fill(text, &values)
}

fn is_about_alerts(rule: &Rule) -> bool {
    let mut found = false;
    rule.when.each_test(&mut |test| found |= test.field.is_about_alerts());
    found
}

fn asks_for(rule: &Rule, prefix: &str) -> bool {
    let mut found = false;
    rule.when.each_test(&mut |test| found |= test.field.name().starts_with(prefix));
    found
}

/// The records that the fields of a rule were read from.
fn records_of(appraisal: &Appraisal<'_>, rule: &Rule) -> Vec<u64> {
    let crossing = appraisal.crossing;
    let mut records: Vec<u64> = Vec::new();
    let about = |prefixes: &[&str]| prefixes.iter().any(|prefix| asks_for(rule, prefix));
    if about(&[
        "direction",
        "role",
        "channel",
        "mode",
        "movement.",
        "journey.",
        "route.",
        "onward.",
    ]) {
        records.extend(crossing.openings().map(|(record, _)| record.seq));
        records.extend(&appraisal.route.records);
    }
    if about(&["document."]) {
        records.extend(crossing.documents().map(|(seq, _)| seq));
    }
    if about(&["cash.", "declaration."]) {
        records.extend(&appraisal.money_records);
    }
    if about(&["scan."]) {
        records.extend(crossing.scans().map(|(record, _)| record.seq));
    }
    if about(&["officer."]) {
        records.extend(crossing.observations().map(|(record, _)| record.seq));
    }
    if about(&["exemption."]) {
        records.extend(crossing.exemptions().map(|(record, _)| record.seq));
    }
    if about(&["outcome."]) {
        records.extend(crossing.outcomes().map(|(record, _)| record.seq));
        records.extend(crossing.counts().map(|(record, _)| record.seq));
    }
    sorted(records)
}
