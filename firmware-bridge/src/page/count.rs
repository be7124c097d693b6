//! Counting by hand: pieces by denomination, without sight of an earlier count.

use rust_decimal::Decimal;
use tidewaiter_proto::body::{CashCounted, Certainty};
use tidewaiter_proto::cash::CountedItem;
use tidewaiter_proto::money::Currency;
use tidewaiter_web::form::{Fields, Problems, amount};
use tidewaiter_web::text::Text;

/// The denominations a form offers for a currency, high to low.
pub(super) fn denominations(currency: &str) -> &'static [&'static str] {
    OFFERED.iter().find(|(code, _)| *code == currency).map_or(&[], |(_, values)| values)
}

/// Reads the count; what is wrong goes to `problems`, each at its field.
///
/// Pieces stand in fields named `pieces-CURRENCY-DENOMINATION`; another denomination in
/// `other-denomination` and `other-pieces`, in the currency `currency`.
pub(super) fn read(
    text: Text,
    fields: &Fields,
    number: u32,
    officer: &str,
    problems: &mut Problems,
) -> Option<CashCounted> {
    let mut items = Vec::new();
    for (name, value) in fields.pairs() {
        let Some(place) = name.strip_prefix("pieces-") else { continue };
        if value.trim().is_empty() {
            continue;
        }
        let parsed = place.split_once('-').and_then(|(currency, denomination)| {
            Some((currency.parse::<Currency>().ok()?, denomination.parse::<Decimal>().ok()?))
        });
        let pieces = pieces(value);
        match (parsed, pieces) {
            (Some((currency, denomination)), Some(pieces)) if pieces > 0 => {
                items.push(CountedItem::Pieces { currency, denomination, pieces });
            }
            (Some(_), Some(_)) => {}
            _ => problems.add(name.clone(), text.say("bad-pieces")),
        }
    }
    read_other(text, fields, &mut items, problems);
    if items.is_empty() && problems.is_empty() {
        problems.add("currency", text.say("count-need-pieces"));
    }
    for item in &items {
        if let Err(problem) = item.check() {
            problems.add("currency", problem);
        }
    }
    problems.is_empty().then(|| CashCounted {
        count: number,
        blind: true,
        officer: officer.to_owned(),
        items,
        certainty: if fields.has("uncertain", "yes") { Certainty::Uncertain } else { Certainty::Exact },
        suspect: pieces(fields.get("suspect")).filter(|pieces| *pieces > 0),
    })
}

fn read_other(
    text: Text,
    fields: &Fields,
    items: &mut Vec<CountedItem>,
    problems: &mut Problems,
) {
    let (denomination, count) = (fields.get("other-denomination"), fields.get("other-pieces"));
    if denomination.is_empty() && count.is_empty() {
        return;
    }
    let currency = fields.get("currency").parse::<Currency>();
    match (currency, amount(denomination), pieces(count)) {
        (Ok(currency), Some(denomination), Some(pieces)) => {
            items.push(CountedItem::Pieces { currency, denomination, pieces });
        }
        (Err(_), ..) => problems.add("currency", text.say("bad-currency")),
        (_, None, _) => problems.add("other-denomination", text.say("bad-amount")),
        (_, _, None) => problems.add("other-pieces", text.say("bad-pieces")),
    }
}

fn pieces(typed: &str) -> Option<u64> {
    let number = amount(typed)?;
    number.fract().is_zero().then(|| u64::try_from(number).ok()).flatten()
}

/// Notes that are common at borders. Others are typed in; nothing is refused for not being here.
const OFFERED: &[(&str, &[&str])] = &[
    ("USD", &["100", "50", "20", "10", "5", "2", "1"]),
    ("EUR", &["500", "200", "100", "50", "20", "10", "5"]),
    ("RUB", &["5000", "2000", "1000", "500", "200", "100", "50"]),
    ("CNY", &["100", "50", "20", "10", "5", "1"]),
    ("JPY", &["10000", "5000", "2000", "1000"]),
    ("KRW", &["50000", "10000", "5000", "1000"]),
    ("KPW", &["5000", "2000", "1000", "500"]),
    ("GBP", &["50", "20", "10", "5"]),
    ("CHF", &["1000", "200", "100", "50", "20", "10"]),
    ("HKD", &["1000", "500", "100", "50", "20", "10"]),
    ("MYR", &["100", "50", "20", "10", "5", "1"]),
    ("AED", &["1000", "500", "200", "100", "50", "20", "10", "5"]),
];

#[cfg(test)]
mod tests {
    use super::read;
    use tidewaiter_proto::body::Certainty;
    use tidewaiter_web::form::{Fields, Problems};
    use tidewaiter_web::language::Language;
    use tidewaiter_web::text::Text;

    const ENGLISH: Text = Text { language: Language::English };

    #[test]
    fn pieces_are_read_by_denomination_and_blind() {
        let fields = Fields::read(
            b"currency=USD&pieces-USD-100=1,923&pieces-USD-50=&pieces-USD-20=0&\
              other-denomination=1000&other-pieces=1&uncertain=yes&suspect=2",
        );
        let mut problems = Problems::default();
        let count = read(ENGLISH, &fields, 2, "o-11", &mut problems).unwrap();
        assert_eq!((count.count, count.blind, count.items.len()), (2, true, 2));
        assert_eq!((count.certainty, count.suspect), (Certainty::Uncertain, Some(2)));
    }

    #[test]
    fn half_a_note_and_an_empty_count_are_refused() {
        for (form, field) in [
            ("pieces-USD-100=1.5", "pieces-USD-100"),
            ("pieces-USD-100=-1", "pieces-USD-100"),
            ("pieces-dollars-100=1", "pieces-dollars-100"),
            ("currency=USD", "currency"),
        ] {
            let mut problems = Problems::default();
            let fields = Fields::read(form.as_bytes());
            assert!(read(ENGLISH, &fields, 1, "o-11", &mut problems).is_none());
            assert_eq!(problems.0[0].field, field);
        }
    }
}
