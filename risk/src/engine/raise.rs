//! Making an alert out of a finding: stable id, sentence, score, outcomes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use sha2::{Digest as _, Sha256};
use tidewaiter_proto::alert::{
    Alert, AlertCode, AlertState, ListHit, Outcome, Reason, Seen, Severity,
};
use tidewaiter_proto::document::DocumentKind;
use tidewaiter_proto::money::Amount;
use tidewaiter_proto::station::StationId;

use super::Engine;
use super::appraisal::Appraisal;
use crate::policy::findings::{Finding, fill};
use crate::rates::shown;

/// What a finding adds to its data.
#[derive(Debug, Default)]
pub(super) struct Findings<'v> {
    /// Values of the sentence.
    pub(super) values: Vec<(&'v str, String)>,
    /// Values looked at.
    pub(super) seen: Vec<Seen>,
    /// Records it rests on.
    pub(super) records: Vec<u64>,
    /// Law, where it is not the data's own.
    pub(super) legal_basis: Option<String>,
    /// What it is about.
    pub(super) amount: Option<Amount>,
    /// Listed entries.
    pub(super) hits: Vec<ListHit>,
    /// All inspections of a pattern: station and id, the latest last.
    pub(super) group: Vec<(String, String)>,
    /// What makes two findings of one code about one crossing different.
    pub(super) apart: String,
    /// More outcomes.
    pub(super) outcomes: Vec<Outcome>,
}

/// A value looked at, and its test.
pub(super) fn seen(path: &str, value: impl ToString, test: impl ToString) -> Seen {
    Seen { path: path.to_owned(), value: value.to_string(), test: test.to_string() }
}

/// An amount rounded for showing.
pub(super) fn amount(currency: tidewaiter_proto::money::Currency, amount: Decimal) -> Amount {
    Amount { currency, amount: shown(amount) }
}

/// The id of a finding: the same for the same code about the same thing.
fn id_of(code: AlertCode, about: &[&str]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(code.as_str());
    for part in about {
        hasher.update([0]);
        hasher.update(part);
    }
    let mut id = hex::encode(hasher.finalize());
    id.truncate(32);
    id
}

fn score_of(severity: Severity, weight: u32) -> u32 {
    let base = match severity {
        Severity::Info => 0,
        Severity::Low => 20,
        Severity::Medium => 40,
        Severity::High => 65,
        Severity::Critical => 90,
    };
    (base + weight.min(10)).min(100)
}

impl Engine {
    /// An alert of the finding called `name` about a crossing, at `severity` or the data's own.
    pub(super) fn raise(
        &self,
        appraisal: &Appraisal<'_>,
        name: &str,
        severity: Option<Severity>,
        found: Findings<'_>,
        alerts: &mut Vec<Alert>,
    ) {
        let Some(finding) = self.pack.findings.get(name) else { return };
        let reason = Reason {
            rule: finding.id.clone(),
            rule_version: finding.version.clone(),
            text: if self.explained {
                fill(finding.text_in(self.language.as_deref()), &found.values)
            } else {
                String::new()
            },
            seen: if self.explained { found.seen.clone() } else { Vec::new() },
            records: sorted(found.records.clone()),
            legal_basis: found.legal_basis.clone().unwrap_or_else(|| finding.legal_basis.clone()),
        };
        let severity = severity.unwrap_or(finding.severity);
        let alert = self.alert(appraisal, finding.code, severity, finding, reason, found);
        put(alerts, alert);
    }

    fn alert(
        &self,
        appraisal: &Appraisal<'_>,
        code: AlertCode,
        severity: Severity,
        finding: &Finding,
        reason: Reason,
        found: Findings<'_>,
    ) -> Alert {
        let mut outcomes = finding.outcomes.clone();
        outcomes.extend(found.outcomes);
        let mut alert = self.bare(appraisal, code, severity, finding.weight, &found.apart);
        if let (Some((first_station, first)), Some((station, last))) =
            (found.group.first(), found.group.last())
        {
            let anchor = if found.apart.is_empty() {
                [first_station.as_str(), first]
            } else {
                ["", &found.apart]
            };
            alert.id = id_of(code, &anchor);
            alert.inspection = Some(last.clone());
            if let Ok(station) = station.parse() {
                alert.station = station;
            }
            alert.group = found.group.iter().map(|(_, inspection)| inspection.clone()).collect();
        }
        alert.outcomes = outcomes_for(appraisal, outcomes);
        alert.amount = found.amount;
        alert.hits = found.hits;
        alert.reasons = vec![reason];
        alert
    }

