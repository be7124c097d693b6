//! The station's own keys, made once, and what enrolment gave it.
//!
//! ```text
//! DATA/keys/station.key   wraps the keys of inspections      DATA/keys/tls.key   its client key
//! DATA/keys/signing.key   signs batches and presence         DATA/enrolment.json the server's answer
//! ```
//! The directory of keys appears whole or not at all; each file is its owner's only.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore};
use tidewaiter_ledger::LedgerSecrets;
use tidewaiter_program::disk::{self, DiskError};
use tidewaiter_proto::enrolment::{EnrolmentAnswer, EnrolmentRequest};
use tidewaiter_proto::seal::{ServerPublic, StationKey, SubjectKey, random};
use tidewaiter_proto::signing::{Signing, Verifying};
use tidewaiter_proto::station::StationId;

/// The keys of a station.
#[derive(Debug)]
pub struct StationKeys {
    directory: PathBuf,
    /// What it signs with.
    pub signing: Signing,
    /// What it wraps the keys of inspections with.
    pub wrapping: StationKey,
    tls_pem: String,
}

/// What enrolment gave the station.
#[derive(Debug)]
pub struct Enrolment {
    /// The key the server signs its receipts with.
    pub server: Verifying,
    /// The key that inspections' keys are wrapped for.
    pub sealing: ServerPublic,
    /// The authority's key for subject tokens.
    pub subjects: SubjectKey,
    /// Where the server takes stations: host and port.
    pub broker: (String, u16),
    certificate_pem: String,
    authority_pem: String,
}

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file cannot be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A file holds what it must not.
    #[error("{file} is not valid: {problem}", file = file.display())]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The answer is for somebody else.
    #[error("the answer is for {found}, this is {expected}")]
    OtherStation {
        /// Whom it names.
        found: StationId,
        /// Who this is.
        expected: StationId,
    },
    /// There is no enrolment yet.
    #[error(
        "{station} is not enrolled: there is no {file}. Make a request with `tidewaiter-bridge enrol \
         --config FILE --request OUT`, have the server answer it, and put the answer in place with \
         `tidewaiter-bridge enrol --config FILE --answer IN`", file = file.display()
    )]
    NotEnrolled {
        /// Who.
        station: StationId,
        /// Where the answer should be.
        file: PathBuf,
    },
    /// A key or a request cannot be made.
    #[error("the station's key cannot be made: {0}")]
    Make(#[from] rcgen::Error),
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] tidewaiter_proto::seal::NoRandomness),
    /// The certificates do not fit.
    #[error("the connection to the server cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

impl StationKeys {
    /// Opens the keys under `data`, making them the first time.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn open(data: &Path) -> Result<Self, KeyError> {
        let directory = data.join("keys");
        if !directory.join("tls.key").exists() {
            make(data, &directory)?;
        }
        let tls_pem = disk::read_text(&directory.join("tls.key"))?;
        Ok(Self {
            signing: Signing::from_seed(&read_key(&directory.join("signing.key"))?),
            wrapping: StationKey::from_bytes(read_key(&directory.join("station.key"))?),
            tls_pem,
            directory,
        })
    }

    /// What the station sends to be enrolled.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn request(&self, station: &StationId) -> Result<EnrolmentRequest, KeyError> {
        let key = KeyPair::from_pem(&self.tls_pem)?;
        let signed = CertificateParams::default().serialize_request(&key)?;
        let (station, csr_pem) = (station.clone(), signed.pem()?);
        Ok(EnrolmentRequest { station, csr_pem, signing_key: self.signing.verifying() })
    }

    /// How the station connects to its server: TLS 1.3, with its own certificate, trusting the
    /// server's authority only.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn tls(&self, enrolment: &Enrolment) -> Result<Arc<ClientConfig>, KeyError> {
        let damaged = |problem: String| KeyError::Damaged {
            file: self.directory.with_file_name(ENROLMENT),
            problem,
        };
        let certificates = |pem: &str| {
            CertificateDer::pem_slice_iter(pem.as_bytes())
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| damaged(error.to_string()))
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&enrolment.authority_pem)? {
            roots.add(certificate)?;
        }
        let key = PrivateKeyDer::from_pem_slice(self.tls_pem.as_bytes()).map_err(|error| {
            let file = self.directory.join("tls.key");
            KeyError::Damaged { file, problem: error.to_string() }
        })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let configuration = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(roots)
            .with_client_auth_cert(certificates(&enrolment.certificate_pem)?, key)?;
        Ok(Arc::new(configuration))
    }

    /// What the ledger works with.
    pub fn ledger(&self, enrolment: &Enrolment) -> LedgerSecrets {
        LedgerSecrets {
            station: self.wrapping.clone(),
            server: enrolment.sealing,
            authority: enrolment.server,
        }
    }
}

