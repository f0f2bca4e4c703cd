//! `yarn.lock` of yarn 1.

use crate::error::ErrorKind;
use crate::{Error, Lock, LockedPackage};

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Lock, Error> {
    let unfit = |why: &str, help| ErrorKind::Unfit { path: path.to_owned(), why: why.to_owned(), help };
    let text = std::str::from_utf8(bytes).map_err(|_| unfit("is no UTF-8", "run `yarn install`"))?;
    if text.contains("\n__metadata:") {
        return Err(unfit(
            "was written by yarn 2 or newer, which kiln cannot run yet",
            "use npm, pnpm or yarn 1 for this project",
        )
        .into());
    }
    let mut lock = Lock::default();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match (indent, lock.packages.last_mut()) {
            (0, _) => lock.packages.push(heading(line)),
            (2, Some(package)) => {
                if let Some(version) = line.strip_prefix("version ") {
                    version.trim_matches('"').clone_into(&mut package.version);
                }
                package.has_integrity |= line.starts_with("integrity ");
            }
            _ => {}
        }
    }
    Ok(lock)
}

/// `"@scope/name@^1.0.0", "@scope/name@^1.1.0":` or `alias@npm:real@^1.0.0:`
fn heading(line: &str) -> LockedPackage {
    let first = line.trim_end_matches(':').split(", ").next().unwrap_or("").trim_matches('"');
    let first = first.split_once("@npm:").map_or(first, |(_, real)| real);
    let at = first.char_indices().skip(1).find(|(_, c)| *c == '@').map_or(first.len(), |(at, _)| at);
    LockedPackage {
        name: first[..at].to_owned(),
        version: String::new(),
        has_integrity: false,
        is_dev: None,
        has_install_script: None,
    }
}
