//! A certificate authority and a transparency log of the tests' own. Sources: fulcio, `certificate-specification.md`;
//! rekor, `pkg/types/dsse`, `signed entry timestamp`; RFC 6962 for the tree; C2SP, `tlog-checkpoint`.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use kiln_attest::predicate::SIGNATURE;
use kiln_attest::{Statement, pae};
use kiln_oci::Digest;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use serde_json::{Value, json};

/// When everything is signed: 2026-01-02T03:04:05Z.
pub(crate) const NOW: i64 = 1_767_323_045;
const YEAR: i64 = 365 * 86_400;
const ORIGIN: &str = "log.example.invalid - 1";

pub(crate) fn image() -> Digest {
    Digest::of(b"image")
}

/// A key that signs.
pub(crate) struct Key {
    pair: EcdsaKeyPair,
    pkcs8: Vec<u8>,
}

impl Key {
    fn new() -> Self {
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).unwrap();
        Self { pair, pkcs8: pkcs8.as_ref().to_vec() }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }

    fn spki(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = self.pair.public_key().as_der().unwrap();
        der.as_ref().to_vec()
    }

    fn for_certificates(&self) -> KeyPair {
        KeyPair::try_from(self.pkcs8.as_slice()).unwrap()
    }
}

/// Who signs.
pub(crate) struct Leaf {
    pub(crate) key: Key,
    pub(crate) issuer: &'static str,
    pub(crate) subject: &'static str,
    /// Numbers of extensions of Fulcio's, and what they say.
    pub(crate) claims: Vec<(u64, &'static str)>,
    /// Seconds since 1970.
    pub(crate) valid: (i64, i64),
    pub(crate) signs_code: bool,
}

impl Leaf {
    pub(crate) fn new(issuer: &'static str, subject: &'static str) -> Self {
        let valid = (NOW - 300, NOW + 300);
        Self { key: Key::new(), issuer, subject, claims: Vec::new(), valid, signs_code: true }
    }

    pub(crate) fn spki(&self) -> Vec<u8> {
        self.key.spki()
    }
}

/// An instance of Sigstore.
pub(crate) struct Instance {
    pub(crate) authority: (Key, Vec<u8>),
    pub(crate) authority_valid: (i64, i64),
    pub(crate) log: Key,
    /// When the trusted root says that the authority counts.
    pub(crate) trusted: (i64, i64),
}

pub(crate) fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap().to_string()
}

fn moment(seconds: i64) -> time::OffsetDateTime {
    time::OffsetDateTime::from_unix_timestamp(seconds).unwrap()
}

fn authority_params((from, to): (i64, i64)) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = (moment(from), moment(to));
    params
}

impl Instance {
    pub(crate) fn new() -> Self {
        Self::with_authority_until(NOW + YEAR)
    }

    /// The certificate of the authority itself ends then.
    pub(crate) fn with_authority_until(end: i64) -> Self {
        let key = Key::new();
        let authority_valid = (NOW - YEAR, end);
        let certificate = authority_params(authority_valid).self_signed(&key.for_certificates()).unwrap();
        let authority = (key, certificate.der().to_vec());
        Self { authority, authority_valid, log: Key::new(), trusted: (NOW - YEAR, NOW + YEAR) }
    }

