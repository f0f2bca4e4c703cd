use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use crypto_secretbox::aead::{Aead, KeyInit};
use crypto_secretbox::{Key, Nonce, XSalsa20Poly1305};
use kiln_attest::{Bundle, Content, Envelope, Signer, Statement, pae};
use kiln_trust::PublicKey;
use serde::{Deserialize, Serialize};

use crate::error::ErrorKind;
use crate::{Error, HeldKey, pem};

const LABEL: &str = "ENCRYPTED SIGSTORE PRIVATE KEY";
const OLD_LABEL: &str = "ENCRYPTED COSIGN PRIVATE KEY";
/// What cosign writes; log2 of N.
const SCRYPT_LOG_N: u8 = 16;
/// What is accepted, so that a hostile file cannot ask for unbounded memory.
const SCRYPT_LOG_N_ACCEPTED: std::ops::RangeInclusive<u8> = 15..=17;
const SCRYPT_R: u32 = 8;
const SCRYPT_P: u32 = 1;
const KEY_FILE_MAX: usize = 64 << 10;

/// The label of a private key that is not encrypted. Source: RFC 7468, PKCS #8.
const PLAIN_LABEL: &str = "PRIVATE KEY";
/// Bytes of the moduli of RSA keys that are used: 2048 to 4096 bits.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=512;

/// A key pair: ECDSA, Ed25519 or RSA. New ones are ECDSA P-256, as cosign's are.
pub struct KeyPair {
    pair: Pair,
    /// The PKCS#8 form, which is what key files hold encrypted; `None` of a key that somebody else holds.
    pkcs8: Option<Vec<u8>>,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
    Held(Box<dyn HeldKey>, PublicKey),
}

impl Pair {
    /// Whichever kind it is.
    fn from_pkcs8(pkcs8: &[u8]) -> Option<Self> {
        let curves = [
            &ECDSA_P256_SHA256_ASN1_SIGNING,
            &ECDSA_P384_SHA384_ASN1_SIGNING,
            &ECDSA_P521_SHA512_ASN1_SIGNING,
        ];
        if let Some(pair) = curves.iter().find_map(|curve| EcdsaKeyPair::from_pkcs8(curve, pkcs8).ok()) {
            return Some(Self::Ecdsa(pair));
        }
        // Others write no public key inside, so it is not asked for.
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8) {
            return Some(Self::Ed25519(pair));
        }
        let pair = RsaKeyPair::from_pkcs8(pkcs8).ok()?;
        RSA_BYTES.contains(&pair.public_modulus_len()).then_some(Self::Rsa(pair))
    }

    /// The SubjectPublicKeyInfo of the public half.
    fn spki(&self) -> Option<Vec<u8>> {
        let der: PublicKeyX509Der<'_> = match self {
            Self::Ecdsa(pair) => pair.public_key().as_der(),
            Self::Ed25519(pair) => pair.public_key().as_der(),
            Self::Rsa(pair) => pair.public_key().as_der(),
            Self::Held(_, public) => return Some(public.spki().to_vec()),
        }
        .ok()?;
        Some(der.as_ref().to_vec())
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let random = SystemRandom::new();
        let failed = |_| ErrorKind::Library("sign");
        match self {
            Self::Ecdsa(pair) => Ok(pair.sign(&random, message).map_err(failed)?.as_ref().to_vec()),
            Self::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
            Self::Held(key, public) => {
                let signature = key.sign(message)?;
                // Whoever holds it may have another key by now, or hash in another way.
                let fits = public.has_signed(message, &signature);
                if fits { Ok(signature) } else { Err(ErrorKind::HeldSignature.into()) }
            }
        }
    }
}

/// The JSON inside the PEM. Source: cosign `pkg/cosign/keys.go`, go-securesystemslib `encrypted`.
#[derive(Serialize, Deserialize)]
struct KeyFile {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
struct Kdf {
    name: String,
    params: KdfParams,
    salt: String,
}

#[derive(Serialize, Deserialize)]
struct KdfParams {
    #[serde(rename = "N")]
    n: u32,
    r: u32,
    p: u32,
}

#[derive(Serialize, Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

impl KeyPair {
    /// Makes a new key pair.
    pub fn generate() -> Result<Self, Error> {
        let failed = |_| ErrorKind::Library("make a key");
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new())
            .map_err(failed)?;
        Self::from_pkcs8(document.as_ref())
    }

    fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, Error> {
        let pair = Pair::from_pkcs8(pkcs8).ok_or(ErrorKind::Kind)?;
        Ok(Self { pair, pkcs8: Some(pkcs8.to_owned()) })
    }

    /// The key pair whose private half somebody else holds, who is asked for the public one now.
    pub fn held(key: Box<dyn HeldKey>) -> Result<Self, Error> {
        let public = key.public()?;
        Ok(Self { pair: Pair::Held(key, public), pkcs8: None })
    }

