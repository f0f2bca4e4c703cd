use std::collections::{BTreeMap, BTreeSet};

use kiln_vuln::{Bound, Database, Fix, Status, VulnerabilityReport};

use super::labels::Label;

/// What the snapshot says of a label that it does not report.
pub(super) enum Lookup {
    /// No advisory about this package has one of these ids.
    NotHeld,
    /// One has, and says nothing about this release of the distribution.
    NotThisRelease,
    /// It has, and does not apply to this version.
    Class(&'static str),
}

/// Why a true label is not reported, by what the advisory says.
pub(super) fn miss(database: &Database<'_>, label: &Label) -> anyhow::Result<Lookup> {
    let package = label.about();
    let tag = package.distro.as_deref().unwrap_or_default();
    let (distro, release) = tag.split_once('-').unwrap_or((tag, ""));
    let Some(slice) = database.slice(package.ecosystem, Some(distro).filter(|distro| !distro.is_empty()))
    else {
        return Ok(Lookup::NotHeld);
    };
    let advisories = database.lookup(slice, package.advisory_name())?;
    let is_named = |id: &String| label.ids.contains(id);
    let mut named = advisories
        .iter()
        .filter(|advisory| is_named(&advisory.id) || advisory.aliases.iter().any(is_named))
        .peekable();
    if named.peek().is_none() {
        return Ok(Lookup::NotHeld);
    }
    let name = if distro == "alpine" { format!("v{release}") } else { release.to_owned() };
    let bit = slice.releases.iter().position(|known| known.name == name).map(|at| 1_u64 << at);
    let spans: Vec<_> = named
        .flat_map(|advisory| &advisory.spans)
        .filter(|span| span.releases == 0 || bit.is_some_and(|bit| span.releases & bit != 0))
        .collect();
    let compare = |bound: &str| package.ecosystem.compare(package.advisory_version(), bound);
    if spans.is_empty() {
        return Ok(Lookup::NotThisRelease);
    }
    Ok(Lookup::Class(if spans.iter().any(|span| span.status == Status::NotAffected) {
        "the feed says: not affected"
    } else if spans.iter().any(
        |span| matches!(span.high, Bound::Fixed(fixed) if compare(fixed).is_some_and(std::cmp::Ordering::is_ge)),
    ) {
        "the feed says: fixed in this version or before"
    } else {
        "the feed says: no affected range holds this version"
    }))
}

/// Why a refused label is reported, by what the advisory says.
pub(super) fn false_hit(report: &VulnerabilityReport, label: &Label) -> &'static str {
    let found = report.matches.iter().find(|found| {
        label.ids.contains(&found.id) || found.aliases.iter().any(|alias| label.ids.contains(alias))
    });
    match found.map(|found| &found.fix) {
        Some(Fix::Version { .. }) => "the feed says: fixed in a later version",
        Some(Fix::None) => "the feed says: affected, no fix",
        Some(Fix::WontFix) => "the feed says: affected, will not be fixed",
        Some(Fix::Unknown) | None => "the feed says: affected, no word on a fix",
    }
}

/// Labels that other labels contradict: the same vulnerability in packages of the same source in the same image.
pub(super) struct Contested {
    verdicts: BTreeMap<(String, String, String), BTreeSet<bool>>,
}

impl Contested {
    pub(super) fn of(labels: &[Label]) -> Self {
        let mut verdicts: BTreeMap<_, BTreeSet<bool>> = BTreeMap::new();
        for label in labels {
            for id in &label.ids {
                verdicts.entry(key(label, id)).or_default().insert(label.is_true);
            }
        }
        Self { verdicts }
    }

    /// `class`, unless the labels contradict each other.
    pub(super) fn or(&self, label: &Label, class: &'static str) -> &'static str {
        let is_contested = label
            .ids
            .iter()
            .any(|id| self.verdicts.get(&key(label, id)).is_some_and(|verdicts| verdicts.len() > 1));
        if is_contested { "the labels contradict each other for this source package" } else { class }
    }
}

fn key(label: &Label, id: &str) -> (String, String, String) {
    let about = label.about();
    (label.image.clone(), format!("{}@{}", about.advisory_name(), about.advisory_version()), id.to_owned())
}
