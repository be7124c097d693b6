//! Whether what a scale says and what was counted can be of the same notes.
//!
//! What notes weigh is dated data (`config/note-weights.toml`). A contradiction is a reason
//! to weigh or count again, never a finding: it becomes a note of the inspection. Where any note
//! has no known weight, nothing is said.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::Deserialize;
use tidewaiter_proto::body::{Body, CashCounted, Certainty, WeightMeasured};
use tidewaiter_proto::cash::CountedItem;
use tidewaiter_proto::money::Currency;
use tidewaiter_proto::record::Record;

/// What notes weigh.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteWeights {
    tolerance: Tolerance,
    #[serde(rename = "weight")]
    weights: Vec<NoteWeight>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tolerance {
    share: Decimal,
    grams: Decimal,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoteWeight {
    currency: Currency,
    grams: Decimal,
    from: Date,
    #[serde(default)]
    until: Option<Date>,
    #[expect(dead_code, reason = "read by people, and required of them")]
    source: String,
}

/// A weight and a count that cannot be of the same notes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// Numbers of the two records.
    pub records: [u64; 2],
    /// What an officer reads.
    pub text: String,
}

impl NoteWeights {
    /// The delivered ones.
    pub fn built_in() -> Self {
        toml::from_str(include_str!("../../config/note-weights.toml"))
            .expect("the delivered file is read by a test")
    }

    /// Holds the last weight of an inspection against its last count.
    pub fn contradiction(&self, records: &[Record]) -> Option<Contradiction> {
        let weighed = |record: &Record| match &record.body {
            Body::WeightMeasured(weight) if weight.stable => Some((record.seq, weight.clone())),
            _ => None,
        };
        let counted = |record: &Record| match &record.body {
            Body::CashCounted(count) if count.certainty == Certainty::Exact => {
                Some((record.seq, record.at, count.clone()))
            }
            _ => None,
        };
        let (weighing, weight) = records.iter().rev().find_map(weighed)?;
        let (counting, at, count) = records.iter().rev().find_map(counted)?;
        let shown = in_grams(&weight)?;
        let day = TimeZone::UTC.to_datetime(at).date();
        let (pieces, expected) = self.weigh(&count, day)?;
        let room = expected.checked_mul(self.tolerance.share)?.checked_add(self.tolerance.grams)?;
        if (shown.checked_sub(expected)?).abs() <= room {
            return None;
        }
        let (value, unit) = (weight.value, &weight.unit);
        let expected = expected.normalize();
        let text = format!(
            "The scale says {value} {unit}; the {pieces} notes counted weigh about {expected} g: \
             weigh or count again"
        );
        Some(Contradiction { records: [counting, weighing], text })
    }

    /// Pieces and grams of a count; `None` where anything in it has no known weight.
    fn weigh(&self, count: &CashCounted, day: Date) -> Option<(u64, Decimal)> {
        let mut sum = (0_u64, Decimal::ZERO);
        for item in &count.items {
            let CountedItem::Pieces { currency, pieces, .. } = item else { return None };
            let known = self.weights.iter().find(|weight| {
                weight.currency == *currency
                    && weight.from <= day
                    && weight.until.is_none_or(|until| day < until)
            });
            let grams = known?.grams.checked_mul(Decimal::from(*pieces))?;
            sum = (sum.0.checked_add(*pieces)?, sum.1.checked_add(grams)?);
        }
        (sum.0 > 0).then_some(sum)
    }
}

fn in_grams(weight: &WeightMeasured) -> Option<Decimal> {
    let grams = match weight.unit.as_str() {
        "g" => Decimal::ONE,
        "kg" => Decimal::from(1000),
        "lb" => Decimal::new(45_359_237, 5),
        "oz" => Decimal::new(28_349_523_125, 9),
        _ => return None,
    };
    weight.value.checked_mul(grams)
}

#[cfg(test)]
mod tests {
    use super::NoteWeights;
    use serde_json::{Value, json};
    use tidewaiter_proto::record::Record;

    fn record(seq: u64, body: Value) -> Record {
        serde_json::from_value(json!({
            "station": "ruvvo/dep-07", "seq": seq, "at": "2018-11-16T03:12:45Z", "inspection": "a",
            "source": {"device": "d"}, "body": body,
        }))
        .unwrap()
    }

    fn counted(currency: &str, pieces: u64, certainty: &str) -> Record {
        record(
            1,
            json!({"type": "cash_counted", "count": 1, "blind": true, "officer": "o",
            "certainty": certainty,
            "items": [{"currency": currency, "denomination": "100", "pieces": pieces}]}),
        )
    }

    fn weighed(value: &str, unit: &str) -> Record {
        record(2, json!({"type": "weight_measured", "value": value, "unit": unit, "stable": true}))
    }

    fn said(records: &[Record]) -> Option<String> {
        NoteWeights::built_in().contradiction(records).map(|found| found.text)
    }

    #[test]
    fn a_weight_that_the_counted_notes_cannot_have_is_said() {
        // The shoe box of 2018: 1,923 notes, 1.923 kg, in a band or an envelope.
        let notes = counted("USD", 1923, "exact");
        for (value, unit) in [("1.923", "kg"), ("1923", "g"), ("4.24", "lb"), ("2.2", "kg")] {
            assert_eq!(said(&[notes.clone(), weighed(value, unit)]), None, "{value} {unit}");
        }
        for (value, unit) in [("1.2", "kg"), ("3.1", "kg"), ("40", "oz")] {
            let text = said(&[notes.clone(), weighed(value, unit)]).unwrap();
            assert!(text.contains("1923 notes counted weigh about 1923 g"), "{text}");
        }
        let both = NoteWeights::built_in().contradiction(&[notes, weighed("9", "kg")]).unwrap();
        assert_eq!(both.records, [1, 2]);
    }

    #[test]
    fn nothing_is_said_of_what_nobody_can_know() {
        let weight = weighed("9", "kg");
        assert_eq!(said(&[counted("EUR", 100, "exact"), weight.clone()]), None);
        assert_eq!(said(&[counted("USD", 100, "uncertain"), weight.clone()]), None);
        assert_eq!(said(&[counted("USD", 100, "exact"), weighed("9", "stone")]), None);
        assert_eq!(said(&[weight]), None);
    }
}
