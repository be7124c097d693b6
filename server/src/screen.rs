//! Questions to the lists, as the command line and the interface take them, and their answers.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidewaiter_risk::lists::EntryKind;
use tidewaiter_risk::policy::PolicyPack;
use tidewaiter_risk::screening::{Asked, Hit, Index, Network, Question, QuestionError};

/// A question with the asker's own word for it.
#[derive(Clone, Debug, Deserialize)]
pub struct Line {
    /// Given back with the answer.
    #[serde(default)]
    pub id: Value,
    /// Who or what is asked about.
    #[serde(flatten)]
    pub question: Question,
}

/// An entry that may be who was asked about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// Name of the list.
    pub list: String,
    /// The list's own id.
    pub entry: String,
    /// What is listed.
    pub kind: EntryKind,
    /// The listed name that fits best.
    pub name: String,
    /// How alike the names are, 0 to 1.
    pub score: f64,
    /// How much supports that it is the same, 0 to 1.
    pub evidence: f64,
    /// Why, a sentence each.
    pub explanation: Vec<String>,
    /// Under what it is listed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub programme: String,
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// Something in it is not valid.
    #[error(transparent)]
    Question(#[from] QuestionError),
    /// It names nothing: whatever came of it would be no answer.
    #[error("there is neither a name nor a number nor an address to look for")]
    Empty,
}

impl Line {
    /// The answer of the lists on a day, the likeliest first; what has expired by then is left out.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub fn ask(&self, lists: &Index, threshold: f64, day: Date) -> Result<Vec<Found>, NoAnswer> {
        let asked = asked(&self.question, day)?;
        Ok(lists.screen_from(&asked, threshold).into_iter().map(Found::from).collect())
    }
}

/// What links who is asked about to listed parties on a day, by the names and premises of a pack.
///
/// # Errors
/// [`NoAnswer`].
pub fn network(
    question: &Question,
    lists: &Index,
    pack: &PolicyPack,
    day: Date,
) -> Result<Network, NoAnswer> {
    Ok(lists.network(&asked(question, day)?, &pack.families, &pack.premises))
}

fn asked(question: &Question, day: Date) -> Result<Asked, NoAnswer> {
    let mut asked = question.asked()?;
    asked.on = Some(day);
    if asked.names.is_empty() && asked.identifiers.is_empty() && asked.addresses.is_empty() {
        return Err(NoAnswer::Empty);
    }
    Ok(asked)
}

impl From<Hit> for Found {
    fn from(hit: Hit) -> Self {
        Self {
            list: hit.list,
            entry: hit.entry,
            kind: hit.kind,
            name: hit.name,
            score: hit.score,
            evidence: hit.evidence,
            explanation: hit.explanation,
            programme: hit.programme,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, NoAnswer};
    use jiff::civil::date;
    use tidewaiter_risk::screening::{Index, POSSIBLE};

    fn ask(text: &str) -> Result<Vec<String>, NoAnswer> {
        let line: Line = serde_json::from_str(text).unwrap();
        let hits = line.ask(&Index::built_in().unwrap(), POSSIBLE, date(2026, 11, 24))?;
        Ok(hits.into_iter().map(|hit| format!("{}/{}", hit.list, hit.entry)).collect())
    }

    #[test]
    fn a_listed_name_is_found_and_whole_records_may_be_handed_in() {
        let hits = ask(r#"{"id":1,"kind":"organisation","name":"Rungrado General Trading"}"#);
        assert!(hits.unwrap().contains(&"ofac/19613".to_owned()));
        let person = r#"{"kind":"person","surname":"NOBODY","given_names":"AT ALL","sex":"F",
            "document":{"type":"passport","number":"1","issuing_state":"FRA"},"x":[]}"#;
        assert!(ask(person).is_ok());
    }

    #[test]
    fn a_question_about_nothing_is_refused() {
        assert_eq!(ask(r#"{"name":" "}"#), Err(NoAnswer::Empty));
        assert!(matches!(ask(r#"{"kind":"x","name":"a"}"#), Err(NoAnswer::Question(_))));
    }
}
