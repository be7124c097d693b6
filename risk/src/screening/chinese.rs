//! Chinese names in Latin letters: Wade-Giles and pinyin brought to one form.
//!
//! Owns the syllables of both. Wade-Giles lost its apostrophes long before it reached a list, so
//! what they told apart (Ping and P'ing) is one here; a key is used only where a name shows that it
//! is Wade-Giles.

/// A name as both spellings have it in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) text: String,
    /// The words as they are spelt, in the same order.
    pub(super) plain: String,
    /// Whether a syllable is written as only Wade-Giles writes.
    pub(super) wade: bool,
    /// Whether a syllable is written as only pinyin writes.
    pub(super) pinyin: bool,
}

impl Key {
    fn empty() -> Self {
        Self { text: String::new(), plain: String::new(), wade: false, pinyin: false }
    }
}

/// The beginnings of syllables and what they have in common.
const INITIALS: &[(&str, &str)] = &[
    ("zh", "C"),
    ("ch", "C"),
    ("sh", "H"),
    ("hs", "X"),
    ("ts", "Z"),
    ("tz", "Z"),
    ("ss", "S"),
    ("sz", "S"),
    ("b", "P"),
    ("p", "P"),
    ("m", "M"),
    ("f", "F"),
    ("d", "T"),
    ("t", "T"),
    ("n", "N"),
    ("l", "L"),
    ("g", "K"),
    ("k", "K"),
    ("h", "h"),
    ("j", "C"),
    ("q", "C"),
    ("x", "X"),
    ("r", "R"),
    ("z", "Z"),
    ("c", "Z"),
    ("s", "S"),
    ("y", "Y"),
    ("w", "W"),
    ("", ""),
];

/// The ends of syllables, the longest first where one begins another; Wade-Giles' own are marked.
const FINALS: &[(&str, &str, bool)] = &[
    ("iang", "iang", false),
    ("iung", "iong", true),
    ("iong", "iong", false),
    ("uang", "uang", false),
    ("ieh", "ie", true),
    ("ien", "ian", true),
    ("ueh", "ue", true),
    ("uei", "ui", true),
    ("erh", "er", true),
    ("iao", "iao", false),
    ("ian", "ian", false),
    ("ing", "ing", false),
    ("uai", "uai", false),
    ("uan", "uan", false),
    ("ung", "ong", true),
    ("ong", "ong", false),
    ("eng", "eng", false),
    ("ang", "ang", false),
    ("ih", "i", true),
    ("eh", "e", true),
    ("ia", "ia", false),
    ("ie", "ie", false),
    ("iu", "iu", false),
    ("in", "in", false),
    ("ua", "ua", false),
    ("ue", "ue", false),
    ("ui", "ui", false),
    ("un", "un", false),
    ("uo", "o", false),
    ("er", "er", false),
    ("ei", "ei", false),
    ("en", "en", false),
    ("ai", "ai", false),
    ("ao", "ao", false),
    ("an", "an", false),
    ("ou", "ou", false),
    ("a", "a", false),
    ("e", "e", false),
    ("i", "i", false),
    ("o", "o", false),
    ("u", "u", false),
];

const ENDS: [char; 9] = ['a', 'e', 'i', 'o', 'u', 'n', 'g', 'r', 'h'];

/// The keys of a name: as its words stand, and with the last word first.
pub(super) fn keys(words: &[&str]) -> Vec<Key> {
    let Some(own) = each(words) else { return Vec::new() };
    let (rest, last) = own.split_at(own.len() - 1);
    vec![joined(own.iter()), joined(last.iter().chain(rest))]
}

/// The key of a name whose words stand in the Chinese order: characters always do.
pub(super) fn key(words: &[&str]) -> Option<Key> {
    Some(joined(each(words)?.iter()))
}

fn each(words: &[&str]) -> Option<Vec<Key>> {
    if !(2..=4).contains(&words.len()) {
        return None;
    }
    words.iter().map(|word| of_word(word)).collect()
}

fn joined<'a>(keys: impl Iterator<Item = &'a Key>) -> Key {
    let mut all = Key::empty();
    for key in keys {
        all.text.push_str(&key.text);
        all.plain.push_str(&key.plain);
        all.wade |= key.wade;
        all.pinyin |= key.pinyin;
    }
    all
}

/// A word of one to three syllables; `None` where it is no Chinese word.
fn of_word(word: &str) -> Option<Key> {
    // Every syllable ends in a vowel, n, ng, r or h.
    let may = word.is_ascii() && word.len() <= 18 && word.ends_with(ENDS);
    may.then(|| syllables(word, 3)).flatten()
}

fn syllables(word: &str, most: usize) -> Option<Key> {
    if word.is_empty() {
        return Some(Key::empty());
    }
    if most == 0 {
        return None;
    }
    for (initial, class) in INITIALS {
        let Some(rest) = word.strip_prefix(initial) else { continue };
        for (end, same, wade) in FINALS {
            let Some(after) = rest.strip_prefix(end) else { continue };
            let Some(more) = syllables(after, most - 1) else { continue };
            let old = *wade || matches!(*initial, "hs" | "ts" | "tz" | "ss" | "sz");
            let new = matches!(*initial, "zh" | "b" | "d" | "g" | "q" | "x" | "r" | "z" | "c")
                || matches!(*end, "iong" | "ong" | "ian");
            // Tzu and Ssu are zi and si.
            let same =
                if matches!(*initial, "tz" | "ss" | "sz") && *end == "u" { "i" } else { same };
            return Some(Key {
                text: format!("{class}{same}{}", more.text),
                plain: word.to_owned(),
                wade: old || more.wade,
                pinyin: new || more.pinyin,
            });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::keys;

    #[test]
    fn wade_giles_and_pinyin_have_one_key() {
        for (old, new) in [
            (&["mao", "tse", "tung"][..], &["mao", "zedong"][..]),
            (&["teng", "hsiao", "ping"], &["deng", "xiaoping"]),
            (&["chou", "en", "lai"], &["zhou", "enlai"]),
        ] {
            let (old, new) = (keys(old), keys(new));
            assert_eq!(old[0].text, new[0].text);
        }
        assert!(keys(&["tse", "tung"])[0].wade && !keys(&["zedong", "mao"])[0].wade);
        assert!(keys(&["sergey", "lavrov"]).is_empty());
    }
}
