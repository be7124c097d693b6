//! Rules out of TOML, with the file and the line of everything that is wrong.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::civil::Date;
use rust_decimal::Decimal;
use tidewaiter_proto::alert::{AlertCode, Outcome, Severity};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::field::{FieldId, Kind};
use super::{Compare, Node, Op, Place, Rule, Status, Test};
use crate::policy::{PolicyError, PolicyFile, line_of};

/// Lists and macros that rules of a pack may name.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    lists: BTreeMap<String, Vec<String>>,
    macros: BTreeMap<String, Node>,
}

/// Trees deeper than this are refused.
const DEEPEST: usize = 16;

struct Reader<'a> {
    file: PolicyFile<'a>,
    vocabulary: &'a Vocabulary,
}

type Item<'i> = Spanned<DeValue<'i>>;

impl Vocabulary {
    /// Adds the lists and macros of a file. A macro may name lists and macros above it.
    ///
    /// # Errors
    /// [`PolicyError`] with file and line.
    pub fn read(&mut self, file: PolicyFile<'_>) -> Result<(), PolicyError> {
        let table = table_of(file)?;
        let known = self.clone();
        let reader = Reader { file, vocabulary: &known };
        for item in reader.tables(&table, "list")? {
            let name = reader.required(item, "name")?;
            let values = reader.texts(reader.value(item, "values")?)?;
            reader.only(item, &["name", "values", "source", "checked_on"])?;
            self.lists.insert(name, values);
        }
        for item in reader.tables(&table, "macro")? {
            let known = self.clone();
            let reader = Reader { file, vocabulary: &known };
            let name = reader.required(item, "name")?;
            reader.only(item, &["name", "when"])?;
            let node = reader.node(reader.value(item, "when")?, 0)?;
            self.macros.insert(name, node);
        }
        Ok(())
    }
}

/// The rules of a file.
///
/// # Errors
/// [`PolicyError`] for the first thing that is wrong, with file and line.
pub fn rules(file: PolicyFile<'_>, vocabulary: &Vocabulary) -> Result<Vec<Rule>, PolicyError> {
    let (rules, mut problems) = rules_and_problems(file, vocabulary);
    if problems.is_empty() { Ok(rules) } else { Err(problems.remove(0)) }
}

/// The rules of a file that can be read, and everything that is wrong with the others.
pub fn rules_and_problems(
    file: PolicyFile<'_>,
    vocabulary: &Vocabulary,
) -> (Vec<Rule>, Vec<PolicyError>) {
    let reader = Reader { file, vocabulary };
    let table = match table_of(file) {
        Ok(table) => table,
        Err(error) => return (Vec::new(), vec![error]),
    };
    let mut problems = Vec::new();
    for (key, value) in table.get_ref() {
        if !["rule", "list", "macro"].contains(&key.get_ref().as_ref()) {
            problems.push(reader.wrong(value, format!("unknown table {:?}", key.get_ref())));
        }
    }
    let mut rules = Vec::new();
    match reader.tables(&table, "rule") {
        Ok(items) => {
            for item in items {
                match reader.rule(item) {
                    Ok(rule) => rules.push(rule),
                    Err(problem) => problems.push(problem),
                }
            }
        }
        Err(problem) => problems.push(problem),
    }
    (rules, problems)
}

