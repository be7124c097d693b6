//! The outcome: what the officer decided, with what the law wants said.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use tidewaiter_proto::body::{Body, Decision, OutcomeRecorded};
use tidewaiter_web::answer::page_with;
use tidewaiter_web::form::{Fields, Problems};
use tidewaiter_web::frame::Frame;
use tidewaiter_web::text::Text;
use tidewaiter_web::visit::Visit;

use super::money::{self, CURRENCIES, GOLD_FORMS, INSTRUMENTS, PAYEES, choices};
use super::opening::{some, words};
use super::settled;
use super::shown::Shown;
use crate::officers::Officers;
use crate::officers::release::NotAgreed;
use crate::recorder::RecordError;
use crate::station::Station;

/// What an outcome lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    /// The sum that is taken.
    Items,
    /// A reason.
    Reason,
    /// A reason to release over a grave warning.
    ReasonToRelease,
    /// The article it rests on.
    Law,
    /// The number of the bag's seal.
    Seal,
}

impl Lack {
    /// The field of the record.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Self::Items => "items",
            Self::Reason | Self::ReasonToRelease => "reasons",
            Self::Law => "legal_basis",
            Self::Seal => "seal",
        }
    }

    /// Why, for machines' makers.
    pub(crate) fn why(self) -> &'static str {
        match self {
            Self::Items => "items: cash that is detained or seized is named",
            Self::Reason => "reasons: this decision needs a reason",
            Self::ReasonToRelease => "reasons: a release over a grave warning needs a reason",
            Self::Law => "legal_basis: a detention or seizure names its article",
            Self::Seal => "seal: a detention or seizure names the seal of its bag",
        }
    }

    /// Field and message of the form.
    fn on_form(self) -> (&'static str, &'static str) {
        match self {
            Self::Items => ("amount-0", "outcome-need-amount"),
            Self::Reason => ("reason-text", "outcome-need-reason"),
            Self::ReasonToRelease => ("reason-text", "outcome-need-release-reason"),
            Self::Law => ("legal_basis", "outcome-need-law"),
            Self::Seal => ("seal", "outcome-need-seal"),
        }
    }
}

/// What an outcome lacks. Detention and seizure need amount, reason, legal basis and seal
/// (Regulation (EU) 2018/1672 Art. 7: a statement of reasons). A release over a grave warning needs
/// a reason.
pub(crate) fn lacking(outcome: &OutcomeRecorded, grave: bool) -> Vec<Lack> {
    let takes = takes_cash(outcome.decision);
    let released = outcome.decision == Decision::Released;
    let no_reason = outcome.reasons.iter().all(|reason| reason.trim().is_empty());
    let blank = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().is_empty();
    let lacks = [
        (takes && outcome.items.is_empty(), Lack::Items),
        (no_reason && !released, Lack::Reason),
        (no_reason && released && grave, Lack::ReasonToRelease),
        (takes && blank(&outcome.legal_basis), Lack::Law),
        (takes && blank(&outcome.seal), Lack::Seal),
    ];
    lacks.into_iter().filter(|(lacks, _)| *lacks).map(|(_, lack)| lack).collect()
}

fn takes_cash(decision: Decision) -> bool {
    matches!(decision, Decision::Detained | Decision::Seized)
}

/// Reads the form; what is wrong goes to `problems`, each at its field.
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
    let takes = takes_cash(decision);
    let before = problems.0.len();
    let items = if takes { money::read(text, fields, problems) } else { Vec::new() };
    let unread = problems.0.len() > before;
    let mut reasons: Vec<String> = fields
        .all("reason")
        .iter()
        .map(|code| text.code("outcome-reason", code).into_owned())
        .collect();
    reasons.extend(some(fields.get("reason-text")));
    let outcome = OutcomeRecorded {
        decision,
        items,
        reasons,
        legal_basis: some(fields.get("legal_basis")).filter(|_| decision != Decision::Released),
        seal: some(fields.get("seal")).filter(|_| takes),
        officer: officer.to_owned(),
        agreed_by: None,
    };
    for lack in lacking(&outcome, release_needs_reason) {
        let (field, message) = lack.on_form();
        // A row that cannot be read is named already.
        if lack != Lack::Items || !unread {
            problems.add(field, text.say(message));
        }
    }
    problems.is_empty().then_some(outcome)
}

