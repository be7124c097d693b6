//! Results of X-ray, CT and trace stations: `baggage.xray.result/1`, one JSON object a line.
//!
//! Terms follow the DICOS attributes of DICOM PS3.6 group 4010; `vectors/xray_result.schema.json`
//! is the schema, and what is accepted here is what it accepts. An alarm is a reason to look, not a
//! finding. A test image (threat image projection) never opens a case.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value, json};

use crate::stream::ToJson;

/// One result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct XrayResult {
    schema: String,
    /// The station's own number of the scan.
    pub scan_id: String,
    /// Which machine.
    pub device: Machine,
    /// Which bag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bag: Option<Bag>,
    /// When it was scanned.
    pub scanned_at: Timestamp,
    /// When it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// Who reports.
    pub report_type: Reporter,
    /// What was decided.
    pub decision: Decision,
    /// The algorithm, where a machine reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Algorithm>,
    /// The operator, where one reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// Where the image is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// A test image was projected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tip: Option<bool>,
    /// What was seen.
    pub objects: Vec<Object>,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Its id.
    pub id: String,
    /// Its maker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Its model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How it looks.
    pub modality: Modality,
}

/// How a machine looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Modality {
    /// Projection X-ray.
    Dx,
    /// Computed tomography.
    Ct,
    /// Body scanner.
    Ait,
    /// Explosives or narcotics trace.
    Trace,
}

/// A bag, by its tag or tray.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bag {
    /// Licence plate, ten digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lpn: Option<String>,
    /// Tray.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tray: Option<String>,
    /// Boarding pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boarding_pass_ref: Option<String>,
    /// Millimetres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_mm: Option<[Number; 3]>,
}

/// Who reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reporter {
    /// The algorithm.
    Machine,
    /// A person at the screen.
    Operator,
    /// A person with the open bag.
    GroundTruth,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Decision {
    /// Something to look at.
    Alarm,
    /// Nothing.
    Clear,
    /// It cannot tell.
    Unknown,
    /// Nobody decided in time: not cleared.
    TimedOut,
}

/// An algorithm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Algorithm {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Where an image is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Its name at the station.
    #[serde(rename = "ref")]
    pub reference: String,
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// Its media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// How many views it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub views: Option<u32>,
}

/// One object seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// Its number in this result.
    pub id: u64,
    /// What it looks like.
    pub category: Category,
    /// How grave it is held to be.
    pub assessment: Assessment,
    /// From 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<Number>,
    /// Grams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mass_g: Option<Number>,
    /// Grams a cubic centimetre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub density_g_cm3: Option<Number>,
    /// Effective atomic number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub z_eff: Option<Number>,
    /// Remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where it is.
    pub regions: Vec<Region>,
}

/// What an object looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the words are DICOS's own")]
pub enum Category {
    CurrencyLike,
    DenseOrganic,
    PreciousMetal,
    Anomaly,
    Contraband,
    Explosive,
    Metal,
    Nonmetal,
    Pharmaceutical,
    Laptop,
    Other,
    Unknown,
}

/// How grave an object is held to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the words are DICOS's own")]
pub enum Assessment {
    HighThreat,
    Threat,
    NoThreat,
    Unknown,
}

/// Where an object is in one view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Which view, from 0.
    pub view: u32,
    /// x0, y0, x1, y1 as fractions of the image.
    pub bbox: [Number; 4],
    /// Its outline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polygon: Option<Vec<[Number; 2]>>,
}

/// Why a line is no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XrayError {
    /// Not JSON, an unknown field, a missing one, a word that is none.
    #[error("not a result: {what}")]
    Shape {
        /// What is wrong, with its place.
        what: String,
    },
    /// A value outside what the schema allows.
    #[error("{field}: {problem}")]
    Value {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl Category {
    /// The word in records: `currency_like`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CurrencyLike => "currency_like",
            Self::DenseOrganic => "dense_organic",
            Self::PreciousMetal => "precious_metal",
            Self::Anomaly => "anomaly",
            Self::Contraband => "contraband",
            Self::Explosive => "explosive",
            Self::Metal => "metal",
            Self::Nonmetal => "nonmetal",
            Self::Pharmaceutical => "pharmaceutical",
            Self::Laptop => "laptop",
            Self::Other => "other",
            Self::Unknown => "unknown",
        }
    }
}

/// Reads one line.
///
/// # Errors
/// [`XrayError`] with what is wrong; nothing of such a line is used.
pub fn parse(line: &str) -> Result<XrayResult, XrayError> {
    let result: XrayResult =
        serde_json::from_str(line).map_err(|error| XrayError::Shape { what: error.to_string() })?;
    result.check()?;
    Ok(result)
}

