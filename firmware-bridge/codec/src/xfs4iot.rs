//! XFS4IoT messages of a bulk note counter: JSON over WebSocket (CEN XFS4IoT 2023-02 and later; the
//! 2021 headers, where the completion code stands in the payload, are read too).
//!
//! Owns reading and writing messages, note types, and counts by type and level. The host's part
//! is a driver's, the device's a simulator's; both are written from here. A note type that is not
//! in the device's table is named and has no value: none is guessed.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::stream::ToJson;

mod compose;

pub use compose::{
    Counted, acknowledgement, command, completion, event, failure, items_payload,
    note_types_payload, unsolicited,
};

/// What is known of a note type: its currency and value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteType {
    /// ISO 4217.
    pub currency: String,
    /// Value of one note.
    pub value: Decimal,
}

/// Note types by the device's own names, `type100USD1`.
pub type NoteTypes = BTreeMap<String, NoteType>;

/// How good a note is held to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Genuine, fit to go out again.
    Fit,
    /// Genuine, worn.
    Unfit,
    /// Genuine, stained by a dye pack.
    Inked,
    /// Suspect.
    Suspect,
    /// Counterfeit.
    Counterfeit,
}

/// What went in with one command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Notes by type and level.
    pub counts: BTreeMap<String, BTreeMap<Level, u64>>,
    /// Notes that no template fits.
    pub unrecognized: u64,
}

/// A message, read.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// A command of the host.
    Command {
        /// Its name, `CashAcceptor.CashIn`.
        name: String,
        /// Its number.
        request: i64,
        /// Its parameters.
        payload: Value,
    },
    /// The device took a command, or refused it.
    Acknowledged {
        /// The command's number.
        request: i64,
        /// Why it was refused.
        error: Option<String>,
    },
    /// The device's table of note types.
    NoteTypes {
        /// The command's number.
        request: i64,
        /// The table.
        types: NoteTypes,
    },
    /// Notes were counted.
    Counted {
        /// The command's name.
        name: String,
        /// The command's number.
        request: i64,
        /// The notes.
        batch: Batch,
    },
    /// Another command was done.
    Done {
        /// The command's name.
        name: String,
        /// The command's number.
        request: i64,
        /// What it gave.
        payload: Value,
    },
    /// A command failed.
    Failed {
        /// The command's name.
        name: String,
        /// The command's number.
        request: i64,
        /// The code.
        code: String,
    },
    /// A note could not be fed: what was counted may be incomplete.
    FeedError {
        /// `doubleNote`, `shortNote`, ….
        reason: String,
    },
    /// Notes were refused.
    Refused {
        /// `counterfeit`, `invalidBunch`, ….
        reason: String,
    },
    /// There is more to know about notes of these levels.
    Info {
        /// Notes by level, in the device's words.
        levels: BTreeMap<String, u64>,
    },
    /// Another event of a command.
    Event {
        /// Its name.
        name: String,
        /// The command's number.
        request: i64,
    },
    /// Another event of the device.
    Unsolicited {
        /// Its name.
        name: String,
        /// What it says.
        payload: Value,
    },
}

/// Why a text is no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XfsError {
    /// Not JSON, or without a header as the standard has it.
    #[error("not an XFS4IoT message: {0}")]
    Shape(String),
    /// A header type that is none.
    #[error("{0:?} is no type of message")]
    Type(String),
    /// A payload that is not its message's.
    #[error("{name}: {problem}")]
    Payload {
        /// The message.
        name: String,
        /// What is wrong.
        problem: String,
    },
}

#[derive(Deserialize)]
struct Envelope<'a> {
    header: Header,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    #[serde(default)]
    request_id: Option<i64>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    completion_code: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Codes {
    #[serde(default)]
    completion_code: Option<String>,
    #[serde(default)]
    error_code: Option<String>,
}

/// Reads one text frame.
///
/// # Errors
/// [`XfsError`]; nothing of such a frame is used.
pub fn parse(text: &str) -> Result<Message, XfsError> {
    let envelope: Envelope<'_> =
        serde_json::from_str(text).map_err(|error| XfsError::Shape(error.to_string()))?;
    let payload = envelope.payload.map_or("{}", RawValue::get);
    let header = envelope.header;
    let kind = header.kind.clone();
    match kind.as_str() {
        "command" => Ok(Message::Command {
            request: numbered(&header)?,
            payload: read(&header.name, payload)?,
            name: header.name,
        }),
        "acknowledge" => Ok(Message::Acknowledged {
            request: numbered(&header)?,
            error: header.status.filter(|status| status != "ok"),
        }),
        "completion" => completed(header, payload),
        "event" => happened(header, payload),
        "unsolicited" => {
            Ok(Message::Unsolicited { payload: read(&header.name, payload)?, name: header.name })
        }
        _ => Err(XfsError::Type(kind)),
    }
}

