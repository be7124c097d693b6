//! What a crossing says in the fields that rules may ask for.
//!
//! A field that nobody knows is not set: a rule that hangs on it neither fires nor clears.

use rust_decimal::Decimal;
use serde::Serialize;
use tidewaiter_proto::alert::{Alert, AlertCode};
use tidewaiter_proto::body::{Body, Decision, ScanDecision};
use tidewaiter_proto::movement::PLACE_UNKNOWN;

use super::Engine;
use super::appraisal::{Appraisal, share};
use super::raise::amount;
use super::route::at_place;
use super::trips::{Trip, days_before};
use crate::crossing::holdings::{Count, Holdings, joined};
use crate::lists::country;
use crate::policy::routes::Level;
use crate::rule::field::{Fields, Value};

/// The indication that a refused scan is, whether the officer ticked it or coded it.
const REFUSED_SCAN: &str = "refused_scan";

impl Engine {
    /// The fields of a crossing, but for those about its alerts.
    pub(super) fn fields_of(
        &self,
        appraisal: &Appraisal<'_>,
        trips: &[Trip],
        alerts: &[Alert],
    ) -> Fields<'static> {
        let mut fields = Fields::default();
        fields.set("day", Value::Day(appraisal.day));
        fields.set("regimes", Value::set(appraisal.regimes.clone()));
        let opening = appraisal.crossing.opening();
        fields.set_some("direction", opening.and_then(|o| named(&o.direction)));
        fields.set_some("role", opening.and_then(|o| named(&o.role)));
        fields.set_some("channel", opening.and_then(|o| o.channel.as_ref()).and_then(named));
        self.set_movement(appraisal, &mut fields);
        self.set_journey(appraisal, trips, &mut fields);
        set_document(appraisal, &mut fields);
        set_cash(appraisal, &mut fields);
        set_declaration(appraisal, &mut fields);
        set_scans(appraisal, &mut fields);
        self.set_officer(appraisal, &mut fields);
        set_exemptions(appraisal, &mut fields);
        set_outcome(appraisal, &mut fields);
        set_history(appraisal, trips, &mut fields);
        set_screening(appraisal, alerts, &mut fields);
        fields
    }

    fn set_movement(&self, appraisal: &Appraisal<'_>, fields: &mut Fields<'static>) {
        let Some(movement) = appraisal.crossing.movement() else { return };
        let places = &self.pack.places;
        fields.set_some("mode", named(&movement.mode));
        fields.set_some("movement.label", appraisal.movement_label(self).map(Value::text));
        fields.set("movement.from", Value::text(places.canonical(&movement.from).into_owned()));
        fields.set("movement.to", Value::text(places.canonical(&movement.to).into_owned()));
        let country = |place| places.country(place).map(|c| Value::text(c.into_owned()));
        fields.set_some("movement.from_country", country(&movement.from));
        fields.set_some("movement.to_country", country(&movement.to));
        let carrier = movement.carrier.as_deref().map(|carrier| {
            self.pack.carriers.find(carrier).map_or(carrier, |known| known.name.as_str()).to_owned()
        });
        fields.set_some("movement.carrier", carrier.map(Value::text));
        let tail = movement.tail.as_deref().map(|tail| tail.trim().to_ascii_uppercase());
        fields.set_some("movement.tail", tail.map(Value::text));
        let vessel = movement.vessel.as_ref();
        fields.set_some("movement.vessel", vessel.map(|vessel| Value::text(vessel.name.clone())));
        let flag = vessel.and_then(|vessel| vessel.flag.as_deref());
        fields.set_some("movement.flag", flag.and_then(country::code).map(Value::text));
    }

    fn set_journey(&self, appraisal: &Appraisal<'_>, trips: &[Trip], fields: &mut Fields<'static>) {
        let route = &appraisal.route;
        fields.set("journey.countries", Value::set(route.countries.clone()));
        fields.set("journey.hub_for", Value::set(route.hub_for.clone()));
        let (first, last) = self.ends_of(appraisal);
        fields.set_some("journey.first_country", first.map(Value::text));
        fields.set_some("journey.last_country", last.map(Value::text));
        let level = match route.level() {
            None => "none",
            Some(Level::Elevated) => "elevated",
            Some(Level::High) => "high",
        };
        fields.set("route.level", Value::text(level));
        let ids = route.risks.iter().map(|risk| risk.id.clone());
        fields.set("route.risks", Value::set(ids));
        fields.set("route.reason", Value::text(route.reason()));
        fields.set("onward.high_risk", Value::Flag(!route.onward.is_empty()));
        fields.set("onward.separate", Value::Flag(route.onward_separate));
        if !route.onward.is_empty() {
            fields.set("onward.places", Value::text(joined(&route.onward, "nowhere")));
        }
        fields.set("onward.in_history", Value::Flag(self.hub_and_history(appraisal, trips)));
    }

    /// The states in which the journey begins and ends, following its legs from the movement on.
    fn ends_of(&self, appraisal: &Appraisal<'_>) -> (Option<String>, Option<String>) {
        let Some(movement) = appraisal.crossing.movement() else { return (None, None) };
        let places = &self.pack.places;
        let legs: Vec<_> = appraisal
            .crossing
            .legs()
            .map(|(_, leg)| (places.canonical(&leg.from), places.canonical(&leg.to)))
            .collect();
        let (from, to) = (places.canonical(&movement.from), places.canonical(&movement.to));
        let (mut first, mut last) = (from.as_ref(), to.as_ref());
        // No more steps than legs: a round trip would never end.
        for _ in &legs {
            if let Some((from, _)) = legs.iter().find(|(from, to)| *to == first && *from != last) {
                first = from;
            }
            if let Some((_, to)) = legs.iter().find(|(from, to)| *from == last && *to != first) {
                last = to;
            }
        }
        let country = |place| places.country(place).map(std::borrow::Cow::into_owned);
        (country(first), country(last))
    }

    /// Whether the journey touches a hub for a state that the person's recent trips ended in.
    fn hub_and_history(&self, appraisal: &Appraisal<'_>, trips: &[Trip]) -> bool {
        let hub_for = &appraisal.route.hub_for;
        // Where the way leads is not known before the boarding pass is read.
        let open_end = appraisal.crossing.movement().is_some_and(|m| m.to == PLACE_UNKNOWN);
        if hub_for.is_empty() || open_end {
            return false;
        }
        let opened = appraisal.crossing.opened_at();
        let since = days_before(opened, self.pack.patterns.broken_journey.window_days);
        let high = |place: &str| {
            let country = self.pack.places.country(place);
            let there = country.is_some_and(|c| hub_for.iter().any(|hub| **hub == *c));
            there
                && self.pack.risks.iter().any(|risk| {
                    risk.level == Level::High
                        && risk.in_force(appraisal.day)
                        && at_place(&self.pack, risk, place)
                })
        };
        trips
            .iter()
            .map(|trip| &trip.digest)
            .filter(|digest| !appraisal.is(&digest.station, &digest.inspection))
            .filter(|digest| digest.opened >= since && digest.opened <= opened)
            .any(|digest| digest.places.iter().any(|place| high(place)))
    }

    fn set_officer(&self, appraisal: &Appraisal<'_>, fields: &mut Fields<'static>) {
        let mut codes: Vec<String> = Vec::new();
        let mut refused = false;
        let texts: Vec<String> =
            appraisal.crossing.observations().filter_map(|(_, o)| o.text.clone()).collect();
        if !texts.is_empty() {
            fields.set("officer.text", Value::text(texts.join("; ")));
        }
        for (_, observed) in appraisal.crossing.observations() {
            codes.extend(observed.indications.iter().cloned());
            refused |= observed.refused_scan.unwrap_or(false);
        }
        if refused {
            codes.push(REFUSED_SCAN.to_owned());
        }
        codes.sort();
        codes.dedup();
        let weights = &self.pack.patterns.suspicion.weights;
        let weight: u32 = codes.iter().filter_map(|code| weights.get(code)).sum();
        fields.set("officer.refused_scan", Value::Flag(codes.iter().any(|c| c == REFUSED_SCAN)));
        fields.set("officer.weight", Value::Number(Decimal::from(weight)));
        fields.set("officer.indications", Value::set(codes));
    }
}

