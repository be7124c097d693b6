//! One way to write words down: compatibility forms, case, marks and signs taken away.
//!
//! Owns splitting a text into words of one script each, and writing each in plain Latin letters.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::lists::Script;

/// A word as written, and in plain Latin letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Lower case, compatibility forms unified, as written otherwise.
    pub(super) written: String,
    /// In lower-case Latin letters and digits; empty where nothing can be said.
    pub(super) latin: String,
    /// The script it is written in.
    pub(super) script: Script,
    /// Whether it stood in brackets.
    pub(super) aside: bool,
}

/// No name is longer; what follows is not read.
const LONGEST: usize = 400;

/// The words of a text.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut split = Splitter::default();
    for c in text.nfkc().flat_map(char::to_lowercase).take(LONGEST) {
        split.feed(c);
    }
    split.end();
    let mut words: Vec<Word> = split.words.into_iter().map(finished).collect();
    words.retain(|word| !word.latin.is_empty() || !word.written.is_empty());
    numbers_joined(&mut words);
    words
}

#[derive(Default)]
struct Splitter {
    words: Vec<(String, bool)>,
    current: String,
    script: Option<Family>,
    /// How long the word was where its last apostrophe stood.
    apostrophe: Option<usize>,
    /// The last word was one letter and a dot.
    dotted: bool,
    depth: u32,
}

/// Scripts that may stand together in one word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Letters,
    Hangul,
    Han,
    Kana,
}

fn family(c: char) -> Option<Family> {
    match u32::from(c) {
        0x3040..=0x30FF | 0x31F0..=0x31FF => Some(Family::Kana),
        _ => match Script::of_char(c)? {
            Script::Hangul => Some(Family::Hangul),
            Script::Han => Some(Family::Han),
            _ => Some(Family::Letters),
        },
    }
}

impl Splitter {
    fn feed(&mut self, c: char) {
        match c {
            // Signs of romanisations and contractions join: Ch'o'ngsa, O'Brien, Al‘Arab.
            '\'' | '’' => self.apostrophe = Some(self.current.len()),
            '‘' | 'ʻ' | 'ʼ' | 'ʿ' | 'ʾ' | '`' | '´' | 'ʹ' | 'ʺ' => {}
            '.' => {
                let single = self.current.chars().count() == 1
                    && self.current.chars().all(char::is_alphabetic);
                let joins = self.dotted && single;
                self.close(joins);
                self.dotted = single;
            }
            '(' | '[' | '（' => {
                self.close_plain();
                self.depth = self.depth.saturating_add(1);
            }
            ')' | ']' | '）' => {
                self.close_plain();
                self.depth = self.depth.saturating_sub(1);
            }
            c if c.is_alphanumeric() || (is_combining_mark(c) && !self.current.is_empty()) => {
                let family = family(c);
                if let (Some(own), Some(next)) = (self.script, family)
                    && own != next
                {
                    self.close_plain();
                }
                self.script = family.or(self.script);
                self.current.push(c);
            }
            '\u{30FB}' | '\u{30FC}' if self.script == Some(Family::Kana) && c == '\u{30FC}' => {
                self.current.push(c);
            }
            c if c.is_control() || c == '\u{200B}' || c == '\u{200C}' || c == '\u{200D}' => {}
            '&' | '+' => {
                self.close_plain();
                self.words.push(("and".to_owned(), self.depth > 0));
            }
            // What follows the sign is of its word: 3%ers are three percenters.
            '%' => {
                self.close_plain();
                self.script = Some(Family::Letters);
                self.current.push_str("percent");
            }
            _ => self.close_plain(),
        }
    }

    fn close_plain(&mut self) {
        // "o.o.o" ends without a dot.
        let joins = self.dotted && self.current.chars().count() == 1;
        self.close(joins);
        self.dotted = false;
    }

    fn close(&mut self, joins: bool) {
        self.script = None;
        let apostrophe = self.apostrophe.take();
        if self.current.is_empty() {
            return;
        }
        let mut word = std::mem::take(&mut self.current);
        // The genitive says nothing: People's, Deutsche Bank's.
        if apostrophe.is_some_and(|at| at > 1 && word.get(at..) == Some("s")) {
            word.pop();
        }
        match self.words.last_mut() {
            Some((last, _)) if joins => last.push_str(&word),
            _ => self.words.push((word, self.depth > 0)),
        }
    }

