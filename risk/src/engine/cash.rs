//! Findings about what was carried and not declared, prohibited, or not to be totalled.

use jiff::ToSpan as _;
use rust_decimal::Decimal;
use tidewaiter_proto::alert::{Alert, Severity};

use super::appraisal::{Appraisal, Judged};
use super::raise::{Findings, amount, seen};
use super::{Case, Engine};
use crate::crossing::holdings::{Count, Gold, Holdings, joined, sums_in_words, total_of};
use crate::policy::findings::Finding;
use crate::policy::thresholds::{Comparator, Counted, Purpose, Threshold, TierOf, Together};

/// How far a sum is over its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tier {
    Plain,
    Large,
    EspeciallyLarge,
}

/// Twice the limit over it is large, five times especially large.
const TIERS: [(u32, Tier); 2] = [(5, Tier::EspeciallyLarge), (2, Tier::Large)];

impl Engine {
    pub(super) fn cash_findings(
        &self,
        case: &Case<'_>,
        appraisal: &Appraisal<'_>,
        alerts: &mut Vec<Alert>,
    ) {
        self.recount(appraisal, alerts);
        self.rate_missing(appraisal, alerts);
        if matches!(appraisal.count, Count::Settled(..)) {
            if appraisal.declared.is_none() {
                self.undeclared(appraisal, alerts);
            }
            self.instruments(appraisal, alerts);
            self.gold(appraisal, alerts);
        }
        self.disclosure(case, appraisal, alerts);
        self.origin_documents(appraisal, alerts);
        self.export_prohibited(appraisal, alerts);
    }

    fn recount(&self, appraisal: &Appraisal<'_>, alerts: &mut Vec<Alert>) {
        let (name, records) = match &appraisal.count {
            Count::Disagree(records) => ("recount-disagree", records),
            Count::Uncertain(records) => ("recount-uncertain", records),
            Count::None | Count::Settled(..) => return,
        };
        let counts: Vec<String> = appraisal
            .crossing
            .counts()
            .map(|(_, count)| Holdings::counted(&count.items).in_words())
            .collect();
        let found = Findings {
            seen: vec![seen("cash.counts", joined(&counts, "none"), "two exact counts agree")],
            values: vec![("counts", joined(&counts, "none"))],
            records: records.clone(),
            legal_basis: Some("Evidence: an amount needs an exact count".to_owned()),
            ..Findings::default()
        };
        self.raise(appraisal, name, None, found, alerts);
    }

    /// A currency without a rate: no total without a person.
    fn rate_missing(&self, appraisal: &Appraisal<'_>, alerts: &mut Vec<Alert>) {
        let Some(judged) = appraisal.judged.iter().find(|judged| !judged.total.missing.is_empty())
        else {
            return;
        };
        let missing: Vec<String> = judged.total.missing.iter().map(ToString::to_string).collect();
        let known = amount(judged.threshold.currency, judged.total.amount);
        let found = Findings {
            values: vec![
                ("missing", joined(&missing, "none")),
                ("day", appraisal.money_day.to_string()),
                ("known", known.to_string()),
            ],
            seen: vec![
                seen("rates.missing", joined(&missing, "none"), "a rate of the day"),
                seen("rates.day", appraisal.money_day, ""),
            ],
            records: appraisal.money_records.clone(),
            legal_basis: Some(judged.threshold.legal_basis()),
            ..Findings::default()
        };
        self.raise(appraisal, "rate-missing", None, found, alerts);
    }

    fn undeclared(&self, appraisal: &Appraisal<'_>, alerts: &mut Vec<Alert>) {
        let mut met: Vec<&Judged<'_>> = appraisal
            .of_purpose(Purpose::Declare)
            .filter(|judged| judged.met && !is_the_guardians(appraisal, judged.threshold))
            .filter(|judged| !self.is_declared_by_a_guardian(appraisal, judged))
            .collect();
        met.sort_by(|a, b| {
            let weight = |j: &Judged<'_>| (tier_of(j), super::appraisal::share(j));
            weight(b).cmp(&weight(a)).then_with(|| a.threshold.id.cmp(&b.threshold.id))
        });
        for judged in met {
            let severity = self.severity(appraisal, "undeclared-cash", tier_of(judged));
            let found = undeclared_found(appraisal, judged);
            self.raise(appraisal, "undeclared-cash", severity, found, alerts);
        }
    }

