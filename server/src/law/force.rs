//! The law in force while the program runs: the pack that two persons agreed to last, else that of the
//! configuration, and the lists of the configuration. What changes is taken up without a restart;
//! what is not valid is refused, said in the log, and leaves what is in force alone.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use tidewaiter_risk::lists::ListDifference;
use tidewaiter_risk::policy::PolicyPack;
use tidewaiter_risk::screening::Index;
use tokio_util::sync::CancellationToken;

use super::{Law, PackFile, as_policy, files_in, lists};
use crate::configuration::Policy;
use crate::store::{Store, StoreError};

/// The law in force, for all parts of a process. Clones share it.
#[derive(Clone, Debug)]
pub struct Force {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    policy: Policy,
    law: RwLock<Arc<Law>>,
    seen: Mutex<Seen>,
}

/// What was there when the law was read last, or when it was tried to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    /// The pack that two persons agreed to.
    agreed: Option<String>,
    /// Files of the policy's directory.
    policy: Vec<FileSeen>,
    /// Files of the lists' directory.
    lists: Vec<FileSeen>,
}

/// A file by what changes when it does.
type FileSeen = (std::path::PathBuf, u64, Option<SystemTime>);

impl Force {
    /// The law in force at the start.
    ///
    /// # Errors
    /// When the pack or a list cannot be read or is not valid, or the store failed.
    pub async fn open(policy: &Policy, store: &Store) -> anyhow::Result<Self> {
        let seen = Seen::look(policy, store).await?;
        let law = read(policy, store, &seen).await?;
        let (law, seen) = (RwLock::new(Arc::new(law)), Mutex::new(seen));
        let (store, policy) = (store.clone(), policy.clone());
        Ok(Self { inner: Arc::new(Inner { store, policy, law, seen }) })
    }

    /// What is in force now.
    pub fn law(&self) -> Arc<Law> {
        Arc::clone(&self.inner.law.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks whether something changed, and takes it up.
    ///
    /// # Errors
    /// [`StoreError`]. A pack or list that is not valid is none: it is said in the log, once.
    pub async fn look(&self) -> Result<(), StoreError> {
        let inner = &self.inner;
        let now = Seen::look(&inner.policy, &inner.store).await?;
        let known = inner.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if now == known {
            return Ok(());
        }
        match read(&inner.policy, &inner.store, &now).await {
            Ok(law) => {
                let (versions, before) = (law.versions(), self.law().versions());
                if versions != before {
                    tracing::info!(?versions, "another law is in force");
                }
                let old = self.law();
                let lists = (old.lists.bundles(), law.lists.bundles());
                for (list, difference) in ListDifference::of_lists(lists.0, lists.1) {
                    tracing::info!(list, %difference, "a list has changed");
                }
                *inner.law.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(law);
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(error, "what changed is not valid: the law in force stays");
            }
        }
        *inner.seen.lock().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(())
    }

    /// Looks again and again, until `stop`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn follow(self, stop: CancellationToken) -> Result<(), StoreError> {
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(LOOK_EVERY) => self.look().await?,
            }
        }
    }
}

impl Seen {
    async fn look(policy: &Policy, store: &Store) -> Result<Self, StoreError> {
        let agreed = store.pack_agreed().await?;
        // A pack that two persons agreed to is not undone by a file.
        let directory = policy.directory.as_deref().filter(|_| agreed.is_none());
        let rules = directory.map(|directory| directory.join("rules"));
        let mut files = files_seen(directory);
        files.extend(files_seen(rules.as_deref()));
        Ok(Self { agreed, policy: files, lists: files_seen(policy.lists.as_deref()) })
    }
}

/// The files of a directory; none where it cannot be read, which reading it will say.
fn files_seen(directory: Option<&Path>) -> Vec<FileSeen> {
    let entries = directory.and_then(|directory| std::fs::read_dir(directory).ok());
    let mut files: Vec<FileSeen> = entries
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let about = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            Some((entry.path(), about.len(), about.modified().ok()))
        })
        .collect();
    files.sort();
    files
}

async fn read(policy: &Policy, store: &Store, seen: &Seen) -> anyhow::Result<Law> {
    let agreed = match &seen.agreed {
        Some(version) => {
            let files = store.pack(version).await?.context("the agreed policy is not there")?;
            Some(files.into_iter().map(|(name, text)| PackFile { name, text }).collect())
        }
        None => None,
    };
    let policy = policy.clone();
    // Lists take seconds to read.
    let reading = tokio::task::spawn_blocking(move || {
        let files: Vec<PackFile> = match agreed {
            Some(files) => files,
            None => files_in(policy.directory.as_deref())?,
        };
        let pack = PolicyPack::from_files(&as_policy(&files)).context("the policy is not valid")?;
        let lists = Index::new(lists(policy.lists.as_deref())?);
        Ok(Law { pack, files, lists })
    });
    reading.await.context("the law could not be read")?
}

const LOOK_EVERY: Duration = Duration::from_secs(1);
