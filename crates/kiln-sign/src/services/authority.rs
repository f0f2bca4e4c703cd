//! A certificate for a key that was just made. Source: fulcio, `fulcio.proto`, `CreateSigningCertificate`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use kiln_fetch::{Question, join};
use kiln_trust::Certificate;
use serde::Deserialize;
use serde_json::json;

use crate::transport::{Service, Transport, refusal, reply, unfit};
use crate::{Error, KeyPair, Token, pem};

/// A chain of certificates, with room.
const ANSWER_MAX: u64 = 256 << 10;
const CHAIN_MAX: usize = 10;
const LABEL: &str = "CERTIFICATE";

/// Whom an authority vouches for.
pub(crate) struct Certified {
    /// The certificate, DER.
    pub(crate) der: Vec<u8>,
    /// What it says.
    pub(crate) says: Certificate,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    signed_certificate_embedded_sct: Option<Signed>,
    /// Where the word of the certificate log stands beside the certificate. Bundles have no place for it.
    #[serde(default)]
    signed_certificate_detached_sct: Option<Signed>,
}

#[derive(Deserialize)]
struct Signed {
    chain: Chain,
}

#[derive(Deserialize)]
struct Chain {
    certificates: Vec<String>,
}

/// Asks for a certificate that says that `key` belongs to whom the token is about.
pub(crate) fn certify(
    transport: &dyn Transport,
    url: &str,
    token: &Token,
    key: &KeyPair,
) -> Result<Certified, Error> {
    let question = Question {
        url: join(url, "api/v2/signingCert"),
        body: Some(("application/json", request(token, key)?)),
        accept: "application/json",
        bearer: None,
        cap: ANSWER_MAX,
    };
    let reply = reply(transport, Service::Authority, &question)?;
    if !reply.is_fine() {
        return Err(refusal(Service::Authority, &reply, &[token.secret().expose()]));
    }
    read(&reply.body, token, key)
}

/// That the key is ours is shown by signing the subject of the token with it.
fn request(token: &Token, key: &KeyPair) -> Result<Vec<u8>, Error> {
    let proof = key.sign_bytes(token.subject().as_bytes())?;
    Ok(json!({
        "credentials": { "oidcIdentityToken": token.secret().expose() },
        "publicKeyRequest": {
            "publicKey": { "algorithm": "ECDSA", "content": key.public()?.to_pem() },
            "proofOfPossession": BASE64.encode(proof),
        },
    })
    .to_string()
    .into_bytes())
}

fn read(answer: &[u8], token: &Token, key: &KeyPair) -> Result<Certified, Error> {
    let unfit = |why: &str| unfit(Service::Authority, why);
    let answer: Answer = serde_json::from_slice(answer).map_err(|_| unfit("it is no certificate"))?;
    let signed = answer.signed_certificate_embedded_sct.or(answer.signed_certificate_detached_sct);
    let chain = signed.ok_or_else(|| unfit("it is no certificate"))?.chain.certificates;
    if chain.len() > CHAIN_MAX {
        return Err(unfit("it has more than 10 certificates"));
    }
    let leaf = chain.first().ok_or_else(|| unfit("it has no certificate"))?;
    let der = pem::read(&[LABEL], leaf).ok_or_else(|| unfit("its certificate is no PEM"))?;
    let says = Certificate::read(&der).map_err(|error| unfit(&error.to_string()))?;
    if says.spki != key.public()?.spki() {
        return Err(unfit("the certificate is for another key"));
    }
    if !token.can_name(&says.subject) {
        return Err(unfit(&format!(
            "the certificate is about {:?}, which the token does not name",
            says.subject
        )));
    }
    Ok(Certified { der, says })
}

/// The certificate as logs of the first generation take it.
pub(crate) fn to_pem(der: &[u8]) -> String {
    pem::write(LABEL, der)
}
