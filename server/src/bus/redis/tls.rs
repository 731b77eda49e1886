//! Encryption of the connections to Redis.

use std::{path::Path, sync::Arc};

use fred::types::config::TlsConnector;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::BusError;

/// What trusts the certificates of a PEM file, or what the operating system trusts when none is named.
pub(super) fn connector(ca_file: &Path) -> Result<TlsConnector, BusError> {
    let mut trusted = RootCertStore::empty();
    if ca_file.as_os_str().is_empty() {
        // Some that cannot be read are no reason not to trust the others.
        trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    } else {
        for certificate in CertificateDer::pem_file_iter(ca_file).map_err(refused)? {
            trusted.add(certificate.map_err(refused)?).map_err(refused)?;
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(refused)?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    Ok(config.into())
}

fn refused(error: impl std::error::Error + Send + Sync + 'static) -> BusError {
    BusError::Redis(Box::new(error))
}
