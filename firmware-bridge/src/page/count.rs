//! Counting by hand: pieces by denomination, without sight of an earlier count.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use rust_decimal::Decimal;
use tidewaiter_proto::body::{Body, CashCounted, Certainty};
use tidewaiter_proto::cash::CountedItem;
use tidewaiter_proto::money::Currency;
use tidewaiter_web::answer::page_with;
use tidewaiter_web::form::{Fields, Problems, amount};
use tidewaiter_web::frame::Frame;
use tidewaiter_web::tally::Tally;
use tidewaiter_web::text::Text;
use tidewaiter_web::visit::Visit;

use super::money::CURRENCIES;
use crate::station::Station;

#[derive(Template)]
#[template(path = "station/count.html")]
struct CountPage {
    frame: Frame,
    id: String,
    /// Which count this will be.
    number: u32,
    fields: Fields,
    problems: Problems,
    offered: Vec<Offered>,
    currencies: &'static [&'static str],
}

/// A currency's notes.
struct Offered {
    currency: &'static str,
    /// Shown at once.
    open: bool,
    notes: Vec<Note>,
}

struct Note {
    denomination: &'static str,
    /// Name of its field.
    name: String,
}

pub(super) async fn show(
    State(station): State<Station>,
    Path(id): Path<String>,
    visit: Visit,
) -> Response {
    answer(&station, &visit, &id, Fields::default(), Problems::default())
}

pub(super) async fn record(
    State(station): State<Station>,
    Path(id): Path<String>,
    visit: Visit,
    fields: Fields,
) -> Response {
    let text = visit.text;
    let mut problems = Problems::default();
    let officer = super::actor(text, &visit, &fields, &mut problems);
    if let Ok(records) = station.records(&id)
        && !records.is_empty()
    {
        let tally = Tally::read(&records);
        let counted = read(text, &fields, tally.next_count(), &officer, &mut problems);
        if let Some(mut counted) = counted {
            // Who counts the same cash again has seen the first result.
            counted.blind = tally.counts.iter().all(|count| count.officer != officer);
            let body = Body::CashCounted(counted);
            let done = super::record(&station, &id, &officer, body, &fields, &mut problems).await;
            if let Some(done) = done {
                return done;
            }
        }
    }
    answer(&station, &visit, &id, fields, problems)
}

fn answer(
    station: &Station,
    visit: &Visit,
    id: &str,
    mut fields: Fields,
    problems: Problems,
) -> Response {
    let records = match station.records(id) {
        Ok(records) if records.is_empty() => return super::nothing_here(visit, station),
        Ok(records) => records,
        Err(error) => return super::failed(visit, station, &error.into()),
    };
    super::once(&mut fields);
    let tally = Tally::read(&records);
    let declared: Vec<String> = tally
        .declarations
        .last()
        .iter()
        .flat_map(|declared| &declared.totals)
        .map(|total| total.currency.to_string())
        .collect();
    let number = tally.next_count();
    let title = visit.text.say1("count-title", "number", number);
    let frame = super::bare_frame(visit, station, title);
    let status =
        if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = CountPage {
        frame,
        id: id.to_owned(),
        number,
        offered: offered(&declared, &fields),
        fields,
        problems,
        currencies: CURRENCIES,
    };
    page_with(status, &page)
}

/// Notes by currency: open are those that were declared or typed; without any, the usual two.
fn offered(declared: &[String], fields: &Fields) -> Vec<Offered> {
    let typed = |currency: &str| {
        let prefix = format!("pieces-{currency}-");
        let mut pairs = fields.pairs().iter();
        pairs.any(|(name, value)| name.starts_with(&prefix) && !value.trim().is_empty())
    };
    OFFERED
        .iter()
        .map(|(currency, notes)| Offered {
            currency,
            open: typed(currency)
                || declared.iter().any(|code| code == currency)
                || (declared.is_empty() && USUAL.contains(currency)),
            notes: notes
                .iter()
                .map(|denomination| Note {
                    denomination,
                    name: format!("pieces-{currency}-{denomination}"),
                })
                .collect(),
        })
        .collect()
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
        certainty: if fields.has("uncertain", "yes") {
            Certainty::Uncertain
        } else {
            Certainty::Exact
        },
        suspect: pieces(fields.get("suspect")).filter(|pieces| *pieces > 0),
    })
}

fn read_other(text: Text, fields: &Fields, items: &mut Vec<CountedItem>, problems: &mut Problems) {
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

const USUAL: &[&str] = &["USD", "EUR"];

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
