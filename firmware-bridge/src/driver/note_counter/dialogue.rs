//! What the host and a counter say to each other: a state machine without a connection.
//!
//! `Common.Status` → `CashManagement.GetBankNoteTypes` → `CashAcceptor.GetCashInStatus`, then
//! over and over `CashInStart` → `CashIn` → `CashInEnd`: one count each. Where notes were held back
//! `GetItemInfo` asks for them before the end, while the counter still knows them one by one.
//!
//! A transaction that the connection's end cut off is ended and counted on the next connection,
//! as uncertain; so is one that an earlier run of the bridge left behind. A count is exact only
//! where no note was fed wrongly, none is of an unknown type and both ends of the transaction
//! agree.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};
use tidewaiter_codec::xfs4iot::{self, Batch, ItemInfo, Level, Message, NoteTypes, command};
use tidewaiter_proto::body::{CashCounted, Certainty};
use tidewaiter_proto::cash::CountedItem;
use tidewaiter_proto::money::Currency;

use super::condition::Condition;
use crate::configuration::Inked;

/// What the connection is to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Output {
    /// Send this text frame.
    Send(String),
    /// Cash was counted.
    Counted(CashCounted),
    /// Tell the officer: the kind of fault, and words.
    Fault(&'static str, String),
    /// What was wrong with the counter is put right.
    Well,
    /// Connect anew: this counter does not do what it must.
    GiveUp(String),
}

impl Output {
    /// The kind of fault, where what was heard is one.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        match self {
            Self::Fault(kind, _) => Some(kind),
            Self::GiveUp(_) => Some("protocol"),
            Self::Send(_) | Self::Counted(_) | Self::Well => None,
        }
    }
}

/// The command that is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Status,
    NoteTypes,
    CashInStatus,
    Start,
    CashIn,
    /// What the counter knows of the notes of this level.
    ItemInfo(Level),
    End,
    /// The table again: a count has a type that it lacked.
    NoteTypesAgain,
}

/// The host's side.
#[derive(Debug)]
pub(crate) struct Dialogue {
    officer: String,
    inked: Inked,
    condition: Condition,
    step: Step,
    request: i64,
    types: NoteTypes,
    /// What the feed counted, before the transaction is ended.
    fed: Batch,
    /// The whole count, while the table is asked for again.
    counted: Batch,
    /// Levels whose notes are still to be asked for.
    closer: Vec<Level>,
    /// Why the count in progress cannot be relied on.
    doubt: bool,
    /// A transaction was cut off.
    cut_off: bool,
}

impl Dialogue {
    /// For counts of this officer; what becomes of stained notes is the site's to say.
    pub(crate) fn new(officer: String, inked: Inked) -> Self {
        Self {
            officer,
            inked,
            condition: Condition::default(),
            step: Step::Status,
            request: 0,
            types: NoteTypes::new(),
            fed: Batch::default(),
            counted: Batch::default(),
            closer: Vec::new(),
            doubt: false,
            cut_off: false,
        }
    }

