//! The words of all listed names, and finding those that a word may be.
//!
//! Owns the tables by which a look through all words is cheap: which letters a word has, how many,
//! and how it sounds. It finds whatever the comparison takes for the same word.

use std::collections::HashMap;

use super::neighbours::{self, Neighbours, Reach};
use super::pattern::{self, Pattern, may_be_near, strange};
use crate::screening::edit;
use crate::screening::korean::{self, Sound};
use crate::screening::lexicon;
use crate::screening::name::small;

/// Where a word stands: the name, and its weight there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Posting {
    pub(super) name: u32,
    pub(super) weight: f32,
}

/// Words and where each stands.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    /// In order of length.
    words: Vec<Box<str>>,
    masks: Vec<u64>,
    letters: Vec<u64>,
    postings: Vec<Box<[Posting]>>,
    /// Where words of each length begin.
    starts: Vec<usize>,
    folds: HashMap<Box<str>, Vec<u32>>,
    skeletons: HashMap<Box<str>, Vec<u32>>,
    consonants: HashMap<Box<str>, Vec<u32>>,
    given: HashMap<u16, Vec<u32>>,
    neighbours: Neighbours,
    /// Words that the table of neighbours leaves out.
    odd: Vec<usize>,
    /// Russian adjectives by the place they are made of.
    adjectives: HashMap<Box<str>, Vec<u32>>,
    sounding: Vec<Sounding>,
}

#[derive(Debug)]
struct Sounding {
    word: u32,
    sounds: Box<[Sound]>,
    /// Every letter that occurs.
    present: Sound,
}

/// What a vocabulary is made of.
#[derive(Default)]
pub(super) struct Builder {
    words: HashMap<String, Word>,
}

#[derive(Default)]
struct Word {
    fold: String,
    sounds: Option<Vec<Sound>>,
    postings: Vec<Posting>,
}

impl Builder {
    /// Adds a place where a word stands.
    pub(super) fn add(
        &mut self,
        latin: &str,
        fold: &str,
        sounds: Option<&[Sound]>,
        posting: Posting,
    ) {
        if latin.is_empty() {
            return;
        }
        let word = self.words.entry(latin.to_owned()).or_default();
        if word.postings.is_empty() {
            fold.clone_into(&mut word.fold);
        }
        if word.sounds.is_none() {
            word.sounds = sounds.map(<[Sound]>::to_vec);
        }
        word.postings.push(posting);
    }

    pub(super) fn build(self, reach: Reach) -> Vocabulary {
        let mut all: Vec<(String, Word)> = self.words.into_iter().collect();
        all.sort_by(|a, b| (a.0.len(), &a.0).cmp(&(b.0.len(), &b.0)));
        let mut built = Vocabulary::default();
        for (text, word) in all {
            let at = u32::try_from(built.words.len()).unwrap_or(u32::MAX);
            while built.starts.len() <= text.len() {
                built.starts.push(built.words.len());
            }
            if !word.fold.is_empty() {
                if let Some(own) = edit::consonants(&word.fold) {
                    built.consonants.entry(own.into_boxed_str()).or_default().push(at);
                }
                let skeleton = edit::skeleton(&text).into_boxed_str();
                built.skeletons.entry(skeleton).or_default().push(at);
                built.folds.entry(word.fold.into_boxed_str()).or_default().push(at);
            }
            if let Some(stem) = edit::adjective_of(&text) {
                for place in edit::places(stem) {
                    built.adjectives.entry(place.into_boxed_str()).or_default().push(at);
                }
            }
            if let Some(group) = lexicon::given(&text) {
                built.given.entry(group).or_default().push(at);
            }
            if let Some(sounds) = word.sounds {
                let present = sounds.iter().fold(0, |all, sound| all | sound);
                built.sounding.push(Sounding { word: at, sounds: sounds.into(), present });
            }
            built.masks.push(pattern::mask(text.as_bytes()));
            built.letters.push(pattern::letters(text.as_bytes()));
            if !neighbours::is_plain(&text) {
                built.odd.push(built.words.len());
            }
            built.words.push(text.into_boxed_str());
            built.postings.push(word.postings.into());
        }
        built.neighbours = Neighbours::new(&built.words, reach);
        built
    }
}

