//! Terms by which a name is found again, whatever script it was written in.
//!
//! A term stands for one word as it sounds, or for a whole name; names that are alike share some.
//! Terms are for finding candidates: whether a candidate is meant, [`super::Matcher`] says. A store
//! that keeps them keyed holds no name.

use std::collections::BTreeSet;

use super::korean;
use super::name::{self, Kind, Style};

/// The terms of a name of a person, an organisation, a ship or an aircraft.
pub fn search_terms(text: &str) -> BTreeSet<String> {
    let mut terms = BTreeSet::new();
    for style in [Style::Person, Style::Organisation, Style::Object] {
        for name in name::parse(style, text) {
            for token in &name.tokens {
                if !matches!(token.kind, Kind::Word | Kind::Number) {
                    continue;
                }
                add(&mut terms, 'w', &token.fold);
                add(&mut terms, 'l', &token.latin);
                let sounds = token.sounds.iter().filter_map(|sounds| korean::skeleton(sounds));
                sounds.for_each(|skeleton| add(&mut terms, 'k', &skeleton));
            }
            add(&mut terms, 'g', &name.glued);
            for (surname, given) in &name.korean {
                let parts = [surname, given].map(|sounds| korean::skeleton(sounds));
                if let [Some(surname), Some(given)] = parts {
                    add(&mut terms, 'n', &format!("{surname} {given}"));
                }
            }
            name.chinese.iter().for_each(|key| add(&mut terms, 'c', &key.text));
        }
    }
    terms
}

fn add(terms: &mut BTreeSet<String>, kind: char, text: &str) {
    // A lone letter says nothing.
    if text.chars().count() > 1 && terms.len() < TERMS_MAX {
        terms.insert(format!("{kind}:{text}"));
    }
}

/// No name has more to say.
const TERMS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::search_terms;

    #[test]
    fn a_name_shares_terms_with_itself_in_other_scripts() {
        for (one, other) in [
            ("KIM CHOL SU", "김철수"),
            ("Kim Cheol-su", "Ким Чхоль Су"),
            ("Ким Чхоль Су", "김철수"),
            ("Mao Zedong", "毛泽东"),
            ("IVANOV SERGEI", "Иванов Сергей"),
            ("Rungrado General Trading", "RUNGRADO"),
        ] {
            let (one_terms, other_terms) = (search_terms(one), search_terms(other));
            let shared = one_terms.intersection(&other_terms).count();
            assert!(shared > 0, "{one} and {other}: {one_terms:?} {other_terms:?}");
        }
        let (one, other) = (search_terms("PETROV ANTON"), search_terms("Schmidt Klara"));
        assert!(one.is_disjoint(&other));
    }

    #[test]
    fn a_text_without_a_name_has_no_terms() {
        assert!(search_terms(" .,- ").is_empty());
    }
}
