//! Letters that stand for words: PLA for People's Liberation Army, JC for Jean-Claude.

use super::{Class, Concept, Kind, Token, Word, lexicon};
use crate::lists::Script;

/// Fewer letters are an abbreviation of half the world.
const LEAST: usize = 3;
const MOST: usize = 7;

/// The first letters of the words of a name, legal forms and small words left out.
pub(super) fn acronym(words: &[Word], tokens: &[Token]) -> Option<String> {
    if !words.iter().all(|word| word.script == Script::Latin) {
        return None;
    }
    let small = ["and", "of", "for", "the", "de", "la", "du", "des", "del", "no"];
    let mut own = false;
    let letters: String = tokens
        .iter()
        .filter(|token| !matches!(token.kind, Kind::Shared(Concept { class: Class::Form, .. })))
        .flat_map(|token| {
            own |= matches!(token.kind, Kind::Word);
            token.written.split(' ')
        })
        .filter(|word| !small.contains(word))
        .filter_map(|word| word.chars().next())
        .collect();
    (own && (LEAST..=MOST).contains(&letters.len()) && letters.is_ascii()).then_some(letters)
}

/// The one word of its own that a name has, beside legal forms and places.
pub(super) fn lone(tokens: &[Token]) -> Option<String> {
    let mut found: Option<&Token> = None;
    for token in tokens {
        match token.kind {
            Kind::Shared(Concept { class: Class::Form | Class::Place, .. }) => {}
            Kind::Word if found.is_none() => found = Some(token),
            _ => return None,
        }
    }
    let token = found.filter(|token| token.script == Script::Latin)?;
    // Three letters need a place beside them: there are too few of them for all the firms there are.
    let beside = tokens
        .iter()
        .any(|token| matches!(token.kind, Kind::Shared(Concept { class: Class::Place, .. })));
    let least = if beside { LEAST } else { LEAST + 1 };
    (least..=MOST).contains(&token.latin.len()).then(|| token.latin.clone())
}

/// Whether a word of a person's name may be initials written together: consonants alone, as in JC.
pub(in crate::screening) fn are_initials(token: &Token) -> bool {
    let latin = token.latin.as_str();
    token.kind == Kind::Word
        && token.script == Script::Latin
        && (2..=3).contains(&latin.len())
        && latin != "ng"
        && !latin.contains(['a', 'e', 'i', 'o', 'u', 'y'])
        && lexicon::given(latin).is_none()
}