/// The fields about the other alerts of a crossing.
pub(super) fn set_alerts(own: &[&Alert], fields: &mut Fields<'static>) {
    let mut codes: Vec<&'static str> = own.iter().map(|alert| alert.code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    fields.set("alerts.codes", Value::set(codes));
    let worst = own.iter().map(|alert| alert.severity).max();
    fields.set("alerts.worst", Value::text(worst.map_or("none", |severity| severity.as_str())));
}

/// A value of the contract by its name in JSON.
fn named<T: Serialize>(value: &T) -> Option<Value<'static>> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => Some(Value::text(name)),
        _ => None,
    }
}

fn total_in_words(carried: &Holdings, appraisal: &Appraisal<'_>) -> String {
    let parts = carried.in_words();
    match appraisal.limit() {
        Some(judged) if !judged.total.rates.is_empty() => {
            let total = amount(judged.threshold.currency, judged.total.amount);
            format!("{parts}, {total} in all,")
        }
        _ => parts,
    }
}

fn set_document(appraisal: &Appraisal<'_>, fields: &mut Fields<'static>) {
    let Some((_, document)) = appraisal.crossing.document() else { return };
    let state = |text: &str| country::code_or_text(text).map(Value::text);
    fields.set_some("document.type", named(&document.kind));
    fields.set_some("document.state", state(&document.issuing_state));
    fields.set_some("document.nationality", document.nationality.as_deref().and_then(state));
    fields.set_some("document.age", appraisal.age().map(|age| Value::Number(Decimal::from(age))));
    let failed = appraisal.crossing.facts.iter().any(|fact| match fact.body.as_ref() {
        Body::DocumentRead(read) => read.checks.values().any(|agrees| !agrees),
        _ => false,
    });
    fields.set("document.checks_failed", Value::Flag(failed));
}

