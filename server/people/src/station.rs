//! What a station knows of people: the accounts that may sign in there, signed and dated by the
//! server, so that an officer can sign in without the network for some days, and a revocation holds
//! from the next contact on.
//!
//! A bundle names one station, counts up, and ends. A station takes none that is not signed by its
//! server, not its own, older than what it has, or over.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tidewaiter_proto::signing::{Domain, SignatureError, Signing, Verifying};
use tidewaiter_proto::station::StationId;

use crate::account::AccountId;
use crate::password::Hash;
use crate::role::{Permission, Role};

/// The accounts of a station.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StationAccounts {
    /// Which station.
    pub station: StationId,
    /// Grows with each change of any account.
    pub serial: u64,
    /// When the server made it.
    pub made_at: Timestamp,
    /// Until when nobody needs the network to sign in with it.
    pub ends_at: Timestamp,
    /// Who may sign in.
    pub people: Vec<Officer>,
}

/// Somebody who may sign in at a station.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Officer {
    /// The account.
    pub id: AccountId,
    /// The person's name.
    pub name: String,
    /// What they are at this site.
    pub roles: BTreeSet<Role>,
    /// Argon2id of the PIN, a PHC string.
    pub pin: String,
    /// Digest of the badge, base64; none without a badge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub badge: Option<String>,
}

/// A bundle as it travels and is kept: the text is what was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedAccounts {
    /// JSON of a [`StationAccounts`], exactly as signed.
    pub signed: String,
    /// Ed25519 signature, 128 hex digits.
    pub signature: String,
}

/// Why a bundle of accounts is not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// Not JSON of the right shape.
    #[error("not a bundle of accounts: {0}")]
    Shape(#[from] serde_json::Error),
    /// Not signed by the server.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// For another station.
    #[error("these are the accounts of {found}, this is {own}")]
    OtherStation {
        /// Whom it names.
        found: StationId,
        /// Who this is.
        own: StationId,
    },
    /// Older than what is there: somebody plays an old one back.
    #[error("accounts {found} of {found_at} are older than those in force, {held} of {held_at}")]
    Older {
        /// Its number.
        found: u64,
        /// When it was made.
        found_at: Timestamp,
        /// The number in force.
        held: u64,
        /// When that was made.
        held_at: Timestamp,
    },
}

impl SignedAccounts {
    /// Signs a bundle.
    ///
    /// # Errors
    /// Only if it cannot be written as JSON.
    pub fn sign(accounts: &StationAccounts, signing: &Signing) -> Result<Self, serde_json::Error> {
        let signed = serde_json::to_string(accounts)?;
        let signature = hex::encode(signing.sign(Domain::Accounts, signed.as_bytes()));
        Ok(Self { signed, signature })
    }

    /// Reads and verifies a bundle for a station.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub fn verify(
        text: &[u8],
        server: &Verifying,
        own: &StationId,
    ) -> Result<StationAccounts, NotTaken> {
        let bundle: Self = serde_json::from_slice(text)?;
        let mut signature = [0; 64];
        hex::decode_to_slice(&bundle.signature, &mut signature)
            .map_err(|_| SignatureError::Mismatch)?;
        server.verify(Domain::Accounts, bundle.signed.as_bytes(), &signature)?;
        let accounts: StationAccounts = serde_json::from_str(&bundle.signed)?;
        if accounts.station == *own {
            Ok(accounts)
        } else {
            Err(NotTaken::OtherStation { found: accounts.station, own: own.clone() })
        }
    }
}

impl StationAccounts {
    /// Whether it may follow another: counted at least as far, and not made before it.
    ///
    /// # Errors
    /// [`NotTaken::Older`].
    pub fn follows(&self, held: &Self) -> Result<(), NotTaken> {
        if self.serial >= held.serial && self.made_at >= held.made_at {
            return Ok(());
        }
        Err(NotTaken::Older {
            found: self.serial,
            found_at: self.made_at,
            held: held.serial,
            held_at: held.made_at,
        })
    }

