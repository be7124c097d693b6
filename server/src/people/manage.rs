//! Accounts made, altered and ended; passwords and second factors changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use serde::Deserialize;
use tidewaiter_people::account::{Account, AccountId, Scope};
use tidewaiter_people::password;
use tidewaiter_people::role::Role;
use tidewaiter_people::session::TokenDigest;
use tidewaiter_people::setup::SetupCode;
use tidewaiter_people::totp::SecondFactor;

use super::{Actor, People, PeopleError, fits, hashed};
use crate::store::{AccountError, AccountRow, Note, SessionRow};

/// An account to be made.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// Its id.
    pub id: String,
    /// The person's name.
    pub name: String,
    /// Roles by site; `*` is every site.
    pub grants: BTreeMap<Scope, BTreeSet<Role>>,
}

/// What is to be altered; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountChange {
    /// The version that was seen.
    pub version: i64,
    /// Another name.
    pub name: Option<String>,
    /// Other roles.
    pub grants: Option<BTreeMap<Scope, BTreeSet<Role>>>,
    /// Ends the account for good.
    pub end: bool,
    /// Takes the second factor away, where it is lost.
    pub reset_factor: bool,
    /// Gives a new first password, where it is forgotten.
    pub reset_password: bool,
    /// Why.
    pub reason: String,
}

impl People {
    /// Makes an account with a first password that its person must change; gives that password.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn make(&self, by: &Actor, new: NewAccount) -> Result<SetupCode, PeopleError> {
        let account = Account {
            id: new.id.parse()?,
            name: checked_name(&new.name)?,
            grants: checked_grants(new.grants)?,
        };
        let first = SetupCode::new().map_err(|_| PeopleError::NoRandomness)?;
        let hash = hashed(first.as_str().to_owned()).await?;
        let note = Note::done(by.id(), "account_made", account.id.as_str())
            .with("after", said(&account.grants));
        self.store.make_account(account, Some(hash), true, note, self.clock.now()).await?;
        self.known.there.store(true, Ordering::Relaxed);
        Ok(first)
    }

    /// Alters an account; all its sessions end. Gives a new first password where one was asked for.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn alter(
        &self,
        by: &Actor,
        id: &AccountId,
        change: AccountChange,
    ) -> Result<Option<SetupCode>, PeopleError> {
        if by.account.id == *id {
            return Err(PeopleError::NotValid("nobody alters their own account"));
        }
        if change.reason.trim().is_empty() {
            return Err(PeopleError::NotValid("a reason is needed"));
        }
        let mut row = self.row(id).await?;
        if row.version != change.version {
            return Err(AccountError::Changed(id.clone()).into());
        }
        if row.ended_at.is_some() {
            return Err(PeopleError::NotValid("this account has ended; it does not come back"));
        }
        let now = self.clock.now();
        let mut note = Note::done(by.id(), "account_altered", id.as_str())
            .with("reason", change.reason.trim())
            .with("before", said(&row.account.grants));
        if let Some(name) = change.name {
            row.account.name = checked_name(&name)?;
        }
        if let Some(grants) = change.grants {
            row.account.grants = checked_grants(grants)?;
        }
        note = note.with("after", said(&row.account.grants));
        if change.reset_factor {
            row.factor = None;
            row.factor_step = None;
            note = note.with("factor", "reset");
        }
        if change.end {
            row.ended_at = Some(now);
            note = note.with("ended", "true");
        }
        let mut first = None;
        if change.reset_password {
            let code = SetupCode::new().map_err(|_| PeopleError::NoRandomness)?;
            row.password = Some(hashed(code.as_str().to_owned()).await?);
            row.must_change = true;
            note = note.with("password", "reset");
            first = Some(code);
        }
        self.store.alter_account(row, true, note, now).await?;
        Ok(first)
    }

    /// Changes one's own password; all other sessions end with this one.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn change_password(
        &self,
        actor: &Actor,
        old: String,
        new: String,
    ) -> Result<(), PeopleError> {
        let mut row = self.row(&actor.account.id).await?;
        if !fits(row.password.clone(), old.clone()).await? {
            return Err(PeopleError::NotValid("the password in force is not this one"));
        }
        if old == new {
            return Err(PeopleError::NotValid("the new password is the old one"));
        }
        password::check_new(&new, actor.id())?;
        row.password = Some(hashed(new).await?);
        row.must_change = false;
        let note = Note::done(actor.id(), "password_changed", actor.id());
        Ok(self.store.alter_account(row, true, note, self.clock.now()).await?)
    }

    /// A new second factor, to be confirmed with a code.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub fn new_factor(&self) -> Result<SecondFactor, PeopleError> {
        SecondFactor::new().map_err(|_| PeopleError::NoRandomness)
    }

    /// Takes a second factor into use, once its first code shows that the authenticator has it.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn put_factor(
        &self,
        actor: &Actor,
        factor: &SecondFactor,
        code: &str,
    ) -> Result<(), PeopleError> {
        let mut row = self.row(&actor.account.id).await?;
        if row.factor.is_some() {
            return Err(PeopleError::NotValid(
                "there is a second factor already: an administrator resets it",
            ));
        }
        let now = self.clock.now();
        let step = factor
            .step(code, None, now)
            .ok_or(PeopleError::NotValid("this is not the code that the authenticator shows"))?;
        row.factor = Some(self.vault.seal(&factor.base32())?);
        row.factor_step = i64::try_from(step).ok();
        let note = Note::done(actor.id(), "factor_set", actor.id());
        Ok(self.store.alter_account(row, false, note, now).await?)
    }

    /// Somebody's sessions.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn sessions(&self, id: &AccountId) -> Result<Vec<SessionRow>, PeopleError> {
        Ok(self.store.sessions(id).await?)
    }

    /// Ends one of one's own sessions.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn end_own(&self, actor: &Actor, digest: TokenDigest) -> Result<(), PeopleError> {
        let own = self.store.session(&digest).await?;
        if own.is_none_or(|session| session.account != actor.account.id) {
            return Err(PeopleError::NotValid("this is none of your sessions"));
        }
        let note = Note::done(actor.id(), "session_ended", actor.id());
        Ok(self.store.end_session(digest, note, self.clock.now()).await?)
    }

    pub(super) async fn row(&self, id: &AccountId) -> Result<AccountRow, PeopleError> {
        let row = self.store.account(id).await?;
        row.ok_or_else(|| AccountError::Unknown(id.clone()).into())
    }
}

