//! How kiln.lock writes checksums: as their publishers do, `sha256:<hex>` (Debian) or `sha512-<base64>` (npm), and no other.

use kiln_text::{Algorithm, Checksum};
use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serializer};

pub(crate) fn serialize<S: Serializer>(checksum: &Checksum, serializer: S) -> Result<S::Ok, S::Error> {
    match checksum.algorithm() {
        Algorithm::Sha512 => serializer.serialize_str(&checksum.sri()),
        _ => serializer.collect_str(checksum),
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Checksum, D::Error> {
    let text = String::deserialize(deserializer)?;
    let found = if text.starts_with("sha256:") { text.parse().ok() } else { sha512(&text) };
    found.ok_or_else(|| D::Error::custom(format!("`{text}` is neither sha256:<hex> nor sha512-<base64>")))
}

/// The SHA-512 of an `integrity` field, which may hold several checksums.
pub(crate) fn sha512(integrity: &str) -> Option<Checksum> {
    Checksum::integrity(integrity).into_iter().find(|one| one.algorithm() == Algorithm::Sha512)
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Pin(#[serde(with = "super")] Checksum);

    #[test]
    fn reads_back_what_it_writes_and_no_weaker_one() {
        for (algorithm, start) in [(Algorithm::Sha256, "\"sha256:"), (Algorithm::Sha512, "\"sha512-")] {
            let pin = Pin(algorithm.of(b"x"));
            let text = serde_json::to_string(&pin).unwrap();
            assert!(text.starts_with(start), "{text}");
            assert_eq!(serde_json::from_str::<Pin>(&text).unwrap(), pin);
        }
        for weak in ["sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:0"]
        {
            assert!(serde_json::from_value::<Pin>(weak.into()).is_err(), "{weak}");
        }
    }
}
