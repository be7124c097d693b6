//! Korean sounds: what a name may sound like in Korean, whatever letters write it.
//!
//! A name becomes a row of sounds, each the set of Korean letters it may stand for: Hangul one or
//! two (the sounds that neighbours change), Latin and Cyrillic letters all that the Revised,
//! McCune-Reischauer, North Korean, Kontsevich and passport spellings write so. Two spellings agree
//! where their sets meet. Owns these readings and their comparison; knows nothing about names.

use std::collections::HashMap;
use std::sync::LazyLock;

mod spellings;

use spellings::{CYRILLIC, LATIN, SURNAMES};

/// A set of Korean letters, one bit each: 19 consonants, then 21 vowels.
pub(super) type Sound = u64;

/// Leading consonants in the order of Unicode: the bit is the place. `ㅇ` is the final one only.
const ONSETS: &str = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
/// Vowels in the order of Unicode: the bit is the place plus 19.
const VOWELS: &str = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ";
/// Final consonants as they sound, in the order of Unicode from 1 on.
const CODAS: &str = "ㄱㄱㄱㄴㄴㄴㄷㄹㄱㅁㄹㄹㄹㅂㄹㅁㅂㅂㄷㄷㅇㄷㄷㄱㄷㅂㄷ";
const VOWEL_BITS: Sound = ((1 << 21) - 1) << 19;

/// The set of these letters.
fn set(letters: &str) -> Sound {
    letters.chars().fold(0, |set, c| set | bit(c))
}

fn bit(letter: char) -> Sound {
    if let Some(at) = ONSETS.chars().position(|c| c == letter) {
        return 1 << at;
    }
    VOWELS.chars().position(|c| c == letter).map_or(0, |at| 1 << (at + 19))
}

pub(super) fn is_vowel(sound: Sound) -> bool {
    sound & VOWEL_BITS != 0
}

/// Whether it is a consonant that no spelling leaves out.
pub(super) fn is_sure(sound: Sound) -> bool {
    !is_vowel(sound) && sound & SILENT == 0
}

/// The consonants of a row of sounds, roughly, a letter each: what every romanisation keeps. `None`
/// where there are none.
pub(super) fn skeleton(sounds: &[Sound]) -> Option<String> {
    // Plain, tense and aspirated consonants are one: spellings confuse them most.
    const ROUGHLY: [(char, &str); 9] = [
        ('N', "ㄴㅇ"),
        ('R', "ㄹ"),
        ('M', "ㅁ"),
        ('K', "ㄱㄲㅋ"),
        ('T', "ㄷㄸㅌ"),
        ('P', "ㅂㅃㅍ"),
        ('S', "ㅅㅆ"),
        ('J', "ㅈㅉㅊ"),
        ('H', "ㅎ"),
    ];
    let mut out = String::new();
    for sound in sounds.iter().copied().filter(|sound| is_sure(*sound)) {
        let rough = ROUGHLY.iter().find(|(_, letters)| sound & set(letters) != 0);
        // Two alike in a row are one, as spellings double them at will.
        if let Some((letter, _)) = rough.filter(|(letter, _)| !out.ends_with(*letter)) {
            out.push(*letter);
        }
    }
    (!out.is_empty()).then_some(out)
}

struct Letters {
    latin: Vec<(&'static str, Sound)>,
    cyrillic: Vec<(&'static str, Sound)>,
    onsets: Vec<Sound>,
    vowels: Vec<Sound>,
    codas: Vec<Sound>,
}

static LETTERS: LazyLock<Letters> = LazyLock::new(|| Letters {
    latin: LATIN.iter().map(|(text, letters)| (*text, set(letters))).collect(),
    cyrillic: CYRILLIC.iter().map(|(text, letters)| (*text, set(letters))).collect(),
    onsets: ONSETS.chars().map(bit).collect(),
    vowels: VOWELS.chars().map(bit).collect(),
    codas: CODAS.chars().map(bit).collect(),
});

/// No row of sounds is longer.
const LONGEST: usize = 48;

/// The sounds of a word in plain Latin letters; `None` where it cannot be Korean.
pub(super) fn of_latin(word: &str) -> Option<Vec<Sound>> {
    of_letters(word, &LETTERS.latin, |rest| {
        // Noh, Suh, Huh: an h that no vowel follows is not sounded.
        rest.starts_with('h') && !rest.get(1..2).is_some_and(|next| "aeiouyw".contains(next))
    })
}

/// The sounds of a Cyrillic word; `None` where it cannot be Korean.
pub(super) fn of_cyrillic(word: &str) -> Option<Vec<Sound>> {
    let mut sounds = of_letters(word, &LETTERS.cyrillic, |_| false)?;
    // Kontsevich writes the final ㅇ as н.
    let (n, ng) = (set("ㄴ"), set("ㅇ"));
    for at in 0..sounds.len() {
        let before_vowel = sounds.get(at + 1).is_some_and(|next| is_vowel(*next));
        if let Some(sound) = sounds.get_mut(at)
            && *sound == n
            && at > 0
            && !before_vowel
        {
            *sound |= ng;
        }
    }
    Some(sounds)
}

/// The longest spelling that a text begins with.
fn spelling<'t>(rest: &str, table: &'t [(&str, Sound)]) -> Option<&'t (&'t str, Sound)> {
    let first = rest.as_bytes().get(..2).or_else(|| rest.as_bytes().get(..1))?;
    // Letters of Cyrillic begin with one of two bytes: the second tells them apart.
    let may = |text: &str| {
        let own = text.as_bytes();
        own.first() == first.first() && (own.len() < 2 || own.get(1) == first.get(1))
    };
    table.iter().find(|(text, _)| may(text) && rest.starts_with(text))
}

