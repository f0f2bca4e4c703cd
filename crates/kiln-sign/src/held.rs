//! Private keys that somebody else holds: a key management service, a hardware module.

mod ask;
mod pkcs11;
mod plugin;

use kiln_trust::PublicKey;

use crate::Error;
use crate::error::ErrorKind;

/// A private key that does not leave its place. Whoever holds it is asked to sign.
pub trait HeldKey: Send + Sync {
    /// The public half.
    fn public(&self) -> Result<PublicKey, Error>;

    /// The signature of `message`: ASN.1 DER for ECDSA, PKCS #1 v1.5 for RSA, both with SHA-256.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error>;
}

/// The key that a URI names: `pkcs11:…` (RFC 7512) by OpenSC's `pkcs11-tool`, and `NAME://…` by the program `sigstore-kms-NAME`,
/// which speaks the protocol of sigstore's plugins. `None` where the text is no URI, but a file.
pub fn held(uri: &str) -> Option<Result<Box<dyn HeldKey>, Error>> {
    if uri.starts_with(pkcs11::SCHEME) {
        return Some(pkcs11::Token::read(uri).map(|token| Box::new(token) as _));
    }
    let (name, _) = uri.split_once("://")?;
    Some(plugin::Plugin::named(name, uri).map(|plugin| Box::new(plugin) as _))
}

/// A URI that [`held`] knows, without what must not be shown: who only verifies needs no PIN. `None` where the text is no URI.
pub fn shown(uri: &str) -> Option<String> {
    let Some((path, query)) = uri.split_once('?').filter(|_| uri.starts_with(pkcs11::SCHEME)) else {
        let is_uri = uri.starts_with(pkcs11::SCHEME) || uri.contains("://");
        return is_uri.then(|| uri.to_owned());
    };
    let rest: Vec<&str> = query.split('&').filter(|part| !part.starts_with("pin-")).collect();
    Some(if rest.is_empty() { path.to_owned() } else { format!("{path}?{}", rest.join("&")) })
}

/// A public key as PEM.
fn read_public(pem: &[u8]) -> Result<PublicKey, Error> {
    let text = std::str::from_utf8(pem).map_err(|_| unfit("its public key is no PEM"))?;
    PublicKey::read(text).map_err(|source| ErrorKind::HeldPublic { source }.into())
}

fn unfit(why: impl Into<String>) -> Error {
    ErrorKind::Held(why.into()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_not_shown() {
        for (uri, expected) in [
            ("pkcs11:object=a?pin-value=1234", Some("pkcs11:object=a")),
            ("pkcs11:object=a?pin-value=1234&module-path=/x", Some("pkcs11:object=a?module-path=/x")),
            ("pkcs11:object=a?module-path=/x&pin-source=/y", Some("pkcs11:object=a?module-path=/x")),
            ("vault://key?x", Some("vault://key?x")),
            ("cosign.key", None),
        ] {
            assert_eq!(shown(uri).as_deref(), expected);
        }
    }
}
