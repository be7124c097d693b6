//! Writes the voyage data of a ship (type 5) as sentences: what a simulated receiver hears.

use super::{AisError, parse};

/// What a ship says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Voyage {
    /// Who sends it, up to nine digits.
    pub mmsi: u32,
    /// IMO number; 0 for none.
    pub imo: u32,
    /// Up to 7 characters.
    pub call_sign: String,
    /// Up to 20 characters.
    pub name: String,
    /// Up to 20 characters.
    pub destination: String,
}

/// The two sentences of the message, without line ends; `sequence` (0 to 9) tells one message's
/// parts from another's. `None` for what has no place in it.
pub fn compose(voyage: &Voyage, sequence: u8) -> Option<Vec<String>> {
    let fits = voyage.mmsi <= 999_999_999 && voyage.imo <= 9_999_999 && sequence <= 9;
    if !fits {
        return None;
    }
    let mut bits = Vec::with_capacity(424);
    let mut put = |value: u32, width: u32| {
        bits.extend((0..width).rev().map(|bit| value.checked_shr(bit).unwrap_or(0) & 1 == 1));
    };
    put(5, 6);
    put(0, 2);
    put(voyage.mmsi, 30);
    put(0, 2);
    put(voyage.imo, 30);
    for six in six(&voyage.call_sign, 7)?.into_iter().chain(six(&voyage.name, 20)?) {
        put(u32::from(six), 6);
    }
    // Kind of ship, size, positioning, arrival, draught: not known.
    put(0, 70);
    for six in six(&voyage.destination, 20)? {
        put(u32::from(six), 6);
    }
    // Data terminal ready, a spare bit, and filled up to six.
    put(0, 4);
    let letters: String = bits.chunks(6).map(letter).collect();
    let (first, second) = letters.split_at_checked(FIRST)?;
    let sentences = vec![sentence(1, sequence, first, 0), sentence(2, sequence, second, 2)];
    // Written as it is read, or not at all.
    let read: Result<_, AisError> = parse(&sentences.join("\n"));
    read.is_ok().then_some(sentences)
}

/// Six-bit characters: capitals, digits and signs; filled up with `@`.
fn six(text: &str, places: usize) -> Option<Vec<u8>> {
    let mut six: Vec<u8> = text
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'_' => Some(byte.saturating_sub(64)),
            b' '..=b'?' => Some(byte),
            _ => None,
        })
        .collect::<Option<_>>()?;
    (six.len() <= places).then(|| {
        six.resize(places, 0);
        six
    })
}

fn letter(bits: &[bool]) -> char {
    let value = bits.iter().fold(0_u8, |value, bit| value.wrapping_shl(1) | u8::from(*bit));
    char::from(if value < 40 { value.saturating_add(48) } else { value.saturating_add(56) })
}

fn sentence(part: u8, sequence: u8, payload: &str, fill: u8) -> String {
    let body = format!("AIVDM,2,{part},{sequence},B,{payload},{fill}");
    let check = body.bytes().fold(0_u8, |sum, byte| sum ^ byte);
    format!("!{body}*{check:02X}")
}

/// Characters of the first sentence: all fit 82.
const FIRST: usize = 56;

#[cfg(test)]
mod tests {
    use super::super::{Content, parse};
    use super::{Voyage, compose};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_composed_voyage_reads_back(
            mmsi in 0_u32..1_000_000_000, imo in 0_u32..10_000_000, call_sign in "[A-Z0-9]{0,7}",
            name in "[A-Z0-9.]([A-Z0-9 .]{0,18}[A-Z0-9.])?", destination in "([A-Z]{2} [A-Z]{3})?",
        ) {
            let voyage = Voyage { mmsi, imo, call_sign, name, destination };
            let sentences = compose(&voyage, 7).unwrap();
            prop_assert!(sentences.iter().all(|sentence| sentence.len() <= 80));
            let read = parse(&sentences.join("\r\n")).unwrap();
            let Content::Voyage { imo, name, call_sign, destination } = read.content else { panic!() };
            let imo = imo.unwrap_or_default();
            let read = Voyage { mmsi: read.mmsi, imo, call_sign, name, destination };
            prop_assert_eq!(read, voyage);
        }
    }

    #[test]
    fn what_has_no_place_is_refused() {
        let voyage = |name: &str, mmsi| Voyage { name: name.into(), mmsi, ..Voyage::default() };
        assert!(compose(&voyage("A SHIP OF TWENTY-ONE!", 1), 0).is_none());
        assert!(compose(&voyage("small", 1), 0).is_none());
        assert!(compose(&voyage("SHIP", 1_000_000_000), 0).is_none());
    }
}
