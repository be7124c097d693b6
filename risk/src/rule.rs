//! Rules an authority writes: typed trees of AND, OR and NOT over named fields.
//!
//! Owns what a rule is and how it is evaluated, three-valued: a field nobody knows makes a test
//! neither true nor false, and only a rule that is true fires. Reading rules from TOML is
//! [`parse`], checking them [`lint`], the fields [`field`].

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;
use tidewaiter_proto::alert::{AlertCode, Outcome, Seen, Severity};

pub mod field;
pub mod lint;
pub mod parse;
pub mod status;

use crate::policy::in_force;
use field::{FieldId, Fields, Value};

/// Where a rule is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Being written: only a back-test runs it.
    Draft,
    /// Runs on live records and is compared, never shown at the counter.
    Shadow,
    /// In force.
    Active,
    /// No longer in force.
    Retired,
}

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Stable name.
    pub id: String,
    /// Its version.
    pub version: String,
    /// What it is about.
    pub title: String,
    /// Where it is in its life.
    pub status: Status,
    /// The code of the alert it raises.
    pub code: AlertCode,
    /// How much that weighs.
    pub severity: Severity,
    /// Order within a severity, 0 to 10.
    pub weight: u32,
    /// The sentence, with `{fields}`.
    pub text: String,
    /// The sentence in other languages, by ISO 639-1 code.
    pub texts: BTreeMap<String, String>,
    /// Article.
    pub legal_basis: String,
    /// Who answers for it.
    pub owner: String,
    /// First day in force.
    pub valid_from: Option<Date>,
    /// Last day in force.
    pub valid_to: Option<Date>,
    /// What it recommends.
    pub outcomes: Vec<Outcome>,
    /// When it fires.
    pub when: Node,
    /// Where it was written.
    pub place: Place,
}

/// A place in a policy file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// A node of the tree.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// All of them.
    All(Vec<Node>),
    /// One of them at least.
    Any(Vec<Node>),
    /// Not that one.
    Not(Box<Node>),
    /// One field held against something.
    Test(Test),
}

/// One field held against something.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// Which field.
    pub field: FieldId,
    /// Against what.
    pub op: Op,
}

/// What a field is held against.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// A text that is one of these, or a set that has one of these.
    OneOf(Vec<String>),
    /// A set that has all of these.
    HasAll(Vec<String>),
    /// A text in which one of these words appears.
    Mentions(Vec<String>),
    /// A number over, at or over, under, at or under another.
    Compare(Compare, Decimal),
    /// A flag that is so.
    Flag(bool),
    /// A day on or after this one.
    Since(Date),
    /// A day before this one.
    Before(Date),
    /// Whether the field is known at all.
    Known(bool),
}

/// How numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// `>`
    Over,
    /// `>=`
    AtLeast,
    /// `<`
    Under,
    /// `<=`
    AtMost,
}

/// The three truth values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It is so.
    True,
    /// It is not so.
    False,
    /// Something needed is not known.
    Unknown,
}

impl Truth {
    fn of(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::False => "false",
            Self::Unknown => "unknown",
        }
    }
}

impl Rule {
    /// Whether it is in force on `day`, whatever its status.
    pub fn in_force(&self, day: Date) -> bool {
        in_force(self.valid_from, self.valid_to, day)
    }

    /// The sentence in a language; in English where it is not there.
    pub fn text_in(&self, language: Option<&str>) -> &str {
        language.and_then(|language| self.texts.get(language)).unwrap_or(&self.text)
    }

    /// Whether it is true of `fields`.
    pub fn fires(&self, fields: &Fields<'_>) -> bool {
        self.when.truth(fields) == Truth::True
    }

    /// Every node with the value it saw, for a rule that fired.
    pub fn trace(&self, fields: &Fields<'_>) -> Vec<Seen> {
        let mut seen = Vec::new();
        self.when.trace(fields, &mut seen);
        seen
    }
}

impl Node {
    /// Its truth, after Kleene: unknown where it hangs on what nobody knows.
    pub fn truth(&self, fields: &Fields<'_>) -> Truth {
        match self {
            Self::All(nodes) => nodes.iter().fold(Truth::True, |sum, node| match sum {
                Truth::False => Truth::False,
                _ => match node.truth(fields) {
                    Truth::True => sum,
                    other => other,
                },
            }),
            Self::Any(nodes) => nodes.iter().fold(Truth::False, |sum, node| match sum {
                Truth::True => Truth::True,
                _ => match node.truth(fields) {
                    Truth::False => sum,
                    other => other,
                },
            }),
            Self::Not(node) => node.truth(fields).not(),
            Self::Test(test) => test.truth(fields),
        }
    }

    fn trace(&self, fields: &Fields<'_>, seen: &mut Vec<Seen>) {
        let mut group = |name: &str, nodes: &[Node]| {
            let truth = self.truth(fields).in_words().to_owned();
            let test = format!("{name} of {}", nodes.len());
            seen.push(Seen { path: name.to_owned(), value: truth, test });
            for node in nodes {
                node.trace(fields, seen);
            }
        };
        match self {
            Self::All(nodes) => group("all", nodes),
            Self::Any(nodes) => group("any", nodes),
            Self::Not(node) => group("not", std::slice::from_ref(node)),
            Self::Test(test) => {
                let value = fields.get(test.field).map_or("unknown".to_owned(), Value::shown);
                seen.push(Seen {
                    path: test.field.name().to_owned(),
                    value,
                    test: test.op.in_words(),
                });
            }
        }
    }

