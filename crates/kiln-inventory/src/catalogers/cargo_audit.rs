//! What a Rust program was built of, where it was built with cargo-auditable: JSON, compressed, in the section `.dep-v0`. Source:
//! cargo-auditable, PARSING.md and its JSON schema.

use std::io::Write as _;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use flate2::write::ZlibDecoder;
use kiln_pkg::{Ecosystem, Package, Place};
use serde::Deserialize;

use super::reader::{Reader, Seen};
use crate::facts::{FileFacts, Reading};

/// The list of a program of a thousand crates has 100 KiB.
const MAX_TEXT: usize = 8 << 20;
const MAX_CRATES: usize = 50_000;
/// How the list begins. The table of sections lies at the end of a program, after the section itself has passed; so the list is
/// known by what it decompresses to.
const BEGIN: &[u8] = b"{\"packages\":[{";
/// Compressed bytes that give those.
const ENOUGH: usize = 128;

/// The two bytes that a zlib stream starts with, at its four levels. Source: RFC 1950.
static ZLIB: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::new([b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"]).expect("four short patterns")
});

#[derive(Default)]
pub(super) struct Audit {
    text: Option<ZlibDecoder<Capped>>,
    broken: bool,
}

/// Text of which no more than [`MAX_TEXT`] is kept.
#[derive(Default)]
struct Capped(Vec<u8>);

impl std::io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_TEXT {
            return Err(std::io::Error::other("too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Reader for Audit {
    fn find(&mut self, view: &[u8]) -> Seen {
        let end = view.len().saturating_sub(ENOUGH);
        for hit in ZLIB.find_iter(view.get(..end).unwrap_or_default()) {
            if begins(view.get(hit.start()..hit.start() + ENOUGH).unwrap_or_default()) {
                return Seen::Start(hit.start());
            }
        }
        Seen::Nothing
    }

    fn take(&mut self, bytes: &[u8]) -> bool {
        let text = self.text.get_or_insert_with(|| ZlibDecoder::new(Capped::default()));
        let count = text.write(bytes);
        self.broken = count.is_err();
        // The stream ends before the bytes do.
        count.is_ok_and(|count| count == bytes.len())
    }

    fn is_done(&self) -> bool {
        self.text.is_some()
    }

    fn finish(self: Box<Self>, path: &str, file: &mut FileFacts) -> Result<(), String> {
        let Some(decoder) = self.text else { return Ok(()) };
        let failed = || "the list of its Rust crates is broken or too long".to_owned();
        if self.broken {
            return Err(failed());
        }
        let text = decoder.finish().map_err(|_| failed())?.0;
        let list: List =
            serde_json::from_slice(&text).map_err(|error| format!("the list of its Rust crates: {error}"))?;
        if list.packages.len() > MAX_CRATES {
            return Err(format!("it lists more than {MAX_CRATES} Rust crates"));
        }
        for one in &list.packages {
            let mut package = Package::new(Ecosystem::Cargo, &one.name, &one.version);
            package.dev = one.kind.as_deref() == Some("build");
            let needs = one.dependencies.iter().filter_map(|at| list.packages.get(*at));
            package.requires = needs.map(Crate::identity).collect();
            package.requires.sort();
            package.provides = vec![one.identity()];
            package.places = vec![Place { path: path.to_owned(), layer: None }];
            file.readings.push(Reading::Package(Box::new(package)));
        }
        Ok(())
    }
}

/// Whether these bytes decompress to the start of a list.
fn begins(bytes: &[u8]) -> bool {
    let mut text = flate2::Decompress::new(true);
    let mut output = [0; BEGIN.len()];
    let done = text.decompress(bytes, &mut output, flate2::FlushDecompress::None);
    done.is_ok() && output == BEGIN
}

#[derive(Deserialize)]
struct List {
    packages: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    /// `build` or `runtime`.
    kind: Option<String>,
    #[serde(default)]
    dependencies: Vec<usize>,
}

impl Crate {
    fn identity(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}
