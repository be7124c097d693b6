//! Words by what is left of them when a letter or two are lost: two words a slip apart have such a
//! remainder in common, so that the few that a word may be are found without a look at all.
//!
//! Owns the bound that makes it safe. Letters are taken by class, those easily taken for one another
//! being one class, and an `h`, which is easily lost, being none. Of what the weighed distance of
//! [`crate::screening::edit`] charges, a letter doubled in one word alone then costs [`DOUBLED`] at
//! least, and any other letter that is strange, missing or swapped [`LETTER`]. So words that are
//! made one for `most` are left the same when each loses its doubled letters in question, and for
//! every [`LETTER`] of the rest one letter more. What is found is still to be compared.

use super::pattern::class;
use crate::screening::name::small;

/// What a letter costs at least that one word alone has, or has as one of another class; and what
/// two swapped ones do.
const LETTER: f32 = 0.8;
/// What a letter costs at least that repeats the one before it.
const DOUBLED: f32 = 0.4;
/// Sums of costs are only so exact.
const TOLERANCE: f32 = 0.001;

/// How far a table reaches: further costs more memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    /// Words that cost less than this to make one are found.
    pub(super) cost: f32,
    /// Words up to so many letters are in it.
    pub(super) longest: usize,
}

/// The remainders of all words.
#[derive(Debug)]
pub(super) struct Neighbours {
    reach: Reach,
    /// Where the remainders that share the upper bits of their hash begin.
    starts: Vec<u32>,
    shift: u32,
    remainders: Vec<Remainder>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Remainder {
    /// The lower bits of its hash.
    hash: u32,
    word: u32,
}

impl Default for Neighbours {
    fn default() -> Self {
        Self::new(&[], Reach { cost: 0.0, longest: 0 })
    }
}

impl Neighbours {
    /// The table of these words, which are told by their places.
    pub(super) fn new(words: &[Box<str>], reach: Reach) -> Self {
        let mut all: Vec<(u64, u32)> = Vec::new();
        for (at, word) in (0_u32..).zip(words) {
            if word.len() <= reach.longest
                && let Some(classes) = Classes::of(word)
            {
                classes.remainders(reach.cost, &mut |remainder| all.push((hash(remainder), at)));
                all.extend(shuffled(word).map(|letters| (letters, at)));
            }
        }
        // About two to a place.
        let bits = all.len().max(2).ilog2();
        let shift = 64 - bits;
        let mut starts = vec![0_u32; (1 << bits) + 1];
        for (hash, _) in &all {
            starts[place(*hash, shift) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut remainders = vec![Remainder::default(); all.len()];
        for (hash, word) in all {
            let next = &mut next[place(hash, shift)];
            if let Some(slot) = usize::try_from(*next).ok().and_then(|at| remainders.get_mut(at)) {
                *slot = Remainder { hash: lower(hash), word };
            }
            *next += 1;
        }
        Self { reach, starts, shift, remainders }
    }

    /// Whether every listed word of this length that costs so much at most is found, but for those
    /// that [`is_plain`] is not true of.
    pub(super) fn reaches(&self, length: usize, most: f32) -> bool {
        length <= self.reach.longest && most + TOLERANCE < self.reach.cost
    }

    /// Adds all words that may be made `word` for less than `most`, and others, some of them several
    /// times; a word that [`is_plain`] is not true of finds none.
    pub(super) fn of(&self, word: &str, most: f32, found: &mut Vec<u32>) {
        let Some(classes) = Classes::of(word) else { return };
        let mut look = |hash: u64| {
            let at = place(hash, self.shift);
            let (Some(from), Some(to)) = (self.starts.get(at), self.starts.get(at + 1)) else {
                return;
            };
            let range = usize::try_from(*from).ok().zip(usize::try_from(*to).ok());
            let same = range.and_then(|(from, to)| self.remainders.get(from..to));
            let same = same.unwrap_or_default().iter().filter(|one| one.hash == lower(hash));
            found.extend(same.map(|one| one.word));
        };
        classes.remainders(most + TOLERANCE, &mut |remainder| look(hash(remainder)));
        shuffled(word).into_iter().for_each(look);
    }
}

/// Whether a word can be in a table, and be looked for in one: few letters, and no digits, which
/// scanners take for letters of several classes.
pub(super) fn is_plain(word: &str) -> bool {
    Classes::of(word).is_some()
}

/// The letters of a word by class, `h` left out.
#[derive(Clone, Copy)]
struct Classes {
    /// Four bits each, the first lowest, zero after the last.
    letters: u64,
    /// A bit for each letter that repeats the one before it in the word.
    doubled: u16,
}

impl Classes {
    fn of(word: &str) -> Option<Self> {
        let (mut letters, mut doubled, mut count) = (0_u64, 0_u16, 0_u32);
        let mut before = None;
        for byte in word.bytes() {
            let class = u64::from(class(byte)?);
            if class > 0 {
                if count == 16 {
                    return None;
                }
                letters |= class << (4 * count);
                doubled |= u16::from(before == Some(byte)) << count;
                count += 1;
            }
            before = Some(byte);
        }
        Some(Self { letters, doubled })
    }

    /// All that may be left of it for less than `cost`.
    fn remainders(self, cost: f32, each: &mut impl FnMut(u64)) {
        if cost <= 0.0 {
            return;
        }
        let mut lost = 0;
        while small(lost + 1) * LETTER < cost {
            lost += 1;
        }
        lose(self.letters, 0, lost, each);
        // The last one first, so that the places of the others stay.
        for at in (0..16).filter(|at| self.doubled >> at & 1 == 1) {
            let left = Self {
                letters: without(self.letters, at),
                doubled: self.doubled & ((1 << at) - 1),
            };
            left.remainders(cost - DOUBLED, each);
        }
    }
}

/// All that may be left of a word when it loses up to so many letters, none of them before `from`.
fn lose(letters: u64, from: u32, most: usize, each: &mut impl FnMut(u64)) {
    each(letters);
    if most == 0 {
        return;
    }
    let letter = |at: u32| letters >> (4 * at) & 0xf;
    for at in (from..16).take_while(|at| letter(*at) != 0) {
        // Whichever of two equal neighbours is lost, the same is left.
        if at == from || letter(at) != letter(at - 1) {
            lose(without(letters, at), at, most - 1, each);
        }
    }
}

/// The letters without one of them.
fn without(letters: u64, at: u32) -> u64 {
    let before = (1_u64 << (4 * at)) - 1;
    letters & before | letters >> 4 & !before
}

/// A number that words have in common which are the same letters in another order; short ones have
/// none.
fn shuffled(word: &str) -> Option<u64> {
    let all = word.bytes().fold(0_u64, |all, byte| all.wrapping_add(hash(u64::from(byte) + 1)));
    (word.len() >= 5).then(|| hash(all))
}

fn hash(value: u64) -> u64 {
    // The finisher of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
    // generators, 2014): every bit depends on every other.
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

fn place(hash: u64, shift: u32) -> usize {
    usize::try_from(hash >> shift).unwrap_or_default()
}

fn lower(hash: u64) -> u32 {
    u32::try_from(hash & 0xffff_ffff).unwrap_or_default()
}
