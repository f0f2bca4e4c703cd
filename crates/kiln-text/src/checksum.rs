use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};

/// How many bytes the longest checksum has.
const LONGEST: usize = 64;

/// How a checksum is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// MD5, which others still write; never computed.
    Md5,
    /// SHA-1, which others still write; never computed.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// What others say that bytes hash to: the checksum of a package, a download, a file. The digest that names a blob of an image is
/// a type of its own in kiln-oci, as it is SHA-256 and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checksum {
    algorithm: Algorithm,
    /// Zero beyond what the algorithm yields.
    bytes: [u8; LONGEST],
}

/// A text that is no checksum.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no checksum of the form sha256:<hex> or sha512-<base64>")]
pub struct BadChecksum(String);

/// A checksum in the making.
#[derive(Clone)]
pub enum Hasher {
    /// SHA-224.
    Sha224(Sha224),
    /// SHA-256.
    Sha256(Sha256),
    /// SHA-384.
    Sha384(Sha384),
    /// SHA-512.
    Sha512(Sha512),
}

impl Algorithm {
    /// All, weakest first.
    pub const ALL: [Self; 6] =
        [Self::Md5, Self::Sha1, Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512];

    /// Its name, as in file names and in `integrity` fields: `sha512`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Reads `sha512`, `SHA512` or `SHA-512`.
    fn read(text: &str) -> Option<Self> {
        let plain = |char: &char| *char != '-';
        let text: String = text.chars().filter(plain).take(8).map(|char| char.to_ascii_lowercase()).collect();
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text)
    }

    /// How many bytes it yields.
    fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => LONGEST,
        }
    }

    /// Begins a checksum. In place of MD5 and SHA-1, which can be forged, it is SHA-256: then nothing has the checksum that was
    /// asked for, and what was computed says why.
    pub fn hasher(self) -> Hasher {
        match self {
            Self::Md5 | Self::Sha1 | Self::Sha256 => Hasher::Sha256(Sha256::new()),
            Self::Sha224 => Hasher::Sha224(Sha224::new()),
            Self::Sha384 => Hasher::Sha384(Sha384::new()),
            Self::Sha512 => Hasher::Sha512(Sha512::new()),
        }
    }

    /// The checksum of `bytes`, as by [`Algorithm::hasher`].
    pub fn of(self, bytes: &[u8]) -> Checksum {
        let mut hasher = self.hasher();
        hasher.update(bytes);
        hasher.finish()
    }
}

impl Checksum {
    /// One whose bytes are known; `None` where the algorithm yields another number of bytes.
    pub fn new(algorithm: Algorithm, digest: &[u8]) -> Option<Self> {
        let mut bytes = [0; LONGEST];
        bytes
            .get_mut(..algorithm.length())
            .filter(|room| room.len() == digest.len())?
            .copy_from_slice(digest);
        Some(Self { algorithm, bytes })
    }

    /// One written in hexadecimal digits, with the name of its algorithm beside it (`SHA-512`, `sha512`).
    pub fn from_hex(algorithm: &str, digits: &str) -> Option<Self> {
        let algorithm = Algorithm::read(algorithm).filter(|known| known.length() * 2 == digits.len())?;
        Self::new(algorithm, &hex::decode(digits).ok()?)
    }

    /// One written in base64, with the name of its algorithm beside it.
    pub fn from_base64(algorithm: &str, digest: &str) -> Option<Self> {
        let algorithm = Algorithm::read(algorithm).filter(|_| digest.len() <= LONGEST * 2)?;
        Self::new(algorithm, &STANDARD.decode(digest).ok()?)
    }

    /// Those of npm's `integrity` fields, as `sha512-…=`, weakest first. Source: W3C Subresource Integrity.
    pub fn integrity(text: &str) -> Vec<Self> {
        let mut found: Vec<Self> = text.split_whitespace().take(8).filter_map(Self::from_sri).collect();
        found.sort();
        found
    }

    fn from_sri(part: &str) -> Option<Self> {
        let (algorithm, digest) = part.split_once('-')?;
        Self::from_base64(algorithm, digest.split('?').next().unwrap_or_default())
    }

