//! What the risk engine raises: an alert with its reasons. The system recommends; people decide.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::money::Amount;
use crate::station::StationId;

/// How much an alert weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// To be known.
    Info,
    /// To be looked at when there is time.
    Low,
    /// To be looked at.
    Medium,
    /// To be looked at first.
    High,
    /// To be looked at now.
    Critical,
}

impl Severity {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! codes {
    ($(#[$outer:meta])* $name:ident { $($variant:ident = $text:literal: $doc:literal),+ $(,)? }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $(#[doc = $doc] #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every code, in the order of the contract.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name in JSON.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// What it means, in one line.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $doc,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownCode;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|code| code.as_str() == text)
                    .ok_or_else(|| UnknownCode(text.chars().take(64).collect()))
            }
        }
    };
}

/// A text that is no code of the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a code of the contract")]
pub struct UnknownCode(String);

codes! {
    /// What kind of alert (contract section 7).
    AlertCode {
        UndeclaredCash = "undeclared_cash": "Cash at or over the threshold was not declared.",
        FalseDeclaration = "false_declaration": "More was counted than declared.",
        OverDeclaration = "over_declaration": "More was declared than counted.",
        IncompleteDeclaration = "incomplete_declaration": "The declaration lacks what the form requires.",
        RecountRequired = "recount_required": "Counts disagree or may have lost events.",
        RouteHighRisk = "route_high_risk": "The route, carrier or aircraft is on a risk list.",
        PortHighRisk = "port_high_risk": "The port, vessel or flag is on a risk list.",
        InspectMandatory = "inspect_mandatory": "The law requires an inspection of this movement.",
        ListMatch = "list_match": "A name or identifier agrees with a listed entry.",
        ListMatchPossible = "list_match_possible": "A name may be that of a listed entry.",
        SharedAddress = "shared_address": "An address or telephone is shared with listed or unrelated parties.",
        NameFamily = "name_family": "A name that a front-company network is known to use.",
        StructuringTemporal = "structuring_temporal": "Repeated amounts just under the threshold.",
        StructuringGroup = "structuring_group": "One sum split among several people.",
        GroupThreshold = "group_threshold": "A family or group is over the threshold together.",
        RepeatCourier = "repeat_courier": "The same carrier moves large sums again and again.",
        DeclarationReused = "declaration_reused": "One declaration was presented twice.",
        ExitExceedsEntry = "exit_exceeds_entry": "More leaves than was declared on entry.",
        OriginDocumentsMissing = "origin_documents_missing": "The law requires documents of origin and there are none.",
        ExportProhibited = "export_prohibited": "The export of this cash is prohibited.",
        InstrumentUndeclared = "instrument_undeclared": "A bearer-negotiable instrument was not declared.",
        GoldUndeclared = "gold_undeclared": "Gold was not declared.",
        DiplomatVigilance = "diplomat_vigilance": "Enhanced vigilance over diplomatic personnel.",
        CrewCash = "crew_cash": "Cash carried by crew or a master.",
        WorkerWages = "worker_wages": "Signs of workers' pooled wages.",
        DestinationInconsistent = "destination_inconsistent": "The stated destination does not fit the booking or history.",
        SubThresholdSuspicion = "sub_threshold_suspicion": "Signs of crime below the threshold.",
        DisclosureRequired = "disclosure_required": "Unaccompanied cash needs a disclosure.",
        DisclosureOverdue = "disclosure_overdue": "A disclosure was not made in time.",
        DeviceDiscrepancy = "device_discrepancy": "Devices contradict each other.",
        ExemptionRecorded = "exemption_recorded": "An exemption was presented.",
        CoverageGap = "coverage_gap": "A high-risk movement left with too few inspections.",
        ReleaseConflict = "release_conflict": "Who counted also released.",
        CollusionPattern = "collusion_pattern": "One officer clears one route again and again.",
        RetroMatch = "retro_match": "A new list hits an old record.",
        StaleLists = "stale_lists": "Lists were older than allowed when the decision was made.",
        LedgerFork = "ledger_fork": "Two different records claim one number.",
        LedgerGap = "ledger_gap": "Records are missing.",
        LedgerRollback = "ledger_rollback": "A station's ledger went back behind what it had receipted.",
        LedgerBroken = "ledger_broken": "A station's chain does not verify.",
        DeviceFault = "device_fault": "A device is faulty or sends what cannot be read.",
        ClockFault = "clock_fault": "A station's clock cannot be trusted.",
        StationSilent = "station_silent": "A station has not been heard.",
        RateMissing = "rate_missing": "A currency has no rate for the day: a person must total.",
        BreakGlass = "break_glass": "Somebody takes rights beyond their own for a time.",
    }
}

