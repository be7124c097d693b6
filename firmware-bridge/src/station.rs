//! The station as its page, its bus and its sync see it: one handle, clones share everything.
//!
//! A fact goes to the recorder, is answered when it is on disk, and then everybody who follows
//! [`Station::changes`] looks again. Warnings come a moment after, from the risk engine.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tidewaiter_ledger::{Ledger, ReadError};
use tidewaiter_program::clock::Clock;
use tidewaiter_proto::alert::{Alert, Severity};
use tidewaiter_proto::body::{
    Body, Decision, DeviceState, InspectionOpened, NoteAdded, PolicyApplied,
};
use tidewaiter_proto::bus::{Availability, DeviceEvent, DeviceStatus};
use tidewaiter_proto::chain::Head;
use tidewaiter_proto::record::{ClockQuality, Record, Source};
use tidewaiter_proto::station::StationId;
use tidewaiter_proto::sync::station::Progress;
use tidewaiter_web::traveller::Traveller;
use tokio::sync::{mpsc, watch};

use crate::assess::Assessor;
use crate::configuration::Profile;
use crate::plausibility::{Contradiction, NoteWeights};
use crate::recorder::{RecordError, Recorder, Taken};

/// A running station.
#[derive(Clone, Debug)]
pub struct Station {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    ledger: Ledger,
    recorder: Recorder,
    clock: Clock,
    applied: PolicyApplied,
    shown: Mutex<Shown>,
    /// Inspections whose warnings are due.
    due: mpsc::UnboundedSender<String>,
    changes: watch::Sender<u64>,
}

/// What is kept in memory for the pages.
#[derive(Debug, Default)]
struct Shown {
    /// The latest inspections, by the order of their last record.
    inspections: VecDeque<InspectionSummary>,
    alerts: BTreeMap<String, Vec<Alert>>,
    /// Readings that belong to no inspection, latest last.
    loose: VecDeque<Record>,
    devices: BTreeMap<String, DeviceStatus>,
    /// How often each device said what was refused.
    refused: BTreeMap<String, u64>,
    bus: bool,
    progress: Option<Progress>,
    notices: VecDeque<String>,
}

/// One inspection in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InspectionSummary {
    /// Its name.
    pub inspection: String,
    /// When its first record was made.
    pub opened_at: Timestamp,
    /// When its last record was made.
    pub last_at: Timestamp,
    /// The traveller's name, as far as read.
    pub traveller: Option<String>,
    /// The way, in short: `VVO → FNJ JS272`.
    pub way: Option<String>,
    /// How many records it has.
    pub records: usize,
    /// What was decided last.
    pub decision: Option<Decision>,
    /// The gravest warning about it.
    pub severity: Option<Severity>,
}

/// How a station is.
#[derive(Clone, Debug)]
pub struct Health {
    /// The ledger.
    pub ledger: tidewaiter_ledger::Health,
    /// Epoch and last record.
    pub head: (u64, Head),
    /// Each device, by its id.
    pub devices: BTreeMap<String, DeviceStatus>,
    /// How often each device said what was refused, since the start.
    pub refused: BTreeMap<String, u64>,
    /// Whether the station's bus is there.
    pub bus: bool,
    /// The sync; absent until it has begun.
    pub progress: Option<Progress>,
    /// How far the clock can be trusted.
    pub clock: ClockQuality,
    /// What happened to the station that somebody should know, latest last.
    pub notices: Vec<String>,
}

/// What works on the warnings that are due.
#[derive(Debug)]
pub struct Watcher {
    station: Station,
    assessor: Assessor,
    weights: NoteWeights,
    due: mpsc::UnboundedReceiver<String>,
}

