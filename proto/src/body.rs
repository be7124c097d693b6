//! The body of a record: what happened.
//!
//! The stored JSON text is the truth; these types are a view of it. Fields that this version does
//! not know stay in the stored text, and a body of unknown type is [`Body::Other`], stored and
//! forwarded like any other.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cash::{CashItem, CountedItem};
use crate::document::Document;
use crate::movement::Movement;
use crate::party::{OnBehalfOf, Party};
use crate::station::StationId;

/// What a record says.
#[expect(
    clippy::large_enum_variant,
    reason = "bodies are read one at a time; a box would only move the bytes"
)]
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// An inspection of one traveller or consignment began.
    InspectionOpened(InspectionOpened),
    /// A travel document was read.
    DocumentRead(DocumentRead),
    /// A boarding pass was read.
    BoardingPassRead(BoardingPassRead),
    /// A movement was seen, from AIS, a manifest or the officer.
    MovementSeen(MovementSeen),
    /// An X-ray, CT, trace, dog or manual search gave a result.
    ScanResult(ScanResult),
    /// Cash was counted.
    CashCounted(CashCounted),
    /// Something was weighed.
    WeightMeasured(WeightMeasured),
    /// A declaration or disclosure was made.
    DeclarationMade(DeclarationMade),
    /// The officer noticed something.
    OfficerObserved(OfficerObserved),
    /// An exemption was presented.
    ExemptionPresented(ExemptionPresented),
    /// The officer decided.
    OutcomeRecorded(OutcomeRecorded),
    /// A sealed bag changed hands.
    CustodyMoved(CustodyMoved),
    /// The same traveller at another lane, kiosk or desk.
    InspectionLinked(InspectionLinked),
    /// An earlier record is corrected.
    Amendment(Amendment),
    /// A device came, went or failed.
    DeviceState(DeviceState),
    /// An officer signed in or out.
    OfficerSession(OfficerSession),
    /// The station's clock moved by more than the drift allowed.
    ClockStepped(ClockStepped),
    /// Policy and lists that later decisions were made under.
    PolicyApplied(PolicyApplied),
    /// A note in words.
    NoteAdded(NoteAdded),
    /// A type this version does not know: kept as it is.
    Other {
        /// The value of `type`.
        type_name: String,
        /// The whole body.
        value: Value,
    },
}

/// Why a JSON value is not a body.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// No `type`, or not an object.
    #[error("the body has no \"type\"")]
    NoType,
    /// The type is known, its fields are not as they must be.
    #[error("{type_name}: {source}")]
    Fields {
        /// The value of `type`.
        type_name: String,
        /// What serde found.
        source: serde_json::Error,
    },
    /// The fields parse, a value is out of range.
    #[error("{type_name}: {field}: {problem}")]
    OutOfRange {
        /// The value of `type`.
        type_name: &'static str,
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

macro_rules! bodies {
    ($($variant:ident => $name:literal),+ $(,)?) => {
        impl Body {
            /// The names of all known types, in the order of the contract.
            pub const TYPES: &[&str] = &[$($name),+];

            /// The value of `type`.
            pub fn type_name(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $name,)+
                    Self::Other { type_name, .. } => type_name,
                }
            }

            /// Reads a body; an unknown type becomes [`Body::Other`].
            ///
            /// # Errors
            /// [`BodyError`] when there is no type, or the fields of a known type do not fit.
            pub fn from_value(value: Value) -> Result<Self, BodyError> {
                let type_name = value
                    .get("type")
                    .and_then(Value::as_str)
                    .ok_or(BodyError::NoType)?
                    .to_owned();
                let fields = |source| BodyError::Fields { type_name: type_name.clone(), source };
                match type_name.as_str() {
                    $($name => serde_json::from_value(value).map(Self::$variant).map_err(fields),)+
                    _ => Ok(Self::Other { type_name, value }),
                }
            }

            /// The body as JSON, with its `type`.
            pub fn to_value(&self) -> Value {
                let (name, value) = match self {
                    $(Self::$variant(fields) => ($name, serde_json::to_value(fields)),)+
                    Self::Other { value, .. } => return value.clone(),
                };
                let mut object = match value {
                    Ok(Value::Object(object)) => object,
                    _ => serde_json::Map::new(),
                };
                object.insert("type".to_owned(), Value::from(name));
                Value::Object(object)
            }
        }
    };
}

bodies! {
    InspectionOpened => "inspection_opened",
    DocumentRead => "document_read",
    BoardingPassRead => "boarding_pass_read",
    MovementSeen => "movement_seen",
    ScanResult => "scan_result",
    CashCounted => "cash_counted",
    WeightMeasured => "weight_measured",
    DeclarationMade => "declaration_made",
    OfficerObserved => "officer_observed",
    ExemptionPresented => "exemption_presented",
    OutcomeRecorded => "outcome_recorded",
    CustodyMoved => "custody_moved",
    InspectionLinked => "inspection_linked",
    Amendment => "amendment",
    DeviceState => "device_state",
    OfficerSession => "officer_session",
    ClockStepped => "clock_stepped",
    PolicyApplied => "policy_applied",
    NoteAdded => "note_added",
}

