//! The server's own authority: the keys it makes at first start, and the certificates it gives to
//! its broker and to stations.
//!
//! Everything lies in one directory that appears whole or not at all. Nothing secret leaves this
//! module but through the types that need it.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256,
};
pub use tidewaiter_proto::enrolment::{EnrolmentAnswer, EnrolmentRequest};
use tidewaiter_proto::seal::{ServerSecret, SubjectKey, random};
use tidewaiter_proto::signing::Signing;
use tidewaiter_proto::station::StationId;

use crate::disk;

/// The keys of a server. Debug output shows public halves only.
#[derive(Debug)]
pub struct Authority {
    directory: PathBuf,
    /// The certificate of the authority itself, PEM.
    pub authority_pem: String,
    /// What the server signs its receipts with.
    pub signing: Signing,
    /// What opens records' keys.
    pub sealing: ServerSecret,
    /// The authority's key for subject tokens; given to stations.
    pub subjects: SubjectKey,
}

/// What the broker's listener needs.
#[derive(Clone, Debug)]
pub struct ListenerFiles {
    /// Certificate and key, PEM.
    pub certificate: PathBuf,
    /// Key, PEM.
    pub key: PathBuf,
    /// The authority that signs stations' certificates, PEM.
    pub authority: PathBuf,
    /// Certificates that are no longer good, PEM, where there are any.
    pub revoked: PathBuf,
}

/// Why the authority cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file cannot be read or written.
    #[error(transparent)]
    Disk(#[from] disk::DiskError),
    /// A file holds what it must not.
    #[error("{file} is not valid: {problem}", file = file.display())]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A certificate cannot be made.
    #[error("the certificate of {name} cannot be made")]
    Certificate {
        /// Whose.
        name: String,
        /// Why.
        source: rcgen::Error,
    },
    /// The request is not to be granted.
    #[error("the request of {station} is refused: {problem}")]
    Request {
        /// Whose.
        station: StationId,
        /// Why.
        problem: &'static str,
    },
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] tidewaiter_proto::seal::NoRandomness),
    /// The bundle key cannot be made.
    #[error("the bundle key cannot be made: {0}")]
    BundleKey(String),
}

impl Authority {
    /// Opens the authority under `data`, making it at first start.
    ///
    /// # Errors
    /// [`AuthorityError`].
    pub fn open(data: &Path) -> Result<Self, AuthorityError> {
        let directory = data.join("authority");
        if !directory.join("ca.pem").exists() {
            make(data, &directory)?;
        }
        Ok(Self {
            authority_pem: disk::read_text(&directory.join("ca.pem"))?,
            signing: Signing::from_seed(&read_key(&directory.join("signing.key"))?),
            sealing: ServerSecret::from_bytes(read_key(&directory.join("sealing.key"))?),
            subjects: SubjectKey::from_bytes(read_key(&directory.join("subject.key"))?),
            directory,
        })
    }

    /// File with the secret key that signs bundles, minisign.
    pub fn bundle_key_file(&self) -> PathBuf {
        self.directory.join("bundle.key")
    }

    /// File with the public key that bundles are checked with, minisign.
    pub fn bundle_public_file(&self) -> PathBuf {
        self.directory.join("bundle.pub")
    }

    /// Makes the listener's certificate anew and gives the files it needs. A fresh one at each
    /// start follows the configured names and never runs out.
    ///
    /// # Errors
    /// [`AuthorityError`].
    pub fn listener_files(&self, names: &[String]) -> Result<ListenerFiles, AuthorityError> {
        let all: Vec<String> = ["localhost", "127.0.0.1"]
            .into_iter()
            .map(str::to_owned)
            .chain(names.iter().cloned())
            .collect();
        let failed = |source| AuthorityError::Certificate { name: "the broker".to_owned(), source };
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let mut parameters = CertificateParams::new(all).map_err(failed)?;
        name_and_date(&mut parameters, "tidewaiter broker", CERTIFICATE_LIFE);
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = parameters.signed_by(&key, &self.issuer()?).map_err(failed)?;
        let files = ListenerFiles {
            certificate: self.directory.join("broker.pem"),
            key: self.directory.join("broker.key"),
            authority: self.directory.join("ca.pem"),
            revoked: self.directory.join("revoked.pem"),
        };
        disk::write_secret(&files.key, key.serialize_pem().as_bytes())?;
        disk::write_secret(&files.certificate, certificate.pem().as_bytes())?;
        Ok(files)
    }