impl Station {
    /// A station over its ledger, and what makes its warnings; the latest inspections are shown
    /// again.
    ///
    /// # Errors
    /// [`ReadError`] when the ledger cannot be read.
    pub fn new(
        ledger: Ledger,
        recorder: Recorder,
        clock: Clock,
        assessor: Assessor,
        recent: &[Record],
    ) -> Result<(Self, Watcher), ReadError> {
        let (due_sender, due) = mpsc::unbounded_channel();
        let (changes, _) = watch::channel(0);
        let applied = assessor.applied().clone();
        let shown = Mutex::default();
        let inner = Inner { ledger, recorder, clock, applied, shown, due: due_sender, changes };
        let station = Self { inner: Arc::new(inner) };
        let mut seen: Vec<&str> = Vec::new();
        for record in recent.iter().rev() {
            match &record.inspection {
                Some(name) if !seen.contains(&name.as_str()) && seen.len() < INSPECTIONS_SHOWN => {
                    seen.push(name);
                }
                _ => {}
            }
        }
        for name in seen.into_iter().rev() {
            station.due(name);
        }
        for record in recent.iter().filter(|record| is_loose(record)) {
            keep(&mut station.shown().loose, record.clone(), LOOSE_SHOWN);
        }
        let weights = NoteWeights::built_in();
        Ok((station.clone(), Watcher { station, assessor, weights, due }))
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.inner.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn due(&self, inspection: &str) {
        // The watcher ends with the program only.
        let _ = self.inner.due.send(inspection.to_owned());
    }

    fn changed(&self) {
        self.inner.changes.send_modify(|count| *count += 1);
    }

    /// Whose it is.
    pub fn name(&self) -> &StationId {
        self.inner.ledger.station()
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The time that a demonstration shows; `None` when this is none.
    pub fn demonstration(&self) -> Option<Timestamp> {
        self.inner.clock.is_demonstration().then(|| self.inner.clock.now())
    }

    /// Versions of policy and lists that warnings are made under.
    pub fn applied(&self) -> &PolicyApplied {
        &self.inner.applied
    }

    /// How far the clock can be trusted now.
    pub fn clock_quality(&self) -> ClockQuality {
        self.inner.recorder.quality()
    }

    /// Whether a device or source of this id is configured.
    pub fn knows(&self, device: &str) -> bool {
        self.inner.recorder.knows(device)
    }

    /// Counts up with everything that a page may show.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changes.subscribe()
    }

    /// The inspection that is open at the lane.
    pub async fn open_inspection(&self) -> Option<String> {
        self.inner.recorder.open_inspection().await
    }

    /// Records what a source said on the bus.
    ///
    /// # Errors
    /// [`RecordError`]; then nothing was recorded.
    pub async fn event(&self, source: &str, event: &DeviceEvent) -> Result<Taken, RecordError> {
        let taken = self.inner.recorder.event(source, event).await?;
        if let Some(status) = self.shown().devices.get_mut(source) {
            status.last_reading = Some(self.inner.clock.now());
        }
        self.after(&taken);
        Ok(taken)
    }

    /// Records what an officer or a part of the agent says; `id` makes a repeat one record.
    ///
    /// # Errors
    /// [`RecordError`]; then nothing was recorded.
    pub async fn record(
        &self,
        source: Source,
        inspection: Option<&str>,
        body: Body,
        id: Option<&str>,
    ) -> Result<Taken, RecordError> {
        let taken = self.inner.recorder.record(source, inspection, body, None, id).await?;
        self.after(&taken);
        Ok(taken)
    }

    /// Records what somebody told as JSON, every field of it kept.
    ///
    /// # Errors
    /// [`RecordError`]; then nothing was recorded.
    pub async fn record_as_told(
        &self,
        source: Source,
        inspection: &str,
        body: Body,
        as_told: String,
        id: Option<&str>,
    ) -> Result<Taken, RecordError> {
        let (inspection, as_told) = (Some(inspection), Some(as_told));
        let taken = self.inner.recorder.record(source, inspection, body, as_told, id).await?;
        self.after(&taken);
        Ok(taken)
    }

    /// Records what belongs to no inspection as JSON, every field of it kept.
    ///
    /// # Errors
    /// [`RecordError`]; then nothing was recorded.
    pub async fn record_loose(
        &self,
        source: Source,
        body: Body,
        as_told: String,
    ) -> Result<Taken, RecordError> {
        let taken = self.inner.recorder.record(source, None, body, Some(as_told), None).await?;
        self.after(&taken);
        Ok(taken)
    }

    /// Tells pages that something changed which they may show.
    pub fn told(&self) {
        self.changed();
    }

    /// Opens an inspection by hand and gives its name; `as_told` is the opening's JSON where it
    /// came as text.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn begin(
        &self,
        source: Source,
        opening: InspectionOpened,
        as_told: Option<String>,
    ) -> Result<String, RecordError> {
        let opening = Body::InspectionOpened(opening);
        let name = self.inner.recorder.begin(source, opening, as_told).await?;
        self.due(&name);
        self.changed();
        Ok(name)
    }