impl Body {
    /// Checks ranges that the types alone do not: no negative or absurd quantity.
    ///
    /// # Errors
    /// [`BodyError::OutOfRange`] with the field and the problem.
    pub fn check(&self) -> Result<(), BodyError> {
        let refuse =
            |type_name, field| move |problem| BodyError::OutOfRange { type_name, field, problem };
        match self {
            Self::CashCounted(counted) => counted
                .items
                .iter()
                .try_for_each(CountedItem::check)
                .map_err(refuse("cash_counted", "items")),
            Self::DeclarationMade(declaration) => declaration
                .items
                .iter()
                .try_for_each(CashItem::check)
                .map_err(refuse("declaration_made", "items")),
            Self::OutcomeRecorded(outcome) => outcome
                .items
                .iter()
                .try_for_each(CashItem::check)
                .map_err(refuse("outcome_recorded", "items")),
            _ => Ok(()),
        }
    }
}

impl Serialize for Body {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Which way a traveller or consignment crosses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Into the territory.
    Entry,
    /// Out of it.
    Exit,
    /// Through it.
    Transit,
}

/// In what capacity somebody crosses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A passenger.
    Passenger,
    /// A member of the crew.
    Crew,
    /// The master of a vessel or commander of an aircraft.
    Master,
    /// Unaccompanied cash: a parcel, freight.
    Consignment,
}

/// The customs channel a traveller chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Goods to declare.
    Red,
    /// Nothing to declare.
    Green,
}

/// People who travel as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Opaque, the same for all its members.
    pub id: String,
    /// What holds them together.
    pub kind: GroupKind,
    /// True for the guardian to whom minors' cash is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardian: Option<bool>,
}

/// Kinds of group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupKind {
    /// One family.
    Family,
    /// One booking.
    Booking,
    /// One tour.
    Tour,
}

/// `inspection_opened`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectionOpened {
    /// Which way.
    pub direction: Direction,
    /// In what capacity.
    pub role: Role,
    /// The channel chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// By what movement.
    pub movement: Movement,
    /// With whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
}

/// `document_read`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentRead {
    /// The document as read.
    pub document: Document,
    /// Check digits by field: whether each agrees. Agreement does not make a document genuine.
    #[serde(default)]
    pub checks: BTreeMap<String, bool>,
}

/// `boarding_pass_read`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardingPassRead {
    /// Name as printed, `SURNAME/GIVEN`.
    pub passenger: String,
    /// One to four legs.
    pub legs: Vec<Leg>,
    /// Ten-digit licence plates of checked bags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bag_tags: Vec<String>,
}

/// One leg of a boarding pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// Booking reference.
    #[serde(default)]
    pub pnr: String,
    /// IATA airport code.
    pub from: String,
    /// IATA airport code.
    pub to: String,
    /// IATA airline designator.
    pub carrier: String,
    /// Flight number as printed.
    pub number: String,
    /// Day of the flight, local to its departure.
    pub date: Date,
    /// Seat as printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seat: Option<String>,
    /// Check-in sequence as printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<String>,
}

/// `movement_seen`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovementSeen {
    /// The movement.
    pub movement: Movement,
}

/// `scan_result`: a reason to look, never a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScanResult {
    /// With what.
    pub modality: Modality,
    /// Licence plate or tray.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bag: Option<Value>,
    /// What it says.
    pub decision: ScanDecision,
    /// What it saw.
    #[serde(default)]
    pub objects: Vec<ScanObject>,
    /// Where the image is, and its hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageReference>,
    /// Name and version of the detection algorithm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Value>,
}

/// Ways to look into luggage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Modality {
    /// X-ray.
    Xray,
    /// Computed tomography.
    Ct,
    /// Trace detection.
    Trace,
    /// A detection dog.
    Dog,
    /// A search by hand.
    Search,
}

/// What a scan says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScanDecision {
    /// Look.
    Alarm,
    /// Nothing seen.
    Clear,
    /// No decision, or not in time: not cleared.
    Undecided,
    /// A test image (threat image projection): never opens a case.
    Test,
}

/// One object in a scan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScanObject {
    /// `currency_like`, `dense_organic`, `precious_metal`, …
    pub category: String,
    /// 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Boxes as fractions of the image, by view.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regions: Option<Value>,
}

/// Where an image is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageReference {
    /// Reference in the device's own store.
    #[serde(rename = "ref")]
    pub reference: String,
    /// SHA-256 of the image, 64 hex digits.
    pub sha256: String,
}

