//! What a station is told of people, and what people set for it: PIN and badge.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use tidewaiter_people::account::Scope;
use tidewaiter_people::role::{Permission, Role};
use tidewaiter_people::station::{BadgeDigest, Officer, StationAccounts, check_pin};
use tidewaiter_proto::station::StationId;

use super::{Actor, People, PeopleError, fits, hashed};
use crate::store::{AccountRow, Note};

/// The accounts that may sign in at a station: with a PIN, and a role at its site that works there.
pub fn accounts_of(
    rows: &[AccountRow],
    station: &StationId,
    serial: u64,
    now: Timestamp,
    lasts: SignedDuration,
) -> StationAccounts {
    let people = rows.iter().filter_map(|row| officer(row, station.site())).collect();
    StationAccounts { station: station.clone(), serial, made_at: now, ends_at: now + lasts, people }
}

fn officer(row: &AccountRow, site: &str) -> Option<Officer> {
    let here = |scope: &Scope| match scope {
        Scope::Everywhere => true,
        Scope::Site(own) => own == site,
    };
    let roles: BTreeSet<Role> = row
        .account
        .grants
        .iter()
        .filter(|(scope, _)| here(scope))
        .flat_map(|(_, roles)| roles)
        .copied()
        .filter(|role| role.may(Permission::InspectionRead))
        .collect();
    if roles.is_empty() || row.ended_at.is_some() || row.must_change {
        return None;
    }
    Some(Officer {
        id: row.account.id.clone(),
        name: row.account.name.clone(),
        roles,
        pin: row.pin.as_ref()?.as_str().to_owned(),
        badge: row.badge.clone(),
    })
}

impl People {
    /// Sets one's own PIN and badge for stations, with the password that proves it is oneself.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn put_pin(
        &self,
        actor: &Actor,
        password: String,
        pin: String,
        badge: &str,
    ) -> Result<(), PeopleError> {
        let mut row = self.row(&actor.account.id).await?;
        if !fits(row.password.clone(), password).await? {
            return Err(PeopleError::NotValid("the password in force is not this one"));
        }
        check_pin(&pin)?;
        let badge =
            match badge.trim() {
                "" => None,
                shown => Some(BadgeDigest::of(shown).ok_or(PeopleError::NotValid(
                    "a badge's number has 6 to 64 letters and digits",
                ))?),
            };
        row.pin = Some(hashed(pin).await?);
        row.badge = badge.map(|badge| badge.as_str().to_owned());
        let note = Note::done(actor.id(), "pin_set", actor.id())
            .with("badge", if row.badge.is_some() { "set" } else { "none" });
        Ok(self.store.alter_account(row, false, note, self.clock.now()).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::accounts_of;
    use crate::store::AccountRow;
    use jiff::{SignedDuration, Timestamp};
    use tidewaiter_people::account::{Account, Scope};
    use tidewaiter_people::lockout::Failures;
    use tidewaiter_people::password::Hash;
    use tidewaiter_people::role::Role;

    fn row(id: &str, site: &str, role: Role) -> AccountRow {
        AccountRow {
            account: Account {
                id: id.parse().unwrap(),
                name: id.to_owned(),
                grants: [(Scope::from(site.to_owned()), [role].into())].into(),
            },
            password: None,
            must_change: false,
            factor: None,
            factor_step: None,
            failures: Failures::default(),
            ended_at: None,
            version: 1,
            pin: Some(Hash::of("730418").unwrap()),
            badge: None,
            outside: None,
        }
    }

    #[test]
    fn a_station_knows_those_who_work_at_its_site_and_nobody_else() {
        let now = Timestamp::UNIX_EPOCH;
        let station = "ruvvo/dep-07".parse().unwrap();
        let mut ended = row("ended", "ruvvo", Role::Officer);
        ended.ended_at = Some(now);
        let mut without = row("without", "ruvvo", Role::Officer);
        without.pin = None;
        let rows = [
            row("here", "ruvvo", Role::Officer),
            row("away", "jpnrt", Role::Officer),
            row("all", "*", Role::Senior),
            row("admin", "*", Role::Administrator),
            ended,
            without,
        ];
        let accounts = accounts_of(&rows, &station, 1, now, SignedDuration::from_hours(24));
        let ids: Vec<&str> = accounts.people.iter().map(|officer| officer.id.as_str()).collect();
        assert_eq!(ids, ["here", "all"]);
    }
}
