//! Rows of money in a form: currency, instruments, gold; and the cash items they make.
//!
//! Row `n` has the fields `kind-n`, `currency-n`, `amount-n` and those of its kind. A row without
//! amount and currency is passed over.

use tidewaiter_proto::cash::{CashItem, GoldForm, Instrument, Payee};
use tidewaiter_proto::money::Currency;
use tidewaiter_web::form::{Fields, Problems, amount};
use tidewaiter_web::text::Text;

/// How many rows a form has; at least one.
pub(super) fn row_count(fields: &Fields) -> usize {
    (0..ROWS_MAX).take_while(|row| fields.pressed(&format!("kind-{row}"))).count().max(1)
}

/// Adds an empty row of a kind.
pub(super) fn add_row(fields: &mut Fields, kind: &str) {
    let rows = if fields.pressed("kind-0") { row_count(fields) } else { 0 };
    if rows < ROWS_MAX && KINDS.contains(&kind) {
        fields.set(&format!("kind-{rows}"), kind);
    }
}

/// Takes a row out; those after it move up.
pub(super) fn remove_row(fields: &mut Fields, row: usize) {
    let rows = row_count(fields);
    for at in row..rows {
        for name in COLUMNS {
            let next = format!("{name}-{}", at + 1);
            let value = fields.pressed(&next).then(|| fields.get(&next).to_owned());
            let here = format!("{name}-{at}");
            match value {
                Some(value) => fields.set(&here, value),
                None => fields.remove(&here),
            }
        }
    }
}

/// Removes every row.
pub(super) fn clear_rows(fields: &mut Fields) {
    for row in 0..ROWS_MAX {
        for name in COLUMNS {
            fields.remove(&format!("{name}-{row}"));
        }
    }
}

/// Reads the rows; what is wrong goes to `problems`, each at its field.
pub(super) fn read(text: Text, fields: &Fields, problems: &mut Problems) -> Vec<CashItem> {
    let mut items = Vec::new();
    for row in 0..row_count(fields) {
        let value = |name: &str| fields.get(&format!("{name}-{row}")).to_owned();
        let typed =
            ["currency", "amount", "grams", "fineness"].iter().any(|name| !value(name).is_empty());
        if typed && let Some(item) = read_row(text, row, &value, problems) {
            items.push(item);
        }
    }
    items
}

fn read_row(
    text: Text,
    row: usize,
    value: &dyn Fn(&str) -> String,
    problems: &mut Problems,
) -> Option<CashItem> {
    let before = problems.0.len();
    let kind = value("kind");
    let gold = kind == "gold";
    let currency: Option<Currency> = value("currency").to_ascii_uppercase().parse().ok();
    let sum = amount(&value("amount")).filter(|sum| !sum.is_zero());
    let unpriced_gold = gold && value("currency").is_empty() && value("amount").is_empty();
    if currency.is_none() && !unpriced_gold {
        problems.add(format!("currency-{row}"), text.say("bad-currency"));
    }
    if sum.is_none() && !unpriced_gold {
        problems.add(format!("amount-{row}"), text.say("bad-amount"));
    }
    let grams = amount(&value("grams"));
    let fineness = amount(&value("fineness")).filter(|share| *share <= 1.into());
    if gold {
        if grams.is_none() {
            problems.add(format!("grams-{row}"), text.say("bad-grams"));
        }
        if fineness.is_none() {
            problems.add(format!("fineness-{row}"), text.say("bad-fineness"));
        }
    }
    if problems.0.len() > before {
        return None;
    }
    let item = match kind.as_str() {
        "gold" => CashItem::Gold {
            form: match value("form").as_str() {
                "coin" => GoldForm::Coin,
                "nugget" => GoldForm::Nugget,
                _ => GoldForm::Bar,
            },
            fineness: fineness?,
            grams: grams?,
            currency,
            amount: sum,
        },
        "bearer_instrument" => CashItem::BearerInstrument {
            instrument: match value("instrument").as_str() {
                "travellers_cheque" => Instrument::TravellersCheque,
                "promissory_note" => Instrument::PromissoryNote,
                "money_order" => Instrument::MoneyOrder,
                _ => Instrument::Cheque,
            },
            payee: match value("payee").as_str() {
                "omitted" => Payee::Omitted,
                "fictitious" => Payee::Fictitious,
                "named" => Payee::Named,
                _ => Payee::Bearer,
            },
            currency: currency?,
            amount: sum?,
        },
        _ => CashItem::Currency { currency: currency?, amount: sum? },
    };
    match item.check() {
        Ok(()) => Some(item),
        Err(problem) => {
            problems.add(format!("amount-{row}"), problem);
            None
        }
    }
}

