//! What is wrong with rules that can be read: they can never fire, another hides them, their dates
//! overlap.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::field::{FieldId, Kind};
use super::{Compare, Node, Op, Rule, Status, Test, parse};
use crate::policy::{PolicyError, PolicyFile, PolicyPack, is_rules};

/// Everything that is wrong with a pack, in the order of files and lines.
pub fn lint(files: &[PolicyFile<'_>]) -> Vec<PolicyError> {
    let mut problems = Vec::new();
    let mut vocabulary = parse::Vocabulary::default();
    let mut rules = Vec::new();
    let rule_files: Vec<_> = files.iter().filter(|file| is_rules(file.name)).collect();
    for file in &rule_files {
        problems.extend(vocabulary.read(**file).err());
    }
    for file in &rule_files {
        let (read, wrong) = parse::rules_and_problems(**file, &vocabulary);
        rules.extend(read);
        problems.extend(wrong);
    }
    if problems.is_empty() {
        match PolicyPack::from_files(files) {
            Ok(pack) => problems.extend(untranslated(&pack, files)),
            Err(problem) => problems.push(problem),
        }
    }
    problems.extend(rules.iter().filter_map(never_fires));
    problems.extend(overlaps(&rules));
    problems.extend(hidden(&rules));
    problems.sort_by(|a, b| (&a.file, a.line, &a.what).cmp(&(&b.file, b.line, &b.what)));
    problems.dedup();
    problems
}

/// Sentences that lack a language of the pack; a finding only where its file is among those looked at.
fn untranslated(pack: &PolicyPack, files: &[PolicyFile<'_>]) -> Vec<PolicyError> {
    let mut found = Vec::new();
    let given = |file: &str| files.iter().find(|own| own.name == file);
    for language in &pack.languages {
        let own = pack.rules.iter().filter(|rule| given(&rule.place.file).is_some());
        let speaking = own.filter(|rule| rule.status != Status::Retired);
        for rule in speaking.filter(|rule| !rule.texts.contains_key(language)) {
            found.push(problem(rule, format!("rule {}: no text in {language:?}", rule.id)));
        }
        let Some(file) = given(FINDINGS) else { continue };
        for finding in pack.findings.iter().filter(|f| !f.texts.contains_key(language)) {
            let wanted = format!("id = \"{}\"", finding.id);
            let line = file.text.lines().position(|line| line.trim() == wanted);
            found.push(PolicyError {
                file: file.name.to_owned(),
                line: line.map_or(0, |line| line + 1),
                what: format!("finding {}: no text in {language:?}", finding.id),
            });
        }
    }
    found
}

const FINDINGS: &str = "findings.toml";

fn problem(rule: &Rule, what: String) -> PolicyError {
    PolicyError { file: rule.place.file.clone(), line: rule.place.line, what }
}

fn never_fires(rule: &Rule) -> Option<PolicyError> {
    if let (Some(from), Some(to)) = (rule.valid_from, rule.valid_to)
        && to < from
    {
        return Some(problem(rule, format!("rule {}: valid_to is before valid_from", rule.id)));
    }
    let ways = ways(&rule.when, true)?;
    let possible = ways.iter().any(|way| Way::of(way).is_some());
    (!possible).then(|| {
        problem(
            rule,
            format!("rule {}: it can never fire, its conditions exclude each other", rule.id),
        )
    })
}

fn overlaps(rules: &[Rule]) -> Vec<PolicyError> {
    let mut found = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        for other in rules.iter().take(at).filter(|other| other.id == rule.id) {
            let apart = |a: &Rule, b: &Rule| match (a.valid_to, b.valid_from) {
                (Some(to), Some(from)) => to < from,
                _ => false,
            };
            let both_run = rule.status == other.status && rule.status != Status::Retired;
            if rule.version == other.version {
                found.push(problem(
                    rule,
                    format!(
                        "rule {} version {} is also in {}, line {}",
                        rule.id, rule.version, other.place.file, other.place.line
                    ),
                ));
            } else if both_run && !apart(rule, other) && !apart(other, rule) {
                found.push(problem(
                    rule,
                    format!(
                        "rule {}: versions {} and {} overlap in dates",
                        rule.id, other.version, rule.version
                    ),
                ));
            }
        }
    }
    found
}

/// Active rules whose every way of firing is also one of another rule of the same code that weighs
/// as much or more.
fn hidden(rules: &[Rule]) -> Vec<PolicyError> {
    let active: Vec<&Rule> = rules.iter().filter(|rule| rule.status == Status::Active).collect();
    let mut found = Vec::new();
    for (at, rule) in active.iter().enumerate() {
        let Some(own) = ways(&rule.when, true) else { continue };
        let own: Vec<Way> = own.iter().filter_map(|way| Way::of(way)).collect();
        let hiding = active.iter().enumerate().find(|(other_at, other)| {
            let covers_dates =
                other.valid_from.is_none_or(|from| rule.valid_from.is_some_and(|f| from <= f))
                    && other.valid_to.is_none_or(|to| rule.valid_to.is_some_and(|t| t <= to));
            let same = other.id != rule.id && other.code == rule.code;
            if !same || !covers_dates || other.severity < rule.severity || own.is_empty() {
                return false;
            }
            let Some(theirs) = ways(&other.when, true) else { return false };
            let theirs: Vec<Way> = theirs.iter().filter_map(|way| Way::of(way)).collect();
            let covered =
                |a: &[Way], b: &[Way]| a.iter().all(|way| b.iter().any(|w| w.includes(way)));
            // Of two rules that say the same, only the later one is hidden.
            covered(&own, &theirs) && (!covered(&theirs, &own) || *other_at < at)
        });
        if let Some((_, other)) = hiding {
            found.push(problem(
                rule,
                format!(
                    "rule {} is hidden: whenever it fires, {} ({}, line {}) raises the same code",
                    rule.id, other.id, other.place.file, other.place.line
                ),
            ));
        }
    }
    found
}

/// More ways than this are not looked at: the rule is taken to be possible.
const MOST_WAYS: usize = 512;

type Literal<'r> = (&'r Test, bool);