fn set_declaration(appraisal: &Appraisal<'_>, fields: &mut Fields<'static>) {
    if appraisal.declarations.is_empty() {
        return;
    }
    let made = || appraisal.declarations.iter().map(|(_, declaration)| *declaration);
    fields.set("declaration.provenance", Value::set(made().flat_map(|d| d.provenance.clone())));
    fields.set("declaration.intended_use", Value::set(made().flat_map(|d| d.intended_use.clone())));
    let notes: Vec<String> = made().filter_map(|d| d.provenance_note.clone()).collect();
    if !notes.is_empty() {
        fields.set("declaration.note", Value::text(notes.join("; ")));
    }
    let other = made().any(|declaration| declaration.owner.party().is_some());
    fields.set("declaration.owner_is_other", Value::Flag(other));
}

fn set_scans(appraisal: &Appraisal<'_>, fields: &mut Fields<'static>) {
    let mut scans = appraisal
        .crossing
        .scans()
        .map(|(_, scan)| scan)
        .filter(|scan| scan.decision != ScanDecision::Test)
        .peekable();
    if scans.peek().is_none() {
        return;
    }
    let (mut alarm, mut clear, mut currency) = (false, false, false);
    for scan in scans {
        let alarmed = scan.decision == ScanDecision::Alarm;
        alarm |= alarmed;
        clear |= scan.decision == ScanDecision::Clear;
        currency |= alarmed && scan.objects.iter().any(|object| object.category == "currency_like");
    }
    fields.set("scan.alarm", Value::Flag(alarm));
    fields.set("scan.clear", Value::Flag(clear));
    fields.set("scan.currency_alarm", Value::Flag(currency));
}

