//! What scanners saw of an inspection: each result with its objects and where in the image they are.
//! The image itself stays in the device's own store; its reference and hash are in the record.

use serde_json::Value;
use tidewaiter_proto::body::{Body, ScanObject};
use tidewaiter_proto::record::Record;
use tidewaiter_web::text::Text;
use tidewaiter_web::timeline::{modality_code, scan_code};

/// One result of a scanner.
#[derive(Debug, PartialEq)]
pub(super) struct Scan {
    pub(super) seq: u64,
    pub(super) title: String,
    /// What it took each object for, with how sure it is.
    pub(super) objects: Vec<String>,
    pub(super) views: Vec<View>,
    /// Reference and SHA-256.
    pub(super) image: Option<(String, String)>,
}

/// The boxes of one view.
#[derive(Debug, PartialEq)]
pub(super) struct View {
    pub(super) number: u64,
    pub(super) boxes: Vec<Region>,
}

/// A box in thousandths of the image.
#[derive(Debug, PartialEq)]
pub(super) struct Region {
    pub(super) x: String,
    pub(super) y: String,
    pub(super) width: String,
    pub(super) height: String,
}

/// The scans among records, in their order.
pub(super) fn scans(text: Text, records: &[Record]) -> Vec<Scan> {
    let scan = |record: &Record| {
        let Body::ScanResult(result) = &record.body else { return None };
        let image = result.image.as_ref();
        Some(Scan {
            seq: record.seq,
            title: format!(
                "{}: {}",
                text.code("modality", modality_code(result.modality)),
                text.code("decision-scan", scan_code(result.decision)),
            ),
            objects: result.objects.iter().map(|object| object_words(text, object)).collect(),
            views: views(&result.objects),
            image: image.map(|image| (image.reference.clone(), image.sha256.clone())),
        })
    };
    records.iter().filter_map(scan).collect()
}

fn object_words(text: Text, object: &ScanObject) -> String {
    let what = text.code("scan", &object.category);
    match object.probability {
        Some(share) => format!("{what} ({:.0} %)", share * 100.0),
        None => what.into_owned(),
    }
}

/// `[{"view": 0, "bbox": [left, top, right, bottom]}]` of all objects, sides from 0 to 1, by view.
/// What is no such box is left out: it is in the record.
fn views(objects: &[ScanObject]) -> Vec<View> {
    let mut views: Vec<View> = Vec::new();
    let regions = objects.iter().filter_map(|object| object.regions.as_ref()?.as_array()).flatten();
    for region in regions {
        let Some(found) = bounds(&region["bbox"]) else { continue };
        let number = region["view"].as_u64().unwrap_or(0);
        match views.iter_mut().find(|view| view.number == number) {
            Some(view) => view.boxes.push(found),
            None => views.push(View { number, boxes: vec![found] }),
        }
    }
    views.sort_by_key(|view| view.number);
    views
}

fn bounds(bbox: &Value) -> Option<Region> {
    let side = |side: &Value| side.as_f64().filter(|side| (0.0..=1.0).contains(side));
    let sides: Vec<f64> = bbox.as_array()?.iter().filter_map(side).collect();
    let [left, top, right, bottom] = sides.as_slice() else { return None };
    let thousandths = |share: f64| format!("{:.0}", (share * 1000.0).max(0.0));
    Some(Region {
        x: thousandths(*left),
        y: thousandths(*top),
        width: thousandths(right - left),
        height: thousandths(bottom - top),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tidewaiter_proto::record::Record;
    use tidewaiter_web::language::Language;
    use tidewaiter_web::text::Text;

    use super::scans;

    #[test]
    fn what_a_scanner_saw_is_shown_by_view_and_no_box_is_made_up() {
        let record: Record = serde_json::from_value(json!({
            "station": "ruvvo/dep-07", "seq": 4, "at": "2018-11-16T03:00:00Z",
            "source": {"device": "xray-1"}, "inspection": "b",
            "body": {"type": "scan_result", "modality": "xray", "decision": "alarm",
                "image": {"ref": "bag-7", "sha256": "ab"},
                "objects": [{"category": "currency_like", "probability": 0.93, "regions": [
                    {"view": 1, "bbox": [0.1, 0.2, 0.5, 0.7]}, {"bbox": [0, 0, 1, 1]},
                    {"view": 0, "bbox": [0, 0, 2, 1]}, {"view": 0}]}]}
        }))
        .unwrap();
        let found = scans(Text::new(Language::English), &[record]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].objects, ["like banknotes (93 %)"]);
        assert_eq!(found[0].image, Some(("bag-7".to_owned(), "ab".to_owned())));
        let shown: Vec<_> = found[0]
            .views
            .iter()
            .flat_map(|view| {
                view.boxes.iter().map(move |b| (view.number, &*b.x, &*b.width, &*b.height))
            })
            .collect();
        assert_eq!(shown, [(0, "0", "1000", "1000"), (1, "100", "400", "500")]);
    }
}
