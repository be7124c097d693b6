//! An ID token: signed by the provider, for us, now, and for this attempt; or not believed.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;

use super::Stranger;

/// Why a token is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAToken {
    /// Not three parts of base64 with JSON in them.
    #[error("it is no ID token")]
    Shape,
    /// An algorithm that is not taken: none, HMAC, or one that nobody knows.
    #[error("it is signed with {0:?}; RS256 and ES256 are taken")]
    Algorithm(String),
    /// The provider has no such key.
    #[error("the provider has no key {0:?}")]
    Key(String),
    /// The signature does not fit.
    #[error("its signature does not verify")]
    Signature,
    /// A claim is not as it must be.
    #[error("its {0} is not as it must be")]
    Claim(&'static str),
}

/// The provider's keys (RFC 7517).
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Keys {
    keys: Vec<Key>,
}

#[derive(Clone, Debug, Deserialize)]
struct Key {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
    #[serde(default)]
    crv: String,
    #[serde(default)]
    x: String,
    #[serde(default)]
    y: String,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
}

/// What a token must say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client: &'a str,
    pub(super) nonce: &'a str,
    pub(super) groups_claim: &'a str,
    pub(super) now: Timestamp,
}

/// Reads and checks a token (OpenID Connect Core §3.1.3.7).
pub(super) fn believed(
    token: &str,
    keys: &Keys,
    expected: &Expected<'_>,
) -> Result<Stranger, NotAToken> {
    let (signed, signature) = token.rsplit_once('.').ok_or(NotAToken::Shape)?;
    let (header, claims) = signed.split_once('.').ok_or(NotAToken::Shape)?;
    let header: Header = serde_json::from_slice(&bytes(header)?).map_err(|_| NotAToken::Shape)?;
    keys.verify(&header, signed.as_bytes(), &bytes(signature)?)?;
    let claims: Value = serde_json::from_slice(&bytes(claims)?).map_err(|_| NotAToken::Shape)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let second = |name: &str| claims.get(name).and_then(Value::as_i64);
    let now = expected.now.as_second();
    if text("iss") != Some(expected.issuer) {
        return Err(NotAToken::Claim("issuer"));
    }
    let audience = strings(claims.get("aud"));
    let others = audience.len() > 1;
    if !audience.contains(expected.client)
        || (others && text("azp") != Some(expected.client))
        || text("azp").is_some_and(|party| party != expected.client)
    {
        return Err(NotAToken::Claim("audience"));
    }
    if second("exp").is_none_or(|end| end.saturating_add(SKEW) <= now) {
        return Err(NotAToken::Claim("end"));
    }
    if second("iat").is_none_or(|made| made > now + SKEW) {
        return Err(NotAToken::Claim("time of issue"));
    }
    if text("nonce") != Some(expected.nonce) {
        return Err(NotAToken::Claim("nonce"));
    }
    let subject = text("sub").filter(|subject| (1..=255).contains(&subject.len()));
    Ok(Stranger {
        subject: subject.ok_or(NotAToken::Claim("subject"))?.to_owned(),
        username: text("preferred_username").map(str::to_owned),
        name: text("name").map(str::to_owned),
        groups: strings(claims.get(expected.groups_claim)),
    })
}

impl Keys {
    /// Whether there is a key of this name.
    pub(super) fn has(&self, token: &str) -> bool {
        let header = token.split('.').next().and_then(|header| bytes(header).ok());
        let header = header.and_then(|header| serde_json::from_slice::<Header>(&header).ok());
        header.is_some_and(|header| self.keys.iter().any(|key| key.is(&header)))
    }

    fn verify(&self, header: &Header, signed: &[u8], signature: &[u8]) -> Result<(), NotAToken> {
        // The list of what is taken, and not what the token asks for.
        let kind = match header.alg.as_str() {
            "RS256" => "RSA",
            "ES256" => "EC",
            other => return Err(NotAToken::Algorithm(other.chars().take(20).collect())),
        };
        let key = self.keys.iter().find(|key| key.is(header) && key.kty == kind);
        let name = || header.kid.clone().unwrap_or_default().chars().take(80).collect();
        let key = key.ok_or_else(|| NotAToken::Key(name()))?;
        let verified = if kind == "RSA" {
            let parts = RsaPublicKeyComponents { n: bytes(&key.n)?, e: bytes(&key.e)? };
            parts.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature)
        } else {
            if key.crv != "P-256" {
                return Err(NotAToken::Algorithm(key.crv.chars().take(20).collect()));
            }
            let point = [vec![4], bytes(&key.x)?, bytes(&key.y)?].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature)
        };
        verified.map_err(|_| NotAToken::Signature)
    }
}

