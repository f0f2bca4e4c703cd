use std::path::{Path, PathBuf};
use std::sync::Arc;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use crate::error::{Error, ErrorKind};

/// TLS that trusts what this machine trusts, and the certificates in `ca_files` besides.
///
/// The machine's own trust is read as `SSL_CERT_FILE` and `SSL_CERT_DIR` say, else from the system's folder.
pub(crate) fn config(ca_files: &[PathBuf]) -> Result<TlsConfig, Error> {
    let native = rustls_native_certs::load_native_certs();
    let mut roots: Vec<Certificate<'static>> =
        native.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    for path in ca_files {
        roots.extend(certificates(path)?);
    }
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .build())
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, Error> {
    let pem = kiln_disk::read_given(path, kiln_disk::DOCUMENT_MAX).map_err(|source| ErrorKind::File {
        action: "read the CA file",
        path: path.to_owned(),
        source,
    })?;
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|source| ErrorKind::Tls(Box::new(source)))? {
            found.push(certificate);
        }
    }
    Ok(found)
}
