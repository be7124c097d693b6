//! What is said at the lane becomes records: who may say it, to which inspection it belongs, and
//! that it is recorded once.
//!
//! One thing is recorded at a time, so that the open inspection is the same for the question and
//! for the answer. Nothing here is answered before the ledger has it on disk.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;
use tidewaiter_ledger::{AppendError, Appended, Ledger, ReadError};
use tidewaiter_program::clock::Clock;
use tidewaiter_proto::body::{Body, BodyError, DocumentRead};
use tidewaiter_proto::bus::DeviceEvent;
use tidewaiter_proto::document::DocumentKind;
use tidewaiter_proto::record::{ClockQuality, Draft, Record, Source};
use tidewaiter_proto::seal::{SubjectKey, SubjectToken};
use tokio::sync::Mutex;

use crate::configuration::{Lane, Profile};
use crate::lane;

/// Records what is said at one lane.
#[derive(Debug)]
pub struct Recorder {
    ledger: Ledger,
    clock: Clock,
    lane: Lane,
    profiles: HashMap<String, Profile>,
    subjects: SubjectKey,
    open: Mutex<Option<Open>>,
}

/// The inspection that is open at the lane.
#[derive(Clone, Debug)]
struct Open {
    inspection: Arc<str>,
    subject: Option<SubjectToken>,
    counts: u32,
}

/// A fact on disk, and the inspection it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Where it stands.
    pub appended: Appended,
    /// Its inspection, if any.
    pub inspection: Option<String>,
}

/// Why something was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Nobody knows this source.
    #[error("{0:?} is not a source of this station: it is in no [[device]] and no [[source]]")]
    UnknownSource(String),
    /// A source may say only what it is.
    #[error("{source:?} may not say {type_name:?}: as a {profile:?} it says {allowed}", source = .source_id)]
    NotAllowed {
        /// Who.
        source_id: String,
        /// What it is.
        profile: Profile,
        /// What it said.
        type_name: String,
        /// What it may say.
        allowed: String,
    },
    /// The event has no usable id.
    #[error("the event's id has {0} characters: 1 to {EVENT_ID_MAX} are needed")]
    Id(usize),
    /// The inspection's name is no name.
    #[error(
        "{0:?} is no name of an inspection: 1 to {INSPECTION_MAX} characters of a-z, A-Z, 0-9 and '-'"
    )]
    Inspection(String),
    /// The body is not what it says it is.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// It is no JSON.
    #[error("the body is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The ledger does not take it.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl RecordError {
    /// Whether it may be recorded when it is said again later.
    pub fn passes(&self) -> bool {
        match self {
            Self::Append(error) => {
                !matches!(error, AppendError::Record(_) | AppendError::TooLarge(_))
            }
            Self::Read(_) => true,
            _ => false,
        }
    }
}

impl Recorder {
    /// A recorder over a ledger; goes on with the inspection that was open when it stopped.
    ///
    /// # Errors
    /// [`ReadError`] when the ledger cannot say what was open.
    pub fn open<'a>(
        ledger: Ledger,
        clock: Clock,
        lane: Lane,
        profiles: impl Iterator<Item = (&'a str, Profile)>,
        subjects: SubjectKey,
    ) -> Result<Self, ReadError> {
        let profiles = profiles.map(|(id, profile)| (id.to_owned(), profile)).collect();
        let open = ledger.state(OPEN_STATE).and_then(|name| String::from_utf8(name).ok());
        let recorder = Self { ledger, clock, lane, profiles, subjects, open: Mutex::new(None) };
        let open = match open.filter(|name| !name.is_empty()) {
            Some(name) => recorder.resume(&name)?,
            None => None,
        };
        Ok(Self { open: Mutex::new(open), ..recorder })
    }

    /// What was open, if its opening came to be recorded.
    fn resume(&self, inspection: &str) -> Result<Option<Open>, ReadError> {
        let records = self.ledger.records_of(inspection)?;
        let opened = records.iter().any(|r| matches!(r.body, Body::InspectionOpened(_)));
        Ok(opened.then(|| self.known(inspection, &records)))
    }

    fn known(&self, inspection: &str, records: &[Record]) -> Open {
        let mut open = Open { inspection: inspection.into(), subject: None, counts: 0 };
        for record in records {
            self.note(&mut open, &record.body);
        }
        open
    }

    /// Keeps what later records of the inspection need to know.
    fn note(&self, open: &mut Open, body: &Body) {
        match body {
            Body::DocumentRead(read) => {
                let is_visa = read.document.kind == DocumentKind::Visa;
                if !is_visa || open.subject.is_none() {
                    open.subject = self.subject(read).or(open.subject);
                }
            }
            Body::CashCounted(counted) => open.counts = open.counts.max(counted.count),
            _ => {}
        }
    }