/// The tree as alternatives of tests that must all hold; `None` where there are too many.
fn ways(node: &Node, wanted: bool) -> Option<Vec<Vec<Literal<'_>>>> {
    match (node, wanted) {
        (Node::All(nodes), true) | (Node::Any(nodes), false) => cross_of(nodes, wanted),
        (Node::Any(nodes), true) | (Node::All(nodes), false) => either_of(nodes, wanted),
        (Node::Not(node), _) => ways(node, !wanted),
        (Node::Test(test), _) => Some(vec![vec![(test, wanted)]]),
    }
}

/// One way out of each of the nodes.
fn cross_of(nodes: &[Node], wanted: bool) -> Option<Vec<Vec<Literal<'_>>>> {
    let mut sum: Vec<Vec<Literal<'_>>> = vec![Vec::new()];
    for node in nodes {
        let next = ways(node, wanted)?;
        if sum.len().checked_mul(next.len())? > MOST_WAYS {
            return None;
        }
        sum = sum
            .iter()
            .flat_map(|a| next.iter().map(move |b| a.iter().chain(b).copied().collect()))
            .collect();
    }
    Some(sum)
}

/// A way out of any of the nodes.
fn either_of(nodes: &[Node], wanted: bool) -> Option<Vec<Vec<Literal<'_>>>> {
    let mut sum = Vec::new();
    for node in nodes {
        sum.extend(ways(node, wanted)?);
    }
    (sum.len() <= MOST_WAYS).then_some(sum)
}

/// What one way demands of each field.
#[derive(Clone, Debug, Default, PartialEq)]
struct Way(BTreeMap<FieldId, Demand>);

/// What is demanded of one field.
#[derive(Clone, Debug, Default, PartialEq)]
struct Demand {
    /// The text, or one of the set, is among each of these.
    among: Vec<Vec<String>>,
    /// And among none of these.
    barred: Vec<String>,
    flag: Option<bool>,
    /// Number or day (as its number) at or over, and whether over.
    low: Option<(Decimal, bool)>,
    high: Option<(Decimal, bool)>,
    known: Option<bool>,
    /// Tests that are compared as they stand.
    other: Vec<(Op, bool)>,
}

