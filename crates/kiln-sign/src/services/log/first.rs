//! Rekor, version 1.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use kiln_attest::{Content, LogEntry, Proof};
use kiln_fetch::{Question, join};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{ANSWER_MAX, Signed};
use crate::Error;
use crate::transport::{Service, Transport, refusal, reply, unfit};

const ENTRIES: &str = "api/v1/log/entries";
/// The log holds this entry already, and says where.
const CONFLICT: u16 = 409;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    body: String,
    integrated_time: i64,
    #[serde(rename = "logID")]
    log_id: String,
    log_index: u64,
    verification: Verification,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verification {
    inclusion_proof: InclusionProof,
    signed_entry_timestamp: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InclusionProof {
    checkpoint: String,
    #[serde(default)]
    hashes: Vec<String>,
    log_index: u64,
    root_hash: String,
    tree_size: u64,
}

pub(super) fn add(transport: &dyn Transport, url: &str, signed: &Signed<'_>) -> Result<LogEntry, Error> {
    let question = Question {
        url: join(url, ENTRIES),
        body: Some(("application/json", request(signed).to_string().into_bytes())),
        accept: "application/json",
        bearer: None,
        cap: ANSWER_MAX,
    };
    let mut answer = reply(transport, Service::Log, &question)?;
    // A signature that is the same each time it is made, as RSA's, may have been witnessed before.
    if answer.status == CONFLICT {
        let place = answer.location.as_deref().and_then(entry_at);
        let place = place.ok_or_else(|| unfit(Service::Log, "it holds the entry, and does not say where"))?;
        let question = Question { url: join(url, &place), body: None, ..question };
        answer = reply(transport, Service::Log, &question)?;
    }
    if !answer.is_fine() {
        return Err(refusal(Service::Log, &answer, &[]));
    }
    read(&answer.body, signed)
}

/// The path of an entry, without the host that somebody may have put before it.
fn entry_at(location: &str) -> Option<String> {
    let id = location.rsplit('/').next().filter(|id| !id.is_empty())?;
    id.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| format!("{ENTRIES}/{id}"))
}

fn request(signed: &Signed<'_>) -> Value {
    let verifier = BASE64.encode(signed.verifier_pem());
    match signed.content {
        Content::Envelope(envelope) => json!({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": { "proposedContent": {
                "envelope": String::from_utf8_lossy(&envelope.to_bytes()),
                "verifiers": [verifier],
            } },
        }),
        Content::Message { digest, signature } => json!({
            "apiVersion": "0.0.1",
            "kind": "hashedrekord",
            "spec": {
                "data": { "hash": { "algorithm": "sha256", "value": hex::encode(digest) } },
                "signature": { "content": BASE64.encode(signature), "publicKey": { "content": verifier } },
            },
        }),
    }
}

fn read(answer: &[u8], signed: &Signed<'_>) -> Result<LogEntry, Error> {
    let unfit = |why: &str| unfit(Service::Log, why);
    let answer: Map<String, Value> =
        serde_json::from_slice(answer).map_err(|_| unfit("it is no log entry"))?;
    let mut entries = answer.into_iter();
    let (Some((_, entry)), None) = (entries.next(), entries.next()) else {
        return Err(unfit("it is not one log entry"));
    };
    let entry: Entry =
        serde_json::from_value(entry).map_err(|error| unfit(&format!("it is no log entry: {error}")))?;
    let Verification { inclusion_proof: proof, signed_entry_timestamp } = entry.verification;
    let base64 = |text: &str| BASE64.decode(text).map_err(|_| unfit("a field is no base64"));
    let bytes = |text: &str| hex::decode(text).map_err(|_| unfit("a field is no hexadecimal number"));
    let kind = match signed.content {
        Content::Envelope(_) => "dsse",
        Content::Message { .. } => "hashedrekord",
    };
    Ok(LogEntry {
        index: entry.log_index,
        log_id: bytes(&entry.log_id)?,
        kind: kind.to_owned(),
        version: "0.0.1".to_owned(),
        integrated_time: Some(entry.integrated_time).filter(|time| *time != 0),
        promise: Some(base64(&signed_entry_timestamp)?).filter(|promise| !promise.is_empty()),
        proof: Some(Proof {
            index: proof.log_index,
            root: bytes(&proof.root_hash)?,
            size: proof.tree_size,
            hashes: proof.hashes.iter().map(|hash| bytes(hash)).collect::<Result<_, _>>()?,
            checkpoint: proof.checkpoint,
        }),
        body: base64(&entry.body)?,
    })
}
