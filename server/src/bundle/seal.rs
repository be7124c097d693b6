//! The signature of a manifest: minisign, so that it can be checked with the plain tool.

use std::io::Cursor;
use std::path::Path;

use minisign::{PublicKey, PublicKeyBox, SecretKey, SecretKeyBox, SignatureBox};

use crate::disk;

/// Signs manifests.
pub struct Signer {
    secret: SecretKey,
}

/// Checks manifests of one server.
#[derive(Clone, Debug)]
pub struct Checker {
    public: PublicKey,
}

/// Why a signature cannot be made or does not hold.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key's file.
    #[error(transparent)]
    Disk(#[from] disk::DiskError),
    /// The key is not valid.
    #[error("{file} holds no minisign key: {problem}")]
    Key {
        /// Which file.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The signature cannot be made.
    #[error("the manifest cannot be signed: {0}")]
    Sign(String),
    /// The signature does not hold.
    #[error("{0}")]
    Verify(String),
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(…)")
    }
}

impl Signer {
    /// The signer with the secret key in a file.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn read(file: &Path) -> Result<Self, SealError> {
        let text = disk::read_text(file)?;
        let wrong = |error: minisign::PError| SealError::Key {
            file: file.display().to_string(),
            problem: error.to_string(),
        };
        let secret = SecretKeyBox::from_string(&text)
            .and_then(SecretKeyBox::into_unencrypted_secret_key)
            .map_err(wrong)?;
        Ok(Self { secret })
    }

    /// Signs a manifest; `comment` is signed with it.
    ///
    /// # Errors
    /// [`SealError::Sign`].
    pub fn sign(&self, manifest: &[u8], comment: &str) -> Result<String, SealError> {
        minisign::sign(
            None,
            &self.secret,
            Cursor::new(manifest),
            Some(comment),
            Some("signature of a tidewaiter bundle"),
        )
        .map(SignatureBox::into_string)
        .map_err(|error| SealError::Sign(error.to_string()))
    }
}

impl Checker {
    /// The checker with the public key in a file.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn read(file: &Path) -> Result<Self, SealError> {
        let text = disk::read_text(file)?;
        let public = PublicKeyBox::from_string(&text).and_then(PublicKeyBox::into_public_key);
        public.map(|public| Self { public }).map_err(|error| SealError::Key {
            file: file.display().to_string(),
            problem: error.to_string(),
        })
    }

    /// Checks a manifest's signature.
    ///
    /// # Errors
    /// [`SealError::Verify`].
    pub fn check(&self, manifest: &[u8], signature: &str) -> Result<(), SealError> {
        let wrong = |error: minisign::PError| SealError::Verify(error.to_string());
        let signature = SignatureBox::from_string(signature).map_err(wrong)?;
        minisign::verify(&self.public, &signature, Cursor::new(manifest), true, false, false)
            .map_err(wrong)
    }
}
