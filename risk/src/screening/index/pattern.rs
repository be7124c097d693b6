//! A word prepared for a look at many others: which letters it has, and the edits to another.
//!
//! Owns the bounds that letters alone set to the edit distance, and the distance itself.

use crate::screening::name::small;

/// The class of a letter, 1 to 12: letters that are easily taken for one another are one class. An
/// `h`, which is easily lost, is of class 0; digits, which scanners take for letters of several
/// classes, are of none.
pub(super) fn class(byte: u8) -> Option<u8> {
    Some(match byte {
        b'h' => 0,
        b'e' | b'i' | b'j' | b'y' => 1,
        b'o' | b'u' => 2,
        b'c' | b'g' | b'k' | b'q' | b's' | b'z' => 3,
        b'f' | b'v' | b'w' => 4,
        b'd' | b't' => 5,
        b'b' | b'p' => 6,
        b'a' => 7,
        b'l' => 8,
        b'm' => 9,
        b'n' => 10,
        b'r' => 11,
        b'x' => 12,
        _ => return None,
    })
}

/// Which classes of letters a word has; in the upper half those that come twice. No `h` counts.
pub(super) fn mask(word: &[u8]) -> u64 {
    let mut once = 0_u64;
    let mut twice = 0_u64;
    for byte in word {
        let bit = match class(*byte) {
            Some(0) => continue,
            Some(class) => 1 << class,
            None => DIGITS,
        };
        twice |= once & bit;
        once |= bit;
    }
    once | (twice & !DIGITS) << 32
}

/// Which letters and digits a word has; in the upper half those that come twice.
pub(super) fn letters(word: &[u8]) -> u64 {
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
pub(super) fn strange(a: u64, b: u64) -> usize {
    (a & !b).count_ones().max((b & !a).count_ones()) as usize
}

/// A word with digits: scanners take them for letters at little cost.
const DIGITS: u64 = 1 << 31;

/// Whether words with these masks may be so near that `most` is all it costs to make one the other.
///
/// A class that one of them lacks costs 0.8 at least, and one that it has a single time 0.4.
pub(super) fn may_be_near(a: u64, b: u64, most: f32) -> bool {
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

/// A word prepared for Myers' bit-parallel edit distance.
pub(super) struct Pattern {
    bits: [u64; 37],
    length: usize,
    /// Which classes of letters it has.
    pub(super) mask: u64,
    /// Which letters it has.
    pub(super) letters: u64,
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

    /// The edits, each one, between it and another word.
    pub(super) fn distance(&self, text: &[u8]) -> usize {
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
    use super::Pattern;

    #[test]
    fn distances_are_those_of_levenshtein() {
        for (a, b, distance) in
            [("kitten", "sitting", 3), ("a", "a", 0), ("abc", "", 3), ("ab", "ba", 2)]
        {
            assert_eq!(Pattern::new(a.as_bytes()).distance(b.as_bytes()), distance, "{a} {b}");
        }
    }
}
