//! Names that begin with Abd: "servant of the" and one of the names of God, written in one word or in
//! three, with the article as it stands or as it sounds.

use super::Word;
use crate::lists::Script;

/// Spellings of the article, alone and as the next letter makes it.
const ARTICLE: [&str; 19] = [
    "al", "el", "ul", "ol", "il", "ar", "er", "ur", "as", "es", "us", "ash", "at", "ad", "ud",
    "az", "an", "un", "aj",
];

/// Abd with its article, in one word.
const SERVANT: [&str; 12] = [
    "abdul", "abdel", "abdal", "abdol", "abdoul", "abdil", "abdur", "abder", "abdus", "abdes",
    "abdu", "abdou",
];

/// Writes every spelling as two words, the first of them `abdul`.
pub(super) fn apart(words: &mut Vec<Word>) {
    let mut at = 0;
    while at < words.len() {
        let next = words.get(at + 1).map(|word| word.latin.as_str());
        let latin = words[at].latin.as_str();
        if latin == "abd" && words.len() > at + 2 && next.is_some_and(|n| ARTICLE.contains(&n)) {
            let article = words.remove(at + 1);
            words[at].written = format!("{} {}", words[at].written, article.written);
            "abdul".clone_into(&mut words[at].latin);
        } else if latin == "abd" && words[at].script == Script::Arabic && next.is_some() {
            // Its article is written with the next word, and taken off there.
            "abdul".clone_into(&mut words[at].latin);
        } else if SERVANT.contains(&latin) && next.is_some() {
            "abdul".clone_into(&mut words[at].latin);
        } else if let Some(of) = served(latin) {
            let mut second = words[at].clone();
            of.clone_into(&mut second.latin);
            second.written.clone_from(&second.latin);
            "abdul".clone_into(&mut words[at].latin);
            "abdul".clone_into(&mut words[at].written);
            words.insert(at + 1, second);
            at += 1;
        }
        at += 1;
    }
}

/// What follows the article in a name of one word: Abdulaziz, Abdurrahman, Abdessalam.
fn served(word: &str) -> Option<&str> {
    let rest = word.strip_prefix("abd")?;
    let bare = rest.trim_start_matches(['a', 'e', 'i', 'o', 'u']);
    if bare.len() == rest.len() || rest.len() - bare.len() > 2 {
        return None;
    }
    let mut letters = bare.chars();
    let (first, second) = (letters.next()?, letters.next()?);
    let of = match first {
        'l' => bare.get(1..)?,
        _ if first == second => bare.get(1..)?,
        'r' | 's' => bare,
        _ => return None,
    };
    // Abdullah is a name by itself, and Abdullaev a surname made of one.
    let another = ["lah", "lla", "lay", "lae", "ay", "ae"].iter().any(|end| of.starts_with(end))
        || ["ov", "ova", "ev", "eva"].iter().any(|end| of.ends_with(end));
    (of.len() >= 4 && !another).then_some(of)
}

#[cfg(test)]
mod tests {
    use super::apart;
    use crate::screening::text::words;

    fn all(text: &str) -> Vec<String> {
        let mut words = words(text);
        apart(&mut words);
        words.into_iter().map(|word| word.latin).collect()
    }

    #[test]
    fn every_spelling_is_two_words() {
        for text in ["Abd al-Rahman", "Abdul Rahman", "Abdulrahman", "Abdurrahman", "Abd ar Rahman"]
        {
            assert_eq!(all(text), ["abdul", "rahman"], "{text}");
        }
        assert_eq!(all("'Abd al-Aziz al-Nuristani"), ["abdul", "aziz", "al", "nuristani"]);
        for text in ["Abdullah", "Abdulov", "Abdullayev", "Abdi", "Abdo", "Abdul"] {
            assert_eq!(all(text), [text.to_lowercase()], "{text}");
        }
    }
}