fn of_letters(
    word: &str,
    table: &[(&str, Sound)],
    silent: impl Fn(&str) -> bool,
) -> Option<Vec<Sound>> {
    let mut sounds: Vec<Sound> = Vec::with_capacity(word.len());
    let mut rest = word;
    while !rest.is_empty() {
        if !sounds.is_empty() && silent(rest) {
            rest = rest.get(1..)?;
            continue;
        }
        let (text, sound) = spelling(rest, table)?;
        if *sound != 0 {
            sounds.push(*sound);
        }
        rest = rest.get(text.len()..)?;
        if sounds.len() > LONGEST {
            return None;
        }
    }
    let vowels = sounds.iter().filter(|sound| is_vowel(**sound)).count();
    // Two vowels apart and no more than two consonants between: else it is no Korean word.
    let mut run = 0;
    for sound in &sounds {
        run = if is_vowel(*sound) { 0 } else { run + 1 };
        if run > 2 {
            return None;
        }
    }
    (vowels > 0).then_some(sounds)
}

/// Onset, vowel and coda of a Hangul syllable; the coda is 0 where there is none.
fn jamo(c: char) -> Option<(usize, usize, usize)> {
    let at = usize::try_from(u32::from(c).checked_sub(0xAC00)?).ok()?;
    (at < 11_172).then_some((at / 588, at % 588 / 28, at % 28))
}

/// Whether a character is a whole Hangul syllable.
pub(super) fn is_syllable(c: char) -> bool {
    jamo(c).is_some()
}

/// The sounds of a word in Hangul, with the changes that neighbours make.
pub(super) fn of_hangul(word: &str) -> Option<Vec<Sound>> {
    let syllables: Vec<(usize, usize, usize)> = word.chars().map(jamo).collect::<Option<_>>()?;
    if syllables.is_empty() || syllables.len() > LONGEST / 3 {
        return None;
    }
    let letters = &*LETTERS;
    let (n, r, m, ng, s) = (set("ㄴ"), set("ㄹ"), set("ㅁ"), set("ㅇ"), set("ㅅㅆ"));
    let fronted = set("ㅑㅕㅖㅛㅠㅣ");
    let mut sounds = Vec::with_capacity(syllables.len() * 3);
    let mut coda_before: Sound = 0;
    for (at, (onset, vowel, coda)) in syllables.iter().enumerate() {
        let vowel = letters.vowels.get(*vowel).copied().unwrap_or_default();
        let mut lead = letters.onsets.get(*onset).copied().unwrap_or_default();
        if lead == ng {
            lead = 0;
        }
        // ㄹ at the beginning: Ri, Yi; Ryang, Yang; Ro, No. After a nasal it sounds like ㄴ.
        let mut optional = false;
        if lead == r && (at == 0 || coda_before & (ng | m | set("ㄱㅂ")) != 0) {
            lead |= n;
            optional = at == 0 && vowel & fronted != 0;
        } else if lead == r && coda_before & n != 0 {
            lead |= n;
        } else if lead == n && at == 0 && vowel & fronted != 0 {
            optional = true;
        } else if lead == n && coda_before & r != 0 {
            lead |= r;
        }
        if lead != 0 {
            sounds.push(if optional { lead | SILENT } else { lead });
        }
        sounds.push(vowel);
        let next = syllables.get(at + 1).and_then(|next| letters.onsets.get(next.0)).copied();
        coda_before = 0;
        if let Some(own) = coda.checked_sub(1).and_then(|coda| letters.codas.get(coda)).copied() {
            coda_before = own;
            let nasal = next.is_some_and(|next| next & (n | m | r) != 0);
            let mut sound = own;
            if nasal && own == set("ㄱ") {
                sound |= ng;
            } else if nasal && own == set("ㅂ") {
                sound |= m;
            } else if nasal && own == set("ㄷ") {
                sound |= n;
            } else if next == Some(r) && own == n {
                sound |= r;
            }
            if own == set("ㄷ") {
                sound |= s;
            }
            sounds.push(sound);
        }
    }
    Some(sounds)
}

