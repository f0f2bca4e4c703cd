use kiln_attest::LogEntry;
use sigstore_merkle::{hash_leaf, verify_inclusion_proof};
use sigstore_verify::crypto::Checkpoint;
use sigstore_verify::types::Sha256Hash;

use crate::Error;
use crate::error::ErrorKind;

/// Generations of logs in which the signed checkpoint alone says how large the tree is.
const SECOND: (&str, &str) = ("hashedrekord", "0.0.2");

/// Whether an entry lies in the tree that its proof names. Whose tree that is, nobody has said yet: that takes a trusted
/// root.
pub fn check_inclusion(entry: &LogEntry) -> Result<(), Error> {
    let failed = |why: String| Error::from(ErrorKind::Log(why));
    let proof = entry.proof.as_ref().ok_or_else(|| failed("it holds no proof".to_owned()))?;
    let checkpoint = Checkpoint::from_text(&proof.checkpoint).map_err(|error| failed(error.to_string()))?;
    let hash = |bytes: &[u8]| Sha256Hash::try_from(bytes).map_err(|error| failed(error.to_string()));
    let root = hash(checkpoint.root_hash().as_bytes())?;
    let is_second = (entry.kind.as_str(), entry.version.as_str()) == SECOND;
    let (index, size) = if is_second {
        (entry.index, checkpoint.tree_size())
    } else {
        if hash(&proof.root)? != root {
            return Err(failed("proof and checkpoint name different trees".to_owned()));
        }
        (proof.index, proof.size)
    };
    let hashes = proof.hashes.iter().map(|bytes| hash(bytes)).collect::<Result<Vec<_>, _>>()?;
    verify_inclusion_proof(&hash_leaf(&entry.body), index, size, &hashes, &root)
        .map_err(|error| failed(format!("the proof does not hold: {error}")))
}
