//! All listed names of one style, and the few worth comparing with a name.
//!
//! Owns the bound by which a name is left out: names whose own words do not meet can never reach
//! the bar, so they are not compared.

use std::cell::RefCell;
use std::collections::HashMap;

use super::vocabulary::{self, Posting, Vocabulary};
use crate::lists::Script;
use crate::screening::compare::{LEAST, MERGED};
use crate::screening::korean::{self, Sound};
use crate::screening::name::{Kind, Name, Style, Token, is_title};
use crate::screening::{edit, lexicon};

/// Whose name it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) entry: u32,
    /// Which of the entry's names.
    pub(super) number: u16,
    /// Whether the list calls it weak.
    pub(super) weak: bool,
}

/// All names of one style.
#[derive(Default)]
pub(super) struct Names {
    all: Vec<(Name, Place)>,
    /// Weight of all words, and of those of its own.
    weights: Vec<(f32, f32)>,
    words: Vocabulary,
    /// Two or three neighbours written as one word.
    merged: Vocabulary,
    /// Names of shared words only, by each of them.
    shared: HashMap<(lexicon::Class, u16), Vec<u32>>,
    /// Names that may be Korean.
    korean: Vec<u32>,
    /// Names in a script without an alphabet.
    characters: Vec<u32>,
    glued: HashMap<Box<str>, Vec<u32>>,
    chinese: HashMap<Box<str>, Vec<u32>>,
}

#[derive(Default)]
pub(super) struct Builder {
    names: Names,
    words: vocabulary::Builder,
    merged: vocabulary::Builder,
}

fn is_own(token: &Token) -> bool {
    matches!(token.kind, Kind::Word | Kind::Number)
}

impl Builder {
    /// Adds a name.
    pub(super) fn add(&mut self, name: Name, place: Place) {
        let id = u32::try_from(self.names.all.len()).unwrap_or(u32::MAX);
        let mut own_words = false;
        for token in name.tokens.iter().filter(|token| is_own(token)) {
            own_words = true;
            let posting = Posting { name: id, weight: token.weight };
            self.words.add(&token.latin, &token.fold, token.sounds.as_deref(), posting);
        }
        for run in runs(&name.tokens) {
            let weight = run.weight;
            self.merged.add(&run.latin, "", run.sounds.as_deref(), Posting { name: id, weight });
        }
        if !own_words {
            for token in &name.tokens {
                if let Kind::Shared(concept) = token.kind {
                    let names = self.names.shared.entry((concept.class, concept.id)).or_default();
                    if names.last() != Some(&id) {
                        names.push(id);
                    }
                }
            }
        }
        if !name.korean.is_empty() {
            self.names.korean.push(id);
        }
        if name.characters.is_some() {
            self.names.characters.push(id);
        }
        self.names.glued.entry(name.glued.clone().into_boxed_str()).or_default().push(id);
        for key in &name.chinese {
            self.names.chinese.entry(key.text.clone().into_boxed_str()).or_default().push(id);
        }
        self.names.weights.push(weights(&name));
        self.names.all.push((name, place));
    }

    pub(super) fn build(self) -> Names {
        Names { words: self.words.build(), merged: self.merged.build(), ..self.names }
    }
}

fn weights(name: &Name) -> (f32, f32) {
    let mut all = 0.0;
    let mut own = 0.0;
    for token in name.tokens.iter().filter(|token| !is_title(token)) {
        all += token.weight;
        if is_own(token) {
            own += token.weight;
        }
    }
    (all, own)
}

/// Neighbours written together.
struct Together {
    latin: String,
    sounds: Option<Vec<Sound>>,
    weight: f32,
}

fn runs(tokens: &[Token]) -> impl Iterator<Item = Together> {
    let of_length = |length: usize| tokens.windows(length);
    of_length(2)
        .chain(of_length(3))
        .filter(|run| {
            !run.iter().any(is_title)
                && run.iter().any(|token| !matches!(token.kind, Kind::Shared(_)))
        })
        .map(|run| Together {
            latin: run.iter().map(|token| token.latin.as_str()).collect(),
            sounds: run
                .iter()
                .map(|token| token.sounds.clone())
                .collect::<Option<Vec<_>>>()
                .map(|rows| rows.concat()),
            weight: run.iter().filter(|token| is_own(token)).map(|token| token.weight).sum(),
        })
        .filter(|together| together.latin.len() >= 4)
}

/// What the words of a question have in common with each name; reused from question to question.
#[derive(Default)]
struct Tally {
    /// Weight in common, by name.
    sums: Vec<f32>,
    /// The word of the question that counted last, by name.
    last: Vec<u32>,
    touched: Vec<u32>,
    words: Vec<u32>,
}

thread_local! {
    static TALLY: RefCell<Tally> = RefCell::new(Tally::default());
}

