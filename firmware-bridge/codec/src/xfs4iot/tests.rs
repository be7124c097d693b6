//! What is written is read back, and no value is guessed.

use super::{
    Batch, Counted, Level, Message, NoteTypes, completion, item_infos, items_payload,
    note_types_payload, parse,
};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::json;

fn types_of(notes: &[Counted]) -> NoteTypes {
    let text = completion("CashManagement.GetBankNoteTypes", 1, &note_types_payload(notes));
    let Message::NoteTypes { types, .. } = parse(&text).unwrap() else { panic!("{text}") };
    types
}

fn batch_of(notes: &[Counted]) -> Batch {
    let text = completion("CashAcceptor.CashInEnd", 2, &items_payload(notes));
    let Message::Counted { batch, .. } = parse(&text).unwrap() else { panic!("{text}") };
    batch
}

#[test]
fn the_shoe_box_is_counted_by_currency() {
    let note = |currency: &str, denomination: i64, pieces| Counted {
        currency: currency.into(),
        denomination: Decimal::from(denomination),
        pieces,
    };
    let notes = [note("USD", 100, 1923), note("EUR", 500, 2)];
    let batch = batch_of(&notes);
    let shown =
        Message::Counted { name: String::new(), request: 1, batch }.to_json(&types_of(&notes));
    assert_eq!(shown["totals"], json!({"EUR": "1000", "USD": "192300"}));
}

#[test]
fn a_completion_of_2021_has_its_code_in_the_payload() {
    let text = json!({
        "header": {"type": "completion", "name": "CashAcceptor.CashIn", "requestId": 1},
        "payload": {"completionCode": "commandErrorCode", "errorCode": "noItems"},
    });
    let Message::Failed { code, .. } = parse(&text.to_string()).unwrap() else { panic!("{text}") };
    assert_eq!(code, "noItems");
}

#[test]
fn suspect_notes_are_held_and_not_counted() {
    let types = types_of(&[Counted { currency: "USD".into(), denomination: 20.into(), pieces: 1 }]);
    let text = completion(
        "CashAcceptor.CashInEnd",
        1,
        &json!({"items": {"type20USD1": {"fit": 3, "suspect": 2}, "unrecognized": 1}}),
    );
    let Message::Counted { batch, .. } = parse(&text).unwrap() else { panic!("{text}") };
    assert_eq!((batch.held(), batch.unrecognized), (2, 1));
    let genuine: Vec<u64> = batch.genuine(&types).map(|(_, pieces)| pieces).collect();
    assert_eq!(genuine, [3]);
}

#[test]
fn what_is_null_is_absent() {
    for (name, payload) in [
        ("CashManagement.GetBankNoteTypes", json!({"items": null})),
        ("CashAcceptor.CashIn", json!({"items": null})),
        ("CashAcceptor.CashInEnd", json!({"items": {"unrecognized": null, "type1USD1": null}})),
        ("CashAcceptor.CashInEnd", json!({"items": {"type1USD1": {"fit": null, "inked": null}}})),
    ] {
        let read = parse(&completion(name, 1, &payload));
        match &read {
            Ok(Message::NoteTypes { types, .. }) => assert!(types.is_empty()),
            Ok(Message::Counted { batch, .. }) => {
                assert_eq!((batch.held(), batch.unrecognized), (0, 0));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn stained_notes_are_money_unless_they_are_held() {
    let text = completion(
        "CashAcceptor.CashInEnd",
        1,
        &json!({"items": {"type20USD1": {"fit": 3, "inked": 2, "suspect": 1}}}),
    );
    let Message::Counted { mut batch, .. } = parse(&text).unwrap() else { panic!("{text}") };
    assert_eq!((batch.held(), batch.of_level(Level::Inked)), (1, 2));
    batch.hold_inked();
    assert_eq!((batch.held(), batch.of_level(Level::Inked)), (3, 0));
}

#[test]
fn single_notes_are_told_with_their_numbers() {
    let told = json!({"itemsList": [
        {"noteType": "type100USD1", "level": "suspect", "serialNumber": "KB46279860I",
            "orientation": "frontTop"},
        {"level": "unrecognized", "serialNumber": ""},
    ]});
    let items = item_infos(&told).unwrap();
    assert_eq!(items[0].serial_number.as_deref(), Some("KB46279860I"));
    assert_eq!((items[1].note_type.as_ref(), items[1].serial_number.as_ref()), (None, None));
    assert_eq!(item_infos(&json!({"itemsList": null})), Ok(vec![]));
    assert!(item_infos(&json!({"itemsList": [{}]})).is_err());
}

proptest! {
    #[test]
    fn counted_notes_read_back(
        notes in prop::collection::vec(("[A-Z]{3}", 1_i64..100_000, 1_u64..1_000_000), 1..6)
    ) {
        let notes: Vec<Counted> = notes
            .into_iter()
            .map(|(currency, cents, pieces)| Counted {
                currency, denomination: Decimal::new(cents, 2), pieces,
            })
            .collect();
        let (types, batch) = (types_of(&notes), batch_of(&notes));
        let written: u64 = notes.iter().map(|note| note.pieces).sum();
        let read: u64 = batch.genuine(&types).map(|(_, pieces)| pieces).sum();
        prop_assert_eq!(read, written);
        prop_assert_eq!(batch.unknown(&types).count(), 0);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[ -~]{0,200}") {
        let _read = parse(&text);
    }
}
