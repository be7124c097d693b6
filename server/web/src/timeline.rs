//! The records of one inspection in order, each in one line a person reads.

use jiff::Timestamp;
use tidewaiter_proto::body::{
    Body, Certainty, Decision, Direction, Form, Modality, Role, ScanDecision,
};
use tidewaiter_proto::cash::{CashItem, CountedItem};
use tidewaiter_proto::record::{ClockQuality, Record, Source};

use crate::tally::totals;
use crate::text::Text;
use crate::traveller::{kind_code, way};

/// One line of the timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The record's number.
    pub seq: u64,
    /// Its life of the ledger.
    pub epoch: u64,
    /// The station's clock.
    pub at: Timestamp,
    /// The clock could not be trusted.
    pub clock_doubtful: bool,
    /// `device`, `officer` or `agent`.
    pub source_kind: &'static str,
    /// Which.
    pub source: String,
    /// What happened, in words.
    pub title: String,
    /// What it says, in one line.
    pub detail: String,
    /// Numbers of records that are missing right before this one.
    pub missing_before: Option<(u64, u64)>,
}

/// The timeline of records in the order of their numbers. `missing` are ranges of numbers the
/// reader does not have, as the store knows them; a gap of other inspections' records is none.
pub fn timeline(text: Text, records: &[Record], missing: &[(u64, u64)]) -> Vec<Entry> {
    let mut ordered: Vec<&Record> = records.iter().collect();
    ordered.sort_by_key(|record| (record.epoch, record.seq));
    ordered.dedup_by_key(|record| (record.epoch, record.seq));
    let mut before = 0;
    ordered
        .into_iter()
        .map(|record| {
            let gap = missing.iter().find(|(from, to)| *from > before && *to < record.seq).copied();
            before = record.seq;
            let (source_kind, source) = match &record.source {
                Source::Device(id) => ("device", id),
                Source::Officer(id) => ("officer", id),
                Source::Agent(name) => ("agent", name),
            };
            Entry {
                seq: record.seq,
                epoch: record.epoch,
                at: record.at,
                clock_doubtful: record.clock != ClockQuality::Synced,
                source_kind,
                source: source.clone(),
                title: text.code("record", record.body.type_name()).into_owned(),
                detail: detail(text, &record.body),
                missing_before: gap,
            }
        })
        .collect()
}

/// What a body says, in one line.
pub fn detail(text: Text, body: &Body) -> String {
    let words = |prefix: &str, code: &str| text.code(prefix, code).into_owned();
    match body {
        Body::InspectionOpened(opened) => join(&[
            words("direction", direction_code(opened.direction)),
            words("role", role_code(opened.role)),
            way(&opened.movement),
        ]),
        Body::DocumentRead(read) => join(&[
            read.document.full_name(),
            words("document", kind_code(read.document.kind)),
            format!("{} {}", read.document.issuing_state, read.document.number),
        ]),
        Body::BoardingPassRead(pass) => {
            let legs: Vec<String> = pass
                .legs
                .iter()
                .map(|leg| {
                    format!(
                        "{}{} {} → {}",
                        leg.carrier,
                        leg.number.trim_start_matches('0'),
                        leg.from,
                        leg.to
                    )
                })
                .collect();
            join(&[pass.passenger.clone(), legs.join(", ")])
        }
        Body::MovementSeen(seen) => way(&seen.movement),
        Body::ScanResult(scan) => {
            let seen: Vec<String> =
                scan.objects.iter().map(|object| words("scan", &object.category)).collect();
            join(&[
                words("modality", modality_code(scan.modality)),
                words("decision-scan", scan_code(scan.decision)),
                seen.join(", "),
            ])
        }
        Body::CashCounted(counted) => {
            let sums = totals(counted.items.iter().filter_map(CountedItem::amount));
            let sure = match counted.certainty {
                Certainty::Exact => String::new(),
                Certainty::Uncertain => text.say("count-uncertain").into_owned(),
            };
            join(&[sums.iter().map(|sum| text.amount(sum)).collect::<Vec<_>>().join(", "), sure])
        }
        Body::WeightMeasured(weight) => format!("{} {}", weight.value, weight.unit),
        Body::DeclarationMade(declaration) => {
            let items: Vec<String> =
                declaration.items.iter().map(|item| cash_item(text, item)).collect();
            join(&[
                words("form", form_code(declaration.form)),
                declaration.reference.clone(),
                items.join(", "),
            ])
        }
        Body::OfficerObserved(observed) => {
            let codes: Vec<String> =
                observed.indications.iter().map(|code| words("indication", code)).collect();
            join(&[codes.join(", "), observed.text.clone().unwrap_or_default()])
        }
        Body::ExemptionPresented(exemption) => {
            join(&[words("exemption", &exemption.kind), exemption.reference.clone()])
        }
        Body::OutcomeRecorded(outcome) => {
            let items: Vec<String> =
                outcome.items.iter().map(|item| cash_item(text, item)).collect();
            join(&[
                words("decision", decision_code(outcome.decision)),
                items.join(", "),
                outcome.reasons.join("; "),
                outcome.legal_basis.clone().unwrap_or_default(),
                outcome.seal.clone().unwrap_or_default(),
            ])
        }
        Body::CustodyMoved(moved) => format!("{}: {} → {}", moved.seal, moved.from, moved.to),
        Body::InspectionLinked(linked) => linked.to.station.to_string(),
        Body::Amendment(amendment) => {
            let fields: Vec<String> = amendment.fields.keys().cloned().collect();
            join(&[format!("#{}", amendment.of), fields.join(", "), amendment.reason.clone()])
        }
        Body::DeviceState(state) => join(&[
            state.device.clone(),
            words("device-state", &state.state),
            state.cause.clone().unwrap_or_default(),
        ]),
        Body::OfficerSession(_) | Body::ClockStepped(_) | Body::PolicyApplied(_) => String::new(),
        Body::NoteAdded(note) => note.text.clone(),
        Body::Other { type_name, .. } => type_name.clone(),
    }
}

