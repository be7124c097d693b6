//! All listed names of one style, and the few worth comparing with a name.
//!
//! Owns the bound by which a name is left out: names whose own words do not meet can never reach
//! the bar, so they are not compared.

use std::cell::RefCell;
use std::collections::HashMap;

use super::neighbours::Reach;
use super::pattern::Pattern;
use super::vocabulary::{self, ByName, Posting, Vocabulary};
use crate::lists::Script;
use crate::screening::compare::{self, LEAST, MERGED};
use crate::screening::korean::{self, Sound};
use crate::screening::name::{Kind, Name, Style, Token, are_initials, is_title};
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
    needed: Vec<Needed>,
    words: Vocabulary,
    /// The words of its own that each name has.
    placed: ByName,
    /// Two or three neighbours written as one word.
    merged: Vocabulary,
    /// Names of shared words only, by each of them.
    shared: HashMap<(lexicon::Class, u16), Vec<u32>>,
    /// Names that may be Korean, by the sounds of the surname.
    korean: Vec<(Vec<Sound>, Vec<Given>)>,
    /// Names in a script without an alphabet.
    characters: Vec<u32>,
    glued: HashMap<Box<str>, Vec<u32>>,
    chinese: HashMap<Box<str>, Vec<u32>>,
    /// Names by the first letters of their words, and those that are hardly more than such letters.
    acronyms: HashMap<Box<str>, Vec<u32>>,
    lone: HashMap<Box<str>, Vec<u32>>,
}

/// The given names of a name that may be Korean.
struct Given {
    name: u32,
    sounds: Vec<Sound>,
}

#[derive(Default)]
pub(super) struct Builder {
    names: Names,
    korean: HashMap<Vec<Sound>, Vec<Given>>,
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
                // A slip makes of a shared word one of its own: such names are found by either.
                let posting = Posting { name: id, weight: token.weight };
                self.words.add(&token.latin, &token.fold, None, posting);
                if let Kind::Shared(concept) = token.kind {
                    let names = self.names.shared.entry((concept.class, concept.id)).or_default();
                    if names.last() != Some(&id) {
                        names.push(id);
                    }
                }
            }
        }
        for (surname, given) in &name.korean {
            let given = Given { name: id, sounds: given.clone() };
            self.korean.entry(surname.clone()).or_default().push(given);
        }
        if name.characters.is_some() {
            self.names.characters.push(id);
        }
        self.names.glued.entry(name.glued.clone().into_boxed_str()).or_default().push(id);
        for key in &name.chinese {
            self.names.chinese.entry(key.text.clone().into_boxed_str()).or_default().push(id);
        }
        for (letters, table) in
            [(&name.acronym, &mut self.names.acronyms), (&name.lone, &mut self.names.lone)]
        {
            if let Some(letters) = letters {
                table.entry(letters.clone().into_boxed_str()).or_default().push(id);
            }
        }
        self.names.needed.push(Needed::of(&name));
        self.names.all.push((name, place));
    }

    pub(super) fn build(self) -> Names {
        let words = self.words.build(FAR);
        let placed = words.by_name(self.names.all.len());
        let mut korean: Vec<_> = self.korean.into_iter().collect();
        korean.sort_by(|a, b| a.0.cmp(&b.0));
        Names { words, placed, korean, merged: self.merged.build(SHORT), ..self.names }
    }
}

/// Words up to two slips apart.
const FAR: Reach = Reach { cost: 2.4, longest: 16 };
/// Words written together: they are many, and asked for by single slips.
const SHORT: Reach = Reach { cost: 1.6, longest: 13 };

/// How much weight of its own words a name needs to have in common with another.
#[derive(Clone, Copy)]
struct Needed {
    least: f32,
    /// Of its initials: each may stand for a word of the other name.
    initials: f32,
}

impl Needed {
    fn of(name: &Name) -> Self {
        let (mut all, mut own, mut initials) = (0.0, 0.0, 0.0);
        for token in name.tokens.iter().filter(|token| !is_title(token)) {
            all += token.weight;
            if is_own(token) {
                own += token.weight;
            }
            // Only in a person's name does a letter stand for a word.
            let stands = token.kind == Kind::Initial || are_initials(token);
            if stands && name.style == Style::Person {
                // As much as a long word weighs.
                initials += 1.2;
            }
        }
        Self { least: own - MAY_MISS * all, initials }
    }