    /// Signs a station's certificate. The request's own wishes are not looked at: only its key.
    ///
    /// # Errors
    /// [`AuthorityError::Request`] when its signature or key is not good.
    pub fn enrol(
        &self,
        request: &EnrolmentRequest,
        broker: String,
    ) -> Result<EnrolmentAnswer, AuthorityError> {
        let station = &request.station;
        let refused = |problem| AuthorityError::Request { station: station.clone(), problem };
        let mut signed = CertificateSigningRequestParams::from_pem(&request.csr_pem)
            .map_err(|_| refused("its certificate signing request is not valid"))?;
        if signed.public_key.algorithm() != &PKCS_ECDSA_P256_SHA256 {
            return Err(refused("its key is not of the curve P-256"));
        }
        let mut parameters = CertificateParams::default();
        name_and_date(&mut parameters, station.as_str(), CERTIFICATE_LIFE);
        parameters.is_ca = IsCa::ExplicitNoCa;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        parameters.use_authority_key_identifier_extension = true;
        signed.params = parameters;
        let certificate = signed
            .signed_by(&self.issuer()?)
            .map_err(|source| AuthorityError::Certificate { name: station.to_string(), source })?;
        Ok(EnrolmentAnswer {
            station: station.clone(),
            certificate_pem: certificate.pem(),
            authority_pem: self.authority_pem.clone(),
            server_signing_key: self.signing.verifying(),
            server_sealing_key: hex::encode(self.sealing.public().0),
            subject_key: hex::encode(read_key(&self.directory.join("subject.key"))?),
            broker,
        })
    }

    fn issuer(&self) -> Result<Issuer<'static, KeyPair>, AuthorityError> {
        let file = self.directory.join("ca.key");
        let damaged = |error: rcgen::Error| AuthorityError::Damaged {
            file: file.clone(),
            problem: error.to_string(),
        };
        let key = KeyPair::from_pem(&disk::read_text(&file)?).map_err(damaged)?;
        Issuer::from_ca_cert_pem(&self.authority_pem, key).map_err(damaged)
    }
}

/// Makes all keys in a directory beside, then renames it into place: two programs that start at
/// once end up with one authority.
fn make(data: &Path, directory: &Path) -> Result<(), AuthorityError> {
    disk::make_directory(data)?;
    let draft = data.join(format!("authority.{}", uuid::Uuid::now_v7()));
    disk::make_private_directory(&draft)?;
    let failed = |source| AuthorityError::Certificate { name: "the authority".to_owned(), source };
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    let mut parameters = CertificateParams::default();
    name_and_date(&mut parameters, "tidewaiter authority", AUTHORITY_LIFE);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = parameters.self_signed(&key).map_err(failed)?;
    disk::write_secret(&draft.join("ca.key"), key.serialize_pem().as_bytes())?;
    for name in ["signing.key", "sealing.key", "subject.key"] {
        disk::write_secret(&draft.join(name), hex::encode(random::<32>()?).as_bytes())?;
    }
    let pair = minisign::KeyPair::generate_unencrypted_keypair()
        .map_err(|error| AuthorityError::BundleKey(error.to_string()))?;
    let secret = pair.sk.to_box(Some("tidewaiter bundle key"));
    let secret = secret.map_err(|error| AuthorityError::BundleKey(error.to_string()))?;
    let public = pair.pk.to_box().map_err(|e| AuthorityError::BundleKey(e.to_string()))?;
    disk::write_secret(&draft.join("bundle.key"), secret.into_string().as_bytes())?;
    disk::write_secret(&draft.join("bundle.pub"), public.into_string().as_bytes())?;
    disk::write_secret(&draft.join("ca.pem"), certificate.pem().as_bytes())?;
    disk::rename_directory(&draft, directory).or_else(|error| {
        // Somebody else was faster: theirs stands.
        std::fs::remove_dir_all(&draft).ok();
        if directory.join("ca.pem").exists() { Ok(()) } else { Err(error.into()) }
    })
}

