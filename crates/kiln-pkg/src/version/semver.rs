use std::cmp::Ordering;
use std::fmt;

/// A version of an npm package or of Node.js, as node-semver reads it in loose mode. Build metadata is dropped:
/// it has no part in the order.
///
/// Source: semver.org 2.0.0 §11 for the order; node-semver's `loose` for what is accepted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SemVer {
    /// First number.
    pub major: u64,
    /// Second number.
    pub minor: u64,
    /// Third number.
    pub patch: u64,
    /// Dot-separated identifiers after `-`; empty for a release.
    pub prerelease: Vec<Identifier>,
}

/// One identifier of a prerelease. Numbers sort before words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identifier {
    /// All digits.
    Number(u64),
    /// Anything else.
    Word(String),
}

/// Longest text taken as a version, as in node-semver.
const MAX_LENGTH: usize = 256;

impl SemVer {
    /// A release.
    pub fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self { major, minor, patch, prerelease: Vec::new() }
    }

    /// Reads a version with all three numbers, loosely: surrounding blanks, leading `v` or `=`, and a prerelease
    /// without its dash are accepted.
    pub fn parse(text: &str) -> Option<Self> {
        Self::read(text, 3)
    }

    /// Like [`SemVer::parse`], and takes missing numbers as zero, as the bounds of advisories need (`6.0`).
    pub fn parse_bound(text: &str) -> Option<Self> {
        Self::read(text, 1)
    }

    fn read(text: &str, least: usize) -> Option<Self> {
        let text = text.trim();
        if text.len() > MAX_LENGTH {
            return None;
        }
        let text = text.trim_start_matches(['v', 'V', '=', ' ']);
        let text = text.split_once('+').map_or(text, |(version, _)| version);
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (numbers, rest) = text.split_at(end);
        let (numbers, rest) = match numbers.strip_suffix('.') {
            // `1.2.3.beta` is loosely 1.2.3 with a prerelease; `1.2.` is nothing.
            Some(numbers) if !rest.is_empty() => (numbers, rest),
            Some(_) => return None,
            None => (numbers, rest),
        };
        let mut parts = numbers.split('.').map(number);
        let found = [parts.next(), parts.next(), parts.next()];
        if parts.next().is_some() || found.iter().flatten().count() < least {
            return None;
        }
        let [major, minor, patch] = found;
        Some(Self {
            major: major??,
            minor: minor.unwrap_or(Some(0))?,
            patch: patch.unwrap_or(Some(0))?,
            prerelease: identifiers(rest)?,
        })
    }

    /// Whether this is a prerelease.
    pub fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }

    /// The first version of the next major line.
    pub fn next_major(&self) -> Self {
        Self::new(self.major.saturating_add(1), 0, 0)
    }
}

/// A number that JavaScript can count to.
fn number(digits: &str) -> Option<u64> {
    let value = digits.parse().ok()?;
    (value < 1 << 53).then_some(value)
}

fn identifiers(text: &str) -> Option<Vec<Identifier>> {
    let text = text.strip_prefix('-').unwrap_or(text);
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.split('.').map(identifier).collect()
}

fn identifier(text: &str) -> Option<Identifier> {
    let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    fits.then(|| number(text).map_or_else(|| Identifier::Word(text.to_owned()), Identifier::Number))
}

impl Ord for SemVer {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.major, self.minor, self.patch)
            .cmp(&(other.major, other.minor, other.patch))
            .then_with(|| self.prerelease.is_empty().cmp(&other.prerelease.is_empty()))
            .then_with(|| self.prerelease.cmp(&other.prerelease))
    }
}

impl PartialOrd for SemVer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for SemVer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        for (at, identifier) in self.prerelease.iter().enumerate() {
            f.write_str(if at == 0 { "-" } else { "." })?;
            match identifier {
                Identifier::Number(number) => write!(f, "{number}")?,
                Identifier::Word(word) => f.write_str(word)?,
            }
        }
        Ok(())
    }
}
