use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256, Sha512};

/// The checksum a file must have. Written `sha256:<hex>` (Debian) or `sha512-<base64>` (npm).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Integrity {
    /// SHA-256.
    Sha256([u8; 32]),
    /// SHA-512.
    Sha512([u8; 64]),
}

impl Integrity {
    /// Whether `bytes` have this checksum.
    pub fn holds(&self, bytes: &[u8]) -> bool {
        self.actual(bytes) == *self
    }

    /// The checksum of `bytes` by the same algorithm.
    pub(crate) fn actual(&self, bytes: &[u8]) -> Self {
        match self {
            Self::Sha256(_) => Self::Sha256(Sha256::digest(bytes).into()),
            Self::Sha512(_) => Self::Sha512(Sha512::digest(bytes).into()),
        }
    }

    /// Reads the 64 hex digits of an index of Debian's.
    pub(crate) fn from_sha256_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self::Sha256(bytes))
    }

    /// The strongest checksum in a Subresource Integrity text, which may hold several; SHA-1 is none.
    pub(crate) fn from_sri(text: &str) -> Option<Self> {
        let encoded = text.split_whitespace().find_map(|part| part.strip_prefix("sha512-"))?;
        let encoded = encoded.split('?').next()?;
        Some(Self::Sha512(STANDARD.decode(encoded).ok()?.try_into().ok()?))
    }
}

impl fmt::Display for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256(bytes) => write!(f, "sha256:{}", hex::encode(bytes)),
            Self::Sha512(bytes) => write!(f, "sha512-{}", STANDARD.encode(bytes)),
        }
    }
}

impl fmt::Debug for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Integrity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = match text.strip_prefix("sha256:") {
            Some(digits) => Self::from_sha256_hex(digits),
            None => Self::from_sri(text),
        };
        found.ok_or_else(|| format!("`{text}` is neither sha256:<hex> nor sha512-<base64>"))
    }
}

impl Serialize for Integrity {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Integrity {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_shows() {
        for integrity in [Integrity::Sha256([7; 32]), Integrity::Sha512([9; 64])] {
            assert_eq!(integrity.to_string().parse(), Ok(integrity));
        }
        assert!("sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=".parse::<Integrity>().is_err());
        assert!(Integrity::Sha256([0; 32]).actual(b"").holds(b""));
    }
}
