use std::io::{BufRead, BufReader, Read};

use super::cataloger::{Candidate, Cataloger};
use super::ownable::is_ownable;
use crate::facts::{FileFacts, Reading};

/// Which files a Debian package put there: `info/*.list` of dpkg, `status.d/*.md5sums` of distroless. Source: dpkg-query(1),
/// deb-md5sums(5).
pub(super) static CATALOGER: Cataloger = Cataloger {
    name: "dpkg-files",
    examples: &["var/lib/dpkg/info/a.list", "var/lib/dpkg/status.d/a.md5sums"],
    wants,
    read,
};

const INFO: &str = "var/lib/dpkg/info/";
const STATUS_D: &str = "var/lib/dpkg/status.d/";
/// The longest list that is read; that of the kernel's headers has 2 MiB.
const MAX_SIZE: u64 = 32 << 20;
/// The longest path Linux takes, with the checksum before it.
const MAX_LINE: u64 = 4096 + 64;

/// `name:amd64.list` or `name.md5sums`.
fn package(path: &str) -> Option<&str> {
    let name = match path.strip_prefix(INFO) {
        Some(file) => file.strip_suffix(".list")?,
        None => path.strip_prefix(STATUS_D)?.strip_suffix(".md5sums")?,
    };
    let name = name.split(':').next()?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

fn wants(candidate: &Candidate<'_>) -> bool {
    package(candidate.path).is_some()
}

fn read(candidate: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    let Some(package) = package(candidate.path) else { return Ok(()) };
    if candidate.size > MAX_SIZE && candidate.size != u64::MAX {
        return Err(format!("it is larger than {MAX_SIZE} bytes"));
    }
    let mut lines = BufReader::new(content.take(MAX_SIZE));
    let mut paths = Vec::new();
    let mut line = Vec::new();
    while lines.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(|error| error.to_string())? > 0 {
        let text = String::from_utf8_lossy(&line);
        // A list has absolute paths; a line of checksums has one, two blanks, and a relative path.
        let path = text.trim_end_matches('\n');
        let path = path
            .split_once("  ")
            .map_or(path, |(_, path)| path)
            .trim_start_matches("./")
            .trim_start_matches('/');
        if is_ownable(path) {
            paths.push(path.to_owned());
        }
        line.clear();
    }
    if !paths.is_empty() {
        file.readings.push(Reading::Owned { package: package.to_owned(), paths });
    }
    Ok(())
}
