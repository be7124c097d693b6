//! How alike two names are: their words paired one to one, in any order.
//!
//! Owns the score and what it rests on, word by word. The score is the same whichever name comes
//! first.

use super::chinese::Key;
use super::edit;
use super::korean;
use super::lexicon::{self, Class, Concept};
use super::name::{Kind, Name, Style, Token, small};
use crate::lists::Script;

mod merged;
mod words;

pub(super) use merged::MERGED;
use merged::{ACRONYM, initials, is_acronym, merges};
pub(super) use words::LEAST;
use words::{alike, by_sound_too, sound_likeness};

/// How a pair of words came together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The same word.
    Same,
    /// The same meaning in two languages or spellings.
    Meaning(&'static str),
    /// Two forms of one given name.
    Given,
    /// One read aloud as the other, across scripts or romanisations.
    Sound,
    /// One is the beginning of the other.
    Initial,
    /// One is the first letters of the other's words.
    Letters,
    /// A slip of a letter or two.
    Slip,
}

/// A run of words: from, and up to.
type Run = (usize, usize);

/// A pair of words, or of what was written apart and together.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    a: Run,
    b: Run,
    pub(super) why: Why,
    pub(super) alike: f32,
}

/// The outcome of a comparison.
#[derive(Clone, Debug, Default)]
pub(super) struct Compared {
    pub(super) score: f32,
    pub(super) pairs: Vec<Pair>,
    /// Words of the first name that the second lacks, and the other way round.
    only_a: Vec<usize>,
    only_b: Vec<usize>,
}

impl Compared {
    /// Why, a sentence each; `a` and `b` are the names that were compared.
    pub(super) fn in_words(&self, a: &Name, b: &Name) -> Vec<String> {
        let mut lines = Vec::new();
        let same: Vec<String> = self
            .pairs
            .iter()
            .filter(|pair| pair.why == Why::Same)
            .map(|pair| text(&b.tokens, pair.b))
            .collect();
        if !same.is_empty() {
            lines.push(format!("The same in both: {}.", same.join(", ")));
        }
        for pair in &self.pairs {
            let (own, listed) = (text(&a.tokens, pair.a), text(&b.tokens, pair.b));
            match pair.why {
                Why::Same => {}
                Why::Meaning(_) if own == listed => {}
                Why::Meaning(meaning) => {
                    lines.push(format!("“{own}” and “{listed}” both mean {meaning}."));
                }
                Why::Given => {
                    lines.push(format!("“{own}” and “{listed}” are forms of one given name."));
                }
                Why::Sound => lines.push(format!("“{own}” read as “{listed}”.")),
                Why::Initial => {
                    lines.push(format!(
                        "“{own}” and “{listed}”: one may be the beginning of the other."
                    ));
                }
                Why::Letters => {
                    lines.push(format!(
                        "“{own}” and “{listed}”: one may be the first letters of the other."
                    ));
                }
                Why::Slip => {
                    let alike = (pair.alike * 100.0).round();
                    lines.push(format!(
                        "“{own}” differs from “{listed}” by a few letters ({alike} % alike)."
                    ));
                }
            }
        }
        let words = |name: &Name, places: &[usize]| -> String {
            let words: Vec<&str> = places
                .iter()
                .filter_map(|at| name.tokens.get(*at))
                .map(|token| token.written.as_str())
                .collect();
            words.join(", ")
        };
        if !self.only_a.is_empty() {
            lines.push(format!("Not in the listed name: {}.", words(a, &self.only_a)));
        }
        if !self.only_b.is_empty() {
            lines.push(format!("Only in the listed name: {}.", words(b, &self.only_b)));
        }
        lines
    }
}

/// The best score of two names, each taken apart in several ways.
pub(super) fn best_score(a: &[Name], b: &[Name]) -> f32 {
    let mut best = 0.0_f32;
    for own in a {
        for other in b {
            best = best.max(compare(own, other).score);
        }
    }
    best
}

/// Compares two names.
pub(super) fn compare(a: &Name, b: &Name) -> Compared {
    if a.style == Style::Person
        && let Some(found) = by_characters(a, b)
    {
        return found;
    }
    if a.style == Style::Person
        && let Some(found) = by_reading(a, b)
    {
        return found;
    }
    let mut found = by_words(a, b);
    if let Some(score) = as_korean(a, b)
        && (score > found.score || a.in_korean != b.in_korean)
    {
        found = taken_whole(a, b, score);
    }
    if found.score < CHINESE && as_chinese(a, b, |own, other| own.wade != other.wade) {
        found = taken_whole(a, b, CHINESE);
    } else if found.score < OLD_SPELLING && as_chinese(a, b, may_be_old) {
        found = taken_whole(a, b, OLD_SPELLING);
    }
    if found.score < ACRONYM && is_acronym(a, b) {
        let pairs = whole(a, b, Why::Letters, ACRONYM);
        found = Compared { score: ACRONYM, pairs, ..Compared::default() };
    }
    if !a.glued.is_empty() && a.glued == b.glued && found.score < 0.98 {
        found.score = 0.98;
    }
    found
}