    /// Whether somebody may still sign in with it. A clock set back does not bring it back: `now`
    /// is the latest time that the station has seen.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.ends_at
    }

    /// Who has this account, or this badge.
    pub fn find(&self, shown: &str) -> Option<&Officer> {
        let badge = BadgeDigest::of(shown);
        self.people.iter().find(|officer| {
            officer.id.as_str() == shown || badge.as_ref().is_some_and(|badge| officer.has(badge))
        })
    }

    /// Those who are not as they were: gone, or with other rights or another PIN.
    pub fn changed_since<'a>(&self, before: &'a Self) -> Vec<&'a AccountId> {
        let same = |old: &Officer| self.people.iter().any(|new| new == old);
        before.people.iter().filter(|old| !same(old)).map(|old| &old.id).collect()
    }
}

impl Officer {
    /// Whether they may do this at the station.
    pub fn may(&self, permission: Permission) -> bool {
        self.roles.iter().any(|role| role.may(permission))
    }

    /// Whether this is their PIN. Takes tens of milliseconds of a core.
    pub fn fits(&self, pin: &str) -> bool {
        Hash::stored(&self.pin).is_ok_and(|hash| hash.fits(pin))
    }

    fn has(&self, badge: &BadgeDigest) -> bool {
        self.badge.as_ref().is_some_and(|own| own.as_bytes().ct_eq(badge.0.as_bytes()).into())
    }
}

/// What is kept of a badge: its number is on the card for everybody to read, and no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadgeDigest(String);

impl BadgeDigest {
    /// The digest of a badge's number as a reader types it; none for a text that is no number.
    pub fn of(shown: &str) -> Option<Self> {
        let plain: String = shown.chars().filter(char::is_ascii_alphanumeric).collect();
        if !(6..=64).contains(&plain.len()) {
            return None;
        }
        let mut hash = Sha256::new_with_prefix(b"tidewaiter/badge/v1\0");
        hash.update(plain.to_ascii_uppercase());
        Some(Self(STANDARD_NO_PAD.encode(hash.finalize())))
    }

    /// As kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a PIN is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPin {
    /// Not 6 to 12 digits.
    #[error("a PIN has 6 to 12 digits")]
    Shape,
    /// One that anybody tries first.
    #[error("this PIN is among the first that anybody tries: a row, a repetition, a year")]
    Common,
}

/// Whether a new PIN is good enough.
///
/// # Errors
/// [`NotAPin`].
pub fn check_pin(pin: &str) -> Result<(), NotAPin> {
    if !(6..=12).contains(&pin.len()) || !pin.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NotAPin::Shape);
    }
    let digits: Vec<i16> = pin.bytes().map(|b| i16::from(b - b'0')).collect();
    let steps: BTreeSet<i16> =
        digits.windows(2).map(|pair| (pair[1] - pair[0]).rem_euclid(10)).collect();
    let kinds: BTreeSet<i16> = digits.iter().copied().collect();
    let half = pin.len() / 2;
    let twice = pin.len().is_multiple_of(2) && pin[..half] == pin[half..];
    if steps.len() == 1 || kinds.len() < 3 || twice {
        return Err(NotAPin::Common);
    }
    Ok(())
}

/// How long a bundle lasts without the network, when nothing else is configured.
pub const LASTS: SignedDuration = SignedDuration::from_hours(7 * 24);

#[cfg(test)]
mod tests {
    use super::{
        BadgeDigest, NotAPin, NotTaken, Officer, SignedAccounts, StationAccounts, check_pin,
    };
    use crate::password::Hash;
    use crate::role::{Permission, Role};
    use jiff::{SignedDuration, Timestamp};
    use tidewaiter_proto::signing::Signing;

    fn at(hour: i64) -> Timestamp {
        let begin: Timestamp = "2026-11-25T00:00:00Z".parse().unwrap();
        begin + SignedDuration::from_hours(hour)
    }