codes! {
    /// What the system may recommend, never take.
    Outcome {
        InspectMandatory = "inspect_mandatory": "Inspect the person and luggage: the law requires it.",
        Vigilance = "vigilance": "Enhanced vigilance; no instruction to open a bag.",
        DetainDutyUnmet = "detain_duty_unmet": "Consider temporary detention: the duty to declare is unmet.",
        Freeze = "freeze": "Freeze: the party is on a list in force here.",
        DenyPort = "deny_port": "Consider refusing entry to the port.",
        Report1718 = "report_1718": "Report to the 1718 Committee.",
        ReferFiu = "refer_fiu": "Refer to the financial intelligence unit.",
        SupervisorProtocol = "supervisor_protocol": "Call the supervisor and follow the protocol for protected persons.",
    }
}

/// One alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The same for the same finding about the same subject, however often it is assessed.
    pub id: String,
    /// What kind.
    pub code: AlertCode,
    /// How much it weighs.
    pub severity: Severity,
    /// 0 to 100, for ordering within a severity.
    pub score: u32,
    /// Where.
    pub station: StationId,
    /// About which inspection; a pattern carries the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inspection: Option<String>,
    /// Subject token of the traveller, hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The amount it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// What the system recommends.
    #[serde(default)]
    pub outcomes: Vec<Outcome>,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Listed entries that were hit.
    #[serde(default)]
    pub hits: Vec<ListHit>,
    /// All inspections it is about, when more than one.
    #[serde(default)]
    pub group: Vec<String>,
    /// Versions of the lists used, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lists: Option<std::collections::BTreeMap<String, String>>,
    /// Where people are with it.
    #[serde(default)]
    pub state: AlertState,
    /// When it was first raised, as of the assessment.
    pub raised_at: Timestamp,
}

impl Alert {
    /// The first reason's sentence.
    pub fn sentence(&self) -> &str {
        self.reasons.first().map_or("", |reason| reason.text.as_str())
    }
}

/// One reason of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// Id of the rule.
    pub rule: String,
    /// Its version.
    pub rule_version: String,
    /// A plain sentence an officer can read out.
    pub text: String,
    /// Values the rule looked at, and the test each met.
    #[serde(default)]
    pub seen: Vec<Seen>,
    /// Numbers of the records it rests on.
    #[serde(default)]
    pub records: Vec<u64>,
    /// Article and its source.
    #[serde(default)]
    pub legal_basis: String,
}

/// One value a rule looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Which field.
    pub path: String,
    /// What it was.
    pub value: String,
    /// Against what it was held.
    pub test: String,
}

/// One listed entry that was hit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListHit {
    /// Name of the list.
    pub list: String,
    /// The list's own id of the entry.
    pub entry: String,
    /// The listed name that agrees.
    pub name: String,
    /// How alike, 0 to 1.
    pub score: f64,
    /// How much supports it, 0 to 1.
    pub evidence: f64,
    /// Why, in plain words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub explanation: Vec<String>,
    /// Programme under which the entry is listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programme: Option<String>,
}

/// Where people are with an alert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Nobody has it.
    #[default]
    New,
    /// Somebody has it.
    Claimed,
    /// Waiting for something.
    Waiting,
    /// Passed up.
    Escalated,
    /// Decided.
    Closed,
}

#[cfg(test)]
mod tests {
    use super::{AlertCode, Severity};

    #[test]
    fn codes_read_back_as_themselves() {
        for code in AlertCode::ALL {
            assert_eq!(code.as_str().parse::<AlertCode>().as_ref(), Ok(code));
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn critical_outranks_the_rest() {
        assert!(Severity::Critical > Severity::High && Severity::Low > Severity::Info);
    }
}