/// Marks a sound that some spellings leave out.
const SILENT: Sound = 1 << 63;

static HANJA: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let mut readings = HashMap::with_capacity(6100);
    for line in include_str!("hanja.txt").lines().filter(|line| !line.starts_with('#')) {
        let mut parts = line.split(' ');
        let (Some(reading), Some(characters)) = (parts.next(), parts.next()) else { continue };
        if let Some(reading) = reading.chars().next() {
            readings.extend(characters.chars().map(|c| (c, reading)));
        }
    }
    readings
});

/// A word of Chinese characters as it is read in Korean; `None` where a character is not known.
pub(super) fn hangul_of_han(word: &str, surname_first: bool) -> Option<String> {
    word.chars()
        .enumerate()
        .map(|(at, c)| match c {
            '金' if surname_first && at == 0 => Some('김'),
            '沈' if surname_first && at == 0 => Some('심'),
            c if is_syllable(c) => Some(c),
            c => HANJA.get(&c).copied(),
        })
        .collect()
}

/// What it costs to take one row of sounds for another: 0 where every sound may be the same.
pub(super) fn cost(a: &[Sound], b: &[Sound]) -> f32 {
    const MOST: usize = LONGEST + 1;
    if a.len() >= MOST || b.len() >= MOST {
        return f32::INFINITY;
    }
    let mut rows = [[0.0_f32; MOST]; 3];
    for at in 1..=b.len() {
        rows[0][at] = rows[0][at - 1] + gap(b[at - 1]);
    }
    for i in 1..=a.len() {
        let (now, before, earlier) = (i % 3, (i - 1) % 3, (i + 1) % 3);
        rows[now][0] = rows[before][0] + gap(a[i - 1]);
        for j in 1..=b.len() {
            let (x, y) = (a[i - 1], b[j - 1]);
            let mut best = rows[before][j - 1] + exchange(x, y);
            best = best.min(rows[before][j] + gap(x));
            best = best.min(rows[now][j - 1] + gap(y));
            // Latin "ng" before a vowel is ㅇ, or ㄴ and ㄱ.
            if j > 1 && is_ng(x) && is_n_and_g(b[j - 2], y) {
                best = best.min(rows[before][j - 2] + 0.1);
            }
            if i > 1 && is_ng(y) && is_n_and_g(a[i - 2], x) {
                best = best.min(rows[earlier][j - 1] + 0.1);
            }
            rows[now][j] = best;
        }
    }
    rows[a.len() % 3][b.len()]
}

fn is_ng(sound: Sound) -> bool {
    const NG: Sound = 1 << 11;
    sound & NG != 0
}

fn is_n_and_g(first: Sound, second: Sound) -> bool {
    const N: Sound = 1 << 2;
    const G: Sound = 1;
    first & N != 0 && second & G != 0
}

fn gap(sound: Sound) -> f32 {
    if sound & SILENT != 0 { 0.0 } else { 1.0 }
}

fn exchange(a: Sound, b: Sound) -> f32 {
    let (a, b) = (a & !SILENT, b & !SILENT);
    if a & b != 0 {
        return 0.0;
    }
    match (is_vowel(a), is_vowel(b)) {
        (true, true) if NEAR_VOWELS.iter().any(|near| a & near != 0 && b & near != 0) => 0.3,
        (true, true) => 0.8,
        (false, false) if a | b == 1 << 2 | 1 << 11 => 0.8,
        (false, false) => 1.0,
        _ => 2.0,
    }
}

/// Vowels that spellings of people's own choice write alike: Jung, Hyun, Young, Kyung.
static NEAR_VOWELS: LazyLock<[Sound; 4]> =
    LazyLock::new(|| [set("ㅓㅜㅡ"), set("ㅕㅠ"), set("ㅐㅔㅚㅙㅞㅖ"), set("ㅟㅢㅣ")]);

static SURNAME_SET: LazyLock<std::collections::HashSet<&'static str>> =
    LazyLock::new(|| SURNAMES.split_whitespace().collect());

/// Whether a Latin word is a spelling of a Korean surname.
pub(super) fn is_surname(latin: &str) -> bool {
    SURNAME_SET.contains(latin)
}

/// Surnames in Hangul, the North's spellings among them.
const HANGUL_SURNAMES: &str = "김이리박최정강조윤장림임한오서신권황안송류유홍전고문손양량배백허남심노로하곽성차주우\
구민진지엄채원천방공현함변염렴여려추도소석선설마길연련위표명기반왕금옥육륙인맹제모탁국어은편용라나태복계피두감음빈동온\
경사봉가부범좌승간상시갈당화단묵";