    /// Reads a private key file: cosign's or kiln's with its password, or a plain one in PKCS #8.
    pub fn read(file: &str, password: &str) -> Result<Self, Error> {
        if file.len() > KEY_FILE_MAX {
            return Err(ErrorKind::Format("it is larger than 64 KiB").into());
        }
        if let Some(pkcs8) = pem::read(&[PLAIN_LABEL], file) {
            return Self::from_pkcs8(&pkcs8);
        }
        let json = pem::read(&[LABEL, OLD_LABEL], file)
            .ok_or(ErrorKind::Format("it is no PEM of an encrypted private key"))?;
        let file: KeyFile = serde_json::from_slice(&json).map_err(|source| ErrorKind::Json { source })?;
        if file.kdf.name != "scrypt" || file.cipher.name != "nacl/secretbox" {
            return Err(ErrorKind::Format("it is encrypted in another way than scrypt and secretbox").into());
        }
        let params = &file.kdf.params;
        let log_n = params.n.checked_ilog2().unwrap_or(0) as u8;
        let is_usual = params.n.is_power_of_two()
            && SCRYPT_LOG_N_ACCEPTED.contains(&log_n)
            && (params.r, params.p) == (SCRYPT_R, SCRYPT_P);
        if !is_usual {
            return Err(ErrorKind::Format("its scrypt parameters are out of bounds").into());
        }
        let salt = decode(&file.kdf.salt)?;
        let nonce: [u8; 24] = decode(&file.cipher.nonce)?
            .try_into()
            .map_err(|_| ErrorKind::Format("its nonce is malformed"))?;
        let cipher = cipher(password, &salt, log_n)?;
        let pkcs8 = cipher
            .decrypt(&Nonce::from(nonce), &decode(&file.ciphertext)?[..])
            .map_err(|_| ErrorKind::Password)?;
        Self::from_pkcs8(&pkcs8)
    }

    /// The private key file, encrypted with `password`, which may be empty.
    pub fn to_file(&self, password: &str) -> Result<String, Error> {
        let pkcs8 = self.pkcs8.as_ref().ok_or(ErrorKind::Kept)?;
        let (mut salt, mut nonce) = ([0; 32], [0; 24]);
        let random = |bytes: &mut [u8]| {
            aws_lc_rs::rand::fill(bytes).map_err(|_| Error::from(ErrorKind::Library("draw random bytes")))
        };
        random(&mut salt)?;
        random(&mut nonce)?;
        let ciphertext = cipher(password, &salt, SCRYPT_LOG_N)?
            .encrypt(&Nonce::from(nonce), &pkcs8[..])
            .map_err(|_| ErrorKind::Library("encrypt the key"))?;
        let file = KeyFile {
            kdf: Kdf {
                name: "scrypt".to_owned(),
                params: KdfParams { n: 1 << SCRYPT_LOG_N, r: SCRYPT_R, p: SCRYPT_P },
                salt: BASE64.encode(salt),
            },
            cipher: Cipher { name: "nacl/secretbox".to_owned(), nonce: BASE64.encode(nonce) },
            ciphertext: BASE64.encode(ciphertext),
        };
        let json = serde_json::to_vec(&file).map_err(|source| ErrorKind::Json { source })?;
        Ok(pem::write(LABEL, &json))
    }

    /// The public half.
    pub fn public(&self) -> Result<PublicKey, Error> {
        let spki = self.pair.spki().ok_or(ErrorKind::Library("write the public key"))?;
        PublicKey::from_spki(&spki).map_err(|source| ErrorKind::Public { source }.into())
    }

    /// Signs a statement.
    pub fn sign(&self, statement: &Statement) -> Result<Bundle, Error> {
        Ok(Bundle {
            signer: Signer::Key { hint: self.public()?.hint() },
            content: Content::Envelope(self.envelope(statement)?),
            log_entries: Vec::new(),
            timestamps: Vec::new(),
        })
    }

    /// Signs a statement that stands alone, as older cosign does.
    pub fn envelope(&self, statement: &Statement) -> Result<Envelope, Error> {
        self.envelope_of(statement.to_bytes())
    }

    /// Signs the bytes of a statement as they are.
    pub(crate) fn envelope_of(&self, payload: Vec<u8>) -> Result<Envelope, Error> {
        let signature = self.sign_bytes(&pae(&payload))?;
        Ok(Envelope { payload, signature })
    }

    /// Signs bytes.
    pub fn sign_bytes(&self, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        self.pair.sign(bytes)
    }
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyPair(secret)")
    }
}

fn decode(text: &str) -> Result<Vec<u8>, Error> {
    BASE64.decode(text).map_err(|_| ErrorKind::Format("a field is no base64").into())
}

fn cipher(password: &str, salt: &[u8], log_n: u8) -> Result<XSalsa20Poly1305, Error> {
    let failed = "derive a key from the password";
    let params = scrypt::Params::new(log_n, SCRYPT_R, SCRYPT_P).map_err(|_| ErrorKind::Library(failed))?;
    let mut key = [0; 32];
    scrypt::scrypt(password.as_bytes(), salt, &params, &mut key).map_err(|_| ErrorKind::Library(failed))?;
    Ok(XSalsa20Poly1305::new(&Key::from(key)))
}