/// A cash item in one line.
pub fn cash_item(text: Text, item: &CashItem) -> String {
    let money = item.amount().map(|(currency, amount)| text.money(currency, amount));
    match item {
        CashItem::Currency { .. } => money.unwrap_or_default(),
        CashItem::BearerInstrument { .. } => {
            join(&[text.say("cash-bearer_instrument").into_owned(), money.unwrap_or_default()])
        }
        CashItem::Gold { grams, fineness, .. } => join(&[
            text.say("cash-gold").into_owned(),
            format!("{grams} g × {fineness}"),
            money.unwrap_or_default(),
        ]),
        CashItem::PrepaidCard { .. } => {
            join(&[text.say("cash-prepaid_card").into_owned(), money.unwrap_or_default()])
        }
    }
}

fn join(parts: &[String]) -> String {
    parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" · ")
}

macro_rules! codes {
    ($(#[doc = $doc:literal] $name:ident($kind:ident) { $($variant:ident => $code:literal),+ $(,)? })+) => {
        $(#[doc = $doc]
        pub fn $name(value: $kind) -> &'static str {
            match value { $($kind::$variant => $code,)+ }
        })+
    };
}

codes! {
    #[doc = "The code of a direction."]
    direction_code(Direction) { Entry => "entry", Exit => "exit", Transit => "transit" }
    #[doc = "The code of a role."]
    role_code(Role) {
        Passenger => "passenger", Crew => "crew", Master => "master", Consignment => "consignment",
    }
    #[doc = "The code of a way to look into luggage."]
    modality_code(Modality) {
        Xray => "xray", Ct => "ct", Trace => "trace", Dog => "dog", Search => "search",
    }
    #[doc = "The code of what a scan says."]
    scan_code(ScanDecision) {
        Alarm => "alarm", Clear => "clear", Undecided => "undecided", Test => "test",
    }
    #[doc = "The code of a form."]
    form_code(Form) { Eu => "eu", Fincen105 => "fincen105", Eaeu => "eaeu", Generic => "generic" }
    #[doc = "The code of a decision."]
    decision_code(Decision) {
        Released => "released", Detained => "detained", Seized => "seized", Refused => "refused",
        Referred => "referred",
    }
}

#[cfg(test)]
mod tests {
    use super::timeline;
    use crate::language::Language;
    use crate::text::Text;
    use serde_json::json;
    use tidewaiter_proto::record::Record;

    fn weight(seq: u64) -> Record {
        serde_json::from_value(json!({
            "station": "ruvvo/dep-07", "seq": seq, "at": "2018-11-16T03:16:00Z", "clock": "holdover",
            "inspection": "a", "source": {"device": "scale-1"},
            "body": {"type": "weight_measured", "value": "1.9", "unit": "kg", "stable": true}
        }))
        .unwrap()
    }

    #[test]
    fn missing_records_are_shown_where_they_are_missing() {
        let text = Text::new(Language::English);
        let entries = timeline(text, &[weight(9), weight(3), weight(3)], &[(5, 6)]);
        assert_eq!(entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [3, 9]);
        assert_eq!(entries[0].missing_before, None);
        assert_eq!(entries[1].missing_before, Some((5, 6)));
        assert!(entries[1].clock_doubtful);
    }

    #[test]
    fn numbers_that_belong_to_other_inspections_are_no_gap() {
        let entries = timeline(Text::new(Language::English), &[weight(3), weight(9)], &[]);
        assert!(entries.iter().all(|entry| entry.missing_before.is_none()));
    }
}
