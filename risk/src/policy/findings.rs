//! What the engine's own findings are called, how much they weigh, and the sentence of each.

use std::collections::BTreeMap;

use serde::Deserialize;
use tidewaiter_proto::alert::{AlertCode, Outcome, Severity};

/// `findings.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    #[serde(default)]
    finding: Vec<Finding>,
}

/// One kind of finding of the engine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The engine's name for it.
    pub id: String,
    /// The alert's code.
    pub code: AlertCode,
    /// Its version, named in every reason.
    pub version: String,
    /// How much it weighs.
    pub severity: Severity,
    /// From the first tier on.
    #[serde(default)]
    pub severity_large: Option<Severity>,
    /// From the second tier on, or from the first on a high-risk movement.
    #[serde(default)]
    pub severity_especially_large: Option<Severity>,
    /// Order within a severity, 0 to 10.
    #[serde(default)]
    pub weight: u32,
    /// The sentence, with `{fields}`.
    pub text: String,
    /// The sentence in other languages, by ISO 639-1 code.
    #[serde(default)]
    pub texts: BTreeMap<String, String>,
    /// Article, where the finding does not rest on a threshold.
    #[serde(default)]
    pub legal_basis: String,
    /// What it recommends.
    #[serde(default)]
    pub outcomes: Vec<Outcome>,
}

impl Finding {
    /// The sentence in a language; in English where it is not there.
    pub fn text_in(&self, language: Option<&str>) -> &str {
        language.and_then(|language| self.texts.get(language)).unwrap_or(&self.text)
    }
}

/// All findings by the engine's name.
#[derive(Clone, Debug, Default)]
pub struct Findings(BTreeMap<String, Finding>);

impl Findings {
    pub(crate) fn new(file: File) -> Self {
        Self(file.finding.into_iter().map(|finding| (finding.id.clone(), finding)).collect())
    }

    /// The finding with this name.
    pub fn get(&self, id: &str) -> Option<&Finding> {
        self.0.get(id)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.0.values()
    }
}

/// Puts values into a sentence: `{name}` becomes the value; an unknown name stays as it is.
pub fn fill(template: &str, values: &[(&str, String)]) -> String {
    let mut text = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let (before, from_brace) = rest.split_at(open);
        text.push_str(before);
        let Some(close) = from_brace.find('}') else {
            rest = from_brace;
            break;
        };
        let name = from_brace.get(1..close).unwrap_or_default();
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => text.push_str(value),
            None => text.push_str(from_brace.get(..=close).unwrap_or_default()),
        }
        rest = from_brace.get(close + 1..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn a_sentence_takes_its_values_and_keeps_what_it_does_not_know() {
        let values = [("sum", "USD 1".to_owned())];
        assert_eq!(fill("{sum} of {who}, {", &values), "USD 1 of {who}, {");
    }
}
