use std::io::Read;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use kiln_pkg::{Ecosystem, Package, Part, Place};

use super::cataloger::{Candidate, Cataloger};
use super::node_parts;
use crate::facts::{FileFacts, Reading};
use crate::window::Window;

/// The Node.js runtime, by the version that is written inside the binary; and what is built into it.
pub(super) static CATALOGER: Cataloger =
    Cataloger { name: "node-binary", examples: &["nodejs/bin/node"], wants, read };

/// Node.js is tens of megabytes; a smaller `node` is a script that starts one.
const MIN_SIZE: u64 = 1 << 20;
/// Debian's `node` is small, and loads this.
pub(super) const LIBRARY: &str = "libnode.so.";
const EXECUTABLE: u32 = 0o111;

/// Node.js since 7 names itself in its user agent; versions before stand alone between NUL bytes. The patterns are long and
/// leftmost-first so that the search can skip ahead by vectors.
static PATTERNS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let patterns =
        ["node.js/v", "OpenSSL ", "\0v0.", "\0v4.", "\0v5.", "\0v6.", "\0node v", " deflate ", "-node."];
    AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(patterns).expect("a few short patterns")
});
const DIGIT_AND_DOT: usize = 2;

fn wants(candidate: &Candidate<'_>) -> bool {
    let name = candidate.path.rsplit('/').next().unwrap_or_default();
    let is_program = matches!(name, "node" | "nodejs") && candidate.mode & EXECUTABLE != 0;
    (is_program || name.starts_with(LIBRARY)) && candidate.size >= MIN_SIZE
}

#[derive(Default)]
struct Found {
    version: Option<String>,
    old: Option<String>,
    openssl: Option<String>,
    zlib: Option<String>,
    v8: Option<String>,
    /// What lies around the version of V8 in the snapshot.
    snapshot: Option<(Vec<String>, Vec<String>)>,
}

fn read(candidate: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    let mut found = Found::default();
    let mut window = Window::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = content.read(&mut buffer).map_err(|error| error.to_string())?;
        if count == 0 {
            break;
        }
        window.feed(buffer.get(..count).unwrap_or_default(), |view, turn| found.look(view, turn));
    }
    window.finish(|view, turn| found.look(view, turn));
    let version = found.version.clone().or(found.old.clone());
    let version = version.ok_or("it is named as Node.js, but no version of Node.js is in it")?;
    let mut package = Package::new(Ecosystem::Node, "node", version);
    package.parts = found.parts(&package.version);
    package.places = vec![Place { path: candidate.path.to_owned(), layer: None }];
    file.readings.push(Reading::Package(Box::new(package)));
    Ok(())
}

impl Found {
    fn look(&mut self, view: &[u8], turn: std::ops::Range<usize>) {
        for hit in PATTERNS.find_iter(view.get(turn.start..).unwrap_or_default()) {
            if turn.start + hit.start() >= turn.end {
                return;
            }
            let after = |end: usize| view.get(turn.start + end..).unwrap_or_default();
            match hit.pattern().as_usize() {
                0 if self.version.is_none() => self.version = version(after(hit.end())),
                1 if self.openssl.is_none() => self.openssl = openssl(after(hit.end())),
                2..=5 if self.old.is_none() => self.old = old(after(hit.end() - DIGIT_AND_DOT)),
                6 if self.old.is_none() => self.old = old(after(hit.end())),
                7 if self.zlib.is_none() => self.zlib = zlib(after(hit.end())),
                8 => self.look_at_v8(view, turn.start + hit.start()),
                _ => {}
            }
        }
    }

    fn look_at_v8(&mut self, view: &[u8], at: usize) {
        if self.v8.is_none() {
            self.v8 = v8(view, at);
        }
        if self.snapshot.is_none() {
            self.snapshot = Some(node_parts::values(view, at)).filter(|(before, _)| !before.is_empty());
        }
    }

    /// All that the snapshot names, or at least what names itself.
    fn parts(self, node: &str) -> Vec<Part> {
        let (before, after) = self.snapshot.unwrap_or_default();
        let named = node_parts::named(&before, &after, node, self.openssl.as_deref());
        if !named.is_empty() {
            return named;
        }
        let own = [("openssl", self.openssl), ("v8", self.v8), ("zlib", self.zlib)];
        own.into_iter()
            .filter_map(|(name, version)| Some(Part { name: name.to_owned(), version: version? }))
            .collect()
    }
}

/// `1.2.3` at the front.
fn version(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.')?;
    let text = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let numbers = text.split('.').filter(|part| !part.is_empty()).count();
    (numbers == 3 && text.split('.').count() == 3).then(|| text.to_owned())
}

/// A version of Node.js 0, 4, 5 or 6 that ends at a NUL.
fn old(bytes: &[u8]) -> Option<String> {
    let found = version(bytes)?;
    let ends = bytes.get(found.len()) == Some(&0);
    (ends && matches!(found.split('.').next(), Some("0" | "4" | "5" | "6"))).then_some(found)
}

/// `3.0.19` of `OpenSSL 3.0.19 27 Jan 2026`; OpenSSL 1 has a letter after the numbers.
fn openssl(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().take(16).position(|byte| *byte == b' ')?;
    let text = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let numbers = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let fits = numbers.split('.').count() == 3 && numbers.split('.').all(|part| part.parse::<u16>().is_ok());
    let dated = bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
    (fits && dated).then(|| text.to_owned())
}

/// `1.3.1` of ` deflate 1.3.1 Copyright 1995-2024 Jean-loup Gailly and Mark Adler`.
fn zlib(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().take(16).position(|byte| *byte == b' ')?;
    let text = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let is_copyright = bytes.get(end..)?.starts_with(b" Copyright 1995-");
    (is_copyright && text.split('.').all(|part| part.parse::<u16>().is_ok())).then(|| text.to_owned())
}

/// `13.6.233.17-node.53`, of which `-node.` starts at `at`.
fn v8(view: &[u8], at: usize) -> Option<String> {
    let (before, rest) = view.split_at_checked(at)?;
    let numbers = before.iter().rev().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let patch = rest.iter().skip(6).take_while(|byte| byte.is_ascii_digit()).count();
    let text = std::str::from_utf8(view.get(at - numbers..at + 6 + patch)?).ok()?;
    (patch > 0 && text.split('.').count() == 5 && text.starts_with(|c: char| c.is_ascii_digit()))
        .then(|| text.to_owned())
}