    /// Whether a guardian's form covers what a minor carries, beside the guardian's own cash.
    fn is_declared_by_a_guardian(&self, appraisal: &Appraisal<'_>, judged: &Judged<'_>) -> bool {
        let threshold = judged.threshold;
        is_minor(appraisal, threshold.declares_from)
            && appraisal.guardians.iter().any(|guardian| {
                // Without a count nothing says which part of the form is the guardian's own.
                let own = guardian.counted.then(|| self.trip_total(guardian, threshold)).flatten();
                let own = own.unwrap_or_default();
                let both = own.checked_add(judged.total.amount);
                let declared = self.declared_total(guardian, threshold);
                declared.zip(both).is_some_and(|(declared, both)| declared >= both)
            })
    }

    fn severity(&self, appraisal: &Appraisal<'_>, name: &str, tier: Tier) -> Option<Severity> {
        let finding: &Finding = self.pack.findings.get(name)?;
        let large = finding.severity_large.unwrap_or(finding.severity);
        let especially = finding.severity_especially_large.unwrap_or(large);
        Some(match tier {
            Tier::EspeciallyLarge => especially,
            Tier::Large if appraisal.route.is_high() => especially,
            Tier::Large => large,
            Tier::Plain => finding.severity,
        })
    }

    /// Instruments to bearer that no declaration lists.
    fn instruments(&self, appraisal: &Appraisal<'_>, alerts: &mut Vec<Alert>) {
        let Count::Settled(counted, _) = &appraisal.count else { return };
        let empty = Holdings::default();
        let declared = appraisal.declared.as_ref().unwrap_or(&empty);
        for judged in &appraisal.judged {
            let threshold = judged.threshold;
            let duty = match threshold.purpose {
                Purpose::DeclareInstruments => true,
                Purpose::Declare => judged.met && !is_the_guardians(appraisal, threshold),
                _ => false,
            };
            if !duty {
                continue;
            }
            let mut open = Holdings::default();
            for kind in &threshold.counts {
                match kind {
                    Counted::Instrument => {
                        open.instruments = over(&counted.instruments, &declared.instruments);
                    }
                    Counted::TravellersCheque => {
                        open.cheques = over(&counted.cheques, &declared.cheques);
                    }
                    Counted::Currency | Counted::Gold | Counted::PrepaidCard => {}
                }
            }
            let sums = open.money();
            let total = total_of(&sums, threshold.currency, &self.rates, appraisal.money_day);
            let alone = threshold.purpose == Purpose::DeclareInstruments;
            if sums.is_empty()
                || (alone && !threshold.met_by(total.amount) && total.missing.is_empty())
            {
                continue;
            }
            let tier = if alone { Tier::Plain } else { tier_of(judged) };
            let words = joined(&sums_in_words(&sums), "nothing");
            let found = Findings {
                values: vec![("instruments", words.clone())],
                seen: vec![seen("cash.instruments", words, threshold.in_words())],
                records: appraisal.money_records.clone(),
                legal_basis: Some(threshold.legal_basis()),
                amount: Some(amount(threshold.currency, total.amount)),
                ..Findings::default()
            };
            let severity = self.severity(appraisal, "instrument-undeclared", tier);
            self.raise(appraisal, "instrument-undeclared", severity, found, alerts);
        }
    }

    /// Gold that no declaration lists.
    fn gold(&self, appraisal: &Appraisal<'_>, alerts: &mut Vec<Alert>) {
        let Count::Settled(counted, _) = &appraisal.count else { return };
        for judged in &appraisal.judged {
            let threshold = judged.threshold;
            let grams = counted.grams(threshold);
            let declared = appraisal
                .declared
                .as_ref()
                .map(|declared| declared.grams(threshold))
                .unwrap_or_default();
            let open = (grams - declared).max(Decimal::ZERO);
            let duty = match threshold.purpose {
                Purpose::DeclareGold => {
                    threshold.grams.is_some_and(|limit| threshold.comparator.meets(grams, limit))
                }
                Purpose::Declare => {
                    threshold.counts.contains(&Counted::Gold)
                        && judged.met
                        && !is_the_guardians(appraisal, threshold)
                }
                _ => false,
            };
            if !duty || open.is_zero() {
                continue;
            }
            let pieces = counted.gold.iter().filter(|gold| gold.counts_for(threshold));
            let words: Vec<String> = pieces.map(gold_in_words).collect();
            let by_weight = threshold.purpose == Purpose::DeclareGold;
            let total = (!by_weight).then(|| amount(threshold.currency, judged.total.amount));
            let found = Findings {
                values: vec![
                    ("grams", open.normalize().to_string()),
                    ("pieces", joined(&words, "none")),
                ],
                seen: vec![
                    seen("cash.gold_grams", open.normalize(), threshold.in_words()),
                    seen("cash.gold", joined(&words, "none"), "fine enough to count"),
                ],
                records: appraisal.money_records.clone(),
                legal_basis: Some(threshold.legal_basis()),
                amount: total,
                ..Findings::default()
            };
            let tier = if by_weight { Tier::Plain } else { tier_of(judged) };
            let severity = self.severity(appraisal, "gold-undeclared", tier);
            self.raise(appraisal, "gold-undeclared", severity, found, alerts);
        }
    }

