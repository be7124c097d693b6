//! Words that many names share: legal forms, what firms call themselves, countries, titles.
//!
//! Owns the table and finding its words: phrases in a row of words, and words inside a run of
//! Chinese characters or Hangul, which have no spaces.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::text::{latin, words};
use crate::lists::{Script, country};

/// What a shared word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Class {
    /// A legal form.
    Form,
    /// What many firms call themselves.
    Generic,
    /// A country, a people, a capital.
    Place,
    /// Before or after a person's name.
    Title,
    /// Joins names.
    Particle,
}

/// A meaning: its class and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Concept {
    pub(super) class: Class,
    pub(super) id: u16,
}

struct Lexicon {
    /// The word of a meaning, for explanations.
    names: Vec<&'static str>,
    /// Phrases of an organisation's name by their Latin words.
    phrases: HashMap<String, Concept>,
    /// Titles and particles of a person's name.
    personal: HashMap<String, Concept>,
    /// The words that phrases begin with.
    firsts: HashSet<String>,
    /// Legal forms of some length, in order.
    forms: Vec<(String, Concept)>,
    /// Words found inside runs without spaces.
    inner: HashMap<String, Concept>,
    longest_phrase: usize,
    longest_inner: usize,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let mut lexicon = Lexicon {
        names: Vec::new(),
        phrases: HashMap::new(),
        personal: HashMap::new(),
        firsts: HashSet::new(),
        forms: Vec::new(),
        inner: HashMap::new(),
        longest_phrase: 1,
        longest_inner: 1,
    };
    for line in include_str!("lexicon.txt").lines() {
        let mut columns = line.split('\t');
        let (Some(class), Some(name), Some(spellings)) =
            (columns.next(), columns.next(), columns.next())
        else {
            continue;
        };
        let class = match class {
            "form" => Class::Form,
            "generic" => Class::Generic,
            "place" => Class::Place,
            "title" => Class::Title,
            _ => Class::Particle,
        };
        let id = u16::try_from(lexicon.names.len()).unwrap_or(u16::MAX);
        lexicon.names.push(name);
        for spelling in spellings.split('|') {
            lexicon.add(spelling, Concept { class, id });
        }
    }
    lexicon.forms.sort_by(|a, b| a.0.cmp(&b.0));
    for names in country::names() {
        let id = u16::try_from(lexicon.names.len()).unwrap_or(u16::MAX);
        let first = names.split('|').next().unwrap_or(names);
        lexicon.names.push(first);
        for name in names.split('|').filter(|name| name.len() > 3) {
            lexicon.add(name, Concept { class: Class::Place, id });
        }
    }
    lexicon
});

/// Endings of Russian and Ukrainian adjectives.
const ADJECTIVE: [&str; 12] =
    ["ый", "ий", "ой", "ая", "яя", "ое", "ее", "ые", "ие", "ого", "ых", "ую"];

impl Lexicon {
    fn add(&mut self, spelling: &str, concept: Concept) {
        self.add_one(spelling, concept);
        // A Russian adjective stands in the gender and case of its noun.
        let stem = ADJECTIVE.iter().find_map(|end| spelling.strip_suffix(end));
        let stem = stem.filter(|stem| stem.chars().count() > 3 && !stem.contains(' '));
        for end in ADJECTIVE.iter().filter(|_| stem.is_some()) {
            self.add_one(&format!("{}{end}", stem.unwrap_or_default()), concept);
        }
    }

    fn add_one(&mut self, spelling: &str, concept: Concept) {
        let parts = words(spelling);
        let without_spaces = parts.len() == 1
            && parts.iter().all(|w| matches!(w.script, Script::Han | Script::Hangul));
        if without_spaces && let Some(word) = parts.first() {
            self.longest_inner = self.longest_inner.max(word.written.chars().count());
            self.inner.entry(word.written.clone()).or_insert(concept);
            return;
        }
        self.longest_phrase = self.longest_phrase.max(parts.len());
        let key = parts.iter().map(|word| word.latin.as_str()).collect::<Vec<_>>().join(" ");
        if key.is_empty() {
            return;
        }
        if let Some(first) = parts.first() {
            self.firsts.insert(first.latin.clone());
        }
        match concept.class {
            Class::Title | Class::Particle => self.personal.entry(key).or_insert(concept),
            Class::Form => {
                if key.len() > FORM_BEGUN {
                    self.forms.push((key.clone(), concept));
                }
                self.phrases.entry(key).or_insert(concept)
            }
            Class::Generic | Class::Place => self.phrases.entry(key).or_insert(concept),
        };
    }
}

