//! The authority's own sign-in: OpenID Connect, authorization code with PKCE (S256), groups to
//! roles. The browser carries what belongs to the attempt, sealed; nothing is kept here meanwhile,
//! so that any replica may take the answer.
//!
//! Signatures are `ring`'s, connections are `ureq`'s over rustls with the authority's own roots.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tidewaiter_people::account::{Account, AccountId, Scope};
use tidewaiter_people::audit::Outcome;
use tidewaiter_people::role::Role;
use tidewaiter_people::session::{Token, TokenDigest};
use tidewaiter_proto::seal::random;

use super::{AGENT_MAX, People, PeopleError, Shown};
use crate::configuration::Outside as Configured;
use crate::store::{AccountRow, Note, SessionRow};

mod provider;
mod token;

use provider::Provider;
pub use provider::ProviderError;
pub use token::NotAToken;

/// The authority's sign-in. Clones share what is known of its provider.
#[derive(Clone, Debug)]
pub struct Outside {
    configured: Arc<Configured>,
    provider: Arc<Provider>,
}

/// What an attempt is known by until its answer comes; sealed in a cookie.
#[derive(Debug, Serialize, Deserialize)]
struct Attempt {
    state: String,
    nonce: String,
    verifier: String,
    back: String,
    begun: Timestamp,
}

/// Why the authority's sign-in let nobody in. The browser is told none of it.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// There is no attempt that this could be the answer to.
    #[error("the answer belongs to no attempt of this browser, or came too late")]
    NoAttempt,
    /// The provider says no.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// The provider cannot be asked, or does not answer as it must.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// Its token is not to be believed.
    #[error(transparent)]
    Token(#[from] NotAToken),
    /// None of the person's groups has a role here.
    #[error("none of the groups of {0} has a role here")]
    NoRole(String),
    /// The account was ended here.
    #[error("the account {0} was ended")]
    Ended(AccountId),
    /// The server failed.
    #[error(transparent)]
    Failed(#[from] PeopleError),
}

/// Who somebody is, as the provider's token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
    /// The provider's own name for the person: never another's.
    pub subject: String,
    /// What they are called there.
    pub username: Option<String>,
    /// Their name.
    pub name: Option<String>,
    /// Their groups.
    pub groups: BTreeSet<String>,
}

impl Outside {
    /// The authority's sign-in as configured. Nothing is asked of the provider yet.
    ///
    /// # Errors
    /// When a file of the configuration cannot be used.
    pub fn new(configured: Configured) -> anyhow::Result<Self> {
        let provider = Arc::new(Provider::new(&configured)?);
        Ok(Self { configured: Arc::new(configured), provider })
    }

    /// Roles by site of somebody with these groups.
    fn grants(&self, groups: &BTreeSet<String>) -> BTreeMap<Scope, BTreeSet<Role>> {
        let mut grants: BTreeMap<Scope, BTreeSet<Role>> = BTreeMap::new();
        for group in self.configured.groups.iter().filter(|group| groups.contains(&group.name)) {
            grants.entry(Scope::from(group.site.clone())).or_default().insert(group.role);
        }
        grants
    }
}