/// What one name in two romanisations of Chinese is worth.
const CHINESE: f32 = 0.88;
/// The same where neither shows that it is Wade-Giles, and one may be: Zhou Enlai and Chou En-lai.
const OLD_SPELLING: f32 = 0.78;

/// Whether one spelling is pinyin and the other may be older.
fn may_be_old(own: &Key, other: &Key) -> bool {
    own.pinyin != other.pinyin
}

/// What the one reading of characters is worth: many characters have it.
const READING: f32 = 0.9;

/// Whether two names are one Chinese name, spelt so that `trusted`.
fn as_chinese(a: &Name, b: &Name, trusted: impl Fn(&Key, &Key) -> bool) -> bool {
    a.chinese
        .iter()
        .any(|own| b.chinese.iter().any(|other| own.text == other.text && trusted(own, other)))
}

/// A person's name in characters, against one in letters: by the way the whole is read.
///
/// Its syllables alone are short and few, so that some of them stand in names of half the world:
/// 소원 is not Soe Win. `None` where one of them is no such name.
fn by_reading(a: &Name, b: &Name) -> Option<Compared> {
    let own = match (&a.characters, &b.characters) {
        (Some(_), None) => a,
        (None, Some(_)) => b,
        _ => return None,
    };
    if own.in_korean {
        if own.korean.is_empty() {
            return None;
        }
        return Some(as_korean(a, b).map_or_else(Compared::default, |s| taken_whole(a, b, s)));
    }
    if own.chinese.is_empty() {
        return None;
    }
    // One spelling, or one that is Wade-Giles beside the pinyin that characters are read in.
    let one = |x: &Key, y: &Key| x.wade != y.wade || x.plain == y.plain;
    let score = if as_chinese(a, b, one) {
        READING
    } else if as_chinese(a, b, may_be_old) {
        OLD_SPELLING
    } else {
        0.0
    };
    Some(taken_whole(a, b, score))
}

fn taken_whole(a: &Name, b: &Name, score: f32) -> Compared {
    Compared { score, pairs: whole(a, b, Why::Sound, score), ..Compared::default() }
}

/// The whole of one name taken for the whole of the other.
fn whole(a: &Name, b: &Name, why: Why, alike: f32) -> Vec<Pair> {
    vec![Pair { a: (0, a.tokens.len()), b: (0, b.tokens.len()), why, alike }]
}

/// Two names of one script without an alphabet: character by character.
fn by_characters(a: &Name, b: &Name) -> Option<Compared> {
    let (written, listed) = (a.characters.as_deref()?, b.characters.as_deref()?);
    let script = Script::of(written);
    if script != Script::of(listed) {
        return None;
    }
    if written == listed {
        let pairs = whole(a, b, Why::Same, 1.0);
        return Some(Compared { score: 1.0, pairs, ..Compared::default() });
    }
    // The same sounds in other characters: traditional and simplified ones, or a namesake.
    if a.glued == b.glued {
        let pairs = whole(a, b, Why::Sound, 0.8);
        return Some(Compared { score: 0.8, pairs, ..Compared::default() });
    }
    let same = written.chars().zip(listed.chars()).filter(|(x, y)| x == y).count();
    let longest = written.chars().count().max(listed.chars().count());
    let score = 0.85 * small(same) / small(longest);
    Some(Compared { score, pairs: whole(a, b, Why::Slip, score), ..Compared::default() })
}

/// What sounds of a Korean surname cost, and of given names.
pub(super) const SURNAME: f32 = 0.6;
pub(super) const GIVEN_NAMES: f32 = 0.4;
/// Korean names that cost more are none that anybody asks about.
pub(super) const KOREAN_APART: f32 = 0.4;

/// How alike two names are as Korean names; `None` where one of them cannot be one.
fn as_korean(a: &Name, b: &Name) -> Option<f32> {
    if a.korean.is_empty() || b.korean.is_empty() {
        return None;
    }
    let mut least = f32::INFINITY;
    for (surname, given) in &a.korean {
        for (other_surname, other_given) in &b.korean {
            let cost = korean::cost(surname, other_surname) * SURNAME
                + korean::cost(given, other_given) * GIVEN_NAMES;
            least = least.min(cost);
        }
    }
    Some((0.99 - least).max(0.0))
}