impl Way {
    /// The demands of the tests together; `None` where no value can meet them.
    fn of(literals: &[Literal<'_>]) -> Option<Self> {
        let mut way = Self::default();
        for (test, wanted) in literals {
            way.0.entry(test.field).or_default().take(&test.op, *wanted);
        }
        way.0.iter().all(|(field, demand)| demand.is_possible(*field)).then_some(way)
    }

    /// Whether everything that goes this other way goes this one too.
    fn includes(&self, other: &Self) -> bool {
        self.0.iter().all(|(field, demand)| {
            other.0.get(field).is_some_and(|theirs| demand.follows_from(theirs))
        })
    }
}

impl Demand {
    fn take(&mut self, op: &Op, wanted: bool) {
        if !matches!(op, Op::Known(_)) {
            // A test is true or false only of a value that is known.
            self.known = Some(true).filter(|_| self.known != Some(false)).or(self.known);
        }
        match (op, wanted) {
            (Op::OneOf(values), true) => self.among.push(values.clone()),
            (Op::OneOf(values), false) => self.barred.extend(values.iter().cloned()),
            (Op::Flag(flag), _) => {
                let flag = *flag == wanted;
                if self.flag.is_some_and(|own| own != flag) {
                    self.other.push((Op::Flag(flag), true));
                }
                self.flag = Some(flag);
            }
            (Op::Compare(how, limit), _) => self.bound(*how, *limit, wanted),
            (Op::Since(day), _) => self.bound(Compare::AtLeast, number_of(*day), wanted),
            (Op::Before(day), _) => self.bound(Compare::Under, number_of(*day), wanted),
            (Op::Known(known), _) => {
                let known = *known == wanted;
                let clash = self.known.is_some_and(|own| own != known);
                self.known = Some(known);
                if clash {
                    self.other.push((Op::Known(!known), true));
                }
            }
            (Op::HasAll(_) | Op::Mentions(_), _) => self.other.push((op.clone(), wanted)),
        }
    }

    fn bound(&mut self, how: Compare, limit: Decimal, wanted: bool) {
        let how = match (how, wanted) {
            (how, true) => how,
            (Compare::Over, false) => Compare::AtMost,
            (Compare::AtLeast, false) => Compare::Under,
            (Compare::Under, false) => Compare::AtLeast,
            (Compare::AtMost, false) => Compare::Over,
        };
        match how {
            Compare::Over | Compare::AtLeast => {
                let new = (limit, how == Compare::Over);
                self.low = Some(self.low.map_or(new, |own| own.max(new)));
            }
            Compare::Under | Compare::AtMost => {
                let new = (limit, how == Compare::AtMost);
                self.high = Some(self.high.map_or(new, |own| own.min(new)));
            }
        }
    }

    fn is_possible(&self, field: FieldId) -> bool {
        let clash = self.other.iter().any(|(op, _)| matches!(op, Op::Flag(_) | Op::Known(_)));
        let empty = match (self.low, self.high) {
            // `high.1` says that the bound itself is allowed, `low.1` that it is not.
            (Some((low, open)), Some((high, closed))) => {
                low > high || (low == high && (open || !closed))
            }
            _ => false,
        };
        let definition = field.definition();
        let text_fits = definition.kind != Kind::Text || self.among.is_empty() || {
            let first = self.among.first().map(Vec::as_slice).unwrap_or_default();
            first.iter().any(|value| {
                self.among.iter().all(|values| values.contains(value))
                    && !self.barred.contains(value)
            })
        };
        let left = definition.values.is_empty()
            || definition.kind != Kind::Text
            || definition.values.iter().any(|value| !self.barred.iter().any(|b| b == value));
        !clash && !empty && text_fits && left
    }

    fn follows_from(&self, theirs: &Self) -> bool {
        let subset = |values: &Vec<String>| {
            theirs.among.iter().any(|theirs| theirs.iter().all(|value| values.contains(value)))
        };
        let low = self.low.is_none_or(|own| theirs.low.is_some_and(|low| low >= own));
        let high = self.high.is_none_or(|own| theirs.high.is_some_and(|high| high <= own));
        self.among.iter().all(subset)
            && self.barred.iter().all(|barred| {
                theirs.barred.contains(barred)
                    || theirs.among.iter().any(|values| !values.contains(barred))
            })
            && self.flag.is_none_or(|flag| theirs.flag == Some(flag))
            && low
            && high
            && self.known.is_none_or(|known| theirs.known == Some(known))
            && self.other.iter().all(|other| theirs.other.contains(other))
    }
}

fn number_of(day: jiff::civil::Date) -> Decimal {
    Decimal::from(i32::from(day.year()) * 512 + i32::from(day.day_of_year()))
}

#[cfg(test)]
mod tests {
    use super::lint;
    use crate::policy::{PolicyFile, PolicyPack};