impl People {
    /// Begins an attempt: where the browser goes, and what it carries until the answer.
    ///
    /// # Errors
    /// [`OutsideError`].
    pub async fn go_outside(
        &self,
        outside: &Outside,
        back: &str,
    ) -> Result<(String, String), OutsideError> {
        let drawn = || random::<32>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        let attempt = Attempt {
            state: drawn().map_err(PeopleError::from)?,
            nonce: drawn().map_err(PeopleError::from)?,
            verifier: drawn().map_err(PeopleError::from)?,
            back: back.to_owned(),
            begun: self.clock.now(),
        };
        let provider = outside.provider.clone();
        let found = blocking(move || provider.discovered()).await?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(attempt.verifier.as_bytes()));
        let encode = tidewaiter_web::entry::encode;
        let mark = if found.authorization_endpoint.contains('?') { '&' } else { '?' };
        let address = format!(
            "{}{mark}response_type=code&client_id={}&redirect_uri={}&scope=openid%20profile&\
             state={}&nonce={}&code_challenge={challenge}&code_challenge_method=S256",
            found.authorization_endpoint,
            encode(&outside.configured.client_id),
            encode(&outside.configured.redirect),
            attempt.state,
            attempt.nonce,
        );
        let text = serde_json::to_string(&attempt).map_err(|_| OutsideError::NoAttempt)?;
        let sealed = self.vault.seal_as(ATTEMPT, &text).map_err(PeopleError::from)?;
        Ok((address, URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Takes the provider's answer; gives the session's token and where the browser was going.
    ///
    /// # Errors
    /// [`OutsideError`]; it stands in the audit.
    pub async fn come_in(
        &self,
        outside: &Outside,
        carried: &str,
        (code, state): (&str, &str),
        shown: Shown,
        before: Option<TokenDigest>,
    ) -> Result<(Token, String), OutsideError> {
        let done = self.let_in(outside, carried, (code, state), &shown, before).await;
        if let Err(error) = &done {
            let note = Note::done("", "sign_in_outside", "")
                .ended(Outcome::Denied)
                .with("address", shown.address.clone())
                .with("why", kind_of(error));
            self.note(note).await?;
        }
        done
    }

    async fn let_in(
        &self,
        outside: &Outside,
        carried: &str,
        (code, state): (&str, &str),
        shown: &Shown,
        before: Option<TokenDigest>,
    ) -> Result<(Token, String), OutsideError> {
        let now = self.clock.now();
        let attempt = self.attempt(carried).ok_or(OutsideError::NoAttempt)?;
        let age = now.duration_since(attempt.begun);
        let in_time = !age.is_negative() && age < ATTEMPT_LASTS;
        if attempt.state != state || !in_time {
            return Err(OutsideError::NoAttempt);
        }
        let (provider, code) = (outside.provider.clone(), code.to_owned());
        let (verifier, nonce) = (attempt.verifier.clone(), attempt.nonce.clone());
        let stranger = blocking(move || {
            let answer = provider.token(&code, &verifier)?;
            provider.believed(&answer, &nonce, now)
        })
        .await?;
        let account = self.account_of(outside, stranger, now).await?;
        let token = Token::new().map_err(|_| PeopleError::NoRandomness)?;
        let session = SessionRow {
            digest: Token::digest_of(token.as_str()),
            account: account.id.clone(),
            begun_at: now,
            used_at: now,
            address: shown.address.clone(),
            agent: shown.agent.chars().take(AGENT_MAX).collect(),
        };
        let id = account.id.as_str();
        let note = Note::done(id, "sign_in", id)
            .with("address", shown.address.clone())
            .with("by", outside.configured.issuer.clone());
        let begun = self.store.begin_session(session, None, before, note).await;
        begun.map_err(PeopleError::from)?;
        Ok((token, attempt.back))
    }

    fn attempt(&self, carried: &str) -> Option<Attempt> {
        let sealed = URL_SAFE_NO_PAD.decode(carried).ok()?;
        serde_json::from_slice(&self.vault.open_as(ATTEMPT, &sealed)?).ok()
    }

    /// The account here of somebody from outside: made at the first sign-in, its roles those of
    /// the groups at each.
    async fn account_of(
        &self,
        outside: &Outside,
        stranger: Stranger,
        now: Timestamp,
    ) -> Result<Account, OutsideError> {
        let key = format!("{}|{}", outside.configured.issuer, stranger.subject);
        let grants = super::manage::checked_grants(outside.grants(&stranger.groups))?;
        let known = self.store.account_outside(&key).await.map_err(PeopleError::from)?;
        if grants.is_empty() {
            let who = known.map_or_else(|| "somebody".to_owned(), |row| row.account.id.to_string());
            return Err(OutsideError::NoRole(who));
        }
        let Some(mut row) = known else {
            return self.new_account(key, &stranger, grants, now).await;
        };
        if row.ended_at.is_some() {
            return Err(OutsideError::Ended(row.account.id));
        }
        if row.account.grants != grants {
            let note =
                Note::done(row.account.id.as_str(), "account_altered", row.account.id.as_str())
                    .with("reason", "groups at the authority's sign-in")
                    .with("before", super::manage::said(&row.account.grants))
                    .with("after", super::manage::said(&grants));
            row.account.grants = grants;
            let done = self.store.alter_account(row.clone(), true, note, now).await;
            done.map_err(PeopleError::from)?;
        }
        Ok(row.account)
    }

    async fn new_account(
        &self,
        key: String,
        stranger: &Stranger,
        grants: BTreeMap<Scope, BTreeSet<Role>>,
        now: Timestamp,
    ) -> Result<Account, OutsideError> {
        let digest = hex::encode(Sha256::digest(key.as_bytes()));
        let fallback = format!("x-{}", digest.get(..12).unwrap_or_default());
        let wanted = stranger.username.as_deref().and_then(|name| name.parse::<AccountId>().ok());
        let free = match wanted {
            // An account that is there already is somebody's: a name outside proves nothing here.
            Some(id) if self.free(&id).await? => Some(id),
            _ => None,
        };
        let id = match free {
            Some(id) => id,
            None => fallback.parse().map_err(PeopleError::from)?,
        };
        let name = stranger.name.clone().or_else(|| stranger.username.clone());
        let name = super::manage::checked_name(&name.unwrap_or_else(|| id.to_string()))?;
        let account = Account { id: id.clone(), name, grants };
        let note = Note::done(id.as_str(), "account_made", id.as_str())
            .with("by", "the authority's sign-in")
            .with("after", super::manage::said(&account.grants));
        let made = self.store.make_account(account.clone(), None, false, note, now).await;
        made.map_err(PeopleError::from)?;
        let row = AccountRow { outside: Some(key), ..self.row(&id).await? };
        let note = Note::done(id.as_str(), "account_linked", id.as_str());
        let done = self.store.alter_account(row, false, note, now).await;
        done.map_err(PeopleError::from)?;
        Ok(account)
    }

    async fn free(&self, id: &AccountId) -> Result<bool, OutsideError> {
        Ok(self.store.account(id).await.map_err(PeopleError::from)?.is_none())
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OutsideError> + Send + 'static,
) -> Result<T, OutsideError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| OutsideError::Failed(PeopleError::Died))?
}

/// What the audit says of a failure: no text of the provider's, which may name a person.
fn kind_of(error: &OutsideError) -> &'static str {
    match error {
        OutsideError::NoAttempt => "no attempt",
        OutsideError::Refused(_) => "refused by the provider",
        OutsideError::Provider(_) => "the provider does not answer",
        OutsideError::Token(_) => "the token is not believed",
        OutsideError::NoRole(_) => "no role",
        OutsideError::Ended(_) => "ended",
        OutsideError::Failed(_) => "failed",
    }
}

const ATTEMPT: &[u8] = b"tidewaiter/outside/v1\0";
const ATTEMPT_LASTS: SignedDuration = SignedDuration::from_mins(10);