/// `cash_counted`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashCounted {
    /// First count, second count, …
    pub count: u32,
    /// True when the counter did not see an earlier result.
    #[serde(default)]
    pub blind: bool,
    /// Who counted.
    #[serde(default)]
    pub officer: String,
    /// What was counted.
    pub items: Vec<CountedItem>,
    /// Whether events may have been lost.
    pub certainty: Certainty,
    /// Pieces set aside as suspect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspect: Option<u64>,
}

/// Whether a count can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Every event is accounted for.
    Exact,
    /// Events may have been lost: count again.
    Uncertain,
}

/// `weight_measured`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightMeasured {
    /// As shown.
    pub value: Decimal,
    /// `g`, `kg`, `lb`, …
    pub unit: String,
    /// Only a stable weight is evidence.
    pub stable: bool,
}

/// Which form a declaration follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Implementing Regulation (EU) 2021/776 Annex I.
    Eu,
    /// FinCEN Form 105 (CMIR).
    Fincen105,
    /// EEC Collegium Decision 124 of 2019.
    Eaeu,
    /// Any other.
    Generic,
}

/// `declaration_made`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclarationMade {
    /// The declaration's own number.
    pub reference: String,
    /// Which form.
    pub form: Form,
    /// What is declared.
    pub items: Vec<CashItem>,
    /// Whose it is.
    pub owner: OnBehalfOf,
    /// For whom it is meant.
    pub recipient: OnBehalfOf,
    /// Who sends it, for unaccompanied cash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<Party>,
    /// Economic provenance, codes.
    #[serde(default)]
    pub provenance: Vec<String>,
    /// Intended use, codes.
    #[serde(default)]
    pub intended_use: Vec<String>,
    /// Provenance in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance_note: Option<String>,
    /// Documents that prove the origin.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origin_documents: Vec<OriginDocument>,
    /// When it was signed.
    pub signed_at: Timestamp,
}

/// A document that proves where cash comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginDocument {
    /// What it is.
    pub kind: String,
    /// Its number or place.
    pub reference: String,
}

/// `officer_observed`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficerObserved {
    /// Codes.
    #[serde(default)]
    pub indications: Vec<String>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The traveller refused to have luggage scanned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_scan: Option<bool>,
}

/// `exemption_presented`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExemptionPresented {
    /// `un1718`, `diplomatic_bag`, `cash_in_transit`, …
    pub kind: String,
    /// Its number.
    pub reference: String,
}

/// What an officer decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// On their way.
    Released,
    /// Cash is temporarily detained.
    Detained,
    /// Cash is seized.
    Seized,
    /// The crossing is refused.
    Refused,
    /// Passed on to another authority or a supervisor.
    Referred,
}

/// `outcome_recorded`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeRecorded {
    /// What was decided.
    pub decision: Decision,
    /// What it applies to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<CashItem>,
    /// Why, in words.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// Article.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<String>,
    /// Seal number of the bag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<String>,
    /// Who decided.
    pub officer: String,
    /// The second person, where the decision takes two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed_by: Option<String>,
}

/// `custody_moved`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustodyMoved {
    /// Seal number.
    pub seal: String,
    /// Who gives.
    pub from: String,
    /// Who takes.
    pub to: String,
    /// Recount at the hand-over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counted: Vec<CountedItem>,
}

/// `inspection_linked`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectionLinked {
    /// The other inspection.
    pub to: InspectionReference,
    /// How they were found to be one traveller's.
    pub by: LinkedBy,
}

/// An inspection at a station.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectionReference {
    /// Where.
    pub station: StationId,
    /// Which.
    pub inspection: String,
}

/// How two inspections were linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkedBy {
    /// The same travel document.
    Document,
    /// The same bag.
    Bag,
    /// An officer said so.
    Officer,
}

/// `amendment`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Amendment {
    /// The record amended, by its number in the same epoch.
    pub of: u64,
    /// Fields of its body that change, with their new values.
    pub fields: serde_json::Map<String, Value>,
    /// Why.
    pub reason: String,
}

/// `device_state`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceState {
    /// Which device.
    pub device: String,
    /// `online`, `offline` or `fault`.
    pub state: String,
    /// What is wrong, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// `officer_session`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficerSession {
    /// Who.
    pub officer: String,
    /// `signed_in` or `signed_out`.
    pub event: String,
}

/// `clock_stepped`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockStepped {
    /// Signed step in milliseconds, positive when the clock jumped ahead.
    pub step_ms: i64,
}

/// `policy_applied`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyApplied {
    /// Version of the policy pack.
    pub policy: String,
    /// Versions of the lists in force, by name.
    #[serde(default)]
    pub lists: BTreeMap<String, String>,
}

/// `note_added`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteAdded {
    /// The note.
    pub text: String,
}