/// The edits between words that are at least so alike: the cheapest cost little more than half of
/// one.
fn edits(most: f32) -> f32 {
    most / 0.55 + 0.1
}

/// How near a word of some length has to be.
#[derive(Clone, Copy)]
struct Near {
    /// Its length.
    length: usize,
    /// What it may cost to make it the other.
    most: f32,
    /// How many edits that may be.
    allowed: f32,
}

impl Near {
    /// `None` where words of these lengths are never so alike.
    fn of(own: usize, length: usize, least: f32) -> Option<Self> {
        let longest = own.max(length);
        let apart = own.abs_diff(length);
        let most = edit::most_cost(longest, least);
        let allowed = edits(most);
        // Lengths that are more than half apart are never alike.
        (apart * 2 <= longest && small(apart) <= allowed).then_some(Self { length, most, allowed })
    }
}

/// The words of each name; a posting here names the word.
#[derive(Debug, Default)]
pub(super) struct ByName {
    starts: Vec<usize>,
    words: Vec<Posting>,
}

impl ByName {
    /// The words of the name at this place.
    pub(super) fn of(&self, at: usize) -> &[Posting] {
        let range = self.starts.get(at).zip(self.starts.get(at + 1));
        range.and_then(|(from, to)| self.words.get(*from..*to)).unwrap_or_default()
    }
}

impl Vocabulary {
    /// How many words there are.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// Where a word stands.
    pub(super) fn postings(&self, word: u32) -> &[Posting] {
        usize::try_from(word).ok().and_then(|at| self.postings.get(at)).map_or(&[], |all| all)
    }

    /// The words that `latin` may be, at least so alike.
    pub(super) fn alike(&self, latin: &str, fold: &str, least: f32, found: &mut Vec<u32>) {
        self.look(latin, fold, least, neighbours::is_plain(latin), found);
    }

    /// As [`Vocabulary::alike`]; by the table of neighbours as far as it reaches, or by a look at
    /// every word.
    fn look(&self, latin: &str, fold: &str, least: f32, by_table: bool, found: &mut Vec<u32>) {
        found.clear();
        let length = latin.len();
        if length == 0 {
            return;
        }
        if let Some(same) = self.folds.get(fold).filter(|_| !fold.is_empty()) {
            found.extend(same);
        }
        let folded = found.len();
        let pattern = Pattern::new(latin.as_bytes());
        let is_near = |at: usize, near: Near| {
            self.masks.get(at).is_some_and(|mask| may_be_near(pattern.mask, *mask, near.most))
                && self.is_near(at, latin, &pattern, near.allowed, least)
        };
        let most = if least > 0.8 { length.div_ceil(4) + 1 } else { length.div_ceil(2) + 1 };
        let lengths = length.saturating_sub(most).max(1)..=length + most;
        let reaches =
            |near: Near| by_table && self.neighbours.reaches(length.max(near.length), near.most);
        let mut furthest: Option<f32> = None;
        for near in lengths.clone().filter_map(|longer| Near::of(length, longer, least)) {
            let Some(from) = self.starts.get(near.length).copied() else { break };
            let to = self.starts.get(near.length + 1).copied().unwrap_or(self.words.len());
            if reaches(near) {
                furthest = Some(furthest.map_or(near.most, |most| most.max(near.most)));
                let begin = self.odd.partition_point(|at| *at < from);
                let odd = self.odd.get(begin..).unwrap_or_default().iter().copied();
                let odd = odd.take_while(|at| *at < to).filter(|at| is_near(*at, near));
                found.extend(odd.filter_map(|at| u32::try_from(at).ok()));
            } else {
                let all = (from..to).filter(|at| is_near(*at, near));
                found.extend(all.filter_map(|at| u32::try_from(at).ok()));
            }
        }
        if let Some(most) = furthest {
            let looked = found.len();
            self.neighbours.of(latin, most, found);
            let mut kept = looked;
            for next in looked..found.len() {
                let Ok(at) = usize::try_from(found[next]) else { continue };
                let longer = self.words.get(at).map_or(0, |word| word.len());
                let near = Near::of(length, longer, least)
                    .filter(|near| lengths.contains(&longer) && reaches(*near));
                if near.is_some_and(|near| is_near(at, near)) {
                    found[kept] = found[next];
                    kept += 1;
                }
            }
            found.truncate(kept);
        }
        // In the order of the words, each once.
        found[folded..].sort_unstable();
        let mut kept = folded;
        for next in folded..found.len() {
            let word = found[next];
            if !found[..folded].contains(&word) && (kept == folded || found[kept - 1] != word) {
                found[kept] = word;
                kept += 1;
            }
        }
        found.truncate(kept);
    }