    fn end(&mut self) {
        self.close_plain();
    }
}

fn finished((written, aside): (String, bool)) -> Word {
    let script = Script::of(&written);
    // The Arabic article is written with the noun.
    let bare = written.strip_prefix("ال").filter(|rest| rest.chars().count() > 2);
    let mut latin = latin(bare.filter(|_| script == Script::Arabic).unwrap_or(&written));
    if let Some(digits) = number_word(&latin).or_else(|| ordinal(&latin)).map(str::to_owned) {
        latin = digits;
    }
    Word { written, latin, script, aside }
}

/// The digits of an English ordinal: 1st, 22nd.
fn ordinal(word: &str) -> Option<&str> {
    let digits = ["st", "nd", "rd", "th"].iter().find_map(|end| word.strip_suffix(end))?;
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

/// Small numbers written out, in digits: in names of firms and ships they count as such.
pub(super) fn small_number(word: &str) -> Option<&'static str> {
    Some(match word {
        "one" | "first" => "1",
        "two" | "second" => "2",
        "three" | "third" => "3",
        "four" | "fourth" => "4",
        "five" | "fifth" => "5",
        "six" | "sixth" => "6",
        "seven" | "seventh" => "7",
        "eight" | "eighth" => "8",
        "nine" | "ninth" => "9",
        "ten" | "tenth" => "10",
        _ => return None,
    })
}

/// English number words from eleven on; smaller ones are words of names as well.
fn number_word(word: &str) -> Option<&'static str> {
    Some(match word {
        "eleven" => "11",
        "twelve" => "12",
        "thirteen" => "13",
        "twenty" => "20",
        "thirty" => "30",
        "forty" | "fourty" => "40",
        "fifty" => "50",
        "sixty" => "60",
        "seventy" => "70",
        "eighty" => "80",
        "ninety" => "90",
        "hundred" => "100",
        _ => return None,
    })
}

/// Tens and the unit that follows them are one number: forty four is 44.
fn numbers_joined(words: &mut Vec<Word>) {
    const UNITS: [&str; 9] =
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    let mut at = 0;
    while at + 1 < words.len() {
        let tens = words[at].latin.parse::<u32>().ok();
        let spelt = tens.is_some() && words[at].written != words[at].latin;
        let next = words[at + 1].latin.as_str();
        let unit = next
            .parse::<u32>()
            .ok()
            .or_else(|| UNITS.iter().zip(1..).find(|(unit, _)| **unit == next).map(|(_, n)| n));
        if let (Some(tens), Some(unit), true) = (tens, unit, spelt)
            && tens % 10 == 0
            && tens < 100
            && (1..10).contains(&unit)
        {
            let second = words.remove(at + 1);
            words[at].latin = (tens + unit).to_string();
            words[at].written = format!("{} {}", words[at].written, second.written);
        }
        at += 1;
    }
}

/// A word in lower-case Latin letters and digits.
pub(super) fn latin(word: &str) -> String {
    let mut out = String::with_capacity(word.len() + 4);
    let letters: Vec<char> = word.chars().collect();
    for (at, c) in letters.iter().enumerate() {
        let previous = at.checked_sub(1).and_then(|at| letters.get(at)).copied();
        put(*c, previous, &mut out);
    }
    out
}

fn put(c: char, previous: Option<char>, out: &mut String) {
    if c.is_ascii_alphanumeric() {
        out.push(c.to_ascii_lowercase());
        return;
    }
    if let Some(text) = letter(c, previous) {
        out.push_str(text);
        return;
    }
    // Latin letters with marks: the letter remains.
    if Script::of_char(c) == Some(Script::Latin) {
        let bare: String = std::iter::once(c).nfd().filter(char::is_ascii_alphanumeric).collect();
        if !bare.is_empty() {
            out.extend(bare.chars().map(|c| c.to_ascii_lowercase()));
            return;
        }
    }
    if let Some(digit) = c.to_digit(10) {
        out.extend(char::from_digit(digit, 10));
        return;
    }
    let fallback = any_ascii::any_ascii_char(c);
    out.extend(
        fallback.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()),
    );
}