    /// What the lighter of two names needs, less what initials of either may be worth.
    fn with(self, other: Self) -> f32 {
        self.least.min(other.least) - self.initials.max(other.initials)
    }
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
    /// The words of the question that counted, a bit each, by name.
    counted: Vec<u64>,
    touched: Vec<u32>,
    words: Vec<u32>,
    /// Whether the word of the question in turn may be each word of the lists.
    judged: Vec<Option<bool>>,
}

thread_local! {
    static TALLY: RefCell<Tally> = RefCell::new(Tally::default());
}

impl Tally {
    fn begin(&mut self, names: usize) {
        for id in self.touched.drain(..) {
            if let Some(at) = usize::try_from(id).ok().filter(|at| *at < self.sums.len()) {
                self.sums[at] = 0.0;
                self.counted[at] = 0;
            }
        }
        if self.sums.len() < names {
            self.sums.resize(names, 0.0);
            self.counted.resize(names, 0);
        }
    }

    /// Counts the found words for the word of the question that has this bit.
    fn count(&mut self, vocabulary: &Vocabulary, bit: u64, weight: f32) {
        for word in std::mem::take(&mut self.words) {
            for posting in vocabulary.postings(word) {
                let Ok(at) = usize::try_from(posting.name) else { continue };
                let (Some(sum), Some(counted)) = (self.sums.get_mut(at), self.counted.get_mut(at))
                else {
                    continue;
                };
                if *counted == 0 {
                    self.touched.push(posting.name);
                }
                if *counted & bit == 0 {
                    *counted |= bit;
                    *sum += weight.max(posting.weight);
                }
            }
        }
    }
}

/// So much of the lighter name's weight may be missing in a name that still reaches the bar.
const MAY_MISS: f32 = 0.3;

/// The bar for which the bounds hold; below the one that is asked for, to be on the safe side.
const BAR: f32 = 0.65;

/// How alike the likest pair of words is at least in names that reach [`BAR`].
///
/// The score is an average of what the pairs are worth, so one of them is worth as much as the bar
/// where all are words of the names' own; words that many share, and initials, may lift the rest.
fn likest(name: &Name) -> f32 {
    let (mut own, mut lightest, mut shared) = (0.0_f32, f32::INFINITY, 0.0_f32);
    for token in &name.tokens {
        if is_own(token) {
            own += token.weight;
            lightest = lightest.min(token.weight);
        } else {
            shared += 1.15 * token.weight;
        }
    }
    // A person's name may lack words of the other at little cost.
    let rest = if name.style == Style::Person { lightest } else { own };
    if rest <= 0.0 || !rest.is_finite() {
        return LEAST;
    }
    let worth = BAR - (1.0 - BAR) * shared / rest;
    compare::alike_of_worth(worth).clamp(LEAST, 1.0)
}

impl Names {
    /// A name and whose it is.
    pub(super) fn get(&self, id: u32) -> Option<(&Name, Place)> {
        self.all.get(usize::try_from(id).ok()?).map(|(name, place)| (name, *place))
    }

    /// Every name.
    pub(super) fn every(&self) -> impl Iterator<Item = u32> + use<> {
        0..u32::try_from(self.all.len()).unwrap_or(u32::MAX)
    }

    /// The names written with the same letters, without spaces.
    pub(super) fn same(&self, name: &Name) -> &[u32] {
        self.glued.get(name.glued.as_str()).map_or(&[], Vec::as_slice)
    }

