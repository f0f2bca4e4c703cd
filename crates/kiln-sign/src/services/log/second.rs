//! Rekor, version 2. It takes no statements: what is witnessed of one is the digest of the bytes that are signed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use kiln_attest::{LogEntry, Signer};
use kiln_fetch::{Question, join};
use serde_json::json;

use super::{ANSWER_MAX, Signed};
use crate::Error;
use crate::error::ErrorKind;
use crate::transport::{Service, Transport, ask, unfit};

/// Keys that the digest of the signed bytes is SHA-256 for, and how the log calls them.
/// Source: sigstore protobuf-specs, `PublicKeyDetails`.
const KEYS: [(&str, &str); 1] = [("ECDSA P-256", "PKIX_ECDSA_P256_SHA_256")];

pub(super) fn add(transport: &dyn Transport, url: &str, signed: &Signed<'_>) -> Result<LogEntry, Error> {
    let kind = KEYS.iter().find(|(kind, _)| *kind == signed.key.kind());
    let (_, details) = kind.ok_or(ErrorKind::LogKey(signed.key.kind()))?;
    let verifier = BASE64.encode(signed.verifier_der());
    let field = match signed.signer {
        Signer::Certificate(_) => "x509Certificate",
        Signer::Key { .. } => "publicKey",
    };
    let request = json!({ "hashedRekordRequestV002": {
        "digest": BASE64.encode(signed.digest()),
        "signature": {
            "content": BASE64.encode(signed.content.signature()),
            "verifier": { field: { "rawBytes": verifier }, "keyDetails": details },
        },
    } });
    let question = Question {
        url: join(url, "api/v2/log/entries"),
        body: Some(("application/json", request.to_string().into_bytes())),
        accept: "application/json",
        bearer: None,
        cap: ANSWER_MAX,
    };
    let answer = ask(transport, Service::Log, &question)?;
    let entry = LogEntry::read(&answer).map_err(|error| unfit(Service::Log, error.to_string()))?;
    // Nothing has signed a time of this log.
    Ok(LogEntry { integrated_time: None, promise: None, ..entry })
}