/// A person's name as it may stand on a page.
pub(super) fn checked_name(name: &str) -> Result<String, PeopleError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 80 || name.chars().any(char::is_control) {
        return Err(PeopleError::NotValid(
            "a name has 1 to 80 characters, and no control characters",
        ));
    }
    Ok(name.to_owned())
}

pub(super) fn checked_grants(
    grants: BTreeMap<Scope, BTreeSet<Role>>,
) -> Result<BTreeMap<Scope, BTreeSet<Role>>, PeopleError> {
    let good = |scope: &Scope| match scope {
        Scope::Everywhere => true,
        Scope::Site(site) => {
            site.len() == 5 && site.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        }
    };
    if !grants.keys().all(good) {
        return Err(PeopleError::NotValid(
            "a site is a UN/LOCODE of 5 small letters and digits, or * for every site",
        ));
    }
    // Whoever manages accounts could give themselves what they want to see.
    let all: BTreeSet<Role> = grants.values().flatten().copied().collect();
    if all.contains(&Role::Administrator) && all.len() > 1 {
        return Err(PeopleError::NotValid("an administrator has no other role: they see no case"));
    }
    Ok(grants)
}

/// `vvo: officer, senior; *: auditor`
pub(super) fn said(grants: &BTreeMap<Scope, BTreeSet<Role>>) -> String {
    grants
        .iter()
        .map(|(scope, roles)| {
            let roles: Vec<&str> = roles.iter().map(|role| role.name()).collect();
            format!("{}: {}", String::from(scope.clone()), roles.join(", "))
        })
        .collect::<Vec<_>>()
        .join("; ")
}
