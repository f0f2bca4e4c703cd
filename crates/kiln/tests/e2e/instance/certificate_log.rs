//! A log of certificates, as far as an authority sees it: it promises to take what it is shown. Source: RFC 6962, 3.2 and 4.2.

use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use cms::cert::x509::Certificate;
use cms::cert::x509::der::{Decode, Encode};
use serde_json::{Value, json};

use super::log::{public_pem, spki};
use crate::http::{Http, Request, Response};

/// The extension that makes a certificate one that nobody may use.
const POISON: &str = "1.3.6.1.4.1.11129.2.4.3";

/// A log of this process.
pub(crate) struct CertificateLog {
    pub(crate) url: String,
    pub(crate) public_pem: String,
}

impl CertificateLog {
    pub(crate) fn start() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).unwrap();
        let public_pem = public_pem(&key);
        let http = Http::start(move |request| promise(request, &key));
        Self { url: http.url, public_pem }
    }
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

fn promise(request: &Request, key: &EcdsaKeyPair) -> Response {
    if !request.path.ends_with("/ct/v1/add-pre-chain") {
        return Response::status(404);
    }
    let shown: Value = serde_json::from_slice(&request.body).unwrap();
    let certificate = |at: usize| {
        let der = BASE64.decode(shown["chain"][at].as_str().unwrap()).unwrap();
        Certificate::from_der(&der).unwrap().tbs_certificate
    };
    let (mut certificate, issuer) = (certificate(0), certificate(1));
    let extensions = certificate.extensions.as_mut().unwrap();
    extensions.retain(|extension| extension.extn_id.to_string() != POISON);
    let bytes = certificate.to_der().unwrap();
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
    let time = u64::try_from(time).unwrap();
    // Version 1, about a certificate, at this time; one that is not finished, by this issuer; without extensions.
    let signed = [
        &[0, 0][..],
        &time.to_be_bytes(),
        &[0, 1],
        &sha256(&issuer.subject_public_key_info.to_der().unwrap()),
        &u32::try_from(bytes.len()).unwrap().to_be_bytes()[1..],
        &bytes,
        &[0, 0],
    ]
    .concat();
    let signature = key.sign(&SystemRandom::new(), &signed).unwrap();
    // SHA-256 and ECDSA, as TLS numbers them.
    let length = u16::try_from(signature.as_ref().len()).unwrap().to_be_bytes();
    let signature = [&[4, 3][..], &length, signature.as_ref()].concat();
    Response::json(
        200,
        &json!({
            "sct_version": 0, "id": BASE64.encode(sha256(&spki(key))), "timestamp": time, "extensions": "",
            "signature": BASE64.encode(signature),
        }),
    )
}
