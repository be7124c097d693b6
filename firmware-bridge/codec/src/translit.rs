//! Transliteration of names into the letters of a machine-readable zone.
//!
//! Owns the tables of ICAO Doc 9303-3 section 6 (A: Latin, B: Cyrillic). It must not drop a
//! letter it does not know: such a letter stays, and the composer of an MRZ refuses it.

use unicode_normalization::UnicodeNormalization;

/// Table A: each upper-case letter with its forms, the default one first.
const LATIN: &[(char, &[&str])] = &[
    ('À', &["A"]),
    ('Á', &["A"]),
    ('Â', &["A"]),
    ('Ã', &["A"]),
    ('Ä', &["AE", "A"]),
    ('Å', &["AA", "A"]),
    ('Æ', &["AE"]),
    ('Ç', &["C"]),
    ('È', &["E"]),
    ('É', &["E"]),
    ('Ê', &["E"]),
    ('Ë', &["E"]),
    ('Ì', &["I"]),
    ('Í', &["I"]),
    ('Î', &["I"]),
    ('Ï', &["I"]),
    ('Ð', &["D"]),
    ('Ñ', &["N", "NXX"]),
    ('Ò', &["O"]),
    ('Ó', &["O"]),
    ('Ô', &["O"]),
    ('Õ', &["O"]),
    ('Ö', &["OE", "O"]),
    ('Ø', &["OE"]),
    ('Ù', &["U"]),
    ('Ú', &["U"]),
    ('Û', &["U"]),
    ('Ü', &["UE", "UXX", "U"]),
    ('Ý', &["Y"]),
    ('Þ', &["TH"]),
    ('ß', &["SS"]),
    ('ẞ', &["SS"]),
    ('Ā', &["A"]),
    ('Ă', &["A"]),
    ('Ą', &["A"]),
    ('Ć', &["C"]),
    ('Ĉ', &["C"]),
    ('Ċ', &["C"]),
    ('Č', &["C"]),
    ('Ď', &["D"]),
    ('Đ', &["D"]),
    ('Ē', &["E"]),
    ('Ĕ', &["E"]),
    ('Ė', &["E"]),
    ('Ę', &["E"]),
    ('Ě', &["E"]),
    ('Ĝ', &["G"]),
    ('Ğ', &["G"]),
    ('Ġ', &["G"]),
    ('Ģ', &["G"]),
    ('Ĥ', &["H"]),
    ('Ħ', &["H"]),
    ('Ĩ', &["I"]),
    ('Ī', &["I"]),
    ('Ĭ', &["I"]),
    ('Į', &["I"]),
    ('İ', &["I"]),
    ('ı', &["I"]),
    ('Ĳ', &["IJ"]),
    ('Ĵ', &["J"]),
    ('Ķ', &["K"]),
    ('ĸ', &["Q"]),
    ('Ĺ', &["L"]),
    ('Ļ', &["L"]),
    ('Ľ', &["L"]),
    ('Ŀ', &["L"]),
    ('Ł', &["L"]),
    ('Ń', &["N"]),
    ('Ņ', &["N"]),
    ('Ň', &["N"]),
    ('ŉ', &["N"]),
    ('Ŋ', &["N"]),
    ('Ō', &["O"]),
    ('Ŏ', &["O"]),
    ('Ő', &["O"]),
    ('Œ', &["OE"]),
    ('Ŕ', &["R"]),
    ('Ŗ', &["R"]),
    ('Ř', &["R"]),
    ('Ś', &["S"]),
    ('Ŝ', &["S"]),
    ('Ş', &["S"]),
    ('Š', &["S"]),
    // The comma-below letters of Romanian are not in the printed table; its cedilla rows say how.
    ('Ș', &["S"]),
    ('Ţ', &["T"]),
    ('Ț', &["T"]),
    ('Ť', &["T"]),
    ('Ŧ', &["T"]),
    ('Ũ', &["U"]),
    ('Ū', &["U"]),
    ('Ŭ', &["U"]),
    ('Ů', &["U"]),
    ('Ű', &["U"]),
    ('Ų', &["U"]),
    ('Ŵ', &["W"]),
    ('Ŷ', &["Y"]),
    ('Ÿ', &["Y"]),
    ('Ź', &["Z"]),
    ('Ż', &["Z"]),
    ('Ž', &["Z"]),
];

