//! Who stands at the station: sign-in by account or badge with a PIN, without the network for as
//! long as the server's signed bundle of accounts lasts; idle lock; revocation at the next contact.
//!
//! The bundle comes in pieces over the sync and is kept in the ledger's named state, signature and
//! all: it is checked again whenever it is read. Sessions live in memory and end with the program.
//! Everything that happens here is a record of the station's chain (`officer_session`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::json;
use tidewaiter_people::account::AccountId;
use tidewaiter_people::lockout::Failures;
use tidewaiter_people::password::Hash;
use tidewaiter_people::role::Permission;
use tidewaiter_people::session::{Limits, Token, TokenDigest};
use tidewaiter_people::station::{NotTaken, Officer, SignedAccounts, StationAccounts};
use tidewaiter_program::clock::Clock;
use tidewaiter_proto::body::{Body, OfficerSession};
use tidewaiter_proto::receipt::AccountsPiece;
use tidewaiter_proto::record::Source;
use tidewaiter_proto::signing::Verifying;

use crate::station::Station;

mod pieces;
pub(crate) mod release;

use pieces::Pieces;

/// When sign-in is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// Always: until accounts come from the server nobody gets in, and devices go on recording.
    Required,
    /// From the first accounts on: a demonstration.
    UntilAccounts,
    /// Never: something in front of the page guards it.
    Open,
}

/// The people of a station. Clones share it.
#[derive(Clone, Debug)]
pub struct Officers {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    station: Station,
    server: Verifying,
    sign_in: SignIn,
    /// The machine's own: a demonstration's clock jumps, and no session may jump with it.
    clock: Clock,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    accounts: Option<StationAccounts>,
    pieces: Pieces,
    sessions: HashMap<TokenDigest, Session>,
    failures: HashMap<AccountId, Failures>,
    /// The latest time seen: a clock set back brings nothing back that was over.
    latest: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct Session {
    officer: AccountId,
    begun: Timestamp,
    used: Timestamp,
    /// Inspections they opened to read, each noted once.
    read: Vec<String>,
}

/// Who asks at the station.
#[derive(Clone, Debug)]
pub struct Present {
    /// Who is signed in; nobody where sign-in is not asked for.
    pub officer: Option<Officer>,
    /// Their session.
    pub session: Option<TokenDigest>,
}

/// Why nobody was signed in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotIn {
    /// Wrong account, badge or PIN.
    #[error("account or badge and PIN are not right")]
    Wrong,
    /// Too many wrong answers.
    #[error("too many wrong answers: again in {0} s")]
    Wait(u64),
    /// No accounts have come yet.
    #[error("no accounts have come from the server yet")]
    NoAccounts,
    /// The bundle is over: the station must reach the server first.
    #[error("the accounts here are of {0} and are over: the station must reach the server first")]
    Over(Timestamp),
    /// The ledger does not record, and nobody comes in unrecorded.
    #[error("the ledger does not record: {0}")]
    NotRecorded(String),
    /// No random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
}

impl Officers {
    /// The people of a station, with the accounts that it was given before.
    pub fn open(station: Station, server: Verifying, sign_in: SignIn) -> Self {
        let mut known = Known::default();
        if let Some(text) = station.ledger().state(STATE) {
            match SignedAccounts::verify(&text, &server, station.name()) {
                Ok(accounts) => {
                    known.latest = Some(accounts.made_at);
                    known.accounts = Some(accounts);
                }
                // Somebody had their hands on the store: nobody signs in with what is there.
                Err(error) => station.notice(format!("the accounts here are not used: {error}")),
            }
        }
        if let Some(seen) = station.ledger().state(SEEN)
            && let Some(seen) = std::str::from_utf8(&seen).ok().and_then(|text| text.parse().ok())
        {
            known.latest = known.latest.max(Some(seen));
        }
        let (clock, known) = (Clock::system(), Mutex::new(known));
        Self { inner: Arc::new(Inner { station, server, sign_in, clock, known }) }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.inner.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        let now = self.inner.clock.now();
        let mut known = self.known();
        let latest = known.latest.map_or(now, |latest| latest.max(now));
        known.latest = Some(latest);
        latest
    }

