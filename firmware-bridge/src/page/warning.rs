//! What an officer must know at once: the station's alerts, gravest first, in plain words.

use std::time::Duration;

use tidewaiter_proto::alert::{Alert, AlertState, Severity};
use tidewaiter_web::text::Text;

use crate::station::Station;
use tidewaiter_proto::movement::PLACE_UNKNOWN;

/// One warning on the officer's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Warning {
    /// `critical`, `high`, …
    pub(super) severity: &'static str,
    /// What kind, in words.
    pub(super) kind: String,
    /// The sentence to act on.
    pub(super) sentence: String,
    /// What is said beside it.
    pub(super) more: String,
    /// What the system recommends, in words.
    pub(super) duties: Vec<String>,
    /// The law, each article once.
    pub(super) laws: Vec<String>,
    /// Names of listed entries: list, entry, name.
    pub(super) hits: Vec<String>,
    /// The amount it is about.
    pub(super) amount: Option<String>,
}

/// Warnings of an inspection's alerts, gravest first. What the traveller may see is never made of
/// these.
pub(super) fn warnings(text: Text, alerts: &[Alert]) -> Vec<Warning> {
    let mut standing: Vec<&Alert> =
        alerts.iter().filter(|alert| alert.state != AlertState::Closed).collect();
    standing.sort_by_key(|alert| std::cmp::Reverse((alert.severity, alert.score)));
    standing.into_iter().map(|alert| warning(text, alert)).collect()
}

fn warning(text: Text, alert: &Alert) -> Warning {
    let mut laws: Vec<String> = Vec::new();
    for reason in &alert.reasons {
        if !reason.legal_basis.is_empty() && !laws.contains(&reason.legal_basis) {
            laws.push(reason.legal_basis.clone());
        }
    }
    let said = alert.sentence().replace(PLACE_UNKNOWN, &text.say("place-unknown"));
    let (sentence, more) = first_sentence(&said);
    Warning {
        severity: alert.severity.as_str(),
        kind: text.code("alert", alert.code.as_str()).into_owned(),
        sentence: sentence.to_owned(),
        more: more.to_owned(),
        duties: alert
            .outcomes
            .iter()
            .map(|outcome| text.code("outcome", outcome.as_str()).into_owned())
            .collect(),
        laws,
        hits: alert
            .hits
            .iter()
            .map(|hit| format!("{} {}: {}", hit.list, hit.entry, hit.name))
            .collect(),
        amount: alert.amount.as_ref().map(|amount| text.amount(amount)),
    }
}

/// The first sentence of a text, and the others: one sentence is read at a glance.
fn first_sentence(text: &str) -> (&str, &str) {
    match text.split_once(". ") {
        Some((first, more))
            if more.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit()) =>
        {
            (text.get(..=first.len()).unwrap_or(first), more)
        }
        _ => (text, ""),
    }
}

impl Warning {
    /// Whether its sentence is too long to be said loudly.
    pub(super) fn is_long(&self) -> bool {
        self.sentence.chars().count() > LOUD_CHARS
    }
}

/// Waits until the engine has seen every record of an inspection, so that what is shown or asked
/// next knows of it; for a moment only, since an officer must not wait for an engine.
pub(crate) async fn settled(station: &Station, inspection: &str) {
    let mut changes = station.changes();
    let seen =
        async { while !is_settled(station, inspection) && changes.changed().await.is_ok() {} };
    if tokio::time::timeout(SETTLES_WITHIN, seen).await.is_err() {
        tracing::warn!(inspection, "the warnings are late");
    }
}

fn is_settled(station: &Station, inspection: &str) -> bool {
    let records = station.records(inspection).map_or(0, |records| records.len());
    let latest = station.inspections(LATEST);
    let summary = latest.iter().find(|summary| summary.inspection == inspection);
    records == 0 || summary.is_some_and(|summary| summary.records >= records)
}

/// Whether an alert asks for a reason before the traveller is released.
pub(crate) fn needs_reason_to_release(alerts: &[Alert]) -> bool {
    let mut standing = alerts.iter().filter(|alert| alert.state != AlertState::Closed);
    standing.any(|alert| alert.severity >= Severity::High)
}

const LOUD_CHARS: usize = 70;
const SETTLES_WITHIN: Duration = Duration::from_secs(1);
/// Among so many is the one that was recorded to just now.
const LATEST: usize = 16;

#[cfg(test)]
mod tests {
    use super::first_sentence;

    #[test]
    fn the_first_sentence_is_told_from_the_others() {
        for (text, first, more) in [
            (
                "USD 1.5 was carried. It is over. Rates: x.",
                "USD 1.5 was carried.",
                "It is over. Rates: x.",
            ),
            ("Flight no. ten leaves.", "Flight no. ten leaves.", ""),
            ("One sentence.", "One sentence.", ""),
            ("", "", ""),
        ] {
            assert_eq!(first_sentence(text), (first, more));
        }
    }
}
