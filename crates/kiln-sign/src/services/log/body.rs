//! Whether an entry is about a signature, whatever its log claims (CVE-2022-36056, CVE-2026-22703).

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use kiln_attest::{Content, LogEntry};
use kiln_oci::Digest;
use serde_json::Value;

use super::Signed;
use crate::Error;
use crate::transport::{Service, unfit};

/// Refuses an entry that is about another signature, another signer or something else that was signed.
pub(super) fn check(entry: &LogEntry, signed: &Signed<'_>) -> Result<(), Error> {
    let unfit = |why: &str| unfit(Service::Log, why);
    let body: Value =
        serde_json::from_slice(&entry.body).map_err(|_| unfit("the body of the entry is no JSON"))?;
    if body["kind"] != entry.kind.as_str() || body["apiVersion"] != entry.version.as_str() {
        return Err(unfit("the entry is of another kind than its body"));
    }
    let Some(logged) = Logged::of(&body, entry, signed.content) else {
        return Err(unfit(&format!("entries of the kind {} {} are not known", entry.kind, entry.version)));
    };
    if logged.signature != BASE64.encode(signed.content.signature()) {
        return Err(unfit("the entry is of another signature"));
    }
    if !logged.is_by(signed) {
        return Err(unfit("the entry is of another signer"));
    }
    if logged.digest != logged.expected(signed) {
        return Err(unfit("the entry is of something else that was signed"));
    }
    Ok(())
}

/// What an entry says, as texts.
struct Logged<'a> {
    signature: &'a str,
    verifier: &'a str,
    digest: &'a str,
    form: Form,
}

#[derive(Clone, Copy)]
enum Form {
    /// `dsse` 0.0.1: the digest is of the payload, in hexadecimal digits.
    Statement,
    /// `hashedrekord` 0.0.1: the digest is of the file, in hexadecimal digits.
    File,
    /// `hashedrekord` 0.0.2: the digest is of the bytes that are signed, in base64, as is the DER of the verifier.
    Digest,
}

impl<'a> Logged<'a> {
    fn of(body: &'a Value, entry: &LogEntry, content: &Content) -> Option<Self> {
        let text = |path: &str| body.pointer(path).and_then(Value::as_str);
        Some(match (entry.kind.as_str(), entry.version.as_str(), content) {
            ("dsse", "0.0.1", Content::Envelope(_)) => {
                let signatures = body.pointer("/spec/signatures")?.as_array()?;
                let [signature] = &signatures[..] else { return None };
                Self {
                    signature: signature["signature"].as_str()?,
                    verifier: signature["verifier"].as_str()?,
                    digest: text("/spec/payloadHash/value")?,
                    form: Form::Statement,
                }
            }
            ("hashedrekord", "0.0.1", Content::Message { .. }) => Self {
                signature: text("/spec/signature/content")?,
                verifier: text("/spec/signature/publicKey/content")?,
                digest: text("/spec/data/hash/value")?,
                form: Form::File,
            },
            ("hashedrekord", "0.0.2", _) => {
                let signature = "/spec/hashedRekordV002/signature";
                let verifier = |kind: &str| text(&format!("{signature}/verifier/{kind}/rawBytes"));
                Self {
                    signature: text(&format!("{signature}/content"))?,
                    verifier: verifier("x509Certificate").or_else(|| verifier("publicKey"))?,
                    digest: text("/spec/hashedRekordV002/data/digest")?,
                    form: Form::Digest,
                }
            }
            _ => return None,
        })
    }

    fn is_by(&self, signed: &Signed<'_>) -> bool {
        let Ok(verifier) = BASE64.decode(self.verifier) else { return false };
        match self.form {
            Form::Digest => verifier == signed.verifier_der(),
            // Logs write PEM anew, with or without a line end after it.
            Form::Statement | Form::File => {
                String::from_utf8_lossy(&verifier).trim() == signed.verifier_pem().trim()
            }
        }
    }

    fn expected(&self, signed: &Signed<'_>) -> String {
        match (self.form, signed.content) {
            (Form::Digest, _) => BASE64.encode(signed.digest()),
            (_, Content::Envelope(envelope)) => Digest::of(&envelope.payload).hex(),
            (_, Content::Message { digest, .. }) => hex::encode(digest),
        }
    }
}
