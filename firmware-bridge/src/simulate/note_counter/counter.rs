//! What the counter knows and answers: hopper, table of note types, the transaction.

use std::collections::VecDeque;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use tidewaiter_codec::xfs4iot::{
    Counted, Message, acknowledgement, completion, event, failure, items_payload,
    note_types_payload, parse, unsolicited,
};

use crate::simulate::PlayError;
use crate::simulate::web_socket::Service;

/// The device behind the connections.
#[derive(Debug)]
pub(crate) struct Counter {
    /// Where it listens: it is its own service publisher.
    url: String,
    hopper: VecDeque<Load>,
    table: Vec<Counted>,
    transaction: Transaction,
    /// What the transaction, or the last one, took in.
    taken: Vec<Counted>,
    /// Serial numbers of the suspect notes among it.
    suspect: Vec<(Counted, Option<String>)>,
    /// Its cover.
    lid_open: bool,
    /// What is to be said of it without being asked.
    news: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transaction {
    Ended,
    Active,
    RolledBack,
}

/// What a person puts into the hopper at once.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Load {
    count: Vec<Notes>,
    /// A feed goes wrong: `doubleNote`, `shortNote`, ….
    #[serde(default)]
    feed_error: Option<String>,
    /// Notes are refused: `counterfeit`, `invalidBunch`, ….
    #[serde(default)]
    refused: Option<String>,
    /// Notes that it takes for suspect and holds back.
    #[serde(default)]
    suspect: Vec<Suspect>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Suspect {
    currency: String,
    denomination: Decimal,
    #[serde(default)]
    serial_number: Option<String>,
}

/// The cover is opened, or shut.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lid {
    lid_open: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Notes {
    currency: String,
    denomination: Decimal,
    pieces: u64,
}

impl Default for Counter {
    fn default() -> Self {
        let note = |(currency, values): (&str, &[u32])| {
            let note = |value: &u32| Counted {
                currency: currency.to_owned(),
                denomination: Decimal::from(*value),
                pieces: 0,
            };
            values.iter().map(note).collect::<Vec<_>>()
        };
        Self {
            url: String::new(),
            hopper: VecDeque::new(),
            table: TABLE.into_iter().flat_map(note).collect(),
            transaction: Transaction::Ended,
            taken: Vec::new(),
            suspect: Vec::new(),
            lid_open: false,
            news: Vec::new(),
        }
    }
}

impl Counter {
    /// A counter that is reached there.
    pub(crate) fn at(url: String) -> Self {
        Self { url, ..Self::default() }
    }

    /// Does what it is told: its cover is moved, or notes are put in.
    pub(crate) fn play(&mut self, command: &Value) -> Result<(), PlayError> {
        if command.get("lid_open").is_none() {
            return self.put_in(command);
        }
        self.lid_open = Lid::deserialize(command)?.lid_open;
        let news = unsolicited("Common.StatusChangedEvent", &json!({"auxiliaries": self.doors()}));
        self.news.push(news);
        Ok(())
    }

    fn doors(&self) -> Value {
        json!({"cabinetFrontDoor": if self.lid_open { "open" } else { "closed" }})
    }

    /// Notes are put into the hopper; a kind that the counter has not seen is taught to it.
    fn put_in(&mut self, command: &Value) -> Result<(), PlayError> {
        let mut load = Load::deserialize(command)?;
        // A kind that only suspect notes are of is taught to it too.
        load.count.extend(load.suspect.iter().map(|note| Notes {
            currency: note.currency.clone(),
            denomination: note.denomination,
            pieces: 0,
        }));
        for notes in &load.count {
            let letters = notes.currency.bytes().all(|byte| byte.is_ascii_uppercase());
            if notes.currency.len() != 3 || !letters || notes.denomination <= Decimal::ZERO {
                let told = format!("no note: {} {}", notes.denomination, notes.currency);
                return Err(PlayError::Content(told));
            }
        }
        for notes in &load.count {
            let known = self.table.iter().any(|known| {
                known.currency == notes.currency && known.denomination == notes.denomination
            });
            if !known {
                self.table.push(Counted {
                    currency: notes.currency.clone(),
                    denomination: notes.denomination,
                    pieces: 0,
                });
            }
        }
        self.hopper.push_back(load);
        Ok(())
    }

