//! Words that one name writes together and the other apart, and letters that stand for words.

use super::{Candidate, Why, by_sound_too, is_own, sound_likeness};
use crate::screening::name::{Kind, Name, Style, Token, are_initials, is_title};
use crate::screening::{edit, korean};

/// The least likeness at which words written apart are one written together.
pub(in crate::screening) const MERGED: f32 = 0.85;

/// Words of `many` written together in `few`.
pub(super) fn merges(
    style: Style,
    many: &[Token],
    few: &[Token],
    swapped: bool,
    candidates: &mut Vec<Candidate>,
) {
    for from in 0..many.len() {
        for to in [from + 2, from + 3] {
            let Some(run) = many.get(from..to) else { continue };
            if run.iter().any(is_title) {
                continue;
            }
            let length: usize = run.iter().map(|token| token.latin.len()).sum();
            if length < 4 {
                continue;
            }
            for (at, token) in few.iter().enumerate() {
                if !is_own(token) || token.latin.len().abs_diff(length) > 2 {
                    continue;
                }
                let together: String = run.iter().map(|token| token.latin.as_str()).collect();
                let mut alike = edit::at_least(&together, &token.latin, MERGED);
                let mut why = Why::Slip;
                if alike > 0.99 {
                    why = Why::Same;
                }
                let sounds: Option<Vec<korean::Sound>> = run
                    .iter()
                    .map(|token| token.sounds.clone())
                    .collect::<Option<Vec<_>>>()
                    .map(|rows| rows.concat());
                if by_sound_too(style, &run[0], token)
                    && let (Some(own), Some(other)) = (&sounds, &token.sounds)
                {
                    let by_sound = sound_likeness(own, other);
                    if by_sound > alike {
                        alike = by_sound;
                        why = Why::Sound;
                    }
                }
                if alike >= MERGED {
                    let (many, few) = ((from, to), (at, at + 1));
                    let (a, b) = if swapped { (few, many) } else { (many, few) };
                    candidates.push(Candidate { a, b, alike: alike * 0.98, why });
                }
            }
        }
    }
}

/// What initials written together are worth.
const INITIALS: f32 = 0.8;

/// Initials written together in `few`, as in JC Juncker, and the words in `many` they stand for.
pub(super) fn initials(
    many: &[Token],
    few: &[Token],
    swapped: bool,
    candidates: &mut Vec<Candidate>,
) {
    // Initials alone are nobody: N. N. is not Nursultan Nazarbayev.
    if few.iter().filter(|token| is_own(token)).count() < 2 {
        return;
    }
    for (at, token) in few.iter().enumerate().filter(|(_, token)| are_initials(token)) {
        let length = token.latin.len();
        for from in 0..=many.len().saturating_sub(length) {
            let Some(run) = many.get(from..from + length) else { continue };
            let stands = run.iter().zip(token.latin.chars()).all(|(word, letter)| {
                matches!(word.kind, Kind::Word | Kind::Initial) && word.latin.starts_with(letter)
            });
            if stands {
                let (many, few) = ((from, from + length), (at, at + 1));
                let (a, b) = if swapped { (few, many) } else { (many, few) };
                candidates.push(Candidate { a, b, alike: INITIALS, why: Why::Initial });
            }
        }
    }
}

/// What the first letters of a name are worth: many names have them.
pub(super) const ACRONYM: f32 = 0.75;

/// Whether one name is the first letters of the words of the other: COSCO, PLA China.
pub(super) fn is_acronym(a: &Name, b: &Name) -> bool {
    let of = |short: &Name, long: &Name| short.lone.is_some() && short.lone == long.acronym;
    of(a, b) || of(b, a)
}