fn numbered(header: &Header) -> Result<i64, XfsError> {
    header.request_id.ok_or_else(|| XfsError::Shape("a header without requestId".to_owned()))
}

fn completed(header: Header, payload: &str) -> Result<Message, XfsError> {
    let request = numbered(&header)?;
    let codes: Codes = read(&header.name, payload)?;
    let code = header.completion_code.or(codes.completion_code).unwrap_or_default();
    let name = header.name;
    match code.as_str() {
        "success" | "ok" => {}
        "commandErrorCode" => {
            let code = codes.error_code.unwrap_or(code);
            return Ok(Message::Failed { name, request, code });
        }
        "" => return Err(payload_error(&name, "no completionCode")),
        _ => return Ok(Message::Failed { name, request, code }),
    }
    match name.as_str() {
        "CashManagement.GetBankNoteTypes" => {
            Ok(Message::NoteTypes { request, types: note_types(&name, payload)? })
        }
        "CashAcceptor.CashIn" | "CashAcceptor.CashInEnd" => {
            Ok(Message::Counted { batch: batch(&name, payload)?, name, request })
        }
        _ => Ok(Message::Done { payload: read(&name, payload)?, name, request }),
    }
}

fn happened(header: Header, payload: &str) -> Result<Message, XfsError> {
    #[derive(Deserialize)]
    struct Reason {
        reason: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Summary {
        #[serde(default)]
        item_info_summary: Option<Vec<OfLevel>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct OfLevel {
        level: String,
        num_of_items: u64,
    }
    let request = numbered(&header)?;
    match header.name.as_str() {
        "CashManagement.NoteErrorEvent" => {
            let Reason { reason } = read(&header.name, payload)?;
            Ok(Message::FeedError { reason })
        }
        "CashAcceptor.InputRefuseEvent" => {
            let Reason { reason } = read(&header.name, payload)?;
            Ok(Message::Refused { reason })
        }
        "CashManagement.InfoAvailableEvent" => {
            let summary: Summary = read(&header.name, payload)?;
            let mut levels = BTreeMap::new();
            for of in summary.item_info_summary.unwrap_or_default() {
                let sum: &mut u64 = levels.entry(of.level).or_default();
                *sum = sum.saturating_add(of.num_of_items);
            }
            Ok(Message::Info { levels })
        }
        _ => Ok(Message::Event { name: header.name, request }),
    }
}

fn note_types(name: &str, payload: &str) -> Result<NoteTypes, XfsError> {
    #[derive(Deserialize)]
    struct Types<'a> {
        #[serde(borrow, default)]
        items: Option<BTreeMap<String, Item<'a>>>,
    }
    #[derive(Deserialize)]
    struct Item<'a> {
        #[serde(rename = "cashItem", borrow)]
        cash: Cash<'a>,
    }
    #[derive(Deserialize)]
    struct Cash<'a> {
        currency: String,
        // The standard says a JSON number; it is read as the text it is, never as a float.
        #[serde(borrow)]
        value: &'a RawValue,
    }
    let types: Types<'_> = read(name, payload)?;
    types
        .items
        .unwrap_or_default()
        .into_iter()
        .map(|(note, item)| {
            let value = decimal(item.cash.value.get())
                .ok_or_else(|| payload_error(name, &format!("{note} has no value")))?;
            Ok((note, NoteType { currency: item.cash.currency, value }))
        })
        .collect()
}

fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim_matches('"');
    let value = Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()?;
    (value > Decimal::ZERO).then(|| value.normalize())
}

fn batch(name: &str, payload: &str) -> Result<Batch, XfsError> {
    let payload: Map<String, Value> = read(name, payload)?;
    // A device without counts may say so by leaving them out, or by null.
    let items = payload.get("items").filter(|items| !items.is_null());
    items.map_or_else(|| Ok(Batch::default()), |items| counts(name, items))
}

