//! The index over the lists: which entries are worth comparing with a question.
//!
//! Owns the parsed names of all entries. A clone shares them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::compare::{self, Compared, Why};
use super::evidence::{self, Weighed};
use super::name::{self, Name, Style};
use super::{AGREES, Asked, AskedKind, Hit, POSSIBLE, Verdict};
use crate::lists::{AliasQuality, EntryKind, ListBundle, ListEntry};

/// All entries of some lists, ready to be asked. A clone shares them.
#[derive(Clone, Debug)]
pub struct Index(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bundles: Vec<ListBundle>,
    entries: Vec<Indexed>,
}

/// An entry with its names taken apart.
#[derive(Debug)]
struct Indexed {
    bundle: usize,
    entry: usize,
    names: Vec<Vec<Name>>,
}

/// A name the publisher itself doubts is never enough by itself.
const WEAK_AT_MOST: f64 = 0.84;

impl Index {
    /// The index over these lists; their order does not matter.
    pub fn new(bundles: Vec<ListBundle>) -> Self {
        let mut bundles = bundles;
        bundles.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        let mut entries = Vec::new();
        for (at, bundle) in bundles.iter().enumerate() {
            for (place, entry) in bundle.entries.iter().enumerate() {
                let style = Style::of(entry.kind);
                let names = entry.names().map(|(text, _)| name::parse(style, text)).collect();
                entries.push(Indexed { bundle: at, entry: place, names });
            }
        }
        Self(Arc::new(Inner { bundles, entries }))
    }

    /// The lists it is made of.
    pub fn bundles(&self) -> &[ListBundle] {
        &self.0.bundles
    }

    /// The day and version of each list, by name.
    pub(super) fn list_versions(&self) -> BTreeMap<String, String> {
        self.0
            .bundles
            .iter()
            .map(|list| {
                let short: String = list.version.chars().take(16).collect();
                (list.name.clone(), format!("{} {short}", list.as_of))
            })
            .collect()
    }

    /// Every entry that may be who is asked about, the likeliest first.
    pub fn screen(&self, asked: &Asked) -> Vec<Hit> {
        self.screen_from(asked, POSSIBLE)
    }

    /// As [`Index::screen`], from another score on.
    pub fn screen_from(&self, asked: &Asked, threshold: f64) -> Vec<Hit> {
        let mut parsed = Parsed::default();
        let mut hits: Vec<Hit> = Vec::new();
        for indexed in &self.0.entries {
            hits.extend(self.judge(asked, indexed, threshold, &mut parsed));
        }
        hits.sort_by(|a, b| {
            a.verdict
                .cmp(&b.verdict)
                .then_with(|| b.score.total_cmp(&a.score))
                .then_with(|| b.evidence.total_cmp(&a.evidence))
                .then_with(|| (&a.list, &a.entry).cmp(&(&b.list, &b.entry)))
        });
        hits
    }

    fn entry(&self, indexed: &Indexed) -> Option<(&ListBundle, &ListEntry)> {
        let bundle = self.0.bundles.get(indexed.bundle)?;
        Some((bundle, bundle.entries.get(indexed.entry)?))
    }

    fn judge(
        &self,
        asked: &Asked,
        indexed: &Indexed,
        threshold: f64,
        parsed: &mut Parsed,
    ) -> Option<Hit> {
        let (bundle, entry) = self.entry(indexed)?;
        if asked.kind.is_some_and(|kind| kind.entry_kind() != entry.kind) {
            return None;
        }
        let weighed = evidence::weigh(asked, entry);
        let best = if entry.kind == EntryKind::Aircraft {
            None
        } else {
            let style = Style::of(entry.kind);
            best_name(parsed.of(asked, style), entry, indexed)
        };
        let by_name = best.as_ref().map_or(0.0, |best| best.score);
        let tail = tail_named(asked, entry);
        let by_number = if tail { weighed.by_number.max(0.97) } else { weighed.by_number };
        let score = by_name.max(by_number);
        if score < threshold {
            return None;
        }
        Some(hit(bundle, entry, score, best, &weighed))
    }
}

/// Names of the question taken apart, each style when it is first needed.
#[derive(Default)]
struct Parsed(Vec<(Style, Vec<Vec<Name>>)>);

