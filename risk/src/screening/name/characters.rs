//! Names in Chinese characters or Hangul: the words in a run that has no spaces.

use super::{Kind, Style, Token, Word, small, weight_of};
use crate::lists::Script;
use crate::screening::text::latin;
use crate::screening::{edit, korean, lexicon};

/// Takes a run of Chinese characters or Hangul apart.
pub(super) fn run(word: &Word, style: Style, hanja: bool, tokens: &mut Vec<Token>) {
    if style == Style::Person {
        let read = if hanja && word.script == Script::Han {
            korean::hangul_of_han(&word.written, true).unwrap_or_else(|| word.written.clone())
        } else {
            word.written.clone()
        };
        // A syllable is a name: 김정은 is Kim Jong Un.
        for (c, original) in read.chars().zip(word.written.chars()) {
            tokens.push(character(c, original, word.script));
        }
        return;
    }
    for piece in lexicon::cut(&word.written) {
        if let Some(concept) = piece.concept {
            let latin = lexicon::name_of(concept).to_owned();
            tokens.push(Token {
                latin,
                fold: String::new(),
                consonants: None,
                written: piece.text,
                script: word.script,
                kind: Kind::Shared(concept),
                weight: weight_of(concept, style),
                sounds: None,
                given: None,
                cut: false,
            });
            continue;
        }
        let read = if hanja && word.script == Script::Han {
            korean::hangul_of_han(&piece.text, false).unwrap_or_else(|| piece.text.clone())
        } else {
            piece.text.clone()
        };
        let latin = latin(&read);
        let length = latin.chars().count();
        let number = latin.chars().all(|c| c.is_ascii_digit());
        tokens.push(Token {
            fold: edit::fold(&latin),
            consonants: None,
            latin,
            written: piece.text,
            script: word.script,
            kind: if number { Kind::Number } else { Kind::Word },
            weight: if number { 0.6 } else { 0.7 + 0.06 * small(length.min(8)) },
            sounds: korean::of_hangul(&read),
            given: None,
            cut: false,
        });
    }
}

fn character(c: char, original: char, script: Script) -> Token {
    let text = String::from(c);
    let latin = latin(&text);
    Token {
        fold: edit::fold(&latin),
        consonants: None,
        written: String::from(original),
        script,
        kind: Kind::Word,
        weight: 0.7 + 0.06 * small(latin.chars().count().min(8)),
        sounds: korean::of_hangul(&text),
        given: None,
        cut: false,
        latin,
    }
}
