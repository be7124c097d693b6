//! Sealed bodies, the key of each inspection, and the subject token.
//!
//! A body is encrypted with a key that belongs to one inspection. That key is kept outside the
//! chained bytes, wrapped twice: for the station (a symmetric key it holds) and for the server
//! (its X25519 public key). Destroying the wrapped keys erases what the inspection says about a
//! person and leaves every record and the chain as they were.
//!
//! | what | how |
//! |---|---|
//! | body | XChaCha20-Poly1305, random 24-byte nonce, the record's clear header as associated data |
//! | wrapped for the station | XChaCha20-Poly1305 under the station's key, key id as associated data |
//! | wrapped for the server | X25519 with a fresh key; HKDF-SHA-256; XChaCha20-Poly1305 with a zero nonce, key id as associated data |
//! | station's tag | first 16 bytes of HMAC-SHA-256 over a purpose and names, under the station's key |
//! | subject token | first 16 bytes of HMAC-SHA-256 over state ‖ 0x00 ‖ number, under the authority's key |

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use x25519_dalek::{PublicKey, StaticSecret};

/// Identifies the key of one inspection; random, in the clear header of its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 16]);

/// Identifies a travel document across the authority's stations without naming it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubjectToken(pub [u8; 16]);

/// The key of one inspection; never printed.
#[derive(Clone)]
pub struct BodyKey([u8; 32]);

/// The station's own wrapping key; never printed.
#[derive(Clone)]
pub struct StationKey([u8; 32]);

/// The server's secret key for opening wrapped keys; never printed.
#[derive(Clone)]
pub struct ServerSecret(StaticSecret);

/// The server's public key, to which stations wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerPublic(pub [u8; 32]);

/// The authority's key for subject tokens; never printed.
#[derive(Clone)]
pub struct SubjectKey([u8; 32]);

/// A body key wrapped for the station: nonce (24) ‖ ciphertext and tag (48).
pub type WrappedForStation = [u8; 72];
/// A body key wrapped for the server: ephemeral public key (32) ‖ ciphertext and tag (48).
pub type WrappedForServer = [u8; 80];

/// The one thing that can go wrong when opening: the key does not fit the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key does not open these bytes")]
pub struct CannotOpen;

/// The operating system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct NoRandomness;

/// Fills an array from the operating system's generator.
///
/// # Errors
/// [`NoRandomness`]; nothing may be sealed then.
pub fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

impl BodyKey {
    /// The key with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key itself, for a case file that others shall be able to open. What is handed over so
    /// can be opened for good, whatever is erased here later.
    pub fn disclosed(&self) -> [u8; 32] {
        self.0
    }

    /// Encrypts a body; `header` is bound to it.
    pub fn seal(&self, nonce: &[u8; 24], header: &[u8], body: &[u8]) -> Vec<u8> {
        encrypt(&self.0, nonce, header, body)
    }

    /// Decrypts a body.
    ///
    /// # Errors
    /// [`CannotOpen`] for another key, another header or altered bytes.
    pub fn open(
        &self,
        nonce: &[u8; 24],
        header: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, CannotOpen> {
        decrypt(&self.0, nonce, header, sealed)
    }

    /// Wraps the key for the station's own use.
    pub fn wrap_for_station(
        &self,
        id: KeyId,
        key: &StationKey,
        nonce: &[u8; 24],
    ) -> WrappedForStation {
        let mut wrapped = [0; 72];
        let sealed = encrypt(&key.0, nonce, &id.0, &self.0);
        let (head, tail) = wrapped.split_at_mut(24);
        head.copy_from_slice(nonce);
        tail.copy_from_slice(&sealed);
        wrapped
    }

    /// Opens a key wrapped for the station.
    ///
    /// # Errors
    /// [`CannotOpen`].
    pub fn unwrap_for_station(
        id: KeyId,
        key: &StationKey,
        wrapped: &WrappedForStation,
    ) -> Result<Self, CannotOpen> {
        let (nonce, sealed) = wrapped.split_first_chunk::<24>().ok_or(CannotOpen)?;
        Self::from_opened(&decrypt(&key.0, nonce, &id.0, sealed)?)
    }

    /// Wraps the key for the server; `ephemeral` is a fresh random secret.
    pub fn wrap_for_server(
        &self,
        id: KeyId,
        server: &ServerPublic,
        ephemeral: [u8; 32],
    ) -> WrappedForServer {
        let ephemeral = StaticSecret::from(ephemeral);
        let public = PublicKey::from(&ephemeral);
        let shared = ephemeral.diffie_hellman(&PublicKey::from(server.0));
        let key = wrapping_key(shared.as_bytes(), public.as_bytes(), &server.0);
        let sealed = encrypt(&key, &[0; 24], &id.0, &self.0);
        let mut wrapped = [0; 80];
        let (head, tail) = wrapped.split_at_mut(32);
        head.copy_from_slice(public.as_bytes());
        tail.copy_from_slice(&sealed);
        wrapped
    }

    /// Opens a key wrapped for the server.
    ///
    /// # Errors
    /// [`CannotOpen`].
    pub fn unwrap_for_server(
        id: KeyId,
        server: &ServerSecret,
        wrapped: &WrappedForServer,
    ) -> Result<Self, CannotOpen> {
        let (public, sealed) = wrapped.split_first_chunk::<32>().ok_or(CannotOpen)?;
        let shared = server.0.diffie_hellman(&PublicKey::from(*public));
        let key = wrapping_key(shared.as_bytes(), public, &server.public().0);
        Self::from_opened(&decrypt(&key, &[0; 24], &id.0, sealed)?)
    }

    fn from_opened(bytes: &[u8]) -> Result<Self, CannotOpen> {
        bytes.try_into().map(Self).map_err(|_| CannotOpen)
    }
}

impl StationKey {
    /// The key with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A keyed name: lets a station's own files be searched by inspection or event without
    /// holding their names. The parts are told apart by their lengths.
    pub fn tag(&self, purpose: &str, parts: &[&str]) -> [u8; 16] {
        keyed(&self.0, TAG, purpose, parts)
    }
}

/// The first half of an HMAC-SHA-256 over a purpose and parts, each with its length.
fn keyed(key: &[u8], domain: &[u8], purpose: &str, parts: &[&str]) -> [u8; 16] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .expect("HMAC takes a key of any length, and this one has 32 bytes");
    mac.update(domain);
    for part in std::iter::once(&purpose).chain(parts) {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    let full: [u8; 32] = mac.finalize().into_bytes().into();
    let mut tag = [0; 16];
    for (to, from) in tag.iter_mut().zip(full) {
        *to = from;
    }
    tag
}

impl ServerSecret {
    /// The secret with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(StaticSecret::from(bytes))
    }

