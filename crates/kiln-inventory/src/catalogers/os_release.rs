use std::io::Read;

use kiln_pkg::Distro;

use super::cataloger::{Candidate, Cataloger, read_whole};
use crate::facts::{FileFacts, Reading};

/// The distribution. Source: os-release(5).
pub(super) static CATALOGER: Cataloger =
    Cataloger { name: "os-release", examples: &["etc/os-release", "usr/lib/os-release"], wants, read };

const MAX_SIZE: u64 = 64 << 10;

fn wants(candidate: &Candidate<'_>) -> bool {
    matches!(candidate.path, "etc/os-release" | "usr/lib/os-release")
}

fn read(_: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    let bytes = read_whole(content, MAX_SIZE)?;
    let text = String::from_utf8_lossy(&bytes);
    let value = |key: &str| {
        // A shell would keep the last.
        let line = text.lines().rev().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))?;
        Some(line.trim().trim_matches(['"', '\'']).to_owned())
    };
    let id = value("ID").filter(|id| !id.is_empty()).ok_or("it names no distribution")?;
    // Wolfi's and Chainguard's version is that of a package, not of the distribution.
    let rolling = matches!(id.as_str(), "wolfi" | "chainguard");
    let version = if rolling { String::new() } else { value("VERSION_ID").unwrap_or_default() };
    file.readings.push(Reading::Distro(Distro {
        id,
        version,
        name: value("PRETTY_NAME").unwrap_or_default(),
    }));
    Ok(())
}
