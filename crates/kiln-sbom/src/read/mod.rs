//! Documents back to an inventory, whoever wrote them. What is not understood is counted as unread, never dropped.

mod cyclonedx;
mod gather;
mod spdx;
mod spdx3;

use kiln_pkg::Inventory;
use serde_json::Value;

use crate::Error;
use crate::error::ErrorKind;

/// The largest document that is read, in bytes. Its nesting is capped by the JSON reader (128).
pub const DOCUMENT_MAX: usize = 256 << 20;

/// Reads SPDX 2 and 3 and CycloneDX, as JSON, bare or as the predicate of an in-toto statement.
pub fn read(bytes: &[u8]) -> Result<Inventory, Error> {
    if bytes.len() > DOCUMENT_MAX {
        return Err(ErrorKind::TooLarge { limit: DOCUMENT_MAX }.into());
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let value: Value = serde_json::from_slice(bytes).map_err(|source| ErrorKind::Json { source })?;
    // BuildKit and `cosign attest` write the document as the predicate of a statement.
    let value = match value.get("predicate") {
        Some(predicate) if value.get("predicateType").is_some() => predicate,
        _ => &value,
    };
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let unknown = |why: String| ErrorKind::Unknown { why };
    if text("bomFormat") == Some("CycloneDX") {
        return match text("specVersion") {
            Some(version) if version.starts_with("1.") => Ok(cyclonedx::read(value)),
            version => {
                Err(unknown(format!("CycloneDX {} is not known", version.unwrap_or("without version")))
                    .into())
            }
        };
    }
    if let Some(version) = text("spdxVersion") {
        return if version.starts_with("SPDX-2.") {
            Ok(spdx::read(value))
        } else {
            Err(unknown(format!("{version} is not known")).into())
        };
    }
    if value.get("@graph").is_some() && value.get("@context").is_some() {
        return spdx3::read(value);
    }
    Err(unknown("it is neither SPDX nor CycloneDX".to_owned()).into())
}
