//! Debian: the CVE feed answers for the releases it follows; the lists of DSAs and DLAs fill in older releases and CVEs the
//! feed does not know.

use std::collections::BTreeSet;

use super::draft::Draft;
use super::osv::{Record, draft, lines, spans};
use super::{Feed, Packages};
use crate::Error;

pub(super) fn read(feed: &Feed<'_>) -> Result<Packages, Error> {
    let mut packages = Packages::new();
    let mut known = BTreeSet::new();
    for record in lines::<Record>(feed.name, feed.lines) {
        let record = record?;
        let id = record.upstream.first().unwrap_or(&record.id);
        for affected in &record.affected {
            known.insert((affected.package.name.clone(), affected.package.ecosystem.clone(), id.clone()));
        }
        add(&mut packages, &record, id, |_, _| true);
    }
    for record in lines::<Record>(feed.name, feed.supplement.unwrap_or_default()) {
        let record = record?;
        let ids =
            if record.upstream.is_empty() { std::slice::from_ref(&record.id) } else { &record.upstream[..] };
        for id in ids {
            add(&mut packages, &record, id, |name, ecosystem| {
                !known.contains(&(name.to_owned(), ecosystem.to_owned(), id.clone()))
            });
        }
    }
    for drafts in packages.values_mut() {
        *drafts = join(std::mem::take(drafts));
    }
    Ok(packages)
}

fn add(packages: &mut Packages, record: &Record, id: &str, wanted: impl Fn(&str, &str) -> bool) {
    for affected in &record.affected {
        let skipped =
            matches!(affected.database_specific.status.as_deref(), Some("not-affected" | "end-of-life"));
        if skipped || !wanted(&affected.package.name, &affected.package.ecosystem) {
            continue;
        }
        let mut draft = Draft { id: id.to_owned(), ..draft(record, spans(record, affected)) };
        // A DSA is about several CVEs, so it is no alias of any of them.
        draft.aliases.clear();
        packages.entry(affected.package.name.clone()).or_default().push(draft);
    }
}

/// Records about the same CVE, one per release, become one.
fn join(drafts: Vec<Draft>) -> Vec<Draft> {
    let mut joined: std::collections::BTreeMap<String, Draft> = std::collections::BTreeMap::new();
    for draft in drafts {
        match joined.get_mut(&draft.id) {
            None => {
                joined.insert(draft.id.clone(), draft);
            }
            Some(first) => {
                first.aliases.extend(draft.aliases);
                first.published = first.published.min(draft.published).or(first.published);
                first.newest = first.newest.max(draft.newest);
                for span in draft.spans {
                    if !first.spans.contains(&span) {
                        first.spans.push(span);
                    }
                }
            }
        }
    }
    joined.into_values().collect()
}
