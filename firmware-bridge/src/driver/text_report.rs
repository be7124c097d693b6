//! Note counters without a public protocol: what they print after a count, into `cash_counted`.
//!
//! A profile says how the lines look, as regular expressions with named groups. No such profile is
//! a maker's: each needs a capture from the site's own counter. A line of a report that no
//! expression knows makes the count uncertain, as does a total that disagrees, a beginning that
//! was not seen, or an end that never came; nothing is guessed. Printers have no check of their
//! own: a profile asks for parity, and for totals of pieces and amount, where the counter has them.

use std::collections::BTreeMap;
use std::time::Duration;

use regex::{Captures, Regex};
use rust_decimal::Decimal;
use serde::Deserialize;
use tidewaiter_codec::delimited::Text;
use tidewaiter_codec::stream::Item;
use tidewaiter_proto::body::{Body, CashCounted, Certainty};
use tidewaiter_proto::cash::CountedItem;
use tidewaiter_proto::money::Currency;

use super::session::{Decoder, Outcome};
use super::text::Frames;

/// How the lines of a report look.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct Layout {
    begin: Option<Regex>,
    note: Regex,
    suspect: Option<Regex>,
    total: Regex,
    ignore: Vec<Regex>,
    currency: Option<Currency>,
}

/// A layout as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// The line that begins a report; without one, any line does.
    #[serde(default)]
    begin: Option<String>,
    /// A kind of note: groups `denomination`, `pieces`, and `currency` unless it is given below.
    note: String,
    /// Notes set aside: group `pieces`.
    #[serde(default)]
    suspect: Option<String>,
    /// The line that ends a report; groups `pieces` and `amount`, where there, must agree.
    total: String,
    /// Lines that say nothing: headings, dates.
    #[serde(default)]
    ignore: Vec<String>,
    /// The currency, where the report does not say it.
    #[serde(default)]
    currency: Option<Currency>,
}

impl TryFrom<Written> for Layout {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let compile = |key: &str, text: &str, groups: &[&str]| -> Result<Regex, String> {
            let regex = Regex::new(text).map_err(|error| format!("{key}: {error}"))?;
            let missing =
                groups.iter().find(|group| !regex.capture_names().any(|n| n == Some(group)));
            match missing {
                Some(group) => Err(format!("{key}: needs a group (?<{group}>…)")),
                None => Ok(regex),
            }
        };
        let optional = |key: &str, text: Option<String>, groups: &[&str]| {
            text.map(|text| compile(key, &text, groups)).transpose()
        };
        let wanted: &[&str] = match written.currency {
            Some(_) => &["denomination", "pieces"],
            None => &["currency", "denomination", "pieces"],
        };
        Ok(Self {
            begin: optional("begin", written.begin, &[])?,
            note: compile("note", &written.note, wanted)?,
            suspect: optional("suspect", written.suspect, &["pieces"])?,
            total: compile("total", &written.total, &[])?,
            ignore: written
                .ignore
                .iter()
                .map(|text| compile("ignore", text, &[]))
                .collect::<Result<_, _>>()?,
            currency: written.currency,
        })
    }
}

/// A report, as far as it was printed.
#[derive(Default)]
struct Report {
    notes: BTreeMap<(Currency, Decimal), u64>,
    suspect: u64,
    doubt: bool,
}

/// Reads reports.
pub(super) struct Printer {
    frames: Frames,
    layout: Layout,
    officer: String,
    report: Option<Report>,
}

impl Printer {
    pub(super) fn new(layout: Layout, officer: String) -> Self {
        Self { frames: Frames::new(), layout, officer, report: None }
    }

