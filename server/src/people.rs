//! People at the desk: the first start, sign-in, sessions, accounts, and the notes of the audit.
//!
//! Knows the store and the machine's own clock: a demonstration's clock jumps, and neither a
//! session nor the audit may jump with it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tidewaiter_people::account::{Account, AccountId, NotAnAccountId, Reach, Scope};
use tidewaiter_people::audit::{Broken, Link, Outcome, Walk};
use tidewaiter_people::password::{self, Hash, HashError, NotGoodEnough};
use tidewaiter_people::role::{Permission, Role};
use tidewaiter_people::session::{Limits, Token, TokenDigest};
use tidewaiter_people::setup::SetupCode;
use tidewaiter_people::totp::SecondFactor;
use tidewaiter_proto::seal::{BodyKey, NoRandomness, random};
use tidewaiter_proto::signing::Signing;

use crate::clock::Clock;
use crate::store::{AccountError, AccountRow, Note, SessionRow, Store, StoreError};

mod manage;
pub mod officers;
pub mod outside;
pub mod reception;

pub use manage::{AccountChange, NewAccount};
use outside::Outside;

/// The people of a server. Clones share it.
#[derive(Clone, Debug)]
pub struct People {
    store: Store,
    clock: Clock,
    sign_in: SignIn,
    vault: Arc<Vault>,
    known: Arc<Known>,
    outside: Option<Outside>,
}

/// What is known of whether there are accounts.
#[derive(Debug, Default)]
struct Known {
    there: AtomicBool,
    looked: Mutex<Option<Instant>>,
    /// How far the audit's chain was found whole.
    audit: Mutex<Option<(u64, Link)>>,
}

/// Whether people must sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// They must.
    Required,
    /// A demonstration: whoever comes is the demonstration's supervisor, until there are accounts.
    Demonstration,
}

/// Seals the secrets of second factors: a copy of the store's file alone does not hold them.
#[derive(Debug)]
struct Vault(BodyKey);

/// Who asks.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Their account.
    pub account: Account,
    /// Their session; none in an open demonstration.
    pub session: Option<TokenDigest>,
    /// Whether they must choose a password of their own before anything else.
    pub must_change: bool,
}

/// Why nobody was signed in. What is told to the one who tries is the same for a wrong name, a
/// wrong password and an ended account.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SignInError {
    /// Wrong name, password or code.
    #[error("name, password or code are not right")]
    Wrong,
    /// The password is right, and a code of the second factor is needed.
    #[error("a code of the second factor is needed")]
    CodeNeeded,
    /// Too many wrong answers.
    #[error("too many wrong answers: again in {0} s")]
    Wait(u64),
    /// The server failed.
    #[error(transparent)]
    Failed(#[from] PeopleError),
}

