//! How alike two words are: edits, each weighted by how easily it happens.
//!
//! Owns the edit distance and the phonetic fold. Letters that romanisations, scanners and tired
//! fingers take for one another cost less than a whole edit.

use super::name::small;

/// Words longer than this are compared by their beginning.
const LONGEST: usize = 40;

/// 1 where two words are the same, 0 where they have nothing in common.
pub(super) fn similarity(a: &str, b: &str) -> f32 {
    at_least(a, b, 0.5)
}

/// As [`similarity`]; 0 as soon as it is sure to be less than `least`.
pub(super) fn at_least(a: &str, b: &str, least: f32) -> f32 {
    if a == b {
        return 1.0;
    }
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let (a, b) = (a.get(..LONGEST).unwrap_or(a), b.get(..LONGEST).unwrap_or(b));
    let longest = a.len().max(b.len());
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let difference = longest - a.len().min(b.len());
    let most = most_cost(longest, least);
    // No need to look closer where the lengths alone say no.
    if difference * 2 > longest || small(difference) * LEAST_GAP > most {
        return 0.0;
    }
    let cost = cost(a, b, most);
    (1.0 - cost / small(longest) - SEVERAL * (cost - ONE_SLIP).max(0.0)).max(0.0)
}

/// Several slips in one word are rather another word, however long it is: what each costs more,
/// and from which cost on.
const SEVERAL: f32 = 0.06;
const ONE_SLIP: f32 = 1.2;
/// The least that a letter too many costs.
const LEAST_GAP: f32 = 0.4;

/// The cost at which words of this length are just so alike.
pub(super) fn most_cost(longest: usize, least: f32) -> f32 {
    let apart = 1.0 - least;
    let plain = apart * small(longest);
    if plain <= ONE_SLIP {
        plain
    } else {
        (apart + SEVERAL * ONE_SLIP) / (1.0 / small(longest) + SEVERAL)
    }
}

/// The weighted optimal string alignment distance; no longer exact beyond `most`.
fn cost(a: &[u8], b: &[u8], most: f32) -> f32 {
    const MOST: usize = LONGEST + 1;
    let mut rows = [[0.0_f32; MOST]; 3];
    for at in 1..=b.len() {
        rows[0][at] = rows[0][at - 1] + gap(b, at - 1);
    }
    let mut least_before = 0.0_f32;
    for i in 1..=a.len() {
        let (now, before, earlier) = (i % 3, (i - 1) % 3, (i + 1) % 3);
        rows[now][0] = rows[before][0] + gap(a, i - 1);
        let mut least = rows[now][0];
        for j in 1..=b.len() {
            let (x, y) = (a[i - 1], b[j - 1]);
            let mut best = rows[before][j - 1] + exchange(x, y);
            best = best.min(rows[before][j] + gap(a, i - 1));
            best = best.min(rows[now][j - 1] + gap(b, j - 1));
            if i > 1 && j > 1 && x == b[j - 2] && y == a[i - 2] && x != y {
                best = best.min(rows[earlier][j - 2] + 0.8);
            }
            rows[now][j] = best;
            least = least.min(best);
        }
        // A swap reaches back two rows.
        if least > most && least_before > most {
            return f32::INFINITY;
        }
        least_before = least;
    }
    rows[a.len() % 3][b.len()]
}

/// What one letter more costs: a doubled letter and an `h` are easily lost.
fn gap(word: &[u8], at: usize) -> f32 {
    let letter = word.get(at).copied().unwrap_or_default();
    let doubled = at > 0 && word.get(at - 1) == Some(&letter);
    if letter.is_ascii_digit() {
        1.5
    } else if doubled {
        0.4
    } else if letter == b'h' && at > 0 {
        0.6
    } else {
        1.0
    }
}