    fn said(text: &str) -> Vec<String> {
        lint(&[PolicyFile { name: "rules/x.toml", text }])
            .into_iter()
            .map(|problem| problem.to_string())
            .collect()
    }

    fn rule(id: &str, rest: &str) -> String {
        format!(
            "[[rule]]\nid = \"{id}\"\nversion = \"1\"\ntitle = \"t\"\nstatus = \"active\"\ncode = \"crew_cash\"\nseverity = \"high\"\ntext = \"x\"\nlegal_basis = \"l\"\n{rest}\n"
        )
    }

    #[test]
    fn the_built_in_pack_has_nothing_wrong() {
        assert_eq!(lint(PolicyPack::built_in_files()), []);
    }

    #[test]
    fn an_unknown_field_and_a_wrong_type_are_named_with_their_line() {
        let text = rule("a", "when = { field = \"rolle\", is = \"crew\" }");
        assert_eq!(said(&text), ["rules/x.toml, line 10: unknown field \"rolle\""]);
        let text = rule("a", "when = { field = \"role\", over = \"1\" }");
        assert!(said(&text)[0].contains("does not fit"), "{:?}", said(&text));
        let text = rule("a", "when = { field = \"role\", is = \"captain\" }");
        assert!(said(&text)[0].contains("is never"), "{:?}", said(&text));
        let text = rule("a", "colour = 1\nwhen = { field = \"role\", is = \"crew\" }");
        assert!(said(&text)[0].contains("unknown key"), "{:?}", said(&text));
    }

    #[test]
    fn a_missing_translation_is_found_with_its_line() {
        let text = rule("a", "when = { field = \"role\", is = \"crew\" }");
        let spoken =
            rule("b", "texts = { ru = \"{role}\" }\nwhen = { field = \"role\", is = \"master\" }");
        let finding = "# first\n[[finding]]\nid = \"f\"\ncode = \"crew_cash\"\nversion = \"1\"\nseverity = \"low\"\ntext = \"x\"\n";
        let languages = PolicyFile { name: "languages.toml", text: "languages = [\"ru\"]" };
        let both = format!("{text}{spoken}");
        let files = [
            languages,
            PolicyFile { name: "rules/x.toml", text: &both },
            PolicyFile { name: "findings.toml", text: finding },
        ];
        let said: Vec<String> = lint(&files).iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "findings.toml, line 3: finding f: no text in \"ru\"",
                "rules/x.toml, line 1: rule a: no text in \"ru\"",
            ]
        );
        let wrong = spoken.replace("{role}", "{rolle}");
        let said = super::lint(&[PolicyFile { name: "rules/x.toml", text: &wrong }]);
        assert!(said[0].what.contains("unknown field"), "{said:?}");
    }

    #[test]
    fn a_rule_that_can_never_fire_is_found() {
        for when in [
            "when = { all = [{ field = \"role\", is = \"crew\" }, { field = \"role\", is = \"master\" }] }",
            "when = { all = [{ field = \"cash.share\", over = 2 }, { field = \"cash.share\", under = 1 }] }",
            "when = { all = [{ field = \"cash.any\", is = true }, { not = { field = \"cash.any\", is = true } }] }",
            "when = { any = [] }",
            "valid_from = \"2020-01-02\"\nvalid_to = \"2020-01-01\"\nwhen = { field = \"cash.any\", is = true }",
        ] {
            let said = said(&rule("a", when));
            assert_eq!(said.len(), 1, "{when}: {said:?}");
        }
        let possible = "when = { all = [{ field = \"regimes\", has = \"EU\" }, { field = \"regimes\", has = \"PL\" }] }";
        assert_eq!(said(&rule("a", possible)), Vec::<String>::new());
    }

    #[test]
    fn a_hidden_rule_and_overlapping_versions_are_found() {
        let wide = rule("wide", "when = { field = \"role\", one_of = [\"crew\", \"master\"] }");
        let narrow = rule(
            "narrow",
            "when = { all = [{ field = \"role\", is = \"crew\" }, { field = \"cash.any\", is = true }] }",
        );
        let found = said(&format!("{wide}{narrow}"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("narrow is hidden"), "{found:?}");
        let second = wide.replace("version = \"1\"", "version = \"2\"");
        let found = said(&format!("{wide}{second}"));
        assert!(found[0].contains("overlap in dates"), "{found:?}");
    }
}
