use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::Error;
use crate::error::ErrorKind;

/// SubjectPublicKeyInfo of an uncompressed P-256 point, up to the point. Source: RFC 5480.
const P256_SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
const POINT_LENGTH: usize = 65;

/// An ECDSA P-256 public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    point: Vec<u8>,
}

impl PublicKey {
    /// The key with this uncompressed point (`04`, x, y).
    pub fn from_point(point: &[u8]) -> Result<Self, Error> {
        if point.len() != POINT_LENGTH || point[0] != 4 {
            return Err(ErrorKind::Key("it holds no uncompressed point").into());
        }
        Ok(Self { point: point.to_owned() })
    }

    /// Reads the PEM form (`-----BEGIN PUBLIC KEY-----`).
    pub fn read(pem: &str) -> Result<Self, Error> {
        let fail = |why| Error::from(ErrorKind::Key(why));
        let body = pem
            .trim()
            .strip_prefix("-----BEGIN PUBLIC KEY-----")
            .and_then(|rest| rest.strip_suffix("-----END PUBLIC KEY-----"))
            .ok_or_else(|| fail("the lines `BEGIN PUBLIC KEY` and `END PUBLIC KEY` are missing"))?;
        let body: String = body.split_whitespace().collect();
        let der = BASE64.decode(body).map_err(|_| fail("it is no base64"))?;
        let point = der.strip_prefix(&P256_SPKI[..]).ok_or_else(|| fail("it is of another kind"))?;
        Self::from_point(point)
    }

    /// The PEM form.
    pub fn to_pem(&self) -> String {
        let body = BASE64.encode(self.spki());
        let (first, second) = body.split_at(64);
        format!("-----BEGIN PUBLIC KEY-----\n{first}\n{second}\n-----END PUBLIC KEY-----\n")
    }

    /// What bundles call this key: base64 of the SHA-256 of its SPKI.
    pub fn hint(&self) -> String {
        BASE64.encode(digest(&SHA256, &self.spki()))
    }

    fn spki(&self) -> Vec<u8> {
        [&P256_SPKI[..], &self.point].concat()
    }

    /// Whether `signature` (ASN.1 DER) over `message` is by this key.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.point).verify(message, signature).is_ok()
    }
}
