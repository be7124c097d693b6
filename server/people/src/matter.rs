//! What takes two persons: who asks, who agrees, and that they differ.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::account::{Account, AccountId};
use crate::role::Permission;

/// A matter that one person asks for and a second, different one agrees to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matter {
    /// Detained cash goes back.
    ReleaseDetained,
    /// An alert about a listed person or company is closed.
    CloseListMatch,
    /// A policy comes into force.
    ActivatePolicy,
    /// A list's hit is set aside for good.
    OverrideList,
    /// A person's keys are erased.
    Erase,
    /// Personal data leaves the system.
    ExportPersonal,
    /// Rights beyond one's own, for a time.
    BreakGlass,
}

/// Why a second person may not agree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The one who asked.
    #[error("{0} asked for this: a second person must agree")]
    OwnRequest(AccountId),
    /// One who had a hand in the facts: counted the cash, or decided.
    #[error("{0} counted or decided here: somebody else must agree")]
    OwnCount(AccountId),
    /// No right to it at this site.
    #[error("{who} may not agree to {matter} at {site}")]
    NoRight {
        /// Who.
        who: AccountId,
        /// To what.
        matter: Matter,
        /// Where.
        site: String,
    },
}

impl Matter {
    /// All matters.
    pub const ALL: [Self; 7] = [
        Self::ReleaseDetained,
        Self::CloseListMatch,
        Self::ActivatePolicy,
        Self::OverrideList,
        Self::Erase,
        Self::ExportPersonal,
        Self::BreakGlass,
    ];

    /// Its name in data.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReleaseDetained => "release_detained",
            Self::CloseListMatch => "close_list_match",
            Self::ActivatePolicy => "activate_policy",
            Self::OverrideList => "override_list",
            Self::Erase => "erase",
            Self::ExportPersonal => "export_personal",
            Self::BreakGlass => "break_glass",
        }
    }

    /// The right to ask for it.
    pub fn to_ask(self) -> Permission {
        match self {
            Self::ReleaseDetained => Permission::Release,
            Self::CloseListMatch => Permission::AlertAct,
            Self::ActivatePolicy => Permission::PolicyWrite,
            Self::OverrideList => Permission::ListOverride,
            Self::Erase => Permission::Erase,
            Self::ExportPersonal => Permission::PersonalExport,
            Self::BreakGlass => Permission::BreakGlass,
        }
    }

    /// The right to agree to it.
    pub fn to_agree(self) -> Permission {
        match self {
            Self::ReleaseDetained => Permission::Release,
            Self::CloseListMatch => Permission::AlertAct,
            Self::ActivatePolicy => Permission::PolicyApprove,
            Self::OverrideList => Permission::ListOverride,
            Self::Erase | Self::ExportPersonal | Self::BreakGlass => Permission::Custody,
        }
    }

    /// Whether `second` may agree to what `first` asked for at `site`, when `counted` are those who
    /// had a hand in what it is about: counted the cash, or decided.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn agree(
        self,
        first: &AccountId,
        second: &Account,
        site: &str,
        counted: &[AccountId],
    ) -> Result<(), Refused> {
        if second.id == *first {
            return Err(Refused::OwnRequest(first.clone()));
        }
        if counted.contains(&second.id) {
            return Err(Refused::OwnCount(second.id.clone()));
        }
        if !second.may_at(self.to_agree(), site) {
            let (who, site) = (second.id.clone(), site.to_owned());
            return Err(Refused::NoRight { who, matter: self, site });
        }
        Ok(())
    }
}

impl fmt::Display for Matter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Not the name of a matter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no matter for two persons")]
pub struct UnknownMatter(String);

impl FromStr for Matter {
    type Err = UnknownMatter;

    fn from_str(text: &str) -> Result<Self, UnknownMatter> {
        Self::ALL
            .into_iter()
            .find(|matter| matter.name() == text)
            .ok_or_else(|| UnknownMatter(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Matter, Refused};
    use crate::account::{Account, AccountId, Scope};
    use crate::role::Role;
    use std::collections::{BTreeMap, BTreeSet};

    fn person(id: &str, roles: &[Role]) -> Account {
        Account {
            id: id.parse().unwrap(),
            name: id.to_owned(),
            grants: BTreeMap::from([(
                Scope::Site("vvo".to_owned()),
                roles.iter().copied().collect::<BTreeSet<_>>(),
            )]),
        }
    }

    #[test]
    fn nobody_agrees_to_what_they_asked_for_whatever_their_roles() {
        let all = person("a", &Role::ALL);
        for matter in Matter::ALL {
            let answer = matter.agree(&all.id, &all, "vvo", &[]);
            assert_eq!(answer, Err(Refused::OwnRequest(all.id.clone())), "{matter}");
        }
    }

    #[test]
    fn who_counted_does_not_release() {
        let first: AccountId = "a".parse().unwrap();
        let second = person("b", &[Role::Senior]);
        let matter = Matter::ReleaseDetained;
        assert_eq!(matter.agree(&first, &second, "vvo", &[]), Ok(()));
        let counted = [second.id.clone()];
        let answer = matter.agree(&first, &second, "vvo", &counted);
        assert_eq!(answer, Err(Refused::OwnCount(second.id)));
    }

    #[test]
    fn a_right_elsewhere_is_none_here() {
        let first: AccountId = "a".parse().unwrap();
        let second = person("b", &[Role::RuleApprover]);
        assert_eq!(Matter::ActivatePolicy.agree(&first, &second, "vvo", &[]), Ok(()));
        assert!(Matter::ActivatePolicy.agree(&first, &second, "svo", &[]).is_err());
        assert!(Matter::Erase.agree(&first, &second, "vvo", &[]).is_err());
    }

    #[test]
    fn names_read_back() {
        for matter in Matter::ALL {
            assert_eq!(matter.name().parse(), Ok(matter));
        }
    }
}