    /// Begins on a new connection.
    pub(crate) fn connected(&mut self) -> Vec<Output> {
        self.cut_off |= matches!(
            self.step,
            Step::CashIn | Step::ItemInfo(_) | Step::End | Step::NoteTypesAgain
        );
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
            Message::Acknowledged { request, error: Some(_) }
                if request == self.request && matches!(self.step, Step::ItemInfo(_)) =>
            {
                // It cannot tell single notes apart.
                self.look_closer()
            }
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
            Message::Unsolicited { name, payload } if name == "Common.StatusChangedEvent" => {
                self.condition_is(&payload)
            }
            // Acknowledgements, answers to commands given up, other events and commands.
            _ => Vec::new(),
        }
    }

    fn done(&mut self, payload: &Value) -> Vec<Output> {
        match self.step {
            Step::Status => {
                self.condition = Condition::default();
                let mut outputs = self.condition_is(payload);
                match payload.pointer("/common/device").and_then(Value::as_str) {
                    // Busy is with somebody else's command; it will be done.
                    Some("online" | "deviceBusy") => outputs.push(self.ask(Step::NoteTypes)),
                    Some(state) => {
                        let told = format!("the counter says it is {state}");
                        let told = self.condition.trouble().map_or(told, |(_, words)| words.into());
                        return vec![Output::GiveUp(told)];
                    }
                    None => {
                        let told = "the counter does not say how it is".to_owned();
                        return vec![Output::GiveUp(told)];
                    }
                }
                outputs
            }
            Step::CashInStatus => self.earlier(payload),
            Step::Start => {
                self.doubt = false;
                vec![self.ask(Step::CashIn)]
            }
            Step::ItemInfo(level) => {
                let mut outputs = match xfs4iot::item_infos(payload) {
                    Ok(items) => self.held_back(level, &items).into_iter().collect(),
                    // Not a count: nothing hangs on it.
                    Err(error) => vec![Output::Fault("item_info", error.to_string())],
                };
                outputs.extend(self.look_closer());
                outputs
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
                let held = [Level::Counterfeit, Level::Suspect];
                self.closer = held.into_iter().filter(|level| batch.of_level(*level) > 0).collect();
                self.fed = batch;
                self.look_closer()
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

    /// Asks for the notes of the next level that is held back, then ends the transaction.
    fn look_closer(&mut self) -> Vec<Output> {
        let step = self.closer.pop().map_or(Step::End, Step::ItemInfo);
        vec![self.ask(step)]
    }

    /// What an officer is told of notes that were held back.
    fn held_back(&self, level: Level, items: &[ItemInfo]) -> Option<Output> {
        let note = |item: &ItemInfo| {
            let kind = item.note_type.as_ref().and_then(|name| self.types.get(name));
            let kind = kind.map_or_else(
                || "a note of no known kind".to_owned(),
                |note| format!("{} {}", note.currency, note.value),
            );
            match &item.serial_number {
                Some(number) => format!("{kind} {number}"),
                None => kind,
            }
        };
        let shown: Vec<String> = items.iter().take(SHOWN).map(note).collect();
        let more = items.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let notes = if items.len() == 1 { "a note is" } else { "notes are" };
        let word = level.as_str();
        let told = format!("{notes} held back as {word}: {}{more}", shown.join(", "));
        (!items.is_empty()).then_some(Output::Fault(word, told))
    }

    /// The counter tells how it is, or what of it has changed.
    fn condition_is(&mut self, told: &Value) -> Vec<Output> {
        let before = self.condition.trouble();
        self.condition.changes(told);
        match self.condition.trouble() {
            Some((kind, words)) if before != Some((kind, words)) => {
                vec![Output::Fault(kind, words.to_owned())]
            }
            None if before.is_some() => vec![Output::Well],
            _ => Vec::new(),
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
            (Step::ItemInfo(_), _) => self.look_closer(),
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
        let stained = batch.of_level(Level::Inked);
        let mut batch = batch.clone();
        if self.inked == Inked::Hold {
            batch.hold_inked();
        }
        let count = self.count(&batch);
        let mut outputs: Vec<Output> = count.map(Output::Counted).into_iter().collect();
        if stained > 0 {
            let told = format!("{stained} of the notes are stained by dye: keep them apart");
            outputs.push(Output::Fault("inked", told));
        }
        if batch.unrecognized > 0 {
            let told =
                format!("{} notes were not recognised: count them by hand", batch.unrecognized);
            outputs.push(Output::Fault("unrecognized", told));
        }
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
        let payload = match step {
            // Pictures of notes are large, and nobody here looks at them.
            Step::ItemInfo(level) => json!({
                "items": {"level": level.as_str()},
                "itemInfoType": {"serialNumber": true, "signature": false, "image": false},
            }),
            _ => json!({}),
        };
        Output::Send(command(step.name(), self.request, &payload))
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
            Self::ItemInfo(_) => "CashManagement.GetItemInfo",
            Self::End => "CashAcceptor.CashInEnd",
        }
    }
}

/// Notes that an officer is told of one by one.
const SHOWN: usize = 5;

#[cfg(test)]
mod lane;
#[cfg(test)]
mod tests;
