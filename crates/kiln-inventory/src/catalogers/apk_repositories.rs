use std::collections::BTreeSet;
use std::io::Read;

use super::cataloger::{Candidate, Cataloger, read_whole};
use crate::facts::{FileFacts, Reading};

/// Where Alpine's packages are taken from, which says of which release they are. Source: apk-repositories(5).
pub(super) static CATALOGER: Cataloger =
    Cataloger { name: "apk-repositories", examples: &["etc/apk/repositories"], wants, read };

const MAX_SIZE: u64 = 64 << 10;
const EDGE: &str = "edge";

fn wants(candidate: &Candidate<'_>) -> bool {
    candidate.path == "etc/apk/repositories"
}

fn read(_: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    let bytes = read_whole(content, MAX_SIZE)?;
    let text = String::from_utf8_lossy(&bytes);
    // A repository with a tag is for packages that ask for it by that.
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', '@']));
    let releases: BTreeSet<String> = lines.filter_map(release).collect();
    file.readings.extend(releases.into_iter().map(Reading::Release));
    Ok(())
}

/// `3.20` of `https://host/alpine/v3.20/main`, or `edge`.
fn release(address: &str) -> Option<String> {
    // What follows a blank is a comment.
    let address = address.split_whitespace().next()?;
    let mut parts = address.split('/').filter(|part| !part.is_empty()).rev();
    let is_section = |part: &str| matches!(part, "main" | "community" | "testing");
    let branch = parts.next().filter(|part| is_section(part)).and_then(|_| parts.next())?;
    let number = branch.strip_prefix('v').filter(|number| is_number(number));
    number.or((branch == EDGE).then_some(EDGE)).map(str::to_owned)
}

fn is_number(release: &str) -> bool {
    let parts: Vec<&str> = release.split('.').collect();
    parts.len() == 2 && parts.iter().all(|part| part.parse::<u32>().is_ok())
}

#[cfg(test)]
mod tests;
