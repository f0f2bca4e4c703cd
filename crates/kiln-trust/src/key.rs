use aws_lc_rs::digest::{Digest, SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA256_ASN1,
    ECDSA_P521_SHA512_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::Error;
use crate::error::ErrorKind;

/// The largest key file that is read, in bytes.
const KEY_FILE_MAX: usize = 16 << 10;
/// The largest RSA key: 4096 bits, and what stands around them.
const RSA_SPKI_MAX: usize = 600;
const RSA_SPKI_MIN: usize = 290;

/// A kind of key, told by how its SubjectPublicKeyInfo begins. Sources: RFC 5480, RFC 8410, RFC 3279.
struct Kind {
    name: &'static str,
    /// DER up to the key itself, by which the kind is known.
    prefix: &'static [u8],
    /// Where it stands: behind header and length, where those vary.
    prefix_at: usize,
    /// Where that begins which the library takes: the point with its leading 4, the bare key, or the whole.
    key_at: usize,
    /// Bytes of the whole.
    sizes: std::ops::RangeInclusive<usize>,
    /// How its signatures are made. cosign hashes with SHA-256 whatever the curve.
    algorithms: &'static [&'static dyn VerificationAlgorithm],
}

static KINDS: [Kind; 5] = [
    Kind {
        name: "ECDSA P-256",
        prefix: &[
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
            0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
        ],
        prefix_at: 0,
        key_at: 26,
        sizes: 91..=91,
        algorithms: &[&ECDSA_P256_SHA256_ASN1],
    },
    Kind {
        name: "ECDSA P-384",
        prefix: &[
            0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
            0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04,
        ],
        prefix_at: 0,
        key_at: 23,
        sizes: 120..=120,
        algorithms: &[&ECDSA_P384_SHA384_ASN1, &ECDSA_P384_SHA256_ASN1],
    },
    Kind {
        name: "ECDSA P-521",
        prefix: &[
            0x30, 0x81, 0x9b, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05,
            0x2b, 0x81, 0x04, 0x00, 0x23, 0x03, 0x81, 0x86, 0x00, 0x04,
        ],
        prefix_at: 0,
        key_at: 25,
        sizes: 158..=158,
        algorithms: &[&ECDSA_P521_SHA512_ASN1, &ECDSA_P521_SHA256_ASN1],
    },
    Kind {
        name: "Ed25519",
        prefix: &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00],
        prefix_at: 0,
        key_at: 12,
        sizes: 44..=44,
        algorithms: &[&ED25519],
    },
    Kind {
        name: "RSA",
        prefix: &[
            0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03,
        ],
        prefix_at: RSA_HEADER,
        key_at: 0,
        sizes: RSA_SPKI_MIN..=RSA_SPKI_MAX,
        algorithms: &[&RSA_PKCS1_2048_8192_SHA256],
    },
];

/// Header and length of an RSA key's SubjectPublicKeyInfo: `30 82 xx xx`.
const RSA_HEADER: usize = 4;

/// A public key: ECDSA on P-256, P-384 or P-521, Ed25519, or RSA of 2048 to 4096 bits (PKCS #1 v1.5 with SHA-256).
#[derive(Clone)]
pub struct PublicKey {
    kind: &'static Kind,
    /// SubjectPublicKeyInfo, DER.
    spki: Vec<u8>,
}

impl PublicKey {
    /// The key with this SubjectPublicKeyInfo.
    pub fn from_spki(spki: &[u8]) -> Result<Self, Error> {
        let fits = |kind: &&Kind| {
            let start = spki.get(kind.prefix_at..).unwrap_or_default();
            start.starts_with(kind.prefix) && kind.sizes.contains(&spki.len())
        };
        let kind = KINDS.iter().find(fits).ok_or(ErrorKind::Key("it is of another kind"))?;
        Ok(Self { kind, spki: spki.to_owned() })
    }

    /// Reads the PEM form (`-----BEGIN PUBLIC KEY-----`).
    pub fn read(pem: &str) -> Result<Self, Error> {
        let fail = |why| Error::from(ErrorKind::Key(why));
        if pem.len() > KEY_FILE_MAX {
            return Err(fail("the file is larger than 16 KiB"));
        }
        let body = pem
            .trim()
            .strip_prefix("-----BEGIN PUBLIC KEY-----")
            .and_then(|rest| rest.strip_suffix("-----END PUBLIC KEY-----"))
            .ok_or_else(|| fail("the lines `BEGIN PUBLIC KEY` and `END PUBLIC KEY` are missing"))?;
        let body: String = body.split_whitespace().collect();
        Self::from_spki(&BASE64.decode(body).map_err(|_| fail("it is no base64"))?)
    }

    /// The PEM form.
    pub fn to_pem(&self) -> String {
        let body = BASE64.encode(&self.spki);
        let lines: Vec<&str> = body
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).expect("base64 is ASCII"))
            .collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    /// What kind of key it is, for people.
    pub fn kind(&self) -> &'static str {
        self.kind.name
    }

    /// What bundles call this key: base64 of the SHA-256 of its SPKI.
    pub fn hint(&self) -> String {
        BASE64.encode(digest(&SHA256, &self.spki))
    }

    /// SubjectPublicKeyInfo, DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Whether `signature` is by this key, over the file with this SHA-256. Ed25519 signs files, not digests.
    pub(crate) fn has_signed_digest(&self, sha256: &[u8], signature: &[u8]) -> bool {
        let Ok(digest) = Digest::import_less_safe(sha256, &SHA256) else { return false };
        let key = self.spki.get(self.kind.key_at..).unwrap_or_default();
        let mut algorithms = self.kind.algorithms.iter();
        algorithms.any(|algorithm| {
            UnparsedPublicKey::new(*algorithm, key).verify_digest(&digest, signature).is_ok()
        })
    }

    /// Whether `signature` (ASN.1 DER for ECDSA) over `message` is by this key.
    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = self.spki.get(self.kind.key_at..).unwrap_or_default();
        let mut algorithms = self.kind.algorithms.iter();
        algorithms.any(|algorithm| UnparsedPublicKey::new(*algorithm, key).verify(message, signature).is_ok())
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({} {})", self.kind.name, self.hint())
    }
}
