use std::collections::BTreeMap;

use kiln_oci::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;
use crate::error::ErrorKind;

const TYPE_V1: &str = "https://in-toto.io/Statement/v1";
/// What `cosign attest` still writes.
const TYPE_V01: &str = "https://in-toto.io/Statement/v0.1";
/// Limits of sigstore-go, so that what kiln accepts others accept.
const SUBJECTS_MAX: usize = 1024;
const DIGESTS_MAX: usize = 32;

/// An in-toto statement: a predicate about subjects. Source: in-toto attestation framework, v1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// Always `https://in-toto.io/Statement/v1` where kiln writes it.
    #[serde(rename = "_type")]
    pub kind: String,
    /// What it is about.
    pub subject: Vec<StatementSubject>,
    /// What kind of predicate it makes.
    pub predicate_type: String,
    /// The predicate; absent for a plain signature of cosign before 3.0.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate: Option<Value>,
}

/// One thing that a statement is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementSubject {
    /// Its name; cosign leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Hex digests by algorithm.
    pub digest: BTreeMap<String, String>,
}

impl Statement {
    /// A statement about the manifest `digest`.
    pub fn about(digest: &Digest, predicate_type: &str, predicate: Value) -> Self {
        let digests = BTreeMap::from([("sha256".to_owned(), digest.hex())]);
        Self {
            kind: TYPE_V1.to_owned(),
            subject: vec![StatementSubject { name: None, digest: digests }],
            predicate_type: predicate_type.to_owned(),
            predicate: Some(predicate),
        }
    }

    /// Reads a statement.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let statement: Self = serde_json::from_slice(bytes)
            .map_err(|source| ErrorKind::Json { what: "in-toto statement", source })?;
        let unfit = |why: &str| Error::unfit("in-toto statement", why);
        if ![TYPE_V1, TYPE_V01].contains(&statement.kind.as_str()) {
            return Err(unfit("has a `_type` that is neither v1 nor v0.1"));
        }
        if statement.subject.is_empty() || statement.subject.len() > SUBJECTS_MAX {
            return Err(unfit("must have 1 to 1024 subjects"));
        }
        if statement.subject.iter().any(|subject| subject.digest.len() > DIGESTS_MAX) {
            return Err(unfit("has a subject with more than 32 digests"));
        }
        Ok(statement)
    }

    /// Whether one of its subjects is the manifest `digest`.
    pub fn is_about(&self, digest: &Digest) -> bool {
        let hex = digest.hex();
        self.subject.iter().any(|subject| subject.digest.get("sha256").is_some_and(|found| *found == hex))
    }

    /// The compact JSON that is signed.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a statement holds only JSON values with string keys")
    }
}