    /// Leaves the open inspection: the next document opens another.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn next(&self) -> Result<(), RecordError> {
        self.inner.recorder.next().await?;
        self.changed();
        Ok(())
    }

    fn after(&self, taken: &Taken) {
        match &taken.inspection {
            Some(inspection) => self.due(inspection),
            None => self.look_at_loose(taken),
        }
        self.changed();
    }

    /// A reading that belongs to nobody is kept where the officer sees it.
    fn look_at_loose(&self, taken: &Taken) {
        let (epoch, seq) = (taken.appended.epoch, taken.appended.seq);
        let Ok(recent) = self.inner.ledger.recent(LOOSE_LOOKED_AT) else { return };
        let found = recent.into_iter().find(|record| (record.epoch, record.seq) == (epoch, seq));
        if let Some(record) = found.filter(is_loose) {
            keep(&mut self.shown().loose, record, LOOSE_SHOWN);
        }
    }

    /// The latest inspections, the latest first.
    pub fn inspections(&self, limit: usize) -> Vec<InspectionSummary> {
        self.shown().inspections.iter().rev().take(limit).cloned().collect()
    }

    /// The records of an inspection, oldest first.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn records(&self, inspection: &str) -> Result<Vec<Record>, ReadError> {
        self.inner.ledger.records_of(inspection)
    }

    /// What the risk engine says of an inspection, gravest first.
    pub fn alerts(&self, inspection: &str) -> Vec<Alert> {
        self.shown().alerts.get(inspection).cloned().unwrap_or_default()
    }

    /// Readings that belong to no inspection, latest last.
    pub fn loose(&self) -> Vec<Record> {
        self.shown().loose.iter().cloned().collect()
    }

    /// How the station is.
    pub fn health(&self) -> Health {
        let ledger = self.inner.ledger.health();
        let head = self.inner.ledger.head();
        let clock = self.inner.recorder.quality();
        let shown = self.shown();
        Health {
            ledger,
            head,
            devices: shown.devices.clone(),
            refused: shown.refused.clone(),
            bus: shown.bus,
            progress: shown.progress,
            clock,
            notices: shown.notices.iter().cloned().collect(),
        }
    }

    /// Notes what a device says of itself; a change is recorded.
    pub async fn device(&self, device: &str, mut status: DeviceStatus) {
        let changed = {
            let mut shown = self.shown();
            let known = shown.devices.get(device);
            let changed = known
                .is_none_or(|known| (known.state, &known.cause) != (status.state, &status.cause));
            let last = known.and_then(|known| known.last_reading);
            status.last_reading = status.last_reading.or(last);
            // What is offline from the first is no news.
            let first_off = known.is_none() && status.state == Availability::Offline;
            shown.devices.insert(device.to_owned(), status.clone());
            changed && !first_off
        };
        if !changed {
            return;
        }
        let state = match status.state {
            Availability::Online => "online",
            Availability::Offline => "offline",
            Availability::Fault => "fault",
        };
        let body = Body::DeviceState(DeviceState {
            device: device.to_owned(),
            state: state.to_owned(),
            cause: status.cause,
        });
        let source = Source::Agent(BUS_AGENT.to_owned());
        if let Err(error) = self.record(source, None, body, None).await {
            tracing::warn!(device, %error, "the device's state is shown and not recorded");
        }
        self.changed();
    }

    /// Counts what a device said and a driver refused.
    pub fn refused(&self, device: &str) {
        let mut shown = self.shown();
        let times = shown.refused.entry(device.to_owned()).or_default();
        *times = times.saturating_add(1);
    }

    /// What a device or source is, and whether it is the only one of its kind here.
    pub fn kind(&self, device: &str) -> Option<(Profile, bool)> {
        self.inner.recorder.kind(device)
    }

    /// Notes whether the station's bus is there.
    pub fn bus(&self, there: bool) {
        let before = std::mem::replace(&mut self.shown().bus, there);
        if before != there {
            self.changed();
        }
    }

    /// Notes how far the sync is.
    pub fn progress(&self, progress: Progress) {
        let before = self.shown().progress.replace(progress);
        // The time of silence alone is no news.
        let told = |progress: Progress| (progress.online, progress.backlog, progress.contradicted);
        if before.map(told) != Some(told(progress)) {
            self.changed();
        }
    }

    /// Notes what somebody should know of the station.
    pub fn notice(&self, text: String) {
        tracing::warn!("{text}");
        let mut shown = self.shown();
        if shown.notices.back() != Some(&text) {
            keep(&mut shown.notices, text, NOTICES_SHOWN);
        }
        drop(shown);
        self.changed();
    }

    /// Records under which policy and lists decisions are made from now on, when they are others
    /// than before.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn note_policy(&self) -> Result<(), RecordError> {
        let body = Body::PolicyApplied(self.inner.applied.clone());
        let text = body.to_value().to_string().into_bytes();
        if self.inner.ledger.state(POLICY_STATE).as_deref() == Some(&text) {
            return Ok(());
        }
        self.record(Source::Agent(RISK_AGENT.to_owned()), None, body, None).await?;
        Ok(self.inner.ledger.set_state(POLICY_STATE, text).await?)
    }

    /// Finishes what a power cut may have left undone.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn finish(&self) -> Result<(), RecordError> {
        self.inner.recorder.finish().await
    }
}