    fn subject(&self, read: &DocumentRead) -> Option<SubjectToken> {
        let (state, number) = (&read.document.issuing_state, &read.document.number);
        (!number.is_empty()).then(|| self.subjects.token(state, number))
    }

    /// Whether a source of this id is configured.
    pub fn knows(&self, source: &str) -> bool {
        self.profiles.contains_key(source)
    }

    /// What a source is, and whether it is the only one of its kind.
    pub fn kind(&self, source: &str) -> Option<(Profile, bool)> {
        let profile = *self.profiles.get(source)?;
        let alike = self.profiles.values().filter(|other| **other == profile).count();
        Some((profile, alike == 1))
    }

    /// The inspection that is open at the lane.
    pub async fn open_inspection(&self) -> Option<String> {
        self.open.lock().await.as_ref().map(|open| open.inspection.to_string())
    }

    /// Records what a source said on the bus, once.
    ///
    /// # Errors
    /// [`RecordError`]; then nothing was recorded.
    pub async fn event(&self, source: &str, event: &DeviceEvent) -> Result<Taken, RecordError> {
        let profile = *self
            .profiles
            .get(source)
            .ok_or_else(|| RecordError::UnknownSource(source.to_owned()))?;
        let length = event.id.chars().count();
        if length == 0 || length > EVENT_ID_MAX {
            return Err(RecordError::Id(length));
        }
        let body = checked(&event.body)?;
        if !profile.bodies().contains(&body.type_name()) {
            return Err(RecordError::NotAllowed {
                source_id: source.to_owned(),
                profile,
                type_name: body.type_name().to_owned(),
                allowed: profile.bodies().join(", "),
            });
        }
        let id = (source, event.id.as_str());
        let mut open = self.open.lock().await;
        if let Some(appended) = self.ledger.recorded(id.0, id.1)? {
            return Ok(Taken { appended, inspection: None });
        }
        let inspection = match &event.inspection {
            Some(name) => Some(checked_name(name)?.to_owned()),
            None => None,
        };
        if inspection.is_none()
            && open.is_none()
            && let Some(opening) = lane::opening(&self.lane, &body)
        {
            let agent = Source::Agent(AGENT.to_owned());
            *open = Some(self.begin_as(agent, Body::InspectionOpened(opening), None).await?);
        }
        let is_pass = matches!(body, Body::BoardingPassRead(_));
        let said = Said {
            source: Source::Device(source.to_owned()),
            inspection,
            body,
            json: Some(event.body.get().to_owned()),
            id: Some(id),
        };
        let taken = self.put(&mut open, said).await?;
        if is_pass {
            self.settle(open.as_ref()).await?;
        }
        Ok(taken)
    }

