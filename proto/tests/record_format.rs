//! The worked example of `docs/record-format.md`, byte for byte: the page and the program say the
//! same, and an independent program written from the page reads it too.
#![expect(clippy::unwrap_used, reason = "a test fails where it panics")]

use tidewaiter_proto::chain::{Head, link};
use tidewaiter_proto::record::{ClockQuality, Draft, Source};
use tidewaiter_proto::seal::{BodyKey, KeyId, SubjectKey};
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::stored::{Stored, seal};

const PAGE: &str = include_str!("../../docs/record-format.md");

/// The two records of the page.
fn records(station: &StationId) -> Vec<Vec<u8>> {
    let draft = |at: &str, body: &str, subject| Draft {
        at: at.parse().unwrap(),
        clock: ClockQuality::Synced,
        inspection: Some("0193a7".to_owned()),
        source: Source::Device("mrz-1".to_owned()),
        subject,
        type_name: serde_json::from_str::<serde_json::Value>(body).unwrap()["type"]
            .as_str()
            .unwrap()
            .to_owned(),
        body_json: body.to_owned(),
    };
    let token = SubjectKey::from_bytes([0x44; 32]).token("PRK", "000000001");
    let (id, key) = (KeyId([0x22; 16]), BodyKey::from_bytes([0x11; 32]));
    let first = draft("2018-11-16T03:12:45.120Z", r#"{"type":"note_added","text":"first"}"#, None);
    let second = draft(
        "2018-11-16T03:12:46.000001Z",
        r#"{"type":"note_added","text":"second"}"#,
        Some(token),
    );
    vec![
        seal(station, 1, 1, &first, id, &key, &[0x33; 24]).unwrap(),
        seal(station, 1, 2, &second, id, &key, &[0x34; 24]).unwrap(),
    ]
}

#[test]
fn the_page_shows_these_very_bytes() {
    let station: StationId = "ruvvo/dep-07".parse().unwrap();
    let page: String = PAGE.chars().filter(|c| !c.is_whitespace()).collect();
    let mut head = Head::genesis(&station, 1).hash;
    let mut wanted = vec![("genesis hash".to_owned(), head.to_string())];
    for (number, stored) in (1..).zip(records(&station)) {
        head = link(head, &stored);
        wanted.push((format!("record {number}"), hex::encode(&stored)));
        wanted.push((format!("chain hash {number}"), head.to_string()));
    }
    for (what, hex) in wanted {
        assert!(page.contains(&hex), "{what} is not on the page: {hex}");
    }
}

#[test]
fn the_records_of_the_page_open_to_their_bodies() {
    let station: StationId = "ruvvo/dep-07".parse().unwrap();
    let key = BodyKey::from_bytes([0x11; 32]);
    for (stored, text) in records(&station).iter().zip(["first", "second"]) {
        let opened = Stored::parse(stored).unwrap().open(&key).unwrap();
        assert!(opened.body_json.contains(text));
        assert_eq!(opened.inspection.as_deref(), Some("0193a7"));
    }
}
