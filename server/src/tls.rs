//! TLS as the server uses it: 1.3 only, one provider, client certificates required of stations.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::authority::ListenerFiles;
use crate::configuration::ExternalBroker;

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file cannot be read.
    #[error("{file}: {problem}")]
    File {
        /// Which file.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The certificates do not fit.
    #[error("{0}")]
    Setup(String),
}

/// The provider of the whole program.
pub fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// What the listener for stations runs with.
///
/// # Errors
/// [`TlsError`].
pub fn server(files: &ListenerFiles) -> Result<ServerConfig, TlsError> {
    let roots = Arc::new(roots(&files.authority)?);
    let mut verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
    if files.revoked.exists() {
        let lists = read_all(&files.revoked, CertificateRevocationListDer::pem_file_iter)?;
        verifier = verifier.with_crls(lists);
    }
    let verifier = verifier.build().map_err(|error| TlsError::Setup(error.to_string()))?;
    ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| TlsError::Setup(error.to_string()))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificates(&files.certificate)?, key(&files.key)?)
        .map_err(|error| TlsError::Setup(error.to_string()))
}

/// What the connection to an external broker runs with.
///
/// # Errors
/// [`TlsError`].
pub fn client(broker: &ExternalBroker) -> Result<ClientConfig, TlsError> {
    let Some(authority) = &broker.authority else {
        return Err(TlsError::Setup("no authority is given".to_owned()));
    };
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Setup(error.to_string()))?
        .with_root_certificates(roots(authority)?);
    match (&broker.certificate, &broker.key) {
        (Some(certificate), Some(file)) => builder
            .with_client_auth_cert(certificates(certificate)?, key(file)?)
            .map_err(|error| TlsError::Setup(error.to_string())),
        _ => Ok(builder.with_no_client_auth()),
    }
}

/// The common name in a certificate.
pub fn common_name(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let mut names = parsed.subject().iter_common_name();
    let name = names.next()?.as_str().ok()?.to_owned();
    // Two names would be two stations.
    names.next().is_none().then_some(name)
}

fn roots(file: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|error| wrong(file, &error))?;
    }
    Ok(roots)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    read_all(file, CertificateDer::pem_file_iter)
}

fn read_all<T, I, E>(
    file: &Path,
    read: impl FnOnce(std::path::PathBuf) -> Result<I, E>,
) -> Result<Vec<T>, TlsError>
where
    I: Iterator<Item = Result<T, E>>,
    E: std::fmt::Display,
{
    let items = read(file.to_owned()).map_err(|error| wrong(file, &error))?;
    items.collect::<Result<Vec<T>, E>>().map_err(|error| wrong(file, &error))
}

fn key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let reader = File::open(file).map_err(|error| wrong(file, &error))?;
    PrivateKeyDer::from_pem_reader(BufReader::new(reader)).map_err(|error| wrong(file, &error))
}

fn wrong(file: &Path, error: &dyn std::fmt::Display) -> TlsError {
    TlsError::File { file: file.display().to_string(), problem: error.to_string() }
}
