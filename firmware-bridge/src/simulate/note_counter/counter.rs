//! What the counter knows and answers: hopper, table of note types, the transaction.

use std::collections::VecDeque;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use tidewaiter_codec::xfs4iot::{
    Counted, Message, acknowledgement, completion, event, failure, items_payload,
    note_types_payload, parse,
};

use crate::simulate::PlayError;

/// The device behind the connections.
#[derive(Debug)]
pub(super) struct Counter {
    /// Where it listens: it is its own service publisher.
    url: String,
    hopper: VecDeque<Load>,
    table: Vec<Counted>,
    transaction: Transaction,
    /// What the transaction, or the last one, took in.
    taken: Vec<Counted>,
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
        }
    }
}

impl Counter {
    /// A counter that is reached there.
    pub(super) fn at(url: String) -> Self {
        Self { url, ..Self::default() }
    }

    /// Notes are put into the hopper; a kind that the counter has not seen is taught to it.
    pub(super) fn put_in(&mut self, command: &Value) -> Result<(), PlayError> {
        let load = Load::deserialize(command)?;
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
    pub(super) fn command(&mut self, text: &str, awaiting: &mut Option<i64>) -> Vec<String> {
        // What is no command gets no answer: there is no number to answer to.
        let Ok(Message::Command { name, request, .. }) = parse(text) else { return Vec::new() };
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
                done(&json!({"common": {"device": "online"}, "cashAcceptor": acceptor}))
            }
            "CashManagement.GetBankNoteTypes" => done(&note_types_payload(&self.table)),
            "CashAcceptor.GetCashInStatus" => done(&self.status()),
            "CashAcceptor.CashInStart" if active => failed("cashInActive"),
            "CashAcceptor.CashInStart" => {
                self.transaction = Transaction::Active;
                self.taken.clear();
                done(&json!({}))
            }
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
                if self.taken.is_empty() {
                    failed("noItems")
                } else {
                    done(&items_payload(&self.taken))
                }
            }
            "CashAcceptor.CashInRollback" => {
                self.transaction = Transaction::RolledBack;
                done(&items_payload(&self.taken))
            }
            _ => return vec![acknowledgement(&name, request, Some("unsupportedCommand"))],
        });
        answers
    }

    /// Counts the next load for the command that waits; `None` while the hopper is empty.
    pub(super) fn count(&mut self, request: i64) -> Option<Vec<String>> {
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
        let notes: Vec<Counted> = load
            .count
            .into_iter()
            .map(|notes| Counted {
                currency: notes.currency,
                denomination: notes.denomination,
                pieces: notes.pieces,
            })
            .collect();
        messages.push(if notes.iter().all(|notes| notes.pieces == 0) {
            failure("CashAcceptor.CashIn", request, "noItems")
        } else {
            completion("CashAcceptor.CashIn", request, &items_payload(&notes))
        });
        self.taken.extend(notes);
        Some(messages)
    }

    fn status(&self) -> Value {
        let status = match self.transaction {
            Transaction::Ended => "ok",
            Transaction::Active => "active",
            Transaction::RolledBack => "rollback",
        };
        let items = items_payload(&self.taken);
        json!({"status": status, "numOfRefused": 0, "noteNumberList": items.get("items")})
    }
}

/// What the counter is delivered with.
const TABLE: [(&str, &[u32]); 5] = [
    ("USD", &[1, 2, 5, 10, 20, 50, 100]),
    ("EUR", &[5, 10, 20, 50, 100, 200, 500]),
    ("CNY", &[1, 5, 10, 20, 50, 100]),
    ("JPY", &[1000, 2000, 5000, 10000]),
    ("RUB", &[50, 100, 200, 500, 1000, 2000, 5000]),
];
