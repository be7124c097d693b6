//! Findings about declarations: against the count, and against what their form requires.

use rust_decimal::Decimal;
use tidewaiter_proto::alert::Alert;
use tidewaiter_proto::body::{DeclarationMade, GroupKind};
use tidewaiter_proto::money::{Amount, Currency};
use tidewaiter_proto::party::{OnBehalfOf, Party};

use super::Engine;
use super::appraisal::Appraisal;
use super::raise::{Findings, amount, seen};
use crate::crossing::holdings::{Count, Holdings, Sums, joined, sums_in_words, total_of};
use crate::policy::forms::Required;
use crate::policy::thresholds::Purpose;

/// Codes of provenance that the contract knows; another is kept and weighs nothing.
const PROVENANCE: &[&str] = &[
    "labour",
    "capital",
    "sale_immovable",
    "sale_movable",
    "loan_person",
    "loan_organisation",
    "gambling",
    "inheritance",
    "gift",
    "business",
    "other",
];
/// Codes of intended use that the contract knows.
const INTENDED_USE: &[&str] = &[
    "personal",
    "wages",
    "charity",
    "immovable",
    "movable",
    "loan_repayment",
    "gambling",
    "ship_cash",
    "professional",
    "goods_services",
    "other",
];

impl Engine {
    pub(super) fn declaration_findings(&self, appraisal: &Appraisal<'_>, alerts: &mut Vec<Alert>) {
        let Some(declared) = &appraisal.declared else { return };
        if let Count::Settled(counted, _) = &appraisal.count {
            self.compare(appraisal, counted, declared, alerts);
        }
        self.incomplete(appraisal, declared, alerts);
    }

    /// Counted against declared, currency by currency, of the kinds that were counted.
    fn compare(
        &self,
        appraisal: &Appraisal<'_>,
        counted: &Holdings,
        declared: &Holdings,
        alerts: &mut Vec<Alert>,
    ) {
        if !self.is_a_duty(appraisal, declared) {
            return;
        }
        let comparable = only_counted_kinds(counted, declared);
        let (found, said) = (counted.money(), comparable.money());
        let tolerance = self.pack.patterns.counting.tolerance;
        let beyond = |sums: Sums| -> Sums {
            let borne = |currency: &Currency| {
                said.get(currency).and_then(|said| said.checked_mul(tolerance)).unwrap_or_default()
            };
            sums.into_iter().filter(|(currency, open)| *open > borne(currency)).collect()
        };
        let more = beyond(difference(&found, &said));
        let less = beyond(difference(&said, &found));
        let (name, sums) = if !more.is_empty() {
            ("false-declaration", more)
        } else if !less.is_empty() && !is_for_others_too(appraisal) {
            ("over-declaration", less)
        } else {
            return;
        };
        let total = self.in_declared_currency(appraisal, &sums, &said);
        let percent = percent_of(&sums, &said);
        let found_words = joined(&sums_in_words(&found), "nothing");
        let said_words = joined(&sums_in_words(&said), "nothing");
        let found = Findings {
            values: vec![
                ("counted", found_words.clone()),
                ("declared", said_words.clone()),
                ("difference", joined(&sums_in_words(&sums), "nothing")),
                ("percent", percent.clone().unwrap_or_else(|| "not declared at all".to_owned())),
            ],
            seen: vec![
                seen("cash.counted", found_words, "as declared"),
                seen("cash.declared", said_words, "as counted"),
                seen("cash.difference", joined(&sums_in_words(&sums), "nothing"), "is nothing"),
            ],
            records: appraisal.money_records.clone(),
            legal_basis: appraisal.limit().map(|judged| judged.threshold.legal_basis()),
            amount: total,
            ..Findings::default()
        };
        self.raise(appraisal, name, None, found, alerts);
    }

    /// Whether the sum declared or carried had to be declared at all; where no limit is known, any.
    fn is_a_duty(&self, appraisal: &Appraisal<'_>, declared: &Holdings) -> bool {
        let mut limits = appraisal
            .judged
            .iter()
            .filter(|judged| {
                let purpose = judged.threshold.purpose;
                matches!(
                    purpose,
                    Purpose::Declare | Purpose::Disclose | Purpose::DeclareInstruments
                )
            })
            .peekable();
        limits.peek().is_none()
            || limits.any(|judged| {
                let said = declared.total(judged.threshold, &self.rates, appraisal.money_day);
                judged.met || judged.threshold.met_by(said.amount) || !said.missing.is_empty()
            })
    }

