//! A person's account: roles by site, and what they reach.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::role::{Permission, Role};

/// An account's id, as it stands in records and in the audit: letters, digits, `-`, `_`, `.`; 1 to
/// 32 of them. It is never given to another person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(String);

/// Not an account's id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no account id: 1 to 32 letters, digits, `-`, `_` or `.`")]
pub struct NotAnAccountId(String);

impl AccountId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountId {
    type Err = NotAnAccountId;

    fn from_str(text: &str) -> Result<Self, NotAnAccountId> {
        let good = (1..=32).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAnAccountId(text.chars().take(40).collect()))
        }
    }
}

impl TryFrom<String> for AccountId {
    type Error = NotAnAccountId;

    fn try_from(text: String) -> Result<Self, NotAnAccountId> {
        text.parse()
    }
}

impl From<AccountId> for String {
    fn from(id: AccountId) -> Self {
        id.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a role holds: at one site, or everywhere (`*` in data).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Scope {
    /// At every site.
    Everywhere,
    /// At this site.
    Site(String),
}

impl From<String> for Scope {
    fn from(text: String) -> Self {
        if text == "*" { Self::Everywhere } else { Self::Site(text) }
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Everywhere => "*".to_owned(),
            Scope::Site(site) => site,
        }
    }
}

/// What an account is: who, and which roles where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The person's name, as colleagues know it.
    pub name: String,
    /// Roles by scope.
    pub grants: BTreeMap<Scope, BTreeSet<Role>>,
}

/// Which sites' data somebody reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// All sites.
    Everywhere,
    /// These; none when empty.
    Sites(BTreeSet<String>),
}

impl Reach {
    /// Whether this site is within it.
    pub fn holds(&self, site: &str) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Sites(sites) => sites.contains(site),
        }
    }

    /// Whether nothing is within it.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Sites(sites) if sites.is_empty())
    }
}

impl Account {
    /// Where the account may do this.
    pub fn reach(&self, permission: Permission) -> Reach {
        let mut sites = BTreeSet::new();
        for (scope, roles) in &self.grants {
            if !roles.iter().any(|role| role.may(permission)) {
                continue;
            }
            match scope {
                Scope::Everywhere => return Reach::Everywhere,
                Scope::Site(site) => {
                    sites.insert(site.clone());
                }
            }
        }
        Reach::Sites(sites)
    }

    /// Whether it may do this at a site.
    pub fn may_at(&self, permission: Permission, site: &str) -> bool {
        self.reach(permission).holds(site)
    }
}

#[cfg(test)]
mod tests {
    use super::{Account, AccountId, Reach, Scope};
    use crate::role::{Permission, Role};
    use std::collections::BTreeSet;

    fn account(grants: &[(&str, Role)]) -> Account {
        let mut account = Account {
            id: "s-2".parse().unwrap(),
            name: "Second Supervisor".to_owned(),
            grants: std::collections::BTreeMap::new(),
        };
        for (scope, role) in grants {
            account.grants.entry(Scope::from((*scope).to_owned())).or_default().insert(*role);
        }
        account
    }

    #[test]
    fn a_role_at_one_site_is_none_at_another() {
        let account = account(&[("vvo", Role::Supervisor), ("svo", Role::Officer)]);
        assert!(account.may_at(Permission::AlertAct, "vvo"));
        assert!(!account.may_at(Permission::AlertAct, "svo"));
        assert!(account.may_at(Permission::InspectionRecord, "svo"));
        assert_eq!(
            account.reach(Permission::InspectionRead),
            Reach::Sites(BTreeSet::from(["svo".to_owned(), "vvo".to_owned()]))
        );
        assert!(account.reach(Permission::AccountManage).is_nothing());
    }

    #[test]
    fn everywhere_holds_everywhere_and_reads_back() {
        let account = account(&[("*", Role::Auditor)]);
        assert_eq!(account.reach(Permission::AuditRead), Reach::Everywhere);
        let text = serde_json::to_string(&account).unwrap();
        assert!(text.contains(r#""*":["auditor"]"#), "{text}");
        assert_eq!(serde_json::from_str::<Account>(&text).unwrap(), account);
    }

    #[test]
    fn an_id_holds_nothing_that_could_leave_its_field() {
        for id in ["", "a b", "a/b", "ö", "a\n", &"x".repeat(33)] {
            assert!(id.parse::<AccountId>().is_err(), "{id:?}");
        }
    }
}
