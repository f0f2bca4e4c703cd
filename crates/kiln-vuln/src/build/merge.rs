use std::collections::BTreeMap;

use super::draft::Draft;

/// Joins the drafts of one package that share an id: the newest record wins and takes over the ids of the others. Records that
/// their publisher left behind give way to a record with the same spans.
pub(super) fn merge(mut drafts: Vec<Draft>) -> Vec<Draft> {
    drafts.sort_by(|a, b| {
        (a.stale, std::cmp::Reverse(a.newest), &a.id).cmp(&(b.stale, std::cmp::Reverse(b.newest), &b.id))
    });
    let mut merged: Vec<Draft> = Vec::new();
    let mut by_id: BTreeMap<String, usize> = BTreeMap::new();
    for draft in drafts {
        let known = draft.ids().find_map(|id| by_id.get(id).copied());
        let same_spans = || {
            merged
                .iter()
                .position(|other| draft.stale && draft.aliases.is_empty() && other.spans == draft.spans)
        };
        let at = if let Some(at) = known.or_else(same_spans) {
            absorb(&mut merged[at], &draft);
            at
        } else {
            merged.push(draft.clone());
            merged.len() - 1
        };
        for id in draft.ids() {
            by_id.entry(id.to_owned()).or_insert(at);
        }
    }
    merged.sort_by(|a, b| a.id.cmp(&b.id));
    merged
}

fn absorb(kept: &mut Draft, other: &Draft) {
    kept.aliases.extend(other.ids().map(str::to_owned));
    let own = kept.id.clone();
    kept.aliases.remove(&own);
    kept.judged = kept.judged.or(other.judged);
    kept.published = kept.published.or(other.published);
    if kept.cvss.is_none() {
        kept.cvss.clone_from(&other.cvss);
    }
    kept.cwes.extend(&other.cwes);
}

/// Drafts of one package about the same vulnerability, each about one release or branch, become one.
pub(super) fn join(drafts: Vec<Draft>) -> Vec<Draft> {
    let mut joined: BTreeMap<String, Draft> = BTreeMap::new();
    for draft in drafts {
        match joined.get_mut(&draft.id) {
            None => {
                joined.insert(draft.id.clone(), draft);
            }
            Some(first) => {
                absorb(first, &draft);
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