impl Parsed {
    fn of(&mut self, asked: &Asked, style: Style) -> &[Vec<Name>] {
        let known = self.0.iter().position(|(known, _)| *known == style);
        let at = known.unwrap_or_else(|| {
            let names = asked.names.iter().map(|text| name::parse(style, text)).collect();
            self.0.push((style, names));
            self.0.len() - 1
        });
        self.0.get(at).map_or(&[], |(_, names)| names)
    }
}

/// The listed name that fits best.
struct Best {
    score: f64,
    name: String,
    weak: bool,
    compared: Compared,
}

fn best_name(asked: &[Vec<Name>], entry: &ListEntry, indexed: &Indexed) -> Option<Best> {
    let mut best: Option<Best> = None;
    for ((text, quality), listed) in entry.names().zip(&indexed.names) {
        for own in asked {
            let compared = compare::best(own, listed);
            let weak = quality == AliasQuality::Weak;
            let mut score = rounded(f64::from(compared.score));
            if weak {
                score = score.min(WEAK_AT_MOST);
            }
            if best.as_ref().is_none_or(|best| score > best.score) {
                best = Some(Best { score, name: text.to_owned(), weak, compared });
            }
        }
    }
    best
}

/// Three digits are as much as a likeness says.
fn rounded(score: f64) -> f64 {
    (score * 1000.0).round() / 1000.0
}

/// Whether the question gives an aircraft's tail number as its name.
fn tail_named(asked: &Asked, entry: &ListEntry) -> bool {
    let plain = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
    };
    entry.kind == EntryKind::Aircraft
        && matches!(asked.kind, None | Some(AskedKind::Aircraft))
        && asked.names.iter().any(|own| {
            let own = plain(own);
            own.len() >= 3 && entry.names().any(|(listed, _)| plain(listed) == own)
        })
}

fn hit(
    bundle: &ListBundle,
    entry: &ListEntry,
    score: f64,
    best: Option<Best>,
    weighed: &Weighed,
) -> Hit {
    let mut explanation = Vec::new();
    let mut name = entry.name.clone();
    let mut support = weighed.support;
    if let Some(best) = best {
        if best.score >= POSSIBLE || weighed.by_number < POSSIBLE {
            explanation.extend(in_words(&best));
            support += 0.25 * best.score;
        }
        name = best.name;
    }
    explanation.extend(weighed.lines.iter().cloned());
    let verdict = if weighed.contradicts {
        if weighed.agrees { Verdict::Possible } else { Verdict::Contradicted }
    } else if score >= AGREES || (score >= POSSIBLE && weighed.agrees) {
        Verdict::Agrees
    } else {
        Verdict::Possible
    };
    Hit {
        list: bundle.name.clone(),
        entry: entry.entry.clone(),
        kind: entry.kind,
        name,
        programme: entry.programme.clone(),
        score,
        evidence: rounded(support.min(1.0)),
        verdict,
        explanation,
    }
}

/// A comparison in sentences.
fn in_words(best: &Best) -> Vec<String> {
    let compared = &best.compared;
    let mut lines = Vec::new();
    let same: Vec<&str> = compared
        .pairs
        .iter()
        .filter(|pair| pair.why == Why::Same)
        .map(|pair| pair.b.as_str())
        .collect();
    if !same.is_empty() {
        lines.push(format!("The same in both: {}.", same.join(", ")));
    }
    for pair in &compared.pairs {
        let (a, b) = (&pair.a, &pair.b);
        match pair.why {
            Why::Same => {}
            Why::Meaning(meaning) if a != b => {
                lines.push(format!("“{a}” and “{b}” both mean {meaning}."));
            }
            Why::Meaning(_) => {}
            Why::Sound => lines.push(format!("“{a}” read as “{b}”.")),
            Why::Initial => lines.push(format!("“{a}” is the beginning of “{b}” or the reverse.")),
            Why::Slip => {
                let alike = (pair.alike * 100.0).round();
                lines.push(format!("“{a}” differs from “{b}” by a few letters ({alike} % alike)."));
            }
        }
    }
    if !compared.only_a.is_empty() {
        lines.push(format!("Not in the listed name: {}.", compared.only_a.join(", ")));
    }
    if !compared.only_b.is_empty() {
        lines.push(format!("Only in the listed name: {}.", compared.only_b.join(", ")));
    }
    if best.weak {
        lines.push("The list itself calls this name a weak alias.".to_owned());
    }
    lines
}
