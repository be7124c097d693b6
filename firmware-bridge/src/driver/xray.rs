//! X-ray, CT and trace stations: one JSON result at a time, into `scan_result`.
//!
//! Results come as lines over TCP (the bridge connects), as messages on the station's broker, or
//! as files in a directory. One that is no result is refused whole.

use std::time::Duration;

use tidewaiter_codec::xray::{self, Decision, Object, XrayResult};
use tidewaiter_proto::body::{
    Body, ImageReference, Modality, ScanDecision, ScanObject, ScanResult,
};
use tokio_util::sync::CancellationToken;

use super::line;
use super::report::Reporter;
use super::session::{Broken, Decoder, Outcome};
use crate::configuration::DeviceConfig;

mod directory;
mod feed;

/// Takes the station's results until it is gone.
pub(super) async fn session(
    device: &DeviceConfig,
    reporter: &mut Reporter,
    stop: &CancellationToken,
) -> Result<(), Broken> {
    match (&device.directory, &device.mqtt) {
        (Some(path), _) => directory::session(path, reporter, stop).await,
        (_, Some(source)) => feed::session(device, source, reporter, stop).await,
        _ => line::session(device, Station::default(), reporter, stop).await,
    }
}

/// One result.
fn read(bytes: &[u8]) -> Outcome {
    let refused = |kind, why: String| {
        let told = format!("a result was refused ({why}): look at the station's own screen");
        Outcome::Refused(kind, told)
    };
    if bytes.len() > LINE {
        return refused("oversize", format!("longer than {LINE} bytes"));
    }
    match std::str::from_utf8(bytes).map(xray::parse) {
        Ok(Ok(result)) => Outcome::Reading(Body::ScanResult(scan_result(&result))),
        Ok(Err(error)) => refused("bad_result", error.to_string()),
        Err(_) => refused("bad_result", "not UTF-8".to_owned()),
    }
}

/// Lines of results.
#[derive(Default)]
struct Station {
    line: Vec<u8>,
    /// The line is beyond the limit; its rest is dropped.
    dropping: bool,
}

impl Station {
    fn byte(&mut self, byte: u8) -> Option<Outcome> {
        if byte != b'\n' {
            if self.dropping {
                return None;
            }
            if self.line.len() < LINE {
                self.line.push(byte);
                return None;
            }
            self.dropping = true;
            self.line.clear();
            let told = format!("a result longer than {LINE} bytes was dropped");
            return Some(Outcome::Refused("oversize", told));
        }
        let line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.dropping) || line.trim_ascii().is_empty() {
            return None;
        }
        Some(read(&line))
    }
}

impl Decoder for Station {
    fn feed(&mut self, bytes: &[u8]) -> Vec<Outcome> {
        bytes.iter().filter_map(|byte| self.byte(*byte)).collect()
    }

    fn idle(&mut self) -> Vec<Outcome> {
        Vec::new()
    }

    fn silence(&self) -> Option<Duration> {
        None
    }
}

fn scan_result(result: &XrayResult) -> ScanResult {
    let bag = result.bag.as_ref().and_then(|bag| bag.lpn.clone().or_else(|| bag.tray.clone()));
    ScanResult {
        modality: match result.device.modality {
            // Records know no body scanner; its picture is judged as an X-ray's is.
            xray::Modality::Dx | xray::Modality::Ait => Modality::Xray,
            xray::Modality::Ct => Modality::Ct,
            xray::Modality::Trace => Modality::Trace,
        },
        bag: bag.map(Into::into),
        decision: match result.decision {
            // A projected image is the operator's exercise, whatever was decided.
            _ if result.is_test() => ScanDecision::Test,
            Decision::Alarm => ScanDecision::Alarm,
            Decision::Clear => ScanDecision::Clear,
            Decision::Unknown | Decision::TimedOut => ScanDecision::Undecided,
        },
        objects: result.objects.iter().map(object).collect(),
        image: result.image.as_ref().map(|image| ImageReference {
            reference: image.reference.clone(),
            sha256: image.sha256.clone(),
        }),
        algorithm: result
            .algorithm
            .as_ref()
            .and_then(|algorithm| serde_json::to_value(algorithm).ok()),
    }
}

fn object(object: &Object) -> ScanObject {
    ScanObject {
        category: object.category.as_str().to_owned(),
        probability: object.probability.as_ref().and_then(serde_json::Number::as_f64),
        regions: serde_json::to_value(&object.regions).ok(),
    }
}

/// A result is a few kilobytes; this bounds memory.
const LINE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::{Decoder, LINE, Outcome, Station};
    use proptest::prelude::*;
    use serde_json::json;
    use tidewaiter_proto::body::{Body, ScanDecision};

    fn alarm() -> serde_json::Value {
        json!({
            "schema": "baggage.xray.result/1", "scan_id": "1",
            "device": {"id": "xr", "modality": "dx"}, "scanned_at": "2018-11-16T03:12:00Z",
            "bag": {"tray": "T7"}, "report_type": "MACHINE", "decision": "ALARM",
            "algorithm": {"name": "a", "version": "1"},
            "objects": [{"id": 1, "category": "CURRENCY_LIKE", "assessment": "THREAT",
                "probability": 0.93, "regions": [{"view": 0, "bbox": [0, 0, 1, 1]}]}],
        })
    }

    #[test]
    fn an_alarm_keeps_what_was_seen_and_a_projected_image_is_a_test() {
        let mut projected = alarm();
        projected["tip"] = json!(true);
        let read = Station::default().feed(format!("{}\n{projected}\n", alarm()).as_bytes());
        let [
            Outcome::Reading(Body::ScanResult(alarm)),
            Outcome::Reading(Body::ScanResult(projected)),
        ] = read.as_slice()
        else {
            panic!("{read:?}")
        };
        assert_eq!((alarm.decision, projected.decision), (ScanDecision::Alarm, ScanDecision::Test));
        assert_eq!(
            (alarm.bag.as_ref().unwrap(), alarm.objects[0].probability),
            (&json!("T7"), Some(0.93))
        );
        assert_eq!(alarm.objects[0].category, "currency_like");
    }

    #[test]
    fn a_broken_or_endless_line_does_not_cost_the_next_one() {
        let mut bytes = vec![b'x'; LINE * 2];
        bytes.extend(b"\n{\"a\": 1}\n\xff\n");
        bytes.extend(format!("{}\r\n", alarm()).as_bytes());
        let outcomes = Station::default().feed(&bytes);
        assert!(
            matches!(
                outcomes.as_slice(),
                [
                    Outcome::Refused("oversize", _),
                    Outcome::Refused("bad_result", _),
                    Outcome::Refused("bad_result", _),
                    Outcome::Reading(_)
                ]
            ),
            "{outcomes:?}"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _outcomes = Station::default().feed(&bytes);
        }
    }
}