    /// An alert of the finding called `name` about a station where nobody crossed.
    pub(super) fn raise_at(
        &self,
        station: &StationId,
        now: Timestamp,
        name: &str,
        found: Findings<'_>,
        alerts: &mut Vec<Alert>,
    ) {
        let Some(finding) = self.pack.findings.get(name) else { return };
        let legal_basis = found.legal_basis.unwrap_or_else(|| finding.legal_basis.clone());
        let reason = Reason {
            rule: finding.id.clone(),
            rule_version: finding.version.clone(),
            text: fill(finding.text_in(self.language.as_deref()), &found.values),
            seen: found.seen,
            records: sorted(found.records),
            legal_basis,
        };
        put(
            alerts,
            Alert {
                id: id_of(finding.code, &[station.site(), &found.apart]),
                code: finding.code,
                severity: finding.severity,
                score: score_of(finding.severity, finding.weight),
                station: station.clone(),
                inspection: None,
                subject: None,
                amount: found.amount,
                outcomes: finding.outcomes.clone(),
                reasons: vec![reason],
                hits: Vec::new(),
                group: Vec::new(),
                lists: None,
                state: AlertState::New,
                raised_at: now,
            },
        );
    }

    /// An alert of a rule about a crossing.
    pub(super) fn alert_of_rule(
        &self,
        appraisal: &Appraisal<'_>,
        rule: &crate::rule::Rule,
        reason: Reason,
    ) -> Alert {
        let mut alert = self.bare(appraisal, rule.code, rule.severity, rule.weight, "");
        alert.outcomes = outcomes_for(appraisal, rule.outcomes.clone());
        alert.reasons = vec![reason];
        alert
    }

    fn bare(
        &self,
        appraisal: &Appraisal<'_>,
        code: AlertCode,
        severity: Severity,
        weight: u32,
        apart: &str,
    ) -> Alert {
        let subject = self.subjects.as_ref().zip(appraisal.crossing.document()).map(
            |(key, (_, document))| key.token(&document.issuing_state, &document.number).to_hex(),
        );
        let station = appraisal.station.as_str();
        Alert {
            id: id_of(code, &[station, appraisal.inspection, apart]),
            code,
            severity,
            score: score_of(severity, weight),
            station: appraisal.station.clone(),
            inspection: Some(appraisal.inspection.to_owned()),
            subject,
            amount: None,
            outcomes: Vec::new(),
            reasons: Vec::new(),
            hits: Vec::new(),
            group: appraisal.linked(),
            lists: Some(self.screener.versions()).filter(|lists| !lists.is_empty()),
            state: AlertState::New,
            raised_at: appraisal.now,
        }
    }
}

/// Outcomes in order; a report to the committee beside a detention on a sanctioned route; for a
/// protected person the protocol in place of a detention.
fn outcomes_for(appraisal: &Appraisal<'_>, mut outcomes: Vec<Outcome>) -> Vec<Outcome> {
    if outcomes.contains(&Outcome::DetainDutyUnmet) {
        outcomes.extend(appraisal.route.risks.iter().flat_map(|risk| risk.on_seizure.clone()));
        let protected = appraisal
            .crossing
            .document()
            .is_some_and(|(_, document)| document.kind == DocumentKind::DiplomaticPassport);
        if protected {
            outcomes.retain(|outcome| *outcome != Outcome::DetainDutyUnmet);
            outcomes.push(Outcome::SupervisorProtocol);
        }
    }
    outcomes.sort();
    outcomes.dedup();
    outcomes
}

/// Numbers in order, each once.
pub(super) fn sorted(mut records: Vec<u64>) -> Vec<u64> {
    records.sort_unstable();
    records.dedup();
    records
}

/// Adds an alert; one that is already there takes its reasons instead.
pub(super) fn put(alerts: &mut Vec<Alert>, alert: Alert) {
    let Some(own) = alerts.iter_mut().find(|own| own.id == alert.id) else {
        alerts.push(alert);
        return;
    };
    for reason in alert.reasons {
        let known = own.reasons.iter().any(|r| r.rule == reason.rule && r.text == reason.text);
        if !known {
            own.reasons.push(reason);
        }
    }
    own.severity = own.severity.max(alert.severity);
    own.score = own.score.max(alert.score);
    own.outcomes.extend(alert.outcomes);
    own.outcomes.sort();
    own.outcomes.dedup();
    own.amount = own.amount.or(alert.amount);
    for hit in alert.hits {
        if !own.hits.iter().any(|h| h.list == hit.list && h.entry == hit.entry) {
            own.hits.push(hit);
        }
    }
}

/// The gravest first, then by code and place; one of each id.
pub(super) fn in_order(alerts: Vec<Alert>) -> Vec<Alert> {
    let mut by_id: BTreeMap<String, Alert> = BTreeMap::new();
    for alert in alerts {
        by_id.entry(alert.id.clone()).or_insert(alert);
    }
    let mut alerts: Vec<Alert> = by_id.into_values().collect();
    alerts.sort_by(|a, b| {
        (b.severity, b.score, a.code, &a.station, &a.inspection, &a.id).cmp(&(
            a.severity,
            a.score,
            b.code,
            &b.station,
            &b.inspection,
            &b.id,
        ))
    });
    alerts
}