    /// Calls `visit` with every test of the tree.
    pub fn each_test<'a>(&'a self, visit: &mut dyn FnMut(&'a Test)) {
        match self {
            Self::All(nodes) | Self::Any(nodes) => {
                for node in nodes {
                    node.each_test(visit);
                }
            }
            Self::Not(node) => node.each_test(visit),
            Self::Test(test) => visit(test),
        }
    }
}

impl Test {
    fn truth(&self, fields: &Fields<'_>) -> Truth {
        let value = fields.get(self.field);
        if let Op::Known(wanted) = &self.op {
            return Truth::of(value.is_some() == *wanted);
        }
        let Some(value) = value else { return Truth::Unknown };
        self.op.holds(value).map_or(Truth::Unknown, Truth::of)
    }
}

impl Op {
    /// Whether a value passes; `None` where the types do not fit, which parsing rules out.
    pub fn holds(&self, value: &Value<'_>) -> Option<bool> {
        match (self, value) {
            (Self::OneOf(wanted), Value::Text(text)) => Some(wanted.iter().any(|w| w == text)),
            (Self::OneOf(wanted), Value::Set(set)) => {
                Some(wanted.iter().any(|w| set.iter().any(|s| s == w)))
            }
            (Self::HasAll(wanted), Value::Set(set)) => {
                Some(wanted.iter().all(|w| set.iter().any(|s| s == w)))
            }
            (Self::Mentions(words), Value::Text(text)) => {
                let text = text.to_lowercase();
                Some(words.iter().any(|word| text.contains(word.as_str())))
            }
            (Self::Compare(how, limit), Value::Number(number)) => Some(match how {
                Compare::Over => number > limit,
                Compare::AtLeast => number >= limit,
                Compare::Under => number < limit,
                Compare::AtMost => number <= limit,
            }),
            (Self::Flag(wanted), Value::Flag(flag)) => Some(wanted == flag),
            (Self::Since(day), Value::Day(value)) => Some(value >= day),
            (Self::Before(day), Value::Day(value)) => Some(value < day),
            _ => None,
        }
    }

    /// In words, for the trace.
    pub fn in_words(&self) -> String {
        match self {
            Self::OneOf(wanted) => match wanted.as_slice() {
                [one] => format!("is {one}"),
                _ => format!("one of {}", wanted.join(", ")),
            },
            Self::HasAll(wanted) => format!("has all of {}", wanted.join(", ")),
            Self::Mentions(words) => format!("mentions one of {}", words.join(", ")),
            Self::Compare(how, limit) => format!("{} {}", how.in_words(), limit.normalize()),
            Self::Flag(wanted) => format!("is {wanted}"),
            Self::Since(day) => format!("on or after {day}"),
            Self::Before(day) => format!("before {day}"),
            Self::Known(true) => "is known".to_owned(),
            Self::Known(false) => "is not known".to_owned(),
        }
    }
}

impl Compare {
    fn in_words(self) -> &'static str {
        match self {
            Self::Over => "over",
            Self::AtLeast => "at or over",
            Self::Under => "under",
            Self::AtMost => "at or under",
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use rust_decimal::Decimal;

    use super::field::{FieldId, Fields, Value};
    use super::{Compare, Node, Op, Test, Truth};

    fn test(name: &str, op: Op) -> Node {
        Node::Test(Test { field: FieldId::find(name).unwrap(), op })
    }

    #[test]
    fn each_comparison_stands_on_its_own_side_of_the_bound() {
        let mut fields = Fields::default();
        let at = |number: i64| Value::Number(Decimal::from(number));
        let holds = |fields: &Fields<'_>, how| {
            test("cash.share", Op::Compare(how, Decimal::TEN)).truth(fields) == Truth::True
        };
        for (number, over, at_least, under, at_most) in [
            (9, false, false, true, true),
            (10, false, true, false, true),
            (11, true, true, false, false),
        ] {
            fields.set("cash.share", at(number));
            let seen = [Compare::Over, Compare::AtLeast, Compare::Under, Compare::AtMost]
                .map(|how| holds(&fields, how));
            assert_eq!(seen, [over, at_least, under, at_most], "{number}");
        }
        let day = date(2022, 3, 2);
        for (value, since) in [(date(2022, 3, 1), false), (day, true), (date(2022, 3, 3), true)] {
            fields.set("day", Value::Day(value));
            let truth = |op| test("day", op).truth(&fields) == Truth::True;
            assert_eq!((truth(Op::Since(day)), truth(Op::Before(day))), (since, !since), "{value}");
        }
    }

    #[test]
    fn what_is_not_known_neither_fires_nor_clears() {
        let mut fields = Fields::default();
        fields.set("role", Value::text("crew"));
        let unknown = || test("channel", Op::OneOf(vec!["green".to_owned()]));
        let yes = || test("role", Op::OneOf(vec!["crew".to_owned()]));
        assert_eq!(unknown().truth(&fields), Truth::Unknown);
        assert_eq!(Node::Not(Box::new(unknown())).truth(&fields), Truth::Unknown);
        assert_eq!(Node::All(vec![yes(), unknown()]).truth(&fields), Truth::Unknown);
        assert_eq!(Node::Any(vec![unknown(), yes()]).truth(&fields), Truth::True);
        let no = Node::Not(Box::new(yes()));
        assert_eq!(Node::All(vec![unknown(), no]).truth(&fields), Truth::False);
        assert_eq!(test("channel", Op::Known(false)).truth(&fields), Truth::True);
    }
}
