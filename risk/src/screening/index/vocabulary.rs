//! The words of all listed names, and finding those that a word may be.
//!
//! Owns the tables by which a look through all words is cheap: which letters a word has, how many,
//! and how it sounds. It finds whatever the comparison takes for the same word.

use std::collections::HashMap;

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

    pub(super) fn build(self) -> Vocabulary {
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
            built.masks.push(mask(text.as_bytes()));
            built.letters.push(letters(text.as_bytes()));
            built.words.push(text.into_boxed_str());
            built.postings.push(word.postings.into());
        }
        built
    }
}

/// Which classes of letters a word has; in the upper half those that come twice. Letters that are
/// easily taken for one another are one class, and an `h`, which is easily lost, is in none.
fn mask(word: &[u8]) -> u64 {
    let mut once = 0_u64;
    let mut twice = 0_u64;
    for byte in word {
        let bit = match byte {
            b'h' => continue,
            b'e' | b'i' | b'j' | b'y' => 1,
            b'o' | b'u' => 1 << 1,
            b'c' | b'g' | b'k' | b'q' | b's' | b'z' => 1 << 2,
            b'f' | b'v' | b'w' => 1 << 3,
            b'd' | b't' => 1 << 4,
            b'b' | b'p' => 1 << 5,
            b'a' | b'l'..=b'n' | b'r' | b'x' => 1_u64 << (*byte - b'a' + 6),
            _ => DIGITS,
        };
        twice |= once & bit;
        once |= bit;
    }
    once | (twice & !DIGITS) << 32
}

/// Which letters and digits a word has; in the upper half those that come twice.
fn letters(word: &[u8]) -> u64 {
    let mut once = 0_u64;
    let mut twice = 0_u64;
    for byte in word {
        let bit = match byte {
            b'a'..=b'z' => 1_u64 << (*byte - b'a'),
            // Digits share what room is left.
            b'0'..=b'9' => 1_u64 << (26 + (*byte - b'0') % 6),
            _ => 1_u64 << 31,
        };
        twice |= once & bit;
        once |= bit;
    }
    once | twice << 32
}

/// How many letters, with how often, one of two words has and the other lacks: so many edits at least.
fn strange(a: u64, b: u64) -> usize {
    (a & !b).count_ones().max((b & !a).count_ones()) as usize
}

/// A word with digits: scanners take them for letters at little cost.
const DIGITS: u64 = 1 << 31;

/// Whether words with these masks may be so near that `most` is all it costs to make one the other.
///
/// A class that one of them lacks costs 0.8 at least, and one that it has a single time 0.4.
fn may_be_near(a: u64, b: u64, most: f32) -> bool {
    if (a | b) & DIGITS != 0 {
        return true;
    }
    let cost = |strange: u64| {
        let once = (strange & 0xffff_ffff).count_ones();
        2 * once + (strange >> 32).count_ones()
    };
    let least = cost(a & !b).max(cost(b & !a));
    small(least as usize) * 0.4 <= most + 0.001
}

/// The edits between words that are at least so alike: the cheapest cost little more than half of
/// one.
fn edits(most: f32) -> f32 {
    most / 0.55 + 0.1
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
        found.clear();
        let length = latin.len();
        if length == 0 {
            return;
        }
        if let Some(same) = self.folds.get(fold).filter(|_| !fold.is_empty()) {
            found.extend(same);
        }
        let pattern = Pattern::new(latin.as_bytes());
        let own = pattern.mask;
        let most = if least > 0.8 { length.div_ceil(4) + 1 } else { length.div_ceil(2) + 1 };
        for longer in length.saturating_sub(most).max(1)..=length + most {
            let longest = length.max(longer);
            // Lengths that are more than half apart are never alike.
            if longest.abs_diff(length.min(longer)) * 2 > longest {
                continue;
            }
            let most = edit::most_cost(longest, least);
            let allowed = edits(most);
            if small(longest - length.min(longer)) > allowed {
                continue;
            }
            let (Some(from), to) = (
                self.starts.get(longer).copied(),
                self.starts.get(longer + 1).copied().unwrap_or(self.words.len()),
            ) else {
                break;
            };
            let masks = self.masks.get(from..to).unwrap_or_default();
            for (at, mask) in (from..to).zip(masks) {
                if may_be_near(own, *mask, most)
                    && self.is_near(at, latin, &pattern, allowed, least)
                    && let Ok(at) = u32::try_from(at)
                    && !found.contains(&at)
                {
                    found.push(at);
                }
            }
        }
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

/// A word prepared for Myers' bit-parallel edit distance.
pub(super) struct Pattern {
    bits: [u64; 37],
    length: usize,
    /// Which classes of letters it has.
    mask: u64,
    /// Which letters it has.
    letters: u64,
}

impl Pattern {
    pub(super) fn new(word: &[u8]) -> Self {
        let mut bits = [0_u64; 37];
        let length = word.len().min(64);
        for (at, byte) in word.iter().take(length).enumerate() {
            if let Some(slot) = bits.get_mut(slot(*byte)) {
                *slot |= 1 << at;
            }
        }
        Self { bits, length, mask: mask(word), letters: letters(word) }
    }

    fn distance(&self, text: &[u8]) -> usize {
        if self.length == 0 {
            return text.len();
        }
        let last = 1_u64 << (self.length - 1);
        let (mut up, mut down) = (u64::MAX, 0_u64);
        let mut score = self.length;
        for byte in text {
            let matches = self.bits.get(slot(*byte)).copied().unwrap_or_default();
            let diagonal = (((matches & up).wrapping_add(up)) ^ up) | matches | down;
            let mut plus = down | !(diagonal | up);
            let mut minus = up & diagonal;
            if plus & last != 0 {
                score += 1;
            }
            if minus & last != 0 {
                score = score.saturating_sub(1);
            }
            plus = plus << 1 | 1;
            minus <<= 1;
            up = minus | !(diagonal | plus);
            down = plus & diagonal;
        }
        score
    }
}

fn slot(byte: u8) -> usize {
    usize::from(match byte {
        b'a'..=b'z' => byte - b'a',
        b'0'..=b'9' => byte - b'0' + 26,
        _ => 36,
    })
}

#[cfg(test)]
mod tests {
    use super::{Builder, Pattern, Posting};

    #[test]
    fn distances_are_those_of_levenshtein() {
        for (a, b, distance) in
            [("kitten", "sitting", 3), ("a", "a", 0), ("abc", "", 3), ("ab", "ba", 2)]
        {
            assert_eq!(Pattern::new(a.as_bytes()).distance(b.as_bytes()), distance, "{a} {b}");
        }
    }

    #[test]
    fn words_are_found_by_letters_and_by_sound() {
        let mut builder = Builder::default();
        for (name, word) in (0..).zip(["rungrado", "sergey", "xylophone", "un"]) {
            let sounds = crate::screening::korean::of_latin(word);
            let fold = crate::screening::edit::fold(word);
            builder.add(word, &fold, sounds.as_deref(), Posting { name, weight: 1.0 });
        }
        let vocabulary = builder.build();
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
}