    /// The names worth comparing, each once.
    pub(super) fn candidates(&self, name: &Name, found: &mut Vec<u32>) {
        // A person's name in characters is compared by the reading of the whole alone.
        let by_reading = name.style == Style::Person
            && name.characters.is_some()
            && !(name.korean.is_empty() && name.chinese.is_empty());
        if !by_reading {
            TALLY.with_borrow_mut(|tally| self.by_words(name, tally, found));
        }
        if let Some(same) = self.glued.get(name.glued.as_str()) {
            found.extend(same);
        }
        for key in &name.chinese {
            found.extend(self.chinese.get(key.text.as_str()).into_iter().flatten());
        }
        for (letters, table) in [(&name.acronym, &self.lone), (&name.lone, &self.acronyms)] {
            found.extend(letters.iter().filter_map(|l| table.get(l.as_str())).flatten());
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
        self.by_korean(name, found);
        if name.characters.is_some() {
            found.extend(&self.characters);
        }
        found.sort_unstable();
        found.dedup();
    }

    fn by_words(&self, name: &Name, tally: &mut Tally, found: &mut Vec<u32>) {
        tally.begin(self.all.len());
        let needs = Needed::of(name);
        let likest = likest(name);
        let bit = |turn: usize| 1_u64 << turn.min(63);
        let mut tokens: Vec<&Token> = name.tokens.iter().filter(|token| is_own(token)).collect();
        if tokens.is_empty() {
            tokens.extend(name.tokens.iter().filter(|token| !is_title(token)));
        }
        // First the names that have a word which is very like one of these.
        for (turn, token) in tokens.iter().enumerate() {
            self.words.alike(&token.latin, &token.fold, likest, &mut tally.words);
            if let Some(group) = token.given {
                self.words.given(group, &mut tally.words);
            }
            if name.style == Style::Organisation {
                self.words.adjectives(&token.latin, &mut tally.words);
            }
            if let Some(own) = &token.consonants {
                self.words.consonants(own, &mut tally.words);
            }
            if token.script == Script::Arabic {
                self.words.skeletons(&token.latin, &mut tally.words);
            }
            let sounds = token
                .sounds
                .as_ref()
                .filter(|_| name.style != Style::Person && token.script != Script::Latin);
            if let Some(sounds) = sounds {
                self.words.sounding(sounds, LEAST, &mut tally.words);
            }
            tally.count(&self.words, bit(turn), token.weight);
            if token.latin.len() >= 4 {
                self.merged.alike(&token.latin, "", MERGED, &mut tally.words);
                if let Some(sounds) = sounds {
                    self.merged.sounding(sounds, MERGED, &mut tally.words);
                }
                tally.count(&self.merged, bit(turn), token.weight);
            }
        }
        for (turn, run) in (tokens.len()..).zip(runs(&name.tokens)) {
            self.words.alike(&run.latin, &edit::fold(&run.latin), MERGED, &mut tally.words);
            if name.style != Style::Person
                && name.tokens.iter().any(|token| token.script != Script::Latin)
                && let Some(sounds) = &run.sounds
            {
                self.words.sounding(sounds, MERGED, &mut tally.words);
            }
            tally.count(&self.words, bit(turn), run.weight);
        }
        // Then what else of those names the other words may be.
        for (turn, token) in tokens.iter().enumerate() {
            let pattern = Pattern::new(token.latin.as_bytes());
            tally.judged.clear();
            tally.judged.resize(self.words.len(), None);
            for id in &tally.touched {
                let Ok(at) = usize::try_from(*id) else { continue };
                let (Some(sum), Some(counted), Some(needed)) =
                    (tally.sums.get_mut(at), tally.counted.get(at), self.needed.get(at))
                else {
                    continue;
                };
                if counted & bit(turn) != 0 || *sum >= needed.with(needs) {
                    continue;
                }
                let heaviest = self
                    .placed
                    .of(at)
                    .iter()
                    .filter(|place| {
                        let judged = usize::try_from(place.name).ok();
                        let Some(slot) = judged.and_then(|at| tally.judged.get_mut(at)) else {
                            return true;
                        };
                        *slot.get_or_insert_with(|| {
                            self.words.may_be(place.name, &token.latin, &pattern, LEAST)
                        })
                    })
                    .map(|place| place.weight)
                    .reduce(f32::max);
                if let Some(heaviest) = heaviest {
                    *sum += token.weight.max(heaviest);
                }
            }
        }
        found.extend(tally.touched.iter().filter(|id| {
            let at = usize::try_from(**id).unwrap_or(usize::MAX);
            let (sum, needed) = (tally.sums.get(at), self.needed.get(at));
            sum.zip(needed).is_some_and(|(sum, needed)| *sum >= needed.with(needs))
        }));
    }

    /// Names that are one Korean name with this, or nearly.
    fn by_korean(&self, name: &Name, found: &mut Vec<u32>) {
        for (own_surname, own_given) in &name.korean {
            for (surname, names) in &self.korean {
                let so_far = korean::cost(own_surname, surname) * compare::SURNAME;
                if so_far > compare::KOREAN_APART {
                    continue;
                }
                let near = names.iter().filter(|given| {
                    given.sounds.len().abs_diff(own_given.len()) <= 2
                        && so_far + korean::cost(own_given, &given.sounds) * compare::GIVEN_NAMES
                            <= compare::KOREAN_APART
                });
                found.extend(near.map(|given| given.name));
            }
        }
    }
}
