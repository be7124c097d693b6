//! Cases beyond the shared vectors, written from the specifications: ICAO Doc 9303 parts 4 to 7, IATA
//! Resolution 792, RP1745, SSP, CCNET, ccTalk, ID-003, EBDS, LLRP, MT-SICS, Toledo, AIS, PAXLST. Their
//! check values were computed by a program of its own in another language.

use serde_json::Value;
use tidewaiter_codec::decode::Protocol;
use tidewaiter_codec::stream::parse_hex;

#[test]
fn each_case_gives_what_its_specification_says() {
    let file: Value = serde_json::from_str(include_str!("specification.json")).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert!(cases.len() >= 28);
    for case in cases {
        let protocol = Protocol::named(case["protocol"].as_str().unwrap()).unwrap();
        let bytes = match case["hex"].as_str() {
            Some(hex) => parse_hex(hex).unwrap(),
            None => case["text"].as_str().unwrap().as_bytes().to_vec(),
        };
        let read = Value::from(protocol.decode(&bytes));
        assert_eq!(read, case["expect"], "{}", case["title"]);
    }
}