/// Table B: Cyrillic, the form for Russian first and those of other States after it.
const CYRILLIC: &[(char, &[&str])] = &[
    ('А', &["A"]),
    ('Б', &["B"]),
    ('В', &["V"]),
    ('Г', &["G", "H"]),
    ('Ґ', &["G"]),
    ('Д', &["D"]),
    ('Ђ', &["D"]),
    ('Ѓ', &["G"]),
    ('Е', &["E"]),
    ('Ё', &["E", "IO"]),
    ('Є', &["IE"]),
    ('Ж', &["ZH"]),
    ('З', &["Z"]),
    ('И', &["I", "Y"]),
    ('І', &["I"]),
    ('Ї', &["I"]),
    ('Й', &["I"]),
    ('Ј', &["J"]),
    ('К', &["K"]),
    ('Ќ', &["K"]),
    ('Л', &["L"]),
    ('Љ', &["LJ"]),
    ('М', &["M"]),
    ('Н', &["N"]),
    ('Њ', &["NJ"]),
    ('О', &["O"]),
    ('П', &["P"]),
    ('Р', &["R"]),
    ('С', &["S"]),
    ('Т', &["T"]),
    ('Ћ', &["C"]),
    ('У', &["U"]),
    ('Ў', &["U"]),
    ('Ф', &["F"]),
    ('Х', &["KH", "H"]),
    ('Ц', &["TS", "C"]),
    ('Ч', &["CH"]),
    ('Џ', &["DZ"]),
    ('Ш', &["SH"]),
    ('Щ', &["SHCH", "SHT"]),
    ('Ъ', &["IE"]),
    ('Ы', &["Y"]),
    ('Ь', &[""]),
    ('Э', &["E"]),
    ('Ю', &["IU"]),
    ('Я', &["IA"]),
    ('Ѕ', &["DZ"]),
];

/// How many variants [`variants`] gives at most.
pub const MAX_VARIANTS: usize = 64;

/// The name in capital letters with every letter of the tables in its default form; other
/// characters (spaces, hyphens, letters of no table) stay as they are.
pub fn transliterate(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in letters(text) {
        match forms(character).and_then(|forms| forms.first()) {
            Some(form) => out.push_str(form),
            None => out.push(character),
        }
    }
    out
}

/// Every spelling the tables allow for a name, the default one first, at most [`MAX_VARIANTS`]:
/// a State chooses among the forms of Ä, Å, Ñ, Ö, Ü, so a match has to try them all.
pub fn variants(text: &str) -> Vec<String> {
    let mut spellings = vec![String::new()];
    for character in letters(text) {
        let mut single = [0_u8; 4];
        let itself: &str = character.encode_utf8(&mut single);
        let alone = [itself];
        let forms = forms(character).unwrap_or(&alone);
        let room = MAX_VARIANTS.checked_div(spellings.len()).unwrap_or(1).max(1);
        let mut next = Vec::with_capacity(spellings.len().saturating_mul(forms.len()));
        for form in forms.iter().take(room) {
            next.extend(spellings.iter().map(|spelling| format!("{spelling}{form}")));
        }
        spellings = next;
    }
    let mut unique = Vec::with_capacity(spellings.len());
    for spelling in spellings {
        if !unique.contains(&spelling) {
            unique.push(spelling);
        }
    }
    unique
}

/// Composed characters in upper case; those whose upper case is several letters (ß) or another
/// letter of the table (ı) stay for the table.
fn letters(text: &str) -> impl Iterator<Item = char> + '_ {
    text.nfc().flat_map(|character| {
        let kept = forms(character).is_some();
        let upper = character.to_uppercase();
        let one = kept.then_some(character);
        one.into_iter().chain(upper.take(if kept { 0 } else { usize::MAX }))
    })
}

fn forms(character: char) -> Option<&'static [&'static str]> {
    if character.is_ascii() {
        return None;
    }
    let row = LATIN.iter().chain(CYRILLIC).find(|(letter, _)| *letter == character);
    row.map(|(_, forms)| *forms)
}

#[cfg(test)]
mod tests {
    use super::{MAX_VARIANTS, transliterate, variants};

    #[test]
    fn combining_marks_compose_before_the_table_is_asked() {
        assert_eq!(transliterate("Mu\u{308}ller"), "MUELLER");
    }

    #[test]
    fn cyrillic_names_follow_table_b() {
        assert_eq!(transliterate("Щербаков Юрий"), "SHCHERBAKOV IURII");
        assert_eq!(transliterate("Соловьёв"), "SOLOVEV");
    }

    #[test]
    fn dotless_i_and_sharp_s_have_their_own_rows() {
        assert_eq!(transliterate("ışık groß"), "ISIK GROSS");
    }

    #[test]
    fn all_forms_of_an_ambiguous_letter_are_given_default_first() {
        assert_eq!(variants("Müller"), ["MUELLER", "MUXXLLER", "MULLER"]);
        assert_eq!(variants("Smith"), ["SMITH"]);
    }

    #[test]
    fn variants_are_bounded() {
        assert!(variants(&"ÜÖÄÅÑ".repeat(40)).len() <= MAX_VARIANTS);
    }
}
