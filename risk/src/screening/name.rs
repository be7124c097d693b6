//! A name taken apart: its words, what each of them is, and what it may sound like.
//!
//! Owns the parsed form that is compared and indexed. A name in Chinese characters is taken apart
//! twice: as Mandarin and as Korean reads it.

use super::chinese;
use super::edit;
use super::korean::{self, Sound};
use super::lexicon::{self, Class, Concept};
use super::text::{self, Word};
use crate::lists::{EntryKind, Script};

mod characters;
mod letters;
mod servant;
mod variants;

use characters::run;
pub(super) use letters::are_initials;

/// What kind of name it is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Style {
    /// Of a person.
    Person,
    /// Of an organisation.
    Organisation,
    /// Of a ship or an aircraft.
    Object,
}

impl Style {
    pub(super) fn of(kind: EntryKind) -> Self {
        match kind {
            EntryKind::Person => Self::Person,
            EntryKind::Organisation | EntryKind::Address => Self::Organisation,
            EntryKind::Vessel | EntryKind::Aircraft => Self::Object,
        }
    }
}

/// What a word of a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word of its own.
    Word,
    /// One letter.
    Initial,
    /// A number.
    Number,
    /// A word that many share.
    Shared(Concept),
}

/// One word of a name.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// In plain Latin letters.
    pub(super) latin: String,
    /// As it sounds, roughly.
    pub(super) fold: String,
    /// Its consonants as they sound, where they are enough to tell it.
    pub(super) consonants: Option<String>,
    /// As written.
    pub(super) written: String,
    pub(super) script: Script,
    pub(super) kind: Kind,
    /// How much it says.
    pub(super) weight: f32,
    /// Its Korean sounds, where it can be Korean.
    pub(super) sounds: Option<Vec<Sound>>,
    /// The group of given names that stand for one another.
    pub(super) given: Option<u16>,
    /// Whether it may have been cut off where a line of a machine-readable zone ends.
    pub(super) cut: bool,
}

/// A name taken apart in one way.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) style: Style,
    pub(super) tokens: Vec<Token>,
    /// The Korean surname and given names it may be, as rows of sounds.
    pub(super) korean: Vec<(Vec<Sound>, Vec<Sound>)>,
    /// Whether its letters are Hangul, or Chinese characters read in Korean.
    pub(super) in_korean: bool,
    /// Its one script without an alphabet, and the characters.
    pub(super) characters: Option<String>,
    /// All its words in Latin letters without spaces.
    pub(super) glued: String,
    /// What it is as a Chinese name, in either romanisation.
    pub(super) chinese: Vec<chinese::Key>,
    /// The first letters of an organisation's words, where they may stand for it.
    pub(super) acronym: Option<String>,
    /// The one word of its own that an organisation has, where it may be such letters.
    pub(super) lone: Option<String>,
}

/// The ways to take a name apart; none for a text that says nothing.
pub(super) fn parse(style: Style, text: &str) -> Vec<Name> {
    let mut names = whole(style, text);
    for part in variants::of(text) {
        // A part of shared words only is no name: "Trading Company/Bank".
        names.extend(whole(style, part).into_iter().filter(|name| !only_shared(&name.tokens)));
    }
    names
}

fn whole(style: Style, text: &str) -> Vec<Name> {
    let mut words = text::words(text);
    if style == Style::Person {
        servant::apart(&mut words);
    }
    let mut names = vec![one(style, &words, false)];
    if words.iter().any(|word| word.script == Script::Han) {
        names.push(one(style, &words, true));
    }
    names.retain(|name| !name.glued.is_empty());
    names
}

/// From so many letters on a document's line may have cut a name off: the name of a card has 30
/// places for letters and fillers (ICAO Doc 9303-5).
const CUT_FROM: usize = 24;