    /// Answers a text frame; a command that waits for notes is left in `awaiting`.
    pub(crate) fn command(&mut self, text: &str, awaiting: &mut Option<i64>) -> Vec<String> {
        // What is no command gets no answer: there is no number to answer to.
        let Ok(Message::Command { name, request, payload }) = parse(text) else {
            return Vec::new();
        };
        let mut answers = vec![acknowledgement(&name, request, None)];
        let done = |payload: &Value| completion(&name, request, payload);
        let failed = |code: &str| failure(&name, request, code);
        let active = self.transaction == Transaction::Active;
        answers.push(match name.as_str() {
            "ServicePublisher.GetServices" => {
                done(&json!({"vendorName": "simulated", "services": [{"serviceURI": self.url}]}))
            }
            "Common.Capabilities" => {
                let names = ["Common", "CashAcceptor", "CashManagement"];
                let interfaces = names.map(|name| json!({ "name": name }));
                done(&json!({"interfaces": interfaces, "cashAcceptor": {"maxCashInItems": 500}}))
            }
            "Common.Status" => {
                let acceptor = json!({"intermediateStacker": "notSupported", "dropBox": false});
                done(&json!({
                    "common": {"device": "online"}, "cashAcceptor": acceptor,
                    "auxiliaries": self.doors(),
                }))
            }
            "CashManagement.GetBankNoteTypes" => done(&note_types_payload(&self.table)),
            "CashAcceptor.GetCashInStatus" => done(&self.status()),
            "CashAcceptor.CashInStart" if active => failed("cashInActive"),
            "CashAcceptor.CashInStart" => {
                self.transaction = Transaction::Active;
                self.taken.clear();
                self.suspect.clear();
                done(&json!({}))
            }
            "CashManagement.GetItemInfo" => done(&self.item_infos(&payload)),
            "CashAcceptor.CashIn" if awaiting.is_some() => failed("sequenceInvalid"),
            "CashAcceptor.CashIn" if active => {
                *awaiting = Some(request);
                return answers;
            }
            "CashAcceptor.CashIn" => failed("noCashInActive"),
            "CashAcceptor.CashInEnd" | "CashAcceptor.CashInRollback" if !active => {
                failed("noCashInActive")
            }
            "CashAcceptor.CashInEnd" => {
                self.transaction = Transaction::Ended;
                if self.taken.is_empty() && self.suspect.is_empty() {
                    failed("noItems")
                } else {
                    done(&self.counts())
                }
            }
            "CashAcceptor.CashInRollback" => {
                self.transaction = Transaction::RolledBack;
                done(&self.counts())
            }
            _ => return vec![acknowledgement(&name, request, Some("unsupportedCommand"))],
        });
        answers
    }

    /// Counts the next load for the command that waits; `None` while the hopper is empty.
    pub(crate) fn count(&mut self, request: i64) -> Option<Vec<String>> {
        let load = self.hopper.pop_front()?;
        let mut messages = Vec::new();
        if let Some(reason) = &load.feed_error {
            let payload = json!({ "reason": reason });
            messages.push(event("CashManagement.NoteErrorEvent", request, &payload));
        }
        if let Some(reason) = &load.refused {
            let payload = json!({ "reason": reason });
            messages.push(event("CashAcceptor.InputRefuseEvent", request, &payload));
        }
        let notes = load.count.into_iter().filter(|notes| notes.pieces > 0);
        let notes: Vec<Counted> = notes
            .map(|notes| Counted {
                currency: notes.currency,
                denomination: notes.denomination,
                pieces: notes.pieces,
            })
            .collect();
        let suspect: Vec<(Counted, Option<String>)> =
            load.suspect.into_iter().map(Suspect::note).collect();
        if !suspect.is_empty() {
            let summary = json!([{"level": "suspect", "numOfItems": suspect.len()}]);
            let payload = json!({ "itemInfoSummary": summary });
            messages.push(event("CashManagement.InfoAvailableEvent", request, &payload));
        }
        messages.push(if notes.is_empty() && suspect.is_empty() {
            failure("CashAcceptor.CashIn", request, "noItems")
        } else {
            completion("CashAcceptor.CashIn", request, &counts_of(&notes, &suspect))
        });
        self.taken.extend(notes);
        self.suspect.extend(suspect);
        Some(messages)
    }

    /// What is in: all that it took, in this transaction or the last.
    fn counts(&self) -> Value {
        counts_of(&self.taken, &self.suspect)
    }

    /// The notes of the level that is asked for, one by one.
    fn item_infos(&self, payload: &Value) -> Value {
        let level = payload.pointer("/items/level").and_then(Value::as_str).unwrap_or("suspect");
        let suspect = self.suspect.iter().filter(|_| level == "suspect");
        let info = |(note, number): &(Counted, Option<String>)| json!({"noteType": note.note_type(), "level": "suspect", "serialNumber": number});
        json!({"itemsList": suspect.map(info).collect::<Vec<_>>()})
    }

    fn status(&self) -> Value {
        let status = match self.transaction {
            Transaction::Ended => "ok",
            Transaction::Active => "active",
            Transaction::RolledBack => "rollback",
        };
        let items = self.counts();
        json!({"status": status, "numOfRefused": 0, "noteNumberList": items.get("items")})
    }
}

impl Suspect {
    fn note(self) -> (Counted, Option<String>) {
        let note = Counted { currency: self.currency, denomination: self.denomination, pieces: 1 };
        (note, self.serial_number)
    }
}

impl Service for Counter {
    fn command(&mut self, text: &str, awaiting: &mut Option<i64>) -> Vec<String> {
        Self::command(self, text, awaiting)
    }

    fn ready(&mut self, request: i64) -> Option<Vec<String>> {
        self.count(request)
    }

    fn unasked(&mut self) -> Vec<String> {
        std::mem::take(&mut self.news)
    }
}

/// Counts by type and level.
fn counts_of(taken: &[Counted], suspect: &[(Counted, Option<String>)]) -> Value {
    let mut payload = items_payload(taken);
    for (note, _) in suspect {
        if let Some(items) = payload.pointer_mut("/items").and_then(Value::as_object_mut) {
            let levels = items.entry(note.note_type()).or_insert_with(|| json!({}));
            let pieces = levels["suspect"].as_u64().unwrap_or_default();
            levels["suspect"] = json!(pieces + 1);
        }
    }
    payload
}

/// What the counter is delivered with.
const TABLE: [(&str, &[u32]); 5] = [
    ("USD", &[1, 2, 5, 10, 20, 50, 100]),
    ("EUR", &[5, 10, 20, 50, 100, 200, 500]),
    ("CNY", &[1, 5, 10, 20, 50, 100]),
    ("JPY", &[1000, 2000, 5000, 10000]),
    ("RUB", &[50, 100, 200, 500, 1000, 2000, 5000]),
];
