//! Search over everything: names in any script, documents, aircraft, ships, addresses, amounts.

use rust_decimal::Decimal;
use tidewaiter_people::role::Permission;
use tidewaiter_proto::record::Record;
use tidewaiter_risk::screening::{Matcher, POSSIBLE};

use super::{AppState, sites};
use crate::facts::{Sought, findables, hundredths, keyed_terms};
use crate::people::Actor;
use crate::store::{AlertFilter, AlertRow, InspectionRow, Note, StoreError};

/// What somebody looks for.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The text.
    pub text: String,
    /// As what; as anything when absent.
    pub kind: Option<Sought>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Inspections, the best first, each with why.
    pub inspections: Vec<(InspectionRow, FoundWhy)>,
    /// Alerts that contain the text.
    pub alerts: Vec<AlertRow>,
}

/// Why an inspection was found.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct FoundWhy {
    /// As what: the name of a kind, `amount`, `subject` or `text`.
    pub kind: &'static str,
    /// What stands there.
    pub text: String,
    /// How alike, 0 to 1.
    pub score: f64,
}

impl AppState {
    /// Looks for a text everywhere this person may see. That somebody looked, and for what kind of
    /// thing, is kept; for whom is kept keyed, so that the audit can tell repeats and holds no name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find(
        &self,
        actor: &Actor,
        question: &Question,
        limit: i64,
    ) -> Result<Found, StoreError> {
        let text = question.text.trim();
        let limit = limit.clamp(1, super::PAGE_MAX);
        let token = hex::encode(self.inner.opener.term("question", &text.to_lowercase()));
        let kind = question.kind.map_or("any", Sought::as_str);
        let note = Note::done(actor.id(), "search", token).with("kind", kind);
        self.store().note(note, self.people().now()).await?;
        if text.is_empty() {
            return Ok(Found::default());
        }
        let seen = sites(actor, Permission::InspectionRead);
        let mut found: Vec<(InspectionRow, FoundWhy)> = Vec::new();
        if question.kind.is_none()
            && let Some((currency, amount)) = amount(text)
        {
            let wanted = hundredths(amount);
            let rows = self.store().inspections_of_amount(&seen, wanted, &currency, limit).await?;
            for row in rows {
                add(&mut found, row, "amount", text.to_owned(), 1.0);
            }
        }
        let kinds: Vec<Sought> = match question.kind {
            Some(kind) => vec![kind],
            None => Sought::ALL.to_vec(),
        };
        for kind in kinds {
            self.by_terms(&seen, kind, text, &mut found).await?;
        }
        // Whoever was found by the number of a document is known by its token elsewhere.
        let numbered: Vec<[u8; 16]> = found
            .iter()
            .filter(|(_, why)| why.kind == Sought::Number.as_str())
            .filter_map(|(row, _)| row.subject)
            .collect();
        for subject in numbered.into_iter().take(5) {
            for row in self.store().inspections_of_subject(&seen, &subject, limit).await? {
                add(&mut found, row, "subject", hex::encode(subject), 1.0);
            }
        }
        if question.kind.is_none() {
            for row in self.store().inspections_of_text(&seen, text, limit).await? {
                let designator = row.designator.clone().unwrap_or_default();
                add(&mut found, row, "text", designator, 1.0);
            }
        }
        found.sort_by(|a, b| {
            b.1.score.total_cmp(&a.1.score).then_with(|| b.0.last_at.cmp(&a.0.last_at))
        });
        found.truncate(usize::try_from(limit).unwrap_or(0));
        let filter = AlertFilter { text: text.to_owned(), ..AlertFilter::default() };
        let alerts = self.alerts(actor, &filter, None, limit.min(50)).await?;
        Ok(Found { inspections: found, alerts: alerts.rows })
    }

    /// Candidates share a term; a candidate for a name is opened and compared, for a text of an
    /// address too. A number that agrees agrees.
    async fn by_terms(
        &self,
        seen: &str,
        kind: Sought,
        text: &str,
        found: &mut Vec<(InspectionRow, FoundWhy)>,
    ) -> Result<(), StoreError> {
        let terms = keyed_terms(&self.inner.opener, kind, text);
        for row in self.store().inspections_of_terms(seen, &terms, CANDIDATES).await? {
            let opened = self.inner.opener.open(&row.station, &row.key_id).await?;
            let own = opened.records.into_iter().map(|opened| opened.record);
            let own: Vec<Record> = own
                .filter(|record| record.inspection.as_deref() == Some(row.inspection.as_str()))
                .collect();
            let written = findables(&own).into_iter().filter(|one| one.kind == kind);
            let best = written
                .map(|one| (likeness(kind, text, &one.text), one.text))
                .max_by(|a, b| a.0.total_cmp(&b.0));
            if let Some((score, text)) = best.filter(|(score, _)| *score >= POSSIBLE) {
                add(found, row, kind.as_str(), text, score);
            }
        }
        Ok(())
    }
}