impl XrayResult {
    fn check(&self) -> Result<(), XrayError> {
        let value = |field, problem| Err(XrayError::Value { field, problem });
        if self.schema != SCHEMA {
            return value("schema", "not baggage.xray.result/1");
        }
        if !(1..=64).contains(&self.scan_id.chars().count()) {
            return value("scan_id", "1 to 64 characters");
        }
        if let Some(bag) = &self.bag {
            let digits = |lpn: &String| lpn.len() == 10 && lpn.bytes().all(|b| b.is_ascii_digit());
            if bag.lpn.as_ref().is_some_and(|lpn| !digits(lpn)) {
                return value("bag.lpn", "ten digits");
            }
            if bag.size_mm.iter().flatten().any(|side| !within(side, f64::MIN_POSITIVE, f64::MAX)) {
                return value("bag.size_mm", "above 0");
            }
        }
        if let Some(image) = &self.image {
            let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            if image.sha256.len() != 64 || !image.sha256.bytes().all(hex) {
                return value("image.sha256", "64 lower-case hex digits");
            }
            if image.views == Some(0) {
                return value("image.views", "1 at least");
            }
        }
        if self.report_type == Reporter::Machine && self.algorithm.is_none() {
            return value("algorithm", "missing where a machine reports");
        }
        if self.report_type == Reporter::Operator && self.operator.is_none() {
            return value("operator", "missing where an operator reports");
        }
        if self.objects.len() > 64 {
            return value("objects", "64 at most");
        }
        if self.decision == Decision::Alarm && self.objects.is_empty() {
            return value("objects", "an alarm has one at least");
        }
        self.objects.iter().try_for_each(Object::check)
    }

    /// Whether it is of a test image.
    pub fn is_test(&self) -> bool {
        self.tip == Some(true)
    }

    /// The event it makes.
    pub fn event(&self) -> &'static str {
        match self.decision {
            _ if self.is_test() => "baggage.xray.tip",
            Decision::Alarm => "baggage.xray.alarm",
            Decision::Clear => "baggage.xray.clear",
            Decision::Unknown | Decision::TimedOut => "baggage.xray.undecided",
        }
    }
}

impl Object {
    fn check(&self) -> Result<(), XrayError> {
        let value = |field, problem| Err(XrayError::Value { field, problem });
        let outside = |number: &Option<Number>, most| {
            number.as_ref().is_some_and(|number| !within(number, 0.0, most))
        };
        if outside(&self.probability, 1.0) {
            return value("objects.probability", "from 0 to 1");
        }
        if outside(&self.mass_g, f64::MAX) || outside(&self.density_g_cm3, f64::MAX) {
            return value("objects.mass_g", "0 at least");
        }
        if outside(&self.z_eff, 120.0) {
            return value("objects.z_eff", "from 0 to 120");
        }
        if self.note.as_ref().is_some_and(|note| note.chars().count() > 500) {
            return value("objects.note", "500 characters at most");
        }
        if self.regions.is_empty() {
            return value("objects.regions", "one at least");
        }
        if self.regions.iter().flat_map(|region| &region.bbox).any(|side| !within(side, 0.0, 1.0)) {
            return value("objects.regions.bbox", "from 0 to 1");
        }
        Ok(())
    }
}

fn within(number: &Number, least: f64, most: f64) -> bool {
    number.as_f64().is_some_and(|number| (least..=most).contains(&number))
}

impl ToJson for XrayResult {
    fn to_json(&self) -> Value {
        json!({"valid": true, "event": self.event()})
    }
}

impl ToJson for XrayError {
    fn to_json(&self) -> Value {
        json!({"valid": false})
    }
}

/// The name of the format, in each result.
pub const SCHEMA: &str = "baggage.xray.result/1";

#[cfg(test)]
mod tests {
    use super::{XrayError, parse};
    use proptest::prelude::*;
    use serde_json::json;

    fn alarm() -> serde_json::Value {
        json!({
            "schema": "baggage.xray.result/1", "scan_id": "1",
            "device": {"id": "xr", "modality": "ct"}, "scanned_at": "2018-11-16T03:12:00Z",
            "report_type": "MACHINE", "decision": "ALARM",
            "algorithm": {"name": "a", "version": "1"},
            "objects": [{"id": 1, "category": "CURRENCY_LIKE", "assessment": "THREAT",
                "probability": 1, "regions": [{"view": 0, "bbox": [0, 0, 1, 1]}]}],
        })
    }

    #[test]
    fn a_test_image_is_never_an_alarm() {
        let mut result = alarm();
        assert_eq!(parse(&result.to_string()).unwrap().event(), "baggage.xray.alarm");
        result["tip"] = json!(true);
        assert_eq!(parse(&result.to_string()).unwrap().event(), "baggage.xray.tip");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let mut result = alarm();
        result["objects"][0]["probability"] = json!(1.01);
        let wrong = parse(&result.to_string()).unwrap_err();
        assert!(matches!(wrong, XrayError::Value { field: "objects.probability", .. }), "{wrong}");
        result["passenger"] = json!("KIM");
        assert!(parse(&result.to_string()).unwrap_err().to_string().contains("passenger"));
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "[ -~]{0,200}") {
            let _read = parse(&line);
        }
    }
}