    /// Whether a word may be `latin`, at least so alike; `pattern` is made of `latin`.
    pub(super) fn may_be(&self, word: u32, latin: &str, pattern: &Pattern, least: f32) -> bool {
        let Ok(at) = usize::try_from(word) else { return false };
        let (Some(mask), Some(text)) = (self.masks.get(at), self.words.get(at)) else {
            return false;
        };
        let most = edit::most_cost(latin.len().max(text.len()), least);
        may_be_near(pattern.mask, *mask, most)
            && self.is_near(at, latin, pattern, edits(most), least)
    }

    fn is_near(&self, at: usize, latin: &str, pattern: &Pattern, allowed: f32, least: f32) -> bool {
        if self.letters.get(at).is_some_and(|own| small(strange(*own, pattern.letters)) > allowed) {
            return false;
        }
        let Some(word) = self.words.get(at) else { return false };
        let near = small(pattern.distance(word.as_bytes())) <= allowed
            && edit::at_least(latin, word, least) >= least;
        near || (self.masks.get(at) == Some(&pattern.mask) && edit::shuffled(latin, word))
    }

    /// The words of each of so many names.
    pub(super) fn by_name(&self, names: usize) -> ByName {
        let mut starts = vec![0_usize; names + 1];
        let place = |posting: &Posting| usize::try_from(posting.name).unwrap_or(usize::MAX);
        for posting in self.postings.iter().flatten() {
            if let Some(count) = starts.get_mut(place(posting).saturating_add(1)) {
                *count += 1;
            }
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let total = starts.last().copied().unwrap_or_default();
        let mut words = vec![Posting { name: 0, weight: 0.0 }; total];
        for (word, postings) in (0_u32..).zip(&self.postings) {
            for posting in postings {
                if let Some(at) = next.get_mut(place(posting))
                    && let Some(slot) = words.get_mut(*at)
                {
                    *slot = Posting { name: word, weight: posting.weight };
                    *at += 1;
                }
            }
        }
        ByName { starts, words }
    }

    /// Adds the other forms of a given name.
    pub(super) fn given(&self, group: u16, found: &mut Vec<u32>) {
        found.extend(self.given.get(&group).into_iter().flatten());
    }

    /// Adds the Russian adjectives made of a place, or the place that an adjective is made of.
    pub(super) fn adjectives(&self, latin: &str, found: &mut Vec<u32>) {
        found.extend(self.adjectives.get(latin).into_iter().flatten());
        let places = edit::adjective_of(latin).map(edit::places);
        found.extend(places.into_iter().flatten().filter_map(|place| self.exactly(&place)));
    }

    /// The word that is written exactly so.
    fn exactly(&self, latin: &str) -> Option<u32> {
        let from = *self.starts.get(latin.len())?;
        let to = self.starts.get(latin.len() + 1).copied().unwrap_or(self.words.len());
        let words = self.words.get(from..to)?;
        let at = words.binary_search_by(|word| (**word).cmp(latin)).ok()?;
        u32::try_from(from + at).ok()
    }

    /// Adds the words with the same consonants as they sound.
    pub(super) fn consonants(&self, own: &str, found: &mut Vec<u32>) {
        found.extend(self.consonants.get(own).into_iter().flatten());
    }

    /// Adds the words with the consonants of an Arabic word, and Arabic words with those of another.
    pub(super) fn skeletons(&self, latin: &str, found: &mut Vec<u32>) {
        let skeleton = edit::skeleton(latin);
        if let Some(same) = self.skeletons.get(skeleton.as_str()).filter(|_| !skeleton.is_empty()) {
            found.extend(same);
        }
    }

    /// Adds the words that may sound like `sounds` in Korean.
    pub(super) fn sounding(&self, sounds: &[Sound], least: f32, found: &mut Vec<u32>) {
        let present = sounds.iter().fold(0, |all, sound| all | sound);
        let strange = |row: &[Sound], present: Sound| {
            row.iter().filter(|sound| korean::is_sure(**sound) && *sound & present == 0).count()
        };
        for listed in &self.sounding {
            let longest = listed.sounds.len().max(sounds.len());
            let allowed = (0.98 - least) / 1.6 * small(longest);
            // Each consonant that the other row lacks costs more than half.
            if small(longest - listed.sounds.len().min(sounds.len())) > allowed + 1.0
                || small(strange(sounds, listed.present)) * 0.6 > allowed
                || small(strange(&listed.sounds, present)) * 0.6 > allowed
            {
                continue;
            }
            if korean::cost(sounds, &listed.sounds) <= allowed && !found.contains(&listed.word) {
                found.push(listed.word);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Builder, Posting, Reach, Vocabulary, edit, neighbours};

    #[test]
    fn words_are_found_by_letters_and_by_sound() {
        let mut builder = Builder::default();
        for (name, word) in (0..).zip(["rungrado", "sergey", "xylophone", "un"]) {
            let sounds = crate::screening::korean::of_latin(word);
            let fold = crate::screening::edit::fold(word);
            builder.add(word, &fold, sounds.as_deref(), Posting { name, weight: 1.0 });
        }
        let vocabulary = builder.build(REACH);
        let mut found = Vec::new();
        let names = |found: &[u32]| -> Vec<u32> {
            found.iter().flat_map(|w| vocabulary.postings(*w)).map(|p| p.name).collect()
        };
        vocabulary.alike("sergei", &crate::screening::edit::fold("sergei"), 0.6, &mut found);
        assert_eq!(names(&found), [1]);
        found.clear();
        let sounds = crate::screening::korean::of_hangul("릉라도").unwrap_or_default();
        vocabulary.sounding(&sounds, 0.6, &mut found);
        assert_eq!(names(&found), [0]);
    }

    const REACH: Reach = Reach { cost: 2.4, longest: 16 };

    fn vocabulary(words: &[String]) -> Vocabulary {
        let mut builder = Builder::default();
        for (name, word) in (0..).zip(words) {
            builder.add(word, &edit::fold(word), None, Posting { name, weight: 1.0 });
        }
        builder.build(REACH)
    }

    /// A word, and the same with slips: letters lost, doubled, swapped, taken for others.
    fn bent() -> impl Strategy<Value = (String, String)> {
        let slips =
            prop::collection::vec((0..6_u8, any::<prop::sample::Index>(), "[a-z0-9]"), 0..4);
        ("[aeinrstmhkl]{1,18}|[a-z]{2,12}|[a-z0-9]{2,8}", slips).prop_map(|(word, slips)| {
            let mut letters: Vec<char> = word.chars().collect();
            for (slip, at, letter) in slips {
                let at = at.index(letters.len());
                match slip {
                    0 if letters.len() > 1 => {
                        letters.remove(at);
                    }
                    1 => letters.insert(at, letters[at]),
                    2 if at > 0 => letters.swap(at - 1, at),
                    3 => letters.insert(at, 'h'),
                    4 => letters.reverse(),
                    _ => letters[at] = letter.chars().next().unwrap_or('a'),
                }
            }
            (word, letters.into_iter().collect())
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn the_table_finds_what_a_look_at_every_word_finds(
            all in prop::collection::vec(bent(), 1..40),
            least in 0.6_f32..0.95,
        ) {
            let words: Vec<String> = all.iter().map(|(word, _)| word.clone()).collect();
            let vocabulary = vocabulary(&words);
            let (mut fast, mut plain) = (Vec::new(), Vec::new());
            for asked in all.iter().flat_map(|(word, bent)| [word, bent]) {
                let by_table = neighbours::is_plain(asked);
                vocabulary.look(asked, &edit::fold(asked), least, by_table, &mut fast);
                vocabulary.look(asked, &edit::fold(asked), least, false, &mut plain);
                prop_assert_eq!(&fast, &plain, "{}", asked);
            }
        }
    }
}
