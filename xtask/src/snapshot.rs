use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use kiln_vuln::build::{Feed, FeedKind, build};

use crate::tree;

/// A feed in the folder of advisories.
struct Slice {
    file: &'static str,
    kind: FeedKind,
    name: &'static str,
    source: &'static str,
    /// The day up to which the feed is complete.
    as_of: &'static str,
    supplement: Option<&'static str>,
}

static SLICES: &[Slice] = &[
    Slice {
        file: "debian",
        kind: FeedKind::Debian,
        name: "debian",
        source: "Debian OVAL and security tracker (facts)",
        as_of: "2023-07-14",
        supplement: Some("debian-dsa"),
    },
    Slice {
        file: "alpine",
        kind: FeedKind::Alpine,
        name: "alpine",
        source: "Alpine Linux secdb (facts)",
        as_of: "2024-12-31",
        supplement: None,
    },
    Slice {
        file: "wolfi",
        kind: FeedKind::Wolfi,
        name: "wolfi",
        source: "wolfi-dev/advisories (Apache-2.0)",
        as_of: "2025-05-07",
        supplement: None,
    },
    Slice {
        file: "npm",
        kind: FeedKind::Npm,
        name: "npm",
        source: "GitHub Advisory Database (CC-BY-4.0), nodejs/security-wg (MIT)",
        as_of: "2024-11-25",
        supplement: None,
    },
    Slice {
        file: "node",
        kind: FeedKind::Node,
        name: "node",
        source: "nodejs/security-wg vuln/core (MIT)",
        as_of: "2026-04-08",
        supplement: Some("node-deps-vex"),
    },
    Slice {
        file: "kev",
        kind: FeedKind::Kev,
        name: "kev",
        source: "CISA Known Exploited Vulnerabilities (CC0-1.0)",
        as_of: "2025-08-25",
        supplement: None,
    },
];

/// Compiles the feeds beside the project into the snapshot inside kiln.
pub(crate) fn run(_: &[String]) -> anyhow::Result<()> {
    let root = tree::root();
    let folder = root.join("../shared/advisories");
    let mut texts = Vec::new();
    for slice in SLICES {
        let supplement = slice.supplement.map(|file| read(&folder, file)).transpose()?;
        texts.push((slice, read(&folder, slice.file)?, supplement));
    }
    let mut feeds = Vec::new();
    for (slice, lines, supplement) in &texts {
        feeds.push(Feed {
            kind: slice.kind,
            name: slice.name,
            source: slice.source,
            as_of: slice.as_of.parse()?,
            lines,
            supplement: supplement.as_deref(),
        });
    }
    let bytes = build(&feeds)?;
    let path = root.join("crates/kiln-vuln/snapshot/advisories.kdb");
    fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))
}

/// A file of the folder of advisories, unpacked.
pub(crate) fn read(folder: &Path, file: &str) -> anyhow::Result<Vec<u8>> {
    let path: PathBuf = folder.join(format!("{file}.jsonl.zst"));
    let bytes = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
    zstd::decode_all(bytes.as_slice()).with_context(|| format!("decompress {}", path.display()))
}