fn exchange(a: u8, b: u8) -> f32 {
    if a == b {
        return 0.0;
    }
    if a.is_ascii_digit() && b.is_ascii_digit() {
        return 1.5;
    }
    let (first, second) = if a < b { (a, b) } else { (b, a) };
    match (first, second) {
        // Read alike by scanners.
        (b'0', b'o')
        | (b'1', b'i' | b'l')
        | (b'5', b's')
        | (b'8', b'b')
        | (b'2', b'z')
        | (b'9', b'g')
        | (b'3', b'e')
        | (b'4', b'a')
        | (b'6', b'b' | b'g')
        | (b'7', b't') => 0.6,
        // Written for one sound.
        (b'i', b'j' | b'y')
        | (b'j', b'y')
        | (b'v', b'w')
        | (b'c', b'k' | b's')
        | (b'k' | b'g', b'q')
        | (b's', b'z')
        | (b'f', b'v') => 0.5,
        (b'd', b't') | (b'b', b'p') | (b'g', b'k') | (b'o', b'u') | (b'e', b'i') => 0.7,
        _ if a.is_ascii_digit() || b.is_ascii_digit() => 1.2,
        _ if is_vowel(a) && is_vowel(b) => 0.8,
        _ => 1.0,
    }
}

fn is_vowel(letter: u8) -> bool {
    matches!(letter, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

/// Whether two words are the same letters in another order: reversed, or shuffled.
pub(super) fn shuffled(a: &str, b: &str) -> bool {
    let sorted = |word: &str| {
        let mut letters: Vec<u8> = word.bytes().collect();
        letters.sort_unstable();
        letters
    };
    a.len() == b.len() && a.len() >= 5 && sorted(a) == sorted(b)
}

/// The stem of a Russian adjective made of a place: Муромский, Kirovskaya.
pub(super) fn adjective_of(word: &str) -> Option<&str> {
    const ENDS: [&str; 10] =
        ["skogo", "skaya", "skaia", "skoye", "skoe", "skiye", "skie", "skiy", "skij", "skii"];
    let stem = ENDS.iter().find_map(|end| word.strip_suffix(end))?;
    (stem.len() >= 4).then_some(stem)
}

/// The places of which an adjective with this stem may be made: Murom, Samara, Tomsk.
pub(super) fn places(stem: &str) -> impl Iterator<Item = String> {
    // Moskovskiy is of Moskva, Kirovskiy of Kirov.
    let moscow = (stem == "moskov").then(|| "moskva".to_owned());
    ["", "a", "o", "sk", "y"].into_iter().map(move |end| format!("{stem}{end}")).chain(moscow)
}

/// A word as it sounds, roughly: what romanisations of one sound have in common.
pub(super) fn fold(word: &str) -> String {
    let bytes = word.as_bytes();
    let mut out = String::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = bytes.get(at..).unwrap_or_default();
        let (text, taken) = sound(rest, at == 0);
        for c in text.chars() {
            // A doubled letter sounds once.
            if !out.ends_with(c) {
                out.push(c);
            }
        }
        at += taken;
    }
    out
}

/// The consonants of a word, and whether it begins with a vowel: all that Arabic letters write.
pub(super) fn skeleton(word: &str) -> String {
    const PAIRS: [(&str, char); 9] = [
        ("kh", 'x'),
        ("gh", 'g'),
        ("sh", 'S'),
        ("ch", 'C'),
        ("th", 't'),
        ("dh", 'd'),
        ("zh", 'j'),
        ("ph", 'f'),
        ("dj", 'j'),
    ];
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        let start = rest.len() == word.len();
        let pair = PAIRS.iter().find(|(pair, _)| rest.starts_with(pair));
        let kept = match (pair, first) {
            (Some((_, letter)), _) => Some(*letter),
            (None, 'a' | 'e' | 'i' | 'o' | 'u') => start.then_some('a'),
            (None, 'h' | 'v' | 'w' | 'y') => start.then_some(first),
            // One letter of Persian, and of some dialects.
            (None, 'q') => Some('g'),
            (None, 'c') => Some('k'),
            (None, other) => Some(other),
        };
        if let Some(letter) = kept.filter(|letter| !out.ends_with(*letter)) {
            out.push(letter);
        }
        rest = rest.get(pair.map_or(first.len_utf8(), |(pair, _)| pair.len())..).unwrap_or("");
    }
    out
}

