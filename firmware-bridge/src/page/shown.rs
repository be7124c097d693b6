//! One inspection as the officer sees it.

use tidewaiter_proto::body::{Body, Decision, ScanDecision, ScanResult};
use tidewaiter_proto::order::{OrderKind, SHOWN};
use tidewaiter_proto::record::Record;
use tidewaiter_web::amended::amended;
use tidewaiter_web::tally::Tally;
use tidewaiter_web::text::Text;
use tidewaiter_web::timeline::{
    Entry, detail, direction_code, modality_code, role_code, scan_code, timeline,
};
use tidewaiter_web::traveller::Traveller;

use super::warning::{Warning, needs_reason_to_release, warnings};
use crate::recorder::RecordError;
use crate::station::Station;

/// One inspection.
pub(super) struct Shown {
    pub(super) id: String,
    pub(super) traveller: Traveller,
    /// Name, or the way when nobody is known yet.
    pub(super) heading: String,
    pub(super) way: Option<String>,
    /// `Leaving · Passenger`
    pub(super) who: String,
    pub(super) tally: Tally,
    pub(super) scans: Vec<Scan>,
    /// What officers noticed, in one line each.
    pub(super) observed: Vec<String>,
    pub(super) warnings: Vec<Warning>,
    /// What the desk asks for and was not done since.
    pub(super) orders: Vec<Asked>,
    /// A release needs a reason.
    pub(super) grave: bool,
    pub(super) decision: Option<Decision>,
    /// The decision with its reasons, in one line.
    pub(super) decided: Option<String>,
    pub(super) timeline: Vec<Entry>,
}

/// What the desk asks for.
pub(super) struct Asked {
    /// In words.
    pub(super) what: String,
    /// What the desk adds.
    pub(super) text: String,
    /// Who asks.
    pub(super) by: String,
    pub(super) seq: u64,
}

/// What a scan said: a reason to look.
pub(super) struct Scan {
    /// Name of its shape.
    pub(super) level: &'static str,
    /// `X-ray · look`
    pub(super) title: String,
    /// What it saw, with how sure it is.
    pub(super) objects: Vec<String>,
    pub(super) regions: Vec<Region>,
    pub(super) image: Option<String>,
    pub(super) seq: u64,
}

/// A box in an image, in thousandths of its sides.
pub(super) struct Region {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Shown {
    /// Reads an inspection; `None` when there is none of this name.
    pub(super) fn read(
        text: Text,
        station: &Station,
        id: &str,
    ) -> Result<Option<Self>, RecordError> {
        let records = station.records(id)?;
        if records.is_empty() {
            return Ok(None);
        }
        let alerts = station.alerts(id);
        let mut shown = Self::of(text, id, &records);
        shown.grave = needs_reason_to_release(&alerts);
        shown.warnings = warnings(text, &alerts);
        Ok(Some(shown))
    }

    fn of(text: Text, id: &str, records: &[Record]) -> Self {
        let traveller = Traveller::read(records);
        let way = traveller.way();
        let opened = traveller.opened.as_ref();
        let who: Vec<String> = opened
            .iter()
            .flat_map(|opened| {
                [
                    text.code("direction", direction_code(opened.direction)).into_owned(),
                    text.code("role", role_code(opened.role)).into_owned(),
                ]
            })
            .collect();
        let name = traveller.name();
        let heading = name.or_else(|| way.clone()).unwrap_or_else(|| id.to_owned());
        let mut scans = Vec::new();
        let mut observed = Vec::new();
        let (mut decision, mut decided) = (None, None);
        let mut orders: Vec<(OrderKind, Asked)> = Vec::new();
        for shown in amended(records) {
            match &shown.record.body {
                Body::ScanResult(result) => scans.push(scan(text, shown.record.seq, result)),
                body @ (Body::OfficerObserved(_)
                | Body::ExemptionPresented(_)
                | Body::WeightMeasured(_)
                | Body::NoteAdded(_)) => observed.push(detail(text, body)),
                body @ Body::OutcomeRecorded(outcome) => {
                    decision = Some(outcome.decision);
                    decided = Some(detail(text, body));
                    orders.clear();
                }
                Body::CashCounted(_) => orders.retain(|(kind, _)| *kind != OrderKind::Recount),
                Body::Other { type_name, value } if type_name == SHOWN => {
                    orders.extend(asked(text, shown.record.seq, value));
                }
                _ => {}
            }
        }
        Self {
            id: id.to_owned(),
            heading,
            way,
            who: who.join(" · "),
            tally: Tally::read(records),
            scans,
            observed,
            warnings: Vec::new(),
            orders: orders.into_iter().map(|(_, asked)| asked).collect(),
            grave: false,
            decision,
            decided,
            timeline: timeline(text, records, &[]),
            traveller,
        }
    }