impl Tally {
    fn begin(&mut self, names: usize) {
        for id in self.touched.drain(..) {
            if let Some(at) = usize::try_from(id).ok().filter(|at| *at < self.sums.len()) {
                self.sums[at] = 0.0;
                self.last[at] = 0;
            }
        }
        if self.sums.len() < names {
            self.sums.resize(names, 0.0);
            self.last.resize(names, 0);
        }
    }

    /// Counts the found words for the word number `turn` of the question.
    fn count(&mut self, vocabulary: &Vocabulary, turn: u32, weight: f32) {
        for word in std::mem::take(&mut self.words) {
            for posting in vocabulary.postings(word) {
                let Ok(at) = usize::try_from(posting.name) else { continue };
                let (Some(sum), Some(last)) = (self.sums.get_mut(at), self.last.get_mut(at)) else {
                    continue;
                };
                if *last == 0 {
                    self.touched.push(posting.name);
                }
                if *last != turn {
                    *last = turn;
                    *sum += weight.max(posting.weight);
                }
            }
        }
    }
}

/// So much of the lighter name's weight may be missing in a name that still reaches the bar.
const MAY_MISS: f32 = 0.3;

impl Names {
    /// A name and whose it is.
    pub(super) fn get(&self, id: u32) -> Option<(&Name, Place)> {
        self.all.get(usize::try_from(id).ok()?).map(|(name, place)| (name, *place))
    }

    /// Every name.
    pub(super) fn every(&self) -> impl Iterator<Item = u32> + use<> {
        0..u32::try_from(self.all.len()).unwrap_or(u32::MAX)
    }

    /// The names worth comparing, each once.
    pub(super) fn candidates(&self, name: &Name, found: &mut Vec<u32>) {
        TALLY.with_borrow_mut(|tally| self.by_words(name, tally, found));
        if let Some(same) = self.glued.get(name.glued.as_str()) {
            found.extend(same);
        }
        for key in &name.chinese {
            found.extend(self.chinese.get(key.text.as_str()).into_iter().flatten());
        }
        if !name.tokens.iter().any(is_own) {
            for token in &name.tokens {
                if let Kind::Shared(concept) = token.kind
                    && let Some(names) = self.shared.get(&(concept.class, concept.id))
                {
                    found.extend(names);
                }
            }
        }
        if !name.korean.is_empty() {
            found.extend(self.korean.iter().filter(|id| self.may_be_korean(name, **id)));
        }
        if name.characters.is_some() {
            found.extend(&self.characters);
        }
        found.sort_unstable();
        found.dedup();
    }

    fn by_words(&self, name: &Name, tally: &mut Tally, found: &mut Vec<u32>) {
        tally.begin(self.all.len());
        let (all, own) = weights(name);
        let mut turn = 0;
        for token in name.tokens.iter().filter(|token| is_own(token)) {
            turn += 1;
            self.words.alike(&token.latin, &token.fold, LEAST, &mut tally.words);
            if let Some(group) = token.given {
                self.words.given(group, &mut tally.words);
            }
            if token.script == Script::Arabic {
                self.words.consonants(&token.latin, &mut tally.words);
            }
            if name.style != Style::Person
                && token.script != Script::Latin
                && let Some(sounds) = &token.sounds
            {
                self.words.sounding(sounds, LEAST, &mut tally.words);
            }
            tally.count(&self.words, turn, token.weight);
            if token.latin.len() >= 4 {
                self.merged.alike(&token.latin, "", MERGED, &mut tally.words);
                if name.style != Style::Person
                    && token.script != Script::Latin
                    && let Some(sounds) = &token.sounds
                {
                    self.merged.sounding(sounds, MERGED, &mut tally.words);
                }
                turn += 1;
                tally.count(&self.merged, turn, token.weight);
            }
        }
        for run in runs(&name.tokens) {
            turn += 1;
            self.words.alike(&run.latin, &edit::fold(&run.latin), MERGED, &mut tally.words);
            if name.style != Style::Person
                && name.tokens.iter().any(|token| token.script != Script::Latin)
                && let Some(sounds) = &run.sounds
            {
                self.words.sounding(sounds, MERGED, &mut tally.words);
            }
            tally.count(&self.words, turn, run.weight);
        }
        for id in &tally.touched {
            let Ok(at) = usize::try_from(*id) else { continue };
            let (Some(sum), Some((listed_all, listed_own))) =
                (tally.sums.get(at), self.weights.get(at))
            else {
                continue;
            };
            let needs = |all: f32, own: f32| own - MAY_MISS * all;
            let need = needs(all, own).min(needs(*listed_all, *listed_own));
            if *sum >= need {
                found.push(*id);
            }
        }
    }

    fn may_be_korean(&self, name: &Name, id: u32) -> bool {
        let Some((listed, _)) = self.get(id) else { return false };
        name.korean.iter().any(|(surname, given)| {
            listed.korean.iter().any(|(other, other_given)| {
                given.len().abs_diff(other_given.len()) <= 2
                    && korean::cost(surname, other) * 0.6 <= 0.3
            })
        })
    }
}