    fn outcomes(&mut self, items: Vec<Item<Text>>) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for item in items {
            match item {
                Item::Frame(text) => {
                    // A report between STX and ETX has its lines inside.
                    for line in text.text.split(['\r', '\n']) {
                        outcomes.extend(self.line(line.trim()));
                    }
                }
                Item::Fault(fault) => {
                    // The line that was lost may have been a kind of note.
                    if let Some(report) = &mut self.report {
                        report.doubt = true;
                    }
                    outcomes.push(Outcome::fault(&fault));
                }
            }
        }
        outcomes
    }

    fn line(&mut self, line: &str) -> Vec<Outcome> {
        if line.is_empty() {
            return Vec::new();
        }
        let layout = &self.layout;
        if layout.begin.as_ref().is_some_and(|begin| begin.is_match(line)) {
            let torn = self.report.replace(Report::default());
            return torn.map(|report| report.torn(&self.officer)).unwrap_or_default();
        }
        if layout.begin.is_none() {
            self.report.get_or_insert_default();
        }
        let told = layout.note.is_match(line) || layout.total.is_match(line);
        if self.report.is_none() && told {
            // Its beginning was lost on the way, and who knows what else.
            self.report = Some(Report { doubt: true, ..Report::default() });
        }
        // Between reports a printer prints what it likes.
        let Some(report) = self.report.as_mut() else { return Vec::new() };
        if let Some(total) = layout.total.captures(line) {
            let agrees = report.agrees_with(&total);
            let report = self.report.take().unwrap_or_default();
            return report.close(agrees, &self.officer).into_iter().collect();
        }
        if let Some(suspect) = layout.suspect.as_ref().and_then(|regex| regex.captures(line)) {
            match pieces(&suspect) {
                Some(pieces) => report.suspect = report.suspect.saturating_add(pieces),
                None => report.doubt = true,
            }
            return Vec::new();
        }
        if let Some(note) = layout.note.captures(line) {
            match kind(&note, layout.currency).zip(pieces(&note)) {
                Some((kind, pieces)) => {
                    let sum = report.notes.entry(kind).or_default();
                    *sum = sum.saturating_add(pieces);
                }
                None => report.doubt = true,
            }
            return Vec::new();
        }
        report.doubt |= !layout.ignore.iter().any(|regex| regex.is_match(line));
        Vec::new()
    }
}

impl Report {
    /// Whether the total says what the lines add up to; one that says nothing agrees.
    fn agrees_with(&self, total: &Captures<'_>) -> bool {
        let counted = self.notes.values().fold(0_u64, |sum, pieces| sum.saturating_add(*pieces));
        let says = |group: &str| total.name(group).is_some();
        let worth = self.notes.iter().try_fold(Decimal::ZERO, |sum, ((_, value), pieces)| {
            sum.checked_add(value.checked_mul(Decimal::from(*pieces))?)
        });
        (!says("pieces") || pieces(total) == Some(counted))
            && (!says("amount") || number(total, "amount") == worth)
    }

    /// It stopped before its total: as far as it came, and that it is to be counted again.
    fn torn(self, officer: &str) -> Vec<Outcome> {
        let told = "a report stopped before its total: print it again, or count again";
        let refused = Outcome::Refused("partial", told.to_owned());
        self.close(false, officer).into_iter().chain([refused]).collect()
    }

    fn close(self, agrees: bool, officer: &str) -> Option<Outcome> {
        let whole = agrees && !self.doubt;
        if self.notes.is_empty() && self.suspect == 0 && whole {
            return None;
        }
        let item = |((currency, denomination), pieces)| CountedItem::Pieces {
            currency,
            denomination,
            pieces,
        };
        Some(Outcome::Reading(Body::CashCounted(CashCounted {
            count: 1,
            blind: true,
            officer: officer.to_owned(),
            items: self.notes.into_iter().map(item).collect(),
            certainty: if whole { Certainty::Exact } else { Certainty::Uncertain },
            suspect: (self.suspect > 0).then_some(self.suspect),
        })))
    }
}