    /// Whether the page asks who somebody is.
    pub fn is_asked_for(&self) -> bool {
        match self.inner.sign_in {
            SignIn::Required => true,
            SignIn::UntilAccounts => self.known().accounts.is_some(),
            SignIn::Open => false,
        }
    }

    /// Takes a piece of a bundle; the last one puts it into force. What is not the server's, not
    /// this station's, or older than what is here, is refused, said and recorded.
    pub async fn take(&self, piece: AccountsPiece) {
        let Some(text) = self.known().pieces.take(piece) else { return };
        match self.put(text).await {
            Ok(true) => {}
            Ok(false) => tracing::debug!("the accounts are those in force"),
            Err(error) => {
                self.inner.station.notice(format!("accounts were refused: {error}"));
                self.note("", "accounts_refused").await.ok();
            }
        }
    }

    /// Puts a bundle into force; says whether it is another than before.
    ///
    /// # Errors
    /// [`NotTaken`]; then the one before stays in force.
    async fn put(&self, text: Vec<u8>) -> Result<bool, NotTaken> {
        let station = &self.inner.station;
        let accounts = SignedAccounts::verify(&text, &self.inner.server, station.name())?;
        let held = self.known().accounts.clone();
        if let Some(held) = &held {
            accounts.follows(held)?;
            if *held == accounts {
                return Ok(false);
            }
        }
        if let Err(error) = station.ledger().set_state(STATE, text).await {
            // In force all the same: a revocation does not wait for a disk. It comes again.
            station.notice(format!("the accounts are in force and not kept: {error}"));
        }
        let changed: Vec<AccountId> =
            held.iter().flat_map(|held| accounts.changed_since(held)).cloned().collect();
        let news = held.is_none_or(|held| held.serial != accounts.serial);
        {
            let mut known = self.known();
            known.latest = known.latest.max(Some(accounts.made_at));
            known.sessions.retain(|_, session| !changed.contains(&session.officer));
            known.accounts = Some(accounts);
        }
        for officer in &changed {
            self.note(officer.as_str(), "revoked").await.ok();
        }
        if news {
            self.note("", "accounts_taken").await.ok();
        }
        station.told();
        Ok(true)
    }

    /// Signs somebody in by account or badge, and PIN.
    ///
    /// # Errors
    /// [`NotIn`].
    pub async fn sign_in(&self, shown: &str, pin: String) -> Result<Token, NotIn> {
        let officer = self.prove(shown, pin).await?;
        let token = Token::new().map_err(|_| NotIn::NoRandomness)?;
        let now = self.now();
        // On disk first: nobody works here of whom the chain does not know.
        self.note(officer.id.as_str(), "signed_in").await?;
        let seen = now.to_string().into_bytes();
        self.inner.station.ledger().set_state(SEEN, seen).await.ok();
        let (digest, officer) = (Token::digest_of(token.as_str()), officer.id);
        let session = Session { officer, begun: now, used: now, read: Vec::new() };
        self.known().sessions.insert(digest, session);
        Ok(token)
    }

    /// Who proves to be somebody, without signing in: the second person at the first one's page.
    ///
    /// # Errors
    /// [`NotIn`].
    pub async fn prove(&self, shown: &str, pin: String) -> Result<Officer, NotIn> {
        let now = self.now();
        let accounts = self.known().accounts.clone().ok_or(NotIn::NoAccounts)?;
        if accounts.is_over(now) {
            return Err(NotIn::Over(accounts.made_at));
        }
        let found = accounts.find(shown.trim()).cloned();
        if let Some(officer) = &found {
            let failures = self.known().failures.get(&officer.id).copied().unwrap_or_default();
            if let Some(wait) = failures.wait(now) {
                return Err(NotIn::Wait(wait.as_secs().max(1)));
            }
        }
        let (tried, secret) = (found.clone(), pin);
        // The same work for a name that nobody has.
        let fits = tokio::task::spawn_blocking(move || match tried {
            Some(officer) => officer.fits(&secret),
            None => Hash::of(&secret).is_ok_and(|_| false),
        });
        let fits = fits.await.unwrap_or(false);
        let Some(officer) = found else { return Err(NotIn::Wrong) };
        if fits {
            self.known().failures.remove(&officer.id);
            return Ok(officer);
        }
        {
            let mut known = self.known();
            let failures = known.failures.entry(officer.id.clone()).or_default();
            *failures = failures.and(now);
        }
        self.note(officer.id.as_str(), "refused").await.ok();
        Err(NotIn::Wrong)
    }

