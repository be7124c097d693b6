//! Every vector file of a protocol that is decoded here.

use tidewaiter_codec::vectors::{VectorError, run};

const SEED: u64 = 0x7469_6465;

const FILES: [&str; 16] = [
    "mrz",
    "mrz_translit",
    "bcbp",
    "delimited",
    "xfs4iot",
    "xray",
    "bag",
    "ssp",
    "ccnet",
    "cctalk",
    "id003",
    "ebds",
    "scale",
    "llrp",
    "gpio",
    "transport",
];

fn file(name: &str) -> String {
    let path = format!("{}/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("the vector file is there")
}

#[test]
fn every_vector_gives_what_it_must() {
    for name in FILES {
        let outcomes = run(&file(name), SEED).unwrap().unwrap();
        assert!(!outcomes.is_empty(), "{name} has no vectors");
        for outcome in outcomes {
            assert_eq!(outcome.differs, None, "{name}: {} (seed {SEED})", outcome.id);
        }
    }
}

#[test]
fn a_wrong_expectation_is_seen() {
    for name in FILES {
        let mut vectors: serde_json::Value = serde_json::from_str(&file(name)).unwrap();
        vectors["vectors"][0]["expect"] = serde_json::json!("something else");
        let outcomes = run(&vectors.to_string(), SEED).unwrap().unwrap();
        assert!(outcomes[0].differs.is_some(), "{name}");
    }
}

#[test]
fn a_schema_is_passed_over_and_an_unknown_protocol_is_not() {
    assert_eq!(run(&file("xray_result.schema"), SEED), Ok(None));
    let unknown = r#"{"protocol": "smoke_signals", "vectors": []}"#;
    assert_eq!(run(unknown, SEED), Err(VectorError::Protocol("smoke_signals".into())));
}
