//! Writing messages: a host's commands, and a device's answers.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// Notes of one kind that a device has counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// ISO 4217.
    pub currency: String,
    /// Value of one note.
    pub denomination: Decimal,
    /// How many.
    pub pieces: u64,
}

impl Counted {
    /// The device's own name of the note type: `type100USD1`, the letters the standard allows.
    pub fn note_type(&self) -> String {
        let value = self.denomination.normalize().to_string().replace('.', "D");
        format!("type{value}{}1", self.currency.to_ascii_uppercase())
    }
}

/// A command of the host.
pub fn command(name: &str, request: i64, payload: &Value) -> String {
    json!({
        "header": {
            "type": "command", "name": name, "requestId": request, "version": VERSION,
            "timeout": 0,
        },
        "payload": payload,
    })
    .to_string()
}

/// The device took a command, or refused it with a status.
pub fn acknowledgement(name: &str, request: i64, refused: Option<&str>) -> String {
    let mut header = Map::new();
    header.insert("type".into(), json!("acknowledge"));
    header.insert("name".into(), json!(name));
    header.insert("requestId".into(), json!(request));
    header.insert("version".into(), json!(VERSION));
    if let Some(status) = refused {
        header.insert("status".into(), json!(status));
    }
    json!({ "header": header }).to_string()
}

/// A command was done.
pub fn completion(name: &str, request: i64, payload: &Value) -> String {
    ended(name, request, "success", payload)
}

/// A command failed with one of its own error codes.
pub fn failure(name: &str, request: i64, code: &str) -> String {
    ended(name, request, "commandErrorCode", &json!({"errorCode": code}))
}

fn ended(name: &str, request: i64, code: &str, payload: &Value) -> String {
    json!({
        "header": {
            "type": "completion", "name": name, "requestId": request, "version": VERSION,
            "completionCode": code,
        },
        "payload": payload,
    })
    .to_string()
}

/// Something happened during a command.
pub fn event(name: &str, request: i64, payload: &Value) -> String {
    json!({
        "header": {"type": "event", "name": name, "requestId": request, "version": VERSION},
        "payload": payload,
    })
    .to_string()
}

/// Something that the device says without being asked.
pub fn unsolicited(name: &str, payload: &Value) -> String {
    json!({
        "header": {"type": "unsolicited", "name": name, "version": VERSION}, "payload": payload,
    })
    .to_string()
}

/// The table of note types that a device gives for these notes.
pub fn note_types_payload(notes: &[Counted]) -> Value {
    let items: Map<String, Value> = notes
        .iter()
        .enumerate()
        .map(|(number, note)| {
            let value: Value = serde_json::from_str(&note.denomination.normalize().to_string())
                .unwrap_or_else(|_| json!(note.denomination.to_string()));
            let cash = json!({
                "noteID": number, "currency": note.currency, "value": value, "release": 1,
            });
            (note.note_type(), json!({"cashItem": cash, "enabled": true}))
        })
        .collect();
    json!({ "items": items })
}

/// The counts that a device gives for these notes, all of them fit.
pub fn items_payload(notes: &[Counted]) -> Value {
    let mut pieces: BTreeMap<String, u64> = BTreeMap::new();
    for note in notes {
        let sum = pieces.entry(note.note_type()).or_default();
        *sum = sum.saturating_add(note.pieces);
    }
    let items: Map<String, Value> =
        pieces.into_iter().map(|(name, pieces)| (name, json!({"fit": pieces}))).collect();
    json!({ "items": items })
}

const VERSION: &str = "2.0";