struct Candidate {
    a: Run,
    b: Run,
    alike: f32,
    why: Why,
}

fn by_words(a: &Name, b: &Name) -> Compared {
    let mut candidates = Vec::new();
    for (i, own) in a.tokens.iter().enumerate() {
        for (j, other) in b.tokens.iter().enumerate() {
            if let Some((alike, why)) = alike(own, other, a.style) {
                candidates.push(Candidate { a: (i, i + 1), b: (j, j + 1), alike, why });
            }
        }
    }
    merges(a.style, &a.tokens, &b.tokens, false, &mut candidates);
    merges(a.style, &b.tokens, &a.tokens, true, &mut candidates);
    if a.style == Style::Person {
        initials(&a.tokens, &b.tokens, false, &mut candidates);
        initials(&b.tokens, &a.tokens, true, &mut candidates);
    }
    // The surest first; of equals the one that says more, then the earlier on either side, by a
    // measure that does not depend on which name came first.
    let weight = |c: &Candidate| sum(&a.tokens, c.a).min(sum(&b.tokens, c.b));
    let place = |c: &Candidate| c.a.0.abs_diff(c.b.0) * 64 + c.a.0 + c.b.0;
    candidates.sort_by(|x, y| {
        let of = |c: &Candidate| c.alike * (0.5 + weight(c));
        of(y).total_cmp(&of(x)).then_with(|| place(x).cmp(&place(y)))
    });
    let mut taken = (vec![false; a.tokens.len()], vec![false; b.tokens.len()]);
    let mut compared = Compared::default();
    let (mut gained, mut matched) = (0.0_f32, 0.0_f32);
    let mut own_words = 0;
    for candidate in candidates {
        let free = |taken: &[bool], (from, to): (usize, usize)| {
            taken.get(from..to).is_some_and(|range| !range.contains(&true))
        };
        if !free(&taken.0, candidate.a) || !free(&taken.1, candidate.b) {
            continue;
        }
        for at in candidate.a.0..candidate.a.1 {
            taken.0[at] = true;
        }
        for at in candidate.b.0..candidate.b.1 {
            taken.1[at] = true;
        }
        let weight = f32::midpoint(sum(&a.tokens, candidate.a), sum(&b.tokens, candidate.b));
        matched += weight;
        gained += weight * worth(candidate.alike);
        let names = |tokens: &[Token], (from, to): (usize, usize)| {
            tokens.get(from..to).is_some_and(|range| range.iter().any(is_own))
        };
        if names(&a.tokens, candidate.a) || names(&b.tokens, candidate.b) {
            own_words += (candidate.a.1 - candidate.a.0).max(candidate.b.1 - candidate.b.0);
        }
        compared.pairs.push(Pair {
            a: candidate.a,
            b: candidate.b,
            why: candidate.why,
            alike: candidate.alike,
        });
    }
    let left = |tokens: &[Token], taken: &[bool], words: &mut Vec<usize>| {
        let mut sum = Left::default();
        for (at, (token, _)) in tokens.iter().zip(taken).enumerate().filter(|(_, (_, t))| !**t) {
            sum.add(token);
            words.push(at);
        }
        sum
    };
    let mut over_a = left(&a.tokens, &taken.0, &mut compared.only_a);
    let mut over_b = left(&b.tokens, &taken.1, &mut compared.only_b);
    (over_a.office, over_b.office) = (is_office(a), is_office(b));
    compared.score = score(a.style, gained, matched, own_words, over_a, over_b);
    if a.style == Style::Person && father_and_son(a, b) {
        compared.score = compared.score.min(TURNED);
    }
    compared
}

/// What two names are worth of which one is the other's father: A bin B, and B bin A.
const TURNED: f32 = 0.6;

/// Whether the names around a "bin" stand the other way round.
fn father_and_son(a: &Name, b: &Name) -> bool {
    let (Some(own), Some(other)) = (around_bin(a), around_bin(b)) else { return false };
    let same = |x: &str, y: &str| edit::at_least(x, y, 0.8) >= 0.8;
    same(own.0, other.1) && same(own.1, other.0) && !same(own.0, other.0)
}

/// The nearest words of its own before and after a "bin".
fn around_bin(name: &Name) -> Option<(&str, &str)> {
    let at = name.tokens.iter().position(
        |token| matches!(token.kind, Kind::Shared(concept) if lexicon::name_of(concept) == "bin"),
    )?;
    let (before, after) = name.tokens.split_at(at);
    let own = |token: &&Token| is_own(token);
    let (son, father) = (before.iter().rev().find(own)?, after.iter().find(own)?);
    Some((&son.latin, &father.latin))
}

