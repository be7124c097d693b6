//! The host against a counter that feeds wrongly, breaks off and knows notes nobody told of.

use super::{Dialogue, Output};
use proptest::prelude::*;
use serde_json::{Value, json};
use tidewaiter_codec::xfs4iot::{
    Counted, acknowledgement, completion, event, failure, note_types_payload,
};
use tidewaiter_proto::body::{CashCounted, Certainty};

use crate::configuration::Inked;

/// Answers the host's last command as `answer` says.
fn answered(dialogue: &mut Dialogue, outputs: &[Output], answer: &Value) -> Vec<Output> {
    let (name, request) = asked(outputs);
    dialogue.heard(&completion(&name, request, answer))
}

fn asked(outputs: &[Output]) -> (String, i64) {
    let Some(Output::Send(text)) = outputs.last() else { panic!("{outputs:?}") };
    let command: Value = serde_json::from_str(text).unwrap();
    let header = &command["header"];
    (header["name"].as_str().unwrap().to_owned(), header["requestId"].as_i64().unwrap())
}

fn dollars() -> Value {
    let note = Counted { currency: "USD".into(), denomination: 100.into(), pieces: 1 };
    note_types_payload(&[note])
}

/// Connects, up to the command that asks for the earlier transaction.
fn up_to_status(dialogue: &mut Dialogue) -> Vec<Output> {
    let outputs = dialogue.connected();
    let outputs = answered(dialogue, &outputs, &json!({"common": {"device": "online"}}));
    let outputs = answered(dialogue, &outputs, &dollars());
    assert_eq!(asked(&outputs).0, "CashAcceptor.GetCashInStatus");
    outputs
}

/// Connects, up to the command that waits for notes.
fn up_to_notes() -> (Dialogue, Vec<Output>) {
    let mut dialogue = Dialogue::new("o-7".into(), Inked::Count);
    let outputs = up_to_status(&mut dialogue);
    let outputs = answered(&mut dialogue, &outputs, &json!({"status": "ok"}));
    let outputs = answered(&mut dialogue, &outputs, &json!({}));
    assert!(dialogue.is_waiting_for_notes());
    (dialogue, outputs)
}

fn count(outputs: &[Output]) -> &CashCounted {
    let count = outputs.iter().find_map(|output| match output {
        Output::Counted(count) => Some(count),
        _ => None,
    });
    count.unwrap_or_else(|| panic!("{outputs:?}"))
}

fn notes(pieces: u64) -> Value {
    json!({"items": {"type100USD1": {"fit": pieces}}})
}

#[test]
fn a_hopper_of_notes_is_one_exact_count() {
    let (mut dialogue, outputs) = up_to_notes();
    let outputs = answered(&mut dialogue, &outputs, &notes(1923));
    let outputs = answered(&mut dialogue, &outputs, &notes(1923));
    let count = count(&outputs);
    assert_eq!((count.officer.as_str(), count.certainty), ("o-7", Certainty::Exact));
    assert_eq!(count.items[0].amount().unwrap().1, 192_300.into());
    assert_eq!(asked(&outputs).0, "CashAcceptor.CashInStart");
}

#[test]
fn a_double_feed_makes_a_count_uncertain_and_only_that_one() {
    let (mut dialogue, outputs) = up_to_notes();
    let error = event("CashManagement.NoteErrorEvent", 1, &json!({"reason": "doubleNote"}));
    assert!(matches!(dialogue.heard(&error).as_slice(), [Output::Fault("feed", _)]));
    let outputs = answered(&mut dialogue, &outputs, &notes(5));
    let outputs = answered(&mut dialogue, &outputs, &notes(5));
    assert_eq!(count(&outputs).certainty, Certainty::Uncertain);
    let outputs = answered(&mut dialogue, &outputs, &json!({}));
    let outputs = answered(&mut dialogue, &outputs, &notes(5));
    let outputs = answered(&mut dialogue, &outputs, &json!({}));
    assert_eq!(count(&outputs).certainty, Certainty::Exact);
}

#[test]
fn an_empty_hopper_is_no_count() {
    let (mut dialogue, outputs) = up_to_notes();
    let (name, request) = asked(&outputs);
    let outputs = dialogue.heard(&failure(&name, request, "noItems"));
    assert_eq!((outputs.len(), asked(&outputs).0), (1, "CashAcceptor.CashIn".to_owned()));
}

#[test]
fn a_cut_off_count_is_ended_on_the_next_connection_and_is_uncertain() {
    let (mut dialogue, _) = up_to_notes();
    let outputs = up_to_status(&mut dialogue);
    let outputs = answered(&mut dialogue, &outputs, &json!({"status": "active"}));
    assert_eq!(asked(&outputs).0, "CashAcceptor.CashInEnd");
    let outputs = answered(&mut dialogue, &outputs, &notes(40));
    assert_eq!(count(&outputs).certainty, Certainty::Uncertain);
}

#[test]
fn a_count_whose_end_was_not_heard_is_asked_for() {
    let (mut dialogue, outputs) = up_to_notes();
    let _ending = answered(&mut dialogue, &outputs, &notes(40));
    let outputs = up_to_status(&mut dialogue);
    let status = json!({"status": "ok", "noteNumberList": {"type100USD1": {"fit": 40}}});
    let outputs = answered(&mut dialogue, &outputs, &status);
    assert_eq!(count(&outputs).items[0].amount().unwrap().1, 4000.into());
    // Once: the next connection has nothing left to ask for.
    let outputs = up_to_status(&mut dialogue);
    assert_eq!(answered(&mut dialogue, &outputs, &status).len(), 1);
}

