use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use crate::error::{Error, ErrorKind};

/// What this machine trusts: as `SSL_CERT_FILE` and `SSL_CERT_DIR` say, else the system's folder, which holds hundreds of files. They are
/// read when something is asked by TLS, once.
static NATIVE: LazyLock<Vec<Certificate<'static>>> = LazyLock::new(|| {
    let native = rustls_native_certs::load_native_certs();
    native.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect()
});

/// TLS that trusts what this machine trusts, and `given` besides.
pub(crate) fn config(given: &[Certificate<'static>]) -> TlsConfig {
    TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(NATIVE.iter().chain(given).cloned().collect())))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .build()
}

/// The certificates in files that the user names.
pub(crate) fn given(ca_files: &[PathBuf]) -> Result<Vec<Certificate<'static>>, Error> {
    let mut given = Vec::new();
    for path in ca_files {
        given.extend(certificates(path)?);
    }
    Ok(given)
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