    /// How it was computed.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.algorithm.length()).unwrap_or_default()
    }

    /// The digits in lower-case hex.
    pub fn hex(&self) -> String {
        hex::encode(self.bytes())
    }

    /// As npm writes it: `sha512-<base64>`.
    pub fn sri(&self) -> String {
        format!("{}-{}", self.algorithm.as_str(), STANDARD.encode(self.bytes()))
    }

    /// Whether `bytes` have this checksum; nothing has one by MD5 or SHA-1.
    pub fn holds(&self, bytes: &[u8]) -> bool {
        self.algorithm.of(bytes) == *self
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.as_str(), self.hex())
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Checksum {
    type Err = BadChecksum;

    /// Reads what [`fmt::Display`] and [`Checksum::sri`] write.
    fn from_str(text: &str) -> Result<Self, BadChecksum> {
        let found = match text.split_once(':') {
            Some((algorithm, digits)) => Self::from_hex(algorithm, digits),
            None => Self::from_sri(text),
        };
        found.ok_or_else(|| BadChecksum(text.chars().take(200).collect()))
    }
}

impl Serialize for Checksum {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Checksum", 2)?;
        fields.serialize_field("algorithm", self.algorithm.as_str())?;
        fields.serialize_field("hex", &self.hex())?;
        fields.end()
    }
}

impl<'de> Deserialize<'de> for Checksum {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Written {
            algorithm: String,
            hex: String,
        }
        let Written { algorithm, hex } = Written::deserialize(deserializer)?;
        let bad = || serde::de::Error::custom(format!("this is no checksum by {algorithm:.20}"));
        Self::from_hex(&algorithm, &hex).ok_or_else(bad)
    }
}

impl Hasher {
    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha224(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha384(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The checksum of all that was taken in.
    pub fn finish(self) -> Checksum {
        let (algorithm, digest) = match self {
            Self::Sha224(hasher) => (Algorithm::Sha224, hasher.finalize().to_vec()),
            Self::Sha256(hasher) => (Algorithm::Sha256, hasher.finalize().to_vec()),
            Self::Sha384(hasher) => (Algorithm::Sha384, hasher.finalize().to_vec()),
            Self::Sha512(hasher) => (Algorithm::Sha512, hasher.finalize().to_vec()),
        };
        Checksum::new(algorithm, &digest).expect("the algorithm yields as many bytes as it does")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_integrity_and_refuses_what_is_none() {
        let found = Checksum::integrity("sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= sha256-x md9-AA==");
        assert_eq!(found, [Checksum::from_hex("SHA-1", "da39a3ee5e6b4b0d3255bfef95601890afd80709").unwrap()]);
        assert_eq!(Checksum::from_hex("sha256", "abc"), None);
        assert_eq!(Checksum::from_hex("sha256", &"é".repeat(32)), None);
        assert_eq!(Checksum::new(Algorithm::Sha256, &[0; 31]), None);
    }

    #[test]
    fn reads_back_what_it_shows() {
        for algorithm in [Algorithm::Sha224, Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512] {
            let checksum = algorithm.of(b"kiln");
            assert!(checksum.holds(b"kiln") && !checksum.holds(b"kilns"));
            assert_eq!(checksum.to_string().parse(), Ok(checksum));
            assert_eq!(checksum.sri().parse(), Ok(checksum));
            let json = serde_json::to_string(&checksum).unwrap();
            assert_eq!(serde_json::from_str::<Checksum>(&json).unwrap(), checksum);
        }
        for text in ["", "sha256:", "sha512-", "sha256:zz", "sha256:../x", "sha3-AA=="] {
            assert!(text.parse::<Checksum>().is_err(), "{text}");
        }
        let known =
            "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";
        assert_eq!(Algorithm::Sha512.of(b"").sri(), known);
    }

    #[test]
    fn nothing_has_a_checksum_that_can_be_forged() {
        for text in ["md5:d41d8cd98f00b204e9800998ecf8427e", "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="] {
            assert!(!text.parse::<Checksum>().unwrap().holds(b""), "{text}");
        }
    }
}
