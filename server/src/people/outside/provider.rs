//! The provider over the network: what it says of itself, its keys, and a code for a token. All of
//! it blocks: callers keep it off the tasks that serve.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

use super::token::{Expected, Keys, believed};
use super::{OutsideError, Stranger};
use crate::configuration::Outside as Configured;
use crate::disk;

/// Why the provider cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It does not answer.
    #[error("{address} does not answer: {problem}")]
    Silent {
        /// What was asked.
        address: String,
        /// Why not.
        problem: String,
    },
    /// It calls itself otherwise than configured.
    #[error("the provider calls itself {found:?}, configured is {expected:?}")]
    OtherIssuer {
        /// What it says.
        found: String,
        /// What it must say.
        expected: String,
    },
}

/// What a provider says of itself (OpenID Connect Discovery).
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Discovered {
    issuer: String,
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: String,
}

/// The provider of a configuration, with what was found out about it.
pub(super) struct Provider {
    agent: ureq::Agent,
    issuer: String,
    client: String,
    secret: Option<String>,
    redirect: String,
    groups_claim: String,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    discovered: Option<(Instant, Discovered)>,
    keys: Option<(Instant, Keys)>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Provider({})", self.issuer)
    }
}

impl Provider {
    pub(super) fn new(configured: &Configured) -> anyhow::Result<Self> {
        let roots = match &configured.authority {
            Some(file) => {
                let text = disk::read_text(file)?;
                let mut roots = Vec::new();
                for piece in ureq::tls::parse_pem(text.as_bytes()) {
                    let piece = piece.with_context(|| format!("{}: not PEM", file.display()))?;
                    if let ureq::tls::PemItem::Certificate(certificate) = piece {
                        roots.push(certificate);
                    }
                }
                if roots.is_empty() {
                    bail!("{}: no certificate in it", file.display());
                }
                roots
            }
            None => Vec::<Certificate<'static>>::new(),
        };
        let provider = rustls::crypto::ring::default_provider();
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .unversioned_rustls_crypto_provider(Arc::new(provider))
            .build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .https_only(!configured.issuer.starts_with("http://"))
            .timeout_global(Some(TIMEOUT))
            .max_redirects(0)
            .build()
            .new_agent();
        let secret = match &configured.client_secret_file {
            Some(file) => Some(disk::read_text(file)?.trim().to_owned()),
            None => None,
        };
        Ok(Self {
            agent,
            issuer: configured.issuer.clone(),
            client: configured.client_id.clone(),
            secret,
            redirect: configured.redirect.clone(),
            groups_claim: configured.groups_claim.clone(),
            known: Mutex::default(),
        })
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the provider says of itself; asked again after a while.
    pub(super) fn discovered(&self) -> Result<Discovered, OutsideError> {
        if let Some((at, found)) = &self.known().discovered
            && at.elapsed() < KEPT
        {
            return Ok(found.clone());
        }
        let issuer = self.issuer.trim_end_matches('/');
        let found: Discovered = self.get(&format!("{issuer}/.well-known/openid-configuration"))?;
        if found.issuer != self.issuer {
            let (found, expected) = (found.issuer, self.issuer.clone());
            return Err(ProviderError::OtherIssuer { found, expected }.into());
        }
        self.known().discovered = Some((Instant::now(), found.clone()));
        Ok(found)
    }

    /// The ID token for a code.
    pub(super) fn token(&self, code: &str, verifier: &str) -> Result<String, OutsideError> {
        let address = self.discovered()?.token_endpoint;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect),
            ("client_id", &self.client),
            ("code_verifier", verifier),
        ];
        let mut request = self.agent.post(&address).header("accept", "application/json");
        if let Some(secret) = &self.secret {
            let encode = tidewaiter_web::entry::encode;
            let pair = format!("{}:{}", encode(&self.client), encode(secret));
            request = request.header("authorization", format!("Basic {}", BASE64.encode(pair)));
        }
        let answer = request.send_form(form);
        match answer {
            Ok(mut answer) => {
                let read = answer.body_mut().with_config().limit(BYTES_MAX).read_json();
                let token: TokenAnswer =
                    read.map_err(|error| silent(&address, &error.to_string()))?;
                Ok(token.id_token)
            }
            Err(ureq::Error::StatusCode(status)) => Err(OutsideError::Refused(status.to_string())),
            Err(error) => Err(silent(&address, &error.to_string()).into()),
        }
    }

    /// Who a token is about, when it is to be believed. Keys that are not known are asked for
    /// again: providers change them.
    pub(super) fn believed(
        &self,
        token: &str,
        nonce: &str,
        now: Timestamp,
    ) -> Result<Stranger, OutsideError> {
        let expected = Expected {
            issuer: &self.issuer,
            client: &self.client,
            nonce,
            groups_claim: &self.groups_claim,
            now,
        };
        Ok(believed(token, &self.keys(token)?, &expected)?)
    }

    fn keys(&self, token: &str) -> Result<Keys, OutsideError> {
        if let Some((at, keys)) = &self.known().keys {
            let lately = at.elapsed() < ASKED_LATELY;
            if (keys.has(token) && at.elapsed() < KEPT) || lately {
                return Ok(keys.clone());
            }
        }
        let keys: Keys = self.get(&self.discovered()?.jwks_uri)?;
        self.known().keys = Some((Instant::now(), keys.clone()));
        Ok(keys)
    }

    fn get<T: DeserializeOwned>(&self, address: &str) -> Result<T, ProviderError> {
        let answer = self.agent.get(address).header("accept", "application/json").call();
        let mut answer = answer.map_err(|error| silent(address, &error.to_string()))?;
        let read = answer.body_mut().with_config().limit(BYTES_MAX).read_json();
        read.map_err(|error| silent(address, &error.to_string()))
    }
}

fn silent(address: &str, problem: &str) -> ProviderError {
    ProviderError::Silent { address: address.to_owned(), problem: problem.to_owned() }
}

const TIMEOUT: Duration = Duration::from_secs(10);
const KEPT: Duration = Duration::from_hours(1);
const ASKED_LATELY: Duration = Duration::from_secs(5);
const BYTES_MAX: u64 = 256 * 1024;