impl Key {
    fn is(&self, header: &Header) -> bool {
        header.kid.is_none() || self.kid == header.kid
    }
}

/// A claim that is one text, or a list of texts.
fn strings(claim: Option<&Value>) -> BTreeSet<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match claim {
        Some(Value::Array(all)) => all.iter().filter_map(text).collect(),
        Some(one) => text(one).into_iter().collect(),
        None => BTreeSet::new(),
    }
}

fn bytes(part: &str) -> Result<Vec<u8>, NotAToken> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| NotAToken::Shape)
}

/// Seconds that the provider's clock may be off.
const SKEW: i64 = 60;

#[cfg(test)]
mod tests {
    use super::{Expected, Keys, NotAToken, believed};
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jiff::Timestamp;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use serde_json::{Value, json};

    struct Provider(EcdsaKeyPair);

    fn coded(value: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(value)
    }

    impl Provider {
        fn new() -> Self {
            let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
            let random = SystemRandom::new();
            let document = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
            Self(EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), &random).unwrap())
        }

        fn keys(&self) -> Keys {
            let point = self.0.public_key().as_ref();
            let key = json!({"kty": "EC", "kid": "k1", "crv": "P-256", "alg": "ES256",
                "x": coded(&point[1..33]), "y": coded(&point[33..65])});
            serde_json::from_value(json!({ "keys": [key] })).unwrap()
        }

        fn token(&self, header: &Value, claims: &Value) -> String {
            let signed = format!("{}.{}", coded(header.to_string()), coded(claims.to_string()));
            let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
            format!("{signed}.{}", coded(signature.as_ref()))
        }
    }

    fn claims() -> Value {
        json!({"iss": "https://login.example", "aud": "tidewaiter", "sub": "42", "nonce": "n",
            "exp": 1_000_300, "iat": 1_000_000, "preferred_username": "s-9", "name": "Ольга Ким",
            "groups": ["desk", "other"]})
    }

    fn read(provider: &Provider, token: &str) -> Result<super::Stranger, NotAToken> {
        let now = Timestamp::from_second(1_000_010).unwrap();
        let expected = Expected {
            issuer: "https://login.example",
            client: "tidewaiter",
            nonce: "n",
            groups_claim: "groups",
            now,
        };
        believed(token, &provider.keys(), &expected)
    }

    #[test]
    fn a_token_for_us_now_and_this_attempt_is_believed() {
        let provider = Provider::new();
        let token = provider.token(&json!({"alg": "ES256", "kid": "k1"}), &claims());
        let stranger = read(&provider, &token).unwrap();
        assert_eq!((stranger.subject.as_str(), stranger.groups.len()), ("42", 2));
        assert_eq!(stranger.name.as_deref(), Some("Ольга Ким"));
    }

    #[test]
    fn any_other_is_not() {
        let provider = Provider::new();
        let header = json!({"alg": "ES256", "kid": "k1"});
        let changed = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            provider.token(&header, &claims)
        };
        for (name, value, claim) in [
            ("iss", json!("https://evil.example"), "issuer"),
            ("aud", json!("another"), "audience"),
            ("aud", json!(["tidewaiter", "another"]), "audience"),
            ("azp", json!("another"), "audience"),
            ("exp", json!(999_000), "end"),
            ("exp", Value::Null, "end"),
            ("iat", json!(2_000_000), "time of issue"),
            ("nonce", json!("another"), "nonce"),
            ("nonce", Value::Null, "nonce"),
            ("sub", json!(""), "subject"),
        ] {
            let read = read(&provider, &changed(name, value.clone()));
            assert_eq!(read.unwrap_err(), NotAToken::Claim(claim), "{name} {value}");
        }
        for alg in ["none", "HS256", "ES384", ""] {
            let token = provider.token(&json!({"alg": alg, "kid": "k1"}), &claims());
            assert!(matches!(read(&provider, &token), Err(NotAToken::Algorithm(_))), "{alg}");
        }
        let unknown = provider.token(&json!({"alg": "ES256", "kid": "k2"}), &claims());
        assert!(matches!(read(&provider, &unknown), Err(NotAToken::Key(_))));
        let other = Provider::new().token(&header, &claims());
        assert_eq!(read(&provider, &other), Err(NotAToken::Signature));
        for text in ["", "a.b", "a.b.c", "..", "🙂.🙂.🙂"] {
            assert_eq!(read(&provider, text), Err(NotAToken::Shape), "{text}");
        }
    }
}