fn likeness(kind: Sought, asked: &str, written: &str) -> f64 {
    match kind {
        Sought::Name => Matcher::score("", asked, written).max(in_name(asked, written)),
        Sought::Address => {
            let written = crate::facts::terms(kind, written);
            let asked = crate::facts::terms(kind, asked);
            let shared = asked.intersection(&written).count();
            share(shared, asked.len())
        }
        Sought::Number | Sought::Tail | Sought::Vessel | Sought::Phone => {
            let same = crate::facts::terms(kind, asked) == crate::facts::terms(kind, written);
            if same { 1.0 } else { 0.0 }
        }
    }
}

/// How well the worst of the words asked for agrees with a word of the name: who types a surname
/// finds all who bear it, behind those whose whole name agrees.
fn in_name(asked: &str, written: &str) -> f64 {
    let best = |word: &str| {
        let scores = written.split_whitespace().map(|own| Matcher::score("", word, own));
        scores.fold(0.0, f64::max)
    };
    PART_OF_A_NAME * asked.split_whitespace().map(best).fold(1.0, f64::min)
}

/// What a part of a name counts against the whole.
const PART_OF_A_NAME: f64 = 0.95;

#[expect(clippy::cast_precision_loss, reason = "a text has far fewer than 2^52 terms")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn add(
    found: &mut Vec<(InspectionRow, FoundWhy)>,
    row: InspectionRow,
    kind: &'static str,
    text: String,
    score: f64,
) {
    let same = |known: &InspectionRow| {
        (&known.station, &known.inspection) == (&row.station, &row.inspection)
    };
    if !found.iter().any(|(known, _)| same(known)) {
        found.push((row, FoundWhy { kind, text, score }));
    }
}

/// An amount with or without its currency: `USD 192,300`, `192300.00`. A text with less than three
/// digits is none: it would find everything.
fn amount(text: &str) -> Option<(String, Decimal)> {
    let mut currency = String::new();
    let mut digits = String::new();
    for word in text.split_whitespace() {
        if word.len() == 3 && word.bytes().all(|b| b.is_ascii_alphabetic()) && currency.is_empty() {
            currency = word.to_ascii_uppercase();
        } else {
            digits.push_str(word);
        }
    }
    let plain: String = digits.chars().filter(|c| !matches!(c, ',' | '\u{a0}' | '\'')).collect();
    let enough = plain.chars().filter(char::is_ascii_digit).count() >= 3;
    let number: Decimal = plain.parse().ok().filter(|_| enough)?;
    Some((currency, number))
}

/// So many inspections that share a term are opened and compared, the likeliest first.
const CANDIDATES: i64 = 200;

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn an_amount_is_read_with_and_without_its_currency() {
        let number = |text: &str| text.parse().unwrap();
        assert_eq!(amount("usd 192,300"), Some(("USD".to_owned(), number("192300"))));
        assert_eq!(amount("192 300.50"), Some((String::new(), number("192300.50"))));
        for none in ["KIM CHOL SU", "42", "P-632", "JS272", ""] {
            assert_eq!(amount(none), None, "{none}");
        }
    }
}
