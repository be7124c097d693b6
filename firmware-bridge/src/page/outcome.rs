//! The outcome: what the officer decided, with what the law wants said.

use tidewaiter_proto::body::{Decision, OutcomeRecorded};
use tidewaiter_web::form::{Fields, Problems};
use tidewaiter_web::text::Text;

use super::money;
use super::opening::some;

/// Reads the form; what is wrong goes to `problems`, each at its field.
///
/// Detention and seizure need amount, reason, legal basis and seal (Regulation (EU) 2018/1672
/// Art. 7: a statement of reasons). A release over a grave warning needs a reason.
pub(super) fn read(
    text: Text,
    fields: &Fields,
    officer: &str,
    release_needs_reason: bool,
    problems: &mut Problems,
) -> Option<OutcomeRecorded> {
    let chosen = fields.get("decision");
    let Some(decision) = DECISIONS.iter().find(|(code, _)| *code == chosen).map(|(_, d)| *d) else {
        problems.add("decision", text.say("outcome-need-decision"));
        return None;
    };
    let takes_cash = matches!(decision, Decision::Detained | Decision::Seized);
    let items = if takes_cash { money::read(text, fields, problems) } else { Vec::new() };
    let mut reasons: Vec<String> =
        fields.all("reason").iter().map(|code| text.code("outcome-reason", code).into_owned()).collect();
    reasons.extend(some(fields.get("reason-text")));
    let law = some(fields.get("legal_basis"));
    let seal = some(fields.get("seal"));
    if takes_cash && items.is_empty() && problems.is_empty() {
        problems.add("amount-0", text.say("outcome-need-amount"));
    }
    if reasons.is_empty() && (decision != Decision::Released || release_needs_reason) {
        let message = if decision == Decision::Released {
            "outcome-need-release-reason"
        } else {
            "outcome-need-reason"
        };
        problems.add("reason-text", text.say(message));
    }
    if takes_cash && law.is_none() {
        problems.add("legal_basis", text.say("outcome-need-law"));
    }
    if takes_cash && seal.is_none() {
        problems.add("seal", text.say("outcome-need-seal"));
    }
    problems.is_empty().then(|| OutcomeRecorded {
        decision,
        items,
        reasons,
        legal_basis: law.filter(|_| decision != Decision::Released),
        seal: seal.filter(|_| takes_cash),
        officer: officer.to_owned(),
    })
}

pub(super) const DECISIONS: &[(&str, Decision)] = &[
    ("released", Decision::Released),
    ("detained", Decision::Detained),
    ("seized", Decision::Seized),
    ("referred", Decision::Referred),
    ("refused", Decision::Refused),
];

pub(super) const REASONS: &[&str] =
    &["undeclared", "false", "documents", "concealed", "listed", "suspicion"];

#[cfg(test)]
mod tests {
    use super::read;
    use tidewaiter_proto::body::Decision;
    use tidewaiter_web::form::{Fields, Problems};
    use tidewaiter_web::language::Language;
    use tidewaiter_web::text::Text;

    const ENGLISH: Text = Text { language: Language::English };

    fn problems_of(form: &str, grave: bool) -> Vec<String> {
        let mut problems = Problems::default();
        let _read = read(ENGLISH, &Fields::read(form.as_bytes()), "o-11", grave, &mut problems);
        problems.0.into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn a_detention_needs_amount_reason_law_and_seal() {
        let wanted = ["amount-0", "reason-text", "legal_basis", "seal"];
        assert_eq!(problems_of("decision=detained", false), wanted);
        let whole = "decision=detained&kind-0=currency&currency-0=USD&amount-0=182300&\
                     reason=undeclared&legal_basis=Art.+104+EAEU+CC&seal=S-1";
        assert!(problems_of(whole, true).is_empty());
    }

    #[test]
    fn a_release_is_one_press_unless_a_warning_stands() {
        assert!(problems_of("decision=released", false).is_empty());
        assert_eq!(problems_of("decision=released", true), ["reason-text"]);
        assert!(problems_of("decision=released&reason-text=checked", true).is_empty());
    }

    #[test]
    fn a_seal_typed_before_the_decision_changed_is_not_recorded() {
        let mut problems = Problems::default();
        let fields = Fields::read(b"decision=referred&seal=S-1&reason-text=to+the+police");
        let outcome = read(ENGLISH, &fields, "o-11", false, &mut problems).unwrap();
        assert_eq!((outcome.decision, outcome.seal), (Decision::Referred, None));
    }
}