/// Why something about people was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PeopleError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The account.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The password is not good enough.
    #[error(transparent)]
    Password(#[from] NotGoodEnough),
    /// The PIN is not good enough.
    #[error(transparent)]
    Pin(#[from] tidewaiter_people::station::NotAPin),
    /// Not an id.
    #[error(transparent)]
    Id(#[from] NotAnAccountId),
    /// Hashing.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// No random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
    /// What was typed does not do.
    #[error("{0}")]
    NotValid(&'static str),
    /// Not the code of the first start, or somebody was first.
    #[error("this is not the code of the first start, or it was used")]
    NotTheCode,
    /// A thread died.
    #[error("the server could not work on a password")]
    Died,
}

impl From<NoRandomness> for PeopleError {
    fn from(_: NoRandomness) -> Self {
        Self::NoRandomness
    }
}

impl Vault {
    fn seal(&self, secret: &str) -> Result<Vec<u8>, NoRandomness> {
        self.seal_as(FACTOR, secret)
    }

    fn open(&self, sealed: &[u8]) -> Option<SecondFactor> {
        let secret = self.open_as(FACTOR, sealed)?;
        SecondFactor::stored(std::str::from_utf8(&secret).ok()?).ok()
    }

    /// Seals a text for one purpose: it opens for no other.
    fn seal_as(&self, purpose: &[u8], text: &str) -> Result<Vec<u8>, NoRandomness> {
        let nonce = random::<24>()?;
        Ok([&nonce[..], &self.0.seal(&nonce, purpose, text.as_bytes())].concat())
    }

    fn open_as(&self, purpose: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, body) = sealed.split_first_chunk::<24>()?;
        self.0.open(nonce, purpose, body).ok()
    }
}

impl Actor {
    /// Where they may do this.
    pub fn reach(&self, permission: Permission) -> Reach {
        self.account.reach(permission)
    }

    /// Puts their id where a program may have written another. In a demonstration that nobody
    /// locked, what was written stands: nobody is anybody there.
    pub fn sign(&self, officer: &mut String) {
        if self.session.is_some() || officer.is_empty() {
            self.id().clone_into(officer);
        }
    }

    /// Their id.
    pub fn id(&self) -> &str {
        self.account.id.as_str()
    }
}

/// What somebody shows to sign in.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// Account.
    pub account: String,
    /// Password.
    pub password: String,
    /// Code of the second factor; may be empty.
    pub code: String,
    /// From where.
    pub address: String,
    /// With what.
    pub agent: String,
}

impl People {
    /// The people of a store; `signing` is the server's, from which the vault's key is derived.
    pub fn new(store: Store, sign_in: SignIn, signing: &Signing) -> Self {
        let key = Sha256::new_with_prefix(b"tidewaiter/people/v1\0")
            .chain_update(signing.seed())
            .finalize();
        let vault = Arc::new(Vault(BodyKey::from_bytes(key.into())));
        Self { store, clock: Clock::system(), sign_in, vault, known: Arc::default(), outside: None }
    }

    /// The same people, who may sign in at the authority's own sign-in too.
    #[must_use]
    pub fn with_outside(self, outside: Option<Outside>) -> Self {
        Self { outside, ..self }
    }

    /// The authority's own sign-in, where there is one.
    pub fn outside(&self) -> Option<&Outside> {
        self.outside.as_ref()
    }

    /// Makes the code of the first start when there is no account; gives it, to be shown once.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn first_start(&self) -> Result<Option<SetupCode>, PeopleError> {
        if self.sign_in == SignIn::Demonstration || self.store.has_accounts().await? {
            return Ok(None);
        }
        Ok(Some(self.new_setup_code("").await?))
    }

    /// Shows the code of the first start where there is nobody yet.
    ///
    /// # Errors
    /// When it cannot be made, or not be shown.
    pub async fn say_setup_code(&self, address: std::net::SocketAddr) -> anyhow::Result<()> {
        use std::io::Write;
        let Some(code) = self.first_start().await? else { return Ok(()) };
        // To the terminal alone: a log is kept and read by more than the one who starts this.
        let mut out = std::io::stderr().lock();
        writeln!(out, "\nThere are no accounts yet. Make the first administrator at")?;
        writeln!(out, "    http://{address}/setup\nwith this code, shown once:")?;
        writeln!(out, "    {}\n", code.as_str())?;
        Ok(())
    }

    /// Makes a new setup code in place of any before, for when no administrator can sign in.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn new_setup_code(&self, by: &str) -> Result<SetupCode, PeopleError> {
        let code = SetupCode::new().map_err(|_| PeopleError::NoRandomness)?;
        self.store.put_setup(code.digest()).await?;
        self.note(Note::done(by, "setup_code_made", "")).await?;
        Ok(code)
    }

    /// Whether the first administrator is still to be made.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_new(&self) -> Result<bool, StoreError> {
        Ok(self.sign_in == SignIn::Required && self.store.setup().await?.is_some())
    }

    /// Makes the first administrator, for the one who holds the code.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn set_up(
        &self,
        code: &str,
        id: &str,
        name: &str,
        secret: String,
    ) -> Result<(), PeopleError> {
        let kept = self.store.setup().await?.filter(|kept| kept.fits(code));
        let Some(kept) = kept else {
            let note = Note::done("", "set_up", "").ended(Outcome::Denied);
            self.store.note(note, self.clock.now()).await?;
            return Err(PeopleError::NotTheCode);
        };
        let account = Account {
            id: id.parse()?,
            name: manage::checked_name(name)?,
            grants: [(Scope::Everywhere, [Role::Administrator].into())].into(),
        };
        password::check_new(&secret, id)?;
        let hash = hashed(secret).await?;
        let note = Note::done(id, "set_up", id);
        let first = self.store.make_first_account(account, hash, kept, note, self.clock.now());
        if !first.await? {
            return Err(PeopleError::NotTheCode);
        }
        self.known.there.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Signs somebody in; gives the token for their browser. `before` is the session of that
    /// browser, which ends.
    ///
    /// # Errors
    /// [`SignInError`].
    pub async fn sign_in(
        &self,
        shown: Shown,
        before: Option<TokenDigest>,
    ) -> Result<Token, SignInError> {
        let now = self.clock.now();
        let row = match shown.account.parse::<AccountId>() {
            Ok(id) => self.store.account(&id).await.map_err(PeopleError::from)?,
            Err(_) => None,
        };
        if let Some(wait) = row.as_ref().and_then(|row| row.failures.wait(now)) {
            return Err(SignInError::Wait(wait.as_secs().max(1)));
        }
        let hash =
            row.as_ref().filter(|row| row.ended_at.is_none()).and_then(|r| r.password.clone());
        let fits = fits(hash, shown.password.clone()).await?;
        // What was typed as a name may be a password typed into the wrong field: it is not kept.
        let Some(row) = row else {
            let note = Note::done("", "sign_in", "").ended(Outcome::Denied);
            self.note(note.with("address", shown.address)).await?;
            return Err(SignInError::Wrong);
        };
        if !fits {
            return Err(self.wrong(&row, &shown, now).await?);
        }
        let step = match self.second(&row, &shown.code, now)? {
            Ok(step) => step,
            Err(SignInError::CodeNeeded) => return Err(SignInError::CodeNeeded),
            Err(_) => return Err(self.wrong(&row, &shown, now).await?),
        };
        let token = Token::new().map_err(|_| PeopleError::NoRandomness)?;
        let session = SessionRow {
            digest: Token::digest_of(token.as_str()),
            account: row.account.id.clone(),
            begun_at: now,
            used_at: now,
            address: shown.address.clone(),
            agent: shown.agent.chars().take(AGENT_MAX).collect(),
        };
        let id = row.account.id.as_str();
        let note = Note::done(id, "sign_in", id).with("address", shown.address.clone());
        let begun = self.store.begin_session(session, step, before, note).await;
        if begun.map_err(PeopleError::from)? {
            Ok(token)
        } else {
            Err(self.wrong(&row, &shown, now).await?)
        }
    }

    /// The step of the second factor to use up: none when the account has no factor.
    fn second(
        &self,
        row: &AccountRow,
        code: &str,
        now: Timestamp,
    ) -> Result<Result<Option<i64>, SignInError>, PeopleError> {
        let Some(sealed) = &row.factor else { return Ok(Ok(None)) };
        if code.trim().is_empty() {
            return Ok(Err(SignInError::CodeNeeded));
        }
        // A factor that does not open lets nobody in.
        let factor = self.vault.open(sealed).ok_or(PeopleError::NotValid(
            "the second factor of this account cannot be read: an administrator must reset it",
        ))?;
        let last = row.factor_step.and_then(|step| u64::try_from(step).ok());
        let step = factor.step(code, last, now).and_then(|step| i64::try_from(step).ok());
        Ok(step.map(Some).ok_or(SignInError::Wrong))
    }

    async fn wrong(
        &self,
        row: &AccountRow,
        shown: &Shown,
        now: Timestamp,
    ) -> Result<SignInError, PeopleError> {
        let id = &row.account.id;
        let failures = row.failures.and(now);
        let note = Note::done("", "sign_in", id.as_str())
            .ended(Outcome::Denied)
            .with("address", shown.address.clone())
            .with("in_a_row", failures.count.to_string());
        self.store.put_failures(id, failures, note, now).await?;
        Ok(SignInError::Wrong)
    }

    /// Who holds this token; nobody when it has ended, or the account has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn actor(&self, token: Option<&str>) -> Result<Option<Actor>, StoreError> {
        self.actor_of(token, true).await
    }

    /// The same; `is_use` when a person did something, and not a page by itself: only that keeps
    /// the session from ending idle.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn actor_of(
        &self,
        token: Option<&str>,
        is_use: bool,
    ) -> Result<Option<Actor>, StoreError> {
        let Some(token) = token else { return self.nobody().await };
        let digest = Token::digest_of(token);
        let Some(session) = self.store.session(&digest).await? else { return self.nobody().await };
        let now = self.clock.now();
        if !Limits::DESK.hold(session.begun_at, session.used_at, now) {
            let id = session.account.as_str();
            let note = Note::done(id, "session_over", id);
            self.store.end_session(digest, note, now).await?;
            return Ok(None);
        }
        let Some(mut row) = self.store.account(&session.account).await? else { return Ok(None) };
        if row.ended_at.is_some() {
            return Ok(None);
        }
        // Rights beyond one's own that two agreed to, while they last.
        for glass in self.store.broken_glass_of(&row.account.id, now).await? {
            row.account.grants.entry(Scope::Site(glass.site)).or_default().insert(glass.role);
        }
        if is_use && now.duration_since(session.used_at) > USE_NOTED_EVERY {
            self.store.use_session(digest, now).await?;
        }
        Ok(Some(Actor {
            account: row.account,
            session: Some(digest),
            must_change: row.must_change,
        }))
    }

    /// Whether somebody who was let in a while ago still would be: for what goes on, a stream.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_still_in(&self, actor: &Actor) -> Result<bool, StoreError> {
        let Some(digest) = actor.session else { return Ok(!self.has_accounts().await?) };
        let Some(session) = self.store.session(&digest).await? else { return Ok(false) };
        Ok(Limits::DESK.hold(session.begun_at, session.used_at, self.clock.now()))
    }

    /// Nobody, but in a demonstration that nobody locked: its supervisor.
    async fn nobody(&self) -> Result<Option<Actor>, StoreError> {
        if self.sign_in == SignIn::Required || self.has_accounts().await? {
            return Ok(None);
        }
        Ok(Some(Actor {
            account: Account {
                id: DEMONSTRATION.parse().expect("a literal that is an id"),
                name: "Demonstration".to_owned(),
                grants: [(Scope::Everywhere, [Role::Supervisor, Role::Auditor].into())].into(),
            },
            session: None,
            must_change: false,
        }))
    }

    /// Whether anybody has an account. One that is there stays; that there is none is looked up
    /// again after a moment, not at each request.
    async fn has_accounts(&self) -> Result<bool, StoreError> {
        let looked = *self.known.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = looked.is_some_and(|at: Instant| at.elapsed() < LOOK_AGAIN);
        if self.known.there.load(Ordering::Relaxed) || lately {
            return Ok(self.known.there.load(Ordering::Relaxed));
        }
        let there = self.store.has_accounts().await?;
        self.known.there.fetch_or(there, Ordering::Relaxed);
        *self.known.looked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Ok(there)
    }

    /// The time of sessions and of the audit: the machine's, also in a demonstration.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sign_out(&self, actor: &Actor) -> Result<(), StoreError> {
        let Some(session) = actor.session else { return Ok(()) };
        let note = Note::done(actor.id(), "sign_out", actor.id());
        self.store.end_session(session, note, self.clock.now()).await
    }

    /// Checks the audit's chain: what is new since the last look, or all of it with `from_start`.
    /// Gives how many entries there are, and how many of them were looked at.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub async fn check_audit(
        &self,
        from_start: bool,
    ) -> Result<Result<(u64, u64), Broken>, StoreError> {
        let seen = *self.known.audit.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen.filter(|_| !from_start);
        let walk = match seen {
            // What was seen must still be there as it was.
            Some((number, link)) if self.store.audit_link(number).await? == Some(link) => {
                Walk::after(number, link)
            }
            Some((number, _)) => return Ok(Err(Broken::Altered(number))),
            None => Walk::default(),
        };
        let begun = walk.last();
        Ok(match self.store.verify_audit_after(walk).await? {
            Ok((last, link)) => {
                let mark = (last > 0).then_some((last, link));
                *self.known.audit.lock().unwrap_or_else(PoisonError::into_inner) = mark;
                Ok((last, last - begun))
            }
            Err(broken) => Err(broken),
        })
    }

    /// Keeps a note.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn note(&self, note: Note) -> Result<(), PeopleError> {
        Ok(self.store.note(note, self.clock.now()).await?)
    }
}

/// Whether a password fits; takes as long when there is no such account.
async fn fits(hash: Option<Hash>, secret: String) -> Result<bool, PeopleError> {
    let work = tokio::task::spawn_blocking(move || match hash {
        Some(hash) => Ok(hash.fits(&secret)),
        None => Hash::of(&secret).map(|_| false),
    });
    Ok(work.await.map_err(|_| PeopleError::Died)??)
}

async fn hashed(secret: String) -> Result<Hash, PeopleError> {
    let work = tokio::task::spawn_blocking(move || Hash::of(&secret));
    Ok(work.await.map_err(|_| PeopleError::Died)??)
}

/// The account of a demonstration that nobody locked.
pub const DEMONSTRATION: &str = "demonstration";
const FACTOR: &[u8] = b"tidewaiter/second-factor/v1\0";
const AGENT_MAX: usize = 200;
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// A session's last use is kept to the minute.
const USE_NOTED_EVERY: jiff::SignedDuration = jiff::SignedDuration::from_mins(1);
