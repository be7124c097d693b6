//! The second factor: time-based one-time passwords (RFC 6238), six digits, 30 seconds, SHA-1,
//! since that is what every authenticator reads.

use jiff::Timestamp;
use totp_rs::{Algorithm, Builder, Secret, Totp};

/// A person's second factor: 160 random bits shared with their authenticator.
#[derive(Clone)]
pub struct SecondFactor(Totp);

/// Not a second factor's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a second factor's secret: expected base32 of at least 16 bytes")]
pub struct NotASecret;

const BYTES: usize = 20;

impl SecondFactor {
    /// A new one.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = vec![0; BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(Self::with(Secret::from(bytes)).expect("20 bytes are as long as RFC 4226 asks")))
    }

    /// A stored one.
    ///
    /// # Errors
    /// [`NotASecret`].
    pub fn stored(base32: &str) -> Result<Self, NotASecret> {
        Self::with(Secret::try_from_base32(base32).map_err(|_| NotASecret)?)
            .map(Self)
            .ok_or(NotASecret)
    }

    fn with(secret: Secret) -> Option<Totp> {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_skew(1)
            .with_step_duration(30)
            .with_secret(secret)
            .build()
            .ok()
    }

    /// As stored, and as typed into an authenticator.
    pub fn base32(&self) -> String {
        self.0.secret().to_base32()
    }

    /// What an authenticator reads from a QR code.
    pub fn address(&self, account: &str) -> String {
        format!(
            "otpauth://totp/Tidewaiter:{account}?secret={}&issuer=Tidewaiter&algorithm=SHA1&digits=6&period=30",
            self.base32()
        )
    }

    /// The step a code belongs to, when it is right now or one step away and its step comes after
    /// `last`, the last one used: a code seen over a shoulder works once.
    pub fn step(&self, code: &str, last: Option<u64>, now: Timestamp) -> Option<u64> {
        let seconds = u64::try_from(now.as_second()).ok()?;
        let plain: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let step = self.0.check(&plain, seconds)?;
        last.is_none_or(|last| step > last).then_some(step)
    }

    /// The code of a moment: what the authenticator shows.
    pub fn code(&self, at: Timestamp) -> Option<String> {
        let seconds = u64::try_from(at.as_second()).ok()?;
        Some(self.0.generate(seconds).to_string())
    }
}

impl std::fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecondFactor(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::SecondFactor;
    use jiff::{SignedDuration, Timestamp};

    /// RFC 6238, appendix B, SHA-1, the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let factor = SecondFactor::stored("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        for (second, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924")]
        {
            let at = Timestamp::from_second(second).unwrap();
            assert_eq!(factor.code(at).as_deref(), Some(code));
        }
    }

    #[test]
    fn a_code_works_once_and_not_for_long() {
        let factor = SecondFactor::new().unwrap();
        let again = SecondFactor::stored(&factor.base32()).unwrap();
        let now: Timestamp = "2026-11-25T12:00:10Z".parse().unwrap();
        let code = factor.code(now).unwrap();
        let step = again.step(&code, None, now).unwrap();
        assert_eq!(again.step(&code, Some(step), now), None, "used");
        let late = now + SignedDuration::from_secs(30);
        assert_eq!(again.step(&code, None, late), Some(step), "one step late");
        let too_late = now + SignedDuration::from_secs(90);
        assert_eq!(again.step(&code, None, too_late), None);
        for wrong in ["", "12345", "abcdef", "1234567", "１２３４５６"] {
            assert_eq!(again.step(wrong, None, now), None, "{wrong:?}");
        }
        assert!(SecondFactor::stored("AAAA").is_err());
        assert!(SecondFactor::stored("not base 32 !").is_err());
    }
}