/// A number as printers write it: `1,200.00` and `1 200` too.
fn number(captures: &Captures<'_>, group: &str) -> Option<Decimal> {
    let digits = captures.name(group)?.as_str().replace([',', ' ', '\''], "");
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    Decimal::from_str_exact(&digits).ok().filter(|_| plain).map(|number| number.normalize())
}

fn pieces(captures: &Captures<'_>) -> Option<u64> {
    number(captures, "pieces").filter(Decimal::is_integer)?.try_into().ok()
}

fn kind(captures: &Captures<'_>, currency: Option<Currency>) -> Option<(Currency, Decimal)> {
    let said = captures.name("currency").and_then(|code| code.as_str().parse().ok());
    let value = number(captures, "denomination").filter(|value| *value > Decimal::ZERO)?;
    Some((said.or(currency)?, value))
}

impl Decoder for Printer {
    fn feed(&mut self, bytes: &[u8]) -> Vec<Outcome> {
        let items = self.frames.feed(bytes);
        self.outcomes(items)
    }

    fn idle(&mut self) -> Vec<Outcome> {
        let items = self.frames.idle();
        let mut outcomes = self.outcomes(items);
        if let Some(report) = self.report.take() {
            outcomes.extend(report.torn(&self.officer));
        }
        outcomes
    }

    fn silence(&self) -> Option<Duration> {
        // Printers stop for their paper; a report that waits longer was torn off.
        Some(Duration::from_secs(3))
    }
}

#[cfg(test)]
mod tests {
    use super::{Decoder, Layout, Outcome, Printer};
    use serde_json::json;
    use tidewaiter_proto::body::{Body, CashCounted, Certainty};

    fn layout() -> Layout {
        serde_json::from_value(json!({
            "begin": "^== COUNT", "total": r"^TOTAL +(?<pieces>\d+) PCS +(?<amount>[\d,]+)$",
            "note": r"^(?<currency>[A-Z]{3}) +(?<denomination>\d+) x +(?<pieces>[\d,]+)$",
            "suspect": r"^SUSPECT +(?<pieces>\d+)$", "ignore": ["^DATE "],
        }))
        .unwrap()
    }

    fn read(lines: &str) -> Vec<Outcome> {
        let mut printer = Printer::new(layout(), "o-7".into());
        let mut outcomes: Vec<_> =
            lines.as_bytes().chunks(5).flat_map(|part| printer.feed(part)).collect();
        outcomes.extend(printer.idle());
        outcomes
    }

    fn count(lines: &str) -> CashCounted {
        match read(lines).as_slice() {
            [Outcome::Reading(Body::CashCounted(count))] => count.clone(),
            other => panic!("{other:?}"),
        }
    }

    const REPORT: &str = "POWER ON\r\n== COUNT ==\r\nDATE 16.11.18\r\nUSD 100 x 1,200\r\n\
        USD 50 x 2\r\nSUSPECT 1\r\nTOTAL 1202 PCS 120,100\r\n";

    #[test]
    fn a_report_whose_total_agrees_is_an_exact_count() {
        let count = count(REPORT);
        assert_eq!((count.certainty, count.suspect), (Certainty::Exact, Some(1)));
        assert_eq!(
            serde_json::to_value(&count.items).unwrap(),
            json!([{"currency": "USD", "denomination": "50", "pieces": 2},
                {"currency": "USD", "denomination": "100", "pieces": 1200}])
        );
    }

