use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Error;

/// The longest path kiln accepts, in bytes (Linux's `PATH_MAX`).
const PATH_MAX: usize = 4096;

/// A path below a root, which it cannot leave: UTF-8, relative, without `.`, `..`, empty parts or NUL.
///
/// The root itself is the empty path.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RootPath(String);

impl RootPath {
    /// The root.
    pub const ROOT: Self = Self(String::new());

    /// Accepts only the normal form: `etc/passwd`.
    pub fn new(text: &str) -> Result<Self, Error> {
        let path = Self::normalise(text)?;
        if path.0 == text { Ok(path) } else { Err(Error::path(text, "is not in its normal form")) }
    }

    /// Accepts what tar archives hold: a leading `/` or `./`, a trailing `/`, doubled slashes and `.` parts.
    /// `..` is always refused.
    pub fn normalise(text: &str) -> Result<Self, Error> {
        if text.len() > PATH_MAX {
            return Err(Error::path(text, "is longer than 4096 bytes"));
        }
        if text.contains('\0') {
            return Err(Error::path(text, "holds a NUL byte"));
        }
        let mut path = String::with_capacity(text.len());
        for part in text.split('/').filter(|part| !matches!(*part, "" | ".")) {
            if part == ".." {
                return Err(Error::path(text, "climbs out of the root"));
            }
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(part);
        }
        Ok(Self(path))
    }

    /// The path as text, without a leading slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the root itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The directory this path lies in; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(Self(self.0.rsplit_once('/').map_or(String::new(), |(parent, _)| parent.to_owned())))
    }

    /// As a process in a root sees a path: `..` stops at the root.
    pub fn clamped(text: &str) -> Result<Self, Error> {
        let mut parts: Vec<&str> = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        Self::normalise(&parts.join("/"))
    }

    /// The last part; empty for the root.
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(self.0.as_str(), |(_, name)| name)
    }

    /// This path with `below` after it, which may have several parts.
    pub fn join(&self, below: &str) -> Result<Self, Error> {
        Self::normalise(&format!("{}/{below}", self.0))
    }

    /// Whether `self` is `other` or lies below it.
    pub fn starts_with(&self, other: &Self) -> bool {
        other.is_root()
            || self.0.strip_prefix(&other.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Between which texts all paths below this one lie, in the order of paths: after the first, before the second.
    pub(crate) fn bounds_below(&self) -> (String, Option<String>) {
        if self.is_root() {
            return (String::new(), None);
        }
        // `0` is what follows `/`.
        (format!("{}/", self.0), Some(format!("{}0", self.0)))
    }

    /// The parts, from the root down.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }
}

/// Paths are ordered as their texts are.
impl std::borrow::Borrow<str> for RootPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RootPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for RootPath {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::new(&text)
    }
}

impl From<RootPath> for String {
    fn from(path: RootPath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn normalises_what_tars_hold() {
        for (text, normal) in
            [("./etc//passwd", "etc/passwd"), ("/usr/", "usr"), ("./", ""), ("a/./b", "a/b")]
        {
            assert_eq!(RootPath::normalise(text).unwrap().as_str(), normal);
        }
    }

    #[test]
    fn climbing_stops_at_the_root() {
        let clamped = |text| RootPath::clamped(text).unwrap().to_string();
        assert_eq!(
            (clamped("/a/../../b//./c"), clamped("../.."), clamped("")),
            ("b/c".into(), String::new(), String::new())
        );
    }

    #[test]
    fn refuses_to_climb() {
        for text in ["..", "../etc", "a/../../b", "a/..", "/..", "a\0b"] {
            assert!(RootPath::normalise(text).is_err(), "{text:?}");
        }
        assert!(RootPath::new("/etc").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_a_path_that_escapes(text in "[./a-c\\x00]{0,12}") {
            if let Ok(path) = RootPath::normalise(&text) {
                prop_assert!(path.parts().all(|part| !matches!(part, "." | ".." | "")));
                prop_assert!(!path.as_str().starts_with('/'));
                prop_assert_eq!(RootPath::new(path.as_str()).unwrap(), path);
            }
        }
    }
}
