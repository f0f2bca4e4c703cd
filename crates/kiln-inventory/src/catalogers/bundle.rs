use std::io::Read;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

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
/// A smaller file holds nobody's package.
const MIN_SIZE: u64 = 2 << 10;
const CHUNK: usize = 64 << 10;
/// Bytes in which a mark may begin that ends among the next.
const OVERLAP: usize = 32;

static FINDER: LazyLock<AhoCorasick> =
    LazyLock::new(|| AhoCorasick::new(MARKS).expect("a few short patterns"));

fn wants(candidate: &Candidate<'_>) -> bool {
    let path = candidate.path;
    let is_script = [".js", ".mjs", ".cjs"].iter().any(|end| path.ends_with(end));
    // What is below these is a package's, of npm or of the distribution; yarn's own program is one file.
    let is_anothers = path.split('/').any(|part| matches!(part, "node_modules" | ".yarn"))
        || path.starts_with("opt/yarn-v")
        || ["usr/", "lib/", "var/lib/"].iter().any(|start| path.starts_with(start))
            && !path.starts_with("usr/src/");
    is_script && !is_anothers && !is_table(path) && candidate.size >= MIN_SIZE && candidate.size != u64::MAX
}

fn read(_: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    let mut buffer = Vec::with_capacity(CHUNK + OVERLAP);
    loop {
        let count = content.take(CHUNK as u64).read_to_end(&mut buffer).map_err(|error| error.to_string())?;
        if FINDER.is_match(&buffer) {
            file.readings.push(Reading::Bundle);
            return Ok(());
        }
        if count == 0 {
            return Ok(());
        }
        let kept = buffer.len().saturating_sub(OVERLAP);
        buffer.drain(..kept);
    }
}

#[cfg(test)]
mod tests;