fn one(style: Style, words: &[Word], hanja: bool) -> Name {
    let mut tokens = Vec::with_capacity(words.len());
    let latin: Vec<&str> = words.iter().map(|word| word.latin.as_str()).collect();
    let foreign = style == Style::Person && is_foreign(words);
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let personal = style == Style::Person;
        let phrase = lexicon::phrase(latin.get(at..).unwrap_or_default(), personal)
            .filter(|_| !matches!(word.script, Script::Han | Script::Hangul))
            .or_else(|| cut_form(style, latin.get(at..).unwrap_or_default(), at));
        if let Some((concept, length)) = phrase {
            let run = words.get(at..at + length).unwrap_or_default();
            tokens.push(shared(run, concept, style));
            at += length;
            continue;
        }
        match word.script {
            Script::Hangul if foreign => tokens.push(plain(word, style)),
            Script::Han | Script::Hangul => run(word, style, hanja, &mut tokens),
            _ => tokens.push(plain(word, style)),
        }
        at += 1;
    }
    let glued: String = tokens
        .iter()
        .filter(|token| style != Style::Person || !is_title(token))
        .map(|token| token.latin.as_str())
        .collect();
    let in_korean = words.iter().any(|word| word.script == Script::Hangul) || hanja;
    let characters = words
        .iter()
        .all(|word| matches!(word.script, Script::Han | Script::Hangul))
        .then(|| words.iter().map(|word| word.written.as_str()).collect::<String>())
        .filter(|characters| !characters.is_empty());
    if style == Style::Person
        && glued.len() >= CUT_FROM
        && let Some(last) = tokens.last_mut()
    {
        last.cut = last.kind == Kind::Word;
    }
    let mut name = Name {
        style,
        tokens,
        korean: Vec::new(),
        in_korean,
        characters,
        glued,
        chinese: Vec::new(),
        acronym: None,
        lone: None,
    };
    if only_shared(&name.tokens) {
        // A name of shared words only is told by them: each counts in full.
        for token in &mut name.tokens {
            token.weight = token.weight.max(0.6);
        }
    }
    if style == Style::Organisation {
        name.acronym = letters::acronym(words, &name.tokens);
        name.lone = letters::lone(&name.tokens);
    }
    name.korean = korean_names(&name, words);
    if style == Style::Person && !name.in_korean {
        let own = name.tokens.iter().filter(|token| !is_title(token));
        let own: Vec<&str> = own.map(|token| token.latin.as_str()).collect();
        name.chinese = match &name.characters {
            Some(_) => chinese::key(&own).into_iter().collect(),
            None => chinese::keys(&own),
        };
    }
    name
}

/// A legal form that the end of a line cut off: "Joint Stock Compan".
fn cut_form(style: Style, rest: &[&str], at: usize) -> Option<(Concept, usize)> {
    let may_be = style == Style::Organisation && at > 0 && rest.len() <= 4;
    may_be.then(|| lexicon::form_begun(rest)).flatten().map(|concept| (concept, rest.len()))
}

/// Whether a name in Hangul is somebody's who is no Korean, spelt as it sounds: its words are words
/// then, not syllables.
fn is_foreign(words: &[Word]) -> bool {
    let only_hangul = words.iter().all(|word| word.script == Script::Hangul);
    only_hangul && {
        let written: Vec<&str> = words.iter().map(|word| word.written.as_str()).collect();
        korean::split_written(&written).is_none()
    }
}

pub(super) fn is_title(token: &Token) -> bool {
    matches!(token.kind, Kind::Shared(Concept { class: Class::Title, .. }))
}

/// Whether a legal form is among the words of an organisation's name.
pub(super) fn has_form(name: &Name) -> bool {
    let is_form =
        |token: &Token| matches!(token.kind, Kind::Shared(Concept { class: Class::Form, .. }));
    name.style == Style::Organisation && name.tokens.iter().any(is_form)
}

fn only_shared(tokens: &[Token]) -> bool {
    tokens.iter().all(|token| matches!(token.kind, Kind::Shared(_)))
}

fn shared(run: &[Word], concept: Concept, style: Style) -> Token {
    let join = |pick: fn(&Word) -> &str| run.iter().map(pick).collect::<Vec<_>>().join(" ");
    let aside = run.iter().all(|word| word.aside);
    Token {
        latin: join(|word| &word.latin).replace(' ', ""),
        fold: String::new(),
        consonants: None,
        written: join(|word| &word.written),
        script: run.first().map_or(Script::Other, |word| word.script),
        kind: Kind::Shared(concept),
        weight: weight_of(concept, style) * if aside { 0.8 } else { 1.0 },
        sounds: None,
        // Ben is a son, and Benjamin.
        given: run
            .first()
            .filter(|_| style == Style::Person)
            .and_then(|w| lexicon::given(&w.latin)),
        cut: false,
    }
}

fn weight_of(concept: Concept, style: Style) -> f32 {
    match (concept.class, style) {
        (Class::Form, _) => 0.15,
        (Class::Generic, _) => match lexicon::name_of(concept) {
            "and" | "of" | "number" => 0.05,
            "general" | "trading" => 0.35,
            _ => 0.5,
        },
        (Class::Place, _) => 0.55,
        (Class::Title, _) => 0.1,
        (Class::Particle, _) => 0.15,
    }
}

