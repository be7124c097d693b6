//! Passwords: what is good enough, hashing, checking.
//!
//! Argon2id with 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet). Both hashing
//! and checking take tens of milliseconds of a core: callers keep them off the threads that serve.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

/// Why a password is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotGoodEnough {
    /// Too short.
    #[error("a password has at least {SHORTEST} characters; this has {0}")]
    Short(usize),
    /// Too long.
    #[error("a password has at most {LONGEST} characters; this has {0}")]
    Long(usize),
    /// Among the first that anybody tries.
    #[error("this password, or what it is made of, is among the first that anybody tries")]
    Common,
    /// Holds the account's own name.
    #[error("a password must not contain the name of its account")]
    Named,
}

/// A password's hash, as stored: a PHC string.
#[derive(Clone, PartialEq, Eq)]
pub struct Hash(String);

/// Hashing failed: no random bytes, or a stored hash that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the password cannot be hashed: {0}")]
pub struct HashError(String);

/// Fewest characters (NIST SP 800-63B asks for 8 with, ASVS v5.0.0-6.2.1 recommends 15).
pub const SHORTEST: usize = 12;
/// Most characters: what is hashed is bounded.
pub const LONGEST: usize = 128;

/// Whether a new password is good enough for an account.
///
/// # Errors
/// [`NotGoodEnough`].
pub fn check_new(password: &str, account: &str) -> Result<(), NotGoodEnough> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Err(NotGoodEnough::Short(length));
    }
    if length > LONGEST {
        return Err(NotGoodEnough::Long(length));
    }
    let small = password.to_lowercase();
    if account.len() >= 3 && small.contains(&account.to_lowercase()) {
        return Err(NotGoodEnough::Named);
    }
    if is_common(&small) {
        return Err(NotGoodEnough::Common);
    }
    Ok(())
}

/// A common word, whatever digits and marks stand around it; or few different characters, or a row
/// of the keyboard or the alphabet.
fn is_common(small: &str) -> bool {
    let mut seen: Vec<char> = small.chars().collect();
    seen.sort_unstable();
    seen.dedup();
    if seen.len() < 5 {
        return true;
    }
    let word = small.trim_matches(|c: char| !c.is_alphabetic());
    let letters = |read: fn(char) -> char| -> String {
        word.chars().map(read).filter(|c| c.is_alphabetic()).collect()
    };
    (!word.is_empty() && (is_common_words(&letters(|c| c)) || is_common_words(&letters(unmasked))))
        || ROWS.iter().any(|row| row.contains(small) || small.contains(row))
}

/// The letter that a digit or mark commonly stands for.
fn unmasked(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        other => other,
    }
}

/// Made of nothing but common words: "password" twice is no better than once.
fn is_common_words(letters: &str) -> bool {
    let mut rest = letters;
    while let Some(word) = COMMON.iter().find(|word| rest.starts_with(*word)) {
        rest = rest.get(word.len()..).unwrap_or_default();
    }
    rest.is_empty()
}

/// What the published lists of the most used passwords begin with, as words.
const COMMON: &[&str] = &[
    "password",
    "passwort",
    "passw",
    "qwerty",
    "qwertz",
    "azerty",
    "admin",
    "administrator",
    "welcome",
    "letmein",
    "iloveyou",
    "monkey",
    "dragon",
    "master",
    "login",
    "princess",
    "football",
    "baseball",
    "sunshine",
    "shadow",
    "superman",
    "batman",
    "trustnoi",
    "starwars",
    "whatever",
    "michael",
    "jordan",
    "hello",
    "secret",
    "changeme",
    "customs",
    "tidewaiter",
    "abc",
    "test",
    "user",
    "root",
    "officer",
    "supervisor",
    "summer",
    "winter",
    "spring",
    "autumn",
];

const ROWS: &[&str] =
    &["1234567890", "0987654321", "qwertyuiop", "asdfghjkl", "abcdefghijkl", "йцукенгшщз"];

fn hasher() -> Result<Argon2<'static>, HashError> {
    let parameters =
        Params::new(19 * 1024, 2, 1, None).map_err(|error| HashError(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters))
}

impl Hash {
    /// The hash of a password, with a salt of its own.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn of(password: &str) -> Result<Self, HashError> {
        hasher()?
            .hash_password(password.as_bytes())
            .map(|hash| Self(hash.to_string()))
            .map_err(|error| HashError(error.to_string()))
    }

    /// A stored hash.
    ///
    /// # Errors
    /// When it is no PHC string.
    pub fn stored(text: &str) -> Result<Self, HashError> {
        PasswordHash::new(text).map_err(|error| HashError(error.to_string()))?;
        Ok(Self(text.to_owned()))
    }

    /// As stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the password.
    pub fn fits(&self, password: &str) -> bool {
        if password.chars().count() > LONGEST {
            return false;
        }
        PasswordHash::new(&self.0)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hash(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::{Hash, NotGoodEnough, check_new};

    #[test]
    fn what_anybody_tries_is_not_taken() {
        for password in [
            "Password123!!",
            "passwordpassword",
            "P@ssw0rd2026!",
            "qwertyuiop12",
            "aaaaaaaaaaaab",
            "123456789012",
            "AdminAdmin2026",
            "customs-2026-customs",
        ] {
            assert_eq!(check_new(password, "k-17"), Err(NotGoodEnough::Common), "{password}");
        }
        for password in ["grey heron at low tide", "горох-ветер-лампа", "x9Kf2-mmQ7-ptz"]
        {
            assert_eq!(check_new(password, "s-2"), Ok(()), "{password}");
        }
        assert_eq!(check_new("short", "s-2"), Err(NotGoodEnough::Short(5)));
        assert_eq!(check_new("my kimsungho pass", "KimSungHo"), Err(NotGoodEnough::Named));
        assert!(matches!(check_new(&"long ".repeat(30), "s-2"), Err(NotGoodEnough::Long(150))));
    }

    #[test]
    fn a_hash_fits_its_password_alone_and_is_argon2id() {
        let hash = Hash::of("grey heron at low tide").unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let read = Hash::stored(hash.as_str()).unwrap();
        assert!(read.fits("grey heron at low tide"));
        assert!(!read.fits("grey heron at low tidf"));
        assert!(!read.fits(""));
        assert_ne!(Hash::of("grey heron at low tide").unwrap(), hash, "each has its own salt");
        assert!(Hash::stored("plain").is_err());
        assert!(!format!("{hash:?}").contains("argon2"));
    }
}
