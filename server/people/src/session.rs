//! Tokens of sessions, and how long a session lasts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

/// What the browser holds: 256 random bits. Only its digest is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// SHA-256 of a token, as stored.
pub type TokenDigest = [u8; 32];

impl Token {
    /// A new token.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The text for the cookie.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digest of a token as a browser sent it.
    pub fn digest_of(text: &str) -> TokenDigest {
        Sha256::digest(text.as_bytes()).into()
    }

    /// What a form of this session carries, so that a page elsewhere cannot post in its name.
    pub fn form_token(session: &TokenDigest) -> String {
        let mut hash = Sha256::new();
        hash.update(b"tidewaiter/form/v1\0");
        hash.update(session);
        URL_SAFE_NO_PAD.encode(hash.finalize())
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

/// How long a session lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Without a request.
    pub idle: SignedDuration,
    /// In all.
    pub absolute: SignedDuration,
}

impl Limits {
    /// At the desk.
    pub const DESK: Self =
        Self { idle: SignedDuration::from_mins(30), absolute: SignedDuration::from_hours(12) };
    /// At a station.
    pub const STATION: Self =
        Self { idle: SignedDuration::from_mins(15), absolute: SignedDuration::from_hours(12) };

    /// Whether a session begun and last used then still holds.
    pub fn hold(&self, begun: Timestamp, used: Timestamp, now: Timestamp) -> bool {
        now.duration_since(begun) < self.absolute && now.duration_since(used) < self.idle
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, Token};
    use jiff::{SignedDuration, Timestamp};

    #[test]
    fn tokens_differ_are_long_and_are_not_printed() {
        let (one, two) = (Token::new().unwrap(), Token::new().unwrap());
        assert_ne!(one.as_str(), two.as_str());
        assert_eq!(one.as_str().len(), 43);
        assert!(!format!("{one:?}").contains(one.as_str()));
        let digest = Token::digest_of(one.as_str());
        assert_ne!(Token::form_token(&digest), Token::form_token(&Token::digest_of(two.as_str())));
    }

    #[test]
    fn a_session_ends_idle_and_in_all() {
        let begun: Timestamp = "2026-11-25T08:00:00Z".parse().unwrap();
        let at = |minutes| begun + SignedDuration::from_mins(minutes);
        assert!(Limits::DESK.hold(begun, at(0), at(29)));
        assert!(!Limits::DESK.hold(begun, at(0), at(30)));
        assert!(Limits::DESK.hold(begun, at(719), at(719)));
        assert!(!Limits::DESK.hold(begun, at(719), at(720)));
    }
}