fn name_and_date(parameters: &mut CertificateParams, name: &str, life: SignedDuration) {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    parameters.distinguished_name = distinguished;
    // Certificates are checked against the machines' own clocks, also in a demonstration.
    let now = crate::clock::Clock::system().now();
    let (from, to) = (day(now - SignedDuration::from_hours(24)), day(now + life));
    parameters.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
    parameters.not_after = rcgen::date_time_ymd(to.0, to.1, to.2);
}

/// Year, month and day of an instant in UTC.
fn day(at: Timestamp) -> (i32, u8, u8) {
    let date = at.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    let number = |value: i8| u8::try_from(value).unwrap_or(1);
    (i32::from(date.year()), number(date.month()), number(date.day()))
}

fn read_key(file: &Path) -> Result<[u8; 32], AuthorityError> {
    let text = disk::read_text(file)?;
    let mut key = [0; 32];
    hex::decode_to_slice(text.trim(), &mut key).map_err(|error| AuthorityError::Damaged {
        file: file.to_owned(),
        problem: error.to_string(),
    })?;
    Ok(key)
}

const AUTHORITY_LIFE: SignedDuration = SignedDuration::from_hours(24 * 3653);
const CERTIFICATE_LIFE: SignedDuration = SignedDuration::from_hours(24 * 398);

#[cfg(test)]
mod tests {
    use super::{Authority, AuthorityError, EnrolmentRequest};
    use rcgen::{CertificateParams, KeyPair};
    use tidewaiter_proto::signing::Signing;

    fn request(station: &str, algorithm: &'static rcgen::SignatureAlgorithm) -> EnrolmentRequest {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let csr = CertificateParams::default().serialize_request(&key).unwrap();
        EnrolmentRequest {
            station: station.parse().unwrap(),
            csr_pem: csr.pem().unwrap(),
            signing_key: Signing::from_seed(&[5; 32]).verifying(),
        }
    }

    #[test]
    fn the_authority_is_made_once_and_found_again() {
        let directory = tempfile::tempdir().unwrap();
        let first = Authority::open(directory.path()).unwrap();
        let second = Authority::open(directory.path()).unwrap();
        assert_eq!(first.signing.verifying(), second.signing.verifying());
        assert_eq!(first.authority_pem, second.authority_pem);
        assert_eq!(first.sealing.public(), second.sealing.public());
    }

    #[cfg(unix)]
    #[test]
    fn secrets_are_readable_by_their_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        Authority::open(directory.path()).unwrap();
        for entry in std::fs::read_dir(directory.path().join("authority")).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}", entry.path().display());
        }
    }

    #[test]
    fn a_station_gets_a_certificate_in_its_own_name() {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::open(directory.path()).unwrap();
        let request = request("ruvvo/dep-07", &rcgen::PKCS_ECDSA_P256_SHA256);
        let answer = authority.enrol(&request, "127.0.0.1:8883".to_owned()).unwrap();
        let (_, pem) = x509_parser::pem::parse_x509_pem(answer.certificate_pem.as_bytes()).unwrap();
        let certificate = pem.parse_x509().unwrap();
        let name = certificate.subject().iter_common_name().next().unwrap().as_str().unwrap();
        assert_eq!(name, "ruvvo/dep-07");
        assert!(!certificate.is_ca());
    }

    #[test]
    fn a_request_with_another_kind_of_key_or_a_broken_signature_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::open(directory.path()).unwrap();
        let other = request("ruvvo/dep-07", &rcgen::PKCS_ED25519);
        let error = authority.enrol(&other, String::new()).unwrap_err();
        assert!(matches!(error, AuthorityError::Request { .. }));
        let mut broken = request("ruvvo/dep-07", &rcgen::PKCS_ECDSA_P256_SHA256);
        let middle = broken.csr_pem.len() / 2;
        let letter = if broken.csr_pem.as_bytes()[middle] == b'A' { "B" } else { "A" };
        broken.csr_pem.replace_range(middle..=middle, letter);
        assert!(authority.enrol(&broken, String::new()).is_err());
    }
}