/// Letters that we write otherwise than the general table: Russian, Ukrainian, Kazakh and Serbian
/// Cyrillic, Arabic and Persian, and Latin letters that are more than a letter with a mark.
fn letter(c: char, previous: Option<char>) -> Option<&'static str> {
    let after_vowel = previous.is_none_or(|p| "аеёиоуыэюяіїєьъ".contains(p));
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'å' => "a",
        'đ' | 'ð' => "d",
        'ł' => "l",
        'ı' => "i",
        'þ' => "th",
        'ə' => "a",
        'ħ' => "h",
        'ŋ' => "ng",
        'а' => "a",
        'б' => "b",
        'в' => "v",
        'г' | 'ґ' => "g",
        'д' => "d",
        'е' if after_vowel => "ye",
        'е' => "e",
        'ё' if after_vowel => "yo",
        'ё' => "yo",
        'ж' => "zh",
        'з' => "z",
        'и' => "i",
        'й' => "y",
        'к' | 'қ' => "k",
        'л' => "l",
        'м' => "m",
        'н' => "n",
        'ң' => "ng",
        'о' | 'ө' => "o",
        'п' => "p",
        'р' => "r",
        'с' => "s",
        'т' => "t",
        'у' | 'ұ' | 'ү' => "u",
        'ў' => "u",
        'ф' => "f",
        'х' | 'һ' | 'ҳ' => "kh",
        'ц' => "ts",
        'ч' => "ch",
        'ш' => "sh",
        'щ' => "shch",
        'ъ' | 'ь' => "",
        'ы' => "y",
        'э' => "e",
        'ю' => "yu",
        'я' => "ya",
        'і' => "i",
        'ї' => "yi",
        'є' => "ye",
        'ђ' => "dj",
        'ј' => "j",
        'љ' => "lj",
        'њ' => "nj",
        'ћ' => "c",
        'џ' => "dz",
        'ا' | 'أ' | 'إ' | 'آ' | 'ٱ' | 'ع' | 'ى' | 'ة' => "a",
        'ء' | 'ْ' | 'ّ' | 'َ' | 'ِ' | 'ُ' => "",
        'ب' => "b",
        'پ' => "p",
        'ت' | 'ط' => "t",
        'ث' | 'س' | 'ص' => "s",
        'ج' => "j",
        'چ' => "ch",
        'ح' | 'ه' | 'ۀ' => "h",
        'خ' => "kh",
        'د' | 'ض' => "d",
        'ذ' | 'ز' | 'ظ' => "z",
        'ر' => "r",
        'ژ' => "zh",
        'ش' => "sh",
        'غ' => "gh",
        'ف' => "f",
        'ق' => "q",
        'ك' | 'ک' => "k",
        'گ' => "g",
        'ل' => "l",
        'م' => "m",
        'ن' => "n",
        'و' | 'ؤ' => "w",
        'ي' | 'ی' | 'ئ' => "y",
        'ғ' => "g",
        'ә' => "a",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{latin, words};

    fn all(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.latin).collect()
    }

    #[test]
    fn words_are_split_and_written_in_latin() {
        assert_eq!(all("KIM, Jong-un"), ["kim", "jong", "un"]);
        assert_eq!(all("Ch'o'ngsa O’Brien"), ["chongsa", "obrien"]);
        assert_eq!(all("A.B.C. Company o.O.O."), ["abc", "company", "ooo"]);
        assert_eq!(all("Сергей Лавров"), ["sergey", "lavrov"]);
        assert_eq!(all("Müller & Söhne, Đỗ Thị"), ["muller", "and", "sohne", "do", "thi"]);
        assert_eq!(all("ООО\"БАЗО\""), ["ooo", "bazo"]);
        assert_eq!(all("バラク・オバマ"), ["baraku", "obama"]);
        assert_eq!(
            all("Miner's 1st 3%ers, Ch'o'ngsa's"),
            ["miner", "1", "3", "percenters", "chongsa"]
        );
    }

    #[test]
    fn nothing_gives_nothing() {
        assert!(all("").is_empty() && all(" ,.-").is_empty() && all("\u{0301}").is_empty());
        assert_eq!(latin("ß"), "ss");
    }
}