    /// The difference in the declared currency, where there is one and a rate.
    fn in_declared_currency(
        &self,
        appraisal: &Appraisal<'_>,
        sums: &Sums,
        said: &Sums,
    ) -> Option<Amount> {
        let mut currencies = sums.iter();
        if let (Some((currency, only)), None) = (currencies.next(), currencies.next())
            && (said.contains_key(currency) || said.len() != 1)
        {
            return Some(amount(*currency, *only));
        }
        let target: Currency = *said.keys().next().or_else(|| sums.keys().next())?;
        let total = total_of(sums, target, &self.rates, appraisal.money_day);
        if total.missing.is_empty() {
            return Some(amount(target, total.amount));
        }
        sums.iter().next().map(|(currency, only)| amount(*currency, *only))
    }

    /// What the form requires and the declaration lacks, once the sum has to be declared.
    fn incomplete(&self, appraisal: &Appraisal<'_>, declared: &Holdings, alerts: &mut Vec<Alert>) {
        let duty = appraisal.judged.iter().any(|judged| {
            matches!(judged.threshold.purpose, Purpose::Declare | Purpose::Disclose)
                && judged.threshold.met_by(
                    declared.total(judged.threshold, &self.rates, appraisal.money_day).amount,
                )
        });
        if !duty {
            return;
        }
        let consignment = appraisal.crossing.is_consignment();
        for (record, declaration) in &appraisal.declarations {
            let Some(form) = self.pack.forms.iter().find(|form| form.form == declaration.form)
            else {
                continue;
            };
            let more = form.required_unaccompanied.iter().filter(|_| consignment);
            let missing: Vec<String> = form
                .required
                .iter()
                .chain(more)
                .filter(|field| lacks(declaration, **field))
                .map(|field| field.in_words().to_owned())
                .collect();
            if missing.is_empty() {
                continue;
            }
            let found = Findings {
                values: vec![
                    ("reference", declaration.reference.clone()),
                    ("missing", joined(&missing, "nothing")),
                ],
                seen: vec![seen("declaration.missing", joined(&missing, "nothing"), "nothing")],
                records: vec![record.seq],
                legal_basis: Some(form.article.clone()),
                ..Findings::default()
            };
            self.raise(appraisal, "incomplete-declaration", None, found, alerts);
        }
    }
}

fn lacks(declaration: &DeclarationMade, field: Required) -> bool {
    let nameless = |side: &OnBehalfOf| side.party().is_some_and(party_is_nameless);
    let none_known =
        |codes: &[String], known: &[&str]| !codes.iter().any(|code| known.contains(&code.as_str()));
    match field {
        Required::Reference => declaration.reference.trim().is_empty(),
        Required::OwnerName => nameless(&declaration.owner),
        Required::RecipientName => nameless(&declaration.recipient),
        Required::Provenance => none_known(&declaration.provenance, PROVENANCE),
        Required::IntendedUse => none_known(&declaration.intended_use, INTENDED_USE),
        Required::Sender => declaration.sender.as_ref().is_none_or(party_is_nameless),
    }
}

fn party_is_nameless(party: &Party) -> bool {
    party.name().trim().is_empty()
}

/// What was declared of the kinds that a count of these holdings can have seen.
fn only_counted_kinds(counted: &Holdings, declared: &Holdings) -> Holdings {
    let mut comparable = declared.clone();
    if counted.cheques.is_empty() {
        comparable.cheques.clear();
    }
    if counted.instruments.is_empty() {
        comparable.instruments.clear();
    }
    if counted.prepaid.is_empty() {
        comparable.prepaid.clear();
    }
    comparable
}

/// What of `a` exceeds `b`, by currency.
fn difference(a: &Sums, b: &Sums) -> Sums {
    a.iter()
        .map(|(currency, amount)| {
            (*currency, *amount - b.get(currency).copied().unwrap_or_default())
        })
        .filter(|(_, open)| *open > Decimal::ZERO)
        .collect()
}

/// The difference as a share of what was declared in its currency, in per cent.
fn percent_of(sums: &Sums, said: &Sums) -> Option<String> {
    let (currency, open) = sums.iter().next()?;
    let base = said.get(currency).filter(|base| **base > Decimal::ZERO)?;
    let percent = open.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(*base)?;
    Some(format!("{} %", percent.round_dp(1).normalize()))
}

/// Whether one form may cover several people: a family's members or a guardian's minors carry what one
/// of them declared.
fn is_for_others_too(appraisal: &Appraisal<'_>) -> bool {
    appraisal.crossing.openings().any(|(_, opening)| {
        opening
            .group
            .as_ref()
            .is_some_and(|group| group.kind == GroupKind::Family || group.guardian.unwrap_or(false))
    })
}