/// Reads counts by note type where they stand in the payload of message `name` (the
/// `noteNumberList` of `CashAcceptor.GetCashInStatus`).
///
/// # Errors
/// [`XfsError::Payload`].
pub fn counts(name: &str, items: &Value) -> Result<Batch, XfsError> {
    let wrong = |what: &str| payload_error(name, what);
    let items = items.as_object().ok_or_else(|| wrong("the counts are no object"))?;
    let mut batch = Batch::default();
    for (key, value) in items.iter().filter(|(_, value)| !value.is_null()) {
        if key == "unrecognized" {
            batch.unrecognized = value.as_u64().ok_or_else(|| wrong("unrecognized is no count"))?;
            continue;
        }
        if !is_note_type(key) {
            return Err(wrong(&format!("{key} is no note type")));
        }
        let levels = value.as_object().ok_or_else(|| wrong(&format!("{key} is no object")))?;
        let mut counts = BTreeMap::new();
        for (level, pieces) in levels.iter().filter(|(_, pieces)| !pieces.is_null()) {
            let level = Level::of(level).ok_or_else(|| wrong(&format!("{level} is no level")))?;
            let pieces = pieces.as_u64().ok_or_else(|| wrong(&format!("{key} is no count")))?;
            counts.insert(level, pieces);
        }
        batch.counts.insert(key.clone(), counts);
    }
    Ok(batch)
}

/// One note that the device can tell more of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemInfo {
    /// Its type in the device's table; `None` where it has none.
    pub note_type: Option<String>,
    /// The standard's word of how good it is held to be.
    pub level: String,
    /// Its serial number, as far as it was read.
    pub serial_number: Option<String>,
}

/// Reads the answer to `CashManagement.GetItemInfo`.
///
/// # Errors
/// [`XfsError::Payload`].
pub fn item_infos(payload: &Value) -> Result<Vec<ItemInfo>, XfsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        #[serde(default)]
        items_list: Option<Vec<Item>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Item {
        #[serde(default)]
        note_type: Option<String>,
        level: String,
        #[serde(default)]
        serial_number: Option<String>,
    }
    let answer = Answer::deserialize(payload)
        .map_err(|error| payload_error("CashManagement.GetItemInfo", &error.to_string()))?;
    let items = answer.items_list.unwrap_or_default().into_iter();
    let info = |item: Item| ItemInfo {
        note_type: item.note_type,
        level: item.level,
        serial_number: item.serial_number.filter(|number| !number.is_empty()),
    };
    Ok(items.map(info).collect())
}

/// `^type[0-9A-Z]+$`.
fn is_note_type(key: &str) -> bool {
    key.strip_prefix("type").is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
    })
}

fn read<'a, T: Deserialize<'a>>(name: &str, payload: &'a str) -> Result<T, XfsError> {
    serde_json::from_str(payload).map_err(|error| payload_error(name, &error.to_string()))
}

fn payload_error(name: &str, problem: &str) -> XfsError {
    XfsError::Payload { name: name.to_owned(), problem: problem.to_owned() }
}

impl Level {
    const ALL: [Self; 5] = [Self::Fit, Self::Unfit, Self::Inked, Self::Suspect, Self::Counterfeit];

    /// The standard's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fit => "fit",
            Self::Unfit => "unfit",
            Self::Inked => "inked",
            Self::Suspect => "suspect",
            Self::Counterfeit => "counterfeit",
        }
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }

    /// Whether such a note counts as money. Stained notes do, for the standard calls them genuine;
    /// where they are evidence, see [`Batch::hold_inked`].
    pub fn is_genuine(self) -> bool {
        matches!(self, Self::Fit | Self::Unfit | Self::Inked)
    }
}