impl Enrolment {
    /// Reads what enrolment gave.
    ///
    /// # Errors
    /// [`KeyError::NotEnrolled`] before; [`KeyError`].
    pub fn open(data: &Path, station: &StationId) -> Result<Self, KeyError> {
        let file = data.join(ENROLMENT);
        if !file.exists() {
            return Err(KeyError::NotEnrolled { station: station.clone(), file });
        }
        Self::parse(&disk::read_text(&file)?, &file, station)
    }

    /// Checks an answer and puts it in place.
    ///
    /// # Errors
    /// [`KeyError`]; then nothing has changed.
    pub fn install(answer: &Path, data: &Path, station: &StationId) -> Result<(), KeyError> {
        let text = disk::read_text(answer)?;
        let enrolment = Self::parse(&text, answer, station)?;
        StationKeys::open(data)?.tls(&enrolment)?;
        Ok(disk::write_secret(&data.join(ENROLMENT), text.as_bytes())?)
    }

    fn parse(text: &str, file: &Path, station: &StationId) -> Result<Self, KeyError> {
        let damaged = |problem: String| KeyError::Damaged { file: file.to_owned(), problem };
        let answer: EnrolmentAnswer =
            serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
        if answer.station != *station {
            let expected = station.clone();
            return Err(KeyError::OtherStation { found: answer.station, expected });
        }
        let (host, port) = answer
            .broker
            .rsplit_once(':')
            .ok_or_else(|| damaged(format!("broker: {:?} is not HOST:PORT", answer.broker)))?;
        let port = port.parse().map_err(|_| damaged(format!("broker: {port:?} is no port")))?;
        let key = |name: &str, text: &str| {
            let mut bytes = [0; 32];
            hex::decode_to_slice(text, &mut bytes)
                .map(|()| bytes)
                .map_err(|error| damaged(format!("{name}: {error}")))
        };
        Ok(Self {
            server: answer.server_signing_key,
            sealing: ServerPublic(key("server_sealing_key", &answer.server_sealing_key)?),
            subjects: SubjectKey::from_bytes(key("subject_key", &answer.subject_key)?),
            broker: (host.trim_matches(['[', ']']).to_owned(), port),
            certificate_pem: answer.certificate_pem,
            authority_pem: answer.authority_pem,
        })
    }
}

/// Makes all keys in a directory beside, then renames it into place.
fn make(data: &Path, directory: &Path) -> Result<(), KeyError> {
    disk::make_directory(data)?;
    let draft = data.join(format!("keys.{}", uuid::Uuid::now_v7()));
    disk::make_private_directory(&draft)?;
    for name in ["station.key", "signing.key"] {
        disk::write_secret(&draft.join(name), hex::encode(random::<32>()?).as_bytes())?;
    }
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    disk::write_secret(&draft.join("tls.key"), key.serialize_pem().as_bytes())?;
    Ok(disk::rename_directory(&draft, directory)?)
}

fn read_key(file: &Path) -> Result<[u8; 32], KeyError> {
    let text = disk::read_text(file)?;
    let mut key = [0; 32];
    hex::decode_to_slice(text.trim(), &mut key)
        .map_err(|error| KeyError::Damaged { file: file.to_owned(), problem: error.to_string() })?;
    Ok(key)
}

const ENROLMENT: &str = "enrolment.json";

#[cfg(test)]
mod tests {
    use super::{Enrolment, KeyError, StationKeys};

    #[test]
    fn keys_are_made_once_and_found_again() {
        let data = tempfile::tempdir().unwrap();
        let first = StationKeys::open(data.path()).unwrap();
        let second = StationKeys::open(data.path()).unwrap();
        assert_eq!(first.signing.verifying(), second.signing.verifying());
        let station = "ruvvo/dep-07".parse().unwrap();
        assert!(first.request(&station).unwrap().csr_pem.contains("CERTIFICATE REQUEST"));
    }

    #[test]
    fn a_station_that_is_not_enrolled_is_told_how() {
        let data = tempfile::tempdir().unwrap();
        let error = Enrolment::open(data.path(), &"ruvvo/dep-07".parse().unwrap()).unwrap_err();
        assert!(matches!(error, KeyError::NotEnrolled { .. }));
        assert!(error.to_string().contains("tidewaiter-bridge enrol --config FILE --request OUT"));
    }
}