    /// Cash that travels undisclosed, and the day by which an answer is due.
    fn disclosure(&self, case: &Case<'_>, appraisal: &Appraisal<'_>, alerts: &mut Vec<Alert>) {
        if !matches!(appraisal.count, Count::Settled(..)) || appraisal.declared.is_some() {
            return;
        }
        for judged in appraisal.of_purpose(Purpose::Disclose).filter(|judged| judged.met) {
            let threshold = judged.threshold;
            let carried = amount(threshold.currency, judged.total.amount);
            let asked = appraisal
                .crossing
                .counts()
                .map(|(record, _)| record.at)
                .next()
                .unwrap_or_else(|| appraisal.crossing.opened_at());
            let due = threshold
                .days_to_answer
                .and_then(|days| asked.checked_add((days * 24).hours()).ok());
            let days = due.map(|due| format!(" by {}", crate::policy::day_of(due)));
            let found = |values| Findings {
                values,
                seen: vec![
                    seen("cash.total", carried, threshold.in_words()),
                    seen(
                        "disclosure.due",
                        due.map_or("on request".to_owned(), |d| d.to_string()),
                        case.now,
                    ),
                ],
                records: appraisal.money_records.clone(),
                legal_basis: Some(threshold.legal_basis()),
                amount: Some(carried),
                ..Findings::default()
            };
            let values = vec![
                ("carried", carried.to_string()),
                ("limit", threshold.in_words()),
                ("days", days.clone().unwrap_or_default()),
            ];
            self.raise(appraisal, "disclosure-required", None, found(values), alerts);
            if let Some(due) = due.filter(|due| case.now > *due) {
                let values = vec![
                    ("carried", carried.to_string()),
                    ("due", crate::policy::day_of(due).to_string()),
                ];
                self.raise(appraisal, "disclosure-overdue", None, found(values), alerts);
            }
        }
    }

    fn origin_documents(&self, appraisal: &Appraisal<'_>, alerts: &mut Vec<Alert>) {
        let Some(declared) = &appraisal.declared else { return };
        if appraisal.declarations.iter().any(|(_, d)| !d.origin_documents.is_empty()) {
            return;
        }
        let carried = appraisal.carried.as_ref();
        for judged in appraisal.of_purpose(Purpose::ProveOrigin) {
            let threshold = judged.threshold;
            let said = declared.total(threshold, &self.rates, appraisal.money_day);
            let total =
                if carried.is_some() { said.amount.max(judged.total.amount) } else { said.amount };
            if !threshold.met_by(total) {
                continue;
            }
            let carried = amount(threshold.currency, total);
            let found = Findings {
                values: vec![("carried", carried.to_string()), ("limit", threshold.in_words())],
                seen: vec![
                    seen("cash.total", carried, threshold.in_words()),
                    seen("declaration.origin_documents", "none", "at least one"),
                ],
                records: appraisal.money_records.clone(),
                legal_basis: Some(threshold.legal_basis()),
                amount: Some(carried),
                ..Findings::default()
            };
            self.raise(appraisal, "origin-documents-missing", None, found, alerts);
        }
    }

    fn export_prohibited(&self, appraisal: &Appraisal<'_>, alerts: &mut Vec<Alert>) {
        let met = appraisal.of_purpose(Purpose::ExportProhibited).filter(|judged| judged.met);
        for judged in met.filter(|_| appraisal.carried.is_some()) {
            let threshold = judged.threshold;
            let carried = amount(threshold.currency, judged.total.amount);
            let found = Findings {
                values: vec![("carried", carried.to_string()), ("limit", threshold.in_words())],
                seen: vec![
                    seen("cash.total", carried, threshold.in_words()),
                    seen("direction", "exit", "is exit"),
                    seen("law.day", appraisal.money_day, format!("{} in force", threshold.id)),
                ],
                records: appraisal.money_records.clone(),
                legal_basis: Some(threshold.legal_basis()),
                amount: Some(carried),
                ..Findings::default()
            };
            self.raise(appraisal, "export-prohibited", None, found, alerts);
        }
    }
}

