//! Roles, permissions, and which role has which: one table, deny by default.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a person is at a site. A person may be several things, and different things elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Stands at a lane: records what travellers declare and what is found.
    Officer,
    /// An officer who may release what another counted and answers for a shift.
    Senior,
    /// Triages alerts and decides.
    Supervisor,
    /// Looks for patterns across inspections; decides nothing.
    Analyst,
    /// Reads and verifies everything, the audit included; changes nothing.
    Auditor,
    /// Writes rules.
    RuleAuthor,
    /// Approves rules that another wrote.
    RuleApprover,
    /// Enrols and revokes stations and devices.
    DeviceAdministrator,
    /// Second person for erasing keys, exports and break-glass.
    KeyCustodian,
    /// Manages accounts; sees no case.
    Administrator,
}

/// What may be done. Each route and each command names exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Sees alerts.
    AlertRead,
    /// Claims, comments, closes alerts.
    AlertAct,
    /// Sees inspections and their records.
    InspectionRead,
    /// Records at a station.
    InspectionRecord,
    /// Releases detained cash, or asks for it.
    Release,
    /// Searches personal data, screens names.
    Search,
    /// Sees stations and coverage.
    StationRead,
    /// Enrols and revokes stations.
    StationManage,
    /// Sees the policy in force.
    PolicyRead,
    /// Writes rules and asks for their activation.
    PolicyWrite,
    /// Activates what another wrote.
    PolicyApprove,
    /// Sets a list's hit aside for good.
    ListOverride,
    /// Sees the nightly bundles.
    BundleRead,
    /// Makes a bundle now.
    BundleMake,
    /// Asks for an export of personal data.
    PersonalExport,
    /// Asks for the erasure of a person's keys.
    Erase,
    /// Agrees, as the second person, to erasure, export and break-glass.
    Custody,
    /// Reads and verifies the audit.
    AuditRead,
    /// Makes, alters and ends accounts.
    AccountManage,
    /// Asks for rights beyond one's own, for a time and with a reason.
    BreakGlass,
    /// Sees what waits for a second person, as far as it is theirs to see, and answers it.
    MatterRead,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 10] = [
        Self::Officer,
        Self::Senior,
        Self::Supervisor,
        Self::Analyst,
        Self::Auditor,
        Self::RuleAuthor,
        Self::RuleApprover,
        Self::DeviceAdministrator,
        Self::KeyCustodian,
        Self::Administrator,
    ];

    /// Its name in data.
    pub fn name(self) -> &'static str {
        match self {
            Self::Officer => "officer",
            Self::Senior => "senior",
            Self::Supervisor => "supervisor",
            Self::Analyst => "analyst",
            Self::Auditor => "auditor",
            Self::RuleAuthor => "rule_author",
            Self::RuleApprover => "rule_approver",
            Self::DeviceAdministrator => "device_administrator",
            Self::KeyCustodian => "key_custodian",
            Self::Administrator => "administrator",
        }
    }

    /// What it may do.
    pub fn permissions(self) -> &'static [Permission] {
        use Permission as P;
        match self {
            Self::Officer => &[P::InspectionRecord, P::InspectionRead, P::StationRead],
            Self::Senior => &[
                P::InspectionRecord,
                P::InspectionRead,
                P::AlertRead,
                P::Release,
                P::StationRead,
                P::BreakGlass,
                P::MatterRead,
            ],
            Self::Supervisor => &[
                P::AlertRead,
                P::AlertAct,
                P::InspectionRead,
                P::Release,
                P::Search,
                P::StationRead,
                P::PolicyRead,
                P::ListOverride,
                P::BundleRead,
                P::BundleMake,
                P::PersonalExport,
                P::BreakGlass,
                P::MatterRead,
            ],
            Self::Analyst => &[
                P::AlertRead,
                P::InspectionRead,
                P::Search,
                P::StationRead,
                P::PolicyRead,
                P::BundleRead,
            ],
            Self::Auditor => &[
                P::AlertRead,
                P::InspectionRead,
                P::StationRead,
                P::PolicyRead,
                P::BundleRead,
                P::AuditRead,
                P::MatterRead,
            ],
            Self::RuleAuthor => &[P::PolicyRead, P::PolicyWrite, P::MatterRead],
            Self::RuleApprover => &[P::PolicyRead, P::PolicyApprove, P::MatterRead],
            Self::DeviceAdministrator => &[P::StationRead, P::StationManage],
            Self::KeyCustodian => &[P::Erase, P::Custody, P::MatterRead],
            Self::Administrator => &[P::AccountManage, P::StationRead],
        }
    }

    /// Whether it may do this.
    pub fn may(self, permission: Permission) -> bool {
        self.permissions().contains(&permission)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Not the name of a role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no role; roles are officer, senior, supervisor, analyst, auditor, rule_author, \
rule_approver, device_administrator, key_custodian, administrator"
)]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Permission, Role};

    #[test]
    fn an_administrator_sees_no_case_and_an_auditor_changes_nothing() {
        for hidden in [
            Permission::AlertRead,
            Permission::InspectionRead,
            Permission::Search,
            Permission::BundleRead,
            Permission::AuditRead,
        ] {
            assert!(!Role::Administrator.may(hidden), "{hidden:?}");
        }
        for change in [
            Permission::AlertAct,
            Permission::InspectionRecord,
            Permission::Release,
            Permission::StationManage,
            Permission::PolicyWrite,
            Permission::PolicyApprove,
            Permission::ListOverride,
            Permission::BundleMake,
            Permission::Erase,
            Permission::Custody,
            Permission::AccountManage,
        ] {
            assert!(!Role::Auditor.may(change), "{change:?}");
        }
    }

    #[test]
    fn no_role_both_writes_and_approves() {
        for role in Role::ALL {
            assert!(!(role.may(Permission::PolicyWrite) && role.may(Permission::PolicyApprove)));
            assert!(!(role.may(Permission::PersonalExport) && role.may(Permission::Custody)));
            assert!(!(role.may(Permission::BreakGlass) && role.may(Permission::Custody)));
        }
    }

    #[test]
    fn names_read_back() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
        }
        assert!("root".parse::<Role>().is_err());
    }
}