fn plain(word: &Word, style: Style) -> Token {
    let spelt = text::small_number(&word.latin).or_else(|| roman(&word.latin));
    let spelt = spelt.filter(|_| style != Style::Person);
    let latin = spelt.unwrap_or(&word.latin);
    let digits = latin.chars().filter(char::is_ascii_digit).count();
    let length = latin.chars().count();
    let kind = if digits > 0 && digits * 2 >= length {
        Kind::Number
    } else if length == 1 {
        Kind::Initial
    } else {
        Kind::Word
    };
    let weight = match (kind, style) {
        (Kind::Initial, Style::Person) => 0.4,
        (Kind::Initial, _) => 0.5,
        (Kind::Number, Style::Object) => 0.6,
        (Kind::Number, _) => 0.42,
        _ => 0.7 + 0.06 * small(length.min(8)),
    };
    let sounds = match word.script {
        Script::Cyrillic => korean::of_cyrillic(&word.written),
        Script::Latin if kind == Kind::Word => korean::of_latin(latin),
        _ => None,
    };
    let fold = edit::fold(latin);
    let alphabet = matches!(word.script, Script::Latin | Script::Cyrillic);
    Token {
        given: lexicon::given(latin).filter(|_| style == Style::Person),
        cut: false,
        consonants: edit::consonants(&fold).filter(|_| kind == Kind::Word && alphabet),
        fold,
        latin: latin.to_owned(),
        written: word.written.clone(),
        script: word.script,
        kind,
        weight,
        sounds,
    }
}

/// A small count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "counts of letters and words are small")]
pub(super) fn small(count: usize) -> f32 {
    count as f32
}

/// Numbers that ships and funds have, from II on; a single I, V or X is a letter as well.
fn roman(word: &str) -> Option<&'static str> {
    Some(match word {
        "ii" => "2",
        "iii" => "3",
        "iv" => "4",
        "vi" => "6",
        "vii" => "7",
        "viii" => "8",
        "ix" => "9",
        "xi" => "11",
        "xii" => "12",
        "xiii" => "13",
        _ => return None,
    })
}

/// The Korean surnames and given names that a person's name may be.
fn korean_names(name: &Name, words: &[Word]) -> Vec<(Vec<Sound>, Vec<Sound>)> {
    if name.style != Style::Person {
        return Vec::new();
    }
    if name.in_korean {
        let read: Option<Vec<String>> = words
            .iter()
            .enumerate()
            .map(|(at, word)| match word.script {
                Script::Han => korean::hangul_of_han(&word.written, at == 0),
                Script::Hangul => Some(word.written.clone()),
                _ => None,
            })
            .collect();
        let read = read.unwrap_or_default();
        let read: Vec<&str> = read.iter().map(String::as_str).collect();
        let split = korean::split_written(&read);
        return split
            .and_then(|(surname, given)| korean::of_hangul(&surname).zip(korean::of_hangul(&given)))
            .into_iter()
            .collect();
    }
    let own: Vec<&Token> = name.tokens.iter().filter(|token| !is_title(token)).collect();
    if !(2..=4).contains(&own.len()) || own.iter().any(|token| token.latin.len() > 9) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (surname, given) in
        [(own.first(), own.get(1..)), (own.last(), own.get(..own.len().saturating_sub(1)))]
    {
        let (Some(surname), Some(given)) = (surname, given) else { continue };
        let cyrillic = surname.script == Script::Cyrillic;
        if !cyrillic && !korean::is_surname(&surname.latin) {
            continue;
        }
        let mut row = Vec::new();
        // Concatenated text, so that "Jongun" and "Jong Un" are one.
        for token in given {
            let Some(sounds) = sounds_of(token) else {
                row.clear();
                break;
            };
            row.extend(sounds);
        }
        let vowels = row.iter().filter(|sound| korean::is_vowel(**sound)).count();
        if row.is_empty() || !(1..=3).contains(&vowels) {
            continue;
        }
        let spelt = korean::surname_spelt(&surname.latin).and_then(korean::of_latin);
        for sounds in sounds_of(surname).into_iter().chain(spelt) {
            if sounds.iter().filter(|sound| korean::is_vowel(**sound)).count() <= 2 {
                found.push((sounds, row.clone()));
            }
        }
    }
    found
}

/// The Korean sounds of a word, of a particle too: "An" is a surname as well.
fn sounds_of(token: &Token) -> Option<Vec<Sound>> {
    match (&token.sounds, token.script) {
        (Some(sounds), _) => Some(sounds.clone()),
        (None, Script::Latin) => korean::of_latin(&token.latin),
        (None, Script::Cyrillic) => korean::of_cyrillic(&token.written),
        _ => None,
    }
}