fn tier_of(judged: &Judged<'_>) -> Tier {
    let Some(limit) = judged.threshold.amount.filter(|limit| *limit > Decimal::ZERO) else {
        return Tier::Plain;
    };
    let weighed = match judged.threshold.tier_of {
        TierOf::Excess => judged.total.amount - limit,
        TierOf::Whole => judged.total.amount,
    };
    let comparator = judged.threshold.tier_comparator.unwrap_or(Comparator::AtLeast);
    TIERS
        .iter()
        .find(|(factor, _)| {
            let bound = limit.checked_mul(Decimal::from(*factor)).unwrap_or(Decimal::MAX);
            comparator.meets(weighed, bound)
        })
        .map_or(Tier::Plain, |(_, tier)| *tier)
}

fn tier_in_words(tier: Tier) -> &'static str {
    match tier {
        Tier::Plain => "less than twice the limit over it",
        Tier::Large => "twice the limit over it or more",
        Tier::EspeciallyLarge => "five times the limit over it or more",
    }
}

fn level_in_words(appraisal: &Appraisal<'_>) -> &'static str {
    if appraisal.route.is_high() { "high" } else { "not high" }
}

/// What of `counted` exceeds `declared`, by currency.
fn over(
    counted: &crate::crossing::holdings::Sums,
    declared: &crate::crossing::holdings::Sums,
) -> crate::crossing::holdings::Sums {
    counted
        .iter()
        .map(|(currency, amount)| {
            (*currency, *amount - declared.get(currency).copied().unwrap_or_default())
        })
        .filter(|(_, open)| *open > Decimal::ZERO)
        .collect()
}

fn gold_in_words(gold: &Gold) -> String {
    format!(
        "{} of {}, {} g",
        gold.form_in_words(),
        gold.fineness.normalize(),
        gold.grams.normalize()
    )
}

fn undeclared_found(appraisal: &Appraisal<'_>, judged: &Judged<'_>) -> Findings<'static> {
    let threshold = judged.threshold;
    let carried = amount(threshold.currency, judged.total.amount);
    let limit = threshold.limit();
    let over = (judged.total.amount - limit.amount).max(Decimal::ZERO);
    let excess = amount(threshold.currency, over);
    let parts = appraisal.carried.as_ref().map(Holdings::in_words).unwrap_or_default();
    let rates: Vec<String> =
        judged.total.rates.iter().map(super::super::rates::RateUsed::in_words).collect();
    let mut looked = vec![
        seen("cash.counted", &parts, "not declared"),
        seen("cash.total", carried, threshold.in_words()),
        seen("cash.excess", excess, tier_in_words(tier_of(judged))),
        seen("law.day", appraisal.money_day, format!("{} in force", threshold.id)),
    ];
    looked.extend(rates.iter().map(|rate| seen("cash.rate", rate, "rate of the day")));
    looked.push(seen("route.level", level_in_words(appraisal), "high weighs more"));
    Findings {
        values: vec![
            (
                "carried",
                if rates.is_empty() { parts } else { format!("{parts}, {carried} in all,") },
            ),
            ("law", "a sum".to_owned()),
            ("limit", threshold.in_words()),
            (
                "again",
                if threshold.again_within_days.is_some() {
                    " on a second trip within days".to_owned()
                } else if is_minor(appraisal, threshold.declares_from) {
                    " by the adult who accompanies a minor".to_owned()
                } else {
                    String::new()
                },
            ),
            ("excess_sentence", format!("It is {excess} over the limit.")),
            (
                "rates",
                if rates.is_empty() {
                    String::new()
                } else {
                    format!(" Rates: {}.", rates.join("; "))
                },
            ),
        ],
        seen: looked,
        records: appraisal.money_records.clone(),
        legal_basis: Some(threshold.legal_basis()),
        amount: Some(carried),
        ..Findings::default()
    }
}

/// Whether a minor's cash is the guardian's under this law.
pub(super) fn is_the_guardians(appraisal: &Appraisal<'_>, threshold: &Threshold) -> bool {
    is_minor(appraisal, threshold.adult_from)
        && !appraisal.guardians.is_empty()
        && threshold.together.contains(&Together::Guardian)
}

/// Whether the traveller is known to be younger than a law's age.
fn is_minor(appraisal: &Appraisal<'_>, adult_from: Option<i16>) -> bool {
    adult_from.zip(appraisal.age()).is_some_and(|(adult, age)| age < adult)
}
