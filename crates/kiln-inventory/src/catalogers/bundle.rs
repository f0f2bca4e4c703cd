use std::io::Read;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use memchr::memmem;

use super::cataloger::{Candidate, Cataloger};
use super::pnp::is_table;
use crate::facts::{FileFacts, Reading};

/// Programs into which a bundler built the code of other packages, whose names are then gone.
pub(super) static CATALOGER: Cataloger =
    Cataloger { name: "bundle", examples: &["app/dist/server.js", "srv/main.mjs"], wants, read };

/// What bundlers leave in what they write: webpack and ncc, esbuild, parcel, Rollup's plugin for CommonJS, Rolldown, Turbopack.
const MARKS: &[&str] = &[
    "__webpack_require__",
    "webpackChunk",
    "__nccwpck_require__",
    "__commonJS",
    "parcelRequire",
    "commonjsGlobal",
    "// node_modules/",
    "//#region node_modules/",
    "TURBOPACK",
];
/// A module as CommonJS has it, as whoever leaves out blanks writes it around each: browserify, and minified esbuild, webpack and Rollup.
const WRAPPER: &[u8] = b"{exports:{}}";
/// Where lines are shorter, somebody may have written them.
const WRAPPED_LINE: usize = 100;
/// Nobody writes lines that long.
const MINIFIED_LINE: usize = 20 << 10;
/// A smaller file holds nobody's package.
const MIN_SIZE: u64 = 2 << 10;
const CHUNK: usize = 64 << 10;
/// Bytes in which a mark may begin that ends among the next.
const OVERLAP: usize = 32;

static FINDER: LazyLock<AhoCorasick> =
    LazyLock::new(|| AhoCorasick::new(MARKS).expect("a few short patterns"));

fn wants(candidate: &Candidate<'_>) -> bool {
    let path = candidate.path;
    is_script(path) && !is_anothers(path) && candidate.size >= MIN_SIZE && candidate.size != u64::MAX
}

pub(super) fn is_script(path: &str) -> bool {
    [".js", ".mjs", ".cjs"].iter().any(|end| path.ends_with(end))
}

/// What names a package of its own: folders of npm's and Python's packages, and the programs of yarn. Whether the distribution put
/// a file there its lists tell.
pub(super) fn is_anothers(path: &str) -> bool {
    let is_of_yarn = |inside: &str| {
        inside.starts_with("sdks/")
            || ["releases/yarn-", "plugins/"].iter().any(|one| inside.starts_with(one))
                && inside.ends_with("cjs")
    };
    is_in_packages(path)
        || path.rsplit_once(".yarn/").is_some_and(|(_, inside)| is_of_yarn(inside))
        || is_table(path)
}

/// Whether a file lies among those of packages that have names of their own, by where package managers put them.
pub(super) fn is_in_packages(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "node_modules" | "site-packages" | "dist-packages"))
}

fn read(_: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    let mut buffer = Vec::with_capacity(CHUNK + OVERLAP);
    let (mut lines, mut is_wrapping) = (Lines::default(), false);
    loop {
        let kept = buffer.len();
        let count = content.take(CHUNK as u64).read_to_end(&mut buffer).map_err(|error| error.to_string())?;
        lines.add(buffer.get(kept..).unwrap_or_default());
        is_wrapping |= memmem::find(&buffer, WRAPPER).is_some();
        if FINDER.is_match(&buffer) || is_wrapping && lines.longest >= WRAPPED_LINE {
            file.readings.push(Reading::Bundle);
            return Ok(());
        }
        if count == 0 {
            let is_minified = lines.longest >= MINIFIED_LINE;
            file.readings.push(if is_minified { Reading::Minified } else { Reading::Script });
            return Ok(());
        }
        let kept = buffer.len().saturating_sub(OVERLAP);
        buffer.drain(..kept);
    }
}

/// How long the longest line is, of bytes that come in pieces.
#[derive(Default)]
struct Lines {
    longest: usize,
    open: usize,
}

impl Lines {
    fn add(&mut self, bytes: &[u8]) {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            self.longest = self.longest.max(self.open + end - start);
            (self.open, start) = (0, end + 1);
        }
        self.open += bytes.len() - start;
        self.longest = self.longest.max(self.open);
    }
}

#[cfg(test)]
mod tests;
