//! How alike two words of names are, and why.

use super::Why;
use crate::lists::Script;
use crate::screening::edit;
use crate::screening::korean;
use crate::screening::lexicon::{self, Class};
use crate::screening::name::{Kind, Style, Token, small};

/// Whether words may agree by their Korean sounds alone: across scripts, and not word by word in
/// persons' names, whose syllables have an order.
pub(super) fn by_sound_too(style: Style, a: &Token, b: &Token) -> bool {
    style != Style::Person && (a.script != b.script || a.script != Script::Latin)
}

pub(super) fn sound_likeness(a: &[korean::Sound], b: &[korean::Sound]) -> f32 {
    let length = small(a.len().max(b.len()).max(1));
    (0.98 - 1.6 * korean::cost(a, b) / length).max(0.0)
}

/// The least likeness at which two words are taken for one.
pub(in crate::screening) const LEAST: f32 = 0.66;

/// What two forms of one given name are worth.
const GIVEN: f32 = 0.86;

/// What two words are worth that have their consonants in common, four of them at least.
const CONSONANTS: f32 = 0.84;

/// What a word is worth that may have been cut off at the end of a line.
const CUT: f32 = 0.9;

/// What a place is worth beside the Russian adjective made of it: Murom and Муромский.
const ADJECTIVE: f32 = 0.9;

/// Whether one word is the Russian adjective made of the other.
fn one_is_of_the_other(a: &Token, b: &Token) -> bool {
    let of = |adjective: &Token, place: &Token| {
        edit::adjective_of(&adjective.latin)
            .is_some_and(|stem| edit::places(stem).any(|own| own == place.latin))
    };
    of(a, b) || of(b, a)
}

/// Legal forms that exclude one another; the others are what a translator made of any of them.
fn is_definite(form: &str) -> bool {
    matches!(form, "limited" | "stock" | "partnership" | "nonprofit" | "cooperative" | "trust")
}

fn cut_off(own: &Token, other: &Token) -> bool {
    own.cut && own.latin.len() >= 4 && other.latin.starts_with(&own.latin)
}

/// What the same letters in another order are worth.
const SHUFFLED: f32 = 0.82;

/// How alike two words are, and why; `None` where they are different words.
pub(super) fn alike(a: &Token, b: &Token, style: Style) -> Option<(f32, Why)> {
    match (a.kind, b.kind) {
        (Kind::Shared(own), Kind::Shared(other)) => {
            if own == other {
                let why = if a.latin == b.latin {
                    Why::Same
                } else {
                    Why::Meaning(lexicon::name_of(own))
                };
                return Some((1.0, why));
            }
            if a.latin == b.latin && a.script == b.script {
                return Some((1.0, Why::Same));
            }
            let forms = own.class == Class::Form && other.class == Class::Form;
            let two = is_definite(lexicon::name_of(own)) && is_definite(lexicon::name_of(other));
            (forms && !two).then_some((0.6, Why::Meaning("legal form")))
        }
        (Kind::Number, Kind::Number) => (a.latin == b.latin).then_some((1.0, Why::Same)),
        (Kind::Number, Kind::Word | Kind::Initial) | (Kind::Word | Kind::Initial, Kind::Number) => {
            let alike = edit::similarity(&a.latin, &b.latin);
            (alike >= 0.75).then_some((alike, Why::Slip))
        }
        (Kind::Initial, Kind::Initial) => (a.latin == b.latin).then_some((1.0, Why::Same)),
        (Kind::Initial, Kind::Word) | (Kind::Word, Kind::Initial) => {
            let (initial, word) = if a.kind == Kind::Initial { (a, b) } else { (b, a) };
            (style == Style::Person && word.latin.starts_with(&initial.latin))
                .then_some((0.8, Why::Initial))
        }
        (Kind::Shared(_), _) | (_, Kind::Shared(_)) => {
            if a.given.is_some() && a.given == b.given {
                return Some((GIVEN, Why::Given));
            }
            let alike = edit::at_least(&a.latin, &b.latin, 0.85);
            (alike >= 0.85).then_some((alike, Why::Slip))
        }
        (Kind::Word, Kind::Word) => {
            let mut best = edit::at_least(&a.latin, &b.latin, LEAST);
            let mut why = if best > 0.999 { Why::Same } else { Why::Slip };
            if best < 0.95 && !a.fold.is_empty() && a.fold == b.fold {
                (best, why) = (0.95, Why::Sound);
            }
            if best < CONSONANTS && a.consonants.is_some() && a.consonants == b.consonants {
                (best, why) = (CONSONANTS, Why::Sound);
            }
            if by_sound_too(style, a, b)
                && let (Some(own), Some(other)) = (&a.sounds, &b.sounds)
            {
                let by_sound = sound_likeness(own, other);
                if by_sound > best {
                    (best, why) = (by_sound, Why::Sound);
                }
            }
            if best < GIVEN && a.given.is_some() && a.given == b.given {
                (best, why) = (GIVEN, Why::Given);
            }
            if style == Style::Organisation && best < ADJECTIVE && one_is_of_the_other(a, b) {
                (best, why) = (ADJECTIVE, Why::Initial);
            }
            if (a.script == Script::Arabic) != (b.script == Script::Arabic) {
                let (own, other) = (edit::skeleton(&a.latin), edit::skeleton(&b.latin));
                let worth = if own.len() > 2 { 0.88 } else { 0.75 };
                if !own.is_empty() && own == other && best < worth {
                    (best, why) = (worth, Why::Sound);
                }
            }
            if best < CUT && (cut_off(a, b) || cut_off(b, a)) {
                (best, why) = (CUT, Why::Initial);
            }
            if best < SHUFFLED && edit::shuffled(&a.latin, &b.latin) {
                (best, why) = (SHUFFLED, Why::Slip);
            }
            (best >= LEAST).then_some((best, why))
        }
    }
}
