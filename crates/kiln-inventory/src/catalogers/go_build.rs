//! What a Go program was built of. Source: Go's `debug/buildinfo` and `cmd/go/internal/modload` (the text between the marks).

use std::collections::BTreeSet;
use std::io::BufRead as _;
use std::sync::LazyLock;

use kiln_pkg::{Ecosystem, Package, Place};
use memchr::memmem::Finder;

use super::reader::{Reader, Seen};
use crate::facts::{FileFacts, Reading};

/// Start of the header in `.go.buildinfo`.
const MAGIC: &[u8] = b"\xff Go buildinf:";
/// Before and after the text of the modules, wherever it lies.
const START: &[u8] = b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6";
const END: &[u8] = b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2";
/// Since Go 1.18 the version and the modules follow the header.
const INLINE: u8 = 2;
/// Where they follow.
const HEADER: usize = 32;
/// The text of a program of a thousand modules has 100 KiB.
const MAX_TEXT: usize = 4 << 20;
const MAX_MODULES: usize = 50_000;
/// So many different versions that stand alone are told apart; of more than one none is the program's.
const ALONE_MAX: usize = 8;
/// The longest version of Go that is taken.
const MAX_VERSION: usize = 64;

#[derive(Default)]
pub(super) struct BuildInfo {
    go: Option<String>,
    /// Versions that stand alone, as the linker writes `runtime.buildVersion`: all there is in a program without the header.
    alone: BTreeSet<String>,
    text: Vec<u8>,
    whole: bool,
}

/// One by one: programs are full of the bytes that a search for both would stop at.
static HEADERS: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(MAGIC));
static VERSIONS: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"\0go1."));
static STARTS: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(START));

impl Reader for BuildInfo {
    fn find(&mut self, view: &[u8]) -> Seen {
        for at in HEADERS.find_iter(view) {
            // Code that looks for the header holds its text, too; what follows there is no version.
            if let Some(version) = view.get(at..).and_then(inline_version) {
                self.go = Some(version);
            }
        }
        if self.go.is_none() && self.alone.len() < ALONE_MAX {
            let versions = VERSIONS.find_iter(view).filter_map(|at| lone_version(view.get(at + 1..)?));
            self.alone.extend(versions.take(ALONE_MAX));
        }
        // The linker puts the text into the constants, too, which lie before the header.
        match STARTS.find(view) {
            Some(at) if self.text.is_empty() => Seen::Start(at),
            _ => Seen::Nothing,
        }
    }

    fn take(&mut self, bytes: &[u8]) -> bool {
        let from = self.text.len().saturating_sub(END.len());
        self.text.extend_from_slice(bytes);
        let end =
            self.text.get(from..).and_then(|new| new.windows(END.len()).position(|window| window == END));
        if let Some(end) = end {
            self.text.truncate(from + end);
            self.whole = true;
        }
        !self.whole && self.text.len() < MAX_TEXT
    }

    fn is_done(&self) -> bool {
        self.go.is_some() && self.whole
    }

    fn finish(self: Box<Self>, path: &str, file: &mut FileFacts) -> Result<(), String> {
        if self.text.is_empty() && self.go.is_none() {
            return Ok(());
        }
        if !self.text.is_empty() && !self.whole {
            return Err(format!("the list of its Go modules has no end within {MAX_TEXT} bytes"));
        }
        let place = vec![Place { path: path.to_owned(), layer: None }];
        let mut packages = modules(&self.text)?;
        let alone = self.alone.first().filter(|_| self.alone.len() == 1);
        let go = self.go.as_ref().or(alone).and_then(|go| go.strip_prefix("go"));
        let version = go.and_then(|go| go.split([' ', '-']).next()).filter(|version| !version.is_empty());
        packages.extend(version.map(|version| Package::new(Ecosystem::Go, "stdlib", version)));
        for mut package in packages {
            package.places.clone_from(&place);
            file.readings.push(Reading::Package(Box::new(package)));
        }
        if version.is_none() {
            return Err(
                "the version of the Go that built it is not where Go 1.18 and newer put it, nor one alone"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

/// The version right after a header: its length as a varint, then its text.
fn inline_version(header: &[u8]) -> Option<String> {
    if header.get(MAGIC.len() + 1)? & INLINE == 0 {
        return None;
    }
    let (length, rest) = header.get(HEADER..)?.split_first()?;
    // The versions of Go are short, so their length is one byte.
    let length = usize::from(*length);
    let text = std::str::from_utf8(rest.get(..length).filter(|_| length <= MAX_VERSION)?).ok()?;
    (text.starts_with("go") || text.starts_with("devel")).then(|| text.to_owned())
}

/// A version of Go with nothing but zeros around it: `go1.25.7`.
fn lone_version(text: &[u8]) -> Option<String> {
    let end = text.iter().take(MAX_VERSION).position(|byte| *byte == 0)?;
    let text = std::str::from_utf8(text.get(..end)?).ok()?;
    let is_version =
        text.strip_prefix("go1.")?.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    is_version.then(|| text.to_owned())
}

/// Lines of fields parted by tabs: `mod` is the program itself, `dep` a module, `=>` what replaces the one before.
fn modules(text: &[u8]) -> Result<Vec<Package>, String> {
    let mut found: Vec<Package> = Vec::new();
    let (mut revision, mut time) = (None, None);
    let body = text.get(START.len()..).unwrap_or_default();
    for line in body.lines().map_while(Result::ok) {
        let fields: Vec<&str> = line.split('\t').collect();
        match *fields.as_slice() {
            ["mod" | "dep", name, version, ..] => found.push(Package::new(Ecosystem::Go, name, version)),
            ["=>", name, version, ..] => {
                if let Some(last) = found.last_mut() {
                    name.clone_into(&mut last.name);
                    version.clone_into(&mut last.version);
                }
            }
            ["build", setting, ..] => {
                revision = setting.strip_prefix("vcs.revision=").map(str::to_owned).or(revision);
                time = setting.strip_prefix("vcs.time=").map(str::to_owned).or(time);
            }
            _ => {}
        }
        if found.len() > MAX_MODULES {
            return Err(format!("it lists more than {MAX_MODULES} Go modules"));
        }
    }
    for package in &mut found {
        // A build outside of a released module has no version, or that of its commit.
        if package.version == "(devel)" {
            package.version = pseudo(revision.as_deref(), time.as_deref()).unwrap_or_default();
        }
    }
    // A module replaced by a folder has no version either.
    found.retain(|package| !package.name.is_empty());
    Ok(found)
}

/// `v0.0.0-20240102030405-abcdefabcdef`. Source: Go modules reference, "Pseudo-versions".
fn pseudo(revision: Option<&str>, time: Option<&str>) -> Option<String> {
    let digits: String = time?.chars().filter(char::is_ascii_digit).take(14).collect();
    let revision = revision?.get(..12)?;
    (digits.len() == 14).then(|| format!("v0.0.0-{digits}-{revision}"))
}