impl Batch {
    /// Genuine notes by type, where the table has the type.
    pub fn genuine<'a>(
        &'a self,
        types: &'a NoteTypes,
    ) -> impl Iterator<Item = (&'a NoteType, u64)> + 'a {
        self.counts.iter().filter_map(|(name, levels)| {
            let genuine = levels.iter().filter(|(level, _)| level.is_genuine());
            let pieces = genuine.fold(0_u64, |sum, (_, pieces)| sum.saturating_add(*pieces));
            types.get(name).filter(|_| pieces > 0).map(|note| (note, pieces))
        })
    }

    /// Notes held back as suspect or counterfeit, of any type.
    pub fn held(&self) -> u64 {
        let held = self.counts.values().flatten().filter(|(level, _)| !level.is_genuine());
        held.fold(0, |sum, (_, pieces)| sum.saturating_add(*pieces))
    }

    /// Notes of one level, of any type.
    pub fn of_level(&self, wanted: Level) -> u64 {
        let of = self.counts.values().flatten().filter(|(level, _)| **level == wanted);
        of.fold(0, |sum, (_, pieces)| sum.saturating_add(*pieces))
    }

    /// Holds stained notes back as suspect: a dye pack stained them.
    pub fn hold_inked(&mut self) {
        for levels in self.counts.values_mut() {
            if let Some(pieces) = levels.remove(&Level::Inked) {
                let suspect = levels.entry(Level::Suspect).or_default();
                *suspect = suspect.saturating_add(pieces);
            }
        }
    }

    /// Types that are not in the table.
    pub fn unknown<'a>(&'a self, types: &'a NoteTypes) -> impl Iterator<Item = &'a str> {
        self.counts.keys().filter(|name| !types.contains_key(*name)).map(String::as_str)
    }

    /// The batch as the vectors write it.
    fn to_json(&self, types: &NoteTypes) -> Value {
        let named = |levels: &BTreeMap<Level, u64>| -> Map<String, Value> {
            levels.iter().map(|(level, n)| (level.as_str().to_owned(), json!(n))).collect()
        };
        let counts: Map<String, Value> =
            self.counts.iter().map(|(name, levels)| (name.clone(), json!(named(levels)))).collect();
        let mut totals: BTreeMap<&str, Decimal> = BTreeMap::new();
        for (note, pieces) in self.genuine(types) {
            let sum = totals.entry(&note.currency).or_default();
            *sum = note
                .value
                .checked_mul(Decimal::from(pieces))
                .and_then(|value| sum.checked_add(value))
                .unwrap_or(Decimal::MAX);
        }
        let totals: Map<String, Value> = totals
            .into_iter()
            .map(|(currency, sum)| (currency.to_owned(), json!(sum.to_string())))
            .collect();
        let mut held: BTreeMap<&str, u64> = BTreeMap::new();
        for (level, pieces) in self.counts.values().flatten().filter(|(l, _)| !l.is_genuine()) {
            let sum = held.entry(level.as_str()).or_default();
            *sum = sum.saturating_add(*pieces);
        }
        let mut out = json!({
            "kind": "cash.count.batch", "counts": counts, "unrecognized": self.unrecognized,
            "totals": totals, "held": held,
        });
        let unknown: Vec<&str> = self.unknown(types).collect();
        if let Some(out) = out.as_object_mut().filter(|_| !unknown.is_empty()) {
            out.insert("unknown_types".into(), json!(unknown));
        }
        out
    }
}

impl Message {
    /// The message as the vectors write it; counts need the device's table.
    pub fn to_json(&self, types: &NoteTypes) -> Value {
        match self {
            Self::Command { .. } => json!({"kind": "command"}),
            Self::Acknowledged { request, error: None } => {
                json!({"kind": "ack", "requestId": request})
            }
            Self::Acknowledged { request, error: Some(error) } => {
                json!({"kind": "ack", "requestId": request, "error": error})
            }
            Self::NoteTypes { types, .. } => {
                let types: Map<String, Value> = types
                    .iter()
                    .map(|(name, note)| {
                        let value = note.value.to_string();
                        (name.clone(), json!({"currency": note.currency, "value": value}))
                    })
                    .collect();
                json!({"kind": "note_types", "types": types})
            }
            Self::Counted { batch, .. } => batch.to_json(types),
            Self::Done { name, .. } => json!({"kind": "completion", "name": name}),
            Self::Failed { code, .. } => json!({"kind": "error", "code": code}),
            Self::FeedError { reason } => json!({"kind": "cash.feed.error", "reason": reason}),
            Self::Refused { reason } => json!({"kind": "cash.note.refused", "reason": reason}),
            Self::Info { levels } => json!({"kind": "cash.info", "levels": levels}),
            Self::Event { name, .. } => json!({"kind": "event", "name": name}),
            Self::Unsolicited { name, .. } => json!({"kind": "unsolicited", "name": name}),
        }
    }
}

impl ToJson for XfsError {
    fn to_json(&self) -> Value {
        json!({"kind": "invalid"})
    }
}

#[cfg(test)]
mod tests;
