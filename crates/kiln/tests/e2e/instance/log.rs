//! Rekor v1, as far as a client sees it: entries of kinds `dsse` and `hashedrekord`, a tree that grows, promises, checkpoints.
//! Sources: rekor, `openapi.yaml`, `pkg/types/dsse`; RFC 6962, 2.1; C2SP, `tlog-checkpoint`.

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::http::{Http, Request, Response};

const NAME: &str = "log.example.invalid";

/// A log of this process.
pub(crate) struct Log {
    http: Http,
    key: Arc<EcdsaKeyPair>,
    fault: Arc<Mutex<Fault>>,
}

/// What the log does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// It answers with the entry that it took first, whatever it is given.
    FirstEntry,
    /// It answers with this status.
    Status(u16),
    /// The connection breaks.
    Cut,
    /// The root of the proof is another.
    Proof,
    /// The promise is by nobody.
    Promise,
    /// It points to another host.
    Elsewhere,
    /// It has no end.
    Endless,
}

impl Log {
    pub(crate) fn start() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).unwrap();
        let (key, fault) = (Arc::new(key), Arc::new(Mutex::new(Fault::None)));
        let bodies = Mutex::new(Vec::new());
        let (signing, doing) = (key.clone(), fault.clone());
        let http = Http::start(move |request| {
            add(request, &signing, &mut bodies.lock().unwrap(), *doing.lock().unwrap())
        });
        Self { http, key, fault }
    }

    pub(crate) fn url(&self) -> String {
        self.http.url.clone()
    }

    /// From now on it does this wrong.
    pub(crate) fn does(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    pub(crate) fn public_pem(&self) -> String {
        public_pem(&self.key)
    }
}

pub(super) fn public_pem(key: &EcdsaKeyPair) -> String {
    let body = BASE64.encode(spki(key));
    format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
}

pub(super) fn spki(key: &EcdsaKeyPair) -> Vec<u8> {
    let der: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    der.as_ref().to_vec()
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

fn sign(key: &EcdsaKeyPair, bytes: &[u8]) -> Vec<u8> {
    key.sign(&SystemRandom::new(), bytes).unwrap().as_ref().to_vec()
}

fn add(request: &Request, key: &EcdsaKeyPair, bodies: &mut Vec<Vec<u8>>, fault: Fault) -> Response {
    if (request.method.as_str(), request.path.as_str()) != ("POST", "/api/v1/log/entries") {
        return Response::status(404);
    }
    bodies.push(canonical(&request.body));
    let at = if fault == Fault::FirstEntry { 0 } else { bodies.len() - 1 };
    let (id, entry) = entry(key, bodies, at, fault);
    // Clients of Go look an entry up by its tag.
    let response =
        Response { headers: vec![("etag", id.clone())], ..Response::json(201, &json!({ id: entry })) };
    match fault {
        Fault::Status(status) => Response::status(status),
        Fault::Cut => Response { cut: true, ..response },
        Fault::Elsewhere => Response::to("http://elsewhere.invalid/api/v1/log/entries"),
        Fault::Endless => Response { body: vec![b' '; 49 << 20], ..response },
        _ => response,
    }
}

/// What the log keeps of a proposed entry: JSON in its canonical form, with keys in order.
fn canonical(proposed: &[u8]) -> Vec<u8> {
    let proposed: Value = serde_json::from_slice(proposed).unwrap();
    if proposed["kind"] == "hashedrekord" {
        return proposed.to_string().into_bytes();
    }
    let content = &proposed["spec"]["proposedContent"];
    let text = content["envelope"].as_str().unwrap();
    let envelope: Value = serde_json::from_str(text).unwrap();
    let payload = BASE64.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let hash = |bytes: &[u8]| json!({ "algorithm": "sha256", "value": hex::encode(sha256(bytes)) });
    json!({
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": {
            "envelopeHash": hash(text.as_bytes()),
            "payloadHash": hash(&payload),
            "signatures": [{ "signature": envelope["signatures"][0]["sig"], "verifier": content["verifiers"][0] }],
        },
    })
    .to_string()
    .into_bytes()
}

fn entry(key: &EcdsaKeyPair, bodies: &[Vec<u8>], at: usize, fault: Fault) -> (String, Value) {
    let leaves: Vec<Vec<u8>> = bodies.iter().map(|body| sha256(&[&[0][..], body].concat())).collect();
    let (size, log_id, body) = (leaves.len(), sha256(&spki(key)), BASE64.encode(&bodies[at]));
    let mut root = root(&leaves);
    if fault == Fault::Proof {
        root[0] ^= 1;
    }
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let promised =
        json!({ "body": body, "integratedTime": time, "logID": hex::encode(&log_id), "logIndex": at });
    let mut promise = sign(key, promised.to_string().as_bytes());
    if fault == Fault::Promise {
        promise = sign(key, b"something else");
    }
    let head = format!("{NAME} - 1\n{size}\n{}\n", BASE64.encode(&root));
    let note = BASE64.encode([&log_id[..4], &sign(key, head.as_bytes())].concat());
    let entry = json!({
        "body": body,
        "integratedTime": time,
        "logID": hex::encode(&log_id),
        "logIndex": at,
        "verification": {
            "inclusionProof": {
                "checkpoint": format!("{head}\n\u{2014} {NAME} {note}\n"),
                "hashes": path(&leaves, at).iter().map(hex::encode).collect::<Vec<_>>(),
                "logIndex": at,
                "rootHash": hex::encode(&root),
                "treeSize": size,
            },
            "signedEntryTimestamp": BASE64.encode(promise),
        },
    });
    (hex::encode(&leaves[at]), entry)
}

/// Where a tree is split: at the largest power of two below its size.
fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}

fn root(leaves: &[Vec<u8>]) -> Vec<u8> {
    if let [leaf] = leaves {
        return leaf.clone();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    sha256(&[&[1][..], &root(left), &root(right)].concat())
}

fn path(leaves: &[Vec<u8>], at: usize) -> Vec<Vec<u8>> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut below, other) =
        if at < left.len() { (path(left, at), right) } else { (path(right, at - left.len()), left) };
    below.push(root(other));
    below
}
