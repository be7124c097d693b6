//! Texts that hold two names: one beside another with a stroke between, or with "trading as".

/// What stands between two names of one party, in lower case.
const BETWEEN: [&str; 14] = [
    " d/b/a ",
    " dba ",
    " t/a ",
    " f/k/a ",
    " fka ",
    " a/k/a ",
    " aka ",
    " n/k/a ",
    " a.k.a. ",
    " f.k.a. ",
    " trading as ",
    " doing business as ",
    " formerly known as ",
    " also known as ",
];

/// No part that is shorter is a name: A/S, c/o.
const LEAST: usize = 4;

/// The names that a text holds beside itself; none for most.
pub(super) fn of(text: &str) -> Vec<&str> {
    let lower = text.to_ascii_lowercase();
    for mark in BETWEEN {
        if let Some(at) = lower.find(mark)
            && let (Some(one), Some(other)) = (text.get(..at), text.get(at + mark.len()..))
        {
            return vec![one, other];
        }
    }
    let parts: Vec<&str> = text.split('/').map(str::trim).collect();
    let letters = |part: &str| part.chars().filter(|c| c.is_alphabetic()).count();
    let beside = |word: Option<&str>| word.is_some_and(|word| letters(word) > 2);
    let whole = parts.iter().all(|part| letters(part) >= LEAST);
    let apart = parts.windows(2).all(|two| {
        beside(two[0].split_whitespace().last()) && beside(two[1].split_whitespace().next())
    });
    if (2..=3).contains(&parts.len()) && whole && apart { parts } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn two_names_are_told_from_a_stroke_within_one() {
        assert_eq!(of("Al-Qa'ida/Islamic Army"), ["Al-Qa'ida", "Islamic Army"]);
        assert_eq!(of("Neva Ltd. d/b/a Northern Star"), ["Neva Ltd.", "Northern Star"]);
        for text in ["Novo A/S", "Smith c/o Jones", "11/9", "Neva"] {
            assert!(of(text).is_empty(), "{text}");
        }
    }
}