    /// What the release button is known by: the same until something is recorded, so that two
    /// presses are one record and a live page keeps its button.
    pub(super) fn once(&self) -> String {
        format!("release-{}-{}", self.id, self.timeline.len())
    }

    /// What a reader of the screen is told of a change: what the desk asks, else the gravest
    /// warning.
    pub(super) fn announcement(&self) -> String {
        if let Some(order) = self.orders.last() {
            return format!("{} {}", order.what, order.text).trim_end().to_owned();
        }
        self.warnings
            .first()
            .map_or_else(String::new, |warning| format!("{}: {}", warning.kind, warning.sentence))
    }
}

/// An order as it was recorded; none where it is not one.
fn asked(text: Text, seq: u64, value: &serde_json::Value) -> Option<(OrderKind, Asked)> {
    let said = |name: &str| value.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    let kind: OrderKind = said("kind").parse().ok()?;
    let what = text.code("order", kind.as_str()).into_owned();
    let (words, by) = (said("text").to_owned(), said("by").to_owned());
    Some((kind, Asked { what, text: words, by, seq }))
}

fn scan(text: Text, seq: u64, result: &ScanResult) -> Scan {
    let objects = result
        .objects
        .iter()
        .map(|object| {
            let words = text.code("scan", &object.category);
            match object.probability {
                Some(sure) => format!("{words} ({:.0} %)", sure * 100.0),
                None => words.into_owned(),
            }
        })
        .collect();
    Scan {
        level: match result.decision {
            ScanDecision::Alarm => "high",
            ScanDecision::Clear => "good",
            ScanDecision::Undecided => "medium",
            ScanDecision::Test => "info",
        },
        title: format!(
            "{}: {}",
            text.code("modality", modality_code(result.modality)),
            text.code("decision-scan", scan_code(result.decision)),
        ),
        objects,
        regions: result
            .objects
            .iter()
            .filter_map(|object| object.regions.as_ref())
            .flat_map(boxes)
            .collect(),
        image: result.image.as_ref().map(|image| image.reference.clone()),
        seq,
    }
}

/// The boxes of the first view: `[{"view": 0, "bbox": [left, top, right, bottom]}]`, each from 0
/// to 1.
fn boxes(regions: &serde_json::Value) -> Vec<Region> {
    let Some(regions) = regions.as_array() else { return Vec::new() };
    let of_first_view = regions.iter().filter(|region| region["view"].as_u64().unwrap_or(0) == 0);
    of_first_view
        .filter_map(|region| {
            let sides: Vec<u32> =
                region["bbox"].as_array()?.iter().filter_map(thousandths).collect();
            let [left, top, right, bottom] = sides.as_slice() else { return None };
            Some(Region {
                x: *left,
                y: *top,
                width: right.saturating_sub(*left),
                height: bottom.saturating_sub(*top),
            })
        })
        .collect()
}

/// A share from 0 to 1 in thousandths.
fn thousandths(side: &serde_json::Value) -> Option<u32> {
    let side = side.as_f64().filter(|side| (0.0..=1.0).contains(side))?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to 1000, see above"
    )]
    let side = (side * 1000.0).round() as u32;
    Some(side)
}

#[cfg(test)]
mod tests {
    use super::boxes;
    use serde_json::json;

    #[test]
    fn a_box_is_drawn_where_the_scanner_saw_it() {
        let regions = boxes(&json!([
            {"view": 0, "bbox": [0.31, 0.42, 0.47, 0.58]},
            {"view": 1, "bbox": [0, 0, 1, 1]},
            {"view": 0, "bbox": [0, 0, 2, 1]},
            {"view": 0},
        ]));
        assert_eq!(regions.len(), 1);
        let region = &regions[0];
        assert_eq!((region.x, region.y, region.width, region.height), (310, 420, 160, 160));
    }
}
