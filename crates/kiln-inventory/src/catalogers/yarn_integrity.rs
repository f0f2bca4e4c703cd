use std::collections::BTreeMap;
use std::io::Read;

use kiln_node::from_json;
use kiln_pkg::Elsewhere;
use serde::Deserialize;

use super::cataloger::{Candidate, Cataloger, read_whole};
use crate::facts::{FileFacts, Reading};

/// yarn 1's own record of what it installed: what was asked for, and what it was taken from. Source: yarn, `integrity-checker.js`.
pub(super) static CATALOGER: Cataloger =
    Cataloger { name: "yarn-integrity", examples: &["app/node_modules/.yarn-integrity"], wants, read };

const MAX_SIZE: u64 = 64 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(default)]
    lockfile_entries: BTreeMap<String, String>,
}

fn wants(candidate: &Candidate<'_>) -> bool {
    candidate.path.ends_with("node_modules/.yarn-integrity")
}

fn read(candidate: &Candidate<'_>, content: &mut dyn Read, file: &mut FileFacts) -> Result<(), String> {
    let record: Record = from_json(&read_whole(content, MAX_SIZE)?).map_err(|error| error.to_string())?;
    let root = candidate.path.trim_end_matches(".yarn-integrity");
    // It does not say which copy lies where, so a name counts only where every entry of it is from elsewhere.
    let mut from: BTreeMap<&str, Option<Elsewhere>> = BTreeMap::new();
    for (asked, fetched) in &record.lockfile_entries {
        let Some(at) = asked.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at) else {
            continue;
        };
        let (name, range) = (&asked[..at], &asked[at + 1..]);
        let by_range = Elsewhere::of_npm(range);
        let last = name.rsplit('/').next().unwrap_or(name);
        let file =
            fetched.split(['#', '?']).next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        let version = file.strip_suffix(".tgz").and_then(|stem| stem.strip_prefix(last)?.strip_prefix('-'));
        let came_from = || Elsewhere::of_fetched(fetched, name, version.unwrap_or_default());
        let found = by_range.or_else(|| Elsewhere::of_npm(fetched).and_then(|_| came_from()));
        from.entry(name).and_modify(|known| *known = known.take().and(found.clone())).or_insert(found);
    }
    let from: Vec<(String, Elsewhere)> =
        from.into_iter().filter_map(|(name, from)| Some((format!("{root}{name}"), from?))).collect();
    file.readings.extend((!from.is_empty()).then_some(Reading::From(from)));
    Ok(())
}