    /// Whose session this is, while it lasts and the account is in force; `is_use` when a person
    /// did something, and not a page by itself.
    pub async fn present(&self, token: Option<&str>, is_use: bool) -> Option<Present> {
        if !self.is_asked_for() {
            return Some(Present { officer: None, session: None });
        }
        let digest = Token::digest_of(token?);
        let now = self.now();
        let session = self.known().sessions.get(&digest).cloned()?;
        if !Limits::STATION.hold(session.begun, session.used, now) {
            self.known().sessions.remove(&digest);
            self.note(session.officer.as_str(), "locked").await.ok();
            return None;
        }
        let mut known = self.known();
        let accounts = known.accounts.as_ref().filter(|accounts| !accounts.is_over(now));
        let officer = accounts?.people.iter().find(|officer| officer.id == session.officer)?;
        let officer = officer.clone();
        if is_use && let Some(session) = known.sessions.get_mut(&digest) {
            session.used = now;
        }
        Some(Present { officer: Some(officer), session: Some(digest) })
    }

    /// Signs somebody out.
    pub async fn sign_out(&self, present: &Present) {
        let Some(digest) = present.session else { return };
        let session = self.known().sessions.remove(&digest);
        if let Some(session) = session {
            self.note(session.officer.as_str(), "signed_out").await.ok();
        }
    }

    /// Keeps that somebody opened an inspection to read it that is not the one at the lane: once a
    /// session.
    pub async fn has_read(&self, digest: &TokenDigest, inspection: &str) {
        let officer = {
            let mut known = self.known();
            let Some(session) = known.sessions.get_mut(digest) else { return };
            if session.read.iter().any(|read| read == inspection) {
                return;
            }
            session.read.push(inspection.to_owned());
            session.officer.clone()
        };
        let told = json!({
            "type": "officer_session", "officer": officer, "event": "read", "of": inspection,
        });
        let body = Body::OfficerSession(OfficerSession {
            officer: officer.to_string(),
            event: "read".to_owned(),
        });
        let source = Source::Officer(officer.to_string());
        let done = self.inner.station.record_loose(source, body, told.to_string()).await;
        if let Err(error) = done {
            tracing::warn!(%error, "that an inspection was read is not recorded");
        }
    }

    /// Keeps that somebody had no right to something.
    pub async fn was_refused(&self, officer: &Officer, need: Permission) {
        tracing::warn!(officer = %officer.id, ?need, "no right to this");
        self.note(officer.id.as_str(), "no_right").await.ok();
    }

    async fn note(&self, officer: &str, event: &str) -> Result<(), NotIn> {
        let body = Body::OfficerSession(OfficerSession {
            officer: officer.to_owned(),
            event: event.to_owned(),
        });
        let source = Source::Agent(AGENT.to_owned());
        let done = self.inner.station.record(source, None, body, None).await;
        done.map(|_| ()).map_err(|error| {
            tracing::warn!(event, %error, "what happened at sign-in is not recorded");
            NotIn::NotRecorded(error.to_string())
        })
    }
}

/// The ledger's named state with the signed bundle, as it came.
const STATE: &str = "accounts";
/// The latest time that anybody signed in.
const SEEN: &str = "accounts-seen";
const AGENT: &str = "people";