    #[test]
    fn what_is_not_understood_makes_a_count_uncertain_and_a_torn_one_is_none() {
        for (from, to) in [
            ("TOTAL 1202", "TOTAL 1203"),
            ("120,100", "120,000"),
            ("USD 50 x 2", "USD 50 x 2?"),
            ("DATE", "DAT"),
            ("USD 50", "US\u{e9} 50"),
        ] {
            let uncertain = read(&REPORT.replace(from, to));
            let last = uncertain.last();
            let Some(Outcome::Reading(Body::CashCounted(count))) = last else { panic!("{last:?}") };
            assert_eq!(count.certainty, Certainty::Uncertain, "{to}");
        }
        let (torn, _) = REPORT.split_at(80);
        assert!(matches!(read(torn).as_slice(), [.., Outcome::Refused("partial", _)]));
        let twice = format!("{}{REPORT}", &REPORT[..60]);
        assert!(matches!(
            read(&twice).as_slice(),
            [Outcome::Reading(_), Outcome::Refused("partial", _), Outcome::Reading(_)]
        ));
        // A beginning that was lost: what follows is a report all the same, and not a whole one.
        assert_eq!(count(&REPORT.replace("== COUNT", "= COUNT")).certainty, Certainty::Uncertain);
    }

    /// 24 hours at a lane: a traveller every five minutes, one byte in a hundred corrupted (one
    /// bit, which the line's parity sees: the kernel gives a zero for it), the cable pulled every
    /// minute, at any byte.
    #[test]
    fn a_day_at_a_lane_on_a_bad_line_counts_every_note_once_or_says_it_is_not_sure() {
        let mut luck = 20_181_116_u64;
        let mut below = |limit: u64| {
            luck ^= luck << 13;
            luck ^= luck >> 7;
            luck ^= luck << 17;
            luck % limit
        };
        let mut printer = Printer::new(layout(), "o-7".into());
        let (mut exact, mut uncertain, mut refused) = (0, 0, 0);
        for traveller in 0..288 {
            let (hundreds, fifties) = (1 + below(2000), below(40));
            let (pieces, amount) = (hundreds + fifties, hundreds * 100 + fifties * 50);
            let report = format!(
                "== COUNT ==\r\nDATE 16.11.18\r\nUSD 100 x {hundreds}\r\nUSD 50 x {fifties}\r\n\
                 TOTAL {pieces} PCS {amount}\r\n"
            );
            let mut bytes = report.into_bytes();
            for byte in &mut bytes {
                if below(100) == 0 {
                    *byte = 0;
                }
            }
            // Five minutes, one of whose pulls is in the report.
            let pulled = usize::try_from(below(5 * bytes.len() as u64)).unwrap();
            let mut outcomes = Vec::new();
            for (place, byte) in bytes.iter().enumerate() {
                if place == pulled {
                    outcomes.extend(printer.idle());
                }
                outcomes.extend(printer.feed(&[*byte]));
            }
            outcomes.extend(printer.idle());
            let (mut counted, mut sure) = (0, true);
            for outcome in outcomes {
                match outcome {
                    Outcome::Reading(Body::CashCounted(count)) => {
                        counted += amounts(&count);
                        sure &= count.certainty == Certainty::Exact;
                    }
                    Outcome::Refused(..) => refused += 1,
                    Outcome::Reading(body) => panic!("{body:?}"),
                }
            }
            assert!(counted <= amount, "traveller {traveller}: {counted} of {amount}");
            assert!(!sure || counted == amount, "traveller {traveller}: {counted} of {amount}");
            exact += usize::from(sure);
            uncertain += usize::from(!sure);
        }
        println!("{exact} exact, {uncertain} uncertain, {refused} refused");
        // The line is bad, not dead.
        assert!(exact > 60 && uncertain > 60, "{exact} exact, {uncertain} uncertain");
    }

    fn amounts(count: &CashCounted) -> u64 {
        let amounts = count.items.iter().filter_map(tidewaiter_proto::cash::CountedItem::amount);
        amounts.map(|(_, sum)| u64::try_from(sum).unwrap()).sum()
    }

    #[test]
    fn a_layout_that_cannot_be_is_refused_by_its_key() {
        for (written, wanted) in [
            (json!({"note": "(", "total": "T"}), "note: "),
            (json!({"note": "(?<pieces>1)(?<denomination>2)", "total": "T"}), "(?<currency>…)"),
        ] {
            let error = serde_json::from_value::<Layout>(written).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }
}
