//! What the host and a counter say to each other: a state machine without a connection.
//!
//! `Common.Status` → `CashManagement.GetBankNoteTypes` → `CashAcceptor.GetCashInStatus`, then
//! over and over `CashInStart` → `CashIn` → `CashInEnd`: one count each.
//!
//! A transaction that the connection's end cut off is ended and counted on the next connection,
//! as uncertain; so is one that an earlier run of the bridge left behind. A count is exact only
//! where no note was fed wrongly, none is of an unknown type and both ends of the transaction
//! agree.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};
use tidewaiter_codec::xfs4iot::{self, Batch, Message, NoteTypes, command};
use tidewaiter_proto::body::{CashCounted, Certainty};
use tidewaiter_proto::cash::CountedItem;
use tidewaiter_proto::money::Currency;

/// What the connection is to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Output {
    /// Send this text frame.
    Send(String),
    /// Cash was counted.
    Counted(CashCounted),
    /// Tell the officer: the kind of fault, and words.
    Fault(&'static str, String),
    /// Connect anew: this counter does not do what it must.
    GiveUp(String),
}

/// The command that is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Status,
    NoteTypes,
    CashInStatus,
    Start,
    CashIn,
    End,
    /// The table again: a count has a type that it lacked.
    NoteTypesAgain,
}

/// The host's side.
#[derive(Debug)]
pub(crate) struct Dialogue {
    officer: String,
    step: Step,
    request: i64,
    types: NoteTypes,
    /// What the feed counted, before the transaction is ended.
    fed: Batch,
    /// The whole count, while the table is asked for again.
    counted: Batch,
    /// Why the count in progress cannot be relied on.
    doubt: bool,
    /// A transaction was cut off.
    cut_off: bool,
}

impl Dialogue {
    /// For counts of this officer.
    pub(crate) fn new(officer: String) -> Self {
        Self {
            officer,
            step: Step::Status,
            request: 0,
            types: NoteTypes::new(),
            fed: Batch::default(),
            counted: Batch::default(),
            doubt: false,
            cut_off: false,
        }
    }

    /// Begins on a new connection.
    pub(crate) fn connected(&mut self) -> Vec<Output> {
        self.cut_off |= matches!(self.step, Step::CashIn | Step::End | Step::NoteTypesAgain);
        vec![self.ask(Step::Status)]
    }

    /// Whether the pending command waits for a person to feed notes.
    pub(crate) fn is_waiting_for_notes(&self) -> bool {
        self.step == Step::CashIn
    }

    /// Takes one text frame.
    pub(crate) fn heard(&mut self, text: &str) -> Vec<Output> {
        match xfs4iot::parse(text) {
            Ok(message) => self.message(message),
            // It may have been the count: ask for it on a new connection.
            Err(error) => {
                vec![Output::GiveUp(format!("the counter said what is no message: {error}"))]
            }
        }
    }

    fn message(&mut self, message: Message) -> Vec<Output> {
        match message {
            Message::Acknowledged { request, error: Some(error) } if request == self.request => {
                vec![Output::GiveUp(format!("the counter refuses {}: {error}", self.step.name()))]
            }
            Message::NoteTypes { request, types } if request == self.request => {
                self.types = types;
                if self.step == Step::NoteTypesAgain {
                    let counted = std::mem::take(&mut self.counted);
                    return self.conclude(&counted);
                }
                vec![self.ask(Step::CashInStatus)]
            }
            Message::Counted { request, batch, .. } if request == self.request => {
                self.was_counted(batch)
            }
            Message::Done { request, payload, .. } if request == self.request => {
                self.done(&payload)
            }
            Message::Failed { request, code, .. } if request == self.request => self.failed(&code),
            Message::FeedError { reason } => {
                self.doubt = true;
                let told = format!("notes were fed wrongly ({reason}): count again");
                vec![Output::Fault("feed", told)]
            }
            Message::Refused { reason } => {
                let told = format!("notes were refused ({reason}): look into the reject tray");
                vec![Output::Fault("refused", told)]
            }
            // Acknowledgements, answers to commands given up, other events and commands.
            _ => Vec::new(),
        }
    }

    fn done(&mut self, payload: &Value) -> Vec<Output> {
        match self.step {
            Step::Status => match payload.pointer("/common/device").and_then(Value::as_str) {
                Some("online") => vec![self.ask(Step::NoteTypes)],
                Some(state) => vec![Output::GiveUp(format!("the counter says it is {state}"))],
                None => vec![Output::GiveUp("the counter does not say how it is".to_owned())],
            },
            Step::CashInStatus => self.earlier(payload),
            Step::Start => {
                self.doubt = false;
                vec![self.ask(Step::CashIn)]
            }
            step => {
                vec![Output::GiveUp(format!("the counter answers {} with another", step.name()))]
            }
        }
    }