    fn officer(id: &str) -> Officer {
        Officer {
            id: id.parse().unwrap(),
            name: format!("Officer {id}"),
            roles: [Role::Officer].into(),
            pin: Hash::of("730418").unwrap().as_str().to_owned(),
            badge: BadgeDigest::of("0412-7788").map(|badge| badge.as_str().to_owned()),
        }
    }

    fn accounts(serial: u64, made: i64) -> StationAccounts {
        StationAccounts {
            station: "ruvvo/dep-07".parse().unwrap(),
            serial,
            made_at: at(made),
            ends_at: at(made + 24),
            people: vec![officer("o-11")],
        }
    }

    #[test]
    fn nothing_but_the_servers_own_bundle_for_this_station_is_taken() {
        let server = Signing::from_seed(&[1; 32]);
        let own = "ruvvo/dep-07".parse().unwrap();
        let signed = SignedAccounts::sign(&accounts(3, 0), &server).unwrap();
        let bytes = serde_json::to_vec(&signed).unwrap();
        let read = SignedAccounts::verify(&bytes, &server.verifying(), &own).unwrap();
        assert_eq!(read, accounts(3, 0).with_pins_of(&read));
        let other = Signing::from_seed(&[2; 32]).verifying();
        assert!(matches!(
            SignedAccounts::verify(&bytes, &other, &own),
            Err(NotTaken::Signature(_))
        ));
        let away = "ruvvo/dep-08".parse().unwrap();
        assert!(matches!(
            SignedAccounts::verify(&bytes, &server.verifying(), &away),
            Err(NotTaken::OtherStation { .. })
        ));
        let altered = String::from_utf8(bytes).unwrap().replace("o-11", "o-12").into_bytes();
        assert!(SignedAccounts::verify(&altered, &server.verifying(), &own).is_err());
    }

    impl StationAccounts {
        /// Salts differ from one making to the next.
        fn with_pins_of(mut self, other: &Self) -> Self {
            for (own, theirs) in self.people.iter_mut().zip(&other.people) {
                own.pin.clone_from(&theirs.pin);
            }
            self
        }
    }

    #[test]
    fn an_old_bundle_does_not_come_back_and_a_bundle_ends() {
        let held = accounts(5, 10);
        assert!(accounts(5, 10).follows(&held).is_ok());
        assert!(accounts(6, 11).follows(&held).is_ok());
        for (serial, made) in [(4, 11), (5, 9), (6, 9)] {
            assert!(accounts(serial, made).follows(&held).is_err(), "{serial} of {made}");
        }
        assert!(!held.is_over(at(33)));
        assert!(held.is_over(at(34)));
    }

    #[test]
    fn a_person_is_found_by_account_or_badge_and_known_by_the_pin() {
        let accounts = accounts(1, 0);
        for shown in ["o-11", "0412 7788", "04127788"] {
            let officer = accounts.find(shown).unwrap();
            assert!(officer.fits("730418") && !officer.fits("730419"), "{shown}");
            assert!(officer.may(Permission::InspectionRecord));
            assert!(!officer.may(Permission::Release));
        }
        assert!(accounts.find("o-12").is_none() && accounts.find("").is_none());
    }

    #[test]
    fn who_is_gone_or_altered_is_told() {
        let before = accounts(1, 0);
        let mut after = before.clone();
        assert!(after.changed_since(&before).is_empty());
        after.people[0].roles.clear();
        assert_eq!(after.changed_since(&before).len(), 1);
        after.people.clear();
        assert_eq!(after.changed_since(&before)[0].as_str(), "o-11");
    }

    #[test]
    fn a_pin_that_anybody_tries_is_not_taken() {
        for pin in
            ["123456", "654321", "111111", "121212", "802802", "135791", "1122", "12345a", ""]
        {
            assert!(check_pin(pin).is_err(), "{pin}");
        }
        assert_eq!(check_pin("730418"), Ok(()));
        assert_eq!(check_pin("12345"), Err(NotAPin::Shape));
    }
}