/// The consonants of a folded word, where they are enough to tell it: what is left of a Russian name
/// when the English, the French and the Germans have written it.
pub(super) fn consonants(fold: &str) -> Option<String> {
    let own: String = fold.chars().filter(|c| !matches!(c, 'a' | 'e' | 'i' | 'o' | 'u')).collect();
    (own.len() > 3).then_some(own)
}

fn sound(rest: &[u8], first: bool) -> (&'static str, usize) {
    const GROUPS: &[(&str, &str)] = &[
        ("schtsch", "S"),
        ("chtch", "S"),
        ("shch", "S"),
        ("sch", "S"),
        ("chr", "hr"),
        ("tsch", "C"),
        ("tch", "C"),
        ("dzh", "J"),
        ("dj", "J"),
        ("zh", "J"),
        ("sh", "S"),
        ("ch", "C"),
        ("kh", "h"),
        ("gh", "g"),
        ("ph", "f"),
        ("th", "t"),
        ("dh", "d"),
        ("bh", "b"),
        ("ck", "k"),
        ("cz", "C"),
        ("ts", "c"),
        ("tz", "c"),
        ("ks", "x"),
        ("qu", "k"),
        ("eye", "ei"),
        ("ey", "ei"),
        ("ay", "ai"),
        ("ee", "i"),
        ("oo", "u"),
        ("ou", "u"),
        ("eu", "eu"),
        ("ya", "ia"),
        ("ye", "e"),
        ("yo", "io"),
        ("yu", "iu"),
        ("iy", "i"),
        ("ij", "i"),
        ("ae", "e"),
        ("oe", "o"),
        ("ue", "u"),
        ("ie", "i"),
    ];
    for (group, sound) in GROUPS {
        if rest.starts_with(group.as_bytes()) {
            return (sound, group.len());
        }
    }
    let letter = match rest.first().copied().unwrap_or_default() {
        b'a' => "a",
        b'b' => "b",
        b'c' if rest.get(1).is_some_and(|next| matches!(next, b'e' | b'i' | b'y')) => "s",
        b'c' => "k",
        b'd' => "d",
        b'e' => "e",
        b'f' => "f",
        b'g' => "g",
        b'h' if !first && rest.get(1).is_none_or(|next| !is_vowel(*next)) => "",
        b'h' => "h",
        b'i' | b'y' => "i",
        b'j' if first => "j",
        b'j' => "i",
        b'k' | b'q' => "k",
        b'l' => "l",
        b'm' => "m",
        b'n' => "n",
        b'o' => "o",
        b'p' => "p",
        b'r' => "r",
        b's' => "s",
        b't' => "t",
        b'u' => "u",
        b'v' | b'w' => "v",
        b'x' => "x",
        b'z' => "z",
        b'0' => "0",
        b'1' => "1",
        b'2' => "2",
        b'3' => "3",
        b'4' => "4",
        b'5' => "5",
        b'6' => "6",
        b'7' => "7",
        b'8' => "8",
        b'9' => "9",
        _ => "",
    };
    (letter, 1)
}

#[cfg(test)]
mod tests {
    use super::{fold, similarity, skeleton};

    #[test]
    fn slips_cost_less_than_other_words() {
        assert!(similarity("sergey", "sergei") > 0.9);
        assert!(similarity("i9or", "igor") > 0.8);
        assert!(similarity("putin", "pudin") > 0.8);
        assert!(similarity("un", "nam") < 0.5);
        assert!((similarity("a", "a") - 1.0).abs() < f32::EPSILON);
        assert!(similarity("", "a").abs() < f32::EPSILON);
    }

    #[test]
    fn arabic_letters_write_the_consonants() {
        for (letters, name) in [("mhmd", "mohammed"), ("slman", "salman"), ("hsyn", "hussein")] {
            assert_eq!(skeleton(letters), skeleton(name), "{name}");
        }
        assert_ne!(skeleton("ahmed"), skeleton("mohammed"));
    }

    #[test]
    fn romanisations_of_one_sound_fold_to_one() {
        for (a, b) in [
            ("mohammed", "mohammed"),
            ("khamenei", "hamenei"),
            ("sergey", "sergei"),
            ("dmitriy", "dmitri"),
            ("wladimir", "vladimir"),
            ("hussein", "husein"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} {b}");
        }
    }
}