    /// Finishes what a power cut may have left undone; called once after the start.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn finish(&self) -> Result<(), RecordError> {
        let open = self.open.lock().await;
        self.settle(open.as_ref()).await
    }

    /// Opens an inspection by hand; the one that was open is closed.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn begin(
        &self,
        source: Source,
        opening: Body,
        as_told: Option<String>,
    ) -> Result<String, RecordError> {
        opening.check()?;
        let mut open = self.open.lock().await;
        let begun = self.begin_as(source, opening, as_told).await?;
        let name = begun.inspection.to_string();
        *open = Some(begun);
        Ok(name)
    }

    /// Leaves the open inspection: the next document opens another.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn next(&self) -> Result<(), RecordError> {
        let mut open = self.open.lock().await;
        self.ledger.set_state(OPEN_STATE, Vec::new()).await?;
        *open = None;
        Ok(())
    }

    /// Records what an officer or a part of the agent says. `inspection` is the one it is about;
    /// an outcome closes it. `as_told` is the body's JSON where it came as text; `id` makes a repeat
    /// one record.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn record(
        &self,
        source: Source,
        inspection: Option<&str>,
        body: Body,
        as_told: Option<String>,
        id: Option<&str>,
    ) -> Result<Taken, RecordError> {
        body.check()?;
        let inspection = inspection.map(checked_name).transpose()?.map(str::to_owned);
        let speaker = match &source {
            Source::Device(name) | Source::Officer(name) | Source::Agent(name) => name.clone(),
        };
        let mut open = self.open.lock().await;
        let decides = matches!(body, Body::OutcomeRecorded(_));
        let id = id.map(|id| (speaker.as_str(), id));
        let said = Said { source, inspection: inspection.clone(), body, json: as_told, id };
        let taken = self.put(&mut open, said).await?;
        let is_open =
            open.as_ref().is_some_and(|open| Some(&*open.inspection) == inspection.as_deref());
        if decides && is_open {
            // On disk second: after a power cut between the two the page shows it decided and open.
            self.ledger.set_state(OPEN_STATE, Vec::new()).await?;
            *open = None;
        }
        Ok(taken)
    }

    async fn begin_as(
        &self,
        source: Source,
        opening: Body,
        json: Option<String>,
    ) -> Result<Open, RecordError> {
        let name = uuid::Uuid::now_v7().to_string();
        // The name first: an opening without it would be an inspection that nobody goes on with.
        self.ledger.set_state(OPEN_STATE, name.clone().into_bytes()).await?;
        let open = Open { inspection: name.as_str().into(), subject: None, counts: 0 };
        let said = Said { source, inspection: Some(name), body: opening, json, id: None };
        self.put(&mut Some(open.clone()), said).await?;
        Ok(open)
    }

    /// Makes the movement good when the boarding pass came after the document.
    async fn settle(&self, open: Option<&Open>) -> Result<(), RecordError> {
        let Some(inspection) = open.map(|open| open.inspection.to_string()) else {
            return Ok(());
        };
        let records = self.ledger.records_of(&inspection)?;
        if let Some(amendment) = lane::amendment(&self.lane, &records) {
            let said = Said {
                source: Source::Agent(AGENT.to_owned()),
                inspection: Some(inspection),
                body: Body::Amendment(amendment),
                json: None,
                id: None,
            };
            self.put(&mut open.cloned(), said).await?;
        }
        Ok(())
    }

    async fn put(&self, open: &mut Option<Open>, said: Said<'_>) -> Result<Taken, RecordError> {
        let Said { source, inspection, mut body, json, id } = said;
        // Without a name it belongs to the open one.
        let belongs = |body: &Body| !about_the_station(body);
        let inspection = inspection.or_else(|| {
            open.as_ref().filter(|_| belongs(&body)).map(|open| open.inspection.to_string())
        });
        let mut context = match (&inspection, open.as_ref()) {
            (Some(name), Some(open)) if **name == *open.inspection => Some(open.clone()),
            (Some(name), _) => Some(self.known(name, &self.ledger.records_of(name)?)),
            (None, _) => None,
        };
        let mut json = json;
        if let (Body::CashCounted(counted), Some(context)) = (&mut body, &context)
            && counted.count != context.counts + 1
        {
            // A counter does not know how often this traveller's cash was counted before.
            counted.count = context.counts + 1;
            json = json.map(|text| renumbered(&text, counted.count)).transpose()?;
        }
        if let Some(context) = &mut context {
            self.note(context, &body);
        }
        let draft = Draft {
            at: self.now(),
            clock: self.quality(),
            inspection: inspection.clone(),
            source,
            subject: context.as_ref().and_then(|context| context.subject),
            type_name: body.type_name().to_owned(),
            body_json: json.unwrap_or_else(|| body.to_value().to_string()),
        };
        let appended = self.ledger.append(draft, id).await?;
        if let (Some(open), Some(context)) = (open.as_mut(), context)
            && open.inspection == context.inspection
        {
            *open = context;
        }
        Ok(Taken { appended, inspection })
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// How far the clock can be trusted now.
    pub fn quality(&self) -> ClockQuality {
        crate::time::quality(&self.clock)
    }
}

/// What is to be recorded.
struct Said<'a> {
    source: Source,
    inspection: Option<String>,
    body: Body,
    /// The body as it came, where it came as text: fields that nobody here knows are kept.
    json: Option<String>,
    /// Who said it under which id.
    id: Option<(&'a str, &'a str)>,
}

fn checked(raw: &RawValue) -> Result<Body, RecordError> {
    let body = Body::from_value(serde_json::from_str(raw.get())?)?;
    body.check()?;
    Ok(body)
}

fn checked_name(name: &str) -> Result<&str, RecordError> {
    let fits = (1..=INSPECTION_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if fits { Ok(name) } else { Err(RecordError::Inspection(name.chars().take(80).collect())) }
}

/// The body with another number of its count; all else as it came.
fn renumbered(json: &str, count: u32) -> Result<String, serde_json::Error> {
    let mut value: Value = serde_json::from_str(json)?;
    if let Some(object) = value.as_object_mut() {
        object.insert("count".to_owned(), Value::from(count));
    }
    Ok(value.to_string())
}

/// What happened to the station itself belongs to no traveller.
fn about_the_station(body: &Body) -> bool {
    matches!(
        body,
        Body::DeviceState(_)
            | Body::OfficerSession(_)
            | Body::ClockStepped(_)
            | Body::PolicyApplied(_)
    )
}

/// What the agent calls itself where it records by itself.
pub const AGENT: &str = "recorder";
const OPEN_STATE: &str = "open";
const EVENT_ID_MAX: usize = 128;
const INSPECTION_MAX: usize = 64;