/// Whether a name is an office and the one word by which its holder goes.
fn is_office(name: &Name) -> bool {
    let [title, word] = name.tokens.as_slice() else { return false };
    let office =
        matches!(title.kind, Kind::Shared(concept) if lexicon::name_of(concept) == "president");
    // A short surname is half a nation's.
    office && word.kind == Kind::Word && word.latin.len() > 5
}

/// What is left over of a name.
#[derive(Clone, Copy, Default)]
struct Left {
    /// Weight of the words of its own.
    own: f32,
    /// Weight of shared words.
    shared: f32,
    /// How many numbers.
    numbers: u32,
    /// Whether the name is that of an office and one long word: President Example.
    office: bool,
    /// Whether a country or a people is among it.
    place: bool,
    /// Whether a word for what firms do is.
    trade: bool,
}

impl Left {
    fn add(&mut self, token: &Token) {
        // A fund or a ship I, V or X has a number too.
        self.numbers += u32::from(matches!(token.latin.as_str(), "i" | "v" | "x"));
        match token.kind {
            Kind::Number => {
                self.numbers += 1;
                self.own += token.weight;
            }
            Kind::Word | Kind::Initial => self.own += token.weight,
            Kind::Shared(Concept { class: Class::Title | Class::Particle, .. }) => {
                self.shared += token.weight * 0.3;
            }
            Kind::Shared(concept) => {
                self.shared += token.weight;
                self.place |= concept.class == Class::Place;
                self.trade |= concept.class == Class::Generic && token.weight > 0.1;
            }
        }
    }

    fn all(self) -> f32 {
        self.own + self.shared
    }
}

fn score(style: Style, gained: f32, matched: f32, own_words: usize, a: Left, b: Left) -> f32 {
    if matched <= 0.0 {
        return 0.0;
    }
    let both = a.all().min(b.all());
    let more = a.all().max(b.all()) - both;
    let (conflict, surplus) = match style {
        Style::Person => (2.3, 0.14),
        Style::Organisation => (1.6, 0.55),
        Style::Object => (1.6, 0.4),
    };
    let mut score = gained / (matched + conflict * both + surplus * more);
    // One firm's branch in Spain is not its branch in Sweden, nor its bank its insurance.
    if style == Style::Organisation {
        if a.place && b.place {
            score -= 0.12;
        }
        if a.trade && b.trade {
            score -= 0.06;
        }
    }
    // A fund, a ship and a bureau are told by their numbers.
    if style != Style::Person {
        score -= match (a.numbers > 0, b.numbers > 0) {
            (true, true) if style == Style::Object => 0.15,
            (true, true) | (false, false) => 0.0,
            _ if style == Style::Object => ONE_NUMBER_OBJECT,
            _ => ONE_NUMBER,
        };
    }
    // One word out of a longer name says little, but of who holds an office; and shared words alone
    // say nothing of who it is.
    if style == Style::Person && own_words == 1 && more > 0.6 && !(a.office || b.office) {
        score = score.min(0.66);
    }
    if own_words == 0 && a.own.max(b.own) > 0.0 {
        score = score.min(0.6);
    }
    score.clamp(0.0, 1.0)
}

/// What a number costs that only one name has: of organisations, and of ships.
const ONE_NUMBER: f32 = 0.3;
const ONE_NUMBER_OBJECT: f32 = 0.13;

/// How much faster a word loses worth than likeness.
const STEEP: f32 = 1.5;

/// What a likeness is worth: a word that is rather another word is worth little.
fn worth(alike: f32) -> f32 {
    (1.0 - STEEP * (1.0 - alike)).max(0.0)
}

/// How alike words are that are worth so much: the other way round of what the score does.
pub(super) fn alike_of_worth(worth: f32) -> f32 {
    1.0 - (1.0 - worth) / STEEP
}

fn is_own(token: &Token) -> bool {
    !matches!(token.kind, Kind::Shared(_))
}

fn sum(tokens: &[Token], (from, to): (usize, usize)) -> f32 {
    tokens.get(from..to).unwrap_or_default().iter().map(|token| token.weight).sum()
}

fn text(tokens: &[Token], (from, to): Run) -> String {
    let words: Vec<&str> = tokens
        .get(from..to)
        .unwrap_or_default()
        .iter()
        .map(|token| token.written.as_str())
        .collect();
    let apart = words.iter().any(|word| word.is_ascii() || word.chars().count() > 1);
    words.join(if apart { " " } else { "" })
}
