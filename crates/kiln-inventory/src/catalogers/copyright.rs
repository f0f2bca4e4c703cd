use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::sync::LazyLock;

use kiln_pkg::Licence;

use super::cataloger::{Candidate, Cataloger, read_whole};
use crate::facts::{FileFacts, Reading};

/// Licences of Debian packages. Source: Debian policy §12.5, copyright-format 1.0.
pub(super) static CATALOGER: Cataloger =
    Cataloger { name: "copyright", examples: &["usr/share/doc/a/copyright"], wants, read };

const DOC: &str = "usr/share/doc/";
/// That of the Linux kernel's has 1 MiB.
const MAX_SIZE: u64 = 4 << 20;
const MAX_LICENCES: usize = 100;
/// Where Debian keeps the texts that copyright files of free form refer to.
const COMMON: &str = "/usr/share/common-licenses/";

static NAMES: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let lines = include_str!("../../data/debian_licences.txt").lines();
    lines.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' ')).collect()
});

/// The package whose documentation lies at `path`.
pub(crate) fn documented(path: &str) -> Option<&str> {
    path.strip_prefix(DOC).filter(|name| !name.is_empty() && !name.contains('/'))
}

fn wants(candidate: &Candidate<'_>) -> bool {
    candidate.path.strip_suffix("/copyright").is_some_and(|folder| documented(folder).is_some())
}

fn read(candidate: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    let Some(package) = candidate.path.strip_suffix("/copyright").and_then(documented) else { return Ok(()) };
    let bytes = read_whole(content, MAX_SIZE)?;
    let text = String::from_utf8_lossy(&bytes);
    let is_formal =
        text.lines().take(3).any(|line| line.starts_with("Format") && line.contains("copyright-format"));
    let found = if is_formal { formal(&text) } else { referred(&text) };
    if let Some(licence) = found {
        file.readings.push(Reading::Licence { package: package.to_owned(), licence });
    }
    Ok(())
}

/// Every `License:` field; all of them hold, for one file or another.
fn formal(text: &str) -> Option<Licence> {
    let fields = text.lines().filter_map(|line| line.strip_prefix("License:")).map(str::trim);
    let names: BTreeSet<&str> = fields.filter(|name| !name.is_empty()).take(MAX_LICENCES).collect();
    let expressions: Option<BTreeSet<String>> = names.iter().map(|name| expression(name)).collect();
    let declared = names.iter().copied().collect::<Vec<_>>().join(", ");
    let spdx = expressions.map(|all| {
        let bracket = |one: &String| {
            if one.contains(" OR ") && all.len() > 1 { format!("({one})") } else { one.clone() }
        };
        all.iter().map(bracket).collect::<Vec<_>>().join(" AND ")
    });
    let spdx = spdx.and_then(|spdx| Licence::declared(&spdx).spdx);
    (!declared.is_empty()).then_some(Licence { declared, spdx })
}

/// `GPL-2+ and Expat` as `GPL-2.0-or-later AND MIT`; `None` where a name is not known.
fn expression(text: &str) -> Option<String> {
    let words: Option<Vec<&str>> = text
        .split_whitespace()
        .map(|word| match word.trim_end_matches(',') {
            "and" => Some("AND"),
            "or" => Some("OR"),
            name => NAMES.get(name).copied(),
        })
        .collect();
    words.map(|words| words.join(" "))
}

/// Which common licences a text of free form refers to. Whether later versions are meant it says in prose, so this is no expression.
fn referred(text: &str) -> Option<Licence> {
    let names: BTreeSet<&str> = text
        .split(COMMON)
        .skip(1)
        .filter_map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.')).next())
        .map(|name| name.trim_end_matches('.'))
        .filter(|name| !name.is_empty() && name.len() < 32)
        .take(MAX_LICENCES)
        .collect();
    let declared = names.into_iter().collect::<Vec<_>>().join(", ");
    (!declared.is_empty()).then_some(Licence { declared, spdx: None })
}