fn set_exemptions(appraisal: &Appraisal<'_>, fields: &mut Fields<'static>) {
    let exemptions: Vec<_> = appraisal.crossing.exemptions().map(|(_, e)| e).collect();
    if exemptions.is_empty() {
        return;
    }
    fields.set("exemption.kinds", Value::set(exemptions.iter().map(|e| e.kind.clone())));
    let references: Vec<String> = exemptions.iter().map(|e| e.reference.clone()).collect();
    fields.set("exemption.references", Value::text(joined(&references, "none")));
}

fn set_outcome(appraisal: &Appraisal<'_>, fields: &mut Fields<'static>) {
    let Some((_, outcome)) = appraisal.crossing.outcomes().next_back() else { return };
    fields.set_some("outcome.decision", named(&outcome.decision));
    fields.set("outcome.officer", Value::text(outcome.officer.clone()));
    let counted = appraisal.crossing.counts().any(|(_, count)| count.officer == outcome.officer);
    let by_counter = counted && outcome.decision == Decision::Released;
    fields.set("outcome.by_counter", Value::Flag(by_counter));
}

fn set_history(appraisal: &Appraisal<'_>, trips: &[Trip], fields: &mut Fields<'static>) {
    let opened = appraisal.crossing.opened_at();
    let within = |days: i64| {
        let since = days_before(opened, days);
        let earlier = trips.iter().map(|trip| trip.digest.opened);
        Decimal::from(earlier.filter(|at| *at >= since && *at < opened).count())
    };
    fields.set("history.crossings_30d", Value::Number(within(30)));
    fields.set("history.crossings_365d", Value::Number(within(365)));
}

/// From the alerts that the lists have raised already.
fn set_screening(appraisal: &Appraisal<'_>, alerts: &[Alert], fields: &mut Fields<'static>) {
    let by_lists = [AlertCode::ListMatch, AlertCode::ListMatchPossible];
    let hits: Vec<_> = alerts
        .iter()
        .filter(|alert| by_lists.contains(&alert.code) && appraisal.has(alert))
        .flat_map(|alert| &alert.hits)
        .collect();
    let mut lists: Vec<String> = hits.iter().map(|hit| hit.list.clone()).collect();
    lists.sort();
    lists.dedup();
    fields.set("screening.lists", Value::set(lists));
    let best = hits.iter().map(|hit| hit.score).fold(0.0_f64, f64::max);
    fields.set_some("screening.best", Decimal::try_from(best).ok().map(Value::Number));
}

fn set_cash(appraisal: &Appraisal<'_>, fields: &mut Fields<'static>) {
    fields.set("cash.declared", Value::Flag(!appraisal.declarations.is_empty()));
    let settled = match &appraisal.count {
        Count::Settled(counted, _) => Some(counted),
        Count::None | Count::Uncertain(_) | Count::Disagree(_) => None,
    };
    fields.set("cash.counted", Value::Flag(settled.is_some()));
    fields.set_some("cash.count_is_zero", settled.map(|c| Value::Flag(c.is_zero())));
    let Some(carried) = &appraisal.carried else {
        // Counts in doubt say nothing about sums; where nobody counted, no cash is known.
        if appraisal.count == Count::None {
            fields.set("cash.any", Value::Flag(false));
        }
        return;
    };
    fields.set("cash.any", Value::Flag(!carried.is_zero()));
    let grams = carried.gold.iter().filter_map(|gold| gold.grams.checked_mul(gold.fineness));
    fields.set("cash.gold_grams", Value::Number(grams.sum()));
    let Some(judged) = appraisal.limit() else {
        fields.set("cash.total_shown", Value::text(carried.in_words()));
        return;
    };
    let whole = judged.total.missing.is_empty();
    fields.set("cash.total_shown", Value::text(total_in_words(carried, appraisal)));
    // A sum that lacks a rate is at least what is known: it can meet a limit, never miss one.
    if whole || judged.met {
        fields.set("cash.meets_limit", Value::Flag(judged.met));
        fields.set("cash.total", Value::Number(judged.total.amount));
        fields.set("cash.share", Value::Number(share(judged)));
    }
}