fn table_of(file: PolicyFile<'_>) -> Result<Spanned<DeTable<'_>>, PolicyError> {
    DeTable::parse(file.text).map_err(|error| PolicyError {
        file: file.name.to_owned(),
        line: error.span().map_or(0, |span| line_of(file.text, span.start)),
        what: error.message().to_owned(),
    })
}

const RULE_KEYS: &[&str] = &[
    "id",
    "version",
    "title",
    "status",
    "code",
    "severity",
    "weight",
    "text",
    "texts",
    "legal_basis",
    "owner",
    "valid_from",
    "valid_to",
    "outcomes",
    "when",
];

impl Reader<'_> {
    fn wrong(&self, item: &Item<'_>, what: impl Into<String>) -> PolicyError {
        PolicyError {
            file: self.file.name.to_owned(),
            line: line_of(self.file.text, item.span().start),
            what: what.into(),
        }
    }

    fn tables<'t, 'i>(
        &self,
        table: &'t Spanned<DeTable<'i>>,
        name: &str,
    ) -> Result<Vec<&'t Item<'i>>, PolicyError> {
        match table.get_ref().get(name) {
            None => Ok(Vec::new()),
            Some(item) => match item.get_ref() {
                DeValue::Array(items) => Ok(items.iter().collect()),
                _ => Err(self.wrong(item, format!("write [[{name}]]"))),
            },
        }
    }

    fn get<'t, 'i>(
        &self,
        item: &'t Item<'i>,
        key: &str,
    ) -> Result<Option<&'t Item<'i>>, PolicyError> {
        match item.get_ref() {
            DeValue::Table(table) => Ok(table.get(key)),
            _ => Err(self.wrong(item, "expected a table")),
        }
    }

    fn value<'t, 'i>(&self, item: &'t Item<'i>, key: &str) -> Result<&'t Item<'i>, PolicyError> {
        self.get(item, key)?.ok_or_else(|| self.wrong(item, format!("{key} is missing")))
    }

    fn text(&self, item: &Item<'_>) -> Result<String, PolicyError> {
        match item.get_ref() {
            DeValue::String(text) => Ok(text.clone().into_owned()),
            _ => Err(self.wrong(item, "expected a text")),
        }
    }

    fn texts(&self, item: &Item<'_>) -> Result<Vec<String>, PolicyError> {
        match item.get_ref() {
            DeValue::Array(items) => items.iter().map(|item| self.text(item)).collect(),
            _ => Ok(vec![self.text(item)?]),
        }
    }

    fn required(&self, item: &Item<'_>, key: &str) -> Result<String, PolicyError> {
        self.text(self.value(item, key)?)
    }

    fn optional(&self, item: &Item<'_>, key: &str) -> Result<Option<String>, PolicyError> {
        self.get(item, key)?.map(|value| self.text(value)).transpose()
    }

    fn parsed<T: FromStr>(&self, item: &Item<'_>, key: &str, what: &str) -> Result<T, PolicyError> {
        let value = self.value(item, key)?;
        let text = self.text(value)?;
        text.parse().map_err(|_| self.wrong(value, format!("{key} {text:?} is not {what}")))
    }

    fn only(&self, item: &Item<'_>, keys: &[&str]) -> Result<(), PolicyError> {
        let DeValue::Table(table) = item.get_ref() else {
            return Err(self.wrong(item, "expected a table"));
        };
        match table.iter().find(|(key, _)| !keys.contains(&key.get_ref().as_ref())) {
            Some((key, value)) => {
                Err(self.wrong(value, format!("unknown key {:?}", key.get_ref())))
            }
            None => Ok(()),
        }
    }

    fn day(&self, item: &Item<'_>) -> Result<Date, PolicyError> {
        let text = match item.get_ref() {
            DeValue::Datetime(day) => day.to_string(),
            _ => self.text(item)?,
        };
        text.parse().map_err(|_| self.wrong(item, format!("{text:?} is not a day")))
    }

    fn rule(&self, item: &Item<'_>) -> Result<Rule, PolicyError> {
        self.only(item, RULE_KEYS)?;
        let day = |key| self.get(item, key)?.map(|value| self.day(value)).transpose();
        let rule = Rule {
            id: self.required(item, "id")?,
            version: self.required(item, "version")?,
            title: self.required(item, "title")?,
            status: self.status(self.value(item, "status")?)?,
            code: self.parsed::<AlertCode>(item, "code", "a code of the contract")?,
            severity: self.severity(self.value(item, "severity")?)?,
            weight: self.weight(item)?,
            text: self.required(item, "text")?,
            texts: self.translations(item)?,
            legal_basis: self.required(item, "legal_basis")?,
            owner: self.optional(item, "owner")?.unwrap_or_default(),
            valid_from: day("valid_from")?,
            valid_to: day("valid_to")?,
            outcomes: self.outcomes(item)?,
            when: self.node(self.value(item, "when")?, 0)?,
            place: Place {
                file: self.file.name.to_owned(),
                line: line_of(self.file.text, item.span().start),
            },
        };
        self.check_text(item, &rule)?;
        Ok(rule)
    }

    fn status(&self, item: &Item<'_>) -> Result<Status, PolicyError> {
        match self.text(item)?.as_str() {
            "draft" => Ok(Status::Draft),
            "shadow" => Ok(Status::Shadow),
            "active" => Ok(Status::Active),
            "retired" => Ok(Status::Retired),
            other => Err(self
                .wrong(item, format!("status {other:?} is not draft, shadow, active or retired"))),
        }
    }

    fn severity(&self, item: &Item<'_>) -> Result<Severity, PolicyError> {
        let text = self.text(item)?;
        [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical]
            .into_iter()
            .find(|severity| severity.as_str() == text)
            .ok_or_else(|| self.wrong(item, format!("severity {text:?} is not info to critical")))
    }

    fn weight(&self, item: &Item<'_>) -> Result<u32, PolicyError> {
        let Some(value) = self.get(item, "weight")? else { return Ok(0) };
        let weight = match value.get_ref() {
            DeValue::Integer(number) => number.to_string().parse::<u32>().ok(),
            _ => None,
        };
        weight
            .filter(|weight| *weight <= 10)
            .ok_or_else(|| self.wrong(value, "weight is a whole number from 0 to 10"))
    }

    fn outcomes(&self, item: &Item<'_>) -> Result<Vec<Outcome>, PolicyError> {
        let Some(value) = self.get(item, "outcomes")? else { return Ok(Vec::new()) };
        self.texts(value)?
            .iter()
            .map(|text| text.parse().map_err(|_| self.wrong(value, format!("no outcome {text:?}"))))
            .collect()
    }

    fn translations(&self, item: &Item<'_>) -> Result<BTreeMap<String, String>, PolicyError> {
        let Some(value) = self.get(item, "texts")? else { return Ok(BTreeMap::new()) };
        let DeValue::Table(table) = value.get_ref() else {
            return Err(self.wrong(value, "write texts = { ru = \"…\" }"));
        };
        table
            .iter()
            .map(|(language, text)| Ok((language.get_ref().clone().into_owned(), self.text(text)?)))
            .collect()
    }

    /// Every `{name}` in the sentence, in each language, must be a field.
    fn check_text(&self, item: &Item<'_>, rule: &Rule) -> Result<(), PolicyError> {
        let all = rule.texts.values().map(|text| ("texts", text));
        for (key, text) in std::iter::once(("text", &rule.text)).chain(all) {
            for part in text.split('{').skip(1) {
                let name = part.split('}').next().unwrap_or_default();
                if FieldId::find(name).is_none() {
                    let place = self.value(item, key)?;
                    let what = format!("the text names an unknown field {name:?}");
                    return Err(self.wrong(place, what));
                }
            }
        }
        Ok(())
    }

    fn node(&self, item: &Item<'_>, depth: usize) -> Result<Node, PolicyError> {
        if depth > DEEPEST {
            return Err(self.wrong(item, format!("nested deeper than {DEEPEST}")));
        }
        let branch = |value: &Item<'_>| match value.get_ref() {
            DeValue::Array(items) => {
                items.iter().map(|item| self.node(item, depth + 1)).collect::<Result<Vec<_>, _>>()
            }
            _ => Err(self.wrong(value, "expected a list of conditions")),
        };
        if let Some(value) = self.get(item, "all")? {
            self.only(item, &["all"])?;
            return branch(value).map(Node::All);
        }
        if let Some(value) = self.get(item, "any")? {
            self.only(item, &["any"])?;
            return branch(value).map(Node::Any);
        }
        if let Some(value) = self.get(item, "not")? {
            self.only(item, &["not"])?;
            return Ok(Node::Not(Box::new(self.node(value, depth + 1)?)));
        }
        if let Some(value) = self.get(item, "macro")? {
            self.only(item, &["macro"])?;
            let name = self.text(value)?;
            let known = self.vocabulary.macros.get(&name).cloned();
            return known.ok_or_else(|| self.wrong(value, format!("no macro {name:?}")));
        }
        self.test(item)
    }

    fn test(&self, item: &Item<'_>) -> Result<Node, PolicyError> {
        let place = self.value(item, "field")?;
        let name = self.text(place)?;
        let field = FieldId::find(&name)
            .ok_or_else(|| self.wrong(place, format!("unknown field {name:?}")))?;
        let DeValue::Table(table) = item.get_ref() else {
            return Err(self.wrong(item, "expected a table"));
        };
        let mut operators = table.iter().filter(|(key, _)| key.get_ref().as_ref() != "field");
        let (Some((key, value)), None) = (operators.next(), operators.next()) else {
            return Err(self.wrong(item, format!("one test for {name:?}, no more and no less")));
        };
        let (op, negated) = self.op(field, key.get_ref(), value)?;
        let test = Node::Test(Test { field, op });
        Ok(if negated { Node::Not(Box::new(test)) } else { test })
    }

    /// The operator, and whether it is negated.
    fn op(&self, field: FieldId, key: &str, value: &Item<'_>) -> Result<(Op, bool), PolicyError> {
        let kind = field.definition().kind;
        let misfit =
            || self.wrong(value, format!("{key:?} does not fit {:?}, a {kind:?}", field.name()));
        let op = match (key, kind) {
            ("known", _) => Op::Known(self.flag(value)?),
            ("is" | "is_not", Kind::Flag) => Op::Flag(self.flag(value)?),
            ("is" | "is_not" | "one_of" | "none_of", Kind::Text)
            | ("has" | "has_any" | "has_none", Kind::Set) => {
                Op::OneOf(self.known_values(field, value)?)
            }
            ("has_all", Kind::Set) => Op::HasAll(self.known_values(field, value)?),
            ("in" | "not_in", Kind::Text | Kind::Set) => Op::OneOf(self.listed(value)?),
            ("mentions", Kind::Text) => {
                Op::Mentions(self.texts(value)?.iter().map(|text| text.to_lowercase()).collect())
            }
            ("over", Kind::Number) => Op::Compare(Compare::Over, self.number(value)?),
            ("at_least", Kind::Number) => Op::Compare(Compare::AtLeast, self.number(value)?),
            ("under", Kind::Number) => Op::Compare(Compare::Under, self.number(value)?),
            ("at_most", Kind::Number) => Op::Compare(Compare::AtMost, self.number(value)?),
            ("since", Kind::Day) => Op::Since(self.day(value)?),
            ("before", Kind::Day) => Op::Before(self.day(value)?),
            _ => return Err(misfit()),
        };
        Ok((op, matches!(key, "is_not" | "none_of" | "has_none" | "not_in")))
    }

    fn flag(&self, item: &Item<'_>) -> Result<bool, PolicyError> {
        match item.get_ref() {
            DeValue::Boolean(flag) => Ok(*flag),
            _ => Err(self.wrong(item, "expected true or false")),
        }
    }

    /// Numbers are texts, so that no sum passes through a float; whole numbers may stand bare.
    fn number(&self, item: &Item<'_>) -> Result<Decimal, PolicyError> {
        let text = match item.get_ref() {
            DeValue::Integer(number) => number.to_string(),
            _ => self.text(item)?,
        };
        text.parse().map_err(|_| self.wrong(item, format!("{text:?} is not a decimal number")))
    }

    fn known_values(&self, field: FieldId, item: &Item<'_>) -> Result<Vec<String>, PolicyError> {
        let texts = self.texts(item)?;
        let known = field.definition().values;
        match texts.iter().find(|text| !known.is_empty() && !known.contains(&text.as_str())) {
            Some(text) => Err(self.wrong(
                item,
                format!("{:?} is never {text:?}: it is one of {}", field.name(), known.join(", ")),
            )),
            None => Ok(texts),
        }
    }

    fn listed(&self, item: &Item<'_>) -> Result<Vec<String>, PolicyError> {
        let name = self.text(item)?;
        let list = self.vocabulary.lists.get(&name).cloned();
        list.ok_or_else(|| self.wrong(item, format!("no list {name:?}")))
    }
}