#[test]
fn a_lost_count_is_said() {
    let (mut dialogue, _) = up_to_notes();
    let outputs = up_to_status(&mut dialogue);
    let outputs = answered(&mut dialogue, &outputs, &json!({"status": "reset"}));
    assert!(matches!(outputs.as_slice(), [Output::Fault("lost", _), Output::Send(_)]));
}

#[test]
fn a_note_type_not_in_the_table_is_asked_for_and_never_guessed() {
    let (mut dialogue, outputs) = up_to_notes();
    let strange = json!({"items": {"type500XXX1": {"fit": 2}, "type100USD1": {"fit": 1}}});
    let outputs = answered(&mut dialogue, &outputs, &strange);
    let outputs = answered(&mut dialogue, &outputs, &strange);
    assert_eq!(asked(&outputs).0, "CashManagement.GetBankNoteTypes");
    let outputs = answered(&mut dialogue, &outputs, &dollars());
    let count = count(&outputs);
    assert_eq!((count.items.len(), count.certainty), (1, Certainty::Uncertain));
}

#[test]
fn suspect_notes_are_said_with_their_numbers_and_not_counted() {
    let (mut dialogue, outputs) = up_to_notes();
    let held = json!({"items": {"type100USD1": {"suspect": 3}}});
    let outputs = answered(&mut dialogue, &outputs, &held);
    assert_eq!(asked(&outputs).0, "CashManagement.GetItemInfo");
    let items = json!({"itemsList": [
        {"noteType": "type100USD1", "level": "suspect", "serialNumber": "KB46279860I"},
        {"noteType": "type9XXX1", "level": "suspect"}, {"level": "suspect"},
    ]});
    let outputs = answered(&mut dialogue, &outputs, &items);
    let [Output::Fault("suspect", told), Output::Send(_)] = outputs.as_slice() else {
        panic!("{outputs:?}")
    };
    assert!(told.contains("USD 100 KB46279860I, a note of no known kind"), "{told}");
    let outputs = answered(&mut dialogue, &outputs, &held);
    let count = count(&outputs);
    assert_eq!((count.items.len(), count.suspect), (0, Some(3)));
}

#[test]
fn a_counter_that_cannot_tell_notes_apart_counts_all_the_same() {
    for refuses in [true, false] {
        let (mut dialogue, outputs) = up_to_notes();
        let held = json!({"items": {"type100USD1": {"fit": 1, "counterfeit": 1}}});
        let outputs = answered(&mut dialogue, &outputs, &held);
        let (name, request) = asked(&outputs);
        let answer = if refuses {
            acknowledgement(&name, request, Some("unsupportedCommand"))
        } else {
            failure(&name, request, "unsupportedData")
        };
        let outputs = dialogue.heard(&answer);
        assert_eq!(asked(&outputs).0, "CashAcceptor.CashInEnd");
        let outputs = answered(&mut dialogue, &outputs, &held);
        assert_eq!(count(&outputs).suspect, Some(1));
    }
}

#[test]
fn stained_notes_are_said_and_counted_or_held_as_the_site_wants() {
    for (inked, money, suspect) in [(Inked::Count, 500, None), (Inked::Hold, 300, Some(2))] {
        let (mut dialogue, outputs) = up_to_notes();
        dialogue.inked = inked;
        let notes = json!({"items": {"type100USD1": {"fit": 3, "inked": 2}}});
        let outputs = answered(&mut dialogue, &outputs, &notes);
        let outputs = answered(&mut dialogue, &outputs, &notes);
        let counted = count(&outputs);
        assert_eq!(counted.items[0].amount().unwrap().1, money.into());
        assert_eq!(counted.suspect, suspect);
        assert!(outputs.iter().any(|output| matches!(output, Output::Fault("inked", _))));
    }
}

#[test]
fn an_open_lid_is_said_and_so_is_that_it_is_shut() {
    let (mut dialogue, _) = up_to_notes();
    let mut tells = |state: &str| {
        let text = json!({
            "header": {"type": "unsolicited", "name": "Common.StatusChangedEvent", "version": "2.0"},
            "payload": {"auxiliaries": {"safeDoor": state}},
        });
        dialogue.heard(&text.to_string())
    };
    assert_eq!(tells("open"), [Output::Fault("lid", "lid open".into())]);
    assert_eq!(tells("open"), []);
    assert_eq!(tells("closed"), [Output::Well]);
}

#[test]
fn a_counter_that_is_not_well_or_not_understood_is_given_up() {
    let mut dialogue = Dialogue::new(String::new(), Inked::Count);
    let outputs = dialogue.connected();
    let outputs =
        answered(&mut dialogue, &outputs, &json!({"common": {"device": "hardwareError"}}));
    assert!(matches!(outputs.as_slice(), [Output::GiveUp(_)]));
    let (mut dialogue, outputs) = up_to_notes();
    let outputs =
        answered(&mut dialogue, &outputs, &json!({"items": {"type100USD1": {"fit": -1}}}));
    assert!(matches!(outputs.as_slice(), [Output::GiveUp(_)]));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_or_count(texts in prop::collection::vec("[ -~]{0,80}", 0..10)) {
        let (mut dialogue, _) = up_to_notes();
        for text in texts {
            let counted = |output: &Output| matches!(output, Output::Counted(_));
            prop_assert!(!dialogue.heard(&text).iter().any(counted));
        }
    }
}