    pub(crate) fn trusted_root(&self) -> String {
        let log = self.log.spki();
        let valid = json!({ "start": time(self.trusted.0), "end": time(self.trusted.1) });
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [{
                "baseUrl": "https://log.example.invalid",
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": BASE64.encode(&log),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": { "start": time(NOW - YEAR) },
                },
                "logId": { "keyId": BASE64.encode(sha256(&log)) },
            }],
            "certificateAuthorities": [{
                "subject": { "organization": "example.invalid", "commonName": "authority" },
                "uri": "https://authority.example.invalid",
                "certChain": { "certificates": [{ "rawBytes": BASE64.encode(&self.authority.1) }] },
                "validFor": valid,
            }],
            "ctlogs": [],
            "timestampAuthorities": [],
        })
        .to_string()
    }

    /// A bundle with a signature of [`image`].
    pub(crate) fn sign(&self, leaf: &Leaf) -> String {
        self.sign_in_log_of(leaf, self)
    }

    pub(crate) fn sign_in_log_of(&self, leaf: &Leaf, other: &Self) -> String {
        self.sign_in_logs_of(leaf, &[other])
    }

    /// With an entry in the log of each of the others.
    pub(crate) fn sign_in_logs_of(&self, leaf: &Leaf, others: &[&Self]) -> String {
        let certificate = self.certify(leaf);
        let payload = Statement::about(&image(), SIGNATURE, json!({})).to_bytes();
        let signature = leaf.key.sign(&pae(&payload));
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": { "rawBytes": BASE64.encode(certificate.der()) },
                "tlogEntries": others.iter().map(|other| other.entry(&certificate, &payload, &signature)).collect::<Vec<_>>(),
            },
            "dsseEnvelope": {
                "payload": BASE64.encode(&payload),
                "payloadType": "application/vnd.in-toto+json",
                "signatures": [{ "sig": BASE64.encode(&signature) }],
            },
        })
        .to_string()
    }

    fn certify(&self, leaf: &Leaf) -> Certificate {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.subject_alt_names = vec![SanType::URI(leaf.subject.try_into().unwrap())];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![if leaf.signs_code {
            ExtendedKeyUsagePurpose::CodeSigning
        } else {
            ExtendedKeyUsagePurpose::ServerAuth
        }];
        (params.not_before, params.not_after) = (moment(leaf.valid.0), moment(leaf.valid.1));
        for (number, text) in [(8, leaf.issuer)].iter().chain(&leaf.claims) {
            // A UTF8String, short enough for a length of one byte.
            let length = u8::try_from(text.len()).unwrap();
            assert!(length < 128);
            let content = [&[0x0c, length][..], text.as_bytes()].concat();
            let oid = [1, 3, 6, 1, 4, 1, 57264, 1, *number];
            params.custom_extensions.push(CustomExtension::from_oid_content(&oid, content));
        }
        let issuer = Issuer::new(authority_params(self.authority_valid), self.authority.0.for_certificates());
        params.signed_by(&leaf.key.for_certificates(), &issuer).unwrap()
    }

    /// A bundle with a signature of a file, by a certificate or by the key alone.
    pub(crate) fn sign_file(&self, leaf: &Leaf, file: &[u8], by_key: bool) -> String {
        let certificate = self.certify(leaf);
        let signature = leaf.key.sign(file);
        let (verifier, material) = if by_key {
            let spki = leaf.spki();
            let hint = json!({ "publicKey": { "hint": BASE64.encode(sha256(&spki)) } });
            (pem("PUBLIC KEY", &spki), hint)
        } else {
            let raw = json!({ "certificate": { "rawBytes": BASE64.encode(certificate.der()) } });
            (pem("CERTIFICATE", certificate.der()), raw)
        };
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "hashedrekord",
            "spec": {
                "data": { "hash": { "algorithm": "sha256", "value": Digest::of(file).hex() } },
                "signature": {
                    "content": BASE64.encode(&signature),
                    "publicKey": { "content": BASE64.encode(verifier) },
                },
            },
        });
        let mut material = material;
        material["tlogEntries"] = json!([self.logged("hashedrekord", &body)]);
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": material,
            "messageSignature": {
                "messageDigest": { "algorithm": "SHA2_256", "digest": BASE64.encode(sha256(file)) },
                "signature": BASE64.encode(signature),
            },
        })
        .to_string()
    }

    fn entry(&self, certificate: &Certificate, payload: &[u8], signature: &[u8]) -> Value {
        let verifier = pem("CERTIFICATE", certificate.der());
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": { "algorithm": "sha256", "value": "00".repeat(32) },
                "payloadHash": { "algorithm": "sha256", "value": Digest::of(payload).hex() },
                "signatures": [{ "signature": BASE64.encode(signature), "verifier": BASE64.encode(verifier) }],
            },
        });
        self.logged("dsse", &body)
    }

    /// The only entry of the log: a tree of one leaf.
    fn logged(&self, kind: &str, body: &Value) -> Value {
        let body = body.to_string().into_bytes();
        let root = sha256(&[&[0][..], &body].concat());
        let id = sha256(&self.log.spki());
        let promised = json!({
            "body": BASE64.encode(&body),
            "integratedTime": NOW,
            "logID": Digest::of(&self.log.spki()).hex(),
            "logIndex": 0,
        });
        let head = format!("{ORIGIN}\n1\n{}\n", BASE64.encode(&root));
        let note = [&id[..4], &self.log.sign(head.as_bytes())].concat();
        json!({
            "logIndex": "0",
            "logId": { "keyId": BASE64.encode(&id) },
            "kindVersion": { "kind": kind, "version": "0.0.1" },
            "integratedTime": NOW.to_string(),
            "inclusionPromise": { "signedEntryTimestamp": BASE64.encode(self.log.sign(promised.to_string().as_bytes())) },
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": BASE64.encode(&root),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": { "envelope": format!("{head}\n\u{2014} {ORIGIN_NAME} {}\n", BASE64.encode(note)) },
            },
            "canonicalizedBody": BASE64.encode(&body),
        })
    }
}

/// The name in front of a checkpoint's signature.
const ORIGIN_NAME: &str = "log.example.invalid";

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = BASE64.encode(der);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Takes out what no signature covers and nothing is concluded from.
pub(crate) fn without_the_unsigned(bundle: &mut Value) {
    let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
    let checkpoint = &mut entry["inclusionProof"]["checkpoint"]["envelope"];
    let text = checkpoint.as_str().unwrap_or_default().to_owned();
    // Of the line of the signature, only the signature counts.
    let (head, note) = text.split_once("\n\n").unwrap_or((&text, ""));
    let note = note.trim_end().rsplit(' ').next().unwrap_or_default();
    *checkpoint = json!(format!("{head}\n{note}"));
}