/// Surnames of two syllables.
const LONG_SURNAMES: [&str; 8] = ["남궁", "황보", "제갈", "사공", "선우", "독고", "동방", "서문"];

/// Surname and given names of a Korean name in words of Hangul; `None` for what is no such name.
///
/// A surname of one syllable with one or two syllables after it, three where the surname stands
/// apart, or one of two syllables with one or two.
pub(super) fn split_written(words: &[&str]) -> Option<(String, String)> {
    let all: String = words.concat();
    let letters: Vec<char> = all.chars().collect();
    if !(2..=5).contains(&letters.len()) || !letters.iter().all(|c| is_syllable(*c)) {
        return None;
    }
    let long = letters.len() > 2 && LONG_SURNAMES.iter().any(|long| all.starts_with(long));
    let surname = if long { 2 } else { 1 };
    let stands_apart = words.len() > 1;
    let first = words.first().map_or(0, |word| word.chars().count());
    let most = if stands_apart { 3 } else { 2 };
    let known = long || letters.first().is_some_and(|c| HANGUL_SURNAMES.contains(*c));
    let fits = known
        && (1..=most).contains(&(letters.len() - surname))
        // Written apart it is the surname, or every syllable, that stands alone.
        && (!stands_apart || first == surname || words.iter().all(|word| word.chars().count() == 1));
    fits.then(|| (letters[..surname].iter().collect(), letters[surname..].iter().collect()))
}

/// Surnames whose usual spellings are further from their letters than a rule goes: 이 is Lee, 박 Park.
pub(super) fn surname_spelt(latin: &str) -> Option<&'static str> {
    Some(match latin {
        "lee" | "yi" | "rhee" | "rhie" | "ree" | "li" => "ri",
        "park" | "bark" => "pak",
        "tsoi" | "tsoy" | "choy" | "coi" => "choe",
        "noh" | "roh" => "no",
        "paik" | "baik" => "paek",
        "hur" => "ho",
        "yim" | "lim" | "im" => "rim",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{cost, hangul_of_han, of_cyrillic, of_hangul, of_latin, split_written};

    fn hangul_latin(hangul: &str, latin: &str) -> f32 {
        cost(&of_hangul(hangul).unwrap(), &of_latin(latin).unwrap())
    }

    #[test]
    fn every_spelling_of_an_island_is_the_island() {
        for latin in ["rungrado", "rungnado", "reungrado", "neungnado", "rungnado"] {
            assert!(hangul_latin("릉라도", latin) < 0.2, "{latin}");
        }
        for cyrillic in ["рунградо", "рынрадо", "рыннадо"] {
            let cost = cost(&of_hangul("릉라도").unwrap(), &of_cyrillic(cyrillic).unwrap());
            assert!(cost < 0.2, "{cyrillic} {cost}");
        }
        assert!(hangul_latin("대성", "rungrado") > 3.0);
    }

    #[test]
    fn syllables_of_names_are_told_apart() {
        for (hangul, latin) in [("정은", "jongun"), ("정은", "chongun"), ("정은", "jeongeun")]
        {
            assert!(hangul_latin(hangul, latin) < 0.2, "{hangul} {latin}");
        }
        assert!(hangul_latin("정은", "jongnam") > 1.5);
        assert!(hangul_latin("영철", "yongchol") < 0.2);
        assert!(hangul_latin("영철", "jongchol") > 1.0);
        assert!(hangul_latin("리", "ri") < 0.1 && hangul_latin("리", "yi") < 0.1);
    }

    #[test]
    fn characters_are_read_in_korean() {
        assert_eq!(hangul_of_han("金正恩", true).as_deref(), Some("김정은"));
        assert_eq!(hangul_of_han("朝鲜绫罗岛", false).as_deref(), Some("조선릉라도"));
    }

    #[test]
    fn a_korean_name_is_cut_after_its_surname_and_a_foreign_one_is_not() {
        let cut = |words: &[&str]| split_written(words).map(|(s, g)| format!("{s} {g}"));
        assert_eq!(cut(&["남궁민수"]).as_deref(), Some("남궁 민수"));
        assert_eq!(cut(&["김정은"]).as_deref(), Some("김 정은"));
        assert_eq!(cut(&["김", "정은"]).as_deref(), Some("김 정은"));
        assert_eq!(cut(&["블라디미르", "푸틴"]), None);
        assert_eq!(cut(&["오바마"]).as_deref(), Some("오 바마"));
        assert_eq!(cut(&["버락", "오바마"]), None);
    }
}
