//! The one-time code of the first start: whoever holds it makes the first administrator.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A code to be shown once and typed once.
#[derive(Clone)]
pub struct SetupCode(String);

/// What is kept of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupDigest(pub [u8; 32]);

/// Letters that cannot be taken for one another when read from a screen.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const GROUPS: usize = 5;
const GROUP: usize = 5;

impl SetupCode {
    /// A new code of 125 random bits.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; GROUPS * GROUP];
        getrandom::fill(&mut bytes)?;
        let mut text = String::new();
        for (number, byte) in bytes.iter().enumerate() {
            if number > 0 && number % GROUP == 0 {
                text.push('-');
            }
            text.push(char::from(LETTERS[usize::from(byte % 32)]));
        }
        Ok(Self(text))
    }

    /// The code, to be shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn digest(&self) -> SetupDigest {
        SetupDigest::of(&self.0)
    }
}

impl std::fmt::Debug for SetupCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SetupCode(..)")
    }
}

impl SetupDigest {
    fn of(text: &str) -> Self {
        let plain: String = text
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_uppercase())
            .collect();
        Self(Sha256::digest(plain.as_bytes()).into())
    }

    /// Whether this is the code, however it was typed: small letters, with or without dashes.
    pub fn fits(&self, typed: &str) -> bool {
        Self::of(typed).0.ct_eq(&self.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::SetupCode;

    #[test]
    fn a_code_fits_as_people_type_it_and_no_other_does() {
        let code = SetupCode::new().unwrap();
        assert_eq!(code.as_str().len(), 29);
        let digest = code.digest();
        assert!(digest.fits(code.as_str()));
        assert!(digest.fits(&code.as_str().to_ascii_lowercase().replace('-', " ")));
        assert!(!digest.fits(""));
        assert!(!digest.fits(SetupCode::new().unwrap().as_str()));
    }
}