/// The word for a meaning.
pub(super) fn name_of(concept: Concept) -> &'static str {
    LEXICON.names.get(usize::from(concept.id)).copied().unwrap_or_default()
}

static GIVEN: LazyLock<HashMap<String, u16>> = LazyLock::new(|| {
    let lines = include_str!("given.txt").lines().filter(|line| !line.starts_with('#'));
    let mut groups = HashMap::new();
    for (group, line) in (0..).zip(lines) {
        for name in line.split('|') {
            groups.entry(latin(name)).or_insert(group);
        }
    }
    groups
});

/// The group of given names that stand for one another to which a Latin word belongs.
pub(super) fn given(word: &str) -> Option<u16> {
    GIVEN.get(word).copied()
}

/// The longest phrase that these Latin words begin with, and how many words it is.
pub(super) fn phrase(latin: &[&str], personal: bool) -> Option<(Concept, usize)> {
    let lexicon = &*LEXICON;
    let table = if personal { &lexicon.personal } else { &lexicon.phrases };
    if !lexicon.firsts.contains(*latin.first()?) {
        return None;
    }
    (1..=latin.len().min(lexicon.longest_phrase)).rev().find_map(|length| {
        let key = latin.get(..length)?.join(" ");
        table.get(&key).map(|concept| (*concept, length))
    })
}

/// The legal form of which these words, the last of a name, are the beginning: it was cut off.
pub(super) fn form_begun(latin: &[&str]) -> Option<Concept> {
    let text = latin.join(" ");
    if text.len() < FORM_BEGUN {
        return None;
    }
    let begun = LEXICON.forms.partition_point(|(form, _)| form.as_str() < text.as_str());
    let (form, concept) = LEXICON.forms.get(begun)?;
    (form.len() > text.len() && form.starts_with(&text)).then_some(*concept)
}

/// So many letters of a legal form are not the beginning of another word: "compan", "limite".
const FORM_BEGUN: usize = 6;

/// A piece of a run without spaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) concept: Option<Concept>,
}

/// Cuts a run of Chinese characters or Hangul into known words and what is left between them.
pub(super) fn cut(run: &str) -> Vec<Piece> {
    let lexicon = &*LEXICON;
    let letters: Vec<char> = run.chars().collect();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut rest = String::new();
    let mut at = 0;
    while at < letters.len() {
        let found = (1..=lexicon.longest_inner.min(letters.len() - at)).rev().find_map(|length| {
            let text: String = letters.get(at..at + length)?.iter().collect();
            let concept = *lexicon.inner.get(&text)?;
            // One character is a word only at the end, or where the next is one as well (총회사):
            // else it is part of a name.
            let ends = at + length == letters.len();
            let general = matches!(text.as_str(), "총" | "总" | "總")
                && starts_word(lexicon, letters.get(at + 1..)?);
            (length > 1 || general || (ends && at > 1)).then_some((text, concept, length))
        });
        let Some((text, concept, length)) = found else {
            rest.extend(letters.get(at));
            at += 1;
            continue;
        };
        if !rest.is_empty() {
            pieces.push(Piece { text: std::mem::take(&mut rest), concept: None });
        }
        pieces.push(Piece { text, concept: Some(concept) });
        at += length;
    }
    if !rest.is_empty() {
        pieces.push(Piece { text: rest, concept: None });
    }
    pieces
}

fn starts_word(lexicon: &Lexicon, letters: &[char]) -> bool {
    (2..=lexicon.longest_inner.min(letters.len())).any(|length| {
        letters
            .get(..length)
            .is_some_and(|part| lexicon.inner.contains_key(&part.iter().collect::<String>()))
    })
}

#[cfg(test)]
mod tests {
    use super::{Class, cut, name_of, phrase};

    #[test]
    fn a_run_is_cut_into_its_words() {
        let pieces = cut("조선릉라도무역총회사");
        let shown: Vec<String> = pieces
            .iter()
            .map(|p| p.concept.map_or_else(|| p.text.clone(), |c| name_of(c).to_owned()))
            .collect();
        assert_eq!(shown, ["korea", "릉라도", "trading", "general", "company"]);
    }

    #[test]
    fn the_longest_phrase_wins() {
        let (concept, length) = phrase(&["limited", "liability", "company", "x"], false).unwrap();
        assert_eq!((concept.class, length), (Class::Form, 3));
        assert_eq!(phrase(&["xyz"], false), None);
    }
}
