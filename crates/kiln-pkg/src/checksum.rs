use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// A checksum of what a package was installed from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Checksum {
    /// Algorithm, as `sha512`.
    pub algorithm: String,
    /// Lower-case hexadecimal digits.
    pub hex: String,
}

/// Digits of the longest digest there is here (SHA-512).
const MAX_BYTES: usize = 64;

impl Checksum {
    /// One whose digest is written in base64; `None` where it is no digest of that algorithm.
    pub fn base64(algorithm: &str, digest: &str) -> Option<Self> {
        if digest.len() > MAX_BYTES * 2 {
            return None;
        }
        Self::new(algorithm, &hex::encode(STANDARD.decode(digest).ok()?))
    }

    /// One whose digest is written in hexadecimal digits; `None` where it is no digest of that algorithm.
    pub fn new(algorithm: &str, digest: &str) -> Option<Self> {
        let algorithm = algorithm.to_ascii_lowercase().replace('-', "");
        let length = match algorithm.as_str() {
            "md5" => 32,
            "sha1" => 40,
            "sha256" => 64,
            "sha384" => 96,
            "sha512" => 128,
            _ => return None,
        };
        let fits = digest.len() == length && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then(|| Self { algorithm, hex: digest.to_ascii_lowercase() })
    }

    /// The digests of npm's `integrity` fields, as `sha512-…=`. Source: W3C Subresource Integrity.
    pub fn integrity(text: &str) -> Vec<Self> {
        let one = |part: &str| {
            let (algorithm, digest) = part.split_once('-')?;
            Self::base64(algorithm, digest.split('?').next().unwrap_or_default())
        };
        let mut found: Vec<Self> = text.split_whitespace().take(8).filter_map(one).collect();
        found.sort();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::Checksum;

    #[test]
    fn reads_integrity_and_refuses_what_is_none() {
        let found = Checksum::integrity("sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= sha256-x md9-AA==");
        assert_eq!(found, [Checksum::new("SHA-1", "da39a3ee5e6b4b0d3255bfef95601890afd80709").unwrap()]);
        assert_eq!(Checksum::new("sha256", "abc"), None);
    }
}