/// Rows that show items, as a form filled from a count does.
pub(super) fn fill(fields: &mut Fields, items: &[(Currency, rust_decimal::Decimal)]) {
    for (row, (currency, sum)) in items.iter().take(ROWS_MAX).enumerate() {
        fields.set(&format!("kind-{row}"), "currency");
        fields.set(&format!("currency-{row}"), currency.to_string());
        fields.set(&format!("amount-{row}"), sum.normalize().to_string());
    }
}

/// One row as the template draws it.
pub(super) struct Row {
    /// Its number, from 0.
    pub(super) index: usize,
    /// Its kind.
    pub(super) kind: String,
    names: Vec<(&'static str, String)>,
}

/// The rows a form shows.
pub(super) fn rows(fields: &Fields) -> Vec<Row> {
    (0..row_count(fields))
        .map(|row| {
            let kind = fields.get(&format!("kind-{row}"));
            let kind = if KINDS.contains(&kind) { kind } else { "currency" };
            let names = COLUMNS.iter().map(|column| (*column, format!("{column}-{row}"))).collect();
            Row { index: row, kind: kind.to_owned(), names }
        })
        .collect()
}

impl Row {
    /// The name of one of the row's fields.
    pub(super) fn name(&self, column: &str) -> &str {
        let found = self.names.iter().find(|(known, _)| *known == column);
        found.map_or("", |(_, name)| name.as_str())
    }

    /// The row's number as people count.
    pub(super) fn number(&self) -> usize {
        self.index + 1
    }
}

/// Does what a row's button asks for: one more row, or one less. Says whether one was pressed.
pub(super) fn pressed(fields: &mut Fields) -> bool {
    let (add, remove) = (fields.get("add-row").to_owned(), fields.get("remove-row").to_owned());
    fields.remove("add-row");
    fields.remove("remove-row");
    if !add.is_empty() {
        add_row(fields, &add);
        return true;
    }
    if let Ok(row) = remove.parse() {
        remove_row(fields, row);
        return true;
    }
    false
}

/// Choices of a row's lists, in words.
pub(super) fn choices(
    text: Text,
    prefix: &str,
    codes: &[&'static str],
) -> Vec<(&'static str, String)> {
    codes.iter().map(|code| (*code, text.code(prefix, code).into_owned())).collect()
}

pub(super) const INSTRUMENTS: &[&str] =
    &["cheque", "travellers_cheque", "promissory_note", "money_order"];
pub(super) const PAYEES: &[&str] = &["bearer", "omitted", "fictitious", "named"];
pub(super) const GOLD_FORMS: &[&str] = &["bar", "coin", "nugget"];

const ROWS_MAX: usize = 40;
const KINDS: &[&str] = &["currency", "bearer_instrument", "gold"];
const COLUMNS: &[&str] =
    &["kind", "currency", "amount", "instrument", "payee", "form", "fineness", "grams"];

/// Currencies offered while typing; any other may be typed.
pub(super) const CURRENCIES: &[&str] =
    &["USD", "EUR", "RUB", "CNY", "JPY", "KRW", "KPW", "GBP", "CHF", "HKD", "MYR", "AED"];

#[cfg(test)]
mod tests {
    use super::{add_row, fill, read, remove_row, row_count};
    use tidewaiter_proto::cash::CashItem;
    use tidewaiter_proto::money::Currency;
    use tidewaiter_web::form::{Fields, Problems};
    use tidewaiter_web::language::Language;
    use tidewaiter_web::text::Text;

    const ENGLISH: Text = Text { language: Language::English };

    #[test]
    fn several_currencies_and_gold_are_read_row_by_row() {
        let fields = Fields::read(
            b"kind-0=currency&currency-0=usd&amount-0=192,300&kind-1=currency&currency-1=EUR&\
              amount-1=1000&kind-2=gold&grams-2=1000&fineness-2=0.9999&form-2=bar&kind-3=currency",
        );
        let mut problems = Problems::default();
        let items = read(ENGLISH, &fields, &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(items.len(), 3);
        assert!(matches!(&items[0], CashItem::Currency { currency, amount }
            if *currency == Currency::USD && *amount == 192_300.into()));
    }

    #[test]
    fn a_wrong_row_is_named_and_the_others_are_kept() {
        let fields = Fields::read(
            b"kind-0=currency&currency-0=dollars&amount-0=5&kind-1=currency&currency-1=EUR&amount-1=0",
        );
        let mut problems = Problems::default();
        assert!(read(ENGLISH, &fields, &mut problems).is_empty());
        let at: Vec<_> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(at, ["currency-0", "amount-1"]);
    }

    #[test]
    fn a_removed_row_leaves_no_hole() {
        let mut fields = Fields::default();
        let sums = [(Currency::USD, 1.into()), (Currency::EUR, 2.into())];
        fill(&mut fields, &sums);
        add_row(&mut fields, "gold");
        assert_eq!(row_count(&fields), 3);
        remove_row(&mut fields, 0);
        assert_eq!(
            (row_count(&fields), fields.get("currency-0"), fields.get("kind-1")),
            (2, "EUR", "gold")
        );
    }
}