    /// The public half.
    pub fn public(&self) -> ServerPublic {
        ServerPublic(PublicKey::from(&self.0).to_bytes())
    }

    /// A keyed name: lets the server's tables be searched for what they do not hold in the clear.
    /// The parts are told apart by their lengths.
    pub fn tag(&self, purpose: &str, parts: &[&str]) -> [u8; 16] {
        keyed(self.0.as_bytes(), SERVER_TAG, purpose, parts)
    }
}

impl SubjectKey {
    /// The key with these bytes, the same at all stations of an authority.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The token of a travel document. Case and fillers do not matter.
    pub fn token(&self, issuing_state: &str, number: &str) -> SubjectToken {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0)
            .expect("HMAC takes a key of any length, and this one has 32 bytes");
        let plain = |text: &str| -> String {
            text.chars()
                .filter(char::is_ascii_alphanumeric)
                .collect::<String>()
                .to_ascii_uppercase()
        };
        mac.update(SUBJECT);
        mac.update(plain(issuing_state).as_bytes());
        mac.update(&[0]);
        mac.update(plain(number).as_bytes());
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        let mut token = [0; 16];
        for (to, from) in token.iter_mut().zip(full) {
            *to = from;
        }
        SubjectToken(token)
    }
}

impl SubjectToken {
    /// The token as 32 hex digits.
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Debug for SubjectToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectToken({})", self.to_hex())
    }
}

macro_rules! secret {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )+};
}

secret!(BodyKey, StationKey, ServerSecret, SubjectKey);

fn wrapping_key(shared: &[u8; 32], ephemeral: &[u8; 32], server: &[u8; 32]) -> [u8; 32] {
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(Some(&[ephemeral.as_slice(), server].concat()), shared)
        .expand(WRAP, &mut key)
        .expect("HKDF-SHA-256 gives up to 8,160 bytes, and 32 are asked for");
    key
}

fn encrypt(key: &[u8; 32], nonce: &[u8; 24], aad: &[u8], plain: &[u8]) -> Vec<u8> {
    XChaCha20Poly1305::new(key.into())
        .encrypt(&XNonce::from(*nonce), Payload { msg: plain, aad })
        .expect("XChaCha20-Poly1305 only fails beyond 256 GiB")
}

fn decrypt(
    key: &[u8; 32],
    nonce: &[u8; 24],
    aad: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, CannotOpen> {
    XChaCha20Poly1305::new(key.into())
        .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad })
        .map_err(|_| CannotOpen)
}

const SUBJECT: &[u8] = b"tidewaiter/subject/v1\0";
const TAG: &[u8] = b"tidewaiter/station-tag/v1\0";
const SERVER_TAG: &[u8] = b"tidewaiter/server-tag/v1\0";
const WRAP: &[u8] = b"tidewaiter/wrap/v1";

#[cfg(test)]
mod tests {
    use super::{BodyKey, KeyId, ServerSecret, StationKey, SubjectKey};

    #[test]
    fn a_wrapped_key_opens_for_its_holder_only() {
        let body = BodyKey::from_bytes([1; 32]);
        let id = KeyId([2; 16]);
        let station = StationKey::from_bytes([3; 32]);
        let server = ServerSecret::from_bytes([4; 32]);
        let for_station = body.wrap_for_station(id, &station, &[5; 24]);
        let for_server = body.wrap_for_server(id, &server.public(), [6; 32]);
        assert_eq!(BodyKey::unwrap_for_station(id, &station, &for_station).unwrap().0, body.0);
        assert_eq!(BodyKey::unwrap_for_server(id, &server, &for_server).unwrap().0, body.0);
        let other = ServerSecret::from_bytes([9; 32]);
        assert!(BodyKey::unwrap_for_server(id, &other, &for_server).is_err());
        assert!(BodyKey::unwrap_for_server(KeyId([0; 16]), &server, &for_server).is_err());
    }

    #[test]
    fn a_body_opens_only_under_its_own_header() {
        let key = BodyKey::from_bytes([1; 32]);
        let sealed = key.seal(&[0; 24], b"header", b"body");
        assert_eq!(key.open(&[0; 24], b"header", &sealed).unwrap(), b"body");
        assert!(key.open(&[0; 24], b"headeR", &sealed).is_err());
    }

    #[test]
    fn the_subject_token_sees_the_document_and_not_its_spelling() {
        let key = SubjectKey::from_bytes([8; 32]);
        assert_eq!(key.token("PRK", "00000<0001"), key.token("prk", "000000001"));
        assert_ne!(key.token("PRK", "000000001"), key.token("PRK", "000000002"));
        assert_ne!(SubjectKey::from_bytes([9; 32]).token("PRK", "1"), key.token("PRK", "1"));
    }
}