    /// What became of the transaction before this connection.
    fn earlier(&mut self, payload: &Value) -> Vec<Output> {
        let status = payload.get("status").and_then(Value::as_str).unwrap_or("unknown");
        let cut_off = std::mem::take(&mut self.cut_off);
        self.fed = Batch::default();
        match status {
            "active" => {
                self.doubt = true;
                vec![self.ask(Step::End)]
            }
            // Ended, and its answer never came.
            "ok" if cut_off => {
                let noted = payload.get("noteNumberList").filter(|noted| !noted.is_null());
                let batch =
                    noted.map(|noted| xfs4iot::counts("CashAcceptor.GetCashInStatus", noted));
                self.doubt = true;
                match batch.transpose() {
                    Ok(batch) => self.counted_whole(batch.unwrap_or_default()),
                    Err(error) => self.lost(&error.to_string()),
                }
            }
            "ok" | "rollback" => vec![self.ask(Step::Start)],
            other if cut_off => self.lost(other),
            _ => vec![self.ask(Step::Start)],
        }
    }

    /// A transaction was cut off and nobody knows what was in it.
    fn lost(&mut self, why: &str) -> Vec<Output> {
        let told = format!("the counter lost a count ({why}): count again");
        vec![Output::Fault("lost", told), self.ask(Step::Start)]
    }

    fn was_counted(&mut self, batch: Batch) -> Vec<Output> {
        match self.step {
            Step::CashIn => {
                self.fed = batch;
                vec![self.ask(Step::End)]
            }
            Step::End => {
                let fed = std::mem::take(&mut self.fed);
                // The counts at the end are optional; where both are given they must agree.
                if batch == Batch::default() {
                    return self.counted_whole(fed);
                }
                self.doubt |= fed != Batch::default() && fed != batch;
                self.counted_whole(batch)
            }
            step => vec![Output::GiveUp(format!("the counter counts instead of {}", step.name()))],
        }
    }

    fn failed(&mut self, code: &str) -> Vec<Output> {
        match (self.step, code) {
            // Nobody fed anything.
            (Step::CashIn, "noItems" | "timeOut" | "canceled" | "cancelled") => {
                vec![self.ask(Step::CashIn)]
            }
            (Step::CashIn, _) => {
                self.doubt = true;
                let told = format!("the counter stopped ({code}): count again");
                vec![Output::Fault("stopped", told), self.ask(Step::End)]
            }
            (Step::End, "noItems" | "noCashInActive") if self.fed == Batch::default() => {
                vec![self.ask(Step::Start)]
            }
            (Step::End, _) => {
                self.doubt = true;
                let fed = std::mem::take(&mut self.fed);
                let told = format!("the counter did not end the count ({code}): count again");
                let mut outputs = vec![Output::Fault("stopped", told)];
                outputs.extend(self.counted_whole(fed));
                outputs
            }
            (Step::Start, "cashInActive") => {
                self.doubt = true;
                vec![self.ask(Step::End)]
            }
            // A counter without the command has nothing of an earlier transaction.
            (Step::CashInStatus, _) => {
                if std::mem::take(&mut self.cut_off) {
                    self.lost(code)
                } else {
                    vec![self.ask(Step::Start)]
                }
            }
            (step, _) => vec![Output::GiveUp(format!("{} failed: {code}", step.name()))],
        }
    }

    /// The count is whole; its types may be newer than the table.
    fn counted_whole(&mut self, batch: Batch) -> Vec<Output> {
        if batch.unknown(&self.types).next().is_some() {
            self.counted = batch;
            return vec![self.ask(Step::NoteTypesAgain)];
        }
        self.conclude(&batch)
    }

    fn conclude(&mut self, batch: &Batch) -> Vec<Output> {
        let count = self.count(batch);
        let mut outputs: Vec<Output> = count.map(Output::Counted).into_iter().collect();
        outputs.push(self.ask(Step::Start));
        outputs
    }

    /// The count as a record; `None` where nothing was in the hopper.
    fn count(&self, batch: &Batch) -> Option<CashCounted> {
        let mut whole = batch.unrecognized == 0 && batch.unknown(&self.types).next().is_none();
        let mut pieces: BTreeMap<(Currency, Decimal), u64> = BTreeMap::new();
        for (note, number) in batch.genuine(&self.types) {
            match note.currency.parse() {
                Ok(currency) => {
                    let sum = pieces.entry((currency, note.value)).or_default();
                    *sum = sum.saturating_add(number);
                }
                Err(_) => whole = false,
            }
        }
        let held = batch.held();
        if pieces.is_empty() && held == 0 && whole {
            return None;
        }
        let item = |((currency, denomination), pieces)| CountedItem::Pieces {
            currency,
            denomination,
            pieces,
        };
        Some(CashCounted {
            // Which count of the inspection it is, the recorder knows.
            count: 1,
            blind: true,
            officer: self.officer.clone(),
            items: pieces.into_iter().map(item).collect(),
            certainty: if whole && !self.doubt { Certainty::Exact } else { Certainty::Uncertain },
            suspect: (held > 0).then_some(held),
        })
    }

    fn ask(&mut self, step: Step) -> Output {
        self.step = step;
        self.request = self.request.saturating_add(1);
        Output::Send(command(step.name(), self.request, &json!({})))
    }
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Status => "Common.Status",
            Self::NoteTypes | Self::NoteTypesAgain => "CashManagement.GetBankNoteTypes",
            Self::CashInStatus => "CashAcceptor.GetCashInStatus",
            Self::Start => "CashAcceptor.CashInStart",
            Self::CashIn => "CashAcceptor.CashIn",
            Self::End => "CashAcceptor.CashInEnd",
        }
    }
}

#[cfg(test)]
mod tests;
