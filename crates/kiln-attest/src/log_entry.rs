use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::{ErrorKind, decode};

const WHAT: &str = "log entry";
/// A tree of 2^64 entries has no longer proof.
const HASHES_MAX: usize = 64;
/// Checkpoints have a line or two for each witness.
const CHECKPOINT_MAX: usize = 64 << 10;

/// What a transparency log says of a signature. Source: sigstore protobuf-specs, `sigstore_rekor.proto`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Which entry of the log.
    pub index: u64,
    /// Which log.
    pub log_id: Vec<u8>,
    /// What kind of entry: `dsse`, `hashedrekord`.
    pub kind: String,
    /// The version of that kind.
    pub version: String,
    /// When the log took it, in seconds since 1970. Logs of the second generation do not say.
    pub integrated_time: Option<i64>,
    /// The log's signature over entry and time.
    pub promise: Option<Vec<u8>>,
    /// That the entry is in the log.
    pub proof: Option<Proof>,
    /// What the log holds, byte for byte.
    pub body: Vec<u8>,
}

/// That an entry is in a log. Source: RFC 6962, 2.1.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Which leaf of the tree.
    pub index: u64,
    /// The root of the tree.
    pub root: Vec<u8>,
    /// How many leaves the tree has.
    pub size: u64,
    /// The way from the leaf to the root.
    pub hashes: Vec<Vec<u8>>,
    /// Root and size, signed by the log. Source: C2SP, `tlog-checkpoint`.
    pub checkpoint: String,
}

/// Numbers are texts in this form of JSON, and left out where they are 0.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EntryJson {
    #[serde(default)]
    log_index: Option<String>,
    log_id: LogIdJson,
    kind_version: KindJson,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    integrated_time: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inclusion_promise: Option<PromiseJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inclusion_proof: Option<ProofJson>,
    canonicalized_body: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LogIdJson {
    key_id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KindJson {
    kind: String,
    version: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PromiseJson {
    signed_entry_timestamp: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProofJson {
    #[serde(default)]
    log_index: Option<String>,
    root_hash: String,
    tree_size: String,
    #[serde(default)]
    hashes: Vec<String>,
    checkpoint: CheckpointJson,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckpointJson {
    envelope: String,
}

impl LogEntry {
    /// Reads an entry as bundles hold it, and as logs of the second generation answer with it.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let json = serde_json::from_slice(bytes).map_err(|source| ErrorKind::Json { what: WHAT, source })?;
        Self::from_json(json)
    }

    pub(crate) fn json(&self) -> EntryJson {
        EntryJson {
            log_index: Some(self.index.to_string()),
            log_id: LogIdJson { key_id: BASE64.encode(&self.log_id) },
            kind_version: KindJson { kind: self.kind.clone(), version: self.version.clone() },
            integrated_time: self.integrated_time.map(|time| time.to_string()),
            inclusion_promise: self
                .promise
                .as_ref()
                .map(|promise| PromiseJson { signed_entry_timestamp: BASE64.encode(promise) }),
            inclusion_proof: self.proof.as_ref().map(Proof::json),
            canonicalized_body: BASE64.encode(&self.body),
        }
    }

    pub(crate) fn from_json(json: EntryJson) -> Result<Self, Error> {
        let promise = json.inclusion_promise.map(|promise| promise.signed_entry_timestamp);
        // What is 0 or empty says nothing.
        let time = json.integrated_time.map(|time| number::<i64>("time", &time)).transpose()?;
        Ok(Self {
            index: index(json.log_index)?,
            log_id: decode("log id", &json.log_id.key_id)?,
            kind: json.kind_version.kind,
            version: json.kind_version.version,
            integrated_time: time.filter(|time| *time != 0),
            promise: promise
                .filter(|promise| !promise.is_empty())
                .map(|promise| decode("inclusion promise", &promise))
                .transpose()?,
            proof: json.inclusion_proof.map(Proof::from_json).transpose()?,
            body: decode("body of a log entry", &json.canonicalized_body)?,
        })
    }
}

impl Proof {
    fn json(&self) -> ProofJson {
        ProofJson {
            log_index: Some(self.index.to_string()),
            root_hash: BASE64.encode(&self.root),
            tree_size: self.size.to_string(),
            hashes: self.hashes.iter().map(|hash| BASE64.encode(hash)).collect(),
            checkpoint: CheckpointJson { envelope: self.checkpoint.clone() },
        }
    }

    fn from_json(json: ProofJson) -> Result<Self, Error> {
        if json.hashes.len() > HASHES_MAX || json.checkpoint.envelope.len() > CHECKPOINT_MAX {
            return Err(Error::unfit(WHAT, "has a proof that no log has"));
        }
        Ok(Self {
            index: index(json.log_index)?,
            root: decode("root of a log", &json.root_hash)?,
            size: number("size", &json.tree_size)?,
            hashes: json
                .hashes
                .iter()
                .map(|hash| decode("hash of a proof", hash))
                .collect::<Result<_, _>>()?,
            checkpoint: json.checkpoint.envelope,
        })
    }
}

fn index(text: Option<String>) -> Result<u64, Error> {
    text.map_or(Ok(0), |text| number("index", &text))
}

fn number<T: std::str::FromStr>(what: &str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::unfit(WHAT, format!("has a {what} that is no number")))
}
