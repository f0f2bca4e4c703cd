use std::fmt;
use std::str::FromStr;

use crate::Digest;

/// The name of an image: `[host[:port]/]path[:tag][@digest]`. Source: distribution-spec, "Pulling manifests".
///
/// The host is kept only where it was written; kiln does not guess a registry for a short name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// `host[:port]/path` or a bare `path`.
    pub name: String,
    /// The tag, where one is written.
    pub tag: Option<String>,
    /// The digest, where one is written.
    pub digest: Option<Digest>,
    /// The 128 hex digits of a SHA-512 digest, where that is written in place of the other. A registry can be asked for it; nothing is
    /// kept by it.
    pub sha512: Option<String>,
}

/// A text that names no image.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not an image name: {why}")]
pub struct ReferenceError {
    text: String,
    why: &'static str,
}

/// How the other digest begins that names may have.
const SHA512: &str = "sha512:";
const SHA512_DIGITS: usize = 128;
const NAME_MAX: usize = 255;
const TAG_MAX: usize = 128;

impl Reference {
    /// The tag, or `latest` where neither tag nor digest is written.
    pub fn tag_or_latest(&self) -> &str {
        self.tag.as_deref().unwrap_or("latest")
    }

    /// Whether a digest is written, by which the name stands for one image for ever.
    pub fn is_pinned(&self) -> bool {
        self.digest.is_some() || self.sha512.is_some()
    }

    /// What is asked of a registry: the digest where one is written, else the tag.
    pub fn wanted(&self) -> String {
        match (&self.digest, &self.sha512) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(hex)) => format!("{SHA512}{hex}"),
            (None, None) => self.tag_or_latest().to_owned(),
        }
    }

    /// The host, where the first part of the name is one: it holds a dot or a port, or is `localhost`.
    pub fn host(&self) -> Option<&str> {
        let (first, _) = self.name.split_once('/')?;
        (first.contains(['.', ':']) || first == "localhost").then_some(first)
    }

    /// The name without the host.
    pub fn path(&self) -> &str {
        match self.host() {
            Some(host) => &self.name[host.len() + 1..],
            None => &self.name,
        }
    }

    /// `name:tag`, with `latest` where no tag is written.
    pub fn name_and_tag(&self) -> String {
        format!("{}:{}", self.name, self.tag_or_latest())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if self.is_pinned() {
            write!(f, "@{}", self.wanted())?;
        }
        Ok(())
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let fail = |why| ReferenceError { text: text.chars().take(200).collect(), why };
        let (rest, written) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        let sha512 = written.and_then(|digest| digest.strip_prefix(SHA512)).filter(|hex| is_sha512(hex));
        let digest = match written.filter(|_| sha512.is_none()).map(str::parse) {
            Some(digest) => Some(digest.map_err(|_| fail("the digest after @ is malformed"))?),
            None => None,
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        if name.is_empty() || name.len() > NAME_MAX {
            return Err(fail("a name has 1 to 255 characters"));
        }
        if let Some(tag) = tag
            && !is_tag(tag)
        {
            return Err(fail(
                "a tag has 1 to 128 letters, digits, `_`, `.` or `-` and starts with none of `.-`",
            ));
        }
        let (tag, sha512) = (tag.map(str::to_owned), sha512.map(str::to_owned));
        let reference = Self { name: name.to_owned(), tag, digest, sha512 };
        if reference.host().is_some_and(|host| !is_host(host)) {
            return Err(fail("the host before the first `/` is malformed"));
        }
        if reference.path().split('/').all(is_component) {
            Ok(reference)
        } else {
            Err(fail("each part of a name is lower-case letters and digits, joined by `.`, `_`, `__` or `-`"))
        }
    }
}

fn is_sha512(hex: &str) -> bool {
    hex.len() == SHA512_DIGITS && hex.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
}

fn is_tag(tag: &str) -> bool {
    !tag.is_empty()
        && tag.len() <= TAG_MAX
        && !tag.starts_with(['.', '-'])
        && tag.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

fn is_host(host: &str) -> bool {
    if let Some(rest) = host.strip_prefix('[') {
        return is_ipv6_host(rest);
    }
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    edge(name.as_bytes().first())
        && edge(name.as_bytes().last())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
        && port.is_none_or(is_port)
        && (!is_numeric(name) || name.parse::<core::net::Ipv4Addr>().is_ok())
}

/// Digits without a leading zero: a port that has several spellings is several names of one host.
fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0') && text.parse::<u16>().is_ok()
}

/// Whether a host is taken for an IPv4 address by those who ask it, which may then be written in several ways (`127.1`, `0x7f.0.0.1`).
/// Source: WHATWG URL, "ends in a number checker".
fn is_numeric(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase();
    let hex = last.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    hex || last.bytes().all(|b| b.is_ascii_digit())
}

/// The rest of a host that is an IPv6 address in brackets, after the first of them.
fn is_ipv6_host(rest: &str) -> bool {
    let Some((address, port)) = rest.split_once(']') else { return false };
    let has_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
    has_port && address.parse::<core::net::Ipv6Addr>().is_ok()
}

fn is_component(part: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = part.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else { return false };
    if !word(first) || !word(last) || !bytes.iter().all(|&b| word(b) || matches!(b, b'.' | b'_' | b'-')) {
        return false;
    }
    bytes
        .split(|&b| word(b))
        .all(|joint| matches!(joint, b"" | b"." | b"_" | b"__") || joint.iter().all(|&b| b == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_shows_names() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for text in [
            "app",
            "app:1",
            "team/app",
            "[::1]/a",
            "[2001:db8::1]:5000/a/b:1",
            "127.0.0.1:5000/team/app:v1.2",
            "registry:5000/app",
            "1password.example/0x:1",
            &format!("r.example/a@{digest}"),
            &format!("r.example/a:1@sha512:{}", "b".repeat(128)),
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn finds_the_host() {
        let parse = |text: &str| text.parse::<Reference>().unwrap();
        assert_eq!(parse("team/app").host(), None);
        assert_eq!(parse("localhost/app").host(), Some("localhost"));
        assert_eq!(parse("127.0.0.1:5000/a/b:1").host(), Some("127.0.0.1:5000"));
        assert_eq!(parse("127.0.0.1:5000/a/b:1").path(), "a/b");
    }

    #[test]
    fn refuses_bad_names() {
        for text in [
            "[::1/a",
            "[::g]/a",
            "[::1]x/a",
            "[::1]:x/a",
            "[::1]:05000/a",
            "127.0.0.1:018021/t/a:1",
            "127.0.0.1:+18021/t/a:1",
            "r.example:0/a",
            "r.example:/a",
            "r.example:65536/a",
            "docker.io:0443/node",
            "127.1:18021/a",
            "0x7f.0.0.1/a",
            "127.0.0.01/a",
            "2130706433:5000/a",
            "r.0X1f:5000/a",
            "",
            ":1",
            "App",
            "a//b",
            "a:",
            "a:.x",
            "a@sha256:1",
            "a@sha512:1",
            &format!("a@sha512:{}", "B".repeat(128)),
            "../x",
            "a..b",
            "a___b",
            "-a",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }
}