#[derive(Template)]
#[template(path = "station/outcome.html")]
struct OutcomePage {
    frame: Frame,
    shown: Shown,
    fields: Fields,
    problems: Problems,
    decisions: Vec<(&'static str, String)>,
    reasons: Vec<(&'static str, String)>,
    rows: Vec<money::Row>,
    currencies: &'static [&'static str],
    instruments: Vec<(&'static str, String)>,
    payees: Vec<(&'static str, String)>,
    gold_forms: Vec<(&'static str, String)>,
    /// Articles that the warnings name.
    laws: Vec<String>,
    /// Whether releasing what was detained takes a second person here.
    second: bool,
}

pub(super) async fn show(
    State(station): State<Station>,
    Path(id): Path<String>,
    visit: Visit,
) -> Response {
    let mut fields = Fields::default();
    if let Ok(Some(shown)) = Shown::read(visit.text, &station, &id)
        && let Some(count) = shown.tally.counts.last()
    {
        // What was counted last is what would be taken.
        let sums: Vec<_> = count.totals.iter().map(|sum| (sum.currency, sum.amount)).collect();
        money::fill(&mut fields, &sums);
    }
    answer(&station, &visit, &id, fields, Problems::default())
}

pub(super) async fn record(
    State(station): State<Station>,
    State(officers): State<Officers>,
    Path(id): Path<String>,
    visit: Visit,
    mut fields: Fields,
) -> Response {
    if money::pressed(&mut fields) {
        return answer(&station, &visit, &id, fields, Problems::default());
    }
    settled(&station, &id).await;
    let mut problems = Problems::default();
    let grave = super::needs_reason_to_release(&station.alerts(&id));
    let officer = super::actor(visit.text, &visit, &fields, &mut problems);
    let outcome = read(visit.text, &fields, &officer, grave, &mut problems);
    if let Some(outcome) = outcome
        && super::is_known(&station, &id)
    {
        let records = station.records(&id).unwrap_or_default();
        let mut outcome = outcome;
        if officers.takes_two(&records, &outcome) {
            let (shown, pin) = (fields.get("second").to_owned(), fields.raw("second-pin"));
            match officers.second(&records, &officer, &shown, pin.to_owned()).await {
                Ok(second) => outcome.agreed_by = Some(second.id.to_string()),
                Err(NotAgreed::NotIn(error)) => {
                    problems.add("second", super::sign_in::said(&visit, &error).1);
                }
                Err(NotAgreed::NotTheirs(_)) => {
                    problems.add("second", visit.text.say("outcome-second-not"));
                }
            }
        }
        fields.remove("second-pin");
        let body = Body::OutcomeRecorded(outcome);
        let done = super::record(&station, &id, &officer, body, &fields, &mut problems).await;
        if let Some(done) = done {
            return done;
        }
    }
    answer(&station, &visit, &id, fields, problems)
}

fn answer(
    station: &Station,
    visit: &Visit,
    id: &str,
    fields: Fields,
    problems: Problems,
) -> Response {
    match template(station, visit, id, fields, problems) {
        Ok(Some(page)) if page.problems.is_empty() => page_with(StatusCode::OK, &page),
        Ok(Some(page)) => page_with(StatusCode::UNPROCESSABLE_ENTITY, &page),
        Ok(None) => super::nothing_here(visit, station),
        Err(error) => super::failed(visit, station, &error),
    }
}

fn template(
    station: &Station,
    visit: &Visit,
    id: &str,
    mut fields: Fields,
    problems: Problems,
) -> Result<Option<OutcomePage>, RecordError> {
    let text = visit.text;
    let Some(shown) = Shown::read(text, station, id)? else { return Ok(None) };
    super::once(&mut fields);
    let mut laws: Vec<String> = Vec::new();
    for law in shown.warnings.iter().flat_map(|warning| &warning.laws) {
        if !laws.contains(law) {
            laws.push(law.clone());
        }
    }
    let mut frame = super::frame(visit, station, text.say("outcome-title"), "");
    frame.refresh_seconds = 0;
    let detained = matches!(shown.decision, Some(Decision::Detained | Decision::Seized));
    let second = detained && visit.signed_in.is_some();
    Ok(Some(OutcomePage {
        frame,
        second,
        shown,
        decisions: words(text, "outcome-decision", DECISIONS),
        reasons: choices(text, "outcome-reason", REASONS),
        rows: money::rows(&fields),
        currencies: CURRENCIES,
        instruments: choices(text, "instrument", INSTRUMENTS),
        payees: choices(text, "payee", PAYEES),
        gold_forms: choices(text, "gold", GOLD_FORMS),
        laws,
        fields,
        problems,
    }))
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