impl Watcher {
    /// Makes warnings until the station ends.
    pub async fn run(mut self, stop: tokio_util::sync::CancellationToken) -> anyhow::Result<()> {
        loop {
            let name = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                name = self.due.recv() => name,
            };
            let Some(name) = name else { return Ok(()) };
            let mut names = vec![name];
            while let Ok(name) = self.due.try_recv() {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            for name in names {
                self.look_at(&name);
                self.weigh(&name).await;
            }
            self.station.changed();
        }
    }

    /// Notes in an inspection that its weight and its count cannot be of the same notes.
    async fn weigh(&self, inspection: &str) {
        let Ok(records) = self.station.records(inspection) else { return };
        let Some(Contradiction { records: [count, weight], text }) =
            self.weights.contradiction(&records)
        else {
            return;
        };
        // Once for these two, also after a start: what is recorded comes back here.
        let said = Source::Agent(SCALE_AGENT.to_owned());
        if records.iter().any(|record| record.source == said && record.seq > count.max(weight)) {
            return;
        }
        let id = format!("{inspection}/{count}/{weight}");
        let body = Body::NoteAdded(NoteAdded { text });
        if let Err(error) = self.station.record(said, Some(inspection), body, Some(&id)).await {
            tracing::warn!(inspection, %error, "a note about a weight is not recorded");
        }
    }

    fn look_at(&mut self, inspection: &str) {
        let records = match self.station.records(inspection) {
            Ok(records) => records,
            Err(error) => {
                tracing::error!(inspection, %error, "an inspection cannot be read");
                return;
            }
        };
        let alerts = self.assessor.assess(self.station.inner.clock.now(), &records);
        let mut shown = self.station.shown();
        shown.inspections.retain(|known| known.inspection != inspection);
        if let Some(summary) = summary(inspection, &records, &alerts) {
            shown.inspections.push_back(summary);
        }
        shown.alerts.insert(inspection.to_owned(), alerts);
        while shown.inspections.len() > INSPECTIONS_SHOWN {
            if let Some(old) = shown.inspections.pop_front() {
                shown.alerts.remove(&old.inspection);
            }
        }
    }
}

fn summary(inspection: &str, records: &[Record], alerts: &[Alert]) -> Option<InspectionSummary> {
    let (first, last) = (records.first()?, records.last()?);
    let traveller = Traveller::read(records);
    let decision = records.iter().rev().find_map(|record| match &record.body {
        Body::OutcomeRecorded(outcome) => Some(outcome.decision),
        _ => None,
    });
    Some(InspectionSummary {
        inspection: inspection.to_owned(),
        opened_at: first.at,
        last_at: last.at,
        traveller: traveller.name(),
        way: traveller.way(),
        records: records.len(),
        decision,
        severity: alerts.iter().map(|alert| alert.severity).max(),
    })
}

/// A reading of a device that belongs to no inspection.
fn is_loose(record: &Record) -> bool {
    record.inspection.is_none() && matches!(record.source, Source::Device(_))
}

fn keep<T>(kept: &mut VecDeque<T>, item: T, most: usize) {
    kept.push_back(item);
    while kept.len() > most {
        kept.pop_front();
    }
}

/// Inspections whose summaries and warnings are kept in memory.
const INSPECTIONS_SHOWN: usize = 500;
const LOOSE_SHOWN: usize = 20;
const LOOSE_LOOKED_AT: u64 = 64;
const NOTICES_SHOWN: usize = 20;
const POLICY_STATE: &str = "policy";
const BUS_AGENT: &str = "bus";
const RISK_AGENT: &str = "risk";
const SCALE_AGENT: &str = "plausibility";
